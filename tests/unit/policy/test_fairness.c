/*
 * test_fairness.c - turns of classes: as their weights say, and never never.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "policy/policy.h"

enum { HIGH = 1 << PRIORITY_HIGH, NORMAL = 1 << PRIORITY_NORMAL, LOW = 1 << PRIORITY_LOW };

static void turns_are_as_the_weights(void **state)
{
    (void)state;
    static const struct {
        uint32_t waiting;
        uint32_t turns[PRIORITY_COUNT]; /* of 420 */
    } ROWS[] = {
        {HIGH, {420, 0, 0}},
        {LOW, {0, 0, 420}},
        {HIGH | NORMAL, {336, 84, 0}},
        {NORMAL | LOW, {0, 336, 84}},
        {HIGH | NORMAL | LOW, {320, 80, 20}},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct fairness fairness = {0};
        uint32_t turns[PRIORITY_COUNT] = {0};
        for (int turn = 0; turn < 420; turn++)
            turns[fairness_pick(&fairness, ROWS[i].waiting)]++;
        assert_memory_equal(turns, ROWS[i].turns, sizeof turns);
    }
}

static void the_first_turn_is_the_highest_class(void **state)
{
    (void)state;
    struct fairness fairness = {0};
    assert_int_equal(fairness_pick(&fairness, HIGH | NORMAL | LOW), PRIORITY_HIGH);
    fairness = (struct fairness){0};
    assert_int_equal(fairness_pick(&fairness, NORMAL | LOW), PRIORITY_NORMAL);
}

static void nobody_starves(void **state)
{
    (void)state;
    struct fairness fairness = {0};
    struct random random = {3};
    int waited[PRIORITY_COUNT] = {0};
    for (int turn = 0; turn < 100000; turn++) {
        uint32_t waiting = LOW | (uint32_t)random_up_to(&random, 7);
        enum priority picked = fairness_pick(&fairness, waiting);
        assert_true((waiting >> picked & 1) != 0);
        for (int i = 0; i < PRIORITY_COUNT; i++)
            waited[i] = (waiting >> i & 1) == 0 || i == (int)picked ? 0 : waited[i] + 1;
        assert_true(waited[PRIORITY_LOW] <= 42 && waited[PRIORITY_HIGH] <= 2);
    }
}

static void names_find_their_class(void **state)
{
    (void)state;
    enum priority priority = PRIORITY_COUNT;
    for (int i = 0; i < PRIORITY_COUNT; i++) {
        assert_true(priority_find(span_from_text(priority_name((enum priority)i)), &priority));
        assert_int_equal(priority, i);
    }
    assert_false(priority_find(SPAN("urgent"), &priority));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turns_are_as_the_weights),
        cmocka_unit_test(the_first_turn_is_the_highest_class),
        cmocka_unit_test(nobody_starves),
        cmocka_unit_test(names_find_their_class),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
