/*
 * test_step_limits.c - the step at its limits: what just fits is kept and read again, what does
 * not fit is refused with the limit's name, and nothing has changed.
 */
#include "chart_fixture.h"

static const char keeper[] = "initial: A\n"
                             "context: { kept: null }\n"
                             "on: { KEEP: { assign: { kept: '${event.value}' } } }\n"
                             "states: { A: {} }\n";

/* Sends a payload of one member whose JSON is given. */
static struct plan keep(struct fixture *fixture, struct span json)
{
    struct value_entry *entry = arena_new(&fixture->arena, struct value_entry);
    *entry =
        (struct value_entry){value_string(SPAN("value")), fixture_json(&fixture->arena, json)};
    struct event event = {
        .kind = EVENT_EXTERNAL, .type = SPAN("KEEP"), .payload = value_map(entry, 1)};
    return fixture_step(fixture, &event);
}

static void add_times(struct text *text, const char *what, size_t count)
{
    for (size_t i = 0; i < count; i++)
        text_add(text, span_from_text(what));
}

static void expect_kept(struct fixture *fixture, struct span json, bool fits,
                        const char *problem)
{
    struct span before = fixture_bytes(&fixture->now, &fixture->arena);
    struct plan plan = keep(fixture, json);
    assert_int_equal(plan.outcome, fits ? OUTCOME_APPLIED : OUTCOME_FAILED);
    if (fits)
        return;
    assert_true(span_equal(before, fixture_bytes(&fixture->now, &fixture->arena)));
    assert_true(span_find(plan.errors->message, span_from_text(problem), 0) != SIZE_MAX);
}

/* The context is a map, so that what is kept in it may nest one level less. */
static void a_context_may_nest_as_deep_as_json(void **state)
{
    (void)state;
    for (size_t depth = JSON_DEPTH_MAX - 2; depth <= JSON_DEPTH_MAX; depth++) {
        struct fixture fixture;
        struct text text;
        fixture_open(&fixture, keeper);
        fixture_start(&fixture, value_null());
        text_init(&text, &fixture.arena);
        add_times(&text, "[", depth);
        add_times(&text, "]", depth);
        expect_kept(&fixture, text_span(&text), depth < JSON_DEPTH_MAX, "nested deeper");
        fixture_close(&fixture);
    }
}

static void a_context_may_be_as_large_as_a_value(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        const char *item; /* repeated */
        size_t item_bytes;
    } rows[] = {
        {"a letter", "a", 1},     {"two bytes", "ä", 2},       {"a quote", "\\\"", 2},
        {"a line end", "\\n", 2}, {"a control", "\\u0001", 6}, {"a slash", "/", 1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t room = VALUE_BYTES_MAX - sizeof "{\"kept\":\"\"}";
        size_t most = room / rows[i].item_bytes;
        struct fixture fixture;
        struct text text;
        fixture_open(&fixture, keeper);
        fixture_start(&fixture, value_null());
        for (size_t more = 0; more <= 8; more += 8) {
            text_init(&text, &fixture.arena);
            text_add(&text, SPAN("\""));
            add_times(&text, rows[i].item, most - 4 + more);
            text_add(&text, SPAN("\""));
            expect_kept(&fixture, text_span(&text), more == 0, "larger than");
        }
        text_init(&text, &fixture.arena);
        json_write(&text, fixture.now.context);
        assert_true(text.size <= VALUE_BYTES_MAX);
        fixture_close(&fixture);
    }
}

static void members_count_together(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, "initial: A\ncontext: { one: '', two: '' }\n"
                           "on: { ONE: { assign: { one: '${event.v}' } },\n"
                           "  TWO: { assign: { two: '${context.one}' } },\n"
                           "  BOTH: { assign: { one: '${event.v}', two: '${event.v}' } } }\n"
                           "states: { A: {} }\n");
    fixture_start(&fixture, value_null());
    struct text text;
    text_init(&text, &fixture.arena);
    text_add(&text, SPAN("{\"v\":\""));
    add_times(&text, "x", 600000);
    text_add(&text, SPAN("\"}"));
    assert_int_equal(fixture_send(&fixture, "BOTH", text.bytes).outcome, OUTCOME_FAILED);
    assert_int_equal(fixture_send(&fixture, "ONE", text.bytes).outcome, OUTCOME_APPLIED);
    struct plan plan = fixture_send(&fixture, "TWO", "{}");
    assert_int_equal(plan.outcome, OUTCOME_FAILED);
    assert_true(span_is(plan.errors->what, "the context"));
    fixture_close(&fixture);
}

static void an_instance_has_a_thousand_timers(void **state)
{
    (void)state;
    for (int count = TIMERS_PER_INSTANCE_MAX; count <= TIMERS_PER_INSTANCE_MAX + 1; count++) {
        struct fixture fixture;
        struct arena arena;
        struct text text;
        arena_open(&arena, DEFINITION_ARENA_BYTES);
        text_init(&text, &arena);
        text_add(&text,
                 SPAN("initial: A\nstates:\n  A: { on: { GO: B } }\n  B:\n    after:\n"));
        for (int i = 1; i <= count; i++)
            text_format(&text, "      %d: A\n", i);
        fixture_open(&fixture, text.bytes);
        fixture_start(&fixture, value_null());
        struct plan plan = fixture_send(&fixture, "GO", "{}");
        bool fits = count <= TIMERS_PER_INSTANCE_MAX;
        assert_int_equal(plan.outcome, fits ? OUTCOME_APPLIED : OUTCOME_FAILED);
        assert_int_equal(plan.effect_count, fits ? count : 0);
        assert_int_equal(fixture.now.timer_count, fits ? count : 0);
        if (fits)
            assert_int_equal(fixture_fire(&fixture).effect_count, count - 1);
        fixture_close(&fixture);
        arena_close(&arena);
    }
}

static void a_macrostep_has_a_thousand_microsteps(void **state)
{
    (void)state;
    static const struct {
        int to;
        bool fits;
    } rows[] = {{150, true}, {MICROSTEPS_MAX - 1, true}, {MICROSTEPS_MAX, false}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture fixture;
        char payload[64];
        fixture_open(&fixture,
                     "initial: A\ncontext: { n: 0, to: 0 }\n"
                     "states:\n  A:\n    on: { GO: { assign: { to: '${event.to}' } } }\n"
                     "    always: { guard: context.n < context.to, assign: { n: '${context.n + "
                     "1}' } }\n");
        fixture_start(&fixture, value_null());
        snprintf(payload, sizeof payload, "{\"to\":%d}", rows[i].to);
        struct plan plan = fixture_send(&fixture, "GO", payload);
        assert_int_equal(plan.outcome, rows[i].fits ? OUTCOME_APPLIED : OUTCOME_FAILED);
        fixture_close(&fixture);
    }
}

static void a_delay_beyond_time_fails(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, "initial: A\nstates:\n  A: { on: { GO: B } }\n"
                           "  B: { after: { 9223372036854775807: A } }\n");
    fixture_start(&fixture, value_null());
    fixture.clock = 1;
    assert_int_equal(fixture_send(&fixture, "GO", "{}").outcome, OUTCOME_FAILED);
    fixture_close(&fixture);
}

static void now_before_the_epoch_is_a_moment_too(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, "initial: A\ncontext: { at: '${now}' }\nstates: { A: {} }\n");
    fixture.clock = -1;
    fixture_start(&fixture, value_null());
    struct value at = value_member(fixture.now.context, SPAN("at"));
    assert_true(span_is(value_span(at), "1969-12-31T23:59:59.999Z"));
    fixture_close(&fixture);
}

/* A name that stands for the two before it. */
static void add_name(struct text *text, int number, const char *what)
{
    text_format(text, "  n%d: ", number);
    for (int earlier = 1; *what != '\0'; what++) {
        if (what[0] == '%') {
            text_format(text, "%d", number - earlier++);
            what++;
        } else {
            text_add_byte(text, *what);
        }
    }
    text_add_byte(text, '\n');
}

/* Thirty names, each of which is the two before, would be more than a million actions. */
static void names_that_double_come_to_an_end(void **state)
{
    (void)state;
    static const struct {
        const char *section, *first, *next, *use;
    } rows[] = {
        {"actions", "{ if: 'false', then: x }", "[n%d, n%d]", "actions: n45"},
        {"guards", "context.n == 0", "n%d && (context.n > 0 || n%d)", "guard: n45"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture fixture;
        struct arena arena;
        struct text text;
        arena_open(&arena, DEFINITION_ARENA_BYTES);
        text_init(&text, &arena);
        text_format(&text, "initial: A\ncontext: { n: 0 }\n%s:\n", rows[i].section);
        for (int n = 0; n <= 45; n++)
            add_name(&text, n, n < 2 ? rows[i].first : rows[i].next);
        text_format(&text, "on: { GO: { target: .A, %s } }\nstates: { A: {} }\n", rows[i].use);
        fixture_open(&fixture, text.bytes);
        fixture_start(&fixture, value_null());
        struct plan plan = fixture_send(&fixture, "GO", "{}");
        assert_int_equal(plan.outcome, OUTCOME_FAILED);
        assert_true(span_find(plan.errors->message, SPAN("costs more than"), 0) != SIZE_MAX);
        fixture_close(&fixture);
        arena_close(&arena);
    }
}

/* What is walked through once for every turn of the loop is walked through for ever. */
static void a_loop_over_a_large_list_is_done_in_time(void **state)
{
    (void)state;
    struct fixture fixture;
    struct text text;
    fixture_open(&fixture, "initial: A\ncontext: { list: [], n: 0 }\n"
                           "on: { GO: { actions: [ { assign: { list: '${event.list}' } },\n"
                           "  { foreach: '${context.list}', item: x,\n"
                           "    do: { assign: { n: '${context.n + context.x}' } } } ] } }\n"
                           "states: { A: {} }\n");
    fixture_start(&fixture, value_null());
    text_init(&text, &fixture.arena);
    text_add(&text, SPAN("{\"list\":[0"));
    add_times(&text, ",1", 100000);
    text_add(&text, SPAN("]}"));
    assert_int_equal(fixture_send(&fixture, "GO", text.bytes).outcome, OUTCOME_APPLIED);
    assert_int_equal(value_member(fixture.now.context, SPAN("n")).integer, 100000);
    fixture_close(&fixture);
}

/* A member grows turn by turn, and the rest of the context leaves it little room. */
static void a_loop_cannot_grow_the_context_beyond_its_limit(void **state)
{
    (void)state;
    struct fixture fixture;
    struct text text;
    fixture_open(&fixture,
                 "initial: A\ncontext: { big: '', s: '' }\n"
                 "on: { GO: { actions: [ { assign: { big: '${event.big}' } },\n"
                 "  { foreach: '${event.list}', item: x,\n"
                 "    do: { assign: { s: \"${context.s + '0123456789'}\" } } } ] } }\n"
                 "states: { A: {} }\n");
    fixture_start(&fixture, value_null());
    for (int turns = 90; turns <= 110; turns += 20) {
        text_init(&text, &fixture.arena);
        text_add(&text, SPAN("{\"big\":\""));
        add_times(&text, "x", VALUE_BYTES_MAX - 1000 - 100);
        text_add(&text, SPAN("\",\"list\":[0"));
        add_times(&text, ",1", (size_t)turns - 1);
        text_add(&text, SPAN("]}"));
        struct plan plan = fixture_send(&fixture, "GO", text.bytes);
        assert_int_equal(plan.outcome, turns == 90 ? OUTCOME_APPLIED : OUTCOME_FAILED);
    }
    fixture_close(&fixture);
}

/* The text is walked through for every turn: as many turns as there are units for its bytes. */
static void a_loop_over_a_large_value_costs_what_its_walks_take(void **state)
{
    (void)state;
    struct fixture fixture;
    struct text text;
    fixture_open(&fixture, "initial: A\ncontext: { x: 0 }\n"
                           "on: { GO: { actions: [ { foreach: '${event.list}', item: x,\n"
                           "  do: { log: '${event.big}' } } ] } }\n"
                           "states: { A: {} }\n");
    fixture_start(&fixture, value_null());
    text_init(&text, &fixture.arena);
    text_add(&text, SPAN("{\"big\":\""));
    add_times(&text, "x", VALUE_BYTES_MAX - 3000);
    text_add(&text, SPAN("\",\"list\":[0"));
    add_times(&text, ",1", 1000);
    text_add(&text, SPAN("]}"));
    struct plan plan = fixture_send(&fixture, "GO", text.bytes);
    assert_int_equal(plan.outcome, OUTCOME_FAILED);
    assert_true(span_is(plan.errors->message, "the macrostep costs more than one may"));
    fixture_close(&fixture);
}

/* Each guard costs a thousandth of what the macrostep may; without a bound this takes minutes.
 */
static void a_macrostep_costs_no_more_than_it_may(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture,
                 "initial: A\n"
                 "maxIterations: 1000000\n"
                 "context: { n: 0, l: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] }\n"
                 "states:\n"
                 "  A: { on: { GO: B } }\n"
                 "  B:\n"
                 "    always:\n"
                 "      target: B\n"
                 "      reenter: true\n"
                 "      guard: context.l.all(a, context.l.all(b, context.l.all(c, c > 0)))\n"
                 "      assign: { n: '${context.n + 1}' }\n");
    fixture_start(&fixture, value_null());
    struct plan plan = fixture_send(&fixture, "GO", "{}");
    assert_int_equal(plan.outcome, OUTCOME_FAILED);
    assert_true(span_is(plan.errors->message, "the macrostep costs more than one may"));
    fixture_close(&fixture);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_context_may_nest_as_deep_as_json),
        cmocka_unit_test(a_context_may_be_as_large_as_a_value),
        cmocka_unit_test(members_count_together),
        cmocka_unit_test(an_instance_has_a_thousand_timers),
        cmocka_unit_test(a_macrostep_has_a_thousand_microsteps),
        cmocka_unit_test(a_loop_over_a_large_value_costs_what_its_walks_take),
        cmocka_unit_test(a_macrostep_costs_no_more_than_it_may),
        cmocka_unit_test(names_that_double_come_to_an_end),
        cmocka_unit_test(a_loop_over_a_large_list_is_done_in_time),
        cmocka_unit_test(a_loop_cannot_grow_the_context_beyond_its_limit),
        cmocka_unit_test(a_delay_beyond_time_fails),
        cmocka_unit_test(now_before_the_epoch_is_a_moment_too),
    };
    return cmocka_run_group_tests_name("chart_step_limits", tests, NULL, NULL);
}
