/*
 * main.c - the one place that names concrete stores, strategies and languages.
 *
 * Everything else gets them through interfaces, so another backend or another way of
 * calling a step is one more line here.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "script/script.h"

/* For tests of a full disk: the number of pages a database may have. */
static const char PAGE_COUNT_MAX[] = "INTERLOCK_TEST_PAGE_COUNT_MAX";

static enum status open_store(const char *path, enum store_access access, struct store **opened,
                              char problem[STORE_PROBLEM_BYTES])
{
    struct store_sqlite_options options = {.path = path, .access = access};
    const char *page_count_max = getenv(PAGE_COUNT_MAX);
    if (page_count_max != NULL)
        options.page_count_max = (uint32_t)strtoul(page_count_max, NULL, 10);
    return store_sqlite_open(&options, &engine_schema, opened, problem);
}

/* Who was started without one of 0, 1 and 2 would write what is meant for it into the next file
 * that is opened: a database. /dev/null stands in, open the other way round, so that using it
 * fails as it should. */
static void fill_standard_descriptors(void)
{
    static const int modes[] = {O_WRONLY, O_RDONLY, O_RDONLY};
    for (int descriptor = 0; descriptor < 3; descriptor++) {
        if (fcntl(descriptor, F_GETFD) < 0 &&
            open("/dev/null", modes[descriptor]) != descriptor)
            abort();
    }
}

int main(int argument_count, char **arguments)
{
    static const struct strategy_type *const types[] = {&strategy_http, &strategy_exec,
                                                        &strategy_call_refused};
    static const struct strategy_type *const known[] = {&strategy_http, &strategy_exec,
                                                        &strategy_call_known};
    struct script *script = script_open();
    const struct expr_language *language = script_language(script);
    struct cli_world world = {
        .types = {types, sizeof types / sizeof types[0], language},
        .known_types = {known, sizeof known / sizeof known[0], language},
        .open_store = open_store,
    };
    fill_standard_descriptors();
    /* A reader that has seen enough (`| head`) is no reason to die in the middle of a commit.
     */
    signal(SIGPIPE, SIG_IGN);
    /* A limit on the size of files is a full disk, to be answered as one. */
    signal(SIGXFSZ, SIG_IGN);
    int exit = cli_run(&world, argument_count, arguments);
    script_close(script);
    return exit;
}
