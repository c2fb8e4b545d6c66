/*
 * deadline.h - the time that a step has for all its attempts; it stands still while parked.
 *
 * A step that waits for a breaker waits for something that is not its fault: the dependency's
 * outage does not use up the time in which the step itself is expected to work.
 */
#pragma once

#include <stdbool.h>

#include "base/time.h"

struct deadline {
    duration_ms left_ms; /* at `since`, or now while standing */
    instant_ms since;
    bool standing;
};

void deadline_start(struct deadline *deadline, duration_ms total_ms, instant_ms now);

/* Both do nothing where it is so already. */
void deadline_park(struct deadline *deadline, instant_ms now);
void deadline_resume(struct deadline *deadline, instant_ms now);

/* Not negative. */
duration_ms deadline_left_ms(const struct deadline *deadline, instant_ms now);

/* True when nothing is left; also while standing. */
bool deadline_is_expired(const struct deadline *deadline, instant_ms now);

/* When it expires unless parked; INSTANT_NEVER while standing. */
instant_ms deadline_at(const struct deadline *deadline);

/* The time for the next attempt: its own timeout, or less when the deadline comes first. */
duration_ms deadline_timeout_ms(const struct deadline *deadline, duration_ms timeout_ms,
                                instant_ms now);
