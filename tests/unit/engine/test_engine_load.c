/*
 * test_engine_load.c - the durable core when there is much of everything: calls that are
 * cancelled and made again, timers due at once, a full inbox, a long line behind an open
 * breaker, a clock that is set.
 */
#include "rig.h"

/* What a script answers; set by each test. */
static struct fake_answer all_answers;

static struct fake_answer as_set(void *context, const struct fake_call *call)
{
    (void)context;
    (void)call;
    return all_answers;
}

static const char caller[] =
    "{\"id\":\"m\",\"version\":\"1\",\"context\":{\"answer\":null},"
    "\"initial\":\"CALLING\",\"on\":{\"CANCEL\":\".ENDED\"},\"states\":{"
    "\"CALLING\":{\"on\":{\"AGAIN\":{\"target\":\"CALLING\",\"reenter\":true}},"
    "\"invoke\":{\"src\":\"call\",\"onDone\":{\"target\":\"DONE\",\"assign\":{\"answer\":\"${"
    "event.output}\"}},\"onError\":{\"target\":\"ENDED\",\"assign\":{\"answer\":\"${event."
    "error.kind}\"}}}},"
    "\"DONE\":{\"type\":\"final\"},\"ENDED\":{\"type\":\"final\"}},"
    "\"steps\":{\"call\":{\"fake\":{},\"timeout\":\"500ms\",\"deadline\":\"%s\","
    "\"retry\":{\"attempts\":%s,\"base\":\"1ms\",\"cap\":\"2ms\"},"
    "\"breaker\":{\"window\":\"10s\",\"failures\":\"50%%\",\"minimum\":4,\"open\":\"%s\","
    "\"open_max\":\"%s\",\"probes\":2},\"limit\":{\"concurrency\":8,\"queue\":20000},"
    "\"when_open\":\"%s\",\"park_max\":\"%s\"}}}";

struct calling {
    const char *deadline;
    const char *attempts;
    const char *open;
    const char *when_open;
    const char *park_max;
};

static struct rig *open_caller(struct calling with)
{
    char machine[2000];
    snprintf(machine, sizeof machine, caller, with.deadline, with.attempts, with.open,
             with.open, with.when_open, with.park_max);
    return rig_open(as_set, machine);
}

static void call_many(struct rig *rig, uint64_t count)
{
    char id[24];
    for (uint64_t i = 0; i < count; i++) {
        snprintf(id, sizeof id, "%06llu", (unsigned long long)i);
        rig_start(rig, id, "{}", "", "");
    }
}

static const struct calling plain = {"20s", "1", "100ms", "park", "1h"};

static void a_call_that_is_made_again_has_another_key_and_drops_the_old_result(void **state)
{
    (void)state;
    all_answers = (struct fake_answer){.done = true, .output = "1", .delay_ms = 60};
    struct rig *rig = open_caller(plain);
    call_many(rig, 1);
    rig_until_running(rig, 1);
    all_answers = (struct fake_answer){.done = true, .output = "2", .delay_ms = 30};
    rig_send(rig, "000000", "AGAIN", "{}", "");
    rig_until_final(rig, 1);
    rig_assert_state(rig, "000000", "DONE");
    struct instance *instance = rig_find(rig, "000000");
    assert_true(span_is(span_of(instance->context, instance->context_size), "{\"answer\":2}"));
    assert_int_equal(rig->world->call_count, 2);
    assert_string_not_equal(rig->world->calls[0].key, rig->world->calls[1].key);
    assert_int_equal(rig->world->calls[1].attempt, 1);
    rig_verify(rig);
    rig_assert_idle(rig, "call");
    rig_close(rig);
}

/* Results that come in the very rounds in which their calls are left and made again. */
static void results_and_cancellations_race_without_a_leak(void **state)
{
    enum { COUNT = 60, ROUNDS = 40 };
    (void)state;
    struct rig *rig = open_caller(plain);
    all_answers = (struct fake_answer){.done = true, .output = "1", .delay_ms = 1};
    call_many(rig, COUNT);
    for (int round = 0; round < ROUNDS; round++) {
        char id[24];
        for (int i = round % 7; i < COUNT; i += 7) {
            snprintf(id, sizeof id, "%06d", i);
            rig_send(rig, id, i % 5 == 0 && round > 20 ? "CANCEL" : "AGAIN", "{}", "");
        }
        all_answers.done = round % 4 != 0;
        all_answers.kind = ERROR_KIND_REJECTED;
        all_answers.delay_ms = round % 3;
        loop_run_once(rig->loop, true);
    }
    rig_until_final(rig, COUNT);
    rig_verify(rig);
    rig_assert_idle(rig, "call");
    rig_close(rig);
}

static void a_cancelled_line_leaves_nothing_in_flight(void **state)
{
    enum { COUNT = 200 };
    (void)state;
    struct rig *rig = open_caller((struct calling){"20s", "1000", "50ms", "park", "1h"});
    all_answers = (struct fake_answer){.kind = ERROR_KIND_UNAVAILABLE, .delay_ms = 2};
    call_many(rig, COUNT);
    rig_rest(rig, 200);
    for (int i = 0; i < COUNT; i++) {
        char id[24];
        snprintf(id, sizeof id, "%06d", i);
        rig_send(rig, id, "CANCEL", "{}", "");
    }
    rig_until_final(rig, COUNT);
    rig_verify(rig);
    rig_assert_idle(rig, "call");
    rig_close(rig);
}

static void ten_thousand_are_parked_and_get_through(void **state)
{
    enum { COUNT = 10000 };
    (void)state;
    struct rig *rig = open_caller((struct calling){"1500ms", "1000", "900ms", "park", "1h"});
    all_answers = (struct fake_answer){.kind = ERROR_KIND_UNAVAILABLE};
    call_many(rig, COUNT);
    rig_until_replies(rig, ANSWER_OK, COUNT + 1);
    rig_rest(rig, 2000);                                       /* longer than the deadline */
    assert_true(engine_view(rig->engine).final < COUNT / 100); /* slow machines expire some */
    assert_true(rig->world->call_count < 200);
    all_answers = (struct fake_answer){.done = true, .output = "1"};
    rig_until_final(rig, COUNT);
    uint64_t done = 0;
    for (struct instance *instance = engine_registry(rig->engine)->first; instance != NULL;
         instance = instance->next)
        done += instance->leaf == rig_find(rig, "009999")->leaf;
    assert_true(done > COUNT - COUNT / 100);
    rig_until_settled(rig);
    rig_assert_idle(rig, "call");
    rig_close(rig);
}

static void who_is_parked_for_too_long_gets_an_error(void **state)
{
    (void)state;
    struct rig *rig = open_caller((struct calling){"10s", "1000", "20s", "park", "300ms"});
    all_answers = (struct fake_answer){.kind = ERROR_KIND_UNAVAILABLE};
    instant_ms begin = clock_wall();
    call_many(rig, 50);
    rig_until_final(rig, 50);
    assert_in_range(clock_wall() - begin, 300, 3000);
    rig_assert_state(rig, "000049", "ENDED");
    struct instance *instance = rig_find(rig, "000049");
    assert_true(span_is(span_of(instance->context, instance->context_size),
                        "{\"answer\":\"breaker_open\"}"));
    rig_assert_idle(rig, "call");
    rig_verify(rig);
    rig_close(rig);
}

static void who_would_be_parked_fails_where_the_step_says_so(void **state)
{
    (void)state;
    struct rig *rig = open_caller((struct calling){"10s", "3", "20s", "fail", "1h"});
    all_answers = (struct fake_answer){.kind = ERROR_KIND_UNAVAILABLE};
    call_many(rig, 200);
    rig_until_final(rig, 200);
    assert_true(rig->world->call_count < 40);
    rig_assert_idle(rig, "call");
    rig_verify(rig);
    rig_close(rig);
}

/* One call at a time, and a queue for four. */
static const char narrow[] =
    "{\"id\":\"m\",\"version\":\"1\",\"initial\":\"CALLING\",\"states\":{"
    "\"CALLING\":{\"invoke\":{\"src\":\"call\",\"onDone\":\"DONE\",\"onError\":\"DONE\"}},"
    "\"DONE\":{\"type\":\"final\"}},"
    "\"steps\":{\"call\":{\"fake\":{},\"limit\":{\"concurrency\":1,\"queue\":4}}}}";

static const char impatient[] =
    "{\"id\":\"m\",\"version\":\"1\",\"initial\":\"CALLING\",\"states\":{"
    "\"CALLING\":{\"invoke\":{\"src\":\"call\",\"onDone\":\"DONE\",\"onError\":\"DONE\"}},"
    "\"DONE\":{\"type\":\"final\"}},\"steps\":{\"call\":{\"fake\":{},"
    "\"limit\":{\"concurrency\":1,\"queue\":100,\"wait\":\"100ms\"}}}}";

static size_t place_of_call(const struct rig *rig, const char *instance)
{
    for (size_t i = 0; i < rig->world->call_count; i++) {
        if (strcmp(rig->world->calls[i].instance, instance) == 0)
            return i;
    }
    return SIZE_MAX;
}

static void those_beyond_the_queue_go_after_it_and_are_not_forgotten(void **state)
{
    enum { EARLY = 40, LATE = 120 };
    (void)state;
    char id[24];
    struct rig *rig = rig_open(as_set, narrow);
    all_answers = (struct fake_answer){.done = true, .output = "1", .delay_ms = 1};
    call_many(rig, EARLY);
    for (int i = 0; i < LATE; i += 4) { /* the queue is never empty, and never full */
        uint64_t begun = rig->world->call_count;
        for (int k = i; k < i + 4; k++) {
            snprintf(id, sizeof id, "late%06d", k);
            rig_start(rig, id, "{}", "", "");
        }
        while (rig->world->call_count < begun + 4)
            loop_run_once(rig->loop, true);
    }
    rig_until_final(rig, EARLY + LATE);
    assert_true(place_of_call(rig, "late000080") < place_of_call(rig, "000039"));
    assert_true(place_of_call(rig, "000005") < place_of_call(rig, "late000119"));
    rig_assert_idle(rig, "call");
    rig_verify(rig);
    rig_close(rig);
}

static void who_waits_too_long_makes_room_for_those_who_do_not(void **state)
{
    enum { EARLY = 40 };
    (void)state;
    struct rig *rig = rig_open(as_set, impatient);
    all_answers = (struct fake_answer){.done = true, .output = "1", .delay_ms = 20};
    call_many(rig, EARLY);
    rig_until_replies(rig, ANSWER_OK, EARLY + 1);
    rig_rest(rig, 200);
    rig_start(rig, "late", "{}", "", "");
    rig_until_final(rig, EARLY + 1);
    assert_true(place_of_call(rig, "late") < place_of_call(rig, "000039"));
    assert_true(place_of_call(rig, "000000") < place_of_call(rig, "late"));
    rig_assert_idle(rig, "call");
    rig_verify(rig);
    rig_close(rig);
}

static const char aging[] =
    "{\"id\":\"m\",\"version\":\"1\",\"initial\":\"CALLING\",\"states\":{"
    "\"CALLING\":{\"invoke\":{\"src\":\"call\",\"onDone\":\"DONE\",\"onError\":\"DONE\"}},"
    "\"DONE\":{\"type\":\"final\"}},\"steps\":{\"call\":{\"fake\":{},"
    "\"limit\":{\"concurrency\":1,\"queue\":100,\"age\":\"800ms\"}}}}";

/* Those who are too old go after the young, but not while these have time to spare. */
static void who_is_too_old_goes_while_the_young_can_wait(void **state)
{
    enum { EARLY = 40 };
    (void)state;
    struct rig *rig = rig_open(as_set, aging);
    all_answers = (struct fake_answer){.done = true, .output = "1", .delay_ms = 50};
    call_many(rig, EARLY);
    rig_until_replies(rig, ANSWER_OK, EARLY + 1);
    rig_rest(rig, 900);
    size_t begun = rig->world->call_count;
    rig_start(rig, "late", "{}", "", "");
    rig_until_final(rig, EARLY + 1);
    assert_true(place_of_call(rig, "late") > begun + 1);
    assert_true(place_of_call(rig, "late") < place_of_call(rig, "000039"));
    rig_assert_idle(rig, "call");
    rig_verify(rig);
    rig_close(rig);
}

static const char sleeper[] =
    "{\"id\":\"m\",\"version\":\"1\",\"context\":{\"rings\":0},\"initial\":\"A\",\"states\":{"
    "\"A\":{\"after\":{\"300ms\":{\"target\":\"B\",\"assign\":{\"rings\":\"${context.rings + "
    "1}\"}}}},\"B\":{\"after\":{\"10ms\":\"C\"}},\"C\":{\"type\":\"final\"}},\"steps\":{}}";

static void five_thousand_timers_ring_at_once_and_once_each(void **state)
{
    enum { COUNT = 5000 };
    (void)state;
    struct rig *rig = rig_open(rig_all_well, sleeper);
    call_many(rig, COUNT);
    rig_until_replies(rig, ANSWER_OK, COUNT + 1);
    rig_crash(rig);
    rig_set_clock(3600 * 1000);
    rig_open_engine(rig, NULL);
    rig_until_final(rig, COUNT);
    for (struct instance *instance = engine_registry(rig->engine)->first; instance != NULL;
         instance = instance->next)
        assert_int_equal(instance->seq, 3);
    rig_stop(rig, 100);
    rig_open_engine(rig, NULL);
    rig_close(rig);
}

/* Time goes on when the clock is set back, and no timer is early by it. */
static void a_clock_that_steps_back_stops_nothing(void **state)
{
    (void)state;
    struct rig *rig = rig_open(rig_all_well, sleeper);
    rig_start(rig, "a", "{}", "", "");
    rig_until_replies(rig, ANSWER_OK, 2);
    rig_set_clock(-3600 * 1000);
    int64_t begin_us = clock_elapsed_us();
    rig_until_final(rig, 1);
    assert_true(clock_elapsed_us() - begin_us >= 250 * 1000);
    rig_verify(rig);
    rig_crash(rig);
    rig_open_engine(rig, NULL); /* what is stored is ahead of the clock now */
    rig_start(rig, "b", "{}", "", "");
    begin_us = clock_elapsed_us();
    rig_until_final(rig, 2);
    assert_true(clock_elapsed_us() - begin_us >= 300 * 1000);
    rig_close(rig);
}

static void a_full_inbox_refuses_events_but_no_results(void **state)
{
    enum { COUNT = 70000 };
    (void)state;
    struct rig *rig = open_caller((struct calling){"60s", "1", "100ms", "park", "1h"});
    all_answers = (struct fake_answer){.done = true, .output = "1", .delay_ms = 50};
    call_many(rig, 8);
    rig_until_running(rig, 8);
    for (int i = 0; i < COUNT; i++)
        rig_send(rig, "nobody", "AGAIN", "{}", "");
    assert_int_equal(rig->replies[ANSWER_FULL], COUNT - (INBOX_EVENTS_MAX - INBOX_RESERVED));
    rig_until_final(rig, 8);
    rig_until_settled(rig);
    assert_int_equal(rig->replies[ANSWER_NOT_FOUND], INBOX_EVENTS_MAX - INBOX_RESERVED);
    rig_start(rig, "late", "{}", "", "");
    rig_until_final(rig, 9);
    rig_assert_idle(rig, "call");
    rig_close(rig);
}

static void a_step_that_hangs_is_given_its_grace_and_made_again(void **state)
{
    (void)state;
    struct rig *rig = open_caller(plain);
    all_answers = (struct fake_answer){.delay_ms = -1};
    call_many(rig, 3);
    rig_until_running(rig, 3);
    int64_t begin_us = clock_elapsed_us();
    rig_stop(rig, 100);
    assert_true(clock_elapsed_us() - begin_us >= 90 * 1000);
    assert_int_equal(rig->world->running, 0);
    all_answers = (struct fake_answer){.done = true, .output = "1"};
    rig_open_engine(rig, NULL);
    rig_until_final(rig, 3);
    assert_int_equal(rig->world->call_count, 6);
    assert_string_equal(rig->world->calls[0].instance, rig->world->calls[3].instance);
    rig_assert_keys(rig);
    rig_assert_state(rig, "000000", "DONE");
    rig_assert_idle(rig, "call");
    rig_close(rig);
}

static void only_the_instance_in_focus_moves(void **state)
{
    (void)state;
    struct rig *rig = rig_open(rig_all_well, sleeper);
    rig_start(rig, "a", "{}", "", "");
    rig_start(rig, "b", "{}", "", "");
    rig_until_replies(rig, ANSWER_OK, 3);
    rig_crash(rig);
    rig->focus = "b";
    rig_open_engine(rig, NULL);
    rig_until_final(rig, 1);
    rig_rest(rig, 400);
    rig_assert_state(rig, "a", "A");
    rig_assert_state(rig, "b", "C");
    rig_stop(rig, 100);
    rig->focus = NULL;
    rig_open_engine(rig, NULL);
    rig_until_final(rig, 2);
    rig_close(rig);
}

/* The first ten attempts end with the engine; then the step is given up. */
static void a_step_that_ends_the_engine_does_not_for_ever(void **state)
{
    (void)state;
    struct rig *rig = open_caller(plain);
    all_answers = (struct fake_answer){.delay_ms = -1};
    rig_start(rig, "a", "{}", "", "");
    int opens = 0;
    for (;;) {
        size_t calls = rig->world->call_count;
        while (rig->world->call_count == calls && engine_view(rig->engine).final == 0)
            loop_run_once(rig->loop, true);
        if (engine_view(rig->engine).final > 0 || ++opens > 40)
            break;
        rig_rest(rig, 10); /* a program that kills its parent needs as long to begin */
        rig_crash(rig);
        rig_open_engine(rig, NULL);
    }
    rig_assert_state(rig, "a", "ENDED");
    assert_in_range(opens, INTERRUPTIONS_MAX, INTERRUPTIONS_MAX + 3);
    rig_close(rig);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_that_is_made_again_has_another_key_and_drops_the_old_result),
        cmocka_unit_test(results_and_cancellations_race_without_a_leak),
        cmocka_unit_test(a_cancelled_line_leaves_nothing_in_flight),
        cmocka_unit_test(ten_thousand_are_parked_and_get_through),
        cmocka_unit_test(who_is_parked_for_too_long_gets_an_error),
        cmocka_unit_test(who_would_be_parked_fails_where_the_step_says_so),
        cmocka_unit_test(those_beyond_the_queue_go_after_it_and_are_not_forgotten),
        cmocka_unit_test(who_waits_too_long_makes_room_for_those_who_do_not),
        cmocka_unit_test(who_is_too_old_goes_while_the_young_can_wait),
        cmocka_unit_test(five_thousand_timers_ring_at_once_and_once_each),
        cmocka_unit_test(a_clock_that_steps_back_stops_nothing),
        cmocka_unit_test(a_full_inbox_refuses_events_but_no_results),
        cmocka_unit_test(a_step_that_hangs_is_given_its_grace_and_made_again),
        cmocka_unit_test(only_the_instance_in_focus_moves),
        cmocka_unit_test(a_step_that_ends_the_engine_does_not_for_ever),
    };
    if (count > 1)
        cmocka_set_test_filter(arguments[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
