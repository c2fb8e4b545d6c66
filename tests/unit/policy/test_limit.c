/*
 * test_limit.c - never more running than the rule, never more waiting, nobody overtakes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "policy/policy.h"

/* A string of moves and answers: 'g' 'q' 'r' enters and is let go, queued or refused; 'l'
 * leaves; 'n' the next of the queue goes; '.' nobody is next; 'a' one gives up waiting. */
static void play(struct limit_rule rule, const char *moves)
{
    static const char ANSWERS[] = {[LIMIT_GO] = 'g', [LIMIT_QUEUE] = 'q', [LIMIT_REFUSE] = 'r'};
    struct limit limit = {0};
    for (const char *move = moves; *move != '\0'; move++) {
        if (*move == 'l')
            limit_leave(&limit);
        else if (*move == 'a')
            limit_abandon(&limit);
        else if (*move == 'n' || *move == '.')
            assert_int_equal(limit_next(&limit, &rule), *move == 'n');
        else
            assert_int_equal(ANSWERS[limit_enter(&limit, &rule)], *move);
    }
}

static void calls_go_then_queue_then_are_refused(void **state)
{
    (void)state;
    static const struct {
        struct limit_rule rule;
        const char *moves;
    } ROWS[] = {
        {{1, 0}, "grl.grr"},    {{2, 1}, "ggqrln.qrln.lg"}, {{2, 3}, "ggqqqrlnq.r"},
        {{1, 2}, "gqlqr"},      /* the free place is for the one that waits */
        {{1, 2}, "gqlqn.qrln"}, /* … who goes first */
        {{1, 1}, "gqral.g"},    {{3, 1}, "gggqrallgglll."},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        play(ROWS[i].rule, ROWS[i].moves);
}

static void a_raised_rule_lets_the_queue_go(void **state)
{
    (void)state;
    struct limit limit = {0};
    struct limit_rule rule = {1, 5};
    assert_int_equal(limit_enter(&limit, &rule), LIMIT_GO);
    for (int i = 0; i < 5; i++)
        assert_int_equal(limit_enter(&limit, &rule), LIMIT_QUEUE);
    rule.concurrency = 4;
    assert_int_equal(limit_free(&limit, &rule), 0);
    assert_true(limit_next(&limit, &rule));
    assert_true(limit_next(&limit, &rule));
    assert_true(limit_next(&limit, &rule));
    assert_false(limit_next(&limit, &rule));
    assert_int_equal(limit.running, 4);
    assert_int_equal(limit.queued, 2);
    rule.concurrency = 1; /* and a lowered one stops nobody, but lets nobody in */
    limit_leave(&limit);
    assert_false(limit_next(&limit, &rule));
    assert_int_equal(limit_free(&limit, &rule), 0);
}

static void no_schedule_exceeds_a_bound(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct random random = {seed};
        struct limit limit = {0};
        struct limit_rule rule = {(uint32_t)random_up_to(&random, 9) + 1,
                                  (uint32_t)random_up_to(&random, 10)};
        uint32_t entered = 0;
        uint32_t left = 0;
        for (int i = 0; i < 2000; i++) {
            uint64_t dice = random_up_to(&random, 99);
            if (dice < 50)
                entered += limit_enter(&limit, &rule) == LIMIT_REFUSE ? 0 : 1;
            else if (dice < 90 && limit.running > 0) {
                limit_leave(&limit);
                left++;
                while (limit_next(&limit, &rule))
                    continue;
            } else if (limit.queued > 0) {
                limit_abandon(&limit);
                left++;
            }
            assert_true(limit.running <= rule.concurrency);
            assert_true(limit.queued <= rule.queue);
            assert_true(limit.queued == 0 || limit.running == rule.concurrency);
            assert_int_equal(limit.running + limit.queued, entered - left);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_go_then_queue_then_are_refused),
        cmocka_unit_test(a_raised_rule_lets_the_queue_go),
        cmocka_unit_test(no_schedule_exceeds_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
