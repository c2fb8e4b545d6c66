/*
 * spin.c - timers without a delay that follow one from another.
 *
 * Such a timer fires at once, in a turn of its own. What arms another in that turn, and so on
 * without end, would never wait for anything, and fill the log as fast as the disk takes it.
 * So each is counted from what is behind it: an event from outside, a result, or a timer with
 * a delay begin at nothing, and who gets to SPINS_MAX is stopped with an error. Letters of a
 * family are no beginning; they belong to the timer that was behind the first of them.
 *
 * The count is memory only. That an instance was stopped is in the record of its last turn,
 * so a replay never counts; an engine that starts again does, from the beginning.
 */
#include "base/limits.h"
#include "base/memory.h"
#include "engine/shard.h"

/* Of those that were noted, the ones that are still armed. Both are in the order of numbers. */
static void forget_gone(struct live_instance *live, const struct configuration *after)
{
    size_t kept = 0;
    uint32_t timer = 0;
    for (size_t i = 0; i < live->spin_count; i++) {
        while (timer < after->timer_count &&
               after->timers[timer].number < live->spins[i].number)
            timer++;
        if (timer < after->timer_count && after->timers[timer].number == live->spins[i].number)
            live->spins[kept++] = live->spins[i];
    }
    live->spin_count = kept;
}

void spin_note(struct engine *engine, struct instance *instance, uint64_t first_new,
               const struct configuration *after)
{
    struct live_instance *live = instance->live;
    if (instance->next_timer > engine->now) {
        spin_release(instance);
        return;
    }
    forget_gone(live, after);
    for (uint32_t i = 0; i < after->timer_count; i++) {
        const struct armed_timer *timer = &after->timers[i];
        if (timer->number < first_new || timer->due > engine->now)
            continue;
        memory_reserve(live->spins, live->spin_count, live->spin_capacity);
        live->spins[live->spin_count++] = (struct spin){timer->number, engine->spin_count + 1};
    }
}

uint32_t spin_count(const struct instance *instance, uint64_t number)
{
    const struct live_instance *live = instance->live;
    for (size_t i = 0; i < live->spin_count; i++) {
        if (live->spins[i].number == number)
            return live->spins[i].count;
    }
    return 0;
}

void spin_release(struct instance *instance)
{
    struct live_instance *live = instance->live;
    memory_release(live->spins);
    live->spins = NULL;
    live->spin_count = 0;
    live->spin_capacity = 0;
}
