/*
 * ecma_type.h - what is known about a part of an ECMAScript expression before it runs.
 */
#pragma once

#include "expr/ecma.h"

enum ecma_type {
    ECMA_TYPE_ANY,
    ECMA_TYPE_BOOL,
    ECMA_TYPE_NUMBER,
    ECMA_TYPE_STRING,
    ECMA_TYPE_OBJECT
};

/* A parameter of a function that is called on the spot. */
struct ecma_local {
    struct span name;
    const struct ecma_local *outer;
};

/* The names that mean something where a part stands. */
struct ecma_names {
    const struct ecma_scope *scope;
    const struct ecma_local *locals;
};

/* A function of ECMAScript by its name, and its own name in ecma_library.c. A method's receiver
 * is the first argument. */
struct ecma_function {
    const char *name;
    const char *cel;
    uint8_t count_min;
    uint8_t count_max;
    uint8_t type; /* enum ecma_type */
};

bool ecma_is_name(const struct ecma_tree *tree, const char *name);
bool ecma_is_operator(const struct ecma_tree *tree, const char *text);
bool ecma_is_local(const struct ecma_names *names, struct span name);
bool ecma_is_declared(const struct ecma_names *names, struct span name);

/* A variable that the processor gives, not the document: _event and its like. */
bool ecma_is_system(struct span name);

/* A key that is known now: a.key or a['key']. */
bool ecma_find_key(const struct ecma_tree *tree, struct span *key);

/* The function that is called, or NULL. */
const struct ecma_function *ecma_find_function(const struct ecma_names *names,
                                               const struct ecma_tree *call, bool *is_method);

/* The type whatever the variables are, or ANY; an operator of two operands gives it too. */
enum ecma_type ecma_type_of(const struct ecma_names *names, const struct ecma_tree *tree);
enum ecma_type ecma_type_of_operator(struct span text);

/* False only when evaluating it as an operand throws nothing, whatever the variables are. */
bool ecma_can_fail(const struct ecma_names *names, const struct ecma_tree *tree);
