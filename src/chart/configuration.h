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
 * Always: with a state every ancestor is active, with a compound state one child, with a
 * parallel one all; timers are in the order of their numbers, and so are invocations.
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

/* A delayed transition of a state, or an event that was raised or sent and comes later. */
struct armed_timer {
    uint32_t timer; /* index in the machine; NO_INDEX: a sent event, with what follows */
    uint64_t number;
    instant_ms due;
    bool is_internal; /* raised: SCXML calls such events internal */
    struct span id;   /* under which it can be cancelled */
    struct span type;
    struct span to; /* where it goes when it is due: empty to the instance itself */
    struct value payload;
};

struct invocation {
    uint32_t invoke; /* index in the machine; NO_INDEX: spawned by an action */
    uint64_t number;
    struct span id;  /* empty: that of the machine's invoke */
    struct span src; /* empty: that of the machine's invoke */
    struct value input;
};

struct configuration {
    const struct machine *machine;
    enum instance_status status;
    uint64_t next_number;
    const uint64_t *active; /* machine->word_count words */
    const uint64_t
        *memory;         /* as many for each row of remembered states; a row of zeros: none */
    struct span session; /* SCXML's _sessionid */
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

/* The last active leaf in document order: what is active and behind it would be inside it. */
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

/* The paths of the active leaves, "CHARGING.RETRYING" or "A.x, B.y": for people and queries. */
struct span configuration_path(const struct configuration *configuration, struct arena *arena);
void configuration_write_path(const struct configuration *configuration, struct text *text);

/* The id and the source of an invocation. */
struct span configuration_invoke_id(const struct configuration *configuration,
                                    const struct invocation *invocation);
struct span configuration_invoke_src(const struct configuration *configuration,
                                     const struct invocation *invocation);

/* The active invocation of an id, or NULL. */
const struct invocation *configuration_invoked(const struct configuration *configuration,
                                               struct span id);

/* What a timer's event is called. */
struct span configuration_timer_name(const struct configuration *configuration,
                                     const struct armed_timer *timer);

/* The timer that fires first: by (due, number); NULL when none is armed. */
const struct armed_timer *configuration_next_timer(const struct configuration *configuration);

const struct armed_timer *configuration_find_timer(const struct configuration *configuration,
                                                   uint64_t number);
const struct invocation *
configuration_find_invocation(const struct configuration *configuration, uint64_t number);

/* Value, status, context, tags, output and what is remembered are the same: nothing changed
 * that an observer could see, now or later.
 */
bool configuration_looks_equal(const struct configuration *a, const struct configuration *b);

const char *instance_status_name(enum instance_status status);
