/*
 * run_report.h - `run --report`: every declared record accounted for, in forms that other
 * programs read: TAP 14 on standard output, JUnit XML in a file.
 *
 * A record is known by its number in the input, from 1, whether it is one or not; the cases
 * of a report stand in that order.
 */
#pragma once

#include "base/text.h"
#include "cli/cli.h"
#include "cli/run_case.h"

struct run_remark; /* what was said of a record that was not taken */

struct run_report {
    bool is_wanted; /* any */
    bool has_tap;
    const char *junit_path; /* NULL: not wanted */
    struct run_remark *remarks;
    size_t remark_count;
    size_t remark_capacity;
};

/* What a report is about. */
struct run_report_source {
    const char *label; /* of the input */
    struct span machine;
    struct registry *registry;
    const struct run_records *records;
    instant_ms began;
    instant_ms ended;
    bool is_whole; /* the input was read to its end */
};

/* How many cases came to what. */
struct run_counts {
    uint64_t total;
    uint64_t of[RUN_VERDICT_COUNT];
};

/* One more report: "tap" or "junit=FILE". False: problem holds a sentence. */
bool run_report_want(struct run_report *report, const char *form, char problem[256]);

/* Before the run: makes sure that the file can be written, and takes away an older one, which
 * must not be taken for this run's. CLI_WORLD after saying why not. */
enum cli_exit run_report_open(const struct run_report *report);

/* Keeps what was said of the record of this number, when a report is wanted. */
void run_report_note(struct run_report *report, uint64_t number, uint64_t line,
                     struct span words);

/* Prints and writes what is wanted. CLI_FAILED when a case did not pass or the input was not
 * read to its end, CLI_WORLD after saying what could not be written. */
enum cli_exit run_report_tell(struct run_report *report,
                              const struct run_report_source *source);

/* Says that the run had to give up and nothing of it is known. */
void run_report_bail_out(const struct run_report *report);

void run_report_fini(struct run_report *report);

/* The forms */

void run_report_tap_begin(struct text *text);
void run_report_tap_case(struct text *text, const struct run_case *told, uint64_t number);
void run_report_tap_end(struct text *text, const struct run_counts *counts, bool is_whole);

void run_report_junit_begin(struct text *text, const struct run_report_source *source,
                            const struct run_counts *counts);
void run_report_junit_case(struct text *text, const struct run_case *told, struct span machine);
void run_report_junit_end(struct text *text);

/* The id and the name: what a case is called. */
void run_report_add_title(struct text *text, const struct run_case *told);
