/*
 * The checker: what it finds out, what it complains about, and what it keeps quiet about.
 *
 * A row says the type, or the first finding as "!column message" (an error) or "~column
 * message" (a warning), with its help behind " | ".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/json.h"
#include "expr/builtin.h"
#include "expr/expr.h"
#include "expr/signature.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { ARENA_BYTES = 8 << 20 };

static char memory[ARENA_BYTES];

static const char *const order_fields[] = {"status", "total", "paid", "items"};

/* o: a closed record; e: an open one; d: nothing known; the rest is as it is called. */
static const struct type *declare(struct arena *arena, bool is_open)
{
    static struct value words[2];
    struct type_field *fields = arena_new_array(arena, COUNT(order_fields), struct type_field);
    words[0] = value_string(SPAN("open"));
    words[1] = value_string(SPAN("shipped"));
    const struct type *types[] = {
        type_enumeration(arena, type_simple(TYPE_STRING), words, 2),
        type_simple(TYPE_DOUBLE),
        type_simple(TYPE_BOOL),
        type_list(arena, type_read(arena, SPAN("map(string, int)"))),
    };
    for (size_t i = 0; i < COUNT(order_fields); i++)
        fields[i] = (struct type_field){span_from_text(order_fields[i]), types[i]};
    return type_record(arena, fields, COUNT(order_fields), is_open);
}

static const char *check(const char *expression)
{
    static const struct span names[] = {{"o", 1}, {"e", 1}, {"d", 1}, {"n", 1}, {"s", 1}};
    struct arena arena;
    struct diagnostics diagnostics;
    struct text text;
    arena_init(&arena, memory, sizeof memory);
    diagnostics_init(&diagnostics, &arena);
    const struct type *types[] = {declare(&arena, false), declare(&arena, true), NULL,
                                  type_simple(TYPE_INT), type_simple(TYPE_STRING)};
    struct expr_scope scope = {
        .variables = names, .variable_count = COUNT(names), .types = types};
    const struct type *type =
        expr_type_of(span_from_text(expression), (struct place){SPAN(""), 1, 1}, &scope, &arena,
                     &diagnostics);
    text_init(&text, &arena);
    if (diagnostics.first == NULL) {
        type_write(&text, type);
        return text_span(&text).text;
    }
    const struct diagnostic *first = diagnostics.first;
    text_format(&text, "%c%u %.*s", first->severity == SEVERITY_ERROR ? '!' : '~',
                first->place.column, SPAN_ARGS(first->message));
    if (first->help.size > 0)
        text_format(&text, " | %.*s", SPAN_ARGS(first->help));
    return text_span(&text).text;
}

struct row {
    const char *expression;
    const char *expected;
};

static void check_rows(const struct row *rows, size_t count)
{
    unsigned wrong = 0;
    for (size_t i = 0; i < count; i++) {
        const char *found = check(rows[i].expression);
        if (strcmp(found, rows[i].expected) == 0)
            continue;
        print_error("%s: %s, expected %s\n", rows[i].expression, found, rows[i].expected);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

static void types_are_found(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"1 + 2", "int"},
        {"1u", "uint"},
        {"-1.5", "double"},
        {"n > 0 && s == 'a'", "bool"},
        {"[1, 2]", "list(int)"},
        {"[1, 'a']", "list(dyn)"},
        {"[]", "list(dyn)"},
        {"[] + [1]", "list(int)"},
        {"[[], [1]]", "list(list(int))"},
        {"{'a': [1u]}", "map(string, list(uint))"},
        {"{}", "map(dyn, dyn)"},
        {"null", "null_type"},
        {"type(1)", "type(int)"},
        {"int", "type(int)"},
        {"timestamp('2020-01-01T00:00:00Z') - duration('1s')", "timestamp"},
        {"o.items[0]['a']", "int"},
        {"o.items.map(i, i.a)", "list(int)"},
        {"o.items.filter(i, i.a > 1)", "list(map(string, int))"},
        {"[1, 2].map(x, [x])", "list(list(int))"},
        {"{'a': 1}.map(k, k)", "list(string)"},
        {"{'a': 1.5}.transformList(k, v, v)", "list(double)"},
        {"[1].transformMap(i, v, string(v))", "map(int, string)"},
        {"o.?status", "optional_type(string)"},
        {"o.?items[0].a", "optional_type(int)"},
        {"o.?status.orValue('x')", "string"},
        {"optional.none()", "optional_type(dyn)"},
        {"optional.none().or(optional.of(1))", "optional_type(int)"},
        {"o.?total.optMap(t, string(t))", "optional_type(string)"},
        {"[?o.?total, 1.0]", "list(double)"},
        {"cel.bind(x, [n], x + [2])", "list(int)"},
        {"n > 1 ? [1] : []", "list(int)"},
        {"n > 1 ? 1 : 'a'", "dyn"},
        {"dyn(1) + 2", "int"},
        {"d.a.b[0].c", "dyn"},
        {"d + 1", "int"},
        {"d ? 1 : 2", "int"},
        {"o.total == 3", "bool"},
        {"o.total > 3", "bool"},
        {"o['total']", "double"},
        {"e.whatever", "dyn"},
        {"has(o.paid)", "bool"},
        {"cel.bind(r, n > 1 ? o : e, r.whatever)", "dyn"},
    };
    check_rows(rows, COUNT(rows));
}

static void what_can_only_fail_is_an_error(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"'a' + 1", "!5 no such overload: string + int"},
        {"o.total * n", "!9 no such overload: double * int | arithmetic does not mix kinds of "
                        "numbers: convert "
                        "one, as in double(x)"},
        {"-s", "!1 no such overload: -string"},
        {"!n", "!2 what stands behind '!' is a bool, not int"},
        {"s && true", "!1 an operand of '&&' is a bool, not string"},
        {"n ? 1 : 2", "!1 what stands before '?' is a bool, not int"},
        {"size(n)", "!1 no such overload: size(int)"},
        {"s.startsWith(1)", "!3 no such overload: startsWith(string, int)"},
        {"s < n", "!3 no such overload: string < int"},
        {"[1] < [2]", "!5 no such overload: list(int) < list(int)"},
        {"1 in s", "!3 no such overload: int in string"},
        {"n.a", "!3 int has no members such as 'a'"},
        {"n[0]", "!2 no such overload: int[int]"},
        {"[1]['a']", "!4 no such overload: list(int)[string]"},
        {"{'a': 1}[1]", "!9 no such overload: map(string, int)[int]"},
        {"{1.5: 1}", "!2 double cannot be the key of a map"},
        {"o.totl", "!3 there is no field 'totl' | did you mean 'total'?"},
        {"o.nothing", "!3 there is no field 'nothing'"},
        {"o['totl']", "!3 there is no field 'totl' | did you mean 'total'?"},
        {"o.items.exists(i, i.a + 'b')", "!23 no such overload: int + string"},
        {"o.items.all(i, i.a)", "!18 the condition of a macro is a bool, not int"},
        {"n.map(x, x)", "!1 map() goes over a list or a map, not int"},
        {"[?n]", "!3 behind '?' stands an optional, not int"},
        {"n.optMap(x, x)", "!3 this is called on an optional, not on int"},
        {"nn + 1", "!1 unknown name 'nn' | did you mean 'n'?"},
        {"s.startWith('a')", "!3 unknown function 'startWith' | did you mean 'startsWith'?"},
    };
    check_rows(rows, COUNT(rows));
}

static void what_is_always_the_same_is_a_warning(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"s == 1", "~3 string and int are never equal: this is always false"},
        {"o.paid != 'yes'", "~8 bool and string are never equal: this is always true"},
        {"n in ['a']", "~3 int is never in list(string): this is always false"},
        {"o.status == 'shiped'", "~13 it is never \"shiped\" | did you mean 'shipped'?"},
        {"'paid' != o.status", "~1 it is never \"paid\""},
        {"o.status in ['open', 'shiped']",
         "~22 it is never \"shiped\" | did you mean 'shipped'?"},
        {"e.statuss == 'open'", "~3 there is no field 'statuss' | did you mean 'status'?"},
        {"has(o.totl)", "~7 there is no field 'totl' | did you mean 'total'?"},
        {"o.?totl.orValue(1)", "~4 there is no field 'totl' | did you mean 'total'?"},
        {"true ? 1 : n", "~12 this is never reached: the condition is always true"},
        {"!(n > 1 && false) ? n : 2",
         "~25 this is never reached: the condition is always true"},
        {"n > 1 && false || false ? n : 2",
         "~27 this is never reached: the condition is always false"},
    };
    check_rows(rows, COUNT(rows));
}

static void what_may_work_is_left_alone(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"o.status == null", "bool"},
        {"n == 1.5", "bool"},
        {"n in [1.5]", "bool"},
        {"d == 1 || d == 'a'", "bool"},
        {"d < 1 || d < 'a'", "bool"},
        {"[1] == ['a']", "bool"},
        {"o.status == s", "bool"},
        {"o.status + s == 'openx'", "bool"},
        {"o == e", "bool"},
        {"o == {'status': 'open'}", "bool"},
        {"[1, 'a'].all(x, x % 2 == 1)", "bool"},
        {"[o.status, 'x'][0] == 'y'", "bool"},
        {"{1: 'a'}[1.0]", "string"},
        {"n > 1 || o.paid == true ? 1 : 2", "int"},
        {"o.paid && true ? n : 2", "int"},
        {"[true][0] ? n : 2", "int"},
    };
    check_rows(rows, COUNT(rows));
}

static void types_have_a_text(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"int", "int"},
        {" list( int ) ", "list(int)"},
        {"list", "list(dyn)"},
        {"map(string,list(dyn))", "map(string, list(dyn))"},
        {"optional_type(timestamp)", "optional_type(timestamp)"},
        {"tuple(int, net.IP)", "tuple(int, net.IP)"},
        {"", NULL},
        {"list(", NULL},
        {"list()", NULL},
        {"map(int)", NULL},
        {"int(int)", NULL},
        {"int x", NULL},
    };
    struct arena arena;
    arena_init(&arena, memory, sizeof memory);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct type *type = type_read(&arena, span_from_text(rows[i].expression));
        struct text text;
        text_init(&text, &arena);
        if (type != NULL)
            type_write(&text, type);
        if (rows[i].expected == NULL)
            assert_null(type);
        else
            assert_string_equal(text_span(&text).text, rows[i].expected);
    }
}

static void depth_and_work_are_bounded(void **state)
{
    (void)state;
    struct text text;
    text_init(&text, NULL);
    for (int i = 0; i < 95; i++)
        text_format(&text, "cel.bind(x, [[[[%s]]]], ", i == 0 ? "1" : "x");
    text_add_byte(&text, 'x');
    for (int i = 0; i < 95; i++)
        text_add_byte(&text, ')');
    assert_non_null(check(text_span(&text).text));
    text_clear(&text);
    for (int i = 0; i < 60; i++)
        text_format(&text, "cel.bind(x, {'a': [%s, %s], 'b': []}, ", i == 0 ? "1" : "x",
                    i == 0 ? "[]" : "x");
    text_add_byte(&text, 'x');
    for (int i = 0; i < 60; i++)
        text_add_byte(&text, ')');
    assert_non_null(check(text_span(&text).text));
    text_fini(&text);
}

/* Every function of the language has a row, so that none is dyn by oversight. */
static void every_function_has_a_signature(void **state)
{
    (void)state;
    for (uint32_t i = 0; builtin_at(i) != NULL; i++) {
        if (signature_find(builtin_at(i)->name) == NULL)
            fail_msg("%.*s() has no signature", SPAN_ARGS(builtin_at(i)->name));
    }
    for (uint32_t i = 0; signature_at(i) != NULL; i++) {
        const struct signature *row = signature_at(i);
        assert_ptr_equal(signature_find(row->name)->name.text == NULL, 0);
        for (const struct signature *at = signature_find(row->name); at != row;
             at = signature_next(at))
            assert_non_null(at); /* overloads of a name stand together */
    }
}

/* One value of each type, bound to a name of its own. */
static const struct {
    const char *name;
    const char *type;
    const char *expression;
} samples[] = {
    {"nothing", "null_type", "null"},
    {"bool_", "bool", "true"},
    {"int_", "int", "1"},
    {"uint_", "uint", "1u"},
    {"double_", "double", "1.5"},
    {"string_", "string", "'1'"},
    {"bytes_", "bytes", "b'1'"},
    {"moment", "timestamp", "timestamp('2020-01-01T00:00:00Z')"},
    {"duration_", "duration", "duration('1s')"},
    {"ints", "list(int)", "[1]"},
    {"strings", "list(string)", "['1']"},
    {"optionals", "list(optional_type(int))", "[optional.of(1)]"},
    {"map_", "map(string, int)", "{'a': 1}"},
    {"optional_", "optional_type(int)", "optional.of(1)"},
    {"type_", "type(int)", "int"},
    {"ip_", "net.IP", "ip('10.0.0.1')"},
    {"cidr_", "net.CIDR", "cidr('10.0.0.0/8')"},
};

struct agreement {
    struct arena arena;
    struct arena_mark mark;
    struct span names[COUNT(samples)];
    const struct type *types[COUNT(samples)];
    struct value values[COUNT(samples)];
    unsigned wrong;
    unsigned accepted;
};

static struct value evaluate(struct agreement *agreement, const char *expression)
{
    struct diagnostics diagnostics;
    diagnostics_init(&diagnostics, &agreement->arena);
    struct expr_scope scope = {.variables = agreement->names, .variable_count = COUNT(samples)};
    struct expr_frame frame = {.slots = agreement->values, .slot_count = COUNT(samples)};
    const struct expr_program *program = expr_compile(
        span_from_text(expression), (struct place){0}, &scope, &agreement->arena, &diagnostics);
    return program == NULL ? value_error(SPAN("no such overload: in the text"))
                           : expr_run(program, &frame, &agreement->arena);
}

static bool passes_check(struct agreement *agreement, const char *expression)
{
    struct diagnostics diagnostics;
    diagnostics_init(&diagnostics, &agreement->arena);
    struct expr_scope scope = {.variables = agreement->names,
                               .variable_count = COUNT(samples),
                               .types = agreement->types};
    return expr_type_of(span_from_text(expression), (struct place){0}, &scope,
                        &agreement->arena, &diagnostics) != NULL;
}

/* What the checker lets pass has an overload; what works, the checker lets pass. */
static void check_agreement(struct agreement *agreement, const char *expression)
{
    arena_rewind(&agreement->arena, agreement->mark);
    struct value value = evaluate(agreement, expression);
    bool passes = passes_check(agreement, expression);
    bool has_overload = !value_is_error(value) ||
                        !span_starts_with(value_span(value), SPAN("no such overload"));
    agreement->accepted += passes;
    if (passes ? has_overload : value_is_error(value))
        return;
    print_error("%s: the checker %s it\n", expression, passes ? "allows" : "refuses");
    agreement->wrong++;
}

/* All calls of a function with so many arguments. */
static void check_calls(struct agreement *agreement, const struct builtin *builtin,
                        unsigned count)
{
    unsigned picked[3] = {0};
    unsigned combinations = 1;
    char expression[256];
    for (unsigned i = 0; i < count; i++)
        combinations *= COUNT(samples);
    for (unsigned number = 0; number < combinations; number++) {
        const char *names[3] = {"", "", ""};
        for (unsigned i = 0, rest = number; i < count; i++, rest /= COUNT(samples)) {
            picked[i] = rest % COUNT(samples);
            names[i] = samples[picked[i]].name;
        }
        bool is_method = (builtin->style & BUILTIN_METHOD) != 0;
        snprintf(expression, sizeof expression,
                 is_method ? "%s.%.*s(%s%s%s)" : "%s%.*s(%s%s%s)", is_method ? names[0] : "",
                 SPAN_ARGS(builtin->name), is_method ? names[1] : names[0],
                 count > (is_method ? 2 : 1) ? ", " : "", is_method ? names[2] : names[1]);
        check_agreement(agreement, expression);
    }
}

/* Only whether it runs is in question: the table of types against the functions. */
static void the_checker_and_the_functions_agree(void **state)
{
    (void)state;
    static struct agreement agreement;
    arena_init(&agreement.arena, memory, sizeof memory);
    for (size_t i = 0; i < COUNT(samples); i++) {
        agreement.names[i] = span_from_text(samples[i].name);
        agreement.types[i] = type_read(&agreement.arena, span_from_text(samples[i].type));
        agreement.values[i] = evaluate(&agreement, samples[i].expression);
        assert_false(value_is_error(agreement.values[i]));
    }
    agreement.mark = arena_mark(&agreement.arena);
    static const char *const operators[] = {"+", "-", "*", "/", "%", "<", "<=", "in"};
    for (size_t i = 0; i < COUNT(operators); i++) {
        for (size_t k = 0; k < COUNT(samples) * COUNT(samples); k++) {
            char expression[128];
            snprintf(expression, sizeof expression, "%s %s %s",
                     samples[k % COUNT(samples)].name, operators[i],
                     samples[k / COUNT(samples)].name);
            check_agreement(&agreement, expression);
        }
    }
    for (uint32_t i = 0; builtin_at(i) != NULL; i++) {
        const struct builtin *builtin = builtin_at(i);
        /* The one name whose function and method take different things: either may pass. */
        if (span_is(builtin->name, "ip"))
            continue;
        for (unsigned count = builtin->count_min; count <= 2 && count <= builtin->count_max;
             count++)
            check_calls(&agreement, builtin, count);
    }
    assert_int_equal(agreement.wrong, 0);
    assert_true(agreement.accepted > 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_are_found),
        cmocka_unit_test(what_can_only_fail_is_an_error),
        cmocka_unit_test(what_is_always_the_same_is_a_warning),
        cmocka_unit_test(what_may_work_is_left_alone),
        cmocka_unit_test(types_have_a_text),
        cmocka_unit_test(depth_and_work_are_bounded),
        cmocka_unit_test(every_function_has_a_signature),
        cmocka_unit_test(the_checker_and_the_functions_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
