/*
 * limit.h - how many calls of a step run at once, and how many may wait for their turn.
 *
 * These are the counters alone: the queue itself, first in, first out, is the caller's.
 * Whoever is refused was not counted.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct limit_rule {
    uint32_t concurrency; /* at least 1 */
    uint32_t queue;       /* 0: nobody waits */
};

/* Zero-initialised is empty. */
struct limit {
    uint32_t running;
    uint32_t queued;
};

enum limit_answer { LIMIT_GO, LIMIT_QUEUE, LIMIT_REFUSE };

/* GO is left with limit_leave(); QUEUE waits for limit_next(), or gives up with
 * limit_abandon(). */
enum limit_answer limit_enter(struct limit *limit, const struct limit_rule *rule);

/* One that ran has ended. Then ask limit_next(). */
void limit_leave(struct limit *limit);

/* True when the first of the queue goes now; it counts as running. Ask until false: when one
 * left, and after the rule was raised. */
bool limit_next(struct limit *limit, const struct limit_rule *rule);

/* One that waited does not any more. */
void limit_abandon(struct limit *limit);

/* How many that enter now would go at once. */
uint32_t limit_free(const struct limit *limit, const struct limit_rule *rule);
