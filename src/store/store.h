/*
 * store.h - all-or-nothing batches of records: the front door of this chapter.
 *
 * A store keeps two things for every shard. The log: one row a batch, its bytes opaque,
 * chained by checksum; it is the truth. The tables: rows of a few kinds, written lazily,
 * that save recovery from reading the whole log. A store knows nothing of statecharts.
 *
 * One owner writes. Each ownership raises the shard's epoch; a commit of an older epoch,
 * or one that does not continue at the shard's lsn, is refused as STALE and writes
 * nothing: that is the fence.
 *
 * An lsn counts records from 1. Batch (lsn_before, lsn_after] holds lsn_after - lsn_before
 * records. A batch without records adds no row to the log; it only writes table rows.
 *
 * Threads: store_commit() may run on a thread of its own while another thread reads.
 * Everything else, closing included, is called from one thread, and never during the
 * other's store_own(). Each side keeps its own words for what went wrong.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "base/status.h"
#include "base/text.h"

typedef uint64_t lsn;

enum { STORE_COLUMNS_MAX = 8, STORE_KINDS_MAX = 8, STORE_SHARDS_MAX = 1 << 15 };
enum { STORE_NAME_BYTES = 256, STORE_PROBLEM_BYTES = 512, STORE_INCARNATION_BYTES = 33 };

/* A kind of row: a key, columns that people may query with SQL, and bytes for the engine. Its
 * texts outlive the store. */
struct store_kind {
    const char *name; /* the table's name: "instance"; not meta, shard or log */
    const char *columns[STORE_COLUMNS_MAX]; /* texts; NULL ends the list */
};

/* The kinds of rows, given at opening; a kind's index is its number in rows. */
struct store_schema {
    const struct store_kind *kinds;
    size_t kind_count;
    uint32_t version; /* a database of another version is refused with STATUS_VERSION */
};

struct store_row {
    uint32_t kind;
    struct span key;                        /* not empty; UTF-8 */
    lsn lsn;                                /* of the newest record the row reflects */
    struct span columns[STORE_COLUMNS_MAX]; /* text == NULL is SQL NULL */
    struct span data;                       /* data.text == NULL deletes the row */
};

struct batch {
    uint32_t shard;
    uint64_t epoch;
    lsn lsn_before;
    lsn lsn_after;
    uint32_t crc_before; /* the chain: crc of the batch before */
    uint32_t crc;        /* hash_crc32c(crc_before, records) */
    lsn watermark; /* every row of records up to here is in the tables after this commit */
    struct span records;
    const struct store_row *rows; /* table rows that become durable together with the records */
    size_t row_count;
};

struct store_shard {
    uint64_t epoch;
    lsn lsn;
    uint32_t crc;
    lsn watermark;
};

/* One row of the log as it is read back. */
struct store_log {
    lsn lsn_before;
    lsn lsn_after;
    uint64_t epoch;
    uint32_t crc_before;
    uint32_t crc;
    struct span records; /* valid during the visit, or until the next store_find_log() */
};

/* Called when a commit ended, once, on any thread. Only OK releases anything.
 * STALE, FULL, BUSY, CORRUPT, IO: nothing was written. UNKNOWN: it may have been. After IO and
 * UNKNOWN this store refuses every later commit: a failed fsync must never be tried again,
 * because the system may have dropped what it could not write. Close, open again, recover. */
typedef void store_done(void *context, enum status status);

/* Returning false ends the visit early. */
typedef bool store_visit_log(void *context, const struct store_log *log);
typedef bool store_visit_row(void *context, const struct store_row *row);

struct store;

/* What a backend implements; the functions below check the contract around it. No optional
 * ones. */
struct store_ops {
    enum status (*own)(struct store *store, uint32_t shard, struct store_shard *state);
    void (*commit)(struct store *store, const struct batch *batch, store_done *done,
                   void *context);
    enum status (*recover)(struct store *store, uint32_t shard, struct store_shard *state);
    enum status (*get)(struct store *store, uint32_t kind, struct span key, struct text *data,
                       lsn *row_lsn);
    enum status (*page)(struct store *store, uint32_t kind, struct span after, size_t limit,
                        store_visit_row *visit, void *context);
    enum status (*scan_log)(struct store *store, uint32_t shard, lsn after,
                            store_visit_log *visit, void *context);
    enum status (*find_log)(struct store *store, uint32_t shard, lsn record,
                            struct store_log *log);
    void (*close)(struct store *store);
};

/* Backends embed this as their first member. */
struct store {
    const struct store_ops *ops;
    size_t kind_count;
    char name[STORE_NAME_BYTES]; /* for sentences: the path, shortened when long */
    char incarnation[STORE_INCARNATION_BYTES]; /* 128 random bits in hex, made with the
                                                  database: part of every key */
    char problem[STORE_PROBLEM_BYTES];         /* of the reading thread; see store_problem() */
    char commit_problem[STORE_PROBLEM_BYTES];  /* of the committing thread */
    atomic_bool commit_spoke_last;
};

/* Takes the shard: raises its epoch durably and gives its state with the new epoch. Not during
 * a commit; not on a store opened with STORE_READ. */
enum status store_own(struct store *store, uint32_t shard,
                      struct store_shard *state) must_check;

/* All of the batch becomes durable, or none. One in flight a store. The batch and everything it
 * points to stay unchanged until done was called. Blocks, and calls done before it returns:
 * call it on a thread of its own. */
void store_commit(struct store *store, const struct batch *batch, store_done *done,
                  void *context);

/* The shard's state without taking it; a shard never owned is all zero. */
enum status store_recover(struct store *store, uint32_t shard,
                          struct store_shard *state) must_check;

/* Appends a row's data to the text and gives the row's lsn (row_lsn may be NULL);
 * STATUS_NOT_FOUND. */
enum status store_get(struct store *store, uint32_t kind, struct span key, struct text *data,
                      lsn *row_lsn) must_check;

/* Visits at most limit rows of a kind in bytewise key order, from the first key greater than
 * `after` (empty: from the first). A visit may call store_get() and store_find_log(), nothing
 * else. */
enum status store_page(struct store *store, uint32_t kind, struct span after, size_t limit,
                       store_visit_row *visit, void *context) must_check;

/* Visits the log rows that hold records greater than `after`, in order, verifying the checksum
 * chain up to the shard's own lsn: STATUS_CORRUPT where it breaks, naming the lsn; nothing
 * damaged is visited. The same rule for a visit as above. */
enum status store_scan_log(struct store *store, uint32_t shard, lsn after,
                           store_visit_log *visit, void *context) must_check;

/* The log row that holds one record, its checksum verified; STATUS_NOT_FOUND. */
enum status store_find_log(struct store *store, uint32_t shard, lsn record,
                           struct store_log *log) must_check;

void store_close(struct store *store); /* NULL is fine */

/* A sentence behind the last answer that was neither OK nor NOT_FOUND, with the path; empty
 * when there was none. After a failed commit it is about that until the next call. Read it on
 * the reading thread, after done. */
const char *store_problem(const struct store *store);

/* A store in memory: a real backend for pure runs and tests. Never NULL. */
struct store *store_memory_open(const struct store_schema *schema);

/* Reading never creates or changes the file, and works while another process owns it; SQLite
 * may leave its index (-shm) and an empty -wal beside it. */
enum store_access {
    STORE_READ,
    STORE_WRITE,  /* owns a file that exists */
    STORE_CREATE, /* the same, and makes a missing one */
    STORE_ADOPT,  /* owns a file although it is a copy, and renews its incarnation */
};

struct store_sqlite_options {
    const char *path;
    enum store_access access;
    uint32_t page_count_max; /* SQLite's max_page_count, for tests of a full disk; 0: none */
};

/* Opens a SQLite database (WAL, synchronous=FULL). Writers hold a lock on the file for as long
 * as they live: STATUS_BUSY names the owner's pid. STATUS_NOT_FOUND (no such file, or no such
 * folder to create it in), STATUS_VERSION, STATUS_CORRUPT (not a database, or not one of ours),
 * STATUS_CONFLICT (the file is a copy: its identity changed; readers do not mind), STATUS_IO,
 * STATUS_FULL. On anything but OK *opened is NULL and `problem` holds a sentence.
 * While a store is open nothing else in the process may open its file and close it again: that
 * would drop SQLite's locks on it (POSIX). */
enum status store_sqlite_open(const struct store_sqlite_options *options,
                              const struct store_schema *schema, struct store **opened,
                              char problem[STORE_PROBLEM_BYTES]) must_check;
