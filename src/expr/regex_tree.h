/*
 * regex_tree.h - a regular expression as a tree: what regex_tree.c reads and regex.c runs.
 */
#pragma once

#include "expr/regex.h"

enum regex_tree_kind {
    TREE_SET,
    TREE_ASSERT,
    TREE_SEQUENCE,
    TREE_CHOICE,
    TREE_REPEAT,
    TREE_GROUP
};

enum regex_assertion {
    ASSERT_START,
    ASSERT_END,
    ASSERT_LINE,
    ASSERT_LINE_END,
    ASSERT_WORD,
    ASSERT_NO_WORD
};

struct regex_range {
    uint32_t first;
    uint32_t last;
};

struct regex_tree {
    enum regex_tree_kind kind;
    const struct regex_tree *next; /* of the sequence or choice it is in */
    const struct regex_tree *first;
    struct regex_tree *last; /* while the sequence or choice grows */
    const struct regex_range *ranges;
    uint32_t range_count;
    bool is_negated;
    bool may_be_empty; /* it can match without taking a character */
    bool is_lazy;      /* a repetition that ends as soon as it can */
    enum regex_assertion assertion;
    uint32_t group; /* its number, from 1 on */
    uint32_t min;
    uint32_t max; /* UINT32_MAX: without an end */
};

/* The tree of a pattern in the arena, and how many groups are in it; NULL after filling in
 * the problem. */
const struct regex_tree *regex_tree_read(struct span pattern, struct arena *arena,
                                         struct regex_problem *problem, uint32_t *group_count);
