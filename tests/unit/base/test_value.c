/*
 * test_value.c - equality, order and copies of values.
 */
#include "base/value.h"

#include <math.h>
#include <stdio.h>

#include "base/random.h"
#include "base/text.h"
#include "expect.h"

#define I(n) value_int(n)
#define U(n) value_uint(n)
#define D(n) value_double(n)
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

static struct value timestamp(int64_t seconds, int32_t nanoseconds)
{
    return (struct value){
        .kind = VALUE_TIMESTAMP, .count = (uint32_t)nanoseconds, .integer = seconds};
}

static struct value duration(int64_t seconds, int32_t nanoseconds)
{
    return (struct value){
        .kind = VALUE_DURATION, .count = (uint32_t)nanoseconds, .integer = seconds};
}

static struct value optional(const struct value *item)
{
    return (struct value){.kind = VALUE_OPTIONAL, .count = item != NULL, .items = item};
}

static void numbers_compare_by_their_exact_value(void **state)
{
    const struct {
        const char *what;
        struct value a;
        struct value b;
        int order;
    } rows[] = {
        {"ints", I(1), I(2), -1},
        {"equal ints", I(-5), I(-5), 0},
        {"int edges", I(INT64_MIN), I(INT64_MAX), -1},
        {"uints", U(1), U(UINT64_MAX), -1},
        {"int and uint", I(1), U(1), 0},
        {"negative int and uint", I(-1), U(UINT64_MAX), -1},
        {"negative int and 0u", I(-1), U(0), -1},
        {"greatest int and 2^63", I(INT64_MAX), U((uint64_t)1 << 63), -1},
        {"greatest int, the same uint", I(INT64_MAX), U(INT64_MAX), 0},
        {"int and double", I(1), D(1.0), 0},
        {"int and a bit more", I(1), D(1.5), -1},
        {"int and a bit less", I(1), D(0.5), 1},
        {"negative int and a bit less", I(-1), D(-1.5), 1},
        {"negative int and a bit more", I(-1), D(-0.5), -1},
        {"zero and negative zero", I(0), D(-0.0), 0},
        {"zero and a tiny double", I(0), D(0x1p-1074), -1},
        {"zero and a tiny negative double", I(0), D(-0x1p-1074), 1},
        {"0u and a tiny negative double", U(0), D(-0x1p-1074), 1},
        {"0u and negative zero", U(0), D(-0.0), 0},
        {"2^53", I((int64_t)1 << 53), D(0x1p53), 0},
        {"2^53 + 1 and 2^53", I(((int64_t)1 << 53) + 1), D(0x1p53), 1},
        {"2^53 + 1 and 2^53 + 2", I(((int64_t)1 << 53) + 1), D(0x1p53 + 2), -1},
        {"-2^53 - 1 and -2^53", I(-((int64_t)1 << 53) - 1), D(-0x1p53), -1},
        {"2^53 + 1 as uint", U(((uint64_t)1 << 53) + 1), D(0x1p53), 1},
        {"greatest int and 2^63 as double", I(INT64_MAX), D(0x1p63), -1},
        {"greatest int and the double below", I(INT64_MAX), D(0x1p63 - 1024), 1},
        {"least int and -2^63", I(INT64_MIN), D(-0x1p63), 0},
        {"least int + 1 and -2^63", I(INT64_MIN + 1), D(-0x1p63), 1},
        {"least int and the double below", I(INT64_MIN), D(-0x1p63 - 2048), 1},
        {"2^63 as uint and double", U((uint64_t)1 << 63), D(0x1p63), 0},
        {"greatest uint and 2^64", U(UINT64_MAX), D(0x1p64), -1},
        {"greatest uint and the double below", U(UINT64_MAX), D(0x1p64 - 2048), 1},
        {"int and infinity", I(INT64_MAX), D((double)INFINITY), -1},
        {"int and -infinity", I(INT64_MIN), D((double)-INFINITY), 1},
        {"uint and infinity", U(UINT64_MAX), D((double)INFINITY), -1},
        {"uint and -infinity", U(0), D((double)-INFINITY), 1},
        {"doubles", D(0.1), D(0.2), -1},
        {"zeros", D(0.0), D(-0.0), 0},
        {"infinities", D((double)-INFINITY), D((double)INFINITY), -1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct span what = span_from_text(rows[i].what);
        expect_row(value_compare_numbers(rows[i].a, rows[i].b) == rows[i].order, what);
        expect_row(value_compare_numbers(rows[i].b, rows[i].a) == -rows[i].order, what);
        expect_row(value_equal(rows[i].a, rows[i].b) == (rows[i].order == 0), what);
        expect_row(value_equal(rows[i].b, rows[i].a) == (rows[i].order == 0), what);
    }
}

static void nan_is_neither_equal_nor_in_order(void **state)
{
    const struct value nan = D((double)NAN);
    const struct value others[] = {I(0), I(INT64_MIN),       I(INT64_MAX),
                                   U(0), U(UINT64_MAX),      D(0.0),
                                   nan,  D((double)INFINITY)};
    (void)state;
    for (size_t i = 0; i < COUNT(others); i++) {
        assert_int_equal(value_compare_numbers(nan, others[i]), 2);
        assert_int_equal(value_compare_numbers(others[i], nan), 2);
        assert_false(value_equal(nan, others[i]));
        assert_false(value_equal(others[i], nan));
    }
    assert_false(value_equal(value_list(&nan, 1), value_list(&nan, 1)));
}

/* Three numbers of any kinds near the edges are in one order, whichever two are asked. */
static void the_order_of_numbers_is_transitive(void **state)
{
    static const double edges[] = {0, 0x1p52, 0x1p53, 0x1p62, 0x1p63, 0x1p64};
    struct random random = {80};
    (void)state;
    for (size_t round = 0; round < 300000; round++) {
        struct value three[3];
        double edge = edges[random_up_to(&random, COUNT(edges) - 1)];
        for (size_t i = 0; i < 3; i++) {
            double real = edge + ((double)random_up_to(&random, 8) - 4) / 2;
            uint64_t uinteger = real < 0 ? 0 : real >= 0x1p64 ? UINT64_MAX : (uint64_t)real;
            uinteger += random_up_to(&random, 2) * (uinteger < UINT64_MAX - 2);
            int64_t integer = uinteger > INT64_MAX ? INT64_MAX : (int64_t)uinteger;
            uint64_t kind = random_up_to(&random, 2);
            three[i] = kind == 0 ? I(integer) : kind == 1 ? U(uinteger) : D(real);
        }
        int ab = value_compare_numbers(three[0], three[1]);
        int bc = value_compare_numbers(three[1], three[2]);
        int ac = value_compare_numbers(three[0], three[2]);
        if (ab <= 0 && bc <= 0)
            assert_int_equal(ac, ab < bc ? ab : bc);
    }
}

static void values_of_different_kinds_are_unequal(void **state)
{
    const struct value one = I(1);
    const struct value kinds[] = {
        value_null(),
        value_bool(false),
        I(0),
        S(""),
        value_bytes(SPAN("")),
        value_list(NULL, 0),
        value_map(NULL, 0),
        timestamp(0, 0),
        duration(0, 0),
        (struct value){.kind = VALUE_TYPE, .text = ""},
        optional(NULL),
        optional(&one),
    };
    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        for (size_t j = 0; j < COUNT(kinds); j++)
            assert_int_equal(value_equal(kinds[i], kinds[j]), i == j);
    }
}

static void values_of_one_kind_are_equal_by_content(void **state)
{
    const struct value one = I(1);
    const struct value one_double = D(1);
    const struct value two = I(2);
    const struct value ab[] = {S("a"), S("b")};
    const struct value ba[] = {S("b"), S("a")};
    const struct {
        const char *what;
        struct value a;
        struct value b;
        bool equal;
    } rows[] = {
        {"bools", value_bool(true), value_bool(false), false},
        {"strings", S("a"), S("b"), false},
        {"strings with NUL", S("a\0b"), S("a\0c"), false},
        {"the same string", S("a\0b"), S("a\0b"), true},
        {"empty strings", S(""), value_string((struct span){NULL, 0}), true},
        {"lists of numbers", value_list(&one, 1), value_list(&one_double, 1), true},
        {"lists of other numbers", value_list(&one, 1), value_list(&two, 1), false},
        {"lists in another order", value_list(ab, 2), value_list(ba, 2), false},
        {"a list and its beginning", value_list(ab, 2), value_list(ab, 1), false},
        {"timestamps", timestamp(1, 5), timestamp(1, 5), true},
        {"timestamps apart by nanoseconds", timestamp(1, 5), timestamp(1, 6), false},
        {"durations", duration(-1, -5), duration(-1, -5), true},
        {"durations with another sign", duration(1, 5), duration(1, -5), false},
        {"optionals", optional(&one), optional(&one_double), true},
        {"optionals of others", optional(&one), optional(&two), false},
        {"none and one", optional(NULL), optional(&one), false},
        {"errors", value_error(SPAN("a")), value_error(SPAN("a")), false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        expect_row(value_equal(rows[i].a, rows[i].b) == rows[i].equal,
                   span_from_text(rows[i].what));
        expect_row(value_equal(rows[i].b, rows[i].a) == rows[i].equal,
                   span_from_text(rows[i].what));
    }
}

static void maps_are_equal_in_any_order(void **state)
{
    const struct value_entry abc[] = {{S("a"), I(1)}, {S("b"), I(2)}, {S("c"), I(3)}};
    const struct value_entry cab[] = {{S("c"), D(3)}, {S("a"), U(1)}, {S("b"), I(2)}};
    const struct value_entry other_key[] = {{S("a"), I(1)}, {S("b"), I(2)}, {S("d"), I(3)}};
    const struct value_entry other_value[] = {{S("a"), I(1)}, {S("b"), I(2)}, {S("c"), I(4)}};
    const struct value_entry numbers[] = {{I(1), S("x")}, {value_bool(true), S("y")}};
    const struct value_entry reals[] = {{value_bool(true), S("y")}, {D(1), S("x")}};
    (void)state;
    assert_true(value_equal(value_map(abc, 3), value_map(cab, 3)));
    assert_true(value_equal(value_map(cab, 3), value_map(abc, 3)));
    assert_false(value_equal(value_map(abc, 3), value_map(abc, 2)));
    assert_false(value_equal(value_map(abc, 2), value_map(abc, 3)));
    assert_false(value_equal(value_map(abc, 3), value_map(other_key, 3)));
    assert_false(value_equal(value_map(other_key, 3), value_map(abc, 3)));
    assert_false(value_equal(value_map(abc, 3), value_map(other_value, 3)));
    assert_true(value_equal(value_map(numbers, 2), value_map(reals, 2)));
}

/* As many keys as an event of a megabyte has; in the same order no search is needed. */
static void large_maps_in_the_same_order_compare_at_once(void **state)
{
    enum { KEYS = 100000 };
    struct value_entry *entries = arena_new_array(&arena, KEYS, struct value_entry);
    (void)state;
    for (unsigned i = 0; i < KEYS; i++) {
        char name[16];
        int size = snprintf(name, sizeof name, "%06u", i);
        struct span key = arena_copy(&arena, span_of(name, (size_t)size));
        entries[i] = (struct value_entry){value_string(key), I(i)};
    }
    struct value map = value_map(entries, KEYS);
    assert_true(value_equal(map, value_copy(&arena, map)));
    entries[KEYS - 1].value = I(-1);
    assert_false(value_equal(map, value_map(entries, KEYS - 1)));
}

/* Of every kind of key; the largest maps take some dozens of walks, not one for each key. */
static void large_maps_in_another_order_compare_soon(void **state)
{
    enum { KEYS = 20000 };
    struct value_entry *entries = arena_new_array(&arena, KEYS, struct value_entry);
    struct value_entry *others = arena_new_array(&arena, KEYS, struct value_entry);
    (void)state;
    for (uint32_t i = 0; i < KEYS; i++) {
        struct span name = text_print(&arena, "key %u", i);
        entries[i].key = i % 3 == 0 ? value_string(name) : i % 3 == 1 ? I(i) : U(i);
        entries[i].value = I(i);
        others[KEYS - 1 - i] = entries[i];
        if (i % 3 == 1)
            others[KEYS - 1 - i].key = U(i);
    }
    assert_true(value_equal(value_map(entries, KEYS), value_map(others, KEYS)));
    others[KEYS / 2].value = I(-1);
    assert_false(value_equal(value_map(entries, KEYS), value_map(others, KEYS)));
    others[KEYS / 2] = (struct value_entry){I(-1), I(KEYS - 1 - KEYS / 2)};
    assert_false(value_equal(value_map(entries, KEYS), value_map(others, KEYS)));
    assert_false(value_equal(value_map(others, KEYS), value_map(entries, KEYS)));
}

static void members_are_found_by_string_keys_only(void **state)
{
    const struct value_entry entries[] = {
        {I(1), S("by number")}, {S("1"), S("by text")}, {S(""), S("empty")},
        {S("a\0b"), S("nul")},  {S("a"), value_null()},
    };
    const struct value map = value_map(entries, COUNT(entries));
    (void)state;
    expect_text(value_span(*value_find(map, SPAN("1"))), "by text");
    expect_text(value_span(*value_find(map, SPAN("a\0b"))), "nul");
    expect_text(value_span(*value_find(map, SPAN(""))), "empty");
    expect_text(value_span(*value_find(map, (struct span){NULL, 0})), "empty");
    assert_int_equal(value_find(map, SPAN("a"))->kind, VALUE_NULL);
    assert_null(value_find(map, SPAN("b")));
    assert_null(value_find(value_map(NULL, 0), SPAN("a")));
    assert_null(value_find(S("a"), SPAN("a")));
    expect_text(value_span(value_member(map, SPAN("1"))), "by text");
    assert_int_equal(value_member(map, SPAN("b")).kind, VALUE_NULL);
    assert_int_equal(value_member(I(1), SPAN("b")).kind, VALUE_NULL);
}

static void setting_a_member_replaces_in_place_or_appends(void **state)
{
    const struct value_entry entries[] = {{S("a"), I(1)}, {S("b"), I(2)}, {S("c"), I(3)}};
    const struct value map = value_map(entries, 3);
    (void)state;
    struct value changed = value_with(&arena, map, SPAN("b"), S("new"));
    assert_int_equal(changed.count, 3);
    expect_text(value_span(changed.entries[1].key), "b");
    expect_text(value_span(changed.entries[1].value), "new");
    assert_true(value_equal(changed.entries[0].value, I(1)));
    assert_true(value_equal(changed.entries[2].value, I(3)));

    struct value longer = value_with(&arena, map, SPAN("d"), I(4));
    assert_int_equal(longer.count, 4);
    expect_text(value_span(longer.entries[3].key), "d");
    assert_true(value_equal(longer.entries[3].value, I(4)));

    struct value first = value_with(&arena, value_map(NULL, 0), SPAN("x"), value_null());
    assert_int_equal(first.count, 1);
    assert_non_null(value_find(first, SPAN("x")));

    assert_int_equal(map.count, 3); /* the old one is as it was */
    assert_true(value_equal(entries[1].value, I(2)));
}

static void set_a_member_of_a_list(void)
{
    struct arena fresh;
    arena_open(&fresh, 1024);
    value_with(&fresh, value_list(NULL, 0), SPAN("a"), value_null());
}

static void compare_a_string_as_a_number(void)
{
    value_compare_numbers(S("1"), I(1));
}

static void wrong_use_stops_the_process(void **state)
{
    (void)state;
    expect_broken(set_a_member_of_a_list);
    expect_broken(compare_a_string_as_a_number);
}

/* Every kind inside of every other, from memory that is overwritten after the copy. */
static void a_copy_shares_no_memory(void **state)
{
    static char scratch[4096];
    struct arena original;
    (void)state;
    arena_init(&original, scratch, sizeof scratch);
    struct value *item = arena_new(&original, struct value);
    *item = value_string(arena_copy(&original, SPAN("optional")));
    const struct value kinds[] = {
        value_null(),
        value_bool(true),
        I(INT64_MIN),
        U(UINT64_MAX),
        D(0.5),
        value_string(arena_copy(&original, SPAN("a\0b"))),
        value_bytes(arena_copy(&original, SPAN("\xff"))),
        value_list(NULL, 0),
        value_map(NULL, 0),
        timestamp(-1, 999),
        duration(-1, -999),
        (struct value){
            .kind = VALUE_TYPE, .count = 3, .text = arena_copy(&original, SPAN("int")).text},
        optional(NULL),
        optional(item),
    };
    struct value *items = arena_new_array(&original, COUNT(kinds), struct value);
    struct value_entry *entries = arena_new_array(&original, COUNT(kinds), struct value_entry);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        items[i] = kinds[i];
        entries[i] = (struct value_entry){value_int((int64_t)i), kinds[i]};
    }
    struct value *both = arena_new_array(&original, 2, struct value);
    both[0] = value_list(items, COUNT(kinds));
    both[1] = value_map(entries, COUNT(kinds));
    struct value first = value_copy(&arena, value_list(both, 2));
    struct value second = value_copy(&arena, value_list(both, 2));
    assert_true(value_equal(first, value_list(both, 2)));
    memset(scratch, 0xAA, sizeof scratch);
    assert_true(value_equal(first, second));
    for (size_t i = 0; i < COUNT(kinds); i++)
        assert_int_equal(first.items[0].items[i].kind, kinds[i].kind);
}

static void a_copy_keeps_errors_and_flags(void **state)
{
    struct value error = value_error(SPAN("division by zero"));
    (void)state;
    expect_text(value_span(value_copy(&arena, error)), "division by zero");
    struct value flagged[] = {I(1), S("a"), value_list(NULL, 0), value_map(NULL, 0),
                              optional(NULL)};
    for (size_t i = 0; i < COUNT(flagged); i++) {
        flagged[i].flag = 1;
        struct value copy = value_copy(&arena, flagged[i]);
        assert_int_equal(copy.kind, flagged[i].kind);
        assert_int_equal(copy.flag, 1);
    }
}

static void kinds_have_the_names_of_cel(void **state)
{
    (void)state;
    assert_string_equal(value_kind_name(VALUE_NULL), "null_type");
    assert_string_equal(value_kind_name(VALUE_UINT), "uint");
    assert_string_equal(value_kind_name(VALUE_MAP), "map");
    for (int kind = 0; kind < VALUE_KIND_COUNT; kind++)
        assert_non_null(value_kind_name((enum value_kind)kind));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_arena, close_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(numbers_compare_by_their_exact_value),
        TEST(nan_is_neither_equal_nor_in_order),
        TEST(the_order_of_numbers_is_transitive),
        TEST(values_of_different_kinds_are_unequal),
        TEST(values_of_one_kind_are_equal_by_content),
        TEST(maps_are_equal_in_any_order),
        TEST(large_maps_in_the_same_order_compare_at_once),
        TEST(large_maps_in_another_order_compare_soon),
        TEST(members_are_found_by_string_keys_only),
        TEST(setting_a_member_replaces_in_place_or_appends),
        TEST(wrong_use_stops_the_process),
        TEST(a_copy_shares_no_memory),
        TEST(a_copy_keeps_errors_and_flags),
        TEST(kinds_have_the_names_of_cel),
    };
    return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
