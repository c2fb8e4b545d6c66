/*
 * compare.h - equality, order and membership, within the budget of a run.
 */
#pragma once

#include "expr/vm.h"

/* One bit, so that an operator is a set of orders: `<=` is LESS | EQUAL. */
enum compare_order {
    COMPARE_UNORDERED = 0, /* a NaN: no comparison holds */
    COMPARE_LESS = 1,
    COMPARE_EQUAL = 2,
    COMPARE_GREATER = 4,
    COMPARE_IMPOSSIBLE = 8 /* these kinds have no order between them */
};

/* CEL equality, as value_equal(), charging for what it looks at. Neither is an error. */
bool compare_equal(struct vm *vm, struct value a, struct value b);

/* Equal values have equal hashes. */
uint64_t compare_hash(struct vm *vm, struct value value);

enum compare_order compare_values(struct vm *vm, struct value a, struct value b);

/* `element in container`: true, false or an error value. */
struct value compare_in(struct vm *vm, struct value element, struct value container);
