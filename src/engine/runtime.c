/*
 * runtime.c - an engine's life: open, pump, stop, close.
 *
 * The pump runs once a round of the loop: take what landed, fire what is due, turn what
 * is in the inbox, close the batch. Nothing else drives the engine.
 */
#include "engine/runtime.h"

#include <stdio.h>

#include "base/ensure.h"
#include "base/limits.h"
#include "base/memory.h"
#include "engine/kin.h"
#include "engine/shard.h"

#define UNKNOWN_MESSAGE "whether it was accepted is not known: repeat it after a restart"

static void set_now(struct engine *engine, instant_ms now, int64_t elapsed_us)
{
    engine->now = now;
    engine->anchor = now;
    engine->anchor_us = elapsed_us;
}

/* While the wall clock is behind (somebody set it back, or what is stored was written ahead of
 * it) time goes on by the clock that nobody sets, and slower, until the wall has caught up. */
instant_ms shard_now(struct engine *engine)
{
    instant_ms wall = clock_wall();
    int64_t elapsed_us = clock_elapsed_us();
    duration_ms passed = (elapsed_us - engine->anchor_us) / 1000;
    instant_ms slewed = engine->anchor + passed - passed / 8;
    if (wall >= engine->now)
        set_now(engine, wall, elapsed_us);
    else if (slewed > engine->now)
        engine->now = slewed;
    return engine->now;
}

bool shard_is_focused(const struct engine *engine, const struct instance *instance)
{
    if (engine->focus == NULL || span_is(instance_id(instance), engine->focus))
        return true;
    const struct instance *focused =
        registry_find(&engine->registry, span_from_text(engine->focus));
    return focused != NULL && kin_root(focused) == kin_root(instance);
}

static void timer_woken(struct wake *wake, instant_ms now)
{
    struct instance *instance = wake->owner;
    struct engine *engine = instance->live->engine;
    (void)now;
    if (instance->live->timer_queued)
        return;
    instance->live->timer_queued = true;
    inbox_add(engine, &(struct inbox_event){.kind = EVENT_TIMER, .instance = instance});
}

void shard_attach(struct engine *engine, struct instance *instance)
{
    instance->live = memory_get(sizeof *instance->live);
    instance->live->engine = engine;
    wake_init(&instance->live->timer, timer_woken, instance);
}

void shard_forget(struct engine *engine, struct instance *instance)
{
    wakes_clear(&engine->wakes, &instance->live->timer);
    spin_release(instance);
    memory_release(instance->live);
    instance->live = NULL;
}

void shard_break(struct engine *engine, enum status status, const char *problem)
{
    if (engine->mode == ENGINE_BROKEN)
        return;
    engine->mode = ENGINE_BROKEN;
    if (engine->options.broken != NULL)
        engine->options.broken(engine->options.context, status, problem);
    batches_tell_unknown(engine);
    inbox_tell_unknown(engine);
}

void shard_tell_unknown(engine_done **done, void *context)
{
    static const struct engine_reply unknown = {
        .answer = ANSWER_UNKNOWN, .message = {UNKNOWN_MESSAGE, sizeof UNKNOWN_MESSAGE - 1}};
    engine_done *told = *done;
    *done = NULL; /* once */
    if (told != NULL)
        told(context, &unknown);
}

/* What the policies know last. */
static void add_policy_rows(struct engine *engine)
{
    gate_add_rows(engine);
    entrance_add_rows(engine);
}

static void finish_stopping(struct engine *engine)
{
    bool is_over = engine->now >= engine->stop_at;
    if (is_over)
        dispatch_cancel_all(engine);
    if (dispatch_running(engine) == 0)
        add_policy_rows(engine);
    if (engine->inbox != NULL || !batch_is_settled(engine) ||
        (dispatch_running(engine) > 0 && !is_over))
        return;
    engine->mode = ENGINE_STOPPED;
    if (engine->stopped != NULL)
        engine->stopped(engine->stopped_context);
}

/* Sets the loop's timer to the next moment at which the pump has something to do. */
static void set_timer(struct engine *engine)
{
    instant_ms next =
        engine->mode == ENGINE_RUNNING ? wakes_next(&engine->wakes) : INSTANT_NEVER;
    if (engine->open->record_count > 0 && engine->flying == NULL && engine->now + 50 < next)
        next = engine->now + 50; /* soft records that wait for company */
    if (engine->mode == ENGINE_STOPPING && engine->now + 20 < next)
        next = engine->now + 20;
    if (next == engine->timer_due)
        return;
    engine->timer_due = next;
    if (next == INSTANT_NEVER)
        loop_timer_stop(engine->timer);
    else
        loop_timer_start(engine->timer, next > engine->now ? next - engine->now : 0);
}

static void pump(void *context)
{
    struct engine *engine = context;
    struct inbox_event *event;
    if (engine->mode == ENGINE_BROKEN || engine->mode == ENGINE_STOPPED || engine->pumping)
        return;
    engine->pumping = true;
    shard_now(engine);
    batch_land(engine);
    if (engine->mode == ENGINE_RUNNING)
        wakes_run(&engine->wakes, engine->now);
    do {
        while (engine->mode != ENGINE_BROKEN && batch_has_room(engine) &&
               (event = inbox_take(engine)) != NULL)
            turn_run(engine, event);
        if (engine->mode != ENGINE_BROKEN)
            batch_close(engine);
    } while (engine->mode != ENGINE_BROKEN && engine->inbox != NULL && batch_has_room(engine));
    if (engine->mode == ENGINE_STOPPING)
        finish_stopping(engine);
    if (engine->mode == ENGINE_RUNNING || engine->mode == ENGINE_STOPPING)
        set_timer(engine);
    engine->pumping = false;
}

static void timer_fired(void *context)
{
    struct engine *engine = context;
    engine->timer_due = INSTANT_NEVER;
    pump(engine);
}

static void resume_instance(struct engine *engine, struct instance *instance)
{
    shard_attach(engine, instance);
    instance->live->rest = waiting_rest(instance);
    instance->live->began_at = instance->created; /* it is not known any more */
    instance->live->is_counted = true;
    engine->rests[instance->live->rest]++;
    entrance_move(instance->deployed->live->entrance, REST_FINAL, instance->live->rest);
    if (instance->next_timer != INSTANT_NEVER && shard_is_focused(engine, instance))
        wakes_set(&engine->wakes, &instance->live->timer, instance->next_timer);
    for (struct request *request = instance->requests; request != NULL;
         request = request->next) {
        dispatch_attach(engine, request);
        request->live->resumed = true;
        batch_add_release(engine, RELEASE_REQUEST)->live = request->live;
    }
}

static enum status verify_sample(struct engine *engine)
{
    uint64_t count = engine->registry.instance_count;
    uint64_t stride = engine->options.sample == 0 ? 0 : count / engine->options.sample + 1;
    uint64_t index = 0;
    enum status status = STATUS_OK;
    struct arena arena;
    arena_open(&arena, HISTORY_ARENA_BYTES);
    for (struct instance *instance = engine->registry.first;
         instance != NULL && stride > 0 && status == STATUS_OK; instance = instance->next) {
        if (index++ % stride != 0)
            continue;
        arena_clear(&arena);
        status = history_verify(&engine->registry, instance, &arena);
    }
    arena_close(&arena);
    return status;
}

static enum status recover(struct engine *engine, char problem[512])
{
    enum status status = store_own(engine->options.store, 0, &engine->registry.shard);
    if (status != STATUS_OK) {
        snprintf(problem, 512, "%s", store_problem(engine->options.store));
        return status;
    }
    status = registry_recover(&engine->registry);
    if (status == STATUS_OK)
        status = verify_sample(engine);
    if (status != STATUS_OK) {
        snprintf(problem, 512, "%s", engine->registry.problem);
        return status;
    }
    status = idempotency_purge(engine);
    if (status != STATUS_OK)
        snprintf(problem, 512, "%s", store_problem(engine->options.store));
    return status;
}

static void resume(struct engine *engine)
{
    engine->lsn = engine->registry.shard.lsn;
    engine->crc = engine->registry.shard.crc;
    for (struct deployed *deployed = engine->registry.deployments; deployed != NULL;
         deployed = deployed->next)
        live_step_deploy(engine, deployed);
    for (struct instance *instance = engine->registry.first; instance != NULL;
         instance = instance->next) {
        if (instance->seen > engine->now) /* `now` never goes back, over restarts neither */
            set_now(engine, instance->seen, clock_elapsed_us());
    }
    for (struct instance *instance = engine->registry.first; instance != NULL;
         instance = instance->next)
        resume_instance(engine, instance);
    loop_wake_send(engine->wake);
}

static void start_parts(struct engine *engine)
{
    struct loop *loop = engine->options.loop;
    engine->loop = loop;
    engine->worker = worker_open();
    engine->wake = loop_wake_open(loop, pump, engine);
    engine->round = loop_round_open(loop, pump, engine);
    engine->timer = loop_timer_open(loop, timer_fired, engine);
    engine->timer_due = INSTANT_NEVER;
    engine->strategies = memory_get(engine->options.types.count * sizeof(struct strategy *));
    for (size_t i = 0; i < engine->options.types.count; i++) {
        const struct strategy_type *type = engine->options.types.types[i];
        engine->strategies[i] = type->open(type, loop);
    }
}

enum status engine_open(const struct engine_options *options, struct engine **opened,
                        char problem[512])
{
    struct engine *engine = memory_get(sizeof *engine);
    engine->options = *options;
    engine->inbox_end = &engine->inbox;
    engine->letters_end = &engine->letters;
    engine->turn_memory = memory_get(TURN_ARENA_BYTES);
    arena_init(&engine->turn_arena, engine->turn_memory, TURN_ARENA_BYTES);
    if (options->focus.size > 0)
        engine->focus = memory_copy_text(options->focus);
    file_random(&engine->random, sizeof engine->random);
    registry_init(&engine->registry, options->store, options->types);
    wakes_init(&engine->wakes);
    batches_init(engine);
    idempotency_init(engine);
    start_parts(engine);
    shard_now(engine);
    enum status status = recover(engine, problem);
    if (status == STATUS_OK) {
        resume(engine);
        *opened = engine;
    } else {
        engine->mode = ENGINE_BROKEN;
        engine_close(engine);
        *opened = NULL;
    }
    return status;
}

void engine_stop(struct engine *engine, duration_ms grace_ms, loop_callback *stopped,
                 void *context)
{
    engine->stopped = stopped;
    engine->stopped_context = context;
    if (engine->mode != ENGINE_RUNNING)
        return;
    engine->mode = ENGINE_STOPPING;
    engine->stop_at = shard_now(engine) + grace_ms;
    loop_wake_send(engine->wake);
}

void engine_close(struct engine *engine)
{
    struct inbox_event *event;
    worker_close(engine->worker);
    dispatch_cancel_all(engine);
    for (size_t i = 0; i < engine->options.types.count; i++)
        strategy_close(engine->strategies[i]);
    memory_release(engine->strategies);
    loop_wake_close(engine->wake);
    loop_round_close(engine->round);
    loop_timer_close(engine->timer);
    while ((event = inbox_take(engine)) != NULL)
        memory_release(event);
    dispatch_fini(engine);
    for (struct instance *instance = engine->registry.first; instance != NULL;
         instance = instance->next) {
        if (instance->live != NULL)
            spin_release(instance);
        memory_release(instance->live);
        instance->live = NULL;
    }
    idempotency_fini(engine);
    batches_fini(engine);
    wakes_fini(&engine->wakes);
    registry_fini(&engine->registry);
    memory_release(engine->moved);
    memory_release(engine->turn_memory);
    memory_release(engine->focus);
    memory_release(engine);
}

/* Answers later, from the pump, as every answer comes. */
static void answer(struct engine *engine, enum engine_answer answer, struct span message,
                   engine_done *done, void *context)
{
    if (engine->mode == ENGINE_BROKEN)
        shard_tell_unknown(&done, context);
    if (done == NULL)
        return;
    struct release *release = batch_add_release(engine, RELEASE_REPLY);
    release->reply.answer = answer;
    release->done = done;
    release->context = context;
    if (message.size > 0)
        release->reply.message = span_of(memory_copy_text(message), message.size);
    loop_wake_send(engine->wake);
}

static void add_machine_rows(struct engine *engine, const struct deployed *deployed)
{
    const struct machine *machine = deployed->definition->machine;
    struct text data;
    text_init(&data, NULL);
    registry_write_machine(&data, deployed);
    batch_add_row(engine, &(struct store_row){.kind = ROW_MACHINE,
                                              .key = span_from_text(deployed->key),
                                              .lsn = engine->lsn,
                                              .columns = {span_from_text(machine->hash)},
                                              .data = text_span(&data)});
    batch_add_row(engine, &(struct store_row){.kind = ROW_DEPLOYMENT,
                                              .key = machine->id,
                                              .lsn = engine->lsn,
                                              .columns = {machine->version},
                                              .data = machine->version});
    text_fini(&data);
}

static void add_place(struct text *message, const struct definition *definition)
{
    const struct place *place = &definition->place;
    if (place->file.size > 0)
        text_format(message, " (%.*s:%u:%u)", SPAN_ARGS(place->file), place->line,
                    place->column);
}

/* False after saying that the version is there with other content (I11). */
static bool keeps_version(const struct engine *engine, const struct definition *definition,
                          struct text *message)
{
    const struct machine *machine = definition->machine;
    const struct deployed *known =
        registry_find_machine(&engine->registry, machine->id, machine->version);
    if (known == NULL || memcmp(known->definition->machine->digest, machine->digest, 32) == 0)
        return true;
    text_format(message, "machine %.*s, version %.*s", SPAN_ARGS(machine->id),
                SPAN_ARGS(machine->version));
    add_place(message, definition);
    text_add(message, SPAN(", is deployed with other content"));
    add_place(message, known->definition);
    text_add(message, SPAN(": give it a new version"));
    return false;
}

/* False after saying which of the machines that it invokes nobody knows. */
static bool knows_machines(const struct engine *engine, const struct definition *definition,
                           struct text *message)
{
    const struct machine *machine = definition->machine;
    for (uint32_t i = 0; i < definition->machine_count; i++) {
        const struct machine_reference *reference = &definition->machines[i];
        bool is_own = span_equal(machine->id, reference->id) && reference->version.size == 0;
        if (is_own ||
            registry_find_machine(&engine->registry, reference->id, reference->version) != NULL)
            continue;
        text_format(message, "machine %.*s invokes %.*s%s%.*s, which is not deployed",
                    SPAN_ARGS(machine->id), SPAN_ARGS(reference->id),
                    reference->version.size > 0 ? "@" : "", SPAN_ARGS(reference->version));
        return false;
    }
    return true;
}

/* The machines in it come first: nobody may start what invokes them before. */
static enum engine_answer deploy(struct engine *engine, const struct definition *definition,
                                 struct text *message)
{
    if (!keeps_version(engine, definition, message))
        return ANSWER_CONFLICT;
    for (uint32_t i = 0; i < definition->inside_count; i++) {
        enum engine_answer inside = deploy(engine, definition->inside[i], message);
        if (inside != ANSWER_OK)
            return inside;
    }
    if (!knows_machines(engine, definition, message))
        return ANSWER_REFUSED;
    struct stored_definition stored = {definition->machine->definition, definition->apart_json,
                                       definition->places, definition->folder};
    struct deployed *deployed = registry_deploy(&engine->registry, &stored);
    if (deployed == NULL) {
        text_add(message, span_from_text(engine->registry.problem));
        return ANSWER_REFUSED;
    }
    live_step_deploy(engine, deployed);
    add_machine_rows(engine, deployed);
    return ANSWER_OK;
}

void engine_deploy(struct engine *engine, const struct definition *definition,
                   engine_done *done, void *context)
{
    struct text message;
    text_init(&message, NULL);
    enum engine_answer found = deploy(engine, definition, &message);
    answer(engine, found, text_span(&message), done, context);
    text_fini(&message);
}

static bool is_id(struct span id)
{
    return id.size > 0 && id.size <= INSTANCE_ID_BYTES_MAX && span_is_utf8(id) &&
           memchr(id.text, '\0', id.size) == NULL;
}

/* True after answering: nothing can be accepted now. */
static bool answer_no_room(const struct engine *engine, engine_done *done, void *context)
{
    if (engine->mode == ENGINE_BROKEN) {
        shard_tell_unknown(&done, context);
        return true;
    }
    if (!inbox_is_full(engine))
        return false;
    struct engine_reply full = {.answer = ANSWER_FULL,
                                .retry_ms = 100,
                                .message = SPAN("the inbox is full: try again")};
    if (done != NULL)
        done(context, &full);
    return true;
}

static void answer_not_deployed(struct engine *engine, const struct engine_start *start,
                                engine_done *done, void *context)
{
    struct text message;
    text_init(&message, NULL);
    text_format(&message, "machine %.*s ", SPAN_ARGS(start->machine));
    if (registry_find_machine(&engine->registry, start->machine, SPAN("")) == NULL)
        text_add(&message, SPAN("is not deployed"));
    else
        text_format(&message, "has no version %.*s", SPAN_ARGS(start->version));
    answer(engine, ANSWER_REFUSED, text_span(&message), done, context);
    text_fini(&message);
}

void engine_start(struct engine *engine, const struct engine_start *start, engine_done *done,
                  void *context)
{
    struct deployed *deployed =
        registry_find_machine(&engine->registry, start->machine, start->version);
    if (!is_id(start->id)) {
        answer(engine, ANSWER_REFUSED, SPAN("an id has 1 to 256 bytes of UTF-8"), done,
               context);
        return;
    }
    if (deployed == NULL) {
        answer_not_deployed(engine, start, done, context);
        return;
    }
    if (answer_no_room(engine, done, context))
        return;
    inbox_add(engine, &(struct inbox_event){.kind = EVENT_START,
                                            .id = start->id,
                                            .payload = start->input,
                                            .first_type = start->event,
                                            .first_payload = start->event_json,
                                            .deployed = deployed,
                                            .asked_at = shard_now(engine),
                                            .done = done,
                                            .context = context});
}

void engine_send(struct engine *engine, struct span id, struct span type,
                 struct span payload_json, struct span key, engine_done *done, void *context)
{
    if (key.size > IDEMPOTENCY_KEY_BYTES_MAX) {
        answer(engine, ANSWER_REFUSED, SPAN("an idempotency key has at most 256 bytes"), done,
               context);
        return;
    }
    if (answer_no_room(engine, done, context))
        return;
    inbox_add(engine, &(struct inbox_event){.kind = EVENT_EXTERNAL,
                                            .id = id,
                                            .type = type,
                                            .payload = payload_json,
                                            .key = key,
                                            .done = done,
                                            .context = context});
}

struct registry *engine_registry(struct engine *engine)
{
    return &engine->registry;
}

lsn shard_durable_lsn(const struct engine *engine)
{
    lsn behind = engine->open->record_count;
    return engine->lsn - behind - (engine->flying == NULL ? 0 : engine->flying->record_count);
}

struct engine_view engine_view(const struct engine *engine)
{
    return (struct engine_view){
        .working = engine->rests[REST_NOT],
        .timers = engine->rests[REST_TIMER],
        .waiting = engine->rests[REST_EVENT],
        .final = engine->rests[REST_FINAL],
        .inbox = engine->inbox_count,
        .turns = engine->turns,
        .commits = engine->commits,
        .dropped = engine->letters_dropped,
        .lsn = engine->lsn,
        .durable_lsn = shard_durable_lsn(engine),
    };
}

/* Calls under way, and those that wait. */
static uint32_t work_of(const struct live_step *step)
{
    uint32_t work = step->own_place.limit.running + step->starved.count;
    for (const struct live_lane *lane = step->lanes; lane != NULL; lane = lane->next_of_step)
        work += lane->awake.count + lane->parked.count;
    return work;
}

static const struct live_step *busiest(const struct engine *engine)
{
    const struct live_step *best = engine->steps;
    for (const struct live_step *step = engine->steps; step != NULL; step = step->next) {
        uint32_t work = work_of(step);
        uint32_t most = work_of(best);
        /* Between equals the one with a breaker has more to tell. */
        if (work > most || (work == most && step->step.rules.has_breaker))
            best = step;
    }
    return best;
}

void engine_describe_step(const struct engine *engine, struct span name, struct text *text)
{
    const struct live_step *step = busiest(engine);
    for (const struct live_step *other = engine->steps; name.size > 0 && other != NULL;
         other = other->next) {
        if (span_equal(other->step.name, name))
            step = other;
    }
    if (step == NULL)
        return;
    text_format(text, "%.*s: ", SPAN_ARGS(step->step.name));
    if (step->step.rules.has_breaker)
        text_format(text, "breaker %s, ",
                    breaker_state_name(breaker_state(&step->gate.breaker, engine->now)));
    uint32_t running = step->own_place.limit.running;
    text_format(text, "%u in flight", running);
    if (work_of(step) > running)
        text_format(text, ", %u waiting", work_of(step) - running);
}
