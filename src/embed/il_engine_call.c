/*
 * il_engine_call.c - functions of the program as steps, and their answers.
 */
#include "base/json.h"
#include "embed/il_engine.h"

const struct registered *il_engine_find_function(const il_engine *engine, struct span name)
{
    const struct registered *found = engine->functions;
    while (found != NULL && !span_is(name, found->name))
        found = found->next;
    return found;
}

il_status il_engine_register(il_engine *engine, const char *name, il_function *function,
                             void *context)
{
    il_status entered = il_engine_enter(engine, IL_NEED_NEW);
    if (entered != IL_OK)
        return entered;
    if (name == NULL || name[0] == '\0' || function == NULL)
        return il_engine_fail(engine, IL_MISUSE, "a function needs a name");
    if (il_engine_find_function(engine, span_from_text(name)) != NULL)
        return il_engine_fail(engine, IL_CONFLICT, "there is a function '%s' already", name);
    struct registered *registered = memory_get(sizeof *registered);
    *registered = (struct registered){.next = engine->functions,
                                      .name = memory_copy_text(span_from_text(name)),
                                      .function = function,
                                      .context = context};
    engine->functions = registered;
    return IL_OK;
}

void il_engine_forget_functions(il_engine *engine)
{
    while (engine->functions != NULL) {
        struct registered *registered = engine->functions;
        engine->functions = registered->next;
        memory_release(registered->name);
        memory_release(registered);
    }
}

static const char *text_of(struct arena *arena, struct span span)
{
    return arena_copy(arena, span).text;
}

/* The strategy's start: tells the function what is to be done. */
static bool start(void *context, struct span name, const struct attempt_request *request,
                  uint64_t number)
{
    il_engine *engine = context;
    struct arena *arena = &engine->call_arena;
    const struct registered *registered = il_engine_find_function(engine, name);
    if (registered == NULL)
        return false;
    arena_clear(arena);
    struct text input;
    text_init(&input, arena);
    json_write(&input, request->input);
    il_call call = {
        .instance = text_of(arena, request->instance),
        .step = text_of(arena, request->step),
        .key = text_of(arena, request->key),
        .trace = text_of(arena, request->trace),
        .input = input.bytes,
        .attempt = request->attempt,
        .timeout_ms = request->timeout_ms,
    };
    registered->function(registered->context, &call, (il_token){engine, number});
    return true;
}

void il_engine_init_calls(il_engine *engine)
{
    strategy_call_init(&engine->call, start, engine);
}

static bool can_answer(il_token token)
{
    return token.engine != NULL && token.engine->call.box != NULL;
}

il_status il_complete(il_token token, const char *output_json)
{
    if (!can_answer(token))
        return IL_MISUSE;
    struct attempt_result result = {.done = true, .retry_after_ms = -1};
    result.output = span_from_text(output_json == NULL ? "null" : output_json);
    strategy_call_answer(&token.engine->call, token.number, &result);
    return IL_OK;
}

il_status il_fail(il_token token, const char *kind, int32_t code, const char *message)
{
    static const error_kinds engines_own = ERROR_KIND_BIT(ERROR_KIND_EXPIRED) |
                                           ERROR_KIND_BIT(ERROR_KIND_BREAKER_OPEN) |
                                           ERROR_KIND_BIT(ERROR_KIND_CANCELLED);
    struct attempt_result result = {.code = code, .retry_after_ms = -1};
    if (!can_answer(token) || kind == NULL)
        return IL_MISUSE;
    if (!error_kind_find(span_from_text(kind), &result.kind) ||
        (engines_own & ERROR_KIND_BIT(result.kind)) != 0)
        return IL_INVALID;
    result.message = span_from_text(message);
    strategy_call_answer(&token.engine->call, token.number, &result);
    return IL_OK;
}
