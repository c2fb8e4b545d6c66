/*
 * column_row.c - one row of columns as a record.
 *
 * The tree of names is made once; a row fills in its leaves. The maps are rows of entries that
 * every row uses again, so reading a row allocates nothing.
 */
#include "expr/column_row.h"

#include "base/ensure.h"

static struct column_node *add_node(struct column_set *set, struct column_node **list,
                                    struct span name)
{
    while (*list != NULL && !span_equal((*list)->name, name))
        list = &(*list)->next;
    if (*list == NULL) {
        *list = arena_new(set->arena, struct column_node);
        (*list)->name = name;
        (*list)->column = REASON_NONE;
    }
    return *list;
}

/* The variable that the path begins with: the longest such name. */
static uint32_t find_slot(const struct expr_scope *scope, struct span path)
{
    uint32_t found = REASON_NONE;
    for (uint32_t i = 0; i < scope->variable_count; i++) {
        struct span name = scope->variables[i];
        bool fits = span_starts_with(path, name) &&
                    (path.size == name.size || path.text[name.size] == '.');
        if (fits && (found == REASON_NONE || name.size > scope->variables[found].size))
            found = i;
    }
    return found;
}

static void add_column(struct column_set *set, const struct expr_scope *scope, uint32_t column)
{
    struct span path = set->columns[column].path;
    uint32_t slot = find_slot(scope, path);
    if (slot == REASON_NONE)
        return; /* nobody can read it */
    size_t at = scope->variables[slot].size;
    struct column_node *node = add_node(set, &set->nodes, span_slice(path, 0, at));
    node->slot = slot;
    while (at < path.size) {
        size_t end = span_find(path, SPAN("."), at + 1);
        end = end == SIZE_MAX ? path.size : end;
        ensure(node->column == REASON_NONE);
        node = add_node(set, &node->below, span_slice(path, at + 1, end));
        at = end;
    }
    ensure(node->below == NULL && node->column == REASON_NONE);
    node->column = column;
}

static void add_entries(struct column_set *set, struct column_node *node)
{
    uint32_t count = 0;
    for (struct column_node *at = node->below; at != NULL; at = at->next) {
        add_entries(set, at);
        count++;
    }
    node->entries = arena_new_array(set->arena, count, struct value_entry);
}

void column_row_prepare(struct column_set *set, const struct expr_scope *scope)
{
    for (uint32_t i = 0; i < set->column_count; i++)
        add_column(set, scope, i);
    for (struct column_node *at = set->nodes; at != NULL; at = at->next)
        add_entries(set, at);
    set->slots = arena_new_array(set->arena, scope->variable_count, struct value);
    for (size_t i = 0; i < scope->variable_count; i++)
        set->slots[i] = reason_unbound();
}

const void *column_row_at(const struct column *column, size_t row, size_t size)
{
    size_t stride = column->stride == 0 ? size : column->stride;
    return (const char *)column->data + (column->offset + row) * stride;
}

bool column_row_is_valid(const struct column *column, size_t row)
{
    size_t at = column->offset + row;
    return column->valid == NULL || (column->valid[at / 8] >> at % 8 & 1) != 0;
}

static struct value code_value(const struct column *column, size_t row)
{
    uint32_t code = *(const uint32_t *)column_row_at(column, row, sizeof code);
    return code < column->dictionary_count ? column->dictionary[code] : column->absent;
}

static struct value text_value(const struct column *column, size_t row)
{
    const int32_t *offset = column_row_at(column, row, sizeof *offset);
    return value_string(span_of(column->bytes + offset[0], (size_t)(offset[1] - offset[0])));
}

struct value column_row_value(const struct column *column, size_t row)
{
    if (!column_row_is_valid(column, row))
        return column->absent;
    switch (column->kind) {
    case COLUMN_BYTES:
        return value_bool(*(const uint8_t *)column_row_at(column, row, 1) != 0);
    case COLUMN_BITS: {
        size_t at = column->offset + row;
        return value_bool(((const uint8_t *)column->data)[at / 8] >> at % 8 & 1);
    }
    case COLUMN_INTS:
        return value_int(*(const int64_t *)column_row_at(column, row, sizeof(int64_t)));
    case COLUMN_REALS:
        return value_double(*(const double *)column_row_at(column, row, sizeof(double)));
    case COLUMN_CODES:
        return code_value(column, row);
    case COLUMN_TEXTS:
        return text_value(column, row);
    case COLUMN_VALUES:
        return *(const struct value *)column_row_at(column, row, sizeof(struct value));
    case COLUMN_CONSTANT:
        return *(const struct value *)column->data;
    }
    never();
}

/* False when there is nothing at the node. */
static bool read_node(const struct column_set *set, const struct column_node *node, size_t row,
                      struct value *value)
{
    if (node->column != REASON_NONE) {
        *value = row == SIZE_MAX ? reason_unbound()
                                 : column_row_value(&set->columns[node->column], row);
        return value->kind != VALUE_ERROR;
    }
    uint32_t count = 0;
    for (const struct column_node *at = node->below; at != NULL; at = at->next) {
        node->entries[count].key = value_string(at->name);
        count += read_node(set, at, row, &node->entries[count].value);
    }
    *value = value_map(node->entries, count);
    return true;
}

void column_row_read(struct column_set *set, size_t row)
{
    for (const struct column_node *at = set->nodes; at != NULL; at = at->next) {
        if (!read_node(set, at, row, &set->slots[at->slot]))
            set->slots[at->slot] = reason_unbound();
    }
}
