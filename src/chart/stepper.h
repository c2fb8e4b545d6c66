/*
 * stepper.h - what the files of the macrostep share. Only step*.c includes this.
 *
 * A stepper builds the next configuration in the plan: it starts as a copy of the one before
 * and is changed in place, microstep by microstep. Functions that can end the macrostep return
 * false, with `problem` set; nothing of the copy is used then.
 *
 * Most macrosteps only leave and enter states, so a stepper is first given what selecting
 * transitions needs, and the rest when it turns out to be needed.
 */
#pragma once

#include "chart/step.h"

/* What _event.type says of an event. */
enum raised_by { RAISED_PLATFORM, RAISED_INTERNAL, RAISED_EXTERNAL };

/* An event of the internal queue, or the one being handled. */
struct raised {
    uint32_t event;
    enum raised_by by;
    struct span type;
    struct value payload; /* a map */
    struct span invoke_id;
    struct span origin;
    struct span send_id;
    struct raised *next;
};

/* A transition that was chosen, and what it leaves. */
struct choice {
    const struct machine_transition *transition;
    uint32_t domain;
    uint32_t move; /* its candidate's; NO_INDEX */
};

struct stepper {
    const struct machine *machine;
    struct arena *arena;
    struct plan *plan;
    struct configuration *next; /* the plan's */
    instant_ms now;

    /* Selecting. */
    const struct raised *event; /* the one being handled */
    struct choice *choices;     /* room for one of every leaf that can be active */
    uint32_t choice_count;
    uint64_t cost; /* of the guards and actions so far, and what they evaluated */
    struct raised *queue;
    struct raised **queue_end;
    struct step_error **errors_end;
    struct span undeclared;  /* text != NULL: a guard of that name was asked for */
    struct span failed_send; /* the id of the event that could not be sent, or empty */
    bool is_bound;           /* the slots have their values */
    bool guard_error_raised;
    bool looks_further;   /* the guard reads more than which states are active */
    uint32_t asked_count; /* guards that did, so far */
    uint32_t asked;       /* the last of them */
    bool asked_holds;     /* … and what it said */

    /* Moving and acting. */
    bool applied;
    bool derives;     /* the record changed, or a state, since it was derived last */
    bool is_complete; /* a top-level final state was entered */
    uint32_t microsteps;
    uint64_t *active;
    uint64_t *memory;
    struct armed_timer *timers;
    uint32_t timer_capacity;
    struct invocation *invocations;
    uint32_t invocation_capacity;
    struct effect *effects; /* what cannot be told from before and after */
    uint32_t effect_count;
    uint32_t effect_capacity;
    uint32_t *via; /* states that derivations passed on their way */
    uint32_t via_count;
    uint32_t via_capacity;
    int64_t room;        /* how many bytes the context may surely still grow by */
    struct value output; /* … of the final state that completed the machine */
    struct span problem; /* text != NULL: an action failed */

    struct expr_frame frame;
    struct choice only_choice; /* where no two leaves are active at once */
    struct value slots[];      /* the variables of the machine's expressions */
};

/* step.c */
/* One that can select what the plan's configuration and an event enable, and no more yet. */
struct stepper *stepper_make(const struct machine *machine, instant_ms now, struct arena *arena,
                             struct plan *plan);
/* As if nothing had been selected yet, nor told. */
void stepper_forget(struct stepper *stepper);
/* One more; false, with the problem set, when there were enough. */
bool stepper_count_microstep(struct stepper *stepper);
/* Gives the variables of expressions their values, before the first of them is evaluated. */
void stepper_bind(struct stepper *stepper);

/* step_arrive.c: what an event from outside is called here, and whom it still concerns. */
struct arrival {
    struct raised event;
    bool late;
    struct span to; /* not empty: an event for somebody else that was delayed */
};

struct arrival stepper_arrival(const struct machine *machine,
                               const struct configuration *before, const struct event *event,
                               struct arena *arena);

/* step_queue.c: events, errors and values. */
/* Counts one more guard or action; false: the macrostep has cost enough. */
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
/* The slot's value in the form that survives a restart; null where there is no slot, an error
 * where it is undefined. */
struct value stepper_plain(struct stepper *stepper, const struct expr_slot *slot);
/* The same, where an error ends the macrostep; "assign" and "total" say what it was for. */
bool stepper_value(struct stepper *stepper, const struct expr_slot *slot, const char *what,
                   struct span name, struct place place, struct value *value);
/* The same, where undefined may go. */
bool stepper_value_or_none(struct stepper *stepper, const struct expr_slot *slot,
                           const char *what, struct span name, struct place place,
                           struct value *value);
/* Whether the member of that name, which is new, surely lets the context stay below its limit.
 */
bool stepper_fits(struct stepper *stepper, struct value context, struct span name);
/* Shows a context to expressions, and the record that it may be. */
void stepper_show_context(struct stepper *stepper, struct value context);
/* Makes it the context; what is not known to fit is measured. */
bool stepper_keep_context(struct stepper *stepper, struct value context, bool fits);

/* step_invoke.c */
/* Evaluates the inputs of new invocations, up to the first that fails: what is done about it
 * may leave the states of the others. */
void stepper_request_invocations(struct stepper *stepper);
/* An event of a child first runs what its invoke says under `finalize`; and an external one is
 * passed on to the children that want to see everything. */
bool stepper_tell_children(struct stepper *stepper, const struct raised *event);

/* step_select.c */
bool stepper_guard_holds(struct stepper *stepper, uint32_t guard);
/* What one active leaf would take, or NULL. */
static inline const struct machine_candidate *stepper_choose(struct stepper *stepper,
                                                             uint32_t leaf, uint32_t event)
{
    const struct machine *machine = stepper->machine;
    const uint32_t *start = &machine->candidate_starts[machine->cells[leaf] + event];
    for (uint32_t i = start[0]; i < start[1]; i++) {
        const struct machine_candidate *candidate = &machine->candidates[i];
        if (candidate->guard == NO_INDEX || stepper_guard_holds(stepper, candidate->guard))
            return candidate;
    }
    return NULL;
}

/* Fills `choices` with what the event (EVENT_ID_NONE: none) enables, in document order. */
void stepper_select(struct stepper *stepper, uint32_t event);

/* step_action.c. False: the macrostep ends; with SCXML's rules an error ends only its block. */
bool stepper_act(struct stepper *stepper, struct range actions);
/* True for SCXML's `#_scxml_ID`: a session by its id, wherever it runs. */
bool stepper_is_session(struct span to);
bool stepper_arm(struct stepper *stepper, struct armed_timer timer, duration_ms delay,
                 struct place place);
bool stepper_delay(struct stepper *stepper, const struct expr_slot *slot, struct place place,
                   duration_ms *delay);
void stepper_add_invocation(struct stepper *stepper, struct invocation invocation);

/* step_light.c: the whole macrostep of the event, where it does nothing but leave and enter.
 * Changes the words, which are those of the configuration, and sets `changed` and `applied`.
 * False: it is more than that, or was not found to be less; guards were evaluated, and nothing
 * is changed. */
bool stepper_move_lightly(struct stepper *stepper, uint64_t *active, uint64_t *memory);

/* step_script.c: an expr_foreign_function; the host is the stepper. */
struct value stepper_foreign(void *host, const struct expr_foreign *foreign, struct value given,
                             struct arena *arena);

/* step_record.c: machines whose state follows from a record, their context. */
/* The first record: the input, over what `context` says. */
bool stepper_take_record(struct stepper *stepper, struct value input, struct value *context);
/* Enters the leaves that follow from the first record. */
bool stepper_start_derived(struct stepper *stepper);
/* Lays the patch of an event over the record. */
bool stepper_patch(struct stepper *stepper, struct value payload);
/* Derives the states again, if something changed; *again tells whether one was left. */
bool stepper_derive(struct stepper *stepper, bool *again);
/* Whether nothing leads on from where it stands, and nothing is under way there. */
bool stepper_is_at_end(const struct stepper *stepper);

/* step_move.c: one microstep with what was chosen. */
bool stepper_move(struct stepper *stepper);
/* Leaves what is active below the domains, and enters these leaves with all around them. */
bool stepper_move_to(struct stepper *stepper, const uint32_t *domains, const uint32_t *leaves,
                     uint32_t count);
/* The machine has come to its end without a final state. */
bool stepper_complete(struct stepper *stepper);
/* Leaves everything: the machine has come to its end. */
bool stepper_finish(struct stepper *stepper);
/* Runs the exit actions of all that is active, inner states first. */
bool stepper_leave_all(struct stepper *stepper);
