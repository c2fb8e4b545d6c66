/*
 * store_sqlite.h - the SQLite store as its three files share it; not for other chapters.
 *
 *     writer   read-write, used by store_own() and store_commit(); NULL when only reading
 *     reader   read-only, used by all reads, so that they never meet a commit under way
 *
 * SQLite's WAL keeps the two apart: a read sees the last commit that ended before it began.
 */
#pragma once

#include <sqlite3.h>

#include "store/store_backend.h"

/* "ILOK", in the header of every database of ours. */
#define STORE_SQLITE_APPLICATION_ID 0x494c4f4b

/*
 * A checkpoint moves the WAL into the database. Rarely done, it costs a long pause (30 ms at
 * p99); often, it costs throughput, since a page rewritten ten times is moved ten times. 16 MiB
 * are a few milliseconds, and what a kill leaves to be moved at the next opening.
 */
enum { STORE_SQLITE_WAL_PAGES = 4096, STORE_SQLITE_BUSY_MS = 5000 };

struct sqlite_kind {
    sqlite3_stmt *put;  /* writer */
    sqlite3_stmt *drop; /* writer */
    sqlite3_stmt *get;  /* reader */
    sqlite3_stmt *page; /* reader */
    size_t column_count;
};

struct store_sqlite {
    struct store base;
    char *path; /* as SQLite gets it: never taken for a URI or ":memory:" */
    int lock;   /* descriptor that holds the flock; -1 when only reading */
    sqlite3 *writer;
    sqlite3 *reader;
    bool is_ours; /* opened for writing to the end, so closing may tidy up */
    sqlite3_stmt *data_version;
    int64_t version; /* what data_version said last; changes when another connection commits */
    sqlite3_stmt *begin;
    sqlite3_stmt *commit;
    sqlite3_stmt *rollback;
    sqlite3_stmt *fence;
    sqlite3_stmt *add_log;
    sqlite3_stmt *state;
    sqlite3_stmt *scan_log;
    sqlite3_stmt *find_log;
    struct sqlite_kind kinds[STORE_KINDS_MAX];
    struct text found;   /* the records of the last find_log */
    int wal_pages;       /* as the last commit left it */
    char broken_by[256]; /* why every later commit is refused; empty while all is well */
};

/* Places of a shard's log rows: shard in the high bits, lsn_after in the low ones. So one rowid
 * orders all, and a commit appends at the end of its shard. */
static inline sqlite3_int64 store_sqlite_place(uint32_t shard, lsn record)
{
    return (sqlite3_int64)((uint64_t)shard << STORE_PLACE_LSN_BITS | record);
}

/* store_sqlite.c: what an (extended) result code means to a caller. */
enum status store_sqlite_status(int code);
extern const struct store_ops store_sqlite_ops;

/* store_sqlite_schema.c: tables and statements. All give SQLite's result code. */
int store_sqlite_create_tables(sqlite3 *writer, const struct store_schema *schema);
int store_sqlite_prepare(struct store_sqlite *store, const struct store_schema *schema);
void store_sqlite_finalize(struct store_sqlite *store);

/* store_sqlite_open.c: closes connections, then the lock. */
void store_sqlite_disconnect(struct store_sqlite *store);
