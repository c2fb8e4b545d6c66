/*
 * document.h - a definition's text in whichever notation, and the documents it names.
 */
#pragma once

#include "chart/chart.h"

/* The tree of YAML, JSON or SCXML. `path` tells where it is from: files that the text names
 * are seen from there, and places refer to it; it must live as long as the tree. `scripts` is
 * for SCXML. NULL after adding diagnostics. Jumps to the arena's guard when the arena is spent.
 */
const struct node *document_read(struct span text, const char *path, enum scxml_scripts scripts,
                                 struct arena *arena, struct diagnostics *diagnostics);

/* What can be made of scripts with a language, which may be NULL. */
enum scxml_scripts document_scripts(const struct expr_language *language);

/* The tree with the files that its `machines` name, and the documents that its SCXML invokes
 * say outright, read and put in their place, and in those theirs. NULL after adding
 * diagnostics. Jumps to the arena's guard when the arena is spent. */
const struct node *document_expand(const struct node *root, enum scxml_scripts scripts,
                                   struct arena *arena, struct diagnostics *diagnostics);

/* What an invoke's source is, for a family: the name of a machine among the parent's, an SCXML
 * document itself, or a file seen from the parent's. What is none of these is something
 * outside.
 */
enum family_source document_find(void *context, const struct machine *parent,
                                 struct span source, struct arena *arena,
                                 const struct machine **machine);
