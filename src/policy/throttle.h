/*
 * throttle.h - a client that refuses its own calls when the server turns most of them away.
 *
 * Refusing costs a server work too. So a client that sees its calls refused sends fewer: of the
 * calls it would make it drops the share
 *
 *     max(0, (requests − K · accepts) / (requests + 1))
 *
 * of the last two minutes (Beyer et al., "Site Reliability Engineering", 2016, ch. 21; K is 2
 * there). Requests are counted when they are sent, also those the throttle dropped, so that it
 * opens again as soon as calls are accepted.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/random.h"
#include "base/time.h"

enum { THROTTLE_BUCKETS = 10 };

struct throttle_rule {
    duration_ms window_ms;
    uint32_t k_percent;       /* K as percent: 200 lets twice through what is accepted */
    uint32_t rejects_percent; /* at most so many are dropped, 1 to 99: some go and find out */
};

struct throttle_bucket {
    uint32_t requests;
    uint32_t accepts;
};

/* Zero-initialised is empty. Plain data that may be copied and stored. */
struct throttle {
    struct throttle_bucket buckets[THROTTLE_BUCKETS];
    uint32_t requests; /* sums of the buckets */
    uint32_t accepts;
    instant_ms bucket_from;
    uint32_t newest;
};

/* Counts a request; false when it is dropped here. */
bool throttle_allow(struct throttle *throttle, const struct throttle_rule *rule, instant_ms now,
                    struct random *random);

/* A request that was sent was accepted: answered, well or not, but not turned away. */
void throttle_accept(struct throttle *throttle, const struct throttle_rule *rule,
                     instant_ms now);

/* The share that is dropped now, 0 to 1. */
double throttle_share(const struct throttle *throttle, const struct throttle_rule *rule);
