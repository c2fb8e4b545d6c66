/*
 * access.h - members, elements and whether they are there.
 */
#pragma once

#include "expr/vm.h"

/* The value of a key in a map, or NULL. Numbers find each other across kinds: 2.0 finds 2. */
const struct value *access_find(struct vm *vm, struct value map, struct value key);

/* operand.field; in an optional its value's member, as an optional. Errors pass through. Behind
 * the field stands what a missing member gives: a guard that fails needs no memory for it. */
struct value access_member(struct vm *vm, struct value operand, const struct value field[2]);

/* operand.?field: an optional, empty when the member is missing. */
struct value access_optional_member(struct vm *vm, struct value operand, struct value field);

/* has(operand.field) */
struct value access_has(struct vm *vm, struct value operand, struct value field);

/* operand[index] and operand[?index] */
struct value access_element(struct vm *vm, struct value operand, struct value index);
struct value access_optional_element(struct vm *vm, struct value operand, struct value index);

/* An optional holding the value, in the arena. */
struct value access_wrap(struct vm *vm, struct value value);

static inline struct value access_none(void)
{
    return (struct value){.kind = VALUE_OPTIONAL};
}
