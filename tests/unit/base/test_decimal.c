/*
 * test_decimal.c - decimals against the C library in its own locale, digit for digit.
 */
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/decimal.h"
#include "base/random.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct text text;

static double random_double(struct random *random)
{
    uint64_t bits = random_next(random);
    double number;
    memcpy(&number, &bits, sizeof number);
    return isfinite(number) ? number : 0.1;
}

static void expect_read(const char *digits)
{
    double number = -1;
    double expected = strtod(digits, NULL);
    bool is_read = decimal_read(span_from_text(digits), &number);
    if (!is_read || memcmp(&number, &expected, sizeof number) != 0)
        fail_msg("%s is read as %a, not %a", digits, number, expected);
}

static void hard_numbers_are_read_as_they_are(void **state)
{
    static const char *const rows[] = {
        "0",
        "-0",
        "1",
        "1.",
        ".5",
        "+5e-1",
        "1e22",
        "1e23",
        "9007199254740993",
        "9007199254740992.5",
        "9007199254740993.00000000000000000000000000000000001",
        "9007199254740991.5",
        "18446744073709551615",
        "18446744073709551616",
        "123456789012345678901234567890",
        "1e19",
        "1e-19",
        "1e20",
        "1e-20",
        "4.9e-324",
        "2.4e-324",
        "2.5e-324",
        "2.4703282292062327208e-324",
        "2.4703282292062328e-324",
        "2.2250738585072011e-308",
        "2.2250738585072012e-308",
        "1.7976931348623157e308",
        "1.7976931348623158e308",
        "1.7976931348623159e308",
        "1e309",
        "1e-400",
        "1e99999999999999999999",
        "1e-99999999999",
        "0e99999999999",
        "0.000000000000000000000000000000000000000000001e45",
        "100000000000000000000000000000000000000e-38",
        "8.5e-310",
        "0.1000000000000000055511151231257827021181583404541015625",
        "0.1000000000000000124900090270330610871315002441406250",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        expect_read(rows[i]);
}

static void what_is_no_number_is_refused(void **state)
{
    static const char *const rows[] = {
        "",   "-",   ".",   "e5",  "1e",    "1e+",   "1x",  " 1",
        "1 ", "0x1", "inf", "nan", "1.2.3", "1e5.5", "--1",
    };
    (void)state;
    double number;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_false(decimal_read(span_from_text(rows[i]), &number));
}

static void random_numbers_are_read_as_strtod_reads_them(void **state)
{
    struct random random = {71};
    char digits[900];
    (void)state;
    for (int i = 0; i < 30000; i++) {
        double number = random_double(&random);
        snprintf(digits, sizeof digits, "%.*e", (int)(random_next(&random) % 25), number);
        expect_read(digits);
        snprintf(digits, sizeof digits, "%llu.%llue%d",
                 (unsigned long long)random_next(&random),
                 (unsigned long long)(random_next(&random) >> random_next(&random) % 64),
                 (int)(random_next(&random) % 60) - 30);
        expect_read(digits);
    }
}

/* An odd number of 54 bits lies half-way between two doubles. */
static void halves_go_to_the_even_neighbour(void **state)
{
    struct random random = {72};
    char digits[1200];
    (void)state;
    for (int i = 0; i < 2000; i++) {
        unsigned long long odd = random_next(&random) >> 10 | (uint64_t)1 << 53 | 1;
        snprintf(digits, sizeof digits, "%llu", odd);
        expect_read(digits);
        snprintf(digits, sizeof digits, "%llu.%0*d1", odd, i % 1000 + 1, 0);
        expect_read(digits);
        snprintf(digits, sizeof digits, "%llu.9999999999999999999999999999999", odd - 1);
        expect_read(digits);
        snprintf(digits, sizeof digits, "%llu%0*de-%d", odd, i % 300 + 1, 0, i % 300 + 1);
        expect_read(digits);
    }
}

static void expect_written(double number, int precision, bool is_plain)
{
    char expected[1200];
    struct decimal decimal;
    if (is_plain)
        snprintf(expected, sizeof expected, "%.*f", precision, fabs(number));
    else
        snprintf(expected, sizeof expected, "%.*e", precision, fabs(number));
    decimal_from_double(&decimal, number);
    decimal_round(&decimal, is_plain ? decimal.point + precision : precision + 1);
    text_clear(&text);
    if (is_plain)
        decimal_add_plain(&text, &decimal, precision);
    else
        decimal_add_scientific(&text, &decimal, precision);
    if (!span_is(text_span(&text), expected))
        fail_msg("%a with %d digits is %s, not %s", number, precision, text.bytes, expected);
}

static void numbers_are_written_as_printf_writes_them(void **state)
{
    static const double rows[] = {0,      0.5,   1.5,    2.5,   0.05, 0.25,     9.5,
                                  99.995, 1e22,  1e-7,   0.999, 1e15, 4.9e-324, 1.7e308,
                                  1234.5, 0.125, 9.9999, 5e-5,  1,    10,       100};
    struct random random = {73};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (int precision = 0; precision < 30; precision++) {
            expect_written(rows[i], precision, true);
            expect_written(rows[i], precision, false);
        }
    }
    for (int i = 0; i < 5000; i++) {
        double number = random_double(&random);
        expect_written(number, (int)(random_next(&random) % 100), true);
        expect_written(number, (int)(random_next(&random) % 100), false);
        expect_written((double)(int64_t)random_next(&random) / 1e15,
                       (int)(random_next(&random) % 10), true);
    }
}

static void the_shortest_digits_read_back(void **state)
{
    struct random random = {74};
    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct decimal decimal;
        double number = fabs(random_double(&random));
        decimal_from_double_shortest(&decimal, number);
        assert_in_range(decimal.count, 0, 17);
        assert_true(decimal_value(&decimal) == number);
    }
}

/* Where a comma is the point, for as far as this machine has such a locale. */
static void the_locale_changes_nothing(void **state)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE"};
    double number = 0;
    (void)state;
    for (size_t i = 0; i < COUNT(names) && setlocale(LC_ALL, names[i]) == NULL; i++)
        continue;
    assert_true(decimal_read(SPAN("1.5"), &number));
    assert_true(number == 1.5);
    text_clear(&text);
    text_add_double(&text, 0.1 + 0.2);
    assert_string_equal(text.bytes, "0.30000000000000004");
    setlocale(LC_ALL, "C");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hard_numbers_are_read_as_they_are),
        cmocka_unit_test(what_is_no_number_is_refused),
        cmocka_unit_test(random_numbers_are_read_as_strtod_reads_them),
        cmocka_unit_test(halves_go_to_the_even_neighbour),
        cmocka_unit_test(numbers_are_written_as_printf_writes_them),
        cmocka_unit_test(the_shortest_digits_read_back),
        cmocka_unit_test(the_locale_changes_nothing),
    };
    text_init(&text, NULL);
    int failed = cmocka_run_group_tests_name("decimal", tests, NULL, NULL);
    text_fini(&text);
    return failed;
}
