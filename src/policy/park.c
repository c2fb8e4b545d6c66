/*
 * park.c - who is woken, and how many.
 */
#include "policy/park.h"

#include "base/checked.h"

int park_compare(struct parked a, struct parked b)
{
    if (a.at != b.at)
        return a.at < b.at ? -1 : 1;
    return (a.sequence > b.sequence) - (a.sequence < b.sequence);
}

uint32_t park_quota(const struct breaker *breaker, const struct breaker_rule *rule,
                    instant_ms now)
{
    uint32_t share = breaker_share_percent(breaker, rule, now);
    if (share == 0)
        return breaker_free_probes(breaker, rule, now);
    return share < 100 ? rule->probes : PARK_QUOTA_ALL;
}

instant_ms park_until(struct parked parked, duration_ms park_max_ms)
{
    instant_ms until = INSTANT_NEVER;
    return checked_add(parked.at, park_max_ms, &until) ? until : INSTANT_NEVER;
}

bool park_is_over(struct parked parked, duration_ms park_max_ms, instant_ms now)
{
    return now >= park_until(parked, park_max_ms);
}
