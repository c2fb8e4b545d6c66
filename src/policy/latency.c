/*
 * latency.c - buckets that grow by a quarter of a doubling.
 *
 *   0 1 2 3 | 4 5 6 7 | 8 10 12 14 | 16 20 24 28 | …   lower edges, in milliseconds
 *
 * Always: calls is the sum of the counts, at most LATENCY_CALLS_MAX.
 */
#include "policy/latency.h"

#include "base/ensure.h"

static uint32_t bucket_of(duration_ms took_ms)
{
    if (took_ms < 4)
        return took_ms < 0 ? 0 : (uint32_t)took_ms;
    uint32_t exponent = 63 - (uint32_t)__builtin_clzll((unsigned long long)took_ms);
    uint32_t quarter = (uint32_t)(took_ms >> (exponent - 2)) & 3;
    uint32_t bucket = (exponent - 1) * 4 + quarter;
    return bucket < LATENCY_BUCKETS ? bucket : LATENCY_BUCKETS - 1;
}

/* The longest duration that falls into the bucket. */
static duration_ms upper_edge_ms(uint32_t bucket)
{
    if (bucket < 4)
        return bucket;
    uint32_t exponent = bucket / 4 + 1;
    return ((duration_ms)(bucket % 4 + 5) << (exponent - 2)) - 1;
}

static void halve(struct latency *latency)
{
    latency->calls = 0;
    for (size_t i = 0; i < LATENCY_BUCKETS; i++) {
        latency->counts[i] /= 2;
        latency->calls = (uint16_t)(latency->calls + latency->counts[i]);
    }
}

void latency_record(struct latency *latency, duration_ms took_ms)
{
    if (latency->calls >= LATENCY_CALLS_MAX)
        halve(latency);
    latency->counts[bucket_of(took_ms)]++;
    latency->calls++;
}

duration_ms latency_percentile(const struct latency *latency, uint32_t percent)
{
    ensure(percent >= 1 && percent <= 99);
    if (latency->calls < LATENCY_CALLS_MIN)
        return -1;
    uint32_t wanted = (latency->calls * percent + 99) / 100;
    uint32_t seen = 0;
    for (uint32_t i = 0; i < LATENCY_BUCKETS; i++) {
        seen += latency->counts[i];
        if (seen >= wanted)
            return upper_edge_ms(i);
    }
    never();
}
