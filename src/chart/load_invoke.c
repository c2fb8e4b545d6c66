/*
 * load_invoke.c - pass two: the steps that a state invokes.
 */
#include "chart/loader.h"

static const struct key_rule invoke_keys[] = {
    {"id", true},          {"src", true},         {"input", true},    {"onDone", true},
    {"onError", true},     {"description", true}, {"meta", true},     {"onTimeout", true},
    {"onSnapshot", true},  {"timeout", true},     {"systemId", true}, {"registryKey", true},
    {"autoForward", true}, {"idlocation", true},  {"type", true},     {"content", true},
    {"finalize", true},    {"output", false},
};

/* An invoke's id defaults to its state's path, the second and later ones with their number. */
static struct span default_id(struct loader *loader, uint32_t state, uint32_t index)
{
    struct span path = state == 0 ? loader->machine.id : loader->states[state].path;
    return index == 0 ? path : text_print(loader->arena, "%.*s:%u", SPAN_ARGS(path), index + 1);
}

static void check_id(struct loader *loader, const struct machine_invoke *invoke)
{
    if (load_names_find(&loader->invoke_ids, invoke->id) != UINT32_MAX)
        loader_error(loader, "IL0109", invoke->place, "the invoke id `%.*s` is used twice",
                     SPAN_ARGS(invoke->id));
    load_names_put(&loader->invoke_ids, invoke->id, loader->invoke_count, loader->arena);
}

static void load_results(struct loader *loader, const struct node *node,
                         const struct machine_invoke *invoke)
{
    const struct node *done = node_find(node, SPAN("onDone"));
    const struct node *error = node_find(node, SPAN("onError"));
    const struct node *snapshot = node_find(node, SPAN("onSnapshot"));
    if (done != NULL)
        load_transition(loader, invoke->state, invoke->done_event, done);
    if (error != NULL)
        load_transition(loader, invoke->state, invoke->error_event, error);
    if (snapshot != NULL)
        load_transition(loader, invoke->state,
                        loader_event(loader,
                                     text_print(loader->arena, "snapshot.invoke.%.*s",
                                                SPAN_ARGS(invoke->id)),
                                     snapshot->place),
                        snapshot);
}

/* The time that the invocation may take: a timer of its state. */
static void load_timeout(struct loader *loader, const struct node *node, uint32_t index)
{
    const struct machine_invoke *invoke = &loader->invokes[index];
    const struct node *timeout = node_find(node, SPAN("timeout"));
    const struct node *then = node_find(node, SPAN("onTimeout"));
    if (timeout == NULL && then == NULL)
        return;
    if (timeout == NULL || then == NULL) {
        loader_error(loader, "IL0103", (timeout == NULL ? then : timeout)->place,
                     "`timeout` and `onTimeout` belong together");
        return;
    }
    struct machine_timer timer = {
        .state = invoke->state, .invoke = index, .place = timeout->place};
    struct span text = node_is_string(timeout) ? node_text(timeout) : SPAN("");
    if (!load_delay(loader, text, timeout, timeout->place, &timer.delay_ms, &timer.delay))
        return;
    timer.name = text_print(loader->arena, "timeout.invoke.%.*s", SPAN_ARGS(invoke->id));
    timer.event = loader_event(loader, timer.name, timeout->place);
    load_timer(loader, timer);
    load_transition(loader, invoke->state, timer.event, then);
}

static const struct expr_slot *slot_under(struct loader *loader, const struct node *node,
                                          const char *key)
{
    const struct node *found = node_find(node, span_from_text(key));
    return found == NULL ? NULL : loader_slot(loader, found);
}

/* The name of a step or a machine; with SCXML's rules also an expression, or nothing. */
static bool load_source(struct loader *loader, const struct node *node,
                        struct machine_invoke *invoke)
{
    const struct node *src = node_find(node, SPAN("src"));
    bool is_scxml = loader->machine.semantics == SEMANTICS_SCXML;
    if (is_scxml) {
        invoke->src_slot = slot_under(loader, node, "src");
        invoke->content = slot_under(loader, node, "content");
        invoke->type = slot_under(loader, node, "type");
        invoke->src = src != NULL && node_is_string(src) ? node_text(src) : SPAN("scxml");
        return true;
    }
    if (!loader_string(loader, node, "src", &invoke->src)) {
        if (src == NULL)
            loader_error(loader, "IL0103", node->place,
                         "`invoke` needs `src`: the name of a step");
        return false;
    }
    if (invoke->src.size == 0)
        loader_error(loader, "IL0104", src->place,
                     "`src` may not be empty: it is the name of a step");
    return true;
}

static bool load_forwards(const struct node *node)
{
    const struct node *forwards = node_find(node, SPAN("autoForward"));
    return forwards != NULL && forwards->kind == NODE_SCALAR &&
           forwards->scalar.kind == VALUE_BOOL && forwards->scalar.boolean;
}

static void load_invoke(struct loader *loader, uint32_t state, const struct node *node,
                        uint32_t index)
{
    if (node->kind != NODE_MAP) {
        loader_error(loader, "IL0104", node->place, "`invoke` must be a map, not %s",
                     node_kind_name(node));
        return;
    }
    loader_check_keys(loader, node, invoke_keys, sizeof invoke_keys / sizeof invoke_keys[0],
                      "an invoke");
    struct machine_invoke invoke = {.state = state, .place = node->place};
    if (!load_source(loader, node, &invoke))
        return;
    invoke.id = default_id(loader, state, index);
    loader_id(loader, node, &invoke.id);
    loader_string(loader, node, "idlocation", &invoke.id_place);
    check_id(loader, &invoke);
    invoke.input = slot_under(loader, node, "input");
    invoke.forwards = load_forwards(node);
    invoke.finalize = load_actions(loader, node_find(node, SPAN("finalize")));
    invoke.done_type = text_print(loader->arena, "done.invoke.%.*s", SPAN_ARGS(invoke.id));
    invoke.error_type = text_print(loader->arena, "error.invoke.%.*s", SPAN_ARGS(invoke.id));
    invoke.done_event = loader_event(loader, invoke.done_type, node->place);
    invoke.error_event = loader_event(loader, invoke.error_type, node->place);
    loader_reserve(loader, loader->invokes, loader->invoke_count, loader->invoke_capacity);
    loader->invokes[loader->invoke_count++] = invoke;
    load_results(loader, node, &invoke);
    load_timeout(loader, node, loader->invoke_count - 1);
}

void load_invokes(struct loader *loader, uint32_t state)
{
    const struct node *node = node_find(loader->state_nodes[state], SPAN("invoke"));
    struct range *range = &loader->states[state].invokes;
    range->first = loader->invoke_count;
    if (node == NULL)
        return;
    if (node->kind == NODE_LIST) {
        for (uint32_t i = 0; i < node->count; i++)
            load_invoke(loader, state, node->items[i], i);
    } else {
        load_invoke(loader, state, node, 0);
    }
    range->count = loader->invoke_count - range->first;
    /* The timers of its invocations stand right behind those of its transitions. */
    loader->states[state].timers.count =
        loader->timer_count - loader->states[state].timers.first;
}
