/*
 * test_span.c - comparing, searching and cutting bytes that somebody else owns.
 */
#include "base/span.h"

#include "expect.h"

static const struct span nothing = {NULL, 0};

static int sign(int number)
{
    return (number > 0) - (number < 0);
}

static void order_is_bytewise_and_a_prefix_comes_first(void **state)
{
    static const struct {
        struct span a;
        struct span b;
        int order;
    } rows[] = {
        {ROW(""), ROW(""), 0},         {ROW("a"), ROW("a"), 0},
        {ROW("a"), ROW("b"), -1},      {ROW("a"), ROW("ab"), -1},
        {ROW(""), ROW("a"), -1},       {ROW("ab"), ROW("b"), -1},
        {ROW("a\0b"), ROW("a"), 1},    {ROW("a\0b"), ROW("a\0c"), -1},
        {ROW("\xff"), ROW("\x7f"), 1}, {ROW("\xc3\xa9"), ROW("z"), 1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        expect_row(sign(span_compare(rows[i].a, rows[i].b)) == rows[i].order, rows[i].a);
        expect_row(sign(span_compare(rows[i].b, rows[i].a)) == -rows[i].order, rows[i].a);
        expect_row(span_equal(rows[i].a, rows[i].b) == (rows[i].order == 0), rows[i].a);
    }
    assert_int_equal(span_compare(nothing, SPAN("")), 0);
    assert_true(span_equal(nothing, SPAN("")));
    assert_true(span_compare(nothing, SPAN("a")) < 0);
    assert_true(span_is(nothing, ""));
    assert_true(span_equal(span_from_text(NULL), nothing));
}

static void beginnings_and_ends(void **state)
{
    (void)state;
    assert_true(span_starts_with(SPAN("state"), SPAN("st")));
    assert_true(span_starts_with(SPAN("state"), SPAN("state")));
    assert_true(span_starts_with(SPAN("state"), SPAN("")));
    assert_true(span_starts_with(nothing, nothing));
    assert_false(span_starts_with(SPAN("state"), SPAN("states")));
    assert_false(span_starts_with(SPAN("state"), SPAN("te")));
    assert_true(span_ends_with(SPAN("state"), SPAN("te")));
    assert_true(span_ends_with(SPAN("state"), SPAN("state")));
    assert_true(span_ends_with(nothing, SPAN("")));
    assert_false(span_ends_with(SPAN("te"), SPAN("ate")));
    assert_false(span_ends_with(SPAN("state"), SPAN("st")));
}

static void finding_goes_from_a_place_to_the_first_match(void **state)
{
    static const struct {
        struct span text;
        struct span needle;
        size_t from;
        size_t found;
    } rows[] = {
        {ROW("abcabc"), ROW("abc"), 0, 0},
        {ROW("abcabc"), ROW("abc"), 1, 3},
        {ROW("abcabc"), ROW("abc"), 3, 3},
        {ROW("abcabc"), ROW("abc"), 4, SIZE_MAX},
        {ROW("abcabc"), ROW("c"), 5, 5},
        {ROW("abcabc"), ROW("c"), 6, SIZE_MAX},
        {ROW("abcabc"), ROW("abcabca"), 0, SIZE_MAX},
        {ROW("aaab"), ROW("aab"), 0, 1},
        {ROW("ab"), ROW("bb"), 0, SIZE_MAX},
        {ROW("a\0b"), ROW("\0b"), 0, 1},
        {ROW("abc"), ROW(""), 0, 0},
        {ROW("abc"), ROW(""), 3, 3},
        {ROW("abc"), ROW(""), 4, SIZE_MAX},
        {ROW(""), ROW("a"), 0, SIZE_MAX},
        {ROW("abc"), ROW("a"), 7, SIZE_MAX},
        {ROW("abc"), ROW("a"), SIZE_MAX, SIZE_MAX},
        {ROW("abc"), ROW("bc"), SIZE_MAX - 1, SIZE_MAX},
        {ROW("abc"), ROW(""), SIZE_MAX, SIZE_MAX},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        expect_row(span_find(rows[i].text, rows[i].needle, rows[i].from) == rows[i].found,
                   rows[i].needle);
    assert_int_equal(span_find(nothing, SPAN("a"), 0), SIZE_MAX);
    assert_int_equal(span_find(nothing, nothing, 0), 0);
}

static void trimming_takes_blanks_from_both_ends_only(void **state)
{
    (void)state;
    expect_text(span_trim(SPAN(" \t\r\n a b \n")), "a b");
    expect_text(span_trim(SPAN("a")), "a");
    expect_text(span_trim(SPAN(" \n ")), "");
    expect_text(span_trim(nothing), "");
    expect_text(span_trim(SPAN("\v\f")), "\v\f");
}

static void distance_counts_edits(void **state)
{
    static const struct {
        struct span a;
        struct span b;
        size_t distance;
    } rows[] = {
        {ROW(""), ROW(""), 0},
        {ROW(""), ROW("abc"), 3},
        {ROW("on"), ROW("onn"), 1},
        {ROW("target"), ROW("traget"), 2},
        {ROW("kitten"), ROW("sitting"), 3},
        {ROW("saturday"), ROW("sunday"), 3},
        {ROW("onDone"), ROW("ondone"), 1},
        {ROW("abc"), ROW("xyz"), 3},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        expect_row(span_distance(rows[i].a, rows[i].b) == rows[i].distance, rows[i].a);
        expect_row(span_distance(rows[i].b, rows[i].a) == rows[i].distance, rows[i].a);
        expect_row(span_distance(rows[i].a, rows[i].a) == 0, rows[i].a);
    }
}

static void distance_ends_at_64_bytes(void **state)
{
    char long_text[65];
    (void)state;
    memset(long_text, 'a', sizeof long_text);
    assert_int_equal(span_distance(span_of(long_text, 64), SPAN("")), 64);
    assert_int_equal(span_distance(span_of(long_text, 64), span_of(long_text, 63)), 1);
    assert_int_equal(span_distance(span_of(long_text, 65), SPAN("")), SIZE_MAX);
    assert_int_equal(span_distance(SPAN(""), span_of(long_text, 65)), SIZE_MAX);
}

static void utf8_is_well_formed_or_not(void **state)
{
    static const struct {
        struct span bytes;
        bool good;
    } rows[] = {
        {ROW(""), true},
        {ROW("plain"), true},
        {ROW("a\0b"), true},
        {ROW("\x7f"), true},
        {ROW("\xc2\x80"), true},
        {ROW("\xdf\xbf"), true},
        {ROW("\xe0\xa0\x80"), true},
        {ROW("\xec\xbf\xbf"), true},
        {ROW("\xed\x80\x80"), true},
        {ROW("\xed\x9f\xbf"), true},
        {ROW("\xee\x80\x80"), true},
        {ROW("\xef\xbf\xbf"), true},
        {ROW("\xf0\x90\x80\x80"), true},
        {ROW("\xf3\xbf\xbf\xbf"), true},
        {ROW("\xf4\x8f\xbf\xbf"), true},
        {ROW("\xe2\x82\xac and \xf0\x9f\x8d\x8b"), true},

        {ROW("\x80"), false},             /* a continuation alone */
        {ROW("\xbf"), false},             /* the last of them */
        {ROW("\xc2"), false},             /* cut short */
        {ROW("\xe2\x82"), false},         /* cut short */
        {ROW("\xf0\x9f\x8d"), false},     /* cut short */
        {ROW("\xc2\x41"), false},         /* no continuation */
        {ROW("\xe2\x28\xa1"), false},     /* no continuation */
        {ROW("\xe2\x82\x28"), false},     /* no continuation */
        {ROW("\xf0\x28\x8c\xbc"), false}, /* no continuation */
        {ROW("\xf0\x90\x28\xbc"), false}, /* no continuation */
        {ROW("\xf0\x90\x8c\x28"), false}, /* no continuation */
        {ROW("\xc2\xc0"), false},         /* two leads */
        {ROW("\xc0\x80"), false},         /* overlong NUL */
        {ROW("\xc1\xbf"), false},         /* overlong */
        {ROW("\xe0\x80\x80"), false},     /* overlong */
        {ROW("\xe0\x9f\xbf"), false},     /* overlong */
        {ROW("\xf0\x80\x80\x80"), false}, /* overlong */
        {ROW("\xf0\x8f\xbf\xbf"), false}, /* overlong */
        {ROW("\xed\xa0\x80"), false},     /* first surrogate */
        {ROW("\xed\xbf\xbf"), false},     /* last surrogate */
        {ROW("\xf4\x90\x80\x80"), false}, /* beyond U+10FFFF */
        {ROW("\xf5\x80\x80\x80"), false}, /* beyond */
        {ROW("\xf8\x88\x80\x80\x80"), false},
        {ROW("\xfe"), false},
        {ROW("\xff"), false},
        {ROW("good \xe2\x82\xac then \xff"), false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        expect_row(span_is_utf8(rows[i].bytes) == rows[i].good, rows[i].bytes);
    assert_true(span_is_utf8(nothing));
}

/* The bytes of a code point by the definition, without any check. */
static size_t encode(uint32_t point, char *to)
{
    size_t size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t i = size - 1; i > 0; i--, point >>= 6)
        to[i] = (char)(0x80 | (point & 0x3F));
    to[0] = (char)(size == 1 ? point : ((0xF00u >> size) & 0xFF) | point);
    return size;
}

static void every_code_point_but_the_surrogates_is_well_formed(void **state)
{
    (void)state;
    for (uint32_t point = 0; point <= 0x110100; point++) {
        char bytes[4];
        size_t size = encode(point, bytes);
        bool good = point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
        if (span_is_utf8(span_of(bytes, size)) != good)
            fail_msg("U+%04X", point);
        if (size > 1 && span_is_utf8(span_of(bytes, size - 1)))
            fail_msg("U+%04X cut short", point);
    }
}

/* One bad byte anywhere among plain ones, so that a fast path over words is met as well. */
static void one_bad_byte_is_found_at_every_place(void **state)
{
    (void)state;
    for (size_t size = 1; size < 70; size++) {
        char bytes[70];
        memset(bytes, 'x', sizeof bytes);
        assert_true(span_is_utf8(span_of(bytes, size)));
        for (size_t i = 0; i < size; i++) {
            bytes[i] = '\xff';
            assert_false(span_is_utf8(span_of(bytes, size)));
            bytes[i] = 'x';
        }
    }
}

static void slice_backwards(void)
{
    span_slice(SPAN("abc"), 2, 1);
}

static void slice_beyond(void)
{
    span_slice(SPAN("abc"), 0, 4);
}

static void a_slice_lies_within(void **state)
{
    (void)state;
    expect_text(span_slice(SPAN("abc"), 1, 2), "b");
    expect_text(span_slice(SPAN("abc"), 3, 3), "");
    expect_text(span_slice(nothing, 0, 0), "");
    expect_broken(slice_backwards);
    expect_broken(slice_beyond);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_is_bytewise_and_a_prefix_comes_first),
        cmocka_unit_test(beginnings_and_ends),
        cmocka_unit_test(finding_goes_from_a_place_to_the_first_match),
        cmocka_unit_test(trimming_takes_blanks_from_both_ends_only),
        cmocka_unit_test(distance_counts_edits),
        cmocka_unit_test(distance_ends_at_64_bytes),
        cmocka_unit_test(utf8_is_well_formed_or_not),
        cmocka_unit_test(every_code_point_but_the_surrogates_is_well_formed),
        cmocka_unit_test(one_bad_byte_is_found_at_every_place),
        cmocka_unit_test(a_slice_lies_within),
    };
    return cmocka_run_group_tests_name("span", tests, NULL, NULL);
}
