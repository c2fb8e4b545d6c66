/*
 * letter.h - what a machine and those that it invokes write to each other, as events.
 *
 * Whoever carries the letters (a family on one clock, the engine) decides when they arrive.
 * What they say is decided here, so that it is the same everywhere.
 */
#pragma once

#include "chart/step.h"

/* What an EFFECT_SEND says to a child, and to the parent: there the sender is the invocation of
 * that id. */
struct event letter_down(const struct effect *send);
struct event letter_up(const struct effect *send, struct span invoke_id, struct arena *arena);

/* SCXML: what it says to a session that is named, from that of the sender. */
struct event letter_across(const struct effect *send, struct span session, struct arena *arena);

/* The end of a child, told to its parent; `number` is the invocation that it is. */
struct event letter_end(const struct configuration *after, uint64_t number,
                        struct span invoke_id);

/* What a child that goes on tells after every macrostep; false: its parent does not listen. */
bool letter_snapshot(const struct machine *parent, const struct configuration *after,
                     struct span invoke_id, struct arena *arena, struct event *event);

/* A step cannot know whether there is a parent. Where there is none, this adds an error to the
 * plan for each event that it sends there. */
void letter_note_orphans(struct plan *plan, struct arena *arena);

/* Nobody is there: told to the member that sent, or that invoked. */
struct event letter_unreachable(struct span invoke_id, struct span send_id);
