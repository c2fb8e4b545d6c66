/*
 * configuration.h - the whole state of one instance between two macrosteps.
 *
 * A configuration is plain data: the active states as bits, the context, the armed
 * timers, the active invocations. It refers to its machine but owns nothing; its parts
 * live in the arena it was made in.
 *
 * Timers and invocations carry a number that is never used twice in an instance, so that
 * a late result or firing of an earlier visit to the same state is recognised (I5).
 *
 * Always: with a state every ancestor is active; exactly one leaf is active; timers are
 * in the order of their numbers, and so are invocations.
 */
#pragma once

#include "base/ensure.h"
#include "chart/machine.h"

#define INSTANCE_STATUS_LIST(X) \
    X(ACTIVE, "active")         \
    X(DONE, "done")             \
    X(ERROR, "error")           \
    X(STOPPED, "stopped")

#define INSTANCE_STATUS_ENUM(name, text) INSTANCE_##name,
enum instance_status { INSTANCE_STATUS_LIST(INSTANCE_STATUS_ENUM) INSTANCE_STATUS_COUNT };
#undef INSTANCE_STATUS_ENUM

struct armed_timer {
    uint32_t timer; /* index in the machine */
    uint64_t number;
    instant_ms due;
};

struct invocation {
    uint32_t invoke; /* index in the machine */
    uint64_t number;
    struct value input;
};

struct configuration {
    const struct machine *machine;
    enum instance_status status;
    uint64_t next_number;
    const uint64_t *active; /* machine->word_count words */
    struct value context;
    struct value output; /* of a done machine */
    struct value error;  /* {"kind","message",…} of status error */
    const struct armed_timer *timers;
    uint32_t timer_count;
    const struct invocation *invocations;
    uint32_t invocation_count;
};

static inline bool configuration_has(const struct configuration *configuration, uint32_t state)
{
    return configuration->active[state / 64] >> state % 64 & 1;
}

/* Whole-structure check: every "always" of this file, and what its machine says. False is what
 * damaged bytes give. */
bool configuration_is_valid(const struct configuration *configuration);

/* The active leaf: the active states are one path, and a descendant has the larger number. */
static inline uint32_t configuration_leaf(const struct configuration *configuration)
{
    for (uint32_t word = configuration->machine->word_count; word-- > 0;) {
        uint64_t bits = configuration->active[word];
        if (bits != 0)
            return word * 64 + 63 - (uint32_t)__builtin_clzll(bits);
    }
    never();
}

/* In('x'): whether a state of that id or path is active; *known tells whether there is one. */
bool configuration_is_in(const struct configuration *configuration, struct span name,
                         bool *known);

/* The value in XState's form: "A", {"A":"B"}, {} for a root without states. */
struct value configuration_value(const struct configuration *configuration,
                                 struct arena *arena);

/* The tags of all active states, each once and sorted by name, as a list of strings. */
struct value configuration_tags(const struct configuration *configuration, struct arena *arena);

/* The path of the active leaf, "CHARGING.RETRYING": for people and queries. */
struct span configuration_path(const struct configuration *configuration);

/* The timer that fires first: by (due, number); NULL when none is armed. */
const struct armed_timer *configuration_next_timer(const struct configuration *configuration);

const struct armed_timer *configuration_find_timer(const struct configuration *configuration,
                                                   uint64_t number);
const struct invocation *
configuration_find_invocation(const struct configuration *configuration, uint64_t number);

/* Value, status, context, tags and output are the same: nothing an observer could see changed.
 */
bool configuration_looks_equal(const struct configuration *a, const struct configuration *b);

const char *instance_status_name(enum instance_status status);
