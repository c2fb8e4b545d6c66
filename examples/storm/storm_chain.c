/*
 * storm_chain.c - the chain by hand, and what is put around its calls.
 *
 * Breaker and backoff are those of src/policy. Budget and limit are the shortest honest form
 * of what the literature describes, as one would write them next to the call: a bucket that
 * every call fills by a fifth of a token, and a limit that grows by one and shrinks by a tenth.
 */
#include "storm_chain.h"

#include <string.h>

#include "base/ensure.h"
#include "base/memory.h"

static const struct storm_care cares[] = {
    {.name = "once", .text = "no retry", .attempts = 1},
    {.name = "pool", .text = "200 threads, retry(3)", .workers = 200, .attempts = 3},
    {.name = "naive", .text = "retry(3)", .attempts = 3},
    {.name = "jitter", .text = "+ full jitter", .attempts = 3, .has_jitter = true},
    {.name = "budget",
     .text = "+ 20 % budget",
     .attempts = 3,
     .has_jitter = true,
     .has_budget = true},
    {.name = "breaker",
     .text = "+ breaker",
     .attempts = 3,
     .has_jitter = true,
     .has_budget = true,
     .has_breaker = true},
    {.name = "limit",
     .text = "+ AIMD, deadline",
     .attempts = 3,
     .has_jitter = true,
     .has_budget = true,
     .has_breaker = true,
     .has_limit = true},
};

enum { CARE_COUNT = sizeof cares / sizeof cares[0] };

static const struct retry_rule backoff = {.attempts = 3,
                                          .backoff = BACKOFF_FULL_JITTER,
                                          .base_ms = 100,
                                          .cap_ms = 1000,
                                          .on = ERROR_KIND_BIT(ERROR_KIND_TIMEOUT) |
                                                ERROR_KIND_BIT(ERROR_KIND_UNAVAILABLE)};

#define BUDGET_SHARE 0.2
#define BUDGET_RESERVE 10.0
#define LIMIT_FIRST 100.0
#define LIMIT_MIN 20.0
#define LIMIT_MAX 200.0

/* What an arm knows of one service. */
struct guard {
    double tokens;
    double limit;
    uint32_t running;
    struct breaker breaker;
};

struct storm_arm {
    const struct storm_care *care;
    struct storm_host *host;
    struct random random;
    struct breaker_rule breaker;
    struct guard guards[STORM_CHAIN_LENGTH];
    uint32_t busy; /* workers */
    struct storm_chain *line;
    struct storm_chain **line_end;
};

const struct storm_care *storm_care_find(const char *name)
{
    for (int i = 0; i < CARE_COUNT; i++) {
        if (strcmp(cares[i].name, name) == 0)
            return &cares[i];
    }
    return NULL;
}

const struct storm_care *storm_care_next(const struct storm_care *care)
{
    if (care == NULL)
        return &cares[0];
    return care == &cares[CARE_COUNT - 1] ? NULL : care + 1;
}

/* policy/ counts milliseconds since 1970 and wants none below zero. */
static instant_ms policy_now(const struct storm_arm *arm)
{
    return 1000000 + arm->host->now(arm->host) / 1000;
}

struct storm_arm *storm_arm_open(const struct storm_care *care, struct storm_host *host,
                                 uint64_t seed)
{
    struct storm_arm *arm = memory_get(sizeof *arm);
    arm->care = care;
    arm->host = host;
    arm->random.state = seed;
    arm->line_end = &arm->line;
    arm->breaker = policy_rules_default().breaker;
    arm->breaker.window_ms = 2000;
    arm->breaker.failures_percent = 50;
    arm->breaker.minimum = 20;
    arm->breaker.open_ms = 1000;
    arm->breaker.open_max_ms = 1000;
    arm->breaker.probes = 10;
    arm->breaker.ramp_ms = 1000;
    for (int i = 0; i < STORM_CHAIN_LENGTH; i++) {
        arm->guards[i].tokens = BUDGET_RESERVE;
        arm->guards[i].limit = LIMIT_FIRST;
        breaker_init(&arm->guards[i].breaker, policy_now(arm));
    }
    return arm;
}

void storm_arm_close(struct storm_arm *arm)
{
    memory_release(arm);
}

static struct guard *guard_of(struct storm_arm *arm, const struct storm_chain *chain)
{
    return &arm->guards[chain->service];
}

static void begin(struct storm_arm *arm, struct storm_chain *chain);

static void end(struct storm_arm *arm, struct storm_chain *chain, bool is_done)
{
    struct storm_chain *first = arm->line;
    arm->host->ended(arm->host, chain, is_done);
    arm->busy--;
    if (first == NULL)
        return;
    arm->line = first->next;
    if (arm->line == NULL)
        arm->line_end = &arm->line;
    begin(arm, first);
}

static moment_us time_left(const struct storm_arm *arm, const struct storm_chain *chain)
{
    return chain->intended + STORM_DEADLINE_US - arm->host->now(arm->host);
}

/* May this call be made? Takes the breaker's permit and the limit's place when it may. */
static bool is_let_through(struct storm_arm *arm, struct storm_chain *chain)
{
    struct guard *guard = guard_of(arm, chain);
    if (arm->care->has_limit && (time_left(arm, chain) <= 0 || guard->running >= guard->limit))
        return false;
    duration_ms lease_ms = STORM_TIMEOUT_US / 1000 + 1000;
    if (arm->care->has_breaker && !breaker_allow(&guard->breaker, &arm->breaker,
                                                 policy_now(arm), lease_ms, &chain->permit))
        return false;
    guard->running++;
    return true;
}

/* A refusal ends the order: who is told that there is no room does not ask again at once. */
static void attempt(struct storm_arm *arm, struct storm_chain *chain)
{
    moment_us timeout = STORM_TIMEOUT_US;
    if (!is_let_through(arm, chain)) {
        end(arm, chain, false);
        return;
    }
    if (arm->care->has_limit && time_left(arm, chain) < timeout)
        timeout = time_left(arm, chain);
    chain->attempt++;
    arm->host->call(arm->host, chain, timeout);
}

static void enter(struct storm_arm *arm, struct storm_chain *chain, enum storm_service service)
{
    chain->service = service;
    chain->attempt = 0;
    double *tokens = &guard_of(arm, chain)->tokens;
    if (*tokens < BUDGET_RESERVE)
        *tokens += BUDGET_SHARE;
    attempt(arm, chain);
}

static void begin(struct storm_arm *arm, struct storm_chain *chain)
{
    arm->busy++;
    enter(arm, chain, STORM_VALIDATE);
}

void storm_arm_arrive(struct storm_arm *arm, struct storm_chain *chain)
{
    if (arm->care->workers == 0 || arm->busy < arm->care->workers) {
        begin(arm, chain);
        return;
    }
    *arm->line_end = chain;
    arm->line_end = &chain->next;
}

static void note_answer(struct storm_arm *arm, struct storm_chain *chain,
                        enum storm_answer answer)
{
    struct guard *guard = guard_of(arm, chain);
    bool is_bad = answer == STORM_ANSWER_ERROR || answer == STORM_ANSWER_TIMEOUT;
    if (arm->care->has_breaker)
        breaker_record(&guard->breaker, &arm->breaker, policy_now(arm), &chain->permit,
                       is_bad ? BREAKER_FAILURE : BREAKER_SUCCESS);
    if (is_bad)
        guard->limit = guard->limit * 0.9 > LIMIT_MIN ? guard->limit * 0.9 : LIMIT_MIN;
    else if (2 * guard->running >= guard->limit && guard->limit < LIMIT_MAX)
        guard->limit += 1;
    guard->running--;
}

static bool may_retry(struct storm_arm *arm, const struct storm_chain *chain)
{
    double *tokens = &guard_of(arm, chain)->tokens;
    if (chain->attempt >= arm->care->attempts || (arm->care->has_budget && *tokens < 1))
        return false;
    *tokens -= 1;
    return true;
}

static void retry(struct storm_arm *arm, struct storm_chain *chain)
{
    duration_ms delay_ms = 0;
    if (!may_retry(arm, chain)) {
        end(arm, chain, false);
        return;
    }
    if (arm->care->has_jitter)
        ensure(retry_next(&backoff, chain->attempt, ERROR_KIND_TIMEOUT, -1, &arm->random,
                          &delay_ms));
    if (delay_ms == 0)
        attempt(arm, chain);
    else
        arm->host->sleep(arm->host, chain, delay_ms * 1000);
}

void storm_arm_answered(struct storm_arm *arm, struct storm_chain *chain,
                        enum storm_answer answer)
{
    note_answer(arm, chain, answer);
    switch (answer) {
    case STORM_ANSWER_OK:
        if (chain->service + 1 == STORM_CHAIN_LENGTH)
            end(arm, chain, true);
        else
            enter(arm, chain, (enum storm_service)(chain->service + 1));
        return;
    case STORM_ANSWER_NO:
        end(arm, chain, false);
        return;
    case STORM_ANSWER_ERROR:
    case STORM_ANSWER_TIMEOUT:
        retry(arm, chain);
        return;
    }
    never();
}

void storm_arm_woken(struct storm_arm *arm, struct storm_chain *chain)
{
    attempt(arm, chain);
}
