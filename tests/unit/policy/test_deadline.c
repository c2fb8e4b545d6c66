/*
 * test_deadline.c - time that runs, time that stands still, and none that is lost or gained.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "policy/policy.h"

static void it_runs_and_stands_still_while_parked(void **state)
{
    (void)state;
    static const struct {
        instant_ms at;
        char what; /* 'p'ark, 'r'esume, or ' ' look */
        duration_ms left_ms;
    } ROWS[] = {
        {1000, ' ', 5000},   {1001, ' ', 4999},   {3000, 'p', 3000},   {99000, ' ', 3000},
        {99000, 'p', 3000}, /* again: nothing */
        {100000, 'r', 3000}, {100500, 'r', 2500}, {101000, ' ', 2000}, {102999, ' ', 1},
        {103000, ' ', 0},    {104000, 'p', 0},    {200000, 'r', 0},    {200001, ' ', 0},
    };
    struct deadline deadline;
    deadline_start(&deadline, 5000, 1000);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        if (ROWS[i].what == 'p')
            deadline_park(&deadline, ROWS[i].at);
        if (ROWS[i].what == 'r')
            deadline_resume(&deadline, ROWS[i].at);
        if (deadline_left_ms(&deadline, ROWS[i].at) != ROWS[i].left_ms)
            fail_msg("row %zu: %lld left", i,
                     (long long)deadline_left_ms(&deadline, ROWS[i].at));
        assert_int_equal(deadline_is_expired(&deadline, ROWS[i].at), ROWS[i].left_ms == 0);
        if (!deadline.standing && ROWS[i].left_ms > 0)
            assert_int_equal(deadline_at(&deadline), ROWS[i].at + ROWS[i].left_ms);
        if (deadline.standing)
            assert_true(deadline_at(&deadline) == INSTANT_NEVER);
    }
}

static void an_attempt_gets_no_more_than_what_is_left(void **state)
{
    (void)state;
    struct deadline deadline;
    deadline_start(&deadline, 5000, 0);
    assert_int_equal(deadline_timeout_ms(&deadline, 2000, 0), 2000);
    assert_int_equal(deadline_timeout_ms(&deadline, 2000, 3000), 2000);
    assert_int_equal(deadline_timeout_ms(&deadline, 2000, 3001), 1999);
    assert_int_equal(deadline_timeout_ms(&deadline, 2000, 9000), 0);
}

static void the_largest_deadline_never_overflows(void **state)
{
    (void)state;
    struct deadline deadline;
    deadline_start(&deadline, INT64_MAX, 1000);
    assert_true(deadline_at(&deadline) == INSTANT_NEVER);
    assert_true(deadline_left_ms(&deadline, INT64_MAX) == 1000);
}

static void time_that_steps_back_gives_nothing_back(void **state)
{
    (void)state;
    struct deadline deadline;
    deadline_start(&deadline, 1000, 5000);
    assert_int_equal(deadline_left_ms(&deadline, 100), 1000);
    deadline_park(&deadline, 5400);
    deadline_resume(&deadline, 4000);
    assert_int_equal(deadline_left_ms(&deadline, 3000), 600);
    assert_int_equal(deadline_left_ms(&deadline, 4600), 0);
}

static void no_schedule_loses_or_gains_time(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct random random = {seed};
        struct deadline deadline;
        duration_ms total = (duration_ms)random_up_to(&random, 100000);
        duration_ms ran = 0;
        instant_ms now = (instant_ms)random_up_to(&random, 1000);
        bool standing = false;
        deadline_start(&deadline, total, now);
        for (int i = 0; i < 300; i++) {
            duration_ms step = (duration_ms)random_up_to(&random, 700);
            now += step;
            ran += standing ? 0 : step;
            uint64_t dice = random_up_to(&random, 2);
            if (dice == 0) {
                deadline_park(&deadline, now);
                standing = true;
            } else if (dice == 1) {
                deadline_resume(&deadline, now);
                standing = false;
            }
            duration_ms left = ran < total ? total - ran : 0;
            assert_int_equal(deadline_left_ms(&deadline, now), left);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_runs_and_stands_still_while_parked),
        cmocka_unit_test(an_attempt_gets_no_more_than_what_is_left),
        cmocka_unit_test(the_largest_deadline_never_overflows),
        cmocka_unit_test(time_that_steps_back_gives_nothing_back),
        cmocka_unit_test(no_schedule_loses_or_gains_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
