/*
 * yaml_fuzz.c - any bytes as a definition file, in three sizes of arena.
 *
 * Whatever the bytes are, the answer is a tree or exactly one diagnostic with a place; the
 * small arenas make the reader jump out of the middle, where the leak checker watches.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/ensure.h"
#include "base/limits.h"
#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static uint64_t count_nodes(const struct node *node, uint32_t depth)
{
    ensure(depth <= DEFINITION_DEPTH_MAX);
    ensure(node->place.line > 0 && node->place.column > 0);
    uint64_t nodes = 1;
    for (uint32_t i = 0; i < node->count; i++)
        nodes += count_nodes(node->kind == NODE_MAP ? node->entries[i].value : node->items[i],
                             depth + 1);
    return nodes;
}

static void read_within(struct span text, size_t arena_bytes)
{
    struct arena arena;
    struct arena_guard guard;
    arena_open(&arena, arena_bytes);
    if (!arena_is_spent(&arena, &guard)) {
        struct diagnostics diagnostics;
        diagnostics_init(&diagnostics, &arena);
        const struct node *root =
            wire_read_definition(text, SPAN("fuzz.yaml"), &arena, &diagnostics);
        ensure((root == NULL) == (diagnostics.errors == 1));
        ensure(root == NULL || count_nodes(root, 0) <= DEFINITION_NODES_MAX);
        ensure(root != NULL || diagnostics.first->place.line > 0);
        arena_release_guard(&arena, &guard);
    }
    arena_close(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct span text = span_of((const char *)bytes, size);
    read_within(text, DEFINITION_ARENA_BYTES);
    read_within(text, 4096);
    read_within(text, 512);
    return 0;
}
