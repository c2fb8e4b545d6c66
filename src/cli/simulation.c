/*
 * simulation.c - what a family does, as the lines of `step`.
 */
#include "cli/simulation.h"

#include "base/json.h"
#include "base/limits.h"
#include "cli/document.h"

/* A context that was built within the limit of a step is always smaller than this. */
enum { ARENA_BYTES = 1 << 30 };

/* A machine that never comes to rest does a lot before it is stopped: nobody reads all that. */
static void add_item(struct simulation_list *list, struct value item)
{
    bool has_room =
        list->told < SIMULATION_ITEMS_MAX && list->items.size < SIMULATION_BYTES_MAX;
    list->count++;
    if (!has_room)
        return;
    if (list->told++ > 0)
        text_add_byte(&list->items, ',');
    json_write(&list->items, item);
}

static void add_items(struct simulation_list *list, struct value items)
{
    for (uint32_t i = 0; i < items.count; i++)
        add_item(list, items.items[i]);
}

static void init_list(struct simulation_list *list)
{
    *list = (struct simulation_list){0};
    text_init(&list->items, NULL);
}

static void clear_list(struct simulation_list *list)
{
    text_clear(&list->items);
    list->told = 0;
    list->count = 0;
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
    const struct value_entry error[] = {
        {value_string(SPAN("what")), value_string(SPAN("macrostep"))},
        {value_string(SPAN("at")), value_null()},
        {value_string(SPAN("message")),
         value_string(SPAN("the step needs more memory than a step may have"))},
    };
    add_outcome(simulation, OUTCOME_FAILED);
    add_item(&simulation->errors, value_map(error, sizeof error / sizeof error[0]));
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
    init_list(&simulation->effects);
    init_list(&simulation->errors);
    init_list(&simulation->via);
    simulation_begin_line(simulation);
    simulation->is_endless = !family_open(&simulation->family, machine, &host, input);
}

void simulation_close(struct simulation *simulation)
{
    family_close(&simulation->family);
    arena_close(&simulation->arena);
    text_fini(&simulation->effects.items);
    text_fini(&simulation->errors.items);
    text_fini(&simulation->via.items);
}

void simulation_begin_line(struct simulation *simulation)
{
    simulation->changed = false;
    simulation->is_endless = false;
    simulation->outcome = OUTCOME_IGNORED;
    clear_list(&simulation->effects);
    clear_list(&simulation->errors);
    clear_list(&simulation->via);
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

static void add_list(struct text *text, const char *key, const struct simulation_list *list)
{
    text_format(text, ",\"%s\":[", key);
    text_add(text, text_span(&list->items));
    text_add_byte(text, ']');
}

/* Whether the validator of the state holds, and what was passed on the way to it. */
static void add_derived(struct simulation *simulation, const struct configuration *now,
                        struct text *text)
{
    struct value explained = derived_state_explain(now, &simulation->arena);
    add_member(text, "holds", value_member(explained, SPAN("holds")));
    add_list(text, "via", &simulation->via);
}

/* How many of each list are not told; nothing when all are. */
static void add_left_out(struct simulation *simulation, struct text *text)
{
    const struct simulation_list *lists[] = {&simulation->effects, &simulation->errors,
                                             &simulation->via};
    static const struct span names[] = {SPAN_INIT("effects"), SPAN_INIT("errors"),
                                        SPAN_INIT("via")};
    struct value left_out = value_map(NULL, 0);
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        uint64_t count = lists[i]->count - lists[i]->told;
        if (count > 0)
            left_out =
                value_with(&simulation->arena, left_out, names[i], value_int((int64_t)count));
    }
    if (left_out.count > 0)
        add_member(text, "left_out", left_out);
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
    text_format(text, ",\"changed\":%s,\"outcome\":\"%s\"",
                simulation->changed ? "true" : "false",
                outcome == NULL ? outcome_name(simulation->outcome) : outcome);
    add_list(text, "effects", &simulation->effects);
    if (simulation->errors.count > 0)
        add_list(text, "errors", &simulation->errors);
    add_left_out(simulation, text);
    text_add_byte(text, '}');
    arena_clear(arena);
}
