/*
 * idempotency.c - the same key gives the same answer (I3).
 *
 * An entry is written in the commit of its event: there is never a key without its event
 * nor an event without its key. Until that commit is durable the entry is also found in
 * memory. Scope: instance and key. Retention: a day.
 */
#include "base/ensure.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/memory.h"
#include "engine/seal.h"
#include "engine/shard.h"

static const duration_ms retention_ms = INT64_C(24) * 3600 * 1000;

struct entry {
    uint8_t content[16]; /* hash of type and payload */
    enum outcome outcome;
    uint64_t seq;
    instant_ms at;
};

static void add_part(struct sha256 *hash, struct span part)
{
    uint64_t size = part.size;
    sha256_add(hash, &size, sizeof size);
    sha256_add(hash, part.text, part.size);
}

static void hash_two(struct span first, struct span second, uint8_t digest[32])
{
    struct sha256 hash;
    sha256_init(&hash);
    add_part(&hash, first);
    add_part(&hash, second);
    sha256_end(&hash, digest);
}

static void name_of(const struct inbox_event *event, char name[33])
{
    uint8_t digest[32];
    hash_two(event->id, event->key, digest);
    hash_to_hex(digest, 16, name);
}

static void write_entry(struct text *text, const struct entry *entry, struct span name)
{
    text_add(text, span_of((const char *)entry->content, sizeof entry->content));
    bytes_add_u8(text, (uint8_t)entry->outcome);
    bytes_add_varint(text, entry->seq);
    bytes_add_signed(text, entry->at);
    seal_add(text, name, 0);
}

static bool read_entry(struct span bytes, struct entry *entry, struct span name)
{
    if (!seal_take(&bytes, name, 0))
        return false;
    struct byte_reader reader = byte_reader_of(bytes);
    for (size_t i = 0; i < sizeof entry->content; i++)
        entry->content[i] = bytes_read_u8(&reader);
    uint8_t outcome = bytes_read_u8(&reader);
    entry->outcome = (enum outcome)outcome;
    entry->seq = bytes_read_varint(&reader);
    entry->at = bytes_read_signed(&reader);
    return !reader.failed && outcome < OUTCOME_COUNT;
}

enum key_verdict idempotency_find(struct engine *engine, const struct inbox_event *event,
                                  struct engine_reply *reply)
{
    char name[33];
    uint8_t content[32];
    struct entry entry;
    struct text stored;
    lsn row;
    name_of(event, name);
    text_init(&stored, NULL);
    const struct pending_key *pending = table_find(&engine->keys, span_from_text(name));
    enum status status = STATUS_OK;
    if (pending != NULL)
        text_add(&stored, pending->answer);
    else
        status = store_get(engine->options.store, ROW_IDEMPOTENCY, span_from_text(name),
                           &stored, &row);
    bool readable =
        status == STATUS_OK && read_entry(text_span(&stored), &entry, span_from_text(name));
    text_fini(&stored);
    if (status == STATUS_NOT_FOUND)
        return KEY_NEW;
    if (!readable)
        return KEY_UNREADABLE;
    if (engine->now - entry.at > retention_ms)
        return KEY_NEW;
    hash_two(event->type, event->payload, content);
    if (memcmp(content, entry.content, sizeof entry.content) != 0)
        return KEY_OTHER_CONTENT;
    reply->outcome = entry.outcome;
    reply->seq = entry.seq;
    return KEY_REPEATED;
}

void idempotency_add(struct engine *engine, const struct inbox_event *event,
                     const struct engine_reply *reply)
{
    struct open_batch *batch = engine->open;
    struct pending_key *pending = arena_new(&batch->row_arena, struct pending_key);
    struct entry entry = {.outcome = reply->outcome, .seq = reply->seq, .at = engine->now};
    uint8_t content[32];
    struct text bytes;
    struct text expires;
    hash_two(event->type, event->payload, content);
    memcpy(entry.content, content, sizeof entry.content);
    text_init(&bytes, &batch->row_arena);
    text_init(&expires, &batch->row_arena);
    time_add_instant(&expires, engine->now + retention_ms);
    name_of(event, pending->name);
    write_entry(&bytes, &entry, span_from_text(pending->name));
    pending->answer = text_span(&bytes);
    pending->next = batch->keys;
    batch->keys = pending;
    struct span name = span_from_text(pending->name);
    table_remove(&engine->keys, name); /* an expired one */
    table_add(&engine->keys, name, pending);
    batch_add_row(engine, &(struct store_row){.kind = ROW_IDEMPOTENCY,
                                              .key = name,
                                              .lsn = engine->lsn,
                                              .columns = {text_span(&expires)},
                                              .data = pending->answer});
}

void idempotency_landed(struct engine *engine, struct open_batch *batch)
{
    for (const struct pending_key *key = batch->keys; key != NULL; key = key->next) {
        struct span name = span_from_text(key->name);
        if (table_find(&engine->keys, name) == key)
            table_remove(&engine->keys, name);
    }
    batch->keys = NULL;
}

static bool purge_row(void *context, const struct store_row *row)
{
    struct engine *engine = context;
    struct entry entry;
    if (read_entry(row->data, &entry, row->key) && engine->now - entry.at > retention_ms)
        batch_add_row(engine, &(struct store_row){.kind = ROW_IDEMPOTENCY, .key = row->key});
    return batch_has_room(engine);
}

enum status idempotency_purge(struct engine *engine)
{
    /* Names are hashes: beginning anywhere, every entry has its turn some time. */
    char from[17];
    uint64_t place = random_next(&engine->random);
    hash_to_hex((const uint8_t *)&place, sizeof place, from);
    return store_page(engine->options.store, ROW_IDEMPOTENCY, span_from_text(from),
                      IDEMPOTENCY_PURGE_MAX, purge_row, engine);
}

void idempotency_init(struct engine *engine)
{
    table_init_keyed(&engine->keys, engine->registry.instances.key);
}

void idempotency_fini(struct engine *engine)
{
    table_fini(&engine->keys);
}
