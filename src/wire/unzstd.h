/*
 * unzstd.h - Zstandard data (RFC 8878) unpacked piece by piece.
 *
 * Frames that follow each other are one text. Checksums are checked where a frame has one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

struct unzstd;

struct unzstd *unzstd_open(void);         /* never NULL */
void unzstd_close(struct unzstd *unzstd); /* NULL is fine */

/* True when packed data begins with these (four) bytes. */
bool unzstd_is_magic(struct span bytes);

/* Takes bytes off the front of `packed` and writes what comes of them to `room`, `got` of at
 * most `size` bytes. There is more to come until `packed` is empty and the room was not filled.
 * False when the data is damaged. */
bool unzstd_read(struct unzstd *unzstd, struct span *packed, char *room, size_t size,
                 size_t *got);

/* True when all data that was begun is complete. */
bool unzstd_is_whole(const struct unzstd *unzstd);
