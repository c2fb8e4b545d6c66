/*
 * query.c - which database is asked.
 */
#include "os/query.h"

#include "os/query_backend.h"

enum status query_open(const char *source, const char *sql, struct query **opened,
                       struct text *problem)
{
    struct span address = span_from_text(source);
    bool is_server = span_starts_with(address, SPAN("postgres://")) ||
                     span_starts_with(address, SPAN("postgresql://"));
    return is_server ? query_postgres_open(source, sql, opened, problem)
                     : query_sqlite_open(source, sql, opened, problem);
}

void query_close(struct query *query)
{
    if (query != NULL)
        query->ops->close(query);
}

uint32_t query_column_count(const struct query *query)
{
    return query->ops->column_count(query);
}

struct span query_column_name(const struct query *query, uint32_t column)
{
    return query->ops->column_name(query, column);
}

enum status query_next(struct query *query, struct query_cell *cells, struct text *problem)
{
    return query->ops->next(query, cells, problem);
}
