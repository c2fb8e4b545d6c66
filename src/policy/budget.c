/*
 * budget.c - a bucket in thousandths, so that one percent of a call is a whole number.
 *
 * Time that steps back fills nothing. A step below a second is jitter between clocks and is not
 * seen; a larger one is where the next filling counts from.
 *
 * Always: thousandths <= 1000 * rule->burst, of the rule that was passed in last.
 */
#include "policy/budget.h"

#include "base/ensure.h"

enum { WHOLE = 1000, BACKWARD_STEP_MS = 1000 };

static uint32_t filled(const struct budget *budget, const struct budget_rule *rule,
                       uint64_t more)
{
    uint64_t full = (uint64_t)rule->burst * WHOLE;
    uint64_t sum = budget->thousandths + more;
    return (uint32_t)(sum < full ? sum : full);
}

/* A floor of one a second is one thousandth a millisecond. */
static uint64_t refill(const struct budget *budget, const struct budget_rule *rule,
                       instant_ms now)
{
    if (now <= budget->latest)
        return 0;
    uint64_t passed = (uint64_t)(now - budget->latest);
    uint64_t enough = (uint64_t)BUDGET_BURST_MAX * WHOLE; /* fills any bucket */
    return passed >= enough ? enough * (rule->floor_per_s > 0) : passed * rule->floor_per_s;
}

static void tick(struct budget *budget, const struct budget_rule *rule, instant_ms now)
{
    budget->thousandths = filled(budget, rule, refill(budget, rule, now));
    if (now > budget->latest || budget->latest - now >= BACKWARD_STEP_MS)
        budget->latest = now;
}

void budget_init(struct budget *budget, const struct budget_rule *rule, instant_ms now)
{
    ensure(rule->burst >= 1 && rule->burst <= BUDGET_BURST_MAX);
    *budget = (struct budget){.thousandths = rule->burst * WHOLE, .latest = now};
}

void budget_deposit(struct budget *budget, const struct budget_rule *rule, instant_ms now)
{
    tick(budget, rule, now);
    budget->thousandths = filled(budget, rule, (uint64_t)rule->percent * (WHOLE / 100));
}

bool budget_withdraw(struct budget *budget, const struct budget_rule *rule, instant_ms now)
{
    tick(budget, rule, now);
    if (budget->thousandths < WHOLE)
        return false;
    budget->thousandths -= WHOLE;
    return true;
}

instant_ms budget_next(const struct budget *budget, const struct budget_rule *rule,
                       instant_ms now)
{
    uint32_t held = filled(budget, rule, refill(budget, rule, now));
    if (held >= WHOLE)
        return now;
    if (rule->floor_per_s == 0)
        return INSTANT_NEVER;
    return now + (WHOLE - held + rule->floor_per_s - 1) / rule->floor_per_s;
}

uint32_t budget_left(const struct budget *budget, const struct budget_rule *rule,
                     instant_ms now)
{
    return filled(budget, rule, refill(budget, rule, now)) / WHOLE;
}
