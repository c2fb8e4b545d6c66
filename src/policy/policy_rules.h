/*
 * policy_rules.h - the policies of a step, as its definition writes them.
 *
 *     charge:
 *       timeout: 2s
 *       deadline: 60s
 *       retry: { attempts: 5, backoff: full-jitter, base: 50ms, cap: 2s, on: [timeout] }
 *       breaker: { window: 10s, failures: 50%, minimum: 20, open: 2s, open_max: 30s,
 *                  probes: 10, ramp: 5s }
 *       limit: { concurrency: 64, queue: 1000 }
 *       when_open: park
 *       park_max: 24h
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/diagnostic.h"
#include "base/node.h"
#include "base/time.h"
#include "policy/breaker.h"
#include "policy/limit.h"
#include "policy/retry.h"

enum { POLICY_QUEUE_MAX = 1000000 }; /* callers that wait for one step's limit */

/* What happens to a call while the breaker is open. */
enum when_open { WHEN_OPEN_PARK, WHEN_OPEN_FAIL };

struct policy_rules {
    duration_ms timeout_ms;  /* of one attempt */
    duration_ms deadline_ms; /* of all attempts; stands still while parked */
    struct retry_rule retry;
    bool has_breaker;
    struct breaker_rule breaker; /* the defaults where there is none */
    struct limit_rule limit;
    enum when_open when_open;
    duration_ms park_max_ms;
};

/* What holds where nothing is said. */
struct policy_rules policy_rules_default(void);

/* Reads the policies of a step, a map; other keys are not looked at. False after adding
 * diagnostics, and then nothing is written: IL0102 unknown key, IL0104 wrong type or value,
 * IL0106 not supported yet, IL0108 over a limit, IL0404 a timeout that the deadline cuts (a
 * warning where only the timeout was written). */
bool policy_rules_read(const struct node *step, struct policy_rules *rules,
                       struct diagnostics *diagnostics);

/* The keys of a step that policy_rules_read() looks at, those it refuses included. */
const struct span *policy_rules_keys(size_t *count);
