/*
 * column_plan.h - what column_open() makes and column_run() runs.
 *
 * Registers hold a bit for each row of a block. Steps fill some of them from columns, joins
 * fill the others from these; a predicate is two of them, either or both negated:
 *
 *     truth  the predicate is true
 *     doubt  it is not false: true, or an error
 *
 * With these two rails && is AND of both, || is OR of both and ! swaps and negates them, errors
 * and all: `error && false` is false. Where no error can be, both are the same register.
 */
#pragma once

#include "expr/column_kernel.h"
#include "expr/reason_model.h"

/* A register, times two, plus one when it is negated. */
typedef uint32_t column_wire;

enum { COLUMN_WIRE_FALSE = 0, COLUMN_WIRE_TRUE = 1 }; /* register 0 is all zeros */

struct column_rails {
    column_wire truth;
    column_wire doubt;
};

enum step_kind {
    STEP_VALID, /* a null bitmap */
    STEP_BYTES,
    STEP_BITS,
    STEP_INTS, /* low <= row <= high */
    STEP_REALS,
    STEP_INT_PAIRS,
    STEP_REAL_PAIRS,
    STEP_CODES,
    STEP_TEXTS /* equal to one of the constants */
};

struct column_step {
    enum step_kind kind;
    uint32_t target; /* register */
    uint32_t column;
    uint32_t other; /* column, of pairs */
    enum column_comparison comparison;
    int64_t low;
    int64_t high;
    double real_low;
    double real_high;
    uint32_t table; /* CODES */
    unsigned bit;
    const struct value *constants; /* TEXTS */
    uint32_t constant_count;
};

enum join_kind { JOIN_AND, JOIN_OR, JOIN_AND_NOT };

struct column_join {
    enum join_kind kind;
    uint32_t target;
    uint32_t left;
    uint32_t right;
};

/* What an atom comes to for each entry of a dictionary: bit 0 truth, bit 1 doubt. */
struct column_table {
    const struct reason_atom *atom;
    uint32_t column;
    uint8_t *outcomes; /* the last one is that of codes beyond the dictionary */
    uint32_t count;    /* entries known */
    uint32_t capacity;
};

/* An atom that is run row by row. */
struct column_slow {
    const struct expr_program *program;
    uint32_t truth; /* registers */
    uint32_t doubt;
};

/* A variable or member of the records, for the row VM. */
struct column_node {
    struct span name;
    uint32_t column; /* REASON_NONE: a map of what is below */
    uint32_t slot;   /* of a variable */
    struct column_node *below;
    struct column_node *next;
    struct value_entry *entries; /* of the row at hand */
};

struct column_set {
    struct reason *reason;
    const struct expr_program *const *programs;
    const struct column *columns;
    struct arena *arena;
    const struct column_kernels *kernels;
    struct column_step *steps;
    struct column_join *joins;
    struct column_table *tables;
    struct column_slow *slow;
    struct column_rails *rails;      /* of each predicate */
    column_wire *valid;              /* of each column; TRUE when it has no nulls */
    struct column_node *nodes;       /* the variables */
    struct value *slots;             /* of the row at hand */
    uint64_t (*words)[COLUMN_WORDS]; /* of each register */
    const uint64_t **at;             /* where each register's words are in this block */
    uint64_t **home;                 /* where a join puts them: often the caller's bitmap */
    uint64_t (*dense)[COLUMN_BLOCK_ROWS]; /* two strided columns, made dense; or NULL */
    uint32_t program_count;
    uint32_t column_count;
    uint32_t step_count;
    uint32_t step_capacity;
    uint32_t join_count;
    uint32_t join_capacity;
    uint32_t table_count;
    uint32_t table_capacity;
    uint32_t slow_count;
    uint32_t slow_capacity;
    uint32_t register_count;
};

/* Makes steps and joins of the model. Jumps to the arena's guard. */
void column_plan_make(struct column_set *set);

/* What the atom comes to when its place has this value, an ERROR being "missing". */
uint8_t column_plan_outcome(struct column_set *set, const struct reason_atom *atom,
                            struct value value, struct arena *arena);
