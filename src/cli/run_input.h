/*
 * run_input.h - the lines that `run` is fed with: of a file as fast as they are wanted, of
 * standard input as they arrive.
 */
#pragma once

#include "cli/cli.h"
#include "os/os.h"

/* One line that is not blank, with its number. */
typedef void run_line(void *context, struct span line, uint64_t number, bool too_long);

struct run_input {
    const char *path;
    struct file_lines *file;     /* of a file */
    struct loop_lines *arriving; /* of standard input */
    run_line *line;
    loop_callback *ended;
    void *context;
    uint64_t number;
    bool is_paused;
    bool is_ended;
};

/* Opens a path, "-" for standard input. CLI_USAGE or CLI_WORLD after saying why not. */
enum cli_exit run_input_open(struct run_input *input, const char *path, run_line *line,
                             loop_callback *ended, void *context);

/* CLI_WORLD after saying that reading failed before the end. */
enum cli_exit run_input_close(struct run_input *input);

/* From here to run_input_end() lines come. */
void run_input_begin(struct run_input *input, struct loop *loop);
void run_input_end(struct run_input *input);

/* Counts the lines beforehand, for a progress bar; 0 when that would take them away. */
uint64_t run_input_count(const char *path);

/* Hands over at most lines_max lines of a file now; lets standard input flow. `ended` comes
 * once, when there are no more. */
void run_input_feed(struct run_input *input, uint32_t lines_max);

/* Lets standard input wait. */
void run_input_pause(struct run_input *input);

/* Reads a file to its end without handing anything over: how many lines were left. */
uint64_t run_input_skip(struct run_input *input);
