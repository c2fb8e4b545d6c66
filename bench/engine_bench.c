/*
 * engine_bench.c - durable orders a second with steps that do nothing, on SQLite with
 * synchronous=FULL, beside what the same SQLite takes raw in the same run.
 *
 * An order is five turns: start, SUBMIT, and the results of three steps. Raw is the same
 * number of rows of the same size inserted in transactions of 1000.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "engine/engine.h"
#include "noop_strategy.h"
#include "rounds.h"

enum { TURNS_PER_ORDER = 5, ROUNDS = 3, OPEN_MAX = 4000 };

static const char definition_json[] =
    "{\"id\":\"order\",\"version\":\"1\",\"context\":{\"order\":\"${input}\",\"payment\":null},"
    "\"initial\":\"PENDING\",\"states\":{"
    "\"PENDING\":{\"on\":{\"SUBMIT\":{\"target\":\"VALIDATING\",\"guard\":\"event.total > "
    "0\"}}},"
    "\"VALIDATING\":{\"invoke\":{\"src\":\"validate\",\"input\":\"${context.order}\","
    "\"onDone\":\"CHARGING\","
    "\"onError\":\"FAILED\"}},"
    "\"CHARGING\":{\"invoke\":{\"src\":\"charge\",\"input\":{\"amount\":\"${context.order."
    "total}\"},"
    "\"onDone\":{\"target\":\"RESERVING\",\"assign\":{\"payment\":\"${event.output.id}\"}},"
    "\"onError\":\"FAILED\"}},"
    "\"RESERVING\":{\"invoke\":{\"src\":\"reserve\",\"onDone\":\"COMPLETED\",\"onError\":"
    "\"FAILED\"}},"
    "\"COMPLETED\":{\"type\":\"final\"},\"FAILED\":{\"type\":\"final\"}},\"steps\":{"
    "\"validate\":{\"noop\":{},\"limit\":{\"concurrency\":2000}},"
    "\"charge\":{\"noop\":{},\"limit\":{\"concurrency\":2000},\"breaker\":{\"minimum\":20}},"
    "\"reserve\":{\"noop\":{},\"limit\":{\"concurrency\":2000}}}}";

static const char record[] =
    "{\"id\":\"0042\",\"total\":1290,\"currency\":\"EUR\",\"items\":[{\"sku\":\"A-17\","
    "\"quantity\":2,\"price\":645}],\"card\":\"4242\"}";

struct run {
    struct loop *loop;
    struct engine *engine;
    uint64_t wanted;
    uint64_t started;
    uint64_t final_count;
};

static const struct strategy_type *const strategy_list[] = {&strategy_noop};
static const struct strategy_types types = {strategy_list, 1, NULL};

static void start_more(struct run *run)
{
    while (run->started < run->wanted && run->started - run->final_count < OPEN_MAX) {
        char id[24];
        int size = snprintf(id, sizeof id, "%08llu", (unsigned long long)run->started++);
        struct engine_start start = {.machine = SPAN("order"),
                                     .id = span_of(id, (size_t)size),
                                     .input = span_from_text(record),
                                     .event = SPAN("SUBMIT"),
                                     .event_json = span_from_text(record)};
        engine_start(run->engine, &start, NULL, NULL);
    }
}

static void rested(void *context, const struct instance *instance, enum instance_rest rest)
{
    struct run *run = context;
    (void)instance;
    if (rest != REST_FINAL)
        return;
    run->final_count++;
    start_more(run);
    if (run->final_count == run->wanted)
        loop_stop(run->loop);
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

static const struct definition *read_definition(struct arena *arena)
{
    struct diagnostics diagnostics;
    diagnostics_init(&diagnostics, arena);
    const struct node *root =
        json_read_tree(span_from_text(definition_json), SPAN("bench"), arena, &diagnostics);
    const struct definition *definition =
        root == NULL ? NULL : definition_read(root, NULL, "/", types, arena, &diagnostics);
    if (definition == NULL) {
        fprintf(stderr, "%.*s\n", SPAN_ARGS(diagnostics.first->message));
        exit(1);
    }
    return definition;
}

static double measure_engine(struct store *store, uint64_t orders)
{
    char problem[512];
    struct run run = {.loop = loop_open(), .wanted = orders};
    struct arena arena;
    struct engine_options options = {.loop = run.loop,
                                     .store = store,
                                     .types = types,
                                     .rested = rested,
                                     .broken = broken,
                                     .context = &run};
    if (engine_open(&options, &run.engine, problem) != STATUS_OK) {
        fprintf(stderr, "%s\n", problem);
        exit(1);
    }
    arena_open(&arena, DEFINITION_ARENA_BYTES);
    engine_deploy(run.engine, read_definition(&arena), NULL, NULL);
    int64_t begin = clock_measure_ns();
    start_more(&run);
    loop_run(run.loop);
    double seconds = (double)(clock_measure_ns() - begin) / 1e9;
    struct engine_view view = engine_view(run.engine);
    begin = clock_measure_ns();
    engine_stop(run.engine, 1000, stopped, &run);
    loop_run(run.loop);
    double settling = (double)(clock_measure_ns() - begin) / 1e9;
    printf("    %llu orders in %.2f s, %llu commits, rows settled after %.2f s more\n",
           (unsigned long long)orders, seconds, (unsigned long long)view.commits, settling);
    engine_close(run.engine);
    loop_close(run.loop);
    arena_close(&arena);
    return seconds;
}

static void execute(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        fprintf(stderr, "%s\n", sqlite3_errmsg(db));
        exit(1);
    }
}

static double measure_raw(const char *path, uint64_t rows)
{
    sqlite3 *db;
    sqlite3_stmt *insert;
    if (sqlite3_open(path, &db) != SQLITE_OK)
        exit(1);
    execute(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                "CREATE TABLE t(id INTEGER PRIMARY KEY, b BLOB) STRICT");
    sqlite3_prepare_v2(db, "INSERT INTO t(b) VALUES(?)", -1, &insert, NULL);
    int64_t begin = clock_measure_ns();
    for (uint64_t i = 0; i < rows; i++) {
        static const char bytes[300];
        if (i % 1000 == 0)
            execute(db, i == 0 ? "BEGIN" : "COMMIT; BEGIN");
        sqlite3_bind_blob(insert, 1, bytes, sizeof bytes, SQLITE_STATIC);
        sqlite3_step(insert);
        sqlite3_reset(insert);
    }
    execute(db, "COMMIT");
    double seconds = (double)(clock_measure_ns() - begin) / 1e9;
    sqlite3_finalize(insert);
    sqlite3_close(db);
    return seconds;
}

static void remove_database(const char *path)
{
    char name[300];
    static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        snprintf(name, sizeof name, "%s%s", path, endings[i]);
        unlink(name);
    }
}

int main(int count, char **arguments)
{
    uint64_t orders = count > 1 ? (uint64_t)atoll(arguments[1]) : 20000;
    char folder[] = "interlock-bench-XXXXXX";
    char path[300];
    double engine[ROUNDS];
    double raw[ROUNDS];
    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(path, sizeof path, "%s/bench.db", folder);
    printf("durable orders, three no-op steps each, SQLite synchronous=FULL, %d rounds\n",
           ROUNDS);
    for (size_t i = 0; i < ROUNDS; i++) {
        struct store *store;
        char problem[512];
        struct store_sqlite_options options = {.path = path, .access = STORE_CREATE};
        if (store_sqlite_open(&options, &engine_schema, &store, problem) != STATUS_OK) {
            fprintf(stderr, "%s\n", problem);
            return 1;
        }
        engine[i] = measure_engine(store, orders);
        store_close(store);
        remove_database(path);
        raw[i] = measure_raw(path, orders * TURNS_PER_ORDER);
        remove_database(path);
    }
    rmdir(folder);
    double engine_s = rounds_median(engine, ROUNDS);
    double raw_s = rounds_median(raw, ROUNDS);
    double turns = (double)(orders * TURNS_PER_ORDER);
    printf("  engine      %8.0f orders/s  %8.0f transitions/s (median)\n",
           (double)orders / engine_s, turns / engine_s);
    printf("  raw SQLite  %8.0f rows/s of 300 bytes, 1000 a transaction (median)\n",
           turns / raw_s);
    printf("  engine/raw  %8.2f\n", raw_s / engine_s);
    return 0;
}
