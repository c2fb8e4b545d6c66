/*
 * store.c - the contract of a store, checked around every backend.
 *
 * What a caller must hold to is ensured on the way in, what was read back is verified on
 * the way out, so no backend can forget either. The chain of checksums is one example:
 * it is ensured before a batch is written and verified after a log row is read.
 */
#include "store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/ensure.h"
#include "base/hash.h"
#include "store/store_backend.h"

void store_shorten_path(const char *path, char name[STORE_NAME_BYTES])
{
    static const char cut[] = "\u2026";
    size_t size = strlen(path);
    if (size < STORE_NAME_BYTES)
        snprintf(name, STORE_NAME_BYTES, "%s", path);
    else
        snprintf(name, STORE_NAME_BYTES, "%s%s", cut,
                 path + size - (STORE_NAME_BYTES - sizeof cut));
}

void store_init(struct store *store, const struct store_ops *ops,
                const struct store_schema *schema, const char *name)
{
    ensure(schema->kind_count <= STORE_KINDS_MAX);
    *store = (struct store){.ops = ops, .kind_count = schema->kind_count};
    store_shorten_path(name, store->name);
    atomic_init(&store->commit_spoke_last, false);
}

void store_renew_incarnation(char incarnation[STORE_INCARNATION_BYTES])
{
    uint8_t bits[STORE_INCARNATION_BYTES / 2];
    /* Up to 256 bytes never come short and are never interrupted: getrandom(2). */
    ensure(getrandom(bits, sizeof bits, 0) == (ssize_t)sizeof bits);
    hash_to_hex(bits, sizeof bits, incarnation);
}

enum status store_say(struct store *store, enum status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(store->problem, sizeof store->problem, format, arguments);
    va_end(arguments);
    atomic_store(&store->commit_spoke_last, false);
    return status;
}

enum status store_say_commit(struct store *store, enum status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(store->commit_problem, sizeof store->commit_problem, format, arguments);
    va_end(arguments);
    atomic_store(&store->commit_spoke_last, true);
    return status;
}

const char *store_problem(const struct store *store)
{
    return atomic_load(&store->commit_spoke_last) ? store->commit_problem : store->problem;
}

static enum status check_state(struct store *store, uint32_t shard,
                               const struct store_shard *state)
{
    if (state->watermark <= state->lsn && state->lsn >> STORE_PLACE_LSN_BITS == 0)
        return STATUS_OK;
    return store_say(store, STATUS_CORRUPT, "%s: what is kept about shard %u is damaged",
                     store->name, shard);
}

enum status store_own(struct store *store, uint32_t shard, struct store_shard *state)
{
    ensure(shard < STORE_SHARDS_MAX);
    enum status status = store->ops->own(store, shard, state);
    if (status == STATUS_OK)
        ensure(state->epoch > 0);
    return status == STATUS_OK ? check_state(store, shard, state) : status;
}

static void ensure_batch(const struct batch *batch)
{
    ensure(batch->shard < STORE_SHARDS_MAX);
    ensure(batch->epoch > 0);
    ensure(batch->lsn_after >= batch->lsn_before);
    ensure(batch->lsn_after >> STORE_PLACE_LSN_BITS == 0);
    ensure((batch->lsn_after == batch->lsn_before) == (batch->records.size == 0));
    ensure(batch->watermark <= batch->lsn_after);
    ensure(batch->crc ==
           hash_crc32c(batch->crc_before, batch->records.text, batch->records.size));
}

static void ensure_row(const struct store *store, const struct batch *batch,
                       const struct store_row *row)
{
    ensure(row->kind < store->kind_count);
    ensure(row->key.size > 0);
    ensure(row->lsn <= batch->lsn_after);
}

void store_commit(struct store *store, const struct batch *batch, store_done *done,
                  void *context)
{
    ensure_batch(batch);
    for (size_t i = 0; i < batch->row_count; i++)
        ensure_row(store, batch, &batch->rows[i]);
    store->ops->commit(store, batch, done, context);
}

enum status store_recover(struct store *store, uint32_t shard, struct store_shard *state)
{
    ensure(shard < STORE_SHARDS_MAX);
    enum status status = store->ops->recover(store, shard, state);
    return status == STATUS_OK ? check_state(store, shard, state) : status;
}

enum status store_get(struct store *store, uint32_t kind, struct span key, struct text *data,
                      lsn *row_lsn)
{
    ensure(kind < store->kind_count);
    lsn unused;
    return store->ops->get(store, kind, key, data, row_lsn == NULL ? &unused : row_lsn);
}

enum status store_page(struct store *store, uint32_t kind, struct span after, size_t limit,
                       store_visit_row *visit, void *context)
{
    ensure(kind < store->kind_count);
    return store->ops->page(store, kind, after, limit, visit, context);
}

/* A scan under way: the end of the chain so far, and whom to show the rows to. */
struct chain {
    struct store *store;
    store_visit_log *visit;
    void *context;
    struct store_shard state;
    lsn after;
    lsn last; /* 0 before the first row: no row ends there */
    uint32_t crc;
    bool is_left; /* the visitor had enough */
    enum status status;
};

static enum status say_broken(struct store *store, const struct store_log *log,
                              const char *what)
{
    return store_say(store, STATUS_CORRUPT, "%s: the log is damaged at lsn %" PRIu64 ": %s",
                     store->name, log->lsn_after, what);
}

static enum status check_checksum(struct store *store, const struct store_log *log)
{
    if (log->lsn_before >= log->lsn_after)
        return say_broken(store, log, "its row ends before it begins");
    if (hash_crc32c(log->crc_before, log->records.text, log->records.size) != log->crc)
        return say_broken(store, log,
                          "its records do not have the checksum they were written with");
    return STATUS_OK;
}

/* The first row of a scan may begin before `after`, but not behind it; the others follow each
 * other. */
static enum status check_link(const struct chain *chain, const struct store_log *log)
{
    bool is_first = chain->last == 0;
    if (is_first ? log->lsn_before > chain->after : log->lsn_before != chain->last)
        return say_broken(chain->store, log, "the row before it is missing");
    bool has_origin = !is_first || log->lsn_before == 0;
    if (has_origin && log->crc_before != chain->crc)
        return say_broken(chain->store, log,
                          "it does not continue the checksum of the row before");
    if (log->lsn_after == chain->state.lsn && log->crc != chain->state.crc)
        return say_broken(chain->store, log, "the shard was left with another checksum");
    return check_checksum(chain->store, log);
}

static bool visit_link(void *context, const struct store_log *log)
{
    struct chain *chain = context;
    chain->status = check_link(chain, log);
    if (chain->status != STATUS_OK)
        return false;
    chain->last = log->lsn_after;
    chain->crc = log->crc;
    chain->is_left = !chain->visit(chain->context, log);
    return !chain->is_left;
}

enum status store_scan_log(struct store *store, uint32_t shard, lsn after,
                           store_visit_log *visit, void *context)
{
    ensure(shard < STORE_SHARDS_MAX);
    ensure(after >> STORE_PLACE_LSN_BITS == 0);
    struct chain chain = {.store = store, .visit = visit, .context = context, .after = after};
    /* The state comes first: a commit during the scan can only add rows behind it. */
    enum status status = store_recover(store, shard, &chain.state);
    if (status == STATUS_OK)
        status = store->ops->scan_log(store, shard, after, visit_link, &chain);
    if (status == STATUS_OK)
        status = chain.status;
    bool must_reach_end = status == STATUS_OK && !chain.is_left && after < chain.state.lsn;
    if (must_reach_end && chain.last < chain.state.lsn)
        return store_say(store, STATUS_CORRUPT,
                         "%s: the log is damaged at lsn %" PRIu64
                         ": it ends there, but the shard had reached %" PRIu64,
                         store->name, chain.last, chain.state.lsn);
    return status;
}

enum status store_find_log(struct store *store, uint32_t shard, lsn record,
                           struct store_log *log)
{
    ensure(shard < STORE_SHARDS_MAX);
    ensure(record >> STORE_PLACE_LSN_BITS == 0);
    if (record == 0)
        return STATUS_NOT_FOUND;
    struct store_log found;
    enum status status = store->ops->find_log(store, shard, record, &found);
    if (status != STATUS_OK)
        return status;
    status = check_checksum(store, &found);
    if (status == STATUS_OK && (record <= found.lsn_before || record > found.lsn_after))
        status = say_broken(store, &found, "a row before it is missing");
    if (status == STATUS_OK)
        *log = found;
    return status;
}

void store_close(struct store *store)
{
    if (store != NULL)
        store->ops->close(store);
}
