/*
 * document.h - a definition's text in whichever notation, and the documents it names.
 */
#pragma once

#include "chart/chart.h"

/* The tree of YAML, JSON or SCXML. `path` tells where it is from: files that the text names
 * are seen from there, and places refer to it; it must live as long as the tree. NULL after
 * adding diagnostics. Jumps to the arena's guard when the arena is spent. */
const struct node *document_read(struct span text, const char *path, struct arena *arena,
                                 struct diagnostics *diagnostics);

/* What an invoke's source is, for a family: an SCXML document itself, or a file seen from the
 * parent's. What neither is nor ends in .scxml is something outside. */
enum family_source document_find(void *context, const struct machine *parent,
                                 struct span source, struct arena *arena,
                                 const struct machine **machine);
