/*
 * domain.h - what a transition leaves and enters: computed once where the definition alone
 * decides, and in the step where a history state has a say.
 */
#pragma once

#include "base/arena.h"
#include "chart/machine.h"

/* The domain of a transition to these states (none of them a history state). */
uint32_t domain_of(const struct machine *machine, const struct machine_transition *transition,
                   const uint32_t *targets, uint32_t target_count);

/* The same with what is remembered now. */
uint32_t domain_now(const struct machine *machine, const struct machine_transition *transition,
                    const uint64_t *memory, struct arena *arena);

/* The states a transition enters below its domain, as sets of bits. */
struct entry_set {
    const struct machine *machine;
    const uint64_t *memory; /* NULL: nothing is remembered */
    uint32_t *targets;      /* what history states stand for */
    uint64_t *states;
    uint64_t *defaults; /* states entered by default, and history states that held nothing */
    bool met_history;
};

void entry_set_init(struct entry_set *set, const struct machine *machine,
                    const uint64_t *memory, struct arena *arena);
void entry_set_add(struct entry_set *set, const struct machine_transition *transition,
                   uint32_t domain);

/* The state itself, what is around it below the domain, and the regions beside that; nothing
 * inside it. */
void entry_set_add_around(struct entry_set *set, uint32_t state, uint32_t domain);

static inline bool entry_set_has(const uint64_t *words, uint32_t state)
{
    return words[state / 64] >> state % 64 & 1;
}
