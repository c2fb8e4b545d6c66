/*
 * command.h - what every command tells about itself, and the list of them. Only cli includes
 * this.
 */
#pragma once

#include "cli/cli.h"
#include "cli/options.h"
#include "cli/output.h"

struct command {
    const char *name;
    const char *summary; /* for the list of commands */
    const char *usage;   /* what follows the name */
    const char *text;    /* a few sentences, in lines */
    const char *example; /* lines */
    const struct option *options;
    size_t option_count;
    uint32_t operands_min;
    uint32_t operands_max; /* UINT32_MAX: any number */
    uint32_t formats;      /* OUTPUT_BITs; 0: the command has no -o */
    int output_option;     /* index of -o, when it has one */
    enum cli_exit (*run)(const struct cli_world *world, const struct arguments *arguments,
                         enum output_format format);
};

/* All commands, in the order of the help. */
const struct command *const *command_all(size_t *count);

/* Options that many commands have. */
#define OPTION_OUTPUT                                                                      \
    {                                                                                      \
        .name = "output", .letter = 'o', .value = "FORMAT", .help = "the form of the data" \
    }
#define OPTION_DB                                                                     \
    {                                                                                 \
        .name = "db", .value = "PATH", .help = "the database (default: interlock.db)" \
    }
#define OPTION_STEPS                                                                  \
    {                                                                                 \
        .name = "steps", .value = "FILE", .help = "steps that replace the file's own" \
    }
#define OPTION_SERVER                                                          \
    {                                                                          \
        .name = "server", .value = "URL", .help = "a daemon", .is_later = true \
    }

extern const struct command command_adopt;
extern const struct command command_check;
extern const struct command command_completion;
extern const struct command command_derive;
extern const struct command command_eval;
extern const struct command command_graph;
extern const struct command command_history;
extern const struct command command_list;
extern const struct command command_policies;
extern const struct command command_run;
extern const struct command command_patch;
extern const struct command command_send;
extern const struct command command_show;
extern const struct command command_start;
extern const struct command command_step;
extern const struct command command_test;
extern const struct command command_why;
