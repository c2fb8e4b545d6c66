/*
 * type_unify.h - whether a value of one type may stand where another is wanted, and what that
 * says about type parameters.
 *
 * A type parameter of an overload becomes a TYPE_VARIABLE of its own for each call. Standing
 * for nothing at first, a variable is bound by the first type it meets and widened by the
 * next ones: [] + [1] is a list(int), and what stays unbound in the end is dyn.
 *
 * Work is bounded: once the steps are used up every answer is "fits", which is what dyn would
 * have said.
 */
#pragma once

#include "expr/type.h"

struct type_unify_undo {
    uint32_t variable;
    const struct type *before;
};

struct type_unify {
    struct arena *arena;
    const struct type **bound; /* by a variable's number; NULL: not yet */
    uint32_t count;
    uint32_t capacity;
    struct type_unify_undo *trail; /* what to put back when an overload does not fit */
    uint32_t trail_count;
    uint32_t trail_capacity;
    uint32_t steps_left;
};

void type_unify_init(struct type_unify *unify, struct arena *arena);

/* A variable that nothing is known of. */
const struct type *type_unify_fresh(struct type_unify *unify);

/* The type without variables at its top: what it is bound to, or a variable still unbound. */
const struct type *type_unify_resolve(const struct type_unify *unify, const struct type *type);

/* True when a value of the type `from` may stand where `to` is wanted; may bind variables. */
bool type_unify_fits(struct type_unify *unify, const struct type *from, const struct type *to);

/* A state to go back to when the next overload is tried. */
static inline uint32_t type_unify_mark(const struct type_unify *unify)
{
    return unify->trail_count;
}

void type_unify_rewind(struct type_unify *unify, uint32_t mark);

/* The type that both fit, or DYN. */
const struct type *type_unify_join(struct type_unify *unify, const struct type *a,
                                   const struct type *b);

/* The type with all that is known put in; what is not becomes dyn where `ends`. */
const struct type *type_unify_apply(struct type_unify *unify, const struct type *type,
                                    bool ends);
