/*
 * json_write.c - values to JSON text.
 */
#include <math.h>

#include "base/base64.h"
#include "base/ensure.h"
#include "base/json_scan.h"
#include "base/time.h"

static void write_escape(struct text *text, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    static const char names[] = "\"\\\n\r\t\b\f";
    static const char letters[] = "\"\\nrtbf";
    const char *name = memchr(names, c, sizeof names - 1);
    text_add_byte(text, '\\');
    if (name != NULL) {
        text_add_byte(text, letters[name - names]);
        return;
    }
    text_add(text, SPAN("u00"));
    text_add_byte(text, digits[c >> 4]);
    text_add_byte(text, digits[c & 15]);
}

/* Copies up to the first byte that must be escaped; gives how many those are. */
static size_t copy_plain(char *to, const char *from, size_t size)
{
    size_t at = 0;
    for (uint64_t word; at + sizeof word <= size; at += sizeof word) {
        memcpy(&word, from + at, sizeof word);
        if (json_scan_is_special_in(word))
            break;
        memcpy(to + at, &word, sizeof word);
    }
    for (; at < size && !json_scan_is_special(from[at]); at++)
        to[at] = from[at];
    return at;
}

void json_write_string(struct text *text, struct span string)
{
    text_add_byte(text, '"');
    for (size_t at = 0; at < string.size;) {
        char *to = text_reserve(text, string.size - at);
        size_t plain = copy_plain(to, string.text + at, string.size - at);
        text->size += plain;
        at += plain;
        if (at < string.size)
            write_escape(text, (unsigned char)string.text[at++]);
    }
    text_add_byte(text, '"');
}

static void write_double(struct text *text, double number)
{
    if (isfinite(number))
        text_add_double(text, number);
    else
        text_add(text, SPAN("null"));
}

/* The digits of a fraction of a second, without trailing zeros; nothing when there is none. */
static void write_fraction(struct text *text, uint32_t nanoseconds)
{
    char digits[11] = ".";
    size_t size = 10;
    for (size_t i = 9; i > 0; i--, nanoseconds /= 10)
        digits[i] = (char)('0' + nanoseconds % 10);
    while (digits[size - 1] == '0')
        size--;
    if (size > 1)
        text_add(text, span_of(digits, size));
}

static void write_timestamp(struct text *text, struct value value)
{
    struct civil_time civil = time_civil_from_seconds(value.integer);
    text_format(text, "\"%04d-%02d-%02dT%02d:%02d:%02d", civil.year, civil.month, civil.day,
                civil.hour, civil.minute, civil.second);
    write_fraction(text, value.count);
    text_add(text, SPAN("Z\""));
}

static void write_duration(struct text *text, struct value value)
{
    int32_t nanoseconds = (int32_t)value.count;
    bool negative = value.integer < 0 || nanoseconds < 0;
    text_add(text, negative ? SPAN("\"-") : SPAN("\""));
    text_add_uint(text, negative ? 0 - (uint64_t)value.integer : (uint64_t)value.integer);
    write_fraction(text, (uint32_t)(negative ? -nanoseconds : nanoseconds));
    text_add(text, SPAN("s\""));
}

static void write_break(struct text *text, int indent)
{
    if (indent < 0)
        return;
    text_add_byte(text, '\n');
    for (int i = 0; i < indent; i++)
        text_add(text, SPAN("  "));
}

static void write_value(struct text *text, struct value value, int indent);

static int deeper(int indent)
{
    return indent < 0 ? indent : indent + 1;
}

static void write_list(struct text *text, struct value list, int indent)
{
    text_add_byte(text, '[');
    for (uint32_t i = 0; i < list.count; i++) {
        if (i > 0)
            text_add_byte(text, ',');
        write_break(text, deeper(indent));
        write_value(text, list.items[i], deeper(indent));
    }
    if (list.count > 0)
        write_break(text, indent);
    text_add_byte(text, ']');
}

static void write_key(struct text *text, struct value key)
{
    if (key.kind == VALUE_STRING) {
        json_write_string(text, value_span(key));
        return;
    }
    text_add_byte(text, '"');
    write_value(text, key, -1);
    text_add_byte(text, '"');
}

static void write_map(struct text *text, struct value map, int indent)
{
    text_add_byte(text, '{');
    for (uint32_t i = 0; i < map.count; i++) {
        if (i > 0)
            text_add_byte(text, ',');
        write_break(text, deeper(indent));
        write_key(text, map.entries[i].key);
        text_add(text, indent < 0 ? SPAN(":") : SPAN(": "));
        write_value(text, map.entries[i].value, deeper(indent));
    }
    if (map.count > 0)
        write_break(text, indent);
    text_add_byte(text, '}');
}

static void write_value(struct text *text, struct value value, int indent)
{
    switch ((enum value_kind)value.kind) {
    case VALUE_NULL:
    case VALUE_ERROR:
        text_add(text, SPAN("null"));
        return;
    case VALUE_BOOL:
        text_add(text, value.boolean ? SPAN("true") : SPAN("false"));
        return;
    case VALUE_INT:
        text_add_int(text, value.integer);
        return;
    case VALUE_UINT:
        text_add_uint(text, value.uinteger);
        return;
    case VALUE_DOUBLE:
        write_double(text, value.real);
        return;
    case VALUE_STRING:
    case VALUE_TYPE:
    case VALUE_IP:
    case VALUE_CIDR:
        json_write_string(text, value_span(value));
        return;
    case VALUE_BYTES:
        text_add_byte(text, '"');
        base64_add(text, value_span(value));
        text_add_byte(text, '"');
        return;
    case VALUE_LIST:
        write_list(text, value, indent);
        return;
    case VALUE_MAP:
        write_map(text, value, indent);
        return;
    case VALUE_TIMESTAMP:
        write_timestamp(text, value);
        return;
    case VALUE_DURATION:
        write_duration(text, value);
        return;
    case VALUE_OPTIONAL:
        write_value(text, value.items == NULL ? value_null() : *value.items, indent);
        return;
    case VALUE_KIND_COUNT:
        break;
    }
    never();
}

void json_write(struct text *text, struct value value)
{
    write_value(text, value, -1);
}

void json_write_pretty(struct text *text, struct value value, int indent)
{
    write_value(text, value, indent);
}
