/*
 * test_script_text.c - what is inserted into a text, and what words alone do not tell.
 */
#include "script/script_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ARENA_BYTES = 1 << 20 };

static void loops_and_calls_are_counted(void **state)
{
    static const struct {
        const char *text;
        const char *code; /* NULL: refused */
    } rows[] = {
        {"while (a) b;", "while ($il_tick()&&(a)) b;"},
        {"do { b } while (a, c)", "do { b } while ($il_tick()&&(a, c))"},
        {"for (;;) b", "for (;$il_tick();) b"},
        {"for (var i = 0; i < 3; i++) b", "for (var i = 0; $il_tick()&&(i < 3); i++) b"},
        {"for (var i = ('a' in b); i;) c", "for (var i = ('a' in b); $il_tick()&&(i);) c"},
        {"for (k in a, b) c", "for (k in $il_each( a, b)) c"},
        {"(function () {'use strict'; a})",
         "(($il_keep(function () {'use strict';; "
         "$il_tick();a},\"function () {'use strict'; a}\")))"},
        {"function f() { return 1 }", "$il_keep(f,\"function f() { return 1 }\");function f() "
                                      "{ $il_tick();return 1 }"},
        {"'use strict'; function f() {}",
         "'use strict';; $il_keep(f,\"function f() {}\");function f() {$il_tick();}"},
        {"x = {m() { a }, get b() { c }}",
         "x = {m() { $il_tick();a }, get b() { $il_tick();c }}"},
        {"a.while (b); a.function (c)", "a.while (b); a.function (c)"},
        {"x = {while: 1, function: 2}", "x = {while: 1, function: 2}"},
        {"x = 'while (a)' // while (b)\n/* for (;;) */", "x = 'while (a)' // while (b)\n/* for "
                                                         "(;;) */"},
        {"x = a / b / c", "x = a / b / c"},
        {"if (a) /while (b)/.test(c)", "if (a) /while (b)/.test(c)"},
        {"x = /[/]while (b)/", "x = /[/]while (b)/"},
        {"while\xc2\xa0(a);", "while\xc2\xa0($il_tick()&&(a));"},
        {"// a\xe2\x80\xa8while (a);", "// a\xe2\x80\xa8while ($il_tick()&&(a));"},
        {"if (a) {} else if (b) {} switch (c) {}", "if (a) {} else if (b) {} switch (c) {}"},
        {"try {} catch (e) { f = function () {} }",
         "try {} catch (e) { f = function () {$il_tick();} }"},
        {"function f() { return function () {} }",
         "$il_keep(f,\"function f() { return function () {} }\");function f() { "
         "$il_tick();return function () {$il_tick();} }"},
        {"{} / a", NULL},
        {"<!-- a", NULL},
        {"a\n--> b", NULL},
        {"\\u0077hile (a);", NULL},
        {"$il_x", NULL},
        {"(a]", NULL},
        {"((a)", NULL},
        {"'a\n'", NULL},
        {"/* a", NULL},
    };
    struct arena arena;
    (void)state;
    arena_open(&arena, ARENA_BYTES);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct script_text ready =
            script_text_prepare(EXPR_SCRIPT, span_from_text(rows[i].text), &arena);
        bool is_as_expected =
            rows[i].code == NULL ? ready.problem.size > 0 : span_is(ready.code, rows[i].code);
        if (!is_as_expected)
            fail_msg("%s: %.*s%.*s", rows[i].text, SPAN_ARGS(ready.code),
                     SPAN_ARGS(ready.problem));
    }
    arena_close(&arena);
}

static void it_is_known_what_cannot_change_anything(void **state)
{
    static const struct {
        const char *text;
        bool may_change;
    } rows[] = {
        {"a == b && c.d[1] !== e", false},
        {"a <= b", false},
        {"In('a')", false},
        {"(a + b) * -c", false},
        {"a = b", true},
        {"a += b", true},
        {"a <<= b", true},
        {"a++", true},
        {"f()", true},
        {"a[0](1)", true},
        {"delete a", true},
        {"new F", true},
        {"(a)(b)", true},
    };
    struct arena arena;
    (void)state;
    arena_open(&arena, ARENA_BYTES);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct script_text ready =
            script_text_prepare(EXPR_VALUE, span_from_text(rows[i].text), &arena);
        if (ready.may_change != rows[i].may_change)
            fail_msg("%s", rows[i].text);
    }
    arena_close(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loops_and_calls_are_counted),
        cmocka_unit_test(it_is_known_what_cannot_change_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
