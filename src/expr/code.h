/*
 * code.h - what a compiled expression is made of.
 *
 * A program is a row of 8-byte instructions over a stack of values. Constants, names and
 * the messages of unbound variables are in a pool; variables are slots of the frame; the
 * variables of macros are places on the stack, known when the program is emitted.
 *
 * An operator that meets an error as operand gives that error; only DECIDE, JOIN, BRANCH and
 * the folds look at errors otherwise.
 *
 * Always: every jump stays inside the code, the last instruction is RETURN, and the stack
 * never holds more than stack_depth <= EXPRESSION_STACK_MAX values.
 */
#pragma once

#include "expr/ast.h"
#include "expr/program.h"
#include "expr/regex.h"
#include "expr/remark.h"

/* `operand` is a constant's index, or a jump's destination. */
#define CODE_LIST(X)                                                              \
    X(CONSTANT) /* push constant */                                               \
    X(SLOT)     /* push slot `index`; constant `operand` when it is unbound */    \
    X(LOCAL)    /* push stack[index] */                                           \
    X(SELECT)   /* member of the constant; then its error */                      \
    X(SELECT_OPTIONAL)                                                            \
    X(HAS)                                                                        \
    X(INDEX)                                                                      \
    X(INDEX_OPTIONAL)                                                             \
    X(NOT)                                                                        \
    X(NEGATE)                                                                     \
    X(ADD)                                                                        \
    X(SUBTRACT)                                                                   \
    X(MULTIPLY)                                                                   \
    X(DIVIDE)                                                                     \
    X(MODULO)                                                                     \
    X(COMPARE) /* true when the order is among the bits of `index` */             \
    X(COMPARE_CONSTANT)                                                           \
    X(COMPARE_SLOT) /* slot `index`; its constant, then the error when unbound */ \
    X(EQUAL)        /* equal == (index == 0) */                                   \
    X(EQUAL_CONSTANT)                                                             \
    X(EQUAL_SLOT)                                                                 \
    X(IN)                                                                         \
    X(IN_CONSTANT)                                                                \
    X(IN_SLOT)                                                                    \
    X(JUMP)                                                                       \
    X(DECIDE)   /* a top of `index` (0: &&, 1: ||) decides: jump, keeping it */   \
    X(JOIN)     /* two operands to one, the first not deciding; then DECIDE */    \
    X(BRANCH)   /* false: jump; an error: to the JUMP before the destination */   \
    X(LIST)     /* push an empty list with room for `operand` */                  \
    X(LIST_ADD) /* index: 1 when the element is optional */                       \
    X(MAP)                                                                        \
    X(MAP_ADD)                                                                    \
    X(CALL)    /* built-in function `operand` with `count` arguments */           \
    X(MATCHES) /* regular expression `operand` over the top */                    \
    X(CALL_HOST)                                                                  \
    X(FOLD)           /* begin to walk over the top; not a list or map: jump */   \
    X(FOLD_NEXT)      /* set the variables; at the end: jump */                   \
    X(FOLD_FILTER)    /* a condition that is not true: back to FOLD_NEXT */       \
    X(FOLD_STEP)      /* take the body's result, back to FOLD_NEXT */             \
    X(FOLD_END)       /* leave the fold's result alone on the stack */            \
    X(UNBIND)         /* drop the value under the top */                          \
    X(OPTIONAL_OPEN)  /* an optional's value, or jump with what is not one */     \
    X(OPTIONAL_CLOSE) /* the body's result back into an optional */               \
    X(OPTIONAL_ELSE)  /* with a value: jump; none: drop it */                     \
    X(OPTIONAL_CHECK) /* an error when it is no optional */                       \
    X(RETURN)

#define CODE_ENUM(name) CODE_##name,
enum code { CODE_LIST(CODE_ENUM) CODE_COUNT };
#undef CODE_ENUM

struct instruction {
    uint8_t code;  /* enum code */
    uint8_t count; /* arguments of a call; variables of a fold; `index` of COMPARE in
                      COMPARE_SLOT and its like */
    uint16_t index;
    uint32_t operand;
};

/* The places of a running fold, from the bottom. */
enum { FOLD_RANGE, FOLD_POSITION, FOLD_RESULT, FOLD_FIRST, FOLD_SECOND, FOLD_PLACES };

struct expr_program {
    const struct instruction *code;
    const struct value *constants;
    const struct regex *const *patterns;
    const struct decision_test *tests; /* the same as tests alone, or NULL (decision.h) */
    const struct ast *root;
    struct remarks source; /* where its text stands, for the checker; without diagnostics */
    uint32_t code_count;
    uint32_t constant_count;
    uint32_t pattern_count;
    uint32_t slot_count;
    uint32_t stack_depth;
    bool may_allocate; /* run it with an arena at once */
};
