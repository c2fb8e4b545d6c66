/*
 * simulation.c - what a family does, as the lines of `step`.
 */
#include "cli/simulation.h"

#include "base/json.h"
#include "base/limits.h"
#include "cli/document.h"

/* A context that was built within the limit of a step is always smaller than this. */
enum { ARENA_BYTES = 1 << 30 };

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

static void take_plan(struct simulation *simulation, const struct plan *plan, instant_ms now)
{
    simulation->changed = simulation->changed || plan->changed;
    add_outcome(simulation, plan->outcome);
    add_items(&simulation->effects, describe_effects(plan, now, &simulation->arena));
    add_items(&simulation->errors, describe_errors(plan, &simulation->arena));
    add_items(&simulation->via, describe_via(plan, &simulation->arena));
    arena_clear(&simulation->arena);
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

static void observe(void *context, const struct plan *plan, instant_ms now)
{
    if (plan == NULL)
        take_no_space(context);
    else
        take_plan(context, plan, now);
}

void simulation_open(struct simulation *simulation, const struct machine *machine,
                     struct value input)
{
    struct family_host host = {document_find, observe, simulation};
    *simulation = (struct simulation){.machine = machine};
    arena_open(&simulation->arena, ARENA_BYTES);
    text_init(&simulation->effects, NULL);
    text_init(&simulation->errors, NULL);
    text_init(&simulation->via, NULL);
    simulation_begin_line(simulation);
    simulation->is_endless = !family_open(&simulation->family, machine, &host, input);
}

void simulation_close(struct simulation *simulation)
{
    family_close(&simulation->family);
    arena_close(&simulation->arena);
    text_fini(&simulation->effects);
    text_fini(&simulation->errors);
    text_fini(&simulation->via);
}

void simulation_begin_line(struct simulation *simulation)
{
    simulation->changed = false;
    simulation->is_endless = false;
    simulation->outcome = OUTCOME_IGNORED;
    text_clear(&simulation->effects);
    text_clear(&simulation->errors);
    text_clear(&simulation->via);
}

void simulation_send(struct simulation *simulation, const struct event *event)
{
    simulation->is_endless = !family_send(&simulation->family, event);
}

bool simulation_find_invocation(struct simulation *simulation, struct span id, uint64_t *number)
{
    const struct machine *machine = simulation->machine;
    struct configuration configuration = family_first(&simulation->family, &simulation->arena);
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

void simulation_advance(struct simulation *simulation, instant_ms until)
{
    simulation->is_endless = !family_advance(&simulation->family, until);
}

static void add_member(struct text *text, const char *key, struct value value)
{
    text_format(text, ",\"%s\":", key);
    json_write(text, value);
}

/* Whether the validator of the state holds, and what was passed on the way to it. */
static void add_derived(struct simulation *simulation, const struct configuration *now,
                        struct text *text)
{
    struct value explained = derived_state_explain(now, &simulation->arena);
    add_member(text, "holds", value_member(explained, SPAN("holds")));
    text_add(text, SPAN(",\"via\":["));
    text_add(text, text_span(&simulation->via));
    text_add_byte(text, ']');
}

void simulation_write_line(struct simulation *simulation, const char *outcome,
                           struct text *text)
{
    struct arena *arena = &simulation->arena;
    struct configuration now = family_first(&simulation->family, arena);
    text_add(text, SPAN("{\"value\":"));
    json_write(text, configuration_value(&now, arena));
    text_format(text, ",\"status\":\"%s\",\"context\":", instance_status_name(now.status));
    json_write(text, now.context);
    add_member(text, "tags", configuration_tags(&now, arena));
    add_member(text, "output", now.output);
    if (now.status == INSTANCE_ERROR)
        add_member(text, "error", now.error);
    if (now.machine->derivation != NULL)
        add_derived(simulation, &now, text);
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
