/*
 * test_il_crowd.c - an instance in a crowd says what the same instance alone says.
 *
 * Every row's machine is run twice over the same random events: in a crowd of a few, whose
 * members are visited at random, and by an il_instance for each member. After every event both
 * must agree in all that can be asked, snapshots included.
 */
#include <interlock.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { MEMBERS = 5, EVENTS = 400, SNAPSHOT_BYTES = 4096 };

struct row {
    const char *name;
    const char *definition;
};

static const char *const types[] = {"A", "B", "C", "UNKNOWN"};
static const char *const payloads[] = {NULL, "{}", "{\"n\":1}", "{\"n\":2}"};

static const struct row rows[] = {
    {"flat", "{\"initial\":\"x\",\"states\":{\"x\":{\"on\":{\"A\":\"y\",\"B\":\"x\"}},"
             "\"y\":{\"on\":{\"A\":\"x\",\"C\":{}}}}}"},
    {"guards over context and payload",
     "{\"initial\":\"x\",\"context\":{\"n\":1},\"states\":{"
     "\"x\":{\"on\":{\"A\":[{\"target\":\"y\",\"guard\":\"event.n == context.n\"},\"z\"]}},"
     "\"y\":{\"on\":{\"B\":{\"target\":\"x\",\"assign\":{\"n\":\"${(context.n + 1) % 3}\"}}}},"
     "\"z\":{\"on\":{\"*\":{\"target\":\"x\",\"guard\":\"event.type == 'B'\"}}}}}"},
    {"regions and histories",
     "{\"initial\":\"p\",\"states\":{"
     "\"p\":{\"type\":\"parallel\",\"on\":{\"C\":\"out\"},\"states\":{"
     "\"r\":{\"initial\":\"a\",\"states\":{\"a\":{\"on\":{\"A\":\"b\"}},"
     "\"b\":{\"initial\":\"i\",\"on\":{\"B\":\"a\"},\"states\":{\"i\":{\"on\":{\"A\":\"j\"}},"
     "\"j\":{}}}}},"
     "\"s\":{\"initial\":\"c\",\"states\":{\"c\":{\"on\":{\"A\":\"d\"}},"
     "\"d\":{\"on\":{\"A\":\"c\"}}}},"
     "\"h\":{\"type\":\"history\",\"history\":\"deep\"}}},"
     "\"out\":{\"on\":{\"A\":\"p.h\",\"B\":\"p\"}}}}"},
    {"timers, steps, actions and ends",
     "{\"initial\":\"x\",\"states\":{"
     "\"x\":{\"on\":{\"A\":\"y\",\"B\":\"w\",\"C\":{\"actions\":{\"log\":\"c\"}}}},"
     "\"y\":{\"invoke\":{\"src\":\"s\",\"onDone\":\"x\",\"onError\":\"x\"},\"on\":{\"A\":"
     "\"x\"}},"
     "\"w\":{\"after\":{\"1s\":\"x\"},\"on\":{\"A\":\"v\",\"C\":\"end\"}},"
     "\"v\":{\"on\":{\"B\":\"x\"}},"
     "\"end\":{\"type\":\"final\"}}}"},
    {"what goes on by itself, and what must hold",
     "{\"initial\":\"x\",\"context\":{\"n\":0},\"invariants\":{\"small\":\"context.n < 9\"},"
     "\"states\":{"
     "\"x\":{\"on\":{\"A\":{\"target\":\"y\",\"assign\":{\"n\":\"${context.n + 1}\"}}}},"
     "\"y\":{\"always\":{\"target\":\"x\",\"guard\":\"context.n % 2 == 0\"},"
     "\"on\":{\"B\":\"x\",\"C\":\"x\"}}}}"},
    {"guards over states alone",
     "{\"type\":\"parallel\",\"states\":{"
     "\"r\":{\"initial\":\"x\",\"states\":{\"x\":{\"on\":{\"A\":\"y\"}},"
     "\"y\":{\"on\":{\"A\":{\"target\":\"x\",\"guard\":{\"type\":\"xstate.stateIn\","
     "\"params\":{\"stateValue\":\"s.z\"}}}}}}},"
     "\"s\":{\"initial\":\"w\",\"states\":{\"w\":{\"on\":{\"B\":\"z\"}},"
     "\"z\":{\"on\":{\"B\":\"w\"}}}}}}"},
    {"guards that compare a number",
     "{\"initial\":\"x\",\"context\":{\"m\":0,\"n\":0},\"states\":{"
     "\"x\":{\"on\":{\"A\":[{\"target\":\"y\",\"guard\":\"context.n > 1\"},"
     "{\"target\":\"z\",\"guard\":\"0 == context.m\"}],"
     "\"C\":{\"target\":\"x\",\"assign\":{\"n\":\"${context.n < 3 ? context.n + 1 : 0}\"}}}},"
     "\"y\":{\"on\":{\"A\":{\"target\":\"x\",\"guard\":\"2 >= context.n\"},"
     "\"B\":{\"target\":\"z\",\"assign\":{\"n\":\"${context.n + 0.5}\",\"m\":1}}}},"
     "\"z\":{\"on\":{\"A\":{\"target\":\"x\",\"guard\":\"context.n != 2\"},"
     "\"B\":{\"target\":\"y\",\"assign\":{\"n\":2,\"m\":0}},"
     "\"C\":{\"target\":\"x\",\"guard\":\"context.o > 2\"}}}}}"},
    {"contexts of other shapes",
     "{\"initial\":\"x\",\"context\":{\"n\":1,\"t\":null},\"states\":{"
     "\"x\":{\"on\":{\"A\":{\"target\":\"y\",\"guard\":\"context.n == 1\"},"
     "\"B\":{\"target\":\"y\",\"assign\":{\"t\":\"text\",\"n\":2}}}},"
     "\"y\":{\"on\":{\"A\":{\"target\":\"x\",\"guard\":\"context.t != 'text'\"},"
     "\"B\":{\"target\":\"x\",\"assign\":{\"t\":null,\"n\":1}},"
     "\"C\":{\"target\":\"x\",\"assign\":{\"t\":2.5,\"more\":true}}}}}}"},
    {"declared events",
     "{\"initial\":\"x\",\"events\":{\"A\":{},\"B\":{\"type\":\"object\",\"required\":[\"n\"]}}"
     ","
     "\"states\":{\"x\":{\"on\":{\"A\":\"y\"}},\"y\":{\"on\":{\"B\":\"x\"}}}}"},
};

static uint64_t next_random(uint64_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random >> 11;
}

static il_machine *load(const char *definition)
{
    il_machine *machine;
    assert_int_equal(
        il_machine_load(definition, strlen(definition), NULL, NULL, NULL, &machine), IL_OK);
    return machine;
}

static size_t snapshot(il_instance *instance, char *bytes)
{
    size_t size;
    assert_int_equal(il_instance_snapshot(instance, bytes, SNAPSHOT_BYTES, &size), IL_OK);
    return size;
}

static void expect_same_effects(il_instance *in_crowd, il_instance *alone)
{
    for (size_t i = 0; i < il_instance_effect_count(alone); i++) {
        il_effect a;
        il_effect b;
        assert_true(il_instance_effect(in_crowd, i, &a) && il_instance_effect(alone, i, &b));
        assert_int_equal(a.kind, b.kind);
        assert_string_equal(a.id, b.id);
    }
}

static void expect_same(il_instance *in_crowd, il_instance *alone)
{
    char first[SNAPSHOT_BYTES];
    char second[SNAPSHOT_BYTES];
    size_t size = snapshot(in_crowd, first);
    assert_string_equal(il_instance_value(in_crowd), il_instance_value(alone));
    assert_string_equal(il_instance_context(in_crowd), il_instance_context(alone));
    assert_int_equal(size, snapshot(alone, second));
    assert_memory_equal(first, second, size);
}

/* Sends to both; or lets their next timer fire, or answers their step. */
static void do_something(il_crowd *crowd, size_t member, il_instance *alone, uint64_t *random,
                         int64_t now)
{
    uint64_t dice = next_random(random) % 8;
    const char *type = types[next_random(random) % COUNT(types)];
    const char *payload = payloads[next_random(random) % COUNT(payloads)];
    uint32_t event;
    if (dice == 0) {
        il_instance *taken = il_crowd_instance(crowd, member);
        assert_int_equal(il_instance_advance(taken, now), il_instance_advance(alone, now));
        return;
    }
    if (dice == 1) {
        il_instance *taken = il_crowd_instance(crowd, member);
        assert_int_equal(il_instance_complete(taken, "s", 0, "1", now),
                         il_instance_complete(alone, "s", 0, "1", now));
        return;
    }
    assert_int_equal(il_crowd_event(crowd, type, &event), IL_OK);
    il_status status = il_crowd_send(crowd, member, event, payload, now);
    assert_int_equal(status, il_instance_send(alone, type, payload, now));
    if (status != IL_OK)
        return;
    assert_int_equal(il_crowd_outcome(crowd), il_instance_outcome(alone));
    assert_int_equal(il_crowd_changed(crowd), il_instance_changed(alone));
    assert_int_equal(il_crowd_effect_count(crowd), il_instance_effect_count(alone));
    expect_same_effects(il_crowd_instance(crowd, member), alone);
}

static void expect_same_states(il_crowd *crowd, size_t member, const il_instance *alone)
{
    static const char *const states[] = {"x", "y", "z", "p.r.b.j", "out", "end"};
    for (size_t i = 0; i < COUNT(states); i++)
        assert_int_equal(il_crowd_is_in(crowd, member, il_crowd_state(crowd, states[i])),
                         il_instance_is_in(alone, states[i]));
}

static void run_row(const struct row *row)
{
    il_machine *machine = load(row->definition);
    il_instance *alone[MEMBERS];
    il_crowd *crowd;
    uint64_t random = 88172645463325252u;
    print_message("# %s\n", row->name);
    assert_int_equal(il_crowd_open(machine, MEMBERS, &crowd), IL_OK);
    for (size_t i = 0; i < MEMBERS; i++) {
        assert_int_equal(il_crowd_start(crowd, i, NULL, 0), IL_OK);
        assert_int_equal(il_instance_start(machine, NULL, 0, NULL, 0, &alone[i]), IL_OK);
    }
    for (int64_t now = 0; now < EVENTS * 100; now += 100) {
        size_t member = next_random(&random) % MEMBERS;
        do_something(crowd, member, alone[member], &random, now);
        member = next_random(&random) % MEMBERS;
        expect_same_states(crowd, member, alone[member]);
        expect_same(il_crowd_instance(crowd, member), alone[member]);
    }
    for (size_t i = 0; i < MEMBERS; i++)
        il_instance_close(alone[i]);
    il_crowd_close(crowd);
    il_machine_close(machine);
}

static void a_member_says_what_an_instance_alone_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        run_row(&rows[i]);
}

static size_t bytes_of_crowd(const il_machine *machine, size_t members)
{
    il_crowd *crowd;
    uint32_t event;
    assert_int_equal(il_crowd_open(machine, members, &crowd), IL_OK);
    for (size_t i = 0; i < members; i++)
        assert_int_equal(il_crowd_start(crowd, i, NULL, 0), IL_OK);
    assert_int_equal(il_crowd_event(crowd, "A", &event), IL_OK);
    for (size_t i = 0; i < members; i++)
        assert_int_equal(il_crowd_send(crowd, i, event, NULL, 0), IL_OK);
    size_t bytes = il_crowd_bytes(crowd);
    il_crowd_close(crowd);
    return bytes;
}

static void a_member_takes_a_byte_and_what_its_context_holds(void **state)
{
    (void)state;
    static const struct {
        const char *definition;
        size_t bytes;
    } sizes[] = {
        {"{\"initial\":\"x\",\"states\":{\"x\":{\"on\":{\"A\":\"y\"}},\"y\":{}}}", 1},
        {"{\"initial\":\"x\",\"context\":{\"n\":1,\"m\":2.5},"
         "\"states\":{\"x\":{\"on\":{\"A\":\"y\"}},\"y\":{}}}",
         1 + 2 * 16},
    };
    for (size_t i = 0; i < COUNT(sizes); i++) {
        il_machine *machine = load(sizes[i].definition);
        assert_int_equal(bytes_of_crowd(machine, 3000) - bytes_of_crowd(machine, 1000),
                         2000 * sizes[i].bytes);
        il_machine_close(machine);
    }
}

enum { REGIONS = 17, DEFINITION_BYTES = REGIONS * 100 };

static void write_toggles(char *definition)
{
    size_t used =
        (size_t)snprintf(definition, DEFINITION_BYTES, "{\"type\":\"parallel\",\"states\":{");
    for (int i = 0; i < REGIONS; i++)
        used +=
            (size_t)snprintf(definition + used, DEFINITION_BYTES - used,
                             "%s\"r%d\":{\"initial\":\"a\",\"states\":{"
                             "\"a\":{\"on\":{\"E%d\":\"b\"}},\"b\":{\"on\":{\"E%d\":\"a\"}}}}",
                             i > 0 ? "," : "", i, i, i);
    snprintf(definition + used, DEFINITION_BYTES - used, "}}");
}

static void toggle(il_crowd *crowd, size_t member, int region)
{
    char type[16];
    uint32_t event;
    snprintf(type, sizeof type, "E%d", region);
    assert_int_equal(il_crowd_event(crowd, type, &event), IL_OK);
    assert_int_equal(il_crowd_send(crowd, member, event, NULL, 0), IL_OK);
    assert_true(il_crowd_changed(crowd));
}

static void expect_toggles(il_crowd *crowd, size_t member, const bool *is_b)
{
    char name[16];
    for (int i = 0; i < REGIONS; i++) {
        snprintf(name, sizeof name, "r%d.b", i);
        assert_int_equal(il_crowd_is_in(crowd, member, il_crowd_state(crowd, name)), is_b[i]);
    }
}

/* 2^17 places: numbers become wider twice, and those where nobody stands are forgotten. */
static void a_crowd_that_has_been_everywhere_still_knows_where_it_stands(void **state)
{
    (void)state;
    enum { MEMBERS_HERE = 2, WALK = 150000, UNCHECKED = 3001 };
    char definition[DEFINITION_BYTES];
    il_crowd *crowd;
    uint64_t random = 88172645463325252u;
    bool is_b[MEMBERS_HERE][REGIONS] = {{false}};
    write_toggles(definition);
    il_machine *machine = load(definition);
    assert_int_equal(il_crowd_open(machine, MEMBERS_HERE, &crowd), IL_OK);
    for (size_t i = 0; i < MEMBERS_HERE; i++)
        assert_int_equal(il_crowd_start(crowd, i, NULL, 0), IL_OK);
    for (int i = 0; i < WALK; i++) {
        size_t member = next_random(&random) % MEMBERS_HERE;
        int region = (int)(next_random(&random) % REGIONS);
        toggle(crowd, member, region);
        is_b[member][region] = !is_b[member][region];
        if (i % UNCHECKED == 0)
            expect_toggles(crowd, member, is_b[member]);
    }
    il_crowd_close(crowd);
    il_machine_close(machine);
}

/* What B leaves depends on what h remembers, which is found in the memory of the step. */
static const char inner_history[] =
    "{\"type\":\"parallel\",\"states\":{"
    "\"r\":{\"initial\":\"a\",\"on\":{\"B\":\"r.h\"},\"states\":{"
    "\"a\":{},\"b\":{},\"h\":{\"type\":\"history\",\"target\":\"b\"}}},"
    "\"s\":{\"initial\":\"c\",\"states\":{\"c\":{\"on\":{\"A\":\"d\"}},\"d\":{}}}}}";

enum { PAYLOAD_MAX = 1 << 20 };

/* A text of that size, whose escape has it copied. */
static void write_payload(char *json, size_t size, bool has_escape)
{
    static const char head[] = "{\"n\":\"";
    size_t head_bytes = sizeof head - 1;
    memset(json, 'x', size);
    memcpy(json, head, head_bytes);
    if (has_escape)
        memcpy(json + head_bytes, "\\n", 2);
    memcpy(json + size - 2, "\"}", 3);
}

static void a_payload_that_takes_all_memory_is_refused(void **state)
{
    (void)state;
    il_machine *machine = load(inner_history);
    char *payload = malloc(PAYLOAD_MAX + 2);
    il_crowd *crowd;
    uint32_t event;
    assert_int_equal(il_crowd_open(machine, 1, &crowd), IL_OK);
    assert_int_equal(il_crowd_start(crowd, 0, NULL, 0), IL_OK);
    assert_int_equal(il_crowd_event(crowd, "B", &event), IL_OK);
    for (size_t size = PAYLOAD_MAX - 400; size <= PAYLOAD_MAX; size += 4) {
        write_payload(payload, size, true);
        assert_int_equal(il_crowd_send(crowd, 0, event, payload, 0), IL_NO_SPACE);
    }
    assert_int_equal(il_crowd_event(crowd, "A", &event), IL_OK);
    write_payload(payload, PAYLOAD_MAX + 1, false);
    assert_int_equal(il_crowd_send(crowd, 0, event, payload, 0), IL_NO_SPACE);
    il_crowd_close(crowd);
    free(payload);
    il_machine_close(machine);
}

static void wrong_use_does_nothing(void **state)
{
    (void)state;
    il_machine *machine = load(rows[0].definition);
    il_crowd *crowd;
    uint32_t event;
    uint32_t again;
    assert_int_equal(il_crowd_open(machine, 0, &crowd), IL_MISUSE);
    assert_int_equal(il_crowd_open(machine, SIZE_MAX / 4, &crowd), IL_NO_SPACE);
    assert_int_equal(il_crowd_open(machine, 2, &crowd), IL_OK);
    assert_int_equal(il_crowd_send(crowd, 0, 0, NULL, 0), IL_MISUSE);
    assert_int_equal(il_crowd_event(crowd, "", &event), IL_INVALID);
    assert_int_equal(il_crowd_event(crowd, "A", &event), IL_OK);
    assert_int_equal(il_crowd_event(crowd, "A", &again), IL_OK);
    assert_int_equal(event, again);
    assert_int_equal(il_crowd_send(crowd, 0, event, NULL, 0), IL_NOT_FOUND);
    assert_null(il_crowd_instance(crowd, 0));
    assert_int_equal(il_crowd_start(crowd, 0, NULL, 0), IL_OK);
    assert_int_equal(il_crowd_send(crowd, 0, event, "[]", 0), IL_INVALID);
    assert_int_equal(il_crowd_send(crowd, 0, event, "{\"type\":1}", 0), IL_INVALID);
    assert_int_equal(il_crowd_send(crowd, 2, event, NULL, 0), IL_MISUSE);
    assert_int_equal(il_crowd_start(crowd, 0, "{", 0), IL_INVALID);
    assert_string_equal(il_instance_value(il_crowd_instance(crowd, 0)), "\"x\"");
    assert_int_equal(il_crowd_state(crowd, "nowhere"), IL_NO_STATE);
    assert_false(il_crowd_is_in(crowd, 0, IL_NO_STATE));
    il_crowd_close(crowd);
    il_crowd_close(NULL);
    il_machine_close(machine);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_says_what_an_instance_alone_says),
        cmocka_unit_test(a_member_takes_a_byte_and_what_its_context_holds),
        cmocka_unit_test(a_crowd_that_has_been_everywhere_still_knows_where_it_stands),
        cmocka_unit_test(a_payload_that_takes_all_memory_is_refused),
        cmocka_unit_test(wrong_use_does_nothing),
    };
    return cmocka_run_group_tests_name("embed_il_crowd", tests, NULL, NULL);
}
