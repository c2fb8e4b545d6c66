/*
 * reader.h - a look into a database, also while another process owns it.
 */
#pragma once

#include "cli/cli.h"
#include "cli/options.h"

/* Where --db is not given. */
extern const char reader_default_path[];

struct reader {
    struct store *store;
    struct registry registry;
    struct arena arena; /* for describing; cleared by whoever fills it */
    const char *path;
};

/* Opens the database (path NULL: the default) and reads its instances. CLI_WORLD after saying
 * why not, and then there is nothing to close. */
enum cli_exit reader_open(struct reader *reader, const struct cli_world *world,
                          const char *path);
void reader_close(struct reader *reader);

/* The instance, or NULL after saying that there is none. */
const struct instance *reader_find(const struct reader *reader, const char *id);
