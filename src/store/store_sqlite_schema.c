/*
 * store_sqlite_schema.c - the tables of a SQLite store and its prepared statements.
 *
 *     meta    incarnation, identity of the file, pid of the last owner
 *     shard   where each shard stands: the fence of every commit
 *     log     one row a batch, the truth
 *     KIND    one table a kind: key, lsn, its columns, data
 *
 * A kind's table keeps its rows in the order in which they came, and its keys in an index. So
 * a row of some kilobytes stays on one page, and writing it again, which is what happens most,
 * changes that page alone and not the index (a quarter less work than WITHOUT ROWID).
 *
 * People read these tables with the sqlite3 shell; nobody else may write them.
 */
#include <stdio.h>

#include "base/ensure.h"
#include "store/store_sqlite.h"

#define COMMON_TABLES                                                                         \
    "CREATE TABLE meta (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT, WITHOUT " \
    "ROWID;"                                                                                  \
    "CREATE TABLE shard (shard INTEGER PRIMARY KEY NOT NULL, epoch INTEGER NOT NULL,"         \
    " lsn INTEGER NOT NULL, crc INTEGER NOT NULL, watermark INTEGER NOT NULL) STRICT;"        \
    "CREATE TABLE log (place INTEGER PRIMARY KEY NOT NULL, lsn_before INTEGER NOT NULL,"      \
    " epoch INTEGER NOT NULL, crc_before INTEGER NOT NULL, crc INTEGER NOT NULL,"             \
    " records BLOB NOT NULL) STRICT;"

static size_t count_columns(const struct store_kind *kind)
{
    size_t count = 0;
    while (count < STORE_COLUMNS_MAX && kind->columns[count] != NULL)
        count++;
    return count;
}

static void add_table(struct text *sql, const struct store_kind *kind)
{
    text_format(sql, "CREATE TABLE \"%s\" (key TEXT PRIMARY KEY NOT NULL, lsn INTEGER NOT NULL",
                kind->name);
    for (size_t i = 0; i < count_columns(kind); i++)
        text_format(sql, ", \"%s\" TEXT", kind->columns[i]);
    text_add(sql, SPAN(", data BLOB NOT NULL) STRICT;"));
}

int store_sqlite_create_tables(sqlite3 *writer, const struct store_schema *schema)
{
    struct text sql;
    text_init(&sql, NULL);
    text_add(&sql, SPAN(COMMON_TABLES));
    for (size_t i = 0; i < schema->kind_count; i++)
        add_table(&sql, &schema->kinds[i]);
    text_format(&sql, "PRAGMA application_id = %d; PRAGMA user_version = %u;",
                STORE_SQLITE_APPLICATION_ID, schema->version);
    int code = sqlite3_exec(writer, sql.bytes, NULL, NULL, NULL);
    text_fini(&sql);
    return code;
}

/* A statement and where it is kept; the row of a table. */
struct preparation {
    sqlite3_stmt **kept;
    const char *sql;
};

static int prepare(sqlite3 *connection, const char *sql, sqlite3_stmt **kept)
{
    return sqlite3_prepare_v3(connection, sql, -1, SQLITE_PREPARE_PERSISTENT, kept, NULL);
}

static int prepare_all(sqlite3 *connection, const struct preparation *preparations,
                       size_t count)
{
    int code = SQLITE_OK;
    for (size_t i = 0; i < count && code == SQLITE_OK; i++)
        code = prepare(connection, preparations[i].sql, preparations[i].kept);
    return code;
}

static int prepare_writer(struct store_sqlite *store)
{
    const struct preparation preparations[] = {
        {&store->data_version, "PRAGMA data_version"},
        {&store->begin, "BEGIN IMMEDIATE"},
        {&store->commit, "COMMIT"},
        {&store->rollback, "ROLLBACK"},
        {&store->fence, "UPDATE shard SET lsn = ?1, crc = ?2, watermark = ?3"
                        " WHERE shard = ?4 AND epoch = ?5 AND lsn = ?6 AND crc = ?7"},
        {&store->add_log, "INSERT INTO log (place, lsn_before, epoch, crc_before, crc, records)"
                          " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"},
    };
    return prepare_all(store->writer, preparations,
                       sizeof preparations / sizeof preparations[0]);
}

#define SELECT_LOG "SELECT place, lsn_before, epoch, crc_before, crc, records FROM log"

static int prepare_reader(struct store_sqlite *store)
{
    const struct preparation preparations[] = {
        {&store->state, "SELECT epoch, lsn, crc, watermark FROM shard WHERE shard = ?1"},
        {&store->scan_log, SELECT_LOG " WHERE place >= ?1 AND place < ?2 ORDER BY place"},
        {&store->find_log,
         SELECT_LOG " WHERE place >= ?1 AND place < ?2 ORDER BY place LIMIT 1"},
    };
    return prepare_all(store->reader, preparations,
                       sizeof preparations / sizeof preparations[0]);
}

/* Parameters: 1 key, 2 lsn, 3 data, then the columns. */
static int prepare_put(struct store_sqlite *store, const struct store_kind *kind,
                       sqlite3_stmt **kept)
{
    size_t count = count_columns(kind);
    struct text sql;
    text_init(&sql, NULL);
    text_format(&sql, "INSERT INTO \"%s\" (key, lsn, data", kind->name);
    for (size_t i = 0; i < count; i++)
        text_format(&sql, ", \"%s\"", kind->columns[i]);
    text_add(&sql, SPAN(") VALUES (?1, ?2, ?3"));
    for (size_t i = 0; i < count; i++)
        text_format(&sql, ", ?%zu", i + 4);
    text_add(&sql, SPAN(") ON CONFLICT (key) DO UPDATE SET lsn = ?2, data = ?3"));
    for (size_t i = 0; i < count; i++)
        text_format(&sql, ", \"%s\" = ?%zu", kind->columns[i], i + 4);
    int code = prepare(store->writer, sql.bytes, kept);
    text_fini(&sql);
    return code;
}

/* Columns of the answer: 0 key, 1 lsn, 2 data, then the kind's. */
static int prepare_page(struct store_sqlite *store, const struct store_kind *kind,
                        sqlite3_stmt **kept)
{
    struct text sql;
    text_init(&sql, NULL);
    text_add(&sql, SPAN("SELECT key, lsn, data"));
    for (size_t i = 0; i < count_columns(kind); i++)
        text_format(&sql, ", \"%s\"", kind->columns[i]);
    text_format(&sql, " FROM \"%s\" WHERE key > ?1 ORDER BY key LIMIT ?2", kind->name);
    int code = prepare(store->reader, sql.bytes, kept);
    text_fini(&sql);
    return code;
}

static int prepare_formatted(sqlite3 *connection, const char *before, const char *name,
                             const char *behind, sqlite3_stmt **kept)
{
    struct text sql;
    text_init(&sql, NULL);
    text_format(&sql, "%s \"%s\" %s", before, name, behind);
    int code = prepare(connection, sql.bytes, kept);
    text_fini(&sql);
    return code;
}

static int prepare_kind(struct store_sqlite *store, const struct store_kind *kind,
                        struct sqlite_kind *kept)
{
    kept->column_count = count_columns(kind);
    int code = prepare_page(store, kind, &kept->page);
    if (code == SQLITE_OK)
        code = prepare_formatted(store->reader, "SELECT lsn, data FROM", kind->name,
                                 "WHERE key = ?1", &kept->get);
    if (code != SQLITE_OK || store->writer == NULL)
        return code;
    code = prepare_put(store, kind, &kept->put);
    if (code == SQLITE_OK)
        code = prepare_formatted(store->writer, "DELETE FROM", kind->name, "WHERE key = ?1",
                                 &kept->drop);
    return code;
}

int store_sqlite_prepare(struct store_sqlite *store, const struct store_schema *schema)
{
    int code = prepare_reader(store);
    if (code == SQLITE_OK && store->writer != NULL)
        code = prepare_writer(store);
    for (size_t i = 0; i < schema->kind_count && code == SQLITE_OK; i++)
        code = prepare_kind(store, &schema->kinds[i], &store->kinds[i]);
    return code;
}

void store_sqlite_finalize(struct store_sqlite *store)
{
    sqlite3_stmt *statements[] = {
        store->begin, store->commit,   store->rollback, store->fence,        store->add_log,
        store->state, store->scan_log, store->find_log, store->data_version,
    };
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++)
        sqlite3_finalize(statements[i]); /* NULL is fine */
    for (size_t i = 0; i < STORE_KINDS_MAX; i++) {
        sqlite3_finalize(store->kinds[i].put);
        sqlite3_finalize(store->kinds[i].drop);
        sqlite3_finalize(store->kinds[i].get);
        sqlite3_finalize(store->kinds[i].page);
    }
}
