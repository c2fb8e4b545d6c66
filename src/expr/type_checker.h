/*
 * type_checker.h - what the two halves of the checker share: type_check.c walks the tree,
 * type_call.c chooses overloads. Only these two include it.
 */
#pragma once

#include "expr/ast.h"
#include "expr/program.h"
#include "expr/remark.h"
#include "expr/type_unify.h"

/* A macro's variable. */
struct type_local {
    struct span name;
    const struct type *type;
    const struct type_local *outer;
};

/* What is known of the answer of a part that is true or false. */
enum type_answer { ANSWER_OPEN, ANSWER_TRUE, ANSWER_FALSE };

struct type_checker {
    struct arena *arena;
    struct remarks *remarks;
    const struct expr_scope *scope;
    const struct type_local *locals;
    struct type_unify unify;
    enum type_answer answer; /* of the part that was walked last, should it have one */
};

/* type_check.c */
const struct type *type_checker_walk(struct type_checker *checker, const struct ast *ast);

/* type_call.c: the type of a call, or of an operator over operands that were walked. */
const struct type *type_checker_call(struct type_checker *checker, const struct ast *ast);
const struct type *type_checker_operator(struct type_checker *checker, const struct ast *ast,
                                         struct span name, const struct type *const *operands,
                                         uint32_t count);

/* A type's text in the arena, for messages. */
struct span type_checker_text(struct type_checker *checker, const struct type *type);
