/*
 * plain.h - values as an instance keeps them between two macrosteps.
 *
 * Contexts, inputs and outputs are written as JSON and read back, so a value is kept in the
 * form in which it would be read, and one that could not be read is refused when it is made:
 * nested deeper than JSON_DEPTH_MAX, or larger than VALUE_BYTES_MAX as JSON.
 *
 * Why look before anything else walks the value: expressions share parts, so a value of a few
 * bytes in memory may be written as more than there is room for in the world.
 */
#pragma once

#include "base/value.h"

/* What forbids to keep the value, or an empty span; and what there is still room for: 0 where
 * something forbids it. */
struct span plain_measure(struct value value, int64_t *room);

/* Whether the value is surely no more than there is room for; then the room is less. */
bool plain_fits(struct value value, int64_t *room);
