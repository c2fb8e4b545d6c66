/*
 * query_backend.h - what a database must be able to do to be asked. Only os includes this.
 */
#pragma once

#include "os/query.h"

struct query_ops {
    uint32_t (*column_count)(const struct query *query);
    struct span (*column_name)(const struct query *query, uint32_t column);
    enum status (*next)(struct query *query, struct query_cell *cells, struct text *problem);
    void (*close)(struct query *query);
};

/* What every backend's own struct begins with. */
struct query {
    const struct query_ops *ops;
};

enum status query_sqlite_open(const char *path, const char *sql, struct query **opened,
                              struct text *problem) must_check;
enum status query_postgres_open(const char *address, const char *sql, struct query **opened,
                                struct text *problem) must_check;
