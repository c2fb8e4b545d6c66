/*
 * test_wire.c - definition files, good and bad: what is read, where it stands, what is said.
 *
 * Trees are compared as one line of text: strings in quotes, doubles with a dot, keys bare.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/text.h"
#include "wire/wire.h"

/* One reading, with everything it needs. */
struct reading {
    struct arena arena;
    struct diagnostics diagnostics;
    const struct node *root;
};

static void read_text(struct reading *reading, struct span text, const char *file)
{
    struct arena_guard guard;
    arena_open(&reading->arena, DEFINITION_ARENA_BYTES);
    assert_true(!arena_is_spent(&reading->arena, &guard));
    diagnostics_init(&reading->diagnostics, &reading->arena);
    reading->root = wire_read_definition(text, span_from_text(file), &reading->arena,
                                         &reading->diagnostics);
    arena_release_guard(&reading->arena, &guard);
    assert_true((reading->root == NULL) == (reading->diagnostics.errors == 1));
    assert_true(reading->diagnostics.errors <= 1);
}

static void read_close(struct reading *reading)
{
    arena_close(&reading->arena);
}

static void write_node(struct text *to, const struct node *node)
{
    switch (node->kind) {
    case NODE_SCALAR:
        if (node->scalar.kind == VALUE_STRING)
            text_format(to, "\"%.*s\"", SPAN_ARGS(node_text(node)));
        else if (node->scalar.kind == VALUE_INT)
            text_add_int(to, node->scalar.integer);
        else if (node->scalar.kind == VALUE_DOUBLE)
            text_add_double(to, node->scalar.real);
        else if (node->scalar.kind == VALUE_BOOL)
            text_add(to, node->scalar.boolean ? SPAN("true") : SPAN("false"));
        else
            text_add(to, SPAN("null"));
        return;
    case NODE_LIST:
        text_add(to, SPAN("["));
        for (uint32_t i = 0; i < node->count; i++) {
            text_add(to, i == 0 ? SPAN("") : SPAN(", "));
            write_node(to, node->items[i]);
        }
        text_add(to, SPAN("]"));
        return;
    case NODE_MAP:
        text_add(to, SPAN("{"));
        for (uint32_t i = 0; i < node->count; i++) {
            text_format(to, "%s%.*s: ", i == 0 ? "" : ", ", SPAN_ARGS(node->entries[i].key));
            write_node(to, node->entries[i].value);
        }
        text_add(to, SPAN("}"));
        return;
    }
    fail();
}

/* The same with places: keys and scalars as line:column. */
static void write_places(struct text *to, const struct node *node)
{
    text_format(to, "%u:%u", node->place.line, node->place.column);
    for (uint32_t i = 0; i < node->count; i++) {
        text_add(to, i == 0 ? SPAN("(") : SPAN(" "));
        if (node->kind == NODE_MAP)
            text_format(to, "%u:%u=", node->entries[i].place.line,
                        node->entries[i].place.column);
        write_places(to, node->kind == NODE_MAP ? node->entries[i].value : node->items[i]);
    }
    if (node->count > 0)
        text_add(to, SPAN(")"));
}

struct good {
    const char *text;
    const char *expected;
};

typedef void node_writer(struct text *to, const struct node *node);

static void check_good(const struct good *rows, size_t count, node_writer *write)
{
    for (size_t i = 0; i < count; i++) {
        struct reading reading;
        read_text(&reading, span_from_text(rows[i].text), "m.yaml");
        if (reading.root == NULL)
            fail_msg("%s\n%.*s", rows[i].text, SPAN_ARGS(reading.diagnostics.first->message));
        struct text written;
        text_init(&written, NULL);
        write(&written, reading.root);
        text_add_byte(&written, '\0');
        assert_string_equal(written.bytes, rows[i].expected);
        text_fini(&written);
        read_close(&reading);
    }
}

#define CHECK_GOOD(rows, write) check_good((rows), sizeof(rows) / sizeof *(rows), (write))

static void words_are_what_the_core_schema_says(void **state)
{
    (void)state;
    static const struct good ROWS[] = {
        {"on: yes", "{on: \"yes\"}"},
        {"[on, off, yes, no, y, n]", "[\"on\", \"off\", \"yes\", \"no\", \"y\", \"n\"]"},
        {"[true, True, TRUE, tRUE]", "[true, true, true, \"tRUE\"]"},
        {"[false, False, FALSE]", "[false, false, false]"},
        {"[null, Null, NULL, ~, nULL]", "[null, null, null, null, \"nULL\"]"},
        {"a:", "{a: null}"},
        {"- \n- ''", "[null, \"\"]"},
        {"[0, -0, +12, 007, -17]", "[0, 0, 12, 7, -17]"},
        {"[0x1F, 0o17, 0b11, 1_000]", "[31, 15, \"0b11\", \"1_000\"]"},
        {"[0x, 0o8, 0xg, -0x1]", "[\"0x\", \"0o8\", \"0xg\", \"-0x1\"]"},
        {"[9223372036854775807, -9223372036854775808]",
         "[9223372036854775807, -9223372036854775808]"},
        {"[1.5, -.5, 2., 1e3, 1.E-2, +0.0]", "[1.5, -0.5, 2.0, 1000.0, 0.01, 0.0]"},
        {"[., 1e, e1, 1.2.3, +, '-', 1:30]",
         "[\".\", \"1e\", \"e1\", \"1.2.3\", \"+\", \"-\", \"1:30\"]"},
        {"[2026-01-31, 30s, 50%]", "[\"2026-01-31\", \"30s\", \"50%\"]"},
        {"['1', \"true\", 'null']", "[\"1\", \"true\", \"null\"]"},
        {"|\n  a\n  b", "\"a\nb\""},
        {">-\n  a\n  b", "\"a b\""},
        {"plain", "\"plain\""},
        {"\"\\u00e9\\n\\/\"", "\"é\n/\""},
        {"'it''s'", "\"it's\""},
    };
    CHECK_GOOD(ROWS, write_node);
}

static void tags_say_the_kind(void **state)
{
    (void)state;
    static const struct good ROWS[] = {
        {"!!str 12", "\"12\""},
        {"!!int '12'", "12"},
        {"!!float 12", "12.0"},
        {"!!bool 'true'", "true"},
        {"!!null ''", "null"},
        {"!!map {a: !!seq [1]}", "{a: [1]}"},
        {"!!str on: !!str", "{on: \"\"}"},
        {"! a", "\"a\""},
    };
    CHECK_GOOD(ROWS, write_node);
}

static void structures_are_read_in_the_order_written(void **state)
{
    (void)state;
    static const struct good ROWS[] = {
        {"b: 1\na: {c: [1, 2], d: {}}\ne: []", "{b: 1, a: {c: [1, 2], d: {}}, e: []}"},
        {"- a: 1\n  b: 2\n- - x\n", "[{a: 1, b: 2}, [\"x\"]]"},
        {"1: a\ntrue: b\n~: c\n'': d", "{1: \"a\", true: \"b\", ~: \"c\", : \"d\"}"},
        {"? a\n: 1\n? b", "{a: 1, b: null}"},
        {"a: &x {k: [1]}\nb: *x\nc: [*x, *x]",
         "{a: {k: [1]}, b: {k: [1]}, c: [{k: [1]}, {k: [1]}]}"},
        {"a: &x 1\nb: &x 2\nc: *x", "{a: 1, b: 2, c: 2}"},
        {"&k key: 1\nb: *k", "{key: 1, b: \"key\"}"},
        {"a: &x [&x 1, *x]\nb: *x", "{a: [1, 1], b: 1}"},
        {"%YAML 1.2\n---\na: 1\n...\n", "{a: 1}"},
        {"# only\na: 1 # and\n", "{a: 1}"},
        {"'<<': 1", "{<<: 1}"},
        {"a: \"x\ty\"\nb:\t1", "{a: \"x\ty\", b: 1}"},
        {"\xef\xbb\xbf"
         "a: 1",
         "{a: 1}"},
        {"---\n", "null"},
        {"{\"a\": [1, 2.0, \"on\", true, null]}", "{a: [1, 2.0, \"on\", true, null]}"},
        {"\xef\xbb\xbf"
         "\n [\"\\ud83d\\ude00\"]",
         "[\"😀\"]"},
        {"{a: 1, 'b': [c, d,], }", "{a: 1, b: [\"c\", \"d\"]}"},
        {"a: 1\r\nb: |\r\n  x\r\n", "{a: 1, b: \"x\n\"}"},
    };
    CHECK_GOOD(ROWS, write_node);
}

static void every_part_has_its_place(void **state)
{
    (void)state;
    static const struct good ROWS[] = {
        {"a: 1", "1:1(1:1=1:4)"},
        {"\xef\xbb\xbf"
         "a: 1",
         "1:1(1:1=1:4)"},
        {"# x\n\na:\n  b: 'x'\n", "3:1(3:1=4:3(4:3=4:6))"},
        {"é: ü\nb: [é, 😀, x]", "1:1(1:1=1:4 2:1=2:4(2:5 2:8 2:11))"},
        {"a: &x !!str y\nb: *x", "1:1(1:1=1:4 2:1=1:4)"},
        {"a: 1\r\nb: 2", "1:1(1:1=1:4 2:1=2:4)"},
        {"{\"a\":\n [1]}", "1:1(1:2=2:2(2:3))"},
        {"\n  {\"é\": 1, \"b\": 2}", "2:3(2:4=2:9 2:12=2:17)"},
    };
    CHECK_GOOD(ROWS, write_places);
}

struct bad {
    const char *text;
    uint32_t line;
    uint32_t column;
    const char *message;
};

static void check_bad_text(struct span text, const char *file, const struct bad *row)
{
    struct reading reading;
    read_text(&reading, text, file);
    if (reading.root != NULL)
        fail_msg("read without complaint: %s", row->text);
    const struct diagnostic *first = reading.diagnostics.first;
    assert_string_equal(first->message.text, row->message);
    if (first->place.line != row->line || first->place.column != row->column)
        fail_msg("%s: %u:%u instead of %u:%u", row->message, first->place.line,
                 first->place.column, row->line, row->column);
    assert_true(span_is(first->code, "IL0101"));
    assert_true(span_is(first->place.file, file));
    read_close(&reading);
}

static void what_is_wrong_is_said_with_its_place(void **state)
{
    (void)state;
    static const struct bad ROWS[] = {
        {"", 1, 1, "the file is empty"},
        {" \n\t", 1, 1, "the file is empty"},
        {"# only a comment\n", 1, 1, "the file is empty"},
        {"a: b: c", 1, 5, "a ':' is not expected here"},
        {"a:\n  b: 1\n c: 2", 3, 2, "expected a key, in the map that starts at line 1"},
        {"a: [1,\nb: 2", 2, 5, "expected ',' or ']', in the list that starts at line 1"},
        {"a:\n\tb: 1", 2, 1, "a tab cannot indent"},
        {"a: 'x\nb: 1\n", 1, 4, "the quote that starts here is never closed"},
        {"a: \"\\q\"", 1, 5, "there is no such escape in double quotes"},
        {"a: @x", 1, 4, "a value cannot start with '@'"},
        {"é: `x", 1, 4, "a value cannot start with '`'"},
        {"- a\nb", 2, 2, "expected ':' behind the key, in the text that starts at line 2"},
        {"- a\nb: 1", 2, 1, "expected '-', in the list that starts at line 1"},
        {"a: - b", 1, 4, "a list is not expected here"},
        {"key: 1\nother", 2, 6,
         "expected ':' behind the key, in the text that starts at line 2"},
        {"a: 1\n}", 2, 1, "expected a key, in the map that starts at line 1"},
        {"{a: 1}\n}", 2, 1, "expected the end of the file"},
        {"a: x\x01y", 1, 5, "control characters are not allowed"},
        {"a: é\xff", 1, 5, "the byte 0xff is not valid UTF-8 here"},
        {"a: 1\nb: \xc3", 2, 4, "the byte 0xc3 is not valid UTF-8 here"},
        {"\xff\xfe"
         "a",
         1, 1, "the byte 0xff is not valid UTF-8 here"},
        {"a: x\xe2\x80\xa8y", 1, 5, "the character U+2028 cannot stand in YAML as it is"},
        {"a: 1\nb: 2\n'a': 3", 3, 1, "the key `a` is already in this map, at line 1 column 1"},
        {"x: {b: 1, \"b\": 1}", 1, 11,
         "the key `b` is already in this map, at line 1 column 5"},
        {"{\"b\": 1, \"b\": 1}", 1, 10,
         "the key `b` is already in this map, at line 1 column 2"},
        {"1: a\n'1': b", 2, 1, "the key `1` is already in this map, at line 1 column 1"},
        {"a: &x 1\nb:\n  <<: *x", 3, 3, "merge keys (`<<`) are not supported"},
        {"? [a]\n: 1", 1, 3, "a list or a map cannot be a key"},
        {"{a: 1}: 1", 1, 1, "a list or a map cannot be a key"},
        {"a: &x b\n*x : 1", 2, 1, "an alias cannot be a key"},
        {"a: *x", 1, 4, "there is no anchor `&x` before this alias"},
        {"&a [*a]", 1, 5, "the alias `*a` stands inside of what it names"},
        {"a: &a {b: {c: *a}}", 1, 15, "the alias `*a` stands inside of what it names"},
        {"--- 1\n--- 2", 2, 1, "a second document starts here"},
        {"a: .inf", 1, 4, ".inf is not a finite number"},
        {"a: -.INF", 1, 4, "-.INF is not a finite number"},
        {"a: .nan", 1, 4, ".nan is not a finite number"},
        {"a: 1e999", 1, 4, "1e999 is not a finite number"},
        {"a: 9223372036854775808", 1, 4,
         "9223372036854775808 does not fit into 64 bits with a sign"},
        {"a: -9223372036854775809", 1, 4,
         "-9223372036854775809 does not fit into 64 bits with a sign"},
        {"a: 0x8000000000000000", 1, 4,
         "0x8000000000000000 does not fit into 64 bits with a sign"},
        {"a: !!int x", 1, 4, "x is not an integer"},
        {"a: !!float 1s", 1, 4, "1s is not a number"},
        {"a: !!bool on", 1, 4, "on is neither true nor false"},
        {"a: !!null 0", 1, 4, "0 is not null"},
        {"a: !!binary aGk=", 1, 4, "the tag !!binary cannot be used here"},
        {"a: !price 3", 1, 4, "the tag !price cannot be used here"},
        {"a: !!str [1]", 1, 4, "the tag !!str cannot be used here"},
        {"a: !!seq {}", 1, 4, "the tag !!seq cannot be used here"},
        {"!!int 1: a", 1, 1, "the tag !!int cannot be used here"},
        {"a: !e!x 1", 1, 4, "found undefined tag handle"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        check_bad_text(span_from_text(ROWS[i].text), "dir/m.yaml", &ROWS[i]);
}

static void a_file_named_json_is_json_and_nothing_else(void **state)
{
    (void)state;
    struct reading reading;
    static const char COMMA[] = "{\"a\": 1, }";
    read_text(&reading, span_from_text(COMMA), "m.json");
    assert_null(reading.root);
    assert_non_null(strstr(reading.diagnostics.first->message.text, "not valid JSON"));
    read_close(&reading);
    read_text(&reading, span_from_text(COMMA), "m.yaml");
    assert_non_null(reading.root);
    read_close(&reading);
}

static void the_name_decides_whose_complaint_is_told(void **state)
{
    (void)state;
    static const struct bad AS_YAML = {"{\"a\": 1,\n \"b\": @}", 2, 7,
                                       "a value cannot start with '@'"};
    struct reading reading;
    check_bad_text(span_from_text(AS_YAML.text), "m.yaml", &AS_YAML);
    read_text(&reading, span_from_text(AS_YAML.text), "m.json");
    assert_null(reading.root);
    assert_int_equal(reading.diagnostics.first->place.line, 2);
    assert_string_not_equal(reading.diagnostics.first->message.text, AS_YAML.message);
    read_close(&reading);
}

/* Text made of a head, count times a part, and a tail. */
static struct span repeated(const char *head, const char *part, size_t count, const char *tail)
{
    struct text text;
    text_init(&text, NULL);
    text_add(&text, span_from_text(head));
    for (size_t i = 0; i < count; i++)
        text_add(&text, span_from_text(part));
    text_add(&text, span_from_text(tail));
    return text_span(&text); /* freed by the caller */
}

static void check_repeated(const char *head, const char *part, size_t count, const char *tail,
                           const struct bad *row)
{
    struct span text = repeated(head, part, count, tail);
    if (row != NULL) {
        check_bad_text(text, "m.yaml", row);
    } else {
        struct reading reading;
        read_text(&reading, text, "m.yaml");
        assert_non_null(reading.root);
        read_close(&reading);
    }
    struct text owner = {.bytes = (char *)(uintptr_t)text.text};
    text_fini(&owner);
}

static void nesting_has_a_limit(void **state)
{
    (void)state;
    static const struct bad LISTS = {"[[[", 1, 101, "lists and maps nest deeper than 100"};
    static const struct bad DASHES = {"- - -", 1, 201, "lists and maps nest deeper than 100"};
    static const struct bad MAPS = {"? ? ?", 1, 3, "a list or a map cannot be a key"};
    check_repeated(
        "", "[", 100, "x",
        &(struct bad){"[", 1, 102, "expected ',' or ']', in the list that starts at line 1"});
    check_repeated("", "[", 101, "", &LISTS);
    check_repeated("", "[", 100000, "", &LISTS);
    check_repeated("", "- ", 100, "x", NULL);
    check_repeated("", "- ", 101, "x", &DASHES);
    check_repeated("", "? ", 5000, "x", &MAPS);
}

static void aliases_count_towards_the_nesting(void **state)
{
    (void)state;
    struct span deep = repeated("a: &a ", "[", 60, "");
    struct span rest = repeated("", "]", 60, "\nb: ");
    struct text text;
    text_init(&text, NULL);
    text_add(&text, deep);
    text_add(&text, rest);
    size_t good = text.size;
    for (int i = 0; i < 40; i++)
        text_add(&text, SPAN("["));
    text_add(&text, SPAN("*a"));
    check_bad_text(text_span(&text), "m.yaml",
                   &(struct bad){"", 2, 44, "lists and maps nest deeper than 100"});
    text.size = good;
    for (int i = 0; i < 39; i++)
        text_add(&text, SPAN("["));
    text_add(&text, SPAN("*a"));
    for (int i = 0; i < 39; i++)
        text_add(&text, SPAN("]"));
    struct reading reading;
    read_text(&reading, text_span(&text), "m.yaml");
    assert_non_null(reading.root);
    read_close(&reading);
    text_fini(&text);
    free((void *)(uintptr_t)deep.text);
    free((void *)(uintptr_t)rest.text);
}

static void a_bomb_of_aliases_is_refused_once(void **state)
{
    (void)state;
    static const struct bad BOMB = {"a: &a [x,x,x,x,x,x,x,x,x,x]\n"
                                    "b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
                                    "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
                                    "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
                                    "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n"
                                    "f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n"
                                    "g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f,*f]\n"
                                    "h: [*g,*g,*g,*g,*g,*g,*g,*g,*g,*g]\n",
                                    6, 8,
                                    "more than 200000 values once aliases are written out"};
    check_bad_text(span_from_text(BOMB.text), "m.yaml", &BOMB);
    check_repeated("", "- \n", 199999, "", NULL);
    check_repeated(
        "", "- \n", 200000, "",
        &(struct bad){"", 200000, 2, "more than 200000 values once aliases are written out"});
}

static void large_files_are_refused_and_full_ones_are_quick(void **state)
{
    (void)state;
    check_repeated(
        "", "# 45678901234\n", DEFINITION_BYTES_MAX / 14 + 1, "",
        &(struct bad){"", 1, 1,
                      "the file has 1048586 bytes; a definition has at most 1048576"});
    check_repeated("", "&a 1: *a\n", 1, "x: y", NULL);
    struct text keys; /* many keys and anchors: neither is compared with each */
    text_init(&keys, NULL);
    for (int i = 0; i < 50000; i++)
        text_format(&keys, "k%d: &a%d 1\n", i, i);
    struct reading reading;
    read_text(&reading, text_span(&keys), "m.yaml");
    assert_non_null(reading.root);
    assert_int_equal(reading.root->count, 50000);
    read_close(&reading);
    text_fini(&keys);
}

/* A reader that runs out of arena memory passes the jump on and leaves nothing behind. */
static void a_spent_arena_jumps_without_a_leak(void **state)
{
    (void)state;
    static char memory[4096];
    struct span text = SPAN("a: &x [1, 2, {b: c}]\nb: [*x, *x, 'd', \"e\"]\nc: &y {d: 1}\n");
    volatile size_t jumps = 0;
    for (volatile size_t size = 64; size < sizeof memory; size += 16) {
        struct arena arena;
        struct arena_guard guard;
        arena_init(&arena, memory, size);
        if (arena_is_spent(&arena, &guard)) {
            jumps = jumps + 1;
            continue;
        }
        struct diagnostics diagnostics;
        diagnostics_init(&diagnostics, &arena);
        assert_non_null(wire_read_definition(text, SPAN("m.yaml"), &arena, &diagnostics));
        arena_release_guard(&arena, &guard);
    }
    assert_true(jumps > 50 && jumps < 250);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_what_the_core_schema_says),
        cmocka_unit_test(tags_say_the_kind),
        cmocka_unit_test(structures_are_read_in_the_order_written),
        cmocka_unit_test(every_part_has_its_place),
        cmocka_unit_test(what_is_wrong_is_said_with_its_place),
        cmocka_unit_test(a_file_named_json_is_json_and_nothing_else),
        cmocka_unit_test(the_name_decides_whose_complaint_is_told),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(aliases_count_towards_the_nesting),
        cmocka_unit_test(a_bomb_of_aliases_is_refused_once),
        cmocka_unit_test(large_files_are_refused_and_full_ones_are_quick),
        cmocka_unit_test(a_spent_arena_jumps_without_a_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
