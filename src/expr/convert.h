/*
 * convert.h - from one kind of value to another, and values as text.
 */
#pragma once

#include "expr/vm.h"

struct value convert_to_int(struct vm *vm, const struct value *arguments, size_t count);
struct value convert_to_uint(struct vm *vm, const struct value *arguments, size_t count);
struct value convert_to_double(struct vm *vm, const struct value *arguments, size_t count);
struct value convert_to_bool(struct vm *vm, const struct value *arguments, size_t count);
struct value convert_to_string(struct vm *vm, const struct value *arguments, size_t count);
struct value convert_to_bytes(struct vm *vm, const struct value *arguments, size_t count);
struct value convert_to_timestamp(struct vm *vm, const struct value *arguments, size_t count);
struct value convert_to_duration(struct vm *vm, const struct value *arguments, size_t count);

/* Adds a scalar in its usual form: numbers in the fewest digits, RFC 3339, "1.5s", bytes that
 * are UTF-8. False for a value that has no text: null, lists, maps, types, optionals. */
bool convert_add_text(struct text *text, struct value value);
