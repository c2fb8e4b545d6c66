/*
 * parser.h - CEL text to a tree.
 *
 * The whole grammar of the language, with the optional syntax (`.?`, `[?`, `{?`) and macros
 * expanded on the way. Several errors are found in one pass: after one, parsing goes on at
 * the next comma or bracket.
 */
#pragma once

#include "expr/ast.h"
#include "expr/remark.h"

/* The tree, in the arena; NULL after at least one error. Jumps to the arena's guard. Without
 * macros a call of one is a call like any other. */
const struct ast *parser_read(struct arena *arena, struct remarks *remarks, bool has_macros);
