/*
 * literal.c - decoding numbers and strings.
 *
 * A decoded string is never longer than its escapes, so one buffer of the token's size is
 * always enough.
 */
#include "expr/literal.h"

#include <math.h>

#include "base/checked.h"
#include "base/decimal.h"
#include "base/digit.h"
#include "base/ensure.h"

static bool fail(struct literal_problem *problem, size_t offset, const char *message)
{
    *problem = (struct literal_problem){(uint32_t)offset, message};
    return false;
}

static bool read_magnitude(struct span digits, uint64_t *magnitude)
{
    bool is_hex = digits.size > 2 && (digits.text[1] == 'x' || digits.text[1] == 'X');
    uint64_t base = is_hex ? 16 : 10;
    *magnitude = 0;
    for (size_t i = is_hex ? 2 : 0; i < digits.size; i++) {
        if (!checked_multiply(*magnitude, base, magnitude) ||
            !checked_add(*magnitude, (uint64_t)digit_value(digits.text[i]), magnitude))
            return false;
    }
    return true;
}

static bool read_int(struct token token, bool is_negative, struct value *value,
                     struct literal_problem *problem)
{
    uint64_t magnitude;
    uint64_t limit = (uint64_t)INT64_MAX + is_negative;
    if (!read_magnitude(token.text, &magnitude) || magnitude > limit)
        return fail(problem, token.offset, "this number does not fit an int of 64 bits");
    *value = value_int(is_negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude);
    return true;
}

static bool read_uint(struct token token, struct value *value, struct literal_problem *problem)
{
    uint64_t magnitude;
    struct span digits = span_slice(token.text, 0, token.text.size - 1);
    if (!read_magnitude(digits, &magnitude))
        return fail(problem, token.offset, "this number does not fit a uint of 64 bits");
    *value = value_uint(magnitude);
    return true;
}

static bool read_double(struct token token, bool is_negative, struct value *value,
                        struct literal_problem *problem)
{
    double real = 0;
    bool is_read = decimal_read(token.text, &real);
    ensure(is_read);
    if (isinf(real))
        return fail(problem, token.offset, "this number does not fit a double");
    *value = value_double(is_negative ? -real : real);
    return true;
}

struct escape {
    char letter;
    char byte; /* what it stands for, when digits is 0 */
    uint8_t digits;
    uint8_t base;
    bool in_bytes; /* also allowed in bytes */
};

static const struct escape escapes[] = {
    {'a', '\a', 0, 0, true}, {'b', '\b', 0, 0, true},  {'f', '\f', 0, 0, true},
    {'n', '\n', 0, 0, true}, {'r', '\r', 0, 0, true},  {'t', '\t', 0, 0, true},
    {'v', '\v', 0, 0, true}, {'\\', '\\', 0, 0, true}, {'\'', '\'', 0, 0, true},
    {'"', '"', 0, 0, true},  {'`', '`', 0, 0, true},   {'?', '?', 0, 0, true},
    {'x', 0, 2, 16, true},   {'X', 0, 2, 16, true},    {'u', 0, 4, 16, false},
    {'U', 0, 8, 16, false},  {'0', 0, 3, 8, true},     {'1', 0, 3, 8, true},
    {'2', 0, 3, 8, true},    {'3', 0, 3, 8, true},
};

static const struct escape *find_escape(char letter)
{
    for (size_t i = 0; i < sizeof escapes / sizeof escapes[0]; i++) {
        if (escapes[i].letter == letter)
            return &escapes[i];
    }
    return NULL;
}

/* The number that the escape's digits from text[at] stand for; NULL, or what is wrong. */
static const char *read_escape_digits(struct span text, size_t at, const struct escape *escape,
                                      bool is_bytes, uint32_t *number)
{
    *number = 0;
    if (at + escape->digits > text.size)
        return "this escape needs more digits";
    for (size_t i = at; i < at + escape->digits; i++) {
        uint32_t digit = digit_value(text.text[i]);
        if (digit >= escape->base)
            return "this escape needs more digits";
        *number = *number * escape->base + digit;
    }
    if (!is_bytes && (*number > 0x10ffff || (*number >= 0xd800 && *number < 0xe000)))
        return "no character has this code";
    return NULL;
}

struct decoder {
    struct span body;
    size_t at;
    size_t offset; /* of the body in the expression */
    bool is_bytes;
    char *to;
    size_t size;
};

static bool decode_escape(struct decoder *decoder, struct literal_problem *problem)
{
    size_t from = decoder->offset + decoder->at;
    const struct escape *escape = find_escape(decoder->body.text[decoder->at + 1]);
    if (escape == NULL)
        return fail(problem, from, "no such escape; a backslash is written '\\\\'");
    if (decoder->is_bytes && !escape->in_bytes)
        return fail(problem, from, "bytes have no \\u escapes; use \\x");
    if (escape->digits == 0) {
        decoder->to[decoder->size++] = escape->byte;
        decoder->at += 2;
        return true;
    }
    uint32_t number;
    size_t first = decoder->at + (escape->base == 8 ? 1 : 2);
    const char *wrong =
        read_escape_digits(decoder->body, first, escape, decoder->is_bytes, &number);
    if (wrong != NULL)
        return fail(problem, from, wrong);
    if (decoder->is_bytes)
        decoder->to[decoder->size++] = (char)number;
    else
        decoder->size += span_put_character(decoder->to + decoder->size, number);
    decoder->at = first + escape->digits;
    return true;
}

static bool decode(struct decoder *decoder, struct literal_problem *problem)
{
    while (decoder->at < decoder->body.size) {
        char c = decoder->body.text[decoder->at];
        if (c == '\\') {
            if (!decode_escape(decoder, problem))
                return false;
        } else {
            decoder->to[decoder->size++] = c;
            decoder->at++;
        }
    }
    return true;
}

static bool read_text(struct token token, struct arena *arena, struct value *value,
                      struct literal_problem *problem)
{
    size_t prefix = 0;
    bool is_raw = false;
    bool is_bytes = token.kind == TOKEN_BYTES;
    while (token.text.text[prefix] != '\'' && token.text.text[prefix] != '"') {
        is_raw |= token.text.text[prefix] == 'r' || token.text.text[prefix] == 'R';
        prefix++;
    }
    char quote = token.text.text[prefix];
    size_t quotes = token.text.size >= prefix + 6 && token.text.text[prefix + 1] == quote &&
                            token.text.text[prefix + 2] == quote
                        ? 3
                        : 1;
    struct span body = span_slice(token.text, prefix + quotes, token.text.size - quotes);
    if (!span_is_utf8(body))
        return fail(problem, token.offset, "this string is not UTF-8");
    if (!is_raw && memchr(body.text, '\\', body.size) != NULL) {
        struct decoder decoder = {
            .body = body,
            .offset = token.offset + prefix + quotes,
            .is_bytes = is_bytes,
            .to = arena_get(arena, body.size + 1),
        };
        if (!decode(&decoder, problem))
            return false;
        body = span_of(decoder.to, decoder.size);
    }
    *value = is_bytes ? value_bytes(body) : value_string(body);
    return true;
}

bool literal_read(struct token token, bool is_negative, struct arena *arena,
                  struct value *value, struct literal_problem *problem)
{
    if (token.kind == TOKEN_INT)
        return read_int(token, is_negative, value, problem);
    if (token.kind == TOKEN_UINT)
        return read_uint(token, value, problem);
    if (token.kind == TOKEN_DOUBLE)
        return read_double(token, is_negative, value, problem);
    ensure(token.kind == TOKEN_STRING || token.kind == TOKEN_BYTES);
    return read_text(token, arena, value, problem);
}
