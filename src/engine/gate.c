/*
 * gate.c - what a destination lets through: its breaker, its rate, and the row that shows them.
 *
 * A destination is a step, or one key of it (`key: "${input.tenant}"`), so that one tenant's or
 * one host's outage stops nobody else. Lanes that may not go stand at the gate in order. When
 * it has room it lets as many go on as would get through (policy/park.h), never all of them.
 *
 * The row of a gate has two readers: people and `why` read the names in it, and the next engine
 * on this database takes up `saved`, so that a restart forgets no open breaker. Its bytes are
 * sealed and used by the same layout only; otherwise the policies begin anew.
 */
#include <inttypes.h>

#include "base/ensure.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "engine/shard.h"

/* The state of a gate's policies, as the row keeps it. */
struct saved_gate {
    struct breaker breaker;
    struct rate rate;
    struct adaptive adaptive; /* of the step's own gate, as the two below */
    struct budget budget;
    struct latency latency;
    struct gate_counts counts; /* older programs kept none */
};

enum { SHOW_EVERY_MS = 1000 };

static const struct policy_rules *rules_of(const struct live_gate *gate)
{
    return &gate->step->step.rules;
}

static bool is_own(const struct live_gate *gate)
{
    return gate == &gate->step->gate;
}

/* Lets the first lanes of a list go on. */
static void resume_lanes(struct live_lane **first, struct live_lane ***end, uint32_t count)
{
    for (; count > 0 && *first != NULL; count--) {
        struct live_lane *lane = *first;
        *first = lane->next;
        if (*first == NULL)
            *end = first;
        line_set_ready(lane);
    }
}

/* A breaker opens halfway by time alone, so it is looked at before and after it is asked. */
static void note_state(struct live_gate *gate)
{
    enum breaker_state state = breaker_state(&gate->breaker, gate->step->engine->now);
    if (state == gate->seen)
        return;
    gate->seen = state;
    gate->counts.entered[state]++;
    gate->dirty = true;
}

static void look_at_breaker(struct live_gate *gate)
{
    struct engine *engine = gate->step->engine;
    const struct breaker_rule *rule = &rules_of(gate)->breaker;
    note_state(gate);
    uint32_t quota = rules_of(gate)->has_breaker ? park_quota(&gate->breaker, rule, engine->now)
                                                 : PARK_QUOTA_ALL;
    if (gate->has_ramped && breaker_state(&gate->breaker, engine->now) != BREAKER_CLOSED) {
        quota = PARK_QUOTA_ALL; /* they find it open, and are parked */
        gate->has_ramped = false;
    }
    resume_lanes(&gate->by_breaker, &gate->by_breaker_end, quota);
    if (gate->by_breaker != NULL)
        wakes_set(&engine->wakes, &gate->breaker_wake,
                  breaker_next(&gate->breaker, rule, engine->now) + 1);
    else
        wakes_clear(&engine->wakes, &gate->breaker_wake);
}

static void breaker_woken(struct wake *wake, instant_ms now)
{
    struct live_gate *gate = wake->owner;
    (void)now;
    look_at_breaker(gate);
    dispatch_pump(gate->step);
}

static void rate_woken(struct wake *wake, instant_ms now)
{
    struct live_gate *gate = wake->owner;
    const struct policy_rules *rules = rules_of(gate);
    uint32_t room =
        rules->has_rate ? rate_left(&gate->rate, &rules->rate, now) : PARK_QUOTA_ALL;
    resume_lanes(&gate->by_rate, &gate->by_rate_end, room);
    dispatch_pump(gate->step);
    if (gate->by_rate != NULL)
        wakes_set(&gate->step->engine->wakes, wake,
                  rate_next(&gate->rate, &rules->rate, now + 1));
}

/* "machine/step", or "machine/step#key" */
static void write_row_key(struct text *text, const struct live_gate *gate)
{
    text_format(text, "%s", gate->step->key);
    if (!is_own(gate))
        text_format(text, "#%s", gate->key);
}

/* Takes up what an earlier engine left. */
static void load(struct live_gate *gate)
{
    struct saved_gate saved;
    struct text key;
    text_init(&key, NULL);
    write_row_key(&key, gate);
    bool is_there = policy_row_load(gate->step->engine, text_span(&key), &saved,
                                    offsetof(struct saved_gate, counts), sizeof saved);
    text_fini(&key);
    if (!is_there)
        return;
    gate->breaker = saved.breaker;
    gate->rate = saved.rate;
    gate->counts = saved.counts;
    if (is_own(gate)) {
        gate->step->own_place.adaptive = saved.adaptive;
        gate->step->budget = saved.budget;
        gate->step->latency = saved.latency;
    }
}

void gate_init(struct live_gate *gate, struct live_step *step, struct span key)
{
    const struct policy_rules *rules = &step->step.rules;
    gate->step = step;
    gate->key = memory_copy_text(key);
    gate->by_breaker_end = &gate->by_breaker;
    gate->by_rate_end = &gate->by_rate;
    breaker_init(&gate->breaker, step->engine->now);
    if (rules->has_rate)
        rate_init(&gate->rate, &rules->rate, step->engine->now);
    wake_init(&gate->breaker_wake, breaker_woken, gate);
    wake_init(&gate->rate_wake, rate_woken, gate);
    load(gate);
    gate->seen = breaker_state(&gate->breaker, step->engine->now);
}

struct live_gate *gate_find(struct live_step *step, struct span key)
{
    if (key.size == 0)
        return &step->gate;
    struct live_gate *gate = table_find(&step->gate_table, key);
    if (gate != NULL)
        return gate;
    if (step->gate_table.count >= POLICY_KEYS_MAX)
        return &step->gate;
    gate = memory_get(sizeof *gate);
    gate_init(gate, step, key);
    gate->next = step->gates;
    step->gates = gate;
    table_add(&step->gate_table, span_from_text(gate->key), gate);
    return gate;
}

/* Takes a permit of the breaker. While it ramps up after closing, its share is a share of the
 * limit's places: no more run than that, and the one that asks, asks for all those whose credit
 * it needs to be let through. */
static bool take_permit(struct live_gate *gate, struct breaker_permit *permit)
{
    const struct policy_rules *rules = rules_of(gate);
    struct limit_rule limit = line_limit(gate->step->place);
    instant_ms now = gate->step->engine->now;
    duration_ms lease_ms = rules->timeout_ms + 1000;
    uint32_t share = breaker_share_percent(&gate->breaker, &rules->breaker, now);
    bool ramps = share > 0 && share < 100;
    uint64_t places = ((uint64_t)limit.concurrency * share + 99) / 100;
    if (ramps && gate->running >= places)
        return false;
    for (uint32_t asked = 0; ramps && asked < 100 / share; asked++) {
        if (breaker_allow(&gate->breaker, &rules->breaker, now, lease_ms, permit))
            return true;
    }
    return breaker_allow(&gate->breaker, &rules->breaker, now, lease_ms, permit);
}

enum gate_answer gate_enter(struct live_lane *lane, struct breaker_permit *permit)
{
    const struct policy_rules *rules = &lane->step->step.rules;
    struct live_gate *gate = lane->breaker_gate;
    instant_ms now = lane->step->engine->now;
    note_state(gate);
    if (rules->has_rate && rate_next(&lane->rate_gate->rate, &rules->rate, now) > now)
        return GATE_SPENT;
    if (rules->has_breaker && !take_permit(gate, permit)) {
        gate->dirty = true;
        bool is_closed = breaker_state(&gate->breaker, now) == BREAKER_CLOSED &&
                         rules->breaker.mode != BREAKER_MODE_OPEN;
        return is_closed ? GATE_RAMP : GATE_OPEN;
    }
    if (rules->has_rate) {
        ensure(rate_take(&lane->rate_gate->rate, &rules->rate, now));
        lane->rate_gate->dirty = true;
    }
    gate->running++;
    return GATE_GO;
}

void gate_note_retry(struct live_lane *lane)
{
    lane->breaker_gate->counts.retries++;
}

void gate_note_hedge(struct live_lane *lane)
{
    lane->breaker_gate->counts.hedges++;
}

static void count_end(struct gate_counts *counts, const struct attempt_result *result)
{
    if (result != NULL && result->done)
        counts->done++;
    else
        counts->failed[result == NULL ? ERROR_KIND_CANCELLED : result->kind]++;
}

void gate_stop(struct live_lane *lane, enum gate_answer answer)
{
    struct engine *engine = lane->step->engine;
    ensure(answer != GATE_GO && lane->rest == LANE_EMPTY);
    lane->rest = LANE_STOPPED;
    lane->stopped_by = answer;
    if (answer == GATE_SPENT) {
        struct live_gate *gate = lane->rate_gate;
        *gate->by_rate_end = lane;
        gate->by_rate_end = &lane->next;
        wakes_set(&engine->wakes, &gate->rate_wake,
                  rate_next(&gate->rate, &rules_of(gate)->rate, engine->now));
        gate->dirty = true;
        return;
    }
    struct live_gate *gate = lane->breaker_gate;
    gate->has_ramped = gate->has_ramped || answer == GATE_RAMP;
    *gate->by_breaker_end = lane;
    gate->by_breaker_end = &lane->next;
    if (rules_of(gate)->breaker.mode == BREAKER_MODE_OPEN)
        return;
    wakes_set(&engine->wakes, &gate->breaker_wake,
              breaker_next(&gate->breaker, &rules_of(gate)->breaker, engine->now) + 1);
}

/* A server that says when to come again is believed: by the breaker if it is open now, and by
 * the rate. */
static void push_back(struct live_lane *lane, duration_ms wait_ms)
{
    const struct policy_rules *rules = &lane->step->step.rules;
    instant_ms now = lane->step->engine->now;
    if (rules->has_breaker)
        breaker_push_back(&lane->breaker_gate->breaker, &rules->breaker, now, wait_ms);
    if (rules->has_rate)
        rate_push_back(&lane->rate_gate->rate, &rules->rate, now, wait_ms);
}

static enum breaker_result verdict_on(const struct breaker_rule *rule,
                                      const struct attempt_result *result, duration_ms took_ms)
{
    if (result == NULL)
        return BREAKER_NEUTRAL;
    if (result->done)
        return breaker_result_timed(rule, BREAKER_SUCCESS, took_ms);
    return breaker_result_timed(rule, breaker_result_of(rule, result->kind), took_ms);
}

void gate_leave(struct live_lane *lane, const struct breaker_permit *permit,
                const struct attempt_result *result, duration_ms took_ms)
{
    const struct policy_rules *rules = &lane->step->step.rules;
    struct live_gate *gate = lane->breaker_gate;
    ensure(gate->running > 0);
    gate->running--;
    gate->dirty = true;
    count_end(&gate->counts, result);
    note_state(gate);
    if (rules->has_breaker)
        breaker_record(&gate->breaker, &rules->breaker, lane->step->engine->now, permit,
                       verdict_on(&rules->breaker, result, took_ms));
    if (result != NULL && !result->done && result->retry_after_ms > 0)
        push_back(lane, result->retry_after_ms);
    look_at_breaker(gate);
}

static void revise(struct live_gate *gate)
{
    look_at_breaker(gate);
    resume_lanes(&gate->by_rate, &gate->by_rate_end, PARK_QUOTA_ALL);
}

void gate_revise(struct live_step *step)
{
    revise(&step->gate);
    for (struct live_gate *gate = step->gates; gate != NULL; gate = gate->next)
        revise(gate);
    dispatch_pump(step);
}

static void write_breaker(struct text *json, const struct live_gate *gate)
{
    struct breaker_view view =
        breaker_view(&gate->breaker, &rules_of(gate)->breaker, gate->step->engine->now);
    text_format(json,
                "\"state\":\"%s\",\"since\":%lld,\"next\":%lld,\"window_ms\":%lld,"
                "\"calls\":%u,\"failures\":%u,\"failures_percent\":%u,\"slow_percent\":%u,",
                breaker_state_name(view.state), (long long)view.since, (long long)view.next,
                (long long)view.window_ms, view.calls, view.failures, view.failures_percent,
                view.slow_percent);
}

static void write_counts(struct text *json, const struct live_gate *gate)
{
    const struct gate_counts *counts = &gate->counts;
    text_format(json, "\"ended\":{\"done\":%" PRIu64, counts->done);
    for (int i = 0; i < ERROR_KIND_COUNT; i++) {
        if (counts->failed[i] > 0)
            text_format(json, ",\"%s\":%" PRIu64, error_kind_name((enum error_kind)i),
                        counts->failed[i]);
    }
    text_format(json, "},\"retries\":%" PRIu64 ",\"hedges\":%" PRIu64 ",", counts->retries,
                counts->hedges);
    for (int i = 0; rules_of(gate)->has_breaker && i < GATE_STATES; i++)
        text_format(json, "%s\"%s\":%" PRIu64 "%s", i == 0 ? "\"entered\":{" : ",",
                    breaker_state_name((enum breaker_state)i), counts->entered[i],
                    i == GATE_STATES - 1 ? "}," : "");
}

static void write_step(struct text *json, const struct live_step *step)
{
    const struct policy_rules *rules = &step->step.rules;
    const struct live_place *place = step->place;
    text_format(json, "\"limit\":%u,\"queued\":%u,\"parked\":%u,\"starved\":%u,",
                line_limit(place).concurrency, place->awake, place->waiting - place->awake,
                step->starved.count);
    if (rules->has_budget)
        text_format(json, "\"budget_left\":%u,",
                    budget_left(&step->budget, &rules->budget, step->engine->now));
    if (latency_percentile(&step->latency, 50) >= 0)
        text_format(json, "\"p50_ms\":%lld,\"p95_ms\":%lld,",
                    (long long)latency_percentile(&step->latency, 50),
                    (long long)latency_percentile(&step->latency, 95));
}

static void write_saved(struct text *json, const struct live_gate *gate)
{
    struct saved_gate saved;
    memset(&saved, 0, sizeof saved); /* what lies between the members too */
    saved.breaker = gate->breaker;
    saved.rate = gate->rate;
    saved.adaptive = gate->step->own_place.adaptive;
    saved.budget = gate->step->budget;
    saved.latency = gate->step->latency;
    saved.counts = gate->counts;
    policy_row_add_saved(json, &saved, sizeof saved);
}

static void write_row(struct text *json, const struct live_gate *gate)
{
    const struct live_step *step = gate->step;
    const struct policy_rules *rules = &step->step.rules;
    instant_ms now = step->engine->now;
    text_add_byte(json, '{');
    write_breaker(json, gate);
    if (is_own(gate) || step->step.breaker_key != NULL)
        write_counts(json, gate);
    if (rules->has_rate && (is_own(gate) || step->step.rate_key != NULL))
        text_format(json, "\"rate_left\":%u,\"rate_next\":%lld,",
                    rate_left(&gate->rate, &rules->rate, now),
                    (long long)rate_next(&gate->rate, &rules->rate, now));
    if (is_own(gate))
        write_step(json, step);
    text_format(json, "\"running\":%u,\"line\":%u,\"at\":%lld,", gate->running,
                is_own(gate) ? step->place->waiting : 0, (long long)now);
    write_saved(json, gate);
    text_add_byte(json, '}');
}

static void add_row(struct live_gate *gate)
{
    struct engine *engine = gate->step->engine;
    enum breaker_state state = breaker_state(&gate->breaker, engine->now);
    note_state(gate);
    bool is_due = state != gate->shown || engine->now - gate->shown_at >= SHOW_EVERY_MS ||
                  engine->mode != ENGINE_RUNNING;
    struct text key;
    struct text json;
    if (!gate->dirty || !is_due)
        return;
    text_init(&key, NULL);
    text_init(&json, NULL);
    write_row_key(&key, gate);
    write_row(&json, gate);
    policy_row_put(engine, text_span(&key), span_from_text(breaker_state_name(state)),
                   text_span(&json));
    text_fini(&json);
    text_fini(&key);
    gate->dirty = false;
    gate->shown = state;
    gate->shown_at = engine->now;
}

static bool has_state(const struct policy_rules *rules)
{
    return rules->has_breaker || rules->has_rate || rules->has_budget || rules->has_hedge ||
           rules->adaptive.kind != ADAPTIVE_NONE;
}

void gate_add_rows(struct engine *engine)
{
    for (struct live_step *step = engine->steps; step != NULL; step = step->next) {
        if (!has_state(&step->step.rules))
            continue;
        add_row(&step->gate);
        for (struct live_gate *gate = step->gates; gate != NULL; gate = gate->next)
            add_row(gate);
    }
}

void gate_fini(struct live_step *step)
{
    while (step->gates != NULL) {
        struct live_gate *gate = step->gates;
        step->gates = gate->next;
        memory_release(gate->key);
        memory_release(gate);
    }
    memory_release(step->gate.key);
    table_fini(&step->gate_table);
}
