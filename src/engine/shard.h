/*
 * shard.h - the inside of an engine: what its parts share. Only engine includes this.
 *
 *   inbox    events accepted and not yet turned, in order
 *   turn     runs one event on memory, writes its record into the open batch
 *   child    what a turn asks of other instances of its family: turns of the same batch
 *   spin     timers without a delay that follow one from another
 *   batch    the open batch and the one being committed; releases what hangs on it
 *   dispatch requests: may they go, how did they end, when again
 *
 * Everything runs on the loop's thread, but for the commit itself.
 */
#pragma once

#include <stdatomic.h>

#include "base/random.h"
#include "base/table.h"
#include "engine/record.h"
#include "engine/runtime.h"
#include "engine/wake.h"

/* What an event asks of an instance. */
struct inbox_event {
    struct inbox_event *next;
    enum event_kind kind;
    struct instance *instance; /* NULL: to be found by id */
    uint64_t number;           /* DONE, ERROR */
    struct span id;
    struct span type;
    struct span payload;    /* JSON; START: the input */
    struct span key;        /* idempotency key of a send */
    struct span first_type; /* START: the event sent at once */
    struct span first_payload;
    struct deployed *deployed; /* START */
    instant_ms asked_at;       /* START: when somebody outside asked; 0: nobody did */
    engine_done *done;
    void *context;
};

/* An idempotency key whose row is not durable yet. */
struct pending_key {
    struct pending_key *next;
    char name[33];
    struct span answer; /* as in the row */
};

/* Things held back until the batch they belong to is durable. */
enum release_kind { RELEASE_REPLY, RELEASE_REQUEST, RELEASE_STOPPED, RELEASE_REST };

struct release {
    enum release_kind kind;
    struct engine_reply reply; /* message in general memory */
    engine_done *done;
    void *context;
    struct live_request *live;
    struct instance *instance;
    enum instance_rest rest;
};

struct open_batch {
    struct text records;
    lsn record_count;
    bool hard; /* somebody waits for it; otherwise it may ride along for a while */
    instant_ms opened_at;
    struct release *releases;
    size_t release_count;
    size_t release_capacity;
    struct store_row *rows; /* gathered at the closing; their bytes stand in row_bytes */
    size_t row_count;
    size_t row_capacity;
    struct arena row_arena;
    struct pending_key *keys;
    struct batch batch;
};

/* Requests that wait, first in first out. */
struct live_line {
    struct live_request *first;
    struct live_request **end;
    uint32_t count;
};

enum { GATE_STATES = BREAKER_HALF_OPEN + 1 };

/* What has come of a destination's calls, since there is a row of it. */
struct gate_counts {
    uint64_t done;
    uint64_t failed[ERROR_KIND_COUNT];
    uint64_t retries;
    uint64_t hedges;
    uint64_t entered[GATE_STATES]; /* how often the breaker came into each state */
};

/* What one destination lets through: a step, or one key of it. Its lanes that may not go stand
 * still, first in first out, until the breaker or the rate has room for some of them. */
struct live_gate {
    struct live_step *step;
    char *key; /* "" for the step's own */
    struct breaker breaker;
    struct rate rate;
    uint32_t running; /* calls under way */
    struct gate_counts counts;
    enum breaker_state seen; /* what `entered` has counted last */
    struct live_lane *by_breaker;
    struct live_lane **by_breaker_end;
    struct live_lane *by_rate;
    struct live_lane **by_rate_end;
    struct wake breaker_wake; /* when the breaker may let somebody through */
    struct wake rate_wake;
    bool has_ramped; /* lanes stand here because the breaker ramped */
    bool dirty;      /* the row that shows it to readers is behind */
    enum breaker_state shown;
    instant_ms shown_at;
    struct live_gate *next; /* of the same step */
};

/* May a call go? Not while the breaker ramps up, is open, or the rate is spent. */
enum gate_answer { GATE_GO, GATE_RAMP, GATE_OPEN, GATE_SPENT };

enum lane_rest { LANE_EMPTY, LANE_READY, LANE_STOPPED };

/* Those of one class and key of a step that wait. Lanes that are ready take turns at the place.
 */
struct live_lane {
    struct live_step *step;
    enum priority priority;
    char *key; /* how the step finds it */
    struct live_gate *breaker_gate;
    struct live_gate *rate_gate;
    struct live_line awake;
    struct live_line parked; /* go after those awake, and now and then before */
    uint32_t picked;         /* while some were awake */
    enum lane_rest rest;
    enum gate_answer stopped_by;
    struct live_lane *next; /* READY: whose turn is next; STOPPED: at the gate */
    struct live_lane *next_of_step;
};

struct live_ring {
    struct live_lane *first;
    struct live_lane **end;
};

/* The limit of a step, or of several. */
struct live_place {
    struct live_step *step; /* whose rules it has */
    struct limit limit;
    struct adaptive adaptive;
    struct fairness fairness;
    struct live_ring rings[PRIORITY_COUNT]; /* of lanes that are ready */
    uint32_t awake;   /* in lanes, not parked: what the queue has room for */
    uint32_t waiting; /* in lanes, the parked too */
};

/* The runtime of one step of a machine, shared by all versions: one dependency, one breaker. */
struct live_step {
    struct engine *engine;
    struct live_entrance *entrance; /* of its machine */
    char *key;                      /* "machine/step" */
    struct step step; /* of the version deployed last; its parts live with that deployment */
    struct live_step *fallback; /* or NULL */
    struct live_gate gate;      /* of what has no key */
    struct live_gate *gates;    /* of the keys */
    struct table gate_table;
    struct live_lane *lanes;
    struct live_lane
        *plain_lane; /* of a step without keys and priorities; NULL before its use */
    struct table lane_table;
    struct live_place own_place;
    struct live_place *place; /* its own, or another step's */
    struct budget budget;
    struct latency latency;
    struct live_line starved; /* wait for the budget */
    struct wake starved_wake;
    struct live_step *next;
};

/* The door of a machine, all its versions: whom it lets in while there is much to do. */
struct live_entrance {
    struct engine *engine;
    char *machine;              /* its id */
    struct admission_rule rule; /* of the version deployed last, as the one below */
    const struct expr_slot *priority;
    struct admission admission;
    uint64_t working;                        /* instances that are at no rest */
    uint64_t counts[ADMISSION_ANSWER_COUNT]; /* of those that asked */
    duration_ms delay_ms;                    /* at delay_at: how long its steps' lines stand */
    instant_ms delay_at;
    bool dirty; /* the row is behind; a refusal alone writes none */
    instant_ms shown_at;
    struct live_entrance *next;
};

struct live_deployment {
    struct live_entrance *entrance;
    struct live_step **steps; /* by the definition's step index */
};

/* An attempt, or the hedge beside it. */
struct live_attempt {
    struct live_request *live;
    struct strategy *strategy;
    struct live_place *place;
    struct attempt *attempt; /* NULL: none is under way */
    struct breaker_permit permit;
    instant_ms started_at;
    int64_t started_us;
};

struct live_request {
    struct request *request; /* NULL: its invocation is gone, only the attempt is left */
    struct instance *instance;
    uint64_t number;
    struct live_step *step; /* that is tried now: a fallback's after falling back */
    struct live_lane *lane; /* NULL before it is released */
    struct live_line *line; /* NULL: not in line */
    struct live_request *next_in_line;
    struct live_request **previous_in_line;
    struct deadline deadline;
    instant_ms queued_at; /* when it joined the line without being parked */
    struct wake wake;     /* backoff over, deadline, parked for too long, or time for a hedge */
    struct live_attempt attempts[2];
    struct compensation *compensation; /* of `src: compensate`, once it is known */
    duration_ms delay_ms;              /* before the last attempt */
    uint32_t hedges;                   /* among the attempts */
    bool released;                     /* durable: policies may let it go */
    bool settled;                      /* its result is in the inbox */
    bool resumed;                      /* an earlier engine left it behind */
};

/* An armed timer without a delay, and how many such led to it, one from another, itself
 * included. */
struct spin {
    uint64_t number;
    uint32_t count;
};

struct live_instance {
    struct engine *engine;
    instant_ms began_at; /* to work: when it was at rest last */
    struct wake timer;
    enum instance_rest rest;
    bool is_counted;    /* in engine->rests */
    bool is_moved;      /* in engine->moved */
    bool timer_queued;  /* a timer event is in the inbox */
    struct spin *spins; /* in the order of their numbers */
    size_t spin_count;
    size_t spin_capacity;
};

enum engine_mode { ENGINE_RUNNING, ENGINE_STOPPING, ENGINE_STOPPED, ENGINE_BROKEN };

struct engine {
    struct engine_options options;
    struct registry registry;
    struct loop *loop;
    struct worker *worker;
    struct loop_wake *wake;
    struct loop_round *round;
    struct loop_timer *timer;
    instant_ms timer_due;
    struct strategy **strategies; /* by type index */
    struct live_step *steps;
    struct live_entrance *entrances;
    struct wakes wakes;
    struct random random;
    enum engine_mode mode;
    instant_ms now;    /* never goes back */
    instant_ms anchor; /* the last `now` that the wall clock gave, and when that was */
    int64_t anchor_us;
    char *focus;

    struct inbox_event *inbox;
    struct inbox_event **inbox_end;
    uint64_t inbox_count;

    struct letter *letters; /* written and not read: none between turns from the inbox */
    struct letter **letters_end;
    bool is_settling;        /* letters are being read */
    struct instance **moved; /* turned since the family settled: their rest may be another */
    size_t moved_count;
    size_t moved_capacity;
    uint64_t letters_dropped; /* since the opening: whoever they were for had ended */
    uint32_t spin_count;      /* of the timer behind the turns that run now; 0: it had a delay,
                                 or something else is behind them */

    struct open_batch batches[2];
    struct open_batch *open;   /* being filled */
    struct open_batch *flying; /* being committed, or NULL */
    atomic_bool landed;
    enum status landed_status;
    lsn lsn;
    uint32_t crc;
    uint64_t log_bytes_behind; /* of records that no row reflects, roughly */

    struct table keys; /* name → struct pending_key */
    struct arena turn_arena;
    void *turn_memory;
    uint64_t rests[REST_FINAL + 1];
    uint64_t turns;
    uint64_t commits;

    duration_ms grace_ms;
    instant_ms stop_at;
    loop_callback *stopped;
    void *stopped_context;
    bool pumping;
};

/* runtime.c */
instant_ms shard_now(struct engine *engine);
void shard_break(struct engine *engine, enum status status, const char *problem);
/* Answers ANSWER_UNKNOWN, once: *done is NULL afterwards (and may be before). */
void shard_tell_unknown(engine_done **done, void *context);
/* Of the newest record that is on disk. */
lsn shard_durable_lsn(const struct engine *engine);
bool shard_is_focused(const struct engine *engine, const struct instance *instance);
/* Gives an instance its runtime, and takes it away. */
void shard_attach(struct engine *engine, struct instance *instance);
void shard_forget(struct engine *engine, struct instance *instance);

/* inbox.c: copies the spans of the event into one piece of memory behind it. */
void inbox_add(struct engine *engine, const struct inbox_event *event);
struct inbox_event *inbox_take(struct engine *engine);
bool inbox_is_full(const struct engine *engine); /* for events from outside */
void inbox_tell_unknown(struct engine *engine);  /* to all that wait for an answer */

/* turn.c */
void turn_run(struct engine *engine, struct inbox_event *event);
/* A turn for an event of the family, on the turn's arena. STATUS_NO_SPACE: nothing happened. */
enum status turn_take_letter(struct engine *engine, struct instance *instance,
                             struct event *event, struct span payload) must_check;
/* There will never be a macrostep for the event: the instance stops, the others go on. */
void turn_give_up(struct engine *engine, struct instance *instance, struct event *event,
                  struct span payload, enum giving_up why);

/* spin.c: timers without a delay that follow one from another. */
/* After a turn that armed timers from first_new on. */
void spin_note(struct engine *engine, struct instance *instance, uint64_t first_new,
               const struct configuration *after);
/* How many led to the timer that fires, itself included; 0: it was armed with a delay. */
uint32_t spin_count(const struct instance *instance, uint64_t number);
void spin_release(struct instance *instance);

/* child.c: what a turn asks of the family, as letters. */
void child_follow(struct engine *engine, struct instance *instance, const struct event *event,
                  uint64_t first_new, const struct plan *plan);
/* Tells those who listen where instances came to rest. */
void turn_tell_rests(struct engine *engine);
/* Reads letters until there are none. False when there were none. Clears the turn's arena. */
bool child_settle(struct engine *engine);

/* batch.c */
void batches_init(struct engine *engine);
void batches_fini(struct engine *engine);
/* Appends a record of the instance and moves its back-pointer; PROGRESS takes the request. */
void batch_add_record(struct engine *engine, struct instance *instance,
                      const struct record *record, const struct request *request);
struct release *batch_add_release(struct engine *engine, enum release_kind kind);
/* A row that becomes durable with the open batch; its spans are copied. */
void batch_add_row(struct engine *engine, const struct store_row *row);
bool batch_has_room(const struct engine *engine);
/* Commits the open batch if there is something in it and nothing is flying. */
void batch_close(struct engine *engine);
/* Handles a commit that has landed. */
void batch_land(struct engine *engine);
void batches_tell_unknown(struct engine *engine); /* to all that wait for an answer */
bool batch_is_settled(
    const struct engine *engine); /* nothing open, nothing flying, no row behind */

/* line.c: who waits, and whose turn it is. */
/* The limit as it is now: an adaptive one moves. */
struct limit_rule line_limit(const struct live_place *place);
void line_init(struct live_line *line);
void line_leave(struct live_request *live); /* fine when it is not in line */
/* Stands in line for the budget. */
void line_starve(struct live_request *live);
/* Stands in its lane, as its phase says: parked or awake. */
void line_join(struct live_request *live);
/* All that are awake in the lane are parked now: moves them, the caller notes it. */
void line_park(struct live_lane *lane, void (*note)(struct live_request *live));
/* The lane of a request's class and keys, as its step's expressions have them. */
struct live_lane *line_find_lane(struct live_request *live);
void line_set_ready(struct live_lane *lane);
/* Who is next at the place, or NULL. Its lane is out of its ring until line_return(), which
 * puts it at the end, or gate_stop(). */
struct live_request *line_next(struct live_place *place);
void line_return(struct live_lane *lane);
/* A call has ended: gives its place free, and tells an adaptive limit how it went. */
void line_give_place(struct live_place *place, const struct attempt_result *result,
                     int64_t took_us);
/* The step waits at another place from now on. */
void line_move_step(struct live_step *step, struct live_place *place);
/* How long the first in the step's line has waited, of the lane where that is least: one key
 * that is stuck holds nobody else up. 0 when nobody waits. */
duration_ms line_delay_ms(const struct live_step *step);
void line_fini(struct live_step *step);

/* gate.c: what a destination lets through. */
void gate_init(struct live_gate *gate, struct live_step *step, struct span key);
struct live_gate *gate_find(struct live_step *step, struct span key);
/* GO takes the permit. */
enum gate_answer gate_enter(struct live_lane *lane, struct breaker_permit *permit);
/* The call that was let in is one more of a request, or beside another. */
void gate_note_retry(struct live_lane *lane);
void gate_note_hedge(struct live_lane *lane);
/* The lane waits until the gate that refused it has room. */
void gate_stop(struct live_lane *lane, enum gate_answer answer);
/* The call has ended, or (result NULL) was cancelled. */
void gate_leave(struct live_lane *lane, const struct breaker_permit *permit,
                const struct attempt_result *result, duration_ms took_ms);
/* The step's rules were revised: whoever stands at a gate is looked at again. */
void gate_revise(struct live_step *step);
/* Adds rows of policies that changed to the open batch. */
void gate_add_rows(struct engine *engine);
void gate_fini(struct live_step *step);

/* entrance.c: which new instances come in. */
void entrance_deploy(struct engine *engine, struct deployed *deployed);
/* True after answering that the start is refused for now. */
bool entrance_refuses(struct engine *engine, const struct inbox_event *event,
                      struct value input);
/* An instance is at another rest; that of a new one was REST_FINAL. */
void entrance_move(struct live_entrance *entrance, enum instance_rest from,
                   enum instance_rest to);
/* A new instance has come to rest by its start alone. */
void entrance_pass(struct live_entrance *entrance);
void entrance_add_rows(struct engine *engine);
void entrances_fini(struct engine *engine);

/* policy_row.c: rows that show policies to readers, and keep what the next engine takes up. */
/* Adds `"saved":"…"`, from which policy_row_load() has the bytes again. */
void policy_row_add_saved(struct text *json, const void *saved, size_t size);
/* False where there is no row, or what it keeps is of another layout or size. Older programs
 * kept size_before bytes: what they did not keep is zero. */
bool policy_row_load(struct engine *engine, struct span key, void *saved, size_t size_before,
                     size_t size);
void policy_row_put(struct engine *engine, struct span key, struct span state,
                    struct span json);

/* compensation.c: `src: compensate` undoes what was done, in reverse order. */
enum compensation_answer {
    COMPENSATION_CALL,    /* live->step is called next */
    COMPENSATION_LATER,   /* not everything is on disk yet: ask again soon */
    COMPENSATION_OVER,    /* nothing is left to undo */
    COMPENSATION_UNKNOWN, /* the history cannot be read */
    COMPENSATION_TOO_MUCH /* COMPENSATIONS_MAX, or COMPENSATION_BYTES_MAX */
};
bool compensation_is_asked(const struct live_request *live);
enum compensation_answer compensation_next(struct live_request *live);
/* The input and the idempotency key of the call that live->step is now. */
struct value compensation_input(const struct live_request *live, struct arena *arena);
void compensation_key(const struct live_request *live, char key[33]);
uint32_t compensation_count(const struct live_request *live);
void compensation_release(struct live_request *live);

/* live_step.c: gives every step of a deployment its runtime, and the rules it has now. */
void live_step_deploy(struct engine *engine, struct deployed *deployed);

/* dispatch.c */
void dispatch_budget_woken(struct wake *wake, instant_ms now); /* of a step: there is some */
/* Gives a request its runtime; it goes nowhere before dispatch_release(). */
void dispatch_attach(struct engine *engine, struct request *request);
/* The request is durable (or was recovered): it goes when policies allow. */
void dispatch_release(struct live_request *live);
/* The invocation is gone. The attempt is cancelled when that is durable: dispatch_stop(). */
void dispatch_detach(struct engine *engine, struct request *request);
void dispatch_stop(struct live_request *live);
/* Lets those in line go that may. */
void dispatch_pump(struct live_step *step);
void dispatch_cancel_all(struct engine *engine);
uint32_t dispatch_running(const struct engine *engine);
void dispatch_fini(struct engine *engine);

/* idempotency.c: what was answered to a key before (I3). */
enum key_verdict { KEY_NEW, KEY_REPEATED, KEY_OTHER_CONTENT, KEY_UNREADABLE };
enum key_verdict idempotency_find(struct engine *engine, const struct inbox_event *event,
                                  struct engine_reply *reply);
void idempotency_add(struct engine *engine, const struct inbox_event *event,
                     const struct engine_reply *reply);
/* Forgets the keys of the batch in memory: their rows are durable now. */
void idempotency_landed(struct engine *engine, struct open_batch *batch);
/* Deletes entries whose time is over, a slice of them at every opening. */
enum status idempotency_purge(struct engine *engine) must_check;
void idempotency_init(struct engine *engine);
void idempotency_fini(struct engine *engine);
