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

static struct effect of_invocation(const struct configuration *configuration,
                                   const struct invocation *invocation, enum effect_kind kind)
{
    return (struct effect){.kind = kind,
                           .number = invocation->number,
                           .id = configuration_invoke_id(configuration, invocation),
                           .name = configuration_invoke_src(configuration, invocation),
                           .input = kind == EFFECT_INVOKE ? invocation->input : value_null(),
                           .index = invocation->invoke};
}

static struct effect of_timer(const struct configuration *configuration,
                              const struct armed_timer *timer, enum effect_kind kind)
{
    return (struct effect){.kind = kind,
                           .number = timer->number,
                           .id = configuration_timer_name(configuration, timer),
                           .input = value_null(),
                           .index = timer->timer,
                           .due = timer->due};
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
            effects[(*count)++] = of_invocation(before, old, EFFECT_STOP);
    }
    for (uint32_t i = 0; before != NULL && i < before->timer_count; i++) {
        const struct armed_timer *old = &before->timers[i];
        bool consumed = event->kind == EVENT_TIMER && event->number == old->number;
        if (!consumed && configuration_find_timer(after, old->number) == NULL)
            effects[(*count)++] = of_timer(before, old, EFFECT_CANCEL);
    }
    for (uint32_t i = 0; i < after->timer_count; i++) {
        if (after->timers[i].number >= first_new)
            effects[(*count)++] = of_timer(after, &after->timers[i], EFFECT_SCHEDULE);
    }
    for (uint32_t i = 0; i < after->invocation_count; i++) {
        if (after->invocations[i].number >= first_new)
            effects[(*count)++] = of_invocation(after, &after->invocations[i], EFFECT_INVOKE);
    }
    ensure(*count <= most);
    return effects;
}
