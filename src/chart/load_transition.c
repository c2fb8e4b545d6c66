/*
 * load_transition.c - pass two: transitions on events, without events, after delays.
 */
#include "chart/loader.h"

static const struct key_rule transition_keys[] = {
    {"target", true},      {"guard", true},     {"assign", true},   {"reenter", true},
    {"description", true}, {"meta", true},      {"actions", false}, {"when", false},
    {"cond", false},       {"internal", false}, {"context", false}, {"raise", false},
    {"cancel", false},     {"emit", false},     {"log", false},     {"send", false},
    {"to", false},
};

static bool keys_equal(const struct loader *loader, uint32_t state, struct span key)
{
    return span_equal(loader->states[state].key, key);
}

static uint32_t child_of(const struct loader *loader, uint32_t parent, struct span key)
{
    for (uint32_t child = parent + 1; child < loader->states[parent].end;
         child = loader->states[child].end) {
        if (keys_equal(loader, child, key))
            return child;
    }
    return NO_STATE;
}

/* Follows `a.b.c` downwards. */
static uint32_t descend(const struct loader *loader, uint32_t from, struct span path)
{
    size_t at = 0;
    while (at <= path.size && from != NO_STATE) {
        size_t dot = span_find(path, SPAN("."), at);
        size_t end = dot == SIZE_MAX ? path.size : dot;
        from = child_of(loader, from, span_slice(path, at, end));
        at = end + 1;
    }
    return from;
}

/* `#id`, or `#machine.path`, or `#id.path`. */
static uint32_t find_by_id(const struct loader *loader, struct span name)
{
    for (uint32_t i = 0; i < loader->state_count; i++) {
        if (span_equal(loader->states[i].id, name))
            return i;
    }
    for (uint32_t i = 0; i < loader->state_count; i++) {
        struct span id = loader->states[i].id;
        if (span_starts_with(name, id) && name.size > id.size + 1 &&
            name.text[id.size] == '.') {
            uint32_t found = descend(loader, i, span_slice(name, id.size + 1, name.size));
            if (found != NO_STATE)
                return found;
        }
    }
    return NO_STATE;
}

static uint32_t resolve_target(const struct loader *loader, uint32_t source, struct span target)
{
    if (target.size > 1 && target.text[0] == '#')
        return find_by_id(loader, span_slice(target, 1, target.size));
    if (target.size > 1 && target.text[0] == '.')
        return descend(loader, source, span_slice(target, 1, target.size));
    uint32_t parent = loader->states[source].parent;
    return parent == NO_STATE ? NO_STATE : descend(loader, parent, target);
}

/* Says what could have been meant: a name near by, or the right way to write a name that
 * exists. */
static void explain_target(struct loader *loader, struct diagnostic *error, uint32_t source,
                           struct span target)
{
    if (error == &loader->diagnostics->spare)
        return; /* nobody will read it */
    struct span bare = target.size > 0 && (target.text[0] == '.' || target.text[0] == '#')
                           ? span_slice(target, 1, target.size)
                           : target;
    struct span *names = arena_new_array(loader->arena, loader->state_count, struct span);
    uint32_t count = 0;
    for (uint32_t i = 1; i < loader->state_count; i++) {
        const struct machine_state *state = &loader->states[i];
        if (!span_equal(state->key, bare) && !span_equal(state->path, bare)) {
            names[count++] = state->key;
            continue;
        }
        if (state->parent == source)
            diagnostic_help(loader->diagnostics, error,
                            "write `.%.*s` for a state inside this one", SPAN_ARGS(state->key));
        else
            diagnostic_help(loader->diagnostics, error,
                            "write `#%.*s.%.*s` for a state elsewhere",
                            SPAN_ARGS(loader->machine.id), SPAN_ARGS(state->path));
        return;
    }
    diagnostic_suggest(loader->diagnostics, error, bare, names, count);
}

static bool load_target(struct loader *loader, const struct node *node,
                        struct machine_transition *transition)
{
    if (node->kind == NODE_LIST && node->count == 1)
        node = node->items[0];
    else if (node->kind == NODE_LIST && node->count > 1) {
        loader_error(loader, "IL0106", node->place, "several targets are not supported yet");
        return false;
    }
    if (!node_is_string(node)) {
        loader_error(loader, "IL0104", node->place, "a target must be a string, not %s",
                     node_kind_name(node));
        return false;
    }
    struct span target = node_text(node);
    transition->target = resolve_target(loader, transition->source, target);
    if (transition->target != NO_STATE)
        return true;
    struct diagnostic *error = loader_error(
        loader, "IL0107", node->place, "there is no state `%.*s` to go to", SPAN_ARGS(target));
    explain_target(loader, error, transition->source, target);
    return false;
}

/* The state whose descendants are left and entered: SEMANTICS §1, XState's rules. */
static uint32_t find_domain(const struct loader *loader,
                            const struct machine_transition *transition)
{
    const struct machine_state *states = loader->states;
    uint32_t source = transition->source;
    uint32_t target = transition->target;
    bool inside = target >= source && target < states[source].end;
    if (inside && !transition->reenter)
        return source;
    uint32_t domain = states[target].parent;
    while (domain != NO_STATE && !(source > domain && source < states[domain].end))
        domain = states[domain].parent;
    if (domain == NO_STATE && !transition->reenter)
        return 0; /* only `reenter` leaves the root */
    return domain;
}

static bool load_reenter(struct loader *loader, const struct node *map)
{
    const struct node *reenter = node_find(map, SPAN("reenter"));
    if (reenter == NULL)
        return false;
    if (reenter->kind == NODE_SCALAR && reenter->scalar.kind == VALUE_BOOL)
        return reenter->scalar.boolean;
    loader_error(loader, "IL0104", reenter->place, "`reenter` must be true or false");
    return false;
}

static void add_transition(struct loader *loader, struct machine_transition *transition)
{
    if (loader->transition_count >= TRANSITIONS_MAX) {
        if (loader->transition_count == TRANSITIONS_MAX)
            loader_error(loader, "IL0108", transition->place, "more than %d transitions",
                         TRANSITIONS_MAX);
        return;
    }
    transition->domain = NO_STATE;
    if (transition->target != NO_STATE)
        transition->domain = find_domain(loader, transition);
    loader_reserve(loader, loader->transitions, loader->transition_count,
                   loader->transition_capacity);
    loader->transitions[loader->transition_count++] = *transition;
}

static void load_transition_map(struct loader *loader, struct machine_transition *transition,
                                const struct node *map)
{
    loader_check_keys(loader, map, transition_keys,
                      sizeof transition_keys / sizeof transition_keys[0], "a transition");
    const struct node *target = node_find(map, SPAN("target"));
    bool is_targetless =
        target == NULL || (target->kind == NODE_SCALAR && target->scalar.kind == VALUE_NULL);
    bool is_resolved = is_targetless || load_target(loader, target, transition);
    transition->reenter = load_reenter(loader, map);
    transition->guard = load_guard(loader, node_find(map, SPAN("guard")));
    transition->assigns = loader_assigns(loader, node_find(map, SPAN("assign")));
    if (is_resolved)
        add_transition(loader, transition);
}

void load_transition(struct loader *loader, uint32_t source, uint32_t event,
                     const struct node *node)
{
    struct machine_transition transition = {.source = source,
                                            .event = event,
                                            .wildcard = event == EVENT_ID_OTHER,
                                            .target = NO_STATE,
                                            .guard = NO_INDEX,
                                            .place = node->place};
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

static void load_on(struct loader *loader, uint32_t state, const struct node *on)
{
    for (uint32_t i = 0; i < on->count; i++) {
        const struct node_entry *entry = &on->entries[i];
        bool partial = entry->key.size > 1 && span_ends_with(entry->key, SPAN(".*"));
        if (partial) {
            loader_error(loader, "IL0106", entry->place,
                         "partial wildcards (`%.*s`) are not supported yet",
                         SPAN_ARGS(entry->key));
            continue;
        }
        uint32_t event = span_is(entry->key, "*")
                             ? EVENT_ID_OTHER
                             : loader_event(loader, entry->key, entry->place);
        load_transition(loader, state, event, entry->value);
    }
}

static void load_delay(struct loader *loader, uint32_t state, const struct node_entry *entry)
{
    struct machine_timer timer = {.state = state, .place = entry->place};
    if (!time_read_duration(entry->key, &timer.delay_ms)) {
        struct diagnostic *error = loader_error(
            loader, "IL0104", entry->place, "`%.*s` is not a duration", SPAN_ARGS(entry->key));
        diagnostic_help(loader->diagnostics, error, "write 250ms, 30s, 5m, 24h or PT30S");
        return;
    }
    timer.name = text_print(loader->arena, "after.%.*s.%.*s", SPAN_ARGS(entry->key),
                            SPAN_ARGS(loader->states[state].id));
    timer.event = loader_event(loader, timer.name, entry->place);
    loader_reserve(loader, loader->timers, loader->timer_count, loader->timer_capacity);
    loader->timers[loader->timer_count++] = timer;
    load_transition(loader, state, timer.event, entry->value);
}

void load_transitions(struct loader *loader, uint32_t state)
{
    const struct node *node = loader->state_nodes[state];
    const struct node *on = loader_map(loader, node, "on");
    const struct node *after = loader_map(loader, node, "after");
    const struct node *always = node_find(node, SPAN("always"));
    const struct node *done = node_find(node, SPAN("onDone"));
    if (on != NULL)
        load_on(loader, state, on);
    loader->states[state].timers.first = loader->timer_count;
    for (uint32_t i = 0; after != NULL && i < after->count; i++)
        load_delay(loader, state, &after->entries[i]);
    loader->states[state].timers.count =
        loader->timer_count - loader->states[state].timers.first;
    if (always != NULL)
        load_transition(loader, state, EVENT_ID_NONE, always);
    if (done == NULL || loader->states[state].type == STATE_FINAL)
        return;
    if (loader->states[state].type != STATE_COMPOUND || state == 0)
        loader_error(loader, "IL0104", done->place,
                     "`onDone` belongs to states with states inside%s",
                     state == 0 ? ", not to the machine" : ", or under `invoke`");
    else
        load_transition(loader, state, loader->states[state].done_event, done);
}
