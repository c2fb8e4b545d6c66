/*
 * test_text.c - text that grows, and numbers that read back as what they were.
 */
#include "base/text.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

#include "base/random.h"
#include "expect.h"

static struct arena arena;
static struct text text;

static int open_text(void **state)
{
    (void)state;
    arena_open(&arena, 64 << 20);
    text_init(&text, NULL);
    return 0;
}

static int close_text(void **state)
{
    (void)state;
    text_fini(&text);
    arena_close(&arena);
    return 0;
}

static void integers_are_written_to_their_edges(void **state)
{
    (void)state;
    static const struct {
        int64_t number;
        const char *written;
    } rows[] = {
        {0, "0"},
        {-1, "-1"},
        {9, "9"},
        {10, "10"},
        {-10, "-10"},
        {99, "99"},
        {100, "100"},
        {1000000007, "1000000007"},
        {INT64_MAX, "9223372036854775807"},
        {INT64_MIN, "-9223372036854775808"},
        {INT64_MIN + 1, "-9223372036854775807"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        text_clear(&text);
        text_add_int(&text, rows[i].number);
        expect_text(text_span(&text), rows[i].written);
    }
    text_clear(&text);
    text_add_uint(&text, UINT64_MAX);
    expect_text(text_span(&text), "18446744073709551615");
}

static void integers_are_written_as_printf_does(void **state)
{
    struct random random = {60};
    (void)state;
    for (size_t i = 0; i < 200000; i++) {
        char expected[24];
        int64_t number = (int64_t)random_next(&random) >> (i % 64);
        snprintf(expected, sizeof expected, "%lld", (long long)number);
        text_clear(&text);
        text_add_int(&text, number);
        expect_text(text_span(&text), expected);
    }
}

static void doubles_are_written_shortly(void **state)
{
    static const struct {
        double number;
        const char *written;
    } rows[] = {
        {0.0, "0.0"},
        {-0.0, "-0.0"},
        {1.0, "1.0"},
        {-1.0, "-1.0"},
        {0.1, "0.1"},
        {0.3, "0.3"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1.5, "1.5"},
        {49.99, "49.99"},
        {-1234.5678, "-1234.5678"},
        {100.0, "100.0"},
        {1e14, "100000000000000.0"},
        {123456789012345.0, "123456789012345.0"},
        {12345678901234.5, "12345678901234.5"},
        {999999999999999.0, "999999999999999.0"},
        {1e15, "1e+15"},
        {1e21, "1e+21"},
        {1e22, "1e+22"},
        {1e23, "1e+23"},
        {0.0001, "0.0001"},
        {0.00012345, "0.00012345"},
        {0.00001, "1e-05"},
        {1.0 / 3, "0.3333333333333333"},
        {2.0 / 3, "0.6666666666666666"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {DBL_MIN, "2.2250738585072014e-308"},
        {DBL_EPSILON, "2.220446049250313e-16"},
        {DBL_TRUE_MIN, "5e-324"},
        {3 * DBL_TRUE_MIN, "1.5e-323"},
        {9007199254740993.0, "9007199254740992.0"},
        {9007199254740991.0, "9007199254740991.0"},
        {2251799813685248.5, "2251799813685248.5"},
        {0x1p63, "9.223372036854776e+18"},
        {(double)NAN, "NaN"},
        {(double)INFINITY, "Infinity"},
        {(double)-INFINITY, "-Infinity"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        text_clear(&text);
        text_add_double(&text, rows[i].number);
        expect_text(text_span(&text), rows[i].written);
    }
}

static size_t digit_count(struct span written)
{
    size_t count = 0;
    size_t zeros = 0;
    for (size_t i = 0; i < written.size && written.text[i] != 'e'; i++) {
        if (written.text[i] == '0')
            zeros += count > 0;
        else if (written.text[i] >= '1' && written.text[i] <= '9') {
            count += zeros + 1;
            zeros = 0;
        }
    }
    return count;
}

/* Written, it is a number of JSON and reads back as the same bits. */
static void expect_round_trip(double number)
{
    text_clear(&text);
    text_add_double(&text, number);
    struct span written = text_span(&text);
    double again = strtod(written.text, NULL);
    expect_row(memcmp(&again, &number, sizeof number) == 0, written);
    expect_row(strpbrk(written.text, ".e") != NULL, written);
    expect_row(strspn(written.text, "-+.e0123456789") == written.size, written);
}

/* What printf writes with a digit less is another number. */
static void expect_shortest(double number)
{
    expect_round_trip(number);
    size_t digits = digit_count(text_span(&text));
    if (digits > 1) {
        char shorter[40];
        snprintf(shorter, sizeof shorter, "%.*e", (int)digits - 2, number);
        expect_row(strtod(shorter, NULL) != number, text_span(&text));
    }
}

static void random_bit_patterns_round_trip(void **state)
{
    struct random random = {61};
    (void)state;
    for (size_t i = 0; i < 300000; i++) {
        uint64_t bits = random_next(&random);
        double number;
        memcpy(&number, &bits, sizeof number);
        if (!isfinite(number))
            continue;
        if (i % 10 == 0)
            expect_shortest(number);
        else
            expect_round_trip(number);
    }
}

/* What business data holds: few digits, few of them behind the point. */
static void decimal_amounts_round_trip(void **state)
{
    static const double scales[] = {1, 10, 100, 1000, 1e4, 1e6, 1e9, 1e12, 1e15, 1e18, 1e22};
    struct random random = {62};
    (void)state;
    for (size_t i = 0; i < 200000; i++) {
        double whole = (double)(int64_t)(random_next(&random) >> (11 + i % 53));
        double scale = scales[random_up_to(&random, COUNT(scales) - 1)];
        expect_shortest(i % 2 ? whole / scale : -whole * scale);
    }
}

static void neighbours_of_round_numbers_round_trip(void **state)
{
    (void)state;
    for (int exponent = -323; exponent <= 308; exponent++) {
        double number = pow(10, exponent);
        expect_shortest(number);
        expect_shortest(nextafter(number, 0));
        expect_shortest(nextafter(number, DBL_MAX));
    }
    for (int exponent = -1074; exponent < 1024; exponent++) {
        double number = ldexp(1, exponent);
        expect_shortest(number);
        expect_shortest(nextafter(number, 0));
        expect_shortest(nextafter(number, DBL_MAX));
    }
}

static void text_grows_and_keeps_a_nul_behind_it(void **state)
{
    static struct arena *const places[] = {NULL, &arena};
    (void)state;
    for (size_t i = 0; i < COUNT(places); i++) {
        struct text grown;
        text_init(&grown, places[i]);
        expect_text(text_span(&grown), "");
        for (size_t size = 0; size < 5000; size++) {
            assert_int_equal(grown.size, size);
            text_add_byte(&grown, (char)('a' + size % 26));
            assert_int_equal(grown.bytes[grown.size], '\0');
        }
        for (size_t at = 0; at < grown.size; at++)
            assert_int_equal(grown.bytes[at], 'a' + at % 26);
        text_fini(&grown);
        assert_int_equal(grown.size, 0);
        text_add(&grown, SPAN("again"));
        expect_text(text_span(&grown), "again");
        text_fini(&grown);
    }
}

static void an_empty_span_adds_nothing(void **state)
{
    (void)state;
    text_add(&text, (struct span){NULL, 0});
    expect_text(text_span(&text), "");
    text_add(&text, SPAN("a\0b"));
    text_add(&text, (struct span){NULL, 0});
    assert_true(span_equal(text_span(&text), SPAN("a\0b")));
}

static void clearing_keeps_the_memory(void **state)
{
    (void)state;
    text_add(&text, SPAN("something"));
    const char *bytes = text.bytes;
    text_clear(&text);
    expect_text(text_span(&text), "");
    text_add(&text, SPAN("else"));
    assert_ptr_equal(text.bytes, bytes);
    expect_text(text_span(&text), "else");
}

static void reserved_bytes_may_all_be_written(void **state)
{
    (void)state;
    for (size_t size = 0; size < 300; size++) {
        struct text fresh;
        text_init(&fresh, NULL);
        memset(text_reserve(&fresh, size), 'x', size);
        fresh.size += size;
        text_add(&fresh, SPAN("y"));
        assert_int_equal(fresh.bytes[size], 'y');
        text_fini(&fresh);
    }
}

static void formatting_takes_any_length(void **state)
{
    (void)state;
    text_format(&text, "%s %d%%", "a", 5);
    text_format(&text, "%s", "");
    expect_text(text_span(&text), "a 5%");
    text_clear(&text);
    text_format(&text, "%*d", 10000, 7);
    assert_int_equal(text.size, 10000);
    assert_int_equal(text.bytes[9999], '7');
    expect_text(text_print(&arena, "%.*s", SPAN_ARGS(SPAN("abc"))), "abc");
    expect_text(text_print(&arena, "%s", ""), "");
}

static void a_text_in_a_spent_arena_jumps_to_its_guard(void **state)
{
    static char memory[256];
    struct arena small;
    struct text in_small;
    struct arena_guard guard;
    volatile size_t added = 0;
    (void)state;
    arena_init(&small, memory, sizeof memory);
    text_init(&in_small, &small);
    if (arena_is_spent(&small, &guard)) {
        assert_true(added >= 32);
        return;
    }
    for (;;) {
        text_add_byte(&in_small, 'x');
        added = added + 1;
        assert_true(added < 256);
    }
}

static void reserve_too_much(void)
{
    struct text too_much;
    text_init(&too_much, NULL);
    text_reserve(&too_much, SIZE_MAX);
}

static void an_impossible_size_stops_the_process(void **state)
{
    (void)state;
    expect_broken(reserve_too_much);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_text, close_text)

static void control_characters_are_made_visible(void **state)
{
    (void)state;
    static const struct {
        const char *from;
        const char *line;
        const char *lines;
    } rows[] = {
        {"", "", ""},
        {"plain \xc3\xbc \xe2\x86\x92", "plain \xc3\xbc \xe2\x86\x92",
         "plain \xc3\xbc \xe2\x86\x92"},
        {"a\x1b[2Jb", "a\\x1b[2Jb", "a\\x1b[2Jb"},
        {"a\nb\r\t", "a\\x0ab\\x0d\\x09", "a\nb\\x0d\\x09"},
        {"\x7f", "\\x7f", "\\x7f"},
        {"\xc2\x9b[\xc2\xa0", "\\u009b[\xc2\xa0", "\\u009b[\xc2\xa0"},
        {"\xc2", "\xc2", "\xc2"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text shown = {.arena = NULL};
        text_add_visible(&shown, span_from_text(rows[i].from));
        expect_text(text_span(&shown), rows[i].line);
        text_clear(&shown);
        text_add_visible_lines(&shown, span_from_text(rows[i].from));
        expect_text(text_span(&shown), rows[i].lines);
        text_fini(&shown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(integers_are_written_to_their_edges),
        TEST(integers_are_written_as_printf_does),
        TEST(doubles_are_written_shortly),
        TEST(random_bit_patterns_round_trip),
        TEST(decimal_amounts_round_trip),
        TEST(neighbours_of_round_numbers_round_trip),
        TEST(text_grows_and_keeps_a_nul_behind_it),
        TEST(an_empty_span_adds_nothing),
        TEST(clearing_keeps_the_memory),
        TEST(reserved_bytes_may_all_be_written),
        TEST(formatting_takes_any_length),
        TEST(control_characters_are_made_visible),
        TEST(a_text_in_a_spent_arena_jumps_to_its_guard),
        TEST(an_impossible_size_stops_the_process),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
