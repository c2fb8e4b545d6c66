/*
 * policy_rules.h - the policies of a step, as its definition writes them.
 *
 *     charge:
 *       timeout: 2s
 *       deadline: 60s
 *       retry: { attempts: 5, backoff: full-jitter, base: 50ms, cap: 2s, on: [timeout],
 *                elapsed: 30s, budget: 20% }
 *       breaker: { window: 10s, failures: 50%, minimum: 20, slow: 2s, slow_calls: 50%, open:
 * 2s, open_max: 30s, probes: 10, close: 80%, ramp: 5s, key: "${input.tenant}" } limit: {
 * concurrency: 64, queue: 1000, age: 4s, adaptive: aimd, name: bank, priority:
 * "${input.priority}", fair: "${input.tenant}" } rate: { rate: 500/s, burst: 50, warm_up: 10s,
 * key:
 * "${input.tenant}" } hedge: p95 idempotent: true when_open: park park_max: 24h fallback:
 * charge_backup
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/diagnostic.h"
#include "base/node.h"
#include "base/time.h"
#include "policy/adaptive.h"
#include "policy/breaker.h"
#include "policy/budget.h"
#include "policy/limit.h"
#include "policy/rate.h"
#include "policy/retry.h"

enum {
    POLICY_QUEUE_MAX = 1000000, /* callers that wait for one step's limit */
    BREAKER_WINDOW_CALLS_MAX = 1000000
};

#define ADAPTIVE_DEFAULT ADAPTIVE_AIMD /* of `limit: adaptive`; docs/resilience.md says why */

/* What happens to a call that may not go: its breaker is open, its rate or budget spent. */
enum when_open { WHEN_OPEN_PARK, WHEN_OPEN_FAIL };

/* When a call is made a second time beside the first. */
struct hedge_rule {
    uint32_t percent;     /* after this percentile of the latencies; 0: … */
    duration_ms after_ms; /* … after this time */
};

/* The nodes are as they stand in the definition, NULL where nothing is said. */
struct policy_rules {
    duration_ms timeout_ms;  /* of one attempt */
    duration_ms deadline_ms; /* of all attempts; stands still while parked */
    struct retry_rule retry;
    bool has_budget;
    struct budget_rule budget; /* for retries and hedges */
    bool has_breaker;
    struct breaker_rule breaker;    /* the defaults where there is none */
    const struct node *breaker_key; /* a slot: each value has a breaker */
    struct limit_rule limit;
    duration_ms queue_wait_ms; /* in the queue, at most; then it is parked. 0: no bound */
    duration_ms age_max_ms;    /* of the instance's work, at most; then it is parked. 0: no */
    struct adaptive_rule adaptive; /* ADAPTIVE_NONE: the concurrency stays */
    struct span limit_name;        /* by which other steps share it; empty: none */
    const struct node *limit_of;   /* the name of another step's limit, instead of one */
    const struct node *priority;   /* a slot: "high", "normal" or "low" */
    const struct node *fair_key;   /* a slot: each value has a line, and they take turns */
    bool has_rate;
    struct rate_rule rate;
    const struct node *rate_key; /* a slot: each value has a rate */
    bool has_hedge;
    struct hedge_rule hedge;
    enum when_open when_open;
    duration_ms park_max_ms;
    const struct node *fallback; /* the name of a step */
    error_kinds fallback_on;
    bool is_fallback_wide; /* `on:` was written: also where the first may have acted */
    const struct node *compensate;
};

/* What holds where nothing is said. */
struct policy_rules policy_rules_default(void);

/* Reads the policies of a step, a map; other keys are not looked at. False after adding
 * diagnostics, and then nothing is written: IL0102 unknown key, IL0103 a key that another one
 * needs, IL0104 wrong type or value, IL0106 not supported yet, IL0108 over a limit, IL0404 a
 * timeout that the deadline cuts (a warning where only the timeout was written). */
bool policy_rules_read(const struct node *step, struct policy_rules *rules,
                       struct diagnostics *diagnostics);

/* The keys of a step that policy_rules_read() looks at, those it refuses included. */
const struct span *policy_rules_keys(size_t *count);
