/*
 * admission.c - the least delay of an interval.
 *
 * An interval in which nobody asked says nothing, and neither does one that began so long ago:
 * then nothing stands.
 */
#include "policy/admission.h"

#include "base/ensure.h"

static void note(struct admission *admission, const struct admission_rule *rule, instant_ms now,
                 duration_ms delay_ms)
{
    duration_ms passed = now - admission->interval_from;
    if (passed >= rule->interval_ms || passed < 0) {
        bool is_recent = passed >= 0 && passed < 2 * rule->interval_ms;
        admission->is_standing =
            is_recent && admission->is_seen && admission->least_ms > rule->target_ms;
        admission->interval_from = now;
        admission->is_seen = false;
    }
    if (!admission->is_seen || delay_ms < admission->least_ms)
        admission->least_ms = delay_ms;
    admission->is_seen = true;
}

bool admission_allow(struct admission *admission, const struct admission_rule *rule,
                     instant_ms now, duration_ms delay_ms, enum priority priority)
{
    if (rule->target_ms == 0)
        return true;
    note(admission, rule, now, delay_ms);
    if (!admission->is_standing)
        return true;
    switch (priority) {
    case PRIORITY_HIGH:
        return true;
    case PRIORITY_NORMAL:
        return delay_ms <= 4 * rule->target_ms;
    case PRIORITY_LOW:
        return delay_ms <= 2 * rule->target_ms;
    case PRIORITY_COUNT:
        break;
    }
    never();
}

duration_ms admission_retry_ms(const struct admission *admission,
                               const struct admission_rule *rule)
{
    duration_ms least = admission->least_ms;
    return least > rule->interval_ms ? least : rule->interval_ms;
}
