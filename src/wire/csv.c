/*
 * csv.c - looking for the ends of rows and cells.
 */
#include "wire/csv.h"

#include <string.h>

#include "base/ensure.h"

static enum csv_state break_row(struct csv_scan *scan, size_t at, const char *problem)
{
    scan->problem_at = at;
    scan->problem = problem;
    return CSV_BROKEN;
}

/* Something behind a closing quote. Over several lines, the opening one is more likely wrong.
 */
static enum csv_state break_behind_quote(struct csv_scan *scan)
{
    if (scan->has_line)
        return break_row(scan, scan->quote_at, "the quote that opens here is not closed");
    return break_row(scan, scan->at,
                     "text behind a closing quote (a quote in a cell is written twice)");
}

/* The state behind a byte that is not a newline. */
static enum csv_state pass(struct csv_scan *scan, char c)
{
    switch (scan->state) {
    case CSV_CELL:
        if (c != '"')
            return c == ',' ? CSV_CELL : CSV_PLAIN;
        scan->quote_at = scan->at;
        return CSV_QUOTED;
    case CSV_PLAIN:
        if (c == '"')
            return break_row(scan, scan->at, "a quote in a cell that does not begin with one");
        return c == ',' ? CSV_CELL : CSV_PLAIN;
    case CSV_QUOTED:
        return c == '"' ? CSV_CLOSED : CSV_QUOTED;
    case CSV_CLOSED:
        if (c == '"')
            return CSV_QUOTED;
        if (c == ',')
            return CSV_CELL;
        return c == '\r' ? CSV_RETURN : break_behind_quote(scan);
    case CSV_RETURN:
        return break_behind_quote(scan);
    case CSV_BROKEN:
        return CSV_BROKEN;
    }
    never();
}

static void pass_line(struct csv_scan *scan)
{
    if (!scan->has_line)
        scan->line_end = scan->at;
    scan->has_line = true;
}

/* A broken row ends with its first line. */
static bool end_first_line(struct csv_scan *scan)
{
    scan->at = scan->line_end;
    return true;
}

bool csv_scan(struct csv_scan *scan, struct span text)
{
    for (; scan->at < text.size; scan->at++) {
        char c = text.text[scan->at];
        if (c == '\n' && scan->state != CSV_QUOTED)
            return true;
        if (c == '\n')
            pass_line(scan);
        else
            scan->state = pass(scan, c);
        if (scan->state == CSV_BROKEN && scan->has_line)
            return end_first_line(scan);
    }
    return false;
}

bool csv_scan_end(struct csv_scan *scan, struct span text, bool is_last)
{
    scan->at = text.size;
    if (scan->state == CSV_QUOTED)
        scan->state =
            break_row(scan, scan->quote_at, "the quote that opens here is not closed");
    if (scan->state == CSV_BROKEN && scan->has_line)
        return end_first_line(scan);
    if (is_last)
        return true;
    if (scan->state != CSV_BROKEN)
        scan->state = break_row(scan, 0, "the record is too large");
    scan->has_line = false; /* its further lines are no rows: no quote is open */
    return false;
}

/* The text between the quote at `from` and its closing one; *end is behind that. */
static struct span unquote(struct span row, size_t from, size_t *end, struct arena *arena)
{
    size_t at = from + 1;
    size_t pairs = 0;
    for (; at < row.size; at++) {
        if (row.text[at] != '"')
            continue;
        if (at + 1 == row.size || row.text[at + 1] != '"')
            break;
        pairs++;
        at++;
    }
    *end = at + 1;
    struct span raw = span_slice(row, from + 1, at);
    if (pairs == 0)
        return raw;
    char *to = arena_get(arena, raw.size);
    size_t size = 0;
    for (size_t i = 0; i < raw.size; i++) {
        to[size++] = raw.text[i];
        i += raw.text[i] == '"';
    }
    return span_of(to, size);
}

static size_t find_comma(struct span row, size_t from)
{
    const char *comma = from < row.size ? memchr(row.text + from, ',', row.size - from) : NULL;
    return comma == NULL ? row.size : (size_t)(comma - row.text);
}

static size_t count_commas(struct span row)
{
    size_t count = 0;
    for (size_t at = find_comma(row, 0); at < row.size; at = find_comma(row, at + 1))
        count++;
    return count;
}

const struct csv_cell *csv_split(struct span row, struct arena *arena, size_t *count)
{
    struct csv_cell *cells = arena_new_array(arena, count_commas(row) + 1, struct csv_cell);
    size_t at = 0;
    for (*count = 0;; at++) {
        struct csv_cell *cell = &cells[(*count)++];
        cell->at = at;
        if (at < row.size && row.text[at] == '"') {
            cell->text = unquote(row, at, &at, arena);
        } else {
            size_t end = find_comma(row, at);
            cell->text = span_slice(row, at, end);
            at = end;
        }
        if (at >= row.size)
            return cells;
        ensure(row.text[at] == ',');
    }
}
