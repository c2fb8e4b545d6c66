/*
 * fairness.c - smooth weighted round-robin over three classes.
 *
 * Always: the credits of a round sum to what they summed to before it; a class that does not
 * wait neither gains nor keeps a debt, so an idle time is neither saved up nor paid for.
 */
#include "policy/fairness.h"

#include "base/ensure.h"

#define PRIORITY_NAME(name, text, weight) text,
static const char *const NAMES[] = {PRIORITY_LIST(PRIORITY_NAME)};
#undef PRIORITY_NAME

#define PRIORITY_WEIGHT(name, text, weight) weight,
static const int16_t WEIGHTS[] = {PRIORITY_LIST(PRIORITY_WEIGHT)};
#undef PRIORITY_WEIGHT

enum priority fairness_pick(struct fairness *fairness, uint32_t waiting)
{
    int16_t total = 0;
    int richest = -1;
    ensure(waiting != 0 && waiting < 1u << PRIORITY_COUNT);
    for (int i = 0; i < PRIORITY_COUNT; i++) {
        if ((waiting >> i & 1) == 0) {
            fairness->credits[i] = 0;
            continue;
        }
        fairness->credits[i] = (int16_t)(fairness->credits[i] + WEIGHTS[i]);
        total = (int16_t)(total + WEIGHTS[i]);
        if (richest < 0 || fairness->credits[i] > fairness->credits[richest])
            richest = i;
    }
    ensure(richest >= 0);
    fairness->credits[richest] = (int16_t)(fairness->credits[richest] - total);
    return (enum priority)richest;
}

const char *priority_name(enum priority priority)
{
    ensure((size_t)priority < PRIORITY_COUNT);
    return NAMES[priority];
}

bool priority_find(struct span name, enum priority *priority)
{
    for (size_t i = 0; i < PRIORITY_COUNT; i++) {
        if (span_is(name, NAMES[i])) {
            *priority = (enum priority)i;
            return true;
        }
    }
    return false;
}
