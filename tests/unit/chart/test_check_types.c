/*
 * test_check_types.c - expressions of a definition whose types do not fit, and those that are
 * left alone because they may.
 */
#include "check_rows.h"

/* A guard on a declared event, in line 5 from column 43 on. */
#define ON_SUBMIT(guard)                                                                  \
    "events: { SUBMIT: { properties: { items: { type: array }, total: { type: number }, " \
    "unit: { enum: [kg, t] } }, additionalProperties: false }, CANCEL: {} }\n"            \
    "context: { order: null, count: 0, rate: 1.5, name: '', list: [] }\n"                 \
    "initial: A\nstates:\n  A: { on: { SUBMIT: { target: B, guard: \"" guard              \
    "\" } } }\n  B: { type: final }\n"

static void what_does_not_fit_is_found_where_it_stands(void **state)
{
    (void)state;
    static const struct check_row rows[] = {
        {ON_SUBMIT("size(event.itmes) > 0"), "IL0503 5:54 error", "did you mean 'items'?"},
        {ON_SUBMIT("size(payload.itmes) > 0"), "IL0503 5:56 error", "did you mean 'items'?"},
        {ON_SUBMIT("payload.type == 'SUBMIT'"), "IL0503 5:51 error", "no field 'type'"},
        {ON_SUBMIT("event.total + 1 > 2.0"), "IL0503 5:55 error", "double + int"},
        {ON_SUBMIT("event.unit == 'lb'"), "IL0503 5:57 warning", "it is never \"lb\""},
        {ON_SUBMIT("event.total"), "IL0503 5:43 error", "a guard is a bool, not double"},
        {ON_SUBMIT("context.cuont > 0"), "IL0503 5:51 warning", "did you mean 'count'?"},
        {ON_SUBMIT("context.elsewhere > 0"), "IL0503 5:51 warning", "nothing sets the field"},
        {ON_SUBMIT("context.count == 'a'"), "IL0503 5:57 warning", "never equal"},
        {ON_SUBMIT("context.count + 1.5 > 2.0"), "IL0503 5:57 error", "int + double"},
        {ON_SUBMIT("now > event.unit"), "IL0503 5:47 error", "timestamp > string"},
        {ON_SUBMIT("context.name.size > 0"), "IL0503 5:56 error", "string has no members"},
        {"context: { n: 0 }\ninitial: A\nstates:\n  A: { on: { X: { target: B, "
         "assign: { n: \"${context.n + 'x'}\" } } } }\n  B: { type: final }\n",
         "IL0503 4:56 error", "int + string"},
        {"context: { l: [1] }\ninitial: A\nstates:\n  A: { on: { X: { target: B, "
         "actions: { log: \"all: ${context.l}\" } } } }\n  B: { type: final }\n",
         "IL0503 4:54 error", "list(int) has no place in a text"},
        {"context: { n: 1 }\ninitial: A\nstates:\n  A: { after: { \"${context.n > 1}\": B } }\n"
         "  B: { type: final }\n",
         "IL0503 4:17 error", "a delay is a duration"},
        {"context: { n: 1 }\ninitial: A\nstates:\n  A: { on: { X: { target: B, actions: "
         "{ foreach: \"${context.n}\", item: i, do: [] } } } }\n  B: { type: final }\n",
         "IL0503 4:39 error", "goes over a list"},
        {"context: { n: 1 }\ninitial: A\nguards: { g: context.n.x }\nstates:\n"
         "  A: { on: { X: { guard: g, target: B } } }\n  B: { type: final }\n",
         "IL0503 3:24 error", "int has no members"},
        {"initial: A\nstates:\n  A:\n    invoke: { src: s, onError: B, onDone: { target: B, "
         "guard: event.ouput.ok } }\n  B: { type: final }\n",
         "IL0503 4:69 warning", "did you mean 'output'?"},
    };
    check_rows_expect(rows, COUNT(rows));
}

/* One machine with a context, a transition that changes it, and one that reads it. */
#define CHANGED(context, change, guard)                                                   \
    "initial: A\ncontext: " context "\nstates:\n  A:\n    on:\n      X: { " change " }\n" \
    "      Y: { target: B, guard: \"" guard "\" }\n  B: { type: final }\n"

static void what_may_fit_is_left_alone(void **state)
{
    (void)state;
    static const char *const definitions[] = {
        /* null at first */
        CHANGED("{ order: null }", "assign: { order: '${event.order}' }",
                "context.order.total > 1"),
        CHANGED("{ order: null }", "assign: { order: { total: 1 } }",
                "context.order.total > 1"),
        /* an int that becomes a double, or a text */
        CHANGED("{ n: 0 }", "assign: { n: 1.5 }", "context.n * 2.0 > 1.0"),
        CHANGED("{ n: 0 }", "assign: { n: '${context.m * 2.0}', m: 1.5 }",
                "context.n * 2.0 > 1.0"),
        CHANGED("{ n: 0 }", "assign: { n: '${event.n}' }", "context.n == 'many'"),
        CHANGED("{ n: 0 }", "assign: [ { n: '${context.m}' }, { m: text } ]",
                "context.n == 'many'"),
        /* by way of another member, and around */
        CHANGED("{ a: 1, b: 2, c: 3 }",
                "assign: { a: '${context.b}', b: '${context.c}', c: x }", "context.a == 'x'"),
        /* by loops, ids made up, named actions, actions of states */
        CHANGED("{ i: 0, n: 0 }",
                "actions: { foreach: '${event.l}', item: i, index: n, do: [] }",
                "context.i == 'x'"),
        CHANGED("{ i: 0 }", "actions: { raise: Z, delay: 5, idlocation: i }",
                "context.i.startsWith('send')"),
        "actions: { set: { assign: { n: '${params}' } } }\n" CHANGED(
            "{ n: 0 }", "actions: [ { type: set, params: '${event.n}' } ]", "context.n == 'x'"),
        /* a moment becomes a text */
        CHANGED("{ at: null }", "assign: { at: '${now}' }",
                "timestamp(context.at) < now && context.at.startsWith('2')"),
        CHANGED("{ at: null }", "assign: { at: '${[now]}' }", "context.at[0] == '2026'"),
        CHANGED("{ at: null }", "assign: { at: '${event.?n}' }", "context.at == 3"),
        CHANGED("{ at: null }", "assign: { at: '${b\"a\"}' }", "context.at == 'YQ=='"),
        /* only sometimes there */
        CHANGED("{ o: { a: 1 } }", "assign: { o: { b: 2 } }",
                "has(context.o.a) || context.o.b == 2"),
        CHANGED("{ o: { a: 1 } }", "assign: { o: [1] }", "context.o[0] == 1"),
        CHANGED("{ a: {} }", "assign: { a: '${event.a}' }", "context.a.b.c == 1"),
        CHANGED("{ l: [] }", "assign: { l: '${context.l + [event.x]}' }",
                "context.l.all(x, x == 'a')"),
        CHANGED("{ l: [1] }", "assign: { l: ['a'] }", "context.l.all(x, x == 'a')"),
        CHANGED("{ l: [1, null] }", "assign: { l: [null] }", "context.l[1] == 'x'"),
        /* nothing is declared, or something wider is */
        "initial: A\nstates: { A: { on: { X: { target: B, guard: context.x + 1 > 2 } } }, B: { "
        "type: final } }\n",
        "events: { 'o.*': { properties: { n: { type: integer } } } }\ninitial: A\nstates: { A: "
        "{ "
        "on: { o.x: { target: B, guard: event.n == 'a' } } }, B: { type: final } }\n",
        "events: { X: { properties: { n: { type: integer } } }, Y: {} }\ninitial: A\nstates: { "
        "A: { on: { '*': { target: B, guard: event.n == 'a' } } }, B: { type: final } }\n",
        "events: { X: { properties: { n: { type: [integer, 'null'] } } } }\ninitial: "
        "A\nstates: "
        "{ A: { on: { X: { target: B, guard: event.n == null || event.n > 1.5 } } }, B: { "
        "type: "
        "final } }\n",
        /* what a machine raises itself, its schema does not bind */
        "events: { X: { properties: { n: { type: integer } } } }\ninitial: A\nstates: { A: { "
        "entry: { raise: { type: X, n: text } }, on: { X: { target: B, guard: event.n == 'a' } "
        "} "
        "}, B: { type: final } }\n",
        "events: { X: { properties: { n: { type: integer } } }, Y: {} }\ninitial: A\nstates: { "
        "A: { on: { Y: { actions: { raise: '${event.name}' } }, X: { target: B, guard: event.n "
        "== 'a' } } }, B: { type: final } }\n",
        /* a guard by name is asked for any event */
        "events: { X: { properties: { n: { type: integer } } }, Y: {} }\ninitial: A\nguards: { "
        "g: event.n == 'a' }\nstates: { A: { on: { X: { target: B, guard: g }, Y: { target: B, "
        "guard: g } } }, B: { type: final } }\n",
        /* the input is not known */
        CHANGED("{ n: '${input.n}' }", "", "context.n == 'x' || context.n == 1"),
    };
    struct check_row rows[COUNT(definitions)];
    for (size_t i = 0; i < COUNT(definitions); i++)
        rows[i] = (struct check_row){definitions[i], "", ""};
    check_rows_expect(rows, COUNT(rows));
}

static void types_of_many_members_are_found_in_time(void **state)
{
    (void)state;
    enum { MEMBERS = 1900 };
    struct arena arena;
    struct diagnostics diagnostics;
    struct text text;
    arena_open(&arena, DEFINITION_ARENA_BYTES);
    text_init(&text, &arena);
    text_add(&text, SPAN("initial: A\ncontext:\n"));
    for (int i = 0; i < MEMBERS; i++)
        text_format(&text, " m%d: %d\n", i, i);
    text_add(&text, SPAN("states:\n B: {type: final}\n A:\n  on:\n"));
    for (int i = 0; i + 1 < MEMBERS; i++) /* what is known travels a member a round */
        text_format(&text, "   e%d: {target: B, assign: {m%d: '${context.m%d}'}}\n", i, i,
                    i + 1);
    text_format(&text, "   last: {target: B, assign: {m%d: text}}\n", MEMBERS - 1);
    text_add(&text, SPAN("   read: {target: B, guard: context.m0 == 'text'}\n"));
    text_add_byte(&text, '\0');
    assert_int_equal(check_rows_find(text.bytes, &arena, &diagnostics).size, 0);
    arena_close(&arena);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_fit_is_found_where_it_stands),
        cmocka_unit_test(what_may_fit_is_left_alone),
        cmocka_unit_test(types_of_many_members_are_found_in_time),
    };
    return cmocka_run_group_tests_name("chart_check_types", tests, NULL, NULL);
}
