/*
 * ecma_text.c - numbers and texts as ECMAScript sees them.
 */
#include "expr/ecma_text.h"

#include <math.h>
#include <stdlib.h>

enum { DIGITS_MAX = 32, NUMBER_BYTES_MAX = 400 };

/* 0.d1d2d3… × 10^exponent */
struct decimal {
    char digits[DIGITS_MAX];
    int count;
    int exponent;
};

static struct decimal decimal_of(double number)
{
    struct text text;
    struct decimal decimal = {.count = 0};
    char memory[256];
    struct arena arena;
    bool is_behind_point = false;
    arena_init(&arena, memory, sizeof memory);
    text_init(&text, &arena);
    text_add_double(&text, number);
    for (size_t i = 0; i < text.size; i++) {
        char c = text.bytes[i];
        if (c == 'e' || c == 'E') {
            decimal.exponent += (int)strtol(text.bytes + i + 1, NULL, 10);
            break;
        }
        if (c == '.') {
            is_behind_point = true;
        } else if (c >= '0' && c <= '9') {
            bool counts = c != '0' || decimal.count > 0;
            if (counts && decimal.count < DIGITS_MAX)
                decimal.digits[decimal.count++] = c;
            if (counts)
                decimal.exponent += !is_behind_point;
            else
                decimal.exponent -= is_behind_point;
        }
    }
    while (decimal.count > 1 && decimal.digits[decimal.count - 1] == '0')
        decimal.count--;
    return decimal;
}

static void add_zeros(struct text *text, int count)
{
    for (int i = 0; i < count; i++)
        text_add_byte(text, '0');
}

static void add_digits(struct text *text, const struct decimal *decimal, int from, int to)
{
    text_add(text, span_of(decimal->digits + from, (size_t)(to - from)));
}

static void add_with_exponent(struct text *text, const struct decimal *decimal)
{
    int exponent = decimal->exponent - 1;
    add_digits(text, decimal, 0, 1);
    if (decimal->count > 1) {
        text_add_byte(text, '.');
        add_digits(text, decimal, 1, decimal->count);
    }
    text_format(text, "e%c%d", exponent < 0 ? '-' : '+', abs(exponent));
}

static void add_decimal(struct text *text, const struct decimal *decimal)
{
    int point = decimal->exponent;
    if (point > 21 || point <= -6) {
        add_with_exponent(text, decimal);
    } else if (point <= 0) {
        text_add(text, SPAN("0."));
        add_zeros(text, -point);
        add_digits(text, decimal, 0, decimal->count);
    } else if (point >= decimal->count) {
        add_digits(text, decimal, 0, decimal->count);
        add_zeros(text, point - decimal->count);
    } else {
        add_digits(text, decimal, 0, point);
        text_add_byte(text, '.');
        add_digits(text, decimal, point, decimal->count);
    }
}

void ecma_text_add_number(struct text *text, double number)
{
    if (isnan(number)) {
        text_add(text, SPAN("NaN"));
        return;
    }
    if (number < 0)
        text_add_byte(text, '-');
    if (isinf(number)) {
        text_add(text, SPAN("Infinity"));
    } else if (number == 0) {
        text_add_byte(text, '0');
    } else {
        struct decimal decimal = decimal_of(fabs(number));
        add_decimal(text, &decimal);
    }
}

static size_t count_digits(struct span text, size_t at)
{
    size_t count = 0;
    while (at + count < text.size && text.text[at + count] >= '0' &&
           text.text[at + count] <= '9')
        count++;
    return count;
}

/* [+-] digits [. digits] [e [+-] digits], and nothing else. */
static bool is_decimal(struct span text)
{
    size_t at = text.size > 0 && (text.text[0] == '+' || text.text[0] == '-');
    size_t digits = count_digits(text, at);
    at += digits;
    if (at < text.size && text.text[at] == '.') {
        size_t behind = count_digits(text, at + 1);
        digits += behind;
        at += 1 + behind;
    }
    if (digits == 0)
        return false;
    if (at < text.size && (text.text[at] | 0x20) == 'e') {
        at++;
        at += at < text.size && (text.text[at] == '+' || text.text[at] == '-');
        size_t exponent = count_digits(text, at);
        if (exponent == 0)
            return false;
        at += exponent;
    }
    return at == text.size;
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
    char digits[NUMBER_BYTES_MAX];
    struct span trimmed = span_trim(text);
    if (trimmed.size == 0)
        return 0;
    if (span_starts_with(trimmed, SPAN("0x")) || span_starts_with(trimmed, SPAN("0X")))
        return hex_number(span_slice(trimmed, 2, trimmed.size));
    if (span_is(trimmed, "Infinity") || span_is(trimmed, "+Infinity"))
        return (double)INFINITY;
    if (span_is(trimmed, "-Infinity"))
        return -(double)INFINITY;
    if (!is_decimal(trimmed) || trimmed.size >= sizeof digits)
        return (double)NAN;
    memcpy(digits, trimmed.text, trimmed.size);
    digits[trimmed.size] = '\0';
    return strtod(digits, NULL);
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
