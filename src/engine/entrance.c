/*
 * entrance.c - a machine's door: which new instances come in while there is much to do.
 *
 * Every machine has one, whatever version of it is started. What it goes by
 * (policy/admission.h) is how many of its instances are at work, how long the lines of its
 * steps stand, and how much gets done. Only starts from outside are looked at: events of
 * instances that are there, results and timers go on with accepted work, and always get in.
 *
 * Who is refused is told when to come again, and changes no byte: what the door has counted is
 * written with the next that is let in, never for a refusal alone.
 *
 * Always: `working` is the number of the machine's instances at REST_NOT.
 */
#include <inttypes.h>

#include "base/ensure.h"
#include "base/memory.h"
#include "engine/shard.h"

enum { SHOW_EVERY_MS = 1000 };

struct saved_entrance {
    struct admission admission;
    uint64_t counts[ADMISSION_ANSWER_COUNT];
};

static bool has_rule(const struct live_entrance *entrance)
{
    const struct admission_rule *rule = &entrance->rule;
    return rule->working > 0 || rule->target_ms > 0 || rule->throttle.k_percent > 0;
}

/* "machine/": no step has an empty name, so it is no step's. */
static void write_row_key(struct text *text, const struct live_entrance *entrance)
{
    text_format(text, "%s/", entrance->machine);
}

static void load(struct live_entrance *entrance)
{
    struct saved_entrance saved;
    struct text key;
    text_init(&key, NULL);
    write_row_key(&key, entrance);
    if (policy_row_load(entrance->engine, text_span(&key), &saved, sizeof saved,
                        sizeof saved)) {
        entrance->admission = saved.admission;
        memcpy(entrance->counts, saved.counts, sizeof saved.counts);
    }
    text_fini(&key);
}

static struct live_entrance *find(struct engine *engine, struct span machine)
{
    struct live_entrance *entrance = engine->entrances;
    while (entrance != NULL && !span_is(machine, entrance->machine))
        entrance = entrance->next;
    if (entrance != NULL)
        return entrance;
    entrance = memory_get(sizeof *entrance);
    entrance->engine = engine;
    entrance->machine = memory_copy_text(machine);
    entrance->next = engine->entrances;
    engine->entrances = entrance;
    arena_clear(&engine->turn_arena);
    load(entrance);
    return entrance;
}

void entrance_deploy(struct engine *engine, struct deployed *deployed)
{
    const struct definition *definition = deployed->definition;
    struct live_entrance *entrance = find(engine, definition->machine->id);
    deployed->live->entrance = entrance;
    if (!deployed->latest)
        return;
    entrance->rule = definition->admission.rule;
    entrance->priority = definition->admission_priority;
}

/* The longest of the lines of the machine's steps, looked at once a moment. */
static duration_ms delay_ms(struct live_entrance *entrance)
{
    const struct engine *engine = entrance->engine;
    if (entrance->delay_at == engine->now)
        return entrance->delay_ms;
    entrance->delay_at = engine->now;
    entrance->delay_ms = 0;
    for (const struct live_step *step = engine->steps; step != NULL; step = step->next) {
        duration_ms delay = step->entrance == entrance ? line_delay_ms(step) : 0;
        if (delay > entrance->delay_ms)
            entrance->delay_ms = delay;
    }
    return entrance->delay_ms;
}

/* What is no class's name is normal, as is a slot that fails. */
static enum priority find_priority(const struct live_entrance *entrance, struct value input)
{
    enum priority priority = PRIORITY_NORMAL;
    struct expr_frame frame = {.slots = &input, .slot_count = 1};
    if (entrance->priority == NULL)
        return priority;
    struct value name =
        expr_slot_run(entrance->priority, &frame, &entrance->engine->turn_arena);
    if (name.kind == VALUE_STRING)
        priority_find(value_span(name), &priority);
    return priority;
}

static void write_reason(struct text *text, const struct live_entrance *entrance,
                         enum admission_answer answer, duration_ms waits_ms)
{
    text_format(text, "too much to do: ");
    if (answer == ADMISSION_FULL) {
        text_format(text, "%" PRIu64 " of at most %u are at work", entrance->working,
                    entrance->rule.working);
    } else if (answer == ADMISSION_SLOW) {
        text_add(text, SPAN("who is in line has waited for "));
        time_add_duration(text, waits_ms);
    } else {
        text_add(text, SPAN("most who ask have to wait"));
    }
    text_add(text, SPAN("; come again in "));
}

static void turn_away(struct live_entrance *entrance, const struct inbox_event *event,
                      enum admission_answer answer, duration_ms waits_ms)
{
    struct text message;
    struct engine_reply reply = {
        .answer = ANSWER_FULL,
        .retry_ms = admission_retry_ms(&entrance->admission, &entrance->rule, answer)};
    if (event->done == NULL)
        return;
    text_init(&message, NULL);
    write_reason(&message, entrance, answer, waits_ms);
    time_add_duration(&message, reply.retry_ms);
    reply.message = text_span(&message);
    event->done(event->context, &reply);
    text_fini(&message);
}

bool entrance_refuses(struct engine *engine, const struct inbox_event *event,
                      struct value input)
{
    struct live_entrance *entrance = event->deployed->live->entrance;
    if (event->asked_at == 0 || !has_rule(entrance))
        return false;
    struct admission_load load = {entrance->working, delay_ms(entrance)};
    if (engine->now - event->asked_at > load.delay_ms)
        load.delay_ms = engine->now - event->asked_at;
    enum admission_answer answer =
        admission_enter(&entrance->admission, &entrance->rule, engine->now, &load,
                        find_priority(entrance, input), &engine->random);
    entrance->counts[answer]++;
    if (answer == ADMISSION_GO) {
        entrance->dirty = true;
        return false;
    }
    turn_away(entrance, event, answer, load.delay_ms);
    return true;
}

void entrance_pass(struct live_entrance *entrance)
{
    admission_done(&entrance->admission, entrance->engine->now);
    entrance->dirty = true;
}

void entrance_move(struct live_entrance *entrance, enum instance_rest from,
                   enum instance_rest to)
{
    if ((from == REST_NOT) == (to == REST_NOT))
        return;
    if (to == REST_NOT) {
        entrance->working++;
        return;
    }
    ensure(entrance->working > 0);
    entrance->working--;
    entrance_pass(entrance);
}

static void write_row(struct text *json, const struct live_entrance *entrance)
{
    struct saved_entrance saved;
    memset(&saved, 0, sizeof saved); /* what lies between the members too */
    saved.admission = entrance->admission;
    memcpy(saved.counts, entrance->counts, sizeof saved.counts);
    text_format(json, "{\"working\":%" PRIu64 ",\"working_max\":%u,\"delay_ms\":%lld,",
                entrance->working, entrance->rule.working, (long long)entrance->delay_ms);
    text_format(json, "\"let_in\":%" PRIu64 ",", entrance->counts[ADMISSION_GO]);
    for (int i = ADMISSION_GO + 1; i < ADMISSION_ANSWER_COUNT; i++)
        text_format(json, "\"refused_%s\":%" PRIu64 ",",
                    admission_answer_name((enum admission_answer)i), entrance->counts[i]);
    text_format(json, "\"at\":%lld,", (long long)entrance->engine->now);
    policy_row_add_saved(json, &saved, sizeof saved);
    text_add_byte(json, '}');
}

static void add_row(struct live_entrance *entrance)
{
    struct engine *engine = entrance->engine;
    struct text key;
    struct text json;
    text_init(&key, NULL);
    text_init(&json, NULL);
    write_row_key(&key, entrance);
    write_row(&json, entrance);
    policy_row_put(engine, text_span(&key), SPAN("admission"), text_span(&json));
    text_fini(&json);
    text_fini(&key);
    entrance->dirty = false;
    entrance->shown_at = engine->now;
}

void entrance_add_rows(struct engine *engine)
{
    for (struct live_entrance *entrance = engine->entrances; entrance != NULL;
         entrance = entrance->next) {
        bool is_due =
            engine->now - entrance->shown_at >= SHOW_EVERY_MS || engine->mode != ENGINE_RUNNING;
        if (entrance->dirty && is_due && has_rule(entrance))
            add_row(entrance);
    }
}

void entrances_fini(struct engine *engine)
{
    while (engine->entrances != NULL) {
        struct live_entrance *entrance = engine->entrances;
        engine->entrances = entrance->next;
        memory_release(entrance->machine);
        memory_release(entrance);
    }
}
