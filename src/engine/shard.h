/*
 * shard.h - the inside of an engine: what its parts share. Only engine includes this.
 *
 *   inbox    events accepted and not yet turned, in order
 *   turn     runs one event on memory, writes its record into the open batch
 *   batch    the open batch and the one being committed; releases what hangs on it
 *   dispatch requests: may they go, how did they end, when again
 *
 * Everything runs on the loop's thread, but for the commit itself.
 */
#pragma once

#include <stdatomic.h>

#include "base/random.h"
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

/* The runtime of one step of a machine, shared by all versions: one dependency, one breaker. */
struct live_step {
    struct engine *engine;
    char *key;        /* "machine/step" */
    struct step step; /* of the version deployed last; its parts live with that deployment */
    struct breaker breaker;
    struct limit limit;
    uint32_t line_count;
    struct live_request *line; /* those that wait for their turn, first in line first */
    struct live_request **line_end;
    struct live_request *awake; /* the first in line that is not parked, or NULL */
    uint32_t awake_count;       /* of those in line that are not parked */
    uint32_t picked;   /* while some were not; now and then it is a parked one's turn */
    struct wake wake;  /* when the breaker may let somebody through */
    bool policy_dirty; /* the row that shows the breaker to readers is behind */
    enum breaker_state shown;
    instant_ms shown_at;
    struct live_step *next;
};

struct live_deployment {
    struct live_step **steps; /* by the definition's step index */
};

struct live_request {
    struct request *request; /* NULL: its invocation is gone, only the attempt is left */
    struct instance *instance;
    uint64_t number;
    struct live_step *step;
    struct live_request *next_in_line;
    struct live_request **previous_in_line; /* NULL: not in line */
    struct deadline deadline;
    struct wake wake;        /* backoff over, deadline, or parked for too long */
    struct attempt *attempt; /* under way */
    struct breaker_permit permit;
    bool released; /* durable: policies may let it go */
    bool settled;  /* its result is in the inbox */
    bool resumed;  /* an earlier engine left it behind */
};

struct live_instance {
    struct engine *engine;
    struct wake timer;
    enum instance_rest rest;
    bool timer_queued; /* a timer event is in the inbox */
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

/* dispatch.c */
void dispatch_deploy(struct engine *engine, struct deployed *deployed);
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
/* Adds rows of breakers that changed to the open batch. */
void dispatch_add_rows(struct engine *engine);
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
