/*
 * test_json.c - JSON text to values: what RFC 8259 allows, what it does not, and where.
 */
#include "base/json.h"

#include <math.h>
#include <stdio.h>

#include "base/limits.h"
#include "expect.h"

static struct arena arena;

static int open_arena(void **state)
{
    (void)state;
    arena_open(&arena, 256 << 20);
    return 0;
}

static int close_arena(void **state)
{
    (void)state;
    arena_close(&arena);
    return 0;
}

/* Reads from memory of exactly the text's size, so that reading beyond it is seen. */
static enum status read_exactly(struct span text, struct value *value, struct json_error *error)
{
    char *bytes = malloc(text.size + (text.size == 0));
    if (text.size > 0)
        memcpy(bytes, text.text, text.size);
    struct value read;
    enum status status = json_read(span_of(bytes, text.size), &arena, &read, error);
    if (status == STATUS_OK)
        *value = value_copy(&arena, read);
    free(bytes);
    return status;
}

static struct value must_read(struct span text)
{
    struct value value = value_null();
    struct json_error error = {0};
    enum status status = read_exactly(text, &value, &error);
    if (status != STATUS_OK)
        fail_msg("\"%.*s\" at %zu: %s", SPAN_ARGS(text), error.offset, error.message);
    return value;
}

static void whole_numbers_are_ints_and_others_doubles(void **state)
{
    const struct {
        struct span text;
        struct value value;
    } rows[] = {
        {ROW("0"), value_int(0)},
        {ROW("-0"), value_int(0)},
        {ROW("1"), value_int(1)},
        {ROW("-1"), value_int(-1)},
        {ROW("1234567890"), value_int(1234567890)},
        {ROW("9007199254740993"), value_int(9007199254740993)},
        {ROW("999999999999999999"), value_int(999999999999999999)},
        {ROW("1000000000000000000"), value_int(1000000000000000000)},
        {ROW("9223372036854775807"), value_int(INT64_MAX)},
        {ROW("-9223372036854775808"), value_int(INT64_MIN)},
        {ROW("0.0"), value_double(0)},
        {ROW("-0.0"), value_double(-0.0)},
        {ROW("-0e0"), value_double(-0.0)},
        {ROW("1.0"), value_double(1)},
        {ROW("1.5"), value_double(1.5)},
        {ROW("-12.75"), value_double(-12.75)},
        {ROW("49.99"), value_double(49.99)},
        {ROW("1e0"), value_double(1)},
        {ROW("1E2"), value_double(100)},
        {ROW("1e+2"), value_double(100)},
        {ROW("1e-2"), value_double(0.01)},
        {ROW("12.5e-1"), value_double(1.25)},
        {ROW("0e99999999999999999999"), value_double(0)},
        {ROW("0.00e5"), value_double(0)},
        {ROW("1e22"), value_double(1e22)},
        {ROW("1e23"), value_double(1e23)},
        {ROW("123456789012345678901234567890.0"),
         value_double(123456789012345678901234567890.0)},
        {ROW("9007199254740993.0"), value_double(9007199254740992.0)},
        {ROW("9007199254740992.9999999999999999999999"), value_double(9007199254740992.0)},
        {ROW("9007199254740993.0000000000000000000001"), value_double(9007199254740994.0)},
        {ROW("0.1"), value_double(0.1)},
        {ROW("0.30000000000000004"), value_double(0.1 + 0.2)},
        {ROW("2.2250738585072011e-308"), value_double(2.2250738585072011e-308)},
        {ROW("2.2250738585072014e-308"), value_double(2.2250738585072014e-308)},
        {ROW("4.9e-324"), value_double(4.9e-324)},
        {ROW("1e-400"), value_double(0)},
        {ROW("-1e-99999999999999999999"), value_double(-0.0)},
        {ROW("1.7976931348623157e308"), value_double(1.7976931348623157e308)},
        {ROW("1.7976931348623158e308"), value_double(1.7976931348623157e308)},
        {ROW("17976931348623157e292"), value_double(1.7976931348623157e308)},
        {ROW("9223372036854775808.0"), value_double(0x1p63)},
        {ROW("0.000000000000000000000000000000000000000000000000000000000000000000001e69"),
         value_double(1)},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct value value = must_read(rows[i].text);
        expect_row(value.kind == rows[i].value.kind, rows[i].text);
        expect_row(value.integer == rows[i].value.integer, rows[i].text); /* all 64 bits */
    }
}

static void strings_are_unescaped(void **state)
{
    static const struct {
        struct span text;
        struct span string;
    } rows[] = {
        {ROW("\"\""), ROW("")},
        {ROW("\"a\""), ROW("a")},
        {ROW("\"a b/c\x7f\""), ROW("a b/c\x7f")},
        {ROW("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), ROW("\"\\/\b\f\n\r\t")},
        {ROW("\"x\\ny\""), ROW("x\ny")},
        {ROW("\"\\\\n\""), ROW("\\n")},
        {ROW("\"\\\\\""), ROW("\\")},
        {ROW("\"\\u0041\""), ROW("A")},
        {ROW("\"\\u0000\""), ROW("\0")},
        {ROW("\"a\\u0000b\""), ROW("a\0b")},
        {ROW("\"\\u001f\""), ROW("\x1f")},
        {ROW("\"\\u007F\\u0080\""), ROW("\x7f\xc2\x80")},
        {ROW("\"\\u07ff\\u0800\""), ROW("\xdf\xbf\xe0\xa0\x80")},
        {ROW("\"\\u20AC\\u20ac\""), ROW("\xe2\x82\xac\xe2\x82\xac")},
        {ROW("\"\\ud7ff\\ue000\\uffff\""), ROW("\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf")},
        {ROW("\"\\ud800\\udc00\""), ROW("\xf0\x90\x80\x80")},
        {ROW("\"\\uDBFF\\uDFFF\""), ROW("\xf4\x8f\xbf\xbf")},
        {ROW("\"\\ud83c\\udf4b!\""), ROW("\xf0\x9f\x8d\x8b!")},
        {ROW("\"\xe2\x82\xac \xf0\x9f\x8d\x8b\""), ROW("\xe2\x82\xac \xf0\x9f\x8d\x8b")},
        {ROW("\"\xe2\x82\xac\\n\xf0\x9f\x8d\x8b\""), ROW("\xe2\x82\xac\n\xf0\x9f\x8d\x8b")},
        {ROW("\"// no comment\""), ROW("// no comment")},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct value value = must_read(rows[i].text);
        expect_row(value.kind == VALUE_STRING, rows[i].text);
        expect_row(span_equal(value_span(value), rows[i].string), rows[i].text);
    }
}

static void other_documents_are_accepted(void **state)
{
    static const struct {
        struct span text;
        enum value_kind kind;
        uint32_t count;
    } rows[] = {
        {ROW("null"), VALUE_NULL, 0},
        {ROW("true"), VALUE_BOOL, 0},
        {ROW("false"), VALUE_BOOL, 0},
        {ROW(" \t\r\n null \t\r\n "), VALUE_NULL, 0},
        {ROW("[]"), VALUE_LIST, 0},
        {ROW("[ ]"), VALUE_LIST, 0},
        {ROW("{}"), VALUE_MAP, 0},
        {ROW("{ \n }"), VALUE_MAP, 0},
        {ROW("[null]"), VALUE_LIST, 1},
        {ROW("[1,\"a\",true,null,[],{}]"), VALUE_LIST, 6},
        {ROW(" [ 1 , 2 ] "), VALUE_LIST, 2},
        {ROW("[[[[[]]]]]"), VALUE_LIST, 1},
        {ROW("{\"a\":1}"), VALUE_MAP, 1},
        {ROW(" { \"a\" : 1 , \"b\" : { } } "), VALUE_MAP, 2},
        {ROW("{\"\":0}"), VALUE_MAP, 1},
        {ROW("{\"a\":1,\"A\":2,\"a \":3,\"a\\u0000\":4}"), VALUE_MAP, 4},
        {ROW("{\"a\":{\"a\":{\"a\":1}}}"), VALUE_MAP, 1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct value value = must_read(rows[i].text);
        expect_row(value.kind == rows[i].kind, rows[i].text);
        expect_row(value.count == rows[i].count, rows[i].text);
    }
    assert_true(value_is_true(must_read(SPAN("true"))));
    assert_false(value_is_true(must_read(SPAN("false"))));
}

static void members_keep_the_order_in_which_they_were_written(void **state)
{
    struct value map = must_read(SPAN("{\"c\":1,\"a\":[2,3],\"b\":{\"x\":\"y\"}}"));
    (void)state;
    expect_text(value_span(map.entries[0].key), "c");
    expect_text(value_span(map.entries[1].key), "a");
    expect_text(value_span(map.entries[2].key), "b");
    assert_int_equal(map.entries[0].value.integer, 1);
    assert_int_equal(map.entries[1].value.items[0].integer, 2);
    assert_int_equal(map.entries[1].value.items[1].integer, 3);
    expect_text(value_span(value_member(map.entries[2].value, SPAN("x"))), "y");
}

static const struct {
    struct span text;
    size_t offset;
} refused[] = {
    {ROW(""), 0},
    {ROW("  "), 2},
    {ROW("\0"), 0},
    {ROW("nul"), 0},
    {ROW("nulL"), 0},
    {ROW("NULL"), 0},
    {ROW("True"), 0},
    {ROW("truex"), 4},
    {ROW("nullnull"), 4},
    {ROW("1 2"), 2},
    {ROW("{}{}"), 2},
    {ROW("null\0"), 4},
    {ROW("\xef\xbb\xbf{}"), 0}, /* a byte order mark */
    {ROW("\xc2\xa0 1"), 0},     /* a blank of Unicode, not of JSON */
    {ROW("\v1"), 0},
    {ROW("'a'"), 0},
    {ROW("a"), 0},
    {ROW("NaN"), 0},
    {ROW("Infinity"), 0},
    {ROW("-Infinity"), 0},
    {ROW("// a\n1"), 0},
    {ROW("1 // a"), 2},
    {ROW("/* a */ 1"), 0},
    {ROW("# a"), 0},

    {ROW("+1"), 0},
    {ROW("-"), 0},
    {ROW("--1"), 0},
    {ROW("- 1"), 0},
    {ROW("01"), 0},
    {ROW("-01"), 0},
    {ROW("00"), 0},
    {ROW(".5"), 0},
    {ROW("-.5"), 0},
    {ROW("1."), 0},
    {ROW("1.e5"), 0},
    {ROW("1e"), 0},
    {ROW("1e+"), 0},
    {ROW("1.5e"), 0},
    {ROW("1ee5"), 0},
    {ROW("1.5.5"), 3},
    {ROW("0x10"), 1},
    {ROW("1_000"), 1},
    {ROW("1,000"), 1},
    {ROW("1f"), 1},
    {ROW("9223372036854775808"), 0},
    {ROW("-9223372036854775809"), 0},
    {ROW("18446744073709551616"), 0},
    {ROW("[99999999999999999999999999999999]"), 1},
    {ROW("1e309"), 0},
    {ROW("-1e309"), 0},
    {ROW("1e99999999999999999999"), 0},
    {ROW("[1.7976931348623159e308]"), 1},

    {ROW("\""), 1},
    {ROW("\"abc"), 4},
    {ROW("\"abc\\\""), 6},
    {ROW("\"abc\\"), 5},
    {ROW("\"a\nb\""), 2},
    {ROW("\"a\tb\""), 2},
    {ROW("\"a\0b\""), 2},
    {ROW("\"\x1f\""), 1},
    {ROW("\"\\x41\""), 2},
    {ROW("\"\\a\""), 2},
    {ROW("\"\\'\""), 2},
    {ROW("\"ab\\\ncd\""), 4},
    {ROW("\"\\\0\""), 2},
    {ROW("\"\\u\""), 3},
    {ROW("\"\\u12\""), 5},
    {ROW("\"\\u123g\""), 6},
    {ROW("\"\\U0041\""), 2},
    {ROW("\"\\u 041\""), 3},
    {ROW("\"\\u+041\""), 3},
    {ROW("\"\\ud800\""), 1},
    {ROW("\"a\\udbff!\""), 2},
    {ROW("\"\\udc00\""), 1},
    {ROW("\"ab\\udfff\""), 3},
    {ROW("\"\\ud800\\n\""), 1},
    {ROW("\"\\ud800\\ud800\""), 1},
    {ROW("\"\\ud800\\u0041\""), 1},
    {ROW("\"\\ud800\\u12\""), 11},
    {ROW("\"\\ud800\\udc0\""), 12},
    {ROW("\"\\udc00\\ud800\""), 1},
    {ROW("\"ab\xff\""), 3},
    {ROW("\"\x80\""), 1},
    {ROW("\"a\xc0\x80\""), 2},
    {ROW("\"\xed\xa0\x80\""), 1},
    {ROW("\"\xe2\x82\""), 1},
    {ROW("\"\xf0\x9f\x8d"), 1},
    {ROW("\"\xc3(\""), 1},
    {ROW("\"\\n\xff\""), 3},
    {ROW("\"0123456789abcdef0123456789abcdef\xff\""), 33},
    {ROW("\"0123456789abcdef0123456789abcdef\x01\""), 33},

    {ROW("["), 1},
    {ROW("[1"), 2},
    {ROW("[1,"), 3},
    {ROW("[1 "), 3},
    {ROW("]"), 0},
    {ROW("[,1]"), 1},
    {ROW("[1,]"), 3},
    {ROW("[1, ]"), 4},
    {ROW("[1,,2]"), 3},
    {ROW("[1 2]"), 3},
    {ROW("[1:2]"), 2},
    {ROW("[1}"), 2},
    {ROW("[1]]"), 3},
    {ROW("[\"a\":1]"), 4},
    {ROW("[nul]"), 1},
    {ROW("{"), 1},
    {ROW("{ "), 2},
    {ROW("{\"a\""), 4},
    {ROW("{\"a\" "), 5},
    {ROW("{\"a\":"), 5},
    {ROW("{\"a\":1"), 6},
    {ROW("{\"a\":1,"), 7},
    {ROW("{\"a\":1]"), 6},
    {ROW("{\"a\":1,}"), 7},
    {ROW("{\"a\":1 , }"), 9},
    {ROW("{,}"), 1},
    {ROW("{\"a\"}"), 4},
    {ROW("{\"a\":}"), 5},
    {ROW("{\"a\",\"b\"}"), 4},
    {ROW("{\"a\" 1}"), 5},
    {ROW("{\"a\"=1}"), 4},
    {ROW("{\"a\":1 \"b\":2}"), 7},
    {ROW("{a:1}"), 1},
    {ROW("{'a':1}"), 1},
    {ROW("{1:1}"), 1},
    {ROW("{null:1}"), 1},
    {ROW("{\"a\":1}}"), 7},
    {ROW("{\"a\":\"b\xff\"}"), 7},
    {ROW("{\"a\xff\":1}"), 3},

    {ROW("{\"a\":1,\"a\":2}"), 7},
    {ROW("{\"a\":1,\"b\":2, \"a\":2}"), 14},
    {ROW("{\"a\":1,\"\\u0061\":2}"), 7},
    {ROW("[{\"\":1,\"\":2}]"), 7},
    {ROW("{\"b\":{\"a\":1,\"a\":1}}"), 12},
};

static void what_is_not_json_is_refused_at_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct value value = value_bool(true);
        struct json_error error = {SIZE_MAX, NULL};
        expect_row(read_exactly(refused[i].text, &value, &error) == STATUS_INVALID,
                   refused[i].text);
        expect_row(error.message != NULL, refused[i].text);
        if (error.offset != refused[i].offset)
            fail_msg("\"%.*s\": '%s' at %zu instead of %zu", SPAN_ARGS(refused[i].text),
                     error.message, error.offset, refused[i].offset);
        expect_row(value.kind == VALUE_BOOL, refused[i].text);
    }
}

static void a_document_cut_at_any_place_is_refused(void **state)
{
    static const char good[] =
        "{\"a\\u00e9\":[1,-2.5e3,\"\xe2\x82\xac\\n\",true,null],\"b\":{}}";
    (void)state;
    must_read(SPAN("{\"a\\u00e9\":[1,-2.5e3,\"\xe2\x82\xac\\n\",true,null],\"b\":{}}"));
    for (size_t size = 0; size < sizeof good - 1; size++) {
        struct value value;
        struct json_error error;
        assert_int_equal(read_exactly(span_of(good, size), &value, &error), STATUS_INVALID);
        assert_true(error.offset <= size);
    }
}

static struct span nested(const char *open, size_t depth, const char *middle, const char *close)
{
    struct text text;
    text_init(&text, &arena);
    for (size_t i = 0; i < depth; i++)
        text_add(&text, span_from_text(open));
    text_add(&text, span_from_text(middle));
    for (size_t i = 0; i < depth; i++)
        text_add(&text, span_from_text(close));
    return text_span(&text);
}

static void nesting_ends_at_a_hundred_levels(void **state)
{
    struct value value;
    struct json_error error;
    (void)state;
    must_read(nested("[", JSON_DEPTH_MAX, "1", "]"));
    must_read(nested("[", JSON_DEPTH_MAX, "", "]"));
    must_read(nested("{\"a\":", JSON_DEPTH_MAX, "1", "}"));
    must_read(nested("[[],{},", JSON_DEPTH_MAX - 1, "1", "]"));
    assert_int_equal(read_exactly(nested("[", JSON_DEPTH_MAX + 1, "", "]"), &value, &error),
                     STATUS_INVALID);
    assert_int_equal(error.offset, 100);
    assert_int_equal(
        read_exactly(nested("{\"a\":", JSON_DEPTH_MAX + 1, "1", "}"), &value, &error),
        STATUS_INVALID);
    assert_int_equal(error.offset, 500);
    assert_int_equal(read_exactly(nested("[", 1000000, "", ""), &value, &error),
                     STATUS_INVALID);
    assert_int_equal(error.offset, 100);
}

/* An object with `count` keys, of which number `twice` is called as number `as`. */
static struct span object_of(size_t count, size_t twice, size_t as, const char *prefix)
{
    struct text text;
    text_init(&text, &arena);
    text_add_byte(&text, '{');
    for (size_t i = 0; i < count; i++) {
        char key[64];
        snprintf(key, sizeof key, "%s%zu", prefix, i == twice ? as : i);
        text_format(&text, "%s\"%s\":%zu", i == 0 ? "" : ",", key, i);
    }
    text_add_byte(&text, '}');
    return text_span(&text);
}

static void objects_of_any_size_are_read(void **state)
{
    static const size_t counts[] = {1, 2, 15, 16, 17, 31, 32, 33, 34, 63, 64, 65, 1000, 60000};
    (void)state;
    for (size_t i = 0; i < COUNT(counts); i++) {
        struct value map = must_read(object_of(counts[i], SIZE_MAX, 0, "key "));
        assert_int_equal(map.count, counts[i]);
        for (size_t j = 0; j < counts[i]; j++)
            assert_int_equal(map.entries[j].value.integer, j);
    }
}

static void a_key_there_twice_is_refused_in_objects_of_any_size(void **state)
{
    static const size_t counts[] = {2, 3, 16, 17, 32, 33, 34, 35, 64, 65, 1000};
    (void)state;
    for (size_t i = 0; i < COUNT(counts); i++) {
        size_t last = counts[i] - 1;
        const size_t pairs[][2] = {
            {last, 0}, {1, 0}, {last, last - 1}, {last, last / 2}, {last / 2 + 1, last / 2}};
        for (size_t j = 0; j < COUNT(pairs); j++) {
            struct value value;
            struct json_error error;
            char again[32];
            struct span text = object_of(counts[i], pairs[j][0], pairs[j][1], "key ");
            assert_int_equal(read_exactly(text, &value, &error), STATUS_INVALID);
            snprintf(again, sizeof again, "\"key %zu\"", pairs[j][1]);
            struct span needle = span_from_text(again);
            assert_int_equal(error.offset,
                             span_find(text, needle, span_find(text, needle, 0) + 1));
        }
    }
}

/* The first of several is told, and one written with escapes is the same key. */
static void escaped_keys_are_told_apart_and_together(void **state)
{
    static const size_t counts[] = {5, 50};
    (void)state;
    for (size_t i = 0; i < COUNT(counts); i++) {
        struct value value;
        struct json_error error;
        must_read(object_of(counts[i], SIZE_MAX, 0, "\\n"));
        struct span text = object_of(counts[i], 3, 1, "\\n");
        assert_int_equal(read_exactly(text, &value, &error), STATUS_INVALID);
        assert_true(error.offset <= text.size);
    }
}

static void lists_of_any_size_are_read(void **state)
{
    static const size_t counts[] = {1, 15, 16, 17, 31, 32, 33, 1000, 200000};
    (void)state;
    for (size_t i = 0; i < COUNT(counts); i++) {
        struct text text;
        text_init(&text, &arena);
        text_add_byte(&text, '[');
        for (size_t j = 0; j < counts[i]; j++)
            text_format(&text, "%s%zu", j == 0 ? "" : ",", j);
        text_add_byte(&text, ']');
        struct value list = must_read(text_span(&text));
        assert_int_equal(list.count, counts[i]);
        for (size_t j = 0; j < counts[i]; j++)
            assert_int_equal(list.items[j].integer, j);
    }
}

static void strings_without_escapes_point_into_the_text(void **state)
{
    static const char text[] = "[\"plain\",\"esc\\n\"]";
    struct value list;
    struct json_error error;
    (void)state;
    assert_int_equal(json_read(span_of(text, sizeof text - 1), &arena, &list, &error),
                     STATUS_OK);
    assert_ptr_equal(list.items[0].text, text + 2);
    assert_true(list.items[1].text < text || list.items[1].text > text + sizeof text);
}

/* Quotes, escapes and bad bytes at every place and length, where words of eight bytes meet. */
static void strings_of_every_length_end_where_they_should(void **state)
{
    char text[160];
    (void)state;
    for (size_t size = 0; size < 70; size++) {
        memset(text, 'x', sizeof text);
        text[0] = '"';
        text[size + 1] = '"';
        assert_int_equal(must_read(span_of(text, size + 2)).count, size);
        for (size_t i = 1; i <= size; i++) {
            struct value value;
            struct json_error error;
            text[i] = '\x1f';
            assert_int_equal(read_exactly(span_of(text, size + 2), &value, &error),
                             STATUS_INVALID);
            assert_int_equal(error.offset, i);
            text[i] = '\x80';
            assert_int_equal(read_exactly(span_of(text, size + 2), &value, &error),
                             STATUS_INVALID);
            assert_int_equal(error.offset, i);
            text[i] = ' ';
            must_read(span_of(text, size + 2));
            text[i] = '\\';
            text[i + 1] = i == size ? '"' : 'n';
            enum status status = read_exactly(span_of(text, size + 2), &value, &error);
            assert_int_equal(status, i == size ? STATUS_INVALID : STATUS_OK);
            assert_true(i == size || value.count == size - 1);
            text[i] = 'x';
            text[i + 1] = i == size ? '"' : 'x';
        }
    }
}

static void a_small_arena_is_spent_cleanly(void **state)
{
    struct span text = object_of(40, SIZE_MAX, 0, "\\n");
    static _Alignas(16) char memory[8192];
    bool done = false;
    (void)state;
    for (size_t size = 16; !done; size += 16) {
        struct arena small;
        struct arena_guard guard;
        struct value value;
        struct json_error error;
        assert_true(size <= sizeof memory);
        arena_init(&small, memory, size);
        if (arena_is_spent(&small, &guard))
            continue;
        assert_int_equal(json_read(text, &small, &value, &error), STATUS_OK);
        assert_int_equal(value.count, 40);
        arena_release_guard(&small, &guard);
        done = true;
    }
}

static void an_empty_document_needs_no_memory_of_its_own(void **state)
{
    struct json_error error;
    struct value value;
    (void)state;
    assert_int_equal(json_read((struct span){NULL, 0}, &arena, &value, &error), STATUS_INVALID);
    assert_int_equal(error.offset, 0);
    assert_int_equal(json_read(SPAN("{\"a\":[]}"), &arena, &value, &error), STATUS_OK);
}

static void places_count_lines_and_code_points(void **state)
{
    static const struct {
        struct span text;
        size_t offset;
        uint32_t line;
        uint32_t column;
    } rows[] = {
        {ROW(""), 0, 1, 1},
        {ROW("abc"), 0, 1, 1},
        {ROW("abc"), 2, 1, 3},
        {ROW("abc"), 3, 1, 4},
        {ROW("abc"), 99, 1, 4},
        {ROW("a\nb"), 1, 1, 2},
        {ROW("a\nb"), 2, 2, 1},
        {ROW("a\r\nb"), 3, 2, 1},
        {ROW("\n\n\n"), 3, 4, 1},
        {ROW("\xe2\x82\xac\xf0\x9f\x8d\x8b!"), 7, 1, 3},
        {ROW("\n\xc3\xa9x"), 3, 2, 2},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct place place = json_place(rows[i].text, rows[i].offset, SPAN("f"));
        expect_row(place.line == rows[i].line && place.column == rows[i].column, rows[i].text);
        expect_text(place.file, "f");
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_arena, close_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(whole_numbers_are_ints_and_others_doubles),
        TEST(strings_are_unescaped),
        TEST(other_documents_are_accepted),
        TEST(members_keep_the_order_in_which_they_were_written),
        TEST(what_is_not_json_is_refused_at_its_place),
        TEST(a_document_cut_at_any_place_is_refused),
        TEST(nesting_ends_at_a_hundred_levels),
        TEST(objects_of_any_size_are_read),
        TEST(a_key_there_twice_is_refused_in_objects_of_any_size),
        TEST(escaped_keys_are_told_apart_and_together),
        TEST(lists_of_any_size_are_read),
        TEST(strings_without_escapes_point_into_the_text),
        TEST(strings_of_every_length_end_where_they_should),
        TEST(a_small_arena_is_spent_cleanly),
        TEST(an_empty_document_needs_no_memory_of_its_own),
        TEST(places_count_lines_and_code_points),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
