/*
 * throttle.h - no more is asked for than a multiple of what is accepted.
 *
 * Refusing costs too. So of the requests of a window the share
 *
 *     max(0, (requests − K · accepts) / (requests + 1))
 *
 * is dropped (Beyer et al., "Site Reliability Engineering", 2016, ch. 21, for a client that
 * sees its calls refused; K is 2 and the window two minutes there). Where requests are of
 * several classes the excess, requests − K · accepts, is taken from the lowest class first: the
 * next one drops only what that does not cover. Requests are counted when they are made, also
 * those that are dropped, so that it opens again as soon as there are accepts.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/random.h"
#include "base/time.h"
#include "policy/fairness.h"

enum { THROTTLE_BUCKETS = 10 };

struct throttle_rule {
    duration_ms window_ms;
    uint32_t k_percent; /* K as percent: 200 lets twice through what is accepted; 0: all */
    uint32_t rejects_percent; /* at most so many are dropped, 1 to 99: some go and find out */
};

struct throttle_bucket {
    uint32_t requests[PRIORITY_COUNT];
    uint32_t accepts;
};

/* Zero-initialised is empty. Plain data that may be copied and stored. */
struct throttle {
    struct throttle_bucket buckets[THROTTLE_BUCKETS];
    struct throttle_bucket sum; /* of the buckets */
    uint32_t newest;
    instant_ms bucket_from;
};

/* Counts a request; false when it is dropped here. */
bool throttle_allow(struct throttle *throttle, const struct throttle_rule *rule, instant_ms now,
                    enum priority priority, struct random *random);

/* A request was accepted: answered, well or not, but not turned away. */
void throttle_accept(struct throttle *throttle, const struct throttle_rule *rule,
                     instant_ms now);

/* The share of a class that is dropped now, 0 to 1. */
double throttle_share(const struct throttle *throttle, const struct throttle_rule *rule,
                      enum priority priority);
