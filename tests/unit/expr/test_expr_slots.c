/*
 * test_expr_slots.c - literals, text with expressions, and expressions in definition files.
 */
#include "expr_fixture.h"

static const struct node *read_node(struct fixture *fixture, const char *json)
{
    const struct node *node = json_read_tree(span_from_text(json), SPAN("file"),
                                             &fixture->arena, &fixture->diagnostics);
    assert_non_null(node);
    return node;
}

static const struct expr_slot *compile_slot(struct fixture *fixture, const char *json)
{
    return expr_slot_compile(read_node(fixture, json), &fixture_scope, &fixture->arena,
                             &fixture->diagnostics);
}

/* What a slot is written as is an expression of the same value. */
static void expect_same_when_written(struct fixture *fixture, const struct expr_slot *slot,
                                     const char *answer)
{
    struct text text;
    text_init(&text, &fixture->arena);
    expr_slot_write(&text, slot);
    const struct expr_program *program =
        expr_compile(text_span(&text), (struct place){0}, &fixture_scope, &fixture->arena,
                     &fixture->diagnostics);
    if (program == NULL)
        fail_msg("%.*s does not compile", SPAN_ARGS(text_span(&text)));
    struct value value = expr_run(program, &fixture->frame, &fixture->arena);
    bool both_fail = value.kind == VALUE_ERROR && answer[0] == '!';
    if (!both_fail)
        assert_string_equal(fixture_value_text(fixture, value), answer);
}

static const char *slot_answer(const char *json)
{
    struct fixture *fixture = fixture_get();
    const struct expr_slot *slot = compile_slot(fixture, json);
    if (slot == NULL)
        return fixture_diagnostic_text(fixture);
    const char *answer =
        fixture_value_text(fixture, expr_slot_run(slot, &fixture->frame, &fixture->arena));
    expect_same_when_written(fixture, slot, answer);
    return answer;
}

static void check(const struct fixture_row *rows, size_t count)
{
    unsigned wrong = 0;
    for (size_t i = 0; i < count; i++) {
        const char *answer = slot_answer(rows[i].expression);
        if (strcmp(answer, rows[i].answer) == 0)
            continue;
        print_error("%s\n  gives  %s\n  wanted %s\n", rows[i].expression, answer,
                    rows[i].answer);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

static void a_whole_expression_keeps_its_type(void **state)
{
    static const struct fixture_row rows[] = {
        {"\"${context.total}\"", "1250"}, {"\"${context.items}\"", "[1,2,3]"},
        {"\"${null}\"", "null"},          {"\"${ {'a': {'b': 1}}.a }\"", "{\"b\":1}"},
        {"\"${'}'}\"", "\"}\""},          {"\"${context.missing}\"", "!no such key: 'missing'"},
    };
    (void)state;
    check(rows, COUNT(rows));
}

static void text_around_expressions_makes_text(void **state)
{
    static const struct fixture_row rows[] = {
        {"\"${event.amount}-${context.currency}\"", "\"7-EUR\""},
        {"\"total: ${context.total}!\"", "\"total: 1250!\""},
        {"\" ${context.price}\"", "\" 3.5\""},
        {"\"at ${now}, in ${duration('90s')}\"", "\"at 2009-02-13T23:31:30.005Z, in 90s\""},
        {"\"${true}${2.0}${b'x'}\"", "\"true2x\""},
        {"\"is ${null}\"", "!a value of type null has no place in a text"},
        {"\"is ${context.items}\"", "!a value of type list has no place in a text"},
        {"\"is ${context}\"", "!a value of type map has no place in a text"},
        {"\"is ${x}\"", "!no such attribute: x"},
    };
    (void)state;
    check(rows, COUNT(rows));
}

static void anything_else_is_a_literal(void **state)
{
    static const struct fixture_row rows[] = {
        {"42", "42"},
        {"1.5", "1.5"},
        {"null", "null"},
        {"true", "true"},
        {"\"\"", "\"\""},
        {"\"plain $ and {braces}\"", "\"plain $ and {braces}\""},
        {"\"$${not.one}\"", "\"${not.one}\""},
        {"\"a $${ b ${1 + 1} $${\"", "\"a ${ b 2 ${\""},
        {"\"$$${1}\"", "\"$${1}\""},
        {"[1, {\"a\": \"b\"}]", "[1,{\"a\":\"b\"}]"},
    };
    (void)state;
    check(rows, COUNT(rows));
}

static void maps_and_lists_recurse_into_values_never_into_keys(void **state)
{
    static const struct fixture_row rows[] = {
        {"{\"id\": \"${context.total}\", \"in\": [\"${event.amount}\", 2]}",
         "{\"id\":1250,\"in\":[7,2]}"},
        {"{\"${a}\": \"${event.amount}\"}", "{\"${a}\":7}"},
        {"[\"${1 / 0}\", \"${context.missing}\"]", "!division by zero"},
        {"{\"@expr\": \"context.total\"}", "1250"},
        {"{\"@expr\": \"context.total\", \"@lang\": \"cel\"}", "1250"},
        {"[{\"@expr\": \"1 + 1\", \"@lang\": \"cel\"}]", "[2]"},
    };
    (void)state;
    check(rows, COUNT(rows));
}

static void mistakes_are_told_at_their_character(void **state)
{
    static const struct fixture_row rows[] = {
        {"\"${contxt}\"", "?1:4 unknown name 'contxt' (did you mean 'context'?)"},
        {"{\"a\": \"é ${1 +}\"}",
         "?1:15 the expression ends where an expression should follow"},
        {"  \"a ${b\"", "?1:6 '${' opens an expression that does not end (close it with '}', "
                        "or write '$${' for the two characters themselves)"},
        {"\"${}\"", "?1:4 the expression ends where an expression should follow"},
        {"{\"@expr\": \"nope\"}", "?1:12 unknown name 'nope' (did you mean 'now'?)"},
        {"{\"@expr\": 1}",
         "?1:1 an expression is {\"@expr\": TEXT, \"@lang\": \"cel\"} and nothing else"},
        {"{\"@expr\": \"1\", \"@lang\": \"js\"}",
         "?1:11 this expression language is not known (there are \"cel\" and \"ecmascript\")"},
    };
    (void)state;
    check(rows, COUNT(rows));
}

static void all_mistakes_of_a_tree_are_told(void **state)
{
    struct fixture *fixture = fixture_get();
    (void)state;
    assert_null(compile_slot(fixture, "{\"a\": \"${nope1} ${nope2}\", \"b\": [\"${1 +}\"]}"));
    assert_int_equal(fixture->diagnostics.errors, 3);
}

static void a_slot_knows_whether_it_is_literal_and_what_it_reads(void **state)
{
    struct fixture *fixture = fixture_get();
    const struct expr_slot *literal = compile_slot(fixture, "{\"a\": [1, \"$${x}\"]}");
    const struct expr_slot *tree = compile_slot(fixture, "{\"a\": [1, \"v ${event.amount}\"]}");
    (void)state;
    assert_true(expr_slot_is_literal(literal));
    assert_false(expr_slot_uses(literal, SLOT_EVENT));
    assert_false(expr_slot_is_literal(tree));
    assert_true(expr_slot_uses(tree, SLOT_EVENT));
    assert_false(expr_slot_uses(tree, SLOT_CONTEXT));
    assert_true(expr_slot_is_literal(expr_slot_literal(value_int(1), &fixture->arena)));
}

static void a_spent_arena_is_an_error_value(void **state)
{
    static char memory[1024];
    struct fixture *fixture = fixture_get();
    const struct expr_slot *slot = compile_slot(
        fixture, "{\"a\": [\"v ${context.total} ${context.name}\", \"${[1, event.amount]}\"],"
                 " \"b\": \"${context.items.map(i, [i, i, i])}\"}");
    unsigned spent = 0;
    (void)state;
    for (size_t size = 16; size <= sizeof memory; size += 16) {
        struct arena small;
        arena_init(&small, memory, size);
        struct value value = expr_slot_run(slot, &fixture->frame, &small);
        assert_null(small.guard);
        spent += value.kind == VALUE_ERROR;
        assert_true(value.kind == VALUE_MAP || spent == size / 16);
    }
    assert_in_range(spent, 10, sizeof memory / 16 - 1);
}

static void a_map_gives_its_members_one_by_one(void **state)
{
    static const char *const maps[] = {"{\"a\": 1, \"b\": \"${1 + 1}\"}",
                                       "{\"a\": 1, \"b\": 2}"};
    (void)state;
    for (size_t i = 0; i < COUNT(maps); i++) {
        struct fixture *fixture = fixture_get();
        struct span key;
        const struct expr_slot *slot = compile_slot(fixture, maps[i]);
        assert_true(expr_slot_is_map(slot));
        const struct expr_slot *second = expr_slot_member(slot, 1, &key, &fixture->arena);
        assert_true(span_is(key, "b"));
        struct value value = expr_slot_run(second, &fixture->frame, &fixture->arena);
        assert_int_equal(value.integer, 2);
        assert_null(expr_slot_member(slot, 2, &key, &fixture->arena));
    }
    assert_false(expr_slot_is_map(compile_slot(fixture_get(), "{}")));
    assert_false(expr_slot_is_map(compile_slot(fixture_get(), "[1]")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_expression_keeps_its_type),
        cmocka_unit_test(text_around_expressions_makes_text),
        cmocka_unit_test(anything_else_is_a_literal),
        cmocka_unit_test(maps_and_lists_recurse_into_values_never_into_keys),
        cmocka_unit_test(mistakes_are_told_at_their_character),
        cmocka_unit_test(all_mistakes_of_a_tree_are_told),
        cmocka_unit_test(a_spent_arena_is_an_error_value),
        cmocka_unit_test(a_map_gives_its_members_one_by_one),
        cmocka_unit_test(a_slot_knows_whether_it_is_literal_and_what_it_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
