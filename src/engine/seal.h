/*
 * seal.h - a checksum behind the bytes of a row.
 *
 * The log is chained, but a row that is current is believed without the log. SQLite has no
 * checksums of its own, so a bit that fell over on the disk would be a customer's amount.
 * The seal covers the row's key and a number too, so that no row stands for another.
 */
#pragma once

#include <stdbool.h>

#include "base/text.h"

/* Seals what the text holds. */
void seal_add(struct text *text, struct span key, uint64_t number);

/* Takes the seal off; false when the bytes are not what was sealed. */
bool seal_take(struct span *bytes, struct span key, uint64_t number);
