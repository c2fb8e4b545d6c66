/*
 * ecma.h - ECMAScript expressions as CEL, for documents that were written with them.
 *
 * What a translation means is exactly what the text means, over JSON's values; where CEL's
 * operators differ, it calls the functions of ecma_library.c. What cannot be translated so
 * is refused, never guessed.
 *
 * A variable x of the document is `context.x`. What ECMAScript calls undefined is a member
 * that is not there; among operands it is an optional without a value.
 */
#pragma once

#include "expr/ecma_tree.h"

/* What the document declares: a name that is not there is a ReferenceError, and no undefined.
 */
struct ecma_scope {
    const struct span *variables;
    size_t variable_count;
};

enum ecma_purpose {
    ECMA_AS_VALUE,     /* CEL that gives the value; an error where it is undefined */
    ECMA_AS_OPERAND,   /* the same, but an optional where it may be undefined */
    ECMA_AS_CONDITION, /* CEL that gives true where the value is truthy, else false */
};

/*
 * Writes the expression as CEL into *cel. ECMA_ILLEGAL: *cel is an expression that always
 * fails, and *problem says why. ECMA_UNSUPPORTED: only *problem is set.
 */
enum ecma_result ecma_translate(struct span text, enum ecma_purpose purpose,
                                const struct ecma_scope *scope, struct arena *arena,
                                struct span *cel, struct ecma_problem *problem);

/* A place to assign to, `a.b['c']`, as the names on the way. ECMA_ILLEGAL also when it is a
 * legal expression but no place. */
enum ecma_result ecma_location(struct span text, struct arena *arena, const struct span **names,
                               uint32_t *count, struct ecma_problem *problem);

/* What a script of assignments does, in order; each sees what those before it did. */
struct ecma_assignment {
    const struct span *names; /* the place */
    uint32_t count;
    struct span cel; /* the value, as an operand */
    const struct ecma_assignment *next;
};

enum ecma_result ecma_translate_script(struct span text, const struct ecma_scope *scope,
                                       struct arena *arena,
                                       const struct ecma_assignment **first,
                                       struct ecma_problem *problem);

/* A literal of a text in CEL's spelling. */
struct span ecma_quote(struct span text, struct arena *arena);
