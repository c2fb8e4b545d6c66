/*
 * history.c - following an instance's records backwards, and telling them forwards.
 *
 * The positions are gathered first, newest to oldest; the lines are then read in order,
 * each with the configuration before it, so that `from` and the effects are what they
 * were and nothing is stored twice.
 */
#include "engine/history.h"

#include <stdio.h>

#include "base/ensure.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "engine/record.h"

struct position {
    lsn lsn;
    uint32_t offset;
};

/* Neighbours share log rows, and their beginnings stand in other rows than their ends. */
enum { LOG_ROWS_KEPT = 8 };

/* The bytes of a log row are copied: a read in between may not take them away. */
struct log_row {
    lsn lsn_before;
    lsn lsn_after; /* the same as before: there is none */
    struct text records;
    uint64_t used; /* the trail's count of reads when it was used last */
};

struct trail {
    struct registry *registry;
    const struct instance *instance;
    struct position *positions; /* newest first */
    size_t count;
    size_t capacity;
    struct log_row rows[LOG_ROWS_KEPT];
    uint64_t reads;
    struct text snapshot; /* of the line before */
    struct text context;
};

static enum status damaged(struct trail *trail, const char *what)
{
    snprintf(trail->registry->problem, sizeof trail->registry->problem, "history of %.*s: %s",
             SPAN_ARGS(instance_id(trail->instance)), what);
    return STATUS_CORRUPT;
}

/* The row that holds a record, or the one used longest ago. */
static struct log_row *find_row(struct trail *trail, lsn record)
{
    struct log_row *oldest = &trail->rows[0];
    for (size_t i = 0; i < LOG_ROWS_KEPT; i++) {
        struct log_row *row = &trail->rows[i];
        if (record > row->lsn_before && record <= row->lsn_after)
            return row;
        if (row->used < oldest->used)
            oldest = row;
    }
    return oldest;
}

static enum status get_row(struct trail *trail, lsn record, struct log_row **found)
{
    struct log_row *row = find_row(trail, record);
    struct store_log log;
    if (record <= row->lsn_before || record > row->lsn_after) {
        enum status status = store_find_log(trail->registry->store, 0, record, &log);
        if (status != STATUS_OK)
            return damaged(trail, store_problem(trail->registry->store));
        text_clear(&row->records);
        text_add(&row->records, log.records);
        row->lsn_before = log.lsn_before;
        row->lsn_after = log.lsn_after;
    }
    row->used = ++trail->reads;
    *found = row;
    return STATUS_OK;
}

/* The record's bytes stand until LOG_ROWS_KEPT other rows were read. */
static enum status read_at(struct trail *trail, struct position position, struct record *record)
{
    struct log_row *row = NULL;
    enum status status = get_row(trail, position.lsn, &row);
    if (status != STATUS_OK)
        return status;
    size_t offset = position.offset;
    if (!record_read(text_span(&row->records), &offset, record) ||
        !span_equal(record->instance, instance_id(trail->instance)))
        return damaged(trail, "a record is not where the one after it says");
    return STATUS_OK;
}

/* Reads the record at a position, and moves the position to the record before it. */
static enum status step_back(struct trail *trail, struct position *at, struct record *record)
{
    enum status status = read_at(trail, *at, record);
    if (status != STATUS_OK)
        return status;
    if (record->previous_lsn >= at->lsn)
        return damaged(trail, "the records go round in a circle");
    *at = (struct position){record->previous_lsn, record->previous_offset};
    return STATUS_OK;
}

static struct position newest(const struct trail *trail)
{
    return (struct position){trail->instance->previous_lsn, trail->instance->previous_offset};
}

static enum status gather(struct trail *trail)
{
    struct position before = newest(trail);
    while (before.lsn != 0) {
        struct position at = before;
        struct record record;
        enum status status = step_back(trail, &before, &record);
        if (status != STATUS_OK)
            return status;
        if (record.kind == RECORD_EVENT) {
            memory_reserve(trail->positions, trail->count, trail->capacity);
            trail->positions[trail->count++] = at;
        }
    }
    return STATUS_OK;
}

static void open_trail(struct trail *trail, struct registry *registry,
                       const struct instance *instance)
{
    *trail = (struct trail){.registry = registry, .instance = instance};
    text_init(&trail->snapshot, NULL);
    text_init(&trail->context, NULL);
}

static void close_trail(struct trail *trail)
{
    for (size_t i = 0; i < LOG_ROWS_KEPT; i++)
        text_fini(&trail->rows[i].records);
    memory_release(trail->positions);
    text_fini(&trail->snapshot);
    text_fini(&trail->context);
}

/* One event record with everything around it. */
struct scene {
    struct record record;
    struct configuration before; /* machine == NULL at the start */
    struct configuration after;
    struct event event;
};

static struct value read_json(struct span json, struct arena *arena)
{
    struct value value = value_null();
    struct json_error error;
    return json_read(json, arena, &value, &error) == STATUS_OK ? value : value_null();
}

static enum status read_scene(struct trail *trail, size_t index, struct arena *arena,
                              struct scene *scene)
{
    const struct machine *machine = trail->instance->deployed->definition->machine;
    *scene = (struct scene){0};
    enum status status = read_at(trail, trail->positions[index], &scene->record);
    if (status != STATUS_OK)
        return status;
    const struct record *record = &scene->record;
    if (record->seq != trail->count - index)
        return damaged(trail, "there is a gap");
    if (trail->snapshot.size > 0 &&
        snapshot_read(arena_copy(arena, text_span(&trail->snapshot)),
                      arena_copy(arena, text_span(&trail->context)), machine, arena,
                      &scene->before) != STATUS_OK)
        return damaged(trail, "a snapshot is damaged");
    text_clear(&trail->snapshot);
    text_add(&trail->snapshot, record->snapshot);
    if (record->has_context) {
        text_clear(&trail->context);
        text_add(&trail->context, record->context);
    }
    if (snapshot_read(record->snapshot, arena_copy(arena, text_span(&trail->context)), machine,
                      arena, &scene->after) != STATUS_OK)
        return damaged(trail, "a snapshot is damaged");
    scene->event = (struct event){.kind = record->event_kind,
                                  .type = record->type,
                                  .payload = read_json(record->payload, arena),
                                  .number = record->number,
                                  .session = record->session,
                                  .invoke_id = record->invoke_id,
                                  .origin = record->origin,
                                  .send_id = record->send_id,
                                  .sender = record->sender};
    return STATUS_OK;
}

/* The event as expressions saw it: {"type":…, …}. */
static struct value event_value(const struct scene *scene, struct arena *arena)
{
    struct value_entry *type = arena_new(arena, struct value_entry);
    *type = (struct value_entry){value_string(SPAN("type")), value_string(scene->record.type)};
    struct value event = value_map(type, 1);
    switch (scene->event.kind) {
    case EVENT_START:
        return value_with(arena, event, SPAN("input"), scene->event.payload);
    case EVENT_DONE:
        return value_with(arena, event, SPAN("output"), scene->event.payload);
    case EVENT_ERROR:
        return value_with(arena, event, SPAN("error"), scene->event.payload);
    case EVENT_TIMER:
    case EVENT_STOP:
        return event;
    case EVENT_EXTERNAL:
        for (uint32_t i = 0;
             scene->event.payload.kind == VALUE_MAP && i < scene->event.payload.count; i++) {
            const struct value_entry *entry = &scene->event.payload.entries[i];
            event = value_with(arena, event, value_span(entry->key), entry->value);
        }
        return event;
    }
    never();
}

/* What before and after tell, and what only stepping again does: logs, emitted events, actions
 * of the host, and what a derivation passed. */
static struct plan effects_of(const struct scene *scene, const struct configuration *before,
                              struct arena *arena)
{
    const struct machine *machine = scene->after.machine;
    struct plan plan = {.after = scene->after};
    struct plan again;
    plan.effects =
        step_effects(before, &scene->after, &scene->event, arena, &plan.effect_count);
    bool tells_more = machine->tells || machine->derivation != NULL;
    bool is_sure =
        tells_more && scene->record.gave_up == GIVING_UP_NOT &&
        step_run(machine, before, &scene->event, scene->record.now, arena, &again) == STATUS_OK;
    return is_sure ? again : plan;
}

static void fill_line(const struct scene *scene, struct arena *arena, struct history_line *line)
{
    const struct configuration *before = scene->before.machine == NULL ? NULL : &scene->before;
    struct plan plan = effects_of(scene, before, arena);
    *line = (struct history_line){
        .seq = scene->record.seq,
        .at = scene->record.now,
        .event = event_value(scene, arena),
        .kind = scene->event.kind,
        .outcome = scene->record.outcome,
        .late = scene->record.late,
        .from = before == NULL ? value_null() : configuration_value(before, arena),
        .to = configuration_value(&scene->after, arena),
        .from_path = before == NULL ? SPAN("") : configuration_path(before, arena),
        .to_path = configuration_path(&scene->after, arena),
        .via = describe_via(&plan, arena),
        .effects = describe_effects(&plan, scene->record.now, arena),
        .raw_effects = plan.effects,
        .raw_effect_count = plan.effect_count,
        .number = scene->record.number,
        .sender = scene->record.sender,
        .errors = scene->record.errors.size == 0 ? value_list(NULL, 0)
                                                 : read_json(scene->record.errors, arena),
        .status = scene->after.status,
    };
}

typedef enum status scene_visit(struct trail *trail, const struct scene *scene,
                                struct arena *arena, void *context, bool *more);

static enum status visit_scenes(struct trail *trail, struct arena *arena, scene_visit *visit,
                                void *context)
{
    enum status status = gather(trail);
    bool more = true;
    for (size_t index = trail->count; index-- > 0 && more && status == STATUS_OK;) {
        struct scene scene;
        arena_clear(arena);
        status = read_scene(trail, index, arena, &scene);
        if (status == STATUS_OK)
            status = visit(trail, &scene, arena, context, &more);
    }
    return status;
}

static enum status with_trail(struct registry *registry, const struct instance *instance,
                              struct arena *arena, scene_visit *visit, void *context)
{
    struct trail trail;
    struct arena_guard guard;
    open_trail(&trail, registry, instance);
    if (arena_is_spent(arena, &guard)) {
        close_trail(&trail);
        return STATUS_NO_SPACE;
    }
    enum status status = visit_scenes(&trail, arena, visit, context);
    arena_release_guard(arena, &guard);
    close_trail(&trail);
    return status;
}

struct reading {
    uint64_t after;
    history_visit *visit;
    void *context;
};

static enum status tell(struct trail *trail, const struct scene *scene, struct arena *arena,
                        void *context, bool *more)
{
    struct reading *reading = context;
    struct history_line line;
    (void)trail;
    if (scene->record.seq <= reading->after)
        return STATUS_OK;
    fill_line(scene, arena, &line);
    *more = reading->visit(reading->context, &line);
    return STATUS_OK;
}

enum status history_read(struct registry *registry, const struct instance *instance,
                         uint64_t after, struct arena *arena, history_visit *visit,
                         void *context)
{
    struct reading reading = {after, visit, context};
    return with_trail(registry, instance, arena, tell, &reading);
}

struct last_move {
    struct arena *keep;
    struct history_line *line;
    enum instance_status status; /* after the line before */
    bool found;
};

static bool keep_move(void *context, const struct history_line *line)
{
    struct last_move *last = context;
    bool is_same = line->status == last->status;
    last->status = line->status;
    if (line->seq > 1 && is_same && span_equal(line->from_path, line->to_path))
        return true;
    *last->line = *line;
    last->line->event = value_copy(last->keep, line->event);
    last->line->from = value_copy(last->keep, line->from);
    last->line->to = value_copy(last->keep, line->to);
    last->line->via = value_copy(last->keep, line->via);
    last->line->from_path = arena_copy(last->keep, line->from_path);
    last->line->to_path = arena_copy(last->keep, line->to_path);
    last->line->sender = arena_copy(last->keep, line->sender);
    last->line->effects = value_list(NULL, 0);
    last->line->errors = value_copy(last->keep, line->errors);
    last->found = true;
    return true;
}

bool history_last_move(struct registry *registry, const struct instance *instance,
                       struct arena *arena, struct history_line *line)
{
    struct last_move last = {.keep = arena, .line = line};
    struct arena lines;
    arena_open(&lines, TURN_ARENA_BYTES);
    enum status status = history_read(registry, instance, 0, &lines, keep_move, &last);
    arena_close(&lines);
    return status == STATUS_OK && last.found;
}

/* I8: the pure step, from the recorded configuration before, must write the recorded bytes. */
static enum status replay(struct trail *trail, const struct scene *scene, struct arena *arena,
                          void *context, bool *more)
{
    const struct configuration *before = scene->before.machine == NULL ? NULL : &scene->before;
    struct plan plan;
    struct text snapshot;
    struct text json;
    (void)context;
    (void)more;
    const struct machine *machine = trail->instance->deployed->definition->machine;
    instant_ms now = scene->record.now;
    enum giving_up gave_up = scene->record.gave_up;
    enum status status =
        gave_up != GIVING_UP_NOT
            ? step_give_up(machine, before, &scene->event, gave_up, now, arena, &plan)
            : step_run(machine, before, &scene->event, now, arena, &plan);
    if (status != STATUS_OK)
        return status;
    text_init(&snapshot, arena);
    text_init(&json, arena);
    snapshot_write(&snapshot, &plan.after);
    json_write(&json, plan.after.context);
    if (span_equal(text_span(&snapshot), text_span(&trail->snapshot)) &&
        span_equal(text_span(&json), text_span(&trail->context)))
        return STATUS_OK;
    char problem[80];
    snprintf(problem, sizeof problem, "replaying event %llu gives another state",
             (unsigned long long)scene->record.seq);
    return damaged(trail, problem);
}

enum status history_verify(struct registry *registry, const struct instance *instance,
                           struct arena *arena)
{
    return with_trail(registry, instance, arena, replay, NULL);
}

static bool is_result(const struct record *record)
{
    return record->kind == RECORD_EVENT &&
           (record->event_kind == EVENT_DONE || record->event_kind == EVENT_ERROR);
}

/* One record more, newest first. `next` is the record of an invocation that came after this
 * one: it ended what this one began, unless it began the same again. */
static void sum_record(struct history_sum *sum, const struct record *record,
                       struct record *next, struct arena *arena)
{
    bool is_begin =
        record->kind == RECORD_PROGRESS && record->progress.phase == REQUEST_RUNNING;
    bool is_known = next->number == record->number && next->now >= record->progress.since &&
                    (is_result(next) || next->progress.phase == REQUEST_BACKOFF);
    sum->attempts += is_begin;
    if (is_begin && is_known)
        sum->worked_ms += next->now - record->progress.since;
    if (is_result(record) && record->event_kind == EVENT_ERROR && sum->error.kind == VALUE_NULL)
        sum->error = read_json(arena_copy(arena, record->payload), arena);
    if (record->kind == RECORD_PROGRESS || is_result(record))
        *next = *record;
}

static enum status sum_trail(struct trail *trail, struct arena *arena, struct history_sum *sum)
{
    struct record record;
    struct record next = {0};
    struct position at = newest(trail);
    while (at.lsn != 0) {
        enum status status = step_back(trail, &at, &record);
        if (status != STATUS_OK)
            return status;
        sum_record(sum, &record, &next, arena);
    }
    return STATUS_OK;
}

struct history_sums {
    struct trail trail;
};

struct history_sums *history_sums_open(struct registry *registry)
{
    struct history_sums *sums = memory_get(sizeof *sums);
    open_trail(&sums->trail, registry, NULL);
    return sums;
}

enum status history_sums_get(struct history_sums *sums, const struct instance *instance,
                             struct arena *arena, struct history_sum *sum)
{
    struct arena_guard guard;
    struct history_sum summed = {.error = value_null()};
    sums->trail.instance = instance;
    if (arena_is_spent(arena, &guard))
        return STATUS_NO_SPACE;
    enum status status = sum_trail(&sums->trail, arena, &summed);
    arena_release_guard(arena, &guard);
    if (status == STATUS_OK)
        *sum = summed;
    return status;
}

void history_sums_close(struct history_sums *sums)
{
    close_trail(&sums->trail);
    memory_release(sums);
}

struct value history_describe(const struct history_line *line, struct arena *arena)
{
    struct text at;
    struct value_entry *entries = arena_new_array(arena, 10, struct value_entry);
    uint32_t count = 0;
    text_init(&at, arena);
    time_add_instant(&at, line->at);
#define ADD(key, member) \
    entries[count++] = (struct value_entry){value_string(SPAN(key)), (member)}
    ADD("seq", value_int((int64_t)line->seq));
    ADD("at", value_string(text_span(&at)));
    ADD("event", line->event);
    ADD("outcome", value_string(span_from_text(outcome_name(line->outcome))));
    ADD("from", line->from);
    ADD("to", line->to);
    ADD("via", line->via);
    ADD("effects", line->effects);
    if (line->sender.size > 0)
        ADD("sender", value_string(line->sender));
    if (line->errors.count > 0)
        ADD("errors", line->errors);
#undef ADD
    ensure(count <= 10);
    return value_map(entries, count);
}
