/*
 * check_guards.c - guards that can never hold, or always do.
 *
 * Each guard is asked about alone (expr/reason.h). Nothing is assumed of what it reads but what
 * every machine warrants: the context is a map and `now` a timestamp. So a guard that never
 * holds holds on no data whatever, and one that always does has no way to fail. The guards that
 * a guard reads by name are taken for anything: that can hide a finding but make none.
 *
 * A plain `false` was written on purpose: such a transition is switched off.
 */
#include "chart/check_guards.h"

#include "base/limits.h"

/* For all guards of a machine together: steps of the reasoning, times what a step looks at. */
enum { GUARD_WORK_MAX = 1 << 25 };

struct guard_check {
    const struct machine *machine;
    struct diagnostics *diagnostics;
    struct reason_world world;
    struct expr_scope scope;
    uint64_t work_left;
    struct arena arena; /* of one guard */
};

/* True when the answer is no, for certain. */
static bool is_ruled_out(struct guard_check *check, const struct machine_guard *guard,
                         uint32_t outcomes)
{
    size_t width = check->scope.variable_count + guard->text.size;
    if (check->work_left < width)
        return false;
    arena_clear(&check->arena);
    const struct reason *reason = reason_open(&guard->program, 1, &check->world, &check->arena);
    struct reason_wish wish = {0, outcomes};
    struct reason_answer answer = reason_ask(reason, &wish, 1, &check->arena);
    uint64_t work = width * (answer.steps + (uint64_t)1);
    check->work_left -= work < check->work_left ? work : check->work_left;
    return answer.verdict == REASON_NO;
}

/* Params may be of kinds that JSON does not have. */
static bool can_be_asked(const struct machine_guard *guard)
{
    return guard->kind == GUARD_EXPRESSION && !expr_uses(guard->program, CHART_PARAMS);
}

static void look_never(struct guard_check *check, const struct machine_guard *guard)
{
    if (!can_be_asked(guard) || span_is(guard->text, "false") ||
        !is_ruled_out(check, guard, REASON_TRUE))
        return;
    struct diagnostic *warning =
        diagnostics_add(check->diagnostics, SEVERITY_WARNING, "IL0302", guard->place,
                        "the guard `%.*s` can never hold", SPAN_ARGS(guard->text));
    diagnostic_help(check->diagnostics, warning,
                    "no values make it true; to switch a transition off write `false`");
}

/* The next one of the same state for the same event, or NULL. The transitions of a state stand
 * together. */
static const struct machine_transition *find_next(const struct machine *machine, uint32_t index)
{
    const struct machine_transition *first = &machine->transitions[index];
    for (uint32_t i = index + 1; i < machine->transition_count; i++) {
        const struct machine_transition *next = &machine->transitions[i];
        if (next->source != first->source)
            return NULL;
        if (next->event == first->event)
            return next;
    }
    return NULL;
}

static void look_always(struct guard_check *check, uint32_t index)
{
    const struct machine_transition *first = &check->machine->transitions[index];
    if (first->guard == NO_INDEX || first->event == NO_INDEX)
        return;
    const struct machine_guard *guard = &check->machine->guards[first->guard];
    const struct machine_transition *next = find_next(check->machine, index);
    if (next == NULL || !can_be_asked(guard) || !is_ruled_out(check, guard, REASON_NOT_TRUE))
        return;
    struct diagnostic *warning =
        diagnostics_add(check->diagnostics, SEVERITY_WARNING, "IL0302", guard->place,
                        "the guard `%.*s` always holds, so the transition in line %u is never "
                        "taken",
                        SPAN_ARGS(guard->text), next->place.line);
    diagnostic_help(check->diagnostics, warning,
                    "put the transition without a condition last, or narrow its guard");
}

void machine_check_guards(const struct machine *machine, struct diagnostics *diagnostics)
{
    static const struct reason_field fields[] = {
        {.path = SPAN_INIT("context"), .kinds = 1u << VALUE_MAP, .is_required = true},
        {.path = SPAN_INIT("now"), .kinds = 1u << VALUE_TIMESTAMP, .is_required = true},
    };
    struct guard_check check = {
        .machine = machine, .diagnostics = diagnostics, .work_left = GUARD_WORK_MAX};
    if (machine->semantics == SEMANTICS_SCXML)
        return; /* its conditions are another language */
    machine_scope(machine, &check.scope, diagnostics->arena);
    check.world = (struct reason_world){.scope = &check.scope,
                                        .fields = fields,
                                        .field_count = sizeof fields / sizeof fields[0],
                                        .unknown = REASON_ANYTHING};
    arena_open(&check.arena, DEFINITION_ARENA_BYTES);
    for (uint32_t i = 0; i < machine->guard_count; i++)
        look_never(&check, &machine->guards[i]);
    for (uint32_t i = 0; i < machine->transition_count; i++)
        look_always(&check, i);
    arena_close(&check.arena);
}
