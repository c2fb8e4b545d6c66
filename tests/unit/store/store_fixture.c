/*
 * store_fixture.c - see store_fixture.h.
 */
#include "store_fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"

static const struct store_kind kinds[FIXTURE_KINDS] = {
    [FIXTURE_INSTANCE] = {"instance", {"state", "machine"}},
    [FIXTURE_INBOX] = {"inbox", {NULL}},
};

const struct store_schema fixture_schema = {kinds, FIXTURE_KINDS, 7};

int fixture_setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    snprintf(fixture->folder, sizeof fixture->folder, "/tmp/interlock-store-XXXXXX");
    if (fixture == NULL || mkdtemp(fixture->folder) == NULL)
        return -1;
    snprintf(fixture->path, sizeof fixture->path, "%s/test.db", fixture->folder);
    *state = fixture;
    return 0;
}

int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;
    chmod(fixture->folder, 0700);
    DIR *folder = opendir(fixture->folder);
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(folder), entry->d_name, 0);
    }
    if (folder != NULL)
        closedir(folder);
    rmdir(fixture->folder);
    free(fixture);
    return 0;
}

struct store *fixture_open(struct fixture *fixture, enum store_access access,
                           enum status expected)
{
    const struct store_sqlite_options options = {.path = fixture->path, .access = access};
    struct store *store = NULL;
    fixture->problem[0] = '\0';
    enum status status = store_sqlite_open(&options, &fixture_schema, &store, fixture->problem);
    if (status != expected)
        print_message("%s: %s\n", status_text(status), fixture->problem);
    assert_int_equal(status, expected);
    assert_true((store == NULL) == (status != STATUS_OK));
    assert_true((fixture->problem[0] == '\0') == (status == STATUS_OK));
    return store;
}

struct store *fixture_own(struct fixture *fixture, enum store_access access,
                          struct store_shard *shard)
{
    struct store *store = fixture_open(fixture, access, STATUS_OK);
    assert_int_equal(store_own(store, 0, shard), STATUS_OK);
    return store;
}

void fixture_records(lsn record, struct text *records)
{
    text_clear(records);
    for (lsn i = 0; i <= record % 40; i++)
        text_format(records, "record %llu, line %llu; ", (unsigned long long)record,
                    (unsigned long long)i);
}

static void keep_status(void *context, enum status status)
{
    enum status *kept = context;
    assert_int_equal(*kept, STATUS_COUNT); /* once */
    *kept = status;
}

enum status fixture_commit_batch(struct store *store, const struct batch *batch)
{
    enum status status = STATUS_COUNT;
    store_commit(store, batch, keep_status, &status);
    assert_int_not_equal(status, STATUS_COUNT);
    return status;
}

enum status fixture_commit(struct store *store, struct store_shard *shard,
                           const struct store_row *rows, size_t row_count)
{
    enum { ROWS_MAX = 16 };
    struct store_row all[ROWS_MAX];
    struct text records;
    text_init(&records, NULL);
    fixture_records(shard->lsn + 1, &records);
    assert_true(row_count < ROWS_MAX);
    all[0] = (struct store_row){
        .kind = FIXTURE_INSTANCE,
        .key = SPAN("head"),
        .lsn = shard->lsn + 1,
        .columns = {SPAN("HEAD")},
        .data = text_span(&records),
    };
    for (size_t i = 0; i < row_count; i++)
        all[i + 1] = rows[i];
    const struct batch batch = {
        .epoch = shard->epoch,
        .lsn_before = shard->lsn,
        .lsn_after = shard->lsn + 1,
        .crc_before = shard->crc,
        .crc = hash_crc32c(shard->crc, records.bytes, records.size),
        .watermark = shard->lsn + 1,
        .records = text_span(&records),
        .rows = all,
        .row_count = row_count + 1,
    };
    enum status status = fixture_commit_batch(store, &batch);
    text_fini(&records);
    if (status == STATUS_OK) {
        shard->lsn = batch.lsn_after;
        shard->crc = batch.crc;
        shard->watermark = batch.watermark;
    }
    return status;
}

static bool verify_log(void *context, const struct store_log *log)
{
    lsn *last = context;
    struct text expected;
    text_init(&expected, NULL);
    fixture_records(log->lsn_after, &expected);
    assert_true(log->lsn_before == *last);
    assert_true(log->lsn_after == *last + 1);
    assert_true(span_equal(log->records, text_span(&expected)));
    text_fini(&expected);
    *last = log->lsn_after;
    return true;
}

enum status fixture_scan(struct store *store, lsn *last)
{
    *last = 0;
    return store_scan_log(store, 0, 0, verify_log, last);
}

void fixture_verify(struct store *store, lsn expected)
{
    lsn last;
    struct store_shard shard;
    assert_int_equal(store_recover(store, 0, &shard), STATUS_OK);
    assert_true(shard.lsn == expected);
    assert_int_equal(fixture_scan(store, &last), STATUS_OK);
    assert_true(last == expected);

    lsn row_lsn = 0;
    struct text data;
    struct text head;
    text_init(&data, NULL);
    text_init(&head, NULL);
    fixture_records(expected, &head);
    enum status status = store_get(store, FIXTURE_INSTANCE, SPAN("head"), &data, &row_lsn);
    assert_int_equal(status, expected == 0 ? STATUS_NOT_FOUND : STATUS_OK);
    assert_true(row_lsn == expected);
    assert_true(expected == 0 || span_equal(text_span(&data), text_span(&head)));
    text_fini(&data);
    text_fini(&head);
}

void expect_words(const char *sentence, const char *words)
{
    if (strstr(sentence, words) == NULL)
        fail_msg("\"%s\" is not in: %s", words, sentence);
}
