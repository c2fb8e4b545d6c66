/*
 * compile.c - pass three: the look-up tables, and the finished machine.
 *
 * For every leaf and event the candidate transitions are listed once, here, so that a
 * step need not climb the tree: the leaf's own exact matches, its wildcard, then its
 * parent's, and so on. A list ends with the first candidate that has no guard.
 */
#include "base/ensure.h"
#include "base/hash.h"
#include "chart/loader.h"

enum { CANDIDATE_CELLS_MAX = 1 << 20 };

struct compiler {
    struct loader *loader;
    uint32_t *order;  /* transitions by source, then event, then document order */
    uint32_t *starts; /* [state]: its first one in `order`; one more at the end */
    uint32_t *candidates;
    uint32_t count;
    uint32_t capacity;
};

static uint32_t key_of(const struct machine_transition *transition, bool by_source)
{
    return by_source ? transition->source : transition->event;
}

/* A stable counting sort of `order`; where each key begins. */
static uint32_t *sort_transitions(struct compiler *compiler, bool by_source, uint32_t key_count)
{
    const struct loader *loader = compiler->loader;
    uint32_t *starts = arena_new_array(loader->arena, key_count + 1, uint32_t);
    uint32_t *next = arena_new_array(loader->arena, key_count, uint32_t);
    uint32_t *sorted = arena_new_array(loader->arena, loader->transition_count, uint32_t);
    for (uint32_t i = 0; i < loader->transition_count; i++)
        starts[key_of(&loader->transitions[i], by_source) + 1]++;
    for (uint32_t key = 0; key < key_count; key++) {
        starts[key + 1] += starts[key];
        next[key] = starts[key];
    }
    for (uint32_t i = 0; i < loader->transition_count; i++) {
        uint32_t index = compiler->order[i];
        sorted[next[key_of(&loader->transitions[index], by_source)]++] = index;
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
    sort_transitions(compiler, false, loader->event_count);
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

/* Adds the state's candidates for the event; true when one without a guard ends the list. */
static bool add_candidates(struct compiler *compiler, uint32_t state, uint32_t event)
{
    struct loader *loader = compiler->loader;
    uint32_t end = compiler->starts[state + 1];
    for (uint32_t i = find_first(compiler, state, event); i < end; i++) {
        const struct machine_transition *transition = &loader->transitions[compiler->order[i]];
        if (transition->event != event)
            return false;
        loader_reserve(loader, compiler->candidates, compiler->count, compiler->capacity);
        compiler->candidates[compiler->count++] = compiler->order[i];
        if (transition->guard == NO_INDEX)
            return true;
    }
    return false;
}

static void list_candidates(struct compiler *compiler, uint32_t leaf, uint32_t event)
{
    const struct machine_state *states = compiler->loader->states;
    for (uint32_t state = leaf; state != NO_STATE; state = states[state].parent) {
        if (event != EVENT_ID_OTHER && add_candidates(compiler, state, event))
            return;
        if (event != EVENT_ID_NONE && add_candidates(compiler, state, EVENT_ID_OTHER))
            return; /* a wildcard */
    }
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
        if (loader->states[state].type != STATE_COMPOUND)
            loader->states[state].leaf = loader->machine.leaf_count++;
    }
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
    machine->timers = loader->timers;
    machine->timer_count = loader->timer_count;
    machine->invokes = loader->invokes;
    machine->invoke_count = loader->invoke_count;
    machine->tags = loader->tags;
    machine->event_types = loader->events;
    machine->event_count = loader->event_count;
    machine->event_slots = loader->event_slots;
    machine->event_slot_mask = loader->event_slot_mask;
    machine_verify(machine);
}
