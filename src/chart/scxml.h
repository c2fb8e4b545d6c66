/*
 * scxml.h - SCXML documents (W3C) as definitions.
 *
 * The document's elements become the tree that machine_load() reads, every part with its
 * place in the document, under `semantics: scxml`. Expressions in ECMAScript become CEL; where
 * one of them does not translate, all of the document's stay ECMAScript, if that can be run,
 * and are refused with their places if it cannot.
 */
#pragma once

#include "base/markup.h"
#include "base/node.h"

/* The namespace of what SCXML has no word for: scxml_own.c. */
#define SCXML_OWN_SPACE "urn:interlock:scxml"

/* How the document gets at files it names, such as `<data src="file:a.json">`. The path is as
 * written, without `file:`. False when the file cannot be read. */
struct scxml_files {
    bool (*read)(void *context, struct span path, struct arena *arena, struct span *text);
    void *context;
};

/* Which language the expressions of a document with ECMAScript are in afterwards. */
enum scxml_scripts {
    SCXML_SCRIPTS_REFUSED, /* CEL: what does not translate is an error */
    SCXML_SCRIPTS_NEEDED,  /* CEL, or all of it ECMAScript when something does not translate */
    SCXML_SCRIPTS_ALWAYS,  /* ECMAScript: for tests of what runs it */
};

/* True when a definition with this text can only be XML. */
bool scxml_is_document(struct span text);

/* The definition's tree, in the arena, where the document must be too; NULL after adding at
 * least one error. `files` may be NULL: there are none then. */
const struct node *scxml_convert(const struct markup *root, const struct scxml_files *files,
                                 enum scxml_scripts scripts, struct arena *arena,
                                 struct diagnostics *diagnostics);
