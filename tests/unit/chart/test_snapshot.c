/*
 * test_snapshot.c - configurations as bytes: whole, cut, damaged, and of another machine.
 */
#include "random_machine.h"

enum { MACHINES = 40, EVENTS = 20 };

/* A little of everything: nested states, two timers, two steps, an output, a deep context. */
static const char definition[] =
    "id: order\n"
    "version: '3'\n"
    "initial: A\n"
    "context: { n: -5, text: \"ä\\\"\\n\\u0001\", list: [1, 2.5, null, true, { in: [] }], big: "
    "9223372036854775807 }\n"
    "states:\n"
    "  A:\n"
    "    initial: B\n"
    "    after: { 1s: C, 2h: C }\n"
    "    invoke: [ { src: s, input: \"${context}\", onError: C }, { src: t, id: two, onError: "
    "C "
    "} ]\n"
    "    states: { B: {} }\n"
    "    on: { END: C, BAD: D }\n"
    "  C: { type: final, output: { n: \"${context.n}\" } }\n"
    "  D: { invoke: { src: u, input: \"${context.no}\" } }\n";

static struct span snapshot_of(const struct configuration *configuration, struct arena *arena)
{
    struct text text;
    text_init(&text, arena);
    snapshot_write(&text, configuration);
    return text_span(&text);
}

static struct span context_of(const struct configuration *configuration, struct arena *arena)
{
    struct text text;
    text_init(&text, arena);
    json_write(&text, configuration->context);
    return text_span(&text);
}

/* What is read must be the same down to the byte, in memory of exactly the size. */
static void expect_round_trip(const struct configuration *configuration, struct arena *arena)
{
    struct configuration read;
    struct span bytes = snapshot_of(configuration, arena);
    struct span context = context_of(configuration, arena);
    char *copy = malloc(bytes.size);
    assert_non_null(copy);
    memcpy(copy, bytes.text, bytes.size);
    assert_int_equal(
        snapshot_read(span_of(copy, bytes.size), context, configuration->machine, arena, &read),
        STATUS_OK);
    assert_true(span_equal(snapshot_of(&read, arena), bytes));
    assert_true(span_equal(context_of(&read, arena), context));
    assert_true(configuration_looks_equal(configuration, &read));
    assert_int_equal(read.next_number, configuration->next_number);
    free(copy);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, definition);
    fixture_start(&fixture, value_null());
    assert_int_equal(fixture.now.timer_count, 2);
    assert_int_equal(fixture.now.invocation_count, 2);
    expect_round_trip(&fixture.now, &fixture.arena);
    fixture_send(&fixture, "END", "{}");
    assert_int_equal(fixture.now.status, INSTANCE_DONE);
    expect_round_trip(&fixture.now, &fixture.arena);
    fixture_close(&fixture);

    fixture_open(&fixture, definition);
    fixture_start(&fixture, value_null());
    fixture_send(&fixture, "BAD", "{}");
    assert_int_equal(fixture.now.status, INSTANCE_ERROR);
    expect_round_trip(&fixture.now, &fixture.arena);
    fixture_close(&fixture);
}

static void random_instances_survive_every_cut(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= MACHINES; seed++) {
        struct random random = {seed};
        struct arena arena;
        struct fixture whole;
        arena_open(&arena, DEFINITION_ARENA_BYTES);
        fixture_open(&whole, random_machine(&random, &arena).text);
        struct arena scratch; /* whatever lives in it is gone after a step */
        arena_open(&scratch, 8 << 20);
        fixture_start(&whole, value_null());
        struct configuration never_cut = whole.now;
        for (int i = 0; i < EVENTS; i++) {
            struct plan plan;
            struct configuration cut;
            struct event event = random_event(&random, &never_cut, &arena);
            struct span bytes = snapshot_of(&never_cut, &arena);
            struct span context = context_of(&never_cut, &arena);
            assert_int_equal(snapshot_read(bytes, context, whole.machine, &scratch, &cut),
                             STATUS_OK);
            assert_int_equal(
                step_run(whole.machine, &cut, &event, whole.clock, &scratch, &plan), STATUS_OK);
            struct span after_cut = fixture_plan_text(&plan, whole.clock, &arena);
            arena_clear(&scratch);
            assert_int_equal(
                step_run(whole.machine, &never_cut, &event, whole.clock, &whole.arena, &plan),
                STATUS_OK);
            struct span uncut = fixture_plan_text(&plan, whole.clock, &arena);
            assert_true(span_equal(uncut, after_cut));
            never_cut = plan.after;
            expect_round_trip(&never_cut, &arena);
            whole.clock += 300;
        }
        arena_close(&scratch);
        fixture_close(&whole);
        arena_close(&arena);
    }
}

/* Reads damaged bytes that are in memory of exactly their size. */
static enum status read_damaged(const struct machine *machine, const char *bytes, size_t size,
                                struct span context, struct arena *arena)
{
    struct configuration read = {.machine = NULL};
    char *copy = malloc(size == 0 ? 1 : size);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    struct arena_mark mark = arena_mark(arena);
    enum status status = snapshot_read(span_of(copy, size), context, machine, arena, &read);
    if (status == STATUS_OK)
        assert_true(configuration_is_valid(&read));
    else
        assert_null(read.machine); /* outputs are written only on success */
    struct span id;
    struct span version;
    (void)snapshot_machine(span_of(copy, size), &id, &version);
    arena_rewind(arena, mark);
    free(copy);
    return status;
}

static void cut_bytes_are_damaged(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, definition);
    fixture_start(&fixture, value_null());
    struct span bytes = snapshot_of(&fixture.now, &fixture.arena);
    struct span context = context_of(&fixture.now, &fixture.arena);
    for (size_t size = 0; size < bytes.size; size++)
        assert_int_equal(
            read_damaged(fixture.machine, bytes.text, size, context, &fixture.arena),
            size < 4 + 6 + 2 + 16 && size >= 4 + 6 + 2 ? STATUS_CONFLICT : STATUS_CORRUPT);
    for (size_t size = 0; size < context.size; size++)
        assert_int_equal(read_damaged(fixture.machine, bytes.text, bytes.size,
                                      span_slice(context, 0, size), &fixture.arena),
                         STATUS_CORRUPT);
    fixture_close(&fixture);
}

static void bytes_behind_the_end_are_damage(void **state)
{
    (void)state;
    struct fixture fixture;
    struct text text;
    fixture_open(&fixture, definition);
    fixture_start(&fixture, value_null());
    text_init(&text, &fixture.arena);
    snapshot_write(&text, &fixture.now);
    text_add_byte(&text, '\0');
    assert_int_equal(read_damaged(fixture.machine, text.bytes, text.size,
                                  context_of(&fixture.now, &fixture.arena), &fixture.arena),
                     STATUS_CORRUPT);
    fixture_close(&fixture);
}

/* A flipped bit in a number may give another number: the log's checksum is there for that.
 * What is read must be a configuration all the same. */
static void flipped_bits_never_give_nonsense(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, definition);
    fixture_start(&fixture, value_null());
    struct span bytes = snapshot_of(&fixture.now, &fixture.arena);
    struct span context = context_of(&fixture.now, &fixture.arena);
    char *damaged = malloc(bytes.size);
    assert_non_null(damaged);
    memcpy(damaged, bytes.text, bytes.size);
    size_t head = 4 + 6 + 2 + 16;
    for (size_t i = 0; i < bytes.size * 8; i++) {
        damaged[i / 8] = (char)(damaged[i / 8] ^ 1 << i % 8);
        enum status status =
            read_damaged(fixture.machine, damaged, bytes.size, context, &fixture.arena);
        assert_true(status == STATUS_CORRUPT || status == STATUS_CONFLICT ||
                    (status == STATUS_OK && i / 8 >= head));
        damaged[i / 8] = bytes.text[i / 8];
    }
    for (size_t i = 0; i < bytes.size; i++) {
        damaged[i] = (char)0xff;
        (void)read_damaged(fixture.machine, damaged, bytes.size, context, &fixture.arena);
        damaged[i] = bytes.text[i];
    }
    free(damaged);
    fixture_close(&fixture);
}

static void a_context_must_be_a_map(void **state)
{
    (void)state;
    static const char *const contexts[] = {"null", "[]", "3", "", "{", "{\"a\":1,\"a\":2}"};
    struct fixture fixture;
    fixture_open(&fixture, definition);
    fixture_start(&fixture, value_null());
    struct span bytes = snapshot_of(&fixture.now, &fixture.arena);
    for (size_t i = 0; i < COUNT(contexts); i++)
        assert_int_equal(read_damaged(fixture.machine, bytes.text, bytes.size,
                                      span_from_text(contexts[i]), &fixture.arena),
                         STATUS_CORRUPT);
    fixture_close(&fixture);
}

static void impossible_configurations_are_damage(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, definition);
    fixture_start(&fixture, value_null());
    const struct configuration good = fixture.now;
    uint64_t active[1];
    struct armed_timer timers[2];
    struct invocation invocations[2];
    for (int row = 0; row < 15; row++) {
        struct configuration bad = good;
        active[0] = good.active[0];
        memcpy(timers, good.timers, sizeof timers);
        memcpy(invocations, good.invocations, sizeof invocations);
        bad.active = active;
        bad.timers = timers;
        bad.invocations = invocations;
        switch (row) {
        case 0: /* no state */
            active[0] = 0;
            break;
        case 1: /* an ancestor is missing */
            active[0] &= ~(uint64_t)2;
            break;
        case 2: /* two leaves */
            active[0] |= 8;
            break;
        case 3: /* no leaf */
            active[0] = 3;
            break;
        case 4: /* a state beyond the machine's */
            active[0] |= (uint64_t)1 << 40;
            break;
        case 5: /* not the root */
            active[0] = 8;
            break;
        case 6: /* a timer of another state */
            active[0] = 1 | 8;
            bad.invocation_count = 0;
            break;
        case 7: /* a step of another state */
            active[0] = 1 | 8;
            bad.timer_count = 0;
            break;
        case 8: /* numbers out of order */
            timers[0].number = timers[1].number;
            break;
        case 9: /* a number not given yet */
            timers[1].number = good.next_number;
            break;
        case 10:
            invocations[1].number = good.next_number;
            break;
        case 11: /* number 0 is never given */
            timers[0].number = 0;
            break;
        case 12: /* a done instance waits for nothing */
            bad.status = INSTANCE_DONE;
            break;
        case 13: /* a status that is none */
            bad.status = INSTANCE_STATUS_COUNT;
            break;
        case 14: /* a context that is no map */
            bad.context = value_int(3);
            break;
        }
        assert_false(configuration_is_valid(&bad));
        struct span bytes = snapshot_of(&bad, &fixture.arena);
        assert_int_equal(read_damaged(fixture.machine, bytes.text, bytes.size,
                                      context_of(&bad, &fixture.arena), &fixture.arena),
                         STATUS_CORRUPT);
    }
    assert_true(configuration_is_valid(&good));
    fixture_close(&fixture);
}

static void another_machine_is_a_conflict(void **state)
{
    (void)state;
    static const char *const others[] = {
        "id: other\nversion: '3'\ninitial: A\nstates: { A: {} }\n",
        "id: order\nversion: '4'\ninitial: A\nstates: { A: {} }\n",
        "id: order\nversion: '3'\ninitial: A\nstates: { A: {} }\n", /* I11 */
        "id: order\ninitial: A\nstates: { A: {} }\n",
    };
    struct fixture fixture;
    fixture_open(&fixture, definition);
    fixture_start(&fixture, value_null());
    struct span bytes = snapshot_of(&fixture.now, &fixture.arena);
    for (size_t i = 0; i < COUNT(others); i++) {
        struct fixture other;
        fixture_open(&other, others[i]);
        assert_int_equal(
            read_damaged(other.machine, bytes.text, bytes.size, SPAN("{}"), &other.arena),
            STATUS_CONFLICT);
        fixture_close(&other);
    }
    struct span id;
    struct span version;
    assert_true(snapshot_machine(bytes, &id, &version));
    assert_true(span_is(id, "order") && span_is(version, "3"));
    fixture_close(&fixture);
}

static void the_same_definition_read_again_fits(void **state)
{
    (void)state;
    struct fixture fixture;
    struct fixture again;
    struct configuration read;
    fixture_open(&fixture, definition);
    fixture_open(&again, definition);
    fixture_start(&fixture, value_null());
    assert_int_equal(snapshot_read(snapshot_of(&fixture.now, &fixture.arena),
                                   context_of(&fixture.now, &fixture.arena), again.machine,
                                   &again.arena, &read),
                     STATUS_OK);
    assert_ptr_equal(read.machine, again.machine);
    fixture_close(&fixture);
    fixture_close(&again);
}

static void a_spent_arena_jumps_to_its_guard(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, definition);
    fixture_start(&fixture, value_null());
    struct span bytes = snapshot_of(&fixture.now, &fixture.arena);
    struct span context = context_of(&fixture.now, &fixture.arena);
    volatile bool is_read = false;
    for (volatile size_t size = 16; !is_read; size = size + 16) {
        char *memory = malloc(size);
        struct arena arena;
        struct arena_guard guard;
        assert_non_null(memory);
        arena_init(&arena, memory, size);
        if (!arena_is_spent(&arena, &guard)) {
            struct configuration read;
            assert_int_equal(snapshot_read(bytes, context, fixture.machine, &arena, &read),
                             STATUS_OK);
            is_read = true;
            arena_release_guard(&arena, &guard);
        }
        free(memory);
    }
    fixture_close(&fixture);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(random_instances_survive_every_cut),
        cmocka_unit_test(cut_bytes_are_damaged),
        cmocka_unit_test(bytes_behind_the_end_are_damage),
        cmocka_unit_test(flipped_bits_never_give_nonsense),
        cmocka_unit_test(a_context_must_be_a_map),
        cmocka_unit_test(impossible_configurations_are_damage),
        cmocka_unit_test(another_machine_is_a_conflict),
        cmocka_unit_test(the_same_definition_read_again_fits),
        cmocka_unit_test(a_spent_arena_jumps_to_its_guard),
    };
    return cmocka_run_group_tests_name("chart_snapshot", tests, NULL, NULL);
}
