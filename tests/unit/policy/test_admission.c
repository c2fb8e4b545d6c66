/*
 * test_admission.c - what is refused at the door and in the client, and that it ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "policy/policy.h"

static const struct admission_rule DOOR = {.target_ms = 5, .interval_ms = 100};

static bool ask(struct admission *admission, instant_ms now, duration_ms delay_ms,
                enum priority priority)
{
    return admission_allow(admission, &DOOR, now, delay_ms, priority);
}

/* folly's CodelTest: a burst passes, a queue that stands is shed, and one good moment ends it.
 */
static void a_burst_is_no_queue_that_stands(void **state)
{
    (void)state;
    struct admission admission = {0};
    for (instant_ms now = 1000; now < 1100; now++) /* long, but empty for a moment */
        assert_true(ask(&admission, now, now == 1050 ? 0 : 500, PRIORITY_LOW));
    for (instant_ms now = 1100; now < 1200; now++)
        assert_true(ask(&admission, now, 50, PRIORITY_LOW));
    for (instant_ms now = 1200; now < 1300; now++) /* it has stood for an interval */
        assert_false(ask(&admission, now, now == 1250 ? 11 : 50, PRIORITY_LOW));
    assert_true(ask(&admission, 1299, 3, PRIORITY_LOW));
    assert_true(ask(&admission, 1300, 50, PRIORITY_LOW)); /* the last was short for a moment */
}

static void low_work_is_refused_first_and_high_work_never(void **state)
{
    (void)state;
    static const struct {
        duration_ms delay_ms;
        enum priority priority;
        bool allowed;
    } ROWS[] = {
        {10, PRIORITY_LOW, true},     {11, PRIORITY_LOW, false},    {11, PRIORITY_NORMAL, true},
        {20, PRIORITY_NORMAL, true},  {21, PRIORITY_NORMAL, false}, {21, PRIORITY_HIGH, true},
        {90000, PRIORITY_HIGH, true},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct admission admission = {0};
        for (instant_ms now = 1000; now <= 1100; now += 50)
            ask(&admission, now, 60, PRIORITY_HIGH);
        if (ask(&admission, 1110, ROWS[i].delay_ms, ROWS[i].priority) != ROWS[i].allowed)
            fail_msg("row %zu", i);
        assert_int_equal(admission_retry_ms(&admission, &DOOR), 100);
    }
}

static void what_stood_long_ago_stands_no_more(void **state)
{
    (void)state;
    struct admission admission = {0};
    struct admission_rule off = {0, 100};
    for (instant_ms now = 1000; now < 1300; now += 10)
        ask(&admission, now, 500, PRIORITY_HIGH);
    assert_false(ask(&admission, 1300, 500, PRIORITY_LOW));
    assert_true(ask(&admission, 1900, 500, PRIORITY_LOW));
    assert_true(admission_allow(&admission, &off, 1901, 90000, PRIORITY_LOW));
}

static const struct throttle_rule CLIENT = {
    .window_ms = 120000, .k_percent = 200, .rejects_percent = 95};

/* failsafe-go's adaptivethrottler_test: 120 requests, 90 accepted, K = 1/0.9: 20/121. */
static void the_share_is_what_the_formula_says(void **state)
{
    (void)state;
    static const struct {
        uint32_t requests;
        uint32_t accepts;
        uint32_t k_percent;
        double share;
    } ROWS[] = {
        {0, 0, 200, 0},     {100, 100, 200, 0},           {100, 50, 200, 0},
        {100, 0, 200, .95}, {100, 25, 200, 50.0 / 101.0}, {120, 90, 111, 20.1 / 121.0},
        {9, 0, 100, 0.9},   {100, 40, 110, 56.0 / 101.0},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct throttle_rule rule = {120000, ROWS[i].k_percent, 95};
        struct throttle throttle = {0};
        struct random random = {1};
        for (uint32_t n = 0; n < ROWS[i].requests; n++)
            throttle_allow(&throttle, &rule, 1000, &random);
        for (uint32_t n = 0; n < ROWS[i].accepts; n++)
            throttle_accept(&throttle, &rule, 1000);
        assert_true(throttle_share(&throttle, &rule) - ROWS[i].share < 1e-9 &&
                    throttle_share(&throttle, &rule) - ROWS[i].share > -1e-9);
    }
}

/* As Envoy's admission_control tests: most calls of an outage stay here, and when it is over
 * all go again: each window lets twice through what was accepted in the one before. */
static void an_outage_is_spared_most_calls_and_forgotten(void **state)
{
    (void)state;
    struct throttle throttle = {0};
    struct random random = {7};
    uint32_t sent = 0;
    for (instant_ms now = 0; now < 900000; now++) {
        bool goes = throttle_allow(&throttle, &CLIENT, now, &random);
        bool is_down = now >= 150000 && now < 300000;
        if (goes && !is_down)
            throttle_accept(&throttle, &CLIENT, now);
        sent += goes && now >= 280000 && is_down ? 1 : 0;
        if (now < 150000 || now > 300000 + 480000)
            assert_true(goes);
    }
    assert_in_range(sent, 20000 * 3 / 100, 20000 * 8 / 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_is_no_queue_that_stands),
        cmocka_unit_test(low_work_is_refused_first_and_high_work_never),
        cmocka_unit_test(what_stood_long_ago_stands_no_more),
        cmocka_unit_test(the_share_is_what_the_formula_says),
        cmocka_unit_test(an_outage_is_spared_most_calls_and_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
