/*
 * step_light.c - macrosteps in which nothing happens but that states are left and entered.
 *
 * Most events of most machines are of this kind, and then all that changes are bits: of the
 * active states, and of what history states remember. It is the same macrostep as any other
 * with those parts left out that have nothing to do, as the tables say (compile_light.c):
 *
 *     leave   no exit action, no timer, no invocation ends          busy_exits
 *     act     no actions                                            candidate->move
 *     enter   no entry action, no timer, no invocation, no end      candidate->move
 *     again   nothing raised; no leaf would leave without an event  restless, candidate->move
 *     settle  no invariants, no child that hears of every event     has_light_steps
 *
 * Always: what comes out is what the whole macrostep would make of it (test_step_light).
 */
#include "chart/step_light.h"

#include <string.h>

#include "base/ensure.h"
#include "chart/stepper.h"

struct step_light {
    struct arena *arena;
    struct plan plan; /* its configuration is the instance's, as long as a step takes */
    struct raised event;
    struct stepper *stepper;
};

/* Some guard did: what follows from that is more than a move. */
static bool has_erred(const struct stepper *stepper)
{
    return stepper->queue != NULL || stepper->undeclared.text != NULL;
}

/* Some leaf may leave without an event. */
static bool is_restless(const struct machine *machine, const uint64_t *active)
{
    uint64_t restless = 0;
    for (uint32_t word = 0; word < machine->word_count; word++)
        restless |= active[word] & machine->restless[word];
    return restless != 0;
}

static uint64_t *row_of(const struct machine *machine, uint32_t state, uint64_t *memory)
{
    return &memory[(size_t)machine->states[state].memory * machine->word_count];
}

/* What the state remembers can just be entered. Not where that is nothing yet; nor where the
 * state is active, since then it is about to change. */
static bool can_recall(const struct machine *machine, uint32_t state, const uint64_t *active,
                       uint64_t *memory)
{
    const uint64_t *row = row_of(machine, state, memory);
    uint64_t any = 0;
    uint64_t busy = active[state / 64] >> state % 64 & 1;
    for (uint32_t word = 0; word < machine->word_count; word++) {
        any |= row[word];
        busy |= row[word] & (machine->busy_entries[word] | machine->restless[word]);
    }
    return any != 0 && busy == 0;
}

/* No state that the move leaves has more to do. */
static bool is_light(const struct machine *machine, const struct machine_move *move,
                     const uint64_t *active)
{
    const uint64_t *words = move->words;
    for (uint32_t word = move->first_word; word < move->end_word; word++, words += 2) {
        if ((active[word] & ~words[0] & machine->busy_exits[word]) != 0)
            return false;
    }
    return true;
}

/* What is active inside a state. True: it was something else before. */
static bool remember_state(const struct machine *machine, uint32_t state,
                           const uint64_t *active, uint64_t *memory)
{
    uint64_t *row = row_of(machine, state, memory);
    uint64_t different = 0;
    for (uint32_t word = 0; word < machine->word_count; word++) {
        uint64_t old = row[word];
        row[word] =
            active[word] & machine_states_between(word, state + 1, machine->states[state].end);
        different |= row[word] ^ old;
    }
    return different != 0;
}

static bool remember(const struct machine *machine, const struct machine_move *move,
                     const uint64_t *active, uint64_t *memory)
{
    const uint64_t *words = move->words;
    bool changed = false;
    for (uint32_t word = move->first_word; word < move->end_word; word++, words += 2) {
        uint64_t left = active[word] & ~words[0] & machine->remembering[word];
        for (; left != 0; left &= left - 1)
            changed |= remember_state(machine, word * 64 + (uint32_t)__builtin_ctzll(left),
                                      active, memory);
    }
    return changed;
}

/* It was not active, so take() has seen a change. */
static void recall(const struct machine *machine, uint32_t state, uint64_t *active,
                   uint64_t *memory)
{
    const uint64_t *row = row_of(machine, state, memory);
    for (uint32_t word = 0; word < machine->word_count; word++)
        active[word] |= row[word];
}

static bool take(const struct machine_move *move, uint64_t *active)
{
    const uint64_t *words = move->words;
    uint64_t different = 0;
    for (uint32_t word = move->first_word; word < move->end_word; word++, words += 2) {
        uint64_t old = active[word];
        active[word] = (old & words[0]) | words[1];
        different |= active[word] ^ old;
    }
    return different != 0;
}

static bool carry_out(const struct machine *machine, const struct machine_move *move,
                      uint64_t *active, uint64_t *memory)
{
    bool changed = false;
    if (machine->memory_count > 0)
        changed = remember(machine, move, active, memory);
    changed |= take(move, active);
    if (move->recalled != NO_STATE)
        recall(machine, move->recalled, active, memory);
    return changed;
}

/* Of a choice only the move is needed here. */
static void select_moves(struct stepper *stepper)
{
    uint32_t event = stepper->event->event;
    if (stepper->machine->has_parallel) {
        stepper_select(stepper, event);
        return;
    }
    const struct machine_candidate *candidate =
        stepper_choose(stepper, configuration_leaf(stepper->next), event);
    stepper->choice_count = candidate != NULL;
    if (candidate != NULL)
        stepper->choices[0].move = candidate->move;
}

static bool are_light(const struct stepper *stepper, const uint64_t *active, uint64_t *memory)
{
    const struct machine *machine = stepper->machine;
    for (uint32_t i = 0; i < stepper->choice_count; i++) {
        uint32_t index = stepper->choices[i].move;
        if (index == NO_INDEX)
            return false;
        const struct machine_move *move = &machine->moves[index];
        if (!is_light(machine, move, active))
            return false;
        if (move->recalled != NO_STATE && !can_recall(machine, move->recalled, active, memory))
            return false;
    }
    return true;
}

/* Domains of transitions that are taken together do not overlap: none changes what another
 * leaves. */
bool stepper_move_lightly(struct stepper *stepper, uint64_t *active, uint64_t *memory)
{
    const struct machine *machine = stepper->machine;
    if (machine->has_restless && is_restless(machine, active))
        return false;
    select_moves(stepper);
    if (has_erred(stepper) || !are_light(stepper, active, memory))
        return false;
    bool applied = false;
    bool changed = false;
    for (uint32_t i = 0; i < stepper->choice_count; i++) {
        const struct machine_move *move = &machine->moves[stepper->choices[i].move];
        applied |= move->applies;
        changed |= carry_out(machine, move, active, memory);
    }
    stepper->applied = applied;
    stepper->plan->changed = changed;
    return true;
}

struct step_light *step_light_make(const struct machine *machine, struct arena *lasting,
                                   struct arena *scratch)
{
    struct step_light *light = arena_new(lasting, struct step_light);
    light->arena = scratch;
    light->plan.after = (struct configuration){.machine = machine, .next_number = 1};
    light->event.by = RAISED_EXTERNAL;
    light->stepper = stepper_make(machine, 0, lasting, &light->plan);
    light->stepper->arena = scratch;
    light->stepper->event = &light->event;
    return light;
}

static void forget(struct step_light *light)
{
    light->plan.errors = NULL;
    light->stepper->errors_end = &light->plan.errors;
    stepper_forget(light->stepper);
}

/* What guards read beside the states. */
static void bind(struct step_light *light, const struct configuration *rest,
                 const struct event *event, instant_ms now)
{
    light->plan.after.context = rest->context;
    light->plan.after.session = rest->session;
    light->event.type = event->type;
    light->event.payload = event->payload;
    light->stepper->now = now;
    light->stepper->is_bound = false;
    light->stepper->asked_count = 0;
    light->stepper->cost = 0;
}

/* Guards take memory, and so do domains that follow from what is remembered. */
static bool takes_memory(const struct machine *machine)
{
    return machine->guard_count > 0 || machine->has_parallel;
}

static bool move_guarded(struct step_light *light, const struct configuration *rest,
                         const struct event *event, instant_ms now, uint64_t *active,
                         uint64_t *memory)
{
    struct arena_guard guard;
    if (arena_is_spent(light->arena, &guard)) {
        forget(light);
        return false;
    }
    bind(light, rest, event, now);
    bool moved = stepper_move_lightly(light->stepper, active, memory);
    if (!moved)
        forget(light);
    arena_release_guard(light->arena, &guard);
    return moved;
}

uint32_t step_light_run(struct step_light *light, uint64_t *states,
                        const struct configuration *rest, const struct event *event,
                        uint32_t event_id, instant_ms now)
{
    const struct machine *machine = light->plan.after.machine;
    uint64_t *memory = states + machine->word_count;
    if ((states[0] & 1) == 0 || !machine->has_light_steps)
        return 0;
    light->plan.after.active = states;
    light->plan.after.memory = memory;
    light->event.event = event_id;
    if (takes_memory(machine) ? !move_guarded(light, rest, event, now, states, memory)
                              : !stepper_move_lightly(light->stepper, states, memory))
        return 0;
    return STEP_LIGHT_TAKEN | (light->stepper->applied ? STEP_LIGHT_APPLIED : 0) |
           (light->plan.changed ? STEP_LIGHT_CHANGED : 0);
}

struct step_light_doubt step_light_doubt(const struct step_light *light)
{
    if (light->stepper->asked_count == 0)
        return (struct step_light_doubt){0};
    return (struct step_light_doubt){.count = light->stepper->asked_count,
                                     .guard = light->stepper->asked,
                                     .holds = light->stepper->asked_holds};
}

bool step_light_ask(struct step_light *light, uint32_t guard, const uint64_t *states,
                    const struct configuration *rest, const struct event *event,
                    uint32_t event_id, instant_ms now, bool *holds)
{
    struct arena_guard arena_guard;
    if (arena_is_spent(light->arena, &arena_guard)) {
        forget(light);
        return false;
    }
    light->plan.after.active = states;
    light->event.event = event_id;
    bind(light, rest, event, now);
    *holds = stepper_guard_holds(light->stepper, guard);
    bool erred = has_erred(light->stepper);
    if (erred)
        forget(light);
    arena_release_guard(light->arena, &arena_guard);
    return !erred;
}
