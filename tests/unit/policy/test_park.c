/*
 * test_park.c - a thousand wait; the breaker's probes are woken, the longest waiting first.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/random.h"
#include "policy/policy.h"

enum { WAITING = 1000, LEASE_MS = 1000 };

static const struct breaker_rule RULE = {
    .window_ms = 10000,
    .failures_percent = 50,
    .minimum = 1,
    .open_ms = 2000,
    .open_max_ms = 2000,
    .probes = 10,
    .ramp_ms = 1000,
    .counted = ERROR_KINDS_INFRASTRUCTURE,
};

static int compare(const void *a, const void *b)
{
    return park_compare(*(const struct parked *)a, *(const struct parked *)b);
}

static void who_parked_first_goes_first(void **state)
{
    (void)state;
    struct parked parked[WAITING];
    struct random random = {3};
    for (size_t i = 0; i < WAITING; i++)
        parked[i] = (struct parked){(instant_ms)random_up_to(&random, 20), i};
    qsort(parked, WAITING, sizeof *parked, compare);
    for (size_t i = 1; i < WAITING; i++) {
        assert_true(parked[i - 1].at <= parked[i].at);
        assert_true(parked[i - 1].at < parked[i].at ||
                    parked[i - 1].sequence < parked[i].sequence);
        assert_true(park_compare(parked[i], parked[i - 1]) > 0);
        assert_int_equal(park_compare(parked[i], parked[i]), 0);
    }
}

static void nobody_is_woken_while_open_and_probes_when_it_ends(void **state)
{
    (void)state;
    struct breaker breaker;
    struct breaker_permit permits[10];
    struct breaker_permit refused;
    breaker_init(&breaker, 0);
    assert_int_equal(park_quota(&breaker, &RULE, 0), PARK_QUOTA_ALL);
    assert_true(breaker_allow(&breaker, &RULE, 0, LEASE_MS, &permits[0]));
    breaker_record(&breaker, &RULE, 0, &permits[0], BREAKER_FAILURE);
    assert_int_equal(park_quota(&breaker, &RULE, 1999), 0);
    assert_int_equal(park_quota(&breaker, &RULE, 2000), 10);
    for (uint32_t i = 0; i < 10; i++) {
        assert_true(breaker_allow(&breaker, &RULE, 2000, LEASE_MS, &permits[i]));
        assert_int_equal(park_quota(&breaker, &RULE, 2000), 9 - i);
    }
    assert_false(breaker_allow(&breaker, &RULE, 2000, LEASE_MS, &refused));
    breaker_record(&breaker, &RULE, 2001, &permits[0], BREAKER_NEUTRAL);
    assert_int_equal(park_quota(&breaker, &RULE, 2001), 1);
    assert_true(breaker_allow(&breaker, &RULE, 2001, LEASE_MS, &permits[0]));
    for (uint32_t i = 0; i < 10; i++)
        breaker_record(&breaker, &RULE, 2100, &permits[i], BREAKER_SUCCESS);
    assert_int_equal(park_quota(&breaker, &RULE, 2100),
                     10); /* of which the ramp takes a share */
    assert_int_equal(park_quota(&breaker, &RULE, 3099), 10);
    assert_int_equal(park_quota(&breaker, &RULE, 3100), PARK_QUOTA_ALL);
}

/* An outage with a thousand waiting: asked at each next moment, as an engine does. In no
 * instant before it closes are there more calls out than probes, all go in their order, all go.
 */
static void a_backlog_drains_in_order_and_never_as_a_crowd(void **state)
{
    (void)state;
    struct breaker breaker;
    struct breaker_permit permits[WAITING];
    instant_ms now = 0;
    size_t head = 0;
    breaker_init(&breaker, 0);
    assert_true(breaker_allow(&breaker, &RULE, 0, LEASE_MS, &permits[0]));
    breaker_record(&breaker, &RULE, 0, &permits[0], BREAKER_FAILURE);
    while (head < WAITING) {
        instant_ms next = breaker_next(&breaker, &RULE, now);
        now = next > now ? next : now + 1;
        bool is_closed = breaker_share_percent(&breaker, &RULE, now) == 100;
        uint32_t quota = park_quota(&breaker, &RULE, now);
        size_t from = head;
        while (quota-- > 0 && head < WAITING &&
               breaker_allow(&breaker, &RULE, now, LEASE_MS, &permits[head]))
            head++;
        assert_true(head - from <= RULE.probes || is_closed);
        for (size_t i = from; i < head; i++) /* down until 7 s */
            breaker_record(&breaker, &RULE, now, &permits[i],
                           now < 7000 ? BREAKER_FAILURE : BREAKER_SUCCESS);
        assert_true(now < 20000);
    }
    assert_true(now >= 7000);
}

static void waiting_ends_at_its_maximum(void **state)
{
    (void)state;
    struct parked parked = {.at = 1000, .sequence = 1};
    assert_int_equal(park_until(parked, 500), 1500);
    assert_false(park_is_over(parked, 500, 1499));
    assert_true(park_is_over(parked, 500, 1500));
    assert_true(park_until(parked, INT64_MAX) == INSTANT_NEVER);
    assert_false(park_is_over(parked, INT64_MAX, (instant_ms)1 << 60));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_parked_first_goes_first),
        cmocka_unit_test(nobody_is_woken_while_open_and_probes_when_it_ends),
        cmocka_unit_test(a_backlog_drains_in_order_and_never_as_a_crowd),
        cmocka_unit_test(waiting_ends_at_its_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
