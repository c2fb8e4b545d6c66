/*
 * test_budget.c - extra calls against what the budget allows, over every stretch of time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/policy.h"

static const struct budget_rule RULE = {.percent = 20, .floor_per_s = 10, .burst = 100};

static uint32_t drain(struct budget *budget, const struct budget_rule *rule, instant_ms now)
{
    uint32_t taken = 0;
    while (budget_withdraw(budget, rule, now))
        taken++;
    return taken;
}

static void a_share_of_first_calls_and_a_floor(void **state)
{
    (void)state;
    static const struct {
        uint32_t percent;
        uint32_t floor_per_s;
        uint32_t burst;
        uint32_t calls;
        duration_ms passed_ms;
        uint32_t left; /* after it was drained, then fed */
    } ROWS[] = {
        {20, 0, 100, 0, 10000, 0},
        {20, 0, 100, 4, 0, 0},
        {20, 0, 100, 5, 0, 1},
        {20, 0, 100, 100, 0, 20},
        {20, 0, 100, 1000, 0, 100},
        {1, 0, 100, 99, 0, 0},
        {1, 0, 100, 100, 0, 1},
        {100, 0, 100, 7, 0, 7},
        {20, 10, 100, 0, 99, 0},
        {20, 10, 100, 0, 100, 1},
        {20, 10, 100, 0, 5000, 50},
        {20, 10, 100, 0, 3600000, 100},
        {20, 10, 100, 50, 1000, 20},
        {20, 10, 5, 1000, 1000, 5},
        {20, 10, 100, 0, INT32_MAX, 100},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct budget_rule rule = {ROWS[i].percent, ROWS[i].floor_per_s, ROWS[i].burst};
        struct budget budget;
        budget_init(&budget, &rule, 0);
        assert_int_equal(drain(&budget, &rule, 0), ROWS[i].burst);
        for (uint32_t call = 0; call < ROWS[i].calls; call++)
            budget_deposit(&budget, &rule, 0);
        if (budget_left(&budget, &rule, ROWS[i].passed_ms) != ROWS[i].left)
            fail_msg("row %zu: %u", i, budget_left(&budget, &rule, ROWS[i].passed_ms));
        assert_int_equal(drain(&budget, &rule, ROWS[i].passed_ms), ROWS[i].left);
    }
}

/* resilience4j#172, Polly#2348: with three attempts each, an outage at 450 calls a second is
 * 1,350 calls a second; with a budget it is the first calls and a fifth. */
static void an_outage_is_not_multiplied(void **state)
{
    (void)state;
    struct budget budget;
    uint32_t first = 0;
    uint32_t extra = 0;
    budget_init(&budget, &RULE, 0);
    for (instant_ms now = 0; now < 60000; now += 2) {
        budget_deposit(&budget, &RULE, now);
        first++;
        for (int retry = 0; retry < 2; retry++)
            extra += budget_withdraw(&budget, &RULE, now) ? 1 : 0;
    }
    assert_true(extra <= 100 + first / 5 + 10 * 60);
    assert_true(extra >= first / 5); /* and what is allowed is given */
}

static void whoever_waits_until_next_gets_one(void **state)
{
    (void)state;
    struct budget budget;
    budget_init(&budget, &RULE, 0);
    drain(&budget, &RULE, 0);
    for (instant_ms now = 0; now < 100000;) {
        instant_ms next = budget_next(&budget, &RULE, now);
        assert_true(next > now && next <= now + 100);
        assert_false(budget_withdraw(&budget, &RULE, next - 1));
        assert_true(budget_withdraw(&budget, &RULE, next));
        now = next;
    }
    struct budget_rule bare = {20, 0, 1};
    budget_init(&budget, &bare, 0);
    assert_int_equal(budget_next(&budget, &bare, 5), 5);
    assert_true(budget_withdraw(&budget, &bare, 5));
    assert_true(budget_next(&budget, &bare, 5) == INSTANT_NEVER);
}

/* envoy-mobile#811: retries take the place of first calls, and the budget shrinks with them. */
static void retries_neither_feed_nor_shrink_it(void **state)
{
    (void)state;
    struct budget_rule rule = {20, 0, 1000};
    struct budget budget;
    budget_init(&budget, &rule, 0);
    drain(&budget, &rule, 0);
    for (int i = 0; i < 500; i++)
        budget_deposit(&budget, &rule, 0);
    for (uint32_t left = 100; left > 0; left--) {
        assert_int_equal(budget_left(&budget, &rule, 0), left);
        assert_true(budget_withdraw(&budget, &rule, 0));
    }
    assert_false(budget_withdraw(&budget, &rule, 0));
}

/* Over any stretch that ends now, by the caller's own books. */
static void no_schedule_exceeds_it(void **state)
{
    (void)state;
    enum { MOVES = 3000 };
    static struct {
        instant_ms at;
        bool is_first;
    } calls[MOVES];
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct random random = {seed};
        struct budget_rule rule = {(uint32_t)random_up_to(&random, 99) + 1,
                                   (uint32_t)random_up_to(&random, 20),
                                   (uint32_t)random_up_to(&random, 50) + 1};
        struct budget budget;
        instant_ms now = 1000;
        size_t count = 0;
        budget_init(&budget, &rule, now);
        while (count < MOVES) {
            now += (instant_ms)random_up_to(&random, 3) * (instant_ms)random_up_to(&random, 40);
            bool is_first = random_up_to(&random, 2) == 0;
            if (is_first)
                budget_deposit(&budget, &rule, now);
            else if (!budget_withdraw(&budget, &rule, now))
                continue;
            calls[count].at = now;
            calls[count++].is_first = is_first;
            if (count % 97 != 0)
                continue;
            uint64_t extra = 0;
            uint64_t allowed = (uint64_t)rule.burst * 1000;
            for (size_t i = count; i-- > 0;) {
                extra += calls[i].is_first ? 0 : 1000;
                allowed += calls[i].is_first ? (uint64_t)rule.percent * 10 : 0;
                uint64_t floor = (uint64_t)(now - calls[i].at) * rule.floor_per_s;
                assert_true(extra <= allowed + floor);
            }
        }
    }
}

static void a_clock_that_steps_back_fills_nothing(void **state)
{
    (void)state;
    struct budget budget;
    budget_init(&budget, &RULE, 1000000);
    drain(&budget, &RULE, 1000000);
    for (int i = 0; i < 100; i++)
        assert_false(budget_withdraw(&budget, &RULE, i % 2 == 0 ? 5010 : 5000));
    assert_true(budget_withdraw(&budget, &RULE, 5110));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_share_of_first_calls_and_a_floor),
        cmocka_unit_test(an_outage_is_not_multiplied),
        cmocka_unit_test(whoever_waits_until_next_gets_one),
        cmocka_unit_test(retries_neither_feed_nor_shrink_it),
        cmocka_unit_test(no_schedule_exceeds_it),
        cmocka_unit_test(a_clock_that_steps_back_fills_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
