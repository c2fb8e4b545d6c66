/*
 * turn.c - one event of one instance: decode, step, encode, and hang what follows on the
 * open batch.
 *
 * A turn changes memory at once and the world not at all: answers, step requests and
 * cancellations are releases of the batch that holds the turn's record (I1, I2). An event
 * that is refused leaves no byte behind.
 */
#include <stdio.h>

#include "base/ensure.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "engine/kin.h"
#include "engine/shard.h"

static void reply(struct engine *engine, const struct inbox_event *event,
                  struct engine_reply answer)
{
    if (event->done == NULL)
        return;
    struct release *release = batch_add_release(engine, RELEASE_REPLY);
    release->reply = answer;
    release->done = event->done;
    release->context = event->context;
}

/* Answers at once: nothing was changed, so there is nothing to wait for. */
__attribute__((format(printf, 3, 4))) static void
refuse(const struct inbox_event *event, enum engine_answer answer, const char *format, ...)
{
    struct text message;
    va_list arguments;
    text_init(&message, NULL);
    va_start(arguments, format);
    text_format_list(&message, format, arguments);
    va_end(arguments);
    struct engine_reply refused = {.answer = answer, .message = text_span(&message)};
    if (event->done != NULL)
        event->done(event->context, &refused);
    text_fini(&message);
}

static enum status read_payload(struct span json, struct arena *arena, struct value *value,
                                const char **problem)
{
    struct json_error error;
    struct arena_guard guard;
    *problem = "larger than 1 MiB, or of too many parts";
    if (json.size > VALUE_BYTES_MAX || arena_is_spent(arena, &guard))
        return STATUS_NO_SPACE;
    enum status status = json_read(json, arena, value, &error);
    if (status != STATUS_OK)
        *problem = error.message;
    arena_release_guard(arena, &guard);
    return status;
}

static void set_rest(struct engine *engine, struct instance *instance)
{
    struct live_instance *live = instance->live;
    enum instance_rest rest = waiting_rest(instance);
    bool is_new = !live->is_counted;
    live->is_counted = true;
    if (!is_new) {
        ensure(engine->rests[live->rest] > 0);
        engine->rests[live->rest]--;
    }
    engine->rests[rest]++;
    if (is_new || live->rest != REST_NOT)
        live->began_at = engine->now;
    entrance_move(instance->deployed->live->entrance, is_new ? REST_FINAL : live->rest, rest);
    if (!is_new && rest == live->rest)
        return;
    live->rest = rest;
    struct release *release = batch_add_release(engine, RELEASE_REST);
    release->instance = instance;
    release->rest = rest;
}

/* What a child waits for, its parent waits for too. */
static void set_rests(struct engine *engine, struct instance *instance)
{
    for (; instance != NULL; instance = kin_parent(instance))
        set_rest(engine, instance);
}

void turn_tell_rests(struct engine *engine)
{
    for (size_t i = 0; i < engine->moved_count; i++) {
        engine->moved[i]->live->is_moved = false;
        set_rests(engine, engine->moved[i]);
    }
    engine->moved_count = 0;
}

/* Where letters are still to be read, nobody rests yet. */
static void note_move(struct engine *engine, struct instance *instance)
{
    if (engine->letters == NULL && !engine->is_settling) {
        set_rests(engine, instance);
    } else if (!instance->live->is_moved) {
        instance->live->is_moved = true;
        memory_reserve(engine->moved, engine->moved_count, engine->moved_capacity);
        engine->moved[engine->moved_count++] = instance;
    }
}

static void set_timer(struct engine *engine, struct instance *instance)
{
    struct live_instance *live = instance->live;
    if (instance->next_timer == INSTANT_NEVER || !shard_is_focused(engine, instance))
        wakes_clear(&engine->wakes, &live->timer);
    else if (live->timer.place == 0 || live->timer.due != instance->next_timer)
        wakes_set(&engine->wakes, &live->timer, instance->next_timer);
}

/* Requests that the turn ended are detached; those it made are attached and go with the commit.
 */
static void follow_requests(struct engine *engine, struct instance *instance,
                            struct request *gone)
{
    while (gone != NULL) {
        struct request *request = gone;
        gone = gone->next;
        dispatch_detach(engine, request);
        memory_release(request);
    }
    for (struct request *request = instance->requests; request != NULL;
         request = request->next) {
        if (request->live != NULL)
            continue;
        dispatch_attach(engine, request);
        batch_add_release(engine, RELEASE_REQUEST)->live = request->live;
    }
}

/* A plan as the bytes that its record and its instance keep. */
struct written_plan {
    struct span snapshot;
    struct span context;
    struct span errors;
};

/* Writes everything before anything is changed: what does not fit is found out in time. */
static enum status write_plan(const struct instance *instance, struct plan *plan,
                              struct arena *arena, struct written_plan *written)
{
    struct text snapshot;
    struct text context;
    struct text errors;
    struct arena_guard guard;
    if (arena_is_spent(arena, &guard))
        return STATUS_NO_SPACE;
    text_init(&snapshot, arena);
    text_init(&context, arena);
    text_init(&errors, arena);
    snapshot_write(&snapshot, &plan->after);
    json_write(&context, plan->after.context);
    if (kin_parent(instance) == NULL)
        letter_note_orphans(plan, arena);
    if (plan->errors != NULL)
        json_write(&errors, describe_errors(plan, arena));
    *written =
        (struct written_plan){text_span(&snapshot), text_span(&context), text_span(&errors)};
    arena_release_guard(arena, &guard);
    bool fits = context.size <= VALUE_BYTES_MAX && snapshot.size <= (size_t)4 * VALUE_BYTES_MAX;
    return fits ? STATUS_OK : STATUS_NO_SPACE;
}

/* Writes the record of a plan and takes its result over. */
static void take_plan(struct engine *engine, struct instance *instance,
                      const struct event *event, uint64_t first_new, struct span payload_json,
                      const struct plan *plan, const struct written_plan *written)
{
    bool has_context =
        !span_equal(written->context, span_of(instance->context, instance->context_size));
    struct record record = {.kind = RECORD_EVENT,
                            .seq = ++instance->seq,
                            .event_kind = event->kind,
                            .type = plan->type,
                            .number = event->number,
                            .payload = payload_json,
                            .outcome = plan->outcome,
                            .late = plan->late,
                            .gave_up = plan->gave_up,
                            .has_context = has_context,
                            .errors = written->errors,
                            .snapshot = written->snapshot,
                            .context = written->context,
                            .sender = event->sender,
                            .invoke_id = event->invoke_id,
                            .origin = event->origin,
                            .send_id = event->send_id,
                            .session = event->session};
    batch_add_record(engine, instance, &record, NULL);
    child_follow(engine, instance, event, first_new, plan); /* it may point into the bytes */
    struct span changed = has_context ? written->context : (struct span){0};
    bool is_ignored = plan->outcome == OUTCOME_IGNORED;
    struct request *gone = instance_take(instance, &plan->after, written->snapshot, changed,
                                         is_ignored ? instance->updated : engine->now);
    instance->seen = engine->now;
    follow_requests(engine, instance, gone);
    spin_note(engine, instance, first_new, &plan->after);
    set_timer(engine, instance);
    note_move(engine, instance);
    engine->turns++;
}

/* STATUS_NO_SPACE: with the event beside it there is no room for the instance. */
static enum status decode(const struct instance *instance, struct arena *arena,
                          struct configuration *configuration)
{
    struct arena_guard guard;
    if (arena_is_spent(arena, &guard))
        return STATUS_NO_SPACE;
    ensure(instance_decode(instance, arena, configuration) == STATUS_OK);
    arena_release_guard(arena, &guard);
    return STATUS_OK;
}

/* Steps the instance. STATUS_NO_SPACE: nothing happened. A start that fails changes nothing
 * either. */
static enum status run_step(struct engine *engine, struct instance *instance,
                            const struct event *event, struct span payload_json,
                            struct plan *plan)
{
    struct arena *arena = &engine->turn_arena;
    const struct machine *machine = instance->deployed->definition->machine;
    struct configuration before;
    struct written_plan written;
    bool is_start = event->kind == EVENT_START;
    enum status status = is_start ? STATUS_OK : decode(instance, arena, &before);
    if (status == STATUS_OK)
        status = step_run(machine, is_start ? NULL : &before, event, engine->now, arena, plan);
    if (status == STATUS_OK)
        status = write_plan(instance, plan, arena, &written);
    bool is_refused = is_start && plan->outcome == OUTCOME_FAILED && event->sender.size == 0;
    if (status == STATUS_OK && !is_refused)
        take_plan(engine, instance, event, is_start ? 0 : before.next_number, payload_json,
                  plan, &written);
    return status;
}

static void refuse_start(const struct inbox_event *event, enum status status,
                         const struct plan *plan)
{
    const struct step_error *error = status == STATUS_OK ? plan->errors : NULL;
    if (status != STATUS_OK)
        refuse(event, ANSWER_REFUSED, "%.*s does not start: the input is too large",
               SPAN_ARGS(event->id));
    else if (error == NULL)
        refuse(event, ANSWER_REFUSED, "%.*s does not start", SPAN_ARGS(event->id));
    else
        refuse(event, ANSWER_REFUSED, "%.*s does not start: %.*s: %.*s", SPAN_ARGS(event->id),
               SPAN_ARGS(error->what), SPAN_ARGS(error->message));
}

static void answer_existing(struct engine *engine, const struct inbox_event *event,
                            const struct instance *instance)
{
    uint8_t hash[16];
    registry_hash_input(event->payload, hash);
    const struct machine *machine = instance->deployed->definition->machine;
    if (!span_equal(machine->id, event->deployed->definition->machine->id))
        refuse(event, ANSWER_CONFLICT, "%.*s exists, of machine %.*s", SPAN_ARGS(event->id),
               SPAN_ARGS(machine->id));
    else if (memcmp(hash, instance->input_hash, sizeof hash) != 0)
        refuse(event, ANSWER_CONFLICT, "%.*s exists and was started with other input",
               SPAN_ARGS(event->id));
    else
        reply(engine, event,
              (struct engine_reply){.answer = ANSWER_REPEATED, .seq = instance->seq});
}

/* *json is the payload as the record keeps it: as the machine's door let it in. */
static bool pass_door(struct engine *engine, const struct inbox_event *from,
                      const struct machine *machine, struct event *event, struct span *json)
{
    struct span problem;
    struct text text;
    if (!door_accepts(machine, event->type, event->payload, &engine->turn_arena,
                      &event->payload, &problem)) {
        refuse(from, ANSWER_REFUSED, "%.*s", SPAN_ARGS(problem));
        return false;
    }
    if (!machine->declares_events)
        return true;
    text_init(&text, &engine->turn_arena);
    json_write(&text, event->payload);
    *json = text_span(&text);
    return true;
}

static bool read_event(struct engine *engine, const struct inbox_event *from,
                       const struct machine *machine, struct span type, struct span payload,
                       struct event *event, struct span *json)
{
    const char *problem;
    *json = payload;
    *event = (struct event){.kind = EVENT_EXTERNAL, .type = type};
    if (type.size == 0 || type.size > EVENT_TYPE_BYTES_MAX || !span_is_utf8(type)) {
        refuse(from, ANSWER_REFUSED, "an event's type has 1 to %d bytes of UTF-8",
               EVENT_TYPE_BYTES_MAX);
        return false;
    }
    if (read_payload(payload, &engine->turn_arena, &event->payload, &problem) != STATUS_OK) {
        refuse(from, ANSWER_REFUSED, "the payload of %.*s: %s", SPAN_ARGS(type), problem);
        return false;
    }
    if (event->payload.kind != VALUE_MAP || value_find(event->payload, SPAN("type")) != NULL) {
        refuse(from, ANSWER_REFUSED, "the payload of %.*s must be an object without `type`",
               SPAN_ARGS(type));
        return false;
    }
    return pass_door(engine, from, machine, event, json);
}

static void send_first(struct engine *engine, struct instance *instance,
                       const struct event *first, struct span json, struct engine_reply *answer)
{
    struct plan plan;
    if (run_step(engine, instance, first, json, &plan) != STATUS_OK) {
        struct span message = SPAN("it was started, but its event is too large for a turn");
        answer->message = span_of(memory_copy_text(message), message.size);
        return;
    }
    answer->outcome = plan.outcome;
    answer->seq = instance->seq;
}

static void start_instance(struct engine *engine, const struct inbox_event *event)
{
    const char *problem;
    struct plan plan;
    struct event first = {.kind = EVENT_EXTERNAL};
    struct span json = SPAN("");
    struct event start = {.kind = EVENT_START};
    struct instance *instance = registry_find(&engine->registry, event->id);
    if (instance != NULL) {
        answer_existing(engine, event, instance);
        return;
    }
    if (read_payload(event->payload, &engine->turn_arena, &start.payload, &problem) !=
        STATUS_OK) {
        refuse(event, ANSWER_REFUSED, "the input of %.*s: %s", SPAN_ARGS(event->id), problem);
        return;
    }
    if (event->first_type.size > 0 &&
        !read_event(engine, event, event->deployed->definition->machine, event->first_type,
                    event->first_payload, &first, &json))
        return;
    if (entrance_refuses(engine, event, start.payload))
        return;
    instance = registry_add(&engine->registry, event->id, event->deployed);
    shard_attach(engine, instance);
    instance->created = engine->now;
    registry_hash_input(event->payload, instance->input_hash);
    enum status status = run_step(engine, instance, &start, event->payload, &plan);
    if (status != STATUS_OK || plan.outcome == OUTCOME_FAILED) {
        refuse_start(event, status, &plan);
        shard_forget(engine, instance);
        registry_remove_last(&engine->registry, instance);
        return;
    }
    struct engine_reply answer = {
        .answer = ANSWER_OK, .outcome = plan.outcome, .seq = instance->seq};
    bool has_worked = instance->live->rest == REST_NOT;
    bool is_read = event->first_type.size > 0;
    if (is_read && child_settle(engine)) /* it was read on the arena that the family used */
        is_read = read_event(engine, event, event->deployed->definition->machine,
                             event->first_type, event->first_payload, &first, &json);
    if (is_read)
        send_first(engine, instance, &first, json, &answer);
    if (!has_worked && instance->live->rest != REST_NOT)
        entrance_pass(event->deployed->live->entrance);
    reply(engine, event, answer);
}

static bool answer_known_key(struct engine *engine, const struct inbox_event *event)
{
    struct engine_reply answer = {.answer = ANSWER_REPEATED};
    if (event->key.size == 0)
        return false;
    switch (idempotency_find(engine, event, &answer)) {
    case KEY_NEW:
        return false;
    case KEY_REPEATED:
        reply(engine, event, answer);
        return true;
    case KEY_OTHER_CONTENT:
        refuse(event, ANSWER_CONFLICT, "the key %.*s was used with another event",
               SPAN_ARGS(event->key));
        return true;
    case KEY_UNREADABLE:
        refuse(event, ANSWER_UNKNOWN, "what the key %.*s was answered cannot be read: %s",
               SPAN_ARGS(event->key), store_problem(engine->options.store));
        return true;
    }
    never();
}

/* A patch may say which state of the instance it was made for; and one that has stopped is a
 * person's to look at, not to patch. */
static bool may_patch(const struct inbox_event *from, const struct instance *instance,
                      const struct event *sent)
{
    struct value version = value_member(sent->payload, SPAN("if_version"));
    if (!span_is(sent->type, PATCH_EVENT) ||
        instance->deployed->definition->machine->derivation == NULL)
        return true;
    if (instance->status != INSTANCE_ACTIVE && instance->status != INSTANCE_DONE) {
        refuse(from, ANSWER_REFUSED, "%.*s has ended: its status is %s", SPAN_ARGS(from->id),
               instance_status_name(instance->status));
        return false;
    }
    if (version.kind != VALUE_INT || (uint64_t)version.integer == instance->seq)
        return true;
    refuse(from, ANSWER_CONFLICT, "%.*s is at version %llu, not %lld: look at it again",
           SPAN_ARGS(from->id), (unsigned long long)instance->seq, (long long)version.integer);
    return false;
}

static void send_event(struct engine *engine, const struct inbox_event *event)
{
    struct plan plan;
    struct event sent;
    struct span json;
    struct instance *instance = registry_find(&engine->registry, event->id);
    if (instance == NULL) {
        refuse(event, ANSWER_NOT_FOUND, "there is no instance %.*s", SPAN_ARGS(event->id));
        return;
    }
    if (answer_known_key(engine, event) ||
        !read_event(engine, event, instance->deployed->definition->machine, event->type,
                    event->payload, &sent, &json) ||
        !may_patch(event, instance, &sent))
        return;
    if (run_step(engine, instance, &sent, json, &plan) != STATUS_OK) {
        refuse(event, ANSWER_REFUSED, "%.*s is too large for a turn", SPAN_ARGS(event->type));
        return;
    }
    struct engine_reply answer = {
        .answer = ANSWER_OK, .outcome = plan.outcome, .seq = instance->seq};
    if (event->key.size > 0)
        idempotency_add(engine, event, &answer);
    reply(engine, event, answer);
}

void turn_give_up(struct engine *engine, struct instance *instance, struct event *event,
                  struct span payload, enum giving_up why)
{
    const char *unused;
    struct configuration before;
    struct written_plan written;
    struct plan plan;
    struct arena *arena = &engine->turn_arena;
    arena_clear(arena);
    enum status status = read_payload(payload, arena, &event->payload, &unused);
    if (status == STATUS_OK)
        status = decode(instance, arena, &before);
    if (status == STATUS_OK)
        status = step_give_up(before.machine, &before, event, why, engine->now, arena, &plan);
    if (status == STATUS_OK)
        status = write_plan(instance, &plan, arena, &written);
    if (status == STATUS_OK) {
        take_plan(engine, instance, event, before.next_number, payload, &plan, &written);
        return;
    }
    char problem[INSTANCE_ID_BYTES_MAX + 80];
    snprintf(problem, sizeof problem, "instance %.*s needs more memory than a turn may have",
             SPAN_ARGS(instance_id(instance)));
    shard_break(engine, STATUS_NO_SPACE, problem);
}

static void fire_timer(struct engine *engine, struct instance *instance)
{
    struct configuration configuration;
    struct plan plan;
    instance->live->timer_queued = false;
    if (instance->next_timer > engine->now)
        return;
    ensure(instance_decode(instance, &engine->turn_arena, &configuration) == STATUS_OK);
    struct event event = {.kind = EVENT_TIMER,
                          .number = configuration_next_timer(&configuration)->number};
    engine->spin_count = spin_count(instance, event.number);
    if (engine->spin_count > SPINS_MAX)
        turn_give_up(engine, instance, &event, SPAN("null"), GIVING_UP_SPIN);
    else if (run_step(engine, instance, &event, SPAN("null"), &plan) != STATUS_OK)
        turn_give_up(engine, instance, &event, SPAN("null"), GIVING_UP_ROOM);
}

enum status turn_take_letter(struct engine *engine, struct instance *instance,
                             struct event *event, struct span payload)
{
    const char *unused;
    struct plan plan;
    enum status status = read_payload(payload, &engine->turn_arena, &event->payload, &unused);
    return status == STATUS_OK ? run_step(engine, instance, event, payload, &plan) : status;
}

static bool step_result(struct engine *engine, struct instance *instance, struct event *event,
                        struct span payload)
{
    const char *problem;
    struct plan plan;
    arena_clear(&engine->turn_arena);
    return read_payload(payload, &engine->turn_arena, &event->payload, &problem) == STATUS_OK &&
           run_step(engine, instance, event, payload, &plan) == STATUS_OK;
}

/* A result is never lost: what is too large to be handled becomes the error that says so. */
static void take_result(struct engine *engine, const struct inbox_event *from)
{
    static const char too_large[] =
        "{\"kind\":\"invalid\",\"message\":\"the result is too large for a turn\"}";
    struct event event = {.kind = from->kind, .number = from->number};
    if (step_result(engine, from->instance, &event, from->payload))
        return;
    event.kind = EVENT_ERROR;
    if (!step_result(engine, from->instance, &event, span_from_text(too_large)))
        turn_give_up(engine, from->instance, &event, span_from_text(too_large), GIVING_UP_ROOM);
}

static void dispatch_event(struct engine *engine, struct inbox_event *event)
{
    switch (event->kind) {
    case EVENT_START:
        start_instance(engine, event);
        return;
    case EVENT_EXTERNAL:
        send_event(engine, event);
        return;
    case EVENT_TIMER:
        fire_timer(engine, event->instance);
        return;
    case EVENT_DONE:
    case EVENT_ERROR:
        take_result(engine, event);
        return;
    case EVENT_STOP:
        break; /* only ever a letter */
    }
    never();
}

void turn_run(struct engine *engine, struct inbox_event *event)
{
    struct arena_guard guard;
    arena_clear(&engine->turn_arena);
    engine->spin_count = 0;
    if (arena_is_spent(&engine->turn_arena, &guard)) {
        shard_break(engine, STATUS_NO_SPACE, "a turn needs more memory than TURN_ARENA_BYTES");
        shard_tell_unknown(&event->done, event->context);
    } else {
        dispatch_event(engine, event);
        arena_release_guard(&engine->turn_arena, &guard);
    }
    child_settle(engine);
    memory_release(event);
}
