/*
 * test_store_contract.c - what every store promises, asked of each.
 *
 * A new backend is one more row of `backends`.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/random.h"
#include "store_fixture.h"

/* A store under test, and the shard that its test owns. */
struct subject {
    const struct backend *backend;
    void *fixture;
    struct store *store;
    struct store_shard shard;
};

struct backend {
    const char *name;
    bool is_durable;
    struct store *(*open)(void *fixture);
};

static struct store *open_memory(void *fixture)
{
    (void)fixture;
    return store_memory_open(&fixture_schema);
}

static struct store *open_sqlite(void *fixture)
{
    return fixture_open(fixture, STORE_CREATE, STATUS_OK);
}

static const struct backend backends[] = {
    {"memory", false, open_memory},
    {"sqlite", true, open_sqlite},
};

static int subject_setup(void **state, const struct backend *backend)
{
    struct subject *subject = calloc(1, sizeof *subject);
    subject->backend = backend;
    if (fixture_setup(&subject->fixture) != 0)
        return -1;
    subject->store = backend->open(subject->fixture);
    assert_int_equal(store_own(subject->store, 0, &subject->shard), STATUS_OK);
    *state = subject;
    return 0;
}

static int memory_setup(void **state)
{
    return subject_setup(state, &backends[0]);
}

static int sqlite_setup(void **state)
{
    return subject_setup(state, &backends[1]);
}

static int subject_teardown(void **state)
{
    struct subject *subject = *state;
    store_close(subject->store);
    fixture_teardown(&subject->fixture);
    free(subject);
    return 0;
}

static void commit_many(struct subject *subject, int count)
{
    for (int i = 0; i < count; i++)
        assert_int_equal(fixture_commit(subject->store, &subject->shard, NULL, 0), STATUS_OK);
}

/* A batch of one record behind the shard; the caller spoils it. */
static struct batch next_batch(const struct store_shard *shard, struct span records)
{
    return (struct batch){
        .epoch = shard->epoch,
        .lsn_before = shard->lsn,
        .lsn_after = shard->lsn + 1,
        .crc_before = shard->crc,
        .crc = hash_crc32c(shard->crc, records.text, records.size),
        .records = records,
    };
}

static struct store_row make_row(const char *key, const char *data)
{
    return (struct store_row){
        .kind = FIXTURE_INBOX, .key = span_from_text(key), .data = span_from_text(data)};
}

static void a_fresh_store_is_at_the_beginning(void **state)
{
    struct subject *subject = *state;
    struct store_shard other;
    assert_true(subject->shard.epoch == 1);
    assert_true(subject->shard.lsn == 0 && subject->shard.crc == 0 &&
                subject->shard.watermark == 0);
    assert_int_equal(store_recover(subject->store, 5, &other), STATUS_OK);
    assert_true(other.epoch == 0 && other.lsn == 0);
    assert_int_equal(strlen(subject->store->incarnation), 32);
    fixture_verify(subject->store, 0);
}

static void every_ownership_raises_the_epoch(void **state)
{
    struct subject *subject = *state;
    commit_many(subject, 2);
    for (uint64_t epoch = 2; epoch < 5; epoch++) {
        struct store_shard shard;
        assert_int_equal(store_own(subject->store, 0, &shard), STATUS_OK);
        assert_true(shard.epoch == epoch);
        assert_true(shard.lsn == 2 && shard.crc == subject->shard.crc && shard.watermark == 2);
    }
}

static void a_commit_is_read_back_with_its_rows(void **state)
{
    struct subject *subject = *state;
    const struct store_row rows[] = {make_row("a", "1"), make_row("b", "")};
    assert_int_equal(fixture_commit(subject->store, &subject->shard, rows, 2), STATUS_OK);
    commit_many(subject, 20);
    fixture_verify(subject->store, 21);

    struct text data;
    text_init(&data, NULL);
    text_add(&data, SPAN("appended: "));
    assert_int_equal(store_get(subject->store, FIXTURE_INBOX, SPAN("a"), &data, NULL),
                     STATUS_OK);
    assert_int_equal(store_get(subject->store, FIXTURE_INBOX, SPAN("b"), &data, NULL),
                     STATUS_OK);
    assert_true(span_is(text_span(&data), "appended: 1"));
    text_fini(&data);
}

static void a_batch_that_does_not_continue_writes_nothing(void **state)
{
    struct subject *subject = *state;
    commit_many(subject, 3);
    const struct store_shard now = subject->shard;
    struct store_shard wrong[] = {
        {now.epoch + 1, now.lsn, now.crc, 0},
        {now.epoch, now.lsn - 1, now.crc, 0},
        {now.epoch, now.lsn + 1, now.crc, 0},
        {now.epoch, now.lsn, now.crc + 1, 0},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const struct store_row row = make_row("stale", "x");
        struct batch batch = next_batch(&wrong[i], SPAN("never"));
        batch.rows = &row;
        batch.row_count = 1;
        assert_int_equal(fixture_commit_batch(subject->store, &batch), STATUS_STALE);
        expect_words(store_problem(subject->store), subject->store->name);
    }
    fixture_verify(subject->store, 3);
    struct text data;
    text_init(&data, NULL);
    assert_int_equal(store_get(subject->store, FIXTURE_INBOX, SPAN("stale"), &data, NULL),
                     STATUS_NOT_FOUND);
    commit_many(subject, 1);
}

static void the_owner_before_is_fenced_off(void **state)
{
    struct subject *subject = *state;
    commit_many(subject, 1);
    struct store_shard old = subject->shard;
    assert_int_equal(store_own(subject->store, 0, &subject->shard), STATUS_OK);
    assert_int_equal(fixture_commit(subject->store, &old, NULL, 0), STATUS_STALE);
    commit_many(subject, 1);
    assert_int_equal(fixture_commit(subject->store, &old, NULL, 0), STATUS_STALE);
    fixture_verify(subject->store, 2);
}

static void a_shard_nobody_owned_takes_no_batch(void **state)
{
    struct subject *subject = *state;
    struct batch batch = next_batch(&subject->shard, SPAN("x"));
    batch.shard = 3;
    assert_int_equal(fixture_commit_batch(subject->store, &batch), STATUS_STALE);
}

static void rows_are_replaced_and_deleted(void **state)
{
    struct subject *subject = *state;
    struct store_row rows[] = {make_row("a", "1"), make_row("b", "1"), make_row("c", "1")};
    assert_int_equal(fixture_commit(subject->store, &subject->shard, rows, 3), STATUS_OK);
    rows[0].data = SPAN("2");
    rows[1].data = (struct span){0};
    rows[2].key = SPAN("never there");
    rows[2].data = (struct span){0};
    assert_int_equal(fixture_commit(subject->store, &subject->shard, rows, 3), STATUS_OK);

    struct text data;
    text_init(&data, NULL);
    assert_int_equal(store_get(subject->store, FIXTURE_INBOX, SPAN("b"), &data, NULL),
                     STATUS_NOT_FOUND);
    assert_int_equal(store_get(subject->store, FIXTURE_INBOX, SPAN("a"), &data, NULL),
                     STATUS_OK);
    assert_int_equal(store_get(subject->store, FIXTURE_INBOX, SPAN("c"), &data, NULL),
                     STATUS_OK);
    assert_true(span_is(text_span(&data), "21"));
    text_fini(&data);
}

static void a_batch_without_records_writes_rows_only(void **state)
{
    struct subject *subject = *state;
    commit_many(subject, 2);
    const struct store_row row = make_row("late", "slice");
    struct batch batch = next_batch(&subject->shard, (struct span){0});
    batch.lsn_after = batch.lsn_before;
    batch.watermark = 1;
    batch.rows = &row;
    batch.row_count = 1;
    assert_int_equal(fixture_commit_batch(subject->store, &batch), STATUS_OK);
    struct store_shard shard;
    assert_int_equal(store_recover(subject->store, 0, &shard), STATUS_OK);
    assert_true(shard.watermark == 1);
    fixture_verify(subject->store, 2);
    commit_many(subject, 1);
    fixture_verify(subject->store, 3);
}

/* What one visit of a page saw. */
struct seen {
    char keys[4096];
    int count;
    int count_max;
    struct store_row last;
};

static bool see_row(void *context, const struct store_row *row)
{
    struct seen *seen = context;
    size_t size = strlen(seen->keys);
    snprintf(seen->keys + size, sizeof seen->keys - size, "%.*s ", SPAN_ARGS(row->key));
    return ++seen->count < seen->count_max;
}

static void pages_come_in_key_order(void **state)
{
    static const struct {
        const char *what;
        const char *after;
        size_t limit;
        int visits_max;
        const char *expected;
    } rows[] = {
        {"from the beginning", "", 3, 99, "K a ab "},
        {"the next page", "ab", 3, 99, "b k1 k10 "},
        {"behind a key that is not there", "aa", 2, 99, "ab b "},
        {"to the end", "k2", 99, 99, "\xc3\xa9 "},
        {"behind the end", "\xc3\xa9", 99, 99, ""},
        {"nothing", "", 0, 99, ""},
        {"the visitor has enough", "", 99, 2, "K a "},
        {"all", "", SIZE_MAX, 99, "K a ab b k1 k10 k2 \xc3\xa9 "},
    };
    struct subject *subject = *state;
    const struct store_row keys[] = {
        make_row("k2", "x"), make_row("b", "x"),  make_row("\xc3\xa9", "x"),
        make_row("a", "x"),  make_row("k1", "x"), make_row("gone", "x"),
    };
    const struct store_row later[] = {
        make_row("ab", "x"),
        make_row("k10", "x"),
        make_row("K", "x"),
        {.kind = FIXTURE_INBOX, .key = SPAN("gone")},
    };
    assert_int_equal(fixture_commit(subject->store, &subject->shard, keys, 6), STATUS_OK);
    assert_int_equal(fixture_commit(subject->store, &subject->shard, later, 4), STATUS_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct seen seen = {.count_max = rows[i].visits_max};
        assert_int_equal(store_page(subject->store, FIXTURE_INBOX,
                                    span_from_text(rows[i].after), rows[i].limit, see_row,
                                    &seen),
                         STATUS_OK);
        if (strcmp(seen.keys, rows[i].expected) != 0)
            fail_msg("%s: %s", rows[i].what, seen.keys);
    }
}

static bool check_columns(void *context, const struct store_row *row)
{
    int *count = context;
    ++*count;
    assert_int_equal(row->kind, FIXTURE_INSTANCE);
    if (span_is(row->key, "head"))
        return true;
    assert_true(row->lsn == 1);
    assert_true(row->columns[0].text == NULL);
    assert_true(span_is(row->columns[1], "order"));
    assert_true(row->columns[2].text == NULL);
    assert_true(span_equal(row->data, SPAN("\0binary\0")));
    return true;
}

static void a_page_gives_columns_and_bytes(void **state)
{
    struct subject *subject = *state;
    const struct store_row row = {
        .kind = FIXTURE_INSTANCE,
        .key = SPAN("0042"),
        .lsn = 1,
        .columns = {{0}, SPAN("order")},
        .data = SPAN("\0binary\0"),
    };
    int count = 0;
    assert_int_equal(fixture_commit(subject->store, &subject->shard, &row, 1), STATUS_OK);
    assert_int_equal(
        store_page(subject->store, FIXTURE_INSTANCE, SPAN(""), 9, check_columns, &count),
        STATUS_OK);
    assert_int_equal(count, 2);
}

/* Commits a batch of several records, so that most lsns lie inside a row. */
static void commit_wide(struct subject *subject, lsn records, struct span bytes)
{
    struct batch batch = next_batch(&subject->shard, bytes);
    batch.lsn_after = batch.lsn_before + records;
    assert_int_equal(fixture_commit_batch(subject->store, &batch), STATUS_OK);
    subject->shard.lsn = batch.lsn_after;
    subject->shard.crc = batch.crc;
}

static void a_record_is_found_in_its_batch(void **state)
{
    static const struct {
        lsn record;
        enum status status;
        const char *records;
    } rows[] = {
        {0, STATUS_NOT_FOUND, ""},     {1, STATUS_OK, "one"},
        {2, STATUS_OK, "two to nine"}, {5, STATUS_OK, "two to nine"},
        {9, STATUS_OK, "two to nine"}, {10, STATUS_OK, "ten"},
        {11, STATUS_NOT_FOUND, ""},    {(lsn)1 << 47, STATUS_NOT_FOUND, ""},
    };
    struct subject *subject = *state;
    commit_wide(subject, 1, SPAN("one"));
    commit_wide(subject, 8, SPAN("two to nine"));
    commit_wide(subject, 1, SPAN("ten"));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct store_log log = {0};
        assert_int_equal(store_find_log(subject->store, 0, rows[i].record, &log),
                         rows[i].status);
        assert_true(span_is(log.records, rows[i].records));
        assert_true(log.lsn_after == 0 ||
                    (log.lsn_before < rows[i].record && rows[i].record <= log.lsn_after));
    }
    struct store_log log;
    assert_int_equal(store_find_log(subject->store, 1, 1, &log), STATUS_NOT_FOUND);
}

struct visits {
    struct store *store;
    char text[256];
    int left; /* visits until the visitor has enough */
};

static bool see_log(void *context, const struct store_log *log)
{
    struct visits *visits = context;
    size_t size = strlen(visits->text);
    snprintf(visits->text + size, sizeof visits->text - size, "%.*s;", SPAN_ARGS(log->records));
    return --visits->left > 0;
}

static void a_scan_begins_with_the_row_that_holds_the_next_record(void **state)
{
    static const struct {
        lsn after;
        int visits_max;
        const char *expected;
    } rows[] = {
        {0, 99, "one;two to nine;ten;"},
        {1, 99, "two to nine;ten;"},
        {2, 99, "two to nine;ten;"},
        {8, 99, "two to nine;ten;"},
        {9, 99, "ten;"},
        {10, 99, ""},
        {99, 99, ""},
        {0, 2, "one;two to nine;"},
    };
    struct subject *subject = *state;
    commit_wide(subject, 1, SPAN("one"));
    commit_wide(subject, 8, SPAN("two to nine"));
    commit_wide(subject, 1, SPAN("ten"));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct visits visits = {.left = rows[i].visits_max};
        assert_int_equal(store_scan_log(subject->store, 0, rows[i].after, see_log, &visits),
                         STATUS_OK);
        assert_string_equal(visits.text, rows[i].expected);
    }
}

static bool read_inside(void *context, const struct store_log *log)
{
    struct visits *visits = context;
    struct text data;
    struct store_log found;
    text_init(&data, NULL);
    assert_int_equal(store_get(visits->store, FIXTURE_INSTANCE, SPAN("head"), &data, NULL),
                     STATUS_OK);
    assert_int_equal(store_find_log(visits->store, 0, 1, &found), STATUS_OK);
    assert_true(found.lsn_after == 1);
    assert_true(log->records.size > 0);
    text_fini(&data);
    visits->left--;
    return true;
}

static void a_visit_may_read(void **state)
{
    struct subject *subject = *state;
    commit_many(subject, 3);
    struct visits visits = {.store = subject->store, .left = 3};
    assert_int_equal(store_scan_log(subject->store, 0, 0, read_inside, &visits), STATUS_OK);
    assert_int_equal(visits.left, 0);
}

static void shards_do_not_see_each_other(void **state)
{
    struct subject *subject = *state;
    struct store_shard other;
    commit_many(subject, 2);
    assert_int_equal(store_own(subject->store, STORE_SHARDS_MAX - 1, &other), STATUS_OK);
    assert_true(other.epoch == 1 && other.lsn == 0);
    struct batch batch = next_batch(&other, SPAN("of the last shard"));
    batch.shard = STORE_SHARDS_MAX - 1;
    assert_int_equal(fixture_commit_batch(subject->store, &batch), STATUS_OK);
    struct visits visits = {.left = 9};
    assert_int_equal(store_scan_log(subject->store, STORE_SHARDS_MAX - 1, 0, see_log, &visits),
                     STATUS_OK);
    assert_string_equal(visits.text, "of the last shard;");
    fixture_verify(subject->store, 2);
}

static void large_batches_come_back_whole(void **state)
{
    struct subject *subject = *state;
    enum { BYTES = 5 * 1024 * 1024 };
    char *bytes = malloc(BYTES);
    struct random random = {4};
    for (size_t i = 0; i < BYTES; i++)
        bytes[i] = (char)random_next(&random);
    commit_wide(subject, 4096, span_of(bytes, BYTES));
    struct store_log log;
    assert_int_equal(store_find_log(subject->store, 0, 77, &log), STATUS_OK);
    assert_true(span_equal(log.records, span_of(bytes, BYTES)));
    free(bytes);
}

/* Keys and data from a seed; a slot of the model is empty when its row was deleted. */
enum { MODEL_KEYS = 60 };

struct model {
    char data[MODEL_KEYS][24];
    int next;
};

static void model_key(int index, char key[16])
{
    snprintf(key, 16, "key %02d", index);
}

static bool compare_with_model(void *context, const struct store_row *row)
{
    struct model *model = context;
    char key[16];
    while (model->data[model->next][0] == '\0')
        model->next++;
    model_key(model->next, key);
    assert_true(span_is(row->key, key));
    assert_true(span_is(row->data, model->data[model->next]));
    model->next++;
    return true;
}

static void many_random_changes_leave_what_a_plain_model_holds(void **state)
{
    struct subject *subject = *state;
    struct random random = {99};
    struct model model = {0};
    for (int i = 0; i < 400; i++) {
        char key[16];
        int index = (int)random_up_to(&random, MODEL_KEYS - 1);
        bool deletes = random_up_to(&random, 2) == 0;
        model_key(index, key);
        snprintf(model.data[index], sizeof model.data[index], "data %d", i);
        struct store_row row = make_row(key, model.data[index]);
        if (deletes) {
            model.data[index][0] = '\0';
            row.data = (struct span){0};
        }
        assert_int_equal(fixture_commit(subject->store, &subject->shard, &row, 1), STATUS_OK);
        if (i % 50 != 0)
            continue;
        model.next = 0;
        assert_int_equal(store_page(subject->store, FIXTURE_INBOX, SPAN(""), SIZE_MAX,
                                    compare_with_model, &model),
                         STATUS_OK);
        while (model.next < MODEL_KEYS && model.data[model.next][0] == '\0')
            model.next++;
        assert_int_equal(model.next, MODEL_KEYS);
    }
}

static void *commit_on_a_thread(void *context)
{
    commit_many(context, 300);
    return NULL;
}

static bool count_log(void *context, const struct store_log *log)
{
    lsn *last = context;
    *last = log->lsn_after;
    return true;
}

static void reads_run_beside_commits(void **state)
{
    struct subject *subject = *state;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, commit_on_a_thread, subject), 0);
    struct store_shard shard = {0};
    lsn seen = 0;
    while (shard.lsn < 300) {
        lsn before = shard.lsn;
        lsn last = before;
        assert_int_equal(store_recover(subject->store, 0, &shard), STATUS_OK);
        assert_true(shard.lsn >= before);
        assert_int_equal(store_scan_log(subject->store, 0, before, count_log, &last),
                         STATUS_OK);
        assert_true(last >= shard.lsn);
        struct text data;
        text_init(&data, NULL);
        if (shard.lsn > 0)
            assert_int_equal(
                store_get(subject->store, FIXTURE_INSTANCE, SPAN("head"), &data, &seen),
                STATUS_OK);
        assert_true(seen >= shard.lsn);
        text_fini(&data);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    fixture_verify(subject->store, 300);
}

static void reopening_shows_all_of_it(void **state)
{
    struct subject *subject = *state;
    if (!subject->backend->is_durable)
        return;
    char incarnation[STORE_INCARNATION_BYTES];
    memcpy(incarnation, subject->store->incarnation, sizeof incarnation);
    for (lsn opening = 1; opening < 5; opening++) {
        commit_many(subject, 5);
        store_close(subject->store);
        subject->store = subject->backend->open(subject->fixture);
        assert_string_equal(subject->store->incarnation, incarnation);
        fixture_verify(subject->store, 5 * opening);
        assert_int_equal(store_own(subject->store, 0, &subject->shard), STATUS_OK);
        assert_true(subject->shard.epoch == opening + 1);
    }
}

#define ON_BOTH(name)                                                \
    {"memory: " #name, name, memory_setup, subject_teardown, NULL},  \
    {                                                                \
        "sqlite: " #name, name, sqlite_setup, subject_teardown, NULL \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(a_fresh_store_is_at_the_beginning),
        ON_BOTH(every_ownership_raises_the_epoch),
        ON_BOTH(a_commit_is_read_back_with_its_rows),
        ON_BOTH(a_batch_that_does_not_continue_writes_nothing),
        ON_BOTH(the_owner_before_is_fenced_off),
        ON_BOTH(a_shard_nobody_owned_takes_no_batch),
        ON_BOTH(rows_are_replaced_and_deleted),
        ON_BOTH(a_batch_without_records_writes_rows_only),
        ON_BOTH(pages_come_in_key_order),
        ON_BOTH(a_page_gives_columns_and_bytes),
        ON_BOTH(a_record_is_found_in_its_batch),
        ON_BOTH(a_scan_begins_with_the_row_that_holds_the_next_record),
        ON_BOTH(a_visit_may_read),
        ON_BOTH(shards_do_not_see_each_other),
        ON_BOTH(large_batches_come_back_whole),
        ON_BOTH(many_random_changes_leave_what_a_plain_model_holds),
        ON_BOTH(reads_run_beside_commits),
        ON_BOTH(reopening_shows_all_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
