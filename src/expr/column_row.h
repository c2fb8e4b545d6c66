/*
 * column_row.h - one row of columns as a record, for the VM.
 */
#pragma once

#include "expr/column_plan.h"

/* Makes the tree of variables and members that the columns' paths name. */
void column_row_prepare(struct column_set *set, const struct expr_scope *scope);

/* Where the row's value is, after the column's offset and by its stride. */
const void *column_row_at(const struct column *column, size_t row, size_t size);

bool column_row_is_valid(const struct column *column, size_t row);

/* A column's value in a row: `absent` for a null. */
struct value column_row_value(const struct column *column, size_t row);

/* Fills set->slots with the row's record, which lasts until the next; no row (SIZE_MAX): all
 * columns are missing. */
void column_row_read(struct column_set *set, size_t row);
