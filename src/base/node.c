/*
 * node.c - reading a definition's tree.
 */
#include "base/node.h"

#include "base/ensure.h"

const struct node *node_find(const struct node *map, struct span key)
{
    if (map == NULL || map->kind != NODE_MAP)
        return NULL;
    for (uint32_t i = 0; i < map->count; i++) {
        if (span_equal(map->entries[i].key, key))
            return map->entries[i].value;
    }
    return NULL;
}

bool node_is_string(const struct node *node)
{
    return node != NULL && node->kind == NODE_SCALAR && node->scalar.kind == VALUE_STRING;
}

struct span node_text(const struct node *node)
{
    ensure(node_is_string(node));
    return value_span(node->scalar);
}

struct place node_text_place(const struct node *node)
{
    struct place place = node->place;
    ensure(node_is_string(node));
    if (place.line != 0)
        place.column += node->is_quoted;
    return place;
}

static struct value list_value(const struct node *node, struct arena *arena)
{
    struct value *items = arena_new_array(arena, node->count, struct value);
    for (uint32_t i = 0; i < node->count; i++)
        items[i] = node_value(node->items[i], arena);
    return value_list(items, node->count);
}

static struct value map_value(const struct node *node, struct arena *arena)
{
    struct value_entry *entries = arena_new_array(arena, node->count, struct value_entry);
    for (uint32_t i = 0; i < node->count; i++) {
        entries[i].key = value_string(node->entries[i].key);
        entries[i].value = node_value(node->entries[i].value, arena);
    }
    return value_map(entries, node->count);
}

struct value node_value(const struct node *node, struct arena *arena)
{
    switch (node->kind) {
    case NODE_SCALAR:
        return node->scalar;
    case NODE_LIST:
        return list_value(node, arena);
    case NODE_MAP:
        return map_value(node, arena);
    }
    never();
}

const char *node_kind_name(const struct node *node)
{
    if (node->kind == NODE_MAP)
        return "a map";
    if (node->kind == NODE_LIST)
        return "a list";
    if (node->scalar.kind == VALUE_STRING)
        return "a string";
    if (node->scalar.kind == VALUE_BOOL)
        return "true or false";
    return node->scalar.kind == VALUE_NULL ? "null" : "a number";
}
