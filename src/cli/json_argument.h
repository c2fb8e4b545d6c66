/*
 * json_argument.h - JSON from the command line: written there, or `@FILE`.
 */
#pragma once

#include "base/value.h"
#include "cli/cli.h"

/* Reads an argument into the arena; `name` is what messages call it. Says what is wrong:
 * CLI_USAGE, or CLI_WORLD for a file that cannot be read. NULL is JSON null. */
enum cli_exit json_argument_read(const char *command, const char *name, const char *argument,
                                 struct arena *arena, struct value *value);
