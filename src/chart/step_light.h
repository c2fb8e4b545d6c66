/*
 * step_light.h - macrosteps in place, for very many instances of one machine.
 *
 * Of an instance that has no timers, no calls under way and nothing else to remember, what
 * changes from event to event are the bits of its states. Whoever keeps a million instances
 * keeps just these, and the rest of the few that have one beside them. A macrostep
 * that only leaves and enters states is taken right there, without a plan; for any other the
 * whole configuration is put together and step_run() asked, whose answer is the same.
 *
 * Always: an instance that is not active, or is none, is kept as zeros, which nothing moves.
 */
#pragma once

#include "chart/step.h"

/* Words of an instance's states: those of `active`, then those of `memory`. */
static inline size_t machine_state_words(const struct machine *machine)
{
    return (size_t)machine->word_count * (1 + machine->memory_count);
}

/* Room to step in; it belongs to one thread at a time. */
struct step_light;

/* Lives in `lasting`. A step takes memory from `scratch`, to be cleared when you like. */
struct step_light *step_light_make(const struct machine *machine, struct arena *lasting,
                                   struct arena *scratch);

/* What came of an event in place. */
enum {
    STEP_LIGHT_TAKEN = 1,   /* else nothing was done, and the rest is not said */
    STEP_LIGHT_APPLIED = 2, /* OUTCOME_APPLIED; else OUTCOME_IGNORED */
    STEP_LIGHT_CHANGED = 4,
};

/* Takes the event, of kind EVENT_EXTERNAL and of that id (machine_find_event), where that only
 * moves states; they become what step_run() would make of them, and there are no effects.
 * `rest` holds the context and the session. The answer is made of the bits above. */
uint32_t step_light_run(struct step_light *light, uint64_t *states,
                        const struct configuration *rest, const struct event *event,
                        uint32_t event_id, instant_ms now) must_check;

/* What the answer of the last step depends on beside the states: guards that read more. None,
 * and the same comes of every such event in these states; one, and the same comes of it
 * whenever that says the same. */
struct step_light_doubt {
    uint32_t count;
    uint32_t guard; /* the last */
    bool holds;
};
struct step_light_doubt step_light_doubt(const struct step_light *light);

/* Asks that one guard alone. False: it erred, which the whole step has to tell. */
bool step_light_ask(struct step_light *light, uint32_t guard, const uint64_t *states,
                    const struct configuration *rest, const struct event *event,
                    uint32_t event_id, instant_ms now, bool *holds) must_check;
