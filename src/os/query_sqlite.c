/*
 * query_sqlite.c - the rows of a SQLite file.
 */
#include <sqlite3.h>

#include "base/memory.h"
#include "os/file.h"
#include "os/query_backend.h"

enum { BUSY_MS = 5000 };

struct query_sqlite {
    struct query base;
    sqlite3 *database;
    sqlite3_stmt *statement;
};

static struct query_sqlite *of(const struct query *query)
{
    return (struct query_sqlite *)(uintptr_t)query;
}

static enum status fail(const struct query_sqlite *query, int code, struct text *problem)
{
    text_add(problem, span_from_text(sqlite3_errmsg(query->database)));
    if (code == SQLITE_ERROR)
        return STATUS_INVALID;
    return code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? STATUS_CORRUPT : STATUS_IO;
}

static uint32_t column_count(const struct query *query)
{
    return (uint32_t)sqlite3_column_count(of(query)->statement);
}

static struct span column_name(const struct query *query, uint32_t column)
{
    return span_from_text(sqlite3_column_name(of(query)->statement, (int)column));
}

static struct query_cell read_cell(sqlite3_stmt *statement, int column)
{
    switch (sqlite3_column_type(statement, column)) {
    case SQLITE_NULL:
        return (struct query_cell){.kind = QUERY_NULL};
    case SQLITE_INTEGER:
        return (struct query_cell){.kind = QUERY_INT,
                                   .integer = sqlite3_column_int64(statement, column)};
    case SQLITE_FLOAT:
        return (struct query_cell){.kind = QUERY_DOUBLE,
                                   .real = sqlite3_column_double(statement, column)};
    default:
        break;
    }
    const char *text = (const char *)sqlite3_column_text(statement, column);
    size_t size = (size_t)sqlite3_column_bytes(statement, column);
    return (struct query_cell){.kind = QUERY_TEXT, .text = span_of(text, size)};
}

static enum status next(struct query *query, struct query_cell *cells, struct text *problem)
{
    sqlite3_stmt *statement = of(query)->statement;
    int code = sqlite3_step(statement);
    if (code == SQLITE_DONE)
        return STATUS_NOT_FOUND;
    if (code != SQLITE_ROW)
        return fail(of(query), code, problem);
    for (uint32_t i = 0; i < column_count(query); i++)
        cells[i] = read_cell(statement, (int)i);
    return STATUS_OK;
}

static void close_query(struct query *query)
{
    sqlite3_finalize(of(query)->statement);
    sqlite3_close(of(query)->database);
    memory_release(query);
}

/* One statement, which only reads. */
static enum status prepare(struct query_sqlite *query, const char *sql, struct text *problem)
{
    const char *rest;
    int code = sqlite3_prepare_v2(query->database, sql, -1, &query->statement, &rest);
    if (code != SQLITE_OK)
        return fail(query, code, problem);
    bool is_one = span_trim(span_from_text(rest)).size == 0;
    if (query->statement != NULL && is_one && sqlite3_stmt_readonly(query->statement) &&
        sqlite3_column_count(query->statement) > 0)
        return STATUS_OK;
    text_add(problem, SPAN("not one statement that gives rows"));
    return STATUS_INVALID;
}

enum status query_sqlite_open(const char *path, const char *sql, struct query **opened,
                              struct text *problem)
{
    static const struct query_ops ops = {column_count, column_name, next, close_query};
    if (!file_exists(path)) {
        text_add(problem, SPAN("No such file or directory"));
        return STATUS_NOT_FOUND;
    }
    struct query_sqlite *query = memory_get(sizeof *query);
    query->base.ops = &ops;
    int code = sqlite3_open_v2(path, &query->database, SQLITE_OPEN_READONLY, NULL);
    sqlite3_busy_timeout(query->database, BUSY_MS);
    enum status status =
        code == SQLITE_OK ? prepare(query, sql, problem) : fail(query, code, problem);
    if (status == STATUS_OK)
        *opened = &query->base;
    else
        close_query(&query->base);
    return status;
}
