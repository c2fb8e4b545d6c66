/*
 * store_backend.h - what the backends of a store share; not for other chapters.
 *
 * The words for what went wrong are kept twice, because a commit may fail on one thread
 * while a read fails on the other: each side writes only its own, and a flag tells whose
 * came last. So no lock is needed to say something.
 */
#pragma once

#include "store/store.h"

/* Where one record of a shard lies in the log: backends keep log rows under one number. */
enum { STORE_PLACE_LSN_BITS = 48 };

/* Fills in the base. The name is a path or a word for people. */
void store_init(struct store *store, const struct store_ops *ops,
                const struct store_schema *schema, const char *name);

/* Gives a new incarnation: 128 bits from the system's secure source. */
void store_renew_incarnation(char incarnation[STORE_INCARNATION_BYTES]);

/* A path as it fits into a sentence: all of it, or "…" and its end. */
void store_shorten_path(const char *path, char name[STORE_NAME_BYTES]);

/* Keeps the sentence and gives the status back, so that a failure is one line. */
enum status store_say(struct store *store, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same on the committing thread. */
enum status store_say_commit(struct store *store, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
