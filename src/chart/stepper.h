/*
 * stepper.h - what the files of the macrostep share. Only step*.c includes this.
 *
 * A stepper builds the next configuration in the arena: it starts as a copy of the one
 * before and is changed in place, microstep by microstep. Functions that can end the
 * macrostep return false, with `problem` set; nothing of the copy is used then.
 */
#pragma once

#include "chart/step.h"

/* An event of the internal queue, or the one being handled. */
struct raised {
    uint32_t event;
    struct span type;
    struct value payload; /* a map */
    const char *origin_type;
    struct span invoke_id;
    struct span origin;
    struct span send_id;
    struct raised *next;
};

/* What _event.type says of an event. */
#define RAISED_PLATFORM "platform"
#define RAISED_INTERNAL "internal"
#define RAISED_EXTERNAL "external"

/* A transition that was chosen, and what it leaves. */
struct choice {
    const struct machine_transition *transition;
    uint32_t domain;
};

struct stepper {
    const struct machine *machine;
    struct arena *arena;
    struct plan *plan;
    instant_ms now;

    struct configuration next;
    uint64_t *active;
    uint64_t *memory;
    struct armed_timer *timers;
    uint32_t timer_capacity;
    struct invocation *invocations;
    uint32_t invocation_capacity;

    struct choice *choices; /* room for one of every leaf */
    uint32_t choice_count;
    struct effect *effects; /* what cannot be told from before and after */
    uint32_t effect_count;
    uint32_t effect_capacity;

    uint32_t event; /* the id of the event being handled */
    struct expr_frame frame;
    struct raised *queue;
    struct raised **queue_end;
    struct step_error **errors_end;
    uint32_t microsteps;
    uint32_t effort; /* the guards and actions so far */
    int64_t room;    /* how many bytes the context may surely still grow by */
    bool guard_error_raised;
    bool applied;
    bool is_complete;        /* a top-level final state was entered */
    struct value output;     /* … and its output */
    struct span undeclared;  /* text != NULL: a guard of that name was asked for */
    struct span problem;     /* text != NULL: an action failed */
    struct span failed_send; /* the id of the event that could not be sent, or empty */
    struct value slots[];    /* the variables of the machine's expressions */
};

/* step_queue.c: events, errors and values. */
/* Counts one more guard or action; false: there were enough for one macrostep. */
bool stepper_spend(struct stepper *stepper);
extern const struct span stepper_exhausted; /* … and how that is said */
void stepper_add_error(struct stepper *stepper, struct span what, struct span text,
                       struct place place, struct span message);
/* Sets the problem that ends the macrostep, or the block of actions; always false. */
bool stepper_fail(struct stepper *stepper, struct span what, struct place place,
                  struct span message);
struct value stepper_map(struct arena *arena, struct span key, struct value value);
struct value stepper_error(struct arena *arena, struct span kind, struct span message);
void stepper_raise(struct stepper *stepper, struct raised raised);
void stepper_raise_error(struct stepper *stepper, uint32_t event, struct span kind,
                         struct span message);
void stepper_set_event(struct stepper *stepper, const struct raised *event);
void *stepper_grow(struct arena *arena, const void *old, uint32_t count, uint32_t *capacity,
                   size_t size);
void stepper_add_effect(struct stepper *stepper, struct effect effect);
/* SCXML: the value is ECMAScript's undefined, which is a member that is not there. */
bool stepper_is_undefined(const struct stepper *stepper, struct value value);
/* The slot's value in the form that survives a restart, or undefined; null where there is no
 * slot. */
struct value stepper_plain(struct stepper *stepper, const struct expr_slot *slot);
/* The same, where an error ends the macrostep; "assign" and "total" say what it was for. */
bool stepper_value(struct stepper *stepper, const struct expr_slot *slot, const char *what,
                   struct span name, struct place place, struct value *value);
/* Whether the member of that name, which is new, surely lets the context stay below its limit.
 */
bool stepper_fits(struct stepper *stepper, struct value context, struct span name);
/* Makes it the context; what is not known to fit is measured. */
bool stepper_keep_context(struct stepper *stepper, struct value context, bool fits);

/* step_select.c */
bool stepper_guard_holds(struct stepper *stepper, uint32_t guard);
/* Fills `choices` with what the event (EVENT_ID_NONE: none) enables, in document order. */
void stepper_select(struct stepper *stepper, uint32_t event);

/* step_action.c. False: the macrostep ends; with SCXML's rules an error ends only its block. */
bool stepper_act(struct stepper *stepper, struct range actions);
bool stepper_arm(struct stepper *stepper, struct armed_timer timer, duration_ms delay,
                 struct place place);
bool stepper_delay(struct stepper *stepper, const struct expr_slot *slot, struct place place,
                   duration_ms *delay);
void stepper_add_invocation(struct stepper *stepper, struct invocation invocation);

/* step_move.c: one microstep with what was chosen. */
bool stepper_move(struct stepper *stepper);
/* Leaves everything: the machine has come to its end. */
bool stepper_finish(struct stepper *stepper);
