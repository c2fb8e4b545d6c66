/*
 * arena.h - memory that is given out piece by piece and taken back all at once.
 *
 * Two lifetimes cover most data: a machine's arena lives as long as the machine, a
 * turn's arena until its commit. Nothing in an arena is released one by one.
 *
 * A fixed arena hands out the caller's memory and never asks for more: that is what a
 * step runs on. A growing arena adds blocks up to its limit: that is what a definition
 * is loaded into.
 *
 * arena_get() never returns NULL. When the limit is reached it jumps to the arena's
 * guard, so code between guard and allocation needs no error paths, and must own
 * nothing but arena memory. The function that sets a guard says so and returns
 * STATUS_NO_SPACE (or an error value). Without a guard, reaching the limit is our bug.
 *
 *     struct arena_guard guard;
 *     if (arena_is_spent(arena, &guard))   // false at first, true after a jump
 *         return STATUS_NO_SPACE;
 *     …                                    // allocate freely
 *     arena_release_guard(arena, &guard);  // on every way out that did not jump
 *
 * Locals changed between the two and read after the jump must be volatile (C17 7.13.2.1).
 *
 * Always: used <= size of the current block; what was given out is aligned to 16.
 */
#pragma once

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

struct arena_block;

struct arena_guard {
    jmp_buf place;
    struct arena_guard *outer;
};

struct arena {
    char *memory;
    size_t used;
    size_t size;
    struct arena_block *blocks; /* NULL in a fixed arena */
    size_t total;               /* bytes in all blocks */
    size_t limit;               /* a growing arena's bound on total */
    struct arena_guard *guard;
};

/* A place to return to with arena_rewind(). */
struct arena_mark {
    struct arena_block *block;
    size_t used;
};

/* A fixed arena over the caller's memory, which must outlive it. */
void arena_init(struct arena *arena, void *memory, size_t size);

/* A growing arena of at most limit_bytes; release it with arena_close(). */
void arena_open(struct arena *arena, size_t limit_bytes);
void arena_close(struct arena *arena);

/* size bytes, aligned to 16, not zeroed; never NULL; jumps to the guard at the limit. */
void *arena_get(struct arena *arena, size_t size);
void *arena_get_zeroed(struct arena *arena, size_t size);

/* count elements of size bytes; an overflowing product counts as reaching the limit. */
void *arena_get_array(struct arena *arena, size_t count, size_t size);

/* A copy of the bytes with a NUL behind them (not counted in size). */
struct span arena_copy(struct arena *arena, struct span text);

/* Takes back everything given out since the mark (arena_clear: since the beginning). */
struct arena_mark arena_mark(const struct arena *arena);
void arena_rewind(struct arena *arena, struct arena_mark mark);
void arena_clear(struct arena *arena);

/* Jumps to the guard as if the limit had been reached. */
_Noreturn void arena_spend(struct arena *arena);

#define arena_is_spent(arena, guard_) \
    (arena_set_guard((arena), (guard_)), setjmp((guard_)->place) != 0)

void arena_set_guard(struct arena *arena, struct arena_guard *guard);
void arena_release_guard(struct arena *arena, struct arena_guard *guard);

#define arena_new(arena, type) ((type *)arena_get_zeroed((arena), sizeof(type)))
#define arena_new_array(arena, count, type) \
    ((type *)arena_get_array((arena), (count), sizeof(type)))
