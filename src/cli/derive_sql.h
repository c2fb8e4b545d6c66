/*
 * derive_sql.h - rows of a database as records.
 *
 * A column is a member with its name; NULL is a member that is missing, as an empty cell of CSV
 * is. Where the definition says that a member is true or false, 0 and 1 are.
 */
#pragma once

#include "chart/chart.h"
#include "os/os.h"
#include "wire/wire.h"

struct derive_sql {
    struct query *query;
    struct query_cell *cells;
    enum value_kind *kinds; /* of columns, as the definition says */
    uint64_t number;        /* of the row read last */
    struct text problem;
};

/* Contract of query_open(); what is wrong is in `problem`. Close it either way. */
enum status derive_sql_open(struct derive_sql *sql, const char *source, const char *statement,
                            const struct derivation *derivation) must_check;
void derive_sql_close(struct derive_sql *sql);

/* The next row as a record, in the arena and valid until the next. STATUS_NOT_FOUND: no more.
 */
enum status derive_sql_next(struct derive_sql *sql, struct arena *arena,
                            struct stream_record *record) must_check;
