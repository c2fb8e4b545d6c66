/*
 * options.h - options and operands, read by tables.
 *
 * `--name`, `--name value`, `--name=value`, `-x`, `-x value`, `-xvalue`; options and operands
 * in any order; `--` ends the options; `-` alone is an operand. An option is given once, but
 * for those that say that they may be repeated.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OPTIONS_MAX = 16 };

struct option {
    const char *name;
    char letter;       /* 0: none */
    const char *value; /* what its value is called in the help; NULL: a flag */
    const char *help;
    bool is_later;      /* known, and refused by name until it is there */
    const char *words;  /* that the value may be, with blanks between; NULL: any */
    bool is_repeatable; /* one option of a command may be */
};

/* Values are found by the option's index in its table. */
struct arguments {
    const char *values[OPTIONS_MAX]; /* NULL: not given; "" for a flag */
    const char **operands;
    uint32_t operand_count;
    const char **repeated; /* all values of the option that may be repeated */
    uint32_t repeated_count;
};

/* Reads what follows the command's name. False: problem holds a sentence. Release with
 * arguments_fini() either way. */
bool options_read(const struct option *options, size_t count, int argument_count,
                  char **arguments, struct arguments *read, char problem[256]);

void arguments_fini(struct arguments *arguments);

/* A whole number from 0 to max; false when it is none. */
bool options_number(const char *text, uint64_t max, uint64_t *number);
