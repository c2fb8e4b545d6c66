/*
 * gunzip.h - gzip data (RFC 1952) unpacked piece by piece.
 *
 * Members that follow each other are one text, as gzip has it. Checksums are checked, so data
 * that was read to its end is what was packed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

struct gunzip;

struct gunzip *gunzip_open(void);         /* never NULL */
void gunzip_close(struct gunzip *gunzip); /* NULL is fine */

/* True when packed data begins with these (two) bytes. */
bool gunzip_is_magic(struct span bytes);

/* Takes bytes off the front of `packed` and writes what comes of them to `room`, `got` of at
 * most `size` bytes. There is more to come until `packed` is empty and the room was not filled.
 * False when the data is damaged. */
bool gunzip_read(struct gunzip *gunzip, struct span *packed, char *room, size_t size,
                 size_t *got);

/* True when all data that was begun is complete. */
bool gunzip_is_whole(const struct gunzip *gunzip);
