/*
 * tagged_value.c - reading and writing tags.
 *
 * Numbers stand in strings, since a double of JavaScript could not carry an int64.
 * Recursion is bounded: what is read was JSON, what is written is a value.
 */
#include "cli/tagged_value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/ensure.h"
#include "base/json.h"
#include "base/time.h"

typedef bool tag_reader(struct value json, struct arena *arena, struct value *value);

struct tag {
    const char *name;
    tag_reader *read;
    const char *problem;
};

static bool read_null(struct value json, struct arena *arena, struct value *value)
{
    (void)arena;
    *value = value_null();
    return json.kind == VALUE_NULL;
}

static bool read_bool(struct value json, struct arena *arena, struct value *value)
{
    (void)arena;
    *value = json;
    return json.kind == VALUE_BOOL;
}

static bool read_string(struct value json, struct arena *arena, struct value *value)
{
    (void)arena;
    *value = json;
    return json.kind == VALUE_STRING;
}

static bool is_number(struct value json)
{
    return json.kind == VALUE_STRING && json.count > 0 && (unsigned char)json.text[0] > ' ';
}

static bool read_int(struct value json, struct arena *arena, struct value *value)
{
    *value = json;
    if (json.kind == VALUE_INT)
        return true;
    if (!is_number(json))
        return false;
    char *end;
    const char *text = arena_copy(arena, value_span(json)).text;
    errno = 0;
    *value = value_int(strtoll(text, &end, 10));
    return errno == 0 && end == text + json.count;
}

static bool read_uint(struct value json, struct arena *arena, struct value *value)
{
    if (json.kind == VALUE_INT && json.integer >= 0) {
        *value = value_uint((uint64_t)json.integer);
        return true;
    }
    if (!is_number(json) || json.text[0] == '-')
        return false;
    char *end;
    const char *text = arena_copy(arena, value_span(json)).text;
    errno = 0;
    *value = value_uint(strtoull(text, &end, 10));
    return errno == 0 && end == text + json.count;
}

static bool read_double(struct value json, struct arena *arena, struct value *value)
{
    *value = json.kind == VALUE_INT ? value_double((double)json.integer) : json;
    if (value->kind == VALUE_DOUBLE)
        return true;
    if (!is_number(json))
        return false;
    char *end;
    const char *text = arena_copy(arena, value_span(json)).text;
    *value = value_double(strtod(text, &end));
    return end == text + json.count;
}

/* The digit's value, or 16. */
static unsigned hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    char lower = c >= 'A' && c <= 'F' ? (char)(c - 'A' + 'a') : c;
    unsigned digit = 0;
    while (digit < 16 && digits[digit] != lower)
        digit++;
    return digit;
}

static bool read_hex(struct value json, struct arena *arena, struct value *value)
{
    if (json.kind != VALUE_STRING || json.count % 2 != 0)
        return false;
    char *bytes = arena_get(arena, json.count / 2 + 1);
    for (size_t i = 0; i < json.count / 2; i++) {
        unsigned high = hex_digit(json.text[2 * i]);
        unsigned low = hex_digit(json.text[2 * i + 1]);
        if (high > 15 || low > 15)
            return false;
        bytes[i] = (char)(high << 4 | low);
    }
    *value = value_bytes(span_of(bytes, json.count / 2));
    return true;
}

static bool read_type(struct value json, struct arena *arena, struct value *value)
{
    (void)arena;
    *value = json;
    value->kind = VALUE_TYPE;
    return json.kind == VALUE_STRING;
}

static bool read_list(struct value json, struct arena *arena, struct value *value)
{
    const char *problem;
    if (json.kind != VALUE_LIST)
        return false;
    struct value *items = arena_new_array(arena, json.count, struct value);
    for (uint32_t i = 0; i < json.count; i++) {
        if (!tagged_value_read(json.items[i], arena, &items[i], &problem))
            return false;
    }
    *value = value_list(items, json.count);
    return true;
}

static bool is_key(struct value value)
{
    return value.kind == VALUE_STRING || value.kind == VALUE_BOOL || value.kind == VALUE_INT ||
           value.kind == VALUE_UINT;
}

static bool read_map(struct value json, struct arena *arena, struct value *value)
{
    const char *problem;
    if (json.kind != VALUE_LIST)
        return false;
    struct value_entry *entries = arena_new_array(arena, json.count, struct value_entry);
    for (uint32_t i = 0; i < json.count; i++) {
        struct value pair = json.items[i];
        if (pair.kind != VALUE_LIST || pair.count != 2 ||
            !tagged_value_read(pair.items[0], arena, &entries[i].key, &problem) ||
            !is_key(entries[i].key) ||
            !tagged_value_read(pair.items[1], arena, &entries[i].value, &problem))
            return false;
    }
    *value = value_map(entries, json.count);
    return true;
}

static bool read_optional(struct value json, struct arena *arena, struct value *value)
{
    const char *problem;
    *value = (struct value){.kind = VALUE_OPTIONAL};
    if (json.kind == VALUE_NULL)
        return true;
    struct value *item = arena_new(arena, struct value);
    value->items = item;
    return tagged_value_read(json, arena, item, &problem);
}

/* Seconds of a timestamp or duration, and nanoseconds of the same sign. */
static struct value time_value(enum value_kind kind, int64_t seconds, int32_t nanoseconds)
{
    return (struct value){
        .kind = (uint8_t)kind, .count = (uint32_t)nanoseconds, .integer = seconds};
}

static bool read_timestamp(struct value json, struct arena *arena, struct value *value)
{
    (void)arena;
    int64_t seconds;
    int32_t nanoseconds;
    if (json.kind != VALUE_STRING ||
        !time_read_rfc3339(value_span(json), &seconds, &nanoseconds))
        return false;
    *value = time_value(VALUE_TIMESTAMP, seconds, nanoseconds);
    return true;
}

/* "1.5s", with up to nine fraction digits: as durations are written. */
static bool read_duration(struct value json, struct arena *arena, struct value *value)
{
    (void)arena;
    struct span text = json.kind == VALUE_STRING ? value_span(json) : SPAN("");
    size_t at = span_starts_with(text, SPAN("-"));
    int sign = at > 0 ? -1 : 1;
    size_t start = at;
    int64_t seconds = 0;
    int32_t nanoseconds = 0;
    for (; at < text.size && text.text[at] >= '0' && text.text[at] <= '9'; at++) {
        if (at - start > 12)
            return false;
        seconds = seconds * 10 + (text.text[at] - '0');
    }
    if (at == start || at == text.size)
        return false;
    size_t fraction = text.text[at] == '.' ? ++at : text.size;
    int32_t unit = 100000000;
    for (; at < text.size && at >= fraction && text.text[at] >= '0' && text.text[at] <= '9';
         at++) {
        nanoseconds += unit * (text.text[at] - '0');
        unit /= 10;
    }
    *value = time_value(VALUE_DURATION, sign * seconds, sign * nanoseconds);
    return span_is(span_slice(text, at, text.size), "s");
}

static const struct tag tags[] = {
    {"null", read_null, "behind the tag `null` stands null"},
    {"bool", read_bool, "behind the tag `bool` stands true or false"},
    {"int", read_int, "behind the tag `int` stands a whole number in a string"},
    {"uint", read_uint, "behind the tag `uint` stands a whole number in a string"},
    {"double", read_double, "behind the tag `double` stands a number in a string"},
    {"string", read_string, "behind the tag `string` stands a string"},
    {"bytes_hex", read_hex, "behind the tag `bytes_hex` stand pairs of hexadecimal digits"},
    {"type", read_type, "behind the tag `type` stands its name"},
    {"list", read_list, "behind the tag `list` stands a list of tagged values"},
    {"map", read_map, "behind the tag `map` stands a list of [key, value], both tagged"},
    {"optional", read_optional, "behind the tag `optional` stands null or a tagged value"},
    {"timestamp", read_timestamp, "behind the tag `timestamp` stands RFC 3339 text"},
    {"duration", read_duration, "behind the tag `duration` stand seconds such as 1.5s"},
};

bool tagged_value_read(struct value json, struct arena *arena, struct value *value,
                       const char **problem)
{
    *problem = "a tagged value is an object with one member, such as {\"int\":\"1\"}";
    if (json.kind != VALUE_MAP || json.count != 1)
        return false;
    struct span name = value_span(json.entries[0].key);
    *problem = "there is no such tag";
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        if (!span_is(name, tags[i].name))
            continue;
        *problem = tags[i].problem;
        return tags[i].read(json.entries[0].value, arena, value);
    }
    return false;
}

static void write_hex(struct text *text, struct span bytes)
{
    static const char digits[] = "0123456789abcdef";
    text_add_byte(text, '"');
    for (size_t i = 0; i < bytes.size; i++) {
        text_add_byte(text, digits[(unsigned char)bytes.text[i] >> 4]);
        text_add_byte(text, digits[(unsigned char)bytes.text[i] & 15]);
    }
    text_add_byte(text, '"');
}

static void write_list(struct text *text, struct value list)
{
    text_add_byte(text, '[');
    for (uint32_t i = 0; i < list.count; i++) {
        if (i > 0)
            text_add_byte(text, ',');
        tagged_value_write(text, list.items[i]);
    }
    text_add_byte(text, ']');
}

static void write_map(struct text *text, struct value map)
{
    text_add_byte(text, '[');
    for (uint32_t i = 0; i < map.count; i++) {
        text_add(text, i > 0 ? SPAN(",[") : SPAN("["));
        tagged_value_write(text, map.entries[i].key);
        text_add_byte(text, ',');
        tagged_value_write(text, map.entries[i].value);
        text_add_byte(text, ']');
    }
    text_add_byte(text, ']');
}

static void write_double(struct text *text, double number)
{
    text_add_byte(text, '"');
    text_add_double(text, number);
    text_add_byte(text, '"');
}

/* What is behind the tag of the value's kind. */
static void write_content(struct text *text, struct value value)
{
    switch ((enum value_kind)value.kind) {
    case VALUE_INT:
        text_format(text, "\"%" PRId64 "\"", value.integer);
        return;
    case VALUE_UINT:
        text_format(text, "\"%" PRIu64 "\"", value.uinteger);
        return;
    case VALUE_DOUBLE:
        write_double(text, value.real);
        return;
    case VALUE_BYTES:
        write_hex(text, value_span(value));
        return;
    case VALUE_LIST:
        write_list(text, value);
        return;
    case VALUE_MAP:
        write_map(text, value);
        return;
    case VALUE_OPTIONAL:
        if (value.items == NULL)
            text_add(text, SPAN("null"));
        else
            tagged_value_write(text, *value.items);
        return;
    case VALUE_TYPE:
    case VALUE_IP:
    case VALUE_CIDR:
    case VALUE_ERROR:
        json_write_string(text, value_span(value));
        return;
    case VALUE_NULL:
    case VALUE_BOOL:
    case VALUE_STRING:
    case VALUE_TIMESTAMP:
    case VALUE_DURATION:
        json_write(text, value);
        return;
    case VALUE_KIND_COUNT:
        break;
    }
    never();
}

static const char *tag_of(struct value value)
{
    switch ((enum value_kind)value.kind) {
    case VALUE_NULL:
        return "null";
    case VALUE_BYTES:
        return "bytes_hex";
    case VALUE_TIMESTAMP:
        return "timestamp";
    case VALUE_DURATION:
        return "duration";
    case VALUE_OPTIONAL:
        return "optional";
    case VALUE_BOOL:
    case VALUE_INT:
    case VALUE_UINT:
    case VALUE_DOUBLE:
    case VALUE_STRING:
    case VALUE_LIST:
    case VALUE_MAP:
    case VALUE_TYPE:
    case VALUE_IP:
    case VALUE_CIDR:
    case VALUE_ERROR:
        return value_kind_name(value.kind);
    case VALUE_KIND_COUNT:
        break;
    }
    never();
}

void tagged_value_write(struct text *text, struct value value)
{
    text_format(text, "{\"%s\":", tag_of(value));
    write_content(text, value);
    text_add_byte(text, '}');
}
