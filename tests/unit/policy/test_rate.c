/*
 * test_rate.c - calls against their rate, over every stretch of time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/policy.h"

static uint32_t take_all(struct rate *rate, const struct rate_rule *rule, instant_ms now)
{
    uint32_t taken = 0;
    while (taken <= RATE_COUNT_MAX && rate_take(rate, rule, now))
        taken++;
    return taken;
}

static void a_burst_and_then_the_rate(void **state)
{
    (void)state;
    static const struct {
        uint32_t count;
        duration_ms per_ms;
        uint32_t burst;
        instant_ms after_ms; /* the burst was taken at 0 */
        uint32_t more;
    } ROWS[] = {
        {500, 1000, 1, 1, 0},
        {500, 1000, 1, 2, 1},
        {500, 1000, 1, 60000, 1},
        {500, 1000, 50, 2, 1},
        {500, 1000, 50, 20, 10},
        {500, 1000, 50, 100, 50},
        {500, 1000, 50, 100000, 50},
        {1, 60000, 1, 59999, 0},
        {1, 60000, 1, 60000, 1},
        {30, 60000, 5, 2000, 1},
        {3, 1000, 3, 333, 0},
        {3, 1000, 3, 334, 1},
        {1000000, 1000, 1000, 1, 1000},
        {7, 1000, 7, 1000, 7},
        /* resilience4j's 50 calls in a cycle of 500 */
        {50, 500, 50, 500, 50},
        {50, 500, 50, 250, 25},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct rate_rule rule = {ROWS[i].count, ROWS[i].per_ms, ROWS[i].burst, 0};
        struct rate rate;
        rate_init(&rate, &rule, 0);
        assert_int_equal(rate_left(&rate, &rule, 0), ROWS[i].burst);
        assert_int_equal(take_all(&rate, &rule, 0), ROWS[i].burst);
        assert_int_equal(rate_left(&rate, &rule, 0), 0);
        assert_int_equal(rate_left(&rate, &rule, ROWS[i].after_ms), ROWS[i].more);
        if (take_all(&rate, &rule, ROWS[i].after_ms) != ROWS[i].more)
            fail_msg("row %zu", i);
    }
}

static void whoever_waits_until_next_goes(void **state)
{
    (void)state;
    struct rate_rule rule = {7, 1000, 3, 0};
    struct rate rate;
    instant_ms now = 5;
    rate_init(&rate, &rule, now);
    for (int i = 0; i < 1000; i++) {
        instant_ms next = rate_next(&rate, &rule, now);
        assert_true(next >= now && next - now <= 143);
        assert_true(next == now || !rate_take(&rate, &rule, next - 1));
        now = next;
        assert_true(rate_take(&rate, &rule, now));
    }
    assert_in_range((uintmax_t)now, 1000 * (1000 - 3) / 7, 1000 * 1000 / 7 + 5);
}

static void what_was_not_used_is_given_back(void **state)
{
    (void)state;
    struct rate_rule rule = {10, 1000, 1, 0};
    struct rate rate;
    rate_init(&rate, &rule, 0);
    for (int i = 0; i < 100; i++) {
        assert_true(rate_take(&rate, &rule, 0));
        rate_give_back(&rate, &rule);
    }
    assert_true(rate_take(&rate, &rule, 0));
    assert_false(rate_take(&rate, &rule, 99));
}

static void a_server_that_says_when_is_believed(void **state)
{
    (void)state;
    struct rate_rule rule = {100, 1000, 20, 0};
    struct rate rate;
    rate_init(&rate, &rule, 0);
    rate_push_back(&rate, &rule, 0, 3000);
    assert_int_equal(rate_next(&rate, &rule, 0), 3000);
    rate_push_back(&rate, &rule, 1000, 500); /* does not shorten it */
    assert_false(rate_take(&rate, &rule, 2999));
    assert_int_equal(take_all(&rate, &rule, 3000), 1); /* and there is no burst behind it */
    rate_push_back(&rate, &rule, 3000, -1);
    assert_int_equal(rate_next(&rate, &rule, 3000), 3010);
}

/* Cold, a third of the rate; after the warm-up all of it; after a pause cold again. */
static void it_warms_up_and_cools_down(void **state)
{
    (void)state;
    struct rate_rule rule = {100, 1000, 10, 10000};
    struct rate rate;
    uint32_t seconds[20] = {0};
    rate_init(&rate, &rule, 0);
    for (instant_ms now = 0; now < 20000; now++)
        seconds[now / 1000] += rate_take(&rate, &rule, now) ? 1 : 0;
    assert_in_range(seconds[0], 33, 38);
    for (int i = 1; i < 20; i++)
        assert_true(seconds[i] + 1 >= seconds[i - 1] && seconds[i] <= 110);
    assert_in_range(seconds[4], 40, 45); /* I² = 9 - 8 t/T: the interval at 4.5 s is 2.3 */
    assert_in_range(seconds[8], 55, 72);
    assert_in_range(seconds[12], 99, 110);
    assert_true(rate_left(&rate, &rule, 20100) >= 9);    /* a short pause is a burst, */
    assert_int_equal(rate_left(&rate, &rule, 60000), 1); /* a long one is cold */
}

static void a_clock_that_steps_back_holds_nobody(void **state)
{
    (void)state;
    struct rate_rule rule = {10, 1000, 2, 0};
    struct rate rate;
    rate_init(&rate, &rule, 1000000);
    assert_int_equal(take_all(&rate, &rule, 1000000), 2);
    assert_false(rate_take(&rate, &rule, 1000));
    assert_true(rate_take(&rate, &rule, 1100));
}

static void no_schedule_exceeds_it(void **state)
{
    (void)state;
    enum { CALLS = 2000 };
    static instant_ms at[CALLS];
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct random random = {seed};
        struct rate_rule rule = {(uint32_t)random_up_to(&random, 300) + 1,
                                 (duration_ms)random_up_to(&random, 2000) + 1,
                                 (uint32_t)random_up_to(&random, 30) + 1,
                                 seed % 2 == 0 ? 0 : 5000};
        struct rate rate;
        instant_ms now = 77;
        size_t count = 0;
        rate_init(&rate, &rule, now);
        while (count < CALLS) {
            now = random_up_to(&random, 5) == 0 ? rate_next(&rate, &rule, now)
                                                : now + (instant_ms)random_up_to(&random, 20);
            if (rate_take(&rate, &rule, now))
                at[count++] = now;
        }
        for (size_t from = 0; from < CALLS; from += 13) {
            for (size_t to = from; to < CALLS; to += 17) {
                double allowed =
                    rule.burst + (double)(at[to] - at[from]) * rule.count / (double)rule.per_ms;
                assert_true((double)(to - from + 1) <= allowed * 1.000001 + 1e-6);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_and_then_the_rate),
        cmocka_unit_test(whoever_waits_until_next_goes),
        cmocka_unit_test(what_was_not_used_is_given_back),
        cmocka_unit_test(a_server_that_says_when_is_believed),
        cmocka_unit_test(it_warms_up_and_cools_down),
        cmocka_unit_test(a_clock_that_steps_back_holds_nobody),
        cmocka_unit_test(no_schedule_exceeds_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
