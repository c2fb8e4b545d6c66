/*
 * breaker.h - stop calling a dependency that keeps failing, or has become slow.
 *
 *            failures or slow calls ≥ their share, of at least `minimum` calls in the window
 *   closed ────────────────────────────────────────────────► open ◄──────┐
 *     ▲                                                        │ open_ms  │ the share can no
 *     │ all probes judged, failures below the share            ▼          │ longer be met
 *     └──────────────────────────────────────────────────── half-open ────┘
 *
 * Ask breaker_allow() before a call, report once with breaker_record(). Results of calls that
 * were let through in an earlier state are dropped: each change of state starts a generation,
 * and a permit names its own.
 *
 * After resilience4j (windows of calls and of time, slow calls), gobreaker (generations) and
 * Envoy (the ramp, which it calls slow start); leases on probes are our own.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "policy/error_kind.h"

enum {
    BREAKER_BUCKETS = 10,   /* parts of the window */
    BREAKER_PROBES_MAX = 16 /* calls out at once while half-open */
};

#define BREAKER_MODE_LIST(X)                                                     \
    X(AUTO, "auto")       /* as the calls go */                                  \
    X(OBSERVE, "observe") /* counts, and lets everything through */              \
    X(CLOSED, "closed")   /* lets everything through, and does not even count */ \
    X(OPEN, "open")       /* lets nothing through, until the rule is changed */

#define BREAKER_MODE_ENUM(name, text) BREAKER_MODE_##name,
enum breaker_mode { BREAKER_MODE_LIST(BREAKER_MODE_ENUM) BREAKER_MODE_COUNT };
#undef BREAKER_MODE_ENUM

/* Fields up to `counted` are needed, the others are off when 0; breaker_rule_is_valid() says
 * what they may be. */
struct breaker_rule {
    duration_ms window_ms;
    uint32_t failures_percent; /* of the window's calls: opens at this share or above */
    uint32_t minimum;          /* calls in the window before it may open */
    duration_ms open_ms;       /* the first time; doubled each time it opens again */
    duration_ms open_max_ms;
    uint32_t probes; /* calls that decide whether to close */
    duration_ms
        ramp_ms; /* after closing, share of calls let through grows to all; 0: at once */
    error_kinds counted; /* what counts as a failure */

    uint32_t window_calls;  /* not 0: the last so many calls, to a tenth, instead of a time */
    duration_ms slow_ms;    /* a call that takes longer is slow */
    uint32_t slow_percent;  /* of the window's calls: opens at this share or above */
    uint32_t close_percent; /* of the probes must succeed to close; 0: as failures_percent */
    enum breaker_mode mode;
};

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };

/* What a permitted call came to. NEUTRAL says nothing about the dependency: the business
 * refused, or the call was cancelled. SLOW is a success that took too long. */
enum breaker_result {
    BREAKER_SUCCESS,
    BREAKER_FAILURE,
    BREAKER_NEUTRAL,
    BREAKER_SLOW,
    BREAKER_SLOW_FAILURE
};

struct breaker_bucket {
    uint32_t calls;
    uint32_t failures;
    uint32_t slow;
};

/* Plain data that may be copied and stored; its fields belong to breaker.c. */
struct breaker {
    struct breaker_bucket buckets[BREAKER_BUCKETS];
    uint32_t calls; /* sums of the buckets */
    uint32_t failures;
    uint32_t slow;
    uint32_t generation;     /* grows with every change of state */
    instant_ms bucket_from;  /* when the newest bucket began */
    instant_ms since;        /* when the state was entered */
    instant_ms latest;       /* the latest moment ever passed in */
    uint32_t open_for_ms;    /* how long it opened the last time */
    uint8_t state;           /* enum breaker_state */
    uint8_t newest;          /* index of the newest bucket */
    uint8_t opens;           /* times opened without recovering in between */
    uint8_t credit;          /* percent of a call saved up while ramping */
    uint8_t probe_successes; /* of this half-open round */
    uint8_t probe_failures;
    uint8_t probe_slow;
    uint8_t serial; /* of the last lease */
    uint8_t lease_serials[BREAKER_PROBES_MAX];
    uint32_t lease_ends[BREAKER_PROBES_MAX]; /* ms after `since`; 0 is a free place */
};

_Static_assert(sizeof(struct breaker) <= 256, "a breaker is kept for every key");

/* Goes with a call and back into breaker_record(). */
struct breaker_permit {
    uint32_t generation;
    uint32_t lease_end; /* this and the serial tell that the place was not given on */
    uint8_t place;      /* among the leases; BREAKER_PROBES_MAX for a call while closed */
    uint8_t serial;
};

/* How things stand, for people. Counts are those that opened it unless closed. */
struct breaker_view {
    enum breaker_state state;
    instant_ms since;
    instant_ms next; /* as breaker_next() */
    duration_ms window_ms;
    uint32_t calls;
    uint32_t failures;
    uint32_t slow;
    uint32_t failures_percent; /* rounded down; 0 without calls */
    uint32_t slow_percent;
    uint32_t probes_out;
    uint32_t probes_judged;
    uint32_t admitted_percent; /* of calls: 0 open, 10 to 100 closed */
};

bool breaker_rule_is_valid(const struct breaker_rule *rule);

void breaker_init(struct breaker *breaker, instant_ms now);

/* May a call go now? While half-open the permit is a lease: unless reported within lease_ms its
 * place is given to another call. That judges nobody, because a call whose answer is late is
 * reported by its own timeout; a permit is lost only where a process or a report was. */
bool breaker_allow(struct breaker *breaker, const struct breaker_rule *rule, instant_ms now,
                   duration_ms lease_ms, struct breaker_permit *permit);

/* Reports a permitted call, once. */
void breaker_record(struct breaker *breaker, const struct breaker_rule *rule, instant_ms now,
                    const struct breaker_permit *permit, enum breaker_result result);

/* What a failed call counts as under the rule. */
enum breaker_result breaker_result_of(const struct breaker_rule *rule, enum error_kind kind);

/* The result, once it is known how long the call took. */
enum breaker_result breaker_result_timed(const struct breaker_rule *rule,
                                         enum breaker_result result, duration_ms took_ms);

/* A server said not to come for so long (`Retry-After`), with a result that was just recorded:
 * if the breaker is open it stays so at least that long, up to open_max_ms. */
void breaker_push_back(struct breaker *breaker, const struct breaker_rule *rule, instant_ms now,
                       duration_ms wait_ms);

/* When a refused caller may ask again; a result may let it go sooner. Never before now. */
instant_ms breaker_next(const struct breaker *breaker, const struct breaker_rule *rule,
                        instant_ms now);

/* Half-open as soon as its time has come, also when nobody has asked yet. */
enum breaker_state breaker_state(const struct breaker *breaker, instant_ms now);

/* How many more probes may go now while half-open (or due to be); 0 otherwise. */
uint32_t breaker_free_probes(const struct breaker *breaker, const struct breaker_rule *rule,
                             instant_ms now);

/* The share of calls that is let through: 0 open, 10 to 100 closed; probes are not a share: 0.
 */
uint32_t breaker_share_percent(const struct breaker *breaker, const struct breaker_rule *rule,
                               instant_ms now);

struct breaker_view breaker_view(const struct breaker *breaker, const struct breaker_rule *rule,
                                 instant_ms now);

/* "closed", "open", "half-open". */
const char *breaker_state_name(enum breaker_state state);
const char *breaker_mode_name(enum breaker_mode mode);
