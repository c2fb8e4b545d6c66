/*
 * park.h - steps that wait, durably and in order, until their breaker lets them through.
 *
 * Why a quota: when a dependency comes back, thousands may be waiting. Waking them all means
 * that all but a few are refused at once, and the few are chosen by chance. So only as many are
 * woken as the breaker would let through, the ones that have waited longest first.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "policy/breaker.h"

/* A parked step's place in the order. It keeps it when it is woken and refused again. */
struct parked {
    instant_ms at;
    uint64_t sequence; /* breaks ties, unique */
};

/* No bound of the breaker's: the limit has the next word. */
#define PARK_QUOTA_ALL UINT32_MAX

/* Who parked first goes first: <0, 0 or >0. */
int park_compare(struct parked a, struct parked b);

/* How many parked callers may be woken now, to ask breaker_allow(). Open: none. Half-open: as
 * many as there are probes left. Ramping: as many as there are probes, of which the ramp lets
 * its share go. Closed: PARK_QUOTA_ALL. Ask when a call was reported, and at breaker_next(). */
uint32_t park_quota(const struct breaker *breaker, const struct breaker_rule *rule,
                    instant_ms now);

/* The moment at which it has waited long enough, and whether that has come. */
instant_ms park_until(struct parked parked, duration_ms park_max_ms);
bool park_is_over(struct parked parked, duration_ms park_max_ms, instant_ms now);
