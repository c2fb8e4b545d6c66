/*
 * yaml_scalar.c - the core schema, pattern by pattern.
 */
#include "wire/yaml_scalar.h"

#include <math.h>

#include "base/checked.h"
#include "base/decimal.h"
#include "base/digit.h"
#include "base/ensure.h"

static const char NOT_INT64[] = "does not fit into 64 bits with a sign";
static const char NOT_FINITE[] = "is not a finite number";

static bool is_one_of(struct span text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (span_is(text, words[i]))
            return true;
    }
    return false;
}

#define IS_ONE_OF(text, ...)                              \
    is_one_of((text), (const char *const[]){__VA_ARGS__}, \
              sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static bool is_null(struct span text)
{
    return text.size == 0 || IS_ONE_OF(text, "~", "null", "Null", "NULL");
}

static bool is_true(struct span text)
{
    return IS_ONE_OF(text, "true", "True", "TRUE");
}

static bool is_false(struct span text)
{
    return IS_ONE_OF(text, "false", "False", "FALSE");
}

static bool is_sign(char c)
{
    return c == '-' || c == '+';
}

static bool is_infinity(struct span text)
{
    size_t sign = text.size > 0 && is_sign(text.text[0]) ? 1 : 0;
    return IS_ONE_OF(span_slice(text, sign, text.size), ".inf", ".Inf", ".INF");
}

static bool is_nan(struct span text)
{
    return IS_ONE_OF(text, ".nan", ".NaN", ".NAN");
}

static size_t count_digits(struct span text, size_t from, uint32_t base)
{
    size_t at = from;
    while (at < text.size && digit_value(text.text[at]) < base)
        at++;
    return at - from;
}

/* The digits of an integer: where they start, their base, their sign. */
struct digits {
    size_t start;
    uint32_t base;
    bool negative;
};

static bool is_integer(struct span text, struct digits *digits)
{
    *digits = (struct digits){.base = 10};
    if (span_starts_with(text, SPAN("0x")))
        *digits = (struct digits){2, 16, false};
    else if (span_starts_with(text, SPAN("0o")))
        *digits = (struct digits){2, 8, false};
    else if (text.size > 0 && is_sign(text.text[0]))
        *digits = (struct digits){1, 10, text.text[0] == '-'};
    size_t count = count_digits(text, digits->start, digits->base);
    return count > 0 && digits->start + count == text.size;
}

static const char *read_integer(struct span text, struct digits digits, struct value *value)
{
    int64_t number = 0;
    for (size_t i = digits.start; i < text.size; i++) {
        int64_t digit = (int64_t)digit_value(text.text[i]);
        if (!checked_multiply(number, (int64_t)digits.base, &number) ||
            !checked_add(number, digits.negative ? -digit : digit, &number))
            return NOT_INT64;
    }
    *value = value_int(number);
    return NULL;
}

static const char *read_null(struct span text, struct value *value)
{
    if (!is_null(text))
        return "is not null";
    *value = value_null();
    return NULL;
}

static const char *read_bool(struct span text, struct value *value)
{
    if (!is_true(text) && !is_false(text))
        return "is neither true nor false";
    *value = value_bool(is_true(text));
    return NULL;
}

static const char *read_int(struct span text, struct value *value)
{
    struct digits digits;
    return is_integer(text, &digits) ? read_integer(text, digits, value) : "is not an integer";
}

/* The number's grammar is the one of decimal_read(). */
static const char *read_double(struct span text, struct value *value)
{
    double number;
    if (is_infinity(text) || is_nan(text))
        return NOT_FINITE;
    if (!decimal_read(text, &number))
        return "is not a number";
    *value = value_double(number);
    return isfinite(number) ? NULL : NOT_FINITE;
}

static bool is_decimal(struct span text)
{
    double number;
    return decimal_read(text, &number);
}

const char *yaml_scalar_resolve(struct span text, struct value *value)
{
    struct digits digits;
    if (is_null(text))
        return read_null(text, value);
    if (is_true(text) || is_false(text))
        return read_bool(text, value);
    if (is_integer(text, &digits))
        return read_integer(text, digits, value);
    if (is_infinity(text) || is_nan(text) || is_decimal(text))
        return read_double(text, value);
    *value = value_string(text);
    return NULL;
}

const char *yaml_scalar_resolve_as(struct span text, enum value_kind kind, struct value *value)
{
    if (kind == VALUE_NULL)
        return read_null(text, value);
    if (kind == VALUE_BOOL)
        return read_bool(text, value);
    if (kind == VALUE_INT)
        return read_int(text, value);
    if (kind == VALUE_DOUBLE)
        return read_double(text, value);
    ensure(kind == VALUE_STRING);
    *value = value_string(text);
    return NULL;
}
