/*
 * ast.h - an expression as a tree, macros already expanded.
 *
 * The parser makes it, the checker will type it, emit.c turns it into a program and
 * ast_write() back into text. Nodes live in the compilation's arena and are never changed
 * after their parent was made.
 *
 * Why macros become nodes of their own, not CEL's general fold: all the macros of the
 * language are a walk with a condition and a body, and keeping which one it is makes them
 * linear, short-circuiting and easy to type.
 *
 * Always: height <= EXPRESSION_DEPTH_MAX, so recursion over a tree is bounded.
 */
#pragma once

#include "base/text.h"
#include "base/value.h"

#define AST_KIND_LIST(X) \
    X(LITERAL)           \
    X(NAME)              \
    X(SELECT)            \
    X(HAS)               \
    X(INDEX)             \
    X(UNARY)             \
    X(BINARY)            \
    X(AND)               \
    X(OR)                \
    X(CONDITION)         \
    X(CALL)              \
    X(LIST)              \
    X(MAP)               \
    X(FOLD)              \
    X(BIND)              \
    X(OPTIONAL_MAP)

#define AST_ENUM(name) AST_##name,
enum ast_kind { AST_KIND_LIST(AST_ENUM) };
#undef AST_ENUM

#define AST_OPERATOR_LIST(X)  \
    X(LESS, "<", 3)           \
    X(LESS_EQUAL, "<=", 3)    \
    X(GREATER, ">", 3)        \
    X(GREATER_EQUAL, ">=", 3) \
    X(EQUAL, "==", 3)         \
    X(NOT_EQUAL, "!=", 3)     \
    X(IN, "in", 3)            \
    X(ADD, "+", 4)            \
    X(SUBTRACT, "-", 4)       \
    X(MULTIPLY, "*", 5)       \
    X(DIVIDE, "/", 5)         \
    X(MODULO, "%", 5)         \
    X(NOT, "!", 6)            \
    X(NEGATE, "-", 6)

#define AST_OPERATOR_ENUM(name, text, precedence) AST_##name,
enum ast_operator { AST_OPERATOR_LIST(AST_OPERATOR_ENUM) AST_OPERATOR_COUNT };
#undef AST_OPERATOR_ENUM

/* What a fold makes of its body's results. */
#define AST_FOLD_LIST(X)            \
    X(ALL, "all")                   \
    X(EXISTS, "exists")             \
    X(EXISTS_ONE, "exists_one")     \
    X(LIST, "map")                  \
    X(MAP, "transformMap")          \
    X(ENTRIES, "transformMapEntry") \
    X(SORT, "sortBy") /* the range itself, in the order of the body's results */

#define AST_FOLD_ENUM(name, text) FOLD_##name,
enum ast_fold { AST_FOLD_LIST(AST_FOLD_ENUM) FOLD_COUNT };
#undef AST_FOLD_ENUM

struct ast;

struct ast_element {
    const struct ast *value;
    bool is_optional; /* [?value]: left out when it is none */
};

struct ast_entry {
    const struct ast *key;
    const struct ast *value;
    bool is_optional; /* {?key: value} */
};

struct ast {
    enum ast_kind kind;
    uint32_t offset; /* in the text: where a diagnostic about this node points */
    uint32_t height; /* 1 for a leaf */
    union {
        struct value literal;
        struct {
            struct span name;
            bool is_absolute; /* .name */
        } name;
        struct { /* SELECT and HAS */
            const struct ast *operand;
            struct span field;
            bool is_optional; /* operand.?field */
        } select;
        struct {
            const struct ast *operand;
            const struct ast *index;
            bool is_optional; /* operand[?index] */
        } index;
        struct {
            const struct ast *left; /* the operand of UNARY */
            const struct ast *right;
            enum ast_operator operator;
        } operation;
        struct { /* AND and OR, two operands or more */
            const struct ast *const *operands;
            uint32_t count;
        } logic;
        struct {
            const struct ast *condition;
            const struct ast *then;
            const struct ast *otherwise;
        } condition;
        struct {
            const struct ast *target; /* NULL in a global call */
            struct span name;
            const struct ast *const *arguments;
            uint32_t count;
            bool is_absolute; /* .name(…) */
        } call;
        struct {
            const struct ast_element *elements;
            uint32_t count;
        } list;
        struct {
            const struct ast_entry *entries;
            uint32_t count;
        } map;
        struct {
            const struct ast *range;
            const struct ast *condition; /* NULL when every element counts */
            const struct ast *body;
            struct span variables[2]; /* the second is empty in one-variable macros */
            enum ast_fold fold;
        } fold;
        struct { /* BIND and OPTIONAL_MAP: the body sees the value under a name */
            const struct ast *value;
            const struct ast *body;
            struct span variable;
            bool is_flat; /* optFlatMap: the body is an optional itself */
        } bind;
    };
};

/* The operator as it is written: "<=". */
const char *ast_operator_text(enum ast_operator operator);

/* How tightly it binds, 3 (relations) to 6 (unary). */
int ast_operator_precedence(enum ast_operator operator);

/* The name of the macro that makes this fold. */
const char *ast_fold_name(enum ast_fold fold);

/* Writes the tree as CEL text: one form for each tree, with only the parentheses it needs. */
void ast_write(struct text *text, const struct ast *ast);
