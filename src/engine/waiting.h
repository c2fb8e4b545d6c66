/*
 * waiting.h - what state is it in, why, and what wakes it next? (I10)
 */
#pragma once

#include "engine/registry.h"

/* The instance as JSON:
 * {"id","machine","version","value","status","context","tags","output","seq",
 * "created","updated","parent"?,"waiting":[{"for":"step|timer|event|breaker|limit|person|child",
 * …}]}. */
struct value waiting_describe(struct registry *registry, const struct instance *instance,
                              instant_ms now, struct arena *arena);

/* The same answer for people, one fact a line: state, step and attempt, what it waits for since
 * when, and what wakes it next. */
void waiting_explain(struct registry *registry, const struct instance *instance, instant_ms now,
                     struct arena *arena, struct text *text);

/* What keeps an instance: decides whether `run` is over. */
enum instance_rest {
    REST_NOT,   /* a step is under way, or will be by itself */
    REST_TIMER, /* only timers are awaited */
    REST_EVENT, /* only events or people are awaited */
    REST_FINAL, /* done, error or stopped */
};

enum instance_rest waiting_rest(const struct instance *instance);

/* True when an active state (or the state an instance ended in) has the tag. */
bool waiting_has_tag(const struct instance *instance, struct span tag);
