/*
 * xml.h - an XML document as a tree with places.
 */
#pragma once

#include "base/arena.h"
#include "base/diagnostic.h"
#include "base/markup.h"

/*
 * Reads one document of at most DEFINITION_BYTES_MAX. The root element, or NULL after adding
 * one IL0101 diagnostic. The text and the file's name must live as long as the tree. Jumps to
 * the arena's guard when the arena is spent.
 *
 * A document type is refused: no entity is ever declared, so nothing expands and nothing
 * outside is read. Nesting and the number of parts are limited as in every definition.
 */
const struct markup *xml_read(struct span text, struct span file, struct arena *arena,
                              struct diagnostics *diagnostics);
