/*
 * builtin.h - the functions of the language, one table of them.
 *
 * An overload is chosen by the kinds of the arguments when the function runs; the table
 * knows only names, styles and counts. A method's receiver is its first argument.
 */
#pragma once

#include "expr/vm.h"

/* Arguments are never errors. */
typedef struct value builtin_function(struct vm *vm, const struct value *arguments,
                                      size_t count);

enum builtin_style { BUILTIN_GLOBAL = 1, BUILTIN_METHOD = 2, BUILTIN_BOTH = 3 };

struct builtin {
    struct span name;  /* with its namespace: "optional.of" */
    uint8_t style;     /* enum builtin_style */
    uint8_t count_min; /* arguments, a receiver included */
    uint8_t count_max;
    bool may_allocate;
    builtin_function *function;
};

/* The function of that name that can be called in this style; NULL when there is none. */
const struct builtin *builtin_find(struct span name, enum builtin_style style);

/* text.matches(pattern), charged for its steps. */
struct value builtin_match(struct vm *vm, const struct regex *pattern, struct span text);

/* By position in the table; NULL behind the last. */
const struct builtin *builtin_at(uint32_t index);
uint32_t builtin_index(const struct builtin *builtin);
