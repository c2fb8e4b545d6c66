/*
 * ecma_tree.h - an ECMAScript expression as a tree.
 */
#pragma once

#include "base/arena.h"
#include "base/span.h"

enum ecma_kind {
    ECMA_NUMBER,
    ECMA_STRING,
    ECMA_TRUE,
    ECMA_FALSE,
    ECMA_NULL,
    ECMA_NAME,
    ECMA_MEMBER,    /* first.text */
    ECMA_INDEX,     /* first[second] */
    ECMA_CALL,      /* first(parts…) */
    ECMA_UNARY,     /* text first */
    ECMA_BINARY,    /* first text second */
    ECMA_CONDITION, /* first ? second : third */
    ECMA_ARRAY,     /* [parts…] */
    ECMA_OBJECT,    /* {names: parts…} */
    ECMA_FUNCTION,  /* function (names…) { statements } */
};

enum ecma_statement_kind {
    ECMA_RETURN,    /* return value; */
    ECMA_IF_RETURN, /* if (condition) return value; */
    ECMA_SET,       /* name = value; */
};

struct ecma_tree;

struct ecma_statement {
    enum ecma_statement_kind kind;
    struct span name;              /* in a function */
    const struct ecma_tree *place; /* in a script: what is assigned to */
    const struct ecma_tree *condition;
    const struct ecma_tree *value;
    const struct ecma_statement *next;
};

struct ecma_tree {
    enum ecma_kind kind;
    uint32_t offset;
    struct span text; /* a name, an operator, what a string stands for */
    double number;
    const struct ecma_tree *first;
    const struct ecma_tree *second;
    const struct ecma_tree *third;
    const struct ecma_tree **parts;
    const struct span *names;
    uint32_t count; /* of parts and names */
    const struct ecma_statement *statements;
};

/* Why a text has no tree. ILLEGAL is certain: no ECMAScript engine would take it either. */
enum ecma_result { ECMA_OK, ECMA_ILLEGAL, ECMA_UNSUPPORTED };

struct ecma_problem {
    size_t offset;
    struct span message; /* a sentence without a final stop */
};

/* Reads the whole text as one expression. The problem is set unless the result is ECMA_OK. */
enum ecma_result ecma_parse(struct span text, struct arena *arena,
                            const struct ecma_tree **tree, struct ecma_problem *problem);

/* Reads the whole text as a script of assignments. */
enum ecma_result ecma_parse_script(struct span text, struct arena *arena,
                                   const struct ecma_statement **first,
                                   struct ecma_problem *problem);
