/*
 * node.h - a definition file as a tree, every part with its place.
 *
 * YAML and JSON both become this tree, so nothing behind the reader knows which it was.
 * A scalar keeps its written text and the value it stands for (YAML 1.2 core schema:
 * `on` and `no` are strings). Anchors and aliases are already expanded, within limits.
 * Everything lives in the reader's arena and is never changed.
 */
#pragma once

#include "base/diagnostic.h"
#include "base/value.h"

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node_entry;

struct node {
    enum node_kind kind;
    struct place place;
    uint32_t count;                   /* items or entries */
    bool is_quoted;                   /* the place is that of a quote before the text */
    struct span written;              /* a string as it stands in the file, where its text does
                                         not: escapes, several lines, an anchor; else empty */
    struct value scalar;              /* NODE_SCALAR: null, bool, int, double or string */
    const struct node *const *items;  /* NODE_LIST */
    const struct node_entry *entries; /* NODE_MAP, in written order, keys unique */
};

struct node_entry {
    struct span key;
    struct place place; /* of the key */
    const struct node *value;
};

/* The value of a key in a map, or NULL (also when the node is NULL or no map). */
const struct node *node_find(const struct node *map, struct span key);

/* True for a string scalar; node_text() is its text. */
bool node_is_string(const struct node *node);
struct span node_text(const struct node *node);

/* Where the byte at this offset of a string scalar's text stands in the file. */
struct place node_text_place(const struct node *node, size_t offset);

/* For readers: keeps a copy of how a string scalar is written, if its text does not tell. */
void node_keep_written(struct node *node, struct span written, struct arena *arena);

/* The tree as a value (maps, lists, scalars), in the arena. */
struct value node_value(const struct node *node, struct arena *arena);

/* "a map", "a list", "a string", "a number", "true or false", "null": for messages. */
const char *node_kind_name(const struct node *node);
