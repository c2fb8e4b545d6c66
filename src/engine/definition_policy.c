/*
 * definition_policy.c - the parts of a step's policies that lead outside the step: expressions
 * over what is called, limits of other steps, and fallbacks.
 */
#include "base/limits.h"
#include "engine/definition.h"

static const struct expr_scope *policy_scope(void)
{
#define VARIABLE_NAME(name, text) {text, sizeof(text) - 1},
    static const struct span names[] = {POLICY_VARIABLE_LIST(VARIABLE_NAME)};
#undef VARIABLE_NAME
    static const struct expr_scope scope = {
        .variables = names,
        .variable_count = POLICY_VARIABLE_COUNT,
    };
    return &scope;
}

static const struct expr_slot *compile(const struct node *node, struct arena *arena,
                                       struct diagnostics *diagnostics)
{
    return node == NULL ? NULL : expr_slot_compile(node, policy_scope(), arena, diagnostics);
}

void definition_read_policy(struct step *step, struct arena *arena,
                            struct diagnostics *diagnostics)
{
    step->breaker_key = compile(step->rules.breaker_key, arena, diagnostics);
    step->rate_key = compile(step->rules.rate_key, arena, diagnostics);
    step->fair_key = compile(step->rules.fair_key, arena, diagnostics);
    step->priority = compile(step->rules.priority, arena, diagnostics);
}

void definition_read_admission(struct definition *definition, const struct node *node,
                               struct arena *arena, struct diagnostics *diagnostics)
{
    static const struct span names[] = {SPAN_INIT("input")};
    static const struct expr_scope scope = {.variables = names, .variable_count = 1};
    definition->admission.rule = admission_rule_default();
    if (node == NULL || !admission_rules_read(node, &definition->admission, diagnostics) ||
        definition->admission.priority == NULL)
        return;
    definition->admission_priority =
        expr_slot_compile(definition->admission.priority, &scope, arena, diagnostics);
}

static uint32_t find_step(const struct step *steps, uint32_t count, struct span name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (span_equal(steps[i].name, name))
            return i;
    }
    return NO_INDEX;
}

/* By the limit's name, or that of the step that has it. */
static uint32_t find_limit(const struct step *steps, uint32_t count, struct span name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (steps[i].rules.limit_name.size > 0 && span_equal(steps[i].rules.limit_name, name))
            return i;
    }
    return find_step(steps, count, name);
}

static void bind_limit(struct step *steps, uint32_t count, uint32_t index,
                       struct diagnostics *diagnostics)
{
    const struct node *name = steps[index].rules.limit_of;
    steps[index].limit_of = index;
    if (name == NULL)
        return;
    uint32_t found = find_limit(steps, count, node_text(name));
    if (found != NO_INDEX && steps[found].rules.limit_of == NULL) {
        steps[index].limit_of = found;
        return;
    }
    struct diagnostic *added =
        diagnostics_add(diagnostics, SEVERITY_ERROR, "IL0107", name->place,
                        "no step has a limit `%.*s`", SPAN_ARGS(node_text(name)));
    diagnostic_help(
        diagnostics, added,
        "one step names it, `limit: { name: %.*s, concurrency: 64 }`, and the others "
        "say `limit: %.*s`",
        SPAN_ARGS(node_text(name)), SPAN_ARGS(node_text(name)));
}

static void bind_fallback(struct step *steps, uint32_t count, uint32_t index,
                          struct diagnostics *diagnostics)
{
    const struct node *name = steps[index].rules.fallback;
    if (name == NULL)
        return;
    steps[index].fallback = find_step(steps, count, node_text(name));
    if (steps[index].fallback == NO_INDEX)
        diagnostics_add(diagnostics, SEVERITY_ERROR, "IL0502", name->place,
                        "there is no step `%.*s`", SPAN_ARGS(node_text(name)));
}

static void bind_compensation(struct step *steps, uint32_t count, uint32_t index,
                              struct diagnostics *diagnostics)
{
    const struct node *name = steps[index].rules.compensate;
    if (name == NULL)
        return;
    steps[index].compensate = find_step(steps, count, node_text(name));
    if (steps[index].compensate == NO_INDEX)
        diagnostics_add(diagnostics, SEVERITY_ERROR, "IL0502", name->place,
                        "there is no step `%.*s`", SPAN_ARGS(node_text(name)));
}

static void check_circle(const struct step *steps, uint32_t count, uint32_t index,
                         struct diagnostics *diagnostics)
{
    uint32_t at = steps[index].fallback;
    for (uint32_t i = 0; i < count && at != NO_INDEX && at != index; i++)
        at = steps[at].fallback;
    if (at == index)
        diagnostics_add(
            diagnostics, SEVERITY_ERROR, "IL0104", steps[index].rules.fallback->place,
            "the fallbacks of `%.*s` lead back to it", SPAN_ARGS(steps[index].name));
}

void definition_bind_policies(struct step *steps, uint32_t count,
                              struct diagnostics *diagnostics)
{
    for (uint32_t i = 0; i < count; i++) {
        bind_limit(steps, count, i, diagnostics);
        bind_fallback(steps, count, i, diagnostics);
        bind_compensation(steps, count, i, diagnostics);
    }
    for (uint32_t i = 0; i < count; i++)
        check_circle(steps, count, i, diagnostics);
}

struct step definition_compensation(struct place place)
{
    static const struct strategy_type none = {.name = "compensate"};
    return (struct step){.name = SPAN("compensate"),
                         .type =
                             &none, /* is never opened: other steps are called in its name */
                         .rules = policy_rules_default(),
                         .fallback = NO_INDEX,
                         .compensate = NO_INDEX,
                         .place = place};
}
