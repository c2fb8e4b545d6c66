/*
 * instance_send.h - one event to one instance, by a command that owns the database for it.
 */
#pragma once

#include "cli/cli.h"
#include "cli/output.h"

struct instance_event {
    const char *command; /* for what is wrong with the command line */
    const char *path;    /* of the database; NULL: the default */
    const char *id;
    struct span type;
    struct span payload; /* JSON */
    const char *key;     /* NULL: none */
    bool waits;          /* for timers too */
};

/* Sends it, runs the instance until it rests, and prints what became of it. */
enum cli_exit instance_send(const struct cli_world *world, const struct instance_event *event,
                            enum output_format format);
