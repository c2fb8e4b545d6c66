/*
 * random_derivation.h - data-driven machines and records at random, and the definition of
 * derivation written down as slowly as it reads.
 *
 * The reference knows nothing of programs, orders or slots: it evaluates trees in three truth
 * values and searches with a queue, from the very rules of the design.
 */
#pragma once

#include "base/random.h"
#include "base/text.h"

enum {
    REFERENCE_STATES_MAX = 16,
    REFERENCE_FIELDS_MAX = 5,
    REFERENCE_TARGETS_MAX = 4,
    REFERENCE_NODES_MAX = 200,
};

enum truth { TRUTH_FALSE, TRUTH_TRUE, TRUTH_ERROR };

enum reference_kind {
    VALUE_IS_MISSING,
    VALUE_IS_NULL,
    VALUE_IS_BOOL,
    VALUE_IS_INT,
    VALUE_IS_TEXT
};

struct reference_value {
    enum reference_kind kind;
    int number; /* a bool, an int, or one of a few texts */
};

enum formula_kind {
    FORMULA_FIELD,
    FORMULA_HAS,
    FORMULA_LESS,  /* field < number */
    FORMULA_EQUAL, /* field == number */
    FORMULA_TEXT,  /* field == text */
    FORMULA_IN,    /* field in [1, "b"] */
    FORMULA_NULL,  /* field != null */
    FORMULA_NOT,
    FORMULA_AND,
    FORMULA_OR,
    FORMULA_CONSTANT,
    FORMULA_KINDS
};

struct formula {
    enum formula_kind kind;
    int field;
    int number;
    int left;
    int right;
};

struct reference_state {
    int parent;  /* -1: none */
    int initial; /* a child, -1: a leaf */
    int formula; /* -1: no validator */
    int targets[REFERENCE_TARGETS_MAX];
    int target_count;
};

struct reference {
    struct reference_state states[REFERENCE_STATES_MAX];
    int state_count;
    int initial;
    struct formula formulas[REFERENCE_NODES_MAX];
    int formula_count;
    struct reference_value presets[REFERENCE_FIELDS_MAX]; /* missing: none */
    int field_count;
};

struct reference_answer {
    int state;
    bool holds;
    int errors;
};

void reference_make(struct reference *reference, struct random *random);

/* The definition as JSON. */
void reference_write(const struct reference *reference, bool is_topological, struct text *text);

void reference_record(const struct reference *reference, struct random *random,
                      struct reference_value *record);
void reference_write_record(const struct reference *reference,
                            const struct reference_value *record, struct text *text);

/* The leaf that a state means. */
int reference_leaf(const struct reference *reference, int state);

struct reference_answer reference_derive(const struct reference *reference, int start,
                                         const struct reference_value *record);
