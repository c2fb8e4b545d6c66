/*
 * reader.c - opening a database to look into it.
 */
#include "cli/reader.h"

#include "cli/report.h"

const char reader_default_path[] = "interlock.db";

/* A list describes one instance after the other: each may be as large as a turn. */
enum { READER_ARENA_BYTES = 1 << 30 };

enum cli_exit reader_open(struct reader *reader, const struct cli_world *world,
                          const char *path)
{
    char problem[STORE_PROBLEM_BYTES];
    *reader = (struct reader){.path = path == NULL ? reader_default_path : path};
    enum status status = world->open_store(reader->path, STORE_READ, &reader->store, problem);
    if (status != STATUS_OK) {
        report_store(status, problem);
        return CLI_WORLD;
    }
    registry_init(&reader->registry, reader->store, world->known_types);
    arena_open(&reader->arena, READER_ARENA_BYTES);
    status = registry_read(&reader->registry);
    if (status == STATUS_OK)
        return CLI_OK;
    report_store(status, reader->registry.problem);
    reader_close(reader);
    return CLI_WORLD;
}

void reader_close(struct reader *reader)
{
    arena_close(&reader->arena);
    registry_fini(&reader->registry);
    store_close(reader->store);
}

const struct instance *reader_find(const struct reader *reader, const char *id)
{
    const struct instance *instance = registry_find(&reader->registry, span_from_text(id));
    if (instance == NULL)
        report_error(CODE_UNKNOWN, "there is no instance %s in %s", id, reader->path);
    return instance;
}
