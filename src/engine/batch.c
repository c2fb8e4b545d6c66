/*
 * batch.c - the open batch, the one in flight, and what waits for them.
 *
 * Two batches take turns: one is filled while the other is being committed. Rows of
 * instances are written a slice at a time, the longest behind first, so that the
 * watermark moves on and no commit grows with the number of instances. At rest all rows
 * are brought up to date.
 */
#include <string.h>

#include "base/ensure.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/memory.h"
#include "engine/shard.h"

enum {
    SOFT_DELAY_MS = 100,     /* how long soft records may wait for company */
    ROWS_WHEN_BUSY = 64,     /* rows written with a batch of records */
    ROWS_WHEN_BEHIND = 1024, /* … when the log has grown far beyond the rows */
    ROWS_AT_REST = 4096,     /* … when there is nothing else to do */
    ROWS_BYTES = 32 << 20,   /* no more than that at once, and one */
    BEHIND_BYTES = 64 << 20,
    ROW_ARENA_BYTES = 512 << 20,
};

void batches_init(struct engine *engine)
{
    for (size_t i = 0; i < 2; i++) {
        text_init(&engine->batches[i].records, NULL);
        arena_open(&engine->batches[i].row_arena, ROW_ARENA_BYTES);
    }
    engine->open = &engine->batches[0];
}

void batches_fini(struct engine *engine)
{
    for (size_t i = 0; i < 2; i++) {
        struct open_batch *batch = &engine->batches[i];
        for (size_t r = 0; r < batch->release_count; r++) {
            if (batch->releases[r].kind == RELEASE_STOPPED)
                memory_release(batch->releases[r].live);
            if (batch->releases[r].reply.message.size > 0)
                memory_release((void *)(uintptr_t)batch->releases[r].reply.message.text);
        }
        text_fini(&engine->batches[i].records);
        arena_close(&engine->batches[i].row_arena);
        memory_release(engine->batches[i].rows);
        memory_release(engine->batches[i].releases);
    }
}

bool batch_has_room(const struct engine *engine)
{
    return engine->open->record_count < BATCH_TURNS_MAX &&
           engine->open->records.size < BATCH_BYTES_MAX;
}

static bool is_empty(const struct open_batch *batch)
{
    return batch->record_count == 0 && batch->release_count == 0 && batch->row_count == 0;
}

static void touch(struct engine *engine)
{
    if (is_empty(engine->open))
        engine->open->opened_at = engine->now;
}

void batch_add_record(struct engine *engine, struct instance *instance,
                      const struct record *record, const struct request *request)
{
    struct record whole = *record;
    struct open_batch *batch = engine->open;
    touch(engine);
    whole.instance = instance_id(instance);
    whole.previous_lsn = instance->previous_lsn;
    whole.previous_offset = instance->previous_offset;
    whole.now = engine->now;
    ensure(batch->records.size < UINT32_MAX);
    instance->previous_offset = (uint32_t)batch->records.size;
    record_write(&batch->records, &whole, request);
    batch->record_count++;
    instance->lsn = ++engine->lsn;
    instance->previous_lsn = engine->lsn;
    registry_mark_dirty(&engine->registry, instance, engine->lsn);
    batch->hard = batch->hard || record->kind == RECORD_EVENT;
}

struct release *batch_add_release(struct engine *engine, enum release_kind kind)
{
    struct open_batch *batch = engine->open;
    touch(engine);
    memory_reserve(batch->releases, batch->release_count, batch->release_capacity);
    struct release *release = &batch->releases[batch->release_count++];
    *release = (struct release){.kind = kind};
    batch->hard = true;
    return release;
}

void batch_add_row(struct engine *engine, const struct store_row *row)
{
    struct open_batch *batch = engine->open;
    touch(engine);
    memory_reserve(batch->rows, batch->row_count, batch->row_capacity);
    struct store_row *added = &batch->rows[batch->row_count++];
    *added = *row;
    added->key = arena_copy(&batch->row_arena, row->key);
    for (size_t i = 0; i < STORE_COLUMNS_MAX; i++) {
        if (row->columns[i].text != NULL)
            added->columns[i] = arena_copy(&batch->row_arena, row->columns[i]);
    }
    if (row->data.text != NULL)
        added->data = arena_copy(&batch->row_arena, row->data);
}

static struct span instant_text(struct arena *arena, instant_ms instant)
{
    struct text text;
    text_init(&text, arena);
    time_add_instant(&text, instant);
    return text_span(&text);
}

static struct span tags_text(const struct instance *instance, struct arena *arena)
{
    const struct machine *machine = instance->deployed->definition->machine;
    struct text text;
    text_init(&text, arena);
    for (uint32_t s = 0; s != NO_INDEX; s = instance_state_after(instance, s)) {
        for (uint32_t i = 0; i < machine->states[s].tags.count; i++)
            text_format(&text, "%s%.*s", text.size == 0 ? "" : " ",
                        SPAN_ARGS(machine->tags[machine->states[s].tags.first + i]));
    }
    return text_span(&text);
}

/* Returns the row's size. */
static size_t add_instance_row(struct engine *engine, const struct instance *instance)
{
    struct open_batch *batch = engine->open;
    struct arena *arena = &batch->row_arena;
    const struct machine *machine = instance->deployed->definition->machine;
    struct text data;
    text_init(&data, arena);
    instance_write(&data, instance);
    memory_reserve(batch->rows, batch->row_count, batch->row_capacity);
    batch->rows[batch->row_count++] = (struct store_row){
        .kind = ROW_INSTANCE,
        .key = instance_id(instance),
        .lsn = instance->lsn,
        .columns = {machine->id, machine->version, arena_copy(arena, instance_path(instance)),
                    span_from_text(instance_status_name(instance->status)),
                    tags_text(instance, arena),
                    arena_copy(arena, span_of(instance->context, instance->context_size)),
                    instant_text(arena, instance->created),
                    instant_text(arena, instance->updated)},
        .data = text_span(&data),
    };
    return data.size;
}

static size_t rows_wanted(const struct engine *engine)
{
    if (engine->open->record_count == 0)
        return ROWS_AT_REST;
    return engine->log_bytes_behind > BEHIND_BYTES ? ROWS_WHEN_BEHIND : ROWS_WHEN_BUSY;
}

static void add_slice(struct engine *engine)
{
    size_t wanted = rows_wanted(engine);
    size_t bytes = 0;
    while (wanted > 0 && bytes < ROWS_BYTES && engine->registry.dirty != NULL) {
        bytes += add_instance_row(engine, registry_take_dirty(&engine->registry));
        wanted--;
    }
    if (engine->registry.dirty == NULL)
        engine->log_bytes_behind = 0;
}

static void landed(void *context, enum status status)
{
    struct engine *engine = context;
    engine->landed_status = status;
    atomic_store(&engine->landed, true);
    loop_wake_send(engine->wake);
}

static void commit(void *context)
{
    struct engine *engine = context;
    store_commit(engine->options.store, &engine->flying->batch, landed, engine);
}

/* Soft records alone wait a moment for company: they ride the next commit. */
static bool is_worth_closing(const struct engine *engine)
{
    const struct open_batch *batch = engine->open;
    if (batch->hard || batch->row_count > 0 || engine->mode != ENGINE_RUNNING)
        return true;
    if (batch->record_count > 0)
        return engine->now - batch->opened_at >= SOFT_DELAY_MS;
    return engine->registry.dirty != NULL && engine->inbox == NULL;
}

void batch_close(struct engine *engine)
{
    struct open_batch *batch = engine->open;
    bool has_rows_behind = engine->registry.dirty != NULL;
    if (engine->flying != NULL || (is_empty(batch) && !has_rows_behind) ||
        !is_worth_closing(engine))
        return;
    engine->log_bytes_behind += batch->records.size;
    gate_add_rows(engine);
    entrance_add_rows(engine);
    add_slice(engine);
    struct span records = text_span(&batch->records);
    lsn before = engine->lsn - batch->record_count;
    uint32_t crc = batch->record_count == 0
                       ? engine->crc
                       : hash_crc32c(engine->crc, records.text, records.size);
    batch->batch = (struct batch){
        .shard = 0,
        .epoch = engine->registry.shard.epoch,
        .lsn_before = before,
        .lsn_after = engine->lsn,
        .crc_before = engine->crc,
        .crc = crc,
        .watermark = engine->registry.dirty == NULL ? engine->lsn
                                                    : engine->registry.dirty->dirty_since - 1,
        .records = records,
        .rows = batch->rows,
        .row_count = batch->row_count,
    };
    engine->crc = crc;
    engine->flying = batch;
    engine->open = batch == &engine->batches[0] ? &engine->batches[1] : &engine->batches[0];
    worker_submit(engine->worker, commit, engine);
}

static void release(struct engine *engine, struct release *release)
{
    switch (release->kind) {
    case RELEASE_REPLY:
        if (release->done != NULL)
            release->done(release->context, &release->reply);
        if (release->reply.message.size > 0)
            memory_release((void *)(uintptr_t)release->reply.message.text);
        return;
    case RELEASE_REQUEST:
        dispatch_release(release->live);
        return;
    case RELEASE_STOPPED:
        dispatch_stop(release->live);
        return;
    case RELEASE_REST:
        if (engine->options.rested != NULL)
            engine->options.rested(engine->options.context, release->instance, release->rest);
        return;
    }
    never();
}

static void reset(struct open_batch *batch)
{
    text_clear(&batch->records);
    arena_clear(&batch->row_arena);
    batch->record_count = 0;
    batch->release_count = 0;
    batch->row_count = 0;
    batch->hard = false;
}

void batch_land(struct engine *engine)
{
    if (!atomic_exchange(&engine->landed, false))
        return;
    struct open_batch *batch = engine->flying;
    ensure(batch != NULL);
    if (engine->landed_status != STATUS_OK) {
        engine->flying = NULL;
        shard_break(engine, engine->landed_status, store_problem(engine->options.store));
        return;
    }
    engine->commits++;
    for (size_t i = 0; i < batch->release_count; i++)
        release(engine, &batch->releases[i]);
    idempotency_landed(engine, batch);
    reset(batch);
    engine->flying = NULL;
}

void batches_tell_unknown(struct engine *engine)
{
    for (size_t i = 0; i < 2; i++) {
        struct open_batch *batch = &engine->batches[i];
        for (size_t r = 0; r < batch->release_count; r++)
            shard_tell_unknown(&batch->releases[r].done, batch->releases[r].context);
    }
}

bool batch_is_settled(const struct engine *engine)
{
    return engine->flying == NULL && is_empty(engine->open) && engine->registry.dirty == NULL;
}
