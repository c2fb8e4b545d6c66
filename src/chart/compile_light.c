/*
 * compile_light.c - which macrosteps do nothing but leave and enter states.
 *
 * Found once, here, so that a step need not look at every state it leaves and enters to see
 * that there is nothing to do: then it changes the words of the active states at once, by the
 * sets of those that stay and those that are entered. What is not known to be so simple goes
 * the long way and comes to the same.
 */
#include <string.h>

#include "base/ensure.h"
#include "chart/domain.h"
#include "chart/loader.h"

static void set_bit_if(uint64_t *words, uint32_t state, bool is_set)
{
    words[state / 64] |= (uint64_t)is_set << state % 64;
}

static bool is_restless(const struct machine *machine, uint32_t state)
{
    if (machine->states[state].leaf == NO_INDEX)
        return false;
    const uint32_t *cell = &machine->candidate_starts[machine->cells[state] + EVENT_ID_NONE];
    return cell[0] < cell[1];
}

static void load_cells(struct loader *loader)
{
    struct machine *machine = &loader->machine;
    uint32_t *cells = arena_new_array(loader->arena, machine->state_count, uint32_t);
    for (uint32_t i = 0; i < machine->state_count; i++) {
        uint32_t leaf = machine->states[i].leaf;
        cells[i] = leaf == NO_INDEX ? NO_INDEX : leaf * machine->event_count;
    }
    machine->cells = cells;
}

static uint64_t *new_set(struct loader *loader)
{
    return arena_get_zeroed(loader->arena, loader->machine.word_count * sizeof(uint64_t));
}

static void load_state_sets(struct loader *loader)
{
    struct machine *machine = &loader->machine;
    uint64_t *leaves = new_set(loader);
    uint64_t *restless = new_set(loader);
    uint64_t *busy_exits = new_set(loader);
    uint64_t *busy_entries = new_set(loader);
    uint64_t *remembering = new_set(loader);
    for (uint32_t i = 0; i < machine->state_count; i++) {
        const struct machine_state *state = &machine->states[i];
        bool is_held = state->timers.count > 0 || state->invokes.count > 0;
        set_bit_if(leaves, i, state->leaf != NO_INDEX);
        set_bit_if(restless, i, is_restless(machine, i));
        machine->has_restless = machine->has_restless || is_restless(machine, i);
        set_bit_if(busy_exits, i, is_held || state->exit.count > 0);
        set_bit_if(busy_entries, i,
                   is_held || state->entry.count > 0 || state->type == STATE_FINAL);
        set_bit_if(remembering, i, state->memory != NO_INDEX);
    }
    machine->leaves = leaves;
    machine->restless = restless;
    machine->busy_exits = busy_exits;
    machine->busy_entries = busy_entries;
    machine->remembering = remembering;
}

/* At its end a macrostep of some machines has more to do, whatever it was: invariants must
 * hold, children hear of every event, states follow from a record. */
static bool has_light_steps(const struct machine *machine)
{
    bool forwards = false;
    for (uint32_t i = 0; i < machine->invoke_count; i++)
        forwards = forwards || machine->invokes[i].forwards;
    return !forwards && machine->invariant_count == 0 && machine->derivation == NULL;
}

/* The state whose inside a transition recalls, when there is nothing else to it: it comes from
 * outside, to one history state that remembers leaves. NO_STATE: it does not. */
static uint32_t find_recalled(const struct machine *machine,
                              const struct machine_transition *transition)
{
    uint32_t history = machine->targets[transition->targets.first];
    const struct machine_state *states = machine->states;
    if (transition->targets.count != 1 || states[history].type != STATE_HISTORY)
        return NO_STATE;
    uint32_t parent = states[history].parent;
    bool is_outside = transition->source < parent || transition->source >= states[parent].end;
    bool is_deep = true;
    for (uint32_t child = parent + 1; child < states[parent].end; child = states[child].end)
        is_deep =
            is_deep && (states[child].leaf != NO_INDEX || states[child].type == STATE_HISTORY);
    return is_outside && (is_deep || states[history].is_deep) ? parent : NO_STATE;
}

/* By default a history state may lead anywhere; here it does not leave its parent. */
static bool stays_inside(const struct machine *machine, uint32_t history, uint32_t parent)
{
    uint32_t initial = machine->states[history].initial;
    struct range targets = {0};
    if (initial != NO_INDEX)
        targets = machine->transitions[initial].targets;
    for (uint32_t i = targets.first; i < targets.first + targets.count; i++) {
        if (!machine_is_within(machine, machine->targets[i], parent))
            return false;
    }
    return true;
}

/* Its domain is the same whatever is remembered, since all of that lies inside one state. */
static void set_domain(const struct machine *machine, struct machine_transition *transition,
                       uint32_t recalled)
{
    uint32_t history = machine->targets[transition->targets.first];
    uint32_t inside = recalled + 1;
    if (!stays_inside(machine, history, recalled))
        return;
    transition->domain = domain_of(machine, transition, &inside, 1);
    transition->has_domain = true;
}

/* Nothing acts when these are entered: neither the states themselves nor what enters their
 * children by default. */
static bool is_quiet(const struct machine *machine, const struct entry_set *set)
{
    for (uint32_t state = 0; state < machine->state_count; state++) {
        uint32_t initial = machine->states[state].initial;
        bool by_default = entry_set_has(set->defaults, state);
        if (by_default && machine->transitions[initial].actions.count > 0)
            return false;
        if (entry_set_has(set->states, state) && (entry_set_has(machine->busy_entries, state) ||
                                                  entry_set_has(machine->restless, state)))
            return false;
    }
    return !set->met_history;
}

/* The states that a transition surely enters; false: they are not known here, or act. */
static bool find_entered(const struct machine *machine,
                         const struct machine_transition *transition, uint32_t recalled,
                         struct entry_set *set)
{
    size_t bytes = machine->word_count * sizeof *set->states;
    memset(set->states, 0, bytes);
    memset(set->defaults, 0, bytes);
    set->met_history = false;
    if (transition->is_broken || transition->actions.count > 0)
        return false;
    if (transition->target == NO_STATE)
        return true;
    if (!transition->is_dynamic)
        entry_set_add(set, transition, transition->domain);
    else if (transition->has_domain)
        entry_set_add_around(set, recalled, transition->domain);
    else
        return false;
    return is_quiet(machine, set);
}

/* Only the words in which the domain has states. */
static struct machine_move move_of(struct loader *loader,
                                   const struct machine_transition *transition,
                                   uint32_t recalled, const uint64_t *entered)
{
    const struct machine *machine = &loader->machine;
    uint32_t first = transition->domain + 1; /* NO_STATE: from the root on */
    uint32_t end = transition->domain == NO_STATE ? machine->state_count
                                                  : machine->states[transition->domain].end;
    struct machine_move move = {.applies = transition->target != NO_STATE,
                                .recalled = recalled};
    if (!move.applies || first == end)
        return move;
    move.first_word = first / 64;
    move.end_word = (end + 63) / 64;
    uint64_t *words =
        arena_new_array(loader->arena, (size_t)(move.end_word - move.first_word) * 2, uint64_t);
    move.words = words;
    for (uint32_t word = move.first_word; word < move.end_word; word++, words += 2) {
        words[0] = ~machine_states_between(word, first, end);
        words[1] = entered[word];
    }
    return move;
}

static void load_moves(struct loader *loader, uint32_t *move_of_transition)
{
    struct machine *machine = &loader->machine;
    struct machine_move *moves =
        arena_new_array(loader->arena, loader->transition_count, struct machine_move);
    struct entry_set set;
    uint32_t count = 0;
    entry_set_init(&set, machine, NULL, loader->arena);
    for (uint32_t i = 0; i < loader->transition_count; i++) {
        struct machine_transition *transition = &loader->transitions[i];
        uint32_t recalled = NO_STATE;
        move_of_transition[i] = NO_INDEX;
        if (transition->event == NO_INDEX)
            continue;
        if (transition->is_dynamic)
            recalled = find_recalled(machine, transition);
        if (recalled != NO_STATE)
            set_domain(machine, transition, recalled);
        if (!find_entered(machine, transition, recalled, &set))
            continue;
        moves[count] = move_of(loader, transition, recalled, set.states);
        move_of_transition[i] = count++;
    }
    machine->moves = moves;
}

void load_light_steps(struct loader *loader, struct machine_candidate *candidates)
{
    struct machine *machine = &loader->machine;
    uint32_t *moves = arena_new_array(loader->arena, loader->transition_count, uint32_t);
    load_cells(loader);
    load_state_sets(loader);
    load_moves(loader, moves);
    machine->has_light_steps = has_light_steps(machine);
    size_t cells = (size_t)machine->leaf_count * machine->event_count;
    for (uint32_t i = 0; i < machine->candidate_starts[cells]; i++)
        candidates[i].move = moves[candidates[i].transition];
}
