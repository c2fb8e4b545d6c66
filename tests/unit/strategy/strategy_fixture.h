/*
 * strategy_fixture.h - one strategy on one loop, its settings read from JSON, and what came
 * of an attempt kept beyond the callback.
 */
#pragma once

#include "base/text.h"
#include "strategy/strategy.h"

struct bench {
    struct loop *loop;
    struct arena arena;
    struct diagnostics diagnostics;
    const struct strategy_type *type;
    struct strategy *strategy;
    const char *folder; /* of the definition */
};

struct told {
    int count;
    struct attempt_result result;
    struct text output;
    struct text message;
    struct text details;
    struct loop *loop; /* to be stopped */
};

void bench_open(struct bench *bench, const struct strategy_type *type, const char *folder);
void bench_close(struct bench *bench);

/* The step is a JSON map that holds the type's key; NULL after diagnostics. */
const void *bench_parse(struct bench *bench, const char *step);

/* "CODE line:column message (help)", one a line, of what the last parse said. */
struct span bench_diagnostics(struct bench *bench);

/* A request with the input (JSON), for instance "order-7", step "charge", key "key-7",
 * attempt 2. */
struct attempt_request bench_request(struct bench *bench, const char *input);

/* Runs one attempt to its end. */
struct told bench_run(struct bench *bench, const char *step,
                      const struct attempt_request *request);

/* For starting by hand. */
void told_keep(void *context, const struct attempt_result *result);
void told_release(struct told *told);
