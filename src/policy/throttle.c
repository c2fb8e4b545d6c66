/*
 * throttle.c - sums over ten buckets.
 *
 * Always: the sums are the buckets'.
 */
#include "policy/throttle.h"

#include <string.h>

static void forget(struct throttle *throttle, struct throttle_bucket *bucket)
{
    for (int i = 0; i < PRIORITY_COUNT; i++)
        throttle->sum.requests[i] -= bucket->requests[i];
    throttle->sum.accepts -= bucket->accepts;
    memset(bucket, 0, sizeof *bucket);
}

static void advance(struct throttle *throttle, const struct throttle_rule *rule, instant_ms now)
{
    duration_ms bucket_ms =
        rule->window_ms < THROTTLE_BUCKETS ? 1 : rule->window_ms / THROTTLE_BUCKETS;
    int64_t steps = (now - throttle->bucket_from) / bucket_ms;
    if (steps >= THROTTLE_BUCKETS || now < throttle->bucket_from) {
        *throttle = (struct throttle){.bucket_from = now};
        return;
    }
    for (; steps > 0; steps--) {
        throttle->newest = (throttle->newest + 1) % THROTTLE_BUCKETS;
        forget(throttle, &throttle->buckets[throttle->newest]);
        throttle->bucket_from += bucket_ms;
    }
}

double throttle_share(const struct throttle *throttle, const struct throttle_rule *rule,
                      enum priority priority)
{
    const struct throttle_bucket *sum = &throttle->sum;
    double most = (double)rule->rejects_percent / 100;
    double excess = -(double)sum->accepts * (double)rule->k_percent / 100;
    if (rule->k_percent == 0)
        return 0;
    for (int i = 0; i < PRIORITY_COUNT; i++)
        excess += sum->requests[i];
    for (int lower = PRIORITY_COUNT - 1; lower > (int)priority; lower--)
        excess -= sum->requests[lower];
    double share = excess / ((double)sum->requests[priority] + 1);
    return share <= 0 ? 0 : share < most ? share : most;
}

bool throttle_allow(struct throttle *throttle, const struct throttle_rule *rule, instant_ms now,
                    enum priority priority, struct random *random)
{
    advance(throttle, rule, now);
    bool drops = random_unit(random) < throttle_share(throttle, rule, priority);
    throttle->buckets[throttle->newest].requests[priority]++;
    throttle->sum.requests[priority]++;
    return !drops;
}

void throttle_accept(struct throttle *throttle, const struct throttle_rule *rule,
                     instant_ms now)
{
    advance(throttle, rule, now);
    throttle->buckets[throttle->newest].accepts++;
    throttle->sum.accepts++;
}
