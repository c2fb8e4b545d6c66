/*
 * rate.h - at most so many calls in a stretch of time, whatever their duration.
 *
 *     calls in any stretch t  <=  burst + t * count / per_ms
 *
 * The generic cell rate algorithm (ITU-T I.371): instead of a bucket and its filling, one
 * moment, at which the bucket would be full again. With `warm_up_ms` a rate that was not used
 * begins at a third and grows to the whole, as Guava's SmoothWarmingUp and Sentinel's warm-up
 * have it: for services whose caches and connections have to be filled first.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

enum { RATE_COUNT_MAX = 1000000, RATE_PERIOD_MAX_MS = 24 * 3600 * 1000, RATE_COLD = 3 };

struct rate_rule {
    uint32_t count; /* calls in … */
    duration_ms per_ms;
    uint32_t burst;         /* that may go at once after a pause, at least 1 */
    duration_ms warm_up_ms; /* from cold to the whole rate; 0: none */
};

/* Plain data that may be copied and stored. */
struct rate {
    int64_t full_ns; /* when the bucket would be full again; before now: it is */
    instant_ms latest;
    double cold; /* what was not used: calls that go at a lower rate, with warm_up_ms */
};

bool rate_rule_is_valid(const struct rate_rule *rule);

/* Full, and cold. */
void rate_init(struct rate *rate, const struct rate_rule *rule, instant_ms now);

/* May a call go now? Then it is counted. */
bool rate_take(struct rate *rate, const struct rate_rule *rule, instant_ms now);

/* The call that was counted last is not made after all. */
void rate_give_back(struct rate *rate, const struct rate_rule *rule);

/* When the next call may go; now when it may. */
instant_ms rate_next(const struct rate *rate, const struct rate_rule *rule, instant_ms now);

/* A server said not to come for so long (`Retry-After`): nobody does. */
void rate_push_back(struct rate *rate, const struct rate_rule *rule, instant_ms now,
                    duration_ms wait_ms);

/* How many could go now. */
uint32_t rate_left(const struct rate *rate, const struct rate_rule *rule, instant_ms now);
