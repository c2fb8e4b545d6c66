/*
 * clock.c - the kernel's clocks.
 *
 * BOOTTIME goes on while the machine sleeps, so a deadline of a minute is over after an
 * hour of sleep; MONOTONIC does not, and is the one that the processor answers fastest.
 */
#include "os/clock.h"

#include <time.h>

#include "base/ensure.h"

static struct timespec read_clock(clockid_t clock)
{
    struct timespec now;
    ensure(clock_gettime(clock, &now) == 0);
    return now;
}

instant_ms clock_wall(void)
{
    struct timespec now = read_clock(CLOCK_REALTIME);
    return (instant_ms)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_elapsed_us(void)
{
    struct timespec now = read_clock(CLOCK_BOOTTIME);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_measure_ns(void)
{
    struct timespec now = read_clock(CLOCK_MONOTONIC);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
