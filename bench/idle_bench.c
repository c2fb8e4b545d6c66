/*
 * idle_bench.c - what it costs to have instances that only wait: bytes of memory each, bytes
 * of database each, and the time to open the database again with all of them in it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/limits.h"
#include "engine/engine.h"
#include "noop_strategy.h"

enum { IN_FLIGHT_MAX = 20000 };

static const char definition_json[] =
    "{\"id\":\"idle\",\"version\":\"1\",\"context\":{\"order\":\"${input}\"},\"initial\":"
    "\"WAITING\","
    "\"states\":{\"WAITING\":{\"on\":{\"GO\":\"DONE\"}},\"DONE\":{\"type\":\"final\"}}}";

struct run {
    struct loop *loop;
    struct engine *engine;
    uint64_t wanted;
    uint64_t started;
    uint64_t answered;
};

static const struct strategy_type *const strategy_list[] = {&strategy_noop};
static const struct strategy_types types = {strategy_list, 1, NULL};

static void start_more(struct run *run);

static void answered(void *context, const struct engine_reply *reply)
{
    struct run *run = context;
    run->answered += reply->answer == ANSWER_OK;
    start_more(run);
    if (run->answered == run->wanted)
        loop_stop(run->loop);
}

static void start_more(struct run *run)
{
    while (run->started < run->wanted && run->started - run->answered < IN_FLIGHT_MAX) {
        char id[24];
        int size = snprintf(id, sizeof id, "%08llu", (unsigned long long)run->started++);
        struct engine_start start = {
            .machine = SPAN("idle"),
            .id = span_of(id, (size_t)size),
            .input = SPAN(
                "{\"id\":\"0042\",\"total\":1290,\"currency\":\"EUR\",\"card\":\"4242\"}")};
        engine_start(run->engine, &start, answered, run);
    }
}

static void broken(void *context, enum status status, const char *problem)
{
    (void)context;
    fprintf(stderr, "the engine broke: %s: %s\n", status_text(status), problem);
    exit(1);
}

static void stopped(void *context)
{
    loop_stop(((struct run *)context)->loop);
}

/* Resident bytes of this process, as the kernel counts them. */
static double resident_bytes(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%*d %ld", &pages) != 1)
        exit(1);
    fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static void open_engine(struct run *run, struct store *store)
{
    char problem[512];
    struct engine_options options = {
        .loop = run->loop, .store = store, .types = types, .broken = broken, .context = run};
    if (engine_open(&options, &run->engine, problem) != STATUS_OK) {
        fprintf(stderr, "%s\n", problem);
        exit(1);
    }
}

static struct store *open_store(const char *path)
{
    struct store *store;
    char problem[512];
    struct store_sqlite_options options = {.path = path, .access = STORE_CREATE};
    if (store_sqlite_open(&options, &engine_schema, &store, problem) != STATUS_OK) {
        fprintf(stderr, "%s\n", problem);
        exit(1);
    }
    return store;
}

static void deploy(struct run *run)
{
    struct arena arena;
    struct diagnostics diagnostics;
    arena_open(&arena, DEFINITION_ARENA_BYTES);
    diagnostics_init(&diagnostics, &arena);
    const struct node *root =
        json_read_tree(span_from_text(definition_json), SPAN("bench"), &arena, &diagnostics);
    engine_deploy(run->engine, definition_read(root, NULL, "/", types, &arena, &diagnostics),
                  NULL, NULL);
    arena_close(&arena);
}

static void stop(struct run *run)
{
    engine_stop(run->engine, 1000, stopped, run);
    loop_run(run->loop);
    engine_close(run->engine);
    loop_close(run->loop);
}

int main(int count, char **arguments)
{
    struct run run = {.wanted = count > 1 ? (uint64_t)atoll(arguments[1]) : 200000};
    char folder[] = "interlock-bench-XXXXXX";
    char path[300];
    struct stat file;
    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(path, sizeof path, "%s/idle.db", folder);
    struct store *store = open_store(path);
    run.loop = loop_open();
    open_engine(&run, store);
    deploy(&run);
    double before = resident_bytes();
    start_more(&run);
    loop_run(run.loop);
    double memory = resident_bytes() - before;
    stop(&run);
    store_close(store);
    stat(path, &file);

    int64_t begin = clock_measure_ns();
    store = open_store(path);
    run.loop = loop_open();
    open_engine(&run, store);
    double opening = (double)(clock_measure_ns() - begin) / 1e9;
    stop(&run);
    store_close(store);
    unlink(path);
    rmdir(folder);
    double instances = (double)run.wanted;
    printf("%.0f idle instances with a context of 70 bytes\n", instances);
    printf("  memory    %6.0f bytes each\n", memory / instances);
    printf("  database  %6.0f bytes each (row and log)\n", (double)file.st_size / instances);
    printf("  opening   %6.2f s, %.0f instances a second\n", opening, instances / opening);
    return 0;
}
