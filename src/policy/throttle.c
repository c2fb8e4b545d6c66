/*
 * throttle.c - two sums over ten buckets.
 *
 * Always: the sums are the buckets'.
 */
#include "policy/throttle.h"

#include <string.h>

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
        throttle->requests -= throttle->buckets[throttle->newest].requests;
        throttle->accepts -= throttle->buckets[throttle->newest].accepts;
        memset(&throttle->buckets[throttle->newest], 0, sizeof throttle->buckets[0]);
        throttle->bucket_from += bucket_ms;
    }
}

double throttle_share(const struct throttle *throttle, const struct throttle_rule *rule)
{
    double excess =
        throttle->requests - (double)throttle->accepts * (double)rule->k_percent / 100;
    double share = excess / ((double)throttle->requests + 1);
    double most = (double)rule->rejects_percent / 100;
    return share <= 0 ? 0 : share < most ? share : most;
}

bool throttle_allow(struct throttle *throttle, const struct throttle_rule *rule, instant_ms now,
                    struct random *random)
{
    advance(throttle, rule, now);
    bool drops = random_unit(random) < throttle_share(throttle, rule);
    throttle->buckets[throttle->newest].requests++;
    throttle->requests++;
    return !drops;
}

void throttle_accept(struct throttle *throttle, const struct throttle_rule *rule,
                     instant_ms now)
{
    advance(throttle, rule, now);
    throttle->buckets[throttle->newest].accepts++;
    throttle->accepts++;
}
