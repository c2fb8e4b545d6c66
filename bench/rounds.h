/*
 * rounds.h - what every benchmark measures with: a clock, and the median of some rounds.
 *
 * In the header, because each benchmark is a program of its own that links only what it
 * measures.
 */
#pragma once

#include <stdlib.h>
#include <time.h>

/* CLOCK_THREAD_CPUTIME_ID leaves out what the machine does besides; CLOCK_MONOTONIC does not.
 */
static inline double rounds_now_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static inline int rounds_compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

/* Sorts them. The upper of the two in the middle, where their number is even. */
static inline double rounds_median(double *rounds, size_t count)
{
    qsort(rounds, count, sizeof *rounds, rounds_compare);
    return rounds[count / 2];
}
