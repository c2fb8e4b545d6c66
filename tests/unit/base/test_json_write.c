/*
 * test_json_write.c - values to JSON text, and the same values back.
 */
#include <math.h>

#include "base/json.h"
#include "base/random.h"
#include "expect.h"

#define S(literal) value_string(SPAN(literal))

static struct arena arena;
static struct text text;

static int open_all(void **state)
{
    (void)state;
    arena_open(&arena, 256 << 20);
    text_init(&text, NULL);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    text_fini(&text);
    arena_close(&arena);
    return 0;
}

static struct span written(struct value value)
{
    text_clear(&text);
    json_write(&text, value);
    return text_span(&text);
}

static void values_of_json_are_written(void **state)
{
    const struct value items[] = {value_int(1), S("a"), value_null()};
    const struct value_entry entries[] = {{S("b"), value_int(1)},
                                          {S("a"), value_list(items, 3)}};
    const struct {
        struct value value;
        const char *text;
    } rows[] = {
        {value_null(), "null"},
        {value_bool(true), "true"},
        {value_bool(false), "false"},
        {value_int(INT64_MIN), "-9223372036854775808"},
        {value_int(INT64_MAX), "9223372036854775807"},
        {value_double(1.5), "1.5"},
        {value_double(100), "100.0"},
        {value_double(-0.0), "-0.0"},
        {value_double(1e300), "1e+300"},
        {S("a"), "\"a\""},
        {S(""), "\"\""},
        {value_string((struct span){NULL, 0}), "\"\""},
        {value_list(NULL, 0), "[]"},
        {value_map(NULL, 0), "{}"},
        {value_list(items, 3), "[1,\"a\",null]"},
        {value_map(entries, 2), "{\"b\":1,\"a\":[1,\"a\",null]}"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        expect_text(written(rows[i].value), rows[i].text);
}

static void values_beyond_json_have_the_form_that_the_header_tells(void **state)
{
    const struct value one = value_int(1);
    const struct {
        struct value value;
        const char *text;
    } rows[] = {
        {value_uint(UINT64_MAX), "18446744073709551615"},
        {value_double((double)NAN), "null"},
        {value_double((double)INFINITY), "null"},
        {value_double((double)-INFINITY), "null"},
        {value_error(SPAN("division by zero")), "null"},
        {(struct value){.kind = VALUE_TYPE, .count = 3, .text = "int"}, "\"int\""},
        {(struct value){.kind = VALUE_OPTIONAL}, "null"},
        {(struct value){.kind = VALUE_OPTIONAL, .count = 1, .items = &one}, "1"},
        {value_bytes(SPAN("")), "\"\""},
        {value_bytes(SPAN("f")), "\"Zg==\""}, /* RFC 4648, 10 */
        {value_bytes(SPAN("fo")), "\"Zm8=\""},
        {value_bytes(SPAN("foo")), "\"Zm9v\""},
        {value_bytes(SPAN("foob")), "\"Zm9vYg==\""},
        {value_bytes(SPAN("fooba")), "\"Zm9vYmE=\""},
        {value_bytes(SPAN("foobar")), "\"Zm9vYmFy\""},
        {value_bytes(SPAN("\0\xff\xfe")), "\"AP/+\""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        expect_text(written(rows[i].value), rows[i].text);
}

static void times_are_strings(void **state)
{
    static const struct {
        enum value_kind kind;
        int64_t seconds;
        int32_t nanoseconds;
        const char *text;
    } rows[] = {
        {VALUE_TIMESTAMP, 0, 0, "\"1970-01-01T00:00:00Z\""},
        {VALUE_TIMESTAMP, 0, 500000000, "\"1970-01-01T00:00:00.5Z\""},
        {VALUE_TIMESTAMP, 0, 1, "\"1970-01-01T00:00:00.000000001Z\""},
        {VALUE_TIMESTAMP, -1, 999000000, "\"1969-12-31T23:59:59.999Z\""},
        {VALUE_TIMESTAMP, -62135596800, 0, "\"0001-01-01T00:00:00Z\""},
        {VALUE_TIMESTAMP, 253402300799, 999999999, "\"9999-12-31T23:59:59.999999999Z\""},
        {VALUE_DURATION, 0, 0, "\"0s\""},
        {VALUE_DURATION, 1, 500000000, "\"1.5s\""},
        {VALUE_DURATION, -1, -500000000, "\"-1.5s\""},
        {VALUE_DURATION, 0, -1, "\"-0.000000001s\""},
        {VALUE_DURATION, 90, 0, "\"90s\""},
        {VALUE_DURATION, INT64_MIN, 0, "\"-9223372036854775808s\""},
        {VALUE_DURATION, INT64_MAX, 999999999, "\"9223372036854775807.999999999s\""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct value value = {.kind = (uint8_t)rows[i].kind,
                              .count = (uint32_t)rows[i].nanoseconds,
                              .integer = rows[i].seconds};
        expect_text(written(value), rows[i].text);
    }
}

static void keys_that_are_not_strings_become_text(void **state)
{
    const struct value_entry entries[] = {{value_int(-1), value_int(1)},
                                          {value_uint(2), value_int(2)},
                                          {value_bool(true), value_int(3)},
                                          {S("\n"), value_int(4)}};
    (void)state;
    expect_text(written(value_map(entries, 4)), "{\"-1\":1,\"2\":2,\"true\":3,\"\\n\":4}");
}

static void what_must_be_escaped_is(void **state)
{
    char c;
    (void)state;
    expect_text(written(S("a\"b\\c/d")), "\"a\\\"b\\\\c/d\"");
    expect_text(written(S("\n\r\t\b\f")), "\"\\n\\r\\t\\b\\f\"");
    expect_text(written(S("\x01\x1f\x7f")), "\"\\u0001\\u001f\x7f\"");
    expect_text(written(S("\0")), "\"\\u0000\"");
    expect_text(written(S("\xe2\x82\xac \xf0\x9f\x8d\x8b")),
                "\"\xe2\x82\xac \xf0\x9f\x8d\x8b\"");
    for (int byte = 0; byte < 0x80; byte++) {
        struct value value;
        struct json_error error;
        c = (char)byte;
        struct span one = written(value_string(span_of(&c, 1)));
        expect_row(json_read(one, &arena, &value, &error) == STATUS_OK, one);
        expect_row(value.count == 1 && value.text[0] == c, one);
        expect_row((one.size == 3) == (byte >= 0x20 && byte != '"' && byte != '\\'), one);
    }
}

/* Each special byte at each place of each length, where words of eight bytes meet. */
static void escapes_are_found_at_every_place(void **state)
{
    static const char specials[] = {'"',    '\\', '\n', '\0', '\x1f', ' ',
                                    '\x7f', '!',  '#',  '[',  ']'};
    char string[40];
    (void)state;
    for (size_t size = 1; size < sizeof string; size++) {
        for (size_t at = 0; at < size; at++) {
            for (size_t i = 0; i < sizeof specials; i++) {
                struct value value;
                struct json_error error;
                memset(string, 'x', sizeof string);
                string[at] = specials[i];
                struct span json = written(value_string(span_of(string, size)));
                expect_row(json_read(json, &arena, &value, &error) == STATUS_OK, json);
                expect_row(span_equal(value_span(value), span_of(string, size)), json);
            }
        }
    }
}

static void pretty_text_has_a_line_for_each_member(void **state)
{
    static const char json[] = "{\"a\":[1,[],{},[2]],\"b\":{\"c\":null},\"d\":\"\"}";
    struct value value;
    struct json_error error;
    (void)state;
    assert_int_equal(json_read(span_of(json, sizeof json - 1), &arena, &value, &error),
                     STATUS_OK);
    json_write_pretty(&text, value, 0);
    expect_text(text_span(&text), "{\n"
                                  "  \"a\": [\n"
                                  "    1,\n"
                                  "    [],\n"
                                  "    {},\n"
                                  "    [\n"
                                  "      2\n"
                                  "    ]\n"
                                  "  ],\n"
                                  "  \"b\": {\n"
                                  "    \"c\": null\n"
                                  "  },\n"
                                  "  \"d\": \"\"\n"
                                  "}");
    text_clear(&text);
    json_write_pretty(&text, value_member(value, SPAN("b")), 2);
    expect_text(text_span(&text), "{\n      \"c\": null\n    }");
    text_clear(&text);
    json_write_pretty(&text, value_int(1), 0);
    expect_text(text_span(&text), "1");
}

static struct value random_string(struct random *random)
{
    size_t count = (size_t)random_up_to(random, 20);
    char *bytes = arena_get(&arena, 4 * count + 1);
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t point = (uint32_t)random_next(random) >> (11 + random_up_to(random, 14));
        if (point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
            continue;
        size_t length = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
        uint32_t rest = point;
        for (size_t j = length - 1; j > 0; j--, rest >>= 6)
            bytes[size + j] = (char)(0x80 | (rest & 0x3F));
        bytes[size] = (char)(length == 1 ? rest : ((0xF00u >> length) & 0xFF) | rest);
        size += length;
    }
    return value_string(span_of(bytes, size));
}

static struct value random_double(struct random *random)
{
    for (;;) {
        uint64_t bits = random_next(random);
        double number;
        memcpy(&number, &bits, sizeof number);
        if (random_up_to(random, 1))
            number = (double)(int64_t)(bits >> 44) / 100;
        if (isfinite(number))
            return value_double(number);
    }
}

static struct value random_value(struct random *random, unsigned depth)
{
    uint64_t kind = random_up_to(random, depth > 6 ? 4 : 7);
    size_t count = (size_t)random_up_to(random, random_up_to(random, 30) == 0 ? 60 : 5);
    if (kind == 0)
        return value_null();
    if (kind == 1)
        return value_bool(random_up_to(random, 1) == 1);
    if (kind == 2)
        return value_int((int64_t)random_next(random) >> random_up_to(random, 63));
    if (kind == 3)
        return random_double(random);
    if (kind == 4)
        return random_string(random);
    if (kind == 5) {
        struct value *items = arena_new_array(&arena, count, struct value);
        for (size_t i = 0; i < count; i++)
            items[i] = random_value(random, depth + 1);
        return value_list(items, count);
    }
    struct value map = value_map(NULL, 0);
    for (size_t i = 0; i < count; i++)
        map = value_with(&arena, map, value_span(random_string(random)),
                         random_value(random, depth + 1));
    return map;
}

static void random_values_come_back_equal(void **state)
{
    struct random random = {90};
    (void)state;
    for (size_t i = 0; i < 3000; i++) {
        arena_clear(&arena);
        struct value value = random_value(&random, 0);
        struct value again;
        struct json_error error;
        for (int pretty = 0; pretty < 2; pretty++) {
            text_clear(&text);
            if (pretty)
                json_write_pretty(&text, value, 0);
            else
                json_write(&text, value);
            expect_row(json_read(text_span(&text), &arena, &again, &error) == STATUS_OK,
                       text_span(&text));
            expect_row(value_equal(value, again), text_span(&text));
        }
        struct text once_more;
        text_init(&once_more, &arena);
        json_write_pretty(&once_more, again, 0);
        expect_row(span_equal(text_span(&text), text_span(&once_more)), text_span(&text));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(values_of_json_are_written),
        TEST(values_beyond_json_have_the_form_that_the_header_tells),
        TEST(times_are_strings),
        TEST(keys_that_are_not_strings_become_text),
        TEST(what_must_be_escaped_is),
        TEST(escapes_are_found_at_every_place),
        TEST(pretty_text_has_a_line_for_each_member),
        TEST(random_values_come_back_equal),
    };
    return cmocka_run_group_tests_name("json_write", tests, NULL, NULL);
}
