/*
 * test_json_tree.c - JSON definition files to trees: every part knows its place.
 */
#include "base/json.h"
#include "base/limits.h"
#include "base/random.h"
#include "expect.h"

static struct arena arena;
static struct diagnostics diagnostics;

static int open_arena(void **state)
{
    (void)state;
    arena_open(&arena, DEFINITION_ARENA_BYTES);
    diagnostics_init(&diagnostics, &arena);
    return 0;
}

static int close_arena(void **state)
{
    (void)state;
    arena_close(&arena);
    return 0;
}

static const struct node *read_tree(struct span text)
{
    return json_read_tree(text, SPAN("machine.json"), &arena, &diagnostics);
}

static void expect_place(struct place place, uint32_t line, uint32_t column)
{
    expect_text(place.file, "machine.json");
    assert_int_equal(place.line, line);
    assert_int_equal(place.column, column);
}

static void every_part_has_its_place(void **state)
{
    (void)state;
    const struct node *root = read_tree(SPAN("{\"id\": \"order\",\n"
                                             "  \"\xc3\xa9\xc3\xa9\" :  [ 1,\n"
                                             "\ttrue, {\"x\"\n"
                                             "  :null}],\r\n"
                                             "  \"last\":2.5 }\n"));
    assert_non_null(root);
    assert_int_equal(diagnostics.errors, 0);
    expect_place(root->place, 1, 1);
    assert_int_equal(root->kind, NODE_MAP);
    assert_int_equal(root->count, 3);
    expect_text(root->entries[0].key, "id");
    expect_place(root->entries[0].place, 1, 2);
    expect_place(root->entries[0].value->place, 1, 8);
    expect_text(node_text(root->entries[0].value), "order");
    expect_text(root->entries[1].key, "\xc3\xa9\xc3\xa9");
    expect_place(root->entries[1].place, 2, 3);
    const struct node *list = root->entries[1].value;
    expect_place(list->place, 2, 11);
    assert_int_equal(list->kind, NODE_LIST);
    assert_int_equal(list->count, 3);
    expect_place(list->items[0]->place, 2, 13);
    expect_place(list->items[1]->place, 3, 2);
    expect_place(list->items[2]->place, 3, 8);
    expect_place(list->items[2]->entries[0].place, 3, 9);
    expect_place(list->items[2]->entries[0].value->place, 4, 4);
    expect_place(root->entries[2].place, 5, 3);
    expect_place(root->entries[2].value->place, 5, 10);
    assert_int_equal(root->entries[2].value->scalar.kind, VALUE_DOUBLE);
}

static void errors_have_one_diagnostic_with_its_place(void **state)
{
    static const struct {
        struct span text;
        uint32_t line;
        uint32_t column;
        const char *message;
    } rows[] = {
        {ROW(""), 1, 1, "not valid JSON: a value is missing"},
        {ROW("\n\n "), 3, 2, "not valid JSON: a value is missing"},
        {ROW("{\n \"a\": 1,\n}"), 3, 1, "not valid JSON: a comma before the closing bracket"},
        {ROW("{\n \"a\": 1\n \"b\": 2}"), 3, 2, "not valid JSON: expected ',' or '}'"},
        {ROW("[\"\xc3\xa9\", x]"), 1, 7, "not valid JSON: not a value of JSON"},
        {ROW("{\"a\":1,\n  \"a\":2}"), 2, 3, "not valid JSON: the key is there twice"},
        {ROW("{\"a\":{\"b\":1},\"a\":2}"), 1, 14, "not valid JSON: the key is there twice"},
        {ROW("{} x"), 1, 4, "not valid JSON: text after the end of the document"},
        {ROW("{a: 1}"), 1, 2, "not valid JSON: expected a key in double quotes"},
        {ROW("[1,\n\"a\tb\"]"), 2, 3,
         "not valid JSON: a control character in a string; escape it"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        diagnostics_init(&diagnostics, &arena);
        expect_row(read_tree(rows[i].text) == NULL, rows[i].text);
        expect_row(diagnostics.errors == 1, rows[i].text);
        expect_text(diagnostics.first->message, rows[i].message);
        expect_text(diagnostics.first->code, "IL0101");
        expect_row(diagnostics.first->place.line == rows[i].line, rows[i].text);
        expect_row(diagnostics.first->place.column == rows[i].column, rows[i].text);
        assert_null(diagnostics.first->next);
    }
}

static struct span nested(size_t depth)
{
    char *bytes = arena_get(&arena, 2 * depth);
    memset(bytes, '[', depth);
    memset(bytes + depth, ']', depth);
    return span_of(bytes, 2 * depth);
}

static void nesting_ends_at_a_hundred_levels(void **state)
{
    (void)state;
    assert_non_null(read_tree(nested(DEFINITION_DEPTH_MAX)));
    assert_int_equal(diagnostics.errors, 0);
    assert_null(read_tree(nested(DEFINITION_DEPTH_MAX + 1)));
    assert_int_equal(diagnostics.errors, 1);
    assert_int_equal(diagnostics.first->place.column, DEFINITION_DEPTH_MAX + 1);
}

static struct span list_of_zeros(size_t count)
{
    char *bytes = arena_get(&arena, 2 * count + 1);
    for (size_t i = 0; i < count; i++)
        memcpy(bytes + 2 * i, ",0", 2);
    bytes[0] = '[';
    bytes[2 * count] = ']';
    return span_of(bytes, 2 * count + 1);
}

static void values_are_counted_to_their_limit(void **state)
{
    (void)state;
    const struct node *root = read_tree(list_of_zeros(DEFINITION_NODES_MAX - 1));
    assert_non_null(root);
    assert_int_equal(root->count, DEFINITION_NODES_MAX - 1);
    expect_place(root->items[root->count - 1]->place, 1, 2 * DEFINITION_NODES_MAX - 2);
    assert_null(read_tree(list_of_zeros(DEFINITION_NODES_MAX)));
    expect_text(diagnostics.first->message, "not valid JSON: more than 200000 values");
}

/* As many keys as a file of a megabyte has; compared two by two they would take minutes. */
static void many_keys_are_read_and_the_one_there_twice_is_found(void **state)
{
    enum { KEYS = 100000 };
    struct text text;
    (void)state;
    text_init(&text, &arena);
    for (unsigned i = 0; i < KEYS; i++)
        text_format(&text, "%c\"%05x\":0", i == 0 ? '{' : ',', (i * 7919) & 0xfffff);
    text_add_byte(&text, '}');
    const struct node *root = read_tree(text_span(&text));
    assert_non_null(root);
    assert_int_equal(root->count, KEYS);
    text.size--;
    text_add(&text, SPAN(",\n\"00000\":0,\"00001\":0}"));
    assert_null(read_tree(text_span(&text)));
    assert_int_equal(diagnostics.errors, 1);
    expect_text(diagnostics.first->message, "not valid JSON: the key is there twice");
    expect_place(diagnostics.first->place, 2, 1);
}

static void a_tree_becomes_the_value_that_json_read_gives(void **state)
{
    static const struct span rows[] = {
        ROW("null"),
        ROW("[]"),
        ROW("{}"),
        ROW("[1,2.5,\"a\\n\",true,false,null]"),
        ROW("{\"a\":{\"b\":[{\"c\":1},[]]},\"d\":{}}"),
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct value value;
        struct json_error error;
        const struct node *root = read_tree(rows[i]);
        expect_row(root != NULL, rows[i]);
        expect_row(json_read(rows[i], &arena, &value, &error) == STATUS_OK, rows[i]);
        expect_row(value_equal(value, node_value(root, &arena)), rows[i]);
    }
}

/* Damage one byte of a good file in every way: both readers agree whether it is JSON. */
static void both_readers_agree_on_damaged_files(void **state)
{
    static const char good[] =
        "{\"a\":[1,-2.5e3,\"\xc3\xa9\\u00e9\\n\",true,null],\"b\":{\"c\":\"\"}}";
    char bytes[sizeof good];
    (void)state;
    for (size_t at = 0; at < sizeof good - 1; at++) {
        for (int byte = 0; byte < 256; byte++) {
            struct value value;
            struct json_error error;
            struct span text = span_of(bytes, sizeof good - 1);
            memcpy(bytes, good, sizeof good);
            bytes[at] = (char)byte;
            arena_clear(&arena);
            diagnostics_init(&diagnostics, &arena);
            const struct node *root = read_tree(text);
            enum status status = json_read(text, &arena, &value, &error);
            expect_row((root != NULL) == (status == STATUS_OK), text);
            if (root == NULL) {
                struct place place = json_place(text, error.offset, SPAN(""));
                expect_row(diagnostics.first->place.line == place.line, text);
                expect_row(diagnostics.first->place.column == place.column, text);
            }
        }
    }
}

static void members_of_a_tree_are_found(void **state)
{
    (void)state;
    const struct node *root = read_tree(SPAN("{\"a\":\"x\",\"b\":1,\"c\":[true,null,1.5]}"));
    expect_text(node_text(node_find(root, SPAN("a"))), "x");
    assert_true(node_is_string(node_find(root, SPAN("a"))));
    assert_false(node_is_string(node_find(root, SPAN("b"))));
    assert_false(node_is_string(NULL));
    assert_null(node_find(root, SPAN("d")));
    assert_null(node_find(NULL, SPAN("a")));
    const struct node *list = node_find(root, SPAN("c"));
    assert_null(node_find(list, SPAN("a")));
    assert_string_equal(node_kind_name(root), "a map");
    assert_string_equal(node_kind_name(list), "a list");
    assert_string_equal(node_kind_name(node_find(root, SPAN("a"))), "a string");
    assert_string_equal(node_kind_name(node_find(root, SPAN("b"))), "a number");
    assert_string_equal(node_kind_name(list->items[0]), "true or false");
    assert_string_equal(node_kind_name(list->items[1]), "null");
    assert_string_equal(node_kind_name(list->items[2]), "a number");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_arena, close_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_part_has_its_place),
        TEST(errors_have_one_diagnostic_with_its_place),
        TEST(nesting_ends_at_a_hundred_levels),
        TEST(values_are_counted_to_their_limit),
        TEST(many_keys_are_read_and_the_one_there_twice_is_found),
        TEST(a_tree_becomes_the_value_that_json_read_gives),
        TEST(both_readers_agree_on_damaged_files),
        TEST(members_of_a_tree_are_found),
    };
    return cmocka_run_group_tests_name("json_tree", tests, NULL, NULL);
}
