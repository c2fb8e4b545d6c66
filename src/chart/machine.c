/*
 * machine.c - looking names up in a machine, and checking its tables.
 */
#include "chart/machine.h"

#include <string.h>

#include "base/ensure.h"
#include "base/hash.h"
#include "base/limits.h"
#include "chart/derivation.h"

static uint32_t find_exactly(const struct machine *machine, struct span type)
{
    uint32_t at = (uint32_t)hash_text(type) & machine->event_slot_mask;
    while (machine->event_slots[at] != 0) {
        if (span_equal(machine->event_types[machine->event_slots[at]], type))
            return machine->event_slots[at];
        at = (at + 1) & machine->event_slot_mask;
    }
    return EVENT_ID_OTHER;
}

void machine_scope(const struct machine *machine, struct expr_scope *scope, struct arena *arena)
{
#define VARIABLE_NAME(name, text) SPAN_INIT(text),
    static const struct span built_in[] = {CHART_VARIABLE_LIST(VARIABLE_NAME)};
#undef VARIABLE_NAME
    static const struct expr_function functions[] = {{SPAN_INIT("In"), 1, 0}};
    uint32_t named = machine->named_guard_count;
    struct span *names = arena_new_array(arena, CHART_VARIABLE_COUNT + named, struct span);
    memcpy(names, built_in, sizeof built_in);
    if (machine->derivation != NULL)
        names[CHART_RECORD] = machine->derivation->record;
    for (uint32_t i = 0; i < named; i++)
        names[CHART_VARIABLE_COUNT + i] = machine->guards[i].name;
    *scope = (struct expr_scope){.variables = names,
                                 .variable_count = CHART_VARIABLE_COUNT + named,
                                 .functions = functions,
                                 .function_count = 1};
}

/* The longest `prefix.*` of the definition that the type falls under: `a.b` under `a.b.*`, or
 * else under `a.*`. */
static uint32_t find_class(const struct machine *machine, struct span type)
{
    char name[EVENT_TYPE_BYTES_MAX + 2];
    size_t size = type.size < EVENT_TYPE_BYTES_MAX ? type.size : EVENT_TYPE_BYTES_MAX;
    memcpy(name, type.text, size);
    while (size > 0) {
        name[size] = '.';
        name[size + 1] = '*';
        uint32_t found = find_exactly(machine, span_of(name, size + 2));
        if (found != EVENT_ID_OTHER)
            return found;
        do
            size--;
        while (size > 0 && type.text[size] != '.');
    }
    return EVENT_ID_OTHER;
}

uint32_t machine_find_event(const struct machine *machine, struct span type)
{
    uint32_t found = find_exactly(machine, type);
    return found == EVENT_ID_OTHER && machine->has_event_classes ? find_class(machine, type)
                                                                 : found;
}

uint32_t machine_find_state(const struct machine *machine, struct span name)
{
    /* The root comes last: a state with the machine's name is the one that is meant. */
    for (uint32_t i = 1; i < machine->state_count; i++) {
        if (span_equal(machine->states[i].id, name) ||
            span_equal(machine->states[i].path, name))
            return i;
    }
    if (span_equal(machine->id, name))
        return 0;
    if (span_starts_with(name, machine->id) && name.size > machine->id.size + 1 &&
        name.text[machine->id.size] == '.')
        return machine_find_state(machine, span_slice(name, machine->id.size + 1, name.size));
    return NO_STATE;
}

static bool has_children(enum state_type type)
{
    return type == STATE_COMPOUND || type == STATE_PARALLEL;
}

static void verify_state(const struct machine *machine, uint32_t index)
{
    const struct machine_state *state = &machine->states[index];
    ensure(state->end > index && state->end <= machine->state_count);
    ensure((state->parent == NO_STATE) == (index == 0));
    ensure(index == 0 || machine_is_within(machine, index, state->parent));
    ensure(state->type != STATE_COMPOUND || state->initial != NO_INDEX);
    ensure(state->initial == NO_INDEX || state->initial < machine->transition_count);
    ensure((has_children(state->type) || state->type == STATE_HISTORY) ==
           (state->leaf == NO_INDEX));
    ensure(state->memory == NO_INDEX || state->memory < machine->memory_count);
    ensure(state->timers.first + state->timers.count <= machine->timer_count);
    ensure(state->invokes.first + state->invokes.count <= machine->invoke_count);
    ensure(state->entry.first + state->entry.count <= machine->action_count);
    ensure(state->exit.first + state->exit.count <= machine->action_count);
}

static void verify_transition(const struct machine *machine,
                              const struct machine_transition *transition)
{
    ensure(transition->source < machine->state_count);
    ensure(transition->event < machine->event_count || transition->event == NO_INDEX);
    ensure(transition->guard == NO_INDEX || transition->guard < machine->guard_count);
    ensure(transition->target == NO_STATE || transition->target < machine->state_count);
    ensure(transition->actions.first + transition->actions.count <= machine->action_count);
    if (transition->target == NO_STATE || transition->is_dynamic)
        return;
    for (uint32_t i = 0; i < transition->entry.count; i++)
        ensure(machine_is_within(machine,
                                 machine->entries[transition->entry.first + i] & ~ENTRY_DEFAULT,
                                 transition->domain));
}

/* What is skipped lies inside. */
static void verify_actions(const struct machine *machine)
{
    for (uint32_t i = 0; i < machine->action_count; i++) {
        ensure(i + machine->actions[i].skip < machine->action_count);
        ensure(machine->actions[i].kind != ACTION_IF ||
               machine->actions[i].guard < machine->guard_count);
    }
}

/* A list of candidates ends with its first one that has no guard. */
static void verify_candidates(const struct machine *machine)
{
    size_t cells = (size_t)machine->leaf_count * machine->event_count;
    ensure(machine->candidate_starts[0] == 0);
    for (size_t cell = 0; cell < cells; cell++) {
        uint32_t end = machine->candidate_starts[cell + 1];
        ensure(machine->candidate_starts[cell] <= end);
        for (uint32_t i = machine->candidate_starts[cell]; i < end; i++) {
            const struct machine_candidate *candidate = &machine->candidates[i];
            ensure(candidate->transition < machine->transition_count);
            ensure(candidate->guard == machine->transitions[candidate->transition].guard);
            ensure(i + 1 == end || candidate->guard != NO_INDEX);
        }
    }
}

/* A named guard needs only those before it. */
static void verify_guards(const struct machine *machine)
{
    ensure(machine->named_guard_count <= machine->guard_count);
    for (uint32_t i = 0; i < machine->guard_count; i++) {
        const struct machine_guard *guard = &machine->guards[i];
        ensure((guard->program != NULL) == (guard->kind == GUARD_EXPRESSION));
        ensure((guard->foreign != NULL) == (guard->kind == GUARD_FOREIGN));
        for (uint32_t j = 0; j < guard->part_count; j++)
            ensure(guard->parts[j] < (guard->kind == GUARD_IN ? machine->state_count : i));
        for (uint32_t j = 0; j < guard->need_count; j++)
            ensure(guard->needs[j] < machine->named_guard_count && guard->needs[j] < i);
    }
}

static void verify_events(const struct machine *machine)
{
    ensure(machine->event_count >= EVENT_ID_FIRST);
    ensure(machine->start < machine->transition_count);
    for (uint32_t i = EVENT_ID_FIRST; i < machine->event_count; i++)
        ensure(machine_find_event(machine, machine->event_types[i]) == i);
    ensure(machine->execution_error_event < machine->event_count);
}

void machine_verify(const struct machine *machine)
{
    ensure(machine->state_count > 0);
    ensure((size_t)machine->word_count * 64 >= machine->state_count);
    for (uint32_t i = 0; i < machine->state_count; i++)
        verify_state(machine, i);
    for (uint32_t i = 0; i < machine->transition_count; i++)
        verify_transition(machine, &machine->transitions[i]);
    verify_candidates(machine);
    verify_actions(machine);
    verify_guards(machine);
    verify_events(machine);
}
