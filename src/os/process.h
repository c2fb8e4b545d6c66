/*
 * process.h - a program started with text on its standard input, its output collected.
 */
#pragma once

#include "base/status.h"
#include "base/text.h"
#include "os/loop.h"

struct process;

struct process_request {
    const char *const
        *arguments; /* NULL-terminated; [0] is the program (a path, or a name for PATH) */
    const char *const *environment; /* "NAME=value" added to ours; NULL-terminated */
    const char *folder;             /* working folder, or NULL for ours */
    struct span input;              /* copied */
    size_t output_bytes_max;
    size_t stderr_tail_bytes;
};

struct process_result {
    enum status
        started; /* STATUS_OK; NOT_FOUND: no such program; INVALID: it is none; IO: not now */
    const char *problem;   /* when it did not start: the system's words */
    int exit_status;       /* when no signal */
    int signal;            /* 0, or what ended it */
    bool output_truncated; /* more than output_bytes_max came */
    struct span output;
    struct span stderr_tail;
};

/* Called once, when the program has ended and its output is read (or half a second after its
 * end, when a child of it keeps the pipes open), or at once in a later round when it could not
 * be started. */
typedef void process_done(void *context, const struct process_result *result);

/* Starts the program in a process group of its own. Never NULL. */
struct process *process_start(struct loop *loop, const struct process_request *request,
                              process_done *done, void *context);

/* Ends the whole group: SIGTERM, and SIGKILL after grace_ms (at once when 0). done still comes,
 * unless `quietly`: then the handle is gone for the caller and done never comes. */
void process_cancel(struct process *process, duration_ms grace_ms, bool quietly);
