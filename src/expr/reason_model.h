/*
 * reason_model.h - predicates taken apart: formulas over atoms, atoms over cells.
 *
 * A cell is something that can be chosen without regard to the others: what stands at a place
 * of the record, how two places compare, or what an expression nobody understands comes to.
 * An atom is a boolean part of a predicate that reads one cell. Every choice of a cell stands
 * for all the values that no atom can tell apart; with CHOICE_ELSE among them when nobody can
 * say what these are.
 *
 *     o.total > 100 && (has(o.coupon) || f(o.total))
 *
 *     AND ── atom "o.total > 100" ── cell o.total: 100, 101, 0, missing, null, "", …
 *      └ OR ─ atom "has(o.coupon)" ─ cell o.coupon: null, missing
 *          └─ atom "f(o.total)" ──── cell of its own: true, false, error
 *
 * Always: a cell's parent has a smaller index than the cell.
 */
#pragma once

#include "expr/code.h"
#include "expr/reason.h"

#define REASON_NONE UINT32_MAX /* no cell, no choice */

enum cell_kind {
    CELL_PLACE,
    CELL_ORDER, /* how the two operands compare: the choices are those of enum reason_order */
    CELL_OPAQUE /* an outcome: true, false, error */
};

/* What a comparison of two places can find; SAME and STRANGE are equal and unequal values that
 * have no order between them. */
enum reason_order {
    ORDER_LESS,
    ORDER_EQUAL,
    ORDER_GREATER,
    ORDER_SAME,
    ORDER_STRANGE,
    ORDER_ERROR,
    ORDER_COUNT
};

enum choice_kind { CHOICE_VALUE, CHOICE_MISSING, CHOICE_MAP, CHOICE_ELSE };

struct reason_choice {
    struct value value;
    const struct value *low;  /* a number or string: what it stands for lies between these, */
    const struct value *high; /* or is equal to both; NULL: without an end */
    enum choice_kind kind;
    bool is_exact; /* it stands for itself alone */
};

/* How atoms look at the strings, lists and maps of a place. */
enum reason_view { VIEW_VALUE = 1, VIEW_SIZE = 2, VIEW_TIME = 4, VIEW_OTHER = 8 };

/* A constant that a place is compared with. */
struct reason_seed {
    struct value value;
    const struct reason_seed *next;
};

/* A list of cells. */
struct reason_link {
    uint32_t cell;
    const struct reason_link *next;
};

struct reason_cell {
    enum cell_kind kind;
    uint32_t parent;    /* of a place that is a member; else REASON_NONE */
    uint32_t slot;      /* of a place */
    struct span member; /* of a place that has a parent */
    const struct reason_link *members;
    const struct reason_field *field; /* NULL: nothing is known of it */
    const struct reason_seed *seeds;  /* constants it is compared with */
    const struct reason_seed *sizes;  /* VIEW_SIZE */
    const struct reason_seed *times;  /* VIEW_TIME */
    uint32_t seed_count;
    uint32_t views;
    uint32_t kinds_used;   /* bits 1 << VALUE_… */
    uint32_t kinds;        /* that it may be of */
    bool is_asked_for;     /* an atom asks whether it is there */
    bool is_shared;        /* an ORDER or OPAQUE cell reads it: no two choices are alike */
    const struct ast *ast; /* of ORDER and OPAQUE: the first atom's */
    const struct reason_link *reads; /* the places of ORDER and OPAQUE */
    bool needs_host;
    struct reason_choice *choices;
    uint32_t choice_count;
};

/* What an atom of a simple form is. */
enum atom_form {
    FORM_OTHER,
    FORM_COMPARISON, /* place, operator, constant */
    FORM_MEMBERSHIP, /* place in constant, a list */
    FORM_ORDER,      /* place, operator, place */
    FORM_PRESENCE,   /* has() and hasValue() */
    FORM_BARE        /* the place itself */
};

struct reason_atom {
    struct span text; /* in the normal form: equal atoms are one */
    const struct ast *ast;
    const struct expr_program *program; /* the atom alone; NULL: nothing is known of it */
    uint8_t *outcomes;                  /* for each choice of the cell: a set of outcomes */
    uint32_t cell;                      /* REASON_NONE: a constant */
    uint8_t outcomes_all;               /* their union */
    enum reason_view view;
    enum atom_form form;
    enum ast_operator operator; /* of a comparison, as if the place stood on the left */
    struct value constant;      /* of VIEW_VALUE */
    bool is_strict;             /* without its place, an error */
    bool is_swapped;            /* the operands of the ORDER cell the other way round */
};

enum formula_kind { FORMULA_ATOM, FORMULA_NOT, FORMULA_AND, FORMULA_OR, FORMULA_CONDITION };

struct reason_formula {
    enum formula_kind kind;
    uint32_t atom;
    uint32_t count;
    const struct reason_formula *const *operands;
};

struct reason {
    const struct reason_world *world;
    const struct expr_program *const *predicates;
    const struct reason_formula **formulas; /* one for each predicate */
    bool *needs_host;                       /* for each predicate: it cannot be run here */
    struct reason_cell *cells;
    struct reason_atom *atoms;
    uint32_t predicate_count;
    uint32_t cell_count;
    uint32_t cell_capacity;
    uint32_t atom_count;
    uint32_t atom_capacity;
    bool is_over; /* more cells than REASON_CELLS_MAX: nothing is known */
};

static inline uint32_t reason_kind_bit(enum value_kind kind)
{
    return 1u << kind;
}

/* A value as an outcome. */
static inline uint8_t reason_outcome_of(struct value value)
{
    if (value.kind != VALUE_BOOL)
        return REASON_ERROR;
    return value.boolean ? REASON_TRUE : REASON_FALSE;
}

/* An unbound slot. */
static inline struct value reason_unbound(void)
{
    return (struct value){.kind = VALUE_ERROR};
}
