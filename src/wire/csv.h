/*
 * csv.h - rows of CSV as RFC 4180 has it.
 *
 * A row ends at a newline (LF, with or without a CR before it) that is not in quotes. A cell
 * with commas, newlines or quotes in it stands in quotes, a quote in it is written twice.
 * Nothing is guessed: a quote elsewhere makes the row a broken one. A quote that is never
 * closed must not swallow the file: a broken row ends with the line it begins in, and its
 * further lines are looked at again as rows of their own. So each byte is looked at twice at
 * most, whatever it is.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/span.h"

enum csv_state {
    CSV_CELL,   /* a cell begins */
    CSV_PLAIN,  /* in a cell without quotes */
    CSV_QUOTED, /* between quotes */
    CSV_CLOSED, /* behind a quote between quotes: the first of two, or the closing one */
    CSV_RETURN, /* behind a CR behind a closing quote */
    CSV_BROKEN,
};

/* How far the end of a row has been looked for. Zeroed: at the beginning of a row. */
struct csv_scan {
    enum csv_state state;
    bool has_line;   /* a newline in quotes was seen, first at line_end */
    size_t at;       /* bytes looked at */
    size_t quote_at; /* the last opening quote */
    size_t line_end;
    size_t problem_at;
    const char *problem; /* of a broken row; static */
};

/* Looks for the end of the row that the text begins with, from scan->at on; the text may have
 * grown since. True: the row's newline is at scan->at, and the row is well formed when there is
 * no problem. */
bool csv_scan(struct csv_scan *scan, struct span text);

/* Nothing more comes, or more than a row may have: the row ends at scan->at, now or (false,
 * when it is larger than what there is of it) at its next newline. */
bool csv_scan_end(struct csv_scan *scan, struct span text, bool is_last);

struct csv_cell {
    struct span text;
    size_t at; /* in the row, of its first byte: of the quote, where there is one */
};

/* The cells of a well-formed row without its newline. They point into the row; where a quote is
 * written twice, into the arena. */
const struct csv_cell *csv_split(struct span row, struct arena *arena, size_t *count);
