/*
 * crowd_rests.h - what the members of a crowd have beside their states.
 *
 *     nothing     as far as they have no context, timers or calls under way
 *     plain       a context of a few numbers and the like: just these, beside each other; their
 *                 names are the same for all members, those of the first
 *     kept        anything else, a done or failed instance too: the whole of it, in a piece of
 *                 memory of its own
 */
#pragma once

#include "embed/il_instance.h"

struct crowd_rests {
    size_t count;
    bool has_shape; /* once somebody active was put here */
    uint32_t plain_count;
    struct value_entry *shape; /* the names; the values are those of whom was asked for last */
    char *names;               /* … their bytes */
    struct value *plain;       /* `plain_count` of each */
    struct configuration bare; /* of one that is not kept; refers to `shape` */
    struct kept_configuration **kept; /* NULL: nobody is */
    size_t kept_bytes;
};

void crowd_rests_open(struct crowd_rests *rests, const struct machine *machine, size_t count);
void crowd_rests_close(struct crowd_rests *rests);

/* NULL: it has a place and perhaps plain values, or was never started. */
static inline const struct kept_configuration *crowd_rests_kept(const struct crowd_rests *rests,
                                                                size_t index)
{
    return rests->kept == NULL ? NULL : rests->kept[index];
}

/* The column of plain values under that name, or NO_INDEX; and the value of one that is not
 * kept. */
uint32_t crowd_rests_column(const struct crowd_rests *rests, struct span name);

static inline struct value crowd_rests_plain(const struct crowd_rests *rests, size_t index,
                                             uint32_t column)
{
    return rests->plain[index * rests->plain_count + column];
}

/* The configuration of a member; of one that is not kept, all but its words, until the next is
 * asked for. */
const struct configuration *crowd_rests_get(struct crowd_rests *rests, size_t index);

/* Puts an instance there, in place of what was there. */
void crowd_rests_put(struct crowd_rests *rests, size_t index, const il_instance *instance);

size_t crowd_rests_bytes(const struct crowd_rests *rests);
