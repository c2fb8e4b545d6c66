/*
 * clock.h - the clocks.
 */
#pragma once

#include "base/time.h"

/* Milliseconds of the wall clock since the epoch; may step when somebody sets it. */
instant_ms clock_wall(void);

/* Microseconds since some start; never goes back, stands still in no state of the machine
 * (CLOCK_BOOTTIME). */
int64_t clock_elapsed_us(void);

/* The same in nanoseconds for measuring (CLOCK_MONOTONIC). */
int64_t clock_measure_ns(void);
