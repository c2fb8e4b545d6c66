/*
 * unicode_run.h - how the tables of unicode.c are written down. Only they include it.
 */
#pragma once

#include <stdint.h>

/* Code points in a row that have the same value: the number of a name. */
struct unicode_run {
    uint32_t first;
    uint16_t more; /* how many follow */
    uint8_t value;
};

/* Every `step`th code point from first to last is, in another case, the one at this distance.
 */
struct unicode_fold {
    uint32_t first;
    uint32_t last;
    uint32_t step;
    int32_t distance;
};
