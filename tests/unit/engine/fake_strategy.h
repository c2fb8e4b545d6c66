/*
 * fake_strategy.h - a strategy whose answers a test decides, on the loop and without the world.
 *
 * `fake: { … }` in a step. Every attempt is written down with its key; the test's script
 * says what it answers and after how long.
 */
#pragma once

#include "strategy/strategy.h"

enum { FAKE_CALLS_MAX = 20000 };

struct fake_call {
    char instance[64];
    char step[32];
    char key[40];
    uint32_t attempt;
    int64_t input;
};

/* What the next attempt of a step answers; decided per call by the script. */
struct fake_answer {
    bool done;
    enum error_kind kind;
    duration_ms delay_ms; /* 0: in the next round; negative: never */
    const char *output;   /* JSON */
    const char *details;  /* JSON behind an error */
};

typedef struct fake_answer fake_script(void *context, const struct fake_call *call);

struct fake_world {
    fake_script *script;
    void *context;
    struct fake_call calls[FAKE_CALLS_MAX];
    size_t call_count;
    size_t running;
    size_t running_max;
};

/* The world that attempts are played in; set before the engine opens. */
void fake_set_world(struct fake_world *world);

extern const struct strategy_type strategy_fake;
