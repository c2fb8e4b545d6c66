/*
 * test_breaker_rules.c - what a rule can ask of a breaker beside failures in a time: windows of
 * calls, slow calls, a share to close, a person's word and a server's.
 */
#include "breaker_moves.h"

#include "base/random.h"

/* resilience4j's FixedSizeSlidingWindow: the last so many calls, and none before them. */
static void a_window_of_calls_forgets_by_calls(void **state)
{
    (void)state;
    struct breaker_rule rule = BASE_RULE;
    rule.window_calls = 5;
    rule.minimum = 100; /* the window's size decides */
    rule.failures_percent = 60;
    PLAY(&rule, {0, '-', 0, C}, {10, '-', 0, C}, {20, '-', 0, C}, {90000, '+', 0, C},
         {99000, '+', 0, O});
    PLAY(&rule, {0, '+', 0, C}, {0, '-', 0, C}, {0, '+', 0, C}, {0, '-', 0, C}, {0, '+', 0, C},
         {0, '+', 0, C}, {0, '+', 0, C}, {0, '-', 0, C}, {0, '-', 0, C}, {0, '-', 0, O});
}

/* Against a list of all calls; above ten calls a tenth of the window leaves it at once. */
static void a_window_of_calls_counts_what_a_list_would(void **state)
{
    (void)state;
    enum { CALLS = 2000 };
    static const uint32_t SIZES[] = {1, 2, 3, 5, 9, 10, 20, 50, 100};
    for (size_t size = 0; size < sizeof SIZES / sizeof *SIZES; size++) {
        struct breaker_rule rule = BASE_RULE;
        struct breaker breaker;
        struct breaker_permit permit;
        struct random random = {size};
        bool failed[CALLS];
        uint32_t tenth = SIZES[size] <= 10 ? 1 : SIZES[size] / 10;
        rule.window_calls = SIZES[size];
        rule.mode = BREAKER_MODE_OBSERVE;
        breaker_init(&breaker, 0);
        for (uint32_t i = 0; i < CALLS; i++) {
            failed[i] = random_up_to(&random, 2) == 0;
            assert_true(breaker_allow(&breaker, &rule, i, LEASE_MS, &permit));
            breaker_record(&breaker, &rule, i, &permit,
                           failed[i] ? BREAKER_FAILURE : BREAKER_SUCCESS);
            uint32_t counted = SIZES[size] - tenth + 1 + i % tenth;
            counted = counted > i + 1 ? i + 1 : counted;
            uint32_t failures = 0;
            for (uint32_t j = i + 1 - counted; j <= i; j++)
                failures += failed[j] ? 1 : 0;
            struct breaker_view view = breaker_view(&breaker, &rule, i);
            assert_int_equal(view.calls, counted);
            assert_int_equal(view.failures, failures);
        }
    }
}

static void slow_calls_open_it_too(void **state)
{
    (void)state;
    static const struct {
        duration_ms slow_ms;
        uint32_t slow_percent;
        duration_ms took_ms;
        enum breaker_result result;
        enum breaker_result timed;
        enum breaker_state after; /* ten such calls, five quick successes among them */
    } ROWS[] = {
        {0, 50, 90000, BREAKER_SUCCESS, BREAKER_SUCCESS, C},
        {2000, 50, 2000, BREAKER_SUCCESS, BREAKER_SUCCESS, C},
        {2000, 50, 2001, BREAKER_SUCCESS, BREAKER_SLOW, O},
        {2000, 51, 2001, BREAKER_SUCCESS, BREAKER_SLOW, C},
        {2000, 0, 2001, BREAKER_SUCCESS, BREAKER_SLOW, C},
        {2000, 100, 2001, BREAKER_FAILURE, BREAKER_SLOW_FAILURE, O}, /* by its failures */
        {2000, 50, 2001, BREAKER_NEUTRAL, BREAKER_NEUTRAL, C},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct breaker_rule rule = BASE_RULE;
        struct breaker breaker;
        struct breaker_permit permit;
        rule.minimum = 10;
        rule.slow_ms = ROWS[i].slow_ms;
        rule.slow_percent = ROWS[i].slow_percent;
        breaker_init(&breaker, 0);
        enum breaker_result timed =
            breaker_result_timed(&rule, ROWS[i].result, ROWS[i].took_ms);
        assert_int_equal(timed, ROWS[i].timed);
        for (int call = 0; call < 10; call++) {
            assert_true(breaker_allow(&breaker, &rule, call, LEASE_MS, &permit));
            breaker_record(&breaker, &rule, call, &permit,
                           call % 2 == 0 ? BREAKER_SUCCESS : timed);
        }
        if (breaker_state(&breaker, 10) != ROWS[i].after)
            fail_msg("row %zu", i);
    }
}

static void slow_probes_do_not_close_it(void **state)
{
    (void)state;
    struct breaker_rule rule = BASE_RULE;
    struct breaker breaker;
    struct breaker_permit permit;
    rule.slow_ms = 100;
    rule.slow_percent = 60;
    breaker_init(&breaker, 0);
    for (int call = 0; call < 4; call++) {
        assert_true(breaker_allow(&breaker, &rule, 0, LEASE_MS, &permit));
        breaker_record(&breaker, &rule, 0, &permit, BREAKER_FAILURE);
    }
    for (int probe = 0; probe < 2; probe++) {
        assert_int_equal(breaker_state(&breaker, 2000), H);
        assert_true(breaker_allow(&breaker, &rule, 2000, LEASE_MS, &permit));
        breaker_record(&breaker, &rule, 2000, &permit, BREAKER_SLOW);
    }
    assert_int_equal(breaker_state(&breaker, 2000), O); /* two of three */
}

/* Polly#239, #2381: closing asks for a share of successes of its own. */
static void a_share_of_probes_closes_it(void **state)
{
    (void)state;
    for (uint32_t p = 0; p < 101 * 6; p++) {
        struct breaker_rule rule = BASE_RULE;
        struct breaker breaker;
        struct breaker_permit permit;
        rule.close_percent = p % 101;
        rule.probes = p / 101 + 1;
        rule.minimum = 1;
        if (rule.close_percent == 0)
            continue;
        for (uint32_t failures = 0; failures <= rule.probes; failures++) {
            breaker_init(&breaker, 0);
            assert_true(breaker_allow(&breaker, &rule, 0, LEASE_MS, &permit));
            breaker_record(&breaker, &rule, 0, &permit, BREAKER_FAILURE);
            for (uint32_t i = 0; i < rule.probes && breaker_state(&breaker, 2000) == H; i++) {
                assert_true(breaker_allow(&breaker, &rule, 2000, LEASE_MS, &permit));
                breaker_record(&breaker, &rule, 2000, &permit,
                               i < failures ? BREAKER_FAILURE : BREAKER_SUCCESS);
            }
            bool closes = (rule.probes - failures) * 100 >= rule.close_percent * rule.probes;
            assert_int_equal(breaker_state(&breaker, 2000), closes ? C : O);
        }
    }
}

static void a_person_decides_against_the_breaker(void **state)
{
    (void)state;
    struct breaker_rule rule = BASE_RULE;
    struct breaker breaker;
    struct breaker_permit permit;
    breaker_init(&breaker, 0);
    rule.mode = BREAKER_MODE_OPEN;
    for (instant_ms now = 0; now < 1000000; now += 1000)
        assert_false(breaker_allow(&breaker, &rule, now, LEASE_MS, &permit));
    static const enum breaker_mode MODES[] = {BREAKER_MODE_OBSERVE, BREAKER_MODE_CLOSED};
    for (int i = 0; i < 2; i++) {
        rule.mode = MODES[i];
        for (int call = 0; call < 1000; call++) {
            assert_true(breaker_allow(&breaker, &rule, 1000000, LEASE_MS, &permit));
            breaker_record(&breaker, &rule, 1000000, &permit, BREAKER_FAILURE);
        }
        assert_int_equal(breaker_view(&breaker, &rule, 1000000).calls, 1000);
    }
    rule.mode = BREAKER_MODE_AUTO; /* and then it goes by what it counted */
    assert_true(breaker_allow(&breaker, &rule, 1000000, LEASE_MS, &permit));
    breaker_record(&breaker, &rule, 1000000, &permit, BREAKER_FAILURE);
    assert_int_equal(breaker_state(&breaker, 1000000), O);
    rule.mode = BREAKER_MODE_CLOSED; /* out of an open one too */
    assert_true(breaker_allow(&breaker, &rule, 1000001, LEASE_MS, &permit));
    assert_int_equal(breaker_state(&breaker, 1000001), C);
}

static void a_server_that_says_when_is_believed(void **state)
{
    (void)state;
    static const struct {
        duration_ms wait_ms;
        instant_ms next;
    } ROWS[] = {{-1, 2000}, {0, 2000}, {500, 2000}, {5000, 5000}, {90000, 30000}};
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct breaker breaker;
        struct breaker_permit permit;
        breaker_init(&breaker, 0);
        for (int call = 0; call < 4; call++) {
            assert_true(breaker_allow(&breaker, &BASE_RULE, 0, LEASE_MS, &permit));
            breaker_record(&breaker, &BASE_RULE, 0, &permit, BREAKER_FAILURE);
            breaker_push_back(&breaker, &BASE_RULE, 0, ROWS[i].wait_ms);
        }
        assert_int_equal(breaker_next(&breaker, &BASE_RULE, 0), ROWS[i].next);
        assert_false(breaker_allow(&breaker, &BASE_RULE, ROWS[i].next - 1, LEASE_MS, &permit));
        assert_true(breaker_allow(&breaker, &BASE_RULE, ROWS[i].next, LEASE_MS, &permit));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_window_of_calls_forgets_by_calls),
        cmocka_unit_test(a_window_of_calls_counts_what_a_list_would),
        cmocka_unit_test(slow_calls_open_it_too),
        cmocka_unit_test(slow_probes_do_not_close_it),
        cmocka_unit_test(a_share_of_probes_closes_it),
        cmocka_unit_test(a_person_decides_against_the_breaker),
        cmocka_unit_test(a_server_that_says_when_is_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
