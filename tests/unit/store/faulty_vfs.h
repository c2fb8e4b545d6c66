/*
 * faulty_vfs.h - a disk that fails when told to, and forgets what was not synced.
 *
 * It stands between SQLite and the real files. Every write, sync, truncation and deletion is an
 * operation, counted from 1. At the one that was chosen it fails, once or for ever after.
 *
 * Beside each file it keeps what is durable: the bytes as of the last sync that succeeded, and
 * the writes since. A power cut replaces the files by the durable bytes with a random part of
 * those writes, each whole or torn at a sector. A sync that fails forgets the writes before it,
 * although they can still be read, as Linux does.
 *
 * Locks and the shared index are the real ones. One thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum faulty_answer {
    FAULTY_IOERR, /* a write is torn in its middle */
    FAULTY_FULL,  /* the same; a sync, truncation or deletion answers IOERR */
};

/* Becomes SQLite's default; remove puts the real one back. Nothing may be open at either. */
void faulty_vfs_install(void);
void faulty_vfs_remove(void);

/* Forgets all files and counts from 1. Fails at operation fail_at; 0 is never. */
void faulty_vfs_reset(uint64_t fail_at, enum faulty_answer answer, bool is_for_ever);

/* From now on everything fails. */
void faulty_vfs_die(void);

/* How many operations there were, and whether the chosen one was reached. */
uint64_t faulty_vfs_count(void);
bool faulty_vfs_has_failed(void);

/* Writes to the disk what a power cut leaves, and lets it work again without faults. Nothing
 * may be open. */
void faulty_vfs_cut_power(uint64_t seed);
