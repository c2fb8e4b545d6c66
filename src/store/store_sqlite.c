/*
 * store_sqlite.c - batches and reads on an open SQLite database.
 *
 * A commit is one transaction, and its first statement is the fence: an UPDATE of the
 * shard that finds its row only at the epoch, lsn and checksum that the batch continues.
 * COMMIT returns after the WAL was synced (synchronous=FULL), and only then done hears OK.
 *
 * What a failure means depends on when it comes. Before COMMIT nothing is in the WAL that
 * recovery would take for a commit, so nothing was written. COMMIT itself may fail after
 * the frames reached the disk, so then the outcome is unknown, except when the disk was
 * full: the last frame, which makes the others count, is then incomplete.
 *
 * After an I/O error the store is broken for good. When fsync fails the system may mark
 * the unwritten pages clean, and a second fsync would then lie. A new opening moves the
 * WAL into the database, so it writes those pages elsewhere and its fsync is honest.
 */
#include "store/store_sqlite.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/ensure.h"
#include "base/memory.h"

static struct store_sqlite *sqlite_of(struct store *store)
{
    return (struct store_sqlite *)(void *)store;
}

enum status store_sqlite_status(int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return STATUS_OK;
    case SQLITE_FULL:
        return STATUS_FULL;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return STATUS_BUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_ERROR: /* a table or column is not there */
        return STATUS_CORRUPT;
    default:
        return STATUS_IO;
    }
}

/* Runs a statement that answers nothing. */
static int run(sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);
    ensure(code != SQLITE_ROW);
    sqlite3_reset(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static void bind_number(sqlite3_stmt *statement, int index, uint64_t number)
{
    ensure(number <= INT64_MAX);
    ensure(sqlite3_bind_int64(statement, index, (sqlite3_int64)number) == SQLITE_OK);
}

/* The bytes stay the caller's; he keeps them until the statement was run. Sizes above SQLite's
 * limit are refused by the bind, and the statement then misses its NOT NULL value. */
static int bind_text(sqlite3_stmt *statement, int index, struct span text)
{
    if (text.text == NULL)
        return sqlite3_bind_null(statement, index);
    return sqlite3_bind_text64(statement, index, text.text, text.size, SQLITE_STATIC,
                               SQLITE_UTF8);
}

static int bind_blob(sqlite3_stmt *statement, int index, struct span bytes)
{
    return sqlite3_bind_blob64(statement, index, bytes.text, bytes.size, SQLITE_STATIC);
}

static uint64_t column_number(sqlite3_stmt *statement, int index)
{
    return (uint64_t)sqlite3_column_int64(statement, index);
}

/* SQL NULL is a NULL text; bytes of size 0 are not. */
static struct span column_span(sqlite3_stmt *statement, int index)
{
    if (sqlite3_column_type(statement, index) == SQLITE_NULL)
        return (struct span){0};
    const char *bytes = sqlite3_column_blob(statement, index);
    size_t size = (size_t)sqlite3_column_bytes(statement, index);
    return span_of(size == 0 ? "" : bytes, size);
}

/* Refuses every later commit; the first reason stays. */
static void break_store(struct store_sqlite *store, int code)
{
    if (store->broken_by[0] == '\0')
        snprintf(store->broken_by, sizeof store->broken_by, "%s", sqlite3_errstr(code));
}

static enum status say_write_failed(struct store_sqlite *store, int code)
{
    enum status status = store_sqlite_status(code);
    if (status == STATUS_IO)
        break_store(store, code);
    return store_say_commit(&store->base, status, "%s: cannot write: %s (SQLite %d)",
                            store->base.name, sqlite3_errmsg(store->writer), code);
}

static enum status say_read_failed(struct store_sqlite *store, int code)
{
    return store_say(&store->base, store_sqlite_status(code), "%s: cannot read: %s (SQLite %d)",
                     store->base.name, sqlite3_errmsg(store->reader), code);
}

/* SQLite rolls back by itself after some errors, and not after others. */
static void roll_back(struct store_sqlite *store)
{
    if (sqlite3_get_autocommit(store->writer))
        return;
    int code = run(store->rollback);
    if (code != SQLITE_OK)
        break_store(store, code);
}

/* SQLITE_OK and the number by which SQLite tells this connection of the commits of others. */
static int read_data_version(struct store_sqlite *store, int64_t *version)
{
    int code = sqlite3_step(store->data_version);
    if (code == SQLITE_ROW)
        *version = sqlite3_column_int64(store->data_version, 0);
    sqlite3_reset(store->data_version);
    return code == SQLITE_ROW ? SQLITE_OK : code;
}

/* The lock keeps other engines out, but no SQL shell. What is in memory may no longer be what
 * is in the tables, so the owner stops; a new opening reads what is there. */
static enum status pass_watch(struct store_sqlite *store)
{
    int64_t version = 0;
    int code = read_data_version(store, &version);
    if (code != SQLITE_OK)
        return say_write_failed(store, code);
    if (version == store->version)
        return STATUS_OK;
    snprintf(store->broken_by, sizeof store->broken_by, "another program has written to it");
    return store_say_commit(&store->base, STATUS_STALE,
                            "%s: another program has written to it while it was in use",
                            store->base.name);
}

static int pass_fence(struct store_sqlite *store, const struct batch *batch)
{
    bind_number(store->fence, 1, batch->lsn_after);
    bind_number(store->fence, 2, batch->crc);
    bind_number(store->fence, 3, batch->watermark);
    bind_number(store->fence, 4, batch->shard);
    bind_number(store->fence, 5, batch->epoch);
    bind_number(store->fence, 6, batch->lsn_before);
    bind_number(store->fence, 7, batch->crc_before);
    return run(store->fence);
}

static int add_log(struct store_sqlite *store, const struct batch *batch)
{
    if (batch->lsn_after == batch->lsn_before)
        return SQLITE_OK;
    ensure(sqlite3_bind_int64(store->add_log, 1,
                              store_sqlite_place(batch->shard, batch->lsn_after)) == SQLITE_OK);
    bind_number(store->add_log, 2, batch->lsn_before);
    bind_number(store->add_log, 3, batch->epoch);
    bind_number(store->add_log, 4, batch->crc_before);
    bind_number(store->add_log, 5, batch->crc);
    int code = bind_blob(store->add_log, 6, batch->records);
    return code == SQLITE_OK ? run(store->add_log) : code;
}

static int drop_row(const struct sqlite_kind *kind, const struct store_row *row)
{
    int code = bind_text(kind->drop, 1, row->key);
    return code == SQLITE_OK ? run(kind->drop) : code;
}

static int put_row(const struct sqlite_kind *kind, const struct store_row *row)
{
    int code = bind_text(kind->put, 1, row->key);
    bind_number(kind->put, 2, row->lsn);
    if (code == SQLITE_OK)
        code = bind_blob(kind->put, 3, row->data);
    for (size_t i = 0; i < kind->column_count && code == SQLITE_OK; i++)
        code = bind_text(kind->put, (int)i + 4, row->columns[i]);
    return code == SQLITE_OK ? run(kind->put) : code;
}

static int write_rows(struct store_sqlite *store, const struct batch *batch)
{
    int code = SQLITE_OK;
    for (size_t i = 0; i < batch->row_count && code == SQLITE_OK; i++) {
        const struct store_row *row = &batch->rows[i];
        const struct sqlite_kind *kind = &store->kinds[row->kind];
        code = row->data.text == NULL ? drop_row(kind, row) : put_row(kind, row);
    }
    return code;
}

/* Everything of a batch between BEGIN and COMMIT. */
static enum status write_batch(struct store_sqlite *store, const struct batch *batch)
{
    int code = pass_fence(store, batch);
    if (code == SQLITE_OK && sqlite3_changes(store->writer) == 0)
        return store_say_commit(&store->base, STATUS_STALE,
                                "%s: shard %" PRIu32 " is no longer at epoch %" PRIu64
                                ", lsn %" PRIu64 ": another owner committed first",
                                store->base.name, batch->shard, batch->epoch,
                                batch->lsn_before);
    if (code == SQLITE_OK)
        code = add_log(store, batch);
    if (code == SQLITE_OK)
        code = write_rows(store, batch);
    return code == SQLITE_OK ? STATUS_OK : say_write_failed(store, code);
}

static enum status end_transaction(struct store_sqlite *store)
{
    int code = run(store->commit);
    if (code == SQLITE_OK)
        return STATUS_OK;
    enum status status = say_write_failed(store, code);
    if (status == STATUS_FULL || status == STATUS_BUSY)
        return status;
    break_store(store, code);
    return store_say_commit(&store->base, STATUS_UNKNOWN,
                            "%s: the outcome of a commit is unknown: %s (SQLite %d)",
                            store->base.name, sqlite3_errmsg(store->writer), code);
}

/* Done here and not by SQLite's own wal_autocheckpoint, which hides a failed fsync. A full disk
 * or a reader in the way only puts it off. */
static void checkpoint_when_due(struct store_sqlite *store)
{
    if (store->wal_pages < STORE_SQLITE_WAL_PAGES)
        return;
    int code =
        sqlite3_wal_checkpoint_v2(store->writer, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    enum status status = store_sqlite_status(code);
    if (status != STATUS_OK && status != STATUS_FULL && status != STATUS_BUSY)
        break_store(store, code);
}

static enum status commit_batch(struct store_sqlite *store, const struct batch *batch)
{
    if (store->broken_by[0] != '\0')
        return store_say_commit(&store->base, STATUS_IO,
                                "%s: refused after an earlier failure: %s", store->base.name,
                                store->broken_by);
    int code = run(store->begin);
    if (code != SQLITE_OK)
        return say_write_failed(store, code);
    enum status status = pass_watch(store);
    if (status == STATUS_OK)
        status = write_batch(store, batch);
    if (status == STATUS_OK)
        status = end_transaction(store);
    if (status == STATUS_OK)
        checkpoint_when_due(store);
    else
        roll_back(store);
    return status;
}

static void sqlite_commit(struct store *base, const struct batch *batch, store_done *done,
                          void *context)
{
    struct store_sqlite *store = sqlite_of(base);
    ensure(store->writer != NULL);
    done(context, commit_batch(store, batch));
}

static void read_state(sqlite3_stmt *statement, struct store_shard *state)
{
    state->epoch = column_number(statement, 0);
    state->lsn = column_number(statement, 1);
    state->crc = (uint32_t)column_number(statement, 2);
    state->watermark = column_number(statement, 3);
}

static int raise_epoch(struct store_sqlite *store, uint32_t shard, struct store_shard *state)
{
    static const char sql[] =
        "INSERT INTO shard (shard, epoch, lsn, crc, watermark) VALUES (?1, 1, 0, 0, 0)"
        " ON CONFLICT (shard) DO UPDATE SET epoch = epoch + 1 RETURNING epoch, lsn, crc, "
        "watermark";
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(store->writer, sql, -1, &statement, NULL);
    if (code == SQLITE_OK) {
        bind_number(statement, 1, shard);
        code = sqlite3_step(statement);
    }
    if (code == SQLITE_ROW) {
        read_state(statement, state);
        code = sqlite3_step(statement); /* the end of the statement commits it */
    }
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static enum status sqlite_own(struct store *base, uint32_t shard, struct store_shard *state)
{
    struct store_sqlite *store = sqlite_of(base);
    ensure(store->writer != NULL);
    if (store->broken_by[0] != '\0')
        return store_say(base, STATUS_IO, "%s: refused after an earlier failure: %s",
                         base->name, store->broken_by);
    struct store_shard owned = {0};
    int code = raise_epoch(store, shard, &owned);
    if (code == SQLITE_OK)
        code = read_data_version(store, &store->version);
    if (code != SQLITE_OK) {
        if (store_sqlite_status(code) == STATUS_IO)
            break_store(store, code);
        return store_say(base, store_sqlite_status(code), "%s: cannot write: %s (SQLite %d)",
                         base->name, sqlite3_errmsg(store->writer), code);
    }
    *state = owned;
    return STATUS_OK;
}

static enum status sqlite_recover(struct store *base, uint32_t shard, struct store_shard *state)
{
    struct store_sqlite *store = sqlite_of(base);
    struct store_shard found = {0};
    bind_number(store->state, 1, shard);
    int code = sqlite3_step(store->state);
    if (code == SQLITE_ROW)
        read_state(store->state, &found);
    sqlite3_reset(store->state);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return say_read_failed(store, code);
    *state = found;
    return STATUS_OK;
}

static enum status sqlite_get(struct store *base, uint32_t kind, struct span key,
                              struct text *data, lsn *row_lsn)
{
    struct store_sqlite *store = sqlite_of(base);
    sqlite3_stmt *get = store->kinds[kind].get;
    int code = bind_text(get, 1, key);
    if (code == SQLITE_OK)
        code = sqlite3_step(get);
    if (code == SQLITE_ROW) {
        *row_lsn = column_number(get, 0);
        text_add(data, column_span(get, 1));
    }
    sqlite3_reset(get);
    if (code == SQLITE_ROW)
        return STATUS_OK;
    return code == SQLITE_DONE ? STATUS_NOT_FOUND : say_read_failed(store, code);
}

static struct store_row read_row(sqlite3_stmt *page, uint32_t kind, size_t column_count)
{
    struct store_row row = {
        .kind = kind,
        .key = column_span(page, 0),
        .lsn = column_number(page, 1),
        .data = column_span(page, 2),
    };
    for (size_t i = 0; i < column_count; i++)
        row.columns[i] = column_span(page, (int)i + 3);
    return row;
}

static enum status sqlite_page(struct store *base, uint32_t kind, struct span after,
                               size_t limit, store_visit_row *visit, void *context)
{
    struct store_sqlite *store = sqlite_of(base);
    sqlite3_stmt *page = store->kinds[kind].page;
    ensure(!sqlite3_stmt_busy(page)); /* a visit does not page */
    bind_number(page, 2, limit < INT64_MAX ? limit : INT64_MAX);
    int code = bind_text(page, 1, after.size == 0 ? SPAN("") : after);
    bool wants_more = true;
    while (code == SQLITE_OK && wants_more) {
        code = sqlite3_step(page);
        if (code != SQLITE_ROW)
            break;
        struct store_row row = read_row(page, kind, store->kinds[kind].column_count);
        wants_more = visit(context, &row);
        code = SQLITE_OK;
    }
    sqlite3_reset(page);
    return code == SQLITE_OK || code == SQLITE_DONE ? STATUS_OK : say_read_failed(store, code);
}

static struct store_log read_log(sqlite3_stmt *statement)
{
    return (struct store_log){
        .lsn_after = column_number(statement, 0) & (((lsn)1 << STORE_PLACE_LSN_BITS) - 1),
        .lsn_before = column_number(statement, 1),
        .epoch = column_number(statement, 2),
        .crc_before = (uint32_t)column_number(statement, 3),
        .crc = (uint32_t)column_number(statement, 4),
        .records = column_span(statement, 5),
    };
}

/* Binds the places of a shard's rows from the one that holds the record on. */
static void bind_places(sqlite3_stmt *statement, uint32_t shard, lsn record)
{
    bind_number(statement, 1, (uint64_t)store_sqlite_place(shard, record));
    bind_number(statement, 2,
                (uint64_t)store_sqlite_place(shard, ((lsn)1 << STORE_PLACE_LSN_BITS) - 1));
}

static enum status sqlite_scan_log(struct store *base, uint32_t shard, lsn after,
                                   store_visit_log *visit, void *context)
{
    struct store_sqlite *store = sqlite_of(base);
    ensure(!sqlite3_stmt_busy(store->scan_log)); /* a visit does not scan */
    bind_places(store->scan_log, shard, after + 1);
    int code = SQLITE_OK;
    bool wants_more = true;
    while (code == SQLITE_OK && wants_more) {
        code = sqlite3_step(store->scan_log);
        if (code != SQLITE_ROW)
            break;
        struct store_log log = read_log(store->scan_log);
        wants_more = visit(context, &log);
        code = SQLITE_OK;
    }
    sqlite3_reset(store->scan_log);
    return code == SQLITE_OK || code == SQLITE_DONE ? STATUS_OK : say_read_failed(store, code);
}

static enum status sqlite_find_log(struct store *base, uint32_t shard, lsn record,
                                   struct store_log *log)
{
    struct store_sqlite *store = sqlite_of(base);
    bind_places(store->find_log, shard, record);
    int code = sqlite3_step(store->find_log);
    if (code == SQLITE_ROW) {
        *log = read_log(store->find_log);
        /* Copied, since a statement left in the middle would pin the WAL. */
        text_clear(&store->found);
        text_add(&store->found, log->records);
        log->records = text_span(&store->found);
    }
    sqlite3_reset(store->find_log);
    if (code == SQLITE_ROW)
        return STATUS_OK;
    return code == SQLITE_DONE ? STATUS_NOT_FOUND : say_read_failed(store, code);
}

static void sqlite_close(struct store *base)
{
    struct store_sqlite *store = sqlite_of(base);
    store_sqlite_finalize(store);
    store_sqlite_disconnect(store);
    text_fini(&store->found);
    memory_release(store->path);
    memory_release(store);
}

const struct store_ops store_sqlite_ops = {
    .own = sqlite_own,
    .commit = sqlite_commit,
    .recover = sqlite_recover,
    .get = sqlite_get,
    .page = sqlite_page,
    .scan_log = sqlite_scan_log,
    .find_log = sqlite_find_log,
    .close = sqlite_close,
};
