/*
 * dispatch.c - requests: when they may go, how they ended, when they try again.
 *
 * The order of the policies is always the same: deadline, limit, breaker, timeout, retry.
 * Those that may not go stand in the line of their step, first in first out. One is let
 * through at a time, and the first refusal ends the round, so a breaker that half-opens
 * sees its probes and not the whole line. While the breaker is open those in line are
 * parked, as are those that come when the queue is full: their deadlines stand still, and they
 * go after those that are not parked.
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

static void leave_line(struct live_request *live)
{
    struct live_step *step = live->step;
    if (live->previous_in_line == NULL)
        return;
    if (!is_parked(live))
        step->awake_count--;
    if (step->awake == live) {
        do
            step->awake = step->awake->next_in_line;
        while (step->awake != NULL && is_parked(step->awake));
    }
    *live->previous_in_line = live->next_in_line;
    if (live->next_in_line != NULL)
        live->next_in_line->previous_in_line = live->previous_in_line;
    else
        step->line_end = live->previous_in_line;
    live->previous_in_line = NULL;
    live->next_in_line = NULL;
    ensure(step->line_count > 0);
    step->line_count--;
}

static void join_line(struct live_request *live)
{
    ensure(live->previous_in_line == NULL);
    live->previous_in_line = live->step->line_end;
    *live->step->line_end = live;
    live->step->line_end = &live->next_in_line;
    live->step->line_count++;
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
    leave_line(live);
    wakes_clear(&engine->wakes, &live->wake);
    live->settled = true;
    inbox_add(engine, &(struct inbox_event){.kind = kind,
                                            .instance = live->instance,
                                            .number = live->number,
                                            .payload = payload});
}

/* The error as `event.error`: {"kind","message","step","attempts","code"?,"details"?}. */
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

static void refuse_open(struct live_request *live)
{
    settle_error(live, ERROR_KIND_BREAKER_OPEN, 0, SPAN("the breaker is open"), SPAN(""));
}

/* The line found the breaker open: everybody in it is parked, or fails, as the step says. Who
 * is parked is not looked at again: thousands may be, and the breaker may refuse as often. */
static void stop_line(struct live_step *step)
{
    bool fails = step->step.rules.when_open == WHEN_OPEN_FAIL;
    while (fails && step->line != NULL)
        refuse_open(step->line);
    struct live_request *live = step->awake;
    step->awake = NULL;
    step->awake_count = 0;
    for (; live != NULL; live = live->next_in_line) {
        if (is_parked(live))
            continue;
        deadline_park(&live->deadline, step->engine->now);
        note_progress(live, REQUEST_PARKED);
        set_wake(live);
    }
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

static void start_attempt(struct live_request *live)
{
    struct engine *engine = live->step->engine;
    struct live_step *step = live->step;
    struct request_progress *progress = &live->request->progress;
    struct configuration configuration;
    char key[33];
    char trace[64];
    leave_line(live);
    deadline_resume(&live->deadline, engine->now);
    wakes_clear(&engine->wakes, &live->wake);
    progress->attempts++;
    note_progress(live, REQUEST_RUNNING);
    arena_clear(&engine->turn_arena);
    ensure(instance_decode(live->instance, &engine->turn_arena, &configuration) == STATUS_OK);
    const struct invocation *invocation =
        configuration_find_invocation(&configuration, live->number);
    ensure(invocation != NULL);
    instance_invocation_key(live->instance, live->number, engine->options.store->incarnation,
                            key);
    write_trace(key, progress->attempts, trace);
    struct attempt_request request = {
        .input = invocation->input,
        .context = configuration.context,
        .instance = instance_id(live->instance),
        .step = step->step.name,
        .key = span_from_text(key),
        .trace = span_from_text(trace),
        .attempt = progress->attempts,
        .timeout_ms =
            deadline_timeout_ms(&live->deadline, step->step.rules.timeout_ms, engine->now),
    };
    live->attempt = strategy_start(engine->strategies[step->step.type_index],
                                   step->step.settings, &request, attempt_ended, live);
}

/* Takes a permit of the breaker for the first in line. While the breaker ramps up after
 * closing, its share is a share of the limit's places: no more run than that, and the first in
 * line asks for all those whose credit it needs to be let through. */
static bool take_permit(struct live_step *step, struct live_request *next)
{
    const struct policy_rules *rules = &step->step.rules;
    instant_ms now = step->engine->now;
    duration_ms lease_ms = rules->timeout_ms + 1000;
    uint32_t share = breaker_share_percent(&step->breaker, &rules->breaker, now);
    bool ramps = share > 0 && share < 100;
    uint64_t places = ((uint64_t)rules->limit.concurrency * share + 99) / 100;
    if (ramps && step->limit.running >= places)
        return false;
    for (uint32_t asked = 0; ramps && asked < 100 / share; asked++) {
        if (breaker_allow(&step->breaker, &rules->breaker, now, lease_ms, &next->permit))
            return true;
    }
    return breaker_allow(&step->breaker, &rules->breaker, now, lease_ms, &next->permit);
}

/* May the first in line go? Takes its permit when it may. */
static bool is_let_through(struct live_step *step, struct live_request *next)
{
    struct engine *engine = step->engine;
    const struct policy_rules *rules = &step->step.rules;
    if (!rules->has_breaker || take_permit(step, next))
        return true;
    step->policy_dirty = true;
    if (breaker_state(&step->breaker, engine->now) != BREAKER_CLOSED)
        stop_line(step);
    wakes_set(&engine->wakes, &step->wake,
              breaker_next(&step->breaker, &rules->breaker, engine->now) + 1);
    return false;
}

/* Who goes next. Not those that are parked while others wait: a queue that is no longer than
 * its limit moves fast enough for those in it, and behind a whole outage's backlog nobody would
 * be in time, for as long as that takes to work off. What is left over goes to the parked, and
 * one call in so many, so that a step which always has too much to do forgets nobody. */
static struct live_request *next_of(struct live_step *step)
{
    enum { PARKED_EVERY = 32 };
    if (step->awake == NULL || ++step->picked % PARKED_EVERY == 0)
        return step->line;
    return step->awake;
}

void dispatch_pump(struct live_step *step)
{
    const struct limit_rule *limit = &step->step.rules.limit;
    while (step->engine->mode == ENGINE_RUNNING && step->line != NULL &&
           limit_free(&step->limit, limit) > 0) {
        struct live_request *next = next_of(step);
        if (!is_parked(next) && deadline_is_expired(&next->deadline, step->engine->now)) {
            expire(next);
            continue;
        }
        if (!is_let_through(step, next))
            return;
        ensure(limit_enter(&step->limit, limit) == LIMIT_GO);
        start_attempt(next);
    }
}

/* The step's queue has room for so many; beyond it work waits without its deadline running. */
static void line_up(struct live_request *live)
{
    struct live_step *step = live->step;
    join_line(live);
    if (live->request->progress.phase == REQUEST_PARKED) {
        deadline_park(&live->deadline, step->engine->now);
    } else if (step->awake_count >= step->step.rules.limit.queue +
                                        limit_free(&step->limit, &step->step.rules.limit)) {
        deadline_park(&live->deadline, step->engine->now);
        note_progress(live, REQUEST_PARKED);
    } else {
        live->request->progress.phase = REQUEST_READY;
        step->awake_count++;
        if (step->awake == NULL)
            step->awake = live;
    }
    set_wake(live);
    dispatch_pump(step);
}

static void request_woken(struct wake *wake, instant_ms now)
{
    struct live_request *live = wake->owner;
    enum request_phase phase = live->request->progress.phase;
    if (phase == REQUEST_PARKED)
        refuse_open(live);
    else if (deadline_is_expired(&live->deadline, now))
        expire(live);
    else if (phase == REQUEST_BACKOFF)
        line_up(live);
    else
        set_wake(live);
}

static void step_woken(struct wake *wake, instant_ms now)
{
    (void)now;
    dispatch_pump(wake->owner);
}

static void fail_attempt(struct live_request *live, const struct attempt_result *result)
{
    struct engine *engine = live->step->engine;
    struct request_progress *progress = &live->request->progress;
    const struct policy_rules *rules = rules_of(live);
    duration_ms delay_ms;
    progress->has_error = true;
    progress->error = result->kind;
    progress->error_code = result->code;
    request_set_message(progress, result->message);
    uint32_t attempts = progress->attempts - progress->interrupted;
    if (!retry_next(&rules->retry, attempts, result->kind, result->retry_after_ms,
                    &engine->random, &delay_ms)) {
        settle_error(live, result->kind, result->code, result->message, result->details);
    } else if (delay_ms >= deadline_left_ms(&live->deadline, engine->now)) {
        expire(live);
    } else {
        progress->next_at = engine->now + delay_ms;
        note_progress(live, REQUEST_BACKOFF);
        set_wake(live);
    }
}

static void record_result(struct live_request *live, const struct attempt_result *result)
{
    struct live_step *step = live->step;
    const struct policy_rules *rules = &step->step.rules;
    limit_leave(&step->limit);
    if (!rules->has_breaker)
        return;
    enum breaker_result verdict =
        result->done ? BREAKER_SUCCESS : breaker_result_of(&rules->breaker, result->kind);
    breaker_record(&step->breaker, &rules->breaker, step->engine->now, &live->permit, verdict);
    step->policy_dirty = true;
}

static void attempt_ended(void *context, const struct attempt_result *result)
{
    struct live_request *live = context;
    struct live_step *step = live->step;
    shard_now(step->engine);
    live->attempt = NULL;
    record_result(live, result);
    if (result->done)
        settle(live, EVENT_DONE, result->output);
    else if (live->request != NULL)
        fail_attempt(live, result);
    else
        settle_error(live, result->kind, result->code, result->message, result->details);
    dispatch_pump(step);
}

static struct live_step *find_live_step(struct engine *engine, struct span machine,
                                        struct span name)
{
    struct text key;
    text_init(&key, NULL);
    text_format(&key, "%.*s/%.*s", SPAN_ARGS(machine), SPAN_ARGS(name));
    struct live_step *step = engine->steps;
    while (step != NULL && !span_is(text_span(&key), step->key))
        step = step->next;
    if (step == NULL) {
        step = memory_get(sizeof *step);
        step->engine = engine;
        step->key = memory_copy_text(text_span(&key));
        step->line_end = &step->line;
        breaker_init(&step->breaker, engine->now);
        wake_init(&step->wake, step_woken, step);
        step->next = engine->steps;
        engine->steps = step;
    }
    text_fini(&key);
    return step;
}

void dispatch_deploy(struct engine *engine, struct deployed *deployed)
{
    const struct definition *definition = deployed->definition;
    if (deployed->live == NULL)
        deployed->live = memory_get(sizeof *deployed->live);
    memory_release(deployed->live->steps);
    deployed->live->steps = memory_get(definition->step_count * sizeof(struct live_step *));
    for (uint32_t i = 0; i < definition->step_count; i++) {
        struct live_step *step =
            find_live_step(engine, definition->machine->id, definition->steps[i].name);
        if (deployed->latest || step->step.type == NULL)
            step->step = definition->steps[i];
        deployed->live->steps[i] = step;
    }
}

void dispatch_attach(struct engine *engine, struct request *request)
{
    const struct deployed *deployed = request->instance->deployed;
    struct live_request *live = memory_get(sizeof *live);
    live->request = request;
    live->instance = request->instance;
    live->number = request->number;
    live->step = deployed->live->steps[deployed->definition->invoke_steps[request->invoke]];
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
    return ++progress->interrupted > INTERRUPTIONS_MAX;
}

void dispatch_release(struct live_request *live)
{
    if (live->request == NULL || !shard_is_focused(live->step->engine, live->instance))
        return;
    ensure(!live->released);
    live->released = true;
    if (is_interrupted_too_often(live))
        settle_error(live, ERROR_KIND_CRASHED, 0, SPAN("the engine ended during every attempt"),
                     SPAN(""));
    else if (live->request->progress.phase == REQUEST_BACKOFF)
        set_wake(live);
    else
        line_up(live);
}

void dispatch_detach(struct engine *engine, struct request *request)
{
    struct live_request *live = request->live;
    ensure(live != NULL && live->request == request);
    leave_line(live);
    wakes_clear(&engine->wakes, &live->wake);
    live->request = NULL;
    request->live = NULL;
    batch_add_release(engine, RELEASE_STOPPED)->live = live;
}

/* Ends the attempt without waiting for it, and gives its place free. */
static void cancel_attempt(struct live_request *live)
{
    struct live_step *step = live->step;
    strategy_cancel(step->engine->strategies[step->step.type_index], live->attempt);
    live->attempt = NULL;
    limit_leave(&step->limit);
    if (step->step.rules.has_breaker)
        breaker_record(&step->breaker, &step->step.rules.breaker, step->engine->now,
                       &live->permit, BREAKER_NEUTRAL);
}

void dispatch_stop(struct live_request *live)
{
    struct live_step *step = live->step;
    if (live->attempt != NULL)
        cancel_attempt(live);
    memory_release(live);
    dispatch_pump(step);
}

void dispatch_cancel_all(struct engine *engine)
{
    for (struct instance *instance = engine->registry.first; instance != NULL;
         instance = instance->next) {
        for (struct request *request = instance->requests; request != NULL;
             request = request->next) {
            if (request->live != NULL && request->live->attempt != NULL)
                cancel_attempt(request->live);
        }
    }
}

uint32_t dispatch_running(const struct engine *engine)
{
    uint32_t running = 0;
    for (const struct live_step *step = engine->steps; step != NULL; step = step->next)
        running += step->limit.running;
    return running;
}

static void add_policy_row(struct engine *engine, struct live_step *step)
{
    const struct policy_rules *rules = &step->step.rules;
    struct breaker_view view = breaker_view(&step->breaker, &rules->breaker, engine->now);
    struct text json;
    text_init(&json, NULL);
    text_format(
        &json,
        "{\"state\":\"%s\",\"since\":%lld,\"next\":%lld,\"window_ms\":%lld,\"calls\":%u,"
        "\"failures\":%u,\"failures_percent\":%u,\"running\":%u,\"line\":%u,\"at\":%lld}",
        breaker_state_name(view.state), (long long)view.since, (long long)view.next,
        (long long)view.window_ms, view.calls, view.failures, view.failures_percent,
        step->limit.running, step->line_count, (long long)engine->now);
    batch_add_row(
        engine, &(struct store_row){.kind = ROW_POLICY,
                                    .key = span_from_text(step->key),
                                    .lsn = engine->lsn,
                                    .columns = {span_from_text(breaker_state_name(view.state))},
                                    .data = text_span(&json)});
    text_fini(&json);
    step->policy_dirty = false;
    step->shown = view.state;
    step->shown_at = engine->now;
}

void dispatch_add_rows(struct engine *engine)
{
    enum { SHOW_EVERY_MS = 1000 };
    for (struct live_step *step = engine->steps; step != NULL; step = step->next) {
        if (!step->policy_dirty || !step->step.rules.has_breaker)
            continue;
        bool changed = breaker_state(&step->breaker, engine->now) != step->shown;
        if (changed || engine->now - step->shown_at >= SHOW_EVERY_MS)
            add_policy_row(engine, step);
    }
}

void dispatch_fini(struct engine *engine)
{
    for (struct instance *instance = engine->registry.first; instance != NULL;
         instance = instance->next) {
        for (struct request *request = instance->requests; request != NULL;
             request = request->next) {
            memory_release(request->live);
            request->live = NULL;
        }
    }
    while (engine->steps != NULL) {
        struct live_step *step = engine->steps;
        engine->steps = step->next;
        memory_release(step->key);
        memory_release(step);
    }
    for (struct deployed *deployed = engine->registry.deployments; deployed != NULL;
         deployed = deployed->next) {
        if (deployed->live != NULL)
            memory_release(deployed->live->steps);
        memory_release(deployed->live);
        deployed->live = NULL;
    }
}
