/*
 * json_scan.c - the tokens of RFC 8259, strictly.
 *
 * Strings without escapes are not copied: most are. UTF-8 is checked while scanning, so
 * that whatever comes out of here may go anywhere text goes.
 */
#include "base/json_scan.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/limits.h"

void json_scan_init(struct json_scan *scan, struct span text, struct arena *arena)
{
    *scan = (struct json_scan){.text = text, .arena = arena};
}

bool json_scan_fail(struct json_scan *scan, const char *message)
{
    if (scan->error.message == NULL)
        scan->error = (struct json_error){scan->at, message};
    return false;
}

char json_scan_peek(struct json_scan *scan)
{
    while (scan->at < scan->text.size) {
        char c = scan->text.text[scan->at];
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
            return c;
        scan->at++;
    }
    return '\0';
}

bool json_scan_take(struct json_scan *scan, char byte)
{
    if (json_scan_peek(scan) != byte || scan->at == scan->text.size)
        return false;
    scan->at++;
    return true;
}

bool json_scan_more(struct json_scan *scan, char closing, uint32_t count)
{
    if (json_scan_take(scan, closing))
        return false;
    if (count == 0)
        return true;
    if (!json_scan_take(scan, ','))
        return json_scan_fail(scan,
                              closing == '}' ? "expected ',' or '}'" : "expected ',' or ']'");
    if (json_scan_peek(scan) == closing)
        return json_scan_fail(scan, "a comma before the closing bracket");
    return true;
}

bool json_scan_end(struct json_scan *scan)
{
    json_scan_peek(scan);
    return scan->at == scan->text.size ||
           json_scan_fail(scan, "text after the end of the document");
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The four digits of a \u escape, scan->at being the first of them. */
static bool read_hex4(struct json_scan *scan, uint32_t *unit)
{
    *unit = 0;
    for (size_t i = 0; i < 4; i++, scan->at++) {
        int digit = scan->at < scan->text.size ? hex_digit(scan->text.text[scan->at]) : -1;
        if (digit < 0)
            return json_scan_fail(scan, "\\u needs four hexadecimal digits");
        *unit = *unit << 4 | (uint32_t)digit;
    }
    return true;
}

static size_t encode_utf8(uint32_t point, char *to)
{
    if (point < 0x80) {
        to[0] = (char)point;
        return 1;
    }
    size_t size = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = size - 1; i > 0; i--, point >>= 6)
        to[i] = (char)(0x80 | (point & 0x3F));
    to[0] = (char)(lead[size] | point);
    return size;
}

/* A \u escape behind its `u`, with the second half of a surrogate pair. */
static bool read_unicode(struct json_scan *scan, char *to, size_t *size)
{
    uint32_t high;
    uint32_t low;
    if (!read_hex4(scan, &high))
        return false;
    if (high >= 0xDC00 && high <= 0xDFFF)
        return json_scan_fail(scan, "half of a surrogate pair");
    if (high >= 0xD800 && high <= 0xDBFF) {
        if (scan->at + 2 > scan->text.size || memcmp(scan->text.text + scan->at, "\\u", 2) != 0)
            return json_scan_fail(scan, "half of a surrogate pair");
        scan->at += 2;
        if (!read_hex4(scan, &low))
            return false;
        if (low < 0xDC00 || low > 0xDFFF)
            return json_scan_fail(scan, "half of a surrogate pair");
        high = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    }
    *size += encode_utf8(high, to + *size);
    return true;
}

static bool read_escape(struct json_scan *scan, char *to, size_t *size)
{
    static const char names[] = "\"\\/bfnrt";
    static const char bytes[] = "\"\\/\b\f\n\r\t";
    if (scan->at == scan->text.size)
        return json_scan_fail(scan, "the string does not end");
    char name = scan->text.text[scan->at++];
    if (name == 'u')
        return read_unicode(scan, to, size);
    const char *found = name == '\0' ? NULL : strchr(names, name);
    if (found == NULL) {
        scan->at--;
        return json_scan_fail(scan, "not an escape of JSON");
    }
    to[(*size)++] = bytes[found - names];
    return true;
}

/* The end of the string that starts behind its quote, or an error; tells whether it has
 * escapes. */
static bool find_quote(struct json_scan *scan, size_t *end, bool *escapes)
{
    *escapes = false;
    for (size_t i = scan->at; i < scan->text.size; i++) {
        unsigned char c = (unsigned char)scan->text.text[i];
        if (c == '"') {
            *end = i;
            return true;
        }
        if (c < 0x20) {
            scan->at = i;
            return json_scan_fail(scan, "a control character in a string; escape it");
        }
        if (c == '\\') {
            *escapes = true;
            i++;
        }
    }
    scan->at = scan->text.size;
    return json_scan_fail(scan, "the string does not end");
}

static bool unescape(struct json_scan *scan, size_t end, struct span *string)
{
    char *to = arena_get(scan->arena, end - scan->at + 1);
    size_t size = 0;
    while (scan->at < end) {
        char c = scan->text.text[scan->at++];
        if (c != '\\')
            to[size++] = c;
        else if (!read_escape(scan, to, &size))
            return false;
    }
    to[size] = '\0';
    *string = span_of(to, size);
    return true;
}

bool json_scan_string(struct json_scan *scan, struct span *string)
{
    size_t end;
    bool escapes;
    size_t start = ++scan->at;
    if (!find_quote(scan, &end, &escapes))
        return false;
    if (!span_is_utf8(span_slice(scan->text, start, end)))
        return json_scan_fail(scan, "not valid UTF-8");
    if (escapes) {
        if (!unescape(scan, end, string))
            return false;
    } else {
        *string = span_slice(scan->text, start, end);
    }
    scan->at = end + 1;
    return true;
}

static bool is_digit_at(const struct json_scan *scan, size_t at)
{
    return at < scan->text.size && scan->text.text[at] >= '0' && scan->text.text[at] <= '9';
}

static size_t skip_digits(const struct json_scan *scan, size_t at)
{
    while (is_digit_at(scan, at))
        at++;
    return at;
}

static char byte_at(const struct json_scan *scan, size_t at)
{
    return at < scan->text.size ? scan->text.text[at] : '\0';
}

/* The end of the number's token by the grammar, SIZE_MAX when it is not one. */
static size_t find_number_end(const struct json_scan *scan, bool *integral)
{
    size_t at = scan->at + (byte_at(scan, scan->at) == '-');
    if (!is_digit_at(scan, at) || (byte_at(scan, at) == '0' && is_digit_at(scan, at + 1)))
        return SIZE_MAX;
    at = skip_digits(scan, at);
    *integral = true;
    if (byte_at(scan, at) == '.') {
        if (!is_digit_at(scan, at + 1))
            return SIZE_MAX;
        at = skip_digits(scan, at + 1);
        *integral = false;
    }
    if (byte_at(scan, at) == 'e' || byte_at(scan, at) == 'E') {
        at++;
        if (byte_at(scan, at) == '+' || byte_at(scan, at) == '-')
            at++;
        if (!is_digit_at(scan, at))
            return SIZE_MAX;
        at = skip_digits(scan, at);
        *integral = false;
    }
    return at;
}

static bool read_integer(struct json_scan *scan, size_t end, struct value *value)
{
    bool negative = byte_at(scan, scan->at) == '-';
    int64_t number = 0;
    for (size_t i = scan->at + negative; i < end; i++) {
        int64_t digit = scan->text.text[i] - '0';
        if (!checked_multiply(number, (int64_t)10, &number) ||
            !checked_add(number, negative ? -digit : digit, &number))
            return json_scan_fail(scan, "a whole number outside the 64-bit range");
    }
    *value = value_int(number);
    scan->at = end;
    return true;
}

static bool read_double(struct json_scan *scan, size_t end, struct value *value)
{
    char digits[64];
    size_t size = end - scan->at;
    const char *token = scan->text.text + scan->at;
    if (size < sizeof digits)
        token = memcpy(digits, token, size);
    else
        token = arena_copy(scan->arena, span_of(token, size)).text;
    if (size < sizeof digits)
        digits[size] = '\0';
    double number = strtod(token, NULL);
    if (!isfinite(number))
        return json_scan_fail(scan, "a number outside the range of a double");
    *value = value_double(number);
    scan->at = end;
    return true;
}

static bool read_number(struct json_scan *scan, struct value *value)
{
    bool integral;
    size_t end = find_number_end(scan, &integral);
    if (end == SIZE_MAX)
        return json_scan_fail(scan, "not a number of JSON");
    return integral ? read_integer(scan, end, value) : read_double(scan, end, value);
}

static bool read_word(struct json_scan *scan, struct span word, struct value meaning,
                      struct value *value)
{
    if (!span_starts_with(span_slice(scan->text, scan->at, scan->text.size), word))
        return json_scan_fail(scan, "not a value of JSON");
    scan->at += word.size;
    *value = meaning;
    return true;
}

bool json_scan_scalar(struct json_scan *scan, struct value *value)
{
    struct span string;
    switch (json_scan_peek(scan)) {
    case '"':
        if (!json_scan_string(scan, &string))
            return false;
        if (string.size > UINT32_MAX)
            return json_scan_fail(scan, "the string is too long");
        *value = value_string(string);
        return true;
    case 't':
        return read_word(scan, SPAN("true"), value_bool(true), value);
    case 'f':
        return read_word(scan, SPAN("false"), value_bool(false), value);
    case 'n':
        return read_word(scan, SPAN("null"), value_null(), value);
    case '\0':
        if (scan->at == scan->text.size)
            return json_scan_fail(scan, "a value is missing");
        return json_scan_fail(scan, "not a value of JSON");
    default:
        if (byte_at(scan, scan->at) == '-' || is_digit_at(scan, scan->at))
            return read_number(scan, value);
        return json_scan_fail(scan, "not a value of JSON");
    }
}
