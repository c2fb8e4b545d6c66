/*
 * load_action.c - actions: our own (`assign:`, `raise:`, `send:`, … as keys), XState's
 * (`{type: xstate.raise, params: …}`), named ones, branches and loops.
 *
 * Actions become a flat list. A branch says how much of it to skip, so that running them
 * needs no tree. A name that is declared under `actions` is the actions declared there; any
 * other name is an effect that the host carries out.
 */
#include "chart/loader.h"

enum { ACTION_DEPTH_MAX = 50, ACTIONS_MAX = 65535 };

static void load_list(struct loader *loader, const struct node *node, uint32_t depth);

/* The last one stands for all that are too many: nobody will run them. */
static uint32_t add_action(struct loader *loader, struct machine_action action)
{
    if (loader->action_count == ACTIONS_MAX) {
        if (!loader->has_all_actions)
            loader_error(loader, "IL0108", action.place, "more than %d actions", ACTIONS_MAX);
        loader->has_all_actions = true;
        return ACTIONS_MAX - 1;
    }
    loader_reserve(loader, loader->actions, loader->action_count, loader->action_capacity);
    loader->actions[loader->action_count] = action;
    return loader->action_count++;
}

static const struct expr_slot *slot_of(struct loader *loader, const struct node *map,
                                       const char *key)
{
    const struct node *node = node_find(map, span_from_text(key));
    return node == NULL ? NULL : loader_slot(loader, node);
}

static bool check_keys(struct loader *loader, const struct node *map, const char *const *keys,
                       const char *where)
{
    struct key_rule rules[12] = {{"description", true}};
    size_t count = 1;
    uint32_t errors = loader->diagnostics->errors;
    for (; keys[count - 1] != NULL; count++)
        rules[count] = (struct key_rule){keys[count - 1], true};
    loader_check_keys(loader, map, rules, count, where);
    return loader->diagnostics->errors == errors;
}

#define KEYS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* The delay, target and id that raise and send have in common. */
static void add_options(struct loader *loader, const struct node *map,
                        struct machine_action *action)
{
    const struct node *delay = node_find(map, SPAN("delay"));
    duration_ms delay_ms;
    loader_id(loader, map, &action->id);
    loader_string(loader, map, "idlocation", &action->id_place);
    action->to = slot_of(loader, map, "to");
    action->processor = slot_of(loader, map, "processor");
    if (delay == NULL)
        return;
    struct span text = node_is_string(delay) ? node_text(delay) : SPAN("");
    if (load_delay(loader, text, delay, delay->place, &delay_ms, &action->delay) &&
        action->delay == NULL)
        action->delay = expr_slot_literal(value_int(delay_ms), loader->arena);
}

/* `raise: PAID`, `raise: { type: PAID, amount: "${…}" }`; SCXML: { type, data }. */
static bool add_event(struct loader *loader, const struct node *event,
                      struct machine_action *action)
{
    const struct node *type = node_find(event, SPAN("type"));
    if (event->kind != NODE_MAP || node_find(event, SPAN("@expr")) != NULL) {
        action->type = loader_slot(loader, event);
        return action->type != NULL;
    }
    if (type == NULL) {
        loader_error(loader, "IL0103", event->place, "an event needs `type`");
        return false;
    }
    action->type = loader_slot(loader, type);
    if (loader->machine.semantics == SEMANTICS_SCXML) {
        action->data = slot_of(loader, event, "data");
        return action->type != NULL;
    }
    action->is_map = true;
    action->data = loader_slot(loader, event);
    return action->type != NULL && action->data != NULL;
}

static void load_event_action(struct loader *loader, enum action_kind kind,
                              const struct node *event, const struct node *options,
                              struct place place)
{
    struct machine_action action = {.kind = kind, .place = place};
    if (event == NULL) {
        loader_error(loader, "IL0103", place, "the action needs an event");
        return;
    }
    add_options(loader, options, &action);
    if (add_event(loader, event, &action))
        add_action(loader, action);
}

static void load_assign(struct loader *loader, const struct node *assign)
{
    struct range assigns = loader_assigns(loader, assign);
    if (assigns.count > 0)
        add_action(loader, (struct machine_action){.kind = ACTION_ASSIGN,
                                                   .assigns = assigns,
                                                   .place = assign->place});
}

static void load_which(struct loader *loader, enum action_kind kind, const struct node *which,
                       struct place place)
{
    struct machine_action action = {.kind = kind, .place = place};
    if (which == NULL) {
        loader_error(loader, "IL0103", place, "the action needs an id");
        return;
    }
    action.which = loader_slot(loader, which);
    if (action.which != NULL)
        add_action(loader, action);
}

static void load_log(struct loader *loader, const struct node *value, const struct node *map)
{
    struct machine_action action = {.kind = ACTION_LOG, .place = map->place};
    loader_string(loader, map, "label", &action.name);
    action.data = value == NULL ? NULL : loader_slot(loader, value);
    add_action(loader, action);
}

/* `to` alone is a place, which the value of `script` is assigned to. */
static void load_script(struct loader *loader, const struct node *script,
                        const struct node *map)
{
    struct machine_action action = {.kind = ACTION_SCRIPT, .place = map->place};
    const struct node *to = node_find(map, SPAN("to"));
    action.data = to == NULL ? NULL : loader_slot(loader, script);
    action.script =
        expr_foreign_compile(to == NULL ? script : to, to == NULL ? EXPR_SCRIPT : EXPR_PLACE,
                             &loader->scope, loader->arena, loader->diagnostics);
    loader->machine.reads_event = true;
    loader->machine.has_scripts = true;
    if (action.script != NULL && (to == NULL || action.data != NULL))
        add_action(loader, action);
}

static void load_spawn(struct loader *loader, const struct node *src, const struct node *map)
{
    struct machine_action action = {.kind = ACTION_SPAWN, .place = map->place};
    if (src == NULL || !node_is_string(src) || node_text(src).size == 0) {
        loader_error(loader, "IL0103", map->place, "`spawn` needs the name of a machine");
        return;
    }
    action.name = node_text(src);
    loader_id(loader, map, &action.id);
    action.data = slot_of(loader, map, "input");
    add_action(loader, action);
}

static void load_if(struct loader *loader, const struct node *map, uint32_t depth)
{
    const struct node *other = node_find(map, SPAN("else"));
    uint32_t guard = load_guard(loader, node_find(map, SPAN("if")));
    if (!check_keys(loader, map, KEYS("if", "then", "else"), "an action") || guard == NO_INDEX)
        return;
    uint32_t branch = add_action(
        loader,
        (struct machine_action){.kind = ACTION_IF, .guard = guard, .place = map->place});
    load_list(loader, node_find(map, SPAN("then")), depth + 1);
    if (other == NULL) {
        loader->actions[branch].skip = loader->action_count - branch - 1;
        return;
    }
    uint32_t end =
        add_action(loader, (struct machine_action){.kind = ACTION_ELSE, .place = other->place});
    loader->actions[branch].skip = end - branch;
    load_list(loader, other, depth + 1);
    loader->actions[end].skip = loader->action_count - end - 1;
}

static void load_for_each(struct loader *loader, const struct node *map, uint32_t depth)
{
    struct machine_action action = {.kind = ACTION_FOREACH, .place = map->place};
    const struct node *list = node_find(map, SPAN("foreach"));
    if (!check_keys(loader, map, KEYS("foreach", "item", "index", "do"), "an action"))
        return;
    loader_string(loader, map, "index", &action.index);
    if (!loader_string(loader, map, "item", &action.name) || action.name.size == 0) {
        loader_error(loader, "IL0103", map->place, "`foreach` needs `item`: a name");
        return;
    }
    action.data = loader_slot(loader, list);
    if (action.data == NULL)
        return;
    uint32_t loop = add_action(loader, action);
    load_list(loader, node_find(map, SPAN("do")), depth + 1);
    loader->actions[loop].skip = loader->action_count - loop - 1;
}

/* What runs inside of what, by name or as it is written, is run by recursion. */
static bool check_depth(struct loader *loader, uint32_t depth, struct place place)
{
    if (depth > loader->action_depth)
        loader->action_depth = depth;
    if (depth <= ACTION_DEPTH_MAX)
        return true;
    loader_error(loader, "IL0108", place, "actions nest deeper than %d levels",
                 ACTION_DEPTH_MAX);
    return false;
}

/* An action by name: the actions declared under it, or an effect. */
static void load_named(struct loader *loader, struct span name, const struct node *params,
                       struct place place, uint32_t depth)
{
    struct machine_action action = {.kind = ACTION_CALL, .name = name, .place = place};
    if (name.size == 0) {
        loader_error(loader, "IL0104", place, "an action's name may not be empty");
        return;
    }
    action.data = params == NULL ? NULL : loader_slot(loader, params);
    uint32_t declared = load_names_find(&loader->action_names, name);
    if (declared != UINT32_MAX) {
        const struct named_range *named = &loader->named_actions[declared];
        if (!check_depth(loader, depth + named->depth + 1, place))
            return;
        action.assigns = named->range;
        if (named->range.count > 0)
            action.kind = ACTION_NAMED; /* else it is for the host to carry out */
    }
    add_action(loader, action);
}

/* {type: xstate.raise, params: {event, id, delay}}, and the same without `params`. */
static void load_xstate(struct loader *loader, struct span type, const struct node *map)
{
    const struct node *params = node_find(map, SPAN("params"));
    const struct node *from = params == NULL ? map : params;
    const struct node *id = node_find(from, SPAN("sendId"));
    if (id == NULL)
        id = node_find(from, SPAN("id"));
    if (span_is(type, "assign"))
        load_assign(loader, node_find(from, SPAN("assignment")));
    else if (span_is(type, "raise"))
        load_event_action(loader, ACTION_RAISE, node_find(from, SPAN("event")), from,
                          map->place);
    else if (span_is(type, "sendTo") || span_is(type, "sendParent"))
        load_event_action(loader, ACTION_SEND, node_find(from, SPAN("event")), from,
                          map->place);
    else if (span_is(type, "emit"))
        load_event_action(loader, ACTION_EMIT, node_find(from, SPAN("event")), from,
                          map->place);
    else if (span_is(type, "cancel"))
        load_which(loader, ACTION_CANCEL, id, map->place);
    else if (span_is(type, "stopChild") || span_is(type, "stop"))
        load_which(loader, ACTION_STOP, id, map->place);
    else if (span_is(type, "log"))
        load_log(loader, node_find(from, SPAN("value")), from);
    else if (span_is(type, "spawnChild"))
        load_spawn(loader, node_find(from, SPAN("src")), from);
    else
        loader_error(loader, "IL0106", map->place, "XState's action `%.*s` is not known",
                     SPAN_ARGS(type));
}

static void load_typed(struct loader *loader, const struct node *map, uint32_t depth)
{
    static const struct key_rule keys[] = {{"type", true}, {"params", true}};
    struct span type;
    if (!loader_string(loader, map, "type", &type))
        return;
    if (span_is(type, "inline-noop"))
        return; /* how XState's recordings write a function that changes nothing */
    if (span_starts_with(type, SPAN("xstate."))) {
        load_xstate(loader, span_slice(type, 7, type.size), map);
        return;
    }
    loader_check_keys(loader, map, keys, 2, "an action");
    load_named(loader, type, node_find(map, SPAN("params")), map->place, depth);
}

/* Our own actions: the first key that is there says which one it is. */
static void load_keyed(struct loader *loader, const struct node *map, uint32_t depth)
{
    static const char *const kinds[] = {"assign", "raise", "send", "cancel",
                                        "emit",   "log",   "if",   "foreach",
                                        "spawn",  "stop",  "fail", "script"};
    enum { ASSIGN, RAISE, SEND, CANCEL, EMIT, LOG, IF, FOREACH, SPAWN, STOP, FAIL, SCRIPT };
    size_t count = sizeof kinds / sizeof kinds[0];
    size_t kind = 0;
    while (kind < count && node_find(map, span_from_text(kinds[kind])) == NULL)
        kind++;
    const struct node *value =
        kind == count ? NULL : node_find(map, span_from_text(kinds[kind]));
    switch (kind) {
    case ASSIGN:
        if (check_keys(loader, map, KEYS("assign"), "an action"))
            load_assign(loader, value);
        return;
    case RAISE:
        if (check_keys(loader, map, KEYS("raise", "delay", "id", "idlocation"), "an action"))
            load_event_action(loader, ACTION_RAISE, value, map, map->place);
        return;
    case SEND:
        if (check_keys(loader, map,
                       KEYS("send", "to", "delay", "id", "idlocation", "processor"),
                       "an action"))
            load_event_action(loader, ACTION_SEND, value, map, map->place);
        return;
    case EMIT:
        if (check_keys(loader, map, KEYS("emit"), "an action"))
            load_event_action(loader, ACTION_EMIT, value, map, map->place);
        return;
    case CANCEL:
        if (check_keys(loader, map, KEYS("cancel"), "an action"))
            load_which(loader, ACTION_CANCEL, value, map->place);
        return;
    case STOP:
        if (check_keys(loader, map, KEYS("stop"), "an action"))
            load_which(loader, ACTION_STOP, value, map->place);
        return;
    case LOG:
        if (check_keys(loader, map, KEYS("log", "label"), "an action"))
            load_log(loader, value, map);
        return;
    case SPAWN:
        if (check_keys(loader, map, KEYS("spawn", "id", "input"), "an action"))
            load_spawn(loader, value, map);
        return;
    case IF:
        load_if(loader, map, depth);
        return;
    case FOREACH:
        load_for_each(loader, map, depth);
        return;
    case FAIL:
        add_action(loader, (struct machine_action){
                               .kind = ACTION_FAIL,
                               .name = node_is_string(value) ? node_text(value) : SPAN("fail"),
                               .place = map->place});
        return;
    case SCRIPT:
        if (check_keys(loader, map, KEYS("script", "to"), "an action"))
            load_script(loader, value, map);
        return;
    default:
        break;
    }
    struct diagnostic *error =
        loader_error(loader, "IL0104", map->place,
                     "this is no action: there is neither `type` nor a known key");
    diagnostic_help(loader->diagnostics, error,
                    "write assign, raise, send, cancel, emit, log, if, foreach, spawn or stop");
}

static void load_action(struct loader *loader, const struct node *node, uint32_t depth)
{
    if (node_is_string(node)) {
        load_named(loader, node_text(node), NULL, node->place, depth);
    } else if (node->kind != NODE_MAP) {
        loader_error(loader, "IL0104", node->place, "an action must be a name or a map, not %s",
                     node_kind_name(node));
    } else if (node_find(node, SPAN("type")) != NULL) {
        load_typed(loader, node, depth);
    } else {
        load_keyed(loader, node, depth);
    }
}

static void load_list(struct loader *loader, const struct node *node, uint32_t depth)
{
    if (node == NULL || !check_depth(loader, depth, node->place))
        return;
    if (node->kind != NODE_LIST) {
        load_action(loader, node, depth);
        return;
    }
    for (uint32_t i = 0; i < node->count; i++) {
        bool is_block = node->items[i]->kind == NODE_LIST && depth == 0;
        if (!is_block) {
            load_action(loader, node->items[i], depth);
            continue;
        }
        if (i > 0)
            add_action(loader, (struct machine_action){.kind = ACTION_BLOCK,
                                                       .place = node->items[i]->place});
        load_list(loader, node->items[i], depth + 1);
    }
}

struct range load_actions(struct loader *loader, const struct node *node)
{
    struct range range = {loader->action_count, 0};
    load_list(loader, node, 0);
    range.count = loader->action_count - range.first;
    return range;
}

struct range load_transition_actions(struct loader *loader, const struct node *map,
                                     bool *assigns)
{
    struct range range = {loader->action_count, 0};
    const struct node *assign = node_find(map, SPAN("assign"));
    if (assign == NULL)
        assign = node_find(map, SPAN("context"));
    if (assign != NULL)
        load_assign(loader, assign);
    load_actions(loader, node_find(map, SPAN("actions")));
    range.count = loader->action_count - range.first;
    *assigns = false;
    for (uint32_t i = range.first; i < range.first + range.count; i++) {
        enum action_kind kind = loader->actions[i].kind;
        *assigns =
            *assigns || kind == ACTION_ASSIGN || kind == ACTION_FOREACH || kind == ACTION_NAMED;
    }
    return range;
}

/* Each may use those before it, so that there is no circle. */
void load_named_actions(struct loader *loader)
{
    const struct node *map = loader_either(loader, "actions", "__actions");
    if (map == NULL)
        return;
    if (map->kind != NODE_MAP) {
        loader_error(loader, "IL0104", map->place,
                     "`actions` of a machine must be a map, not %s", node_kind_name(map));
        return;
    }
    loader->named_actions = arena_new_array(loader->arena, map->count, struct named_range);
    for (uint32_t i = 0; i < map->count; i++) {
        const struct node_entry *entry = &map->entries[i];
        bool is_empty = entry->value->kind == NODE_SCALAR
                            ? entry->value->scalar.kind == VALUE_NULL
                            : entry->value->count == 0;
        loader->action_depth = 0;
        struct range range = load_actions(loader, is_empty ? NULL : entry->value);
        load_names_put(&loader->action_names, entry->key, loader->named_action_count,
                       loader->arena);
        loader->named_actions[loader->named_action_count++] =
            (struct named_range){range, loader->action_depth};
    }
}

/* A duration, milliseconds, or an expression. */
void load_named_delays(struct loader *loader)
{
    const struct node *map = loader_either(loader, "delays", "__delays");
    if (map == NULL)
        return;
    if (map->kind != NODE_MAP) {
        loader_error(loader, "IL0104", map->place, "`delays` must be a map, not %s",
                     node_kind_name(map));
        return;
    }
    loader->delays = arena_new_array(loader->arena, map->count, const struct expr_slot *);
    for (uint32_t i = 0; i < map->count; i++) {
        const struct node *value = map->entries[i].value;
        const struct node *duration = node_find(value, SPAN("duration"));
        const struct expr_slot *slot = loader_slot(loader, duration == NULL ? value : duration);
        if (slot == NULL || !load_check_delay(loader, slot, value->place))
            continue;
        load_names_put(&loader->delay_names, map->entries[i].key, loader->delay_count,
                       loader->arena);
        loader->delays[loader->delay_count++] = slot;
    }
}
