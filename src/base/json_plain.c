/*
 * json_plain.c - values as they come back from JSON.
 *
 * A context survives restarts as JSON, so it must be the same before and after: what JSON
 * cannot say is turned into what it would be read back as, at once.
 */
#include <math.h>

#include "base/ensure.h"
#include "base/json.h"
#include "base/limits.h"

static bool is_plain(struct value value, unsigned levels)
{
    switch ((enum value_kind)value.kind) {
    case VALUE_NULL:
    case VALUE_BOOL:
    case VALUE_INT:
    case VALUE_STRING:
        return true;
    case VALUE_DOUBLE:
        return isfinite(value.real);
    case VALUE_LIST:
        for (uint32_t i = 0; levels > 0 && i < value.count; i++) {
            if (!is_plain(value.items[i], levels - 1))
                return false;
        }
        return levels > 0;
    case VALUE_MAP:
        for (uint32_t i = 0; levels > 0 && i < value.count; i++) {
            if (value.entries[i].key.kind != VALUE_STRING ||
                !is_plain(value.entries[i].value, levels - 1))
                return false;
        }
        return levels > 0;
    case VALUE_UINT:
    case VALUE_BYTES:
    case VALUE_TIMESTAMP:
    case VALUE_DURATION:
    case VALUE_TYPE:
    case VALUE_IP:
    case VALUE_CIDR:
    case VALUE_OPTIONAL:
    case VALUE_ERROR:
        return false;
    case VALUE_KIND_COUNT:
        break;
    }
    never();
}

/* Bytes, timestamps, durations and types have a string as their JSON form. */
static struct value written_string(struct arena *arena, struct value value)
{
    struct text text;
    text_init(&text, arena);
    json_write(&text, value);
    ensure(text.size >= 2 && text.bytes[0] == '"');
    return value_string(span_of(text.bytes + 1, text.size - 2));
}

static struct value plain_value(struct arena *arena, struct value value, unsigned levels);

static struct value too_deep(struct arena *arena)
{
    return value_error(
        text_print(arena, "a value nested deeper than %d levels", VALUE_DEPTH_MAX));
}

static struct value plain_list(struct arena *arena, struct value list, unsigned levels)
{
    if (levels == 0)
        return too_deep(arena);
    struct value *items = arena_new_array(arena, list.count, struct value);
    for (uint32_t i = 0; i < list.count; i++) {
        items[i] = plain_value(arena, list.items[i], levels - 1);
        if (value_is_error(items[i]))
            return items[i];
    }
    return value_list(items, list.count);
}

static struct value plain_key(struct arena *arena, struct value key)
{
    if (key.kind == VALUE_STRING)
        return key;
    struct text text;
    text_init(&text, arena);
    json_write(&text, key);
    return value_string(text_span(&text));
}

/* Whether a key that has become text is also another key of the map. */
static bool keys_meet(struct value map, struct value plain)
{
    for (uint32_t i = 0; i < map.count; i++) {
        struct span key = value_span(plain.entries[i].key);
        if (map.entries[i].key.kind == VALUE_STRING)
            continue;
        for (uint32_t j = 0; j < map.count; j++) {
            if (j != i && span_equal(key, value_span(plain.entries[j].key)))
                return true;
        }
    }
    return false;
}

static struct value plain_map(struct arena *arena, struct value map, unsigned levels)
{
    if (levels == 0)
        return too_deep(arena);
    struct value_entry *entries = arena_new_array(arena, map.count, struct value_entry);
    for (uint32_t i = 0; i < map.count; i++) {
        entries[i].key = plain_key(arena, map.entries[i].key);
        entries[i].value = plain_value(arena, map.entries[i].value, levels - 1);
        if (value_is_error(entries[i].value))
            return entries[i].value;
    }
    struct value plain = value_map(entries, map.count);
    if (keys_meet(map, plain))
        return value_error(SPAN("two keys of a map have the same text"));
    return plain;
}

static struct value plain_value(struct arena *arena, struct value value, unsigned levels)
{
    if (is_plain(value, levels))
        return value;
    switch ((enum value_kind)value.kind) {
    case VALUE_DOUBLE:
        return value_error(SPAN("a number that JSON cannot hold (NaN or infinite)"));
    case VALUE_UINT:
        if (value.uinteger > INT64_MAX)
            return value_error(SPAN("a whole number outside the 64-bit range"));
        return value_int((int64_t)value.uinteger);
    case VALUE_BYTES:
    case VALUE_TIMESTAMP:
    case VALUE_DURATION:
    case VALUE_TYPE:
    case VALUE_IP:
    case VALUE_CIDR:
        return written_string(arena, value);
    case VALUE_LIST:
        return plain_list(arena, value, levels);
    case VALUE_MAP:
        return plain_map(arena, value, levels);
    case VALUE_OPTIONAL:
        return value.items == NULL ? value_null() : plain_value(arena, *value.items, levels);
    case VALUE_ERROR:
        return value;
    case VALUE_NULL:
    case VALUE_BOOL:
    case VALUE_INT:
    case VALUE_STRING:
    case VALUE_KIND_COUNT:
        break;
    }
    never();
}

struct value json_plain(struct arena *arena, struct value value)
{
    return plain_value(arena, value, VALUE_DEPTH_MAX);
}
