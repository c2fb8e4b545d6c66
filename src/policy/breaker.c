/*
 * breaker.c - counting calls in a window, and three states.
 *
 * A breaker is counters and moments. It owns no timer: whether its time has come is found out
 * by the next question. The window is ten buckets; their sums are kept, so that a call costs a
 * few additions and no loop. A bucket is a tenth of a time, or of a number of calls; of less
 * than ten calls, each has a bucket.
 *
 * Why leased probes: when the open time ends, the whole backlog is waiting. A few calls find
 * out, the rest keep waiting. A probe whose report is lost gives its place back when its lease
 * ends, so half-open always moves on.
 *
 * Why a ramp: a dependency that has just come back has cold caches and a backlog of its own.
 *
 * Time may step back (a clock set right, another machine's snapshot). A step below a second is
 * taken as no time passing; a larger one moves every moment in the breaker along with it, so
 * that it waits as long as it would have, no more and no less.
 *
 * Always: calls and failures are the buckets' sums, failures <= calls; leases are held only
 * while half-open, and together with judged probes are at most rule->probes (of a rule that
 * stays).
 */
#include "policy/breaker.h"

#include "base/checked.h"
#include "base/ensure.h"

enum {
    BACKWARD_STEP_MS = 1000, /* smaller steps are jitter between clocks */
    RAMP_FLOOR_PERCENT = 10, /* as Envoy's slow start: the share a ramp begins with */
    RAMP_RETRIES = 100       /* a caller refused by the ramp asks again this often in it */
};

#define LEASE_MS_MAX ((duration_ms)INT32_MAX)

bool breaker_rule_is_valid(const struct breaker_rule *rule)
{
    return rule->window_ms > 0 && rule->failures_percent >= 1 &&
           rule->failures_percent <= 100 && rule->minimum >= 1 && rule->open_ms > 0 &&
           rule->open_max_ms >= rule->open_ms && rule->probes >= 1 &&
           rule->probes <= BREAKER_PROBES_MAX && rule->ramp_ms >= 0 && rule->slow_ms >= 0 &&
           rule->slow_percent <= 100 && rule->close_percent <= 100 &&
           rule->mode < BREAKER_MODE_COUNT;
}

void breaker_init(struct breaker *breaker, instant_ms now)
{
    ensure(now >= 0);
    *breaker = (struct breaker){.bucket_from = now, .since = now, .latest = now};
    breaker->generation = 1;
}

/* Time since the state was entered; steps back are not seen. */
static duration_ms elapsed_ms(const struct breaker *breaker, instant_ms now)
{
    return (now > breaker->latest ? now : breaker->latest) - breaker->since;
}

/* The moment to reckon with: small steps back are no time passing. */
static instant_ms reckon(const struct breaker *breaker, instant_ms now)
{
    ensure(now >= 0);
    return now < breaker->latest && breaker->latest - now < BACKWARD_STEP_MS ? breaker->latest
                                                                             : now;
}

/* Takes note of the time, moves along where it steps back far, and returns what to reckon with.
 */
static instant_ms tick(struct breaker *breaker, instant_ms now)
{
    instant_ms moment = reckon(breaker, now);
    if (moment < breaker->latest) {
        breaker->bucket_from -= breaker->latest - moment;
        breaker->since -= breaker->latest - moment;
    }
    breaker->latest = moment;
    return moment;
}

static duration_ms bucket_ms(const struct breaker_rule *rule)
{
    return rule->window_ms < BREAKER_BUCKETS ? 1 : rule->window_ms / BREAKER_BUCKETS;
}

static void clear_window(struct breaker *breaker, instant_ms now)
{
    for (size_t i = 0; i < BREAKER_BUCKETS; i++)
        breaker->buckets[i] = (struct breaker_bucket){0, 0, 0};
    breaker->calls = 0;
    breaker->failures = 0;
    breaker->slow = 0;
    breaker->bucket_from = now;
}

/* Takes a bucket out of the window. */
static void retire(struct breaker *breaker, uint32_t index)
{
    struct breaker_bucket *oldest = &breaker->buckets[index % BREAKER_BUCKETS];
    breaker->calls -= oldest->calls;
    breaker->failures -= oldest->failures;
    breaker->slow -= oldest->slow;
    *oldest = (struct breaker_bucket){0, 0, 0};
}

/* A window of calls: begins a new bucket when the newest is full. */
static void advance_calls(struct breaker *breaker, const struct breaker_rule *rule)
{
    uint32_t parts =
        rule->window_calls < BREAKER_BUCKETS ? rule->window_calls : BREAKER_BUCKETS;
    uint32_t full = (rule->window_calls + BREAKER_BUCKETS - 1) / BREAKER_BUCKETS;
    if (breaker->buckets[breaker->newest].calls < full)
        return;
    breaker->newest = (uint8_t)((breaker->newest + 1) % BREAKER_BUCKETS);
    retire(breaker, breaker->newest);
    retire(breaker, breaker->newest + BREAKER_BUCKETS - parts);
}

/* Begins new buckets until the newest one holds now. */
static void advance_window(struct breaker *breaker, const struct breaker_rule *rule,
                           instant_ms now)
{
    if (now - breaker->bucket_from < bucket_ms(rule))
        return;
    int64_t steps = (now - breaker->bucket_from) / bucket_ms(rule);
    if (steps >= BREAKER_BUCKETS) {
        clear_window(breaker, breaker->bucket_from + steps * bucket_ms(rule));
        return;
    }
    breaker->bucket_from += steps * bucket_ms(rule);
    for (int64_t i = 0; i < steps; i++) {
        breaker->newest = (uint8_t)((breaker->newest + 1) % BREAKER_BUCKETS);
        retire(breaker, breaker->newest);
    }
}

/* Too many failures or slow calls among so many calls? */
static bool reaches_share(const struct breaker_rule *rule, uint64_t failures, uint64_t slow,
                          uint64_t calls)
{
    return failures * 100 >= calls * rule->failures_percent ||
           (rule->slow_percent > 0 && slow * 100 >= calls * rule->slow_percent);
}

/* A window of fewer calls than the minimum decides when it is full. */
static uint32_t minimum_of(const struct breaker_rule *rule)
{
    bool is_less = rule->window_calls > 0 && rule->window_calls < rule->minimum;
    return is_less ? rule->window_calls : rule->minimum;
}

static void enter(struct breaker *breaker, enum breaker_state state, instant_ms now)
{
    breaker->state = (uint8_t)state;
    breaker->since = now;
    breaker->generation++;
    breaker->probe_successes = 0;
    breaker->probe_failures = 0;
    breaker->probe_slow = 0;
    for (size_t i = 0; i < BREAKER_PROBES_MAX; i++)
        breaker->lease_ends[i] = 0;
}

static duration_ms open_time_ms(const struct breaker_rule *rule, uint32_t opens)
{
    duration_ms open_ms = rule->open_ms;
    for (uint32_t i = 1; i < opens && open_ms < rule->open_max_ms; i++) {
        if (!checked_multiply(open_ms, (duration_ms)2, &open_ms))
            open_ms = rule->open_max_ms;
    }
    return open_ms < rule->open_max_ms ? open_ms : rule->open_max_ms;
}

static void hold_open(struct breaker *breaker, duration_ms wait_ms)
{
    breaker->open_for_ms = wait_ms < UINT32_MAX ? (uint32_t)wait_ms : UINT32_MAX;
}

/* Counts stay as they are: they say why it opened. */
static void open_breaker(struct breaker *breaker, const struct breaker_rule *rule,
                         instant_ms now)
{
    breaker->opens = breaker->opens == UINT8_MAX ? UINT8_MAX : (uint8_t)(breaker->opens + 1);
    hold_open(breaker, open_time_ms(rule, breaker->opens));
    enter(breaker, BREAKER_OPEN, now);
}

static void close_breaker(struct breaker *breaker, instant_ms now)
{
    enter(breaker, BREAKER_CLOSED, now);
    clear_window(breaker, now);
    breaker->credit = 100 - RAMP_FLOOR_PERCENT; /* the first caller goes */
}

static bool is_lease_free(const struct breaker *breaker, size_t place, duration_ms elapsed)
{
    return breaker->lease_ends[place] <= elapsed;
}

static uint32_t leases_held(const struct breaker *breaker, duration_ms elapsed)
{
    uint32_t count = 0;
    for (size_t i = 0; i < BREAKER_PROBES_MAX; i++)
        count += is_lease_free(breaker, i, elapsed) ? 0 : 1;
    return count;
}

static uint32_t probes_judged(const struct breaker *breaker)
{
    return (uint32_t)breaker->probe_successes + breaker->probe_failures;
}

/* Leases are kept in 32 bits after `since`; moves it up before they would not fit. */
static duration_ms rebase_leases(struct breaker *breaker, duration_ms elapsed)
{
    if (elapsed <= LEASE_MS_MAX)
        return elapsed;
    for (size_t i = 0; i < BREAKER_PROBES_MAX; i++)
        breaker->lease_ends[i] = is_lease_free(breaker, i, elapsed)
                                     ? 0
                                     : (uint32_t)(breaker->lease_ends[i] - elapsed);
    breaker->since += elapsed;
    return 0;
}

/* Can the round no longer end well? */
static bool have_probes_failed(const struct breaker *breaker, const struct breaker_rule *rule)
{
    if (rule->close_percent == 0)
        return reaches_share(rule, breaker->probe_failures, breaker->probe_slow, rule->probes);
    return breaker->probe_failures * 100u > (100 - rule->close_percent) * rule->probes ||
           (rule->slow_percent > 0 &&
            breaker->probe_slow * 100u >= rule->slow_percent * rule->probes);
}

/* The verdict of a half-open round, as soon as there is one. */
static void judge_probes(struct breaker *breaker, const struct breaker_rule *rule,
                         instant_ms now)
{
    if (have_probes_failed(breaker, rule))
        open_breaker(breaker, rule, now);
    else if (probes_judged(breaker) >= rule->probes)
        close_breaker(breaker, now);
}

static bool lease_probe(struct breaker *breaker, const struct breaker_rule *rule,
                        instant_ms now, duration_ms lease_ms, struct breaker_permit *permit)
{
    duration_ms elapsed = rebase_leases(breaker, elapsed_ms(breaker, now));
    if (leases_held(breaker, elapsed) + probes_judged(breaker) >= rule->probes)
        return false;
    size_t place = 0;
    while (!is_lease_free(breaker, place, elapsed))
        place++;
    ensure(place < BREAKER_PROBES_MAX);
    breaker->lease_ends[place] =
        (uint32_t)(elapsed + (lease_ms < LEASE_MS_MAX ? lease_ms : LEASE_MS_MAX));
    breaker->lease_serials[place] = ++breaker->serial;
    *permit = (struct breaker_permit){breaker->generation, breaker->lease_ends[place],
                                      (uint8_t)place, breaker->serial};
    return true;
}

static bool is_ramping(const struct breaker *breaker, const struct breaker_rule *rule,
                       instant_ms now)
{
    return breaker->opens > 0 && elapsed_ms(breaker, now) < rule->ramp_ms;
}

/* max(10 %, elapsed / ramp) */
static uint32_t ramp_percent(const struct breaker *breaker, const struct breaker_rule *rule,
                             instant_ms now)
{
    if (!is_ramping(breaker, rule, now))
        return 100;
    double share = 100.0 * (double)elapsed_ms(breaker, now) / (double)rule->ramp_ms;
    return share > RAMP_FLOOR_PERCENT ? (uint32_t)share : RAMP_FLOOR_PERCENT;
}

/* Each caller brings the share; whoever makes it whole goes. No dice: every tenth of 10 %. */
static bool admit_closed(struct breaker *breaker, const struct breaker_rule *rule,
                         instant_ms now)
{
    if (!is_ramping(breaker, rule, now))
        return true;
    uint32_t credit = breaker->credit + ramp_percent(breaker, rule, now);
    breaker->credit = (uint8_t)(credit % 100);
    return credit >= 100;
}

/* Whoever is let through against the breaker's own mind starts from closed. */
static bool allow_forced(struct breaker *breaker, const struct breaker_rule *rule,
                         instant_ms now, struct breaker_permit *permit)
{
    if (rule->mode == BREAKER_MODE_OPEN)
        return false;
    if (breaker->state != BREAKER_CLOSED) {
        close_breaker(breaker, now);
        breaker->opens = 0;
    }
    *permit = (struct breaker_permit){breaker->generation, 0, BREAKER_PROBES_MAX, 0};
    return true;
}

bool breaker_allow(struct breaker *breaker, const struct breaker_rule *rule, instant_ms now,
                   duration_ms lease_ms, struct breaker_permit *permit)
{
    ensure(lease_ms > 0);
    now = tick(breaker, now);
    if (rule->mode != BREAKER_MODE_AUTO)
        return allow_forced(breaker, rule, now, permit);
    if (breaker->state == BREAKER_HALF_OPEN) /* the rule may have been revised meanwhile */
        judge_probes(breaker, rule, now);
    switch ((enum breaker_state)breaker->state) {
    case BREAKER_CLOSED:
        if (!admit_closed(breaker, rule, now))
            return false;
        *permit = (struct breaker_permit){breaker->generation, 0, BREAKER_PROBES_MAX, 0};
        return true;
    case BREAKER_OPEN:
        if (elapsed_ms(breaker, now) < breaker->open_for_ms)
            return false;
        enter(breaker, BREAKER_HALF_OPEN, now);
        return lease_probe(breaker, rule, now, lease_ms, permit);
    case BREAKER_HALF_OPEN:
        return lease_probe(breaker, rule, now, lease_ms, permit);
    }
    never();
}

static bool is_failure(enum breaker_result result)
{
    return result == BREAKER_FAILURE || result == BREAKER_SLOW_FAILURE;
}

static bool is_slow(enum breaker_result result)
{
    return result == BREAKER_SLOW || result == BREAKER_SLOW_FAILURE;
}

/* A breaker that fails while it ramps has not recovered: `opens` goes on counting. */
static void record_closed(struct breaker *breaker, const struct breaker_rule *rule,
                          instant_ms now, enum breaker_result result)
{
    if (result == BREAKER_NEUTRAL || rule->mode == BREAKER_MODE_CLOSED)
        return;
    if (rule->window_calls > 0)
        advance_calls(breaker, rule);
    else
        advance_window(breaker, rule, now);
    struct breaker_bucket *bucket = &breaker->buckets[breaker->newest];
    bucket->calls++;
    breaker->calls++;
    bucket->failures += is_failure(result);
    breaker->failures += is_failure(result);
    bucket->slow += is_slow(result);
    breaker->slow += is_slow(result);
    if (breaker->calls < minimum_of(rule) || rule->mode != BREAKER_MODE_AUTO ||
        !reaches_share(rule, breaker->failures, breaker->slow, breaker->calls))
        return;
    if (!is_ramping(breaker, rule, now))
        breaker->opens = 0; /* it had recovered */
    open_breaker(breaker, rule, now);
}

static void record_probe(struct breaker *breaker, const struct breaker_rule *rule,
                         instant_ms now, const struct breaker_permit *permit,
                         enum breaker_result result)
{
    ensure(permit->place < BREAKER_PROBES_MAX);
    if (is_lease_free(breaker, permit->place, elapsed_ms(breaker, now)) ||
        breaker->lease_ends[permit->place] != permit->lease_end ||
        breaker->lease_serials[permit->place] != permit->serial)
        return; /* the lease ended, and its place may be another call's */
    breaker->lease_ends[permit->place] = 0;
    if (result == BREAKER_NEUTRAL)
        return;
    if (is_failure(result))
        breaker->probe_failures++;
    else
        breaker->probe_successes++;
    breaker->probe_slow += is_slow(result);
    judge_probes(breaker, rule, now);
}

void breaker_record(struct breaker *breaker, const struct breaker_rule *rule, instant_ms now,
                    const struct breaker_permit *permit, enum breaker_result result)
{
    now = tick(breaker, now);
    if (permit->generation != breaker->generation)
        return;
    switch ((enum breaker_state)breaker->state) {
    case BREAKER_CLOSED:
        record_closed(breaker, rule, now, result);
        break;
    case BREAKER_OPEN: /* gives no permits */
        never();
    case BREAKER_HALF_OPEN:
        record_probe(breaker, rule, now, permit, result);
        break;
    }
    ensure(breaker->failures <= breaker->calls);
}

enum breaker_result breaker_result_of(const struct breaker_rule *rule, enum error_kind kind)
{
    return (rule->counted & ERROR_KIND_BIT(kind)) != 0 ? BREAKER_FAILURE : BREAKER_NEUTRAL;
}

enum breaker_result breaker_result_timed(const struct breaker_rule *rule,
                                         enum breaker_result result, duration_ms took_ms)
{
    if (rule->slow_ms == 0 || took_ms <= rule->slow_ms)
        return result;
    if (result == BREAKER_SUCCESS)
        return BREAKER_SLOW;
    return result == BREAKER_FAILURE ? BREAKER_SLOW_FAILURE : result;
}

void breaker_push_back(struct breaker *breaker, const struct breaker_rule *rule, instant_ms now,
                       duration_ms wait_ms)
{
    now = tick(breaker, now);
    if (breaker->state != BREAKER_OPEN || wait_ms <= 0)
        return;
    duration_ms wait = wait_ms < rule->open_max_ms ? wait_ms : rule->open_max_ms;
    duration_ms until = elapsed_ms(breaker, now) + wait;
    if (until > breaker->open_for_ms)
        hold_open(breaker, until);
}

enum breaker_state breaker_state(const struct breaker *breaker, instant_ms now)
{
    if (breaker->state == BREAKER_OPEN && elapsed_ms(breaker, now) >= breaker->open_for_ms)
        return BREAKER_HALF_OPEN;
    return (enum breaker_state)breaker->state;
}

uint32_t breaker_free_probes(const struct breaker *breaker, const struct breaker_rule *rule,
                             instant_ms now)
{
    if (breaker_state(breaker, now) != BREAKER_HALF_OPEN)
        return 0;
    uint32_t taken = leases_held(breaker, elapsed_ms(breaker, now)) + probes_judged(breaker);
    return taken < rule->probes ? rule->probes - taken : 0;
}

uint32_t breaker_share_percent(const struct breaker *breaker, const struct breaker_rule *rule,
                               instant_ms now)
{
    return breaker->state == BREAKER_CLOSED ? ramp_percent(breaker, rule, now) : 0;
}

/* The time until the first held lease ends; 0 when none is held. */
static duration_ms until_lease_ms(const struct breaker *breaker, duration_ms elapsed)
{
    duration_ms wait = 0;
    for (size_t i = 0; i < BREAKER_PROBES_MAX; i++) {
        duration_ms left = (duration_ms)breaker->lease_ends[i] - elapsed;
        if (left > 0 && (wait == 0 || left < wait))
            wait = left;
    }
    return wait;
}

static duration_ms wait_ms(const struct breaker *breaker, const struct breaker_rule *rule,
                           instant_ms now)
{
    duration_ms elapsed = elapsed_ms(breaker, now);
    switch ((enum breaker_state)breaker->state) {
    case BREAKER_CLOSED:
        return is_ramping(breaker, rule, now) ? rule->ramp_ms / RAMP_RETRIES + 1 : 0;
    case BREAKER_OPEN:
        return elapsed < breaker->open_for_ms ? breaker->open_for_ms - elapsed : 0;
    case BREAKER_HALF_OPEN:
        if (breaker_free_probes(breaker, rule, now) > 0)
            return 0;
        return until_lease_ms(breaker, elapsed);
    }
    never();
}

instant_ms breaker_next(const struct breaker *breaker, const struct breaker_rule *rule,
                        instant_ms now)
{
    instant_ms next = 0;
    return checked_add(reckon(breaker, now), wait_ms(breaker, rule, now), &next)
               ? next
               : INSTANT_NEVER;
}

struct breaker_view breaker_view(const struct breaker *breaker, const struct breaker_rule *rule,
                                 instant_ms now)
{
    struct breaker aged = *breaker;
    if (aged.state == BREAKER_CLOSED && rule->window_calls == 0)
        advance_window(&aged, rule, tick(&aged, now));
    struct breaker_view view = {
        .state = breaker_state(breaker, now),
        .since = breaker->since,
        .next = breaker_next(breaker, rule, now),
        .window_ms = rule->window_ms,
        .calls = aged.calls,
        .failures = aged.failures,
        .slow = aged.slow,
        .probes_judged = probes_judged(breaker),
        .admitted_percent = breaker_share_percent(breaker, rule, now),
    };
    if (view.calls > 0) {
        view.failures_percent = (uint32_t)((uint64_t)view.failures * 100 / view.calls);
        view.slow_percent = (uint32_t)((uint64_t)view.slow * 100 / view.calls);
    }
    if (breaker->state == BREAKER_HALF_OPEN)
        view.probes_out = leases_held(breaker, elapsed_ms(breaker, now));
    return view;
}

const char *breaker_state_name(enum breaker_state state)
{
    switch (state) {
    case BREAKER_CLOSED:
        return "closed";
    case BREAKER_OPEN:
        return "open";
    case BREAKER_HALF_OPEN:
        return "half-open";
    }
    never();
}

const char *breaker_mode_name(enum breaker_mode mode)
{
#define BREAKER_MODE_NAME(name, text) text,
    static const char *const names[] = {BREAKER_MODE_LIST(BREAKER_MODE_NAME)};
#undef BREAKER_MODE_NAME
    ensure((size_t)mode < BREAKER_MODE_COUNT);
    return names[mode];
}
