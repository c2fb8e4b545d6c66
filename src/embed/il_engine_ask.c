/*
 * il_engine_ask.c - what a program asks of an engine: deployments, starts, events.
 *
 * Everything is asked without waiting; the calls that wait run the loop until the reply to
 * their own ask has come.
 */
#include <string.h>

#include "base/limits.h"
#include "embed/il_diagnose.h"
#include "embed/il_engine.h"
#include "embed/il_source.h"

static const char default_file[] = "definition";

/* Asks and replies */

static struct ask *ask_open(il_engine *engine, il_replied *replied, void *context)
{
    struct ask *ask = memory_get(sizeof *ask);
    ask->engine = engine;
    ask->replied = replied;
    ask->context = context;
    ask->next = engine->asks;
    ask->previous = &engine->asks;
    if (ask->next != NULL)
        ask->next->previous = &ask->next;
    engine->asks = ask;
    return ask;
}

static void ask_close(struct ask *ask, il_status status, const il_reply *reply,
                      const char *problem)
{
    il_replied *replied = ask->replied;
    void *context = ask->context;
    *ask->previous = ask->next;
    if (ask->next != NULL)
        ask->next->previous = ask->previous;
    memory_release(ask);
    if (replied != NULL)
        replied(context, status, reply, problem);
}

void il_engine_drop_asks(il_engine *engine)
{
    il_reply reply = {.retry_ms = 0};
    while (engine->asks != NULL)
        ask_close(engine->asks, IL_UNKNOWN, &reply, "the engine was closed before the answer");
}

static il_status status_of(enum engine_answer answer)
{
    switch (answer) {
    case ANSWER_OK:
    case ANSWER_REPEATED:
        return IL_OK;
    case ANSWER_CONFLICT:
        return IL_CONFLICT;
    case ANSWER_NOT_FOUND:
        return IL_NOT_FOUND;
    case ANSWER_REFUSED:
        return IL_INVALID;
    case ANSWER_FULL:
        return IL_TRY_AGAIN;
    case ANSWER_UNKNOWN:
        return IL_UNKNOWN;
    }
    return IL_UNKNOWN;
}

static il_outcome outcome_of(enum outcome outcome)
{
    return outcome == OUTCOME_APPLIED   ? IL_OUTCOME_APPLIED
           : outcome == OUTCOME_IGNORED ? IL_OUTCOME_IGNORED
                                        : IL_OUTCOME_FAILED;
}

static void on_reply(void *context, const struct engine_reply *from)
{
    struct ask *ask = context;
    struct text words = {.arena = NULL};
    il_reply reply = {
        .repeated = from->answer == ANSWER_REPEATED,
        .outcome = outcome_of(from->outcome),
        .seq = from->seq,
        .retry_ms = from->retry_ms,
    };
    text_add(&words, from->message);
    ask_close(ask, status_of(from->answer), &reply, words.bytes);
    text_fini(&words);
}

/* Waiting for a reply */

struct waiting {
    bool is_over;
    il_engine *engine;
    il_status status;
    il_reply reply;
};

static void on_awaited(void *context, il_status status, const il_reply *reply,
                       const char *problem)
{
    struct waiting *waiting = context;
    waiting->is_over = true;
    waiting->reply = *reply;
    waiting->status = status;
    if (status != IL_OK && waiting->engine->broken == IL_OK) /* else the store's words say it */
        il_engine_fail(waiting->engine, status, "%s", problem);
}

static il_status await(struct waiting *waiting, struct ask *ask, il_reply *reply)
{
    il_engine *engine = waiting->engine;
    while (!waiting->is_over && engine->broken == IL_OK)
        il_engine_turn_loop(engine);
    if (!waiting->is_over) {
        ask->replied = NULL;
        return engine->broken;
    }
    bool has_reply = waiting->status == IL_OK || waiting->status == IL_TRY_AGAIN;
    if (reply != NULL && has_reply)
        *reply = waiting->reply;
    return waiting->status;
}

/* Deploying */

struct deploying {
    struct arena arena;
    struct diagnostics diagnostics;
    struct span text;
    const char *file;
    const char *folder;
    il_diagnose *diagnose;
    void *context;
};

/* A function that is missing would fail every attempt: better said before the first. */
static void check_functions(const il_engine *engine, const struct definition *definition,
                            struct diagnostics *diagnostics)
{
    for (uint32_t i = 0; i < definition->step_count; i++) {
        const struct step *step = &definition->steps[i];
        if (step->type != &engine->call.type || step->settings == NULL)
            continue;
        struct span name = strategy_call_name(step->settings);
        if (il_engine_find_function(engine, name) != NULL)
            continue;
        struct diagnostic *error = diagnostics_add(
            diagnostics, SEVERITY_ERROR, "IL0107", step->place,
            "step `%.*s` calls `%.*s`, and no function of that name is registered",
            SPAN_ARGS(step->name), SPAN_ARGS(name));
        diagnostic_help(diagnostics, error, "il_engine_register() names functions");
    }
}

static void remember_first_error(il_engine *engine, const struct diagnostics *diagnostics)
{
    const struct diagnostic *first = diagnostics->first;
    while (first != NULL && first->severity != SEVERITY_ERROR)
        first = first->next;
    if (first != NULL)
        il_engine_fail(engine, IL_INVALID, "%.*s:%u:%u: %.*s %.*s",
                       SPAN_ARGS(first->place.file), first->place.line, first->place.column,
                       SPAN_ARGS(first->code), SPAN_ARGS(first->message));
}

static const struct definition *read_definition(il_engine *engine, struct deploying *deploying)
{
    struct arena *arena = &deploying->arena;
    struct diagnostics *diagnostics = &deploying->diagnostics;
    struct strategy_types types = {engine->types,
                                   sizeof engine->types / sizeof engine->types[0], NULL};
    diagnostics_init(diagnostics, arena);
    const struct definition *definition = NULL;
    const struct node *root =
        il_source_read(arena_copy(arena, deploying->text),
                       arena_copy(arena, span_from_text(deploying->file)), arena, diagnostics);
    if (root != NULL)
        definition = definition_read(root, NULL, deploying->folder, types, arena, diagnostics);
    if (definition != NULL)
        check_functions(engine, definition, diagnostics);
    remember_first_error(engine, diagnostics);
    il_diagnose_all(diagnostics, deploying->diagnose, deploying->context);
    return diagnostics->errors > 0 ? NULL : definition;
}

static il_status read_guarded(il_engine *engine, struct deploying *deploying,
                              const struct definition **definition)
{
    struct arena_guard guard;
    if (arena_is_spent(&deploying->arena, &guard))
        return il_engine_fail(engine, IL_NO_SPACE, "%s: too large to be loaded",
                              deploying->file);
    engine->is_inside = true;
    *definition = read_definition(engine, deploying);
    engine->is_inside = false;
    arena_release_guard(&deploying->arena, &guard);
    return *definition == NULL ? IL_INVALID : IL_OK;
}

/* The registry reads the definition again into memory of its own. */
static il_status deploy(il_engine *engine, const struct definition *definition)
{
    struct waiting waiting = {.engine = engine};
    struct ask *ask = ask_open(engine, on_awaited, &waiting);
    engine_deploy(engine->engine, definition, on_reply, ask);
    return await(&waiting, ask, NULL);
}

il_status il_engine_deploy(il_engine *engine, const char *text, size_t size, const char *file,
                           const char *folder, il_diagnose *diagnose, void *context)
{
    const struct definition *definition = NULL;
    il_status status = il_engine_enter(engine, IL_NEED_OPEN);
    if (status != IL_OK)
        return status;
    if (text == NULL)
        return il_engine_fail(engine, IL_MISUSE, "a definition needs a text");
    if (size > DEFINITION_BYTES_MAX)
        return il_engine_fail(engine, IL_NO_SPACE, "a definition has at most 1 MiB");
    char *current = file_folder(default_file);
    char *absolute = file_resolve(current, span_from_text(folder == NULL ? "." : folder));
    struct deploying deploying = {.text = span_of(text, size),
                                  .file = file == NULL ? default_file : file,
                                  .folder = absolute,
                                  .diagnose = diagnose,
                                  .context = context};
    arena_open(&deploying.arena, DEFINITION_ARENA_BYTES);
    status = read_guarded(engine, &deploying, &definition);
    if (status == IL_OK)
        status = deploy(engine, definition);
    arena_close(&deploying.arena);
    memory_release(absolute);
    memory_release(current);
    return status;
}

/* Starting and sending */

/* "order@3" is a machine and its version. */
static void split_machine(const char *name, struct engine_start *start)
{
    const char *at = strrchr(name, '@');
    start->machine = span_from_text(name);
    if (at == NULL)
        return;
    start->machine = span_of(name, (size_t)(at - name));
    start->version = span_from_text(at + 1);
}

static struct span payload_of(const char *json)
{
    return json == NULL ? SPAN("{}") : span_from_text(json);
}

struct start_request {
    const char *machine;
    const char *id;
    const char *input_json;
    const char *event;
    const char *payload_json;
};

static il_status check_start(il_engine *engine, const struct start_request *request)
{
    if (request->machine == NULL || request->id == NULL)
        return il_engine_fail(engine, IL_MISUSE, "a start needs a machine and an id");
    return IL_OK;
}

static void start(il_engine *engine, const struct start_request *request, struct ask *ask)
{
    struct engine_start start = {
        .id = span_from_text(request->id),
        .input = span_from_text(request->input_json == NULL ? "null" : request->input_json),
        .event = span_from_text(request->event),
        .event_json = payload_of(request->payload_json)};
    split_machine(request->machine, &start);
    engine_start(engine->engine, &start, on_reply, ask);
}

il_status il_engine_start(il_engine *engine, const char *machine, const char *id,
                          const char *input_json, const char *event, const char *payload_json,
                          il_reply *reply)
{
    struct start_request request = {machine, id, input_json, event, payload_json};
    struct waiting waiting = {.engine = engine};
    il_status status = il_engine_enter(engine, IL_NEED_OPEN);
    if (status == IL_OK)
        status = check_start(engine, &request);
    if (status != IL_OK)
        return status;
    struct ask *ask = ask_open(engine, on_awaited, &waiting);
    start(engine, &request, ask);
    return await(&waiting, ask, reply);
}

il_status il_engine_start_later(il_engine *engine, const char *machine, const char *id,
                                const char *input_json, const char *event,
                                const char *payload_json, il_replied *replied, void *context)
{
    struct start_request request = {machine, id, input_json, event, payload_json};
    il_status status = il_engine_enter(engine, IL_NEED_WORKING);
    if (status == IL_OK)
        status = check_start(engine, &request);
    if (status == IL_OK)
        start(engine, &request, ask_open(engine, replied, context));
    return status;
}

static void send(il_engine *engine, const char *id, const char *event, const char *payload_json,
                 const char *key, struct ask *ask)
{
    engine_send(engine->engine, span_from_text(id), span_from_text(event),
                payload_of(payload_json), span_from_text(key), on_reply, ask);
}

static il_status check_send(il_engine *engine, const char *id, const char *event)
{
    if (id == NULL || event == NULL)
        return il_engine_fail(engine, IL_MISUSE, "an event needs an instance and a type");
    return IL_OK;
}

il_status il_engine_send(il_engine *engine, const char *id, const char *event,
                         const char *payload_json, const char *key, il_reply *reply)
{
    struct waiting waiting = {.engine = engine};
    il_status status = il_engine_enter(engine, IL_NEED_OPEN);
    if (status == IL_OK)
        status = check_send(engine, id, event);
    if (status != IL_OK)
        return status;
    struct ask *ask = ask_open(engine, on_awaited, &waiting);
    send(engine, id, event, payload_json, key, ask);
    return await(&waiting, ask, reply);
}

il_status il_engine_send_later(il_engine *engine, const char *id, const char *event,
                               const char *payload_json, const char *key, il_replied *replied,
                               void *context)
{
    il_status status = il_engine_enter(engine, IL_NEED_WORKING);
    if (status == IL_OK)
        status = check_send(engine, id, event);
    if (status == IL_OK)
        send(engine, id, event, payload_json, key, ask_open(engine, replied, context));
    return status;
}
