/*
 * il_engine.h - the inside of an il_engine, as its four files share it.
 *
 *     il_engine.c       open, run, stop, close
 *     il_engine_ask.c   deploy, start, send: requests and their replies
 *     il_engine_call.c  functions registered for `call` steps, and their answers
 *     il_engine_look.c  describe, why, history, counts
 *
 * Callers of the library are trusted with nothing: every function here begins with
 * il_engine_enter(). Only the stop flag and the box of answers are touched by other threads.
 */
#pragma once

#include <interlock.h>

#include <stdatomic.h>

#include "base/memory.h"
#include "base/table.h"
#include "engine/engine.h"

struct registered {
    struct registered *next;
    char *name;
    il_function *function;
    void *context;
};

/* A start or an event whose reply is awaited. */
struct ask {
    il_engine *engine;
    struct ask *next;
    struct ask **previous;
    il_replied *replied; /* NULL: nobody listens any more */
    void *context;
};

struct il_engine {
    struct loop *loop;
    struct store *store;
    struct engine *engine; /* NULL: not open */
    struct strategy_call call;
    const struct strategy_type *types[3];
    struct registered *functions;
    struct ask *asks;

    /* il_engine_run() */
    struct loop_wake *wake; /* the loop looks at the stop flag */
    struct loop_round *round;
    struct loop_timer *timer;
    atomic_bool stop;
    il_until until;
    bool is_running;
    bool is_time_over;

    bool is_inside;   /* within a call: functions of the caller's may be on the stack */
    bool was_tried;   /* to open */
    il_status broken; /* IL_OK while the store works */
    struct text problem;
    struct text shown;       /* what describe and why gave last */
    struct text line;        /* what history gives */
    struct arena arena;      /* of describing */
    struct arena call_arena; /* of what a function is told */
};

/* What a call needs. */
enum il_need {
    IL_NEED_NEW,     /* not opened yet */
    IL_NEED_OPEN,    /* open, not broken, and called from outside */
    IL_NEED_WORKING, /* open and not broken; functions may call it too */
};

/* Checks the moment of a call and clears the problem; IL_MISUSE, or why the engine is broken,
 * with words. */
il_status il_engine_enter(il_engine *engine, enum il_need need);

/* Sets the problem and gives the status back. */
il_status il_engine_fail(il_engine *engine, il_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Runs one round of the loop, waiting for at most one event. */
void il_engine_turn_loop(il_engine *engine);

/* il_engine_ask.c: tells those who still wait that nobody knows. */
void il_engine_drop_asks(il_engine *engine);

/* il_engine_call.c */
void il_engine_init_calls(il_engine *engine);
void il_engine_forget_functions(il_engine *engine);
const struct registered *il_engine_find_function(const il_engine *engine, struct span name);
