/*
 * latency.h - how long calls took lately: a percentile of them, to know when one is late.
 *
 * A histogram of four buckets to every doubling, from a millisecond to four hours. The answer
 * is a bucket's upper edge, so it is at most 25 % too long and never too short. What is old
 * counts for less: when enough calls were counted, all counts are halved.
 */
#pragma once

#include <stdint.h>

#include "base/time.h"

enum { LATENCY_BUCKETS = 92, LATENCY_CALLS_MAX = 2000, LATENCY_CALLS_MIN = 20 };

/* Zero-initialised is empty. Plain data that may be copied and stored. */
struct latency {
    uint16_t counts[LATENCY_BUCKETS];
    uint16_t calls;
};

void latency_record(struct latency *latency, duration_ms took_ms);

/* So many percent (1 to 99) of calls took no longer; -1 before LATENCY_CALLS_MIN calls. */
duration_ms latency_percentile(const struct latency *latency, uint32_t percent);
