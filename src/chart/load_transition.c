/*
 * load_transition.c - pass two: transitions on events, without events, after delays.
 */
#include <string.h>

#include "base/json.h"
#include "chart/loader.h"

static const struct key_rule transition_keys[] = {
    {"target", true},      {"guard", true},    {"assign", true},  {"reenter", true},
    {"description", true}, {"meta", true},     {"actions", true}, {"context", true},
    {"when", true},        {"internal", true}, {"event", true},   {"cond", false},
    {"raise", false},      {"cancel", false},  {"emit", false},   {"log", false},
    {"send", false},       {"to", false},      {"input", false},
};

static bool load_flag(struct loader *loader, const struct node *map, const char *key)
{
    const struct node *node = node_find(map, span_from_text(key));
    if (node == NULL)
        return false;
    if (node->kind == NODE_SCALAR && node->scalar.kind == VALUE_BOOL)
        return node->scalar.boolean;
    loader_error(loader, "IL0104", node->place, "`%s` must be true or false", key);
    return false;
}

static uint32_t add_transition(struct loader *loader,
                               const struct machine_transition *transition)
{
    if (loader->transition_count >= TRANSITIONS_MAX) {
        if (loader->transition_count == TRANSITIONS_MAX)
            loader_error(loader, "IL0108", transition->place, "more than %d transitions",
                         TRANSITIONS_MAX);
        return NO_INDEX;
    }
    loader_reserve(loader, loader->transitions, loader->transition_count,
                   loader->transition_capacity);
    loader->transitions[loader->transition_count] = *transition;
    return loader->transition_count++;
}

static struct machine_transition transition_of(uint32_t source, uint32_t event,
                                               struct place place)
{
    return (struct machine_transition){.source = source,
                                       .event = event,
                                       .wildcard = event == EVENT_ID_OTHER,
                                       .target = NO_STATE,
                                       .domain = NO_STATE,
                                       .guard = NO_INDEX,
                                       .place = place};
}

static void set_targets(struct loader *loader, struct machine_transition *transition,
                        struct range targets)
{
    transition->targets = targets;
    transition->target = targets.count == 0 ? NO_STATE : loader->targets[targets.first];
}

uint32_t load_default_transition(struct loader *loader, uint32_t source, struct range targets,
                                 struct range actions, struct place place)
{
    struct machine_transition transition = transition_of(source, NO_INDEX, place);
    set_targets(loader, &transition, targets);
    transition.actions = actions;
    return add_transition(loader, &transition);
}

static bool load_target(struct loader *loader, const struct node *node,
                        struct machine_transition *transition)
{
    struct range targets;
    bool together = true;
    if (!load_may_target(loader, node))
        return false;
    bool fine = load_targets(loader, transition->source, node, &targets, &together);
    if (!together) {
        targets.count = 1;
        transition->is_broken = true;
    }
    set_targets(loader, transition, targets);
    return fine;
}

static bool is_nothing(const struct node *node)
{
    return node == NULL || (node->kind == NODE_SCALAR && node->scalar.kind == VALUE_NULL);
}

static void load_transition_map(struct loader *loader, struct machine_transition *transition,
                                const struct node *map)
{
    const struct node *target = node_find(map, SPAN("target"));
    const struct node *guard = node_find(map, SPAN("guard"));
    loader_check_keys(loader, map, transition_keys,
                      sizeof transition_keys / sizeof transition_keys[0], "a transition");
    bool is_resolved = is_nothing(target) || load_target(loader, target, transition);
    transition->reenter = load_flag(loader, map, "reenter");
    transition->is_internal = load_flag(loader, map, "internal");
    transition->guard =
        load_guard(loader, guard != NULL ? guard : node_find(map, SPAN("when")));
    transition->actions = load_transition_actions(loader, map, &transition->assigns);
    if (is_resolved)
        add_transition(loader, transition);
}

void load_transition(struct loader *loader, uint32_t source, uint32_t event,
                     const struct node *node)
{
    struct machine_transition transition = transition_of(source, event, node->place);
    if (node->kind == NODE_LIST) {
        for (uint32_t i = 0; i < node->count; i++)
            load_transition(loader, source, event, node->items[i]);
    } else if (node->kind == NODE_MAP) {
        load_transition_map(loader, &transition, node);
    } else if (node_is_string(node)) {
        if (load_target(loader, node, &transition))
            add_transition(loader, &transition);
    } else {
        struct diagnostic *error = loader_error(
            loader, "IL0104", node->place, "a transition must be a target or a map, not %s",
            node_kind_name(node));
        diagnostic_help(loader->diagnostics, error, "write `{}` to forbid the event here");
    }
}

/* A wildcard stands alone or at the end: `*`, `order.*`. */
static void check_descriptor(struct loader *loader, struct span descriptor, struct place place)
{
    size_t star = span_find(descriptor, SPAN("*"), 0);
    if (star == SIZE_MAX)
        return;
    bool is_last =
        star == descriptor.size - 1 && (star == 0 || descriptor.text[star - 1] == '.');
    if (is_last)
        return;
    struct diagnostic *warning = loader_warning(
        loader, "IL0104", place, "`%.*s`: the star stands for nothing but itself here",
        SPAN_ARGS(descriptor));
    diagnostic_help(loader->diagnostics, warning,
                    "a wildcard stands at the end, behind a dot: `order.*`");
}

static void load_on_map(struct loader *loader, uint32_t state, const struct node *on)
{
    for (uint32_t i = 0; i < on->count; i++) {
        const struct node_entry *entry = &on->entries[i];
        check_descriptor(loader, entry->key, entry->place);
        uint32_t event = span_is(entry->key, "*")
                             ? EVENT_ID_OTHER
                             : loader_event(loader, entry->key, entry->place);
        load_transition(loader, state, event, entry->value);
    }
}

/* SCXML: `a` also stands for `a.b`, as `a.*` does. */
static uint32_t scxml_event(struct loader *loader, struct span descriptor, struct place place)
{
    if (span_is(descriptor, "*"))
        return EVENT_ID_OTHER;
    if (span_ends_with(descriptor, SPAN(".*")))
        return loader_event(loader, descriptor, place);
    if (span_ends_with(descriptor, SPAN(".")))
        descriptor = span_slice(descriptor, 0, descriptor.size - 1);
    return loader_event(loader, text_print(loader->arena, "%.*s.*", SPAN_ARGS(descriptor)),
                        place);
}

/* One for each of its events: all of them share place, actions and order. */
static void load_described(struct loader *loader, uint32_t state, const struct node *map)
{
    struct span events;
    if (node_find(map, SPAN("event")) == NULL) {
        load_transition(loader, state, EVENT_ID_NONE, map);
        return;
    }
    if (!loader_string(loader, map, "event", &events))
        return;
    uint32_t first = loader->transition_count;
    load_transition(loader, state, EVENT_ID_OTHER, map);
    if (loader->transition_count == first)
        return;
    struct machine_transition whole = loader->transitions[--loader->transition_count];
    for (size_t at = 0; at < events.size;) {
        size_t space = span_find(events, SPAN(" "), at);
        size_t end = space == SIZE_MAX ? events.size : space;
        if (end > at) {
            whole.event = scxml_event(loader, span_slice(events, at, end), map->place);
            whole.wildcard = whole.event == EVENT_ID_OTHER;
            add_transition(loader, &whole);
        }
        at = end + 1;
    }
}

static void load_on(struct loader *loader, uint32_t state, const struct node *on)
{
    bool is_list = on->kind == NODE_LIST && loader->machine.semantics == SEMANTICS_SCXML;
    if (on->kind == NODE_MAP) {
        load_on_map(loader, state, on);
    } else if (!is_list) {
        loader_error(loader, "IL0104", on->place, "`on` must be a map, not %s",
                     node_kind_name(on));
    }
    for (uint32_t i = 0; is_list && i < on->count; i++)
        load_described(loader, state, on->items[i]);
}

#define DURATION_HELP "write 250ms, 30s, 5m, 24h or PT30S, or the name of one under `delays`"

static const struct expr_slot *find_delay(const struct loader *loader, struct span name)
{
    uint32_t declared = load_names_find(&loader->delay_names, name);
    return declared == UINT32_MAX ? NULL : loader->delays[declared];
}

static bool is_digits(struct span text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.text[i] < '0' || text.text[i] > '9')
            return false;
    }
    return text.size > 0;
}

static void refuse_delay(struct loader *loader, struct value delay, struct place place)
{
    struct text text;
    text_init(&text, loader->arena);
    json_write(&text, delay);
    struct diagnostic *error = loader_error(loader, "IL0104", place, "`%.*s` is not a duration",
                                            SPAN_ARGS(text_span(&text)));
    diagnostic_help(loader->diagnostics, error, DURATION_HELP);
}

bool load_check_delay(struct loader *loader, const struct expr_slot *slot, struct place place)
{
    static const struct expr_frame none = {0};
    duration_ms delay_ms;
    if (loader->machine.semantics == SEMANTICS_SCXML || !expr_slot_is_literal(slot))
        return true;
    struct value delay = expr_slot_run(slot, &none, loader->arena);
    bool fits =
        (delay.kind == VALUE_INT && delay.integer >= 0) ||
        (delay.kind == VALUE_DOUBLE && delay.real >= 0 && delay.real < 9e15) ||
        (delay.kind == VALUE_STRING && time_read_duration(value_span(delay), &delay_ms));
    if (!fits)
        refuse_delay(loader, delay, place);
    return fits;
}

bool load_delay(struct loader *loader, struct span text, const struct node *node,
                struct place place, duration_ms *delay_ms, const struct expr_slot **slot)
{
    *delay_ms = 0;
    *slot = find_delay(loader, text);
    if (*slot != NULL)
        return true;
    if (is_digits(text) && text.size < 16) {
        for (size_t i = 0; i < text.size; i++)
            *delay_ms = *delay_ms * 10 + (text.text[i] - '0');
        return true;
    }
    if (time_read_duration(text, delay_ms))
        return true;
    if (node != NULL) {
        *slot = loader_slot(loader, node);
        return *slot != NULL && load_check_delay(loader, *slot, place);
    }
    struct diagnostic *error =
        loader_error(loader, "IL0104", place, "`%.*s` is not a duration", SPAN_ARGS(text));
    diagnostic_help(loader->diagnostics, error, DURATION_HELP);
    return false;
}

uint32_t load_timer(struct loader *loader, struct machine_timer timer)
{
    loader_reserve(loader, loader->timers, loader->timer_count, loader->timer_capacity);
    loader->timers[loader->timer_count] = timer;
    return loader->timer_count++;
}

/* An expression as a key: `after: {"${context.wait}": …}`. */
static const struct node *key_node(struct loader *loader, const struct node_entry *entry)
{
    if (span_find(entry->key, SPAN("${"), 0) == SIZE_MAX)
        return NULL;
    struct node *node = arena_new(loader->arena, struct node);
    *node = (struct node){
        .kind = NODE_SCALAR, .place = entry->place, .scalar = value_string(entry->key)};
    return node;
}

static void load_after(struct loader *loader, uint32_t state, const struct node_entry *entry)
{
    struct machine_timer timer = {.state = state, .invoke = NO_INDEX, .place = entry->place};
    if (!load_delay(loader, entry->key, key_node(loader, entry), entry->place, &timer.delay_ms,
                    &timer.delay))
        return;
    timer.name = text_print(loader->arena, "after.%.*s.%.*s", SPAN_ARGS(entry->key),
                            SPAN_ARGS(loader->states[state].id));
    timer.event = loader_event(loader, timer.name, entry->place);
    load_timer(loader, timer);
    load_transition(loader, state, timer.event, entry->value);
}

/* Version 6: `timeout` and `onTimeout` of a state are an `after` of it. */
static void load_timeout(struct loader *loader, uint32_t state)
{
    const struct node *node = loader->state_nodes[state];
    const struct node *timeout = node_find(node, SPAN("timeout"));
    const struct node *then = node_find(node, SPAN("onTimeout"));
    if (timeout == NULL && then == NULL)
        return;
    if (timeout == NULL || then == NULL) {
        loader_error(loader, "IL0103", (timeout == NULL ? then : timeout)->place,
                     "`timeout` and `onTimeout` belong together");
        return;
    }
    struct machine_timer timer = {.state = state, .invoke = NO_INDEX, .place = timeout->place};
    struct text text;
    text_init(&text, loader->arena);
    if (node_is_string(timeout))
        text_add(&text, node_text(timeout));
    else if (timeout->kind == NODE_SCALAR && timeout->scalar.kind == VALUE_INT)
        text_format(&text, "%lld", (long long)timeout->scalar.integer);
    if (!load_delay(loader, text_span(&text), timeout, timeout->place, &timer.delay_ms,
                    &timer.delay))
        return;
    timer.name = text_print(loader->arena, "timeout.%.*s", SPAN_ARGS(loader->states[state].id));
    timer.event = loader_event(loader, timer.name, timeout->place);
    load_timer(loader, timer);
    load_transition(loader, state, timer.event, then);
}

static void load_done(struct loader *loader, uint32_t state)
{
    const struct node *done = node_find(loader->state_nodes[state], SPAN("onDone"));
    enum state_type type = loader->states[state].type;
    bool has_children = type == STATE_COMPOUND || type == STATE_PARALLEL;
    if (done == NULL || type == STATE_FINAL)
        return;
    if (has_children && state == 0)
        loader_warning(loader, "IL0104", done->place,
                       "`onDone` of the machine is never taken: then it has ended");
    else if (!has_children)
        loader_error(loader, "IL0104", done->place,
                     "`onDone` belongs to states with states inside, or under `invoke`");
    else
        load_transition(loader, state, loader->states[state].done_event, done);
}

/* Version 6: a state with a `route` is reached by the event `xstate.route` that names it. */
static void load_routes(struct loader *loader)
{
    for (uint32_t state = 1; state < loader->state_count; state++) {
        const struct node *route = node_find(loader->state_nodes[state], SPAN("route"));
        if (route == NULL)
            continue;
        struct machine_transition transition = transition_of(
            0, loader_event(loader, SPAN("xstate.route"), route->place), route->place);
        struct span id = loader->states[state].id;
        transition.guard = load_guard_text(
            loader, text_print(loader->arena, "event.to == '#%.*s'", SPAN_ARGS(id)),
            route->place);
        loader_reserve(loader, loader->targets, loader->target_count, loader->target_capacity);
        set_targets(loader, &transition, (struct range){loader->target_count, 1});
        loader->targets[loader->target_count++] = state;
        transition.target = state;
        add_transition(loader, &transition);
    }
}

/* A choice is left at once: its branches are eventless transitions. */
static void load_eventless(struct loader *loader, uint32_t state)
{
    const struct node *node = loader->state_nodes[state];
    const struct node *always = node_find(node, SPAN("always"));
    const struct node *choice = node_find(node, SPAN("choice"));
    if (always != NULL)
        load_transition(loader, state, EVENT_ID_NONE, always);
    if (choice != NULL && state > 0)
        load_transition(loader, state, EVENT_ID_NONE, choice);
}

void load_transitions(struct loader *loader, uint32_t state)
{
    const struct node *node = loader->state_nodes[state];
    const struct node *on = node_find(node, SPAN("on"));
    const struct node *after = loader_map(loader, node, "after");
    const struct node *error = node_find(node, SPAN("onError"));
    loader->states[state].entry = load_actions(loader, node_find(node, SPAN("entry")));
    loader->states[state].exit = load_actions(loader, node_find(node, SPAN("exit")));
    if (on != NULL)
        load_on(loader, state, on);
    if (state == 0)
        load_routes(loader);
    loader->states[state].timers.first = loader->timer_count;
    for (uint32_t i = 0; after != NULL && i < after->count; i++)
        load_after(loader, state, &after->entries[i]);
    load_timeout(loader, state);
    loader->states[state].timers.count =
        loader->timer_count - loader->states[state].timers.first;
    load_eventless(loader, state);
    if (error != NULL)
        load_transition(loader, state, loader_event(loader, SPAN("error.*"), error->place),
                        error);
    load_done(loader, state);
}
