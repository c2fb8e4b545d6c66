/*
 * dispatch.c - requests: when they may go, how they ended, when they try again.
 *
 * The order of the policies is always the same: deadline, limit, rate, breaker, timeout, hedge,
 * retry, budget, fallback. Those that may not go stand in line (engine/line.c). One is let
 * through at a time, and a lane's first refusal ends its round, so a breaker that half-opens
 * sees its probes and not the whole line. While the breaker is open or the rate spent, those in
 * line are parked, as are those that come when the queue is full and retries that the budget
 * has nothing for: their deadlines stand still.
 *
 * Progress is kept in soft records: a crash forgets no attempt that was known to be made,
 * and `why` can be answered by a reader.
 */
#include <stdio.h>

#include "base/ensure.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "engine/shard.h"

static const struct policy_rules *rules_of(const struct live_request *live)
{
    return &live->step->step.rules;
}

static bool is_parked(const struct live_request *live)
{
    return live->request->progress.phase == REQUEST_PARKED;
}

static struct live_attempt *running_attempt(struct live_request *live)
{
    if (live->attempts[0].attempt != NULL)
        return &live->attempts[0];
    return live->attempts[1].attempt != NULL ? &live->attempts[1] : NULL;
}

static void note_progress(struct live_request *live, enum request_phase phase)
{
    struct engine *engine = live->step->engine;
    struct request_progress *progress = &live->request->progress;
    progress->phase = phase;
    progress->since = engine->now;
    progress->left_ms = deadline_left_ms(&live->deadline, engine->now);
    batch_add_record(engine, live->instance, &(struct record){.kind = RECORD_PROGRESS},
                     live->request);
    /* If it was this step that ended the engine before, the attempt has to be counted at once.
     */
    if (live->resumed && phase == REQUEST_RUNNING)
        engine->open->hard = true;
}

/* The next moment at which a request that is not running has to be looked at. */
static void set_wake(struct live_request *live)
{
    struct engine *engine = live->step->engine;
    const struct request_progress *progress = &live->request->progress;
    instant_ms due = deadline_at(&live->deadline);
    if (progress->phase == REQUEST_BACKOFF && progress->next_at < due)
        due = progress->next_at;
    if (progress->phase == REQUEST_PARKED)
        due = park_until((struct parked){progress->since, 0}, rules_of(live)->park_max_ms);
    wakes_set(&engine->wakes, &live->wake, due);
}

static void settle(struct live_request *live, enum event_kind kind, struct span payload)
{
    struct engine *engine = live->step->engine;
    ensure(!live->settled);
    line_leave(live);
    wakes_clear(&engine->wakes, &live->wake);
    live->settled = true;
    inbox_add(engine, &(struct inbox_event){.kind = kind,
                                            .instance = live->instance,
                                            .number = live->number,
                                            .payload = payload});
}

/* The error as `event.error`: {"kind","message","step","attempts","code"?,"unknown"?,
 * "details"?}. Unknown is whether an attempt acted all the same. */
static void settle_error(struct live_request *live, enum error_kind kind, int32_t code,
                         struct span message, struct span details)
{
    struct text text;
    text_init(&text, NULL);
    text_format(&text, "{\"kind\":\"%s\",\"message\":", error_kind_name(kind));
    json_write_string(&text, message);
    text_add(&text, SPAN(",\"step\":"));
    json_write_string(&text, live->step->step.name);
    text_format(&text, ",\"attempts\":%u",
                live->request == NULL ? 0 : live->request->progress.attempts);
    if (code != 0)
        text_format(&text, ",\"code\":%d", code);
    if (live->request != NULL && live->request->progress.may_have_acted)
        text_add(&text, SPAN(",\"unknown\":true"));
    if (details.size > 0 && details.size < VALUE_BYTES_MAX / 2) /* the kind matters more */
        text_format(&text, ",\"details\":%.*s", SPAN_ARGS(details));
    text_add_byte(&text, '}');
    settle(live, EVENT_ERROR, text_span(&text));
    text_fini(&text);
}

static void expire(struct live_request *live)
{
    const struct request_progress *progress = &live->request->progress;
    struct text message;
    text_init(&message, NULL);
    text_add(&message, SPAN("the deadline of "));
    time_add_duration(&message, rules_of(live)->deadline_ms);
    text_format(&message, " passed after %u attempt%s", progress->attempts,
                progress->attempts == 1 ? "" : "s");
    if (progress->has_error)
        text_format(&message, "; the last: %s", progress->error_message);
    settle_error(live, ERROR_KIND_EXPIRED, 0, text_span(&message), SPAN(""));
    text_fini(&message);
}

static void line_up(struct live_request *live);

/* Only where the first is known not to have acted, unless the definition says otherwise. */
static bool may_fall_back(const struct live_request *live, enum error_kind kind, bool not_acted)
{
    const struct policy_rules *rules = rules_of(live);
    if (live->request == NULL || live->step->fallback == NULL)
        return false;
    bool is_among = (rules->fallback_on & ERROR_KIND_BIT(kind)) != 0;
    if (rules->is_fallback_wide)
        return is_among;
    return !live->request->progress.may_have_acted &&
           (is_among || (kind == ERROR_KIND_TRANSPORT && not_acted));
}

/* As if it were asked for the first time. */
static void begin_anew(struct live_request *live)
{
    struct request_progress *progress = &live->request->progress;
    progress->attempts = 0;
    progress->interrupted = 0;
    progress->may_have_acted = false;
    live->delay_ms = 0;
    live->hedges = 0;
}

/* The request goes on at another step. */
static void fall_back(struct live_request *live)
{
    struct engine *engine = live->step->engine;
    line_leave(live);
    deadline_resume(&live->deadline, engine->now);
    live->step = live->step->fallback;
    live->lane = line_find_lane(live);
    live->request->progress.fallbacks++;
    begin_anew(live);
    note_progress(live, REQUEST_READY);
    line_up(live);
}

/* The step has failed for good: its fallback, or the error. */
static void give_up(struct live_request *live, const struct attempt_result *result)
{
    if (may_fall_back(live, result->kind, result->not_acted))
        fall_back(live);
    else
        settle_error(live, result->kind, result->code, result->message, result->details);
}

static void refuse(struct live_request *live, enum gate_answer answer)
{
    struct attempt_result result = {.kind = ERROR_KIND_BREAKER_OPEN,
                                    .message = SPAN("the breaker is open"),
                                    .not_acted = true};
    if (answer == GATE_SPENT) {
        result.kind = ERROR_KIND_THROTTLED;
        result.message = SPAN("the rate is spent");
    }
    give_up(live, &result);
}

static void note_parked(struct live_request *live)
{
    deadline_park(&live->deadline, live->step->engine->now);
    note_progress(live, REQUEST_PARKED);
    set_wake(live);
}

/* A lane may not go: everybody in it is parked, or fails, as the step says. Who is parked is
 * not looked at again: thousands may be, and the breaker may refuse as often. */
static void stop_lane(struct live_lane *lane, enum gate_answer answer)
{
    bool fails = lane->step->step.rules.when_open == WHEN_OPEN_FAIL;
    gate_stop(lane, answer);
    if (answer == GATE_RAMP)
        return;
    while (fails && lane->awake.first != NULL)
        refuse(lane->awake.first, answer);
    while (fails && lane->parked.first != NULL)
        refuse(lane->parked.first, answer);
    line_park(lane, note_parked);
}

static void attempt_ended(void *context, const struct attempt_result *result);

/* What an attempt is told about where it belongs: W3C trace context, from the key. */
static void write_trace(const char *key, uint32_t attempt, char trace[64])
{
    struct random mixer = {hash_text(span_from_text(key)) + attempt};
    uint64_t span_id = random_next(&mixer);
    char digits[17];
    hash_to_hex((const uint8_t *)&span_id, sizeof span_id, digits);
    snprintf(trace, 64, "00-%.32s-%s-01", key, digits);
}

/* The trace and the key are written into what the caller holds. */
static struct attempt_request describe_attempt(struct live_request *live, char key[33],
                                               char trace[64])
{
    struct engine *engine = live->step->engine;
    const struct step *step = &live->step->step;
    struct configuration configuration;
    arena_clear(&engine->turn_arena);
    ensure(instance_decode(live->instance, &engine->turn_arena, &configuration) == STATUS_OK);
    const struct invocation *invocation =
        configuration_find_invocation(&configuration, live->number);
    ensure(invocation != NULL);
    uint32_t attempt = live->request->progress.attempts;
    struct value input = invocation->input;
    instance_invocation_key(live->instance, live->number, engine->options.store->incarnation,
                            key);
    if (live->compensation != NULL) {
        input = compensation_input(live, &engine->turn_arena);
        compensation_key(live, key);
    }
    write_trace(key, attempt, trace);
    return (struct attempt_request){
        .input = input,
        .context = configuration.context,
        .instance = instance_id(live->instance),
        .step = step->name,
        .key = span_from_text(key),
        .trace = span_from_text(trace),
        .attempt = attempt,
        .timeout_ms = deadline_timeout_ms(&live->deadline, step->rules.timeout_ms, engine->now),
    };
}

/* Has its permits, and is out of line. */
static void begin(struct live_request *live, struct live_attempt *begun,
                  const struct breaker_permit *permit)
{
    struct live_step *step = live->step;
    struct engine *engine = step->engine;
    char key[33];
    char trace[64];
    live->request->progress.attempts++;
    note_progress(live, REQUEST_RUNNING);
    struct attempt_request request = describe_attempt(live, key, trace);
    *begun = (struct live_attempt){.live = live,
                                   .strategy = engine->strategies[step->step.type_index],
                                   .place = step->place,
                                   .permit = *permit,
                                   .started_at = engine->now,
                                   .started_us = clock_elapsed_us()};
    begun->attempt =
        strategy_start(begun->strategy, step->step.settings, &request, attempt_ended, begun);
}

/* When a second call is made beside the first; never when that is not known yet. */
static instant_ms hedge_at(const struct live_request *live)
{
    const struct policy_rules *rules = rules_of(live);
    duration_ms after_ms = rules->hedge.after_ms;
    if (!rules->has_hedge || live->attempts[0].attempt == NULL ||
        live->attempts[1].attempt != NULL)
        return INSTANT_NEVER;
    if (rules->hedge.percent > 0)
        after_ms = latency_percentile(&live->step->latency, rules->hedge.percent);
    return after_ms < 0 ? INSTANT_NEVER : live->attempts[0].started_at + after_ms + 1;
}

static void start_attempt(struct live_request *live, const struct breaker_permit *permit)
{
    struct live_step *step = live->step;
    struct engine *engine = step->engine;
    const struct policy_rules *rules = rules_of(live);
    line_leave(live);
    deadline_resume(&live->deadline, engine->now);
    wakes_clear(&engine->wakes, &live->wake);
    if (live->request->progress.attempts == 0) /* hedges are paid from it also unasked */
        budget_deposit(&step->budget, &rules->budget, engine->now);
    else
        gate_note_retry(live->lane);
    begin(live, &live->attempts[0], permit);
    instant_ms hedge = hedge_at(live);
    if (hedge != INSTANT_NEVER)
        wakes_set(&engine->wakes, &live->wake, hedge);
}

/* A second call beside one that is late, when there is room for it and budget. */
static void hedge(struct live_request *live)
{
    struct live_step *step = live->step;
    const struct policy_rules *rules = rules_of(live);
    struct limit_rule limit = line_limit(step->place);
    struct breaker_permit permit = {0};
    if (limit_free(&step->place->limit, &limit) == 0 ||
        (rules->has_breaker && breaker_state(&live->lane->breaker_gate->breaker,
                                             step->engine->now) != BREAKER_CLOSED) ||
        !budget_withdraw(&step->budget, &rules->budget, step->engine->now) ||
        gate_enter(live->lane, &permit) != GATE_GO)
        return;
    ensure(limit_enter(&step->place->limit, &limit) == LIMIT_GO);
    live->hedges++;
    gate_note_hedge(live->lane);
    begin(live, &live->attempts[1], &permit);
}

/* Those who waited for the budget get what it has by now, first in line first. */
static void feed_starved(struct live_step *step)
{
    struct engine *engine = step->engine;
    const struct budget_rule *rule = &step->step.rules.budget;
    while (step->starved.first != NULL && budget_withdraw(&step->budget, rule, engine->now)) {
        struct live_request *live = step->starved.first;
        line_leave(live);
        deadline_resume(&live->deadline, engine->now);
        live->request->progress.phase = REQUEST_READY;
        line_up(live);
    }
    if (step->starved.first == NULL)
        wakes_clear(&engine->wakes, &step->starved_wake);
    else
        wakes_set(&engine->wakes, &step->starved_wake,
                  budget_next(&step->budget, rule, engine->now));
}

void dispatch_budget_woken(struct wake *wake, instant_ms now)
{
    (void)now;
    feed_starved(wake->owner);
}

static void starve(struct live_request *live)
{
    line_starve(live);
    note_parked(live);
    if (live->step->starved.first == live)
        feed_starved(live->step);
}

/* Who has waited so long, here or on his way here, is not in time any more. He makes room for
 * those who still can be, and first come, first served goes on among them: no other order has
 * more of them in time. */
static bool has_waited_too_long(const struct live_request *live)
{
    const struct policy_rules *rules = rules_of(live);
    instant_ms now = live->step->engine->now;
    if (is_parked(live))
        return false;
    return (rules->queue_wait_ms > 0 && now - live->queued_at > rules->queue_wait_ms) ||
           (rules->age_max_ms > 0 && now - live->instance->live->began_at > rules->age_max_ms);
}

static void park(struct live_request *live)
{
    line_leave(live);
    note_parked(live);
    line_join(live);
}

/* The first of a lane may go, or the lane stops. */
static void serve(struct live_request *next, const struct limit_rule *limit)
{
    struct live_lane *lane = next->lane;
    struct engine *engine = next->step->engine;
    struct breaker_permit permit = {0};
    if (!is_parked(next) && deadline_is_expired(&next->deadline, engine->now)) {
        expire(next);
        line_return(lane);
        return;
    }
    if (has_waited_too_long(next)) {
        park(next);
        line_return(lane);
        return;
    }
    enum gate_answer answer = gate_enter(lane, &permit);
    if (answer != GATE_GO) {
        stop_lane(lane, answer);
        return;
    }
    ensure(limit_enter(&next->step->place->limit, limit) == LIMIT_GO);
    start_attempt(next, &permit);
    line_return(lane);
}

static void pump_place(struct live_place *place)
{
    struct engine *engine = place->step->engine;
    struct limit_rule limit = line_limit(place);
    while (engine->mode == ENGINE_RUNNING && limit_free(&place->limit, &limit) > 0) {
        struct live_request *next = line_next(place);
        if (next == NULL)
            return;
        serve(next, &limit);
    }
}

void dispatch_pump(struct live_step *step)
{
    if (step->starved.first != NULL && step->engine->mode == ENGINE_RUNNING)
        feed_starved(step);
    pump_place(step->place);
}

/* Nobody in the lane may go: its breaker is open, or its rate is spent. */
static bool is_stopped(const struct live_lane *lane)
{
    return lane->rest == LANE_STOPPED && lane->stopped_by != GATE_RAMP;
}

/* The queue has room for so many; beyond it work waits without its deadline running. */
static bool is_full(const struct live_place *place)
{
    struct limit_rule limit = line_limit(place);
    return place->awake >= limit.queue + limit_free(&place->limit, &limit);
}

static void line_up(struct live_request *live)
{
    struct live_step *step = live->step;
    if (is_stopped(live->lane) && step->step.rules.when_open == WHEN_OPEN_FAIL) {
        refuse(live, live->lane->stopped_by);
        return;
    }
    if (is_parked(live)) {
        deadline_park(&live->deadline, step->engine->now);
    } else if (is_stopped(live->lane) || is_full(step->place)) {
        deadline_park(&live->deadline, step->engine->now);
        note_progress(live, REQUEST_PARKED);
    } else {
        live->request->progress.phase = REQUEST_READY;
        live->queued_at = step->engine->now;
    }
    line_join(live);
    set_wake(live);
    pump_place(step->place);
}

/* Nothing was undone, and somebody has to look. */
static void fail_to_compensate(struct live_request *live, struct span message)
{
    live->request->progress.may_have_acted = true;
    settle_error(live, ERROR_KIND_INVALID, 0, message, SPAN(""));
}

/* The next of what `src: compensate` undoes, or its end. */
static void compensate(struct live_request *live)
{
    struct engine *engine = live->step->engine;
    enum { LOOK_AGAIN_MS = 5 };
    struct text output;
    switch (compensation_next(live)) {
    case COMPENSATION_CALL:
        deadline_start(&live->deadline, rules_of(live)->deadline_ms, engine->now);
        live->lane = line_find_lane(live);
        line_up(live);
        return;
    case COMPENSATION_LATER:
        wakes_set(&engine->wakes, &live->wake, engine->now + LOOK_AGAIN_MS);
        return;
    case COMPENSATION_OVER:
        text_init(&output, NULL);
        text_format(&output, "{\"compensated\":%u}", compensation_count(live));
        settle(live, EVENT_DONE, text_span(&output));
        text_fini(&output);
        return;
    case COMPENSATION_UNKNOWN:
        fail_to_compensate(live,
                           SPAN("what there is to compensate cannot be read from the history"));
        return;
    case COMPENSATION_TOO_MUCH:
        fail_to_compensate(live, SPAN("there is more to compensate than 10000 steps, or than "
                                      "64 MiB of what they were called with"));
        return;
    }
    never();
}

/* One is undone: pops it. */
static void go_on_compensating(struct live_request *live)
{
    live->request->progress.undone++;
    live->request->progress.fallbacks = 0;
    begin_anew(live);
    note_progress(live, REQUEST_READY);
    compensate(live);
}

static void request_woken(struct wake *wake, instant_ms now)
{
    struct live_request *live = wake->owner;
    enum request_phase phase = live->request->progress.phase;
    if (phase == REQUEST_RUNNING)
        hedge(live);
    else if (compensation_is_asked(live) && live->compensation == NULL)
        compensate(live);
    else if (phase == REQUEST_PARKED)
        refuse(live, GATE_OPEN);
    else if (deadline_is_expired(&live->deadline, now))
        expire(live);
    else if (phase == REQUEST_BACKOFF)
        line_up(live);
    else
        set_wake(live);
}

/* Pays for one more attempt; false when the budget is spent. */
static bool pay(struct live_request *live)
{
    const struct policy_rules *rules = rules_of(live);
    struct live_step *step = live->step;
    return !rules->has_budget ||
           (step->starved.first == NULL &&
            budget_withdraw(&step->budget, &rules->budget, step->engine->now));
}

static duration_ms elapsed_ms(const struct live_request *live)
{
    return rules_of(live)->deadline_ms -
           deadline_left_ms(&live->deadline, live->step->engine->now);
}

static void fail_attempt(struct live_request *live, const struct attempt_result *result)
{
    struct engine *engine = live->step->engine;
    struct request_progress *progress = &live->request->progress;
    const struct policy_rules *rules = rules_of(live);
    duration_ms delay_ms = live->delay_ms;
    progress->has_error = true;
    progress->error = result->kind;
    progress->error_code = result->code;
    request_set_message(progress, result->message);
    uint32_t attempts = progress->attempts - progress->interrupted - live->hedges;
    if (!retry_next(&rules->retry, attempts, result->kind, result->retry_after_ms,
                    &engine->random, &delay_ms) ||
        !retry_has_time(&rules->retry, elapsed_ms(live), delay_ms)) {
        give_up(live, result);
        return;
    }
    live->delay_ms = delay_ms;
    if (delay_ms >= deadline_left_ms(&live->deadline, engine->now)) {
        expire(live);
    } else if (pay(live)) {
        progress->next_at = engine->now + delay_ms;
        note_progress(live, REQUEST_BACKOFF);
        set_wake(live);
    } else if (rules->when_open == WHEN_OPEN_FAIL) {
        give_up(live, result);
    } else {
        starve(live);
    }
}

static void record_result(struct live_attempt *ended, const struct attempt_result *result)
{
    struct live_step *step = ended->live->step;
    int64_t took_us = clock_elapsed_us() - ended->started_us;
    line_give_place(ended->place, result, took_us);
    if (result->done)
        latency_record(&step->latency, took_us / 1000);
    step->gate.dirty = true;
    gate_leave(ended->live->lane, &ended->permit, result, took_us / 1000);
}

/* Ends an attempt without waiting for it, and gives its place free. */
static void cancel_attempt(struct live_attempt *attempt)
{
    strategy_cancel(attempt->strategy, attempt->attempt);
    attempt->attempt = NULL;
    limit_leave(&attempt->place->limit);
    gate_leave(attempt->live->lane, &attempt->permit, NULL, 0);
}

static void cancel_attempts(struct live_request *live)
{
    for (size_t i = 0; i < 2; i++) {
        if (live->attempts[i].attempt != NULL)
            cancel_attempt(&live->attempts[i]);
    }
}

static void attempt_ended(void *context, const struct attempt_result *result)
{
    struct live_attempt *ended = context;
    struct live_request *live = ended->live;
    struct live_step *step = live->step;
    shard_now(step->engine);
    ended->attempt = NULL;
    record_result(ended, result);
    if (live->request != NULL && !result->done && !result->not_acted &&
        result->kind != ERROR_KIND_THROTTLED && result->kind != ERROR_KIND_REJECTED)
        live->request->progress.may_have_acted = true;
    if (result->done) {
        cancel_attempts(live); /* the hedge, or what it was for */
        if (live->compensation != NULL && live->request != NULL)
            go_on_compensating(live);
        else
            settle(live, EVENT_DONE, result->output);
    } else if (running_attempt(live) != NULL) {
        (void)live; /* the other one may still succeed */
    } else if (live->request != NULL) {
        wakes_clear(&step->engine->wakes, &live->wake);
        fail_attempt(live, result);
    } else {
        settle_error(live, result->kind, result->code, result->message, result->details);
    }
    dispatch_pump(step);
}

void dispatch_attach(struct engine *engine, struct request *request)
{
    const struct deployed *deployed = request->instance->deployed;
    struct live_request *live = memory_get(sizeof *live);
    live->request = request;
    live->instance = request->instance;
    live->number = request->number;
    live->step = deployed->live->steps[definition_step(deployed->definition, request->invoke,
                                                       request->progress.fallbacks)];
    wake_init(&live->wake, request_woken, live);
    deadline_start(&live->deadline, request->progress.left_ms, engine->now);
    request->live = live;
}

/* An attempt that the end of an earlier engine cut off. It is made again with the same key, but
 * not for ever: a step that takes the engine down with it must not loop. */
static bool is_interrupted_too_often(struct live_request *live)
{
    struct request_progress *progress = &live->request->progress;
    if (progress->phase != REQUEST_RUNNING)
        return false;
    progress->phase = REQUEST_READY;
    progress->may_have_acted = true;
    return ++progress->interrupted > INTERRUPTIONS_MAX;
}

void dispatch_release(struct live_request *live)
{
    if (live->request == NULL || !shard_is_focused(live->step->engine, live->instance))
        return;
    ensure(!live->released);
    live->released = true;
    live->lane = line_find_lane(live);
    if (is_interrupted_too_often(live))
        settle_error(live, ERROR_KIND_CRASHED, 0, SPAN("the engine ended during every attempt"),
                     SPAN(""));
    else if (compensation_is_asked(live))
        compensate(live);
    else if (live->request->progress.phase == REQUEST_BACKOFF)
        set_wake(live);
    else if (is_parked(live) && rules_of(live)->has_budget &&
             live->request->progress.attempts > 0)
        starve(live); /* perhaps it was the budget that it waited for */
    else
        line_up(live);
}

void dispatch_detach(struct engine *engine, struct request *request)
{
    struct live_request *live = request->live;
    ensure(live != NULL && live->request == request);
    line_leave(live);
    wakes_clear(&engine->wakes, &live->wake);
    live->request = NULL;
    request->live = NULL;
    batch_add_release(engine, RELEASE_STOPPED)->live = live;
}

void dispatch_stop(struct live_request *live)
{
    struct live_step *step = live->step;
    cancel_attempts(live);
    compensation_release(live);
    memory_release(live);
    dispatch_pump(step);
}

void dispatch_cancel_all(struct engine *engine)
{
    for (struct instance *instance = engine->registry.first; instance != NULL;
         instance = instance->next) {
        for (struct request *request = instance->requests; request != NULL;
             request = request->next) {
            if (request->live != NULL)
                cancel_attempts(request->live);
        }
    }
}

uint32_t dispatch_running(const struct engine *engine)
{
    uint32_t running = 0;
    for (const struct live_step *step = engine->steps; step != NULL; step = step->next)
        running += step->own_place.limit.running;
    return running;
}

void dispatch_fini(struct engine *engine)
{
    for (struct instance *instance = engine->registry.first; instance != NULL;
         instance = instance->next) {
        for (struct request *request = instance->requests; request != NULL;
             request = request->next) {
            if (request->live != NULL)
                compensation_release(request->live);
            memory_release(request->live);
            request->live = NULL;
        }
    }
    while (engine->steps != NULL) {
        struct live_step *step = engine->steps;
        engine->steps = step->next;
        line_fini(step);
        gate_fini(step);
        memory_release(step->key);
        memory_release(step);
    }
    entrances_fini(engine);
    for (struct deployed *deployed = engine->registry.deployments; deployed != NULL;
         deployed = deployed->next) {
        if (deployed->live != NULL)
            memory_release(deployed->live->steps);
        memory_release(deployed->live);
        deployed->live = NULL;
    }
}
