/*
 * step_select.c - guards, and which transitions an event enables.
 *
 * Every active leaf takes the first candidate whose guard holds. Where regions run side by
 * side, two leaves may choose the same transition, or two that would leave the same
 * states: then the one whose source lies deeper wins, and else the one that comes first.
 */
#include <string.h>

#include "base/ensure.h"
#include "chart/domain.h"
#include "chart/stepper.h"

/* The first guard error of a macrostep raises `error.execution`; more would never come to rest.
 */
static void report_guard(struct stepper *stepper, const struct machine_guard *guard,
                         struct span message)
{
    stepper_add_error(stepper, SPAN("guard"), guard->text, guard->place, message);
    if (stepper->guard_error_raised)
        return;
    stepper->guard_error_raised = true;
    stepper_raise_error(stepper, stepper->machine->execution_error_event, SPAN("execution"),
                        message);
}

static struct value run_guard(struct stepper *stepper, uint32_t index);

static struct value run_program(struct stepper *stepper, const struct machine_guard *guard)
{
    stepper->looks_further = true;
    for (uint32_t i = 0; i < guard->need_count; i++)
        stepper->slots[CHART_VARIABLE_COUNT + guard->needs[i]] =
            run_guard(stepper, guard->needs[i]);
    struct value verdict = expr_run(guard->program, &stepper->frame, stepper->arena);
    if (verdict.kind == VALUE_BOOL || verdict.kind == VALUE_ERROR)
        return verdict;
    return value_error(text_print(stepper->arena, "a guard must be true or false, not %s",
                                  value_kind_name(verdict.kind)));
}

/* CEL's own rules: what decides wins over an error. */
static struct value run_parts(struct stepper *stepper, const struct machine_guard *guard,
                              bool decisive)
{
    struct value result = value_bool(!decisive);
    for (uint32_t i = 0; i < guard->part_count; i++) {
        struct value part = run_guard(stepper, guard->parts[i]);
        if (part.kind == VALUE_BOOL && part.boolean == decisive)
            return part;
        if (part.kind == VALUE_ERROR)
            result = part;
    }
    return result;
}

static struct value are_active(const struct stepper *stepper, const struct machine_guard *guard)
{
    bool active = true;
    for (uint32_t i = 0; i < guard->part_count; i++)
        active = active && configuration_has(stepper->next, guard->parts[i]);
    return value_bool(active);
}

static struct value run_with_params(struct stepper *stepper, const struct machine_guard *guard)
{
    stepper->looks_further = true;
    struct value outer = stepper->slots[CHART_PARAMS];
    struct value params = stepper_plain(stepper, guard->params);
    if (value_is_error(params))
        return params;
    stepper->slots[CHART_PARAMS] = params;
    struct value verdict = run_guard(stepper, guard->parts[0]);
    stepper->slots[CHART_PARAMS] = outer;
    return verdict;
}

/* A boolean or an error. Guards refer only to guards before them, so this ends. */
static struct value run_guard(struct stepper *stepper, uint32_t index)
{
    const struct machine_guard *guard = &stepper->machine->guards[index];
    struct value verdict;
    if (!stepper_spend(stepper))
        return value_error(stepper_exhausted);
    switch (guard->kind) {
    case GUARD_EXPRESSION:
        return run_program(stepper, guard);
    case GUARD_FOREIGN:
        stepper->looks_further = true;
        return expr_foreign_run(guard->foreign, value_null(), &stepper->frame, stepper->arena);
    case GUARD_AND:
        return run_parts(stepper, guard, false);
    case GUARD_OR:
        return run_parts(stepper, guard, true);
    case GUARD_NOT:
        verdict = run_guard(stepper, guard->parts[0]);
        return verdict.kind == VALUE_BOOL ? value_bool(!verdict.boolean) : verdict;
    case GUARD_IN:
        return are_active(stepper, guard);
    case GUARD_CALL:
        return run_with_params(stepper, guard);
    case GUARD_UNDECLARED:
        stepper->undeclared = guard->text;
        return value_bool(false);
    }
    never();
}

bool stepper_guard_holds(struct stepper *stepper, uint32_t index)
{
    if (!stepper->is_bound)
        stepper_bind(stepper);
    stepper->looks_further = false;
    struct value verdict = run_guard(stepper, index);
    if (stepper->looks_further) {
        stepper->asked_count++;
        stepper->asked = index;
        stepper->asked_holds = value_is_true(verdict);
    }
    if (verdict.kind == VALUE_BOOL)
        return verdict.boolean;
    report_guard(stepper, &stepper->machine->guards[index], value_span(verdict));
    return false;
}

static void add_choice(struct stepper *stepper, const struct machine_candidate *candidate)
{
    const struct machine_transition *transition =
        &stepper->machine->transitions[candidate->transition];
    uint32_t domain = transition->domain;
    if (transition->is_dynamic && !transition->has_domain)
        domain =
            domain_now(stepper->machine, transition, stepper->next->memory, stepper->arena);
    stepper->choices[stepper->choice_count++] =
        (struct choice){transition, domain, candidate->move};
}

static bool is_chosen(const struct stepper *stepper, uint32_t index)
{
    const struct machine_transition *transition = &stepper->machine->transitions[index];
    for (uint32_t i = 0; i < stepper->choice_count; i++) {
        if (stepper->choices[i].transition == transition)
            return true;
    }
    return false;
}

static bool is_inside(const struct machine *machine, const struct choice *inner,
                      const struct choice *outer)
{
    return machine_is_within(machine, inner->transition->source, outer->transition->source);
}

/* XState: what an ancestor of several regions would do, it does only when nothing inside does
 * anything. */
static void drop_outer(struct stepper *stepper)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < stepper->choice_count; i++) {
        bool is_outer = false;
        for (uint32_t j = 0; j < stepper->choice_count; j++)
            is_outer = is_outer ||
                       is_inside(stepper->machine, &stepper->choices[j], &stepper->choices[i]);
        if (!is_outer)
            stepper->choices[kept++] = stepper->choices[i];
    }
    stepper->choice_count = kept;
}

/* Both would leave some state: one domain lies in the other, and is not a leaf. */
static bool conflicts(const struct machine *machine, const struct choice *a,
                      const struct choice *b)
{
    if (a->transition->target == NO_STATE || b->transition->target == NO_STATE)
        return false;
    if (a->domain == NO_STATE || b->domain == NO_STATE)
        return true;
    uint32_t inner = a->domain > b->domain ? a->domain : b->domain;
    uint32_t outer = a->domain > b->domain ? b->domain : a->domain;
    return machine->states[inner].leaf == NO_INDEX && inner < machine->states[outer].end;
}

/* The W3C's removeConflictingTransitions(). */
static void drop_conflicts(struct stepper *stepper)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < stepper->choice_count; i++) {
        struct choice choice = stepper->choices[i];
        bool is_preempted = false;
        uint32_t still = 0;
        for (uint32_t j = 0; j < kept && !is_preempted; j++)
            is_preempted = conflicts(stepper->machine, &choice, &stepper->choices[j]) &&
                           !is_inside(stepper->machine, &choice, &stepper->choices[j]);
        if (is_preempted)
            continue;
        for (uint32_t j = 0; j < kept; j++) {
            if (!conflicts(stepper->machine, &choice, &stepper->choices[j]))
                stepper->choices[still++] = stepper->choices[j];
        }
        stepper->choices[still] = choice;
        kept = still + 1;
    }
    stepper->choice_count = kept;
}

/* The usual case: each lies behind the one before it, source and domain, so none is in
 * another's way. */
static bool are_apart(const struct stepper *stepper)
{
    const struct machine_state *states = stepper->machine->states;
    for (uint32_t i = 1; i < stepper->choice_count; i++) {
        const struct choice *last = &stepper->choices[i - 1];
        const struct choice *choice = &stepper->choices[i];
        if (last->domain == NO_STATE || choice->domain == NO_STATE ||
            choice->domain < states[last->domain].end ||
            choice->transition->source < states[last->transition->source].end)
            return false;
    }
    return true;
}

static void select_in_regions(struct stepper *stepper, uint32_t event)
{
    const struct machine *machine = stepper->machine;
    for (uint32_t word = 0; word < machine->word_count; word++) {
        uint64_t bits = stepper->next->active[word] & machine->leaves[word];
        for (; bits != 0; bits &= bits - 1) {
            uint32_t state = word * 64 + (uint32_t)__builtin_ctzll(bits);
            const struct machine_candidate *candidate = stepper_choose(stepper, state, event);
            if (candidate != NULL && !is_chosen(stepper, candidate->transition))
                add_choice(stepper, candidate);
        }
    }
    if (stepper->choice_count < 2 || are_apart(stepper))
        return;
    if (machine->semantics == SEMANTICS_XSTATE && event != EVENT_ID_NONE)
        drop_outer(stepper);
    drop_conflicts(stepper);
}

void stepper_select(struct stepper *stepper, uint32_t event)
{
    stepper->choice_count = 0;
    if (stepper->machine->has_parallel) {
        select_in_regions(stepper, event);
        return;
    }
    const struct machine_candidate *candidate =
        stepper_choose(stepper, configuration_leaf(stepper->next), event);
    if (candidate != NULL)
        add_choice(stepper, candidate);
}
