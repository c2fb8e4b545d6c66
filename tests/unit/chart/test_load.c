/*
 * test_load.c - definitions: what each mistake is answered with, and what good ones become.
 *
 * A row is a definition and the first diagnostic that it must get, at its exact place. Every
 * definition that loads is checked as a whole by machine_verify().
 */
#include "chart_fixture.h"

struct bad_row {
    const char *definition;
    const char *code;
    uint32_t line;
    uint32_t column;
    const char *message; /* a part of it */
    const char *help;    /* a part of it; NULL: there must be none; "": whatever there is */
};

/* False, and says how they differ, when the answer is another one. */
static bool answers(const struct bad_row *row)
{
    struct arena arena;
    struct diagnostics diagnostics;
    arena_open(&arena, DEFINITION_ARENA_BYTES);
    const struct machine *machine =
        fixture_load(span_from_text(row->definition), &arena, &diagnostics);
    if (machine != NULL) {
        print_error("this loads:\n%s\n", row->definition);
        arena_close(&arena);
        return false;
    }
    diagnostics_sort(&diagnostics);
    const struct diagnostic *first = diagnostics.first;
    bool fits = span_is(first->code, row->code) && first->place.line == row->line &&
                first->place.column == row->column &&
                span_find(first->message, span_from_text(row->message), 0) != SIZE_MAX;
    bool helps = row->help == NULL
                     ? first->help.size == 0
                     : span_find(first->help, span_from_text(row->help), 0) != SIZE_MAX;
    if (!fits || !helps)
        print_error("%s%.*s %u:%u %.*s (%.*s)\ninstead of\n%s %u:%u %s (%s)\n\n",
                    row->definition, SPAN_ARGS(first->code), first->place.line,
                    first->place.column, SPAN_ARGS(first->message), SPAN_ARGS(first->help),
                    row->code, row->line, row->column, row->message,
                    row->help == NULL ? "no help" : row->help);
    assert_true(first->place.file.size > 0);
    arena_close(&arena);
    return fits && helps;
}

static void expect_rows(const struct bad_row *rows, size_t count)
{
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++)
        wrong += !answers(&rows[i]);
    assert_int_equal(wrong, 0);
}

#define ROOT "id: m\ninitial: A\n"
#define STATES "states: { A: {}, B: {} }\n"

static void an_unknown_key_is_refused_with_a_suggestion(void **state)
{
    (void)state;
    static const struct bad_row rows[] = {
        {"id: m\ninital: A\ninitial: A\n" STATES, "IL0102", 2, 1,
         "unknown key `inital` in a machine", "did you mean 'initial'?"},
        {ROOT "states:\n  A: { onn: {} }\n", "IL0102", 4, 8, "unknown key `onn` in a state",
         "did you mean 'on'?"},
        {ROOT "states:\n  A: { on: { X: { targt: A } } }\n", "IL0102", 4, 19,
         "unknown key `targt` in a transition", "did you mean 'target'?"},
        {ROOT "states:\n  A: { invoke: { src: s, ondone: A } }\n", "IL0102", 4, 26,
         "unknown key `ondone` in an invoke", "did you mean 'onDone'?"},
        {ROOT STATES "zzzzzzzzz: 1\n", "IL0102", 4, 1, "unknown key `zzzzzzzzz`", NULL},
        {ROOT STATES "? \"\"\n: 1\n", "IL0102", 4, 3, "unknown key ``", NULL},
    };
    expect_rows(rows, COUNT(rows));
}

static void what_is_not_there_yet_is_refused_by_name(void **state)
{
    (void)state;
    static const struct bad_row rows[] = {
        {ROOT STATES "transitions: {}\n", "IL0106", 4, 14,
         "`transitions` is for machines whose", "give the states validators"},
        {ROOT STATES "derive: {}\n", "IL0106", 4, 9, "`derive` is for machines whose",
         "give the states validators"},
        {ROOT "states: { A: { transitions: [] } }\n", "IL0106", 3, 29, "`transitions`",
         "give the states validators"},
        {ROOT "states:\n  A: { on: { X: { raise: Y } } }\n", "IL0106", 4, 19,
         "`raise` in a transition", NULL},
        {ROOT "states:\n  A: { entry: { script: { \"@expr\": x, \"@lang\": ecmascript } } }\n",
         "IL0106", 4, 36, "ECMAScript that does not translate to CEL is not run here",
         "SCXML documents may have it, in a build with Debian's package duktape-dev"},
        {ROOT "states:\n  A: { entry: { script: x } }\n", "IL0105", 4, 25,
         "an expression is {\"@expr\": TEXT, \"@lang\": NAME} and nothing else", NULL},
        {ROOT STATES "'@exprLang': js\n", "IL0106", 4, 14, "expressions are CEL", NULL},
    };
    expect_rows(rows, COUNT(rows));
}

static void an_unknown_target_says_what_could_be_meant(void **state)
{
    (void)state;
    static const struct bad_row rows[] = {
        {ROOT "states:\n  A: { on: { X: PENDIN } }\n  PENDING: {}\n", "IL0107", 4, 17,
         "there is no state `PENDIN` to go to", "did you mean 'PENDING'?"},
        {ROOT "states:\n  A: { on: { X: C } }\n  B: { initial: C, states: { C: {} } }\n",
         "IL0107", 4, 17, "there is no state `C`", "write `#m.B.C`"},
        {ROOT "states:\n  A: { initial: C, states: { C: {} }, on: { X: C } }\n", "IL0107", 4,
         48, "there is no state `C`", "write `.C`"},
        {ROOT STATES "on: { X: A }\n", "IL0107", 4, 10, "there is no state `A`", "write `.A`"},
        {ROOT STATES "on: { X: .Z }\n", "IL0107", 4, 10, "there is no state `.Z`", NULL},
        {ROOT STATES "on: { X: '#Z' }\n", "IL0107", 4, 10, "there is no state `#Z`", NULL},
        {ROOT STATES "on: { X: '#m.Z' }\n", "IL0107", 4, 10, "there is no state `#m.Z`", NULL},
        {ROOT STATES "on: { X: '' }\n", "IL0107", 4, 10, "there is no state ``", NULL},
        {ROOT STATES "on: { X: '#' }\n", "IL0107", 4, 10, "there is no state `#`", NULL},
        {ROOT STATES "on: { X: '.' }\n", "IL0107", 4, 10, "there is no state `.`", NULL},
        {ROOT STATES "on: { X: .A. }\n", "IL0107", 4, 10, "there is no state `.A.`",
         "did you mean 'A'?"},
        {ROOT "states:\n  A: { invoke: { src: s, onDone: Nowhere } }\n", "IL0107", 4, 34,
         "there is no state `Nowhere`", NULL},
        {ROOT "states:\n  A: { after: { 1s: Nowhere } }\n", "IL0107", 4, 21,
         "there is no state `Nowhere`", NULL},
        {"initial: { target: Z }\n" STATES, "IL0107", 1, 20, "no state `Z` in the root", NULL},
        {"initial: Z\n" STATES, "IL0107", 1, 10, "there is no state `Z` in the root", NULL},
        {"initial: PENDIN\nstates: { PENDING: {} }\n", "IL0107", 1, 10, "`PENDIN` in the root",
         "did you mean 'PENDING'?"},
    };
    expect_rows(rows, COUNT(rows));
}

static void the_wrong_type_is_named(void **state)
{
    (void)state;
    static const struct bad_row rows[] = {
        {"- a\n- b\n", "IL0104", 1, 1, "a definition must be a map, not a list", NULL},
        {"just text\n", "IL0104", 1, 1, "a definition must be a map, not a string", NULL},
        {"initial: A\nstates: [A, B]\n", "IL0104", 2, 9, "`states` must be a map, not a list",
         NULL},
        {"id: 7\n" STATES "initial: A\n", "IL0104", 1, 5, "`id` must be a string", NULL},
        {"id: ''\n" STATES "initial: A\n", "IL0104", 1, 5, "`id` has 1 to 256 bytes", NULL},
        {"version: true\n" STATES "initial: A\n", "IL0104", 1, 10,
         "`version` must be a string, not true or false", NULL},
        {"version: [1]\n" STATES "initial: A\n", "IL0104", 1, 10,
         "`version` must be a string, not a list", NULL},
        {"version: null\n" STATES "initial: A\n", "IL0104", 1, 10, "`version` must be", NULL},
        {"version: ''\n" STATES "initial: A\n", "IL0104", 1, 10, "`version`", NULL},
        {ROOT STATES "context: 3\n", "IL0104", 4, 10, "`context` must be a map, not a number",
         NULL},
        {ROOT STATES "guards: []\n", "IL0104", 4, 9, "`guards` must be a map", NULL},
        {ROOT STATES "on: [X]\n", "IL0104", 4, 5, "`on` must be a map", NULL},
        {ROOT STATES "on: { X: 3 }\n", "IL0104", 4, 10,
         "a transition must be a target or a map, not a number", "write `{}`"},
        {ROOT STATES "on: { X: null }\n", "IL0104", 4, 10, "not null", "write `{}`"},
        {ROOT STATES "on: { X: { target: 3 } }\n", "IL0104", 4, 20,
         "a target must be a string, not a number", NULL},
        {ROOT STATES "on: { X: { target: [] } }\n", "IL0104", 4, 20, "`target` is empty", NULL},
        {ROOT STATES "on: { X: { reenter: 1 } }\n", "IL0104", 4, 21,
         "`reenter` must be true or false", NULL},
        {ROOT STATES "on: { X: { assign: a } }\n", "IL0104", 4, 20,
         "`assign` must be a map of values, not a string", NULL},
        {ROOT STATES "on: { X: { assign: [a] } }\n", "IL0104", 4, 21, "`assign` must be", NULL},
        {ROOT STATES "on: { X: { guard: 3 } }\n", "IL0104", 4, 19,
         "a guard must be an expression, not a number", "CEL"},
        {ROOT STATES "on: { X: { guard: [a] } }\n", "IL0104", 4, 19, "not a list", "CEL"},
        {ROOT STATES "after: [1s]\n", "IL0104", 4, 8, "`after` must be a map", NULL},
        {ROOT STATES "after: { soon: .A }\n", "IL0104", 4, 10, "`soon` is not a duration",
         "write 250ms"},
        {ROOT STATES "entry: { raise: X, delay: -1 }\n", "IL0104", 4, 27,
         "`-1` is not a duration", "write 250ms"},
        {ROOT STATES "entry: { raise: X, delay: abc }\n", "IL0104", 4, 27,
         "`\"abc\"` is not a duration", "write 250ms"},
        {ROOT STATES "entry: { send: X, delay: [1s] }\n", "IL0104", 4, 26,
         "`[\"1s\"]` is not a duration", "write 250ms"},
        {ROOT STATES "delays: { soon: -0.5 }\n", "IL0104", 4, 17, "`-0.5` is not a duration",
         "write 250ms"},
        {ROOT "states:\n  A: { invoke: { src: s, timeout: true, onTimeout: A } }\n", "IL0104",
         4, 35, "`true` is not a duration", "write 250ms"},
        {ROOT STATES "on: { '': .A }\n", "IL0104", 4, 7, "an event's name has 1 to 256 bytes",
         NULL},
        {ROOT STATES "after: { -1s: .A }\n", "IL0104", 4, 10, "`-1s` is not a duration",
         "write"},
        {ROOT STATES "always: 3\n", "IL0104", 4, 9, "a transition must be", "write"},
        {ROOT STATES "tags: 3\n", "IL0104", 4, 7, "a tag must be a string", NULL},
        {ROOT STATES "tags: [a, 3]\n", "IL0104", 4, 11, "a tag must be a string", NULL},
        {ROOT STATES "steps: [a]\n", "IL0104", 4, 8, "`steps` must be a map", NULL},
        {ROOT STATES "invoke: charge\n", "IL0104", 4, 9, "`invoke` must be a map", NULL},
        {ROOT STATES "invoke: [charge]\n", "IL0104", 4, 10, "`invoke` must be a map", NULL},
        {ROOT STATES "invoke: { src: 3 }\n", "IL0104", 4, 16, "`src` must be a string", NULL},
        {ROOT STATES "invoke: { src: s, id: 3 }\n", "IL0104", 4, 23, "`id` must be a string",
         NULL},
        {ROOT "states:\n  A: 3\n", "IL0104", 4, 6, "a state must be a map, not a number", NULL},
        {ROOT "states:\n  A: [B]\n", "IL0104", 4, 6, "a state must be a map, not a list", NULL},
        {ROOT "states:\n  A: { id: 3 }\n", "IL0104", 4, 12, "`id` must be a string", NULL},
        {ROOT "states:\n  A: { id: '' }\n", "IL0104", 4, 6, "the id of A is empty", NULL},
        {ROOT "states:\n  A: { type: 3 }\n", "IL0104", 4, 14, "`type` must be a string", NULL},
        {ROOT "states:\n  A: { type: finel }\n", "IL0104", 4, 14, "`finel` is not a type",
         "did you mean 'final'?"},
        {ROOT "states:\n  A: { type: compound }\n", "IL0104", 4, 14, "does not fit", NULL},
        {ROOT "states:\n  A: { type: atomic, initial: B, states: { B: {} } }\n", "IL0104", 4,
         14, "does not fit", NULL},
        {ROOT "states:\n  A: { initial: [B], states: { B: {} } }\n", "IL0104", 4, 17,
         "`initial` must be a string", NULL},
        {ROOT "states:\n  A: { initial: B }\n", "IL0104", 4, 17, "no states inside", NULL},
        {"id: m\ninitial: B\n", "IL0104", 2, 10, "no states inside", NULL},
        {ROOT "states:\n  A: {}\n  a.b: {}\n", "IL0104", 5, 3, "`a.b` cannot be a state's name",
         "no dot"},
        {ROOT "states:\n  A: {}\n  '#b': {}\n", "IL0104", 5, 3, "cannot be a state's name",
         "#"},
        {ROOT "states:\n  A: {}\n  '': {}\n", "IL0104", 5, 3, "cannot be a state's name",
         "not empty"},
        {ROOT STATES "on: { X: { assign: { a.b: 1 } } }\n", "IL0104", 4, 22,
         "`a.b`: an assigned key may not have a dot", "top-level member"},
    };
    expect_rows(rows, COUNT(rows));
}

static void what_is_missing_is_named(void **state)
{
    (void)state;
    static const struct bad_row rows[] = {
        {"id: m\n" STATES, "IL0103", 1, 1, "the root has states inside but no `initial`",
         "name the one"},
        {ROOT "states:\n  A:\n    states: { B: {} }\n", "IL0103", 5, 5,
         "A has states inside but no `initial`", "name the one"},
        {"initial: {}\n" STATES, "IL0103", 1, 10, "`initial` needs `target`", NULL},
        {ROOT "states:\n  A: { invoke: { id: x } }\n", "IL0103", 4, 16, "`invoke` needs `src`",
         NULL},
        {ROOT "states:\n  A: { invoke: { src: '' } }\n", "IL0104", 4, 23, "`src`", NULL},
    };
    expect_rows(rows, COUNT(rows));
}

static void expressions_are_compiled_with_their_exact_place(void **state)
{
    (void)state;
    static const struct bad_row rows[] = {
        {ROOT "states:\n  A: { on: { X: { guard: context.a > } } }\n", "IL0105", 4, 37, "", ""},
        {ROOT "states:\n  A: { on: { X: { guard: \"context.a >\" } } }\n", "IL0105", 4, 38, "",
         ""},
        {ROOT "states:\n  A: { on: { X: { guard: contxt.a } } }\n", "IL0105", 4, 26, "contxt",
         "did you mean 'context'?"},
        {ROOT "states:\n  A: { on: { X: { guard: \"${context.a}\" } } }\n", "IL0105", 4, 26,
         "`${…}` does not belong in a guard", "leave out"},
        {ROOT "states:\n  A: { on: { X: { guard: \"\" } } }\n", "IL0105", 4, 27, "", ""},
        {ROOT "states:\n  A: { on: { X: { assign: { a: \"x ${1 +} y\" } } } }\n", "IL0105", 4,
         40, "", ""},
        {ROOT "states:\n  A: { on: { X: { assign: { a: [1, \"${nope}\"] } } } }\n", "IL0105", 4,
         39, "nope", ""},
        {ROOT "states:\n  A: { invoke: { src: s, input: \"${nope}\" } }\n", "IL0105", 4, 36,
         "nope", ""},
        {ROOT "states:\n  A: { type: final, output: \"${nope}\" }\n", "IL0105", 4, 32, "nope",
         ""},
        {ROOT STATES "context: { a: \"${nope}\" }\n", "IL0105", 4, 18, "nope", ""},
        {ROOT STATES "output: \"${nope}\"\n", "IL0105", 4, 12, "nope", ""},
        {ROOT STATES "on: { X: { assign: { a: \"${1\" } } }\n", "IL0105", 4, 26, "", ""},
        {ROOT STATES "guards: { a: \"1 +\" }\n", "IL0105", 4, 18, "", ""},
    };
    expect_rows(rows, COUNT(rows));
}

static void an_id_is_no_expression(void **state)
{
    (void)state;
    static const struct bad_row rows[] = {
        {ROOT "states: { A: { invoke: { src: s, id: \"${1}\" } } }\n", "IL0104", 3, 38,
         "an `id` is plain text: nothing evaluates `${1}`", NULL},
        {ROOT "states: { A: { entry: { raise: X, delay: 5, id: \"a${1}\" } } }\n", "IL0104", 3,
         49, "plain text", NULL},
        {ROOT "states: { A: { entry: { spawn: s, id: \"a${1}\" } } }\n", "IL0104", 3, 39,
         "plain text", NULL},
    };
    expect_rows(rows, COUNT(rows));
}

static void a_name_is_used_once(void **state)
{
    (void)state;
    static const struct bad_row rows[] = {
        {ROOT "states:\n  A: { id: x }\n  B: { id: x }\n", "IL0109", 5, 6,
         "the id `x` is that of A", NULL},
        {ROOT "states:\n  A: { id: B }\n  B: {}\n", "IL0109", 4, 6, "the id `B` is that of B",
         NULL},
        {ROOT "states:\n  A: { id: m }\n", "IL0109", 4, 6, "the id `m` is that of the root",
         NULL},
        {ROOT "states:\n  A: { id: B }\n  B: { id: C }\n", "IL0109", 4, 6, "the id `B`", NULL},
        {ROOT "states:\n  A: { invoke: [ { src: s, id: x }, { src: t, id: x } ] }\n", "IL0109",
         4, 37, "the invoke id `x` is used twice", NULL},
        {ROOT "states:\n  A: { invoke: { src: s, id: B } }\n  B: { invoke: { src: t } }\n",
         "IL0109", 5, 16, "the invoke id `B` is used twice", NULL},
    };
    expect_rows(rows, COUNT(rows));
}

static void named_guards_know_those_before_them(void **state)
{
    (void)state;
    static const struct bad_row rows[] = {
        {ROOT STATES "guards:\n  a: b\n  b: context.x\n", "IL0107", 5, 6,
         "`a` reads the guard `b`", "declare that one first"},
        {ROOT STATES "guards:\n  a: a || context.x\n", "IL0107", 5, 6,
         "`a` reads the guard `a`", "declare that one first"},
        {ROOT STATES "guards:\n  context: event.x\n", "IL0109", 5, 3,
         "a guard may not be called `context`", NULL},
        {ROOT STATES "guards:\n  In: event.x\n", "IL0109", 5, 3, "`In`", NULL},
        {ROOT STATES "guards:\n  true: event.x\n", "IL0109", 5, 3, "`true`", NULL},
        {ROOT STATES "guards:\n  int: event.x\n", "IL0109", 5, 3, "`int`", NULL},
        {ROOT STATES "guards:\n  size: event.x\n", "IL0109", 5, 3, "`size`", NULL},
        {ROOT STATES "guards:\n  '': event.x\n", "IL0109", 5, 3, "``", NULL},
        {ROOT STATES "guards:\n  a: 3\n", "IL0104", 5, 6, "a guard must be an expression",
         "CEL"},
    };
    expect_rows(rows, COUNT(rows));
}

static void a_final_state_does_nothing(void **state)
{
    (void)state;
    static const struct bad_row rows[] = {
        {ROOT "states:\n  A: { type: final, on: { X: A } }\n", "IL0104", 4, 25,
         "a final state has no `on`", NULL},
        {ROOT "states:\n  A: { type: final, always: A }\n", "IL0104", 4, 29, "no `always`",
         NULL},
        {ROOT "states:\n  A: { type: final, after: {} }\n", "IL0104", 4, 28, "no `after`",
         NULL},
        {ROOT "states:\n  A: { type: final, invoke: { src: s } }\n", "IL0104", 4, 29,
         "no `invoke`", NULL},
        {ROOT "states:\n  A: { type: final, onDone: A }\n", "IL0104", 4, 29, "no `onDone`",
         NULL},
        {ROOT "states:\n  A: { type: final, initial: B, states: { B: {} } }\n", "IL0104", 4, 14,
         "`type: final` does not fit: this state has states inside", NULL},
        {ROOT "states:\n  A: { output: 3 }\n", "IL0104", 4, 16,
         "`output` belongs to final states", NULL},
        {ROOT "states:\n  A: { onDone: A }\n", "IL0104", 4, 16,
         "`onDone` belongs to states with states inside", NULL},
    };
    expect_rows(rows, COUNT(rows));
}

static void every_mistake_is_told_once(void **state)
{
    (void)state;
    static const struct {
        const char *definition;
        uint32_t errors;
    } rows[] = {
        {ROOT "states:\n  A: { type: final, onDone: A }\n", 1},
        {ROOT "states:\n  A: { type: final, on: { X: A }, after: { 1s: A } }\n", 2},
        {ROOT "states:\n  A: { on: { X: Z, Y: [ Z, { target: Z, guard: '1 +' } ] } }\n", 4},
        {ROOT "states:\n  A: { a: 1, b: 2, c: 3 }\n  B: 4\nx: 5\n", 5},
        {ROOT "states:\n  A: { initial: Z, states: { B: {} } }\n  C: { on: { X: '#m.A' } }\n",
         1},
        {"states: { A: {} }\non: { X: .B }\n", 2},
        {ROOT "states:\n  A: { id: x }\n  B: { id: x }\n", 1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena arena;
        struct diagnostics diagnostics;
        arena_open(&arena, DEFINITION_ARENA_BYTES);
        assert_null(fixture_load(span_from_text(rows[i].definition), &arena, &diagnostics));
        if (diagnostics.errors != rows[i].errors)
            fail_msg("%u errors in\n%s", diagnostics.errors, rows[i].definition);
        arena_close(&arena);
    }
}

static void add_line(struct text *text, int indent, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void add_line(struct text *text, int indent, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    for (int i = 0; i < indent; i++)
        text_add_byte(text, ' ');
    text_format_list(text, format, arguments);
    text_add_byte(text, '\n');
    va_end(arguments);
}

/* The first diagnostic's code, or "" when it loads. */
static struct span first_code(struct span definition, struct arena *arena)
{
    struct diagnostics diagnostics;
    const struct machine *machine = fixture_load(definition, arena, &diagnostics);
    return machine == NULL ? diagnostics.first->code : SPAN("");
}

static void states_nest_as_deep_as_the_limit(void **state)
{
    (void)state;
    for (int depth = STATE_DEPTH_MAX; depth <= STATE_DEPTH_MAX + 1; depth++) {
        struct arena arena;
        struct text text;
        arena_open(&arena, DEFINITION_ARENA_BYTES);
        text_init(&text, &arena);
        for (int i = 0; i < depth; i++) {
            add_line(&text, 2 * i, "initial: A%d", i);
            add_line(&text, 2 * i, "states:");
            add_line(&text, 2 * i + 1, "A%d:", i);
        }
        add_line(&text, 2 * depth, "on: { X: '#machine.A0', Y: .Z }");
        struct span code = first_code(text_span(&text), &arena);
        assert_true(span_is(code, depth > STATE_DEPTH_MAX ? "IL0108" : "IL0107"));
        arena_close(&arena);
    }
}

static void the_deepest_state_is_entered_and_left(void **state)
{
    (void)state;
    struct fixture fixture;
    struct arena arena;
    struct text text;
    arena_open(&arena, DEFINITION_ARENA_BYTES);
    text_init(&text, &arena);
    for (int i = 0; i < STATE_DEPTH_MAX; i++) {
        add_line(&text, 2 * i, "initial: A%d", i);
        add_line(&text, 2 * i, "states:");
        add_line(&text, 2 * i + 1, "A%d:", i);
    }
    add_line(&text, 2 * STATE_DEPTH_MAX, "after: { 1s: '#machine.A0' }");
    add_line(&text, 2 * STATE_DEPTH_MAX, "on: { X: { target: '#machine', reenter: true } }");
    fixture_open(&fixture, text.bytes);
    fixture_start(&fixture, value_null());
    assert_int_equal(configuration_leaf(&fixture.now), STATE_DEPTH_MAX);
    fixture_fire(&fixture);
    fixture_send(&fixture, "X", "{}");
    assert_int_equal(configuration_leaf(&fixture.now), STATE_DEPTH_MAX);
    fixture_close(&fixture);
    arena_close(&arena);
}

static void limits_are_diagnostics(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        int states, events, transitions; /* beside the state A */
        const char *code;
    } rows[] = {
        {"as many states as there may be", STATES_MAX - 2, 0, 0, ""},
        {"one state more", STATES_MAX - 1, 0, 0, "IL0108"},
        {"many states more", STATES_MAX + 100, 0, 0, "IL0108"},
        {"as many event types", 0, EVENT_TYPES_MAX - 5, 0, ""},
        {"one event type more", 0, EVENT_TYPES_MAX - 4, 0, "IL0108"},
        {"as many transitions", 0, 0, TRANSITIONS_MAX - 2, ""},
        {"one transition more", 0, 0, TRANSITIONS_MAX - 1, "IL0108"},
        {"states times events", 1000, 2000, 0, "IL0108"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena arena;
        struct text text;
        arena_open(&arena, DEFINITION_ARENA_BYTES);
        text_init(&text, &arena);
        add_line(&text, 0, "initial: A\nstates:\n A:\n  on:");
        for (int event = 0; event < rows[i].events; event++)
            add_line(&text, 3, "e%d: A", event);
        text_add(&text, SPAN("   all: ["));
        for (int n = 0; n < rows[i].transitions; n++)
            text_add(&text, n == 0 ? SPAN("A") : SPAN(",A"));
        add_line(&text, 0, "]");
        for (int n = 0; n < rows[i].states; n++)
            add_line(&text, 1, "S%d:", n);
        struct span code = first_code(text_span(&text), &arena);
        if (!span_is(code, rows[i].code))
            fail_msg("%s: %.*s", rows[i].what, SPAN_ARGS(code));
        arena_close(&arena);
    }
}

static void actions_are_limited_too(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        int names, actions, blocks; /* each name is that of the one before */
        const char *code;
    } rows[] = {
        {"as many actions as there may be", 0, 65535, 0, ""},
        {"one action more", 0, 65536, 0, "IL0108"},
        {"many actions more", 0, 140000, 0, "IL0108"},
        {"blocks beyond the last action", 0, 65535, 40000, "IL0108"},
        {"names of names", 50, 1, 0, ""},
        {"names of names of names", 52, 1, 0, "IL0108"},
        {"many names", 9000, 1, 0, "IL0108"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena arena;
        struct text text;
        arena_open(&arena, DEFINITION_ARENA_BYTES);
        text_init(&text, &arena);
        add_line(&text, 0, "initial: A\nactions:\n n0: { fail: x }");
        for (int n = 1; n < rows[i].names; n++)
            add_line(&text, 1, "n%d: n%d", n, n - 1);
        text_add(&text, SPAN("states:\n A:\n  entry: ["));
        for (int n = rows[i].names == 0; n < rows[i].actions; n++)
            text_add(&text, n < 2 ? SPAN("a") : SPAN(",a"));
        for (int n = 0; n < rows[i].blocks; n++)
            text_add(&text, SPAN(",[b]"));
        add_line(&text, 0, "]");
        struct span code = first_code(text_span(&text), &arena);
        if (!span_is(code, rows[i].code))
            fail_msg("%s: %.*s", rows[i].what, SPAN_ARGS(code));
        arena_close(&arena);
    }
}

/* Each of them is used once. */
static void many_names_are_looked_up_in_time(void **state)
{
    enum { NAMES = 20000, DELAYS = 5000 };
    struct arena arena;
    struct diagnostics diagnostics;
    struct text text;
    (void)state;
    arena_open(&arena, DEFINITION_ARENA_BYTES);
    text_init(&text, &arena);
    text_add(&text, SPAN("initial: A\nactions:\n"));
    for (int i = 0; i < NAMES; i++)
        text_format(&text, " a%d: {log: %d}\n", i, i);
    text_add(&text, SPAN("delays:\n"));
    for (int i = 0; i < DELAYS; i++)
        text_format(&text, " d%d: %d\n", i, i);
    text_add(&text, SPAN("states:\n A:\n  entry:\n"));
    for (int i = 0; i < NAMES; i++)
        text_format(&text, "   - a%d\n", i);
    for (int i = 0; i < DELAYS; i++)
        text_format(&text, "   - {raise: X, delay: d%d}\n", i);
    const struct machine *machine = fixture_load(text_span(&text), &arena, &diagnostics);
    assert_non_null(machine);
    const struct machine_state *entered = &machine->states[1];
    assert_int_equal(entered->entry.count, NAMES + DELAYS);
    for (uint32_t i = 0; i < NAMES; i++)
        assert_int_equal(machine->actions[entered->entry.first + i].assigns.first, i);
    arena_close(&arena);
}

static void an_event_has_a_name_of_at_most_256_bytes(void **state)
{
    (void)state;
    for (int size = EVENT_TYPE_BYTES_MAX; size <= EVENT_TYPE_BYTES_MAX + 1; size++) {
        struct arena arena;
        char name[EVENT_TYPE_BYTES_MAX + 2];
        memset(name, 'e', (size_t)size);
        name[size] = '\0';
        arena_open(&arena, DEFINITION_ARENA_BYTES);
        struct text text;
        text_init(&text, &arena);
        add_line(&text, 0, ROOT STATES "on: { %s: .A }", name);
        struct span code = first_code(text_span(&text), &arena);
        assert_true(span_is(code, size > EVENT_TYPE_BYTES_MAX ? "IL0104" : ""));
        arena_close(&arena);
    }
}

/* A large definition must not take long, however it is made. */
static void many_transitions_of_the_root_are_looked_up_in_time(void **state)
{
    (void)state;
    struct arena arena;
    struct text text;
    arena_open(&arena, DEFINITION_ARENA_BYTES);
    text_init(&text, &arena);
    add_line(&text, 0, "initial: S0\non:");
    for (int event = 0; event < 4000; event++)
        add_line(&text, 1, "e%d: [{guard: 'false'},{guard: 'false'},.S0]", event);
    add_line(&text, 0, "states:");
    for (int n = 0; n < 250; n++)
        add_line(&text, 1, "S%d:", n);
    assert_true(span_is(first_code(text_span(&text), &arena), ""));
    arena_close(&arena);
}

static void a_spent_arena_jumps_to_its_guard(void **state)
{
    (void)state;
    static const char definition[] =
        ROOT "context: { a: \"${input.x}\" }\nguards: { g: context.a }\n"
             "states:\n  A: { on: { X: { guard: g, target: B, assign: { a: 1 } } } }\n"
             "  B: { invoke: { src: s, onDone: A, onError: A }, after: { 1s: A } }\n";
    volatile bool loaded = false;
    for (volatile size_t size = 256; !loaded; size = size + 200) {
        void *memory = malloc(size);
        struct arena arena;
        struct arena_guard guard;
        assert_non_null(memory);
        arena_init(&arena, memory, size);
        if (!arena_is_spent(&arena, &guard)) {
            struct diagnostics diagnostics;
            loaded = fixture_load(span_from_text(definition), &arena, &diagnostics) != NULL;
            assert_int_equal(diagnostics.errors, 0);
            arena_release_guard(&arena, &guard);
        }
        free(memory);
    }
}

static struct span hash_of(const char *definition, struct arena *arena)
{
    struct diagnostics diagnostics;
    const struct machine *machine =
        fixture_load(span_from_text(definition), arena, &diagnostics);
    if (machine == NULL)
        fail_msg("%s\n%.*s", definition, SPAN_ARGS(diagnostics.first->message));
    return span_from_text(machine->hash);
}

static void the_hash_is_that_of_the_content(void **state)
{
    (void)state;
    static const char base[] = ROOT "states:\n  A: { on: { X: B } }\n  B: {}\n";
    static const char *const same[] = {
        "# a comment\nid:   m\ninitial: \"A\"\nstates: {A: {on: {X: 'B'}}, B: {}}\n",
        ROOT
        "states:\n  A:\n    on:\n      X: B # there\n  B: {}\nsteps: { s: { http: {} } }\n",
        "{\"id\":\"m\",\"initial\":\"A\",\"states\":{\"A\":{\"on\":{\"X\":\"B\"}},\"B\":{}}}",
    };
    static const char *const other[] = {
        "id: n\ninitial: A\nstates:\n  A: { on: { X: B } }\n  B: {}\n",
        ROOT "states:\n  A: { on: { Y: B } }\n  B: {}\n",
        ROOT "states:\n  A: { on: { X: A } }\n  B: {}\n",
        ROOT "states:\n  B: {}\n  A: { on: { X: B } }\n",
        ROOT "states:\n  A: { on: { X: B } }\n  B: { type: final }\n",
        "id: m\nversion: '2'\ninitial: A\nstates:\n  A: { on: { X: B } }\n  B: {}\n",
    };
    struct arena arena;
    arena_open(&arena, DEFINITION_ARENA_BYTES);
    struct span hash = hash_of(base, &arena);
    assert_int_equal(hash.size, 64);
    for (size_t i = 0; i < COUNT(same); i++)
        assert_true(span_equal(hash_of(same[i], &arena), hash));
    for (size_t i = 0; i < COUNT(other); i++)
        assert_false(span_equal(hash_of(other[i], &arena), hash));
    arena_close(&arena);
}

static void a_version_is_text_or_the_hash(void **state)
{
    (void)state;
    static const struct {
        const char *definition;
        const char *version; /* NULL: the hash */
    } rows[] = {
        {ROOT STATES, NULL},
        {ROOT STATES "version: '3'\n", "3"},
        {ROOT STATES "version: 3\n", "3"},
        {ROOT STATES "version: 1.5\n", "1.5"},
        {ROOT STATES "version: v2-beta\n", "v2-beta"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture fixture;
        fixture_open(&fixture, rows[i].definition);
        const struct machine *machine = fixture.machine;
        assert_true(span_is(machine->version,
                            rows[i].version == NULL ? machine->hash : rows[i].version));
        fixture_close(&fixture);
    }
}

static void good_definitions_of_every_kind_load(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "id: m\n",
        "{}",
        "states: {}\n",
        "type: final\n",
        "type: atomic\n",
        ROOT STATES,
        ROOT "states: { A: , B: null }\n",
        ROOT "states: { A: { type: atomic }, B: { type: compound, initial: .C, states: { C: {} "
             "} } }\n",
        ROOT "states: { A: { states: {} } }\n",
        "$schema: https://example.org/machine.json\ndescription: d\nmeta: { x: [1] }\n" ROOT
        "states: { A: { description: d, meta: 3, tags: one, on: { X: { meta: 1, description: "
        "d } } } }\n",
        ROOT STATES "steps: { charge: { anything: { goes: [here] } } }\n",
        ROOT STATES "on: { X: { target: [.A] }, Y: { target: null }, Z: [], W: [.A, .B] }\n",
        ROOT STATES "on: { '*': .A, 'a.b': .B, 'ä€': .A, ' ': .A }\n",
        ROOT STATES "after: { 1s: .A, 1000: .B, PT1S: .A, 1h30m: .B }\n",
        "initial: { target: B }\n" STATES,
        ROOT STATES "input: { type: object }\n",
        ROOT "states: { A: { id: one, on: { X: '#two', Y: '#two.C', Z: '#m', W: '#m.B.C' } },\n"
             "  B: { id: two, initial: C, states: { C: {} } } }\n",
        ROOT STATES "guards: { a: 'true', b: 'a && !a', c: 'b' }\non: { X: { guard: c } }\n",
        ROOT STATES "guards: { is-big: 'true' }\non: { X: { guard: is-big } }\n",
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture fixture;
        fixture_open(&fixture, rows[i]);
        struct plan plan = fixture_start(&fixture, value_null());
        assert_int_equal(plan.outcome, OUTCOME_APPLIED);
        fixture_close(&fixture);
    }
}

static void only_a_tree_with_states_is_a_machine(void **state)
{
    (void)state;
    static const struct {
        const char *definition;
        bool is_machine;
    } rows[] = {
        {ROOT STATES, true},    {"initial: A\n", true},
        {"states: {}\n", true}, {"charge: { http: {} }\n", false},
        {"[1, 2]\n", false},    {"text\n", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena arena;
        struct diagnostics diagnostics;
        arena_open(&arena, DEFINITION_ARENA_BYTES);
        diagnostics_init(&diagnostics, &arena);
        const struct node *root = wire_read_definition(span_from_text(rows[i].definition),
                                                       SPAN("f"), &arena, &diagnostics);
        assert_int_equal(machine_is_definition(root), rows[i].is_machine);
        arena_close(&arena);
    }
}

static void names_are_found(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, ROOT "states:\n  A: { id: one, initial: X, states: { X: {} } }\n"
                                "  B: { on: { GO: A, other: B } }\n");
    const struct machine *machine = fixture.machine;
    assert_int_equal(machine_find_state(machine, SPAN("one")), 1);
    assert_int_equal(machine_find_state(machine, SPAN("A")), 1);
    assert_int_equal(machine_find_state(machine, SPAN("A.X")), 2);
    assert_int_equal(machine_find_state(machine, SPAN("m.A.X")), 2);
    assert_int_equal(machine_find_state(machine, SPAN("m")), 0);
    assert_int_equal(machine_find_state(machine, SPAN("")), NO_STATE);
    assert_int_equal(machine_find_state(machine, SPAN("m.")), NO_STATE);
    assert_int_equal(machine_find_state(machine, SPAN("X")), NO_STATE);
    assert_int_equal(machine_find_state(machine, SPAN("mA")), NO_STATE);
    uint32_t go = machine_find_event(machine, SPAN("GO"));
    assert_true(go >= EVENT_ID_FIRST && span_is(machine->event_types[go], "GO"));
    assert_int_equal(machine_find_event(machine, SPAN("gO")), EVENT_ID_OTHER);
    assert_int_equal(machine_find_event(machine, SPAN("")), EVENT_ID_OTHER);
    assert_int_equal(machine_find_event(machine, SPAN("*")), EVENT_ID_OTHER);
    fixture_close(&fixture);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_key_is_refused_with_a_suggestion),
        cmocka_unit_test(what_is_not_there_yet_is_refused_by_name),
        cmocka_unit_test(an_unknown_target_says_what_could_be_meant),
        cmocka_unit_test(the_wrong_type_is_named),
        cmocka_unit_test(what_is_missing_is_named),
        cmocka_unit_test(expressions_are_compiled_with_their_exact_place),
        cmocka_unit_test(an_id_is_no_expression),
        cmocka_unit_test(a_name_is_used_once),
        cmocka_unit_test(named_guards_know_those_before_them),
        cmocka_unit_test(a_final_state_does_nothing),
        cmocka_unit_test(every_mistake_is_told_once),
        cmocka_unit_test(states_nest_as_deep_as_the_limit),
        cmocka_unit_test(the_deepest_state_is_entered_and_left),
        cmocka_unit_test(limits_are_diagnostics),
        cmocka_unit_test(actions_are_limited_too),
        cmocka_unit_test(many_names_are_looked_up_in_time),
        cmocka_unit_test(an_event_has_a_name_of_at_most_256_bytes),
        cmocka_unit_test(many_transitions_of_the_root_are_looked_up_in_time),
        cmocka_unit_test(a_spent_arena_jumps_to_its_guard),
        cmocka_unit_test(the_hash_is_that_of_the_content),
        cmocka_unit_test(a_version_is_text_or_the_hash),
        cmocka_unit_test(good_definitions_of_every_kind_load),
        cmocka_unit_test(only_a_tree_with_states_is_a_machine),
        cmocka_unit_test(names_are_found),
    };
    return cmocka_run_group_tests_name("chart_load", tests, NULL, NULL);
}
