/*
 * cli.h - the command line: the front door of this chapter.
 *
 * main() builds a world of concrete parts and hands it down; no other file of this chapter
 * names a store or a strategy.
 */
#pragma once

#include "engine/engine.h"
#include "store/store.h"

/* How a command ends; a contract with scripts. */
enum cli_exit {
    CLI_OK,
    CLI_FAILED, /* what was asked for failed, or conflicts were found */
    CLI_USAGE,  /* the command line is wrong */
    CLI_WORLD,  /* store, file or network */
};

/* What the commands work with. */
struct cli_world {
    struct strategy_types types;       /* that steps can be run with */
    struct strategy_types known_types; /* and those that can be read and checked here */

    /* Opens a database with the engine's schema; contract as store_sqlite_open(). */
    enum status (*open_store)(const char *path, enum store_access access, struct store **opened,
                              char problem[STORE_PROBLEM_BYTES]);
};

/* Runs one command line; the exit status of the process. */
int cli_run(const struct cli_world *world, int argument_count, char **arguments);
