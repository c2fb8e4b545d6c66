/*
 * reason.h - what can be said about predicates before any record is there.
 *
 * Is there a record for which this predicate holds? One for which both do, or none of them?
 * Each question is a conjunction of wishes: this predicate is true, that one is not. The
 * answer is yes with a witness, which has been through the VM, or no, or that it is not known.
 *
 * What is decided: comparisons of a member (context.order.total) with constants, `in` a list
 * of constants, has(), bare booleans, null, size(), timestamp(), `.?member.orValue(constant)`,
 * comparisons of two members; joined by !, && and ||, ? :, with the language's errors. About
 * anything else nothing is assumed, so that it can lead to "unknown" but to no wrong answer.
 *
 * Records are JSON: there is no NaN in them.
 */
#pragma once

#include "expr/program.h"

/* What a predicate comes to; a set of these is a wish. Anything that is no bool is an error. */
enum reason_outcome {
    REASON_TRUE = 1,
    REASON_FALSE = 2,
    REASON_ERROR = 4,
    REASON_NOT_TRUE = REASON_FALSE | REASON_ERROR, /* "does not hold" */
    REASON_ANY = 7
};

/* What is known of a member, or of a variable as a whole, from a schema or defaults. */
struct reason_field {
    struct span path; /* "o.itemsAdded", "event.order.total", "now"; matched to uses of it */
    uint32_t kinds;   /* bits 1 << VALUE_…; 0: any */
    bool is_required; /* never missing. A default makes it required and not null: say so here */
    bool has_minimum; /* of numbers, both inclusive */
    bool has_maximum;
    struct value minimum;
    struct value maximum;
    const struct value *choices; /* the only scalars it may be; none: no such list */
    size_t choice_count;
};

/* What is assumed of members that no field tells about. */
enum reason_unknown {
    REASON_ANYTHING, /* they may be missing, or of any kind: what is certain of every record */
    REASON_AS_USED   /* they are there and of the kinds that the predicates compare them with;
                        missing, or null, only if a predicate asks for that */
};

struct reason_world {
    const struct expr_scope *scope; /* that all predicates were compiled with */
    const struct reason_field *fields;
    size_t field_count;
    enum reason_unknown unknown;
};

struct reason; /* predicates taken apart; immutable, in the arena it was made in */

/* Takes the predicates apart. They, the scope and the fields must outlive it. Jumps to the
 * arena's guard. */
const struct reason *reason_open(const struct expr_program *const *predicates, size_t count,
                                 const struct reason_world *world, struct arena *arena);

struct reason_wish {
    uint32_t predicate; /* its index in reason_open() */
    uint32_t outcomes;  /* of enum reason_outcome: any of these will do */
};

enum reason_verdict { REASON_NO, REASON_YES, REASON_UNKNOWN };

struct reason_answer {
    enum reason_verdict verdict;
    uint32_t steps;            /* that it took */
    const struct value *slots; /* YES: the witness, one value for each variable of the scope
                                  (those that no predicate reads are unbound), in the arena */
};

/* Is there a record that grants all wishes? Takes at most REASON_STEPS_MAX steps, and
 * REASON_DOUBTS_MAX once a "no" is out of reach; beyond them the answer is unknown. Jumps to
 * the arena's guard. */
struct reason_answer reason_ask(const struct reason *reason, const struct reason_wish *wishes,
                                size_t count, struct arena *arena);

/* The usual questions: does it ever hold, do both at once, is there a record for which none
 * of all the predicates does? */
struct reason_answer reason_satisfy(const struct reason *reason, uint32_t predicate,
                                    struct arena *arena);
struct reason_answer reason_overlap(const struct reason *reason, uint32_t one, uint32_t other,
                                    struct arena *arena);
struct reason_answer reason_gap(const struct reason *reason, struct arena *arena);
