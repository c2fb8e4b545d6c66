/*
 * test_adaptive.c - limits that find their size: single samples as the libraries they are after
 * have them, and whole runs against a small model of a server.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "policy/policy.h"

/* Netflix' VegasLimitTest: a limit of 10 whose least round trip is 10 ms. */
static void vegas_moves_as_its_thresholds_say(void **state)
{
    (void)state;
    static const struct {
        uint32_t limit;
        int64_t rtt_us;
        uint32_t running;
        bool dropped;
        uint32_t after;
    } ROWS[] = {
        {10, 10000, 11, false, 16}, /* no queue: six up */
        {10, 50000, 11, false, 9},  /* a queue of 8 */
        {10, 14000, 14, false, 10}, /* a queue of 3 is what is wanted */
        {10, 12000, 14, false, 11}, /* a queue of 2: one up */
        {10, 10000, 4, false, 10},  /* not used */
        {10, 10000, 11, true, 9},
        {10, 10000, 1, true, 9}, /* a drop counts also where it is not used */
        {100, 10000, 60, false, 112},
        {100, 200000, 60, false, 98},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct adaptive_rule rule = {ADAPTIVE_VEGAS, ROWS[i].limit, 1, 200};
        struct adaptive adaptive;
        adaptive_init(&adaptive, &rule);
        adaptive_record(&adaptive, &rule, 1000, &(struct adaptive_sample){10000, 1, false});
        assert_int_equal(adaptive_limit(&adaptive, &rule), ROWS[i].limit);
        adaptive_record(
            &adaptive, &rule, 2000,
            &(struct adaptive_sample){ROWS[i].rtt_us, ROWS[i].running, ROWS[i].dropped});
        if (adaptive_limit(&adaptive, &rule) != ROWS[i].after)
            fail_msg("row %zu: %u", i, adaptive_limit(&adaptive, &rule));
    }
}

/* Netflix' AIMDLimitTest, where one sample makes 21 of 20 and 27 of 30; here a limit's worth.
 */
static void aimd_adds_one_a_round_and_takes_a_tenth(void **state)
{
    (void)state;
    struct adaptive_rule rule = {ADAPTIVE_AIMD, 20, 10, 200};
    struct adaptive adaptive;
    adaptive_init(&adaptive, &rule);
    for (int i = 0; i < 21; i++)
        adaptive_record(&adaptive, &rule, 1000, &(struct adaptive_sample){1000, 11, false});
    assert_int_equal(adaptive_limit(&adaptive, &rule), 21);
    for (int i = 0; i < 1000; i++)
        adaptive_record(&adaptive, &rule, 1000, &(struct adaptive_sample){1000, 5, false});
    assert_int_equal(adaptive_limit(&adaptive, &rule), 21);
    rule.initial = 30;
    adaptive_init(&adaptive, &rule);
    adaptive_record(&adaptive, &rule, 1000, &(struct adaptive_sample){1000, 30, true});
    assert_int_equal(adaptive_limit(&adaptive, &rule), 27);
}

static void calls_that_ran_together_lower_it_once(void **state)
{
    (void)state;
    struct adaptive_rule rule = {ADAPTIVE_AIMD, 100, 10, 200};
    struct adaptive adaptive;
    adaptive_init(&adaptive, &rule);
    for (instant_ms now = 5000; now < 6000; now += 10) /* all began in the second before */
        adaptive_record(&adaptive, &rule, now, &(struct adaptive_sample){1000000, 99, true});
    assert_int_equal(adaptive_limit(&adaptive, &rule), 90);
    adaptive_record(&adaptive, &rule, 6000, &(struct adaptive_sample){1000000, 99, true});
    assert_int_equal(adaptive_limit(&adaptive, &rule), 81);
}

static void a_gradient_follows_the_round_trip(void **state)
{
    (void)state;
    struct adaptive_rule rule = {ADAPTIVE_GRADIENT, 50, 10, 200};
    struct adaptive adaptive;
    adaptive_init(&adaptive, &rule);
    for (int i = 0; i < 100; i++)
        adaptive_record(&adaptive, &rule, i, &(struct adaptive_sample){10000, 200, false});
    assert_int_equal(adaptive_limit(&adaptive, &rule), 50 + 80); /* + 0.2 * 4 each */
    for (int i = 0; i < 30; i++)
        adaptive_record(&adaptive, &rule, i, &(struct adaptive_sample){100000, 200, false});
    assert_in_range(adaptive_limit(&adaptive, &rule), 10, 30);
    for (int i = 0; i < 30; i++)
        adaptive_record(&adaptive, &rule, i, &(struct adaptive_sample){1, 0, false});
    assert_in_range(adaptive_limit(&adaptive, &rule), 10, 30); /* it is not used */
}

/* A server of so many places and 100 ms a call; all calls that the limit allows are always
 * there, so each waits for those before it (Little's law). What the limit settles at. */
static double settle_at(enum adaptive_kind kind, uint32_t servers, uint32_t initial)
{
    struct adaptive_rule rule = {kind, initial, 1, 1000};
    struct adaptive adaptive;
    double sum = 0;
    int sums = 0;
    adaptive_init(&adaptive, &rule);
    for (int round = 0; round < 400; round++) {
        uint32_t limit = adaptive_limit(&adaptive, &rule);
        instant_ms now = 100000 + round * 3000;
        for (uint32_t i = 0; i < limit; i++) {
            duration_ms took = limit <= servers ? 100 : 100 * limit / servers;
            bool dropped = took > 1000;
            struct adaptive_sample sample = {(dropped ? 1000 : took) * 1000, limit, dropped};
            adaptive_record(&adaptive, &rule, now + took, &sample);
        }
        if (round >= 200) {
            sum += limit;
            sums++;
        }
    }
    return sum / sums;
}

static void limits_find_the_size_of_the_server(void **state)
{
    (void)state;
    static const struct {
        enum adaptive_kind kind;
        uint32_t servers;
        uint32_t initial;
        double least;
        double most;
    } ROWS[] = {
        /* most places busy, and no more than fits into the timeout */
        {ADAPTIVE_AIMD, 60, 20, 60, 660},     {ADAPTIVE_AIMD, 18, 600, 18, 200},
        {ADAPTIVE_AIMD, 6, 64, 6, 66},        {ADAPTIVE_VEGAS, 60, 20, 45, 75},
        {ADAPTIVE_VEGAS, 18, 600, 13, 40},    {ADAPTIVE_VEGAS, 6, 64, 5, 20},
        {ADAPTIVE_GRADIENT, 60, 20, 60, 700}, {ADAPTIVE_GRADIENT, 18, 600, 18, 220},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        double limit = settle_at(ROWS[i].kind, ROWS[i].servers, ROWS[i].initial);
        if (limit < ROWS[i].least || limit > ROWS[i].most)
            fail_msg("row %zu: %g", i, limit);
    }
}

/* concurrency-limits#137: a gradient that grows to its maximum on constant timeouts. */
static void nothing_grows_on_timeouts(void **state)
{
    (void)state;
    for (int kind = ADAPTIVE_AIMD; kind < ADAPTIVE_COUNT; kind++) {
        struct adaptive_rule rule = {(enum adaptive_kind)kind, 100, 10, 1000};
        struct adaptive adaptive;
        adaptive_init(&adaptive, &rule);
        for (instant_ms now = 0; now < 1000000; now += 100)
            adaptive_record(&adaptive, &rule, now,
                            &(struct adaptive_sample){1000000, 1000, true});
        assert_int_equal(adaptive_limit(&adaptive, &rule), 10);
    }
}

static void no_samples_lead_out_of_bounds(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct random random = {seed};
        struct adaptive_rule rule = {(enum adaptive_kind)(1 + seed % 3),
                                     (uint32_t)random_up_to(&random, 500),
                                     (uint32_t)random_up_to(&random, 20) + 1, 0};
        rule.maximum = rule.minimum + (uint32_t)random_up_to(&random, 300);
        struct adaptive adaptive;
        adaptive_init(&adaptive, &rule);
        for (int i = 0; i < 5000; i++) {
            struct adaptive_sample sample = {
                (int64_t)random_up_to(&random, UINT64_C(1) << random_up_to(&random, 40)),
                (uint32_t)random_up_to(&random, 1000), random_up_to(&random, 3) == 0};
            adaptive_record(&adaptive, &rule, (instant_ms)random_up_to(&random, 100000),
                            &sample);
            uint32_t limit = adaptive_limit(&adaptive, &rule);
            assert_true(limit >= rule.minimum && limit <= rule.maximum);
            assert_true(isfinite(adaptive.limit) && isfinite(adaptive.rtt_us));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vegas_moves_as_its_thresholds_say),
        cmocka_unit_test(aimd_adds_one_a_round_and_takes_a_tenth),
        cmocka_unit_test(calls_that_ran_together_lower_it_once),
        cmocka_unit_test(a_gradient_follows_the_round_trip),
        cmocka_unit_test(limits_find_the_size_of_the_server),
        cmocka_unit_test(nothing_grows_on_timeouts),
        cmocka_unit_test(no_samples_lead_out_of_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
