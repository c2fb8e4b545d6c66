/*
 * snapshot.h - a configuration as bytes and back.
 *
 * The bytes are the same on every machine and compiler: little-endian numbers, states as
 * their numbers in the machine whose hash the snapshot names, values as JSON text.
 * Restoring into another machine is refused. The context is kept apart, so that a record
 * can leave it out when it did not change and a table can show it to SQL.
 */
#pragma once

#include "base/status.h"
#include "chart/configuration.h"

/* Appends everything but the context. */
void snapshot_write(struct text *text, const struct configuration *configuration);

/* The machine a snapshot is of, without restoring it; false when the bytes are damaged. */
bool snapshot_machine(struct span bytes, struct span *id, struct span *version);

/* Whether a state is active in a snapshot of this machine, without restoring it. */
bool snapshot_is_in(struct span bytes, const struct machine *machine, uint32_t state);

/* Reads what snapshot_write() wrote and joins it with a context (JSON text). Spans point into
 * the bytes, which must outlive the configuration; the rest lives in the arena.
 * STATUS_CONFLICT: another machine, version or hash; STATUS_CORRUPT: damaged. Jumps to the
 * arena's guard when it is spent. */
enum status snapshot_read(struct span bytes, struct span context, const struct machine *machine,
                          struct arena *arena, struct configuration *configuration) must_check;
