/*
 * adaptive.c - three ways to move a limit.
 *
 * What Netflix' limits do on every sample here does so too, but for AIMD: there every success
 * adds one, so a limit of 180 that a dependency can bear for a second grows to 360 in that
 * second. Here a limit takes as many successes as it is large to grow by one, and is lowered
 * once for all calls that ran when it was too large, as TCP does within a round trip.
 *
 * Vegas' least round trip grows old: when a dependency has become slower for good, nothing
 * would ever be as quick again. So it is measured anew after 15 to 30 limits' worth of calls,
 * spread so that limits which began together do not do so at once.
 *
 * Always: rule->minimum <= limit <= rule->maximum, of the rule that was passed in last.
 */
#include "policy/adaptive.h"

#include <math.h>

#include "base/ensure.h"

enum { LONG_SAMPLES = 600, WARM_SAMPLES = 10, RENEW_LIMITS = 30 };

static double clamp(double value, double least, double most)
{
    return value < least ? least : value > most ? most : value;
}

void adaptive_init(struct adaptive *adaptive, const struct adaptive_rule *rule)
{
    ensure(rule->minimum >= 1 && rule->minimum <= rule->maximum);
    *adaptive = (struct adaptive){.limit = clamp(rule->initial, rule->minimum, rule->maximum)};
}

/* Only a limit that is used may grow. */
static bool is_used(const struct adaptive *adaptive, const struct adaptive_sample *sample)
{
    return 2.0 * sample->running >= adaptive->limit;
}

static double aimd(struct adaptive *adaptive, instant_ms now,
                   const struct adaptive_sample *sample)
{
    if (!sample->dropped)
        return is_used(adaptive, sample) ? adaptive->limit + 1 / adaptive->limit
                                         : adaptive->limit;
    if (now - sample->rtt_us / 1000 < adaptive->lowered_at)
        return adaptive->limit;
    adaptive->lowered_at = now;
    return floor(adaptive->limit * 0.9);
}

/* No dice: the renewal is spread by what the samples look like, which is chance enough. */
static void note_least(struct adaptive *adaptive, const struct adaptive_sample *sample)
{
    double rtt = (double)sample->rtt_us;
    adaptive->samples++;
    if (adaptive->samples >= adaptive->renew_at) {
        uint64_t mixed = ((uint64_t)sample->rtt_us + adaptive->renew_at) * 0x9e3779b97f4a7c15u;
        double share = 0.5 + (double)(mixed >> 33) * 0x1p-32;
        adaptive->samples = 0;
        adaptive->renew_at = (uint32_t)(share * RENEW_LIMITS * adaptive->limit) + 1;
        adaptive->rtt_us = rtt;
    } else if (rtt < adaptive->rtt_us) {
        adaptive->rtt_us = rtt;
    }
}

static double vegas(struct adaptive *adaptive, const struct adaptive_sample *sample)
{
    double limit = adaptive->limit;
    double unit = limit < 100 ? 1 : limit < 1000 ? 2 : limit < 10000 ? 3 : 4; /* ⌊log10⌋, ≥ 1 */
    if (sample->dropped)
        return limit - unit;
    note_least(adaptive, sample);
    if (!is_used(adaptive, sample))
        return limit;
    double queue = ceil(limit * (1 - adaptive->rtt_us / (double)sample->rtt_us));
    if (queue <= unit)
        return limit + 6 * unit;
    if (queue < 3 * unit)
        return limit + unit;
    return queue > 6 * unit ? limit - unit : limit;
}

/* The first few count alike, later ones as a 600th each. */
static void note_long(struct adaptive *adaptive, const struct adaptive_sample *sample)
{
    double rtt = (double)sample->rtt_us;
    adaptive->samples += adaptive->samples < UINT32_MAX;
    double weight =
        adaptive->samples <= WARM_SAMPLES ? 1.0 / adaptive->samples : 2.0 / (LONG_SAMPLES + 1);
    adaptive->rtt_us += (rtt - adaptive->rtt_us) * weight;
    if (adaptive->rtt_us > 2 * rtt)
        adaptive->rtt_us *= 0.95; /* after a bad time it comes down quicker than it went up */
}

/* Gradient2 does not look at drops; here one is as bad as a call that took for ever. */
static double gradient(struct adaptive *adaptive, const struct adaptive_sample *sample)
{
    double limit = adaptive->limit;
    double slope = 0.5;
    if (!sample->dropped) {
        note_long(adaptive, sample);
        slope = clamp(1.5 * adaptive->rtt_us / (double)sample->rtt_us, 0.5, 1);
    }
    if (!is_used(adaptive, sample) && slope >= 1)
        return limit;
    return 0.8 * limit + 0.2 * (slope * limit + 4);
}

static double next_limit(struct adaptive *adaptive, enum adaptive_kind kind, instant_ms now,
                         const struct adaptive_sample *sample)
{
    switch (kind) {
    case ADAPTIVE_AIMD:
        return aimd(adaptive, now, sample);
    case ADAPTIVE_VEGAS:
        return vegas(adaptive, sample);
    case ADAPTIVE_GRADIENT:
        return gradient(adaptive, sample);
    case ADAPTIVE_NONE:
    case ADAPTIVE_COUNT:
        break;
    }
    never();
}

void adaptive_record(struct adaptive *adaptive, const struct adaptive_rule *rule,
                     instant_ms now, const struct adaptive_sample *sample)
{
    struct adaptive_sample known = *sample;
    if (known.rtt_us < 1)
        known.rtt_us = 1;
    double limit = next_limit(adaptive, rule->kind, now, &known);
    adaptive->limit = clamp(limit, rule->minimum, rule->maximum);
}

uint32_t adaptive_limit(const struct adaptive *adaptive, const struct adaptive_rule *rule)
{
    return (uint32_t)clamp(adaptive->limit, rule->minimum, rule->maximum);
}

const char *adaptive_name(enum adaptive_kind kind)
{
#define ADAPTIVE_NAME(name, text) text,
    static const char *const names[] = {ADAPTIVE_LIST(ADAPTIVE_NAME)};
#undef ADAPTIVE_NAME
    ensure((size_t)kind < ADAPTIVE_COUNT);
    return names[kind];
}
