/*
 * markup.h - an XML document as a tree, every part with its place.
 *
 * What node.h is for YAML and JSON. Names are apart from their namespaces, entities are
 * resolved, comments and processing instructions are gone; text keeps its blanks. Everything
 * lives in the reader's arena and is never changed.
 */
#pragma once

#include "base/diagnostic.h"
#include "base/text.h"

struct markup_attribute {
    struct span space; /* the namespace; empty for most */
    struct span name;
    struct span value;
    struct span written; /* the value as it stands in the file, with its entities */
    struct place place;  /* of the value's first character */
    const struct markup_attribute *next;
};

/* A declaration in scope, `xmlns:prefix="space"`; the innermost first. */
struct markup_space {
    struct span prefix; /* empty for the default */
    struct span space;
    const struct markup_space *outer;
};

/* An element, or a text when it has no name. */
struct markup {
    struct span space;
    struct span name;
    struct span text; /* of a text */
    struct place place;
    struct span written; /* the element as it stands in the file */
    const struct markup_attribute *attributes;
    const struct markup_space *spaces; /* in scope inside of it */
    const struct markup_space *outer_spaces;
    const struct markup *children;
    const struct markup *next;
};

static inline bool markup_is_element(const struct markup *markup)
{
    return markup->name.size > 0;
}

/* The attribute of that name without a namespace, or NULL. */
const struct markup_attribute *markup_find(const struct markup *element, const char *name);

/* The value of an attribute, empty when there is none. */
struct span markup_value(const struct markup *element, const char *name);

/* Where the byte at this offset of the value stands in the file. */
struct place markup_value_place(const struct markup_attribute *attribute, size_t offset);

/* All the text below, one piece after the other. */
struct span markup_all_text(const struct markup *element, struct arena *arena);

/* The element as a document of its own: with the namespaces it takes from around it. */
struct span markup_alone(const struct markup *element, struct arena *arena);
