/*
 * test_store_sqlite.c - the SQLite store among other processes, other files and full disks.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/random.h"
#include "store_fixture.h"

static void write_file(const char *path, const char *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static char *read_file(const char *path, size_t *size)
{
    struct stat found;
    assert_int_equal(stat(path, &found), 0);
    char *bytes = malloc((size_t)found.st_size + 1);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    *size = fread(bytes, 1, (size_t)found.st_size, file);
    assert_int_equal(*size, (size_t)found.st_size);
    assert_int_equal(fclose(file), 0);
    return bytes;
}

static void copy_file(const char *from, const char *to)
{
    size_t size;
    char *bytes = read_file(from, &size);
    write_file(to, bytes, size);
    free(bytes);
}

static bool is_there(const char *path, const char *ending)
{
    char name[128];
    snprintf(name, sizeof name, "%s%s", path, ending);
    return access(name, F_OK) == 0;
}

/* Changes a database as a foreign program would. */
static void run_sql(const char *path, const char *sql)
{
    sqlite3 *connection = NULL;
    assert_int_equal(sqlite3_open(path, &connection), SQLITE_OK);
    char *message = NULL;
    if (sqlite3_exec(connection, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s", message);
    assert_int_equal(sqlite3_close(connection), SQLITE_OK);
}

static void commit_many(struct store *store, struct store_shard *shard, int count)
{
    for (int i = 0; i < count; i++)
        assert_int_equal(fixture_commit(store, shard, NULL, 0), STATUS_OK);
}

static void make_database(struct fixture *fixture, int count)
{
    struct store_shard shard;
    struct store *store = fixture_own(fixture, STORE_CREATE, &shard);
    commit_many(store, &shard, count);
    store_close(store);
}

/* Runs an action in a child process and gives its exit code. */
static int in_child(struct fixture *fixture, int (*action)(struct fixture *fixture))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(action(fixture));
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void a_missing_file_is_only_made_when_asked(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture, STORE_READ, STATUS_NOT_FOUND);
    fixture_open(fixture, STORE_WRITE, STATUS_NOT_FOUND);
    expect_words(fixture->problem, fixture->path);
    fixture_open(fixture, STORE_ADOPT, STATUS_NOT_FOUND);
    assert_false(is_there(fixture->path, ""));
    store_close(fixture_open(fixture, STORE_CREATE, STATUS_OK));
    store_close(fixture_open(fixture, STORE_CREATE, STATUS_OK));
    store_close(fixture_open(fixture, STORE_WRITE, STATUS_OK));
}

static void a_missing_folder_is_told(void **state)
{
    struct fixture *fixture = *state;
    snprintf(fixture->path, sizeof fixture->path, "%s/no/test.db", fixture->folder);
    fixture_open(fixture, STORE_CREATE, STATUS_NOT_FOUND);
    expect_words(fixture->problem, "its folder does not exist");
}

static void a_path_is_never_a_uri_or_memory(void **state)
{
    struct fixture *fixture = *state;
    static const char *const names[] = {":memory:", "file:x?mode=memory", "a b#%?&",
                                        "\xc3\xa9"};
    char home[256];
    assert_non_null(getcwd(home, sizeof home));
    assert_int_equal(chdir(fixture->folder), 0);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(fixture->path, sizeof fixture->path, "%s", names[i]);
        make_database(fixture, 1);
        assert_int_equal(access(names[i], F_OK), 0);
        struct store *store = fixture_open(fixture, STORE_READ, STATUS_OK);
        fixture_verify(store, 1);
        store_close(store);
    }
    assert_int_equal(chdir(home), 0);
}

/* What is not a database of ours, and what is said about it. Its bytes stay as they are. */
static void what_is_not_ours_is_refused_and_left_alone(void **state)
{
    static const struct {
        const char *what;
        const char *bytes; /* NULL: made by the SQL */
        const char *sql;
        const char *words;
        bool creates; /* an empty file may become a database */
    } rows[] = {
        {"an empty file", "", NULL, "is empty", true},
        {"a text", "id: order\nversion: 3\n", NULL, "is not a database", false},
        {"a long text", NULL, NULL, "is not a database", false},
        {"another program's", NULL, "CREATE TABLE t (a); INSERT INTO t VALUES (1)",
         "is not an Interlock database", false},
        {"another program's in WAL", NULL,
         "PRAGMA journal_mode = WAL; CREATE TABLE t (a); PRAGMA application_id = 7",
         "is not an Interlock database", false},
        {"marked by another", NULL, "PRAGMA application_id = 7", "is not an Interlock database",
         false},
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char long_text[10000];
        memset(long_text, 'x', sizeof long_text);
        unlink(fixture->path);
        if (rows[i].sql != NULL)
            run_sql(fixture->path, rows[i].sql);
        else if (rows[i].bytes != NULL)
            write_file(fixture->path, rows[i].bytes, strlen(rows[i].bytes));
        else
            write_file(fixture->path, long_text, sizeof long_text);
        size_t size;
        char *before = read_file(fixture->path, &size);
        for (int access = STORE_READ; access <= STORE_ADOPT; access++) {
            if (rows[i].creates && access == STORE_CREATE)
                continue;
            fixture_open(fixture, (enum store_access)access, STATUS_CORRUPT);
            expect_words(fixture->problem, rows[i].words);
            expect_words(fixture->problem, fixture->path);
        }
        size_t size_after;
        char *after = read_file(fixture->path, &size_after);
        assert_int_equal(size, size_after);
        assert_memory_equal(before, after, size);
        free(before);
        free(after);
    }
    unlink(fixture->path);
    assert_int_equal(mkdir(fixture->path, 0700), 0);
    for (int access = STORE_READ; access <= STORE_ADOPT; access++) {
        fixture_open(fixture, (enum store_access)access, STATUS_CORRUPT);
        expect_words(fixture->problem, "is a folder");
    }
    assert_int_equal(rmdir(fixture->path), 0);
}

static void an_empty_file_becomes_a_database(void **state)
{
    struct fixture *fixture = *state;
    write_file(fixture->path, "", 0);
    make_database(fixture, 1);
    store_close(fixture_open(fixture, STORE_WRITE, STATUS_OK));
}

static void another_version_is_refused(void **state)
{
    struct fixture *fixture = *state;
    make_database(fixture, 1);
    run_sql(fixture->path, "PRAGMA user_version = 8");
    for (int access = STORE_READ; access <= STORE_ADOPT; access++) {
        fixture_open(fixture, (enum store_access)access, STATUS_VERSION);
        expect_words(fixture->problem, "version 8");
        expect_words(fixture->problem, "reads version 7");
    }
}

static void missing_parts_are_damage(void **state)
{
    static const char *const rows[] = {
        "DROP TABLE inbox",
        "DROP TABLE log",
        "DROP TABLE meta",
        "DELETE FROM meta",
        "UPDATE meta SET value = 'short' WHERE key = 'incarnation'",
        "ALTER TABLE instance RENAME COLUMN state TO other",
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        unlink(fixture->path);
        make_database(fixture, 1);
        run_sql(fixture->path, rows[i]);
        fixture_open(fixture, STORE_READ, STATUS_CORRUPT);
        fixture_open(fixture, STORE_WRITE, STATUS_CORRUPT);
    }
}

static void a_truncated_database_is_damage(void **state)
{
    struct fixture *fixture = *state;
    struct stat found;
    make_database(fixture, 30);
    assert_int_equal(stat(fixture->path, &found), 0);
    static const int parts[] = {3, 50, 90};
    for (size_t i = sizeof parts / sizeof parts[0]; i-- > 0;) {
        assert_int_equal(truncate(fixture->path, found.st_size * parts[i] / 100), 0);
        fixture_open(fixture, STORE_READ, STATUS_CORRUPT);
        fixture_open(fixture, STORE_WRITE, STATUS_CORRUPT);
        fixture_open(fixture, STORE_CREATE, STATUS_CORRUPT);
    }
}

static void a_second_owner_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct store_shard shard;
    struct store *store = fixture_own(fixture, STORE_CREATE, &shard);
    char pid[32];
    snprintf(pid, sizeof pid, "process %ld", (long)getpid());
    for (int access = STORE_WRITE; access <= STORE_ADOPT; access++) {
        fixture_open(fixture, (enum store_access)access, STATUS_BUSY);
        expect_words(fixture->problem, pid);
    }
    commit_many(store, &shard, 1);
    store_close(store);
    store = fixture_own(fixture, STORE_WRITE, &shard);
    commit_many(store, &shard, 1);
    store_close(store);
}

/* Owns the database in a child until it is killed; the pid after it owned. */
static pid_t own_in_child(struct fixture *fixture, int commits)
{
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct store_shard shard;
        struct store *store = fixture_own(fixture, STORE_CREATE, &shard);
        commit_many(store, &shard, commits);
        if (write(ready[1], "x", 1) != 1)
            _exit(1);
        alarm(60); /* a failed test must not leave it behind */
        for (;;)
            pause();
    }
    char byte;
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return child;
}

static void kill_child(pid_t child)
{
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void the_owner_in_another_process_is_named(void **state)
{
    struct fixture *fixture = *state;
    pid_t child = own_in_child(fixture, 2);
    char pid[32];
    snprintf(pid, sizeof pid, "process %ld", (long)child);
    fixture_open(fixture, STORE_WRITE, STATUS_BUSY);
    expect_words(fixture->problem, pid);
    kill_child(child);
    struct store *store = fixture_open(fixture, STORE_WRITE, STATUS_OK);
    fixture_verify(store, 2);
    store_close(store);
}

/* Somebody with the sqlite3 shell, in the middle of a transaction for a moment. */
static void hold_write_lock(struct fixture *fixture, int ready)
{
    sqlite3 *connection = NULL;
    const struct timespec moment = {.tv_nsec = 100 * 1000 * 1000};
    if (sqlite3_open(fixture->path, &connection) != SQLITE_OK ||
        sqlite3_exec(connection, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK ||
        write(ready, "x", 1) != 1)
        _exit(1);
    nanosleep(&moment, NULL);
    _exit(sqlite3_exec(connection, "ROLLBACK", NULL, NULL, NULL));
}

static void run_foreign_sql(const struct fixture *fixture, const char *sql)
{
    sqlite3 *foreign;
    assert_int_equal(sqlite3_open(fixture->path, &foreign), SQLITE_OK);
    assert_int_equal(sqlite3_exec(foreign, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(foreign);
}

/* Reading is fine. After a write, what the owner has in memory may not be true any more. */
static void a_foreign_writer_stops_the_owner(void **state)
{
    struct fixture *fixture = *state;
    struct store_shard shard;
    struct store *store = fixture_own(fixture, STORE_CREATE, &shard);
    assert_int_equal(fixture_commit(store, &shard, NULL, 0), STATUS_OK);
    run_foreign_sql(fixture, "SELECT count(*) FROM log");
    assert_int_equal(fixture_commit(store, &shard, NULL, 0), STATUS_OK);
    run_foreign_sql(fixture, "UPDATE shard SET shard = shard");
    assert_int_equal(fixture_commit(store, &shard, NULL, 0), STATUS_STALE);
    expect_words(store_problem(store), "another program has written to it");
    assert_int_equal(fixture_commit(store, &shard, NULL, 0), STATUS_IO);
    store_close(store);
    store = fixture_own(fixture, STORE_WRITE, &shard);
    assert_int_equal(fixture_commit(store, &shard, NULL, 0), STATUS_OK);
    fixture_verify(store, 3);
    store_close(store);
}

static void a_foreign_transaction_only_delays_an_owner(void **state)
{
    struct fixture *fixture = *state;
    struct store_shard shard;
    int ready[2];
    make_database(fixture, 2);
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        hold_write_lock(fixture, ready[1]);
    char byte;
    int status = 0;
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    struct store *store = fixture_own(fixture, STORE_WRITE, &shard);
    commit_many(store, &shard, 1);
    fixture_verify(store, 3);
    store_close(store);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void readers_see_each_commit_of_a_living_owner(void **state)
{
    struct fixture *fixture = *state;
    struct store_shard shard;
    struct store *store = fixture_own(fixture, STORE_CREATE, &shard);
    struct store *reader = fixture_open(fixture, STORE_READ, STATUS_OK);
    for (lsn i = 1; i <= 10; i++) {
        commit_many(store, &shard, 1);
        fixture_verify(reader, i);
        struct store *late = fixture_open(fixture, STORE_READ, STATUS_OK);
        fixture_verify(late, i);
        store_close(late);
    }
    assert_string_equal(reader->incarnation, store->incarnation);
    store_close(store);
    fixture_verify(reader, 10);
    store_close(reader);
}

static void a_reader_reads_what_a_killed_owner_left(void **state)
{
    struct fixture *fixture = *state;
    kill_child(own_in_child(fixture, 5));
    assert_true(is_there(fixture->path, "-wal"));
    size_t size;
    size_t size_after;
    char *before = read_file(fixture->path, &size);
    struct store *reader = fixture_open(fixture, STORE_READ, STATUS_OK);
    fixture_verify(reader, 5);
    store_close(reader);
    char *after = read_file(fixture->path, &size_after);
    assert_int_equal(size, size_after);
    assert_memory_equal(before, after, size);
    free(before);
    free(after);
}

/* An owner that commits past a checkpoint while a reader stands in the middle of its log. */
struct pinning {
    struct store *store;
    struct store_shard shard;
};

static bool commit_while_reading(void *context, const struct store_log *log)
{
    struct pinning *pinning = context;
    enum { BYTES = 1 << 20, COMMITS = 24 };
    if (log->lsn_after > 1)
        return true;
    char *bytes = calloc(1, BYTES);
    const struct store_row row = {
        .kind = FIXTURE_INBOX, .key = SPAN("big"), .data = span_of(bytes, BYTES)};
    for (int i = 0; i < COMMITS; i++) {
        memset(bytes, i, BYTES); /* SQLite does not write what has not changed */
        assert_int_equal(fixture_commit(pinning->store, &pinning->shard, &row, 1), STATUS_OK);
    }
    free(bytes);
    return true;
}

static void a_reader_may_stay_across_checkpoints(void **state)
{
    struct fixture *fixture = *state;
    struct pinning pinning = {0};
    pinning.store = fixture_own(fixture, STORE_CREATE, &pinning.shard);
    commit_many(pinning.store, &pinning.shard, 3);
    struct store *reader = fixture_open(fixture, STORE_READ, STATUS_OK);
    assert_int_equal(store_scan_log(reader, 0, 0, commit_while_reading, &pinning), STATUS_OK);
    fixture_verify(reader, pinning.shard.lsn);
    store_close(pinning.store);
    store_close(reader);
    reader = fixture_open(fixture, STORE_READ, STATUS_OK);
    fixture_verify(reader, pinning.shard.lsn);
    store_close(reader);
}

static int read_as_nobody(struct fixture *fixture)
{
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
        return 100;
    const struct store_sqlite_options options = {.path = fixture->path, .access = STORE_READ};
    struct store *store = NULL;
    enum status status = store_sqlite_open(&options, &fixture_schema, &store, fixture->problem);
    if (status != STATUS_OK) {
        print_message("# %s\n", fixture->problem);
        return (int)status;
    }
    fixture_verify(store, 5);
    store_close(store);
    return 0;
}

static void a_folder_that_cannot_be_written_can_be_read(void **state)
{
    struct fixture *fixture = *state;
    make_database(fixture, 5);
    assert_int_equal(chmod(fixture->folder, 0555), 0);
    assert_int_equal(in_child(fixture, read_as_nobody), STATUS_OK);
    assert_int_equal(chmod(fixture->path, 0), 0);
    assert_int_equal(in_child(fixture, read_as_nobody), STATUS_IO);
    assert_int_equal(chmod(fixture->path, 0444), 0);
    assert_int_equal(in_child(fixture, read_as_nobody), STATUS_OK);
}

static void a_wal_in_a_folder_that_cannot_be_written_is_told(void **state)
{
    struct fixture *fixture = *state;
    char index[96];
    kill_child(own_in_child(fixture, 5));
    snprintf(index, sizeof index, "%s-shm", fixture->path);
    assert_int_equal(unlink(index), 0);
    assert_int_equal(chmod(fixture->folder, 0555), 0);
    assert_int_equal(in_child(fixture, read_as_nobody), STATUS_IO);
}

static int write_as_nobody(struct fixture *fixture)
{
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
        return 100;
    const struct store_sqlite_options options = {.path = fixture->path, .access = STORE_CREATE};
    struct store *store = NULL;
    return (int)store_sqlite_open(&options, &fixture_schema, &store, fixture->problem);
}

static void an_unwritable_database_is_told(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(chmod(fixture->folder, 0555), 0);
    assert_int_equal(in_child(fixture, write_as_nobody), STATUS_IO); /* cannot be created */
    assert_int_equal(chmod(fixture->folder, 0755), 0);
    make_database(fixture, 1);
    assert_int_equal(chmod(fixture->path, 0444), 0);
    assert_int_equal(in_child(fixture, write_as_nobody), STATUS_IO);
    assert_int_equal(chmod(fixture->path, 0666), 0);
    assert_int_equal(chmod(fixture->folder, 0555), 0);
    assert_int_equal(in_child(fixture, write_as_nobody), STATUS_IO); /* no room for a WAL */
    assert_int_equal(chmod(fixture->folder, 0755), 0);
    struct store *store = fixture_open(fixture, STORE_WRITE, STATUS_OK);
    fixture_verify(store, 1);
    store_close(store);
}

static void a_copy_is_refused_until_it_is_adopted(void **state)
{
    struct fixture *fixture = *state;
    struct fixture copy = *fixture;
    snprintf(copy.path, sizeof copy.path, "%s/copy.db", fixture->folder);
    make_database(fixture, 3);
    copy_file(fixture->path, copy.path);

    fixture_open(&copy, STORE_WRITE, STATUS_CONFLICT);
    expect_words(copy.problem, "interlock adopt --db");
    expect_words(copy.problem, copy.path);
    fixture_open(&copy, STORE_CREATE, STATUS_CONFLICT);
    struct store *reader = fixture_open(&copy, STORE_READ, STATUS_OK);
    fixture_verify(reader, 3);
    store_close(reader);

    struct store_shard shard;
    struct store *original = fixture_open(fixture, STORE_WRITE, STATUS_OK);
    struct store *adopted = fixture_own(&copy, STORE_ADOPT, &shard);
    assert_string_not_equal(original->incarnation, adopted->incarnation);
    assert_int_equal(strlen(adopted->incarnation), 32);
    commit_many(adopted, &shard, 1);
    store_close(adopted);
    store_close(original);
    adopted = fixture_open(&copy, STORE_WRITE, STATUS_OK);
    fixture_verify(adopted, 4);
    store_close(adopted);
}

static void a_moved_database_is_no_copy(void **state)
{
    struct fixture *fixture = *state;
    char old[sizeof fixture->path];
    memcpy(old, fixture->path, sizeof old);
    make_database(fixture, 3);
    snprintf(fixture->path, sizeof fixture->path, "%s/moved.db", fixture->folder);
    assert_int_equal(rename(old, fixture->path), 0);
    store_close(fixture_open(fixture, STORE_WRITE, STATUS_OK));
}

static void a_closed_database_is_one_file(void **state)
{
    struct fixture *fixture = *state;
    make_database(fixture, 10);
    assert_true(is_there(fixture->path, ""));
    assert_false(is_there(fixture->path, "-wal"));
    assert_false(is_there(fixture->path, "-shm"));
}

static void the_wal_stays_bounded(void **state)
{
    struct fixture *fixture = *state;
    struct store_shard shard;
    struct store *store = fixture_own(fixture, STORE_CREATE, &shard);
    char wal[96];
    snprintf(wal, sizeof wal, "%s-wal", fixture->path);
    enum { BYTES = 1 << 20, BATCHES = 50 };
    char *bytes = calloc(1, BYTES);
    const struct store_row row = {
        .kind = FIXTURE_INBOX, .key = SPAN("big"), .data = span_of(bytes, BYTES)};
    struct stat found;
    for (int i = 0; i < BATCHES; i++) {
        memset(bytes, i, BYTES); /* SQLite does not write what has not changed */
        assert_int_equal(fixture_commit(store, &shard, &row, 1), STATUS_OK);
        assert_int_equal(stat(wal, &found), 0);
        assert_true(found.st_size < 24 << 20);
    }
    free(bytes);
    store_close(store);
}

static enum status fill(struct store *store, struct store_shard *shard)
{
    for (;;) {
        enum status status = fixture_commit(store, shard, NULL, 0);
        if (status != STATUS_OK)
            return status;
        assert_true(shard->lsn < 5000);
    }
}

static void a_full_database_keeps_what_it_has(void **state)
{
    struct fixture *fixture = *state;
    make_database(fixture, 1);
    for (int opening = 0; opening < 2; opening++) {
        struct store *store = NULL;
        struct store_shard shard;
        const struct store_sqlite_options options = {
            .path = fixture->path, .access = STORE_WRITE, .page_count_max = 60};
        assert_int_equal(store_sqlite_open(&options, &fixture_schema, &store, fixture->problem),
                         STATUS_OK);
        assert_int_equal(store_own(store, 0, &shard), STATUS_OK);
        assert_int_equal(fill(store, &shard), STATUS_FULL);
        expect_words(store_problem(store), "full");
        expect_words(store_problem(store), fixture->path);
        fixture_verify(store, shard.lsn);
        assert_int_equal(fixture_commit(store, &shard, NULL, 0), STATUS_FULL);
        fixture_verify(store, shard.lsn);
        store_close(store);
    }
    struct store_shard shard;
    struct store *store = fixture_own(fixture, STORE_WRITE, &shard);
    commit_many(store, &shard, 10);
    fixture_verify(store, shard.lsn);
    store_close(store);
}

static void a_disk_too_full_to_create_is_told(void **state)
{
    struct fixture *fixture = *state;
    const struct store_sqlite_options options = {
        .path = fixture->path, .access = STORE_CREATE, .page_count_max = 3};
    struct store *store = NULL;
    assert_int_equal(store_sqlite_open(&options, &fixture_schema, &store, fixture->problem),
                     STATUS_FULL);
    expect_words(fixture->problem, fixture->path);
    make_database(fixture, 1); /* what was left is no obstacle */
}

/* What is done to the log behind the store's back, and the lsn that is named. */
static void damage_to_the_log_is_found_where_it_is(void **state)
{
    static const struct {
        const char *sql;
        const char *words;
        lsn last;             /* that was still visited */
        bool hides_from_find; /* looking up one record cannot see it */
    } rows[] = {
        {"UPDATE log SET records = CAST(replace(records, 'record', 'recorb') AS BLOB) WHERE "
         "place = 4",
         "lsn 4:", 3, false},
        {"UPDATE log SET records = CAST('x' || records AS BLOB) WHERE place = 1", "lsn 1:", 0,
         false},
        {"UPDATE log SET crc = crc + 1 WHERE place = 4", "lsn 4:", 3, false},
        {"UPDATE log SET crc_before = 7 WHERE place = 4", "lsn 4:", 3, false},
        {"UPDATE log SET lsn_before = 2 WHERE place = 4", "lsn 4:", 3, true},
        {"UPDATE log SET lsn_before = 9 WHERE place = 4", "lsn 4:", 3, false},
        {"UPDATE log SET lsn_before = -1 WHERE place = 4", "lsn 4:", 3, false},
        {"DELETE FROM log WHERE place = 4", "lsn 5:", 3, false},
        {"DELETE FROM log WHERE place = 1", "lsn 2:", 0, false},
        {"DELETE FROM log WHERE place >= 4", "lsn 3:", 3, true},
        {"DELETE FROM log", "lsn 0:", 0, true},
        {"UPDATE shard SET crc = crc + 1", "lsn 6:", 5, true},
        {"UPDATE shard SET lsn = 7", "lsn 6:", 6, true},
        {"UPDATE shard SET watermark = 70", "shard 0", 0, true},
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        unlink(fixture->path);
        make_database(fixture, 6);
        run_sql(fixture->path, rows[i].sql);
        struct store *store = fixture_open(fixture, STORE_READ, STATUS_OK);
        lsn last = 0;
        assert_int_equal(fixture_scan(store, &last), STATUS_CORRUPT);
        expect_words(store_problem(store), rows[i].words);
        expect_words(store_problem(store), fixture->path);
        assert_true(last == rows[i].last);
        enum status found = STATUS_OK;
        for (lsn record = 1; record <= 6 && found == STATUS_OK; record++) {
            struct store_log log;
            found = store_find_log(store, 0, record, &log);
        }
        assert_true(rows[i].hides_from_find || found == STATUS_CORRUPT);
        store_close(store);
    }
}

/* Any byte of the file may rot: reading then fails or gives what was written, never anything
 * else. */
static void no_flipped_byte_goes_unnoticed_in_the_log(void **state)
{
    struct fixture *fixture = *state;
    make_database(fixture, 40);
    size_t size;
    char *bytes = read_file(fixture->path, &size);
    struct random random = {7};
    for (int i = 0; i < 150; i++) {
        size_t place = (size_t)random_up_to(&random, size - 1);
        bytes[place] = (char)(bytes[place] ^ 0x10);
        write_file(fixture->path, bytes, size);
        bytes[place] = (char)(bytes[place] ^ 0x10);
        const struct store_sqlite_options options = {.path = fixture->path,
                                                     .access = STORE_READ};
        struct store *store = NULL;
        if (store_sqlite_open(&options, &fixture_schema, &store, fixture->problem) != STATUS_OK)
            continue;
        struct store_shard shard;
        lsn last = 0;
        if (store_recover(store, 0, &shard) == STATUS_OK && shard.lsn == 40 &&
            fixture_scan(store, &last) == STATUS_OK)
            assert_true(last == 40);
        store_close(store);
    }
    free(bytes);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_missing_file_is_only_made_when_asked),
        TEST(a_missing_folder_is_told),
        TEST(a_path_is_never_a_uri_or_memory),
        TEST(what_is_not_ours_is_refused_and_left_alone),
        TEST(an_empty_file_becomes_a_database),
        TEST(another_version_is_refused),
        TEST(missing_parts_are_damage),
        TEST(a_truncated_database_is_damage),
        TEST(a_second_owner_is_refused),
        TEST(the_owner_in_another_process_is_named),
        TEST(a_foreign_writer_stops_the_owner),
        TEST(a_foreign_transaction_only_delays_an_owner),
        TEST(readers_see_each_commit_of_a_living_owner),
        TEST(a_reader_reads_what_a_killed_owner_left),
        TEST(a_reader_may_stay_across_checkpoints),
        TEST(a_folder_that_cannot_be_written_can_be_read),
        TEST(a_wal_in_a_folder_that_cannot_be_written_is_told),
        TEST(an_unwritable_database_is_told),
        TEST(a_copy_is_refused_until_it_is_adopted),
        TEST(a_moved_database_is_no_copy),
        TEST(a_closed_database_is_one_file),
        TEST(the_wal_stays_bounded),
        TEST(a_full_database_keeps_what_it_has),
        TEST(a_disk_too_full_to_create_is_told),
        TEST(damage_to_the_log_is_found_where_it_is),
        TEST(no_flipped_byte_goes_unnoticed_in_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
