/*
 * budget.h - how many retries and hedges a destination is sent beside its first calls.
 *
 * A retry policy looks at one call; a budget looks at all of them. Three attempts a call are a
 * kindness to one that was unlucky, and three times the load on a dependency that is down. The
 * budget bounds the second without taking away the first.
 *
 *     extra calls in any stretch of time
 *         <= burst + percent of the first calls in it + floor_per_s for each of its seconds
 *
 * As Finagle's RetryBudget (a share and a minimum) and gRPC A6 (a bucket that first calls
 * fill). Only first calls fill it, so retries neither feed the budget nor shrink it, and a
 * retry is paid for once, when it is decided, so those in backoff are counted too.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

enum { BUDGET_BURST_MAX = 1000000 };

struct budget_rule {
    uint32_t percent;     /* of first calls, 1 to 100 */
    uint32_t floor_per_s; /* so that the few calls of a quiet step may be retried too */
    uint32_t burst;       /* what is saved up at most, 1 to BUDGET_BURST_MAX */
};

/* Plain data that may be copied and stored. */
struct budget {
    uint32_t thousandths; /* of a retry that may be made */
    uint32_t reserved;    /* 0 */
    instant_ms latest;
};

/* Full. */
void budget_init(struct budget *budget, const struct budget_rule *rule, instant_ms now);

/* A first call is made. */
void budget_deposit(struct budget *budget, const struct budget_rule *rule, instant_ms now);

/* Takes one retry or hedge; false when nothing is left. */
bool budget_withdraw(struct budget *budget, const struct budget_rule *rule, instant_ms now);

/* When a retry can be taken at the latest, first calls or not; INSTANT_NEVER without a floor.
 */
instant_ms budget_next(const struct budget *budget, const struct budget_rule *rule,
                       instant_ms now);

/* Whole retries that are left. */
uint32_t budget_left(const struct budget *budget, const struct budget_rule *rule,
                     instant_ms now);
