/*
 * il_instance.c - an instance that a program outside steps by hand.
 *
 * One piece of memory holds everything, so that a step allocates nothing:
 *
 *     il_instance | live: the configuration | next | scratch: one step, and its texts
 *                   a quarter                 a quarter             half
 *
 * A step runs in `scratch`, then its result is copied whole into `next`, and the two halves of
 * the state change places. What the step showed of the old configuration stays readable until
 * the next step, and so do texts that are written on demand behind it.
 *
 * Always: `now` points into `live`, the machine, and nothing else.
 */
#include "embed/il_instance.h"

#include <string.h>

#include "base/bytes.h"
#include "base/ensure.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "embed/il_machine.h"
#include "embed/il_status.h"

enum { ALIGNMENT = 16, REGION_BYTES_MIN = 256 };

/* What can be asked for as text; written once a step, when it is asked for. */
enum shown { SHOWN_VALUE, SHOWN_CONTEXT, SHOWN_TAGS, SHOWN_OUTPUT, SHOWN_ERROR, SHOWN_COUNT };

struct il_instance {
    const struct machine *machine;
    void *owned; /* NULL: the memory is the caller's */
    struct arena live;
    struct arena next;
    struct arena scratch;
    struct configuration now;
    size_t used;

    /* The last step; everything lives in scratch. */
    enum outcome outcome;
    bool changed;
    const struct effect *effects;
    uint32_t effect_count;
    il_effect *told_effects; /* NULL: not asked for yet */
    const char *problems;    /* NULL: no room */
    const char *shown[SHOWN_COUNT];
};

/* Memory */

static size_t round_up(size_t size)
{
    return (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

static size_t quarter_of(size_t bytes)
{
    size_t head = round_up(sizeof(struct il_instance)) + ALIGNMENT;
    return bytes < head ? 0 : (bytes - head) / 4 & ~(size_t)(ALIGNMENT - 1);
}

static void note_use(struct il_instance *instance)
{
    size_t quarter = instance->live.used;
    if (quarter < (instance->scratch.used + 1) / 2)
        quarter = (instance->scratch.used + 1) / 2;
    size_t used = round_up(sizeof *instance) + ALIGNMENT +
                  4 * round_up(quarter < REGION_BYTES_MIN ? REGION_BYTES_MIN : quarter);
    if (used > instance->used)
        instance->used = used;
}

/* An instance without a state in the memory given, or NULL when that is too small. */
static struct il_instance *place(const il_machine *machine, void *memory, size_t bytes)
{
    bytes = memory == NULL && bytes == 0 ? IL_INSTANCE_BYTES : bytes;
    size_t quarter = quarter_of(bytes);
    if (quarter < REGION_BYTES_MIN)
        return NULL;
    void *owned = memory == NULL ? memory_get(bytes) : NULL;
    char *start = memory == NULL ? owned : memory;
    start += (ALIGNMENT - (uintptr_t)start % ALIGNMENT) % ALIGNMENT;
    struct il_instance *instance = (struct il_instance *)(void *)start;
    char *regions = start + round_up(sizeof *instance);
    *instance = (struct il_instance){.machine = machine->machine, .owned = owned};
    arena_init(&instance->live, regions, quarter);
    arena_init(&instance->next, regions + quarter, quarter);
    arena_init(&instance->scratch, regions + 2 * quarter, 2 * quarter);
    return instance;
}

void il_instance_close(il_instance *instance)
{
    if (instance != NULL)
        memory_release(instance->owned);
}

/* The step */

static void copy(const struct configuration *from, struct arena *arena,
                 struct configuration *to)
{
    uint32_t words = from->machine->word_count;
    uint64_t *active = arena_new_array(arena, words, uint64_t);
    struct armed_timer *timers = arena_new_array(arena, from->timer_count, struct armed_timer);
    struct invocation *invocations =
        arena_new_array(arena, from->invocation_count, struct invocation);
    memcpy(active, from->active, words * sizeof *active);
    size_t memory_bytes = (size_t)from->machine->memory_count * words * sizeof *from->memory;
    uint64_t *memory = arena_get(arena, memory_bytes);
    if (memory_bytes > 0)
        memcpy(memory, from->memory, memory_bytes);
    for (uint32_t i = 0; i < from->timer_count; i++) {
        timers[i] = from->timers[i];
        timers[i].id = arena_copy(arena, from->timers[i].id);
        timers[i].type = arena_copy(arena, from->timers[i].type);
        timers[i].to = arena_copy(arena, from->timers[i].to);
        timers[i].payload = value_copy(arena, from->timers[i].payload);
    }
    for (uint32_t i = 0; i < from->invocation_count; i++) {
        invocations[i] = from->invocations[i];
        invocations[i].id = arena_copy(arena, from->invocations[i].id);
        invocations[i].src = arena_copy(arena, from->invocations[i].src);
        invocations[i].input = value_copy(arena, from->invocations[i].input);
    }
    *to = *from;
    to->active = active;
    to->memory = memory;
    to->session = arena_copy(arena, from->session);
    to->timers = timers;
    to->invocations = invocations;
    to->context = value_copy(arena, from->context);
    to->output = value_copy(arena, from->output);
    to->error = value_copy(arena, from->error);
}

/* Makes a configuration the instance's own. False: it is too large, and the old one stays. */
static bool take(struct il_instance *instance, const struct configuration *configuration)
{
    struct arena_guard guard;
    arena_clear(&instance->next);
    if (arena_is_spent(&instance->next, &guard))
        return false;
    struct configuration taken;
    copy(configuration, &instance->next, &taken);
    arena_release_guard(&instance->next, &guard);
    struct arena old = instance->live;
    instance->live = instance->next;
    instance->next = old;
    instance->now = taken;
    return true;
}

static const char *write_problems(struct il_instance *instance, const struct plan *plan)
{
    struct arena_guard guard;
    struct text text;
    if (plan->errors == NULL)
        return "[]";
    if (arena_is_spent(&instance->scratch, &guard))
        return NULL;
    text_init(&text, &instance->scratch);
    json_write(&text, describe_errors(plan, &instance->scratch));
    arena_release_guard(&instance->scratch, &guard);
    return text.bytes;
}

static void forget_step(struct il_instance *instance)
{
    arena_clear(&instance->scratch);
    instance->outcome = OUTCOME_IGNORED;
    instance->changed = false;
    instance->effects = NULL;
    instance->effect_count = 0;
    instance->told_effects = NULL;
    instance->problems = "[]";
    memset(instance->shown, 0, sizeof instance->shown);
}

static il_status step(struct il_instance *instance, const struct configuration *before,
                      const struct event *event, instant_ms now)
{
    struct plan plan;
    if (step_run(instance->machine, before, event, now, &instance->scratch, &plan) !=
            STATUS_OK ||
        !take(instance, &plan.after))
        return IL_NO_SPACE;
    instance->outcome = plan.outcome;
    instance->changed = plan.changed;
    instance->effects = plan.effects;
    instance->effect_count = plan.effect_count;
    instance->problems = write_problems(instance, &plan);
    note_use(instance);
    return IL_OK;
}

/* Forgets the step before and reads JSON for the next; `absent` stands for NULL. What is read
 * lives in scratch, the text as well: plans may point into it. */
static il_status read_json(struct il_instance *instance, const char *json, struct value absent,
                           struct value *value)
{
    struct arena_guard guard;
    struct json_error error;
    forget_step(instance);
    *value = absent;
    if (json == NULL)
        return IL_OK;
    struct span text = span_from_text(json);
    if (text.size > VALUE_BYTES_MAX || arena_is_spent(&instance->scratch, &guard))
        return IL_NO_SPACE;
    enum status status =
        json_read(arena_copy(&instance->scratch, text), &instance->scratch, value, &error);
    arena_release_guard(&instance->scratch, &guard);
    return status == STATUS_OK ? IL_OK : IL_INVALID;
}

/* Keeps a name in scratch, since plans may point to it. */
static il_status keep_name(struct il_instance *instance, struct span *name)
{
    struct arena_guard guard;
    if (name->size == 0 || name->size > EVENT_TYPE_BYTES_MAX || !span_is_utf8(*name))
        return IL_INVALID;
    if (arena_is_spent(&instance->scratch, &guard))
        return IL_NO_SPACE;
    *name = arena_copy(&instance->scratch, *name);
    arena_release_guard(&instance->scratch, &guard);
    return IL_OK;
}

static il_status read_object(struct il_instance *instance, const char *json,
                             struct value *value)
{
    il_status status = read_json(instance, json, value_map(NULL, 0), value);
    return status == IL_OK && value->kind != VALUE_MAP ? IL_INVALID : status;
}

il_status il_instance_start(const il_machine *machine, const char *input_json, int64_t now_ms,
                            void *memory, size_t bytes, il_instance **started)
{
    struct event event = {.kind = EVENT_START};
    if (machine == NULL || started == NULL)
        return IL_MISUSE;
    struct il_instance *instance = place(machine, memory, bytes);
    if (instance == NULL)
        return IL_NO_SPACE;
    il_status status = read_json(instance, input_json, value_null(), &event.payload);
    if (status == IL_OK)
        status = step(instance, NULL, &event, now_ms);
    if (status == IL_OK)
        *started = instance;
    else
        il_instance_close(instance);
    return status;
}

il_status il_instance_adopt(const il_machine *machine,
                            const struct configuration *configuration, void *memory,
                            size_t bytes, il_instance **adopted)
{
    struct il_instance *instance = place(machine, memory, bytes);
    if (instance == NULL)
        return IL_NO_SPACE;
    forget_step(instance);
    if (!take(instance, configuration)) {
        il_instance_close(instance);
        return IL_NO_SPACE;
    }
    note_use(instance);
    *adopted = instance;
    return IL_OK;
}

const struct configuration *il_instance_now(const il_instance *instance)
{
    return &instance->now;
}

struct kept_configuration *il_instance_keep(const il_instance *instance)
{
    struct arena arena;
    size_t head = round_up(sizeof(struct kept_configuration));
    size_t bytes = head + instance->live.used + ALIGNMENT;
    struct kept_configuration *kept = memory_get(bytes);
    kept->bytes = bytes;
    arena_init(&arena, (char *)kept + head, bytes - head);
    copy(&instance->now, &arena, &kept->configuration);
    return kept;
}

static il_status pass_door(struct il_instance *instance, struct event *event)
{
    struct arena_guard guard;
    struct span problem;
    if (arena_is_spent(&instance->scratch, &guard))
        return IL_NO_SPACE;
    bool passes = door_accepts(instance->machine, event->type, event->payload,
                               &instance->scratch, &event->payload, &problem);
    arena_release_guard(&instance->scratch, &guard);
    return passes ? IL_OK : IL_INVALID;
}

il_status il_instance_send(il_instance *instance, const char *type, const char *payload_json,
                           int64_t now_ms)
{
    struct event event = {.kind = EVENT_EXTERNAL, .type = span_from_text(type)};
    if (instance == NULL || type == NULL)
        return IL_MISUSE;
    il_status status = read_object(instance, payload_json, &event.payload);
    if (status == IL_OK && value_find(event.payload, SPAN("type")) != NULL)
        status = IL_INVALID;
    if (status == IL_OK)
        status = keep_name(instance, &event.type);
    if (status == IL_OK)
        status = pass_door(instance, &event);
    return status == IL_OK ? step(instance, &instance->now, &event, now_ms) : status;
}

/* The number of the active invocation of an id; one that nothing has when it is not active.
 * False when the machine has no such invoke. */
static bool find_invocation(const struct il_instance *instance, struct span id,
                            uint64_t *number)
{
    bool is_known = false;
    uint64_t active = UINT64_MAX;
    for (uint32_t i = 0; i < instance->machine->invoke_count; i++)
        is_known = is_known || span_equal(instance->machine->invokes[i].id, id);
    for (uint32_t i = 0; i < instance->now.invocation_count; i++) {
        const struct invocation *invocation = &instance->now.invocations[i];
        if (span_equal(configuration_invoke_id(&instance->now, invocation), id))
            active = invocation->number;
    }
    if (*number == 0)
        *number = active;
    return is_known || active != UINT64_MAX;
}

il_status il_instance_complete(il_instance *instance, const char *invoke_id, uint64_t number,
                               const char *output_json, int64_t now_ms)
{
    struct event event = {.kind = EVENT_DONE, .number = number};
    if (instance == NULL || invoke_id == NULL)
        return IL_MISUSE;
    if (!find_invocation(instance, span_from_text(invoke_id), &event.number))
        return IL_NOT_FOUND;
    il_status status = read_json(instance, output_json, value_null(), &event.payload);
    return status == IL_OK ? step(instance, &instance->now, &event, now_ms) : status;
}

il_status il_instance_fail(il_instance *instance, const char *invoke_id, uint64_t number,
                           const char *error_json, int64_t now_ms)
{
    struct event event = {.kind = EVENT_ERROR, .number = number};
    if (instance == NULL || invoke_id == NULL)
        return IL_MISUSE;
    if (!find_invocation(instance, span_from_text(invoke_id), &event.number))
        return IL_NOT_FOUND;
    il_status status = read_object(instance, error_json, &event.payload);
    return status == IL_OK ? step(instance, &instance->now, &event, now_ms) : status;
}

il_status il_instance_advance(il_instance *instance, int64_t now_ms)
{
    if (instance == NULL)
        return IL_MISUSE;
    const struct armed_timer *timer = configuration_next_timer(&instance->now);
    if (timer == NULL || timer->due > now_ms)
        return IL_NOT_FOUND;
    struct event event = {.kind = EVENT_TIMER, .number = timer->number};
    forget_step(instance);
    return step(instance, &instance->now, &event, timer->due);
}

bool il_instance_next_due(const il_instance *instance, int64_t *due_ms)
{
    const struct armed_timer *timer =
        instance == NULL ? NULL : configuration_next_timer(&instance->now);
    if (timer == NULL || due_ms == NULL)
        return false;
    *due_ms = timer->due;
    return true;
}

/* What came of it */

il_outcome il_instance_outcome(const il_instance *instance)
{
    static const il_outcome outcomes[] = {
        [OUTCOME_APPLIED] = IL_OUTCOME_APPLIED,
        [OUTCOME_IGNORED] = IL_OUTCOME_IGNORED,
        [OUTCOME_FAILED] = IL_OUTCOME_FAILED,
    };
    return instance == NULL ? IL_OUTCOME_IGNORED : outcomes[instance->outcome];
}

bool il_instance_changed(const il_instance *instance)
{
    return instance != NULL && instance->changed;
}

const char *il_instance_problems(il_instance *instance)
{
    return instance == NULL ? NULL : instance->problems;
}

size_t il_instance_effect_count(const il_instance *instance)
{
    return instance == NULL ? 0 : instance->effect_count;
}

static const char *value_text(struct value value, struct arena *arena)
{
    struct text text;
    text_init(&text, arena);
    json_write(&text, value);
    return text.bytes;
}

static il_effect effect_outside(const struct effect *effect, struct arena *arena)
{
    static const il_effect_kind kinds[] = {
        [EFFECT_INVOKE] = IL_EFFECT_INVOKE,     [EFFECT_STOP] = IL_EFFECT_STOP,
        [EFFECT_SCHEDULE] = IL_EFFECT_SCHEDULE, [EFFECT_CANCEL] = IL_EFFECT_CANCEL,
        [EFFECT_ACTION] = IL_EFFECT_ACTION,     [EFFECT_LOG] = IL_EFFECT_LOG,
        [EFFECT_EMIT] = IL_EFFECT_EMIT,         [EFFECT_SEND] = IL_EFFECT_SEND};
    il_effect outside = {
        .kind = kinds[effect->kind], .number = effect->number, .due_ms = effect->due};
    outside.id = arena_copy(arena, effect->id).text;
    if (effect->name.text != NULL)
        outside.src = arena_copy(arena, effect->name).text;
    if (effect->kind == EFFECT_INVOKE || effect->kind >= EFFECT_ACTION)
        outside.input = value_text(effect->input, arena);
    if (effect->kind == EFFECT_STOP)
        outside.src = NULL;
    return outside;
}

/* All at once, when the first is asked for. */
static bool write_effects(struct il_instance *instance)
{
    struct arena *arena = &instance->scratch;
    struct arena_guard guard;
    if (arena_is_spent(arena, &guard))
        return false;
    il_effect *effects = arena_new_array(arena, instance->effect_count, il_effect);
    for (uint32_t i = 0; i < instance->effect_count; i++)
        effects[i] = effect_outside(&instance->effects[i], arena);
    arena_release_guard(arena, &guard);
    instance->told_effects = effects;
    note_use(instance);
    return true;
}

bool il_instance_effect(il_instance *instance, size_t index, il_effect *effect)
{
    if (instance == NULL || effect == NULL || index >= instance->effect_count)
        return false;
    if (instance->told_effects == NULL && !write_effects(instance))
        return false;
    *effect = instance->told_effects[index];
    return true;
}

/* Where it stands */

il_instance_status il_instance_status_of(const il_instance *instance)
{
    static const il_instance_status statuses[] = {
        [INSTANCE_ACTIVE] = IL_INSTANCE_ACTIVE,
        [INSTANCE_DONE] = IL_INSTANCE_DONE,
        [INSTANCE_ERROR] = IL_INSTANCE_ERROR,
        [INSTANCE_STOPPED] = IL_INSTANCE_STOPPED,
    };
    return instance == NULL ? IL_INSTANCE_STOPPED : statuses[instance->now.status];
}

static struct value shown_value(struct il_instance *instance, enum shown shown)
{
    struct arena *arena = &instance->scratch;
    switch (shown) {
    case SHOWN_VALUE:
        return configuration_value(&instance->now, arena);
    case SHOWN_CONTEXT:
        return instance->now.context;
    case SHOWN_TAGS:
        return configuration_tags(&instance->now, arena);
    case SHOWN_OUTPUT:
        return instance->now.output;
    case SHOWN_ERROR:
        return instance->now.error;
    case SHOWN_COUNT:
        break;
    }
    return value_null();
}

static const char *show(struct il_instance *instance, enum shown shown)
{
    struct arena_guard guard;
    if (instance == NULL)
        return NULL;
    if (instance->shown[shown] != NULL)
        return instance->shown[shown];
    if (arena_is_spent(&instance->scratch, &guard))
        return NULL;
    instance->shown[shown] = value_text(shown_value(instance, shown), &instance->scratch);
    arena_release_guard(&instance->scratch, &guard);
    note_use(instance);
    return instance->shown[shown];
}

const char *il_instance_value(il_instance *instance)
{
    return show(instance, SHOWN_VALUE);
}

const char *il_instance_context(il_instance *instance)
{
    return show(instance, SHOWN_CONTEXT);
}

const char *il_instance_tags(il_instance *instance)
{
    return show(instance, SHOWN_TAGS);
}

const char *il_instance_output(il_instance *instance)
{
    return show(instance, SHOWN_OUTPUT);
}

const char *il_instance_error(il_instance *instance)
{
    return show(instance, SHOWN_ERROR);
}

bool il_instance_is_in(const il_instance *instance, const char *state)
{
    bool known;
    return instance != NULL && state != NULL &&
           configuration_is_in(&instance->now, span_from_text(state), &known);
}

size_t il_instance_used(const il_instance *instance)
{
    return instance == NULL ? 0 : instance->used;
}

/* Snapshots: "ILI" format | checksum of the rest | length of chart's snapshot, it, the context
 */

static const char snapshot_magic[] = {'I', 'L', 'I', 1};

enum { SNAPSHOT_HEAD_BYTES = sizeof snapshot_magic + 4 };

/* Written behind the step's texts and taken back at once. */
static bool write_snapshot(struct il_instance *instance, struct span *written)
{
    struct arena_guard guard;
    struct text state;
    struct text whole;
    if (arena_is_spent(&instance->scratch, &guard))
        return false;
    text_init(&state, &instance->scratch);
    text_init(&whole, &instance->scratch);
    snapshot_write(&state, &instance->now);
    bytes_add_span(&whole, text_span(&state));
    json_write(&whole, instance->now.context);
    arena_release_guard(&instance->scratch, &guard);
    note_use(instance);
    *written = text_span(&whole);
    return true;
}

static void add_head(char *bytes, struct span body)
{
    uint32_t crc = hash_crc32c(0, body.text, body.size);
    memcpy(bytes, snapshot_magic, sizeof snapshot_magic);
    for (size_t i = 0; i < 4; i++)
        bytes[sizeof snapshot_magic + i] = (char)(uint8_t)(crc >> (8 * i));
}

il_status il_instance_snapshot(il_instance *instance, void *bytes, size_t size,
                               size_t *size_needed)
{
    struct span body;
    if (instance == NULL || size_needed == NULL || (bytes == NULL && size > 0))
        return IL_MISUSE;
    struct arena_mark mark = arena_mark(&instance->scratch);
    bool is_written = write_snapshot(instance, &body);
    *size_needed = is_written ? SNAPSHOT_HEAD_BYTES + body.size : 0;
    bool fits = is_written && *size_needed <= size;
    if (fits) {
        ensure(bytes != NULL);
        add_head(bytes, body);
        memcpy((char *)bytes + SNAPSHOT_HEAD_BYTES, body.text, body.size);
    }
    arena_rewind(&instance->scratch, mark);
    return fits ? IL_OK : IL_NO_SPACE;
}

static bool read_head(struct byte_reader *reader)
{
    bool is_ours = true;
    for (size_t i = 0; i < sizeof snapshot_magic; i++)
        is_ours = bytes_read_u8(reader) == (uint8_t)snapshot_magic[i] && is_ours;
    uint32_t crc = bytes_read_u32(reader);
    return is_ours && !reader->failed &&
           crc == hash_crc32c(0, reader->at, (size_t)(reader->end - reader->at));
}

static enum status decode(struct il_instance *instance, struct span bytes,
                          struct configuration *configuration)
{
    struct byte_reader reader = byte_reader_of(bytes);
    struct arena_guard guard;
    if (!read_head(&reader))
        return STATUS_CORRUPT;
    struct span state = bytes_read_span(&reader);
    struct span context = span_of((const char *)reader.at, (size_t)(reader.end - reader.at));
    if (reader.failed)
        return STATUS_CORRUPT;
    if (arena_is_spent(&instance->scratch, &guard))
        return STATUS_NO_SPACE;
    enum status status =
        snapshot_read(state, context, instance->machine, &instance->scratch, configuration);
    arena_release_guard(&instance->scratch, &guard);
    return status;
}

static il_status restore(struct il_instance *instance, struct span bytes)
{
    struct configuration configuration;
    forget_step(instance);
    enum status status = decode(instance, bytes, &configuration);
    if (status != STATUS_OK)
        return il_status_of(status);
    if (!take(instance, &configuration))
        return IL_NO_SPACE;
    note_use(instance);
    forget_step(instance);
    return IL_OK;
}

il_status il_instance_restore(const il_machine *machine, const void *snapshot, size_t size,
                              void *memory, size_t bytes, il_instance **restored)
{
    if (machine == NULL || snapshot == NULL || restored == NULL)
        return IL_MISUSE;
    struct il_instance *instance = place(machine, memory, bytes);
    if (instance == NULL)
        return IL_NO_SPACE;
    il_status status = restore(instance, span_of(snapshot, size));
    if (status == IL_OK)
        *restored = instance;
    else
        il_instance_close(instance);
    return status;
}
