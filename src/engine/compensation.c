/*
 * compensation.c - `src: compensate`: undo what an instance's steps have done, last first.
 *
 * The stack is not kept beside the history: it is the history. Every request of a step that
 * names what undoes it (`compensate: refund`) is in the log with its input, before anything
 * acted, so nothing can be missing from it, and a crash loses none of it. Read back up to the
 * request of the compensation itself it is the same stack each time.
 *
 * On it are the requests that were done, and those whose outcome is not known: timed out, cut
 * off, or left while they were under way. Those that are known not to have acted are not. One
 * compensation that is done ends what was before it.
 *
 * How many were popped is kept with the request's progress. Each call has a key of its own that
 * follows from what it undoes, so that it undoes once, whoever asks again.
 */
#include "base/ensure.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "engine/shard.h"

#define UNDO_BIT (UINT64_C(1) << 63) /* makes another number of an invocation's */

/* One request that may have to be undone. Texts in general memory. */
struct undoing {
    uint64_t number;
    uint32_t step;
    bool is_done;
    bool did_nothing;
    char *input; /* JSON */
    char *output;
};

struct compensation {
    struct undoing *stack; /* the last is undone first */
    uint32_t count;
    uint32_t capacity;
    size_t bytes; /* of inputs and outputs read, those dropped since too */
    uint64_t own_number;
    uint64_t earlier; /* the number of a compensation that was asked for before; 0: none */
    bool is_over;     /* its own request was met */
    const struct definition *definition;
};

bool compensation_is_asked(const struct live_request *live)
{
    const struct definition *definition = live->instance->deployed->definition;
    return live->request != NULL && definition->compensation != NO_INDEX &&
           definition->invoke_steps[live->request->invoke] == definition->compensation;
}

static char *copy_json(struct compensation *compensation, struct value value)
{
    struct text json;
    text_init(&json, NULL);
    json_write(&json, value);
    compensation->bytes += json.size;
    char *copy = memory_copy_text(text_span(&json));
    text_fini(&json);
    return copy;
}

static void drop(struct undoing *undoing)
{
    memory_release(undoing->input);
    memory_release(undoing->output);
}

static void forget_all(struct compensation *compensation)
{
    for (uint32_t i = 0; i < compensation->count; i++)
        drop(&compensation->stack[i]);
    compensation->count = 0;
}

static void note_request(struct compensation *compensation, const struct effect *effect)
{
    const struct definition *definition = compensation->definition;
    uint32_t step =
        effect->index == NO_INDEX ? NO_INDEX : definition->invoke_steps[effect->index];
    if (step == NO_INDEX)
        return; /* a machine, which undoes its own */
    if (effect->number == compensation->own_number)
        compensation->is_over = true;
    else if (step == definition->compensation)
        compensation->earlier = effect->number;
    if (compensation->is_over || definition->steps[step].compensate == NO_INDEX)
        return;
    memory_reserve(compensation->stack, compensation->count, compensation->capacity);
    compensation->stack[compensation->count++] =
        (struct undoing){.number = effect->number,
                         .step = step,
                         .input = copy_json(compensation, effect->input)};
}

/* Numbers grow, and most results are of a request that was made last. */
static struct undoing *find(const struct compensation *compensation, uint64_t number)
{
    uint32_t at = compensation->count;
    while (at > 0 && compensation->stack[at - 1].number > number)
        at--;
    return at > 0 && compensation->stack[at - 1].number == number ? &compensation->stack[at - 1]
                                                                  : NULL;
}

static void note_result(struct compensation *compensation, const struct history_line *line)
{
    if (line->kind == EVENT_DONE && line->number == compensation->earlier && !line->late)
        forget_all(compensation);
    struct undoing *undoing = find(compensation, line->number);
    if (undoing == NULL || undoing->is_done)
        return;
    struct value error = value_member(line->event, SPAN("error"));
    struct value unknown = value_member(error, SPAN("unknown"));
    undoing->is_done = line->kind == EVENT_DONE;
    if (undoing->is_done)
        undoing->output = copy_json(compensation, value_member(line->event, SPAN("output")));
    else if (!line->late) /* a late failure tells of the attempt that was cut off alone */
        undoing->did_nothing = unknown.kind != VALUE_BOOL;
}

static bool is_too_much(const struct compensation *compensation)
{
    return compensation->count > COMPENSATIONS_MAX ||
           compensation->bytes > COMPENSATION_BYTES_MAX;
}

static bool visit(void *context, const struct history_line *line)
{
    struct compensation *compensation = context;
    if (line->kind == EVENT_DONE || line->kind == EVENT_ERROR)
        note_result(compensation, line);
    for (uint32_t i = 0; i < line->raw_effect_count && !compensation->is_over; i++) {
        if (line->raw_effects[i].kind == EFFECT_INVOKE)
            note_request(compensation, &line->raw_effects[i]);
    }
    return !compensation->is_over && !is_too_much(compensation);
}

static void keep_what_may_have_acted(struct compensation *compensation)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < compensation->count; i++) {
        if (compensation->stack[i].did_nothing)
            drop(&compensation->stack[i]);
        else
            compensation->stack[kept++] = compensation->stack[i];
    }
    compensation->count = kept;
}

/* COMPENSATION_CALL when it was read. */
static enum compensation_answer read_stack(struct live_request *live)
{
    struct registry *registry = &live->step->engine->registry;
    struct compensation *compensation = memory_get(sizeof *compensation);
    struct arena arena;
    compensation->own_number = live->number;
    compensation->definition = live->instance->deployed->definition;
    live->compensation = compensation;
    arena_open(&arena, HISTORY_ARENA_BYTES);
    enum status status = history_read(registry, live->instance, 0, &arena, visit, compensation);
    arena_close(&arena);
    if (is_too_much(compensation))
        return COMPENSATION_TOO_MUCH;
    keep_what_may_have_acted(compensation);
    return status == STATUS_OK && compensation->is_over ? COMPENSATION_CALL
                                                        : COMPENSATION_UNKNOWN;
}

static const struct undoing *current(const struct live_request *live)
{
    const struct compensation *compensation = live->compensation;
    uint32_t popped = live->request->progress.undone;
    return popped < compensation->count ? &compensation->stack[compensation->count - 1 - popped]
                                        : NULL;
}

enum compensation_answer compensation_next(struct live_request *live)
{
    const struct deployed *deployed = live->instance->deployed;
    struct engine *engine = live->step->engine;
    if (live->compensation == NULL) {
        if (live->instance->lsn > shard_durable_lsn(engine)) {
            engine->open->hard = true;
            return COMPENSATION_LATER;
        }
        enum compensation_answer answer = read_stack(live);
        if (answer != COMPENSATION_CALL)
            return answer;
    }
    const struct undoing *undoing = current(live);
    if (undoing == NULL)
        return COMPENSATION_OVER;
    const struct definition *definition = deployed->definition;
    live->step = deployed->live->steps[definition_fall_back(
        definition, definition->steps[undoing->step].compensate,
        live->request->progress.fallbacks)];
    return COMPENSATION_CALL;
}

static struct value read_json(const char *json, struct arena *arena)
{
    struct value value;
    struct json_error error;
    if (json == NULL || json_read(span_from_text(json), arena, &value, &error) != STATUS_OK)
        return value_null();
    return value;
}

static struct value_entry entry(const char *name, struct value value)
{
    return (struct value_entry){value_string(span_from_text(name)), value};
}

/* {"step","input","output","key"}: what is to be undone; the output is null where the outcome
 * is not known. */
struct value compensation_input(const struct live_request *live, struct arena *arena)
{
    const struct undoing *undoing = current(live);
    struct value_entry *entries = arena_new_array(arena, 4, struct value_entry);
    char key[33];
    ensure(undoing != NULL);
    instance_invocation_key(live->instance, undoing->number,
                            live->step->engine->options.store->incarnation, key);
    struct span step = live->compensation->definition->steps[undoing->step].name;
    entries[0] = entry("step", value_string(step));
    entries[1] = entry("input", read_json(undoing->input, arena));
    entries[2] = entry("output", read_json(undoing->output, arena));
    entries[3] = entry("key", value_string(arena_copy(arena, span_from_text(key))));
    return value_map(entries, 4);
}

void compensation_key(const struct live_request *live, char key[33])
{
    const struct undoing *undoing = current(live);
    ensure(undoing != NULL);
    instance_invocation_key(live->instance, undoing->number | UNDO_BIT,
                            live->step->engine->options.store->incarnation, key);
}

uint32_t compensation_count(const struct live_request *live)
{
    return live->compensation->count;
}

void compensation_release(struct live_request *live)
{
    if (live->compensation == NULL)
        return;
    forget_all(live->compensation);
    memory_release(live->compensation->stack);
    memory_release(live->compensation);
    live->compensation = NULL;
}
