/*
 * step_effects.c - what has to happen outside, found by comparing two configurations.
 *
 * Nothing is collected while a macrostep runs: a state that was entered and left within it
 * asks for nothing, and whoever has both configurations can tell the effects again.
 */
#include "chart/step.h"

#include "base/ensure.h"

static bool is_result(const struct event *event)
{
    return event->kind == EVENT_DONE || event->kind == EVENT_ERROR;
}

/* What is armed or invoked now and was not before, and the other way round. */
const struct effect *step_effects(const struct configuration *before,
                                  const struct configuration *after, const struct event *event,
                                  struct arena *arena, uint32_t *count)
{
    uint32_t most = after->timer_count + after->invocation_count;
    most += before == NULL ? 0 : before->timer_count + before->invocation_count;
    *count = 0;
    if (most == 0)
        return NULL;
    struct effect *effects = arena_new_array(arena, most, struct effect);
    uint64_t first_new = before == NULL ? 0 : before->next_number;
    for (uint32_t i = 0; before != NULL && i < before->invocation_count; i++) {
        const struct invocation *old = &before->invocations[i];
        bool consumed = is_result(event) && event->number == old->number;
        if (!consumed && configuration_find_invocation(after, old->number) == NULL)
            effects[(*count)++] =
                (struct effect){EFFECT_STOP, old->invoke, old->number, value_null(), 0};
    }
    for (uint32_t i = 0; before != NULL && i < before->timer_count; i++) {
        const struct armed_timer *old = &before->timers[i];
        bool consumed = event->kind == EVENT_TIMER && event->number == old->number;
        if (!consumed && configuration_find_timer(after, old->number) == NULL)
            effects[(*count)++] =
                (struct effect){EFFECT_CANCEL, old->timer, old->number, value_null(), old->due};
    }
    for (uint32_t i = 0; i < after->timer_count; i++) {
        const struct armed_timer *timer = &after->timers[i];
        if (timer->number >= first_new)
            effects[(*count)++] = (struct effect){EFFECT_SCHEDULE, timer->timer, timer->number,
                                                  value_null(), timer->due};
    }
    for (uint32_t i = 0; i < after->invocation_count; i++) {
        const struct invocation *added = &after->invocations[i];
        if (added->number >= first_new)
            effects[(*count)++] =
                (struct effect){EFFECT_INVOKE, added->invoke, added->number, added->input, 0};
    }
    ensure(*count <= most);
    return effects;
}
