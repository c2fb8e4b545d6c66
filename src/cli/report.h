/*
 * report.h - what went wrong, on standard error.
 *
 *     order.yaml:12:7: error IL0102: unknown key `invok` in a state
 *         help: did you mean 'invoke'?
 */
#pragma once

#include "base/diagnostic.h"
#include "base/value.h"

/* "interlock: …", one line. */
void report_problem(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* One line about a place in an input: "orders.ndjson:3:17: …". Column 0: without. */
void report_line(const char *file, uint64_t line, uint32_t column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Sorts and prints diagnostics of at least this severity; at most *lines_left lines of them,
 * then how many more there are. */
void report_diagnostics(struct diagnostics *diagnostics, enum severity least, int *lines_left);

/* {"code","severity","message","file","line","column","help"} */
struct value report_describe(const struct diagnostic *diagnostic, struct arena *arena);
