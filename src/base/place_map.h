/*
 * place_map.h - where the parts of a definition stood in their file, kept as bytes.
 *
 * A definition that is stored is rewritten as JSON in the written order: what its parts are
 * stays, where they stood does not. The map is a list of places in that same order, so a tree
 * that was read from the JSON gets its file, lines and columns back.
 */
#pragma once

#include "base/node.h"
#include "base/text.h"

/* Adds the map of a tree; of the root's members all but those `without`. */
void place_map_write(const struct node *root, const struct span *without, size_t without_count,
                     struct text *map);

/* A copy of the tree with the places of the map; the tree itself where the map is not one of
 * such a tree. Text is not copied. The file's name points into the map. */
const struct node *place_map_apply(const struct node *root, struct span map,
                                   struct arena *arena);
