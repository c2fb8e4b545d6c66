/*
 * test_retry.c - delays as their formulae say, and no attempt too many.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/policy.h"

enum { NO_WAIT = -1 };

static struct retry_rule rule_of(enum backoff backoff, duration_ms base_ms, duration_ms cap_ms)
{
    return (struct retry_rule){.attempts = 100000,
                               .backoff = backoff,
                               .base_ms = base_ms,
                               .cap_ms = cap_ms,
                               .on = ERROR_KINDS_INFRASTRUCTURE};
}

static void delays_are_what_the_formulae_say(void **state)
{
    (void)state;
    static const struct {
        enum backoff backoff;
        duration_ms base_ms;
        duration_ms cap_ms;
        uint32_t attempts_made;
        duration_ms server_wait_ms;
        duration_ms delay_ms;
    } ROWS[] = {
        {BACKOFF_FIXED, 500, 2000, 1, NO_WAIT, 500},
        {BACKOFF_FIXED, 500, 2000, 9, NO_WAIT, 500},
        {BACKOFF_FIXED, 0, 0, 1, NO_WAIT, 0},
        {BACKOFF_EXPONENTIAL, 50, 2000, 1, NO_WAIT, 50},
        {BACKOFF_EXPONENTIAL, 50, 2000, 2, NO_WAIT, 100},
        {BACKOFF_EXPONENTIAL, 50, 2000, 6, NO_WAIT, 1600},
        {BACKOFF_EXPONENTIAL, 50, 2000, 7, NO_WAIT, 2000},
        {BACKOFF_EXPONENTIAL, 50, 2000, 99999, NO_WAIT, 2000},
        {BACKOFF_EXPONENTIAL, 0, 2000, 50, NO_WAIT, 0},
        {BACKOFF_EXPONENTIAL, 3000, 2000, 1, NO_WAIT, 2000},
        {BACKOFF_EXPONENTIAL, 1, INT64_MAX, 63, NO_WAIT, (duration_ms)1 << 62},
        {BACKOFF_EXPONENTIAL, 1, INT64_MAX, 64, NO_WAIT, INT64_MAX},
        {BACKOFF_EXPONENTIAL, INT64_MAX, INT64_MAX, 3, NO_WAIT, INT64_MAX},
        /* a server's wait comes first, the backoff on top */
        {BACKOFF_FIXED, 500, 2000, 1, 0, 500},
        {BACKOFF_FIXED, 500, 2000, 1, 3000, 3500},
        {BACKOFF_EXPONENTIAL, 50, 2000, 2, 3000, 3100},
        {BACKOFF_EXPONENTIAL, INT64_MAX, INT64_MAX, 1, INT64_MAX, INT64_MAX},
        {BACKOFF_FULL_JITTER, 0, 2000, 3, 700, 700},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct retry_rule rule = rule_of(ROWS[i].backoff, ROWS[i].base_ms, ROWS[i].cap_ms);
        struct random random = {1};
        duration_ms delay = -1;
        assert_true(retry_next(&rule, ROWS[i].attempts_made, ERROR_KIND_TIMEOUT,
                               ROWS[i].server_wait_ms, &random, &delay));
        if (delay != ROWS[i].delay_ms)
            fail_msg("row %zu: %lld", i, (long long)delay);
    }
}

static void full_jitter_spreads_evenly_from_nothing_to_the_delay(void **state)
{
    (void)state;
    enum { DRAWS = 20000 };
    static const duration_ms BOUNDS[] = {50, 100, 200, 400, 800, 1600, 2000, 2000};
    struct retry_rule rule = rule_of(BACKOFF_FULL_JITTER, 50, 2000);
    struct random random = {42};
    for (uint32_t i = 0; i < sizeof BOUNDS / sizeof *BOUNDS; i++) {
        duration_ms least = INT64_MAX;
        duration_ms most = 0;
        duration_ms sum = 0;
        for (int draw = 0; draw < DRAWS; draw++) {
            duration_ms delay = -1;
            assert_true(retry_next(&rule, i + 1, ERROR_KIND_TIMEOUT, NO_WAIT, &random, &delay));
            assert_true(delay >= 0 && delay <= BOUNDS[i]);
            least = delay < least ? delay : least;
            most = delay > most ? delay : most;
            sum += delay;
        }
        assert_true(least <= BOUNDS[i] / 100 && most >= BOUNDS[i] - BOUNDS[i] / 100);
        assert_in_range((uintmax_t)(sum / DRAWS), (uintmax_t)(BOUNDS[i] * 48 / 100),
                        (uintmax_t)(BOUNDS[i] * 52 / 100));
    }
}

static void equal_jitter_is_at_least_half(void **state)
{
    (void)state;
    struct retry_rule rule = rule_of(BACKOFF_EQUAL_JITTER, 100, 1000);
    struct random random = {5};
    static const duration_ms BOUNDS[] = {100, 200, 400, 800, 1000, 1000};
    for (uint32_t i = 0; i < sizeof BOUNDS / sizeof *BOUNDS; i++) {
        duration_ms sum = 0;
        for (int draw = 0; draw < 10000; draw++) {
            duration_ms delay = 0;
            assert_true(retry_next(&rule, i + 1, ERROR_KIND_TIMEOUT, NO_WAIT, &random, &delay));
            assert_true(delay >= BOUNDS[i] / 2 && delay <= BOUNDS[i]);
            sum += delay;
        }
        assert_in_range((uintmax_t)(sum / 10000), (uintmax_t)(BOUNDS[i] * 73 / 100),
                        (uintmax_t)(BOUNDS[i] * 77 / 100));
    }
}

/* min(cap, base to 3 * the delay before): the first is base to 3 * base. */
static void decorrelated_jitter_follows_the_delay_before(void **state)
{
    (void)state;
    struct retry_rule rule = rule_of(BACKOFF_DECORRELATED, 100, 5000);
    struct random random = {6};
    duration_ms longest = 0;
    for (int round = 0; round < 2000; round++) {
        duration_ms delay = 0;
        for (uint32_t i = 1; i <= 12; i++) {
            duration_ms before = delay < 100 ? 100 : delay;
            duration_ms most = 3 * before < 5000 ? 3 * before : 5000;
            assert_true(retry_next(&rule, i, ERROR_KIND_TIMEOUT, NO_WAIT, &random, &delay));
            assert_true(delay >= 100 && delay <= most);
            longest = delay > longest ? delay : longest;
        }
    }
    assert_int_equal(longest, 5000);
    rule.base_ms = rule.cap_ms = INT64_MAX;
    duration_ms delay = INT64_MAX;
    assert_true(retry_next(&rule, 3, ERROR_KIND_TIMEOUT, NO_WAIT, &random, &delay));
    assert_true(delay == INT64_MAX);
}

static void no_attempt_begins_after_the_time_for_all(void **state)
{
    (void)state;
    static const struct {
        duration_ms elapsed_max_ms;
        duration_ms elapsed_ms;
        duration_ms delay_ms;
        bool has_time;
    } ROWS[] = {{0, INT64_MAX, INT64_MAX, true},
                {1000, 0, 1000, true},
                {1000, 1, 1000, false},
                {1000, 999, 0, true},
                {1000, 1000, 0, true},
                {1000, 1001, 0, false},
                {1000, INT64_MAX, INT64_MAX, false}};
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct retry_rule rule = rule_of(BACKOFF_FIXED, 0, 0);
        rule.elapsed_max_ms = ROWS[i].elapsed_max_ms;
        assert_int_equal(retry_has_time(&rule, ROWS[i].elapsed_ms, ROWS[i].delay_ms),
                         ROWS[i].has_time);
    }
}

static void the_same_seed_gives_the_same_delays(void **state)
{
    (void)state;
    struct retry_rule rule = rule_of(BACKOFF_FULL_JITTER, 1000, 60000);
    struct random one = {9};
    struct random two = {9};
    for (uint32_t i = 1; i < 100; i++) {
        duration_ms a = -1;
        duration_ms b = -2;
        assert_true(retry_next(&rule, i, ERROR_KIND_CRASHED, NO_WAIT, &one, &a));
        assert_true(retry_next(&rule, i, ERROR_KIND_CRASHED, NO_WAIT, &two, &b));
        assert_int_equal(a, b);
    }
}

static void attempts_are_all_attempts(void **state)
{
    (void)state;
    static const struct {
        uint32_t attempts;
        uint32_t made;
        bool again;
    } ROWS[] = {{1, 1, false}, {2, 1, true}, {5, 4, true}, {5, 5, false}, {5, 6, false}};
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct retry_rule rule = rule_of(BACKOFF_FIXED, 10, 10);
        struct random random = {1};
        duration_ms delay = -7;
        rule.attempts = ROWS[i].attempts;
        assert_int_equal(
            retry_next(&rule, ROWS[i].made, ERROR_KIND_TIMEOUT, NO_WAIT, &random, &delay),
            ROWS[i].again);
        assert_true((delay == -7) == !ROWS[i].again);
    }
}

static void only_what_the_rule_names_is_retried(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < ERROR_KIND_COUNT; kind++) {
        struct retry_rule rule = rule_of(BACKOFF_FIXED, 10, 10);
        struct random random = {1};
        duration_ms delay = 0;
        bool is_infrastructure = (ERROR_KINDS_INFRASTRUCTURE & ERROR_KIND_BIT(kind)) != 0;
        assert_int_equal(retry_next(&rule, 1, (enum error_kind)kind, NO_WAIT, &random, &delay),
                         is_infrastructure);
        rule.on = ERROR_KIND_BIT(ERROR_KIND_REJECTED);
        assert_int_equal(retry_next(&rule, 1, (enum error_kind)kind, NO_WAIT, &random, &delay),
                         kind == ERROR_KIND_REJECTED);
    }
}

static void every_kind_has_a_name_that_finds_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < ERROR_KIND_COUNT; i++) {
        enum error_kind kind = ERROR_KIND_COUNT;
        assert_true(
            error_kind_find(span_from_text(error_kind_name((enum error_kind)i)), &kind));
        assert_int_equal(kind, i);
    }
    enum error_kind kind = ERROR_KIND_CRASHED;
    assert_false(error_kind_find(SPAN("Timeout"), &kind));
    assert_false(error_kind_find(SPAN(""), &kind));
    assert_int_equal(kind, ERROR_KIND_CRASHED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delays_are_what_the_formulae_say),
        cmocka_unit_test(full_jitter_spreads_evenly_from_nothing_to_the_delay),
        cmocka_unit_test(equal_jitter_is_at_least_half),
        cmocka_unit_test(decorrelated_jitter_follows_the_delay_before),
        cmocka_unit_test(no_attempt_begins_after_the_time_for_all),
        cmocka_unit_test(the_same_seed_gives_the_same_delays),
        cmocka_unit_test(attempts_are_all_attempts),
        cmocka_unit_test(only_what_the_rule_names_is_retried),
        cmocka_unit_test(every_kind_has_a_name_that_finds_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
