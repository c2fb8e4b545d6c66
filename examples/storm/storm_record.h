/*
 * storm_record.h - the two files every arm reads and writes.
 *
 * Arrivals: one line an order, the microsecond at which it is meant to come. They are written
 * before the storm, so every arm meets the same orders at the same moments.
 * Results: `order,intended,ended,done` a line, in the order in which they ended.
 */
#pragma once

#include <stdio.h>

#include "shop_service.h"

struct storm_arrivals {
    moment_us *at;
    size_t count;
    size_t capacity;
};

/* False after saying why. */
bool storm_arrivals_read(struct storm_arrivals *arrivals, const char *path);
/* A Poisson process: gaps are exponential. */
void storm_arrivals_throw(struct storm_arrivals *arrivals, double rate, double seconds,
                          uint64_t seed);
void storm_arrivals_fini(struct storm_arrivals *arrivals);

void storm_result_write(FILE *file, uint32_t order, moment_us intended, moment_us ended,
                        bool is_done);
