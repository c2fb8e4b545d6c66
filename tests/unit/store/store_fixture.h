/*
 * store_fixture.h - a folder for one test, a schema, and batches that can be told apart.
 *
 * The records of batch (n - 1, n] are a text that follows from n alone, and every batch
 * writes the row "head" with it, so what a test reads back can be checked without a copy.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/store.h"

enum { FIXTURE_INSTANCE, FIXTURE_INBOX, FIXTURE_KINDS };

extern const struct store_schema fixture_schema;

/* setup and teardown for cmocka: the test's state is a struct fixture. */
struct fixture {
    char folder[64];
    char path[80]; /* of a database that does not exist yet */
    char problem[STORE_PROBLEM_BYTES];
};
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Opens the fixture's database; fails the test when the answer is another. NULL unless
 * STATUS_OK. */
struct store *fixture_open(struct fixture *fixture, enum store_access access,
                           enum status expected);

/* A writer with shard 0 owned. */
struct store *fixture_own(struct fixture *fixture, enum store_access access,
                          struct store_shard *shard);

/* The deterministic records of one batch; the text is cleared first. */
void fixture_records(lsn record, struct text *records);

/* Commits one record behind the shard, with its head row and what `rows` holds; moves the shard
 * on OK. */
enum status fixture_commit(struct store *store, struct store_shard *shard,
                           const struct store_row *rows, size_t row_count);

/* Commits exactly this batch and waits for its answer. */
enum status fixture_commit_batch(struct store *store, const struct batch *batch);

/* Scans the log; fails the test when a visited row is not what was written. The last lsn
 * visited. */
enum status fixture_scan(struct store *store, lsn *last);

/* Fails the test unless the log holds fixture batches 1 to lsn and the head row the last of
 * them. */
void fixture_verify(struct store *store, lsn expected);

/* Fails the test unless the sentence holds the words. */
void expect_words(const char *sentence, const char *words);
