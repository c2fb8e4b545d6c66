/*
 * query_postgres.c - the rows of a PostgreSQL server, one at a time.
 *
 * Single-row mode: the driver hands over each row as it arrives, so a table may be larger than
 * the memory. What a cell holds is told by its column's type; all else is text.
 */
#include <libpq-fe.h>
#include <stdlib.h>

#include "base/memory.h"
#include "os/query_backend.h"

/* Numbers of types, as in the server's pg_type.dat, where they are fixed for ever. */
enum {
    TYPE_BOOL = 16,
    TYPE_INT8 = 20,
    TYPE_INT2 = 21,
    TYPE_INT4 = 23,
    TYPE_JSON = 114,
    TYPE_FLOAT4 = 700,
    TYPE_FLOAT8 = 701,
    TYPE_TIMESTAMPTZ = 1184,
    TYPE_NUMERIC = 1700,
    TYPE_JSONB = 3802
};

struct query_postgres {
    struct query base;
    PGconn *connection;
    PGresult *row; /* the first one is there from the beginning, for its columns */
    bool is_new;   /* nobody has had it yet */
    struct text moments;
};

static struct query_postgres *of(const struct query *query)
{
    return (struct query_postgres *)(uintptr_t)query;
}

/* The server's words end with a newline, and may have several lines: the first says it. */
static void add_words(struct text *problem, const char *words)
{
    struct span text = span_trim(span_from_text(words));
    size_t end = span_find(text, SPAN("\n"), 0);
    text_add(problem, span_slice(text, 0, end == SIZE_MAX ? text.size : end));
}

static uint32_t column_count(const struct query *query)
{
    return (uint32_t)PQnfields(of(query)->row);
}

static struct span column_name(const struct query *query, uint32_t column)
{
    return span_from_text(PQfname(of(query)->row, (int)column));
}

/* 2026-01-31 09:00:00.5+00 as 2026-01-31T09:00:00.5Z: the session is in UTC. */
static struct span read_moment(struct query_postgres *query, struct span text)
{
    size_t start = query->moments.size;
    if (text.size < 20 || text.text[10] != ' ' || !span_ends_with(text, SPAN("+00")))
        return text;
    text_add(&query->moments, span_slice(text, 0, 10));
    text_add_byte(&query->moments, 'T');
    text_add(&query->moments, span_slice(text, 11, text.size - 3));
    text_add_byte(&query->moments, 'Z');
    return span_slice(text_span(&query->moments), start, query->moments.size);
}

static struct query_cell read_number(struct span text, bool is_whole)
{
    if (is_whole)
        return (struct query_cell){.kind = QUERY_INT, .integer = strtoll(text.text, NULL, 10)};
    return (struct query_cell){.kind = QUERY_DOUBLE, .real = strtod(text.text, NULL)};
}

static struct query_cell read_cell(struct query_postgres *query, int column)
{
    struct span text =
        span_of(PQgetvalue(query->row, 0, column), (size_t)PQgetlength(query->row, 0, column));
    if (PQgetisnull(query->row, 0, column))
        return (struct query_cell){.kind = QUERY_NULL};
    switch (PQftype(query->row, column)) {
    case TYPE_BOOL:
        return (struct query_cell){.kind = QUERY_BOOL, .boolean = span_is(text, "t")};
    case TYPE_INT8:
    case TYPE_INT2:
    case TYPE_INT4:
        return read_number(text, true);
    case TYPE_FLOAT4:
    case TYPE_FLOAT8:
        return read_number(text, false);
    case TYPE_NUMERIC:
        return read_number(text, text.size < 19 && span_find(text, SPAN("."), 0) == SIZE_MAX &&
                                     span_find(text, SPAN("N"), 0) == SIZE_MAX);
    case TYPE_JSON:
    case TYPE_JSONB:
        return (struct query_cell){.kind = QUERY_JSON, .text = text};
    case TYPE_TIMESTAMPTZ:
        return (struct query_cell){.kind = QUERY_TEXT, .text = read_moment(query, text)};
    default:
        return (struct query_cell){.kind = QUERY_TEXT, .text = text};
    }
}

/* The next result of the statement: a row, or its end. */
static enum status fetch(struct query_postgres *query, struct text *problem)
{
    PQclear(query->row);
    query->row = PQgetResult(query->connection);
    query->is_new = true;
    ExecStatusType status = PQresultStatus(query->row);
    if (status == PGRES_SINGLE_TUPLE || status == PGRES_TUPLES_OK)
        return STATUS_OK;
    if (status == PGRES_COMMAND_OK) {
        text_add(problem, SPAN("not a statement that gives rows"));
        return STATUS_INVALID;
    }
    add_words(problem, PQerrorMessage(query->connection));
    return PQstatus(query->connection) == CONNECTION_OK ? STATUS_INVALID : STATUS_IO;
}

static enum status next(struct query *base, struct query_cell *cells, struct text *problem)
{
    struct query_postgres *query = of(base);
    enum status status = query->is_new ? STATUS_OK : fetch(query, problem);
    if (status != STATUS_OK)
        return status;
    query->is_new = false;
    if (PQresultStatus(query->row) != PGRES_SINGLE_TUPLE) {
        query->is_new = true; /* the end stays the end */
        return STATUS_NOT_FOUND;
    }
    text_clear(&query->moments);
    text_reserve(&query->moments,
                 (size_t)column_count(base) * 64); /* so that it does not move */
    for (uint32_t i = 0; i < column_count(base); i++)
        cells[i] = read_cell(query, (int)i);
    return STATUS_OK;
}

static void close_query(struct query *base)
{
    struct query_postgres *query = of(base);
    PQclear(query->row);
    PQfinish(query->connection);
    text_fini(&query->moments);
    memory_release(query);
}

/* The statements of a session that only reads, and shows moments as they are read here. */
static enum status begin(struct query_postgres *query, struct text *problem)
{
    static const char settings[] = "set timezone = 'UTC'; set datestyle = 'ISO'; "
                                   "begin transaction read only";
    PGresult *result = PQexec(query->connection, settings);
    bool is_good = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    if (!is_good)
        add_words(problem, PQerrorMessage(query->connection));
    return is_good ? STATUS_OK : STATUS_IO;
}

static enum status ask(struct query_postgres *query, const char *sql, struct text *problem)
{
    if (PQstatus(query->connection) != CONNECTION_OK) {
        add_words(problem, PQerrorMessage(query->connection));
        return STATUS_IO;
    }
    enum status status = begin(query, problem);
    if (status != STATUS_OK)
        return status;
    if (PQsendQueryParams(query->connection, sql, 0, NULL, NULL, NULL, NULL, 0) != 1 ||
        PQsetSingleRowMode(query->connection) != 1) {
        add_words(problem, PQerrorMessage(query->connection));
        return STATUS_IO;
    }
    return fetch(query, problem);
}

enum status query_postgres_open(const char *address, const char *sql, struct query **opened,
                                struct text *problem)
{
    static const struct query_ops ops = {column_count, column_name, next, close_query};
    struct query_postgres *query = memory_get(sizeof *query);
    query->base.ops = &ops;
    text_init(&query->moments, NULL);
    query->connection = PQconnectdb(address);
    enum status status = ask(query, sql, problem);
    if (status == STATUS_OK)
        *opened = &query->base;
    else
        close_query(&query->base);
    return status;
}
