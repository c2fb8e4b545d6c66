/*
 * arena.c - bump allocation over one block, or over a chain of growing blocks.
 *
 * Blocks double, so a chain stays short. Rewinding releases the blocks that were added
 * since the mark.
 */
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"

enum { ALIGNMENT = 16, FIRST_BLOCK_BYTES = 16 * 1024 };

struct arena_block {
    struct arena_block *previous;
    size_t size;
    _Alignas(ALIGNMENT) char memory[];
};

void arena_init(struct arena *arena, void *memory, size_t size)
{
    size_t offset = (ALIGNMENT - (uintptr_t)memory % ALIGNMENT) % ALIGNMENT;
    ensure(memory != NULL && size >= offset);
    *arena = (struct arena){.memory = (char *)memory + offset, .size = size - offset};
}

void arena_open(struct arena *arena, size_t limit_bytes)
{
    ensure(limit_bytes > 0);
    *arena = (struct arena){.limit = limit_bytes};
}

void arena_close(struct arena *arena)
{
    while (arena->blocks != NULL) {
        struct arena_block *block = arena->blocks;
        arena->blocks = block->previous;
        free(block);
    }
    *arena = (struct arena){0};
}

void arena_set_guard(struct arena *arena, struct arena_guard *guard)
{
    guard->outer = arena->guard;
    arena->guard = guard;
}

void arena_release_guard(struct arena *arena, struct arena_guard *guard)
{
    ensure(arena->guard == guard);
    arena->guard = guard->outer;
}

_Noreturn void arena_spend(struct arena *arena)
{
    struct arena_guard *guard = arena->guard;
    ensure(guard != NULL);
    arena->guard = guard->outer;
    longjmp(guard->place, 1);
}

static void add_block(struct arena *arena, size_t needed)
{
    size_t size = arena->blocks == NULL ? FIRST_BLOCK_BYTES : arena->blocks->size * 2;
    if (size < needed)
        size = needed;
    if (size > arena->limit - arena->total)
        size = arena->limit - arena->total;
    struct arena_block *block = size < needed ? NULL : malloc(sizeof *block + size);
    if (block == NULL)
        arena_spend(arena);
    *block = (struct arena_block){.previous = arena->blocks, .size = size};
    arena->blocks = block;
    arena->total += size;
    arena->memory = block->memory;
    arena->size = size;
    arena->used = 0;
}

void *arena_get(struct arena *arena, size_t size)
{
    if (size > SIZE_MAX / 2)
        arena_spend(arena);
    size_t rounded = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (rounded > arena->size - arena->used || arena->memory == NULL) {
        if (arena->limit == 0)
            arena_spend(arena);
        add_block(arena, rounded);
    }
    void *memory = arena->memory + arena->used;
    arena->used += rounded;
    ensure(arena->used <= arena->size);
    return memory;
}

void *arena_get_zeroed(struct arena *arena, size_t size)
{
    return memset(arena_get(arena, size), 0, size);
}

void *arena_get_array(struct arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / 2 / size)
        arena_spend(arena);
    return arena_get_zeroed(arena, count * size);
}

struct span arena_copy(struct arena *arena, struct span text)
{
    char *copy = arena_get(arena, text.size + 1);
    if (text.size > 0)
        memcpy(copy, text.text, text.size);
    copy[text.size] = '\0';
    return span_of(copy, text.size);
}

struct arena_mark arena_mark(const struct arena *arena)
{
    return (struct arena_mark){arena->blocks, arena->used};
}

void arena_rewind(struct arena *arena, struct arena_mark mark)
{
    while (arena->blocks != mark.block) {
        struct arena_block *block = arena->blocks;
        ensure(block != NULL);
        arena->blocks = block->previous;
        arena->total -= block->size;
        free(block);
    }
    if (arena->limit > 0) {
        arena->memory = mark.block == NULL ? NULL : mark.block->memory;
        arena->size = mark.block == NULL ? 0 : mark.block->size;
    }
    arena->used = mark.used;
}

void arena_clear(struct arena *arena)
{
    arena_rewind(arena, (struct arena_mark){0});
}
