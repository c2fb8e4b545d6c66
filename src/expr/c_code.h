/*
 * c_code.h - expressions as C17, where all they touch are numbers, truths and words.
 *
 * What an expression would answer the C answers too: sums are checked, `error || true` is
 * true, and int and double do not mix. A text is a word, one of an enumeration: it can be
 * compared with constants, and that is all. What C has no such words for is refused.
 */
#pragma once

#include "expr/slot.h"

enum c_kind { C_BOOL, C_INT, C_DOUBLE, C_WORD };

/* A value in C. */
struct c_term {
    enum c_kind kind;
    struct span text;   /* an expression without effects, in parentheses where it needs any */
    struct span failed; /* true where there is no value; empty: there always is one */
};

/* What names mean: false where they mean nothing in C. `member` is empty for a name alone;
 * with one the term may fail, which is the same as that there is no such member. */
struct c_names {
    bool (*find)(void *context, struct span name, struct span member, struct c_term *term);
    bool (*find_word)(void *context, struct span text, struct c_term *term);
    bool (*find_state)(void *context, struct span state, struct c_term *term);
    bool (*find_event)(void *context, struct span type, struct c_term *term);
    void *context;
};

/* Functions that the C calls, with their definitions. */
#define C_HELPER_LIST(X) X(ADD) X(SUBTRACT) X(MULTIPLY) X(DIVIDE) X(MODULO) X(WHOLE)

#define C_HELPER_ENUM(name) C_HELPER_##name,
enum c_helper { C_HELPER_LIST(C_HELPER_ENUM) C_HELPER_COUNT };
#undef C_HELPER_ENUM

struct c_code {
    struct arena *arena;
    struct text *lines; /* statements that come before the term, indented by four blanks */
    const char *indent;
    const struct c_names *names;
    uint32_t *counter;   /* of variables made up */
    bool *needs;         /* by enum c_helper */
    struct span problem; /* after false: a sentence without a final stop */
};

/* False after setting `problem`. */
bool c_code_program(struct c_code *code, const struct expr_program *program,
                    struct c_term *term);
bool c_code_slot(struct c_code *code, const struct expr_slot *slot, struct c_term *term);

/* The value that a slot has whatever happens, as a literal or as an expression that is one. */
bool c_code_constant(const struct expr_slot *slot, struct value *value);

/* All of the terms, or one: as && and ||, what decides wins over what failed. */
bool c_code_join(struct c_code *code, const struct c_term *parts, uint32_t count, bool is_or,
                 struct c_term *term);

/* The definition of a helper. */
const char *c_code_helper(enum c_helper helper);
