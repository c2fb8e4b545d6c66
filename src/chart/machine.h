/*
 * machine.h - a definition, compiled: immutable tables that all threads share.
 *
 * States stand in document order, so the descendants of state s are exactly those in
 * (s, states[s].end) and an ancestor comes before its descendants. Transitions are found
 * by one look-up: for every leaf and every event the candidates are listed, innermost
 * first, and end with the first one that has no guard, since nothing behind it can win.
 *
 * Always: states[0] is the root; every index is in range; every target is a real state.
 */
#pragma once

#include "base/node.h"
#include "base/time.h"
#include "expr/expr.h"

#define NO_STATE UINT32_MAX
#define NO_INDEX UINT32_MAX

/* Every event type has a small number; these two stand for no event and for any type not named
 * in the definition. */
enum { EVENT_ID_NONE, EVENT_ID_OTHER, EVENT_ID_FIRST };

/* The variables of every expression, by slot; named guards follow. */
#define CHART_VARIABLE_LIST(X) \
    X(CONTEXT, "context")      \
    X(EVENT, "event")          \
    X(PAYLOAD, "payload")      \
    X(NOW, "now")              \
    X(INPUT, "input")

#define CHART_VARIABLE_ENUM(name, text) CHART_##name,
enum chart_variable { CHART_VARIABLE_LIST(CHART_VARIABLE_ENUM) CHART_VARIABLE_COUNT };
#undef CHART_VARIABLE_ENUM

enum state_type { STATE_ATOMIC, STATE_COMPOUND, STATE_FINAL };

/* A run of elements in one of the machine's arrays. */
struct range {
    uint32_t first;
    uint32_t count;
};

struct machine_state {
    struct span key;  /* "RETRYING"; empty for the root */
    struct span path; /* "CHARGING.RETRYING"; empty for the root */
    struct span id;   /* as written, or the path */
    enum state_type type;
    uint32_t parent;  /* NO_STATE for the root */
    uint32_t end;     /* one past the last descendant */
    uint32_t initial; /* the child entered by default; NO_STATE where there are none */
    uint32_t leaf;    /* row of the candidate table; NO_INDEX when it has children */
    struct range tags;
    struct range timers;
    struct range invokes;
    const struct expr_slot *output; /* of a final state, or of the root; or NULL */
    uint32_t done_event;            /* done.state.ID, when a final child is entered */
    struct place place;
};

struct machine_guard {
    struct span name; /* empty when not named */
    struct span text;
    const struct expr_program *program;
    const uint32_t *needs; /* named guards it reads, in the order of their evaluation */
    uint32_t need_count;
    struct place place;
};

struct machine_assign {
    struct span key;
    const struct expr_slot *slot;
    bool sees_earlier; /* begins a new group: sees what the groups before it assigned */
    struct place place;
};

struct machine_transition {
    uint32_t source;
    uint32_t event; /* its event id, or EVENT_ID_NONE for eventless ones */
    bool wildcard;  /* `*`: event is EVENT_ID_OTHER, and every other event matches too */
    bool reenter;
    uint32_t target; /* NO_STATE: targetless */
    uint32_t domain; /* descendants of it are left and entered; NO_STATE: the root too */
    uint32_t guard;  /* index of a guard, NO_INDEX: none */
    struct range assigns;
    struct place place;
};

struct machine_timer {
    uint32_t state;
    duration_ms delay_ms;
    uint32_t event;
    struct span name; /* the event's type: "after.30s.PENDING" */
    struct place place;
};

struct machine_invoke {
    uint32_t state;
    struct span id;
    struct span src;
    const struct expr_slot *input; /* NULL: null */
    uint32_t done_event;
    uint32_t error_event;
    struct span done_type;
    struct span error_type;
    struct place place;
};

struct machine {
    struct span id;
    struct span version; /* as written, or the hash */
    char hash[65];       /* SHA-256 of the definition without `steps`, in hex */
    uint8_t digest[32];  /* the same as bytes */
    struct span file;

    const struct machine_state *states;
    uint32_t state_count;
    uint32_t word_count; /* 64-bit words of a configuration's bit set */
    const struct machine_transition *transitions;
    uint32_t transition_count;
    const struct machine_guard *guards; /* the named ones first */
    uint32_t guard_count;
    uint32_t named_guard_count;
    const struct machine_assign *assigns;
    const struct machine_timer *timers;
    uint32_t timer_count;
    const struct machine_invoke *invokes;
    uint32_t invoke_count;
    const struct span *tags;

    const struct span *event_types; /* by event id; the first two are empty */
    uint32_t event_count;
    const uint32_t *event_slots; /* a hash table of event ids */
    uint32_t event_slot_mask;

    uint32_t leaf_count;
    const uint32_t *candidate_starts; /* [leaf * event_count + event], one more at the end */
    const uint32_t *candidates;       /* transition indexes */

    const struct machine_assign *context; /* the initial context: slots that may read `input` */
    uint32_t context_count;
    uint32_t execution_error_event; /* error.execution */

    const struct node *steps; /* the `steps:` of the file, or NULL: for the engine */
    struct span definition;   /* everything but `steps`, as JSON in written order */
};

/* The event id of a type; EVENT_ID_OTHER when the definition does not name it. */
uint32_t machine_find_event(const struct machine *machine, struct span type);

/* The state of an id or a path (also with the machine's id before it); NO_STATE. */
uint32_t machine_find_state(const struct machine *machine, struct span name);

/* True when inner is below outer. NO_STATE stands above the root. */
static inline bool machine_is_within(const struct machine *machine, uint32_t inner,
                                     uint32_t outer)
{
    return outer == NO_STATE || (inner > outer && inner < machine->states[outer].end);
}

/* Whole-structure check for tests and fuzzers: every "always" of this file. */
void machine_verify(const struct machine *machine);
