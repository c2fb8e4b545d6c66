/*
 * test_json_plain.c - a value that is kept is the one that will be read back.
 */
#include <math.h>

#include "base/json.h"
#include "base/limits.h"
#include "expect.h"

#define S(literal) value_string(SPAN(literal))

static struct arena arena;

static int open_arena(void **state)
{
    (void)state;
    arena_open(&arena, 64 << 20);
    return 0;
}

static int close_arena(void **state)
{
    (void)state;
    arena_close(&arena);
    return 0;
}

/* Written and read again, alone and as a member, the plain value is the same. */
static void expect_to_last(struct value plain)
{
    const struct value_entry member = {S("x"), plain};
    const struct value both[] = {plain, value_map(&member, 1)};
    for (size_t i = 0; i < COUNT(both); i++) {
        struct text text;
        struct value again;
        struct json_error error;
        text_init(&text, &arena);
        json_write(&text, both[i]);
        expect_row(json_read(text_span(&text), &arena, &again, &error) == STATUS_OK,
                   text_span(&text));
        expect_row(value_equal(both[i], again), text_span(&text));
        expect_row(i > 0 || again.kind == plain.kind, text_span(&text));
    }
}

static void what_json_can_say_stays_as_it_is(void **state)
{
    const struct value items[] = {value_null(), value_bool(true), value_int(INT64_MIN),
                                  value_double(-0.0), S("a\n")};
    const struct value_entry entries[] = {{S("list"), value_list(items, COUNT(items))}};
    const struct value map = value_map(entries, 1);
    (void)state;
    struct value plain = json_plain(&arena, map);
    assert_ptr_equal(plain.entries, entries);
    expect_to_last(plain);
}

static void what_json_cannot_say_becomes_what_is_read_back(void **state)
{
    const struct value one = value_uint(1);
    const struct value_entry numbered[] = {{value_int(1), S("a")}, {value_bool(true), S("b")}};
    const struct value kinds[] = {
        value_uint(INT64_MAX),
        value_bytes(SPAN("\xff\0")),
        (struct value){.kind = VALUE_TIMESTAMP, .integer = 5, .count = 500000000},
        (struct value){.kind = VALUE_DURATION, .integer = -5},
        (struct value){.kind = VALUE_TYPE, .text = "int", .count = 3},
        (struct value){.kind = VALUE_OPTIONAL},
        (struct value){.kind = VALUE_OPTIONAL, .items = &one, .count = 1},
        value_list(&one, 1),
        value_map(numbered, 2),
    };
    static const char *const written[] = {
        "9223372036854775807",
        "\"/wA=\"",
        "\"1970-01-01T00:00:05.5Z\"",
        "\"-5s\"",
        "\"int\"",
        "null",
        "1",
        "[1]",
        "{\"1\":\"a\",\"true\":\"b\"}",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct text text;
        struct value plain = json_plain(&arena, kinds[i]);
        text_init(&text, &arena);
        json_write(&text, plain);
        expect_text(text_span(&text), written[i]);
        expect_to_last(plain);
    }
}

static void what_has_no_form_is_an_error_also_inside(void **state)
{
    const struct value_entry same_text[] = {{value_int(1), S("a")}, {S("1"), S("b")}};
    const struct value_entry same_later[] = {{S("1"), S("b")}, {value_uint(1), S("a")}};
    const struct value values[] = {
        value_double((double)NAN),     value_double((double)INFINITY), value_uint(UINT64_MAX),
        value_error(SPAN("an error")), value_map(same_text, 2),        value_map(same_later, 2),
    };
    (void)state;
    for (size_t i = 0; i < COUNT(values); i++) {
        const struct value inner[] = {value_int(1), values[i]};
        const struct value_entry entry = {S("a"), value_list(inner, 2)};
        assert_true(value_is_error(json_plain(&arena, values[i])));
        assert_true(value_is_error(json_plain(&arena, value_list(inner, 2))));
        assert_true(value_is_error(json_plain(&arena, value_map(&entry, 1))));
    }
}

static struct value nested(size_t levels, struct value innermost, bool as_maps)
{
    for (size_t i = 0; i < levels; i++) {
        if (as_maps) {
            struct value_entry *entry = arena_new(&arena, struct value_entry);
            *entry = (struct value_entry){S("a"), innermost};
            innermost = value_map(entry, 1);
        } else {
            struct value *item = arena_new(&arena, struct value);
            *item = innermost;
            innermost = value_list(item, 1);
        }
    }
    return innermost;
}

/* A context that wraps itself in a list at each event must not become one that cannot be read.
 */
static void nesting_beyond_what_is_read_back_is_an_error(void **state)
{
    const struct value innermost[] = {value_int(1), value_uint(1), value_list(NULL, 0)};
    (void)state;
    for (size_t i = 0; i < 2 * COUNT(innermost); i++) {
        struct value inner = innermost[i / 2];
        size_t fits = (size_t)VALUE_DEPTH_MAX - (inner.kind == VALUE_LIST);
        expect_to_last(json_plain(&arena, nested(fits, inner, i % 2)));
        struct value refused = json_plain(&arena, nested(fits + 1, inner, i % 2));
        assert_true(value_is_error(refused));
        expect_text(value_span(refused), "a value nested deeper than 99 levels");
        assert_true(value_is_error(json_plain(&arena, nested(fits + 1000, inner, i % 2))));
    }
}

/* Only a key that was turned into text can meet another one. */
static void large_maps_are_turned_at_once(void **state)
{
    enum { KEYS = 100000 };
    struct value_entry *entries = arena_new_array(&arena, KEYS, struct value_entry);
    (void)state;
    for (unsigned i = 0; i < KEYS; i++)
        entries[i] =
            (struct value_entry){value_string(text_print(&arena, "%06u", i)), value_uint(i)};
    struct value plain = json_plain(&arena, value_map(entries, KEYS));
    assert_int_equal(plain.kind, VALUE_MAP);
    assert_int_equal(plain.entries[KEYS - 1].value.kind, VALUE_INT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_arena, close_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_json_can_say_stays_as_it_is),
        TEST(what_json_cannot_say_becomes_what_is_read_back),
        TEST(what_has_no_form_is_an_error_also_inside),
        TEST(nesting_beyond_what_is_read_back_is_an_error),
        TEST(large_maps_are_turned_at_once),
    };
    return cmocka_run_group_tests_name("json_plain", tests, NULL, NULL);
}
