/*
 * test_ecma.c - attacks the translation of ECMAScript's expressions.
 *
 * Each row has what is written, what becomes of it, and what that gives when it is run. The
 * results are what a browser says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "expr/expr.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { MEMORY_BYTES = 8 << 20, CONTEXT = 0, EVENT, SESSION, NAME_OF, PROCESSORS, SLOT_COUNT };

static const struct span names[SLOT_COUNT] = {
    {"context", 7}, {"_event", 6}, {"_sessionid", 10}, {"_name", 5}, {"_ioprocessors", 13}};

static const struct span declared[] = {
    SPAN_INIT("x"),    SPAN_INIT("y"),    SPAN_INIT("none"), SPAN_INIT("text"),
    SPAN_INIT("list"), SPAN_INIT("half"), SPAN_INIT("map"),  SPAN_INIT("empty"),
};

static const struct expr_function functions[] = {{SPAN_INIT("In"), 1, 0}};

static const struct expr_scope scope = {.variables = names,
                                        .variable_count = SLOT_COUNT,
                                        .functions = functions,
                                        .function_count = COUNT(functions)};

static const struct ecma_scope document = {declared, COUNT(declared)};

static char memory[MEMORY_BYTES];

static struct value in(void *host, uint32_t function, const struct value *arguments,
                       size_t count, struct arena *arena)
{
    (void)host;
    (void)function;
    (void)arena;
    assert_int_equal(count, 1);
    return value_bool(span_is(value_span(arguments[0]), "here"));
}

static struct value json(struct arena *arena, const char *text)
{
    struct value value;
    struct json_error error;
    assert_int_equal(json_read(span_from_text(text), arena, &value, &error), STATUS_OK);
    return value;
}

/* The CEL, or "!message" for what is refused, with the message of what fails for sure. */
static struct span translate(struct arena *arena, const char *text, enum ecma_purpose purpose)
{
    struct ecma_problem problem;
    struct span cel;
    enum ecma_result result =
        ecma_translate(span_from_text(text), purpose, &document, arena, &cel, &problem);
    if (result != ECMA_UNSUPPORTED)
        return cel;
    return text_print(arena, "!%zu %.*s", problem.offset, SPAN_ARGS(problem.message));
}

/* The result as JSON, or "!message". */
static struct span run(struct arena *arena, struct span cel)
{
    struct diagnostics diagnostics;
    struct text text;
    diagnostics_init(&diagnostics, arena);
    const struct expr_program *program =
        expr_compile(cel, (struct place){0}, &scope, arena, &diagnostics);
    if (program == NULL)
        return text_print(arena, "?%.*s", SPAN_ARGS(diagnostics.first->message));
    struct value slots[SLOT_COUNT] = {
        [CONTEXT] =
            json(arena, "{\"x\":1,\"y\":2,\"text\":\"abc\",\"list\":[1,2,3],\"half\":1.5,"
                        "\"map\":{\"a\":{\"b\":7},\"in\":3,\"k k\":4},\"empty\":\"\","
                        "\"loose\":5}"),
        [EVENT] = json(arena, "{\"name\":\"e.f\",\"type\":\"external\",\"data\":{\"a\":1}}"),
        [SESSION] = value_string(SPAN("s1")),
        [NAME_OF] = value_string(SPAN("machine")),
        [PROCESSORS] = json(arena, "{\"scxml\":{\"location\":\"#_scxml_s1\"}}"),
    };
    struct expr_frame frame = {.slots = slots, .slot_count = SLOT_COUNT, .host_function = in};
    struct value value = expr_run(program, &frame, arena);
    text_init(&text, arena);
    if (value.kind == VALUE_ERROR)
        text_format(&text, "!%.*s", SPAN_ARGS(value_span(value)));
    else
        json_write(&text, value);
    return text_span(&text);
}

struct row {
    const char *written;
    const char *cel;    /* NULL: whatever it is */
    const char *result; /* NULL: it does not matter; "!": any error */
};

static void check(const struct row *rows, size_t count, enum ecma_purpose purpose)
{
    for (size_t i = 0; i < count; i++) {
        struct arena arena;
        arena_init(&arena, memory, sizeof memory);
        struct span cel = translate(&arena, rows[i].written, purpose);
        if (rows[i].cel != NULL && !span_is(cel, rows[i].cel))
            fail_msg("%s\n  becomes %.*s\n  not     %s", rows[i].written, SPAN_ARGS(cel),
                     rows[i].cel);
        if (rows[i].result == NULL)
            continue;
        struct span result = run(&arena, cel);
        bool is_error = span_starts_with(result, SPAN("!"));
        if (strcmp(rows[i].result, "!") == 0 ? !is_error : !span_is(result, rows[i].result))
            fail_msg("%s\n  as    %.*s\n  gives %.*s\n  not   %s", rows[i].written,
                     SPAN_ARGS(cel), SPAN_ARGS(result), rows[i].result);
    }
}

static void values_are_those_of_a_browser(void **state)
{
    static const struct row rows[] = {
        {"1", "1", "1"},
        {"1.0", "1", "1"},
        {"1.5", "1.5", "1.5"},
        {"1e3", "1000", "1000"},
        {"0x1F", "31", "31"},
        {"-1", "-1", "-1"},
        {"'a\"b\\n'", "\"a\\\"b\\x0a\"", "\"a\\\"b\\n\""},
        {"\"\\u00e9\\ud83d\\ude00\"", NULL, "\"\xc3\xa9\xf0\x9f\x98\x80\""},
        {"x", "context.x", "1"},
        {"x + 1", "ecma.add(context.?x, 1)", "2"},
        {"text + 1", NULL, "\"abc1\""},
        {"'b, x:' + x", "ecma.add(\"b, x:\", context.?x)", "\"b, x:1\""},
        {"'a' + none", NULL, "\"aundefined\""},
        {"'a' + list", NULL, "\"a1,2,3\""},
        {"'a' + map", NULL, "\"a[object Object]\""},
        {"'' + 1e21", NULL, "\"1e+21\""},
        {"'' + 0.1", NULL, "\"0.1\""},
        {"'' + 1.5e-7", NULL, "\"1.5e-7\""},
        {"'' + 123456789.125", NULL, "\"123456789.125\""},
        {"'' + 0.000001", NULL, "\"0.000001\""},
        {"x / y", "ecma.divide(context.?x, context.?y)", "0.5"},
        {"4 / y", NULL, "2"},
        {"7 % 4", NULL, "3"},
        {"'6' * '7'", NULL, "42"},
        {"half + half", NULL, "3"},
        {"1 + 2 * 3 - 4", NULL, "3"},
        {"(1 + 2) * 3", NULL, "9"},
        {"5 | 2", NULL, "7"},
        {"x == 1 | y != 2", NULL, "1"},
        {"[1, 'a', [x]]", "[1, \"a\", [context.x]]", "[1,\"a\",[1]]"},
        {"{p1: 'v1', 'p 2': x, none: none}", NULL, "{\"p1\":\"v1\",\"p 2\":1}"},
        {"[].concat(list, [4])", "ecma.concat([[], context.list, [4]])", "[1,2,3,4]"},
        {"list.length", NULL, "3"},
        {"text.length", NULL, "3"},
        {"list[1]", NULL, "2"},
        {"text[0]", NULL, "\"a\""},
        {"map.a.b", "context.map.a.b", "7"},
        {"map['a'].b", "context.map.a.b", "7"},
        {"map.in", "context.map[\"in\"]", "3"},
        {"map['k k']", "context.map[\"k k\"]", "4"},
        {"text.slice(1)", NULL, "\"bc\""},
        {"text.slice(-2, -1)", NULL, "\"b\""},
        {"list.indexOf(2)", NULL, "1"},
        {"Math.pow(x + 1, 3)", NULL, "8"},
        {"Math.floor(half)", NULL, "1"},
        {"JSON.stringify(map)", NULL,
         "\"{\\\"a\\\":{\\\"b\\\":7},\\\"in\\\":3,\\\"k k\\\":4}\""},
        {"String(half)", NULL, "\"1.5\""},
        {"_event.data.a", "_event.data.a", "1"},
        {"_event", "_event", NULL},
        {"_sessionid", "_sessionid", "\"s1\""},
        {"_ioprocessors['scxml'].location", "_ioprocessors.scxml.location", "\"#_scxml_s1\""},
        {"x ? 'a' : 'b'", "ecma.truthy(context.?x) ? \"a\" : \"b\"", "\"a\""},
        {"none || 'other'", NULL, "\"other\""},
        {"text && 'other'", NULL, "\"other\""},
        {"typeof x", NULL, "\"number\""},
        {"typeof map", NULL, "\"object\""},
        {"typeof nobody", NULL, "\"undefined\""},
        {"null", "null", "null"},
        {"/* c */ x // d", "context.x", "1"},
        {"x;", "context.x", "1"},
        {"none", "context.none", "!"},
        {"nobody + 1", "ecma.add(context.nobody, 1)", "!"},
        {"loose + 1", "ecma.add(context.loose, 1)", "6"},
    };
    (void)state;
    check(rows, COUNT(rows), ECMA_AS_VALUE);
}

static void conditions_are_true_or_false(void **state)
{
    static const struct row rows[] = {
        {"true", "true", "true"},
        {"x", "ecma.truthy(context.?x)", "true"},
        {"'foo'", "ecma.truthy(\"foo\")", "true"},
        {"empty", NULL, "false"},
        {"none", NULL, "false"},
        {"!none", "!ecma.truthy(context.?none)", "true"},
        {"x==1", "ecma.equal(context.?x, 1)", "true"},
        {"x=='1'", NULL, "true"},
        {"x==='1'", NULL, "false"},
        {"x===y", "ecma.same(context.?x, context.?y)", "false"},
        {"x!==none", "!ecma.same(context.?x, context.?none)", "true"},
        {"none == null", NULL, "true"},
        {"none === null", NULL, "false"},
        {"none==undefined", "ecma.equal(context.?none, optional.none())", "true"},
        {"x<y", "ecma.less(context.?x, context.?y)", "true"},
        {"x>=y", "ecma.lessEqual(context.?y, context.?x)", "false"},
        {"'10' < '9'", NULL, "true"},
        {"'10' < 9", NULL, "false"},
        {"none < 1", NULL, "false"},
        {"In('here')", "In(\"here\")", "true"},
        {"!In('there')", "!In(\"there\")", "true"},
        {"In('here') && x === 1", "In(\"here\") && ecma.same(context.?x, 1)", "true"},
        {"nobody || true", "ecma.truthy(context.nobody) ? true : true", "!"},
        {"nobody && false", NULL, "!"},
        {"true || nobody", NULL, "true"},
        {"typeof x === 'undefined' ", "!has(context.x)", "false"},
        {"typeof nobody !== 'undefined'", "has(context.nobody)", "false"},
        {"typeof _event.sendid === 'undefined' ", "!has(_event.sendid)", "true"},
        {"typeof _event === 'undefined'", "!has(_event.name)", "false"},
        {"'sendid' in _event", "has(_event.name)", "true"},
        {"'zzz' in _event", NULL, "false"},
        {"1 in list", NULL, "true"},
        {"list instanceof Array", NULL, "true"},
        {"map instanceof Array", NULL, "false"},
        {"_event.data.zzz == 1", NULL, "false"},
        {"_event.zzz == 1", "ecma.equal(_event.?zzz, 1)", "false"},
        {"_event.data.zzz.y == 1", NULL, "!TypeError: undefined has no members"},
        {"_event.name == 'e.f'", NULL, "true"},
        {"_name  === 'machine'", NULL, "true"},
        {"return", "ecma.fail(\"no expression begins with this word\")",
         "!no expression begins with this word"},
        {"x ==", NULL, "!the expression ends where an operand is missing"},
        {"\"foo", NULL, "!the string does not end"},
        {"(function(str, starts){if (starts === '') return true;if (str == null || starts == "
         "null) return false;str = String(str); starts = String(starts);return str.length >= "
         "starts.length && str.slice(0, starts.length) === starts;})(text, 'ab')",
         NULL, "true"},
        {"(function(a){a = a + 'c'; return a === text;})('ab')", NULL, "true"},
    };
    (void)state;
    check(rows, COUNT(rows), ECMA_AS_CONDITION);
}

static void what_is_not_exactly_the_same_is_refused(void **state)
{
    static const struct row rows[] = {
        {"++x == 2", "!0 expressions that assign are not translated", NULL},
        {"x = 2", "!2 `=` is not translated", NULL},
        {"x + x++", "!5 `++` is not translated", NULL},
        {"new Foo()", "!0 `new` is not translated", NULL},
        {"function(a) {return a + 1;}", "!0 functions are not translated", NULL},
        {"foo(1)", "!0 a call of `foo` is not translated", NULL},
        {"x.search(/a+/)", "!9 regular expressions are not translated", NULL},
        {"`a`", "!0 templates are not translated", NULL},
        {"a => a", "!2 `=>` is not translated", NULL},
        {"x === [1]", "!2 comparing a new list or object is not translated", NULL},
        {"Math.random()", "!5 a call of `random` is not translated", NULL},
        {"Date.now()", "!5 a call of `now` is not translated", NULL},
        {"x, y", "!1 `,` is not translated", NULL},
        {"x ** 2", "!2 `**` is not translated", NULL},
        {"this.x", "!0 `this` is not translated", NULL},
        {"{[x]: 1}", "!1 computed keys are not translated", NULL},
    };
    (void)state;
    check(rows, COUNT(rows), ECMA_AS_VALUE);
}

static void places_are_names_on_the_way(void **state)
{
    static const struct {
        const char *written;
        enum ecma_result result;
        const char *path;
    } rows[] = {
        {"x", ECMA_OK, "x"},
        {"foo.bar.baz ", ECMA_OK, "foo/bar/baz"},
        {"a['b c'].d", ECMA_OK, "a/b c/d"},
        {"a[0]", ECMA_UNSUPPORTED, ""},
        {"1", ECMA_ILLEGAL, ""},
        {"\"foo", ECMA_ILLEGAL, ""},
        {"", ECMA_ILLEGAL, ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena arena;
        struct text text;
        struct ecma_problem problem;
        const struct span *path;
        uint32_t count = 0;
        arena_init(&arena, memory, sizeof memory);
        text_init(&text, &arena);
        assert_int_equal(
            ecma_location(span_from_text(rows[i].written), &arena, &path, &count, &problem),
            rows[i].result);
        for (uint32_t j = 0; rows[i].result == ECMA_OK && j < count; j++)
            text_format(&text, "%s%.*s", j > 0 ? "/" : "", SPAN_ARGS(path[j]));
        assert_true(span_is(text_span(&text), rows[i].path));
    }
}

static void deep_and_long_texts_are_refused(void **state)
{
    static const char *const pieces[] = {"(",
                                         "[",
                                         "!",
                                         "-",
                                         "a.",
                                         "1+",
                                         "x?",
                                         "{a:",
                                         "a(",
                                         "a&&",
                                         "x||",
                                         "x?x:",
                                         "(function(a){return "};
    (void)state;
    for (size_t i = 0; i < COUNT(pieces); i++) {
        struct arena arena;
        struct text text;
        arena_init(&arena, memory, sizeof memory);
        text_init(&text, &arena);
        for (int j = 0; j < 1200; j++)
            text_add(&text, span_from_text(pieces[i]));
        text_add(&text, SPAN("x"));
        translate(&arena, text.bytes, ECMA_AS_CONDITION);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_those_of_a_browser),
        cmocka_unit_test(conditions_are_true_or_false),
        cmocka_unit_test(what_is_not_exactly_the_same_is_refused),
        cmocka_unit_test(places_are_names_on_the_way),
        cmocka_unit_test(deep_and_long_texts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
