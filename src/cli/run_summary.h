/*
 * run_summary.h - what became of all records, at the end of `run`.
 */
#pragma once

#include "cli/output.h"
#include "cli/run_records.h"

struct run_summary {
    struct registry *registry;
    const struct run_records *records;
    uint64_t unread;  /* records that nobody got to */
    uint64_t bad;     /* records that are none */
    uint64_t resumed; /* finished before this run */
    uint64_t dropped; /* events for children and parents that had ended */
    bool is_stopped;  /* before its end */
};

/* Prints it. False when not everything went as asked for: something is bad, in conflict, waits,
 * stopped with an error, or never ran. */
bool run_summary_print(const struct run_summary *summary, enum output_format format);
