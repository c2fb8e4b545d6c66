/*
 * derivation.h - the state of a record from its data alone. Pure (I13).
 *
 * Every state has a validator, a condition on the record. From the stored state the graph is
 * searched breadth first, neighbours in the order written, through states whose validator
 * fails too; the answer is the last state visited whose validator holds, else the stored state,
 * which then does not hold.
 *
 * Which states are visited in which order does not depend on the record, so the orders are
 * computed once, one for each state that a search can begin at, and a record is derived by
 * looking at one of them backwards: the first validator that holds ends it. There is no queue.
 *
 * Nested states: the graph is one of leaves. A leaf has its own edges and then those of its
 * ancestors, an edge to a compound state leads to its initial leaf, and a leaf's validator is
 * its own and those of its ancestors. The regions of a parallel root are derived apart.
 *
 * Always: every order begins at a leaf of its region and holds each leaf at most once; slot 0
 * of a frame is the record, slot 1 + i its field i.
 */
#pragma once

#include "base/diagnostic.h"
#include "chart/machine.h"

struct derivation_field {
    struct span name;
    struct value preset;  /* stands for a missing or null member; null: there is none */
    struct value missing; /* the error that reading it gives, where there is no preset */
    bool has_preset;
    enum value_kind kind; /* by schema or preset; VALUE_NULL: not said */
};

struct derivation_conjunct {
    struct span text;
    const struct expr_program *program;
};

struct derivation_validator {
    uint32_t state;
    struct span text;
    const struct expr_program *written; /* against the record alone: for checks */
    const struct expr_program *program;
    const struct derivation_conjunct *conjuncts;
    uint32_t conjunct_count;
    struct place place;
};

struct derivation_state {
    struct span key;
    struct span path; /* "PACKING.BOXED"; in a region from the region on */
    struct span id;   /* as written, or the path */
    uint32_t parent;  /* NO_STATE for the root's children */
    uint32_t initial; /* NO_STATE where there are no children */
    uint32_t leaf;    /* NO_INDEX where there are children */
    struct range targets;
    uint32_t validator; /* NO_INDEX: none */
    struct place place;
};

/* One leaf of a search: where it was found from tells the states that were passed. */
struct derivation_visit {
    uint16_t leaf;
    uint16_t from;  /* the place in this order it was found from; its own: the beginning */
    uint16_t level; /* how many edges from the beginning */
};

struct derivation_leaf {
    uint32_t state;
    uint32_t region;
    struct range validators; /* in validator_refs, the outermost first; none: never chosen */
    struct range order;      /* in visits */
};

struct derivation_region {
    struct span name; /* empty: there is only one */
    uint32_t initial; /* a leaf */
    uint32_t leaf_first;
    uint32_t leaf_count;
};

struct derivation {
    struct span id;
    struct span file;
    struct span record;             /* what validators call it */
    const struct type *record_type; /* what is known of its fields */
    bool is_topological;
    bool is_parallel;
    bool needs_record; /* some validator reads it other than by its fields */

    const struct derivation_field *fields; /* those that validators read come first */
    uint32_t field_count;
    uint32_t read_count;
    const struct derivation_state *states;
    uint32_t state_count;
    const uint32_t *targets; /* states */
    const struct derivation_validator *validators;
    uint32_t validator_count;
    const uint32_t *validator_refs;
    const struct derivation_leaf *leaves;
    uint32_t leaf_count;
    const struct derivation_region *regions;
    uint32_t region_count;
    const struct derivation_visit *visits;
};

/* True when a definition derives states from data: it has `record`, `validators` or a state
 * with a `validator`. */
bool derivation_is_definition(const struct node *root);

/* The scope of a validator as it is written. Memory comes from the arena. */
void derivation_scope(const struct derivation *derivation, struct expr_scope *scope,
                      struct arena *arena);

/* Reads a definition. Everything lives in the arena, as must the tree. NULL after adding at
 * least one error; jumps to the arena's guard. Codes as machine_load(). */
const struct derivation *derivation_read(const struct node *root, struct arena *arena,
                                         struct diagnostics *diagnostics);

/* What can be proved: IL0201 unreachable, IL0311 unstable, IL0312 overlaps in one level, IL0313
 * records that no state fits, IL0314 validators missing or never true, IL0503 types that do not
 * fit. What is said to happen has a record that shows it, and on which it was seen; that
 * stability could be neither proved nor refuted is information (IL0311). */
void derivation_check(const struct derivation *derivation, struct diagnostics *diagnostics);

static inline uint32_t derivation_slot_count(const struct derivation *derivation)
{
    return 1 + derivation->read_count;
}

static inline struct span derivation_path(const struct derivation *derivation, uint32_t leaf)
{
    return derivation->states[derivation->leaves[leaf].state].path;
}

/* Fills in slots from a record (a map): presets for what is missing or null, numbers as the
 * schema has them. Jumps to the arena's guard. */
void derivation_bind(const struct derivation *derivation, struct value record,
                     struct value *slots, struct arena *arena);

/* The record as validators see it. */
struct value derivation_record(const struct derivation *derivation, struct value record,
                               struct arena *arena);

/* The leaf of a path, id or unique key within a region; a compound state means its initial
 * leaf. NO_STATE: there is none. */
uint32_t derivation_find(const struct derivation *derivation, uint32_t region,
                         struct span name);

struct derived {
    uint32_t start;
    uint32_t state; /* a leaf */
    uint32_t place; /* in the order of the start */
    bool holds;
    uint32_t errors; /* validators that could have won, but gave no answer */
};

/* Derives one region from a leaf of it. `arena` is for expressions; a fixed one will do. */
struct derived derivation_run(const struct derivation *derivation, uint32_t start,
                              const struct value *slots, struct arena *arena);

/* True, false, or an error value. */
struct value derivation_verdict(const struct derivation *derivation, uint32_t leaf,
                                const struct value *slots, struct arena *arena);

/* The leaves between start and answer, in order; at most leaf_count of them. */
uint32_t derivation_via(const struct derivation *derivation, const struct derived *derived,
                        uint16_t *leaves);

/* Whether nothing leads on from a leaf. */
static inline bool derivation_is_sink(const struct derivation *derivation, uint32_t leaf)
{
    return derivation->leaves[leaf].order.count == 1;
}

/* Whether a search from one leaf visits another. */
bool derivation_reaches(const struct derivation *derivation, uint32_t from, uint32_t to);

/* {"levels":[[{"state","holds","because":{…}},…],…],"others":[…]}: how it came to its answer.
 * Jumps to the arena's guard. */
struct value derivation_explain(const struct derivation *derivation,
                                const struct derived *derived, const struct value *slots,
                                struct arena *arena);
