/*
 * Expressions as a program outside uses them.
 */
#include <interlock.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char told[512];

static void remember(void *context, const il_diagnostic *diagnostic)
{
    (void)context;
    snprintf(told, sizeof told, "%s:%u:%u %s %s%s%s", diagnostic->file, diagnostic->line,
             diagnostic->column, diagnostic->code, diagnostic->message,
             diagnostic->help == NULL ? "" : " | ",
             diagnostic->help == NULL ? "" : diagnostic->help);
}

static const char order_names[] =
    "{\"order\":{\"type\":\"object\",\"properties\":{\"total\":{\"type\":\"number\"},"
    "\"status\":{\"enum\":[\"open\",\"paid\"]}},\"additionalProperties\":false},"
    "\"limit\":\"double\",\"any\":null}";

static il_expr *compile(const char *text)
{
    il_expr *expression = NULL;
    told[0] = '\0';
    il_status status =
        il_expr_compile(text, strlen(text), order_names, remember, NULL, &expression);
    if (status != IL_OK)
        fail_msg("%s: %s", text, told);
    return expression;
}

static il_expr_row *open_row(const il_expr *expression)
{
    il_expr_row *row = NULL;
    assert_int_equal(il_expr_row_open(expression, NULL, 0, &row), IL_OK);
    return row;
}

static void an_expression_is_compiled_once_and_evaluated_often(void **state)
{
    (void)state;
    il_expr *expression = compile("order.total > limit ? 'big' : 'small'");
    il_expr_row *row = open_row(expression);
    static const struct {
        const char *values;
        const char *result;
    } rows[] = {
        {"{\"order\":{\"total\":3},\"limit\":2}", "\"big\""},
        {"{\"order\":{\"total\":1.5},\"limit\":2.5,\"other\":[]}", "\"small\""},
    };
    assert_string_equal(il_expr_type(expression), "string");
    assert_int_equal(il_expr_name_count(expression), 3);
    assert_true(il_expr_uses(expression, 0));
    assert_false(il_expr_uses(expression, 2));
    for (size_t round = 0; round < 1000; round++) {
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            const char *result = NULL;
            assert_int_equal(il_expr_row_set(row, rows[i].values), IL_OK);
            assert_int_equal(il_expr_eval(expression, row, &result), IL_OK);
            assert_string_equal(result, rows[i].result);
        }
    }
    il_expr_row_close(row);
    il_expr_close(expression);
}

static void what_is_wrong_with_it_is_told_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *names;
        const char *told;
    } rows[] = {
        {"1 +", NULL,
         "expression:1:4 IL0105 the expression ends where an expression should follow"},
        {"order.totl > 1", order_names,
         "expression:1:7 IL0503 there is no field 'totl' | did you mean 'total'?"},
        {"limit + 'a'", order_names, "expression:1:7 IL0503 no such overload: double + string"},
        {"lmit", order_names,
         "expression:1:1 IL0105 unknown name 'lmit' | did you mean 'limit'?"},
        {"1", "{\"a\":\"itn\"", "names:1:11 IL0101 "},
        {"1", "{\"a\":{\"typ\":1}}",
         "names:1:7 IL0102 unknown key `typ` in a schema | did you mean 'type'?"},
        {"1", "[]", "names:1:1 IL0104 the names are a map, not a list"},
        {"1", "{\"a\":\"list(\"}", "names:1:6 IL0104 `list(` is no type"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        il_expr *expression = NULL;
        told[0] = '\0';
        assert_int_equal(il_expr_compile(rows[i].text, strlen(rows[i].text), rows[i].names,
                                         remember, NULL, &expression),
                         IL_INVALID);
        assert_null(expression);
        if (strncmp(told, rows[i].told, strlen(rows[i].told)) != 0)
            fail_msg("%s: %s", rows[i].text, told);
    }
    il_expr *warned = compile("order.status == 'payed'");
    assert_string_equal(told,
                        "expression:1:17 IL0503 it is never \"payed\" | did you mean 'paid'?");
    il_expr_close(warned);
}

static void values_must_fit_their_schema(void **state)
{
    (void)state;
    il_expr *expression = compile("order");
    il_expr_row *row = open_row(expression);
    static const struct {
        const char *values;
        const char *problem;
    } rows[] = {
        {"{\"order\":{\"total\":\"3\"}}", "order/total is not a number"},
        {"{\"order\":{\"totl\":3}}", "order/totl is not known here; did you mean 'total'?"},
        {"{\"order\":3}", "order is not an object"},
        {"[]", "the values are an object with a member for each name"},
        {"{", "not JSON: "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(il_expr_row_set(row, rows[i].values), IL_INVALID);
        assert_int_equal(
            strncmp(il_expr_row_problem(row), rows[i].problem, strlen(rows[i].problem)), 0);
    }
    const char *result = NULL;
    assert_int_equal(il_expr_row_set(row, "{\"order\":{\"total\":3}}"), IL_OK);
    assert_int_equal(il_expr_eval(expression, row, &result), IL_OK);
    assert_string_equal(result, "{\"total\":3.0}");
    il_expr_row_close(row);
    il_expr_close(expression);
}

static void values_are_set_one_by_one_too(void **state)
{
    (void)state;
    il_expr *expression = compile("[limit, any]");
    il_expr_row *row = open_row(expression);
    const char *result = NULL;
    assert_int_equal(il_expr_eval(expression, row, &result), IL_INVALID);
    assert_string_equal(il_expr_row_problem(row), "no such attribute: limit");
    assert_int_equal(il_expr_row_set_int(row, 1, 2), IL_OK);
    assert_int_equal(il_expr_row_set_null(row, 2), IL_OK);
    assert_int_equal(il_expr_eval(expression, row, &result), IL_OK);
    assert_string_equal(result, "[2.0,null]");
    assert_int_equal(il_expr_row_set_double(row, 1, 2.5), IL_OK);
    assert_int_equal(il_expr_row_set_bool(row, 2, true), IL_OK);
    assert_int_equal(il_expr_eval(expression, row, &result), IL_OK);
    assert_string_equal(result, "[2.5,true]");
    assert_int_equal(il_expr_row_set_text(row, 2, "é", 2), IL_OK);
    assert_int_equal(il_expr_row_set_json(row, 1, "1e3"), IL_OK);
    assert_int_equal(il_expr_eval(expression, row, &result), IL_OK);
    assert_string_equal(result, "[1000.0,\"é\"]");
    assert_int_equal(il_expr_row_set_text(row, 2, "\xff", 1), IL_INVALID);
    assert_int_equal(il_expr_row_set_int(row, 3, 1), IL_MISUSE);
    assert_int_equal(il_expr_row_set_int(NULL, 0, 1), IL_MISUSE);
    il_expr_row_close(row);
    il_expr_close(expression);
}

static void conditions_hold_or_do_not(void **state)
{
    (void)state;
    il_expr *big = compile("limit > 10.0");
    il_expr *fails = compile("order.total > 1");
    il_expr *no_bool = compile("any");
    il_expr_row *row = open_row(big);
    bool holds = false;
    assert_int_equal(il_expr_row_set(row, "{\"limit\":11,\"any\":1,\"order\":{}}"), IL_OK);
    assert_int_equal(il_expr_holds(big, row, &holds), IL_OK);
    assert_true(holds);
    assert_int_equal(il_expr_holds(fails, row, &holds), IL_INVALID);
    assert_false(holds);
    assert_string_equal(il_expr_row_problem(row), "no such key: 'total'");
    assert_int_equal(il_expr_holds(no_bool, row, &holds), IL_INVALID);
    assert_string_equal(il_expr_row_problem(row), "the value is no bool, but of the type int");
    il_expr_row_close(row);
    il_expr_close(big);
    il_expr_close(fails);
    il_expr_close(no_bool);
}

static void a_row_is_for_its_names_alone(void **state)
{
    (void)state;
    il_expr *expression = compile("limit");
    il_expr *other = NULL;
    const char *result = NULL;
    assert_int_equal(
        il_expr_compile("b", 1, "{\"a\":null,\"b\":null,\"c\":null}", NULL, NULL, &other),
        IL_OK);
    il_expr_row *row = open_row(expression);
    assert_int_equal(il_expr_eval(other, row, &result), IL_CONFLICT);
    il_expr_row_close(row);
    il_expr_close(expression);
    il_expr_close(other);
}

static void memory_is_the_callers_and_its_end_is_told(void **state)
{
    (void)state;
    static char memory[8192];
    il_expr *expression = compile("[any, any, any].map(x, [x, x, x])");
    il_expr_row *row = NULL;
    const char *result = NULL;
    assert_int_equal(il_expr_row_open(expression, memory, 64, &row), IL_NO_SPACE);
    for (size_t bytes = 700; bytes < sizeof memory; bytes += 37) {
        if (il_expr_row_open(expression, memory, bytes, &row) != IL_OK)
            continue;
        il_status status = il_expr_row_set(row, "{\"any\":[1,2,3,4,\"abcdefghijklmnop\\n\"]}");
        assert_true(status == IL_OK || status == IL_NO_SPACE);
        status = il_expr_eval(expression, row, &result);
        if (status != IL_OK)
            assert_true(il_expr_row_problem(row)[0] != '\0');
        il_expr_row_close(row);
    }
    assert_int_equal(il_expr_row_open(expression, memory, sizeof memory, &row), IL_OK);
    assert_int_equal(il_expr_row_set(row, "{\"any\":1}"), IL_OK);
    assert_int_equal(il_expr_eval(expression, row, &result), IL_OK);
    assert_string_equal(result, "[[1,1,1],[1,1,1],[1,1,1]]");
    il_expr_close(expression);
}

static void wrong_use_does_nothing(void **state)
{
    (void)state;
    il_expr *expression = NULL;
    il_expr_row *row = NULL;
    bool holds = false;
    const char *result = NULL;
    assert_int_equal(il_expr_compile(NULL, 0, NULL, NULL, NULL, &expression), IL_MISUSE);
    assert_int_equal(il_expr_compile("1", 1, NULL, NULL, NULL, NULL), IL_MISUSE);
    assert_int_equal(il_expr_row_open(NULL, NULL, 0, &row), IL_MISUSE);
    assert_int_equal(il_expr_eval(NULL, NULL, &result), IL_MISUSE);
    assert_int_equal(il_expr_holds(NULL, NULL, &holds), IL_MISUSE);
    assert_int_equal(il_expr_row_set(NULL, "{}"), IL_MISUSE);
    assert_null(il_expr_type(NULL));
    assert_string_equal(il_expr_row_problem(NULL), "");
    il_expr_row_clear(NULL);
    il_expr_row_close(NULL);
    il_expr_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_expression_is_compiled_once_and_evaluated_often),
        cmocka_unit_test(what_is_wrong_with_it_is_told_with_its_place),
        cmocka_unit_test(values_must_fit_their_schema),
        cmocka_unit_test(values_are_set_one_by_one_too),
        cmocka_unit_test(conditions_hold_or_do_not),
        cmocka_unit_test(a_row_is_for_its_names_alone),
        cmocka_unit_test(memory_is_the_callers_and_its_end_is_told),
        cmocka_unit_test(wrong_use_does_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
