/*
 * plain.c - what a value takes as JSON, found out without writing it.
 */
#include "chart/plain.h"

#include <string.h>

#include "base/ensure.h"
#include "base/limits.h"

enum { SCALAR_BYTES = 40 }; /* more than any number, timestamp or duration takes */

struct measure {
    int64_t bytes_left;
    bool is_deep;
};

/* Quotes, backslashes and line ends take two bytes, other control characters six. */
static int64_t string_bytes(struct span text)
{
    static const char short_ones[] = {'"', '\\', '\n', '\r', '\t', '\b', '\f'};
    int64_t bytes = 2 + (int64_t)text.size;
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.text[i];
        if ((unsigned char)byte >= 0x20 && byte != '"' && byte != '\\')
            continue;
        bytes += memchr(short_ones, byte, sizeof short_ones) != NULL ? 1 : 5;
    }
    return bytes;
}

static int64_t integer_bytes(int64_t integer)
{
    int64_t bytes = integer < 0 ? 2 : 1;
    for (; integer > 9 || integer < -9; integer /= 10)
        bytes++;
    return bytes;
}

static void measure(struct measure *measured, struct value value, unsigned depth);

static void measure_parts(struct measure *measured, struct value value, unsigned depth)
{
    bool is_map = value.kind == VALUE_MAP;
    measured->bytes_left -= 2;
    measured->is_deep = measured->is_deep || depth >= JSON_DEPTH_MAX;
    for (uint32_t i = 0; i < value.count; i++) {
        if (measured->is_deep || measured->bytes_left < 0)
            return;
        measured->bytes_left -= is_map ? 2 : 1;
        if (is_map)
            measure(measured, value.entries[i].key, depth + 1);
        measure(measured, is_map ? value.entries[i].value : value.items[i], depth + 1);
    }
}

static void measure(struct measure *measured, struct value value, unsigned depth)
{
    switch ((enum value_kind)value.kind) {
    case VALUE_LIST:
    case VALUE_MAP:
        measure_parts(measured, value, depth);
        return;
    case VALUE_OPTIONAL:
        if (value.items != NULL)
            measure(measured, *value.items, depth);
        return;
    case VALUE_STRING:
    case VALUE_TYPE:
    case VALUE_IP:
    case VALUE_CIDR:
    case VALUE_ERROR:
        measured->bytes_left -= string_bytes(value_span(value));
        return;
    case VALUE_BYTES:
        measured->bytes_left -= ((int64_t)value.count + 2) / 3 * 4 + 2;
        return;
    case VALUE_INT:
        measured->bytes_left -= integer_bytes(value.integer);
        return;
    case VALUE_NULL:
    case VALUE_BOOL:
        measured->bytes_left -= 5;
        return;
    case VALUE_UINT:
    case VALUE_DOUBLE:
    case VALUE_TIMESTAMP:
    case VALUE_DURATION:
        measured->bytes_left -= SCALAR_BYTES;
        return;
    case VALUE_KIND_COUNT:
        break;
    }
    never();
}

struct span plain_measure(struct value value, int64_t *room)
{
    struct measure measured = {VALUE_BYTES_MAX, false};
    measure(&measured, value, 0);
    *room = measured.is_deep || measured.bytes_left < 0 ? 0 : measured.bytes_left;
    if (measured.is_deep)
        return SPAN("the value is nested deeper than JSON may be");
    if (measured.bytes_left < 0)
        return SPAN("the value is larger than a value may be");
    return (struct span){0};
}

bool plain_fits(struct value value, int64_t *room)
{
    struct measure measured = {*room, false};
    measure(&measured, value, 0);
    if (measured.is_deep || measured.bytes_left < 0)
        return false;
    *room = measured.bytes_left;
    return true;
}
