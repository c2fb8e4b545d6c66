/*
 * yaml_tree.h - YAML 1.2 text as a definition's tree.
 */
#pragma once

#include "base/arena.h"
#include "base/diagnostic.h"
#include "base/node.h"
#include "base/span.h"

/* Reads one document. The text is UTF-8 without byte order mark, at most DEFINITION_BYTES_MAX.
 * NULL after adding one IL0101 diagnostic. Jumps to the arena's guard when the arena is spent.
 */
const struct node *yaml_tree_read(struct span text, struct span file, struct arena *arena,
                                  struct diagnostics *diagnostics);
