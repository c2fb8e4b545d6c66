/*
 * value_index.h - finding keys of a large map, for as long as one comparison takes.
 *
 * Maps are rows of entries, which is best for the small ones. Two large ones in different
 * orders would take a quadratic comparison; an index over a part of one of them, on the
 * stack and without further memory, makes that 512 times less.
 */
#pragma once

#include "base/value.h"

enum {
    VALUE_INDEX_MIN = 32,  /* smaller maps are compared without one */
    VALUE_INDEX_MAX = 512, /* entries of one index */
    VALUE_INDEX_SLOTS = 2 * VALUE_INDEX_MAX
};

struct value_index {
    const struct value_entry *entries;
    uint16_t slots[VALUE_INDEX_SLOTS]; /* positions plus one; 0 is free */
};

/* Over the map's entries from `first` on, VALUE_INDEX_MAX at most. */
void value_index_fill(struct value_index *index, struct value map, uint32_t first);

/* The value of a key among them, or NULL. */
const struct value *value_index_find(const struct value_index *index, struct value key);

/* Equal scalars have equal hashes, numbers across their kinds; of lists and maps just the size
 * counts. */
uint64_t value_index_hash(struct value value);
