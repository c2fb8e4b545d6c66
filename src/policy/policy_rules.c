/*
 * policy_rules.c - from a step's map to rules.
 *
 * Each read_ function takes a key of a map if it is there, says what is wrong with it, and
 * leaves the default alone otherwise. So everything wrong with a step is said at once.
 */
#include "policy/policy_rules.h"

#include "base/ensure.h"
#include "base/limits.h"
#include "base/text.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* SPAN() for static arrays. */
#define WORD(literal)                   \
    {                                   \
        "" literal, sizeof(literal) - 1 \
    }

static const struct span STEP_KEYS[] = {
    WORD("timeout"), WORD("deadline"),  WORD("retry"),    WORD("breaker"),  WORD("limit"),
    WORD("rate"),    WORD("when_open"), WORD("park_max"), WORD("fallback"), WORD("compensate"),
};

/* What is not there yet is refused by name. */
static const struct {
    const char *name;
    const char *help;
} REFUSED_KEYS[] = {
    {"rate", "`limit: { concurrency: … }` bounds how many calls run at once"},
    {"fallback", "let `onError` lead to a state that invokes the other step"},
    {"compensate", "let `onError` lead to a state that invokes the step that undoes"},
};

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
        .limit = {.concurrency = 64, .queue = 1000},
        .when_open = WHEN_OPEN_PARK,
        .park_max_ms = (duration_ms)24 * 60 * 60 * 1000,
    };
}

const struct span *policy_rules_keys(size_t *count)
{
    *count = COUNT_OF(STEP_KEYS);
    return STEP_KEYS;
}

__attribute__((format(printf, 4, 5))) static struct diagnostic *
complain(struct diagnostics *diagnostics, const char *code, const struct node *node,
         const char *format, ...)
{
    struct text message;
    text_init(&message, diagnostics->arena);
    va_list arguments;
    va_start(arguments, format);
    text_format_list(&message, format, arguments);
    va_end(arguments);
    return diagnostics_add(diagnostics, SEVERITY_ERROR, code, node->place, "%.*s",
                           SPAN_ARGS(text_span(&message)));
}

static void check_keys(const struct node *map, const char *name, const struct span *keys,
                       size_t count, struct diagnostics *diagnostics)
{
    for (uint32_t i = 0; i < map->count; i++) {
        const struct node_entry *entry = &map->entries[i];
        size_t at = 0;
        while (at < count && !span_equal(keys[at], entry->key))
            at++;
        if (at < count)
            continue;
        struct diagnostic *added =
            diagnostics_add(diagnostics, SEVERITY_ERROR, "IL0102", entry->place,
                            "unknown key `%.*s` in `%s`", SPAN_ARGS(entry->key), name);
        diagnostic_suggest(diagnostics, added, entry->key, keys, count);
    }
}

/* A key's map, or NULL. */
static const struct node *find_map(const struct node *step, const char *key,
                                   struct diagnostics *diagnostics)
{
    const struct node *node = node_find(step, span_from_text(key));
    if (node == NULL || node->kind == NODE_MAP)
        return node;
    complain(diagnostics, "IL0104", node, "`%s` must be a map, not %s", key,
             node_kind_name(node));
    return NULL;
}

static bool is_int(const struct node *node)
{
    return node->kind == NODE_SCALAR && node->scalar.kind == VALUE_INT;
}

static bool duration_of(const struct node *node, duration_ms *duration)
{
    if (node_is_string(node))
        return time_read_duration(node_text(node), duration);
    if (!is_int(node) || node->scalar.integer < 0)
        return false;
    *duration = node->scalar.integer; /* a bare number is milliseconds */
    return true;
}

/* True when the key was there and good. */
static bool read_duration(const struct node *map, const char *key, duration_ms minimum_ms,
                          duration_ms *duration, struct diagnostics *diagnostics)
{
    const struct node *node = node_find(map, span_from_text(key));
    duration_ms found = 0;
    if (node == NULL)
        return false;
    if (!duration_of(node, &found)) {
        complain(diagnostics, "IL0104", node,
                 "`%s` must be a duration such as 250ms, 30s, 5m or 24h", key);
        return false;
    }
    if (found < minimum_ms) {
        complain(diagnostics, "IL0104", node, "`%s` must be longer than 0ms", key);
        return false;
    }
    *duration = found;
    return true;
}

static void read_count(const struct node *map, const char *key, uint32_t minimum,
                       uint32_t maximum, uint32_t *count, struct diagnostics *diagnostics)
{
    const struct node *node = node_find(map, span_from_text(key));
    if (node == NULL)
        return;
    if (!is_int(node) || node->scalar.integer < (int64_t)minimum)
        complain(diagnostics, "IL0104", node, "`%s` must be a whole number from %u to %u", key,
                 minimum, maximum);
    else if (node->scalar.integer > (int64_t)maximum)
        complain(diagnostics, "IL0108", node, "`%s` can be at most %u", key, maximum);
    else
        *count = (uint32_t)node->scalar.integer;
}

/* 50% or 0.5, as 50; 0 for anything that is not between 1% and 100%. */
static uint32_t percent_of(const struct node *node)
{
    if (node->kind == NODE_SCALAR && node->scalar.kind == VALUE_DOUBLE) {
        double percent = node->scalar.real * 100;
        return percent >= 1 && percent <= 100 ? (uint32_t)(percent + 0.5) : 0;
    }
    if (!node_is_string(node))
        return 0;
    struct span text = node_text(node);
    if (text.size < 2 || text.size > 4 || text.text[text.size - 1] != '%')
        return 0;
    uint32_t percent = 0;
    for (size_t i = 0; i + 1 < text.size; i++) {
        if (text.text[i] < '0' || text.text[i] > '9')
            return 0;
        percent = percent * 10 + (uint32_t)(text.text[i] - '0');
    }
    return percent <= 100 ? percent : 0;
}

static void read_percent(const struct node *map, const char *key, uint32_t *percent,
                         struct diagnostics *diagnostics)
{
    const struct node *node = node_find(map, span_from_text(key));
    if (node == NULL)
        return;
    uint32_t found = percent_of(node);
    if (found == 0)
        complain(diagnostics, "IL0104", node,
                 "`%s` must be a whole percentage from 1%% to 100%%, such as 50%% or 0.5", key);
    else
        *percent = found;
}

/* The index of the key's word among the words, or count after a diagnostic or where it is not.
 */
static size_t read_word(const struct node *map, const char *key, const struct span *words,
                        size_t count, struct diagnostics *diagnostics)
{
    const struct node *node = node_find(map, span_from_text(key));
    if (node == NULL)
        return count;
    for (size_t i = 0; i < count; i++) {
        if (node_is_string(node) && span_equal(node_text(node), words[i]))
            return i;
    }
    struct text choice;
    text_init(&choice, diagnostics->arena);
    for (size_t i = 0; i < count; i++)
        text_format(&choice, "%s`%.*s`",
                    i == 0           ? ""
                    : i + 1 == count ? " or "
                                     : ", ",
                    SPAN_ARGS(words[i]));
    struct diagnostic *added = complain(diagnostics, "IL0104", node, "`%s` must be %.*s", key,
                                        SPAN_ARGS(text_span(&choice)));
    if (node_is_string(node))
        diagnostic_suggest(diagnostics, added, node_text(node), words, count);
    return count;
}

static void read_backoff(const struct node *map, enum backoff *backoff,
                         struct diagnostics *diagnostics)
{
    struct span words[BACKOFF_COUNT];
    for (size_t i = 0; i < BACKOFF_COUNT; i++)
        words[i] = span_from_text(backoff_name((enum backoff)i));
    size_t found = read_word(map, "backoff", words, BACKOFF_COUNT, diagnostics);
    if (found < BACKOFF_COUNT)
        *backoff = (enum backoff)found;
}

/* One kind of a list; 0 after a diagnostic. */
static error_kinds read_kind(const struct node *node, struct diagnostics *diagnostics)
{
    struct span names[ERROR_KIND_COUNT];
    enum error_kind kind = ERROR_KIND_COUNT;
    for (size_t i = 0; i < ERROR_KIND_COUNT; i++)
        names[i] = span_from_text(error_kind_name((enum error_kind)i));
    if (!node_is_string(node)) {
        complain(diagnostics, "IL0104", node, "an error kind must be a string, not %s",
                 node_kind_name(node));
        return 0;
    }
    struct span name = node_text(node);
    if (!error_kind_find(name, &kind)) {
        struct diagnostic *added = complain(diagnostics, "IL0104", node,
                                            "there is no error kind `%.*s`", SPAN_ARGS(name));
        diagnostic_suggest(diagnostics, added, name, names, ERROR_KIND_COUNT);
        return 0;
    }
    if (kind == ERROR_KIND_EXPIRED || kind == ERROR_KIND_CANCELLED) {
        complain(diagnostics, "IL0104", node, "`%.*s` ends a step and is never retried",
                 SPAN_ARGS(name));
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
        complain(diagnostics, "IL0104", node, "`%s` must be a list of error kinds, not %s", key,
                 node_kind_name(node));
        return;
    }
    error_kinds found = 0;
    for (uint32_t i = 0; i < node->count; i++)
        found |= read_kind(node->items[i], diagnostics);
    *kinds = found;
}

static void refuse_budget(const struct node *retry, struct diagnostics *diagnostics)
{
    const struct node *budget = node_find(retry, SPAN("budget"));
    if (budget == NULL)
        return;
    struct diagnostic *added =
        complain(diagnostics, "IL0106", budget, "`budget` in `retry` is not supported yet");
    diagnostic_help(diagnostics, added, "a `breaker` bounds retries while a dependency fails");
}

static void read_retry(const struct node *step, struct retry_rule *rule,
                       struct diagnostics *diagnostics)
{
    static const struct span KEYS[] = {WORD("attempts"), WORD("backoff"), WORD("base"),
                                       WORD("cap"),      WORD("on"),      WORD("budget")};
    const struct node *map = find_map(step, "retry", diagnostics);
    if (map == NULL)
        return;
    check_keys(map, "retry", KEYS, COUNT_OF(KEYS), diagnostics);
    read_count(map, "attempts", 1, ATTEMPTS_MAX, &rule->attempts, diagnostics);
    read_backoff(map, &rule->backoff, diagnostics);
    bool has_base = read_duration(map, "base", 0, &rule->base_ms, diagnostics);
    bool has_cap = read_duration(map, "cap", 0, &rule->cap_ms, diagnostics);
    if (has_base && has_cap && rule->base_ms > rule->cap_ms)
        complain(diagnostics, "IL0104", node_find(map, SPAN("base")),
                 "`base` is longer than `cap`");
    else if (has_base && rule->base_ms > rule->cap_ms)
        rule->cap_ms = rule->base_ms;
    read_kinds(map, "on", &rule->on, diagnostics);
    refuse_budget(map, diagnostics);
}

static void read_breaker(const struct node *step, struct policy_rules *rules,
                         struct diagnostics *diagnostics)
{
    static const struct span KEYS[] = {WORD("window"), WORD("failures"), WORD("minimum"),
                                       WORD("open"),   WORD("open_max"), WORD("probes"),
                                       WORD("ramp")};
    const struct node *map = find_map(step, "breaker", diagnostics);
    struct breaker_rule *rule = &rules->breaker;
    if (map == NULL)
        return;
    rules->has_breaker = true;
    check_keys(map, "breaker", KEYS, COUNT_OF(KEYS), diagnostics);
    read_duration(map, "window", 1, &rule->window_ms, diagnostics);
    read_percent(map, "failures", &rule->failures_percent, diagnostics);
    read_count(map, "minimum", 1, INT32_MAX, &rule->minimum, diagnostics);
    bool has_open = read_duration(map, "open", 1, &rule->open_ms, diagnostics);
    bool has_max = read_duration(map, "open_max", 1, &rule->open_max_ms, diagnostics);
    if (has_max && rule->open_max_ms < rule->open_ms)
        complain(diagnostics, "IL0104", node_find(map, SPAN("open_max")),
                 "`open_max` is shorter than `open`%s", has_open ? "" : ", which is 2s");
    else if (rule->open_max_ms < rule->open_ms)
        rule->open_max_ms = rule->open_ms;
    read_count(map, "probes", 1, BREAKER_PROBES_MAX, &rule->probes, diagnostics);
    read_duration(map, "ramp", 0, &rule->ramp_ms, diagnostics);
}

static void refuse_named_limit(const struct node *limit, struct diagnostics *diagnostics)
{
    struct span name = node_text(limit);
    struct diagnostic *added =
        span_is(name, "adaptive")
            ? complain(diagnostics, "IL0106", limit, "adaptive limits are not supported yet")
            : complain(diagnostics, "IL0106", limit,
                       "limits shared by name (`%.*s`) are not supported yet", SPAN_ARGS(name));
    diagnostic_help(diagnostics, added, "write `limit: { concurrency: 64, queue: 1000 }`");
}

static void read_limit(const struct node *step, struct limit_rule *rule,
                       struct diagnostics *diagnostics)
{
    static const struct span KEYS[] = {WORD("concurrency"), WORD("queue")};
    const struct node *node = node_find(step, SPAN("limit"));
    if (node_is_string(node)) {
        refuse_named_limit(node, diagnostics);
        return;
    }
    const struct node *map = find_map(step, "limit", diagnostics);
    if (map == NULL)
        return;
    check_keys(map, "limit", KEYS, COUNT_OF(KEYS), diagnostics);
    read_count(map, "concurrency", 1, CONCURRENCY_MAX, &rule->concurrency, diagnostics);
    read_count(map, "queue", 0, POLICY_QUEUE_MAX, &rule->queue, diagnostics);
}

static void read_times(const struct node *step, struct policy_rules *rules,
                       struct diagnostics *diagnostics)
{
    bool has_timeout = read_duration(step, "timeout", 1, &rules->timeout_ms, diagnostics);
    bool has_deadline = read_duration(step, "deadline", 1, &rules->deadline_ms, diagnostics);
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

static void read_when_open(const struct node *step, enum when_open *when_open,
                           struct diagnostics *diagnostics)
{
    static const struct span WORDS[] = {WORD("park"), WORD("fail")};
    size_t found = read_word(step, "when_open", WORDS, COUNT_OF(WORDS), diagnostics);
    if (found < COUNT_OF(WORDS))
        *when_open = found == 0 ? WHEN_OPEN_PARK : WHEN_OPEN_FAIL;
}

static void refuse_unsupported(const struct node *step, struct diagnostics *diagnostics)
{
    for (size_t i = 0; i < COUNT_OF(REFUSED_KEYS); i++) {
        const struct node *node = node_find(step, span_from_text(REFUSED_KEYS[i].name));
        if (node == NULL)
            continue;
        struct diagnostic *added = complain(diagnostics, "IL0106", node,
                                            "`%s` is not supported yet", REFUSED_KEYS[i].name);
        diagnostic_help(diagnostics, added, "%s", REFUSED_KEYS[i].help);
    }
}

bool policy_rules_read(const struct node *step, struct policy_rules *rules,
                       struct diagnostics *diagnostics)
{
    ensure(step->kind == NODE_MAP);
    uint32_t errors_before = diagnostics->errors;
    struct policy_rules read = policy_rules_default();
    read_times(step, &read, diagnostics);
    read_retry(step, &read.retry, diagnostics);
    read_breaker(step, &read, diagnostics);
    read_limit(step, &read.limit, diagnostics);
    read_when_open(step, &read.when_open, diagnostics);
    read_duration(step, "park_max", 1, &read.park_max_ms, diagnostics);
    refuse_unsupported(step, diagnostics);
    if (diagnostics->errors != errors_before)
        return false;
    ensure(breaker_rule_is_valid(&read.breaker));
    *rules = read;
    return true;
}
