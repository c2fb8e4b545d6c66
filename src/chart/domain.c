/*
 * domain.c - the least common ancestor of source and targets, and what lies between.
 *
 * W3C: getTransitionDomain, computeEntrySet. XState's rules differ in what may be a domain
 * (a parallel state too), in what an internal transition is, and in what a parallel domain
 * enters again: all its regions.
 */
#include "chart/domain.h"

#include <string.h>

static bool is_inside(const struct machine *machine, uint32_t inner, uint32_t outer)
{
    return inner > outer && inner < machine->states[outer].end;
}

static bool all_inside(const struct machine *machine, const uint32_t *targets, uint32_t count,
                       uint32_t outer, bool or_same)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!is_inside(machine, targets[i], outer) && !(or_same && targets[i] == outer))
            return false;
    }
    return true;
}

static uint32_t scxml_domain(const struct machine *machine,
                             const struct machine_transition *transition,
                             const uint32_t *targets, uint32_t count)
{
    uint32_t source = transition->source;
    const struct machine_state *states = machine->states;
    if (transition->is_internal && states[source].type == STATE_COMPOUND &&
        all_inside(machine, targets, count, source, false))
        return source;
    uint32_t outer = states[source].parent;
    while (outer != NO_STATE && outer != 0 &&
           !(states[outer].type == STATE_COMPOUND &&
             all_inside(machine, targets, count, outer, false)))
        outer = states[outer].parent;
    return outer == NO_STATE ? 0 : outer;
}

static uint32_t xstate_domain(const struct machine *machine,
                              const struct machine_transition *transition,
                              const uint32_t *targets, uint32_t count)
{
    uint32_t source = transition->source;
    if (!transition->reenter && all_inside(machine, targets, count, source, true))
        return source;
    uint32_t outer = machine->states[targets[0]].parent;
    while (outer != NO_STATE && !(all_inside(machine, targets, count, outer, false) &&
                                  is_inside(machine, source, outer)))
        outer = machine->states[outer].parent;
    if (outer == NO_STATE && !transition->reenter)
        return 0; /* only `reenter` leaves the root */
    return outer;
}

uint32_t domain_of(const struct machine *machine, const struct machine_transition *transition,
                   const uint32_t *targets, uint32_t target_count)
{
    return machine->semantics == SEMANTICS_SCXML
               ? scxml_domain(machine, transition, targets, target_count)
               : xstate_domain(machine, transition, targets, target_count);
}

static const uint64_t *memory_of(const struct machine *machine, const uint64_t *memory,
                                 uint32_t history)
{
    uint32_t row = machine->states[machine->states[history].parent].memory;
    if (memory == NULL)
        return NULL;
    const uint64_t *words = &memory[(size_t)row * machine->word_count];
    for (uint32_t i = 0; i < machine->word_count; i++) {
        if (words[i] != 0)
            return words;
    }
    return NULL;
}

struct target_list {
    uint32_t *states;
    uint32_t count;
};

static void add_effective(const struct machine *machine, uint32_t target,
                          const uint64_t *memory, struct target_list *list);

static void add_remembered(const struct machine *machine, uint32_t history,
                           const uint64_t *words, struct target_list *list)
{
    const struct machine_state *states = machine->states;
    uint32_t parent = states[history].parent;
    for (uint32_t s = parent + 1; s < states[parent].end; s++) {
        bool counts =
            states[history].is_deep ? states[s].leaf != NO_INDEX : states[s].parent == parent;
        if (counts && entry_set_has(words, s))
            list->states[list->count++] = s;
    }
}

static void add_all_regions(const struct machine *machine, uint32_t parallel,
                            struct target_list *list)
{
    const struct machine_state *states = machine->states;
    for (uint32_t child = parallel + 1; child < states[parallel].end;
         child = states[child].end) {
        if (states[child].type != STATE_HISTORY)
            list->states[list->count++] = child;
    }
}

static void add_defaults(const struct machine *machine, uint32_t history,
                         const uint64_t *memory, struct target_list *list)
{
    uint32_t index = machine->states[history].initial;
    if (index == NO_INDEX) {
        add_all_regions(machine, machine->states[history].parent, list);
        return;
    }
    struct range targets = machine->transitions[index].targets;
    for (uint32_t i = 0; i < targets.count; i++)
        add_effective(machine, machine->targets[targets.first + i], memory, list);
}

/* A list has room for every state of the machine; more would be the same ones again. */
static void add_effective(const struct machine *machine, uint32_t target,
                          const uint64_t *memory, struct target_list *list)
{
    if (list->count >= machine->state_count)
        return;
    if (machine->states[target].type != STATE_HISTORY) {
        list->states[list->count++] = target;
        return;
    }
    const uint64_t *words = memory_of(machine, memory, target);
    if (words != NULL)
        add_remembered(machine, target, words, list);
    else
        add_defaults(machine, target, memory, list);
}

static void add_all_effective(const struct machine *machine,
                              const struct machine_transition *transition,
                              const uint64_t *memory, struct target_list *list)
{
    for (uint32_t i = 0; i < transition->targets.count; i++)
        add_effective(machine, machine->targets[transition->targets.first + i], memory, list);
}

uint32_t domain_now(const struct machine *machine, const struct machine_transition *transition,
                    const uint64_t *memory, struct arena *arena)
{
    struct target_list list = {
        arena_new_array(arena, (size_t)machine->state_count * 2, uint32_t), 0};
    add_all_effective(machine, transition, memory, &list);
    return domain_of(machine, transition, list.states, list.count);
}

void entry_set_init(struct entry_set *set, const struct machine *machine,
                    const uint64_t *memory, struct arena *arena)
{
    size_t bytes = machine->word_count * sizeof(uint64_t);
    *set = (struct entry_set){
        .machine = machine,
        .memory = memory,
        .targets = arena_new_array(arena, (size_t)machine->state_count * 2, uint32_t),
        .states = arena_get_zeroed(arena, bytes),
        .defaults = arena_get_zeroed(arena, bytes)};
}

static void set_bit(uint64_t *words, uint32_t state)
{
    words[state / 64] |= (uint64_t)1 << state % 64;
}

static void add_inside(struct entry_set *set, uint32_t state);

static bool has_any_inside(const struct entry_set *set, uint32_t state)
{
    for (uint32_t s = state + 1; s < set->machine->states[state].end; s++) {
        if (entry_set_has(set->states, s))
            return true;
    }
    return false;
}

/* Regions in which nothing is entered yet are entered by default. */
static void add_regions(struct entry_set *set, uint32_t parallel)
{
    const struct machine_state *states = set->machine->states;
    for (uint32_t child = parallel + 1; child < states[parallel].end;
         child = states[child].end) {
        if (states[child].type == STATE_HISTORY || has_any_inside(set, child))
            continue;
        set_bit(set->states, child);
        add_inside(set, child);
    }
}

/* The ancestors of a state, below the limit, and their other regions. */
static void add_ancestors(struct entry_set *set, uint32_t state, uint32_t limit)
{
    const struct machine_state *states = set->machine->states;
    for (uint32_t s = states[state].parent; s != NO_STATE && s != limit; s = states[s].parent) {
        set_bit(set->states, s);
        if (states[s].type == STATE_PARALLEL)
            add_regions(set, s);
    }
}

static void add_targets(struct entry_set *set, struct range targets, uint32_t limit)
{
    for (uint32_t i = 0; i < targets.count; i++) {
        uint32_t target = set->machine->targets[targets.first + i];
        if (set->machine->states[target].type != STATE_HISTORY)
            set_bit(set->states, target);
    }
    for (uint32_t i = 0; i < targets.count; i++)
        add_inside(set, set->machine->targets[targets.first + i]);
    for (uint32_t i = 0; i < targets.count; i++)
        add_ancestors(set, set->machine->targets[targets.first + i], limit);
}

static void add_history(struct entry_set *set, uint32_t history)
{
    const struct machine_state *states = set->machine->states;
    uint32_t parent = states[history].parent;
    const uint64_t *words = memory_of(set->machine, set->memory, history);
    set->met_history = true;
    if (words == NULL && states[history].initial != NO_INDEX) {
        set_bit(set->defaults, history);
        add_targets(set, set->machine->transitions[states[history].initial].targets, parent);
    } else if (words == NULL) {
        add_regions(set, parent);
    }
    for (uint32_t s = parent + 1; words != NULL && s < states[parent].end; s++) {
        bool counts = states[history].is_deep || states[s].parent == parent;
        if (!counts || !entry_set_has(words, s))
            continue;
        set_bit(set->states, s);
        if (!states[history].is_deep)
            add_inside(set, s);
    }
}

/* What is entered inside a state that is entered itself. */
static void add_inside(struct entry_set *set, uint32_t state)
{
    const struct machine_state *states = set->machine->states;
    if (states[state].type == STATE_HISTORY) {
        add_history(set, state);
    } else if (states[state].type == STATE_PARALLEL) {
        add_regions(set, state);
    } else if (states[state].type == STATE_COMPOUND) {
        set_bit(set->defaults, state);
        add_targets(set, set->machine->transitions[states[state].initial].targets, state);
    }
}

void entry_set_add(struct entry_set *set, const struct machine_transition *transition,
                   uint32_t domain)
{
    const struct machine *machine = set->machine;
    const uint32_t *targets = &machine->targets[transition->targets.first];
    for (uint32_t i = 0; i < transition->targets.count; i++) {
        bool stays = targets[i] == domain; /* an internal transition to its own source */
        if (machine->states[targets[i]].type != STATE_HISTORY && !stays)
            set_bit(set->states, targets[i]);
    }
    for (uint32_t i = 0; i < transition->targets.count; i++)
        add_inside(set, targets[i]);
    struct target_list effective = {set->targets, 0};
    add_all_effective(machine, transition, set->memory, &effective);
    for (uint32_t i = 0; i < effective.count; i++) {
        if (effective.states[i] != domain)
            add_ancestors(set, effective.states[i], domain);
    }
    if (domain != NO_STATE && machine->states[domain].type == STATE_PARALLEL)
        add_regions(set, domain);
}

void entry_set_add_around(struct entry_set *set, uint32_t state, uint32_t domain)
{
    const struct machine_state *states = set->machine->states;
    uint32_t inside = state + 1; /* stands for what is entered there */
    set_bit(set->states, state);
    set_bit(set->states, inside);
    add_ancestors(set, state, domain);
    if (domain != NO_STATE && states[domain].type == STATE_PARALLEL)
        add_regions(set, domain);
    set->states[inside / 64] &= ~((uint64_t)1 << inside % 64);
}
