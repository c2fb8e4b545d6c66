/*
 * json_fuzz.c - any bytes as JSON: what is read can be written and is then read as the same.
 *
 * The value reader and the tree reader must agree whether it is JSON and on its value; small
 * arenas make both jump out of the middle, where the leak checker watches.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/ensure.h"
#include "base/json.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void write_and_read_again(struct value value, struct arena *arena)
{
    for (int pretty = 0; pretty < 2; pretty++) {
        struct text text;
        struct value again;
        struct json_error error;
        text_init(&text, arena);
        if (pretty)
            json_write_pretty(&text, value, 0);
        else
            json_write(&text, value);
        ensure(json_read(text_span(&text), arena, &again, &error) == STATUS_OK);
        ensure(value_equal(value, again));
        ensure(value_equal(again, value_copy(arena, value)));
    }
}

static void read_both_ways(struct span text, struct arena *arena)
{
    struct value value;
    struct json_error error = {0};
    struct diagnostics diagnostics;
    enum status status = json_read(text, arena, &value, &error);
    ensure(status == STATUS_OK || error.offset <= text.size);
    ensure((status == STATUS_OK) == (error.message == NULL));
    diagnostics_init(&diagnostics, arena);
    const struct node *root = json_read_tree(text, SPAN("fuzz.json"), arena, &diagnostics);
    ensure((root == NULL) == (diagnostics.errors == 1));
    ensure((root != NULL) == (status == STATUS_OK));
    if (root != NULL) {
        ensure(value_equal(value, node_value(root, arena)));
        write_and_read_again(value, arena);
    }
}

static void read_within(struct span text, size_t arena_bytes)
{
    struct arena arena;
    struct arena_guard guard;
    arena_open(&arena, arena_bytes);
    if (!arena_is_spent(&arena, &guard)) {
        read_both_ways(text, &arena);
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
