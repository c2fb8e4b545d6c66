/*
 * admission_rules.c - from a map to the rule of a door.
 */
#include "policy/admission_rules.h"

#include "base/limits.h"
#include "policy/policy_fields.h"

enum { INTERVAL_MS_MAX = 60000, K_MAX = 100 };

/* 2, or 1.5: so many times more may ask than find no queue that stands. */
static void read_throttle(const struct node *map, struct throttle_rule *rule,
                          struct diagnostics *diagnostics)
{
    const struct node *node = node_find(map, SPAN("throttle"));
    double k = 0;
    if (node == NULL)
        return;
    if (node->kind == NODE_SCALAR && node->scalar.kind == VALUE_INT)
        k = (double)node->scalar.integer;
    else if (node->kind == NODE_SCALAR && node->scalar.kind == VALUE_DOUBLE)
        k = node->scalar.real;
    if (!(k > 1 && k <= K_MAX)) {
        policy_fields_complain(diagnostics, "IL0104", node,
                               "`throttle` must be a number above 1 and up to %d: how many "
                               "may ask for each that need not wait",
                               K_MAX);
        return;
    }
    rule->k_percent = (uint32_t)(k * 100 + 0.5);
}

static void complain_of_need(const struct node *map, struct span key, const char *needed,
                             const char *what, struct diagnostics *diagnostics)
{
    const struct node *node = node_find(map, key);
    if (node != NULL && node_find(map, span_from_text(needed)) == NULL)
        policy_fields_complain(diagnostics, "IL0103", node, "`%.*s` needs `%s`: %s",
                               SPAN_ARGS(key), needed, what);
}

bool admission_rules_read(const struct node *node, struct admission_rules *rules,
                          struct diagnostics *diagnostics)
{
    static const struct span KEYS[] = {WORD("working"),  WORD("target"), WORD("interval"),
                                       WORD("throttle"), WORD("window"), WORD("priority")};
    uint32_t errors_before = diagnostics->errors;
    struct admission_rule rule = admission_rule_default();
    if (node->kind != NODE_MAP) {
        policy_fields_complain(diagnostics, "IL0104", node, "`admission` must be a map, not %s",
                               node_kind_name(node));
        return false;
    }
    policy_fields_check(node, "admission", KEYS, COUNT_OF(KEYS), diagnostics);
    policy_fields_count(node, "working", 1, ADMISSION_WORKING_MAX, &rule.working, diagnostics);
    policy_fields_duration(node, "target", 1, &rule.target_ms, diagnostics);
    if (policy_fields_duration(node, "interval", 1, &rule.interval_ms, diagnostics) &&
        rule.interval_ms > INTERVAL_MS_MAX)
        policy_fields_complain(diagnostics, "IL0108", node_find(node, SPAN("interval")),
                               "`interval` can be at most 1m");
    read_throttle(node, &rule.throttle, diagnostics);
    policy_fields_duration(node, "window", 1, &rule.throttle.window_ms, diagnostics);
    complain_of_need(node, SPAN("interval"), "target", "the delay that is too long",
                     diagnostics);
    complain_of_need(node, SPAN("throttle"), "target", "the delay that is too long",
                     diagnostics);
    complain_of_need(node, SPAN("window"), "throttle", "how many may ask", diagnostics);
    if (diagnostics->errors != errors_before)
        return false;
    *rules = (struct admission_rules){rule, node_find(node, SPAN("priority"))};
    return true;
}
