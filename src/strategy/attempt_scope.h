/*
 * attempt_scope.h - what `${…}` in a step's settings may read. Only strategy includes this.
 */
#pragma once

#include "expr/expr.h"
#include "strategy/strategy.h"

#define ATTEMPT_VARIABLE_ENUM(name, text) ATTEMPT_VARIABLE_##name,
enum attempt_variable { ATTEMPT_VARIABLE_LIST(ATTEMPT_VARIABLE_ENUM) ATTEMPT_VARIABLE_COUNT };
#undef ATTEMPT_VARIABLE_ENUM

/* The names, for compiling. Static. */
const struct expr_scope *attempt_scope(void);

/* Their values for one attempt, pointing into the request. */
struct attempt_frame {
    struct value slots[ATTEMPT_VARIABLE_COUNT];
    struct expr_frame frame;
};

void attempt_frame_init(struct attempt_frame *frame, const struct attempt_request *request);

/* Runs a slot whose value is to be text: a string as it is, anything else as JSON. False when
 * an expression failed or when a NUL is in it, which neither a header nor an argument can hold;
 * then *problem is "WHAT: why". Jumps to the arena's guard when it is spent. */
bool attempt_frame_text(const struct attempt_frame *frame, const struct expr_slot *slot,
                        const char *what, struct arena *arena, struct span *text,
                        struct span *problem);

/* The same for a URL, where expressions inside text cannot leave their component. */
bool attempt_frame_url(const struct attempt_frame *frame, const struct expr_slot *slot,
                       const char *what, struct arena *arena, struct span *text,
                       struct span *problem);
