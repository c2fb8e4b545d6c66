/*
 * storm_sim_engine.c - the arm `interlock` in virtual time: the engine that ships, on a
 * virtual loop, a store in memory, and a strategy that asks the simulated services.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/memory.h"
#include "engine/engine.h"
#include "storm_sim.h"
#include "storm_virtual_os.h"
#include "wire/wire.h"

/* The strategy: takes the place of http, and reads the service from the end of its url. */

struct attempt {
    struct storm_sim *sim;
    struct storm_sim_call *call;
    uint32_t turn;
    bool is_over;
    attempt_done *done;
    void *context;
    struct attempt *next; /* of all, released at the end */
};

struct simulated {
    struct strategy base;
    struct attempt *attempts;
};

static struct storm_sim *simulation; /* strategies are opened without a context */

static const char *const no_keys[] = {NULL};

static const void *parse(const struct node *settings, const struct node *step,
                         const char *folder, struct arena *arena,
                         struct diagnostics *diagnostics)
{
    (void)step;
    (void)folder;
    (void)diagnostics;
    struct span url = node_text(node_find(settings, SPAN("url")));
    size_t end = url.size;
    while (end > 0 && url.text[end - 1] != '/')
        end--;
    char name[32] = "";
    enum storm_service *service = arena_get(arena, sizeof *service);
    snprintf(name, sizeof name, "%.*s", SPAN_ARGS(span_slice(url, end, url.size)));
    ensure(storm_service_find(name, service));
    return service;
}

static void finish(struct attempt *attempt, enum error_kind kind, int status)
{
    struct attempt_result result = {.done = status == 200,
                                    .kind = kind,
                                    .code = status,
                                    .message = SPAN("as the storm says"),
                                    .output = SPAN("null"),
                                    .retry_after_ms = -1};
    attempt->is_over = true;
    attempt->turn++;
    attempt->done(attempt->context, &result);
}

static void told(void *context, enum storm_outcome outcome)
{
    struct attempt *attempt = context;
    int status = storm_outcome_status(outcome);
    attempt->call = NULL;
    if (status != 0) /* else it hears of it by its timeout */
        finish(attempt, status < 500 ? ERROR_KIND_REJECTED : ERROR_KIND_UNAVAILABLE, status);
}

static void time_out(void *context, uint32_t turn)
{
    struct attempt *attempt = context;
    if (attempt->turn != turn)
        return;
    storm_sim_forget(attempt->call);
    finish(attempt, ERROR_KIND_TIMEOUT, 0);
}

static uint32_t order_of(struct span id)
{
    char digits[16] = "";
    snprintf(digits, sizeof digits, "%.*s", SPAN_ARGS(id));
    return (uint32_t)strtoul(digits, NULL, 10);
}

static struct attempt *start(struct strategy *strategy, const void *settings,
                             const struct attempt_request *request, attempt_done *done,
                             void *context)
{
    struct simulated *simulated = (struct simulated *)strategy;
    struct attempt *attempt = memory_get(sizeof *attempt);
    const enum storm_service *service = settings;
    *attempt = (struct attempt){
        .sim = simulation, .done = done, .context = context, .next = simulated->attempts};
    simulated->attempts = attempt;
    attempt->call = storm_sim_ask(simulation, *service, order_of(request->instance),
                                  hash_text(request->key) | 1, told, attempt);
    storm_agenda_add(&simulation->agenda, simulation->now + request->timeout_ms * 1000,
                     time_out, attempt, attempt->turn);
    return attempt;
}

static void cancel(struct strategy *strategy, struct attempt *attempt)
{
    (void)strategy;
    if (attempt->is_over)
        return;
    attempt->is_over = true;
    attempt->turn++;
    storm_sim_forget(attempt->call);
}

static void close_strategy(struct strategy *strategy)
{
    struct simulated *simulated = (struct simulated *)strategy;
    while (simulated->attempts != NULL) {
        struct attempt *next = simulated->attempts->next;
        memory_release(simulated->attempts);
        simulated->attempts = next;
    }
    memory_release(simulated);
}

static const struct strategy_ops ops = {start, cancel, close_strategy};

static struct strategy *open_strategy(const struct strategy_type *type, struct loop *loop)
{
    (void)type;
    (void)loop;
    struct simulated *simulated = memory_get(sizeof *simulated);
    simulated->base.ops = &ops;
    return &simulated->base;
}

static const struct strategy_type strategy_simulated = {"http", no_keys, parse, open_strategy};
static const struct strategy_type *const all_types[] = {&strategy_simulated};
static const struct strategy_types types = {all_types, 1, NULL};

/* The engine */

struct engine_host {
    struct storm_sim *sim;
    struct engine *engine;
    size_t arrived;
};

static void rested(void *context, const struct instance *instance, enum instance_rest rest)
{
    struct engine_host *host = context;
    uint32_t order = order_of(instance_id(instance));
    if (rest == REST_FINAL)
        storm_sim_end_order(host->sim, order, host->sim->arrivals.at[order],
                            !waiting_has_tag(instance, SPAN("failure")));
}

static void broken(void *context, enum status status, const char *problem)
{
    (void)context;
    fprintf(stderr, "storm_sim: the engine broke: %s: %s\n", status_text(status), problem);
    exit(EXIT_FAILURE);
}

static void arrive(void *context, uint32_t turn)
{
    struct engine_host *host = context;
    struct storm_sim *sim = host->sim;
    char id[16];
    char input[32];
    (void)turn;
    snprintf(id, sizeof id, "%06zu", host->arrived);
    snprintf(input, sizeof input, "{\"id\":\"%s\"}", id);
    engine_start(host->engine,
                 &(struct engine_start){.machine = SPAN("storm-order"),
                                        .id = span_from_text(id),
                                        .input = span_from_text(input)},
                 NULL, NULL);
    host->arrived++;
    sim->open++;
    if (host->arrived < sim->arrivals.count)
        storm_agenda_add(&sim->agenda, sim->arrivals.at[host->arrived], arrive, host, 0);
}

static const struct definition *read_definition(const char *path, struct arena *arena)
{
    struct text content;
    const char *problem = NULL;
    struct diagnostics diagnostics;
    const struct definition *definition = NULL;
    text_init(&content, arena);
    diagnostics_init(&diagnostics, arena);
    if (file_read(path, DEFINITION_BYTES_MAX, &content, &problem) == STATUS_OK) {
        const struct node *root = wire_read_definition(
            text_span(&content), span_from_text(path), arena, &diagnostics);
        if (root != NULL)
            definition = definition_read(root, NULL, "/", types, arena, &diagnostics);
    }
    if (definition == NULL) {
        fprintf(stderr, "storm_sim: %s: %.*s\n", path,
                diagnostics.first == NULL ? 14 : (int)diagnostics.first->message.size,
                diagnostics.first == NULL ? "cannot be read" : diagnostics.first->message.text);
        exit(EXIT_FAILURE);
    }
    return definition;
}

static void run(struct engine_host *host, moment_us until)
{
    struct storm_sim *sim = host->sim;
    storm_virtual_os_round();
    if (sim->arrivals.count > 0)
        storm_agenda_add(&sim->agenda, sim->arrivals.at[0], arrive, host, 0);
    while ((host->arrived < sim->arrivals.count || sim->open > 0) && storm_sim_step(sim, until))
        storm_virtual_os_round();
}

void storm_sim_run_engine(struct storm_sim *sim, const char *definition_path, moment_us until)
{
    char problem[512];
    struct arena arena;
    struct engine_host host = {.sim = sim};
    arena_open(&arena, DEFINITION_ARENA_BYTES);
    simulation = sim;
    storm_virtual_os_begin(sim);
    struct store *store = store_memory_open(&engine_schema);
    struct engine_options engine_options = {.loop = loop_open(),
                                            .store = store,
                                            .types = types,
                                            .rested = rested,
                                            .broken = broken,
                                            .context = &host};
    if (engine_open(&engine_options, &host.engine, problem) != STATUS_OK)
        broken(NULL, STATUS_UNKNOWN, problem);
    engine_deploy(host.engine, read_definition(definition_path, &arena), NULL, NULL);
    run(&host, until);
    engine_close(host.engine);
    store_close(store);
    storm_virtual_os_end();
    arena_close(&arena);
}
