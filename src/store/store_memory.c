/*
 * store_memory.c - a store in memory: for pure runs, for tests, and as the plainest
 * reading of the contract.
 *
 * A shard's log is an array in lsn order. A kind is a table from key to row, and an array
 * of the same rows that is brought into key order only when somebody pages through it:
 * commits stay cheap, and pages come rarely.
 *
 * One lock keeps a committing thread and a reading thread apart. It is recursive because
 * a visit may read.
 *
 * Always: the rows in a kind's table and those in its array that are not deleted are the
 * same, and at most half of the array is deleted.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"
#include "base/memory.h"
#include "base/table.h"
#include "store/store_backend.h"

struct memory_row {
    struct store_row row; /* owns its spans */
    bool is_deleted;
};

struct memory_kind {
    struct table by_key;
    struct memory_row **rows;
    size_t count;
    size_t capacity;
    size_t deleted_count;
    bool is_sorted;
};

struct memory_shard {
    struct store_shard state;
    struct store_log *log; /* owns its records */
    size_t count;
    size_t capacity;
};

struct store_memory {
    struct store base;
    pthread_mutex_t lock;
    struct memory_shard *shards;
    size_t shard_count;
    struct memory_kind kinds[STORE_KINDS_MAX];
};

static struct store_memory *memory_of(struct store *store)
{
    return (struct store_memory *)(void *)store;
}

static void lock(struct store_memory *store)
{
    ensure(pthread_mutex_lock(&store->lock) == 0);
}

static void unlock(struct store_memory *store)
{
    ensure(pthread_mutex_unlock(&store->lock) == 0);
}

/* NULL for a shard that was never owned. */
static struct memory_shard *find_shard(struct store_memory *store, uint32_t shard)
{
    return shard < store->shard_count ? &store->shards[shard] : NULL;
}

static enum status memory_own(struct store *base, uint32_t shard, struct store_shard *state)
{
    struct store_memory *store = memory_of(base);
    lock(store);
    if (shard >= store->shard_count) {
        store->shards = memory_resize(store->shards, (shard + 1) * sizeof *store->shards);
        memset(store->shards + store->shard_count, 0,
               (shard + 1 - store->shard_count) * sizeof *store->shards);
        store->shard_count = shard + 1;
    }
    store->shards[shard].state.epoch++;
    *state = store->shards[shard].state;
    unlock(store);
    return STATUS_OK;
}

static enum status memory_recover(struct store *base, uint32_t shard, struct store_shard *state)
{
    struct store_memory *store = memory_of(base);
    lock(store);
    const struct memory_shard *found = find_shard(store, shard);
    *state = found == NULL ? (struct store_shard){0} : found->state;
    unlock(store);
    return STATUS_OK;
}

static struct span own_span(struct span span)
{
    if (span.text == NULL)
        return span;
    return span_of(memory_copy_text(span), span.size);
}

static void release_span(struct span *span)
{
    memory_release((void *)(uintptr_t)span->text);
    *span = (struct span){0};
}

static void release_content(struct store_row *row)
{
    for (size_t i = 0; i < STORE_COLUMNS_MAX; i++)
        release_span(&row->columns[i]);
    release_span(&row->data);
}

static void release_row(struct memory_row *row)
{
    release_content(&row->row);
    release_span(&row->row.key);
    memory_release(row);
}

static void drop_deleted(struct memory_kind *kind)
{
    if (kind->deleted_count == 0)
        return;
    size_t kept = 0;
    for (size_t i = 0; i < kind->count; i++) {
        if (kind->rows[i]->is_deleted)
            release_row(kind->rows[i]);
        else
            kind->rows[kept++] = kind->rows[i];
    }
    kind->count = kept;
    kind->deleted_count = 0;
}

static void delete_row(struct memory_kind *kind, struct span key)
{
    struct memory_row *row = table_find(&kind->by_key, key);
    if (row == NULL)
        return;
    table_remove(&kind->by_key, key);
    row->is_deleted = true;
    kind->deleted_count++;
    if (kind->deleted_count > kind->count / 2)
        drop_deleted(kind);
}

static struct memory_row *add_row(struct memory_kind *kind, struct span key)
{
    struct memory_row *row = memory_get(sizeof *row);
    row->row.key = own_span(key);
    memory_reserve(kind->rows, kind->count, kind->capacity);
    kind->rows[kind->count++] = row;
    kind->is_sorted = false;
    table_add(&kind->by_key, row->row.key, row);
    return row;
}

static void put_row(struct memory_kind *kind, const struct store_row *from)
{
    struct memory_row *row = table_find(&kind->by_key, from->key);
    if (row == NULL)
        row = add_row(kind, from->key);
    else
        release_content(&row->row);
    row->row.kind = from->kind;
    row->row.lsn = from->lsn;
    for (size_t i = 0; i < STORE_COLUMNS_MAX; i++)
        row->row.columns[i] = own_span(from->columns[i]);
    row->row.data = own_span(from->data);
}

static void add_log(struct memory_shard *shard, const struct batch *batch)
{
    memory_reserve(shard->log, shard->count, shard->capacity);
    shard->log[shard->count++] = (struct store_log){
        .lsn_before = batch->lsn_before,
        .lsn_after = batch->lsn_after,
        .epoch = batch->epoch,
        .crc_before = batch->crc_before,
        .crc = batch->crc,
        .records = own_span(batch->records),
    };
}

static void apply(struct store_memory *store, struct memory_shard *shard,
                  const struct batch *batch)
{
    if (batch->lsn_after > batch->lsn_before)
        add_log(shard, batch);
    for (size_t i = 0; i < batch->row_count; i++) {
        const struct store_row *row = &batch->rows[i];
        if (row->data.text == NULL)
            delete_row(&store->kinds[row->kind], row->key);
        else
            put_row(&store->kinds[row->kind], row);
    }
    shard->state.lsn = batch->lsn_after;
    shard->state.crc = batch->crc;
    shard->state.watermark = batch->watermark;
}

static void memory_commit(struct store *base, const struct batch *batch, store_done *done,
                          void *context)
{
    struct store_memory *store = memory_of(base);
    enum status status = STATUS_OK;
    lock(store);
    struct memory_shard *shard = find_shard(store, batch->shard);
    if (shard == NULL || shard->state.epoch != batch->epoch ||
        shard->state.lsn != batch->lsn_before || shard->state.crc != batch->crc_before)
        status = store_say_commit(base, STATUS_STALE, "%s: shard %u has moved on", base->name,
                                  batch->shard);
    else
        apply(store, shard, batch);
    unlock(store);
    done(context, status);
}

static enum status memory_get_row(struct store *base, uint32_t kind, struct span key,
                                  struct text *data, lsn *row_lsn)
{
    struct store_memory *store = memory_of(base);
    lock(store);
    const struct memory_row *row = table_find(&store->kinds[kind].by_key, key);
    if (row != NULL) {
        text_add(data, row->row.data);
        *row_lsn = row->row.lsn;
    }
    unlock(store);
    return row == NULL ? STATUS_NOT_FOUND : STATUS_OK;
}

static int compare_rows(const void *a, const void *b)
{
    const struct memory_row *const *left = a;
    const struct memory_row *const *right = b;
    return span_compare((*left)->row.key, (*right)->row.key);
}

static void sort_rows(struct memory_kind *kind)
{
    drop_deleted(kind);
    if (!kind->is_sorted && kind->count > 0)
        qsort(kind->rows, kind->count, sizeof(struct memory_row *), compare_rows);
    kind->is_sorted = true;
}

/* Index of the first row whose key is greater. */
static size_t find_behind(const struct memory_kind *kind, struct span key)
{
    size_t low = 0;
    size_t high = kind->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (span_compare(kind->rows[middle]->row.key, key) > 0)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static enum status memory_page(struct store *base, uint32_t kind, struct span after,
                               size_t limit, store_visit_row *visit, void *context)
{
    struct store_memory *store = memory_of(base);
    lock(store);
    struct memory_kind *rows = &store->kinds[kind];
    sort_rows(rows);
    size_t first = find_behind(rows, after);
    for (size_t i = first; i < rows->count && i - first < limit; i++) {
        if (!visit(context, &rows->rows[i]->row))
            break;
    }
    unlock(store);
    return STATUS_OK;
}

/* Index of the first log row that holds a record greater than `after`. */
static size_t find_log_behind(const struct memory_shard *shard, lsn after)
{
    size_t low = 0;
    size_t high = shard->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (shard->log[middle].lsn_after > after)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static enum status memory_scan_log(struct store *base, uint32_t shard, lsn after,
                                   store_visit_log *visit, void *context)
{
    struct store_memory *store = memory_of(base);
    lock(store);
    const struct memory_shard *found = find_shard(store, shard);
    for (size_t i = found == NULL ? 0 : find_log_behind(found, after);
         found != NULL && i < found->count; i++) {
        if (!visit(context, &found->log[i]))
            break;
    }
    unlock(store);
    return STATUS_OK;
}

static enum status memory_find_log(struct store *base, uint32_t shard, lsn record,
                                   struct store_log *log)
{
    struct store_memory *store = memory_of(base);
    enum status status = STATUS_NOT_FOUND;
    lock(store);
    const struct memory_shard *found = find_shard(store, shard);
    if (found != NULL && record > 0 && record <= found->state.lsn) {
        *log = found->log[find_log_behind(found, record - 1)];
        status = STATUS_OK;
    }
    unlock(store);
    return status;
}

static void memory_close(struct store *base)
{
    struct store_memory *store = memory_of(base);
    for (size_t i = 0; i < base->kind_count; i++) {
        struct memory_kind *kind = &store->kinds[i];
        for (size_t k = 0; k < kind->count; k++)
            release_row(kind->rows[k]);
        memory_release(kind->rows);
        table_fini(&kind->by_key);
    }
    for (size_t i = 0; i < store->shard_count; i++) {
        for (size_t k = 0; k < store->shards[i].count; k++)
            release_span(&store->shards[i].log[k].records);
        memory_release(store->shards[i].log);
    }
    memory_release(store->shards);
    ensure(pthread_mutex_destroy(&store->lock) == 0);
    memory_release(store);
}

static void init_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t recursive;
    ensure(pthread_mutexattr_init(&recursive) == 0);
    ensure(pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE) == 0);
    ensure(pthread_mutex_init(lock, &recursive) == 0);
    pthread_mutexattr_destroy(&recursive);
}

struct store *store_memory_open(const struct store_schema *schema)
{
    static const struct store_ops ops = {
        .own = memory_own,
        .commit = memory_commit,
        .recover = memory_recover,
        .get = memory_get_row,
        .page = memory_page,
        .scan_log = memory_scan_log,
        .find_log = memory_find_log,
        .close = memory_close,
    };
    struct store_memory *store = memory_get(sizeof *store);
    store_init(&store->base, &ops, schema, "the store in memory");
    store_renew_incarnation(store->base.incarnation);
    init_lock(&store->lock);
    for (size_t i = 0; i < schema->kind_count; i++)
        table_init(&store->kinds[i].by_key);
    return &store->base;
}
