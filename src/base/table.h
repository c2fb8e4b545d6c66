/*
 * table.h - from a name to a small number or a pointer; open addressing, insertion only
 * or with removal, in general memory.
 *
 * Keys are spans that the caller keeps alive and unchanged while they are in the table.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/span.h"

struct table_slot {
    struct span key;
    uint64_t hash;
    void *item; /* NULL marks an empty slot */
};

struct table {
    struct table_slot *slots;
    size_t count;
    size_t capacity; /* 0 or a power of two */
    struct hash_key key;
};

/* Where the names come from outside, table_init_keyed() with a random key keeps them from being
 * chosen so that they all fall into one place. */
void table_init(struct table *table);
void table_init_keyed(struct table *table, struct hash_key key);
void table_fini(struct table *table); /* does not touch keys and items */

/* The item of a key, or NULL. */
void *table_find(const struct table *table, struct span key);

/* Adds a key that is not there; the item is not NULL. */
void table_add(struct table *table, struct span key, void *item);

/* Removes a key; false when it is not there. */
bool table_remove(struct table *table, struct span key);
