/*
 * step.h - one macrostep: the pure function at the heart of everything.
 *
 * The same machine, configuration, event and time always give the same plan. Nothing is
 * read but the arguments and nothing is changed but the arena and the plan.
 *
 * A macrostep takes one event, selects transitions (in every region the innermost state
 * first, then document order, guards that fail or err fall through), leaves, acts, enters,
 * and goes on with eventless transitions and internal events until nothing is left.
 * Invocations of states that are still active then are requested. Design: SEMANTICS §1.
 */
#pragma once

#include "base/status.h"
#include "chart/configuration.h"

enum event_kind {
    EVENT_START,    /* payload: the input */
    EVENT_EXTERNAL, /* type and payload, a map without `type` */
    EVENT_DONE,     /* number: the invocation; payload: its output */
    EVENT_ERROR,    /* number: the invocation; payload: the error, a map with `kind` */
    EVENT_TIMER,    /* number: the timer */
    EVENT_STOP,     /* its parent needs it no longer */
};

struct event {
    enum event_kind kind;
    struct span type; /* EVENT_EXTERNAL */
    struct value payload;
    uint64_t number;
    struct span session;   /* EVENT_START: SCXML's _sessionid; the machine's id when empty */
    struct span invoke_id; /* from a child: the id of the invocation that it is */
    struct span origin;    /* EVENT_EXTERNAL: where an answer goes to, when somebody told */
    struct span send_id;   /* EVENT_EXTERNAL: the id its sender gave it */
    struct span sender;    /* the instance it is from, for histories: no step reads it */
};

#define OUTCOME_LIST(X)                                                  \
    X(APPLIED, "applied") /* at least one transition was taken */        \
    X(IGNORED, "ignored") /* nothing was enabled, or it came too late */ \
    X(FAILED, "failed")   /* an action's error discarded the macrostep */

#define OUTCOME_ENUM(name, text) OUTCOME_##name,
enum outcome { OUTCOME_LIST(OUTCOME_ENUM) OUTCOME_COUNT };
#undef OUTCOME_ENUM

enum effect_kind {
    EFFECT_INVOKE,   /* request the invocation */
    EFFECT_STOP,     /* the invocation's state was left: cancel it */
    EFFECT_SCHEDULE, /* the timer was armed */
    EFFECT_CANCEL,   /* the timer was disarmed without having fired */
    EFFECT_ACTION,   /* carry out the action of that name; it answers nothing */
    EFFECT_LOG,
    EFFECT_EMIT, /* tell whoever listens */
    EFFECT_SEND, /* send to a child or to the parent */
};

struct effect {
    enum effect_kind kind;
    uint64_t number;     /* of the invocation or timer; EFFECT_SEND: of the child, else 0 */
    struct span id;      /* of the invocation, the timer's name, or what the event is sent to */
    struct span name;    /* the source, the action's name, the event's type, or a log's label */
    struct value input;  /* of the invocation, params, what is logged, or the event's payload */
    uint32_t index;      /* of the machine's invoke or timer, or NO_INDEX */
    instant_ms due;      /* EFFECT_SCHEDULE */
    struct span send_id; /* EFFECT_SEND */
};

/* An expression that failed while the macrostep went on (a guard), or that ended it (an
 * assign). */
struct step_error {
    struct span what; /* "guard" or "assign order" */
    struct span text; /* of the expression, or empty */
    struct place place;
    struct span message;
    struct step_error *next;
};

/* Why there was no macrostep for an event. */
enum giving_up {
    GIVING_UP_NOT,
    GIVING_UP_ROOM, /* it needs more memory than there is */
    GIVING_UP_REST, /* the family of the instance does not come to rest */
    GIVING_UP_SPIN, /* timers without a delay follow one from another */
};

struct plan {
    enum outcome outcome;
    bool changed;           /* see configuration_looks_equal() */
    bool late;              /* IGNORED because its invocation or timer is no longer active */
    enum giving_up gave_up; /* by step_give_up() */
    struct configuration after;
    const struct effect *effects;
    uint32_t effect_count;
    const uint32_t *via; /* the states that a derivation passed, and did not enter */
    uint32_t via_count;
    struct span type; /* the event's type, as histories show it */
    struct value payload;
    struct step_error *errors; /* in the order they happened */
};

/*
 * Runs one macrostep. `before` is NULL exactly for EVENT_START. STATUS_NO_SPACE when the arena
 * is spent or a limit of the instance (timers) is reached: nothing of the plan is valid then,
 * and the event should be treated as failed. Too many microsteps make the outcome FAILED, with
 * an error that says so.
 *
 * What fails for a result or a timer is not lost: the macrostep is discarded, `error.execution`
 * is raised in the old configuration, and when nothing handles it the status becomes `error`.
 *
 * EVENT_STOP makes the status `stopped`, whatever happens. By SCXML's rules the states are
 * left, by XState's nothing is done any more; what it sends then its family does not hear.
 */
enum status step_run(const struct machine *machine, const struct configuration *before,
                     const struct event *event, instant_ms now, struct arena *arena,
                     struct plan *plan) must_check;

/* For an event that step_run() has no room for or that would be one too many, and that has to
 * be settled all the same, such as a timer or a result: no action runs, and the status becomes
 * `error`. Not for EVENT_START. */
enum status step_give_up(const struct machine *machine, const struct configuration *before,
                         const struct event *event, enum giving_up why, instant_ms now,
                         struct arena *arena, struct plan *plan) must_check;

/* {"type":…, …payload}: the event as expressions see it. */
struct value step_event_value(struct span type, struct value payload, struct arena *arena);

/* The effects that lead from one configuration to the next (invoke, stop, schedule, cancel): a
 * function of both, so that histories need not keep them. `before` may be NULL. */
const struct effect *step_effects(const struct configuration *before,
                                  const struct configuration *after, const struct event *event,
                                  struct arena *arena, uint32_t *count);

const char *outcome_name(enum outcome outcome);
