/*
 * ecma_text.c - numbers and texts as ECMAScript sees them.
 */
#include "expr/ecma_text.h"

#include <math.h>

#include "base/decimal.h"

void ecma_text_add_number(struct text *text, double number)
{
    decimal_add_number(text, number == 0 ? 0 : number); /* no minus before a zero */
}

static double hex_number(struct span digits)
{
    double number = 0;
    for (size_t i = 0; i < digits.size; i++) {
        char c = digits.text[i];
        char lower = (char)(c | 0x20);
        bool is_letter = lower >= 'a' && lower <= 'f';
        if (!is_letter && (c < '0' || c > '9'))
            return (double)NAN;
        number = number * 16 + (is_letter ? lower - 'a' + 10 : c - '0');
    }
    return digits.size == 0 ? (double)NAN : number;
}

double ecma_text_number(struct span text)
{
    struct span trimmed = span_trim(text);
    if (trimmed.size == 0)
        return 0;
    if (span_starts_with(trimmed, SPAN("0x")) || span_starts_with(trimmed, SPAN("0X")))
        return hex_number(span_slice(trimmed, 2, trimmed.size));
    if (span_is(trimmed, "Infinity") || span_is(trimmed, "+Infinity"))
        return (double)INFINITY;
    if (span_is(trimmed, "-Infinity"))
        return -(double)INFINITY;
    double number;
    return decimal_read(trimmed, &number) ? number : (double)NAN;
}

/* Characters of four bytes are two units. */
static size_t units_at(struct span text, size_t at)
{
    unsigned char c = (unsigned char)text.text[at];
    return (c & 0xc0) == 0x80 ? 0 : c >= 0xf0 ? 2 : 1;
}

size_t ecma_text_length(struct span text)
{
    size_t length = 0;
    for (size_t i = 0; i < text.size; i++)
        length += units_at(text, i);
    return length;
}

size_t ecma_text_offset(struct span text, size_t units)
{
    size_t at = 0;
    size_t passed = 0;
    for (; at < text.size; at++) {
        size_t here = units_at(text, at);
        if (passed >= units && here > 0)
            break;
        passed += here;
    }
    return passed > units ? SIZE_MAX : at;
}
