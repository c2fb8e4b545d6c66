/*
 * run_refused.h - records that a machine's door did not let in, kept in a file to be run later.
 *
 * One JSON object a line, added to what the file has, and on disk's way before the next record
 * is looked at. A record without a member for its id gets one: the line it stood in would not
 * be the same in this file.
 *
 * Always: a line that the file had at the opening is not added again, so a run that is repeated
 * with the same file keeps each record once.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "cli/run_records.h"

struct run_refused_line;

struct run_refused {
    const char *path; /* NULL: nobody asked for it */
    FILE *file;       /* NULL after it could not be written any more */
    bool is_broken;
    struct run_refused_line *lines; /* that the file had, by their digests */
    struct table by_digest;
};

/* False after saying why it cannot be written. */
bool run_refused_open(struct run_refused *refused, const char *path);

/* False when the record could not be written, after saying so the first time. */
bool run_refused_add(struct run_refused *refused, const struct run_record *record);

/* False when something that was added may not be there. */
bool run_refused_close(struct run_refused *refused);
