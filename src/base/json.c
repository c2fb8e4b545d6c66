/*
 * json.c - JSON text to values: the hot path of every event, record and context.
 *
 * Members are gathered on a small stack array first, which holds most objects whole, and
 * copied into the arena at their closing bracket with the exact size.
 */
#include "base/json.h"

#include <string.h>

#include "base/json_scan.h"
#include "base/limits.h"

enum { GATHER_FIRST = 16 };

static bool read_value(struct json_scan *scan, struct value *value);

/* Doubles a gathering array that is full, moving it to the arena. */
static void *gather_more(struct arena *arena, void *old, uint32_t count, size_t size)
{
    void *more = arena_get_array(arena, (size_t)count * 2, size);
    return memcpy(more, old, count * size);
}

static bool read_list(struct json_scan *scan, struct value *value)
{
    struct value first[GATHER_FIRST];
    struct value *items = first;
    uint32_t count = 0;
    uint32_t capacity = GATHER_FIRST;
    if (!json_scan_open(scan, JSON_DEPTH_MAX))
        return false;
    while (json_scan_more(scan, ']', count)) {
        if (count == capacity) {
            items = gather_more(scan->arena, items, capacity, sizeof *items);
            capacity *= 2;
        }
        if (!read_value(scan, &items[count++]))
            return false;
    }
    if (scan->error.message != NULL)
        return false;
    struct value *kept = arena_get(scan->arena, count * sizeof *kept);
    memcpy(kept, items, count * sizeof *kept);
    *value = value_list(kept, count);
    return true;
}

static bool has_key(const struct value_entry *entries, uint32_t count, struct span key)
{
    for (uint32_t i = 0; i < count; i++) {
        if (span_equal(value_span(entries[i].key), key))
            return true;
    }
    return false;
}

/* Whether no two entries of a large object share a key. */
static bool are_unique(struct json_scan *scan, const struct value_entry *entries,
                       uint32_t count)
{
    struct arena_mark mark = arena_mark(scan->arena);
    struct json_key *keys = arena_new_array(scan->arena, count, struct json_key);
    for (uint32_t i = 0; i < count; i++)
        keys[i] = (struct json_key){value_span(entries[i].key), i};
    bool unique = json_scan_unique(scan, keys, count);
    arena_rewind(scan->arena, mark);
    return unique;
}

static bool read_entry(struct json_scan *scan, struct value_entry *entries, uint32_t count)
{
    struct span key;
    if (json_scan_peek(scan) != '"')
        return json_scan_fail(scan, "expected a key in double quotes");
    size_t start = scan->at;
    if (!json_scan_string(scan, &key))
        return false;
    if (count < JSON_FEW_KEYS && has_key(entries, count, key))
        return json_scan_fail_at(scan, start, "the key is there twice");
    if (!json_scan_take(scan, ':'))
        return json_scan_fail(scan, "expected ':' after the key");
    entries[count].key = value_string(key);
    return read_value(scan, &entries[count].value);
}

static bool read_map(struct json_scan *scan, struct value *value)
{
    struct value_entry first[GATHER_FIRST];
    struct value_entry *entries = first;
    uint32_t count = 0;
    uint32_t capacity = GATHER_FIRST;
    if (!json_scan_open(scan, JSON_DEPTH_MAX))
        return false;
    while (json_scan_more(scan, '}', count)) {
        if (count == capacity) {
            entries = gather_more(scan->arena, entries, capacity, sizeof *entries);
            capacity *= 2;
        }
        if (!read_entry(scan, entries, count++))
            return false;
    }
    if (scan->error.message != NULL)
        return false;
    if (count > JSON_FEW_KEYS && !are_unique(scan, entries, count))
        return false;
    struct value_entry *kept = arena_get(scan->arena, count * sizeof *kept);
    memcpy(kept, entries, count * sizeof *kept);
    *value = value_map(kept, count);
    return true;
}

static bool read_value(struct json_scan *scan, struct value *value)
{
    char next = json_scan_peek(scan);
    if (next == '{')
        return read_map(scan, value);
    if (next == '[')
        return read_list(scan, value);
    return json_scan_scalar(scan, value);
}

enum status json_read(struct span text, struct arena *arena, struct value *value,
                      struct json_error *error)
{
    struct json_scan scan;
    json_scan_init(&scan, text, arena);
    if (!read_value(&scan, value) || !json_scan_end(&scan)) {
        *error = scan.error;
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

struct place json_place(struct span text, size_t offset, struct span file)
{
    struct place place = {file, 1, 1};
    for (size_t i = 0; i < offset && i < text.size; i++) {
        if (text.text[i] == '\n') {
            place.line++;
            place.column = 1;
        } else if (((unsigned char)text.text[i] & 0xC0) != 0x80) {
            place.column++;
        }
    }
    return place;
}
