/*
 * test_check.c - what is found in machines before they run, and what is not found in good ones.
 */
#include "check_rows.h"

static void good_machines_are_left_alone(void **state)
{
    (void)state;
    static const char *const definitions[] = {
        "initial: A\nstates: { A: { on: { X: B } }, B: { type: final } }\n",
        /* one that never ends, on purpose */
        "initial: A\nstates: { A: { on: { X: B } }, B: { on: { X: A } } }\n",
        /* entered by its parent, left by its parent */
        "initial: P\nstates:\n  P: { initial: A, on: { X: E }, states: { A: { on: { Y: B } }, "
        "B: "
        "{} } }\n  E: { type: final }\n",
        /* the root leads everywhere */
        "initial: A\non: { X: .B, Y: .C, Z: .A }\nstates: { A: {}, B: {}, C: {} }\n",
        /* guards in front of the last */
        "initial: A\nstates: { A: { on: { X: [ { guard: context.a, target: A }, B ] } }, B: { "
        "type: final } }\n",
        /* done by nested final states */
        "initial: P\nstates:\n  P: { initial: A, onDone: E, states: { A: { on: { X: F } }, F: "
        "{ "
        "type: final } } }\n  E: { type: final }\n",
        /* an error handled further out, by name */
        "initial: P\nstates:\n  P: { initial: A, on: { error.invoke.P.A: E }, states: { A: { "
        "invoke: { src: s, onDone: '#machine.E' } } } }\n  E: { type: final }\n",
        "initial: A\nguards: { g: context.a, h: g }\nstates: { A: { on: { X: { guard: h, "
        "target: "
        "B } } }, B: { type: final } }\n",
        "initial: A\nstates: { A: { after: { 1s: B } }, B: { always: C }, C: { type: final } "
        "}\n",
    };
    struct check_row rows[COUNT(definitions)];
    for (size_t i = 0; i < COUNT(definitions); i++)
        rows[i] = (struct check_row){definitions[i], "", ""};
    check_rows_expect(rows, COUNT(rows));
}

static void what_is_wrong_is_found_where_it_stands(void **state)
{
    (void)state;
    static const struct check_row rows[] = {
        {"initial: A\nstates:\n  A: { on: { X: B } }\n  B: { type: final }\n  Z: { on: { X: A "
         "} "
         "}\n",
         "IL0201 5:6 error", "no transition leads to Z"},
        {"initial: A\nstates:\n  A: { on: { X: B } }\n  B: { type: final }\n  Z: { type: final "
         "}\n",
         "IL0201 5:6 error", "Z"},
        {"initial: A\nstates:\n  A: { on: { X: B } }\n  B: {}\n", "IL0203 4:6 error",
         "there is no way out of B, and it is not final"},
        {"initial: A\nstates:\n  A: { on: { X: B, Y: E } }\n  B: { on: { X: C } }\n  C: { on: "
         "{ "
         "X: B } }\n  E: { type: final }\n",
         "IL0202 4:6 warning, IL0202 5:6 warning", "no path leads from B to a final state"},
        {"initial: A\nstates:\n  A: { on: { X: [ B, A ] } }\n  B: { type: final }\n",
         "IL0301 3:22 error", "can never be taken"},
        {"initial: A\nstates:\n  A: { on: { X: [ {}, B ], Y: B } }\n  B: { type: final }\n",
         "IL0301 3:23 error", "can never be taken"},
        {"initial: A\nstates:\n  A: { invoke: { src: s, onDone: B } }\n  B: { type: final }\n",
         "IL0401 3:16 error", "nothing happens when `s` fails"},
        {"initial: A\non: { '*': .B }\nstates:\n  A: { invoke: { src: s, onDone: B } }\n  B: { "
         "type: final }\n",
         "IL0401 4:16 error", "when `s`"},
        {"initial: A\nguards:\n  g: context.a\nstates: { A: { on: { X: B } }, B: { type: final "
         "} "
         "}\n",
         "IL0502 3:6 warning", "the guard `g` is never used"},
    };
    check_rows_expect(rows, COUNT(rows));
}

#define GUARDED(guard)                                                                        \
    "initial: A\nguards: { g: context.x }\nstates:\n  A: { on: { X: [\n    { guard: \"" guard \
    "\", target: B },\n    { guard: g, target: B } ] } }\n  B: { type: final }\n"
#define NEVER "IL0302 5:14 warning"

static void guards_that_never_change_are_found(void **state)
{
    (void)state;
    static const struct check_row rows[] = {
        {GUARDED("context.x && !context.x"), NEVER, "can never hold"},
        {GUARDED("context.n > 10 && context.n < 5"), NEVER, "can never hold"},
        {GUARDED("event.type == 'a' && event.type == 'b'"), NEVER, "can never hold"},
        {GUARDED("event.n in [1, 2] && event.n > 2"), NEVER, "can never hold"},
        {GUARDED("g && !g"), NEVER, "can never hold"},
        {GUARDED("1 > 2"), NEVER, "can never hold"},
        {GUARDED("true"), NEVER, "always holds, so the transition in line 6 is never taken"},
        {GUARDED("has(context.x) || !has(context.x)"), NEVER, "always holds"},
        {GUARDED("g || true"), NEVER, "always holds"},
        /* sometimes */
        {GUARDED("false"), "", ""},
        {GUARDED("context.x"), "", ""},
        {GUARDED("context.n > 5 && context.n < 10"), "", ""},
        {GUARDED("context.n > 5 || context.n <= 5"), "", ""}, /* it may be missing */
        {GUARDED("g || !g"), "", ""},
        {GUARDED("In('A')"), "", ""},
        {GUARDED("In('A') && !In('B') && g"), "", ""},
        {GUARDED("event.type == 'X'"), "", ""},
        {GUARDED("now.getHours() > 8"), "", ""},
        {GUARDED("now > timestamp('2026-01-01T00:00:00Z')"), "", ""},
        {GUARDED("now < timestamp(context.until)"), "", ""},
        {GUARDED("now - timestamp(context.since) > duration('24h')"), "", ""},
        {GUARDED("timestamp(context.since) + duration('24h') < now"), "", ""},
        {GUARDED("context.items.exists(i, i.n > 3 && i.m < 2)"), "", ""},
        {GUARDED("size(context.items) > 0 && context.items[0].sku == 'x'"), "", ""},
        {GUARDED("context.s.startsWith('a') && context.s.endsWith('b')"), "", ""},
        {GUARDED("context.s.matches('^[0-9]{16}$')"), "", ""},
        {GUARDED("context.n % 7 == 3 && context.n * context.m == 1001"), "", ""},
        {GUARDED("context == {'a': 1} || event == {'type': 'x'}"), "", ""},
        {GUARDED("type(context.n) == int"), "", ""},
        {GUARDED("context.?a.?b.orValue(3) == 4"), "", ""},
        {GUARDED("string(context.n) == '12345'"), "", ""},
    };
    check_rows_expect(rows, COUNT(rows));
}

/* Sums of bits that are even and odd: each takes many steps to refute. */
static void hard_guards_are_given_up_in_time(void **state)
{
    (void)state;
    struct arena arena;
    struct text text;
    struct diagnostics diagnostics;
    arena_open(&arena, DEFINITION_ARENA_BYTES);
    text_init(&text, &arena);
    text_add(&text, SPAN("initial: A\nstates:\n B: {type: final}\n A:\n  on:\n"));
    for (int i = 0; i < 1000; i++) {
        text_format(&text, "   e%d: {target: B, guard: \"context.a0", i);
        for (int k = 1; k < 15; k++)
            text_format(&text, " != context.a%d", k);
        for (int k = 0; k < 15; k++)
            text_format(&text, " && (context.a%d || context.b%d) && context.b%d != %d", k, k, k,
                        i);
        text_add(&text, SPAN("\"}\n"));
    }
    check_rows_find(text.bytes, &arena, &diagnostics);
    arena_close(&arena);
}

static void large_machines_are_checked_in_time(void **state)
{
    (void)state;
    struct arena arena;
    struct text text;
    struct diagnostics diagnostics;
    arena_open(&arena, DEFINITION_ARENA_BYTES);
    text_init(&text, &arena);
    text_add(&text, SPAN("initial: S0\nstates:\n"));
    for (int i = 0; i < 4000; i++)
        text_format(&text, " S%d: {on: {x: S%d, y: [{guard: 'false', target: S0}, S%d]}}\n", i,
                    i == 3999 ? 0 : i + 1, i == 0 ? 3999 : i - 1);
    assert_int_equal(check_rows_find(text.bytes, &arena, &diagnostics).size, 0);
    arena_close(&arena);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_machines_are_left_alone),
        cmocka_unit_test(what_is_wrong_is_found_where_it_stands),
        cmocka_unit_test(guards_that_never_change_are_found),
        cmocka_unit_test(hard_guards_are_given_up_in_time),
        cmocka_unit_test(large_machines_are_checked_in_time),
    };
    return cmocka_run_group_tests_name("chart_check", tests, NULL, NULL);
}
