/*
 * text.c - growing text and number formatting.
 */
#include "base/text.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/decimal.h"
#include "base/ensure.h"
#include "base/memory.h"

enum { FIRST_CAPACITY = 64, NUMBER_BYTES_MAX = 40 };

void text_init(struct text *text, struct arena *arena)
{
    *text = (struct text){.arena = arena};
}

void text_fini(struct text *text)
{
    if (text->arena == NULL)
        memory_release(text->bytes);
    *text = (struct text){.arena = text->arena};
}

void text_grow(struct text *text, size_t size)
{
    ensure(size < SIZE_MAX / 4);
    size_t needed = text->size + size + 1;
    size_t capacity = text->capacity == 0 ? FIRST_CAPACITY : text->capacity * 2;
    if (capacity < needed)
        capacity = needed;
    if (text->arena == NULL) {
        text->bytes = memory_resize(text->bytes, capacity);
    } else {
        char *bytes = arena_get(text->arena, capacity);
        if (text->size > 0)
            memcpy(bytes, text->bytes, text->size);
        text->bytes = bytes;
    }
    text->capacity = capacity;
}

void text_add_uint(struct text *text, uint64_t number)
{
    char digits[NUMBER_BYTES_MAX];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    text_add(text, span_of(digits + at, sizeof digits - at));
}

void text_add_int(struct text *text, int64_t number)
{
    if (number < 0)
        text_add_byte(text, '-');
    text_add_uint(text, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

/* digits / scale, the scale being a power of ten. */
static void add_fixed(struct text *text, int64_t digits, int64_t scale)
{
    char decimals[NUMBER_BYTES_MAX];
    size_t at = sizeof decimals;
    for (; scale > 1; scale /= 10, digits /= 10)
        decimals[--at] = (char)('0' + digits % 10);
    if (at == sizeof decimals)
        decimals[--at] = '0';
    text_add_int(text, digits);
    text_add_byte(text, '.');
    text_add(text, span_of(decimals + at, sizeof decimals - at));
}

/*
 * Most numbers that people write have few digits: look for the smallest power of ten that
 * makes a whole number of them. A whole number below 10^15 and a power of ten up to 10^22 are
 * exact doubles, so their quotient is rounded once, as a reader rounds the decimal; and no two
 * such quotients with the same power are the same double, so that nothing shorter is missed.
 */
static bool add_short_decimal(struct text *text, double number)
{
    double magnitude = fabs(number);
    if (magnitude < 1e-3 && magnitude != 0)
        return false; /* so that the scale stays below 10^19 */
    for (int64_t scale = 1;; scale *= 10) {
        double scaled = magnitude * (double)scale;
        if (scaled >= 1e15)
            return false;
        int64_t digits = (int64_t)(scaled + 0.5);
        if ((double)digits / (double)scale == magnitude) {
            if (signbit(number))
                text_add_byte(text, '-');
            add_fixed(text, digits, scale);
            return true;
        }
    }
}

/* In the form of printf's %g with the digits that are needed, but always as a double. */
static void add_general(struct text *text, double number)
{
    struct decimal decimal;
    decimal_from_double_shortest(&decimal, number);
    int32_t plain_max = decimal.count;
    if (plain_max < DBL_DIG && fabs(number) >= DBL_MIN)
        plain_max = DBL_DIG;
    if (signbit(number))
        text_add_byte(text, '-');
    if (decimal.point - 1 < -4 || decimal.point > plain_max)
        decimal_add_scientific(text, &decimal, 0);
    else
        decimal_add_plain(text, &decimal, 1);
}

void text_add_double(struct text *text, double number)
{
    if (isnan(number)) {
        text_add(text, SPAN("NaN"));
        return;
    }
    if (isinf(number)) {
        text_add(text, number < 0 ? SPAN("-Infinity") : SPAN("Infinity"));
        return;
    }
    if (add_short_decimal(text, number))
        return;
    add_general(text, number);
}

void text_format_list(struct text *text, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, arguments);
    ensure(size >= 0);
    char *to = text_reserve(text, (size_t)size);
    vsnprintf(to, (size_t)size + 1, format, again);
    va_end(again);
    text->size += (size_t)size;
}

void text_format(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    text_format_list(text, format, arguments);
    va_end(arguments);
}

static void add_visible(struct text *text, struct span from, bool is_one_line)
{
    for (size_t i = 0; i < from.size; i++) {
        unsigned char byte = (unsigned char)from.text[i];
        unsigned char next = i + 1 < from.size ? (unsigned char)from.text[i + 1] : 0;
        if (byte == 0xC2 && next >= 0x80 && next <= 0x9F)
            text_format(text, "\\u%04x", from.text[++i] & 0xFF);
        else if ((byte < ' ' || byte == 0x7F) && (byte != '\n' || is_one_line))
            text_format(text, "\\x%02x", byte);
        else
            text_add_byte(text, from.text[i]);
    }
}

void text_add_visible(struct text *text, struct span from)
{
    add_visible(text, from, true);
}

void text_add_visible_lines(struct text *text, struct span from)
{
    add_visible(text, from, false);
}

void text_clear(struct text *text)
{
    text->size = 0;
}

struct span text_span(const struct text *text)
{
    return span_of(text->size == 0 ? "" : text->bytes, text->size);
}

struct span text_print(struct arena *arena, const char *format, ...)
{
    struct text text;
    text_init(&text, arena);
    va_list arguments;
    va_start(arguments, format);
    text_format_list(&text, format, arguments);
    va_end(arguments);
    return text_span(&text);
}
