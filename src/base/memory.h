/*
 * memory.h - the general allocator, for what lives neither as long as a machine nor
 * as short as a turn: instances, queues, connections.
 *
 * Running out of the whole machine's memory is not a case that a process can mend:
 * these stop it with one clear line, and the durable log carries on after a restart.
 * Limits of our own are checked before by their owners and answer STATUS_NO_SPACE.
 */
#pragma once

#include <stddef.h>

#include "base/span.h"

/* Zeroed memory; never NULL. Released with memory_release(). */
void *memory_get(size_t size);

/* Grows or shrinks; new bytes are not zeroed; never NULL. */
void *memory_resize(void *old, size_t size);

void memory_release(void *memory); /* NULL is fine */

/* A copy of the bytes with a NUL behind them, so that it also serves as C text. */
char *memory_copy_text(struct span text);

/* Makes room for one more element at the end of a growing array. */
#define memory_reserve(array, count, capacity)                                      \
    do {                                                                            \
        if ((count) == (capacity)) {                                                \
            (capacity) = (capacity) == 0 ? 16 : (capacity)*2;                       \
            (array) = memory_resize((array), (size_t)(capacity) * sizeof *(array)); \
        }                                                                           \
    } while (0)
