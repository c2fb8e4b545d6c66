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

#include "base/ensure.h"
#include "policy/policy.h"
#include "rounds.h"

enum { CALLS = 200000, ROUNDS = 120 };

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

static const struct budget_rule BUDGET = {20, 10, 100};
static const struct rate_rule RATE = {1000000, 1000, 100000, 0};
static const struct adaptive_rule ADAPTIVE = {ADAPTIVE_AIMD, 64, 4, 1000};

static uint64_t budget_call_and_retry(void)
{
    struct budget budget;
    uint64_t taken = 0;
    budget_init(&budget, &BUDGET, 0);
    for (uint32_t i = 0; i < CALLS; i++) {
        budget_deposit(&budget, &BUDGET, i / 1000);
        if (i % 10 == 0)
            taken += budget_withdraw(&budget, &BUDGET, i / 1000) ? 1 : 0;
    }
    return taken;
}

static uint64_t rate_taking(void)
{
    struct rate rate;
    uint64_t taken = 0;
    rate_init(&rate, &RATE, 0);
    for (uint32_t i = 0; i < CALLS; i++)
        taken += rate_take(&rate, &RATE, i / 1000) ? 1 : 0;
    ensure(taken > CALLS / 2);
    return taken;
}

static uint64_t adaptive_recording(enum adaptive_kind kind)
{
    struct adaptive_rule rule = ADAPTIVE;
    struct adaptive adaptive;
    uint64_t sum = 0;
    rule.kind = kind;
    adaptive_init(&adaptive, &rule);
    for (uint32_t i = 0; i < CALLS; i++) {
        struct adaptive_sample sample = {10000 + i % 1000, 60, i % 100 == 0};
        adaptive_record(&adaptive, &rule, i / 1000, &sample);
        sum += adaptive_limit(&adaptive, &rule);
    }
    return sum;
}

static uint64_t adaptive_aimd(void)
{
    return adaptive_recording(ADAPTIVE_AIMD);
}

static uint64_t adaptive_vegas(void)
{
    return adaptive_recording(ADAPTIVE_VEGAS);
}

static uint64_t adaptive_gradient(void)
{
    return adaptive_recording(ADAPTIVE_GRADIENT);
}

static uint64_t fairness_picking(void)
{
    struct fairness fairness = {0};
    uint64_t sum = 0;
    for (uint32_t i = 0; i < CALLS; i++)
        sum += fairness_pick(&fairness, 7);
    return sum;
}

static uint64_t latency_recording(void)
{
    struct latency latency = {0};
    for (uint32_t i = 0; i < CALLS; i++)
        latency_record(&latency, i % 977);
    return (uint64_t)latency_percentile(&latency, 95);
}

static uint64_t throttle_asking(void)
{
    struct throttle_rule rule = {120000, 200, 95};
    struct throttle throttle = {0};
    struct random random = {1};
    uint64_t sum = 0;
    for (uint32_t i = 0; i < CALLS; i++) {
        sum += throttle_allow(&throttle, &rule, i / 1000, PRIORITY_NORMAL, &random) ? 1 : 0;
        throttle_accept(&throttle, &rule, i / 1000);
    }
    return sum;
}

static uint64_t admission_asking(void)
{
    struct admission_rule rule = {
        .working = 100, .target_ms = 5, .interval_ms = 100, .throttle = {120000, 200, 95}};
    struct admission admission = {0};
    struct random random = {1};
    uint64_t sum = 0;
    for (uint32_t i = 0; i < CALLS; i++) {
        struct admission_load load = {i % 128, i % 20};
        sum += admission_enter(&admission, &rule, i / 1000, &load, PRIORITY_LOW, &random);
        admission_done(&admission, i / 1000);
    }
    return sum;
}

/* A call as the engine makes it: deadline, limit that moves, rate, breaker, result, latency,
 * and for one in ten a retry that the budget pays for. */
static uint64_t all_composed(void)
{
    struct breaker breaker;
    struct breaker_permit permit;
    struct limit limit = {0};
    struct adaptive adaptive;
    struct rate rate;
    struct budget budget;
    struct latency latency = {0};
    struct retry_rule retry = {5, BACKOFF_FULL_JITTER, 50, 2000, ERROR_KINDS_INFRASTRUCTURE, 0};
    struct random random = {1};
    struct deadline deadline;
    uint64_t sum = 0;
    breaker_init(&breaker, 0);
    adaptive_init(&adaptive, &ADAPTIVE);
    rate_init(&rate, &RATE, 0);
    budget_init(&budget, &BUDGET, 0);
    for (uint32_t i = 0; i < CALLS; i++) {
        instant_ms now = i / 500;
        duration_ms delay = 0;
        struct limit_rule limit_rule = {adaptive_limit(&adaptive, &ADAPTIVE), 1000};
        deadline_start(&deadline, 60000, now);
        budget_deposit(&budget, &BUDGET, now);
        duration_ms timeout = deadline_timeout_ms(&deadline, 2000, now);
        if (limit_enter(&limit, &limit_rule) != LIMIT_GO || !rate_take(&rate, &RATE, now) ||
            !breaker_allow(&breaker, &RULE, now, timeout, &permit))
            never();
        bool failed = i % 10 == 0;
        breaker_record(&breaker, &RULE, now, &permit,
                       failed ? BREAKER_FAILURE : BREAKER_SUCCESS);
        struct adaptive_sample sample = {10000 + i % 1000, limit.running, false};
        adaptive_record(&adaptive, &ADAPTIVE, now, &sample);
        latency_record(&latency, i % 100);
        if (failed && retry_next(&retry, 1, ERROR_KIND_TIMEOUT, -1, &random, &delay) &&
            budget_withdraw(&budget, &BUDGET, now))
            sum += (uint64_t)delay;
        limit_leave(&limit);
        sum += limit_next(&limit, &limit_rule) ? 1 : 0;
    }
    return sum;
}

static void measure(const char *name, bench_run *run, size_t bytes)
{
    double rounds[ROUNDS];
    uint64_t answer = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double start = rounds_now_ns(CLOCK_THREAD_CPUTIME_ID);
        answer += run();
        rounds[round] = rounds_now_ns(CLOCK_THREAD_CPUTIME_ID) - start;
    }
    printf("%-34s %6.1f ns", name, rounds_median(rounds, ROUNDS) / CALLS);
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
    measure("budget: a call, a retry for a tenth", budget_call_and_retry,
            sizeof(struct budget));
    measure("rate: take", rate_taking, sizeof(struct rate));
    measure("adaptive limit: aimd", adaptive_aimd, sizeof(struct adaptive));
    measure("adaptive limit: vegas", adaptive_vegas, 0);
    measure("adaptive limit: gradient", adaptive_gradient, 0);
    measure("turns of three classes", fairness_picking, sizeof(struct fairness));
    measure("latency: record", latency_recording, sizeof(struct latency));
    measure("throttle: ask and accept", throttle_asking, sizeof(struct throttle));
    measure("admission: ask, and be done", admission_asking, sizeof(struct admission));
    measure("deadline: time for an attempt", deadline_for_an_attempt, sizeof(struct deadline));
    measure("all of them around a call", all_composed, 0);
    return 0;
}
