/*
 * retry.c - delays that grow, and spread.
 *
 * Why full jitter is the default: clients that failed together come back together, unless
 * chance spreads them over the whole delay (Brooker, "Exponential backoff and jitter", 2015: a
 * hundred clients finish with a third of the calls that exponential delays alone take). Equal
 * and decorrelated jitter are from the same article; they never come back at once, and in its
 * simulation take as many calls or more.
 */
#include "policy/retry.h"

#include "base/checked.h"
#include "base/ensure.h"

#define BACKOFF_NAME(name, text) text,
static const char *const NAMES[] = {BACKOFF_LIST(BACKOFF_NAME)};
#undef BACKOFF_NAME

const char *backoff_name(enum backoff backoff)
{
    ensure((size_t)backoff < BACKOFF_COUNT);
    return NAMES[backoff];
}

/* min(cap, base * 2^doublings) */
static duration_ms exponential_ms(const struct retry_rule *rule, uint32_t doublings)
{
    duration_ms delay = rule->base_ms;
    for (uint32_t i = 0; i < doublings && delay > 0 && delay < rule->cap_ms; i++) {
        if (!checked_multiply(delay, (duration_ms)2, &delay))
            delay = rule->cap_ms;
    }
    return delay < rule->cap_ms ? delay : rule->cap_ms;
}

/* Anything from a to b, evenly; a where b is not more. */
static duration_ms between_ms(struct random *random, duration_ms a, duration_ms b)
{
    return b <= a ? a : a + (duration_ms)random_up_to(random, (uint64_t)(b - a));
}

static duration_ms decorrelated_ms(const struct retry_rule *rule, duration_ms before_ms,
                                   struct random *random)
{
    duration_ms most = 0;
    duration_ms before = before_ms > rule->base_ms ? before_ms : rule->base_ms;
    if (!checked_multiply(before, (duration_ms)3, &most))
        most = INT64_MAX;
    duration_ms delay = between_ms(random, rule->base_ms, most);
    return delay < rule->cap_ms ? delay : rule->cap_ms;
}

static duration_ms backoff_ms(const struct retry_rule *rule, uint32_t retries_made,
                              duration_ms before_ms, struct random *random)
{
    duration_ms delay = 0;
    switch (rule->backoff) {
    case BACKOFF_FIXED:
        return rule->base_ms;
    case BACKOFF_EXPONENTIAL:
        return exponential_ms(rule, retries_made);
    case BACKOFF_FULL_JITTER:
        return (duration_ms)random_up_to(random, (uint64_t)exponential_ms(rule, retries_made));
    case BACKOFF_EQUAL_JITTER:
        delay = exponential_ms(rule, retries_made);
        return between_ms(random, delay / 2, delay);
    case BACKOFF_DECORRELATED:
        return decorrelated_ms(rule, before_ms, random);
    case BACKOFF_COUNT:
        break;
    }
    never();
}

bool retry_next(const struct retry_rule *rule, uint32_t attempts_made, enum error_kind kind,
                duration_ms server_wait_ms, struct random *random, duration_ms *delay_ms)
{
    ensure(attempts_made >= 1 && rule->base_ms >= 0 && rule->cap_ms >= 0);
    if (attempts_made >= rule->attempts || (rule->on & ERROR_KIND_BIT(kind)) == 0)
        return false;
    duration_ms delay = backoff_ms(rule, attempts_made - 1, *delay_ms, random);
    if (server_wait_ms > 0 && !checked_add(delay, server_wait_ms, &delay))
        delay = INT64_MAX;
    ensure(delay >= 0);
    *delay_ms = delay;
    return true;
}

bool retry_has_time(const struct retry_rule *rule, duration_ms elapsed_ms, duration_ms delay_ms)
{
    duration_ms begins = 0;
    if (rule->elapsed_max_ms == 0)
        return true;
    return checked_add(elapsed_ms, delay_ms, &begins) && begins <= rule->elapsed_max_ms;
}
