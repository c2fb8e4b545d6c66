/*
 * column_kernel.h - the loops over rows and words, for each level of instructions.
 *
 * A loop takes rows and gives a bit for each, in words; bits behind the last row are 0 or
 * anything, as the loop likes. The loops over words take COLUMN_WORDS of them, always.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "expr/column.h"

enum { COLUMN_WORDS = COLUMN_BLOCK_ROWS / 64 };

enum column_comparison { COLUMN_LESS, COLUMN_LESS_EQUAL, COLUMN_EQUAL };

struct column_kernels {
    /* Several columns at once: memory is faster with all of their pages under way. */
    void (*bytes)(const uint8_t *const *data, uint64_t *const *bits, size_t columns,
                  size_t count);
    /* low <= row <= high */
    void (*ints)(const int64_t *data, size_t count, int64_t low, int64_t high, uint64_t *bits);
    void (*reals)(const double *data, size_t count, double low, double high, uint64_t *bits);
    void (*int_pairs)(const int64_t *left, const int64_t *right, size_t count,
                      enum column_comparison comparison, uint64_t *bits);
    void (*real_pairs)(const double *left, const double *right, size_t count,
                       enum column_comparison comparison, uint64_t *bits);
    /* bit `bit` of table[code]; codes from `limit` on read table[limit] */
    void (*codes)(const uint32_t *data, size_t count, const uint8_t *table, uint32_t limit,
                  unsigned bit, uint64_t *bits);
    void (*and)(const uint64_t *a, const uint64_t *b, uint64_t *result);
    void (* or)(const uint64_t *a, const uint64_t *b, uint64_t *result);
    void (*and_not)(const uint64_t *a, const uint64_t *b, uint64_t *result);
};

/* The loops of a level that the machine has. */
const struct column_kernels *column_kernels_of(enum column_level level);
