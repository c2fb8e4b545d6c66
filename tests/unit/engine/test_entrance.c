/*
 * test_entrance.c - a machine's door: who is refused for now, and that this changes nothing.
 */
#include "rig.h"

/* A machine with one step `call`, or none for the input {"p":"quick"}, and its admission. */
static const char machine_form[] =
    "{\"id\":\"m\",\"version\":\"1\",\"context\":{\"p\":\"${input.p}\"},\"initial\":\"NEW\","
    "\"states\":{\"NEW\":{\"always\":[{\"guard\":\"context.p == 'quick'\",\"target\":\"DONE\"},"
    "{\"target\":\"CALLING\"}]},"
    "\"CALLING\":{\"on\":{\"STOP\":\"DONE\"},\"invoke\":{\"src\":\"call\",\"onDone\":\"DONE\","
    "\"onError\":\"DONE\"}},\"DONE\":{\"type\":\"final\"}},"
    "\"steps\":{\"call\":{\"fake\":{},\"limit\":{\"concurrency\":%d,\"queue\":1000}}},"
    "\"admission\":{%s}}";

static struct fake_answer call_answer;

static struct fake_answer as_told(void *context, const struct fake_call *call)
{
    (void)context;
    (void)call;
    return call_answer;
}

static const char *machine_of(int concurrency, const char *admission)
{
    static char machine[2000];
    int size = snprintf(machine, sizeof machine, machine_form, concurrency, admission);
    assert_true(size > 0 && (size_t)size < sizeof machine);
    return machine;
}

static struct rig *open_rig(int concurrency, const char *admission, duration_ms delay_ms)
{
    call_answer = (struct fake_answer){.done = true, .output = "1", .delay_ms = delay_ms};
    struct rig *rig = rig_open(as_told, machine_of(concurrency, admission));
    rig_until_replies(rig, ANSWER_OK, 1);
    rig->replies[ANSWER_OK] = 0; /* that of the deployment */
    return rig;
}

static void start(struct rig *rig, const char *prefix, int from, int count,
                  const char *priority)
{
    for (int i = from; i < from + count; i++) {
        char id[24];
        char input[40];
        snprintf(id, sizeof id, "%s%d", prefix, i);
        snprintf(input, sizeof input, "{\"p\":\"%s\"}", priority);
        rig_start(rig, id, input, "", "");
    }
}

static void until_answered(struct rig *rig, uint64_t count)
{
    while (rig->replies[ANSWER_OK] + rig->replies[ANSWER_FULL] < count && !rig->is_broken)
        loop_run_once(rig->loop, true);
}

/* A number of the door's row, as a reader would find it. */
static int64_t row_number(struct rig *rig, const char *name)
{
    struct text row;
    struct value value;
    struct json_error error;
    lsn row_lsn;
    text_init(&row, NULL);
    assert_int_equal(store_get(rig->inner, ROW_POLICY, SPAN("m/"), &row, &row_lsn), STATUS_OK);
    assert_int_equal(json_read(text_span(&row), &rig->arena, &value, &error), STATUS_OK);
    struct value number = value_member(value, span_from_text(name));
    assert_int_equal(number.kind, VALUE_INT);
    text_fini(&row);
    return number.integer;
}

static void beyond_the_bound_nothing_comes_in_and_no_byte_changes(void **state)
{
    (void)state;
    struct rig *rig = open_rig(64, "\"working\":10", -1);
    start(rig, "a", 0, 10, "high");
    rig_until_replies(rig, ANSWER_OK, 10);
    rig_until_settled(rig);
    lsn before = engine_view(rig->engine).lsn;
    uint64_t commits = rig_commits(rig);
    start(rig, "b", 0, 500, "high");
    rig_until_replies(rig, ANSWER_FULL, 500);
    rig_rest(rig, 50);
    assert_int_equal(engine_view(rig->engine).lsn, before);
    assert_int_equal(rig_commits(rig), commits);
    assert_int_equal(engine_registry(rig->engine)->instance_count, 10);
    assert_int_equal(rig->retry_ms, 10000);
    assert_string_equal(rig->message,
                        "too much to do: 10 of at most 10 are at work; come again in 10s");
    rig_send(rig, "a0", "STOP", "{}", ""); /* what is there goes on, and makes room */
    rig_until_final(rig, 1);
    start(rig, "c", 0, 1, "high");
    rig_until_replies(rig, ANSWER_OK, 10 + 1 + 1);
    rig_close(rig);
}

static void what_is_there_already_is_no_newcomer(void **state)
{
    (void)state;
    struct rig *rig = open_rig(64, "\"working\":2", -1);
    start(rig, "a", 0, 2, "high");
    rig_until_replies(rig, ANSWER_OK, 2);
    start(rig, "a", 0, 2, "high");
    start(rig, "a", 0, 1, "low"); /* with other input */
    rig_until_replies(rig, ANSWER_REPEATED, 2);
    rig_until_replies(rig, ANSWER_CONFLICT, 1);
    assert_int_equal(rig->replies[ANSWER_FULL], 0);
    rig_close(rig);
}

static void classes_are_refused_from_the_lowest_up(void **state)
{
    (void)state;
    struct rig *rig = open_rig(64, "\"working\":100,\"priority\":\"${input.p}\"", -1);
    start(rig, "l", 0, 1, "low"); /* each class is let in once by exemption */
    start(rig, "n", 0, 1, "normal");
    start(rig, "l", 1, 300, "low");
    until_answered(rig, 302);
    assert_in_range(rig->replies[ANSWER_OK], 80, 82);
    start(rig, "n", 1, 300, "normal");
    until_answered(rig, 602);
    assert_in_range(rig->replies[ANSWER_OK], 95, 97);
    start(rig, "h", 0, 300, "high");
    until_answered(rig, 902);
    assert_int_equal(rig->replies[ANSWER_OK], 100);
    rig_close(rig);
}

/* A step that can do one at a time: while its line stands, newcomers are refused, and those
 * that were let in are all done. */
static void a_line_that_stands_lets_nobody_in(void **state)
{
    (void)state;
    struct rig *rig =
        open_rig(1, "\"target\":\"5ms\",\"interval\":\"20ms\",\"priority\":\"low\"", 4);
    uint64_t asked = 0;
    while (asked < 400 && rig->replies[ANSWER_FULL] < 50) {
        start(rig, "a", (int)asked, 4, "");
        asked += 4;
        until_answered(rig, asked);
        rig_rest(rig, 5);
    }
    assert_true(rig->replies[ANSWER_FULL] >= 50);
    assert_non_null(strstr(rig->message, "who is in line has waited for "));
    rig_until_final(rig, rig->replies[ANSWER_OK]);
    start(rig, "b", 0, 1, "");
    rig_until_final(rig, rig->replies[ANSWER_OK] + 1);
    rig_close(rig);
}

/* Refused by its memory while the delay alone would let normal work in. */
static void the_throttle_remembers_that_most_had_to_wait(void **state)
{
    (void)state;
    struct rig *rig = open_rig(
        1, "\"target\":\"100ms\",\"interval\":\"10ms\",\"throttle\":1.1,\"window\":\"1s\"", -1);
    start(rig, "a", 0, 2, ""); /* the second stands in line for ever */
    rig_rest(rig, 150);
    for (int i = 2; i < 600 && rig->replies[ANSWER_FULL] < 5; i++) {
        start(rig, "a", i, 1, "");
        rig_rest(rig, 2);
    }
    assert_int_equal(rig->replies[ANSWER_FULL], 5);
    assert_string_equal(rig->message,
                        "too much to do: most who ask have to wait; come again in 100ms");
    rig_close(rig);
}

static void the_door_remembers_over_crashes(void **state)
{
    (void)state;
    struct rig *rig = open_rig(64, "\"working\":10", -1);
    start(rig, "a", 0, 30, "high");
    until_answered(rig, 30);
    assert_int_equal(rig->replies[ANSWER_OK], 10);
    rig_set_clock(2000);
    rig_send(rig, "a0", "STOP", "{}", ""); /* so that the row is written again */
    rig_until_final(rig, 1);
    rig_until_settled(rig);
    assert_int_equal(row_number(rig, "working"), 9);
    assert_int_equal(row_number(rig, "working_max"), 10);
    assert_int_equal(row_number(rig, "let_in"), 10);
    assert_int_equal(row_number(rig, "refused_full"), 20);
    rig_crash(rig);
    rig_open_engine(rig, NULL);
    start(rig, "b", 0, 1, "high");
    rig_until_replies(rig, ANSWER_OK, 10 + 1 + 1);
    start(rig, "b", 1, 1, "high");
    rig_until_replies(rig, ANSWER_FULL, 21);
    rig_stop(rig, 0);
    assert_int_equal(row_number(rig, "working"), 10);
    assert_int_equal(row_number(rig, "let_in"), 11);
    /* A refusal writes nothing: it is told with the next that is let in, or done. */
    assert_int_equal(row_number(rig, "refused_full"), 20);
    rig_open_engine(rig, NULL);
    rig_close(rig);
}

static void another_deployment_changes_the_rule(void **state)
{
    (void)state;
    struct rig *rig = open_rig(64, "\"working\":2", -1);
    start(rig, "a", 0, 5, "high");
    until_answered(rig, 5);
    assert_int_equal(rig->replies[ANSWER_OK], 2);
    rig_deploy(rig, machine_of(64, "\"working\":4"));
    start(rig, "b", 0, 5, "high");
    until_answered(rig, 10 + 1); /* the deployment is answered too */
    assert_int_equal(rig->replies[ANSWER_FULL], 3 + 3);
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(beyond_the_bound_nothing_comes_in_and_no_byte_changes),
        cmocka_unit_test(what_is_there_already_is_no_newcomer),
        cmocka_unit_test(classes_are_refused_from_the_lowest_up),
        cmocka_unit_test(a_line_that_stands_lets_nobody_in),
        cmocka_unit_test(the_throttle_remembers_that_most_had_to_wait),
        cmocka_unit_test(the_door_remembers_over_crashes),
        cmocka_unit_test(another_deployment_changes_the_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
