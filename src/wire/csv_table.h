/*
 * csv_table.h - CSV with a header: rows as records.
 *
 * A cell becomes a member with the name of its column: a string, or the kind that the column
 * was said to hold. An empty cell, in quotes or not, is a missing member: CSV has no other way
 * to leave one out.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/value.h"

/* The kind of a column's values: VALUE_BOOL, _INT, _DOUBLE or _STRING. */
typedef enum value_kind csv_kind(void *context, struct span column);

struct csv_column {
    struct span name;
    enum value_kind kind;
};

struct csv_table {
    const struct csv_column *columns;
    size_t count;
};

/* What is wrong with a row, and where in it. */
struct csv_problem {
    struct span message; /* empty: nothing; static, or in the arena */
    size_t at;
    bool is_cell;      /* `at` says more than the row's beginning */
    bool is_malformed; /* it is not even text */
};

/* Takes a row as the header; the table lives in the arena. False: the problem says why it is
 * none. `kind_of` may be NULL. */
bool csv_table_open(struct csv_table *table, struct span row, csv_kind *kind_of, void *context,
                    struct arena *arena, struct csv_problem *problem);

/* A row as a map, which points into the row and the arena. */
bool csv_table_read(const struct csv_table *table, struct span row, struct arena *arena,
                    struct value *record, struct csv_problem *problem);
