/*
 * il_engine.c - an engine in somebody else's program: open, run, stop, close.
 *
 * The engine lives on a loop of its own, which runs only within calls of the library. So
 * everything of ours, and every function of the caller's, happens on the caller's thread at a
 * moment he knows.
 */
#include "embed/il_engine.h"

#include "base/limits.h"
#include "embed/il_status.h"

enum {
    SAMPLE = 16, /* instances replayed at the opening */
    LOOK_ARENA_BYTES = 1 << 30,
};

il_status il_engine_fail(il_engine *engine, il_status status, const char *format, ...)
{
    va_list arguments;
    text_clear(&engine->problem);
    va_start(arguments, format);
    text_format_list(&engine->problem, format, arguments);
    va_end(arguments);
    return status;
}

il_status il_engine_enter(il_engine *engine, enum il_need need)
{
    if (engine == NULL)
        return IL_MISUSE;
    if (engine->is_inside && need != IL_NEED_WORKING)
        return IL_MISUSE; /* and the problem of the call around it stays */
    if (need == IL_NEED_NEW && engine->was_tried)
        return il_engine_fail(engine, IL_MISUSE, "the engine was opened before");
    if (need != IL_NEED_NEW && engine->engine == NULL)
        return il_engine_fail(engine, IL_MISUSE, "the engine is not open");
    if (engine->broken != IL_OK)
        return engine->broken;
    if (!engine->is_inside)
        text_clear(&engine->problem);
    return IL_OK;
}

const char *il_engine_problem(const il_engine *engine)
{
    return engine == NULL || engine->problem.size == 0 ? "" : engine->problem.bytes;
}

/* Whether what il_engine_run() was asked for holds, on disk too. */
static bool holds(const il_engine *engine)
{
    struct engine_view view = engine_view(engine->engine);
    if (engine->until == IL_UNTIL_STOP || view.working > 0 || view.inbox > 0 ||
        engine->asks != NULL || view.durable_lsn < view.lsn)
        return false;
    return engine->until == IL_UNTIL_REST || view.timers == 0;
}

static bool is_over(const il_engine *engine)
{
    return atomic_load(&engine->stop) || engine->is_time_over || engine->broken != IL_OK ||
           holds(engine);
}

static void on_round(void *context)
{
    il_engine *engine = context;
    if (engine->is_running && is_over(engine))
        loop_stop(engine->loop);
}

static void on_time_over(void *context)
{
    il_engine *engine = context;
    engine->is_time_over = true;
}

/* The round that follows looks at the flag. */
static void on_wake(void *context)
{
    (void)context;
}

static void on_broken(void *context, enum status status, const char *problem)
{
    il_engine *engine = context;
    engine->broken = il_engine_fail(engine, il_status_of(status), "%s", problem);
    loop_stop(engine->loop);
}

il_engine *il_engine_new(void)
{
    il_engine *engine = memory_get(sizeof *engine);
    engine->loop = loop_open();
    engine->wake = loop_wake_open(engine->loop, on_wake, engine);
    engine->round = loop_round_open(engine->loop, on_round, engine);
    engine->timer = loop_timer_open(engine->loop, on_time_over, engine);
    il_engine_init_calls(engine);
    engine->types[0] = &strategy_http;
    engine->types[1] = &strategy_exec;
    engine->types[2] = &engine->call.type;
    arena_open(&engine->arena, LOOK_ARENA_BYTES);
    arena_open(&engine->call_arena, LOOK_ARENA_BYTES);
    return engine;
}

static il_status open_engine(il_engine *engine)
{
    char problem[STORE_PROBLEM_BYTES];
    struct engine_options options = {
        .loop = engine->loop,
        .store = engine->store,
        .types = {engine->types, sizeof engine->types / sizeof engine->types[0], NULL},
        .broken = on_broken,
        .context = engine,
        .sample = SAMPLE,
    };
    enum status status = engine_open(&options, &engine->engine, problem);
    if (status == STATUS_OK)
        return IL_OK;
    return il_engine_fail(engine, il_status_of(status), "%s", problem);
}

il_status il_engine_open(il_engine *engine, const char *path)
{
    char problem[STORE_PROBLEM_BYTES];
    il_status entered = il_engine_enter(engine, IL_NEED_NEW);
    if (entered != IL_OK)
        return entered;
    if (path == NULL)
        return il_engine_fail(engine, IL_MISUSE, "a database needs a path");
    struct store_sqlite_options options = {.path = path, .access = STORE_CREATE};
    engine->was_tried = true;
    enum status status = store_sqlite_open(&options, &engine_schema, &engine->store, problem);
    if (status != STATUS_OK)
        return il_engine_fail(engine, il_status_of(status), "%s", problem);
    return open_engine(engine);
}

void il_engine_turn_loop(il_engine *engine)
{
    engine->is_inside = true;
    loop_run_once(engine->loop, true);
    engine->is_inside = false;
}

static il_status how_it_ended(il_engine *engine)
{
    if (engine->broken != IL_OK)
        return engine->broken;
    if (atomic_exchange(&engine->stop, false))
        return IL_STOPPED;
    return holds(engine) ? IL_OK : IL_TIME_OVER;
}

il_status il_engine_run(il_engine *engine, il_until until, int64_t at_most_ms)
{
    il_status entered = il_engine_enter(engine, IL_NEED_OPEN);
    if (entered != IL_OK)
        return entered;
    engine->until = until;
    engine->is_time_over = false;
    if (at_most_ms >= 0)
        loop_timer_start(engine->timer, at_most_ms);
    engine->is_inside = true;
    loop_run_once(engine->loop, false); /* what is due already is not awaited */
    engine->is_running = true;
    if (!is_over(engine))
        loop_run(engine->loop);
    engine->is_running = false;
    engine->is_inside = false;
    loop_timer_stop(engine->timer);
    return how_it_ended(engine);
}

void il_engine_stop(il_engine *engine)
{
    if (engine == NULL)
        return;
    atomic_store(&engine->stop, true);
    loop_wake_send(engine->wake);
}

static void on_stopped(void *context)
{
    bool *is_stopped = context;
    *is_stopped = true;
}

static void stop_engine(il_engine *engine, int64_t grace_ms)
{
    bool is_stopped = false;
    engine_stop(engine->engine, grace_ms < 0 ? 0 : grace_ms, on_stopped, &is_stopped);
    while (!is_stopped && engine->broken == IL_OK)
        loop_run_once(engine->loop, true);
}

static void close_parts(il_engine *engine)
{
    loop_wake_close(engine->wake);
    loop_round_close(engine->round);
    loop_timer_close(engine->timer);
    loop_close(engine->loop);
    store_close(engine->store);
    il_engine_forget_functions(engine);
    text_fini(&engine->problem);
    text_fini(&engine->shown);
    text_fini(&engine->line);
    arena_close(&engine->arena);
    arena_close(&engine->call_arena);
    memory_release(engine);
}

il_status il_engine_close(il_engine *engine, int64_t grace_ms)
{
    if (engine == NULL)
        return IL_OK;
    if (engine->is_inside)
        return IL_MISUSE;
    engine->is_inside = true;
    if (engine->engine != NULL && engine->broken == IL_OK)
        stop_engine(engine, grace_ms);
    il_status status = engine->broken;
    il_engine_drop_asks(engine);
    if (engine->engine != NULL)
        engine_close(engine->engine);
    close_parts(engine);
    return status;
}
