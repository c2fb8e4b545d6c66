/*
 * emit.h - trees to programs: names become slots, operators become instructions.
 */
#pragma once

#include "expr/code.h"
#include "expr/remark.h"

/* NULL after at least one error. Jumps to the arena's guard. */
const struct expr_program *emit_program(const struct ast *root, const struct expr_scope *scope,
                                        struct arena *arena, struct remarks *remarks);
