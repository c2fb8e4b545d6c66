/*
 * policy_rules.c - from a step's map to rules.
 *
 * A policy is written short (`20%`, `500/s`, `p95`, a name) or as a map of its fields; what is
 * not said stays as it was. Expressions are handed on as they stand: this chapter knows none.
 */
#include "policy/policy_rules.h"

#include "base/ensure.h"
#include "base/limits.h"
#include "policy/policy_fields.h"

enum { LIMIT_MINIMUM = 4, LIMIT_MAXIMUM = 1000, RATE_BURST_PARTS = 10 };

static const struct span STEP_KEYS[] = {
    WORD("timeout"),   WORD("deadline"), WORD("retry"),    WORD("breaker"),
    WORD("limit"),     WORD("rate"),     WORD("hedge"),    WORD("idempotent"),
    WORD("when_open"), WORD("park_max"), WORD("fallback"), WORD("compensate"),
};

/* What a list of an enum's values calls them, in their order. */
#define LISTED_WORD(name, text) WORD(text),

struct policy_rules policy_rules_default(void)
{
    return (struct policy_rules){
        .timeout_ms = 10000,
        .deadline_ms = 60000,
        .retry = {.attempts = 1,
                  .backoff = BACKOFF_FULL_JITTER,
                  .base_ms = 50,
                  .cap_ms = 2000,
                  .on = ERROR_KINDS_INFRASTRUCTURE},
        .breaker = {.window_ms = 10000,
                    .failures_percent = 50,
                    .minimum = 20,
                    .open_ms = 2000,
                    .open_max_ms = 30000,
                    .probes = 10,
                    .ramp_ms = 5000,
                    .counted = ERROR_KINDS_INFRASTRUCTURE},
        .budget = {.percent = 20, .floor_per_s = 10, .burst = 100},
        .limit = {.concurrency = 64, .queue = 1000},
        .adaptive = {.kind = ADAPTIVE_NONE,
                     .initial = 64,
                     .minimum = LIMIT_MINIMUM,
                     .maximum = LIMIT_MAXIMUM},
        .fallback_on =
            ERROR_KIND_BIT(ERROR_KIND_BREAKER_OPEN) | ERROR_KIND_BIT(ERROR_KIND_THROTTLED),
        .when_open = WHEN_OPEN_PARK,
        .park_max_ms = (duration_ms)24 * 60 * 60 * 1000,
    };
}

const struct span *policy_rules_keys(size_t *count)
{
    *count = COUNT_OF(STEP_KEYS);
    return STEP_KEYS;
}

static void read_backoff(const struct node *map, enum backoff *backoff,
                         struct diagnostics *diagnostics)
{
    static const struct span WORDS[] = {BACKOFF_LIST(LISTED_WORD)};
    size_t found = policy_fields_word(map, "backoff", WORDS, BACKOFF_COUNT, diagnostics);
    if (found < BACKOFF_COUNT)
        *backoff = (enum backoff)found;
}

/* One kind of a list; 0 after a diagnostic. */
static error_kinds read_kind(const struct node *node, struct diagnostics *diagnostics)
{
    static const struct span NAMES[] = {ERROR_KIND_LIST(LISTED_WORD)};
    enum error_kind kind = ERROR_KIND_COUNT;
    if (!node_is_string(node)) {
        policy_fields_complain(diagnostics, "IL0104", node,
                               "an error kind must be a string, not %s", node_kind_name(node));
        return 0;
    }
    struct span name = node_text(node);
    if (!error_kind_find(name, &kind)) {
        struct diagnostic *added = policy_fields_complain(
            diagnostics, "IL0104", node, "there is no error kind `%.*s`", SPAN_ARGS(name));
        diagnostic_suggest(diagnostics, added, name, NAMES, ERROR_KIND_COUNT);
        return 0;
    }
    if (kind == ERROR_KIND_EXPIRED || kind == ERROR_KIND_CANCELLED) {
        policy_fields_complain(diagnostics, "IL0104", node,
                               "`%.*s` ends a step and is never retried", SPAN_ARGS(name));
        return 0;
    }
    return ERROR_KIND_BIT(kind);
}

static void read_kinds(const struct node *map, const char *key, error_kinds *kinds,
                       struct diagnostics *diagnostics)
{
    const struct node *node = node_find(map, span_from_text(key));
    if (node == NULL)
        return;
    if (node->kind != NODE_LIST) {
        policy_fields_complain(diagnostics, "IL0104", node,
                               "`%s` must be a list of error kinds, not %s", key,
                               node_kind_name(node));
        return;
    }
    error_kinds found = 0;
    for (uint32_t i = 0; i < node->count; i++)
        found |= read_kind(node->items[i], diagnostics);
    *kinds = found;
}

/* N/s, N/m, N/h, or N/DURATION. */
static bool rate_of(const struct node *node, uint32_t *count, duration_ms *per_ms)
{
    static const struct {
        struct span unit;
        duration_ms ms;
    } UNITS[] = {{WORD("s"), 1000}, {WORD("m"), 60000}, {WORD("h"), 3600000}};
    struct span text = node_is_string(node) ? node_text(node) : SPAN("");
    size_t digits = 0;
    uint64_t number = 0;
    while (digits < text.size && digits < 8 && text.text[digits] >= '0' &&
           text.text[digits] <= '9')
        number = number * 10 + (uint64_t)(text.text[digits++] - '0');
    if (digits == 0 || number == 0 || number > RATE_COUNT_MAX || digits + 1 >= text.size ||
        text.text[digits] != '/')
        return false;
    struct span unit = span_of(text.text + digits + 1, text.size - digits - 1);
    *count = (uint32_t)number;
    for (size_t i = 0; i < COUNT_OF(UNITS); i++) {
        if (span_equal(unit, UNITS[i].unit)) {
            *per_ms = UNITS[i].ms;
            return true;
        }
    }
    return time_read_duration(unit, per_ms) && *per_ms > 0 && *per_ms <= RATE_PERIOD_MAX_MS;
}

static bool read_rate_of(const struct node *node, const char *key, uint32_t *count,
                         duration_ms *per_ms, struct diagnostics *diagnostics)
{
    uint32_t found = 0;
    duration_ms per = 0;
    if (!rate_of(node, &found, &per)) {
        policy_fields_complain(diagnostics, "IL0104", node,
                               "`%s` must be a rate such as 500/s, 30/m or 1/10s", key);
        return false;
    }
    *count = found;
    *per_ms = per;
    return true;
}

/* 20%, or a map. */
static void read_budget(const struct node *retry, struct policy_rules *rules,
                        struct diagnostics *diagnostics)
{
    static const struct span KEYS[] = {WORD("share"), WORD("floor"), WORD("burst")};
    const struct node *node = node_find(retry, SPAN("budget"));
    struct budget_rule *rule = &rules->budget;
    if (node == NULL)
        return;
    rules->has_budget = true;
    if (node->kind != NODE_MAP) {
        policy_fields_percent_of(node, "budget", &rule->percent, diagnostics);
        return;
    }
    policy_fields_check(node, "budget", KEYS, COUNT_OF(KEYS), diagnostics);
    policy_fields_percent(node, "share", &rule->percent, diagnostics);
    policy_fields_count(node, "burst", 1, BUDGET_BURST_MAX, &rule->burst, diagnostics);
    const struct node *floor = node_find(node, SPAN("floor"));
    duration_ms per_ms = 1000;
    if (floor == NULL)
        return;
    if (floor->kind == NODE_SCALAR && floor->scalar.kind == VALUE_INT &&
        floor->scalar.integer == 0)
        rule->floor_per_s = 0;
    else if (read_rate_of(floor, "floor", &rule->floor_per_s, &per_ms, diagnostics) &&
             per_ms != 1000)
        policy_fields_complain(diagnostics, "IL0104", floor,
                               "`floor` is a number of retries a second, such as 10/s");
}

static void read_retry(const struct node *step, struct policy_rules *rules,
                       struct diagnostics *diagnostics)
{
    static const struct span KEYS[] = {WORD("attempts"), WORD("backoff"), WORD("base"),
                                       WORD("cap"),      WORD("on"),      WORD("elapsed"),
                                       WORD("budget")};
    const struct node *map = policy_fields_map(step, "retry", diagnostics);
    struct retry_rule *rule = &rules->retry;
    if (map == NULL)
        return;
    policy_fields_check(map, "retry", KEYS, COUNT_OF(KEYS), diagnostics);
    policy_fields_count(map, "attempts", 1, ATTEMPTS_MAX, &rule->attempts, diagnostics);
    read_backoff(map, &rule->backoff, diagnostics);
    bool has_base = policy_fields_duration(map, "base", 0, &rule->base_ms, diagnostics);
    bool has_cap = policy_fields_duration(map, "cap", 0, &rule->cap_ms, diagnostics);
    if (has_base && has_cap && rule->base_ms > rule->cap_ms)
        policy_fields_complain(diagnostics, "IL0104", node_find(map, SPAN("base")),
                               "`base` is longer than `cap`");
    else if (has_base && rule->base_ms > rule->cap_ms)
        rule->cap_ms = rule->base_ms;
    policy_fields_duration(map, "elapsed", 1, &rule->elapsed_max_ms, diagnostics);
    read_kinds(map, "on", &rule->on, diagnostics);
    read_budget(map, rules, diagnostics);
}

static void read_open_times(const struct node *map, struct breaker_rule *rule,
                            struct diagnostics *diagnostics)
{
    bool has_open = policy_fields_duration(map, "open", 1, &rule->open_ms, diagnostics);
    bool has_max = policy_fields_duration(map, "open_max", 1, &rule->open_max_ms, diagnostics);
    if (has_max && rule->open_max_ms < rule->open_ms)
        policy_fields_complain(diagnostics, "IL0104", node_find(map, SPAN("open_max")),
                               "`open_max` is shorter than `open`%s",
                               has_open ? "" : ", which is 2s");
    else if (rule->open_max_ms < rule->open_ms)
        rule->open_max_ms = rule->open_ms;
}

static void read_mode(const struct node *map, enum breaker_mode *mode,
                      struct diagnostics *diagnostics)
{
    static const struct span WORDS[] = {BREAKER_MODE_LIST(LISTED_WORD)};
    size_t found = policy_fields_word(map, "mode", WORDS, BREAKER_MODE_COUNT, diagnostics);
    if (found < BREAKER_MODE_COUNT)
        *mode = (enum breaker_mode)found;
}

static void read_breaker(const struct node *step, struct policy_rules *rules,
                         struct diagnostics *diagnostics)
{
    static const struct span KEYS[] = {
        WORD("window"), WORD("calls"),      WORD("failures"), WORD("minimum"), WORD("slow"),
        WORD("open"),   WORD("slow_calls"), WORD("open_max"), WORD("probes"),  WORD("close"),
        WORD("ramp"),   WORD("mode"),       WORD("on"),       WORD("key"),
    };
    const struct node *map = policy_fields_map(step, "breaker", diagnostics);
    struct breaker_rule *rule = &rules->breaker;
    if (map == NULL)
        return;
    rules->has_breaker = true;
    policy_fields_check(map, "breaker", KEYS, COUNT_OF(KEYS), diagnostics);
    bool has_window = policy_fields_duration(map, "window", 1, &rule->window_ms, diagnostics);
    bool has_calls = policy_fields_count(map, "calls", 1, BREAKER_WINDOW_CALLS_MAX,
                                         &rule->window_calls, diagnostics);
    if (has_window && has_calls)
        policy_fields_complain(
            diagnostics, "IL0104", node_find(map, SPAN("calls")),
            "a window is a time (`window`) or a number of `calls`, not both");
    policy_fields_percent(map, "failures", &rule->failures_percent, diagnostics);
    policy_fields_count(map, "minimum", 1, INT32_MAX, &rule->minimum, diagnostics);
    bool has_slow = policy_fields_duration(map, "slow", 1, &rule->slow_ms, diagnostics);
    rule->slow_percent = has_slow ? 50 : 0;
    if (policy_fields_percent(map, "slow_calls", &rule->slow_percent, diagnostics) && !has_slow)
        policy_fields_complain(diagnostics, "IL0103", node_find(map, SPAN("slow_calls")),
                               "`slow_calls` needs `slow`: how long a call takes that is slow");
    read_open_times(map, rule, diagnostics);
    policy_fields_count(map, "probes", 1, BREAKER_PROBES_MAX, &rule->probes, diagnostics);
    policy_fields_percent(map, "close", &rule->close_percent, diagnostics);
    policy_fields_duration(map, "ramp", 0, &rule->ramp_ms, diagnostics);
    read_mode(map, &rule->mode, diagnostics);
    read_kinds(map, "on", &rule->counted, diagnostics);
    rules->breaker_key = node_find(map, SPAN("key"));
}

static void read_adaptive(const struct node *map, struct adaptive_rule *rule,
                          struct diagnostics *diagnostics)
{
    static const struct span WORDS[] = {ADAPTIVE_LIST(LISTED_WORD)};
    size_t found = policy_fields_word(map, "adaptive", WORDS, ADAPTIVE_COUNT, diagnostics);
    if (found < ADAPTIVE_COUNT)
        rule->kind = (enum adaptive_kind)found;
    bool has_minimum =
        policy_fields_count(map, "minimum", 1, CONCURRENCY_MAX, &rule->minimum, diagnostics);
    bool has_maximum =
        policy_fields_count(map, "maximum", 1, CONCURRENCY_MAX, &rule->maximum, diagnostics);
    if (rule->minimum > rule->maximum)
        policy_fields_complain(diagnostics, "IL0104",
                               node_find(map, has_maximum ? SPAN("maximum") : SPAN("minimum")),
                               "`minimum` is more than `maximum`");
    if ((has_minimum || has_maximum) && rule->kind == ADAPTIVE_NONE)
        policy_fields_complain(diagnostics, "IL0103",
                               node_find(map, has_minimum ? SPAN("minimum") : SPAN("maximum")),
                               "bounds are for a limit that moves: `adaptive` says how");
}

/* `adaptive`, the name of a limit that another step has, or a map. */
static void read_limit(const struct node *step, struct policy_rules *rules,
                       struct diagnostics *diagnostics)
{
    static const struct span KEYS[] = {
        WORD("concurrency"), WORD("queue"),   WORD("wait"),    WORD("age"),      WORD("name"),
        WORD("adaptive"),    WORD("minimum"), WORD("maximum"), WORD("priority"), WORD("fair")};
    const struct node *node = node_find(step, SPAN("limit"));
    if (node_is_string(node)) {
        if (span_is(node_text(node), "adaptive"))
            rules->adaptive.kind = ADAPTIVE_DEFAULT;
        else
            rules->limit_of = node;
        return;
    }
    const struct node *map = policy_fields_map(step, "limit", diagnostics);
    if (map == NULL)
        return;
    policy_fields_check(map, "limit", KEYS, COUNT_OF(KEYS), diagnostics);
    if (policy_fields_count(map, "concurrency", 1, CONCURRENCY_MAX, &rules->limit.concurrency,
                            diagnostics))
        rules->adaptive.initial = rules->limit.concurrency;
    policy_fields_count(map, "queue", 0, POLICY_QUEUE_MAX, &rules->limit.queue, diagnostics);
    policy_fields_duration(map, "wait", 1, &rules->queue_wait_ms, diagnostics);
    policy_fields_duration(map, "age", 1, &rules->age_max_ms, diagnostics);
    read_adaptive(map, &rules->adaptive, diagnostics);
    rules->priority = node_find(map, SPAN("priority"));
    rules->fair_key = node_find(map, SPAN("fair"));
    const struct node *name = node_find(map, SPAN("name"));
    if (name == NULL)
        return;
    if (!node_is_string(name) || node_text(name).size == 0 ||
        span_is(node_text(name), "adaptive"))
        policy_fields_complain(diagnostics, "IL0104", name,
                               "`name` must be a word by which other steps share the limit");
    else
        rules->limit_name = node_text(name);
}

/* 500/s, or a map. */
static void read_rate(const struct node *step, struct policy_rules *rules,
                      struct diagnostics *diagnostics)
{
    static const struct span KEYS[] = {WORD("rate"), WORD("burst"), WORD("key"),
                                       WORD("warm_up")};
    const struct node *node = node_find(step, SPAN("rate"));
    struct rate_rule *rule = &rules->rate;
    if (node == NULL)
        return;
    const struct node *rate = node->kind == NODE_MAP ? node_find(node, SPAN("rate")) : node;
    if (rate == NULL) {
        policy_fields_complain(diagnostics, "IL0103", node, "`rate` needs `rate`: how often");
        return;
    }
    if (!read_rate_of(rate, "rate", &rule->count, &rule->per_ms, diagnostics))
        return;
    rules->has_rate = true;
    uint64_t part = (uint64_t)rule->count * 1000 / (uint64_t)rule->per_ms / RATE_BURST_PARTS;
    rule->burst = part < 1 ? 1 : (uint32_t)(part < RATE_COUNT_MAX ? part : RATE_COUNT_MAX);
    if (node->kind != NODE_MAP)
        return;
    policy_fields_check(node, "rate", KEYS, COUNT_OF(KEYS), diagnostics);
    policy_fields_count(node, "burst", 1, RATE_COUNT_MAX, &rule->burst, diagnostics);
    if (policy_fields_duration(node, "warm_up", 0, &rule->warm_up_ms, diagnostics) &&
        rule->warm_up_ms > RATE_PERIOD_MAX_MS)
        policy_fields_complain(diagnostics, "IL0108", node_find(node, SPAN("warm_up")),
                               "`warm_up` can be at most 24h");
    rules->rate_key = node_find(node, SPAN("key"));
}

/* p1 to p99, or a duration. */
static void read_hedge_after(const struct node *node, struct hedge_rule *rule,
                             struct diagnostics *diagnostics)
{
    struct span text = node_is_string(node) ? node_text(node) : SPAN("");
    uint32_t percent = 0;
    size_t at = 1;
    for (; at < text.size && at < 4 && text.text[at] >= '0' && text.text[at] <= '9'; at++)
        percent = percent * 10 + (uint32_t)(text.text[at] - '0');
    if (text.size > 1 && text.text[0] == 'p' && at == text.size && percent >= 1 &&
        percent <= 99)
        rule->percent = percent;
    else if (!node_is_string(node) || !time_read_duration(text, &rule->after_ms) ||
             rule->after_ms < 1)
        policy_fields_complain(diagnostics, "IL0104", node,
                               "`hedge` must be a percentile such as p95, or a duration");
}

/* p95, a duration, or a map. */
static void read_hedge(const struct node *step, struct policy_rules *rules,
                       struct diagnostics *diagnostics)
{
    const struct node *node = node_find(step, SPAN("hedge"));
    const struct node *idempotent = node_find(step, SPAN("idempotent"));
    bool is_idempotent = false;
    if (idempotent != NULL &&
        (idempotent->kind != NODE_SCALAR || idempotent->scalar.kind != VALUE_BOOL))
        policy_fields_complain(diagnostics, "IL0104", idempotent,
                               "`idempotent` must be true or false");
    else
        is_idempotent = idempotent != NULL && idempotent->scalar.boolean;
    if (node == NULL)
        return;
    rules->has_hedge = true;
    read_hedge_after(node, &rules->hedge, diagnostics);
    if (is_idempotent)
        return;
    struct diagnostic *added = policy_fields_complain(
        diagnostics, "IL0103", node, "a hedge makes a call twice: it needs `idempotent: true`");
    diagnostic_help(diagnostics, added,
                    "say so only where calls with one idempotency key act once");
}

/* The name of a step, or a map. */
static void read_fallback(const struct node *step, struct policy_rules *rules,
                          struct diagnostics *diagnostics)
{
    static const struct span KEYS[] = {WORD("step"), WORD("on")};
    const struct node *node = node_find(step, SPAN("fallback"));
    if (node == NULL)
        return;
    rules->fallback = node;
    if (node->kind == NODE_MAP) {
        policy_fields_check(node, "fallback", KEYS, COUNT_OF(KEYS), diagnostics);
        rules->fallback = node_find(node, SPAN("step"));
        if (node_find(node, SPAN("on")) != NULL) {
            rules->is_fallback_wide = true;
            read_kinds(node, "on", &rules->fallback_on, diagnostics);
        }
    }
    if (rules->fallback == NULL || !node_is_string(rules->fallback))
        policy_fields_complain(
            diagnostics, "IL0104", node,
            "`fallback` must be the name of a step, or { step: …, on: [ … ] }");
}

static void read_times(const struct node *step, struct policy_rules *rules,
                       struct diagnostics *diagnostics)
{
    bool has_timeout =
        policy_fields_duration(step, "timeout", 1, &rules->timeout_ms, diagnostics);
    bool has_deadline =
        policy_fields_duration(step, "deadline", 1, &rules->deadline_ms, diagnostics);
    if (!has_timeout || rules->timeout_ms < rules->deadline_ms)
        return;
    const struct node *timeout = node_find(step, SPAN("timeout"));
    struct diagnostic *added = diagnostics_add(
        diagnostics, has_deadline ? SEVERITY_ERROR : SEVERITY_WARNING, "IL0404", timeout->place,
        "the timeout of one attempt is not shorter than the deadline of all%s",
        has_deadline ? "" : ", which is 60s where nothing is said");
    diagnostic_help(diagnostics, added,
                    "a `deadline` has room for every attempt and the delays between them");
}

/* Whoever has somewhere else to go does not wait, unless told to. */
static void read_when_open(const struct node *step, struct policy_rules *rules,
                           struct diagnostics *diagnostics)
{
    static const struct span WORDS[] = {WORD("park"), WORD("fail")};
    size_t found = policy_fields_word(step, "when_open", WORDS, COUNT_OF(WORDS), diagnostics);
    if (found < COUNT_OF(WORDS))
        rules->when_open = found == 0 ? WHEN_OPEN_PARK : WHEN_OPEN_FAIL;
    else if (rules->fallback != NULL)
        rules->when_open = WHEN_OPEN_FAIL;
}

static void read_compensate(const struct node *step, struct policy_rules *rules,
                            struct diagnostics *diagnostics)
{
    const struct node *node = node_find(step, SPAN("compensate"));
    if (node != NULL && !node_is_string(node))
        policy_fields_complain(
            diagnostics, "IL0104", node,
            "`compensate` must be the name of the step that undoes this one");
    rules->compensate = node;
}

bool policy_rules_read(const struct node *step, struct policy_rules *rules,
                       struct diagnostics *diagnostics)
{
    ensure(step->kind == NODE_MAP);
    uint32_t errors_before = diagnostics->errors;
    struct policy_rules read = policy_rules_default();
    read_times(step, &read, diagnostics);
    read_retry(step, &read, diagnostics);
    read_breaker(step, &read, diagnostics);
    read_limit(step, &read, diagnostics);
    read_rate(step, &read, diagnostics);
    read_hedge(step, &read, diagnostics);
    read_fallback(step, &read, diagnostics);
    read_when_open(step, &read, diagnostics);
    policy_fields_duration(step, "park_max", 1, &read.park_max_ms, diagnostics);
    read_compensate(step, &read, diagnostics);
    if (diagnostics->errors != errors_before)
        return false;
    ensure(breaker_rule_is_valid(&read.breaker));
    *rules = read;
    return true;
}
