/*
 * check_skipped.c - states that a record may jump over although something happens in them.
 *
 * A patch may change several fields at once, or a field that a later state waits for. Then what
 * lies between is passed, and neither its entry actions nor its steps run. Somebody who sends a
 * parcel from such a state should know.
 *
 * This is decided by the edges, and by names: a state behind whose validator asks for a field
 * that the skipped state assigns has seen to it.
 */
#include "chart/check_skipped.h"

#include "chart/derivation.h"

struct passing {
    uint32_t from; /* leaves */
    uint32_t to;
};

static bool does_something(const struct machine *machine, uint32_t state)
{
    const struct machine_state *states = machine->states;
    for (; state != NO_STATE && state != 0; state = states[state].parent) {
        if (states[state].invokes.count > 0 || states[state].entry.count > 0)
            return true;
    }
    return false;
}

static bool assigns(const struct machine *machine, struct range actions, struct span field)
{
    for (uint32_t i = actions.first; i < actions.first + actions.count; i++) {
        const struct machine_action *action = &machine->actions[i];
        for (uint32_t k = 0; action->kind == ACTION_ASSIGN && k < action->assigns.count; k++) {
            if (span_equal(machine->assigns[action->assigns.first + k].key, field))
                return true;
        }
    }
    return false;
}

/* By its entry, or by what becomes of its steps. */
static bool state_assigns(const struct machine *machine, uint32_t state, struct span field)
{
    if (assigns(machine, machine->states[state].entry, field))
        return true;
    for (uint32_t i = 0; i < machine->transition_count; i++) {
        const struct machine_transition *transition = &machine->transitions[i];
        if (transition->source == state && assigns(machine, transition->actions, field))
            return true;
    }
    return false;
}

/* A validator that reads what is done in the state is no way past it. */
static bool asks_for(const struct machine *machine, uint32_t leaf, uint32_t state,
                     struct arena *arena)
{
    const struct derivation *derivation = machine->derivation;
    struct range refs = derivation->leaves[leaf].validators;
    for (uint32_t i = refs.first; i < refs.first + refs.count; i++) {
        const struct expr_program *program =
            derivation->validators[derivation->validator_refs[i]].program;
        const struct footprint *use = footprint_read(program, derivation->record, arena);
        for (; use != NULL; use = use->next) {
            if (use->kind == FOOTPRINT_WHOLE || state_assigns(machine, state, use->field))
                return true;
        }
    }
    return false;
}

/* Whether a visit was found by way of the leaf, from one edge before it. */
static bool is_behind(const struct derivation_visit *visits, uint32_t visit, uint32_t leaf)
{
    while (visits[visit].level > 1)
        visit = visits[visit].from;
    return visits[visit].level == 1 && visits[visit].leaf == leaf;
}

/* From one edge before the leaf: where some record passes it from further away, it passes it
 * from there too. */
static bool find_passing(const struct machine *machine, uint32_t leaf, struct arena *arena,
                         struct passing *passing)
{
    const struct derivation *derivation = machine->derivation;
    for (uint32_t from = 0; from < derivation->leaf_count; from++) {
        struct range order = derivation->leaves[from].order;
        const struct derivation_visit *visits = &derivation->visits[order.first];
        for (uint32_t i = 0; i < order.count; i++) {
            if (visits[i].level < 2 || !is_behind(visits, i, leaf) ||
                asks_for(machine, visits[i].leaf, machine->derived_states[leaf], arena))
                continue;
            *passing = (struct passing){from, visits[i].leaf};
            return true;
        }
    }
    return false;
}

void machine_check_skipped(const struct machine *machine, struct diagnostics *diagnostics)
{
    const struct derivation *derivation = machine->derivation;
    for (uint32_t leaf = 0; leaf < derivation->leaf_count; leaf++) {
        struct passing passing;
        uint32_t state = machine->derived_states[leaf];
        if (!does_something(machine, state) ||
            !find_passing(machine, leaf, diagnostics->arena, &passing))
            continue;
        struct diagnostic *warning = diagnostics_add(
            diagnostics, SEVERITY_WARNING, "IL0315", machine->states[state].place,
            "a record may go from %.*s to %.*s without entering %.*s, where "
            "something is to be done",
            SPAN_ARGS(derivation_path(derivation, passing.from)),
            SPAN_ARGS(derivation_path(derivation, passing.to)),
            SPAN_ARGS(machine->states[state].path));
        diagnostic_help(diagnostics, warning,
                        "let the validators behind it ask for what its steps assign");
    }
}
