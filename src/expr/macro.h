/*
 * macro.h - calls that are not calls: has, all, exists, map, filter, cel.bind, …
 *
 * A macro gets its arguments as trees, not as values, and makes one tree of them.
 */
#pragma once

#include "expr/ast.h"
#include "expr/remark.h"

/* What the call stands for when its name and number of arguments are a macro's; else NULL.
 * A macro used wrongly adds an error and gives a tree that is thrown away. */
const struct ast *macro_expand(const struct ast *call, struct arena *arena,
                               struct remarks *remarks);
