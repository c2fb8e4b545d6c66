/*
 * wire.h - the front door of wire: formats that people and other programs write.
 */
#pragma once

#include "base/arena.h"
#include "base/diagnostic.h"
#include "base/node.h"
#include "base/span.h"
#include "wire/record_stream.h"
#include "wire/xml.h"

/* Reads a definition file, YAML 1.2 or JSON, into a tree in the arena; nobody behind it knows
 * which of the two it was. The file's name goes into places and must live as long as the tree.
 * NULL after adding one IL0101 diagnostic. Jumps to the arena's guard when the arena is spent.
 */
const struct node *wire_read_definition(struct span text, struct span file, struct arena *arena,
                                        struct diagnostics *diagnostics);

/* Reads an XML document into its tree; the same otherwise. */
const struct markup *wire_read_markup(struct span text, struct span file, struct arena *arena,
                                      struct diagnostics *diagnostics);
