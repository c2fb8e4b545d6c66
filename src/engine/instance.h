/*
 * instance.h - one durable instance in memory.
 *
 * Between turns an instance is bytes: its snapshot and its context as JSON, exactly what
 * the log and the tables hold. A turn decodes them, steps, and encodes them again. Beside
 * the bytes stands what people ask for all the time (status, state) and the requests: one
 * for every active invocation, with the state of its attempts.
 */
#pragma once

#include "base/bytes.h"
#include "base/table.h"
#include "engine/definition.h"
#include "store/store.h"

/* How far a request has come. Kept in soft records, so that `why` can be answered by a reader
 * and a crash forgets no attempt. */
#define REQUEST_PHASE_LIST(X)                                            \
    X(READY, "ready")     /* not tried yet, or waits for the limit */    \
    X(RUNNING, "running") /* an attempt is under way */                  \
    X(BACKOFF, "backoff") /* waits until next_at for its next attempt */ \
    X(PARKED, "parked")   /* waits for the breaker; deadline stands */

#define REQUEST_PHASE_ENUM(name, text) REQUEST_##name,
enum request_phase { REQUEST_PHASE_LIST(REQUEST_PHASE_ENUM) REQUEST_PHASE_COUNT };
#undef REQUEST_PHASE_ENUM

struct request_progress {
    enum request_phase phase;
    uint32_t attempts;    /* made, the running one included */
    uint32_t interrupted; /* of these, cut off by the end of the engine */
    instant_ms since;     /* of the phase */
    instant_ms next_at;   /* BACKOFF */
    duration_ms left_ms;  /* of the deadline, at `since` */
    bool may_have_acted;  /* an attempt at this step, by what is known of how it ended */
    uint32_t fallbacks;   /* steps given up for their fallback */
    uint32_t undone;      /* of a compensation: how many it has undone */
    bool has_error;
    enum error_kind error; /* of the last attempt that failed */
    int32_t error_code;
    char error_message[120]; /* cut at a whole character; NUL-terminated */
};

struct instance;
struct live_request; /* what the runtime adds; NULL in a reader */
struct kin;

struct request {
    struct instance *instance;
    struct request *next; /* of the same instance */
    uint64_t number;      /* the invocation's */
    uint32_t invoke;      /* index in the machine */
    struct request_progress progress;
    struct live_request *live;
};

/* One version of a machine that is deployed. */
struct deployed {
    struct arena arena;
    const struct definition *definition;
    char *key;                    /* "id@version" */
    bool latest;                  /* of its machine's versions the one deployed last */
    struct live_deployment *live; /* what the runtime adds; NULL in a reader */
    struct deployed *next;
};

struct instance {
    char *id;
    uint32_t id_size;
    enum instance_status status;
    uint32_t leaf;      /* the last active leaf */
    uint32_t path_size; /* where regions run side by side: the paths of all leaves */
    char *path;
    struct deployed *deployed;
    uint64_t seq;     /* of the last event record; histories count from 1 */
    lsn lsn;          /* of the newest record, hard or soft */
    lsn previous_lsn; /* where that record stands: for the back-pointer of the next */
    uint32_t previous_offset;
    instant_ms created;
    instant_ms updated;     /* by the newest event that was not ignored */
    instant_ms seen;        /* when the newest event came */
    uint8_t input_hash[16]; /* of what it was started with */
    char *snapshot;
    uint32_t snapshot_size;
    uint32_t context_size;
    char *context;         /* JSON */
    instant_ms next_timer; /* due of the first armed timer, INSTANT_NEVER */
    struct request *requests;
    struct kin *kin; /* its family; NULL: it has none (see kin.h) */
    lsn dirty_since; /* first record that no row reflects; 0: the row is up to date */
    struct instance *next_dirty; /* in the order of dirty_since */
    struct instance *next;       /* all instances, in the order of their creation */
    struct instance **previous;  /* what points to this one in that order */
    struct live_instance *live;  /* what the runtime adds; NULL in a reader */
};

static inline struct span instance_id(const struct instance *instance)
{
    return span_of(instance->id, instance->id_size);
}

/* The configuration; spans point into the instance. Never fails on what this program wrote:
 * STATUS_CORRUPT otherwise. Jumps to the arena's guard. */
enum status instance_decode(const struct instance *instance, struct arena *arena,
                            struct configuration *configuration) must_check;

/* Takes over a configuration that was written as these bytes (context.text == NULL: it did not
 * change): status, leaf, next timer, and a request for every new invocation. Returns the
 * requests whose invocations are gone, unlinked and chained by `next`, for the caller to
 * release. */
struct request *instance_take(struct instance *instance,
                              const struct configuration *configuration, struct span snapshot,
                              struct span context, instant_ms now);

/* The path of the active leaf, or the paths of all of them, for lists. */
struct span instance_path(const struct instance *instance);

/* Whether the state is active. */
bool instance_is_in(const struct instance *instance, uint32_t state);

/* The next active state in the order of the document, from the root, state 0; NO_INDEX after
 * the last. */
uint32_t instance_state_after(const struct instance *instance, uint32_t state);

struct request *instance_find_request(const struct instance *instance, uint64_t number);

/* A row's bytes, sealed, and back. The id, the lsn and the deployment are set by the caller.
 * The arena is for the time of the call; the text holds nothing else. */
void instance_write(struct text *text, const struct instance *instance);
enum status instance_read(struct instance *instance, struct span bytes,
                          struct arena *arena) must_check;

/* One request's progress as bytes, and back. */
void request_write_progress(struct text *text, const struct request *request);
bool request_read_progress(struct byte_reader *reader, struct request_progress *progress);

/* Keeps the beginning of the message. */
void request_set_message(struct request_progress *progress, struct span message);

/* The idempotency key of an invocation: the same for all its attempts, never shared with
 * another, across copies of a database either (I6). 32 hex digits and a NUL. */
void instance_invocation_key(const struct instance *instance, uint64_t number,
                             const char *incarnation, char key[33]);

/* Releases what the instance owns, and the instance. */
void instance_close(struct instance *instance);

const char *request_phase_name(enum request_phase phase);
