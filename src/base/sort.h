/*
 * sort.h - sorting without memory of its own.
 *
 * libc's qsort() may ask for memory and may take quadratic time; the pure core may do neither.
 */
#pragma once

#include <stddef.h>

typedef int sort_compare(const void *left, const void *right);

/* Sorts in place, in n log n steps whatever the items are (heapsort: J. W. J. Williams,
 * "Algorithm 232", CACM 7, 1964). Equal items come in any order. */
void sort_items(void *items, size_t count, size_t size, sort_compare *compare);
