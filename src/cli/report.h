/*
 * report.h - what went wrong, on standard error.
 *
 *     order.yaml:12:7: error IL0102: unknown key `invok` in a state
 *         help: did you mean 'invoke'?
 */
#pragma once

#include "base/diagnostic.h"
#include "base/status.h"
#include "base/value.h"

/* Codes of this chapter, beside those of diagnostics and of stores (IL20xx, by status). */
#define CODE_FILE "IL0100"       /* a file that cannot be read */
#define CODE_JSON "IL1001"       /* input that is not JSON, or CSV */
#define CODE_RECORD "IL1002"     /* … or not what is wanted there */
#define CODE_DUPLICATE "IL1003"  /* a second record of one id */
#define CODE_CONFLICT "IL1004"   /* it exists with other content */
#define CODE_REFUSED "IL1005"    /* the engine did not take it */
#define CODE_UNKNOWN "IL1006"    /* there is no such instance, machine or state */
#define CODE_ENDLESS "IL1007"    /* timers without end */
#define CODE_EVALUATION "IL1008" /* an expression whose value is an error */
#define CODE_BUSY "IL1009"       /* there is too much to do: not let in for now */

/* "interlock: …", one line: about the command line, and remarks. */
void report_problem(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "interlock: error IL1006: …": what has no place in a file. */
void report_error(const char *code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same with the code of the store's answer. */
void report_store(enum status status, const char *sentence);

/* "orders.ndjson: error IL0100: No such file or directory" */
void report_file(const char *file, const char *problem);

/* The same of file_read(), where the limit was one of those for definitions and values. */
void report_unread(const char *file, enum status status, const char *problem);

/* One line about a place in an input: "orders.ndjson:3:17: error IL1001: …". Column 0: without.
 */
void report_line(const char *file, uint64_t line, uint32_t column, const char *code,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Sorts and prints diagnostics of at least this severity; at most *lines_left lines of them,
 * then how many more there are. */
void report_diagnostics(struct diagnostics *diagnostics, enum severity least, int *lines_left);

/* {"code","severity","message","file","line","column","help"} */
struct value report_describe(const struct diagnostic *diagnostic, struct arena *arena);
