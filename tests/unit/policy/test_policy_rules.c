/*
 * test_policy_rules.c - a step's policies as written, and everything wrong with them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/limits.h"
#include "policy/policy.h"

struct reading {
    struct arena arena;
    struct diagnostics diagnostics;
    struct policy_rules rules;
    bool good;
};

static void read_step(struct reading *reading, const char *json)
{
    arena_open(&reading->arena, DEFINITION_ARENA_BYTES);
    diagnostics_init(&reading->diagnostics, &reading->arena);
    const struct node *step = json_read_tree(span_from_text(json), SPAN("m.json"),
                                             &reading->arena, &reading->diagnostics);
    if (step == NULL)
        fail_msg("not JSON: %s", json);
    reading->rules = (struct policy_rules){.timeout_ms = -1};
    reading->good = policy_rules_read(step, &reading->rules, &reading->diagnostics);
    assert_int_equal(reading->good, reading->diagnostics.errors == 0);
    assert_int_equal(reading->good, reading->rules.timeout_ms != -1);
}

static void read_close(struct reading *reading)
{
    arena_close(&reading->arena);
}

static void check_defaults(const struct policy_rules *rules)
{
    assert_int_equal(rules->timeout_ms, 10000);
    assert_int_equal(rules->deadline_ms, 60000);
    assert_int_equal(rules->retry.attempts, 1);
    assert_int_equal(rules->retry.backoff, BACKOFF_FULL_JITTER);
    assert_int_equal(rules->retry.on, ERROR_KINDS_INFRASTRUCTURE);
    assert_false(rules->has_breaker);
    assert_int_equal(rules->limit.concurrency, 64);
    assert_int_equal(rules->limit.queue, 1000);
    assert_int_equal(rules->queue_wait_ms, 0);
    assert_int_equal(rules->when_open, WHEN_OPEN_PARK);
    assert_int_equal(rules->park_max_ms, 86400000);
}

static void where_nothing_is_said_the_defaults_hold(void **state)
{
    (void)state;
    struct reading reading;
    read_step(&reading, "{\"http\": {\"url\": \"x\"}, \"anything\": 1}");
    assert_true(reading.good);
    check_defaults(&reading.rules);
    read_close(&reading);
}

static void everything_that_is_said_is_read(void **state)
{
    (void)state;
    struct reading reading;
    read_step(&reading,
              "{\"timeout\": \"2s\", \"deadline\": 45000, \"park_max\": \"PT2H\","
              " \"when_open\": \"fail\","
              " \"retry\": {\"attempts\": 5, \"backoff\": \"exponential\", \"base\": \"20ms\","
              "             \"cap\": \"3s\", \"on\": [\"timeout\", \"rejected\"]},"
              " \"breaker\": {\"window\": \"20s\", \"failures\": \"61%\", \"minimum\": 5,"
              "               \"open\": \"3s\", \"open_max\": \"1m\", \"probes\": 16,"
              "               \"ramp\": 0},"
              " \"limit\": {\"concurrency\": 7, \"queue\": 0, \"wait\": \"4s\","
              "             \"age\": \"5s\"}}");
    assert_true(reading.good);
    const struct policy_rules *rules = &reading.rules;
    assert_int_equal(rules->timeout_ms, 2000);
    assert_int_equal(rules->deadline_ms, 45000);
    assert_int_equal(rules->park_max_ms, 7200000);
    assert_int_equal(rules->when_open, WHEN_OPEN_FAIL);
    assert_int_equal(rules->retry.attempts, 5);
    assert_int_equal(rules->retry.backoff, BACKOFF_EXPONENTIAL);
    assert_int_equal(rules->retry.base_ms, 20);
    assert_int_equal(rules->retry.cap_ms, 3000);
    assert_int_equal(rules->retry.on,
                     ERROR_KIND_BIT(ERROR_KIND_TIMEOUT) | ERROR_KIND_BIT(ERROR_KIND_REJECTED));
    assert_true(rules->has_breaker);
    assert_int_equal(rules->breaker.window_ms, 20000);
    assert_int_equal(rules->breaker.failures_percent, 61);
    assert_int_equal(rules->breaker.minimum, 5);
    assert_int_equal(rules->breaker.open_ms, 3000);
    assert_int_equal(rules->breaker.open_max_ms, 60000);
    assert_int_equal(rules->breaker.probes, 16);
    assert_int_equal(rules->breaker.ramp_ms, 0);
    assert_int_equal(rules->breaker.counted, ERROR_KINDS_INFRASTRUCTURE);
    assert_int_equal(rules->limit.concurrency, 7);
    assert_int_equal(rules->limit.queue, 0);
    assert_int_equal(rules->queue_wait_ms, 4000);
    assert_int_equal(rules->age_max_ms, 5000);
    read_close(&reading);
}

static void the_rest_is_read_too(void **state)
{
    (void)state;
    struct reading reading;
    read_step(&reading,
              "{\"retry\": {\"elapsed\": \"30s\", \"budget\": \"25%\"},"
              " \"breaker\": {\"calls\": 100, \"slow\": \"2s\", \"close\": \"80%\", \"on\":"
              "               [\"timeout\"], \"mode\": \"observe\", \"key\": \"${input.t}\"},"
              " \"limit\": {\"adaptive\": \"vegas\", \"concurrency\": 30, \"minimum\": 2,"
              "             \"maximum\": 90, \"name\": \"bank\", \"fair\": \"${input.t}\"},"
              " \"rate\": {\"rate\": \"500/s\", \"warm_up\": \"10s\"},"
              " \"hedge\": \"p95\", \"idempotent\": true,"
              " \"fallback\": {\"step\": \"other\", \"on\": [\"timeout\"]}}");
    assert_true(reading.good);
    const struct policy_rules *rules = &reading.rules;
    assert_int_equal(rules->retry.elapsed_max_ms, 30000);
    assert_true(rules->has_budget && rules->has_rate && rules->has_hedge);
    assert_int_equal(rules->budget.percent, 25);
    assert_int_equal(rules->budget.floor_per_s, 10);
    assert_int_equal(rules->breaker.window_calls, 100);
    assert_int_equal(rules->breaker.slow_ms, 2000);
    assert_int_equal(rules->breaker.slow_percent, 50);
    assert_int_equal(rules->breaker.close_percent, 80);
    assert_int_equal(rules->breaker.mode, BREAKER_MODE_OBSERVE);
    assert_int_equal(rules->breaker.counted, ERROR_KIND_BIT(ERROR_KIND_TIMEOUT));
    assert_true(span_is(node_text(rules->breaker_key), "${input.t}"));
    assert_int_equal(rules->adaptive.kind, ADAPTIVE_VEGAS);
    assert_int_equal(rules->adaptive.initial, 30);
    assert_int_equal(rules->adaptive.minimum, 2);
    assert_int_equal(rules->adaptive.maximum, 90);
    assert_true(span_is(rules->limit_name, "bank"));
    assert_int_equal(rules->rate.count, 500);
    assert_int_equal(rules->rate.per_ms, 1000);
    assert_int_equal(rules->rate.burst, 50);
    assert_int_equal(rules->rate.warm_up_ms, 10000);
    assert_int_equal(rules->hedge.percent, 95);
    assert_true(span_is(node_text(rules->fallback), "other"));
    assert_true(rules->is_fallback_wide);
    assert_int_equal(rules->fallback_on, ERROR_KIND_BIT(ERROR_KIND_TIMEOUT));
    assert_int_equal(rules->when_open, WHEN_OPEN_FAIL); /* there is somewhere else to go */
    read_close(&reading);
}

static void what_is_short_means_the_same(void **state)
{
    (void)state;
    struct reading reading;
    read_step(&reading,
              "{\"limit\": \"adaptive\", \"rate\": \"30/m\", \"hedge\": \"200ms\","
              " \"idempotent\": true, \"fallback\": \"x\", \"when_open\": \"park\","
              " \"retry\": {\"budget\": {\"share\": 0.1, \"floor\": 0, \"burst\": 7}}}");
    assert_true(reading.good);
    assert_int_equal(reading.rules.adaptive.kind, ADAPTIVE_DEFAULT);
    assert_int_equal(reading.rules.rate.per_ms, 60000);
    assert_int_equal(reading.rules.rate.burst, 1);
    assert_int_equal(reading.rules.hedge.after_ms, 200);
    assert_int_equal(reading.rules.when_open, WHEN_OPEN_PARK);
    assert_int_equal(reading.rules.fallback_on, ERROR_KIND_BIT(ERROR_KIND_BREAKER_OPEN) |
                                                    ERROR_KIND_BIT(ERROR_KIND_THROTTLED));
    assert_int_equal(reading.rules.budget.percent, 10);
    assert_int_equal(reading.rules.budget.floor_per_s, 0);
    assert_int_equal(reading.rules.budget.burst, 7);
    read_close(&reading);
    read_step(&reading, "{\"limit\": \"bank\", \"rate\": \"1/10s\"}");
    assert_true(reading.good && span_is(node_text(reading.rules.limit_of), "bank"));
    assert_int_equal(reading.rules.rate.per_ms, 10000);
    read_close(&reading);
}

static void an_empty_breaker_is_a_breaker(void **state)
{
    (void)state;
    struct reading reading;
    read_step(&reading, "{\"breaker\": {}, \"retry\": {}, \"limit\": {}}");
    assert_true(reading.good && reading.rules.has_breaker);
    assert_true(breaker_rule_is_valid(&reading.rules.breaker));
    assert_int_equal(reading.rules.when_open, WHEN_OPEN_PARK);
    read_close(&reading);
}

static void a_bound_follows_where_only_the_other_is_said(void **state)
{
    (void)state;
    struct reading reading;
    read_step(&reading, "{\"breaker\": {\"open\": \"5m\"}, \"retry\": {\"base\": \"1m\"}}");
    assert_true(reading.good);
    assert_int_equal(reading.rules.breaker.open_max_ms, 300000);
    assert_int_equal(reading.rules.retry.cap_ms, 60000);
    read_close(&reading);
}

static void percentages_are_whole(void **state)
{
    (void)state;
    static const struct {
        const char *written;
        uint32_t percent; /* 0: refused */
    } ROWS[] = {
        {"\"50%\"", 50}, {"\"1%\"", 1},    {"\"100%\"", 100}, {"\"007%\"", 7}, {"0.5", 50},
        {"0.29", 29},    {"0.57", 57},     {"1.0", 100},      {"0.01", 1},     {"\"0%\"", 0},
        {"\"101%\"", 0}, {"\"1000%\"", 0}, {"\"%\"", 0},      {"\"50\"", 0},   {"50", 0},
        {"1", 0},        {"0.001", 0},     {"1.5", 0},        {"-0.5", 0},     {"\"-5%\"", 0},
        {"\"5 %\"", 0},  {"\"12.5%\"", 0}, {"true", 0},       {"null", 0},     {"[50]", 0},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        char json[100];
        struct reading reading;
        assert_true(snprintf(json, sizeof json, "{\"breaker\": {\"failures\": %s}}",
                             ROWS[i].written) < (int)sizeof json);
        read_step(&reading, json);
        if (reading.good != (ROWS[i].percent > 0))
            fail_msg("%s", ROWS[i].written);
        if (reading.good)
            assert_int_equal(reading.rules.breaker.failures_percent, ROWS[i].percent);
        read_close(&reading);
    }
}

struct wrong {
    const char *json;
    const char *code;
    uint32_t column;
    const char *message;
    const char *help; /* has this in it; NULL: not looked at */
};

static void check_wrong(const struct wrong *row)
{
    struct reading reading;
    read_step(&reading, row->json);
    const struct diagnostic *first = reading.diagnostics.first;
    if (first == NULL)
        fail_msg("nothing wrong with %s", row->json);
    assert_string_equal(first->message.text, row->message);
    assert_true(span_is(first->code, row->code));
    if (first->place.column != row->column)
        fail_msg("%s: column %u", row->json, first->place.column);
    if (row->help != NULL)
        assert_non_null(strstr(first->help.text, row->help));
    assert_null(first->next);
    read_close(&reading);
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    static const struct wrong ROWS[] = {
        {"{\"timeout\": \"soon\"}", "IL0104", 13,
         "`timeout` must be a duration such as 250ms, 30s, 5m or 24h", NULL},
        {"{\"timeout\": 1.5}", "IL0104", 13,
         "`timeout` must be a duration such as 250ms, 30s, 5m or 24h", NULL},
        {"{\"timeout\": -1}", "IL0104", 13,
         "`timeout` must be a duration such as 250ms, 30s, 5m or 24h", NULL},
        {"{\"timeout\": \"0s\"}", "IL0104", 13, "`timeout` must be longer than 0ms", NULL},
        {"{\"deadline\": null}", "IL0104", 14,
         "`deadline` must be a duration such as 250ms, 30s, 5m or 24h", NULL},
        {"{\"timeout\": \"5s\", \"deadline\": \"5s\"}", "IL0404", 13,
         "the timeout of one attempt is not shorter than the deadline of all",
         "room for every attempt"},
        {"{\"retry\": 3}", "IL0104", 11, "`retry` must be a map, not a number", NULL},
        {"{\"breaker\": null}", "IL0104", 13, "`breaker` must be a map, not null", NULL},
        {"{\"retry\": {\"attemps\": 3}}", "IL0102", 12, "unknown key `attemps` in `retry`",
         "attempts"},
        {"{\"breaker\": {\"treshold\": 3}}", "IL0102", 14,
         "unknown key `treshold` in `breaker`", NULL},
        {"{\"limit\": {\"concurency\": 3}}", "IL0102", 12,
         "unknown key `concurency` in `limit`", "concurrency"},
        {"{\"retry\": {\"attempts\": 0}}", "IL0104", 24,
         "`attempts` must be a whole number from 1 to 1000", NULL},
        {"{\"retry\": {\"attempts\": \"3\"}}", "IL0104", 24,
         "`attempts` must be a whole number from 1 to 1000", NULL},
        {"{\"retry\": {\"attempts\": 1001}}", "IL0108", 24, "`attempts` can be at most 1000",
         NULL},
        {"{\"limit\": {\"concurrency\": 10001}}", "IL0108", 27,
         "`concurrency` can be at most 10000", NULL},
        {"{\"limit\": {\"queue\": -1}}", "IL0104", 21,
         "`queue` must be a whole number from 0 to 1000000", NULL},
        {"{\"breaker\": {\"probes\": 17}}", "IL0108", 24, "`probes` can be at most 16", NULL},
        {"{\"breaker\": {\"open\": \"9s\", \"open_max\": \"8s\"}}", "IL0104", 40,
         "`open_max` is shorter than `open`", NULL},
        {"{\"breaker\": {\"open_max\": \"1s\"}}", "IL0104", 26,
         "`open_max` is shorter than `open`, which is 2s", NULL},
        {"{\"retry\": {\"base\": \"9s\", \"cap\": \"8s\"}}", "IL0104", 20,
         "`base` is longer than `cap`", NULL},
        {"{\"retry\": {\"backoff\": \"full_jitter\"}}", "IL0104", 23,
         "`backoff` must be `fixed`, `exponential`, `full-jitter`, `equal-jitter` or "
         "`decorrelated`",
         "full-jitter"},
        {"{\"when_open\": \"wait\"}", "IL0104", 15, "`when_open` must be `park` or `fail`",
         NULL},
        {"{\"when_open\": true}", "IL0104", 15, "`when_open` must be `park` or `fail`", NULL},
        {"{\"retry\": {\"on\": \"timeout\"}}", "IL0104", 18,
         "`on` must be a list of error kinds, not a string", NULL},
        {"{\"retry\": {\"on\": [\"timeouts\"]}}", "IL0104", 19,
         "there is no error kind `timeouts`", "timeout"},
        {"{\"retry\": {\"on\": [503]}}", "IL0104", 19,
         "an error kind must be a string, not a number", NULL},
        {"{\"retry\": {\"on\": [\"cancelled\"]}}", "IL0104", 19,
         "`cancelled` ends a step and is never retried", NULL},
        {"{\"retry\": {\"budget\": \"0%\"}}", "IL0104", 22,
         "`budget` must be a whole percentage from 1% to 100%, such as 50% or 0.5", NULL},
        {"{\"retry\": {\"budget\": {\"floor\": \"10/m\"}}}", "IL0104", 32,
         "`floor` is a number of retries a second, such as 10/s", NULL},
        {"{\"retry\": {\"budget\": {\"percent\": 2}}}", "IL0102", 23,
         "unknown key `percent` in `budget`", NULL},
        {"{\"rate\": \"fast\"}", "IL0104", 10,
         "`rate` must be a rate such as 500/s, 30/m or 1/10s", NULL},
        {"{\"rate\": {\"burst\": 5}}", "IL0103", 10, "`rate` needs `rate`: how often", NULL},
        {"{\"fallback\": 5}", "IL0104", 14,
         "`fallback` must be the name of a step, or { step: …, on: [ … ] }", NULL},
        {"{\"hedge\": \"p95\"}", "IL0103", 11,
         "a hedge makes a call twice: it needs `idempotent: true`", "act once"},
        {"{\"hedge\": \"p100\", \"idempotent\": true}", "IL0104", 11,
         "`hedge` must be a percentile such as p95, or a duration", NULL},
        {"{\"idempotent\": 1}", "IL0104", 16, "`idempotent` must be true or false", NULL},
        {"{\"compensate\": 1}", "IL0104", 16,
         "`compensate` must be the name of the step that undoes this one", NULL},
        {"{\"limit\": {\"adaptive\": \"tcp\"}}", "IL0104", 24,
         "`adaptive` must be `none`, `aimd`, `vegas` or `gradient`", NULL},
        {"{\"limit\": {\"maximum\": 5}}", "IL0103", 23,
         "bounds are for a limit that moves: `adaptive` says how", NULL},
        {"{\"limit\": {\"adaptive\": \"aimd\", \"minimum\": 9, \"maximum\": 8}}", "IL0104", 57,
         "`minimum` is more than `maximum`", NULL},
        {"{\"breaker\": {\"slow_calls\": \"50%\"}}", "IL0103", 28,
         "`slow_calls` needs `slow`: how long a call takes that is slow", NULL},
        {"{\"breaker\": {\"window\": \"10s\", \"calls\": 100}}", "IL0104", 40,
         "a window is a time (`window`) or a number of `calls`, not both", NULL},
        {"{\"breaker\": {\"mode\": \"forced\"}}", "IL0104", 22,
         "`mode` must be `auto`, `observe`, `closed` or `open`", NULL},
        {"{\"limit\": 5}", "IL0104", 11, "`limit` must be a map, not a number", NULL},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        check_wrong(&ROWS[i]);
}

static void a_deadline_that_cuts_the_only_timeout_is_a_warning(void **state)
{
    (void)state;
    struct reading reading;
    read_step(&reading, "{\"timeout\": \"90s\"}");
    assert_true(reading.good);
    assert_int_equal(reading.diagnostics.warnings, 1);
    assert_string_equal(reading.diagnostics.first->message.text,
                        "the timeout of one attempt is not shorter than the deadline of all, "
                        "which is 60s where nothing is said");
    read_close(&reading);
    read_step(&reading, "{\"deadline\": \"1s\"}"); /* the default timeout is no claim */
    assert_true(reading.good);
    assert_int_equal(reading.diagnostics.warnings, 0);
    read_close(&reading);
}

static void everything_wrong_is_said_at_once(void **state)
{
    (void)state;
    struct reading reading;
    read_step(&reading, "{\"timeout\": [], \"retry\": {\"attempts\": 0, \"x\": 1, \"cap\": {}},"
                        " \"breaker\": {\"failures\": 2, \"probes\": 0}, \"rate\": 1}");
    assert_int_equal(reading.diagnostics.errors, 7);
    read_close(&reading);
}

static void the_keys_are_told(void **state)
{
    (void)state;
    size_t count = 0;
    const struct span *keys = policy_rules_keys(&count);
    bool has_breaker = false;
    for (size_t i = 0; i < count; i++)
        has_breaker = has_breaker || span_is(keys[i], "breaker");
    assert_true(has_breaker);
    assert_int_equal(count, 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_nothing_is_said_the_defaults_hold),
        cmocka_unit_test(everything_that_is_said_is_read),
        cmocka_unit_test(the_rest_is_read_too),
        cmocka_unit_test(what_is_short_means_the_same),
        cmocka_unit_test(an_empty_breaker_is_a_breaker),
        cmocka_unit_test(a_bound_follows_where_only_the_other_is_said),
        cmocka_unit_test(percentages_are_whole),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(a_deadline_that_cuts_the_only_timeout_is_a_warning),
        cmocka_unit_test(everything_wrong_is_said_at_once),
        cmocka_unit_test(the_keys_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
