/*
 * load_invoke.c - pass two: the steps that a state invokes.
 */
#include "chart/loader.h"

static const struct key_rule invoke_keys[] = {
    {"id", true},          {"src", true},         {"input", true},        {"onDone", true},
    {"onError", true},     {"description", true}, {"meta", true},         {"onTimeout", false},
    {"onSnapshot", false}, {"timeout", false},    {"autoForward", false}, {"systemId", false},
};

/* An invoke's id defaults to its state's path, the second and later ones with their number. */
static struct span default_id(struct loader *loader, uint32_t state, uint32_t index)
{
    struct span path = state == 0 ? loader->machine.id : loader->states[state].path;
    return index == 0 ? path : text_print(loader->arena, "%.*s:%u", SPAN_ARGS(path), index + 1);
}

static void check_id(struct loader *loader, const struct machine_invoke *invoke)
{
    for (uint32_t i = 0; i < loader->invoke_count; i++) {
        if (span_equal(loader->invokes[i].id, invoke->id))
            loader_error(loader, "IL0109", invoke->place, "the invoke id `%.*s` is used twice",
                         SPAN_ARGS(invoke->id));
    }
}

static void load_results(struct loader *loader, const struct node *node,
                         const struct machine_invoke *invoke)
{
    const struct node *done = node_find(node, SPAN("onDone"));
    const struct node *error = node_find(node, SPAN("onError"));
    if (done != NULL)
        load_transition(loader, invoke->state, invoke->done_event, done);
    if (error != NULL)
        load_transition(loader, invoke->state, invoke->error_event, error);
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
    if (!loader_string(loader, node, "src", &invoke.src)) {
        if (node_find(node, SPAN("src")) == NULL)
            loader_error(loader, "IL0103", node->place,
                         "`invoke` needs `src`: the name of a step");
        return;
    }
    if (invoke.src.size == 0)
        loader_error(loader, "IL0104", node_find(node, SPAN("src"))->place,
                     "`src` may not be empty: it is the name of a step");
    invoke.id = default_id(loader, state, index);
    loader_string(loader, node, "id", &invoke.id);
    check_id(loader, &invoke);
    const struct node *input = node_find(node, SPAN("input"));
    if (input != NULL)
        invoke.input = loader_slot(loader, input);
    invoke.done_type = text_print(loader->arena, "done.invoke.%.*s", SPAN_ARGS(invoke.id));
    invoke.error_type = text_print(loader->arena, "error.invoke.%.*s", SPAN_ARGS(invoke.id));
    invoke.done_event = loader_event(loader, invoke.done_type, node->place);
    invoke.error_event = loader_event(loader, invoke.error_type, node->place);
    loader_reserve(loader, loader->invokes, loader->invoke_count, loader->invoke_capacity);
    loader->invokes[loader->invoke_count++] = invoke;
    load_results(loader, node, &invoke);
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
}
