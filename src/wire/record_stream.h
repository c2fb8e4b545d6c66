/*
 * record_stream.h - records out of bytes as they come: NDJSON, CSV or JSON, packed or not.
 *
 * Bytes are fed and records taken, in memory for the largest record allowed and one piece. What
 * is wrong with one record is told with its place, and the next one is looked for: a record
 * that is good is never lost because of another that is not, as far as the format allows to
 * tell where one begins (csv.h, json_stream.h).
 *
 *     while ((answer = record_stream_next(stream, arena, &record)) != STREAM_ENDED) {
 *         if (answer == STREAM_WANTS)
 *             … record_stream_feed() or record_stream_end() …
 *         else
 *             … the record, good or bad …
 *     }
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/csv_table.h"

enum stream_format {
    STREAM_UNKNOWN, /* the content tells: `[` JSON, `{` NDJSON, a comma in line 1 CSV, else
                       NDJSON */
    STREAM_NDJSON,
    STREAM_CSV,
    STREAM_JSON, /* a list of records, or one behind the other */
};

struct stream_options {
    enum stream_format format;
    size_t record_bytes_max;
    csv_kind *kind_of; /* NULL: cells are strings */
    void *context;     /* for kind_of */
};

struct stream_record {
    struct value value;  /* a map */
    struct span problem; /* what is wrong with it; empty when it is good */
    bool is_malformed;   /* it is not even JSON or CSV */
    uint64_t line;       /* where it begins, or what is wrong */
    uint32_t column;     /* 0: the line says it all */
    uint64_t number;     /* names it where it has no id: its line; in JSON, the how manieth */
};

enum stream_answer { STREAM_RECORD, STREAM_WANTS, STREAM_ENDED };

struct record_stream;

struct record_stream *record_stream_open(const struct stream_options *options); /* never NULL */
void record_stream_close(struct record_stream *stream); /* NULL is fine */

/* More bytes of the input; copied. */
void record_stream_feed(struct record_stream *stream, struct span bytes);

/* Nothing more comes. When that is not the input's own end, what was begun is no record. */
void record_stream_end(struct record_stream *stream, bool is_whole);

/* The next record; it points to the arena and the stream, and is valid until the next call.
 * With a NULL arena records are only passed by, for counting. */
enum stream_answer record_stream_next(struct record_stream *stream, struct arena *arena,
                                      struct stream_record *record);

/* For those who know a faster way to read most lines: whole lines of NDJSON, with their
 * newlines, that are there and not yet taken, and STREAM_LINES_PADDING readable bytes behind
 * them; nothing while it is not clear that there are any. Those read are passed by, whole lines
 * again. */
enum { STREAM_LINES_PADDING = 64 };
struct span record_stream_lines(const struct record_stream *stream);
uint64_t record_stream_line(const struct record_stream *stream); /* of the first of them */
void record_stream_pass(struct record_stream *stream, size_t size, uint64_t lines);

/* Why it ended before its input was read through: damaged packed data. NULL: it did not. */
const char *record_stream_problem(const struct record_stream *stream);

/* By the name of a file: STREAM_UNKNOWN when it does not tell. `.gz` and `.zst` at its end are
 * looked past.
 */
enum stream_format stream_format_of_path(struct span path);

/* By its own name: "csv", "ndjson", "json". False when it is none. */
bool stream_format_find(struct span name, enum stream_format *format);
