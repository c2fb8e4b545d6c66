/*
 * test_store_faults.c - kills, power cuts and a failing disk at every moment.
 *
 * Faults are counted, not drawn: the Nth write or sync fails for N = 1, 2, 3 … until none does.
 * What must hold each time: every acknowledged commit is there, what is there is a prefix of
 * what was tried, rows and log agree, and no answer is OK that was not durable.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/random.h"
#include "faulty_vfs.h"
#include "store_fixture.h"

static int faults_setup(void **state)
{
    faulty_vfs_install();
    faulty_vfs_reset(0, FAULTY_IOERR, false);
    return fixture_setup(state);
}

static int faults_teardown(void **state)
{
    faulty_vfs_remove();
    return fixture_teardown(state);
}

static void remove_database(const struct fixture *fixture)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        char name[96];
        snprintf(name, sizeof name, "%s%s", fixture->path, endings[i]);
        unlink(name);
    }
}

enum { SESSION_COMMITS = 3, FAULTS_MAX = 2000 };

/* What a run has been told. */
struct progress {
    lsn acknowledged;
    lsn tried;
};

/* Commits `count` records, the second of which is large, and stops at the first answer that is
 * not OK. */
static enum status commit_some(struct store *store, struct store_shard *shard, int count,
                               struct progress *progress)
{
    static const char large[12000] = "large";
    for (int i = 0; i < count; i++) {
        const struct store_row row = {
            .kind = FIXTURE_INBOX,
            .key = SPAN("large"),
            .data = span_of(large, i == 1 ? sizeof large : 9),
        };
        progress->tried = shard->lsn + 1;
        enum status status = fixture_commit(store, shard, &row, 1);
        if (status != STATUS_OK)
            return status;
        progress->acknowledged = shard->lsn;
    }
    return STATUS_OK;
}

enum ending { CLOSED, CUT_OFF };

/* One session: open, own, commit, and close unless the power fails before. Its first answer
 * that is not OK. */
static enum status run_session(struct fixture *fixture, struct progress *progress,
                               enum ending ending)
{
    const struct store_sqlite_options options = {.path = fixture->path, .access = STORE_CREATE};
    struct store *store = NULL;
    struct store_shard shard;
    enum status status = store_sqlite_open(&options, &fixture_schema, &store, fixture->problem);
    if (status == STATUS_OK)
        status = store_own(store, 0, &shard);
    if (status == STATUS_OK)
        status = commit_some(store, &shard, SESSION_COMMITS, progress);
    if (status != STATUS_OK && store != NULL)
        snprintf(fixture->problem, sizeof fixture->problem, "%s", store_problem(store));
    if (status != STATUS_OK)
        expect_words(fixture->problem, fixture->path);
    if (ending == CUT_OFF)
        faulty_vfs_die();
    store_close(store);
    return status;
}

/* Whatever happened before: the database opens, holds what it promised, and takes more. */
static void verify_after(struct fixture *fixture, const struct progress *progress)
{
    struct store_shard shard;
    struct store *store = fixture_own(fixture, STORE_CREATE, &shard);
    assert_true(shard.lsn >= progress->acknowledged);
    assert_true(shard.lsn <= progress->tried);
    fixture_verify(store, shard.lsn);
    assert_int_equal(fixture_commit(store, &shard, NULL, 0), STATUS_OK);
    fixture_verify(store, shard.lsn);
    store_close(store);
}

/* What may be said about a disk that failed. STATUS_CORRUPT for one: never. */
static bool is_clean(enum status status)
{
    return status == STATUS_OK || status == STATUS_IO || status == STATUS_FULL ||
           status == STATUS_UNKNOWN;
}

static void the_power_fails_at_every_operation(void **state)
{
    struct fixture *fixture = *state;
    for (uint64_t n = 1;; n++) {
        struct progress progress = {0};
        assert_true(n < FAULTS_MAX);
        remove_database(fixture);
        faulty_vfs_reset(n, FAULTY_IOERR, true);
        enum status status = run_session(fixture, &progress, CLOSED);
        if (status == STATUS_OK)
            status = run_session(fixture, &progress, CLOSED);
        assert_true(is_clean(status));
        bool has_failed = faulty_vfs_has_failed();
        faulty_vfs_cut_power(n);
        verify_after(fixture, &progress);
        if (!has_failed)
            break;
    }
}

/* The second session runs on the same boot: what a failed sync lost can still be read, and must
 * not be built upon. */
static bool fail_one_operation(struct fixture *fixture, uint64_t n, enum faulty_answer answer,
                               enum ending ending)
{
    struct progress progress = {0};
    remove_database(fixture);
    faulty_vfs_reset(n, answer, false);
    assert_true(is_clean(run_session(fixture, &progress, CLOSED)));
    bool has_failed = faulty_vfs_has_failed();
    assert_true(is_clean(run_session(fixture, &progress, ending)));
    if (ending == CLOSED)
        has_failed = faulty_vfs_has_failed();
    faulty_vfs_cut_power(n);
    verify_after(fixture, &progress);
    return has_failed;
}

static void one_operation_fails(struct fixture *fixture, enum faulty_answer answer)
{
    for (uint64_t n = 1; fail_one_operation(fixture, n, answer, CLOSED); n++)
        assert_true(n < FAULTS_MAX);
    for (uint64_t n = 1; fail_one_operation(fixture, n, answer, CUT_OFF); n++)
        assert_true(n < FAULTS_MAX);
}

static void one_operation_fails_and_the_disk_goes_on(void **state)
{
    one_operation_fails(*state, FAULTY_IOERR);
}

static void one_operation_finds_the_disk_full(void **state)
{
    one_operation_fails(*state, FAULTY_FULL);
}

/* FULL promises that nothing was written and that the store is still good. */
static void a_full_disk_harms_neither_store_nor_shard(void **state)
{
    struct fixture *fixture = *state;
    int refusals = 0;
    for (uint64_t n = 1;; n++) {
        struct progress progress = {0};
        struct store_shard shard;
        assert_true(n < FAULTS_MAX);
        remove_database(fixture);
        faulty_vfs_reset(0, FAULTY_FULL, false);
        struct store *store = fixture_own(fixture, STORE_CREATE, &shard);
        faulty_vfs_reset(n, FAULTY_FULL, false);
        enum status status = commit_some(store, &shard, SESSION_COMMITS, &progress);
        bool has_failed = faulty_vfs_has_failed();
        if (status == STATUS_FULL) {
            refusals++;
            fixture_verify(store, progress.acknowledged);
            assert_int_equal(commit_some(store, &shard, 2, &progress), STATUS_OK);
            fixture_verify(store, progress.acknowledged);
        }
        store_close(store);
        if (!has_failed)
            break;
    }
    assert_true(refusals > 4);
}

static void nothing_is_written_after_a_failed_sync(void **state)
{
    struct fixture *fixture = *state;
    int unknowns = 0;
    for (uint64_t n = 1;; n++) {
        struct progress progress = {0};
        struct store_shard shard;
        remove_database(fixture);
        faulty_vfs_reset(0, FAULTY_IOERR, false);
        struct store *store = fixture_own(fixture, STORE_CREATE, &shard);
        faulty_vfs_reset(n, FAULTY_IOERR, false);
        enum status status = commit_some(store, &shard, SESSION_COMMITS, &progress);
        bool has_failed = faulty_vfs_has_failed();
        if (status == STATUS_UNKNOWN || status == STATUS_IO) {
            unknowns += status == STATUS_UNKNOWN;
            uint64_t count = faulty_vfs_count();
            assert_int_equal(fixture_commit(store, &shard, NULL, 0), STATUS_IO);
            expect_words(store_problem(store), "earlier failure");
            assert_int_equal(store_own(store, 0, &shard), STATUS_IO);
            store_close(store);
            store = NULL;
            assert_true(faulty_vfs_count() == count);
        }
        store_close(store);
        if (!has_failed)
            break;
    }
    assert_true(unknowns >= SESSION_COMMITS);
}

/* Commits until it is killed and writes each acknowledged lsn to the pipe. */
static void commit_until_killed(struct fixture *fixture, int told)
{
    struct store_shard shard;
    struct store *store = fixture_own(fixture, STORE_CREATE, &shard);
    for (;;) {
        struct progress progress = {0};
        if (commit_some(store, &shard, 5, &progress) != STATUS_OK)
            _exit(1);
        if (write(told, &progress.acknowledged, sizeof(lsn)) != sizeof(lsn))
            _exit(1);
    }
}

/* Kills the child some time after it began and gives the last lsn that it was told. */
static lsn kill_after(struct fixture *fixture, uint64_t delay_us)
{
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        commit_until_killed(fixture, pipes[1]);
    close(pipes[1]);
    const struct timespec delay = {.tv_nsec = (long)delay_us * 1000};
    nanosleep(&delay, NULL);
    kill(child, SIGKILL);
    lsn last = 0;
    lsn next;
    while (read(pipes[0], &next, sizeof next) == sizeof next)
        last = next;
    close(pipes[0]);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    return last;
}

static void a_kill_at_any_moment_loses_nothing(void **state)
{
    struct fixture *fixture = *state;
    enum { KILLS = 25 };
    struct random random = {20260101};
    lsn known = 0;
    /* On a busy machine a child may be killed before its first commit: then later ones live
     * longer. */
    for (uint64_t i = 0; i < KILLS || (known <= KILLS && i < 10 * KILLS); i++) {
        lsn last = kill_after(fixture, random_up_to(&random, 60000 + 2000 * i));
        known = last > known ? last : known;
        struct store_shard shard;
        struct store *store = fixture_own(fixture, STORE_CREATE, &shard);
        assert_true(shard.lsn >= known);
        fixture_verify(store, shard.lsn);
        known = shard.lsn;
        store_close(store);
    }
    assert_true(known > KILLS);
}

int main(void)
{
#define FAULTY(name) cmocka_unit_test_setup_teardown(name, faults_setup, faults_teardown)
    const struct CMUnitTest tests[] = {
        FAULTY(the_power_fails_at_every_operation),
        FAULTY(one_operation_fails_and_the_disk_goes_on),
        FAULTY(one_operation_finds_the_disk_full),
        FAULTY(a_full_disk_harms_neither_store_nor_shard),
        FAULTY(nothing_is_written_after_a_failed_sync),
        cmocka_unit_test_setup_teardown(a_kill_at_any_moment_loses_nothing, fixture_setup,
                                        fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
