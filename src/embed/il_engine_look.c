/*
 * il_engine_look.c - looking at instances.
 *
 * What is shown is on disk: a call waits for the commit of what it is about to show.
 */
#include "base/json.h"
#include "embed/il_engine.h"
#include "embed/il_status.h"

/* The instance, with nothing of it still on its way to the disk; NULL with a problem. */
static const struct instance *find(il_engine *engine, const char *id)
{
    struct registry *registry = engine_registry(engine->engine);
    const struct instance *instance = registry_find(registry, span_from_text(id));
    if (instance == NULL) {
        il_engine_fail(engine, IL_NOT_FOUND, "there is no instance %s", id);
        return NULL;
    }
    while (engine->broken == IL_OK && instance->lsn > engine_view(engine->engine).durable_lsn)
        il_engine_turn_loop(engine);
    return engine->broken == IL_OK ? instance : NULL;
}

static const struct instance *enter(il_engine *engine, const char *id)
{
    if (il_engine_enter(engine, IL_NEED_OPEN) != IL_OK)
        return NULL;
    if (id != NULL)
        return find(engine, id);
    il_engine_fail(engine, IL_MISUSE, "which instance?");
    return NULL;
}

const char *il_engine_describe(il_engine *engine, const char *id)
{
    const struct instance *instance = enter(engine, id);
    if (instance == NULL)
        return NULL;
    arena_clear(&engine->arena);
    text_clear(&engine->shown);
    json_write(&engine->shown, waiting_describe(engine_registry(engine->engine), instance,
                                                clock_wall(), &engine->arena));
    return engine->shown.bytes;
}

const char *il_engine_why(il_engine *engine, const char *id)
{
    const struct instance *instance = enter(engine, id);
    if (instance == NULL)
        return NULL;
    arena_clear(&engine->arena);
    text_clear(&engine->shown);
    waiting_explain(engine_registry(engine->engine), instance, clock_wall(), &engine->arena,
                    &engine->shown);
    return engine->shown.bytes;
}

struct telling {
    il_engine *engine;
    il_history_line *line;
    void *context;
};

static bool tell(void *context, const struct history_line *line)
{
    struct telling *telling = context;
    struct text *text = &telling->engine->line;
    struct arena arena;
    arena_open(&arena, 1 << 30);
    text_clear(text);
    json_write(text, history_describe(line, &arena));
    arena_close(&arena);
    return telling->line(telling->context, text->bytes);
}

il_status il_engine_history(il_engine *engine, const char *id, uint64_t after,
                            il_history_line *line, void *context)
{
    il_status status = il_engine_enter(engine, IL_NEED_OPEN);
    if (status != IL_OK)
        return status;
    if (id == NULL || line == NULL)
        return il_engine_fail(engine, IL_MISUSE, "whose history, and who is told?");
    const struct instance *instance = find(engine, id);
    if (instance == NULL)
        return engine->broken == IL_OK ? IL_NOT_FOUND : engine->broken;
    struct registry *registry = engine_registry(engine->engine);
    struct telling telling = {engine, line, context};
    arena_clear(&engine->arena);
    engine->is_inside = true;
    enum status read = history_read(registry, instance, after, &engine->arena, tell, &telling);
    engine->is_inside = false;
    if (read == STATUS_OK)
        return IL_OK;
    return il_engine_fail(engine, il_status_of(read), "%s", registry->problem);
}

il_status il_engine_counts(const il_engine *engine, il_counts *counts)
{
    if (engine == NULL || engine->engine == NULL || counts == NULL)
        return IL_MISUSE;
    struct engine_view view = engine_view(engine->engine);
    *counts = (il_counts){view.working, view.timers, view.waiting, view.final};
    return IL_OK;
}
