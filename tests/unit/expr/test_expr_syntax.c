/*
 * test_expr_syntax.c - what is an expression, what is not, and where the mistake is.
 */
#include <stdio.h>

#include "expr_fixture.h"

static void literals_stand_for_their_values(void **state)
{
    static const struct fixture_row rows[] = {
        {"1", "1"},
        {"0x1F", "31"},
        {"-0x10", "-16"},
        {"7u", "7u"},
        {"0xFFu", "255u"},
        {"9223372036854775807", "9223372036854775807"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"18446744073709551615u", "18446744073709551615u"},
        {"1.5", "1.5"},
        {".5", "0.5"},
        {"1e3", "1000.0"},
        {"2.5E-1", "0.25"},
        {"true", "true"},
        {"null", "null"},
        {"''", "\"\""},
        {"\"it's\"", "\"it's\""},
        {"'\\n\\t\\\\\\''", "\"\\n\\t\\\\'\""},
        {"'\\x41\\101\\u0041\\U00000041'", "\"AAAA\""},
        {"'\\U0001f431'", "\"🐱\""},
        {"r'\\n'", "\"\\\\n\""},
        {"'''two\nlines'''", "\"two\\nlines\""},
        {"\"\"\"a\"b\"\"\"", "\"a\\\"b\""},
        {"b'\\x41B'", "b\"AB\""},
        {"bR'\\x'", "b\"\\x\""},
        {"[1, 2,]", "[1,2]"},
        {"{'a': 1,}", "{\"a\":1}"},
        {"{}", "{}"},
        {" // all of it\n 3 // three", "3"},
    };
    (void)state;
    fixture_check(rows);
}

static void operators_group_as_the_language_says(void **state)
{
    static const struct fixture_row rows[] = {
        {"1 + 2 * 3", "7"},
        {"(1 + 2) * 3", "9"},
        {"10 - 3 - 2", "5"},
        {"100 / 10 / 5", "2"},
        {"7 % 4 * 2", "6"},
        {"-2 - -3", "1"},
        {"- 2", "-2"},
        {"!!true", "true"},
        {"1 < 2 == true", "true"},
        {"true || false && false", "true"},
        {"false ? 1 : true ? 2 : 3", "2"},
        {"1 + 1 == 2 && 2 in [1, 2] ? 'y' : 'n'", "\"y\""},
        {"[1, 2, 3][1] + {'a': [5]}.a[0]", "7"},
        {"[[1]].map(x, x[0])[0]", "1"},
        {"context.`a b`", "1"},
        {"{'if': 1}.if", "1"},
    };
    (void)state;
    fixture_check(rows);
}

static void mistakes_are_told_at_their_column(void **state)
{
    static const struct fixture_row rows[] = {
        {"", "?1:1 the expression ends where an expression should follow"},
        {"1 +", "?1:4 the expression ends where an expression should follow"},
        {"1 + * 2", "?1:5 expected an expression, not '*'"},
        {"1 2", "?1:3 expected an operator or the end, not '2'"},
        {"(1", "?1:3 the expression ends where ')' should follow"},
        {"[1, 2", "?1:6 the expression ends where ',' or ']' should follow"},
        {"[1 2]", "?1:4 expected ',' or ']', not '2'"},
        {"{1 2}", "?1:4 expected ':', not '2'"},
        {"{1: 2", "?1:6 the expression ends where ',' or '}' should follow"},
        {"size(1", "?1:7 the expression ends where ',' or ')' should follow"},
        {"size(1,)", "?1:8 expected an expression, not ')'"},
        {"x.", "?1:3 the expression ends where a name should follow"},
        {"x.1", "?1:2 expected an operator or the end, not '.1'"},
        {"true ? 1", "?1:9 the expression ends where ':' should follow"},
        {"x = 1", "?1:3 '=' is not an operator; equality is '=='"},
        {"x & 1", "?1:3 logical operators are '&&' and '||'"},
        {"x # 1", "?1:3 no expression has this character outside of a string"},
        {"'abc", "?1:1 this string is not closed"},
        {"'ab\nc'", "?1:1 this string is not closed on its line"},
        {"'ä' + 'a\\qb'", "?1:9 no such escape; a backslash is written '\\\\'"},
        {"'\\x4'", "?1:2 this escape needs more digits"},
        {"'\\ud800'", "?1:2 no character has this code"},
        {"'\\400'", "?1:2 no such escape; a backslash is written '\\\\'"},
        {"b'\\u0041'", "?1:3 bytes have no \\u escapes; use \\x"},
        {"12abc", "?1:1 this is neither a number nor a name"},
        {"9223372036854775808", "?1:1 this number does not fit an int of 64 bits"},
        {"-9223372036854775809", "?1:2 this number does not fit an int of 64 bits"},
        {"18446744073709551616u", "?1:1 this number does not fit a uint of 64 bits"},
        {"1e999", "?1:1 this number does not fit a double"},
        {"while", "?1:1 'while' is a reserved word of the language and no name"},
        {"context.`a$b`", "?1:9 a quoted name holds letters, digits, '_', '.', '-', '/' and "
                          "blanks, and ends with a backtick"},
        {"a.B{c: 1}",
         "?1:3 there are no messages here: 'a.B{…}' (write a map: {'field': value})"},
        {"true &&\n  1 +", "?2:6 the expression ends where an expression should follow"},
    };
    (void)state;
    fixture_check(rows);
}

static void unknown_names_are_told_with_a_suggestion(void **state)
{
    static const struct fixture_row rows[] = {
        {"contxt.total", "?1:1 unknown name 'contxt' (did you mean 'context'?)"},
        {"1 + evnt", "?1:5 unknown name 'evnt' (did you mean 'event'?)"},
        {"[1].all(item, itm > 0)", "?1:15 unknown name 'itm' (did you mean 'item'?)"},
        {"quux", "?1:1 unknown name 'quux'"},
        {"sizes(x)", "?1:1 unknown function 'sizes' (did you mean 'size'?)"},
        {"x.startWith('a')", "?1:3 unknown function 'startWith' (did you mean 'startsWith'?)"},
        {"Inn('a')", "?1:1 unknown function 'Inn' (did you mean 'In'?)"},
        {"size()", "?1:1 size() takes 1 argument, not 0"},
        {"x.size(1)", "?1:3 size() takes 0 arguments, not 1"},
        {"In('a', 'b')", "?1:1 In() takes 1 argument, not 2"},
        {"now.getDate(1, 2)", "?1:5 getDate() takes at most 1 argument, not 2"},
        {"has(context)", "?1:5 has() asks for a member, as in has(a.b)"},
        {"[1].all(1, true)", "?1:9 a macro's variable is a simple name"},
        {"[1].all(a, a, true)", "?1:12 the two variables have the same name"},
    };
    (void)state;
    fixture_check(rows);
}

/* Columns of what is told. */
static const char *columns_of(const struct fixture *fixture)
{
    static char columns[64];
    size_t size = 0;
    columns[0] = '\0';
    for (const struct diagnostic *d = fixture->diagnostics.first; d != NULL; d = d->next)
        size += (size_t)snprintf(columns + size, sizeof columns - size, "%s%u",
                                 size == 0 ? "" : " ", d->place.column);
    return columns;
}

static void several_mistakes_are_found_in_one_pass(void **state)
{
    static const struct {
        const char *expression;
        const char *columns;
    } rows[] = {
        {"[1 +, 2 *, 3]", "5 10"},
        {"size(1 +) + size(* 2)", "9 18"},
        {"foo + bar + size()", "1 7 13"},
        {"{'a': 1 +, 'b': [2 2], 'c': 'x\\q'}", "10 20 31"},
        {"'\\q' + '\\q'", "2 9"},
        {"((((", "5"},
        /* beyond && and ||, also at the top */
        {"1 + * 2 && true || 3 *", "5 23"},
        {"1 + && * 2 || 3 3 && 4 5", "5 8 17 24"},
        {"(1 2) && (3 4)", "4 13"},
        {"[1 2][0 0] == 3 &&", "4 9 19"},
        {"size(1 2 && 3, 4 4) == 5 5", "8 18 26"},
        {"x.1 && x.2", "2 9"},
        {"true ? 1 2 : 3 || 4 4", "10 21"},
        {"while && for", "1 10"},
        {"x = 1 && x = 2", "3 12"},
        {"'abc", "1"},
        /* and nothing is told twice */
        {"1 + , 2", "5"},
        {"1 + )", "5"},
        {"f([1, 2)", "8"},
        {"[1, 2)", "6"},
        {"[(1 && 2]", "9"},
        {"(1, 2)", "3"},
        {"{1: 2 3, 4 5}", "7 12"},
    };
    (void)state;
    unsigned wrong = 0;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture *fixture = fixture_get();
        assert_null(fixture_compile(fixture, span_from_text(rows[i].expression)));
        if (strcmp(columns_of(fixture), rows[i].columns) == 0)
            continue;
        print_error("%s: %s, expected %s\n", rows[i].expression, columns_of(fixture),
                    rows[i].columns);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

static void places_count_from_where_the_expression_stands(void **state)
{
    struct fixture *fixture = fixture_get();
    struct place place = {SPAN("order.yaml"), 12, 30};
    (void)state;
    assert_null(expr_compile(SPAN("'é' + nope"), place, &fixture_scope, &fixture->arena,
                             &fixture->diagnostics));
    assert_int_equal(fixture->diagnostics.first->place.line, 12);
    assert_int_equal(fixture->diagnostics.first->place.column, 36);
    assert_true(span_is(fixture->diagnostics.first->code, "IL0105"));
}

static void the_end_of_an_expression_is_found_behind_its_braces(void **state)
{
    static const struct {
        const char *text;
        size_t end;
    } rows[] = {
        {"a}", 1},
        {"a", SIZE_MAX},
        {"{'a': 1}.a} rest", 10},
        {"'}' + \"}\"} rest", 9},
        {"'''}''' + r'\\'}", 14},
        {"a // }\n}", 7},
        {"'open}", SIZE_MAX},
        {"}", 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(expr_find_end(span_from_text(rows[i].text), 0), rows[i].end);
    assert_int_equal(expr_find_end(SPAN("${a}"), 2), 3);
}

static void a_program_is_written_back_in_its_normal_form(void **state)
{
    static const struct fixture_row rows[] = {
        {"(1+2)*3", "(1 + 2) * 3"},
        {"((1*2))+3", "1 * 2 + 3"},
        {"1-(2-3)", "1 - (2 - 3)"},
        {"( true||false )&&x", "(true || false) && x"},
        {"x?1:(x?2:3)", "x ? 1 : x ? 2 : 3"},
        {"(x?1:2)?3:4", "(x ? 1 : 2) ? 3 : 4"},
        {"!(x&&x)", "!(x && x)"},
        {"-(1)", "-(1)"},
        {"-1", "-1"},
        {"-(1).size()", "-(1.size())"},
        {"context.`in`", "context.`in`"},
        {"context.`a b`[0].?c", "context.`a b`[0].?c"},
        {"has( context.a )", "has(context.a)"},
        {"[1,?x,2u,b'a']", "[1, ?x, 2u, b'\\x61']"},
        {"{'a':1,?'b':x}", "{\"a\": 1, ?\"b\": x}"},
        {"x.filter(i,i>1)", "x.filter(i, i > 1)"},
        {"x.map(i,i>1,i)", "x.filter(i, i > 1)"},
        {"x.map(i,i>1,i+1)", "x.map(i, i > 1, i + 1)"},
        {"x.all(k,v,k!=v)", "x.all(k, v, k != v)"},
        {"cel.bind(a,1,a+a)", "cel.bind(a, 1, a + a)"},
        {"x.optMap(a,a)", "x.optMap(a, a)"},
        {"x.size()+size('a')", "x.size() + size(\"a\")"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture *fixture = fixture_get();
        struct text text;
        text_init(&text, &fixture->arena);
        const struct expr_program *program =
            fixture_compile(fixture, span_from_text(rows[i].expression));
        assert_non_null(program);
        expr_write(&text, program);
        text_add_byte(&text, '\0');
        assert_string_equal(text.bytes, rows[i].answer);
        assert_non_null(fixture_compile(fixture, span_from_text(text.bytes)));
    }
}

static void a_program_knows_what_it_reads(void **state)
{
    struct fixture *fixture = fixture_get();
    const struct expr_program *program =
        fixture_compile(fixture, SPAN("context.total > 1 && [1].all(event, event > 0)"));
    (void)state;
    assert_true(expr_uses(program, SLOT_CONTEXT));
    assert_false(expr_uses(program, SLOT_EVENT));
    assert_false(expr_uses(program, SLOT_NOW));
    assert_int_equal(expr_next_use(program, 0), SLOT_CONTEXT);
    assert_int_equal(expr_next_use(program, SLOT_CONTEXT + 1), UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_stand_for_their_values),
        cmocka_unit_test(operators_group_as_the_language_says),
        cmocka_unit_test(mistakes_are_told_at_their_column),
        cmocka_unit_test(unknown_names_are_told_with_a_suggestion),
        cmocka_unit_test(several_mistakes_are_found_in_one_pass),
        cmocka_unit_test(places_count_from_where_the_expression_stands),
        cmocka_unit_test(the_end_of_an_expression_is_found_behind_its_braces),
        cmocka_unit_test(a_program_is_written_back_in_its_normal_form),
        cmocka_unit_test(a_program_knows_what_it_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
