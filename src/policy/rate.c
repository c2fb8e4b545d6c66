/*
 * rate.c - one moment in nanoseconds: a call moves it by what it costs.
 *
 * A call may go while that moment is not further ahead than a burst reaches. Time that steps
 * back takes the moment along, so that nobody waits for a clock.
 *
 * Always: without a push-back, full_ns <= latest + burst calls' cost.
 */
#include "policy/rate.h"

#include "base/ensure.h"

#define MS_NS INT64_C(1000000)
#define WAIT_MS_MAX ((duration_ms)24 * 3600 * 1000)

bool rate_rule_is_valid(const struct rate_rule *rule)
{
    return rule->count >= 1 && rule->count <= RATE_COUNT_MAX && rule->per_ms >= 1 &&
           rule->per_ms <= WAIT_MS_MAX && rule->burst >= 1 && rule->burst <= RATE_COUNT_MAX &&
           rule->warm_up_ms >= 0 && rule->warm_up_ms <= WAIT_MS_MAX;
}

/* What a call costs when warm. */
static int64_t cost_ns(const struct rate_rule *rule)
{
    return rule->per_ms * MS_NS / rule->count;
}

/* Calls' worth of cold above which the rate is lower: warn = T·c/(cold−1). */
static double cold_warn(const struct rate_rule *rule)
{
    return (double)rule->warm_up_ms * rule->count / (double)rule->per_ms / (RATE_COLD - 1);
}

/* max = warn + 2·T·c/(1+cold) */
static double cold_max(const struct rate_rule *rule)
{
    double calls = (double)rule->warm_up_ms * rule->count / (double)rule->per_ms;
    return cold_warn(rule) + 2 * calls / (1 + RATE_COLD);
}

/* What the next call costs: three times as much when all is cold, down to once at `warn`. */
static int64_t next_cost_ns(const struct rate *rate, const struct rate_rule *rule)
{
    int64_t cost = cost_ns(rule);
    if (rule->warm_up_ms == 0)
        return cost;
    double above = rate->cold - cold_warn(rule);
    if (above <= 0)
        return cost;
    double share = above / (cold_max(rule) - cold_warn(rule));
    return cost + (int64_t)((double)cost * (RATE_COLD - 1) * (share < 1 ? share : 1));
}

/* What is not used cools down: from warm to cold in the warm-up's time. */
static void cool(struct rate *rate, const struct rate_rule *rule, int64_t now_ns)
{
    double most = cold_max(rule);
    double idle_ms = (double)(now_ns - rate->full_ns) / (double)MS_NS;
    rate->cold += idle_ms * most / (double)rule->warm_up_ms;
    if (rate->cold > most)
        rate->cold = most;
}

static int64_t tick(struct rate *rate, const struct rate_rule *rule, instant_ms now)
{
    ensure(now >= 0 && now <= INT64_MAX / MS_NS / 2);
    if (now < rate->latest)
        rate->full_ns -= (rate->latest - now) * MS_NS;
    rate->latest = now;
    int64_t now_ns = now * MS_NS;
    if (rate->full_ns < now_ns) {
        if (rule->warm_up_ms > 0)
            cool(rate, rule, now_ns);
        rate->full_ns = now_ns;
    }
    return now_ns;
}

void rate_init(struct rate *rate, const struct rate_rule *rule, instant_ms now)
{
    ensure(rate_rule_is_valid(rule));
    *rate = (struct rate){.full_ns = now * MS_NS, .latest = now};
    if (rule->warm_up_ms > 0)
        rate->cold = cold_max(rule);
}

/* How far ahead the moment may be for one more call to go. While it warms up, what was saved
 * does not go at once: that is what it is for. */
static int64_t slack_ns(const struct rate *rate, const struct rate_rule *rule)
{
    bool is_cold = rule->warm_up_ms > 0 && rate->cold > cold_warn(rule);
    return is_cold ? 0 : (int64_t)(rule->burst - 1) * cost_ns(rule);
}

bool rate_take(struct rate *rate, const struct rate_rule *rule, instant_ms now)
{
    int64_t ahead = rate->full_ns - tick(rate, rule, now);
    ahead = ahead > 0 ? ahead : 0;
    if (ahead > slack_ns(rate, rule))
        return false;
    rate->full_ns += next_cost_ns(rate, rule);
    if (rate->cold > 0)
        rate->cold = rate->cold > 1 ? rate->cold - 1 : 0;
    return true;
}

void rate_give_back(struct rate *rate, const struct rate_rule *rule)
{
    rate->full_ns -= cost_ns(rule);
}

instant_ms rate_next(const struct rate *rate, const struct rate_rule *rule, instant_ms now)
{
    struct rate then = *rate;
    int64_t now_ns = tick(&then, rule, now);
    int64_t wait = then.full_ns - now_ns - slack_ns(&then, rule);
    return wait <= 0 ? now : now + (wait + MS_NS - 1) / MS_NS;
}

void rate_push_back(struct rate *rate, const struct rate_rule *rule, instant_ms now,
                    duration_ms wait_ms)
{
    int64_t now_ns = tick(rate, rule, now);
    duration_ms wait = wait_ms < WAIT_MS_MAX ? wait_ms : WAIT_MS_MAX;
    if (wait <= 0)
        return;
    int64_t until = now_ns + wait * MS_NS + (int64_t)(rule->burst - 1) * cost_ns(rule);
    if (until > rate->full_ns)
        rate->full_ns = until;
}

uint32_t rate_left(const struct rate *rate, const struct rate_rule *rule, instant_ms now)
{
    struct rate then = *rate;
    int64_t ahead = then.full_ns - tick(&then, rule, now);
    int64_t slack = slack_ns(&then, rule);
    ahead = ahead > 0 ? ahead : 0;
    return ahead > slack ? 0 : (uint32_t)((slack - ahead) / cost_ns(rule)) + 1;
}
