/*
 * footprint.h - what an expression reads of one variable, and how.
 *
 * Whoever decides many records by one expression wants to know which members it looks at, and
 * which of their values it can tell apart: `o.total > 100` sees nothing of a total but on which
 * side of 100 it is. What is not one of the plain forms is FOOTPRINT_ANY, which promises
 * nothing.
 */
#pragma once

#include "expr/program.h"

enum footprint_kind {
    FOOTPRINT_TRUTH,    /* o.f where a condition stands */
    FOOTPRINT_PRESENCE, /* has(o.f) */
    FOOTPRINT_COMPARED, /* o.f with a constant: ==, !=, <, <=, >, >=, or one of a list by `in`
                         */
    FOOTPRINT_ANY,      /* in another way; `constant` is one that stands near it, or null */
    FOOTPRINT_WHOLE     /* the variable itself; the field is empty */
};

struct footprint {
    struct span field;
    enum footprint_kind kind;
    struct value constant; /* null, true or false, a number or a string */
    const struct footprint *next;
};

/* Every use of the variable, in the arena; a field may be used more than once. */
const struct footprint *footprint_read(const struct expr_program *program, struct span variable,
                                       struct arena *arena);

/* The conditions that must all hold, each as text: more than one where the expression is an
 * `&&` of them. */
const struct span *footprint_conjuncts(const struct expr_program *program, struct arena *arena,
                                       uint32_t *count);
