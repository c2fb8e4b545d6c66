/*
 * csv_table.c - names and kinds of columns, cells as values.
 */
#include "wire/csv_table.h"

#include "base/json.h"
#include "base/table.h"
#include "base/text.h"
#include "wire/csv.h"

static bool fail_row(struct csv_problem *problem, struct span message)
{
    *problem = (struct csv_problem){.message = message};
    return false;
}

static bool fail_at(struct csv_problem *problem, size_t at, struct span message)
{
    *problem = (struct csv_problem){.message = message, .at = at, .is_cell = true};
    return false;
}

static bool check_utf8(struct span row, struct csv_problem *problem)
{
    size_t at = 0;
    if (span_is_utf8(row))
        return true;
    for (size_t size; (size = span_utf8_size(span_slice(row, at, row.size))) > 0;)
        at += size;
    fail_at(problem, at, SPAN("not valid UTF-8"));
    problem->is_malformed = true;
    return false;
}

/* The first cell that is empty or says what an earlier one says; count when there is none. */
static size_t find_bad_name(const struct csv_cell *cells, size_t count,
                            const struct csv_cell **same)
{
    struct table seen;
    size_t i = 0;
    table_init(&seen);
    for (*same = NULL; i < count && cells[i].text.size > 0; i++) {
        *same = table_find(&seen, cells[i].text);
        if (*same != NULL)
            break;
        table_add(&seen, cells[i].text, (void *)(uintptr_t)&cells[i]);
    }
    table_fini(&seen);
    return i;
}

/* Every column needs a name of its own: no cell may be lost. */
static bool check_names(const struct csv_cell *cells, size_t count, struct arena *arena,
                        struct csv_problem *problem)
{
    const struct csv_cell *same;
    size_t bad = find_bad_name(cells, count, &same);
    if (bad == count)
        return true;
    if (same == NULL)
        return fail_at(problem, cells[bad].at, SPAN("the column has no name"));
    return fail_at(problem, cells[bad].at,
                   text_print(arena, "the column `%.*s` is there twice: column %zu has it too",
                              SPAN_ARGS(same->text), (size_t)(same - cells) + 1));
}

bool csv_table_open(struct csv_table *table, struct span row, csv_kind *kind_of, void *context,
                    struct arena *arena, struct csv_problem *problem)
{
    size_t count;
    if (!check_utf8(row, problem))
        return false;
    const struct csv_cell *cells = csv_split(row, arena, &count);
    if (!check_names(cells, count, arena, problem))
        return false;
    struct csv_column *columns = arena_new_array(arena, count, struct csv_column);
    for (size_t i = 0; i < count; i++) {
        struct span name = arena_copy(arena, cells[i].text);
        enum value_kind kind = kind_of == NULL ? VALUE_STRING : kind_of(context, name);
        columns[i] = (struct csv_column){name, kind};
    }
    *table = (struct csv_table){columns, count};
    return true;
}

static bool is_word(struct span text, const char *word)
{
    for (size_t i = 0; i < text.size; i++) {
        bool is_upper = text.text[i] >= 'A' && text.text[i] <= 'Z';
        if ((text.text[i] | (is_upper ? 0x20 : 0)) != word[i] || word[i] == '\0')
            return false;
    }
    return word[text.size] == '\0';
}

static bool read_bool(struct span text, struct value *value)
{
    *value = value_bool(is_word(text, "true"));
    return value->boolean || is_word(text, "false");
}

static bool read_number(struct span text, struct arena *arena, struct value *value)
{
    struct json_error error;
    return json_read(text, arena, value, &error) == STATUS_OK &&
           (value->kind == VALUE_INT || value->kind == VALUE_DOUBLE);
}

static bool read_int(struct span text, struct arena *arena, struct value *value)
{
    return read_number(text, arena, value) && value->kind == VALUE_INT;
}

static bool read_double(struct span text, struct arena *arena, struct value *value)
{
    if (!read_number(text, arena, value))
        return false;
    if (value->kind == VALUE_INT)
        *value = value_double((double)value->integer);
    return true;
}

/* What a cell must be, when it is not; NULL when it is. */
static const char *read_cell(struct span text, enum value_kind kind, struct arena *arena,
                             struct value *value)
{
    if (kind == VALUE_BOOL)
        return read_bool(text, value) ? NULL : "true or false";
    if (kind == VALUE_INT)
        return read_int(text, arena, value) ? NULL : "a whole number";
    if (kind == VALUE_DOUBLE)
        return read_double(text, arena, value) ? NULL : "a number";
    *value = value_string(text);
    return NULL;
}

static bool read_cells(const struct csv_table *table, const struct csv_cell *cells,
                       struct arena *arena, struct value *record, struct csv_problem *problem)
{
    struct value_entry *entries = arena_new_array(arena, table->count, struct value_entry);
    size_t count = 0;
    for (size_t i = 0; i < table->count; i++) {
        const struct csv_column *column = &table->columns[i];
        if (cells[i].text.size == 0)
            continue;
        const char *wanted =
            read_cell(cells[i].text, column->kind, arena, &entries[count].value);
        if (wanted != NULL)
            return fail_at(
                problem, cells[i].at,
                text_print(arena, "`%.*s` must be %s", SPAN_ARGS(column->name), wanted));
        entries[count++].key = value_string(column->name);
    }
    *record = value_map(entries, count);
    return true;
}

bool csv_table_read(const struct csv_table *table, struct span row, struct arena *arena,
                    struct value *record, struct csv_problem *problem)
{
    size_t count;
    if (!check_utf8(row, problem))
        return false;
    const struct csv_cell *cells = csv_split(row, arena, &count);
    if (count == table->count)
        return read_cells(table, cells, arena, record, problem);
    return fail_row(problem, text_print(arena, "%zu %s, but the header has %zu", count,
                                        count == 1 ? "cell" : "cells", table->count));
}
