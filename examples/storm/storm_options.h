/*
 * storm_options.h - the options of this folder's programs: a table of names and of where their
 * values go.
 *
 *     const struct storm_option options[] = {{"seed", .number = &seed}, {"feed", .flag =
 * &feed}};
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One place is set; it says what the option takes. */
struct storm_option {
    const char *name;
    const char **text;
    int64_t *number;
    double *seconds;
    bool *flag; /* takes nothing */
};

enum { STORM_OPTIONS_MAX = 16 };

/* Where the operands begin, or -1 when the words are not understood. */
int storm_options_read(const struct storm_option *options, size_t option_count, int count,
                       char **words);
