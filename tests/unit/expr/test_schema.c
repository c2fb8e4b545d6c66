/*
 * Schemas: which values fit, what becomes of their numbers, and which schemas are refused.
 *
 * A row's answer is the accepted value as JSON, or "!path message". Of a schema that is
 * refused it is "?column message", with its help behind " | ".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "expr/expr.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { ARENA_BYTES = 16 << 20 };

static char memory[ARENA_BYTES];

struct row {
    const char *schema;
    const char *value;
    const char *expected;
};

static const struct schema *compile(struct arena *arena, struct diagnostics *diagnostics,
                                    const char *schema)
{
    diagnostics_init(diagnostics, arena);
    const struct node *node =
        json_read_tree(span_from_text(schema), SPAN(""), arena, diagnostics);
    return node == NULL ? NULL : schema_compile(node, arena, diagnostics);
}

static const char *apply(const struct row *row)
{
    struct arena arena;
    struct diagnostics diagnostics;
    struct text text;
    struct value value;
    struct json_error error;
    struct schema_problem problem;
    arena_init(&arena, memory, sizeof memory);
    const struct schema *schema = compile(&arena, &diagnostics, row->schema);
    text_init(&text, &arena);
    if (schema == NULL) {
        const struct diagnostic *first = diagnostics.first;
        text_format(&text, "?%u %.*s", first->place.column, SPAN_ARGS(first->message));
        if (first->help.size > 0)
            text_format(&text, " | %.*s", SPAN_ARGS(first->help));
        return text_span(&text).text;
    }
    assert_int_equal(json_read(span_from_text(row->value), &arena, &value, &error), STATUS_OK);
    if (schema_accept(schema, value, &arena, &value, &problem))
        json_write(&text, value);
    else
        text_format(&text, "!%.*s %.*s", SPAN_ARGS(problem.path), SPAN_ARGS(problem.message));
    return text_span(&text).text;
}

static void apply_rows(const struct row *rows, size_t count)
{
    unsigned wrong = 0;
    for (size_t i = 0; i < count; i++) {
        const char *found = apply(&rows[i]);
        if (strcmp(found, rows[i].expected) == 0)
            continue;
        print_error("%s with %s: %s, expected %s\n", rows[i].schema, rows[i].value, found,
                    rows[i].expected);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

static void rules_hold_or_say_where_not(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{}", "[1,{\"a\":null}]", "[1,{\"a\":null}]"},
        {"true", "1", "1"},
        {"false", "1", "! may not be here"},
        {"{\"type\":\"string\"}", "1", "! is not a string"},
        {"{\"type\":[\"string\",\"null\"]}", "null", "null"},
        {"{\"type\":[\"string\",\"null\"]}", "1", "! is not null or a string"},
        {"{\"type\":\"boolean\"}", "true", "true"},
        {"{\"type\":\"object\"}", "[]", "! is not an object"},
        {"{\"type\":\"array\"}", "{}", "! is not an array"},
        {"{\"enum\":[\"a\",1,null]}", "1.0", "1.0"},
        {"{\"enum\":[\"a\",1,null]}", "\"b\"", "! is none of [\"a\",1,null]"},
        {"{\"const\":{\"a\":[1]}}", "{\"a\":[1]}", "{\"a\":[1]}"},
        {"{\"const\":3}", "4", "! is not 3"},
        {"{\"required\":[\"a\",\"b\"]}", "{\"a\":1}", "! has no `b`"},
        {"{\"required\":[\"a\"]}", "3", "3"},
        {"{\"properties\":{\"a\":{\"type\":\"string\"}}}", "{\"b\":1}", "{\"b\":1}"},
        {"{\"properties\":{\"a\":{\"type\":\"string\"}}}", "{\"a\":1}", "!/a is not a string"},
        {"{\"properties\":{\"total\":{}},\"additionalProperties\":false}", "{\"totl\":1}",
         "!/totl is not known here; did you mean 'total'?"},
        {"{\"properties\":{\"a\":false}}", "{\"a\":1}", "!/a may not be here"},
        {"{\"additionalProperties\":{\"type\":\"integer\"}}", "{\"x~/y\":\"\"}",
         "!/x~0~1y is not a whole number"},
        {"{\"minProperties\":1}", "{}", "! has fewer than 1 members"},
        {"{\"maxProperties\":1}", "{\"a\":1,\"b\":2}", "! has more than 1 members"},
        {"{\"items\":{\"items\":{\"type\":\"string\"}}}", "[[],[\"a\",1]]",
         "!/1/1 is not a string"},
        {"{\"minItems\":2}", "[1]", "! has fewer than 2 items"},
        {"{\"maxItems\":1}", "[1,2]", "! has more than 1 items"},
        {"{\"uniqueItems\":true}", "[1,[2],1.0]", "! has the same item twice: /0 and /2"},
        {"{\"uniqueItems\":true}", "[1,2,\"1\"]", "[1,2,\"1\"]"},
        {"{\"minLength\":2}", "\"é\"", "! is shorter than 2"},
        {"{\"maxLength\":2}", "\"éé\"", "\"éé\""},
        {"{\"maxLength\":2}", "\"abc\"", "! is longer than 2"},
        {"{\"pattern\":\"^[A-Z]{3}$\"}", "\"EUR\"", "\"EUR\""},
        {"{\"pattern\":\"^[A-Z]{3}$\"}", "\"EURO\"", "! does not match ^[A-Z]{3}$"},
        {"{\"minimum\":1}", "0.5", "! is less than 1"},
        {"{\"minimum\":1}", "1", "1"},
        {"{\"maximum\":1.5}", "2", "! is more than 1.5"},
        {"{\"exclusiveMinimum\":0}", "0", "! is not more than 0"},
        {"{\"exclusiveMaximum\":10}", "10.0", "! is not less than 10"},
        {"{\"minimum\":1}", "\"a\"", "\"a\""},
        {"{\"multipleOf\":5}", "12", "! is not a multiple of 5"},
        {"{\"multipleOf\":0.01}", "0.07", "0.07"},
        {"{\"multipleOf\":0.01}", "0.075", "! is not a multiple of 0.01"},
        {"{\"allOf\":[{\"minimum\":1},{\"maximum\":3}]}", "4", "! is more than 3"},
        {"{\"anyOf\":[{\"type\":\"string\"},{\"minimum\":3}]}", "2",
         "! fits none of the alternatives"},
        {"{\"oneOf\":[{\"minimum\":1},{\"minimum\":2}]}", "2",
         "! fits 2 alternatives instead of one"},
        {"{\"oneOf\":[{\"minimum\":1},{\"minimum\":2}]}", "1", "1"},
        {"{\"oneOf\":[{\"minimum\":1},{\"minimum\":2}]}", "0",
         "! fits none of the alternatives"},
        {"{\"not\":{\"type\":\"string\"}}", "\"a\"", "! is what it must not be"},
        {"{\"$ref\":\"#/$defs/n\",\"$defs\":{\"n\":{\"minimum\":3}}}", "2", "! is less than 3"},
        {"{\"properties\":{\"next\":{\"$ref\":\"#\"},\"v\":{\"type\":\"integer\"}}}",
         "{\"next\":{\"next\":{\"v\":\"x\"}}}", "!/next/next/v is not a whole number"},
        {"{\"title\":\"t\",\"format\":\"email\",\"default\":1,\"examples\":[]}", "1", "1"},
    };
    apply_rows(rows, COUNT(rows));
}

static void numbers_become_what_the_schema_calls_them(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{\"type\":\"number\"}", "3", "3.0"},
        {"{\"type\":\"integer\"}", "3.0", "3"},
        {"{\"type\":\"integer\"}", "3.5", "! is not a whole number"},
        {"{\"type\":\"integer\"}", "1e19", "! is not a whole number"},
        {"{\"type\":[\"integer\",\"number\"]}", "3", "3"},
        {"{\"type\":[\"number\",\"null\"]}", "3", "3.0"},
        {"{\"properties\":{\"a\":{\"items\":{\"type\":\"number\"}}}}",
         "{\"z\":1,\"a\":[1.5,2,3],\"y\":2}", "{\"z\":1,\"a\":[1.5,2.0,3.0],\"y\":2}"},
        {"{\"allOf\":[{\"type\":\"number\"},{\"minimum\":1}]}", "3", "3.0"},
        {"{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"number\"}]}", "3", "3.0"},
        {"{\"oneOf\":[{\"type\":\"string\"},{\"type\":\"number\"}]}", "3", "3.0"},
        {"{\"$ref\":\"#/$defs/n\",\"$defs\":{\"n\":{\"type\":\"number\"}}}", "3", "3.0"},
        {"{\"not\":{\"type\":\"string\"}}", "3", "3"},
    };
    apply_rows(rows, COUNT(rows));
}

static void schemas_that_cannot_be_kept_are_refused(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{\"requird\":[]}", "",
         "?2 unknown key `requird` in a schema | did you mean 'required'?"},
        {"{\"if\":{}}", "", "?2 unknown key `if` in a schema"},
        {"{\"type\":\"strng\"}", "", "?9 there is no type `strng` | did you mean 'string'?"},
        {"{\"type\":3}", "", "?9 a type is a name such as string, not a number"},
        {"{\"type\":[]}", "", "?9 `type` is a name or several of them"},
        {"{\"enum\":[]}", "", "?9 `enum` has at least one value"},
        {"{\"properties\":[]}", "", "?15 `properties` is a map of schemas, not a list"},
        {"{\"properties\":{\"a\":1}}", "",
         "?20 a schema is a map, true or false, not a number"},
        {"{\"required\":[1]}", "", "?14 `required` is a list of names, not a number"},
        {"{\"minLength\":-1}", "", "?14 this is a whole number, 0 or more"},
        {"{\"minimum\":\"1\"}", "", "?12 this is a number, not a string"},
        {"{\"multipleOf\":0}", "", "?15 `multipleOf` is a number above 0"},
        {"{\"pattern\":\"a(\"}", "", "?14 not a regular expression: this group is not closed"},
        {"{\"anyOf\":[]}", "", "?10 this is a list of one schema or more"},
        {"{\"$ref\":\"other.json\"}", "",
         "?9 there is no schema `other.json` | refer to this schema's own parts: #/$defs/NAME, "
         "or "
         "# for all of it"},
        {"{\"$ref\":\"#/$defs/a\",\"$defs\":3}", "",
         "?29 `$defs` is a map of schemas, not a number"},
        {"{\"items\":{\"$defs\":{}}}", "", "?19 `$defs` stands at the top of a schema only"},
        {"3", "", "?1 a schema is a map, true or false, not a number"},
    };
    apply_rows(rows, COUNT(rows));
}

/* Small schemas that ask for endless or exponential work. */
static void work_is_bounded(void **state)
{
    (void)state;
    static const struct row endless[] = {
        {"{\"$ref\":\"#\"}", "1", "! takes too many steps to be checked"},
        {"{\"allOf\":[{\"$ref\":\"#\"}]}", "1", "! takes too many steps to be checked"},
        {"{\"anyOf\":[{\"$ref\":\"#\"}]}", "1", "! fits none of the alternatives"},
    };
    apply_rows(endless, COUNT(endless));
    struct text schema;
    text_init(&schema, NULL);
    text_add(&schema, SPAN("{\"$ref\":\"#/$defs/d0\",\"$defs\":{"));
    for (int i = 0; i < 40; i++)
        text_format(
            &schema,
            "\"d%d\":{\"oneOf\":[{\"$ref\":\"#/$defs/d%d\"},{\"$ref\":\"#/$defs/d%d\"}]},", i,
            i + 1, i + 1);
    text_add(&schema, SPAN("\"d40\":{}}}"));
    struct row exponential = {text_span(&schema).text, "1", ""};
    assert_int_equal(apply(&exponential)[0], '!');
    text_fini(&schema);
    struct text many;
    text_init(&many, NULL);
    for (int i = 0; i < 20000; i++)
        text_format(&many, "%c%d", i == 0 ? '[' : ',', i);
    text_add_byte(&many, ']');
    struct row quadratic = {"{\"uniqueItems\":true}", text_span(&many).text, ""};
    assert_string_equal(apply(&quadratic), "! has too many items to be compared");
    text_fini(&many);
}

static void the_checker_learns_what_is_sure(void **state)
{
    (void)state;
    static const char schema[] =
        "{\"properties\":{\"kind\":{\"enum\":[\"a\",\"b\"]},\"n\":{\"type\":\"number\"},"
        "\"i\":{\"type\":\"integer\"},\"maybe\":{\"type\":[\"string\",\"null\"]},"
        "\"any\":{\"type\":[\"string\",\"integer\"]},\"tags\":{\"type\":\"array\",\"items\":"
        "{\"type\":\"string\"}},\"prices\":{\"type\":\"object\",\"additionalProperties\":"
        "{\"type\":\"number\"}},\"next\":{\"$ref\":\"#\"}},\"additionalProperties\":false}";
    static const struct {
        const char *expression;
        const char *expected;
    } rows[] = {
        {"e.n", "double"},
        {"e.i", "int"},
        {"e.maybe", "string"},
        {"e.any", "dyn"},
        {"e.tags", "list(string)"},
        {"e.prices['x']", "double"},
        {"e.next.next.i", "int"},
        {"e.kind == 'a'", "bool"},
        {"e.kind == 'c'", "!it is never \"c\""},
        {"e.other", "!there is no field 'other'"},
        {"e.i * e.n", "!no such overload: int * double"},
        {"e", "map(string, dyn)"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        static const struct span name = SPAN_INIT("e");
        struct arena arena;
        struct diagnostics diagnostics;
        struct text text;
        arena_init(&arena, memory, sizeof memory);
        const struct type *type = schema_type(compile(&arena, &diagnostics, schema), &arena);
        struct expr_scope scope = {.variables = &name, .variable_count = 1, .types = &type};
        const struct type *found =
            expr_type_of(span_from_text(rows[i].expression), (struct place){0}, &scope, &arena,
                         &diagnostics);
        text_init(&text, &arena);
        if (diagnostics.first != NULL)
            text_format(&text, "!%.*s", SPAN_ARGS(diagnostics.first->message));
        else
            type_write(&text, found);
        assert_string_equal(text_span(&text).text, rows[i].expected);
    }
}

static void members_are_required_where_that_is_sure(void **state)
{
    static const struct {
        const char *schema;
        bool requires;
    } rows[] = {
        {"{\"required\":[\"a\",\"n\"]}", true},
        {"{\"required\":[\"a\"],\"properties\":{\"n\":{\"type\":\"integer\"}}}", false},
        {"{\"$ref\":\"#/$defs/o\",\"$defs\":{\"o\":{\"required\":[\"n\"]}}}", true},
        {"{\"anyOf\":[{\"required\":[\"n\"]},{\"required\":[\"m\"]}]}", false},
        {"{\"$ref\":\"#\"}", false},
        {"true", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena arena;
        struct diagnostics diagnostics;
        arena_init(&arena, memory, sizeof memory);
        const struct schema *schema = compile(&arena, &diagnostics, rows[i].schema);
        assert_non_null(schema);
        assert_int_equal(schema_requires(schema, SPAN("n")), rows[i].requires);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_hold_or_say_where_not),
        cmocka_unit_test(numbers_become_what_the_schema_calls_them),
        cmocka_unit_test(schemas_that_cannot_be_kept_are_refused),
        cmocka_unit_test(work_is_bounded),
        cmocka_unit_test(the_checker_learns_what_is_sure),
        cmocka_unit_test(members_are_required_where_that_is_sure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
