/*
 * test_compensation.c - what was done is undone, last first, once, and over crashes.
 */
#include "rig.h"

static const char order[] =
    "{\"id\":\"m\",\"version\":\"1\",\"context\":{\"out\":null},\"initial\":\"CHARGING\","
    "\"on\":{\"CANCEL\":\".COMPENSATING\"},\"states\":{"
    "\"CHARGING\":{\"invoke\":{\"src\":\"charge\",\"input\":{\"amount\":5},"
    "\"onDone\":\"RESERVING\",\"onError\":\"COMPENSATING\"}},"
    "\"RESERVING\":{\"invoke\":{\"src\":\"reserve\",\"input\":{\"items\":2},"
    "\"onDone\":\"SHIPPING\",\"onError\":\"COMPENSATING\"}},"
    "\"SHIPPING\":{\"invoke\":{\"src\":\"ship\",\"onDone\":\"DONE\","
    "\"onError\":\"COMPENSATING\"}},"
    "\"COMPENSATING\":{\"on\":{\"CANCEL\":{}},\"invoke\":{\"src\":\"compensate\","
    "\"onDone\":{\"target\":\"FAILED\",\"assign\":{\"out\":\"${event.output.compensated}\"}},"
    "\"onError\":{\"target\":\"NEEDS_A_PERSON\",\"assign\":{\"out\":\"${event.error.kind}\"}}}}"
    ","
    "\"NEEDS_A_PERSON\":{\"on\":{\"AGAIN\":\"COMPENSATING\"},\"tags\":[\"attention\"]},"
    "\"DONE\":{\"type\":\"final\"},\"FAILED\":{\"type\":\"final\"}},"
    "\"steps\":{\"charge\":{\"fake\":{},\"timeout\":\"200ms\",\"compensate\":\"refund\"},"
    "\"reserve\":{\"fake\":{},\"timeout\":\"200ms\",\"compensate\":\"release\"},"
    "\"ship\":{\"fake\":{},\"timeout\":\"200ms\"},"
    "\"refund\":{\"fake\":{},\"timeout\":\"1s\",\"retry\":{\"attempts\":3,\"base\":\"1ms\","
    "\"cap\":\"1ms\"}},\"release\":{\"fake\":{},\"timeout\":\"1s\"}}}";

static struct fake_answer charge, reserve, ship, refund, release;

static size_t refunds_before_slow; /* 0: none is slow */

static struct fake_answer answer(void *context, const struct fake_call *call)
{
    static const struct fake_answer slow = {.delay_ms = -1};
    (void)context;
    if (strcmp(call->step, "refund") == 0 && refunds_before_slow > 0 &&
        --refunds_before_slow == 0)
        return slow;
    if (strcmp(call->step, "charge") == 0)
        return charge;
    if (strcmp(call->step, "reserve") == 0)
        return reserve;
    if (strcmp(call->step, "ship") == 0)
        return ship;
    return strcmp(call->step, "refund") == 0 ? refund : release;
}

static const struct fake_answer well = {.done = true, .output = "{\"id\":\"p1\"}"};
static const struct fake_answer refused = {.kind = ERROR_KIND_REJECTED};
static const struct fake_answer unknown = {.kind = ERROR_KIND_TIMEOUT};

static struct rig *open_rig(void)
{
    charge = reserve = ship = refund = release = well;
    return rig_open(answer, order);
}

/* The steps that were called, by their first letters, capital for what undoes. */
static void expect_calls(const struct rig *rig, const char *wanted)
{
    char called[64] = "";
    size_t count = 0;
    for (size_t i = 0; i < rig->world->call_count && count < 60; i++) {
        const char *step = rig->world->calls[i].step;
        called[count++] = strcmp(step, "refund") == 0    ? 'C'
                          : strcmp(step, "release") == 0 ? 'R'
                                                         : step[0];
    }
    assert_string_equal(called, wanted);
}

static void until_in(struct rig *rig, const char *state)
{
    for (;;) {
        struct instance *instance = registry_find(engine_registry(rig->engine), SPAN("1"));
        if (instance != NULL) {
            const struct machine *machine = instance->deployed->definition->machine;
            if (span_is(machine->states[instance->leaf].path, state))
                return;
        }
        loop_run_once(rig->loop, true);
    }
}

static void expect_context(struct rig *rig, const char *wanted)
{
    struct instance *instance = rig_find(rig, "1");
    assert_memory_equal(instance->context, wanted, strlen(wanted));
}

static void what_was_done_is_undone_last_first(void **state)
{
    (void)state;
    struct rig *rig = open_rig();
    ship = refused;
    rig_start(rig, "1", "{}", "", "");
    rig_until_final(rig, 1);
    rig_assert_state(rig, "1", "FAILED");
    expect_calls(rig, "crsRC");
    expect_context(rig, "{\"out\":2}");
    rig_assert_keys(rig);
    rig_assert_idle(rig, "refund");
    rig_verify(rig);
    rig_close(rig);
}

static void what_is_known_not_to_have_acted_is_not_undone(void **state)
{
    static const struct {
        struct fake_answer charge;
        struct fake_answer reserve;
        const char *calls;
    } ROWS[] = {
        {{.kind = ERROR_KIND_REJECTED}, {0}, "c"},
        {{.kind = ERROR_KIND_THROTTLED}, {0}, "c"},
        {{.kind = ERROR_KIND_TIMEOUT}, {0}, "cC"}, /* it may have charged */
        {{.kind = ERROR_KIND_UNAVAILABLE}, {0}, "cC"},
        {{.done = true, .output = "1"}, {.kind = ERROR_KIND_REJECTED}, "crC"},
        {{.done = true, .output = "1"}, {.kind = ERROR_KIND_TIMEOUT}, "crRC"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct rig *rig = open_rig();
        charge = ROWS[i].charge;
        reserve = ROWS[i].reserve;
        rig_start(rig, "1", "{}", "", "");
        rig_until_final(rig, 1);
        rig_assert_state(rig, "1", "FAILED");
        expect_calls(rig, ROWS[i].calls);
        rig_close(rig);
    }
}

/* Left while it was under way: nobody knows whether it acted. */
static void what_was_cut_off_is_undone(void **state)
{
    (void)state;
    struct rig *rig = open_rig();
    reserve.delay_ms = 150;
    rig_start(rig, "1", "{}", "", "");
    until_in(rig, "RESERVING");
    rig_until_running(rig, 1);
    rig_send(rig, "1", "CANCEL", "{}", "");
    rig_until_final(rig, 1);
    expect_calls(rig, "crRC");
    rig_verify(rig);
    rig_close(rig);
}

static void what_cannot_be_undone_waits_for_a_person(void **state)
{
    (void)state;
    struct rig *rig = open_rig();
    ship = refused;
    refund = unknown;
    rig_start(rig, "1", "{}", "", "");
    until_in(rig, "NEEDS_A_PERSON");
    expect_calls(rig, "crsRCCC"); /* its retries too */
    expect_context(rig, "{\"out\":\"timeout\"}");
    assert_true(waiting_has_tag(rig_find(rig, "1"), SPAN("attention")));
    char key[40];
    snprintf(key, sizeof key, "%s", rig->world->calls[4].key);
    refund = well; /* and when the person asks again, each has the key it had */
    rig_send(rig, "1", "AGAIN", "{}", "");
    rig_until_final(rig, 1);
    expect_calls(rig, "crsRCCCRC");
    assert_string_equal(rig->world->calls[8].key, key);
    rig_verify(rig);
    rig_close(rig);
}

static void a_crash_between_two_undoes_none_twice(void **state)
{
    (void)state;
    struct rig *rig = open_rig();
    ship = refused;
    refunds_before_slow = 1;
    rig_start(rig, "1", "{}", "", "");
    while (rig->world->call_count < 5)
        loop_run_once(rig->loop, true);
    rig_rest(rig, 300); /* how far it has come is on disk */
    rig_crash(rig);
    rig_open_engine(rig, NULL);
    rig_until_final(rig, 1);
    expect_calls(rig, "crsRCC");
    assert_string_equal(rig->world->calls[4].key, rig->world->calls[5].key);
    rig_assert_state(rig, "1", "FAILED");
    rig_verify(rig);
    rig_close(rig);
}

static void many_are_undone_each_for_itself(void **state)
{
    enum { COUNT = 200 };
    (void)state;
    struct rig *rig = open_rig();
    ship = refused;
    rig_start_many(rig, COUNT);
    rig_until_final(rig, COUNT);
    assert_int_equal(rig->world->call_count, 5 * COUNT);
    rig_assert_keys(rig);
    rig_close(rig);
}

/* Charges again and again, between two states, and then takes all of it back. */
static const char spender[] =
    "{\"id\":\"m\",\"version\":\"1\",\"context\":{\"n\":0,\"most\":\"${input.most}\","
    "\"out\":null},\"initial\":\"A\",\"states\":{"
    "\"A\":{\"invoke\":{\"src\":\"charge\",\"input\":{\"n\":\"${context.n}\"},\"onDone\":["
    "{\"guard\":\"context.n + 1 >= context.most\",\"target\":\"COMPENSATING\"},"
    "{\"target\":\"B\",\"assign\":{\"n\":\"${context.n + 1}\"}}]}},"
    "\"B\":{\"always\":\"A\"},"
    "\"COMPENSATING\":{\"invoke\":{\"src\":\"compensate\","
    "\"onDone\":{\"target\":\"DONE\",\"assign\":{\"out\":\"${event.output.compensated}\"}},"
    "\"onError\":{\"target\":\"LEFT\",\"assign\":{\"out\":\"${event.error.message}\"}}}},"
    "\"DONE\":{\"type\":\"final\"},\"LEFT\":{\"type\":\"final\"}},"
    "\"steps\":{\"charge\":{\"fake\":{},\"timeout\":\"1s\",\"compensate\":\"refund\"},"
    "\"refund\":{\"fake\":{},\"timeout\":\"1s\",\"fallback\":{\"step\":\"release\",\"on\":"
    "[\"rejected\"]}},\"release\":{\"fake\":{},\"timeout\":\"1s\"}}}";

static size_t calls_of(const struct rig *rig, const char *step)
{
    size_t count = 0;
    for (size_t i = 0; i < rig->world->call_count; i++)
        count += strcmp(rig->world->calls[i].step, step) == 0;
    return count;
}

static struct rig *spend(const char *input)
{
    charge = refund = release = well;
    struct rig *rig = rig_open(answer, spender);
    rig_start(rig, "1", input, "", "");
    return rig;
}

static void more_than_a_few_are_undone_and_counted_over_a_crash(void **state)
{
    (void)state;
    struct rig *rig = spend("{\"most\":300}");
    refunds_before_slow = 151;
    while (calls_of(rig, "refund") < 151)
        loop_run_once(rig->loop, true);
    rig_rest(rig, 300); /* how far it has come is on disk */
    assert_int_equal(calls_of(rig, "refund"), 151);
    rig_crash(rig);
    rig_open_engine(rig, NULL);
    rig_until_final(rig, 1);
    rig_assert_state(rig, "1", "DONE");
    assert_int_equal(calls_of(rig, "charge"), 300);
    assert_int_equal(calls_of(rig, "refund"), 300 + 1);
    assert_non_null(strstr(rig_find(rig, "1")->context, "\"out\":300"));
    rig_verify(rig);
    rig_close(rig);
}

static void what_undoes_has_a_fallback_each_time(void **state)
{
    (void)state;
    struct rig *rig = spend("{\"most\":70}");
    refund = refused;
    rig_until_final(rig, 1);
    rig_assert_state(rig, "1", "DONE");
    assert_int_equal(calls_of(rig, "refund"), 70);
    assert_int_equal(calls_of(rig, "release"), 70);
    for (size_t i = 70; i + 1 < rig->world->call_count; i += 2) /* the same is undone */
        assert_string_equal(rig->world->calls[i].key, rig->world->calls[i + 1].key);
    rig_close(rig);
}

static void more_than_the_limit_waits_for_a_person_and_says_so(void **state)
{
    (void)state;
    struct rig *rig = spend("{\"most\":10001}");
    rig_until_final(rig, 1);
    rig_assert_state(rig, "1", "LEFT");
    assert_int_equal(calls_of(rig, "refund"), 0);
    assert_non_null(strstr(rig_find(rig, "1")->context, "more to compensate than 10000 steps"));
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_done_is_undone_last_first),
        cmocka_unit_test(what_is_known_not_to_have_acted_is_not_undone),
        cmocka_unit_test(what_was_cut_off_is_undone),
        cmocka_unit_test(what_cannot_be_undone_waits_for_a_person),
        cmocka_unit_test(a_crash_between_two_undoes_none_twice),
        cmocka_unit_test(many_are_undone_each_for_itself),
        cmocka_unit_test(more_than_a_few_are_undone_and_counted_over_a_crash),
        cmocka_unit_test(what_undoes_has_a_fallback_each_time),
        cmocka_unit_test(more_than_the_limit_waits_for_a_person_and_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
