/*
 * command_adopt.c - `interlock adopt`: makes a copied database its own.
 *
 * A copy would use the idempotency keys of its original, and the services behind would take
 * the steps of one for repetitions of the other's (I6). So a copy is refused until somebody
 * says that it is to live on by itself.
 */
#include "cli/command.h"
#include "cli/reader.h"
#include "cli/report.h"

enum { DB, OPTION_COUNT };

static const struct option options[] = {
    [DB] = OPTION_DB,
};

static enum cli_exit run(const struct cli_world *world, const struct arguments *arguments,
                         enum output_format format)
{
    (void)format;
    struct store *store;
    char problem[STORE_PROBLEM_BYTES];
    const char *path = arguments->values[DB];
    if (path != NULL && arguments->operand_count > 0) {
        report_problem("adopt: one database at a time");
        return CLI_USAGE;
    }
    if (path == NULL)
        path = arguments->operand_count > 0 ? arguments->operands[0] : reader_default_path;
    enum status status = world->open_store(path, STORE_ADOPT, &store, problem);
    if (status != STATUS_OK) {
        report_store(status, problem);
        return CLI_WORLD;
    }
    store_close(store);
    output_format("%s is a database of its own now\n", path);
    return CLI_OK;
}

const struct command command_adopt = {
    .name = "adopt",
    .summary = "make a copied database one of its own",
    .usage = "[--db] PATH",
    .text =
        "A copy of a database is not run by accident: its steps would carry the idempotency\n"
        "keys of the original's. This gives it an identity of its own.",
    .example = "  cp orders.db what-if.db && interlock adopt --db what-if.db",
    .options = options,
    .option_count = OPTION_COUNT,
    .operands_max = 1,
    .run = run,
};
