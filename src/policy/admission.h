/*
 * admission.h - refuse at the door what would only wait, while accepted work still waits.
 *
 * A queue that stands is only delay. As CoDel (Nichols, Jacobson, 2012) in folly's simpler
 * form: when for a whole interval even the least delay was above the target, the queue stands
 * and does not merely take up bursts; then newcomers are refused for as long as the delay is
 * long. Low work is refused at twice the target, normal at four times, high only by a full
 * queue. Nothing that was accepted is ever dropped.
 */
#pragma once

#include <stdbool.h>

#include "base/time.h"
#include "policy/fairness.h"

struct admission_rule {
    duration_ms target_ms; /* 0: everything is let in */
    duration_ms interval_ms;
};

/* Zero-initialised is idle. */
struct admission {
    instant_ms interval_from;
    duration_ms least_ms; /* of this interval */
    bool is_standing;     /* the last whole interval's least was above the target */
    bool is_seen;         /* least_ms holds */
};

/* May a newcomer come in? `delay_ms` is how long the first in the queue has waited, 0 when it
 * is empty. */
bool admission_allow(struct admission *admission, const struct admission_rule *rule,
                     instant_ms now, duration_ms delay_ms, enum priority priority);

/* When whoever was refused should come again. */
duration_ms admission_retry_ms(const struct admission *admission,
                               const struct admission_rule *rule);
