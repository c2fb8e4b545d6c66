/*
 * machine.h - a definition, compiled: immutable tables that all threads share.
 *
 * States stand in document order, so the descendants of state s are exactly those in
 * (s, states[s].end) and an ancestor comes before its descendants. Transitions are found
 * by one look-up: for every leaf and every event the candidates are listed, innermost
 * first, and end with the first one that has no guard, since nothing behind it can win.
 *
 * Where regions run side by side every active leaf has a row of its own, and what several
 * leaves choose together is settled in the step (step_select.c).
 *
 * Always: states[0] is the root; every index is in range; no history state is ever active.
 */
#pragma once

#include "base/node.h"
#include "base/time.h"
#include "expr/expr.h"

#define NO_STATE UINT32_MAX
#define NO_INDEX UINT32_MAX

/* Every event type has a small number; these two stand for no event and for any type not named
 * in the definition. A type that ends in `.*` stands for all those that begin like it and are
 * not named themselves. */
enum { EVENT_ID_NONE, EVENT_ID_OTHER, EVENT_ID_FIRST };

/* Whose rules hold where XState and the W3C differ: SEMANTICS §1. */
enum semantics { SEMANTICS_XSTATE, SEMANTICS_SCXML };

/* The variables of every expression, by slot; named guards follow. */
#define CHART_VARIABLE_LIST(X)           \
    X(CONTEXT, "context")                \
    X(EVENT, "event")                    \
    X(PAYLOAD, "payload")                \
    X(NOW, "now")                        \
    X(INPUT, "input")                    \
    X(PARAMS, "params")                  \
    X(SCXML_EVENT, "_event")             \
    X(SCXML_SESSION, "_sessionid")       \
    X(SCXML_NAME, "_name")               \
    X(SCXML_PROCESSORS, "_ioprocessors") \
    X(RECORD, "") /* as a machine whose state follows from a record calls it */

#define CHART_VARIABLE_ENUM(name, text) CHART_##name,
enum chart_variable { CHART_VARIABLE_LIST(CHART_VARIABLE_ENUM) CHART_VARIABLE_COUNT };
#undef CHART_VARIABLE_ENUM

enum state_type { STATE_ATOMIC, STATE_COMPOUND, STATE_PARALLEL, STATE_FINAL, STATE_HISTORY };

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
    bool is_deep;     /* of a history state */
    uint32_t parent;  /* NO_STATE for the root */
    uint32_t end;     /* one past the last descendant */
    uint32_t initial; /* the transition that enters its children by default, or the default one
                         of a history state; NO_INDEX where there is none */
    uint32_t leaf;    /* row of the candidate table; NO_INDEX when it has children */
    uint32_t memory;  /* row of the remembered states when a history state is inside */
    struct range tags;
    struct range timers;
    struct range invokes;
    struct range entry; /* actions */
    struct range exit;
    const struct expr_slot *output; /* of a final state, or of the root; or NULL */
    uint32_t done_event;            /* done.state.ID, when it is complete */
    struct place place;
};

/* How a guard comes to its verdict. */
enum guard_kind {
    GUARD_EXPRESSION, /* a program */
    GUARD_FOREIGN,    /* an expression in another language */
    GUARD_AND,        /* all its parts */
    GUARD_OR,         /* one of its parts */
    GUARD_NOT,        /* its only part does not hold */
    GUARD_IN,         /* all its states are active */
    GUARD_CALL,       /* another guard, with parameters */
    GUARD_UNDECLARED, /* a name that is declared nowhere: using it is an error */
};

struct machine_guard {
    enum guard_kind kind;
    struct span name; /* empty when not named */
    struct span text;
    const struct expr_program *program;
    const struct expr_foreign *foreign;
    const uint32_t *needs; /* named guards it reads, in the order of their evaluation */
    uint32_t need_count;
    const uint32_t *parts; /* guards, or the states of GUARD_IN */
    uint32_t part_count;
    const struct expr_slot *params; /* of GUARD_CALL, or NULL */
    struct place place;
};

/* `path` tells where inside the member `key` the value goes; usually that is the whole. */
struct machine_assign {
    struct span key;
    const struct expr_slot *slot;
    bool sees_earlier; /* begins a new group: sees what the groups before it assigned */
    const struct span *path;
    uint32_t path_count;
    struct place place;
};

enum action_kind {
    ACTION_ASSIGN,
    ACTION_RAISE,  /* an internal event, or with a delay one that comes later */
    ACTION_SEND,   /* an external event: to itself, its parent, a child */
    ACTION_CANCEL, /* what was raised or sent with a delay under an id */
    ACTION_LOG,
    ACTION_EMIT,
    ACTION_CALL,    /* an action by name that the host carries out */
    ACTION_NAMED,   /* one that is declared: the actions in `assigns`, with `data` as params */
    ACTION_IF,      /* skips `skip` actions unless its guard holds */
    ACTION_ELSE,    /* the end of the branch before: skips `skip` actions */
    ACTION_FOREACH, /* runs the `skip` actions behind it for every element of `data` */
    ACTION_SCRIPT,  /* in another language; `data`: what is assigned to the place it is */
    ACTION_SPAWN,
    ACTION_STOP,
    ACTION_FAIL,  /* always an error: `name` says which */
    ACTION_BLOCK, /* begins another block: an error in one does not keep the next from running
                   */
};

struct machine_action {
    enum action_kind kind;
    uint32_t skip;
    uint32_t guard;       /* ACTION_IF */
    struct range assigns; /* ACTION_ASSIGN */
    struct span name;     /* of an action, the machine to spawn, or the item of a loop */
    struct span index;    /* of a loop: the name of the counter, or empty */
    struct span id;       /* under which a delayed event can be cancelled, or of a child */
    struct span id_place; /* the member of the context that gets the id made up for it */
    const struct expr_slot *type; /* of the event */
    const struct expr_slot *data; /* payload, params, what is logged, or the list of a loop */
    const struct expr_slot *to;
    const struct expr_slot *processor;
    const struct expr_slot *delay; /* NULL: now */
    const struct expr_slot *which; /* the id to cancel or to stop */
    const struct expr_foreign *script;
    bool is_map; /* the payload is `data` itself, not its member `data` */
    struct place place;
};

struct machine_transition {
    uint32_t source;
    uint32_t event; /* its event id, EVENT_ID_NONE for eventless ones; NO_INDEX for those that
                       only enter children by default */
    bool wildcard;  /* `*`: event is EVENT_ID_OTHER, and every other event matches too */
    bool reenter;
    bool is_internal;     /* SCXML's `type="internal"` */
    bool is_broken;       /* its targets cannot be entered together */
    bool is_dynamic;      /* leads to a history state: entry depends on what it holds */
    bool has_domain;      /* … and the domain does not */
    struct range targets; /* states; none: targetless */
    uint32_t target;      /* the first of them, or NO_STATE */
    uint32_t domain;      /* descendants of it are left and entered; NO_STATE: the root too */
    struct range entry;   /* what is entered, in document order: see ENTRY_DEFAULT */
    uint32_t guard;       /* index of a guard, NO_INDEX: none */
    struct range actions;
    bool assigns; /* changes the context */
    struct place place;
};

/* One of those that a leaf tries for an event. */
struct machine_candidate {
    uint32_t transition;
    uint32_t guard; /* the transition's */
    uint32_t move;  /* of those that may do nothing but leave and enter states; NO_INDEX */
};

/* What such a transition does to the words of the active states: see step_light.c. */
struct machine_move {
    uint32_t first_word;
    uint32_t end_word;     /* one past the last */
    bool applies;          /* leads somewhere, and be it back */
    uint32_t recalled;     /* what is remembered of this state is entered too; or NO_STATE */
    const uint64_t *words; /* for each of them the states that stay, and those entered */
};

/* In a list of states to enter: the state's children are entered by default, so the actions of
 * its initial transition run. */
#define ENTRY_DEFAULT 0x80000000u

struct machine_timer {
    uint32_t state;
    duration_ms delay_ms;
    const struct expr_slot *delay; /* or NULL: delay_ms */
    uint32_t event;
    uint32_t invoke;  /* of the invocation it limits, or NO_INDEX */
    struct span name; /* the event's type: "after.30s.PENDING" */
    struct place place;
};

struct machine_invoke {
    uint32_t state;
    struct span id;
    struct span src;
    const struct expr_slot *src_slot; /* where the source is known only then; or NULL */
    const struct expr_slot *type;     /* SCXML; or NULL */
    const struct expr_slot *content;  /* SCXML: the document itself; or NULL */
    const struct expr_slot *input;    /* NULL: null */
    struct span id_place;             /* SCXML: the member of the context that gets its id */
    bool forwards;                    /* every external event goes to the child too */
    struct range finalize;            /* actions that run before an event of the child */
    uint32_t done_event;
    uint32_t error_event;
    struct span done_type;
    struct span error_type;
    struct place place;
};

struct derivation;

/* What changes the record of a machine whose state follows from it. */
#define PATCH_EVENT "record.patch"

/* An event that may come from outside, and what its payload looks like. */
struct machine_event {
    struct span type; /* may end in `.*`, or be `*` */
    const struct schema *schema;
};

/* Members at the root that are no part of the machine, because they may change without a new
 * version: `steps` and `admission`. */
enum { MACHINE_APART_COUNT = 2 };
extern const struct span machine_apart[MACHINE_APART_COUNT];

struct machine {
    struct span id;
    struct span version; /* as written, or the hash */
    enum semantics semantics;
    uint32_t microsteps_max;
    char hash[65];      /* SHA-256 of the definition without `steps`, in hex */
    uint8_t digest[32]; /* the same as bytes */
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
    const struct machine_action *actions;
    uint32_t action_count;
    const uint32_t *targets;
    const uint32_t *entries; /* see ENTRY_DEFAULT */
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
    const struct machine_candidate *candidates;
    const uint32_t *cells; /* by state: where a leaf's row of candidate_starts begins */
    const struct machine_move *moves;

    /* Sets of states, `word_count` words each: what a step need not look at one by one. */
    const uint64_t *leaves;     /* those that have a row in the table */
    const uint64_t *restless;   /* leaves that may leave without an event */
    const uint64_t *busy_exits; /* leaving them does more than that */
    const uint64_t *busy_entries;
    const uint64_t *remembering; /* what is active inside is remembered when they are left */
    bool has_restless;
    bool has_light_steps;                 /* some macrosteps do nothing but leave and enter */
    uint32_t memory_count;                /* states whose children are remembered */
    uint32_t start;                       /* the transition that enters the root */
    struct range run;                     /* SCXML: actions before anything is entered */
    struct value processors;              /* SCXML: _ioprocessors */
    bool has_scripts;                     /* some expression is in another language */
    const struct expr_language *language; /* that it was loaded with; NULL: only CEL */
    const struct machine_event *declared_events; /* under `events`; see door.h */
    uint32_t declared_event_count;
    bool declares_events;
    bool has_parallel;
    bool has_event_classes; /* types that end in `.*` */
    bool tells; /* logs, emits, or asks the host for actions: effects that no state shows */
    bool reads_event; /* some expression does: otherwise the event's value is not made */
    const uint32_t *invariants; /* guards that hold at the end of every macrostep */
    uint32_t invariant_count;

    const struct machine_assign *context; /* the initial context: slots that may read `input` */
    uint32_t context_count;
    const struct span
        *declared; /* SCXML: the only members of the context that may be assigned */
    uint32_t declared_count;
    const struct derivation *derivation; /* of a machine whose state follows from its context,
                                            the record; else NULL */
    const uint32_t *derived_states;      /* by leaf of the derivation */
    uint32_t patch_event;                /* PATCH_EVENT, or EVENT_ID_NONE */
    bool reads_record;                   /* some expression does */
    uint32_t communication_error_event;  /* error.communication */
    uint32_t execution_error_event;      /* error.execution */

    const struct node *apart[MACHINE_APART_COUNT]; /* NULL: not there; for the engine */
    const struct node *machines; /* … and the `machines:`, by the names of their invokes */
    struct span definition;      /* everything but what stands apart, as JSON, as written */
};

/* The event id of a type: its own, that of the longest `prefix.*` it falls under, or
 * EVENT_ID_OTHER. */
uint32_t machine_find_event(const struct machine *machine, struct span type);

/* The state of an id or a path (also with the machine's id before it); NO_STATE. */
uint32_t machine_find_state(const struct machine *machine, struct span name);

/* The scope that the machine's expressions were compiled with; its names live in the arena. */
void machine_scope(const struct machine *machine, struct expr_scope *scope,
                   struct arena *arena);

/* True when inner is below outer. NO_STATE stands above the root. */
static inline bool machine_is_within(const struct machine *machine, uint32_t inner,
                                     uint32_t outer)
{
    return outer == NO_STATE || (inner > outer && inner < machine->states[outer].end);
}

/* Those of the states [from, to) that are in this word of a set. */
static inline uint64_t machine_states_between(uint32_t word, uint32_t from, uint32_t to)
{
    uint32_t first = word * 64;
    uint64_t bits = ~(uint64_t)0;
    if (to < first + 64)
        bits = to <= first ? 0 : bits >> (first + 64 - to);
    if (from > first)
        bits = from < first + 64 ? bits & ~(uint64_t)0 << (from - first) : 0;
    return bits;
}

/* Whole-structure check for tests and fuzzers: every "always" of this file. */
void machine_verify(const struct machine *machine);
