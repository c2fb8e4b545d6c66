/*
 * policy_row.c - rows of policies.
 *
 * A row is JSON for readers. Its member `saved` is the policy's memory as hexadecimal digits,
 * behind the number of the layout and a checksum: a program with another layout begins anew,
 * which costs nothing but what was learned. What a policy remembers more is added behind, and
 * is zero in a row of an older program: an upgrade closes no open breaker.
 */
#include "base/hash.h"
#include "base/json.h"
#include "base/memory.h"
#include "engine/shard.h"

enum { SAVED_LAYOUT = 2 };

struct saved_head {
    uint32_t layout;
    uint32_t crc; /* of what follows */
};

static void add_hex(struct text *json, const void *bytes, size_t size)
{
    char *hex = memory_get(2 * size + 1);
    hash_to_hex(bytes, size, hex);
    text_add(json, span_of(hex, 2 * size));
    memory_release(hex);
}

void policy_row_add_saved(struct text *json, const void *saved, size_t size)
{
    struct saved_head head = {SAVED_LAYOUT, hash_crc32c(0, saved, size)};
    text_add(json, SPAN("\"saved\":\""));
    add_hex(json, &head, sizeof head);
    add_hex(json, saved, size);
    text_add_byte(json, '"');
}

static uint8_t digit_of(char digit)
{
    return (uint8_t)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

static void read_hex(const char *hex, void *bytes, size_t size)
{
    uint8_t *at = bytes;
    for (size_t i = 0; i < size; i++)
        at[i] = (uint8_t)(digit_of(hex[2 * i]) << 4 | digit_of(hex[2 * i + 1]));
}

static bool read_saved(struct span hex, void *saved, size_t size_before, size_t size)
{
    struct saved_head head;
    if (hex.size == 2 * (sizeof head + size_before)) {
        memset(saved, 0, size);
        size = size_before;
    }
    if (hex.size != 2 * (sizeof head + size))
        return false;
    read_hex(hex.text, &head, sizeof head);
    read_hex(hex.text + 2 * sizeof head, saved, size);
    return head.layout == SAVED_LAYOUT && head.crc == hash_crc32c(0, saved, size);
}

/* The turn's arena is not cleared: a lane's words may stand in it. */
bool policy_row_load(struct engine *engine, struct span key, void *saved, size_t size_before,
                     size_t size)
{
    struct text row;
    struct value value;
    struct json_error error;
    lsn row_lsn;
    text_init(&row, NULL);
    bool is_there =
        store_get(engine->options.store, ROW_POLICY, key, &row, &row_lsn) == STATUS_OK &&
        json_read(text_span(&row), &engine->turn_arena, &value, &error) == STATUS_OK;
    struct value hex = is_there ? value_member(value, SPAN("saved")) : value_null();
    bool is_read =
        hex.kind == VALUE_STRING && read_saved(value_span(hex), saved, size_before, size);
    text_fini(&row);
    return is_read;
}

void policy_row_put(struct engine *engine, struct span key, struct span state, struct span json)
{
    batch_add_row(engine, &(struct store_row){.kind = ROW_POLICY,
                                              .key = key,
                                              .lsn = engine->lsn,
                                              .columns = {state},
                                              .data = json});
}
