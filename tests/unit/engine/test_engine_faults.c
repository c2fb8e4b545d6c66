/*
 * test_engine_faults.c - the durable core when the disk fails, the process dies, definitions
 * are revised and values are as large as they may be.
 */
#include "rig.h"

static const char order[] =
    "{\"id\":\"m\",\"version\":\"1\",\"context\":{\"payment\":null,\"total\":\"${input.total}"
    "\"},"
    "\"initial\":\"PENDING\",\"on\":{\"CANCEL\":\".REFUNDING\"},\"states\":{"
    "\"PENDING\":{\"on\":{\"SUBMIT\":{\"target\":\"CHARGING\"}}},"
    "\"CHARGING\":{\"invoke\":{\"src\":\"charge\",\"input\":{\"amount\":\"${context.total}\"},"
    "\"onDone\":{\"target\":\"RESERVING\",\"assign\":{\"payment\":\"${event.output.id}\"}},"
    "\"onError\":\"REFUNDING\"}},"
    "\"RESERVING\":{\"invoke\":{\"src\":\"reserve\",\"onDone\":\"COMPLETED\",\"onError\":"
    "\"REFUNDING\"}},"
    "\"REFUNDING\":{\"on\":{\"CANCEL\":{}},\"invoke\":{\"src\":\"refund\",\"onDone\":"
    "\"FAILED\",\"onError\":\"FAILED\"}},"
    "\"COMPLETED\":{\"type\":\"final\"},\"FAILED\":{\"type\":\"final\"}},"
    "\"steps\":{\"charge\":{\"fake\":{},\"timeout\":\"200ms\",\"deadline\":\"20s\","
    "\"retry\":{\"attempts\":4,\"base\":\"1ms\",\"cap\":\"2ms\"},"
    "\"breaker\":{\"window\":\"1s\",\"failures\":\"90%\",\"minimum\":100},"
    "\"limit\":{\"concurrency\":8,\"queue\":1000}},"
    "\"reserve\":{\"fake\":{},\"timeout\":\"200ms\"},"
    "\"refund\":{\"fake\":{},\"timeout\":\"200ms\"}}}";

static struct fake_answer shaky(void *context, const struct fake_call *call)
{
    struct rig *rig = context;
    bool fails = rig->world->call_count % 7 == 0 && strcmp(call->step, "charge") == 0;
    return (struct fake_answer){.done = !fails,
                                .kind = ERROR_KIND_UNAVAILABLE,
                                .output = "{\"id\":1}",
                                .delay_ms = (duration_ms)(rig->world->call_count % 3)};
}

/* Orders under which the Nth commit fails. False: there were not so many commits. */
static bool survive_failure(uint64_t number, enum status status, bool is_written)
{
    enum { ORDERS = 12 };
    struct rig *rig = rig_open(shaky, order);
    rig_fail_commit(rig, number, status, is_written);
    rig_start_many(rig, ORDERS);
    rig_until_final(rig, ORDERS);
    rig_until_settled(rig);
    bool has_failed = rig->is_broken;
    if (has_failed) {
        assert_int_equal(rig->broken_by, status);
        rig_crash(rig);
        rig_fail_commit(rig, 0, STATUS_OK, false);
        rig_open_engine(rig, order);
        rig_start_many(rig, ORDERS);
        rig_until_final(rig, ORDERS);
    }
    assert_int_equal(rig->replies[ANSWER_CONFLICT], 0);
    for (int i = 0; i < ORDERS; i++) {
        char id[16];
        snprintf(id, sizeof id, "%06d", i);
        rig_assert_state(rig, id, "COMPLETED");
    }
    rig_assert_keys(rig);
    rig_assert_idle(rig, "charge");
    rig_verify(rig);
    rig_close(rig);
    return has_failed;
}

static void a_commit_that_fails_loses_nothing_whichever_it_is(void **state)
{
    static const struct {
        enum status status;
        bool is_written;
    } faults[] = {{STATUS_FULL, false},
                  {STATUS_IO, false},
                  {STATUS_STALE, false},
                  {STATUS_UNKNOWN, false},
                  {STATUS_UNKNOWN, true}};
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        uint64_t number = 1;
        while (survive_failure(number, faults[i].status, faults[i].is_written) && number < 25)
            number += 1 + number / 4;
        assert_true(number > 3);
    }
}

static void those_who_wait_are_told_when_the_store_failed(void **state)
{
    (void)state;
    struct rig *rig = rig_open(rig_all_well, order);
    rig_until_replies(rig, ANSWER_OK, 1);
    rig_fail_commit(rig, 1, STATUS_IO, false);
    rig_start(rig, "a", "{\"total\":5}", "", "");
    loop_run_once(rig->loop, true);
    rig_start(rig, "b", "{\"total\":5}", "", "");
    rig_send(rig, "b", "SUBMIT", "{}", "");
    while (!rig->is_broken)
        loop_run_once(rig->loop, true);
    assert_int_equal(rig->replies[ANSWER_UNKNOWN], 3);
    assert_int_equal(rig->replies[ANSWER_OK], 1);
    rig_start(rig, "c", "{\"total\":5}", "", "");
    assert_int_equal(rig->replies[ANSWER_UNKNOWN], 4);
    rig_close(rig);
}

static struct fake_answer takes_a_while(void *context, const struct fake_call *call)
{
    (void)context;
    (void)call;
    return (struct fake_answer){.done = true, .output = "{\"id\":1}", .delay_ms = 3};
}

/* The same machine with an unused step more or less: another arena takes the old one's place.
 */
static void a_definition_is_revised_while_a_commit_flies(void **state)
{
    (void)state;
    char more[2500];
    struct text text;
    const char *rest = strstr(order, "\"reserve\":{\"fake\"");
    snprintf(
        more, sizeof more,
        "%.*s\"aside\":{\"fake\":{},\"timeout\":\"100ms\",\"breaker\":{\"window\":\"1s\"}},%s",
        (int)(rest - order), order, rest);
    struct rig *rig = rig_open(takes_a_while, order);
    text_init(&text, NULL);
    rig_start_many(rig, 300);
    for (int i = 0; i < 60; i++) {
        rig_deploy(rig, i % 2 == 0 ? more : order);
        loop_run_once(rig->loop, true);
        engine_describe_step(rig->engine, SPAN("aside"), &text);
        engine_describe_step(rig->engine, SPAN(""), &text);
    }
    rig_until_final(rig, 300);
    rig_verify(rig);
    text_fini(&text);
    rig_close(rig);
}

static void a_context_is_as_large_as_it_may_be_and_no_larger(void **state)
{
    (void)state;
    struct rig *rig = rig_open(rig_all_well, rig_keeper);
    char *large = rig_filled("{\"kept\":\"", VALUE_BYTES_MAX - 100, "\"}");
    char *small = rig_filled("{\"more\":\"", 2000, "\"}");
    rig_start(rig, "a", large, "", "");
    rig_until_replies(rig, ANSWER_OK, 2);
    rig_send(rig, "a", "KEEP", small, "");
    while (rig->replies[ANSWER_OK] + rig->replies[ANSWER_REFUSED] < 3)
        loop_run_once(rig->loop, true);
    assert_true(rig->replies[ANSWER_REFUSED] == 1 || rig->last_outcome == OUTCOME_FAILED);
    assert_true(rig_find(rig, "a")->context_size < VALUE_BYTES_MAX);
    rig_send(rig, "a", "END", "{}", "");
    rig_until_final(rig, 1);
    assert_false(rig->is_broken);
    rig_verify(rig);
    memory_release(large);
    memory_release(small);
    rig_close(rig);
}

static void a_value_of_many_parts_is_refused_and_breaks_nothing(void **state)
{
    (void)state;
    struct rig *rig = rig_open(rig_all_well, rig_keeper);
    char *parts = rig_numbers("{\"kept\":[", VALUE_BYTES_MAX / 2 - 100, "]}");
    char *more = rig_numbers("{\"more\":[", VALUE_BYTES_MAX / 2 - 100, "]}");
    char *half = rig_numbers("{\"kept\":[", VALUE_BYTES_MAX / 4 - 100, "]}");
    rig_until_replies(rig, ANSWER_OK, 1);
    rig_start(rig, "a", parts, "", "");
    rig_start(rig, "b", half, "", "");
    rig_send(rig, "a", "KEEP", more, "");
    rig_send(rig, "b", "KEEP", more, "");
    rig_send(rig, "b", "END", "{}", "");
    rig_until_final(rig, 1);
    assert_string_equal(rig->problem, "");
    assert_false(rig->is_broken);
    rig_verify(rig);
    rig_stop(rig, 100);
    rig_open_engine(rig, NULL);
    memory_release(parts);
    memory_release(more);
    memory_release(half);
    rig_close(rig);
}

static void a_timer_that_makes_the_context_too_large_stops_only_its_instance(void **state)
{
    (void)state;
    struct rig *rig = rig_open(rig_all_well, rig_keeper);
    char *large = rig_filled("{\"kept\":\"", VALUE_BYTES_MAX * 2 / 3, "\"}");
    rig_start(rig, "a", large, "", "");
    rig_start(rig, "b", "{\"kept\":\"x\"}", "", "");
    rig_send(rig, "a", "WAIT", "{}", "");
    rig_send(rig, "b", "WAIT", "{}", "");
    rig_until_final(rig, 2);
    assert_string_equal(rig->problem, "");
    assert_false(rig->is_broken);
    assert_int_equal(rig_find(rig, "a")->status, INSTANCE_ERROR);
    rig_assert_state(rig, "b", "Z");
    rig_verify(rig);
    memory_release(large);
    rig_close(rig);
}

static const char *large_details;

static struct fake_answer refuses_at_length(void *context, const struct fake_call *call)
{
    (void)context;
    (void)call;
    return (struct fake_answer){.kind = ERROR_KIND_REJECTED, .details = large_details};
}

static void an_error_with_details_as_large_as_may_be_is_an_error(void **state)
{
    (void)state;
    char *details = rig_filled("\"", STEP_OUTPUT_BYTES_MAX - 2, "\"");
    char *parts = rig_numbers("[", STEP_OUTPUT_BYTES_MAX / 2 - 2, "]");
    struct rig *rig = rig_open(refuses_at_length, rig_keeper);
    large_details = details;
    rig_start(rig, "a", "{\"kept\":1}", "ASK", "{}");
    rig_until_final(rig, 1);
    rig_assert_state(rig, "a", "F");
    large_details = parts;
    rig_start(rig, "b", "{\"kept\":1}", "ASK", "{}");
    rig_until_final(rig, 2);
    rig_assert_state(rig, "b", "F");
    rig_verify(rig);
    memory_release(details);
    memory_release(parts);
    rig_close(rig);
}

static void a_first_event_that_does_not_fit_is_not_lost_in_silence(void **state)
{
    (void)state;
    struct rig *rig = rig_open(rig_all_well, rig_keeper);
    char *large = rig_filled("{\"kept\":\"", VALUE_BYTES_MAX * 2 / 3, "\"}");
    char *more = rig_filled("{\"more\":\"", VALUE_BYTES_MAX * 2 / 3, "\"}");
    rig_start(rig, "a", large, "KEEP", more);
    while (rig->replies[ANSWER_OK] + rig->replies[ANSWER_REFUSED] < 2)
        loop_run_once(rig->loop, true);
    assert_true(rig->replies[ANSWER_REFUSED] == 1 || rig->last_outcome == OUTCOME_FAILED);
    memory_release(large);
    memory_release(more);
    rig_close(rig);
}

static void a_key_holds_over_restarts_and_for_its_day(void **state)
{
    (void)state;
    struct rig *rig = rig_open(rig_all_well, rig_keeper);
    rig_start(rig, "a", "{\"kept\":1}", "", "");
    rig_send(rig, "a", "KEEP", "{\"more\":1}", "k");
    rig_until_replies(rig, ANSWER_OK, 3);
    uint64_t seq = rig->last_seq;
    rig_crash(rig);
    rig_open_engine(rig, rig_keeper);
    rig_set_clock(23 * 3600 * 1000);
    rig_send(rig, "a", "KEEP", "{\"more\":1}", "k");
    rig_until_replies(rig, ANSWER_REPEATED, 1);
    assert_int_equal(rig->last_seq, seq);
    rig_send(rig, "a", "KEEP", "{\"more\":2}", "k");
    rig_until_replies(rig, ANSWER_CONFLICT, 1);
    rig_set_clock(25 * 3600 * 1000);
    rig_send(rig, "a", "KEEP", "{\"more\":2}", "k");
    rig_until_replies(rig, ANSWER_OK, 5);
    assert_int_equal(rig->last_seq, seq + 1);
    rig_send(rig, "a", "KEEP", "{\"more\":2}", "k");
    rig_until_replies(rig, ANSWER_REPEATED, 2);
    rig_stop(rig, 100);
    rig_set_clock((duration_ms)60 * 3600 * 1000);
    rig_open_engine(rig, NULL);
    rig_until_settled(rig);
    rig_verify(rig);
    rig_close(rig);
}

static void a_bit_that_fell_over_in_a_row_is_found(void **state)
{
    (void)state;
    struct rig *rig = rig_open(rig_all_well, rig_keeper);
    struct registry registry;
    rig_start(rig, "a", "{\"kept\":100}", "ASK", "{}");
    rig_until_final(rig, 1);
    rig_stop(rig, 100);
    for (size_t byte = 0; byte < 300; byte++) {
        assert_int_equal(rig_flip(rig, ROW_INSTANCE, "a", byte), STATUS_CORRUPT);
        assert_int_equal(rig_flip(rig, ROW_MACHINE, "m@1", byte), STATUS_CORRUPT);
    }
    assert_int_equal(rig_read(rig, &registry), STATUS_OK);
    registry_fini(&registry);
    rig_close(rig);
}

static const char second[] = "{\"id\":\"m\",\"version\":\"2\",\"initial\":\"A\",\"states\":{"
                             "\"A\":{\"type\":\"final\"}},\"steps\":{}}";

static void deploy_meanwhile(struct rig *rig, uint32_t kind)
{
    static bool is_deployed;
    if (kind != ROW_INSTANCE || rig->engine == NULL || is_deployed)
        return;
    is_deployed = true;
    rig_deploy(rig, second);
    rig_start(rig, "b", "{}", "", "");
    rig_until_replies(rig, ANSWER_OK, 4);
}

static void a_reader_sees_what_was_deployed_while_it_looked(void **state)
{
    (void)state;
    struct registry registry;
    struct rig *rig = rig_open(rig_all_well, rig_keeper);
    rig_start(rig, "a", "{\"kept\":1}", "", "");
    rig_until_replies(rig, ANSWER_OK, 2);
    rig->before_page = deploy_meanwhile;
    enum status status = rig_read(rig, &registry);
    assert_string_equal(registry.problem, "");
    assert_int_equal(status, STATUS_OK);
    assert_non_null(registry_find(&registry, SPAN("b")));
    registry_fini(&registry);
    rig->before_page = NULL;
    rig_close(rig);
}

static const char glutton[] =
    "{\"id\":\"m\",\"version\":\"1\",\"context\":{\"i\":0,\"big\":\"${input.big}\"},"
    "\"initial\":\"A\",\"states\":{"
    "\"A\":{\"on\":{\"ASK\":\"B\"},\"after\":{\"50ms\":\"L\"}},"
    "\"B\":{\"invoke\":{\"src\":\"ask\",\"onDone\":\"L\",\"onError\":\"L\"}},"
    "\"L\":{\"always\":[{\"target\":\"Z\",\"guard\":\"context.i > 900\"},{\"assign\":{\"i\":"
    "\"${context.i + 1}\",\"big\":\"${context.big + 'x'}\"}}]},"
    "\"Z\":{\"type\":\"final\"}},\"steps\":{\"ask\":{\"fake\":{},\"timeout\":\"200ms\"}}}";

static void an_instance_without_room_for_its_turn_stops_alone(void **state)
{
    (void)state;
    struct rig *rig = rig_open(rig_all_well, glutton);
    char *large = rig_filled("{\"big\":\"", 900000, "\"}");
    rig_start(rig, "timer", large, "", "");
    rig_start(rig, "result", large, "ASK", "{}");
    rig_start(rig, "small", "{\"big\":\"x\"}", "ASK", "{}");
    rig_until_final(rig, 3);
    assert_string_equal(rig->problem, "");
    rig_assert_state(rig, "small", "Z");
    assert_int_equal(rig_find(rig, "timer")->status, INSTANCE_ERROR);
    assert_int_equal(rig_find(rig, "result")->status, INSTANCE_ERROR);
    rig_verify(rig);
    rig_stop(rig, 100);
    rig_open_engine(rig, NULL);
    rig_verify(rig);
    memory_release(large);
    rig_close(rig);
}

/* Where it stands is a text of its own, as regions run side by side. */
static const char regions[] =
    "{\"id\":\"m\",\"version\":\"1\",\"type\":\"parallel\",\"states\":{"
    "\"R\":{\"initial\":\"A\",\"states\":{\"A\":{\"on\":{\"GO\":\"A_MUCH_LONGER_NAME\"}},"
    "\"A_MUCH_LONGER_NAME\":{\"on\":{\"GO\":\"A\"}}}},\"S\":{\"initial\":\"B\",\"states\":{"
    "\"B\":{}}}}}";

static void what_is_being_written_does_not_change(void **state)
{
    (void)state;
    struct rig *rig = rig_open(rig_all_well, regions);
    rig->commit_us = 10000;
    rig_start(rig, "o", "{}", "", "");
    for (int i = 0; i < 40; i++) {
        rig_send(rig, "o", "GO", "{}", "");
        rig_rest(rig, 2);
    }
    rig_until_settled(rig);
    assert_false(rig->has_changed);
    rig_verify(rig);
    rig_close(rig);
}

int main(int count, char **arguments)
{
    if (count > 1)
        cmocka_set_test_filter(arguments[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_commit_that_fails_loses_nothing_whichever_it_is),
        cmocka_unit_test(those_who_wait_are_told_when_the_store_failed),
        cmocka_unit_test(a_definition_is_revised_while_a_commit_flies),
        cmocka_unit_test(a_context_is_as_large_as_it_may_be_and_no_larger),
        cmocka_unit_test(a_value_of_many_parts_is_refused_and_breaks_nothing),
        cmocka_unit_test(a_timer_that_makes_the_context_too_large_stops_only_its_instance),
        cmocka_unit_test(an_error_with_details_as_large_as_may_be_is_an_error),
        cmocka_unit_test(a_first_event_that_does_not_fit_is_not_lost_in_silence),
        cmocka_unit_test(a_key_holds_over_restarts_and_for_its_day),
        cmocka_unit_test(an_instance_without_room_for_its_turn_stops_alone),
        cmocka_unit_test(a_bit_that_fell_over_in_a_row_is_found),
        cmocka_unit_test(a_reader_sees_what_was_deployed_while_it_looked),
        cmocka_unit_test(what_is_being_written_does_not_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
