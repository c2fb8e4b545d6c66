/*
 * store_bench.c - durable commits beside what SQLite itself can insert, in the same run.
 *
 * Every figure is transitions per second with synchronous=FULL, and microseconds of processor
 * for each, which a busy machine does not distort. A transition is one record of 300 bytes,
 * `batch` of them to a transaction:
 *
 *     raw rows    one INSERT a record: the ceiling of a table of events
 *     log         store_commit() of the packed records
 *     log + rows  the same, and a row of an instance for every record (100,000 instances)
 *
 * The disk is that of the working folder, or of the folder in the first argument.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/ensure.h"
#include "base/hash.h"
#include "base/random.h"
#include "store/store.h"

enum { RECORD_BYTES = 300, BATCH_MAX = 1000, INSTANCES = 100000, SECONDS = 2 };

struct rate {
    double per_s;
    double cpu_us;
};

struct stopwatch {
    double wall_s;
    double cpu_s;
};

static double now_s(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct stopwatch start(void)
{
    return (struct stopwatch){now_s(CLOCK_MONOTONIC), now_s(CLOCK_PROCESS_CPUTIME_ID)};
}

static bool is_running(const struct stopwatch *watch)
{
    return now_s(CLOCK_MONOTONIC) - watch->wall_s < SECONDS;
}

static struct rate stop(const struct stopwatch *watch, double count)
{
    return (struct rate){count / (now_s(CLOCK_MONOTONIC) - watch->wall_s),
                         1e6 * (now_s(CLOCK_PROCESS_CPUTIME_ID) - watch->cpu_s) / count};
}

/* Bytes that no disk can compress, the same in every run. */
static const char *make_records(void)
{
    static char records[RECORD_BYTES * BATCH_MAX];
    struct random random = {1};
    for (size_t i = 0; i < sizeof records; i++)
        records[i] = (char)random_next(&random);
    return records;
}

static void remove_database(const char *path)
{
    static const char *const endings[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        char name[512];
        snprintf(name, sizeof name, "%s%s", path, endings[i]);
        unlink(name);
    }
}

static void execute(sqlite3 *connection, const char *sql)
{
    ensure(sqlite3_exec(connection, sql, NULL, NULL, NULL) == SQLITE_OK);
}

static struct rate insert_raw(const char *path, int batch, const char *records)
{
    sqlite3 *connection = NULL;
    sqlite3_stmt *insert = NULL;
    ensure(sqlite3_open(path, &connection) == SQLITE_OK);
    execute(connection, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                        "CREATE TABLE event (id INTEGER PRIMARY KEY, record BLOB)");
    ensure(sqlite3_prepare_v2(connection, "INSERT INTO event (record) VALUES (?1)", -1, &insert,
                              NULL) == SQLITE_OK);
    struct stopwatch watch = start();
    double count = 0;
    while (is_running(&watch)) {
        execute(connection, "BEGIN IMMEDIATE");
        for (int i = 0; i < batch; i++) {
            sqlite3_bind_blob(insert, 1, records + (size_t)i * RECORD_BYTES, RECORD_BYTES,
                              SQLITE_STATIC);
            ensure(sqlite3_step(insert) == SQLITE_DONE);
            sqlite3_reset(insert);
        }
        execute(connection, "COMMIT");
        count += batch;
    }
    struct rate rate = stop(&watch, count);
    sqlite3_finalize(insert);
    sqlite3_close(connection);
    remove_database(path);
    return rate;
}

/* Rows of instances drawn at random; keys are kept in one array for all batches. */
struct drawn {
    struct random random;
    struct store_row rows[BATCH_MAX];
    char keys[BATCH_MAX][16];
};

static void draw_rows(struct drawn *drawn, int count, lsn record, const char *records)
{
    for (int i = 0; i < count; i++) {
        uint64_t instance = random_up_to(&drawn->random, INSTANCES - 1);
        int size =
            snprintf(drawn->keys[i], sizeof drawn->keys[i], "order-%06u", (unsigned)instance);
        drawn->rows[i] = (struct store_row){
            .key = span_of(drawn->keys[i], (size_t)size),
            .lsn = record,
            .columns = {SPAN("CHARGING"), SPAN("order")},
            .data = span_of(records + (size_t)i * RECORD_BYTES, RECORD_BYTES),
        };
    }
}

static void must_be_ok(void *context, enum status status)
{
    (void)context;
    ensure(status == STATUS_OK);
}

static struct store *open_store(const char *path)
{
    static const struct store_kind kind = {"instance", {"state", "machine"}};
    static const struct store_schema schema = {&kind, 1, 1};
    const struct store_sqlite_options options = {.path = path, .access = STORE_CREATE};
    struct store *store = NULL;
    char problem[STORE_PROBLEM_BYTES];
    if (store_sqlite_open(&options, &schema, &store, problem) != STATUS_OK) {
        fprintf(stderr, "%s\n", problem);
        exit(3);
    }
    return store;
}

static struct rate commit_batches(const char *path, int size, const char *records,
                                  bool has_rows)
{
    static struct drawn drawn = {.random = {2}};
    struct store *store = open_store(path);
    struct store_shard shard;
    ensure(store_own(store, 0, &shard) == STATUS_OK);
    struct stopwatch watch = start();
    while (is_running(&watch)) {
        struct batch batch = {
            .epoch = shard.epoch,
            .lsn_before = shard.lsn,
            .lsn_after = shard.lsn + (lsn)size,
            .crc_before = shard.crc,
            .crc = hash_crc32c(shard.crc, records, (size_t)size * RECORD_BYTES),
            .records = span_of(records, (size_t)size * RECORD_BYTES),
            .rows = drawn.rows,
            .row_count = has_rows ? (size_t)size : 0,
        };
        if (has_rows)
            draw_rows(&drawn, size, batch.lsn_after, records);
        store_commit(store, &batch, must_be_ok, NULL);
        shard.lsn = batch.lsn_after;
        shard.crc = batch.crc;
    }
    struct rate rate = stop(&watch, (double)shard.lsn);
    store_close(store);
    remove_database(path);
    return rate;
}

static void print_rate(struct rate rate)
{
    printf("  %10.0f  %7.2f us", rate.per_s, rate.cpu_us);
    fflush(stdout);
}

int main(int count, char **arguments)
{
    char path[256];
    snprintf(path, sizeof path, "%s/store_bench-%ld.db", count > 1 ? arguments[1] : ".",
             (long)getpid());
    const char *records = make_records();
    printf("store: transitions/s, %d bytes each, SQLite %s synchronous=FULL\n", RECORD_BYTES,
           sqlite3_libversion());
    printf("  %5s  %22s  %22s  %22s\n", "batch", "raw rows", "log", "log + rows");
    for (int batch = 1; batch <= BATCH_MAX; batch *= 10) {
        printf("  %5d", batch);
        print_rate(insert_raw(path, batch, records));
        print_rate(commit_batches(path, batch, records, false));
        print_rate(commit_batches(path, batch, records, true));
        printf("\n");
    }
    return 0;
}
