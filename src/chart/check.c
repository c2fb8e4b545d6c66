/*
 * check.c - proofs on the graph of states.
 *
 * An edge leads from a state to where a transition enters: the target and its initial
 * states. What can be said without looking into guards is said without false alarms; what
 * guards come to is looked at in check_guards.c.
 */
#include "chart/check.h"

#include "base/ensure.h"
#include "chart/check_guards.h"
#include "chart/check_skipped.h"
#include "chart/check_types.h"

struct graph {
    const struct machine *machine;
    struct diagnostics *diagnostics;
    bool *reached; /* from the root, by any transition */
    bool *ends;    /* has a path to a final state of the machine */
};

static struct span state_name(const struct machine *machine, uint32_t state)
{
    return state == 0 ? machine->id : machine->states[state].path;
}

static bool mark(struct graph *graph, uint32_t state)
{
    bool changed = !graph->reached[state];
    graph->reached[state] = true;
    return changed;
}

/* Entering a state also enters its ancestors with all their regions, and what is entered
 * inside by default. Marks what is new, until nothing is. */
static bool mark_entered(struct graph *graph, uint32_t state)
{
    const struct machine *machine = graph->machine;
    const struct machine_state *states = machine->states;
    bool changed = mark(graph, state);
    uint32_t initial = states[state].initial;
    uint32_t parent = states[state].parent;
    if (!changed)
        return false;
    if (parent != NO_STATE)
        mark_entered(graph, parent);
    for (uint32_t i = 0; initial != NO_INDEX && i < machine->transitions[initial].targets.count;
         i++)
        mark_entered(graph, machine->targets[machine->transitions[initial].targets.first + i]);
    for (uint32_t child = state + 1;
         states[state].type == STATE_PARALLEL && child < states[state].end;
         child = states[child].end) {
        if (states[child].type != STATE_HISTORY)
            mark_entered(graph, child);
    }
    return true;
}

static bool mark_targets(struct graph *graph, const struct machine_transition *transition)
{
    bool changed = false;
    for (uint32_t i = 0; i < transition->targets.count; i++)
        changed = mark_entered(graph, graph->machine->targets[transition->targets.first + i]) ||
                  changed;
    return changed;
}

static void find_reached(struct graph *graph)
{
    const struct machine *machine = graph->machine;
    bool changed = mark_entered(graph, 0);
    while (changed) {
        changed = false;
        for (uint32_t i = 0; i < machine->transition_count; i++) {
            const struct machine_transition *transition = &machine->transitions[i];
            if (graph->reached[transition->source] && transition->event != NO_INDEX)
                changed = mark_targets(graph, transition) || changed;
        }
    }
}

static void check_reached(struct graph *graph)
{
    const struct machine *machine = graph->machine;
    find_reached(graph);
    for (uint32_t state = 1; state < machine->state_count; state++) {
        bool parent_reached = graph->reached[machine->states[state].parent];
        if (graph->reached[state] || !parent_reached ||
            machine->states[state].type == STATE_HISTORY)
            continue;
        struct diagnostic *error = diagnostics_add(
            graph->diagnostics, SEVERITY_ERROR, "IL0201", machine->states[state].place,
            "no transition leads to %.*s", SPAN_ARGS(state_name(machine, state)));
        diagnostic_help(graph->diagnostics, error, "add a transition to it, or remove it");
    }
}

static bool leaf_ends(const struct graph *graph, uint32_t state)
{
    /* Some descendant that can end is enough: a warning must not be wrong. */
    for (uint32_t s = state; s < graph->machine->states[state].end; s++) {
        if (graph->ends[s])
            return true;
    }
    return false;
}

static void find_ends(struct graph *graph)
{
    const struct machine *machine = graph->machine;
    bool changed = true;
    for (uint32_t s = 0; s < machine->state_count; s++)
        graph->ends[s] = machine->states[s].type == STATE_FINAL &&
                         (s == 0 || machine->states[s].parent == 0);
    while (changed) {
        changed = false;
        for (uint32_t i = 0; i < machine->transition_count; i++) {
            const struct machine_transition *transition = &machine->transitions[i];
            uint32_t source = transition->source;
            if (transition->event == NO_INDEX || transition->target == NO_STATE ||
                !leaf_ends(graph, transition->target))
                continue;
            /* A transition of a state serves everything inside it. */
            for (uint32_t s = source; s < machine->states[source].end; s++) {
                changed = changed || !graph->ends[s];
                graph->ends[s] = true;
            }
        }
    }
}

static bool has_final(const struct machine *machine)
{
    for (uint32_t s = 0; s < machine->state_count; s++) {
        if (machine->states[s].type == STATE_FINAL &&
            (s == 0 || machine->states[s].parent == 0))
            return true;
    }
    return false;
}

static bool has_way_out(const struct machine *machine, uint32_t state)
{
    for (uint32_t s = state; s != NO_STATE; s = machine->states[s].parent) {
        for (uint32_t i = 0; i < machine->transition_count; i++) {
            const struct machine_transition *transition = &machine->transitions[i];
            if (transition->source == s && transition->event != NO_INDEX &&
                transition->target != NO_STATE && transition->target != state)
                return true;
        }
    }
    return false;
}

static void check_ends(struct graph *graph)
{
    const struct machine *machine = graph->machine;
    bool ends_at_all = has_final(machine);
    find_ends(graph);
    for (uint32_t s = 0; s < machine->state_count; s++) {
        const struct machine_state *state = &machine->states[s];
        if (state->type != STATE_ATOMIC || !graph->reached[s] || machine->state_count == 1)
            continue;
        if (!has_way_out(machine, s)) {
            struct diagnostic *error =
                diagnostics_add(graph->diagnostics, SEVERITY_ERROR, "IL0203", state->place,
                                "there is no way out of %.*s, and it is not final",
                                SPAN_ARGS(state_name(machine, s)));
            diagnostic_help(graph->diagnostics, error, "add `type: final`, or a transition");
        } else if (ends_at_all && !graph->ends[s]) {
            diagnostics_add(graph->diagnostics, SEVERITY_WARNING, "IL0202", state->place,
                            "no path leads from %.*s to a final state",
                            SPAN_ARGS(state_name(machine, s)));
        }
    }
}

/* Behind a candidate without a guard nothing of the same state and event can be chosen. The
 * transitions of a state stand together. */
static void check_shadowed(struct graph *graph)
{
    const struct machine *machine = graph->machine;
    for (uint32_t i = 0; i < machine->transition_count; i++) {
        const struct machine_transition *first = &machine->transitions[i];
        if (first->guard != NO_INDEX || first->event == NO_INDEX)
            continue;
        for (uint32_t j = i + 1; j < machine->transition_count; j++) {
            const struct machine_transition *second = &machine->transitions[j];
            if (second->source != first->source)
                break;
            if (second->event != first->event)
                continue;
            struct diagnostic *error =
                diagnostics_add(graph->diagnostics, SEVERITY_ERROR, "IL0301", second->place,
                                "this transition can never be taken: the one in line %u has no "
                                "guard and comes first",
                                first->place.line);
            diagnostic_help(graph->diagnostics, error,
                            "give the first one a guard, or put it last");
            break;
        }
    }
}

static bool handles(const struct machine *machine, uint32_t state, uint32_t event)
{
    for (uint32_t s = state; s != NO_STATE; s = machine->states[s].parent) {
        for (uint32_t i = 0; i < machine->transition_count; i++) {
            const struct machine_transition *transition = &machine->transitions[i];
            if (transition->source == s && transition->event == event && !transition->wildcard)
                return true;
        }
    }
    return false;
}

static void check_invokes(struct graph *graph)
{
    const struct machine *machine = graph->machine;
    if (machine->semantics == SEMANTICS_SCXML)
        return; /* there the error of a child is an event like any other */
    for (uint32_t i = 0; i < machine->invoke_count; i++) {
        const struct machine_invoke *invoke = &machine->invokes[i];
        if (handles(machine, invoke->state, invoke->error_event))
            continue;
        struct diagnostic *error =
            diagnostics_add(graph->diagnostics, SEVERITY_ERROR, "IL0401", invoke->place,
                            "nothing happens when `%.*s` fails", SPAN_ARGS(invoke->src));
        diagnostic_help(graph->diagnostics, error,
                        "add `onError`: a wildcard would hide which step it was");
    }
}

static void check_named_guards(struct graph *graph)
{
    const struct machine *machine = graph->machine;
    bool *used = arena_new_array(graph->diagnostics->arena, machine->guard_count, bool);
    for (uint32_t i = 0; i < machine->transition_count; i++) {
        if (machine->transitions[i].guard != NO_INDEX)
            used[machine->transitions[i].guard] = true;
    }
    for (uint32_t i = 0; i < machine->action_count; i++) {
        if (machine->actions[i].kind == ACTION_IF)
            used[machine->actions[i].guard] = true;
    }
    for (uint32_t i = 0; i < machine->guard_count; i++) {
        const struct machine_guard *guard = &machine->guards[i];
        for (uint32_t j = 0; j < guard->need_count; j++)
            used[guard->needs[j]] = true;
        for (uint32_t j = 0; guard->kind != GUARD_IN && j < guard->part_count; j++)
            used[guard->parts[j]] = true;
    }
    for (uint32_t named = 0; named < machine->named_guard_count; named++) {
        if (!used[named])
            diagnostics_add(graph->diagnostics, SEVERITY_WARNING, "IL0502",
                            machine->guards[named].place, "the guard `%.*s` is never used",
                            SPAN_ARGS(machine->guards[named].name));
    }
}

void machine_check(const struct machine *machine, struct diagnostics *diagnostics)
{
    struct arena *arena = diagnostics->arena;
    struct graph graph = {.machine = machine,
                          .diagnostics = diagnostics,
                          .reached = arena_new_array(arena, machine->state_count, bool),
                          .ends = arena_new_array(arena, machine->state_count, bool)};
    ensure(machine->state_count > 0);
    if (machine->state_count == 1)
        diagnostics_add(diagnostics, SEVERITY_WARNING, "IL0203", machine->states[0].place,
                        "the machine has no `states`: nothing will ever change");
    if (machine->derivation != NULL) { /* its edges are the derivation's: derivation_check() */
        machine_check_skipped(machine, diagnostics);
    } else {
        check_reached(&graph);
        check_ends(&graph);
    }
    check_shadowed(&graph);
    check_invokes(&graph);
    check_named_guards(&graph);
    machine_check_guards(machine, diagnostics);
    machine_check_types(machine, diagnostics);
}
