/*
 * simulation.c - macrosteps on a virtual clock.
 */
#include "cli/simulation.h"

#include "base/ensure.h"
#include "base/json.h"
#include "base/limits.h"

/* A context that was built within the limit of a step is always smaller than this. */
enum { ARENA_BYTES = 1 << 30 };

static struct configuration decode(struct simulation *simulation)
{
    struct configuration configuration;
    enum status status =
        snapshot_read(text_span(&simulation->snapshot), text_span(&simulation->context),
                      simulation->machine, &simulation->arena, &configuration);
    ensure(status == STATUS_OK);
    return configuration;
}

/* Nothing outlives a macrostep but bytes. */
static void forget(struct simulation *simulation)
{
    arena_clear(&simulation->turn);
    arena_clear(&simulation->arena);
}

/* The configuration's values may point into the bytes it was decoded from, so those are
 * replaced only after the new ones are written. */
static void encode(struct simulation *simulation, const struct configuration *configuration)
{
    struct text snapshot;
    struct text context;
    text_init(&snapshot, NULL);
    text_init(&context, NULL);
    snapshot_write(&snapshot, configuration);
    json_write(&context, configuration->context);
    simulation->status = configuration->status;
    text_fini(&simulation->snapshot);
    text_fini(&simulation->context);
    simulation->snapshot = snapshot;
    simulation->context = context;
}

/* The elements of a list behind those that are already there. */
static void add_items(struct text *items, struct value list)
{
    for (uint32_t i = 0; i < list.count; i++) {
        if (items->size > 0)
            text_add_byte(items, ',');
        json_write(items, list.items[i]);
    }
}

static void add_outcome(struct simulation *simulation, enum outcome outcome)
{
    if (outcome == OUTCOME_FAILED || simulation->outcome == OUTCOME_IGNORED)
        simulation->outcome = outcome;
}

static void take_plan(struct simulation *simulation, const struct plan *plan)
{
    simulation->changed = simulation->changed || plan->changed;
    add_outcome(simulation, plan->outcome);
    add_items(&simulation->effects,
              describe_effects(plan, simulation->now, &simulation->arena));
    add_items(&simulation->errors, describe_errors(plan, &simulation->arena));
    encode(simulation, &plan->after);
}

/* A macrostep that needs more memory than there is never happened. */
static void take_no_space(struct simulation *simulation)
{
    add_outcome(simulation, OUTCOME_FAILED);
    if (simulation->errors.size > 0)
        text_add_byte(&simulation->errors, ',');
    text_add(&simulation->errors,
             SPAN("{\"what\":\"macrostep\",\"at\":null,"
                  "\"message\":\"the step needs more memory than a step may have\"}"));
}

static void step(struct simulation *simulation, const struct configuration *before,
                 const struct event *event)
{
    struct plan plan;
    enum status status =
        step_run(simulation->machine, before, event, simulation->now, &simulation->turn, &plan);
    if (status == STATUS_OK)
        take_plan(simulation, &plan);
    else
        take_no_space(simulation);
}

/* Before the first step there must be something to show and to send to, whatever comes. */
static void encode_nothing(struct simulation *simulation)
{
    uint64_t *active =
        arena_new_array(&simulation->arena, simulation->machine->word_count, uint64_t);
    for (uint32_t i = 0; i < simulation->machine->word_count; i++)
        active[i] = i == 0;
    struct configuration nothing = {.machine = simulation->machine,
                                    .status = INSTANCE_ERROR,
                                    .next_number = 1,
                                    .active = active,
                                    .context = value_map(NULL, 0)};
    encode(simulation, &nothing);
}

void simulation_open(struct simulation *simulation, const struct machine *machine,
                     struct value input)
{
    *simulation = (struct simulation){.machine = machine};
    arena_open(&simulation->turn, TURN_ARENA_BYTES);
    arena_open(&simulation->arena, ARENA_BYTES);
    text_init(&simulation->snapshot, NULL);
    text_init(&simulation->context, NULL);
    text_init(&simulation->effects, NULL);
    text_init(&simulation->errors, NULL);
    simulation_begin_line(simulation);
    encode_nothing(simulation);
    struct event event = {.kind = EVENT_START, .payload = input};
    step(simulation, NULL, &event);
    forget(simulation);
}

void simulation_close(struct simulation *simulation)
{
    arena_close(&simulation->turn);
    arena_close(&simulation->arena);
    text_fini(&simulation->snapshot);
    text_fini(&simulation->context);
    text_fini(&simulation->effects);
    text_fini(&simulation->errors);
}

void simulation_begin_line(struct simulation *simulation)
{
    simulation->changed = false;
    simulation->outcome = OUTCOME_IGNORED;
    text_clear(&simulation->effects);
    text_clear(&simulation->errors);
}

void simulation_send(struct simulation *simulation, const struct event *event)
{
    struct configuration before = decode(simulation);
    step(simulation, &before, event);
    forget(simulation);
}

bool simulation_find_invocation(struct simulation *simulation, struct span id, uint64_t *number)
{
    const struct machine *machine = simulation->machine;
    struct configuration configuration = decode(simulation);
    bool is_known = false;
    *number = UINT64_MAX;
    for (uint32_t i = 0; i < machine->invoke_count; i++)
        is_known = is_known || span_equal(machine->invokes[i].id, id);
    const struct invocation *active = configuration_invoked(&configuration, id);
    if (active != NULL)
        *number = active->number;
    is_known = is_known || active != NULL;
    arena_clear(&simulation->arena);
    return is_known;
}

bool simulation_advance(struct simulation *simulation, instant_ms until)
{
    for (uint32_t fired = 0; fired < SIMULATION_TIMERS_MAX; fired++) {
        struct configuration before = decode(simulation);
        const struct armed_timer *timer = configuration_next_timer(&before);
        if (timer == NULL || timer->due > until) {
            if (until != INSTANT_NEVER)
                simulation->now = until;
            forget(simulation);
            return true;
        }
        struct event event = {.kind = EVENT_TIMER, .number = timer->number};
        simulation->now = timer->due > simulation->now ? timer->due : simulation->now;
        step(simulation, &before, &event);
        forget(simulation);
    }
    return false;
}

static void add_member(struct text *text, const char *key, struct value value)
{
    text_format(text, ",\"%s\":", key);
    json_write(text, value);
}

void simulation_write_line(struct simulation *simulation, const char *outcome,
                           struct text *text)
{
    struct configuration now = decode(simulation);
    struct arena *arena = &simulation->arena;
    text_add(text, SPAN("{\"value\":"));
    json_write(text, configuration_value(&now, arena));
    text_format(text, ",\"status\":\"%s\",\"context\":", instance_status_name(now.status));
    text_add(text, text_span(&simulation->context));
    add_member(text, "tags", configuration_tags(&now, arena));
    add_member(text, "output", now.output);
    if (now.status == INSTANCE_ERROR)
        add_member(text, "error", now.error);
    text_format(text, ",\"changed\":%s,\"outcome\":\"%s\",\"effects\":[",
                simulation->changed ? "true" : "false",
                outcome == NULL ? outcome_name(simulation->outcome) : outcome);
    text_add(text, text_span(&simulation->effects));
    text_add_byte(text, ']');
    if (simulation->errors.size > 0) {
        text_add(text, SPAN(",\"errors\":["));
        text_add(text, text_span(&simulation->errors));
        text_add_byte(text, ']');
    }
    text_add_byte(text, '}');
    arena_clear(arena);
}
