/*
 * runtime.h - an engine at work: owns a database and moves its instances.
 *
 * Two threads: the loop's, on which everything here runs and every callback comes, and
 * the writer's, which blocks in commits. Turns run on memory as fast as they come; what
 * they promise (answers, step requests) is held back until the batch that holds them is
 * durable (I2). The batch closes when the commit before it returns; when nothing is being
 * committed it closes at the end of the loop's round.
 */
#pragma once

#include "engine/history.h"
#include "engine/registry.h"
#include "engine/waiting.h"
#include "os/os.h"

struct engine;

/* How a request to the engine ended. Comes after the commit behind it is durable. */
enum engine_answer {
    ANSWER_OK,
    ANSWER_REPEATED,  /* the same start or key with the same content was accepted before */
    ANSWER_CONFLICT,  /* … with other content: nothing was done */
    ANSWER_NOT_FOUND, /* there is no such instance */
    ANSWER_REFUSED,   /* not valid: nothing was done */
    ANSWER_FULL,      /* a queue is at its limit: try again in retry_ms */
    ANSWER_UNKNOWN,   /* the store failed: repeat with the same key after a restart */
};

struct engine_reply {
    enum engine_answer answer;
    enum outcome outcome; /* OK and REPEATED of a send */
    uint64_t seq;
    duration_ms retry_ms;
    struct span message; /* what was wrong, or empty */
};

typedef void engine_done(void *context, const struct engine_reply *reply);

/* Called on the loop after commits, for every instance that came to another rest (see
 * waiting.h). */
typedef void engine_rested(void *context, const struct instance *instance,
                           enum instance_rest rest);

/* Called once when the store failed: the engine does nothing more. */
typedef void engine_broken(void *context, enum status status, const char *problem);

struct engine_options {
    struct loop *loop;
    struct store *store; /* opened for writing; stays the caller's, outlives the engine */
    struct strategy_types types;
    engine_rested *rested; /* may be NULL */
    engine_broken *broken;
    void *context;     /* of both */
    struct span focus; /* when not empty, only this instance's steps and timers run, and those
                          of its family */
    uint32_t sample;   /* instances replayed at the opening (I8), at most */
};

/* Owns the store's shard, recovers, and resumes open requests and timers. On anything but OK
 * *opened is NULL and problem holds a sentence. */
enum status engine_open(const struct engine_options *options, struct engine **opened,
                        char problem[512]) must_check;

/* Stops dispatching, gives attempts under way up to grace_ms to end, writes what is left, then
 * calls stopped once on the loop. */
void engine_stop(struct engine *engine, duration_ms grace_ms, loop_callback *stopped,
                 void *context);

/* Releases an engine that was stopped or broken. */
void engine_close(struct engine *engine);

/* Deploys a definition: a new version, or revised steps of a known one. ANSWER_CONFLICT when
 * the version exists with another hash (I11). */
void engine_deploy(struct engine *engine, const struct definition *definition,
                   engine_done *done, void *context);

struct engine_start {
    struct span machine;
    struct span version; /* empty: deployed last */
    struct span id;
    struct span input; /* JSON text */
    struct span event; /* when not empty, sent at once after the start, in the same commit */
    struct span event_json; /* its payload: a JSON object */
};

/* Starts an instance. The spans are copied as needed. An id that exists with the same machine
 * and input is ANSWER_REPEATED, with other input ANSWER_CONFLICT. */
void engine_start(struct engine *engine, const struct engine_start *start, engine_done *done,
                  void *context);

/* Sends an event. `key` may be empty; otherwise the same key gives the same answer again (I3).
 */
void engine_send(struct engine *engine, struct span id, struct span type,
                 struct span payload_json, struct span key, engine_done *done, void *context);

/* For reading: instances, histories, what they wait for. */
struct registry *engine_registry(struct engine *engine);

/* For progress: how many instances are at which rest, and the busiest step's breaker and
 * attempts. */
struct engine_view {
    uint64_t working; /* REST_NOT */
    uint64_t timers;  /* REST_TIMER */
    uint64_t waiting; /* REST_EVENT */
    uint64_t final;   /* REST_FINAL */
    uint64_t inbox;   /* events accepted and not yet turned */
    uint64_t turns;   /* since the opening */
    uint64_t commits;
    uint64_t dropped; /* events for members of a family that had ended, since the opening */
    lsn lsn;          /* of the newest record, */
    lsn durable_lsn;  /* and of the newest that is on disk */
};

struct engine_view engine_view(const struct engine *engine);

/* Describes a step's state on one line: "charge: breaker closed, 64 in flight, 12 parked". The
 * step with the most going on when name is empty; nothing when there are no steps. */
void engine_describe_step(const struct engine *engine, struct span name, struct text *text);
