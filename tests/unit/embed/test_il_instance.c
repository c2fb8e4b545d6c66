/*
 * test_il_instance.c - one instance by hand: steps, effects, snapshots, and too little memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <interlock.h>

static const char DOOR[] =
    "{\"id\":\"door\",\"version\":\"1\",\"initial\":\"SHUT\","
    "\"context\":{\"who\":\"${input.who}\",\"count\":0,\"log\":[]},"
    "\"states\":{"
    "\"SHUT\":{\"tags\":[\"safe\"],\"on\":{"
    "\"PUSH\":{\"target\":\"OPEN\",\"guard\":\"context.count < 3\","
    "\"assign\":{\"count\":\"${context.count + 1}\",\"log\":\"${context.log + [event.by]}\"}},"
    "\"BREAK\":{\"assign\":{\"count\":\"${1 / 0}\"}},"
    "\"END\":\"GONE\"}},"
    "\"OPEN\":{\"initial\":\"RINGING\",\"after\":{\"5s\":\"SHUT\",\"2s\":\".QUIET\"},"
    "\"states\":{\"RINGING\":{\"invoke\":{\"id\":\"bell\",\"src\":\"ring\","
    "\"input\":{\"for\":\"${event.by}\",\"event\":\"${event.type}\"},"
    "\"onDone\":\"QUIET\",\"onError\":{\"target\":\"#GONE\","
    "\"assign\":{\"who\":\"${event.error.kind}\"}}}},\"QUIET\":{}}},"
    "\"GONE\":{\"id\":\"GONE\",\"type\":\"final\",\"output\":{\"count\":\"${context.count}\"}}}"
    "}";

static int load_door(void **state)
{
    il_machine *machine;
    if (il_machine_load(DOOR, sizeof DOOR - 1, NULL, NULL, NULL, &machine) != IL_OK)
        return -1;
    *state = machine;
    return 0;
}

static int close_door(void **state)
{
    il_machine_close(*state);
    return 0;
}

static il_instance *start(const il_machine *machine)
{
    il_instance *instance;
    assert_int_equal(il_instance_start(machine, "{\"who\":\"ada\"}", 1000, NULL, 0, &instance),
                     IL_OK);
    return instance;
}

static void push(il_instance *instance, int64_t now)
{
    char by[] = "{\"by\":\"bob\"}";
    char type[] = "PUSH";
    assert_int_equal(il_instance_send(instance, type, by, now), IL_OK);
    memset(by, 'x', sizeof by); /* what was given is the caller's again */
    memset(type, 'x', sizeof type);
}

static void an_event_moves_it_and_tells_what_to_do(void **state)
{
    il_effect effect;
    il_instance *instance = start(*state);
    assert_string_equal(il_instance_value(instance), "\"SHUT\"");
    assert_string_equal(il_instance_tags(instance), "[\"safe\"]");
    assert_int_equal(il_instance_effect_count(instance), 0);
    push(instance, 2000);
    assert_int_equal(il_instance_outcome(instance), IL_OUTCOME_APPLIED);
    assert_true(il_instance_changed(instance));
    assert_string_equal(il_instance_value(instance), "{\"OPEN\":\"RINGING\"}");
    assert_string_equal(il_instance_context(instance),
                        "{\"who\":\"ada\",\"count\":1,\"log\":[\"bob\"]}");
    assert_true(il_instance_is_in(instance, "OPEN"));
    assert_true(il_instance_is_in(instance, "OPEN.RINGING"));
    assert_false(il_instance_is_in(instance, "SHUT"));
    assert_false(il_instance_is_in(instance, "nowhere"));
    assert_int_equal(il_instance_effect_count(instance), 3);
    assert_true(il_instance_effect(instance, 0, &effect));
    assert_int_equal(effect.kind, IL_EFFECT_SCHEDULE);
    assert_true(effect.due_ms == 7000 || effect.due_ms == 4000);
    assert_null(effect.src);
    assert_true(il_instance_effect(instance, 2, &effect));
    assert_int_equal(effect.kind, IL_EFFECT_INVOKE);
    assert_string_equal(effect.id, "bell");
    assert_string_equal(effect.src, "ring");
    assert_string_equal(effect.input, "{\"for\":\"bob\",\"event\":\"PUSH\"}");
    assert_false(il_instance_effect(instance, 3, &effect));
    il_instance_close(instance);
}

static void what_nothing_enables_is_ignored(void **state)
{
    il_instance *instance = start(*state);
    assert_int_equal(il_instance_send(instance, "KNOCK", NULL, 1), IL_OK);
    assert_int_equal(il_instance_outcome(instance), IL_OUTCOME_IGNORED);
    assert_false(il_instance_changed(instance));
    assert_string_equal(il_instance_problems(instance), "[]");
    il_instance_close(instance);
}

static void an_action_that_fails_changes_nothing(void **state)
{
    il_instance *instance = start(*state);
    assert_int_equal(il_instance_send(instance, "BREAK", NULL, 1), IL_OK);
    assert_int_equal(il_instance_outcome(instance), IL_OUTCOME_FAILED);
    assert_non_null(strstr(il_instance_problems(instance), "\"what\":\"assign count\""));
    assert_string_equal(il_instance_context(instance),
                        "{\"who\":\"ada\",\"count\":0,\"log\":[]}");
    assert_int_equal(il_instance_status_of(instance), IL_INSTANCE_ACTIVE);
    il_instance_close(instance);
}

static void timers_fire_one_a_call_in_the_order_they_are_due(void **state)
{
    int64_t due = 0;
    il_effect effect;
    il_instance *instance = start(*state);
    assert_false(il_instance_next_due(instance, &due));
    assert_int_equal(il_instance_advance(instance, INT64_MAX), IL_NOT_FOUND);
    push(instance, 0);
    assert_true(il_instance_next_due(instance, &due));
    assert_int_equal(due, 2000);
    assert_int_equal(il_instance_advance(instance, 1999), IL_NOT_FOUND);
    assert_int_equal(il_instance_effect_count(instance), 3); /* nothing happened */
    assert_int_equal(il_instance_advance(instance, 60000), IL_OK);
    assert_string_equal(il_instance_value(instance), "{\"OPEN\":\"QUIET\"}");
    assert_true(il_instance_effect(instance, 0, &effect));
    assert_int_equal(effect.kind, IL_EFFECT_STOP);
    assert_string_equal(effect.id, "bell");
    assert_int_equal(il_instance_advance(instance, 60000), IL_OK);
    assert_string_equal(il_instance_value(instance), "\"SHUT\"");
    assert_int_equal(il_instance_advance(instance, 60000), IL_NOT_FOUND);
    il_instance_close(instance);
}

static uint64_t bell_number(il_instance *instance)
{
    il_effect effect;
    for (size_t i = 0; il_instance_effect(instance, i, &effect); i++) {
        if (effect.kind == IL_EFFECT_INVOKE)
            return effect.number;
    }
    return 0;
}

static void an_answer_belongs_to_its_visit(void **state)
{
    il_instance *instance = start(*state);
    push(instance, 0);
    uint64_t first = bell_number(instance);
    assert_int_equal(il_instance_complete(instance, "bell", first, "true", 10), IL_OK);
    assert_string_equal(il_instance_value(instance), "{\"OPEN\":\"QUIET\"}");
    assert_int_equal(il_instance_advance(instance, 5000), IL_OK);
    assert_int_equal(il_instance_advance(instance, 5000), IL_OK);
    push(instance, 6000);
    assert_int_equal(il_instance_complete(instance, "bell", first, NULL, 6001), IL_OK);
    assert_int_equal(il_instance_outcome(instance), IL_OUTCOME_IGNORED);
    assert_true(il_instance_is_in(instance, "OPEN.RINGING"));
    assert_int_equal(il_instance_complete(instance, "bell", 0, NULL, 6002), IL_OK);
    assert_true(il_instance_is_in(instance, "OPEN.QUIET"));
    assert_int_equal(il_instance_complete(instance, "bell", 0, NULL, 6003), IL_OK);
    assert_int_equal(il_instance_outcome(instance), IL_OUTCOME_IGNORED);
    assert_int_equal(il_instance_complete(instance, "gong", 0, NULL, 6003), IL_NOT_FOUND);
    il_instance_close(instance);
}

static void a_step_that_fails_is_handled(void **state)
{
    il_instance *instance = start(*state);
    push(instance, 0);
    assert_int_equal(
        il_instance_fail(instance, "bell", 0, "{\"kind\":\"timeout\",\"message\":\"m\"}", 10),
        IL_OK);
    assert_int_equal(il_instance_status_of(instance), IL_INSTANCE_DONE);
    assert_string_equal(il_instance_output(instance), "{\"count\":1}");
    assert_string_equal(il_instance_error(instance), "null");
    assert_non_null(strstr(il_instance_context(instance), "\"who\":\"timeout\""));
    assert_int_equal(il_instance_send(instance, "PUSH", NULL, 11), IL_OK);
    assert_int_equal(il_instance_outcome(instance), IL_OUTCOME_IGNORED);
    il_instance_close(instance);
}

static void a_start_that_fails_leaves_an_instance_to_look_at(void **state)
{
    il_instance *instance;
    assert_int_equal(il_instance_start(*state, NULL, 0, NULL, 0, &instance), IL_OK);
    assert_int_equal(il_instance_status_of(instance), IL_INSTANCE_ERROR);
    assert_int_equal(il_instance_outcome(instance), IL_OUTCOME_FAILED);
    assert_non_null(strstr(il_instance_error(instance), "\"kind\":\"execution\""));
    il_instance_close(instance);
}

static void wrong_json_is_refused_and_nothing_moves(void **state)
{
    static const struct {
        const char *type;
        const char *json;
    } rows[] = {
        {"PUSH", "{"},
        {"PUSH", "[1]"},
        {"PUSH", "1"},
        {"PUSH", ""},
        {"", "{}"},
        {"\xff", "{}"},
        {"PUSH", "{\"a\":\"\xff\"}"},
        {"PUSH", "{\"type\":\"END\"}"},
    };
    il_instance *instance = start(*state);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(il_instance_send(instance, rows[i].type, rows[i].json, 0), IL_INVALID);
        assert_string_equal(il_instance_value(instance), "\"SHUT\"");
        assert_int_equal(il_instance_effect_count(instance), 0);
    }
    push(instance, 0);
    assert_int_equal(il_instance_complete(instance, "bell", 0, "{", 0), IL_INVALID);
    assert_int_equal(il_instance_fail(instance, "bell", 0, "\"no\"", 0), IL_INVALID);
    assert_true(il_instance_is_in(instance, "OPEN.RINGING"));
    il_instance_close(instance);
}

static void wrong_calls_answer_and_do_nothing(void **state)
{
    il_instance *instance = start(*state);
    il_instance *other = NULL;
    il_effect effect;
    size_t size;
    char byte;
    assert_int_equal(il_instance_start(NULL, NULL, 0, NULL, 0, &other), IL_MISUSE);
    assert_int_equal(il_instance_start(*state, NULL, 0, NULL, 0, NULL), IL_MISUSE);
    assert_int_equal(il_instance_start(*state, "{", 0, NULL, 0, &other), IL_INVALID);
    assert_int_equal(il_instance_restore(*state, NULL, 0, NULL, 0, &other), IL_MISUSE);
    assert_int_equal(il_instance_send(NULL, "A", NULL, 0), IL_MISUSE);
    assert_int_equal(il_instance_send(instance, NULL, NULL, 0), IL_MISUSE);
    assert_int_equal(il_instance_complete(NULL, "a", 0, NULL, 0), IL_MISUSE);
    assert_int_equal(il_instance_complete(instance, NULL, 0, NULL, 0), IL_MISUSE);
    assert_int_equal(il_instance_fail(instance, NULL, 0, NULL, 0), IL_MISUSE);
    assert_int_equal(il_instance_advance(NULL, 0), IL_MISUSE);
    assert_int_equal(il_instance_snapshot(instance, NULL, 1, &size), IL_MISUSE);
    assert_int_equal(il_instance_snapshot(instance, &byte, 1, NULL), IL_MISUSE);
    assert_false(il_instance_effect(NULL, 0, &effect));
    assert_false(il_instance_effect(instance, 0, NULL));
    assert_false(il_instance_next_due(NULL, NULL));
    assert_false(il_instance_is_in(instance, NULL));
    assert_null(il_instance_value(NULL));
    assert_null(il_instance_problems(NULL));
    assert_int_equal(il_instance_status_of(NULL), IL_INSTANCE_STOPPED);
    assert_int_equal(il_instance_used(NULL), 0);
    assert_null(other);
    il_instance_close(NULL);
    il_instance_close(instance);
}

static void a_snapshot_goes_on_where_it_was_taken(void **state)
{
    char bytes[2000];
    char again[2000];
    size_t size = 0;
    size_t size_again;
    il_instance *instance = start(*state);
    il_instance *other;
    push(instance, 0);
    assert_int_equal(il_instance_snapshot(instance, NULL, 0, &size), IL_NO_SPACE);
    assert_true(size > 0 && size < sizeof bytes);
    assert_int_equal(il_instance_snapshot(instance, bytes, size - 1, &size), IL_NO_SPACE);
    assert_int_equal(il_instance_snapshot(instance, bytes, size, &size), IL_OK);
    assert_int_equal(il_instance_restore(*state, bytes, size, NULL, 0, &other), IL_OK);
    memcpy(again, bytes, sizeof again);
    memset(bytes, 'x', sizeof bytes);
    assert_int_equal(il_instance_effect_count(other), 0);
    assert_string_equal(il_instance_value(other), il_instance_value(instance));
    assert_int_equal(il_instance_advance(instance, 9000), IL_OK);
    assert_int_equal(il_instance_advance(other, 9000), IL_OK);
    assert_int_equal(il_instance_snapshot(instance, bytes, sizeof bytes, &size), IL_OK);
    assert_int_equal(il_instance_snapshot(other, again, sizeof again, &size_again), IL_OK);
    assert_int_equal(size, size_again);
    assert_memory_equal(bytes, again, size);
    il_instance_close(instance);
    il_instance_close(other);
}

static void damaged_snapshots_are_refused(void **state)
{
    char bytes[2000];
    size_t size;
    il_instance *instance = start(*state);
    il_instance *other = NULL;
    assert_int_equal(il_instance_snapshot(instance, bytes, sizeof bytes, &size), IL_OK);
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (char)(bytes[i] ^ 0x10);
        assert_int_equal(il_instance_restore(*state, bytes, size, NULL, 0, &other), IL_CORRUPT);
        bytes[i] = (char)(bytes[i] ^ 0x10);
        /* Cut short, in memory of exactly that size so that reading beyond shows. */
        char *cut = malloc(i + 1);
        memcpy(cut, bytes, i);
        assert_int_equal(il_instance_restore(*state, cut, i, NULL, 0, &other), IL_CORRUPT);
        free(cut);
    }
    assert_null(other);
    il_instance_close(instance);
}

static void another_machines_snapshot_is_refused(void **state)
{
    static const char *const texts[] = {
        "{\"id\":\"door\",\"version\":\"1\",\"initial\":\"A\",\"states\":{\"A\":{}}}",
        "{\"id\":\"door\",\"version\":\"2\",\"initial\":\"A\",\"states\":{\"A\":{}}}",
        "{\"id\":\"gate\",\"version\":\"1\",\"initial\":\"A\",\"states\":{\"A\":{}}}",
    };
    char bytes[2000];
    size_t size;
    il_instance *instance = start(*state);
    assert_int_equal(il_instance_snapshot(instance, bytes, sizeof bytes, &size), IL_OK);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        il_machine *machine;
        il_instance *other = NULL;
        assert_int_equal(
            il_machine_load(texts[i], strlen(texts[i]), NULL, NULL, NULL, &machine), IL_OK);
        assert_int_equal(il_instance_restore(machine, bytes, size, NULL, 0, &other),
                         IL_CONFLICT);
        assert_null(other);
        il_machine_close(machine);
    }
    il_instance_close(instance);
}

/* With every size from nothing to enough, a call either does all or nothing. The memory is of
 * exactly that size, at any alignment. */
static void too_little_memory_is_an_answer(void **state)
{
    int starts = 0;
    int steps = 0;
    for (size_t bytes = 0; bytes < 40000 && steps < 50; bytes += bytes < 3000 ? 13 : 97) {
        char *memory = malloc(bytes + 3);
        il_instance *instance = NULL;
        il_status status = il_instance_start(*state, "{\"who\":\"ada\"}", 0, memory + bytes % 3,
                                             bytes, &instance);
        assert_true(status == IL_OK || (status == IL_NO_SPACE && instance == NULL));
        if (status == IL_OK) {
            starts++;
            status = il_instance_send(instance, "PUSH", "{\"by\":\"bob\"}", 0);
            assert_true(status == IL_OK || status == IL_NO_SPACE);
            assert_true(il_instance_is_in(instance, status == IL_OK ? "OPEN" : "SHUT"));
            steps += status == IL_OK;
            il_effect effect;
            for (size_t i = 0; il_instance_effect(instance, i, &effect); i++)
                assert_non_null(effect.id);
            const char *context = il_instance_context(instance);
            assert_true(context == NULL || context[0] == '{');
            il_instance_close(instance);
        }
        free(memory);
    }
    assert_true(starts > steps && steps == 50);
}

static void what_it_used_is_what_it_needs(void **state)
{
    il_instance *instance = start(*state);
    push(instance, 0);
    size_t bytes = il_instance_used(instance);
    il_instance_close(instance);
    char *memory = malloc(bytes);
    assert_int_equal(
        il_instance_start(*state, "{\"who\":\"ada\"}", 1000, memory, bytes, &instance), IL_OK);
    push(instance, 0);
    assert_int_equal(il_instance_used(instance), bytes);
    il_instance_close(instance);
    free(memory);
}

static void a_payload_that_is_too_large_changes_nothing(void **state)
{
    enum { BYTES = 1 << 20 };
    static const char head[] = "{\"by\":\"";
    char *json = malloc(BYTES + 16);
    il_instance *instance = start(*state);
    memset(json, 'a', BYTES + 16);
    memcpy(json, head, sizeof head - 1);
    memcpy(json + BYTES, "\"}", 3);
    assert_int_equal(il_instance_send(instance, "PUSH", json, 0), IL_NO_SPACE);
    assert_string_equal(il_instance_value(instance), "\"SHUT\"");
    push(instance, 0);
    assert_true(il_instance_is_in(instance, "OPEN"));
    il_instance_close(instance);
    free(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_moves_it_and_tells_what_to_do),
        cmocka_unit_test(what_nothing_enables_is_ignored),
        cmocka_unit_test(an_action_that_fails_changes_nothing),
        cmocka_unit_test(timers_fire_one_a_call_in_the_order_they_are_due),
        cmocka_unit_test(an_answer_belongs_to_its_visit),
        cmocka_unit_test(a_step_that_fails_is_handled),
        cmocka_unit_test(a_start_that_fails_leaves_an_instance_to_look_at),
        cmocka_unit_test(wrong_json_is_refused_and_nothing_moves),
        cmocka_unit_test(wrong_calls_answer_and_do_nothing),
        cmocka_unit_test(a_snapshot_goes_on_where_it_was_taken),
        cmocka_unit_test(damaged_snapshots_are_refused),
        cmocka_unit_test(another_machines_snapshot_is_refused),
        cmocka_unit_test(too_little_memory_is_an_answer),
        cmocka_unit_test(what_it_used_is_what_it_needs),
        cmocka_unit_test(a_payload_that_is_too_large_changes_nothing),
    };
    return cmocka_run_group_tests(tests, load_door, close_door);
}
