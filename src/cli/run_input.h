/*
 * run_input.h - the records that `run` is fed with: of a file as fast as they are wanted, of
 * standard input as they arrive; CSV, NDJSON or JSON, in gzip or not.
 */
#pragma once

#include "cli/cli.h"
#include "os/os.h"
#include "wire/wire.h"

/* A record, good or bad, which is valid during the call. */
typedef void run_input_record(void *context, const struct stream_record *record);

struct run_input_options {
    const char *path;              /* "-": standard input */
    const char *label;             /* what messages call it */
    enum stream_format format;     /* STREAM_UNKNOWN: by name or content */
    const struct machine *machine; /* its context says what columns of CSV hold */
    struct arena *arena;           /* of one record: cleared before each */
    run_input_record *record;
    loop_callback *ended;
    void *context;
};

struct run_input {
    struct run_input_options options;
    struct record_stream *stream;
    struct file_stream *file;    /* of a file */
    struct loop_input *arriving; /* of standard input */
    const char *problem;         /* why it ended too early */
    bool is_paused;
    bool is_ended;
};

/* CLI_USAGE or CLI_WORLD after saying why not. */
enum cli_exit run_input_open(struct run_input *input, const struct run_input_options *options);

/* CLI_WORLD after saying that it could not be read to its end. */
enum cli_exit run_input_close(struct run_input *input);

/* From here to run_input_end() records come. */
void run_input_begin(struct run_input *input, struct loop *loop);
void run_input_end(struct run_input *input);

/* Hands over at most records_max now, of standard input those that have arrived, and lets the
 * others come. False when there are no more now. `ended` comes once, when no more will be. */
bool run_input_feed(struct run_input *input, uint32_t records_max);

/* No more until run_input_feed(). */
void run_input_pause(struct run_input *input);

/* Counts the records beforehand, for a progress bar; 0 when that would take them away. */
uint64_t run_input_count(const struct run_input *input);

/* Reads a file to its end without handing anything over: how many records were left. */
uint64_t run_input_skip(struct run_input *input);
