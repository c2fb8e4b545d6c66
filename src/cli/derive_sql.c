/*
 * derive_sql.c - from cells to members.
 */
#include "cli/derive_sql.h"

#include "base/json.h"
#include "base/memory.h"

static enum value_kind kind_of(const struct derivation *derivation, struct span column)
{
    for (uint32_t i = 0; i < derivation->field_count; i++) {
        if (span_equal(derivation->fields[i].name, column))
            return derivation->fields[i].kind;
    }
    return VALUE_NULL;
}

enum status derive_sql_open(struct derive_sql *sql, const char *source, const char *statement,
                            const struct derivation *derivation)
{
    *sql = (struct derive_sql){.query = NULL};
    text_init(&sql->problem, NULL);
    enum status status = query_open(source, statement, &sql->query, &sql->problem);
    if (status != STATUS_OK)
        return status;
    uint32_t count = query_column_count(sql->query);
    sql->cells = memory_get((count + 1) * sizeof *sql->cells);
    sql->kinds = memory_get((count + 1) * sizeof *sql->kinds);
    for (uint32_t i = 0; i < count; i++)
        sql->kinds[i] = kind_of(derivation, query_column_name(sql->query, i));
    return STATUS_OK;
}

void derive_sql_close(struct derive_sql *sql)
{
    query_close(sql->query);
    memory_release(sql->cells);
    memory_release(sql->kinds);
    text_fini(&sql->problem);
}

static struct value value_of(const struct query_cell *cell, enum value_kind kind,
                             struct arena *arena)
{
    struct value value;
    struct json_error error;
    switch (cell->kind) {
    case QUERY_NULL:
        return value_null();
    case QUERY_BOOL:
        return value_bool(cell->boolean);
    case QUERY_INT:
        if (kind == VALUE_BOOL && (cell->integer == 0 || cell->integer == 1))
            return value_bool(cell->integer == 1);
        return value_int(cell->integer);
    case QUERY_DOUBLE:
        return value_double(cell->real);
    case QUERY_TEXT:
        return value_string(cell->text);
    case QUERY_JSON:
        return json_read(cell->text, arena, &value, &error) == STATUS_OK
                   ? value
                   : value_string(cell->text);
    }
    return value_null();
}

static struct value record_of(const struct derive_sql *sql, struct arena *arena)
{
    uint32_t columns = query_column_count(sql->query);
    struct value_entry *entries = arena_new_array(arena, columns, struct value_entry);
    uint32_t count = 0;
    for (uint32_t i = 0; i < columns; i++) {
        if (sql->cells[i].kind == QUERY_NULL)
            continue;
        entries[count++] = (struct value_entry){value_string(query_column_name(sql->query, i)),
                                                value_of(&sql->cells[i], sql->kinds[i], arena)};
    }
    return value_map(entries, count);
}

enum status derive_sql_next(struct derive_sql *sql, struct arena *arena,
                            struct stream_record *record)
{
    struct arena_guard guard;
    enum status status = query_next(sql->query, sql->cells, &sql->problem);
    if (status != STATUS_OK)
        return status;
    sql->number++;
    *record = (struct stream_record){.number = sql->number, .line = sql->number};
    if (arena_is_spent(arena, &guard)) {
        record->problem = SPAN("the record is too large");
        return STATUS_OK;
    }
    record->value = record_of(sql, arena);
    arena_release_guard(arena, &guard);
    return STATUS_OK;
}
