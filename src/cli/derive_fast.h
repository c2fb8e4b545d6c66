/*
 * derive_fast.h - records that are like others before them, by the million.
 *
 * Most lines of NDJSON have a shape that was seen before (base/json_row.h) and values that no
 * validator can tell from those of an earlier record (chart/derivation_table.h). Such a line is
 * decided by one look into a table. All others go the way of derive_job.h, and what comes of
 * them is noted here. So both ways give the same answers.
 */
#pragma once

#include "cli/derive_job.h"

struct derive_fast;

/* NULL where it is of no use: for regions, explanations, filters, or validators without
 * classes. */
struct derive_fast *derive_fast_open(struct derive_job *job);
void derive_fast_close(struct derive_fast *fast); /* NULL is fine */

/* Takes lines while they are known. Then the next line, whole and not yet taken; empty where
 * there is none. */
struct span derive_fast_run(struct derive_fast *fast, struct record_stream *stream);

/* What the job made of a line that derive_fast_run() gave. */
void derive_fast_note(struct derive_fast *fast, struct span line);

/* Counts in the job what was taken. */
void derive_fast_settle(struct derive_fast *fast);
