/*
 * json_tree.c - JSON definition files to trees whose every part knows its place.
 *
 * Not a hot path: a definition is read once. Places are counted forward from the last
 * one, since parts come in the order of the file.
 */
#include <string.h>

#include "base/ensure.h"
#include "base/json_scan.h"
#include "base/limits.h"

struct tree_reader {
    struct json_scan scan;
    struct place last;
    size_t last_offset;
    uint32_t node_count;
};

static const struct node *read_node(struct tree_reader *reader);

static struct place place_here(struct tree_reader *reader)
{
    struct span rest =
        span_slice(reader->scan.text, reader->last_offset, reader->scan.text.size);
    struct place step =
        json_place(rest, reader->scan.at - reader->last_offset, reader->last.file);
    reader->last.column = step.line == 1 ? reader->last.column + step.column - 1 : step.column;
    reader->last.line += step.line - 1;
    reader->last_offset = reader->scan.at;
    return reader->last;
}

static struct node *new_node(struct tree_reader *reader, enum node_kind kind)
{
    if (++reader->node_count > DEFINITION_NODES_MAX) {
        json_scan_fail(&reader->scan, "more than 200000 values");
        return NULL;
    }
    struct node *node = arena_new(reader->scan.arena, struct node);
    node->kind = kind;
    node->place = place_here(reader);
    return node;
}

static const struct node *read_list(struct tree_reader *reader)
{
    struct node *list = new_node(reader, NODE_LIST);
    const struct node **items = NULL;
    uint32_t capacity = 0;
    if (list == NULL || !json_scan_open(&reader->scan, DEFINITION_DEPTH_MAX))
        return NULL;
    while (json_scan_more(&reader->scan, ']', list->count)) {
        if (list->count == capacity) {
            capacity = capacity == 0 ? 8 : capacity * 2;
            const struct node **more =
                arena_new_array(reader->scan.arena, capacity, const struct node *);
            if (list->count > 0)
                memcpy(more, items, list->count * sizeof *more);
            items = more;
        }
        ensure(items != NULL);
        json_scan_peek(&reader->scan);
        items[list->count] = read_node(reader);
        if (items[list->count++] == NULL)
            return NULL;
    }
    list->items = items;
    return reader->scan.error.message == NULL ? list : NULL;
}

static bool read_entry(struct tree_reader *reader, struct node *map, struct node_entry *entries)
{
    struct node_entry *entry = &entries[map->count];
    map->entries = entries;
    if (json_scan_peek(&reader->scan) != '"')
        return json_scan_fail(&reader->scan, "expected a key in double quotes");
    entry->place = place_here(reader);
    size_t start = reader->scan.at;
    if (!json_scan_string(&reader->scan, &entry->key))
        return false;
    if (map->count < JSON_FEW_KEYS && node_find(map, entry->key) != NULL)
        return json_scan_fail_at(&reader->scan, start, "the key is there twice");
    if (!json_scan_take(&reader->scan, ':'))
        return json_scan_fail(&reader->scan, "expected ':' after the key");
    json_scan_peek(&reader->scan);
    entry->value = read_node(reader);
    map->count++;
    return entry->value != NULL;
}

static bool are_unique(struct tree_reader *reader, const struct node *map)
{
    struct arena *arena = reader->scan.arena;
    struct arena_mark mark = arena_mark(arena);
    struct json_key *keys = arena_new_array(arena, map->count, struct json_key);
    for (uint32_t i = 0; i < map->count; i++)
        keys[i] = (struct json_key){map->entries[i].key, i};
    bool unique = json_scan_unique(&reader->scan, keys, map->count);
    arena_rewind(arena, mark);
    return unique;
}

static const struct node *read_map(struct tree_reader *reader)
{
    struct node *map = new_node(reader, NODE_MAP);
    struct node_entry *entries = NULL;
    uint32_t capacity = 0;
    if (map == NULL || !json_scan_open(&reader->scan, DEFINITION_DEPTH_MAX))
        return NULL;
    while (json_scan_more(&reader->scan, '}', map->count)) {
        if (map->count == capacity) {
            capacity = capacity == 0 ? 8 : capacity * 2;
            struct node_entry *more =
                arena_new_array(reader->scan.arena, capacity, struct node_entry);
            if (map->count > 0)
                memcpy(more, entries, map->count * sizeof *more);
            entries = more;
        }
        ensure(entries != NULL);
        if (!read_entry(reader, map, entries))
            return NULL;
    }
    if (reader->scan.error.message != NULL)
        return NULL;
    return map->count <= JSON_FEW_KEYS || are_unique(reader, map) ? map : NULL;
}

static const struct node *read_scalar(struct tree_reader *reader)
{
    size_t start = reader->scan.at;
    struct node *scalar = new_node(reader, NODE_SCALAR);
    if (scalar == NULL || !json_scan_scalar(&reader->scan, &scalar->scalar))
        return NULL;
    scalar->is_quoted = scalar->scalar.kind == VALUE_STRING;
    if (scalar->is_quoted)
        node_keep_written(scalar, span_slice(reader->scan.text, start, reader->scan.at),
                          reader->scan.arena);
    return scalar;
}

static const struct node *read_node(struct tree_reader *reader)
{
    char next = json_scan_peek(&reader->scan);
    if (next == '{')
        return read_map(reader);
    return next == '[' ? read_list(reader) : read_scalar(reader);
}

const struct node *json_read_tree(struct span text, struct span file, struct arena *arena,
                                  struct diagnostics *diagnostics)
{
    struct tree_reader reader = {.last = {file, 1, 1}};
    json_scan_init(&reader.scan, text, arena);
    const struct node *root = read_node(&reader);
    if (root != NULL && json_scan_end(&reader.scan))
        return root;
    diagnostics_add(diagnostics, SEVERITY_ERROR, "IL0101",
                    json_place(text, reader.scan.error.offset, file), "not valid JSON: %s",
                    reader.scan.error.message);
    return NULL;
}
