/*
 * arithmetic.h - + - * / % and negation, checked and without mixing kinds.
 */
#pragma once

#include "expr/vm.h"

/* Any operands, errors too; the operator is one of ADD to MODULO. */
struct value arithmetic_apply(struct vm *vm, struct value left, enum ast_operator operator,
                              struct value right);

struct value arithmetic_negate(struct vm *vm, struct value operand);

/* A timestamp or duration from seconds and nanoseconds (of any sign and size), normalised;
 * false when it is outside of its range. */
bool arithmetic_timestamp(int64_t seconds, int64_t nanoseconds, struct value *value);
bool arithmetic_duration(int64_t seconds, int64_t nanoseconds, struct value *value);
