/*
 * admission.h - refuse at the door what would only wait, while accepted work still waits.
 *
 * Three things can speak against a newcomer:
 *
 *   full       as many are at work as the rule says. Of these places the last twentieth is for
 *              high work, and low work has four fifths.
 *   slow       a queue that stands is only delay. As CoDel (Nichols, Jacobson, 2012) in folly's
 *              simpler form: when for a whole interval even the least delay was above the
 *              target, the queue stands and does not merely take up bursts. Then low work is
 *              refused at twice the target, normal at four times, high not at all.
 *   throttled  of those that asked in the last window, few enough found no queue that stands:
 *              the share that throttle.h says is dropped, of the lowest class first. It is
 *              gradual where the delay is all or nothing, and remembers.
 *
 * Nobody is refused for ever for his class: while there is a place, one of a class that is
 * refused comes in every ten intervals. Nothing that was let in is ever dropped.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/random.h"
#include "base/time.h"
#include "policy/fairness.h"
#include "policy/throttle.h"

struct admission_rule {
    uint32_t working;      /* at work at once, at most; 0: no bound */
    duration_ms target_ms; /* 0: the delay has no say */
    duration_ms interval_ms;
    struct throttle_rule throttle;
};

/* Zero-initialised is idle. Plain data that may be copied and stored. */
struct admission {
    struct throttle throttle;
    instant_ms second_from; /* the pace: */
    uint32_t done;          /* in this second */
    uint32_t done_before;   /* in the one before */
    instant_ms interval_from;
    duration_ms least_ms;                 /* of this interval */
    instant_ms exempt_at[PRIORITY_COUNT]; /* when one that is refused otherwise came in last */
    bool is_standing; /* the last whole interval's least was above the target */
    bool is_seen;     /* least_ms holds */
};

/* What a newcomer finds. */
struct admission_load {
    uint64_t working;     /* let in and not done */
    duration_ms delay_ms; /* how long the first that waits has waited, 0 when nobody does */
};

#define ADMISSION_ANSWER_LIST(X) \
    X(GO, "go")                  \
    X(FULL, "full")              \
    X(SLOW, "slow")              \
    X(THROTTLED, "throttled")

#define ADMISSION_ANSWER_ENUM(name, text) ADMISSION_##name,
enum admission_answer { ADMISSION_ANSWER_LIST(ADMISSION_ANSWER_ENUM) ADMISSION_ANSWER_COUNT };
#undef ADMISSION_ANSWER_ENUM

const char *admission_answer_name(enum admission_answer answer);

/* Refuses nobody; with the interval and the window that hold where nothing is said. */
struct admission_rule admission_rule_default(void);

/* May a newcomer come in? */
enum admission_answer admission_enter(struct admission *admission,
                                      const struct admission_rule *rule, instant_ms now,
                                      const struct admission_load *load, enum priority priority,
                                      struct random *random);

/* One that was let in is done, well or not. */
void admission_done(struct admission *admission, instant_ms now);

/* When whoever was refused should come again. */
duration_ms admission_retry_ms(const struct admission *admission,
                               const struct admission_rule *rule, enum admission_answer answer);
