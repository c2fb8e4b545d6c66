/*
 * test_latency.c - percentiles against a sorted list.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/random.h"
#include "policy/policy.h"

static int compare(const void *a, const void *b)
{
    duration_ms left = *(const duration_ms *)a;
    duration_ms right = *(const duration_ms *)b;
    return (left > right) - (left < right);
}

static void it_is_never_too_short_and_at_most_a_quarter_too_long(void **state)
{
    (void)state;
    enum { CALLS = 1500 };
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct latency latency = {0};
        struct random random = {seed};
        duration_ms took[CALLS];
        for (size_t i = 0; i < CALLS; i++) {
            took[i] = (duration_ms)random_up_to(&random, UINT64_C(1) << seed % 23);
            latency_record(&latency, took[i]);
        }
        qsort(took, CALLS, sizeof *took, compare);
        for (uint32_t percent = 1; percent < 100; percent++) {
            duration_ms exact = took[(CALLS * percent + 99) / 100 - 1];
            duration_ms told = latency_percentile(&latency, percent);
            assert_true(told >= exact && told <= exact + exact / 4 + 1);
        }
    }
}

static void too_few_calls_say_nothing(void **state)
{
    (void)state;
    struct latency latency = {0};
    for (int i = 0; i < LATENCY_CALLS_MIN; i++) {
        assert_int_equal(latency_percentile(&latency, 50), -1);
        latency_record(&latency, 3);
    }
    assert_int_equal(latency_percentile(&latency, 50), 3);
}

static void what_is_old_counts_for_less(void **state)
{
    (void)state;
    struct latency latency = {0};
    for (int i = 0; i < 100000; i++)
        latency_record(&latency, 1000);
    for (int i = 0; i < 5000; i++)
        latency_record(&latency, 3);
    assert_int_equal(latency_percentile(&latency, 50), 3);
    latency_record(&latency, INT64_MAX); /* the last bucket has no end */
    latency_record(&latency, -5);
    assert_true(latency.calls <= LATENCY_CALLS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_never_too_short_and_at_most_a_quarter_too_long),
        cmocka_unit_test(too_few_calls_say_nothing),
        cmocka_unit_test(what_is_old_counts_for_less),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
