/*
 * cost.h - what a run may cost, before there is one.
 *
 * The units are those of the budget: a step of a loop, an element or 16 bytes looked at. What
 * an expression reads is not known yet, so the caller says how large it may be.
 */
#pragma once

#include "expr/ast.h"

/* About the most that a run costs when no list, map or text that it reads has more than `size`
 * elements, entries or times 16 bytes; UINT64_MAX for anything from there on. Straight code
 * costs nothing: its length bounds it. */
uint64_t cost_estimate(const struct ast *ast, uint64_t size);
