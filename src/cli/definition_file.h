/*
 * definition_file.h - a definition file, and the steps laid over it, as commands read them.
 *
 * Everything lives in one arena. What is wrong is collected in `diagnostics`; a file that
 * cannot be read is said at once, because there is no place in it to point to.
 */
#pragma once

#include "base/diagnostic.h"
#include "cli/cli.h"

struct definition_file {
    struct arena arena;
    struct diagnostics diagnostics;
    const char *path;
    const struct expr_language *language; /* of scripts; or NULL */
    const struct node *root;              /* NULL: not readable, or not even YAML or JSON */
    const struct node *overlay;           /* of --steps; may be NULL */
};

/* Reads both files (steps_path may be NULL) to trees: CLI_OK, CLI_FAILED with diagnostics, or
 * CLI_WORLD after saying why. Close it either way. */
enum cli_exit definition_file_open(struct definition_file *file, const char *path,
                                   const char *steps_path, const struct cli_world *world);
void definition_file_close(struct definition_file *file);

/* The machine alone, or NULL with diagnostics. */
const struct machine *definition_file_machine(struct definition_file *file);

/* How a data-driven definition derives states, or NULL with diagnostics. */
const struct derivation *definition_file_derivation(struct definition_file *file);

/* The machine and its steps, or NULL with diagnostics. With `check`, what can be proved about
 * the machine is added too. */
const struct definition *definition_file_definition(struct definition_file *file,
                                                    const struct cli_world *world, bool check);

/* What `run` and `start` do with a file: reads it all, prints errors, and NULL with the exit
 * status then. What only `check` objects to is counted on one line. */
const struct definition *definition_file_load(struct definition_file *file, const char *path,
                                              const char *steps_path,
                                              const struct cli_world *world,
                                              enum cli_exit *exit);

/* A remark on standard error when no transition of the machine takes the event: most likely its
 * name is misspelt. NULL or an empty name is no event. */
void definition_file_remark_event(const struct machine *machine, const char *event);
