/*
 * type_check.h - the type of a tree, and what is wrong with it.
 */
#pragma once

#include "expr/ast.h"
#include "expr/program.h"
#include "expr/remark.h"

/* Never NULL; what is wrong is remarked. Jumps to the arena's guard. */
const struct type *type_check(const struct ast *root, const struct expr_scope *scope,
                              struct arena *arena, struct remarks *remarks);
