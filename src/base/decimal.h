/*
 * decimal.h - doubles as decimal digits and back, exactly, whatever the host's locale is.
 *
 * strtod() and printf() follow the locale of the program that a library is linked into, where
 * 1.5 may be read as 1. These do not, and round as IEEE 754 wants: to the nearest, of two
 * equally near to the even one.
 */
#pragma once

#include "base/span.h"
#include "base/text.h"

enum { DECIMAL_DIGITS_MAX = 800 }; /* no double has more than 767 */

/* 0.DIGITS times ten to the power of `point`; no zeros at either end, no digits for zero. */
struct decimal {
    int32_t count;
    int32_t point;
    char digits[DECIMAL_DIGITS_MAX]; /* '0' to '9' */
};

/* Reads digits with an optional sign, fraction and exponent and nothing else; too large a
 * number is infinite. False when the text is no such number. */
bool decimal_read(struct span text, double *number);

/* All digits of a number that is finite; its sign is left to the caller. */
void decimal_from_double(struct decimal *decimal, double number);

/* The fewest digits that read back as the same double (one more at a few powers of two). */
void decimal_from_double_shortest(struct decimal *decimal, double number);

/* The nearest double. */
double decimal_value(const struct decimal *decimal);

/* Keeps so many digits, rounding; none or less leaves at most a one before them. */
void decimal_round(struct decimal *decimal, int32_t count);

/* Writes 1234.50, with at least so many digits behind the point, and 1.2345e+03. */
void decimal_add_plain(struct text *text, const struct decimal *decimal, int32_t fraction);
void decimal_add_scientific(struct text *text, const struct decimal *decimal, int32_t fraction);

/* Writes any double as people and JavaScript do: the fewest digits, without an exponent from
 * 1e-6 up to 1e21; "NaN", "Infinity". */
void decimal_add_number(struct text *text, double number);
