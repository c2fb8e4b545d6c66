/*
 * retry.h - whether and when a failed attempt is made again.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/random.h"
#include "base/time.h"
#include "policy/error_kind.h"

#define BACKOFF_LIST(X)                                                           \
    X(FIXED, "fixed")               /* base */                                    \
    X(EXPONENTIAL, "exponential")   /* min(cap, base * 2^n), n from 0 */          \
    X(FULL_JITTER, "full-jitter")   /* anything from 0 to that, evenly */         \
    X(EQUAL_JITTER, "equal-jitter") /* half of that, and anything to the other */ \
    X(DECORRELATED, "decorrelated") /* min(cap, base to 3 * the delay before) */

#define BACKOFF_ENUM(name, text) BACKOFF_##name,
enum backoff { BACKOFF_LIST(BACKOFF_ENUM) BACKOFF_COUNT };
#undef BACKOFF_ENUM

struct retry_rule {
    uint32_t attempts; /* all of them, the first too */
    enum backoff backoff;
    duration_ms base_ms;
    duration_ms cap_ms;
    error_kinds on;             /* what is tried again */
    duration_ms elapsed_max_ms; /* no attempt begins later than this; 0: whenever */
};

/* After attempts_made >= 1 attempts, the last failed as `kind`: the delay before the next, or
 * false when there is none. A server that said how long to wait (else -1) is given that time,
 * and the backoff on top: nobody comes early, and those who were told the same do not come at
 * once. *delay_ms goes in as the delay before the last attempt, 0 or less where there was none;
 * only BACKOFF_DECORRELATED looks at it. */
bool retry_next(const struct retry_rule *rule, uint32_t attempts_made, enum error_kind kind,
                duration_ms server_wait_ms, struct random *random, duration_ms *delay_ms);

/* Would an attempt after the delay begin in time, so long after the first one began? */
bool retry_has_time(const struct retry_rule *rule, duration_ms elapsed_ms,
                    duration_ms delay_ms);

/* "full-jitter" */
const char *backoff_name(enum backoff backoff);
