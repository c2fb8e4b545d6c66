/*
 * wake.h - moments at which something has to be looked at again.
 *
 * A heap of wakes that live inside what they wake: setting one again moves it, clearing it
 * takes it out, nothing is allocated but the heap's array. Ties go in the order of setting.
 */
#pragma once

#include <stddef.h>

#include "base/time.h"

struct wake;
typedef void wake_fire(struct wake *wake, instant_ms now);

struct wake {
    instant_ms due;
    uint64_t order;
    size_t place; /* in the heap, from 1; 0: not set */
    wake_fire *fire;
    void *owner;
};

struct wakes {
    struct wake **heap; /* heap[0] is not used */
    size_t count;
    size_t capacity;
    uint64_t order;
};

void wakes_init(struct wakes *wakes);
void wakes_fini(struct wakes *wakes);

void wake_init(struct wake *wake, wake_fire *fire, void *owner);
void wakes_set(struct wakes *wakes, struct wake *wake, instant_ms due);
void wakes_clear(struct wakes *wakes, struct wake *wake); /* fine when it is not set */

/* The earliest due, or INSTANT_NEVER. */
instant_ms wakes_next(const struct wakes *wakes);

/* Fires all that are due, each taken out first; those they set for now fire too. */
void wakes_run(struct wakes *wakes, instant_ms now);
