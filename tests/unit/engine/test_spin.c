/*
 * test_spin.c - timers without a delay: who goes round in circles is stopped, and nobody else.
 */
#include "rig.h"

static const char ring[] = "{\"id\":\"m\",\"version\":\"1\",\"initial\":\"A\",\"states\":{"
                           "\"A\":{\"after\":{\"0\":\"B\"}},\"B\":{\"after\":{\"0\":\"A\"}}}}";

static const char sends[] =
    "{\"id\":\"m\",\"version\":\"1\",\"initial\":\"A\",\"states\":{\"A\":{"
    "\"entry\":[{\"raise\":\"TICK\",\"delay\":0}],"
    "\"on\":{\"TICK\":{\"actions\":[{\"send\":\"TICK\",\"delay\":0}]}}}}}";

/* The ring is one of two regions; the other waits as it should. */
static const char ring_beside_a_poll[] =
    "{\"id\":\"m\",\"version\":\"1\",\"type\":\"parallel\",\"states\":{"
    "\"R\":{\"initial\":\"A\",\"states\":{\"A\":{\"after\":{\"0\":\"B\"}},"
    " \"B\":{\"entry\":[{\"raise\":\"NOTHING\",\"delay\":0}],\"after\":{\"0\":\"A\"}}}},"
    "\"P\":{\"initial\":\"A\",\"states\":{\"A\":{\"entry\":[{\"raise\":\"ALSO\",\"delay\":0}],"
    " \"after\":{\"1\":\"B\"}},\"B\":{\"after\":{\"1\":\"A\"}}}}}}";

/* Parent and child hand a timer on to each other. */
static const char ring_of_two[] =
    "{\"id\":\"m\",\"version\":\"1\",\"machines\":{\"other\":{\"version\":\"1\",\"initial\":"
    "\"A\","
    " \"states\":{\"A\":{\"on\":{\"YOU\":\"B\"}},"
    "  "
    "\"B\":{\"after\":{\"0\":{\"target\":\"A\",\"actions\":[{\"send\":\"ME\",\"to\":\"#_"
    "parent\"}]}}}}}},"
    "\"initial\":\"I\",\"states\":{\"I\":{\"invoke\":{\"src\":\"other\",\"id\":\"x\"},"
    " \"initial\":\"A\",\"states\":{"
    "  "
    "\"A\":{\"after\":{\"0\":{\"target\":\"B\",\"actions\":[{\"send\":\"YOU\",\"to\":\"x\"}]}}}"
    ","
    "  \"B\":{\"on\":{\"ME\":\"A\"}}}}}}";

static void assert_is_stopped(const char *machine)
{
    struct configuration configuration;
    struct rig *rig = rig_open(rig_all_well, machine);
    rig_start(rig, "o", "{}", "", "");
    rig_until_final(rig, 1);
    struct instance *stopped = rig_find(rig, "o");
    if (stopped->kin != NULL && rig_find(rig, "o/x.1")->status == INSTANCE_ERROR)
        stopped = rig_find(rig, "o/x.1");
    assert_int_equal(instance_decode(stopped, &rig->arena, &configuration), STATUS_OK);
    struct span told = value_span(value_member(configuration.error, SPAN("message")));
    assert_true(span_starts_with(told, SPAN("timers without a delay follow one from another")));
    assert_in_range(stopped->seq, SPINS_MAX / 2, 4 * (size_t)SPINS_MAX);
    rig_verify(rig);
    rig_crash(rig);
    rig_open_engine(rig, NULL);
    rig_until_settled(rig);
    assert_int_equal(rig_find(rig, "o")->status, INSTANCE_ERROR);
    rig_verify(rig);
    rig_close(rig);
}

static void who_goes_round_without_waiting_is_stopped(void **state)
{
    (void)state;
    assert_is_stopped(ring);
    assert_is_stopped(sends);
}

static void a_region_that_waits_is_no_excuse(void **state)
{
    (void)state;
    assert_is_stopped(ring_beside_a_poll);
}

static void nor_is_a_child_to_hand_on_to(void **state)
{
    (void)state;
    assert_is_stopped(ring_of_two);
}

/* Goes round as often as it is told, and ends. */
static const char rounds[] =
    "{\"id\":\"m\",\"version\":\"1\",\"context\":{\"n\":\"${input.n}\"},\"initial\":\"A\","
    "\"states\":{"
    "\"A\":{\"always\":{\"target\":\"Z\",\"guard\":\"context.n == 0\"},"
    " \"after\":{\"0\":{\"target\":\"A\",\"reenter\":true,\"assign\":{\"n\":\"${context.n - "
    "1}\"}}}},"
    "\"Z\":{\"type\":\"final\"}}}";

static void who_comes_to_an_end_may_go_round_before(void **state)
{
    char input[32];
    (void)state;
    struct rig *rig = rig_open(rig_all_well, rounds);
    snprintf(input, sizeof input, "{\"n\":%d}", SPINS_MAX);
    rig_start(rig, "o", input, "", "");
    rig_until_final(rig, 1);
    rig_assert_state(rig, "o", "Z");
    snprintf(input, sizeof input, "{\"n\":%d}", SPINS_MAX + 1);
    rig_start(rig, "p", input, "", "");
    rig_until_final(rig, 2);
    assert_int_equal(rig_find(rig, "p")->status, INSTANCE_ERROR);
    rig_verify(rig);
    rig_close(rig);
}

/* Each event arms a timer without a delay, and never is there a moment without one. */
static const char echo[] = "{\"id\":\"m\",\"version\":\"1\",\"context\":{\"n\":0},\"initial\":"
                           "\"A\",\"states\":{\"A\":{\"on\":{"
                           "\"GO\":{\"actions\":[{\"raise\":\"ON\",\"delay\":0}]},"
                           "\"ON\":{\"actions\":[{\"raise\":\"OFF\",\"delay\":0}]},"
                           "\"OFF\":{\"assign\":{\"n\":\"${context.n + 1}\"}}}}}}";

static void what_comes_from_outside_begins_anew(void **state)
{
    (void)state;
    struct rig *rig = rig_open(rig_all_well, echo);
    rig_start(rig, "o", "{}", "", "");
    rig_until_settled(rig);
    for (uint64_t i = 0; i < SPINS_MAX + 100; i++) {
        uint64_t replies = rig->replies[ANSWER_OK];
        rig_send(rig, "o", "GO", "{}", "");
        rig_send(rig, "o", "GO", "{}", "");
        rig_until_replies(rig, ANSWER_OK, replies + 2);
    }
    rig_until_settled(rig);
    assert_int_equal(rig_find(rig, "o")->status, INSTANCE_ACTIVE);
    assert_int_equal(rig_find(rig, "o")->seq, 1 + 6 * (SPINS_MAX + 100));
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_goes_round_without_waiting_is_stopped),
        cmocka_unit_test(a_region_that_waits_is_no_excuse),
        cmocka_unit_test(nor_is_a_child_to_hand_on_to),
        cmocka_unit_test(who_comes_to_an_end_may_go_round_before),
        cmocka_unit_test(what_comes_from_outside_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
