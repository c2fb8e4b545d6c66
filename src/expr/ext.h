/*
 * ext.h - the libraries of functions beyond the language itself, as cel-go and the
 * conformance suite know them, and what they share.
 */
#pragma once

#include "expr/builtin.h"

extern const struct builtin_library ext_ecma_library;    /* ecma.add, … for ecma.c */
extern const struct builtin_library ext_encoder_library; /* base64.encode, … */
extern const struct builtin_library ext_list_library;    /* slice, sort, sets.contains, … */
extern const struct builtin_library ext_math_library;    /* math.greatest, … */
extern const struct builtin_library ext_network_library; /* ip, cidr, … */
extern const struct builtin_library ext_regex_library;   /* regex.extract, … */
extern const struct builtin_library ext_string_library;  /* charAt, split, … */

/* text.format(arguments) */
struct value ext_format(struct vm *vm, const struct value *arguments, size_t count);

/* The elements of the list in the order of their keys, of which there are as many. */
struct value ext_list_sort_by(struct vm *vm, struct value list, struct value keys);

/* A list in reverse order. */
struct value ext_list_reverse(struct vm *vm, struct value list);

/* An error when so many bytes are more than a value may have; null otherwise. */
struct value ext_check_size(struct vm *vm, uint64_t bytes);
