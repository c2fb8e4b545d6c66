/*
 * query.h - the rows that a SELECT gives, one by one: of a SQLite file or of PostgreSQL.
 *
 * Nothing is ever written: the file is opened to be read, and on a server the transaction is
 * read only. Rows come as they are wanted, in memory for one of them (PostgreSQL: as many as
 * the driver holds).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "base/status.h"
#include "base/text.h"

enum query_kind {
    QUERY_NULL,
    QUERY_BOOL,
    QUERY_INT,
    QUERY_DOUBLE,
    QUERY_TEXT,
    QUERY_JSON /* text that is JSON */
};

struct query_cell {
    enum query_kind kind;
    bool boolean;
    int64_t integer;
    double real;
    struct span text; /* valid until the next row; moments as RFC 3339 where they have a zone */
};

struct query;

/* `source` is the path of a SQLite file, or the address of a server, postgres://… `sql` is one
 * statement that gives rows. STATUS_NOT_FOUND, STATUS_INVALID (the statement), STATUS_IO or
 * STATUS_CORRUPT, with the words of whoever refused it in `problem`. */
enum status query_open(const char *source, const char *sql, struct query **opened,
                       struct text *problem) must_check;
void query_close(struct query *query); /* NULL is fine */

uint32_t query_column_count(const struct query *query);
struct span query_column_name(const struct query *query, uint32_t column);

/* The next row. STATUS_NOT_FOUND: there are no more; others as query_open(). */
enum status query_next(struct query *query, struct query_cell *cells,
                       struct text *problem) must_check;
