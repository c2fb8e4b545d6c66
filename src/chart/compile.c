/*
 * compile.c - pass three: the look-up tables, and the finished machine.
 *
 * For every leaf and event the candidate transitions are listed once, here, so that a
 * step need not climb the tree: the leaf's own exact matches, its wildcards from the longest
 * to `*` (SCXML: all of them in document order), then its parent's, and so on. A list ends
 * with the first candidate that has no guard.
 *
 * What a transition leaves and enters is computed here too, unless a history state has a say.
 */
#include <string.h>

#include "base/ensure.h"
#include "base/hash.h"
#include "chart/domain.h"
#include "chart/loader.h"

enum { CANDIDATE_CELLS_MAX = 1 << 20 };

struct compiler {
    struct loader *loader;
    uint32_t *order;  /* transitions by source, then event, then document order */
    uint32_t *starts; /* [state]: its first one in `order`; one more at the end */
    uint32_t *outer;  /* [event]: the longest `prefix.*` around it, or EVENT_ID_OTHER */
    struct machine_candidate *candidates;
    uint32_t count;
    uint32_t capacity;
};

/* Those that are no candidates stand last, under an event that does not exist. */
static uint32_t key_of(const struct loader *loader, const struct machine_transition *transition,
                       bool by_source)
{
    if (by_source)
        return transition->source;
    return transition->event == NO_INDEX ? loader->event_count : transition->event;
}

/* A stable counting sort of `order`; where each key begins. */
static uint32_t *sort_transitions(struct compiler *compiler, bool by_source, uint32_t key_count)
{
    const struct loader *loader = compiler->loader;
    uint32_t *starts = arena_get_zeroed(loader->arena, (key_count + 1) * sizeof *starts);
    uint32_t *next = arena_new_array(loader->arena, key_count, uint32_t);
    uint32_t *sorted = arena_new_array(loader->arena, loader->transition_count, uint32_t);
    for (uint32_t i = 0; i < loader->transition_count; i++)
        starts[key_of(loader, &loader->transitions[i], by_source) + 1]++;
    for (uint32_t key = 0; key < key_count; key++) {
        starts[key + 1] += starts[key];
        next[key] = starts[key];
    }
    for (uint32_t i = 0; i < loader->transition_count; i++) {
        uint32_t index = compiler->order[i];
        sorted[next[key_of(loader, &loader->transitions[index], by_source)]++] = index;
    }
    compiler->order = sorted;
    return starts;
}

static void order_transitions(struct compiler *compiler)
{
    const struct loader *loader = compiler->loader;
    compiler->order = arena_new_array(loader->arena, loader->transition_count, uint32_t);
    for (uint32_t i = 0; i < loader->transition_count; i++)
        compiler->order[i] = i;
    sort_transitions(compiler, false, loader->event_count + 1);
    compiler->starts = sort_transitions(compiler, true, loader->state_count);
}

/* The state's first transition in `order` whose event is not below this one. */
static uint32_t find_first(const struct compiler *compiler, uint32_t state, uint32_t event)
{
    uint32_t from = compiler->starts[state];
    uint32_t to = compiler->starts[state + 1];
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (compiler->loader->transitions[compiler->order[middle]].event < event)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static void add_candidate(struct compiler *compiler, uint32_t transition)
{
    loader_reserve(compiler->loader, compiler->candidates, compiler->count, compiler->capacity);
    compiler->candidates[compiler->count++] = (struct machine_candidate){
        transition, compiler->loader->transitions[transition].guard, NO_INDEX};
}

/* Adds the state's candidates for the event; true when one without a guard ends the list. */
static bool add_candidates(struct compiler *compiler, uint32_t state, uint32_t event)
{
    const struct loader *loader = compiler->loader;
    uint32_t end = compiler->starts[state + 1];
    for (uint32_t i = find_first(compiler, state, event); i < end; i++) {
        const struct machine_transition *transition = &loader->transitions[compiler->order[i]];
        if (transition->event != event)
            return false;
        add_candidate(compiler, compiler->order[i]);
        if (transition->guard == NO_INDEX)
            return true;
    }
    return false;
}

/* XState: the longest match first. */
static bool add_by_length(struct compiler *compiler, uint32_t state, uint32_t event)
{
    for (uint32_t match = event; match != EVENT_ID_OTHER; match = compiler->outer[match]) {
        if (add_candidates(compiler, state, match))
            return true;
    }
    return add_candidates(compiler, state, EVENT_ID_OTHER);
}

static void sort_candidates(struct compiler *compiler, uint32_t first)
{
    for (uint32_t i = first + 1; i < compiler->count; i++) {
        struct machine_candidate moved = compiler->candidates[i];
        uint32_t at = i;
        for (; at > first && compiler->candidates[at - 1].transition > moved.transition; at--)
            compiler->candidates[at] = compiler->candidates[at - 1];
        compiler->candidates[at] = moved;
    }
}

/* SCXML: whatever matches, in document order, up to the first without a guard. */
static bool add_by_place(struct compiler *compiler, uint32_t state, uint32_t event)
{
    uint32_t first = compiler->count;
    for (uint32_t match = event; match != EVENT_ID_OTHER; match = compiler->outer[match])
        add_candidates(compiler, state, match);
    add_candidates(compiler, state, EVENT_ID_OTHER);
    sort_candidates(compiler, first);
    for (uint32_t i = first; i < compiler->count; i++) {
        if (compiler->candidates[i].guard == NO_INDEX) {
            compiler->count = i + 1;
            return true;
        }
    }
    return false;
}

static void list_candidates(struct compiler *compiler, uint32_t leaf, uint32_t event)
{
    const struct machine_state *states = compiler->loader->states;
    bool by_place = compiler->loader->machine.semantics == SEMANTICS_SCXML;
    for (uint32_t state = leaf; state != NO_STATE; state = states[state].parent) {
        bool ends;
        if (event == EVENT_ID_NONE)
            ends = add_candidates(compiler, state, event);
        else if (by_place)
            ends = add_by_place(compiler, state, event);
        else
            ends = add_by_length(compiler, state, event);
        if (ends)
            return;
    }
}

/* The longest `prefix.*` that matches whatever the type matches, and is not the type itself. */
static uint32_t find_outer(const struct loader *loader, struct span type)
{
    char name[EVENT_TYPE_BYTES_MAX + 2];
    size_t size = type.size;
    if (span_ends_with(type, SPAN(".*"))) {
        size -= 2;
        while (size > 0 && type.text[size - 1] != '.')
            size--;
        size -= size > 0;
    }
    memcpy(name, type.text, size);
    while (size > 0) {
        name[size] = '.';
        name[size + 1] = '*';
        uint32_t found = loader_find_event(loader, span_of(name, size + 2));
        if (found != EVENT_ID_NONE)
            return found;
        do
            size--;
        while (size > 0 && type.text[size] != '.');
    }
    return EVENT_ID_OTHER;
}

static void find_classes(struct compiler *compiler)
{
    struct loader *loader = compiler->loader;
    compiler->outer = arena_new_array(loader->arena, loader->event_count, uint32_t);
    for (uint32_t i = 0; i < loader->event_count; i++)
        compiler->outer[i] = i < EVENT_ID_FIRST || !loader->machine.has_event_classes
                                 ? EVENT_ID_OTHER
                                 : find_outer(loader, loader->events[i]);
}

static void fill_table(struct compiler *compiler)
{
    struct loader *loader = compiler->loader;
    struct machine *machine = &loader->machine;
    size_t cells = (size_t)machine->leaf_count * loader->event_count;
    uint32_t *starts = arena_new_array(loader->arena, cells + 1, uint32_t);
    for (uint32_t state = 0; state < loader->state_count; state++) {
        uint32_t leaf = loader->states[state].leaf;
        for (uint32_t event = 0; leaf != NO_INDEX && event < loader->event_count; event++) {
            starts[(size_t)leaf * loader->event_count + event] = compiler->count;
            list_candidates(compiler, state, event);
        }
    }
    starts[cells] = compiler->count;
    machine->candidate_starts = starts;
    machine->candidates = compiler->candidates;
}

static void number_leaves(struct loader *loader)
{
    for (uint32_t state = 0; state < loader->state_count; state++) {
        enum state_type type = loader->states[state].type;
        if (type == STATE_ATOMIC || type == STATE_FINAL)
            loader->states[state].leaf = loader->machine.leaf_count++;
    }
}

static bool has_history_target(const struct machine *machine,
                               const struct machine_transition *transition)
{
    for (uint32_t i = 0; i < transition->targets.count; i++) {
        uint32_t target = machine->targets[transition->targets.first + i];
        if (machine->states[target].type == STATE_HISTORY)
            return true;
    }
    return false;
}

struct entry_list {
    uint32_t *entries;
    uint32_t count;
    uint32_t capacity;
};

static struct range list_entries(struct loader *loader, const struct entry_set *set,
                                 struct entry_list *list)
{
    struct range range = {list->count, 0};
    for (uint32_t state = 0; state < loader->state_count; state++) {
        if (!entry_set_has(set->states, state))
            continue;
        loader_reserve(loader, list->entries, list->count, list->capacity);
        list->entries[list->count++] =
            state | (entry_set_has(set->defaults, state) ? ENTRY_DEFAULT : 0);
    }
    range.count = list->count - range.first;
    return range;
}

static void load_domains(struct loader *loader)
{
    struct machine *machine = &loader->machine;
    struct entry_list list = {0};
    struct entry_set set;
    entry_set_init(&set, machine, NULL, loader->arena);
    for (uint32_t i = 0; i < loader->transition_count; i++) {
        struct machine_transition *transition = &loader->transitions[i];
        if (transition->target == NO_STATE ||
            (transition->event == NO_INDEX && i != machine->start))
            continue;
        transition->is_dynamic = has_history_target(machine, transition);
        if (!transition->is_dynamic && i != machine->start)
            transition->domain =
                domain_of(machine, transition, &loader->targets[transition->targets.first],
                          transition->targets.count);
        memset(set.states, 0, machine->word_count * sizeof *set.states);
        memset(set.defaults, 0, machine->word_count * sizeof *set.defaults);
        set.met_history = false;
        if (!transition->is_dynamic)
            entry_set_add(&set, transition, transition->domain);
        transition->is_dynamic = transition->is_dynamic || set.met_history;
        if (!transition->is_dynamic)
            transition->entry = list_entries(loader, &set, &list);
    }
    machine->entries = list.entries;
}

static bool tells_outside(const struct loader *loader)
{
    for (uint32_t i = 0; i < loader->action_count; i++) {
        enum action_kind kind = loader->actions[i].kind;
        if (kind == ACTION_CALL || kind == ACTION_LOG || kind == ACTION_EMIT ||
            kind == ACTION_SEND)
            return true;
    }
    return false;
}

void load_tables(struct loader *loader)
{
    struct machine *machine = &loader->machine;
    struct compiler compiler = {.loader = loader};
    number_leaves(loader);
    if ((size_t)machine->leaf_count * loader->event_count > CANDIDATE_CELLS_MAX) {
        loader_error(loader, "IL0108", loader->root->place,
                     "%u states times %u event types is too large", machine->leaf_count,
                     loader->event_count);
        return;
    }
    find_classes(&compiler);
    order_transitions(&compiler);
    fill_table(&compiler);
    machine->states = loader->states;
    machine->state_count = loader->state_count;
    machine->word_count = (loader->state_count + 63) / 64;
    machine->transitions = loader->transitions;
    machine->transition_count = loader->transition_count;
    machine->guards = loader->guards;
    machine->guard_count = loader->guard_count;
    machine->assigns = loader->assigns;
    machine->actions = loader->actions;
    machine->action_count = loader->action_count;
    machine->targets = loader->targets;
    machine->tells = tells_outside(loader);
    machine->timers = loader->timers;
    machine->timer_count = loader->timer_count;
    machine->invokes = loader->invokes;
    machine->invoke_count = loader->invoke_count;
    machine->tags = loader->tags;
    machine->event_types = loader->events;
    machine->event_count = loader->event_count;
    machine->event_slots = loader->event_slots;
    machine->event_slot_mask = loader->event_slot_mask;
    load_domains(loader);
    load_light_steps(loader, compiler.candidates);
    machine_verify(machine);
}
