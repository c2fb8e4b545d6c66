/*
 * strategy.h - the only code that acts outside: start, cancel, complete. The front door.
 *
 * A strategy type (http, exec) reads its part of a step's definition, and runs attempts of it
 * on the loop. It knows nothing of retries, breakers or instances' states: one attempt, one
 * result.
 */
#pragma once

#include "base/diagnostic.h"
#include "base/node.h"
#include "base/value.h"
#include "os/os.h"
#include "policy/policy.h"

/* The variables of `${…}` in a step's settings: what an attempt knows. */
#define ATTEMPT_VARIABLE_LIST(X) \
    X(INPUT, "input")            \
    X(CONTEXT, "context")        \
    X(INSTANCE, "instance")      \
    X(STEP, "step") X(ATTEMPT, "attempt") X(KEY, "key") X(DEADLINE, "deadline")

/* What one attempt is given; everything is copied by start where it is needed later. */
struct attempt_request {
    struct value input;
    struct value context; /* of the instance when the attempt starts */
    struct span instance;
    struct span step;
    struct span key;   /* the invocation's idempotency key, the same for all its attempts */
    struct span trace; /* traceparent */
    uint32_t attempt;  /* from 1 */
    duration_ms timeout_ms; /* nobody waits for longer: the other side is told, as `deadline` */
};

struct attempt_result {
    bool done;          /* output is valid, else kind, code and message are */
    struct span output; /* JSON text, checked */
    enum error_kind kind;
    int32_t code; /* HTTP status, exit status, signal; 0 where there is none */
    struct span message;
    struct span details; /* JSON text of the answer's body, or empty */
    bool not_acted;      /* certain that nothing happened outside (connection refused, …) */
    duration_ms retry_after_ms; /* -1 when not said */
};

/* Comes once, in a later round of the loop; the result's spans are valid during the call. */
typedef void attempt_done(void *context, const struct attempt_result *result);

struct strategy;
struct attempt;

/* A type of strategy: how its settings are read, and how it is opened. */
struct strategy_type {
    const char *name; /* the key in a step: "http" */

    /* Keys that this type reads beside its own one in the step, NULL-terminated: "output". */
    const char *const *extra_keys;

    /* Reads the settings under that key; `step` is the map that holds them. `folder` is where
     * the definition lies (relative programs). NULL after adding diagnostics. Does no I/O. The
     * result lives in the arena. */
    const void *(*parse)(const struct node *settings, const struct node *step,
                         const char *folder, struct arena *arena,
                         struct diagnostics *diagnostics);

    /* What runs attempts on a loop. Never NULL. A type that is more than its constants embeds
     * this struct as its first member, and gets itself back here. */
    struct strategy *(*open)(const struct strategy_type *type, struct loop *loop);
};

struct strategy_ops {
    struct attempt *(*start)(struct strategy *strategy, const void *settings,
                             const struct attempt_request *request, attempt_done *done,
                             void *context);
    void (*cancel)(struct strategy *strategy, struct attempt *attempt);
    void (*close)(struct strategy *strategy);
};

struct strategy {
    const struct strategy_ops *ops;
};

/* Starts one attempt; ends by itself at request->timeout_ms (at least 1) with
 * ERROR_KIND_TIMEOUT. Never NULL. */
struct attempt *strategy_start(struct strategy *strategy, const void *settings,
                               const struct attempt_request *request, attempt_done *done,
                               void *context);

/* Ends an attempt; done never comes. */
void strategy_cancel(struct strategy *strategy, struct attempt *attempt);

void strategy_close(struct strategy *strategy); /* cancels what runs; NULL is fine */

extern const struct strategy_type strategy_http;
extern const struct strategy_type strategy_exec;

/*
 * call: a function of the program that embeds the engine. `call: NAME` in a step.
 *
 * `start` is told of an attempt on the loop's thread. It copies what it needs; false: there is
 * no function of that name. The answer comes with the attempt's number from any thread, before
 * start has returned or long after; one that comes too late is dropped. An attempt without an
 * answer ends at its timeout.
 */
struct call_box;

typedef bool call_start(void *context, struct span name, const struct attempt_request *request,
                        uint64_t number);

struct strategy_call {
    struct strategy_type type; /* what an engine is given */
    call_start *start;
    void *context;
    struct call_box *box; /* answers on their way to the loop; NULL while nothing is open */
};

void strategy_call_init(struct strategy_call *call, call_start *start, void *context);

/* Any thread, while the strategy is open. The spans are copied. */
void strategy_call_answer(struct strategy_call *call, uint64_t number,
                          const struct attempt_result *result);

/* The function's name in the settings of a `call` step. */
struct span strategy_call_name(const void *settings);

/* For programs that cannot run `call` steps: the one only knows them (an info), the other
 * refuses them (an error). */
extern const struct strategy_type strategy_call_known;
extern const struct strategy_type strategy_call_refused;
