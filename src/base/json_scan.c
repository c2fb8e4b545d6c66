/*
 * json_scan.c - the tokens of RFC 8259, strictly.
 *
 * Strings without escapes are not copied: most are. UTF-8 is checked while scanning, so
 * that whatever comes out of here may go anywhere text goes. Text and digits are looked at
 * once; plain text eight bytes at a time.
 */
#include "base/json_scan.h"

#include <math.h>
#include <string.h>

#include "base/checked.h"
#include "base/decimal.h"
#include "base/digit.h"
#include "base/ensure.h"
#include "base/limits.h"

void json_scan_init(struct json_scan *scan, struct span text, struct arena *arena)
{
    *scan = (struct json_scan){.text = text, .arena = arena};
}

bool json_scan_fail_at(struct json_scan *scan, size_t at, const char *message)
{
    if (scan->error.message == NULL)
        scan->error = (struct json_error){at, message};
    return false;
}

bool json_scan_fail(struct json_scan *scan, const char *message)
{
    return json_scan_fail_at(scan, scan->at, message);
}

bool json_scan_open(struct json_scan *scan, unsigned depth_max)
{
    if (scan->depth == depth_max)
        return json_scan_fail(scan, "nested deeper than 100 levels");
    scan->depth++;
    scan->at++;
    return true;
}

bool json_scan_more(struct json_scan *scan, char closing, uint32_t count)
{
    if (json_scan_take(scan, closing)) {
        scan->depth--;
        return false;
    }
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

/* Merges sorted [0, middle) and [middle, count) into `to`; of equal keys the earlier first. */
static void merge_keys(const struct json_key *keys, size_t middle, size_t count,
                       struct json_key *to)
{
    size_t left = 0;
    size_t right = middle;
    for (size_t i = 0; i < count; i++) {
        bool take_left =
            right == count ||
            (left < middle && span_compare(keys[left].text, keys[right].text) <= 0);
        to[i] = take_left ? keys[left++] : keys[right++];
    }
}

/* Sorts by text, bottom up, with as much room beside; gives the array it ended in. */
static struct json_key *sort_keys(struct json_key *keys, struct json_key *beside, size_t count)
{
    for (size_t run = 1; run < count; run *= 2) {
        for (size_t from = 0; from < count; from += 2 * run) {
            size_t left = count - from;
            size_t size = left < 2 * run ? left : 2 * run;
            merge_keys(keys + from, size < run ? size : run, size, beside + from);
        }
        struct json_key *sorted = beside;
        beside = keys;
        keys = sorted;
    }
    return keys;
}

/* Where a key stands: without escapes it points into the text; else behind its object. */
static size_t offset_of(const struct json_scan *scan, struct span key)
{
    uintptr_t offset = (uintptr_t)key.text - (uintptr_t)scan->text.text;
    return offset <= scan->text.size ? offset - 1 : scan->at;
}

bool json_scan_unique(struct json_scan *scan, struct json_key *keys, uint32_t count)
{
    struct json_key *beside = arena_new_array(scan->arena, count, struct json_key);
    const struct json_key *sorted = sort_keys(keys, beside, count);
    const struct json_key *first = NULL;
    for (uint32_t i = 1; i < count; i++) {
        if (span_equal(sorted[i - 1].text, sorted[i].text) &&
            (first == NULL || sorted[i].index < first->index))
            first = &sorted[i];
    }
    return first == NULL ||
           json_scan_fail_at(scan, offset_of(scan, first->text), "the key is there twice");
}

/* Bytes before the first that has a meaning in a string or is not ASCII. */
static size_t count_plain(const char *bytes, size_t size)
{
    size_t at = 0;
    for (uint64_t word; at + sizeof word <= size; at += sizeof word) {
        memcpy(&word, bytes + at, sizeof word);
        if (json_scan_is_special_in(word) || (word & 0x8080808080808080u) != 0)
            break;
    }
    while (at < size && !json_scan_is_special(bytes[at]) && (unsigned char)bytes[at] < 0x80)
        at++;
    return at;
}

static char byte_at(const struct json_scan *scan, size_t at)
{
    return at < scan->text.size ? scan->text.text[at] : '\0';
}

/* The four digits of a \u escape, scan->at being the first of them. */
static bool read_hex4(struct json_scan *scan, uint32_t *unit)
{
    *unit = 0;
    for (size_t i = 0; i < 4; i++, scan->at++) {
        uint32_t digit = digit_value(byte_at(scan, scan->at));
        if (digit >= 16)
            return json_scan_fail(scan, "\\u needs four hexadecimal digits");
        *unit = *unit << 4 | digit;
    }
    return true;
}

/* A \u escape behind its `u`, with the second half of a surrogate pair. */
static bool read_unicode(struct json_scan *scan, char *to, size_t *size)
{
    static const char half[] = "half of a surrogate pair";
    size_t start = scan->at - 2;
    uint32_t high;
    uint32_t low;
    if (!read_hex4(scan, &high))
        return false;
    if (high >= 0xDC00 && high <= 0xDFFF)
        return json_scan_fail_at(scan, start, half);
    if (high >= 0xD800 && high <= 0xDBFF) {
        if (byte_at(scan, scan->at) != '\\' || byte_at(scan, scan->at + 1) != 'u')
            return json_scan_fail_at(scan, start, half);
        scan->at += 2;
        if (!read_hex4(scan, &low))
            return false;
        if (low < 0xDC00 || low > 0xDFFF)
            return json_scan_fail_at(scan, start, half);
        high = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    }
    *size += span_put_character(to + *size, high);
    return true;
}

static bool read_escape(struct json_scan *scan, char *to, size_t *size)
{
    static const char names[] = "\"\\/bfnrt";
    static const char bytes[] = "\"\\/\b\f\n\r\t";
    char name = byte_at(scan, scan->at++);
    if (name == 'u')
        return read_unicode(scan, to, size);
    const char *found = name == '\0' ? NULL : strchr(names, name);
    if (found == NULL)
        return json_scan_fail_at(scan, scan->at - 1, "not an escape of JSON");
    to[(*size)++] = bytes[found - names];
    return true;
}

/* Goes to the closing quote, or fails; tells whether there are escapes before it. */
static bool find_quote(struct json_scan *scan, bool *escapes)
{
    const char *text = scan->text.text;
    size_t size = scan->text.size;
    for (*escapes = false;;) {
        scan->at += count_plain(text + scan->at, size - scan->at);
        if (scan->at == size)
            return json_scan_fail(scan, "the string does not end");
        unsigned char c = (unsigned char)text[scan->at];
        if (c == '"')
            return true;
        if (c < 0x20)
            return json_scan_fail(scan, "a control character in a string; escape it");
        if (c == '\\') {
            char next = byte_at(scan, ++scan->at);
            scan->at += next == '"' || next == '\\';
            *escapes = true;
            continue;
        }
        size_t sequence = span_utf8_size(span_of(text + scan->at, size - scan->at));
        if (sequence == 0)
            return json_scan_fail(scan, "not valid UTF-8");
        scan->at += sequence;
    }
}

/* [start, scan->at) without its escapes, in the arena. */
static bool unescape(struct json_scan *scan, size_t start, struct span *string)
{
    size_t end = scan->at;
    char *to = arena_get(scan->arena, end - start + 1);
    size_t size = 0;
    for (scan->at = start; scan->at < end;) {
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
    bool escapes;
    size_t start = ++scan->at;
    if (!find_quote(scan, &escapes))
        return false;
    *string = span_slice(scan->text, start, scan->at);
    if (string->size > UINT32_MAX)
        return json_scan_fail_at(scan, start - 1, "the string is too long");
    if (escapes && !unescape(scan, start, string))
        return false;
    scan->at++;
    return true;
}

/* A number's sign, and its digits as those of a whole number times a power of ten. */
struct number {
    uint64_t digits;
    int64_t exponent;
    bool is_negative;
    bool is_integral;
    bool is_exact; /* the digits fit */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t read_digits(const struct json_scan *scan, size_t at, struct number *number)
{
    for (; at < scan->text.size && is_digit(scan->text.text[at]); at++) {
        uint64_t digit = (uint64_t)(scan->text.text[at] - '0');
        number->is_exact = number->is_exact &&
                           checked_multiply(number->digits, (uint64_t)10, &number->digits) &&
                           checked_add(number->digits, digit, &number->digits);
    }
    return at;
}

/* Behind the `e`. An exponent that no double has stays one. */
static size_t read_exponent(const struct json_scan *scan, size_t at, struct number *number)
{
    bool is_negative = byte_at(scan, at) == '-';
    int64_t exponent = 0;
    at += is_negative || byte_at(scan, at) == '+';
    for (; is_digit(byte_at(scan, at)); at++)
        exponent = exponent > 100000 ? exponent : exponent * 10 + (scan->text.text[at] - '0');
    number->exponent += is_negative ? -exponent : exponent;
    return at;
}

/* The end of the number's token by the grammar; SIZE_MAX when it is not one. */
static size_t read_token(const struct json_scan *scan, struct number *number)
{
    *number = (struct number){.is_integral = true, .is_exact = true};
    number->is_negative = byte_at(scan, scan->at) == '-';
    size_t first = scan->at + number->is_negative;
    size_t at = read_digits(scan, first, number);
    if (at == first || (scan->text.text[first] == '0' && at > first + 1))
        return SIZE_MAX;
    if (byte_at(scan, at) == '.') {
        size_t point = at++;
        at = read_digits(scan, at, number);
        number->exponent = -(int64_t)(at - point - 1);
        number->is_integral = false;
        if (number->exponent == 0)
            return SIZE_MAX;
    }
    if (byte_at(scan, at) == 'e' || byte_at(scan, at) == 'E') {
        at = read_exponent(scan, at + 1, number);
        number->is_integral = false;
        if (!is_digit(scan->text.text[at - 1]))
            return SIZE_MAX;
    }
    return at;
}

static bool read_integer(struct json_scan *scan, const struct number *number,
                         struct value *value)
{
    uint64_t most = (uint64_t)INT64_MAX + number->is_negative;
    if (!number->is_exact || number->digits > most)
        return json_scan_fail(scan, "a whole number outside the 64-bit range");
    *value = value_int((int64_t)(number->is_negative ? 0 - number->digits : number->digits));
    return true;
}

/* Both operands being exact doubles, one operation rounds as the decimal itself would be. */
static bool is_simple(const struct number *number)
{
    return number->is_exact && number->digits <= (uint64_t)1 << 53 && number->exponent >= -22 &&
           number->exponent <= 22;
}

static double simple_double(const struct number *number)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    double digits = (double)number->digits;
    double magnitude = number->exponent < 0 ? digits / powers[-number->exponent]
                                            : digits * powers[number->exponent];
    return number->is_negative ? -magnitude : magnitude;
}

static double any_double(const struct json_scan *scan, size_t end)
{
    double number = 0;
    bool is_read = decimal_read(span_slice(scan->text, scan->at, end), &number);
    ensure(is_read);
    return number;
}

static bool read_number(struct json_scan *scan, struct value *value)
{
    struct number number;
    size_t end = read_token(scan, &number);
    if (end == SIZE_MAX)
        return json_scan_fail(scan, "not a number of JSON");
    if (number.is_integral) {
        if (!read_integer(scan, &number, value))
            return false;
    } else {
        *value =
            value_double(is_simple(&number) ? simple_double(&number) : any_double(scan, end));
        if (!isfinite(value->real))
            return json_scan_fail(scan, "a number outside the range of a double");
    }
    scan->at = end;
    return true;
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
    char next = json_scan_peek(scan);
    if (next == '"') {
        if (!json_scan_string(scan, &string))
            return false;
        *value = value_string(string);
        return true;
    }
    if (next == '-' || is_digit(next))
        return read_number(scan, value);
    if (next == 't')
        return read_word(scan, SPAN("true"), value_bool(true), value);
    if (next == 'f')
        return read_word(scan, SPAN("false"), value_bool(false), value);
    if (next == 'n')
        return read_word(scan, SPAN("null"), value_null(), value);
    return json_scan_fail(scan, scan->at == scan->text.size ? "a value is missing"
                                                            : "not a value of JSON");
}
