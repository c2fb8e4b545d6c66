/*
 * policy_bench.c - what a policy costs a call, on one thread, and what it keeps for a key.
 *
 * Time is passed in and moves a millisecond every thousand calls, as it would at a million
 * calls a second, so the window's buckets turn over as they do in life. Figures are printed,
 * never asserted.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "base/ensure.h"
#include "policy/policy.h"

enum { CALLS = 5000000, ROUNDS = 5 };

static const struct breaker_rule RULE = {
    .window_ms = 10000,
    .failures_percent = 50,
    .minimum = 20,
    .open_ms = 2000,
    .open_max_ms = 30000,
    .probes = 10,
    .ramp_ms = 5000,
    .counted = ERROR_KINDS_INFRASTRUCTURE,
};

typedef uint64_t bench_run(void); /* returns something that depends on every call */

/* What a mutex-free counter costs: the floor for any policy. */
static uint64_t count_by_hand(void)
{
    volatile uint32_t calls = 0;
    volatile uint32_t failures = 0;
    for (uint32_t i = 0; i < CALLS; i++) {
        calls = calls + 1;
        if (i % 10 == 0)
            failures = failures + 1;
    }
    return calls + failures;
}

static uint64_t breaker_closed(void)
{
    struct breaker breaker;
    struct breaker_permit permit;
    uint64_t allowed = 0;
    breaker_init(&breaker, 0);
    for (uint32_t i = 0; i < CALLS; i++) {
        instant_ms now = i / 1000;
        allowed += breaker_allow(&breaker, &RULE, now, 10000, &permit) ? 1 : 0;
        breaker_record(&breaker, &RULE, now, &permit,
                       i % 10 == 0 ? BREAKER_FAILURE : BREAKER_SUCCESS);
    }
    ensure(allowed == CALLS);
    return allowed;
}

static uint64_t breaker_refusing(void)
{
    struct breaker breaker;
    struct breaker_permit permit;
    struct breaker_rule rule = RULE;
    uint64_t refused = 0;
    rule.minimum = 1;
    rule.open_ms = rule.open_max_ms = CALLS;
    breaker_init(&breaker, 0);
    ensure(breaker_allow(&breaker, &rule, 0, 10000, &permit));
    breaker_record(&breaker, &rule, 0, &permit, BREAKER_FAILURE);
    for (uint32_t i = 0; i < CALLS; i++)
        refused += breaker_allow(&breaker, &rule, i / 1000, 10000, &permit) ? 0 : 1;
    ensure(refused == CALLS);
    return refused;
}

static uint64_t limit_enter_and_leave(void)
{
    struct limit limit = {0};
    struct limit_rule rule = {64, 1000};
    uint64_t gone = 0;
    for (uint32_t i = 0; i < CALLS; i++) {
        gone += limit_enter(&limit, &rule) == LIMIT_GO ? 1 : 0;
        limit_leave(&limit);
        gone += limit_next(&limit, &rule) ? 1 : 0;
    }
    return gone;
}

static uint64_t retry_with_jitter(void)
{
    struct retry_rule rule = {5, BACKOFF_FULL_JITTER, 50, 2000, ERROR_KINDS_INFRASTRUCTURE, 0};
    struct random random = {1};
    uint64_t sum = 0;
    for (uint32_t i = 0; i < CALLS; i++) {
        duration_ms delay = 0;
        if (retry_next(&rule, i % 4 + 1, ERROR_KIND_TIMEOUT, -1, &random, &delay))
            sum += (uint64_t)delay;
    }
    return sum;
}

static uint64_t deadline_for_an_attempt(void)
{
    struct deadline deadline;
    uint64_t sum = 0;
    deadline_start(&deadline, 60000, 0);
    for (uint32_t i = 0; i < CALLS; i++)
        sum += (uint64_t)deadline_timeout_ms(&deadline, 2000, i / 1000);
    return sum;
}

/* A call as the engine makes it: deadline, limit, breaker, result, and a retry for one in ten.
 */
static uint64_t all_composed(void)
{
    struct breaker breaker;
    struct breaker_permit permit;
    struct limit limit = {0};
    struct limit_rule limit_rule = {64, 1000};
    struct retry_rule retry = {5, BACKOFF_FULL_JITTER, 50, 2000, ERROR_KINDS_INFRASTRUCTURE, 0};
    struct random random = {1};
    struct deadline deadline;
    uint64_t sum = 0;
    breaker_init(&breaker, 0);
    for (uint32_t i = 0; i < CALLS; i++) {
        instant_ms now = i / 1000;
        duration_ms delay = 0;
        deadline_start(&deadline, 60000, now);
        if (limit_enter(&limit, &limit_rule) != LIMIT_GO)
            never();
        duration_ms timeout = deadline_timeout_ms(&deadline, 2000, now);
        if (!breaker_allow(&breaker, &RULE, now, timeout, &permit))
            never();
        bool failed = i % 10 == 0;
        breaker_record(&breaker, &RULE, now, &permit,
                       failed ? BREAKER_FAILURE : BREAKER_SUCCESS);
        if (failed && retry_next(&retry, 1, ERROR_KIND_TIMEOUT, -1, &random, &delay))
            sum += (uint64_t)delay;
        limit_leave(&limit);
        sum += limit_next(&limit, &limit_rule) ? 1 : 0;
    }
    return sum;
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* The best of a few rounds: what disturbs a run only makes it slower. */
static void measure(const char *name, bench_run *run, size_t bytes)
{
    double best = 1e9;
    uint64_t answer = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double start = seconds_now();
        answer += run();
        double took = seconds_now() - start;
        best = took < best ? took : best;
    }
    printf("%-34s %6.1f ns", name, best / CALLS * 1e9);
    if (bytes > 0)
        printf("  %4zu bytes a key", bytes);
    printf("%s\n", answer == 1 ? " " : ""); /* the answer is used, so the calls are made */
}

int main(void)
{
    measure("two counters by hand", count_by_hand, 8);
    measure("breaker: allow and record", breaker_closed, sizeof(struct breaker));
    measure("breaker: refuse while open", breaker_refusing, 0);
    measure("limit: enter and leave", limit_enter_and_leave, sizeof(struct limit));
    measure("retry: next delay, full jitter", retry_with_jitter, 0);
    measure("deadline: time for an attempt", deadline_for_an_attempt, sizeof(struct deadline));
    measure("all of them around a call", all_composed, 0);
    return 0;
}
