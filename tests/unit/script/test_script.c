/*
 * test_script.c - what a run sees, what it changes, and that it always ends.
 */
#include "script/script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/limits.h"

enum { ARENA_BYTES = 64 << 20 };

struct bench {
    struct arena arena;
    struct script *script;
    const struct expr_language *language;
    struct expr_world world;
    struct expr_frame frame;
};

static const struct span declared[] = {SPAN_INIT("x"), SPAN_INIT("unset")};

/* Active are the states a and b. */
static struct value host(void *context, uint32_t function, const struct value *arguments,
                         size_t count, struct arena *arena)
{
    (void)context;
    (void)arena;
    assert_int_equal(function, 0);
    assert_int_equal(count, 1);
    struct span name = value_span(arguments[0]);
    if (span_is(name, "nowhere"))
        return value_error(SPAN("there is no state 'nowhere'"));
    return value_bool(span_is(name, "a") || span_is(name, "b"));
}

static struct value read_json(struct bench *bench, const char *text)
{
    struct value value;
    struct json_error error;
    assert_int_equal(json_read(span_from_text(text), &bench->arena, &value, &error), STATUS_OK);
    return value;
}

static void begin(struct bench *bench, const char *variables)
{
    *bench = (struct bench){.script = script_open()};
    bench->language = script_language(bench->script);
    arena_open(&bench->arena, ARENA_BYTES);
    bench->frame = (struct expr_frame){.host_function = host};
    bench->world = (struct expr_world){
        .variables = read_json(bench, variables),
        .declared = declared,
        .declared_count = 2,
        .constants = read_json(bench, "{\"_event\":{\"name\":\"go\",\"data\":[1,{\"b\":2}]},"
                                      "\"_name\":\"machine\"}"),
        .frame = &bench->frame};
}

static void end(struct bench *bench)
{
    script_close(bench->script);
    arena_close(&bench->arena);
}

static struct value run(struct bench *bench, enum expr_form form, const char *text)
{
    return bench->language->run(bench->language->context, form, span_from_text(text),
                                &bench->world, &bench->arena);
}

/* The value as JSON, `undefined`, or the error behind an exclamation mark. */
static const char *shown(struct bench *bench, struct value value)
{
    struct text text;
    if (value.kind == VALUE_OPTIONAL)
        return "undefined";
    if (value_is_error(value))
        return text_print(&bench->arena, "!%.*s", SPAN_ARGS(value_span(value))).text;
    text_init(&text, &bench->arena);
    json_write(&text, value);
    return text_span(&text).text;
}

static bool starts_with(const char *text, const char *start)
{
    return span_starts_with(span_from_text(text), span_from_text(start));
}

static void expressions_have_the_value_that_they_have_in_ecmascript(void **state)
{
    static const struct {
        const char *text;
        const char *value; /* errors: how they begin */
    } rows[] = {
        {"x + 1", "8"},
        {"x / 2", "3.5"},
        {"x == '7'", "true"},
        {"typeof unset", "\"undefined\""},
        {"typeof missing", "\"undefined\""},
        {"missing", "!ReferenceError"},
        {"unset", "undefined"},
        {"list.length", "3"},
        {"list.map(function (n) { return n * 2; })", "[2,4,6]"},
        {"list.concat([4], 5).join('-')", "\"1-2-3-4-5\""},
        {"order['sku'].toUpperCase()", "\"A\""},
        {"({a: 1, b: undefined, c: [undefined]})", "{\"a\":1,\"c\":[null]}"},
        {"JSON.stringify(order)", "\"{\\\"sku\\\":\\\"a\\\"}\""},
        {"_event.name + _event.data[1].b", "\"go2\""},
        {"'sendid' in _event", "true"},
        {"_event.sendid", "undefined"},
        {"_event.data === _event.data", "true"},
        {"_name", "\"machine\""},
        {"typeof _sessionid", "\"undefined\""},
        {"In('a') && !In('c')", "true"},
        {"In('nowhere')", "!TypeError: there is no state"},
        {"'\xf0\x9f\x98\x80'.length", "2"},
        {"'\xf0\x9f\x98\x80'.charAt(0) + '\xf0\x9f\x98\x80'.charAt(1)", "\"\xf0\x9f\x98\x80\""},
        {"emoji.length", "2"},
        {"emoji + '!'", "\"\xf0\x9f\x98\x80!\""},
        {"9007199254740991", "9007199254740991"},
        {"1e300", "1e+300"},
        {"new Error('oops').message", "\"oops\""},
        {"Math.max(1, 2)", "2"},
        {"x;", "7"},
        {"x // a comment", "7"},
        {"/a[/]b/.test('a/b')", "true"},
        {"list.length / 3 / 1", "1"},
        {"doc.getElementsByTagName('b')[1].getAttribute('n')", "\"2\""},
        {"doc.documentElement.nodeName + doc.textContent", "\"atext\""},
        {"doc.getElementsByTagName('b')[0]", "{\"@xml\":\"<b n='1'/>\"}"},
    };
    struct bench bench;
    (void)state;
    begin(&bench, "{\"x\":7,\"list\":[1,2,3],\"order\":{\"sku\":\"a\"},"
                  "\"emoji\":\"\xf0\x9f\x98\x80\","
                  "\"doc\":{\"@xml\":\"<a><b n='1'/>text<b n='2'/></a>\"}}");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *value = shown(&bench, run(&bench, EXPR_VALUE, rows[i].text));
        if (rows[i].value[0] == '!' ? !starts_with(value, rows[i].value)
                                    : !span_is(span_from_text(value), rows[i].value))
            fail_msg("%s is %s, not %s", rows[i].text, value, rows[i].value);
    }
    end(&bench);
}

static void scripts_change_variables_and_nothing_else(void **state)
{
    static const struct {
        enum expr_form form;
        const char *text;
        const char *variables;
    } rows[] = {
        {EXPR_SCRIPT, "x = x + 1; y = {a: [x]};", "{\"x\":8,\"y\":{\"a\":[8]}}"},
        {EXPR_SCRIPT, "var z = 1, unset = 'set';",
         "{\"x\":8,\"y\":{\"a\":[8]},\"unset\":\"set\","
         "\"z\":1}"},
        {EXPR_SCRIPT, "y.a.push(9); delete this.z; unset = undefined",
         "{\"x\":8,\"y\":{\"a\":[8,9]}}"},
        {EXPR_VALUE, "x++", "{\"x\":9,\"y\":{\"a\":[8,9]}}"},
        {EXPR_CONDITION, "++x == 10", "{\"x\":9,\"y\":{\"a\":[8,9]}}"},
        {EXPR_PLACE, "y.a[0]", "{\"x\":9,\"y\":{\"a\":[null,9]}}"},
        {EXPR_SCRIPT, "y.a[0] = 1; throw 5", "{\"x\":9,\"y\":{\"a\":[1,9]}}"},
        {EXPR_SCRIPT, "Math = 1; Object.prototype.hack = 1; Array.prototype.push = 2;",
         "{\"x\":9,\"y\":{\"a\":[1,9]},\"Math\":1}"},
        {EXPR_SCRIPT, "delete this.Math", "{\"x\":9,\"y\":{\"a\":[1,9]}}"},
        {EXPR_SCRIPT, "y.toString = 1; y.hack = ({}).hack; x = [].push(1)",
         "{\"x\":1,\"y\":{\"a\":[1,9],\"toString\":1}}"},
        {EXPR_SCRIPT, "Object.defineProperty(this, 'stuck', {value: 1, enumerable: true})",
         "{\"x\":1,\"y\":{\"a\":[1,9],\"toString\":1},\"stuck\":1}"},
        {EXPR_SCRIPT, "delete this.stuck; Object.freeze(this)",
         "{\"x\":1,\"y\":{\"a\":[1,9],\"toString\":1}}"},
        {EXPR_SCRIPT, "fine = true",
         "{\"x\":1,\"y\":{\"a\":[1,9],\"toString\":1},\"fine\":true}"},
    };
    struct bench bench;
    (void)state;
    begin(&bench, "{\"x\":7}");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct value value = run(&bench, rows[i].form, rows[i].text);
        const char *variables = shown(&bench, bench.world.variables);
        if (!span_is(span_from_text(variables), rows[i].variables))
            fail_msg("%s: %s, not %s (%s)", rows[i].text, variables, rows[i].variables,
                     shown(&bench, value));
    }
    end(&bench);
}

static void functions_are_kept_by_their_text_as_long_as_it_is_all_there_is(void **state)
{
    static const char script[] = "function Point(x) { this.x = x; }\n"
                                 "twice = function (n) { return n * 2; };\n"
                                 "p = new Point(3);";
    struct bench bench;
    struct span message;
    (void)state;
    begin(&bench, "{}");
    assert_true(bench.language->check(bench.language->context, EXPR_SCRIPT,
                                      span_from_text(script), &bench.arena, &message));
    assert_string_equal(shown(&bench, run(&bench, EXPR_SCRIPT, script)), "null");
    assert_string_equal(
        shown(&bench, bench.world.variables),
        "{\"Point\":{\"@function\":\"function Point(x) { this.x = x; }\"},"
        "\"twice\":{\"@function\":\"function (n) { return n * 2; }\"},\"p\":{\"x\":3}}");
    assert_string_equal(shown(&bench, run(&bench, EXPR_VALUE, "twice(new Point(4).x)")), "8");
    end(&bench);
}

/* Whoever sends {"@function": …} sends data, and no function. */
static void functions_that_no_definition_has_are_data(void **state)
{
    struct bench bench;
    (void)state;
    begin(&bench, "{\"f\":{\"@function\":\"function () { return 1; }\"}}");
    assert_string_equal(shown(&bench, run(&bench, EXPR_VALUE, "typeof f")), "\"object\"");
    end(&bench);
}

static void what_no_value_can_hold_is_refused(void **state)
{
    static const char *const scripts[] = {
        "x = NaN",
        "x = 1 / 0",
        "x = []; x[0] = x",
        "x = (function () { return function () {}; })()",
        "x = Math.max",
        "x = /a/",
        "x = new Error('e')",
        "function F() {} F.prototype.m = function () {}; x = 1",
        "x = Object.create({inherited: 1})",
        "x = '\\ud83d'",
        "var nothing",
        "x = new Array(4294967295)",
        "x = 'a'; while (x.length < 2000000) x += x",
    };
    struct bench bench;
    (void)state;
    begin(&bench, "{\"x\":7}");
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        const char *value = shown(&bench, run(&bench, EXPR_SCRIPT, scripts[i]));
        if (value[0] != '!')
            fail_msg("%s is not refused", scripts[i]);
        assert_string_equal(shown(&bench, bench.world.variables), "{\"x\":7}");
    }
    end(&bench);
}

static void nothing_tells_the_time_throws_dice_or_runs_texts(void **state)
{
    static const char *const texts[] = {
        "new Date()",
        "Date.now()",
        "Math.random()",
        "performance.now()",
        "eval('1')",
        "new Function('return 1')()",
        "(function () {}).constructor('return 1')()",
        "Duktape.version",
        "new Proxy({}, {})",
        "Object.setPrototypeOf({}, null)",
        "_event = 1",
        "$il_tick()",
    };
    struct bench bench;
    (void)state;
    begin(&bench, "{}");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *value = shown(&bench, run(&bench, EXPR_VALUE, texts[i]));
        if (value[0] != '!')
            fail_msg("%s is %s", texts[i], value);
    }
    end(&bench);
}

/* … whatever ran before, so that who counts can count again. */
static void a_run_costs_what_its_turns_take(void **state)
{
    (void)state;
    static const char loop[] = "for (var i = 0; i < 1000; i++) x = 'text' + i";
    struct bench bench;
    uint64_t costs[3] = {0};
    begin(&bench, "{\"x\":1}");
    for (size_t i = 0; i < 3; i++) {
        bench.frame.cost = &costs[i];
        run(&bench, EXPR_SCRIPT, i == 2 ? "while (true);" : loop);
    }
    assert_true(costs[0] > 1000 && costs[0] < 100000);
    assert_int_equal(costs[0], costs[1]);
    assert_true(costs[2] > 2 * EXPRESSION_COST_MAX);
    end(&bench);
}

static void every_run_ends(void **state)
{
    static const char *const scripts[] = {
        "while (true);",
        "while (true) { try { while (true); } catch (e) {} }",
        "do {} while (true)",
        "for (;;);",
        "for (var i = 0; ; i++) x = i",
        "for (var i = 0; i >= 0; i++);",
        "function f() { return f() + f(); } f()",
        "var o = {get a() { return this.a + this.a; }}; o.a",
        "var o = {m(n) { return this.m(n) + this.m(n); }}; o.m(1)",
        "var a = new Array(200).join('-'); for (i in a) for (j in a) for (k in a) x = k",
        "var a = []; a.length = 4294967295; a.indexOf(1)",
        "[].concat.apply([], [new Array(4294967295)])",
        "Array.prototype.join.call({length: 4294967295})",
        "(function f() { try { f() } finally { f() } })()",
        "label: while (true) { continue label; }",
        "x = function () { 'use strict'; for (;;); }; x()",
        "var s = new Array(400001).join('long'); for (;;) x = s + x.length",
        "for (x = function () {};;) x = x.bind(null)",
        "/^(a+)+$/.test(a40)",
        "/(?:a|a)*$/.exec(a40)",
        "/(x+x+)+y/.test(a40.replace(/a/g, 'x'))",
        "/(?:[^\\u212a]+)+$/i.test(a40)",
        "/(?=(a+)+$)b/.test(a40)",
        "/(a+)+\\1$/.test(a40)",
        "/(a*)*$/.test(a40)",
        "/(?:\\u00e9+)+$/.test(new Array(41).join('\\u00e9') + '!')",
        "a40.replace(/(?:a+)+$/, '')",
        "a40.match(/(?:a+)+$/g)",
        "a40.match('(?:a+)+$')",
        "a40.search({toString: function () { return '(?:a+)+$'; }})",
        "a40.split(/(?:aa?)+b/)",
        "new RegExp('^(?:a+)+$', 'm').test(a40)",
        "var p = /(?:a+)+$/; Object.defineProperty(p, 'source', {value: 'a'}); p.test(a40)",
        "var p = /(?:a+)+$/g; p.lastIndex = {valueOf: function () { return 0; }}; p.test(a40)",
        "String = function () { return ''; }; /(?:a+)+$/.test(a40)",
        "new RegExp(new Array(4098).join('a'))",
        "for (;;) new RegExp('[\\\\u0000-\\\\uffff]', 'i')",
        "var t = new Array(2001).join('a|'); for (;;) RegExp(t)",
        "var t = new Array(500).join('a'); /a*a*a*a*a*a*b/.test(t)",
        "var t = new Array(100001).join('a'); for (;;) /a/.test(t)",
        "var t = new Array(1000001).join('9'); for (;;) parseInt(t)",
        "var t = new Array(1000001).join('9'); for (;;) parseFloat(t)",
        "var t = new Array(1000001).join(' '); for (;;) try { JSON.parse(t); } catch (e) {}",
        "var t = new Array(1000001).join('\\u00e9'); for (var i = 0;; i += 7) t.charCodeAt(i)",
        "var t = new Array(1000001).join('a'); for (;;) t.indexOf(a40)",
        "var t = new Array(1000001).join('a'); for (;;) t.lastIndexOf([a40])",
    };
    struct bench bench;
    (void)state;
    begin(&bench, "{\"x\":7,\"a40\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"}");
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        const char *value = shown(&bench, run(&bench, EXPR_SCRIPT, scripts[i]));
        if (value[0] != '!')
            fail_msg("%s is %s", scripts[i], value);
    }
    assert_string_equal(shown(&bench, run(&bench, EXPR_VALUE, "1 + 1")), "2");
    end(&bench);
}

static void patterns_and_texts_work_as_long_as_they_are_quick(void **state)
{
    static const struct {
        const char *text;
        const char *value;
    } rows[] = {
        {"/^[\\w.]+@\\w+\\.\\w+$/.test('ada@example.org')", "true"},
        {"/^(a+)+$/.test('aaaaaaaaaa')", "true"},
        {"'2024-02-03'.replace(/(\\d+)-(\\d+)-(\\d+)/, '$3.$2.$1')", "\"03.02.2024\""},
        {"'aXbx'.replace(/x/gi, function (m) { return m + '!'; })", "\"aX!bx!\""},
        {"'a, b ,c'.split(/\\s*,\\s*/)", "[\"a\",\"b\",\"c\"]"},
        {"'a1b22'.match(/\\d+/g)", "[\"1\",\"22\"]"},
        {"'a1b22'.match('[0-9]').index", "1"},
        {"'abc'.match(/x/)", "null"},
        {"'t\xc3\xa9st'.search(/s/)", "2"},
        {"'  x '.replace(/^\\s+|\\s+$/g, '')", "\"x\""},
        {"var_ = [], function (p, m) { while ((m = p.exec('a-b-c'))) var_.push(m.index);"
         " return var_; }(/\\w/g)",
         "[0,2,4]"},
        {"/(?=b)b(c)\\1/.exec('abcc')", "[\"bcc\",\"c\"]"},
        {"[/[]/.test('a'), /[^]/.test('\\n'), /[\\b]/.test('\\b'), /\\cA/.test('\\x01')]",
         "[false,true,true,true]"},
        {"/x{2,}|a{,2}|]|\\//.test('a{,2}')", "true"},
        {"/undefined/.test()", "true"},
        {"RegExp('A-?b', 'i').test('xa-B')", "true"},
        {"[String(new RegExp(/a/g)), String(new RegExp(/a/g, 'i')), String(RegExp())]",
         "[\"/a/g\",\"/a/i\",\"/(?:)/\"]"},
        {"[/a/ instanceof RegExp, new RegExp('a') instanceof RegExp, /a/.constructor === "
         "RegExp]",
         "[true,true,true]"},
        {"'a.b'.split('.')", "[\"a\",\"b\"]"},
        {"'ab'.split()", "[\"ab\"]"},
        {"'aba'.lastIndexOf('a')", "2"},
        {"'a\xc3\xa9'.charCodeAt(1)", "233"},
        {"'abc'.charAt(new Number(1))", "\"b\""},
        {"'abc'.substring(1)", "\"bc\""},
        {"parseInt('12px', 8)", "10"},
        {"parseFloat(' 1.5e3x')", "1500"},
        {"JSON.parse('[1,{\"a\":2}]', function (k, v) { return v === 2 ? 3 : v; })",
         "[1,{\"a\":3}]"},
        {"[5].join.call('ab', '-')", "\"a-b\""},
    };
    struct bench bench;
    (void)state;
    begin(&bench, "{\"x\":7,\"var_\":0}");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *value = shown(&bench, run(&bench, EXPR_VALUE, rows[i].text));
        if (strcmp(value, rows[i].value) != 0)
            fail_msg("%s is %s", rows[i].text, value);
    }
    end(&bench);
}

static void an_error_has_the_line_of_the_script_or_none(void **state)
{
    static const struct {
        const char *text;
        const char *error; /* how it begins */
    } rows[] = {
        {"x = 1;\nmissing()", "!line 2: ReferenceError"},
        {"x = 1;\n\nwhile (true);", "!line 3: RangeError: the script takes more than"},
        {"x = 1;\nFunction('x')", "!TypeError: functions are not made"},
        {"x = 1;\nx = NaN", "!TypeError"},
        {"x = 1;\nthrow 5", "!5"},
    };
    struct bench bench;
    (void)state;
    begin(&bench, "{\"x\":7}");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *value = shown(&bench, run(&bench, EXPR_SCRIPT, rows[i].text));
        if (!starts_with(value, rows[i].error))
            fail_msg("%s is %s", rows[i].text, value);
    }
    end(&bench);
}

/* No decision may depend on how much memory a heap had left. */
static void a_run_without_memory_is_as_if_the_arena_were_spent(void **state)
{
    struct bench bench;
    struct arena_guard guard;
    volatile bool is_spent = false;
    (void)state;
    begin(&bench, "{}");
    if (arena_is_spent(&bench.arena, &guard)) {
        is_spent = true;
    } else {
        run(&bench, EXPR_SCRIPT,
            "try { for (var a = ['x'];;) a.push(a.join()); } catch (e) { x = 1; }");
        arena_release_guard(&bench.arena, &guard);
    }
    assert_true(is_spent);
    arena_clear(&bench.arena);
    bench.world.variables = value_map(NULL, 0);
    bench.world.constants = value_map(NULL, 0);
    assert_string_equal(shown(&bench, run(&bench, EXPR_VALUE, "1 + 1")), "2");
    end(&bench);
}

static void what_can_only_fail_is_known_before(void **state)
{
    static const struct {
        enum expr_form form;
        const char *text;
        bool is_fine;
    } rows[] = {
        {EXPR_VALUE, "1 +", false},       {EXPR_VALUE, "1; 2", false},
        {EXPR_VALUE, "1) + (2", false},   {EXPR_VALUE, "", false},
        {EXPR_VALUE, "x = 1", true},      {EXPR_PLACE, "a.b[c(1)]", true},
        {EXPR_PLACE, "a = b", false},     {EXPR_PLACE, "1", false},
        {EXPR_SCRIPT, "return 1", false}, {EXPR_SCRIPT, "", true},
        {EXPR_SCRIPT, "'", false},        {EXPR_SCRIPT, "if (x) { y() } else z()", true},
    };
    struct bench bench;
    struct span message;
    (void)state;
    begin(&bench, "{}");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool is_fine =
            bench.language->check(bench.language->context, rows[i].form,
                                  span_from_text(rows[i].text), &bench.arena, &message);
        if (is_fine != rows[i].is_fine)
            fail_msg("%s: %.*s", rows[i].text, SPAN_ARGS(message));
    }
    end(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expressions_have_the_value_that_they_have_in_ecmascript),
        cmocka_unit_test(scripts_change_variables_and_nothing_else),
        cmocka_unit_test(functions_are_kept_by_their_text_as_long_as_it_is_all_there_is),
        cmocka_unit_test(functions_that_no_definition_has_are_data),
        cmocka_unit_test(what_no_value_can_hold_is_refused),
        cmocka_unit_test(nothing_tells_the_time_throws_dice_or_runs_texts),
        cmocka_unit_test(a_run_costs_what_its_turns_take),
        cmocka_unit_test(every_run_ends),
        cmocka_unit_test(patterns_and_texts_work_as_long_as_they_are_quick),
        cmocka_unit_test(an_error_has_the_line_of_the_script_or_none),
        cmocka_unit_test(a_run_without_memory_is_as_if_the_arena_were_spent),
        cmocka_unit_test(what_can_only_fail_is_known_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
