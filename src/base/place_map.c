/*
 * place_map.c - places in written order: of a node, then of its members, each a key's place and
 * the member's node.
 *
 * A place is the difference to the one before, which is a byte or two. Strings also say how
 * they were written where that is not their text, because places inside of a string are counted
 * in what was written.
 *
 * A map is data from outside. Every read is checked, and what is left over makes it invalid.
 */
#include "base/place_map.h"

#include "base/bytes.h"
#include "base/checked.h"

struct writer {
    struct text *map;
    struct place last;
};

static void write_place(struct writer *writer, struct place place)
{
    bytes_add_signed(writer->map, (int64_t)place.line - writer->last.line);
    bytes_add_varint(writer->map, place.column);
    writer->last = place;
}

static bool is_among(struct span key, const struct span *keys, size_t count)
{
    size_t at = 0;
    while (at < count && !span_equal(keys[at], key))
        at++;
    return at < count;
}

/* Nothing is left out below the root. */
static void write_node(struct writer *writer, const struct node *node,
                       const struct span *without, size_t without_count)
{
    write_place(writer, node->place);
    bytes_add_u8(writer->map, node->is_quoted);
    if (node_is_string(node))
        bytes_add_span(writer->map, node->written);
    for (uint32_t i = 0; node->kind == NODE_LIST && i < node->count; i++)
        write_node(writer, node->items[i], NULL, 0);
    for (uint32_t i = 0; node->kind == NODE_MAP && i < node->count; i++) {
        if (is_among(node->entries[i].key, without, without_count))
            continue;
        write_place(writer, node->entries[i].place);
        write_node(writer, node->entries[i].value, NULL, 0);
    }
}

void place_map_write(const struct node *root, const struct span *without, size_t without_count,
                     struct text *map)
{
    struct writer writer = {map, {root->place.file, 0, 0}};
    bytes_add_span(map, root->place.file);
    write_node(&writer, root, without, without_count);
}

struct applier {
    struct byte_reader reader;
    struct place last;
    struct arena *arena;
};

static struct place read_place(struct applier *applier)
{
    int64_t line;
    int64_t step = bytes_read_signed(&applier->reader);
    uint64_t column = bytes_read_varint(&applier->reader);
    bool is_good = checked_add(applier->last.line, step, &line) && line >= 0 &&
                   line <= UINT32_MAX && column <= UINT32_MAX;
    applier->reader.failed |= !is_good;
    if (is_good)
        applier->last = (struct place){applier->last.file, (uint32_t)line, (uint32_t)column};
    return applier->last;
}

static const struct node *apply_node(struct applier *applier, const struct node *node);

static void apply_items(struct applier *applier, struct node *list)
{
    const struct node **items =
        arena_new_array(applier->arena, list->count, const struct node *);
    for (uint32_t i = 0; i < list->count && !applier->reader.failed; i++)
        items[i] = apply_node(applier, list->items[i]);
    list->items = items;
}

static void apply_entries(struct applier *applier, struct node *map)
{
    struct node_entry *entries = arena_new_array(applier->arena, map->count, struct node_entry);
    for (uint32_t i = 0; i < map->count && !applier->reader.failed; i++) {
        entries[i].key = map->entries[i].key;
        entries[i].place = read_place(applier);
        entries[i].value = apply_node(applier, map->entries[i].value);
    }
    map->entries = entries;
}

static const struct node *apply_node(struct applier *applier, const struct node *node)
{
    struct node *placed = arena_new(applier->arena, struct node);
    *placed = *node;
    placed->place = read_place(applier);
    placed->is_quoted = bytes_read_u8(&applier->reader) != 0;
    if (node_is_string(node))
        placed->written = bytes_read_span(&applier->reader);
    if (node->kind == NODE_LIST)
        apply_items(applier, placed);
    else if (node->kind == NODE_MAP)
        apply_entries(applier, placed);
    return placed;
}

const struct node *place_map_apply(const struct node *root, struct span map,
                                   struct arena *arena)
{
    struct applier applier = {.reader = byte_reader_of(map), .arena = arena};
    applier.last.file = bytes_read_span(&applier.reader);
    const struct node *placed = apply_node(&applier, root);
    bool is_whole = !applier.reader.failed && applier.reader.at == applier.reader.end;
    return is_whole ? placed : root;
}
