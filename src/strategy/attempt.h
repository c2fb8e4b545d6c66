/*
 * attempt.h - what all attempts have in common: who is told, and the list they are in. Only
 * strategy includes this.
 *
 * A strategy embeds `struct running` as the first member of its own struct, and `struct
 * attempt` as the first member of what it starts.
 */
#pragma once

#include "strategy/strategy.h"

struct attempt {
    struct attempt *previous;
    struct attempt *next;
    struct running *running;
    attempt_done *done;
    void *context;
    struct loop_timer *timer; /* the timeout, or a refusal to be told soon; may be NULL */
    struct text subject;      /* what is called, for messages: a program, a URL, a function */
    struct text refusal;
};

/* A strategy with what runs on it. The arena is for building one request or reading one answer,
 * and is cleared before each. */
struct running {
    struct strategy strategy;
    struct loop *loop;
    struct attempt *first;
    struct arena arena;
};

void running_init(struct running *running, const struct strategy_ops *ops, struct loop *loop);

/* Cancels all attempts. */
void running_fini(struct running *running);

/* Makes an attempt of size bytes, zeroed behind its first member. */
void *attempt_open(struct running *running, size_t size, attempt_done *done, void *context);

/* Takes it out of the list and releases it. */
void attempt_close(struct attempt *attempt);

/* Tells the result, then closes the attempt. */
void attempt_finish(struct attempt *attempt, const struct attempt_result *result);

/* Tells that it failed: "WORDS", with what came of it outside in code (0: nothing). */
void attempt_fail(struct attempt *attempt, enum error_kind kind, int32_t code,
                  struct span words);

/* Tells what came back: JSON, where blank is null, or all of it as one string. False when it
 * is neither: then nothing is told, and *problem is "is not JSON: why", in the running's arena
 * or static. */
bool attempt_succeed(struct attempt *attempt, struct span answer, bool is_text,
                     struct span *problem);

/* Tells in a later round that the attempt could not begin: ERROR_KIND_INVALID, certainly not
 * acted. */
void attempt_refuse(struct attempt *attempt, struct span why);

/* A failure to be filled in: nothing said, not done. */
struct attempt_result attempt_failure(enum error_kind kind, int32_t code, struct span message);
