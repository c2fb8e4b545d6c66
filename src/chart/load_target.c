/*
 * load_target.c - where transitions lead: a sibling's key, `.child.path`, `#id`, `#id.path`.
 */
#include "chart/loader.h"

uint32_t load_target_child(const struct loader *loader, uint32_t parent, struct span key)
{
    for (uint32_t child = parent + 1; child < loader->states[parent].end;
         child = loader->states[child].end) {
        if (span_equal(loader->states[child].key, key))
            return child;
    }
    return NO_STATE;
}

uint32_t load_target_by_path(const struct loader *loader, uint32_t from, struct span path)
{
    size_t at = 0;
    while (at <= path.size && from != NO_STATE) {
        size_t dot = span_find(path, SPAN("."), at);
        size_t end = dot == SIZE_MAX ? path.size : dot;
        from = load_target_child(loader, from, span_slice(path, at, end));
        at = end + 1;
    }
    return from;
}

/* `#id`, or `#machine.path`, or `#id.path`. */
uint32_t load_target_by_id(const struct loader *loader, struct span name)
{
    for (uint32_t i = 0; i < loader->state_count; i++) {
        if (span_equal(loader->states[i].id, name))
            return i;
    }
    for (uint32_t i = 0; i < loader->state_count; i++) {
        struct span id = loader->states[i].id;
        if (span_starts_with(name, id) && name.size > id.size + 1 &&
            name.text[id.size] == '.') {
            uint32_t found =
                load_target_by_path(loader, i, span_slice(name, id.size + 1, name.size));
            if (found != NO_STATE)
                return found;
        }
    }
    return NO_STATE;
}

static uint32_t resolve(const struct loader *loader, uint32_t source, struct span target)
{
    if (target.size > 1 && target.text[0] == '#')
        return load_target_by_id(loader, span_slice(target, 1, target.size));
    if (target.size > 1 && target.text[0] == '.')
        return load_target_by_path(loader, source, span_slice(target, 1, target.size));
    uint32_t parent = loader->states[source].parent;
    return parent == NO_STATE ? NO_STATE : load_target_by_path(loader, parent, target);
}

/* Says what could have been meant: a name near by, or the right way to write a name that
 * exists. */
static void explain(struct loader *loader, struct diagnostic *error, uint32_t source,
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

static bool add_target(struct loader *loader, uint32_t source, const struct node *node)
{
    if (!node_is_string(node)) {
        loader_error(loader, "IL0104", node->place, "a target must be a string, not %s",
                     node_kind_name(node));
        return false;
    }
    struct span target = node_text(node);
    uint32_t found = resolve(loader, source, target);
    if (found != NO_STATE) {
        loader_reserve(loader, loader->targets, loader->target_count, loader->target_capacity);
        loader->targets[loader->target_count++] = found;
        return true;
    }
    struct diagnostic *error = loader_error(
        loader, "IL0107", node->place, "there is no state `%.*s` to go to", SPAN_ARGS(target));
    explain(loader, error, source, target);
    return false;
}

/* Two states can be entered together when they lie in different regions of a parallel one. */
static bool fit_together(const struct loader *loader, uint32_t a, uint32_t b)
{
    const struct machine_state *states = loader->states;
    uint32_t outer = a;
    while (outer != NO_STATE && !(b >= outer && b < states[outer].end))
        outer = states[outer].parent;
    return a != b && outer != a && outer != b && states[outer].type == STATE_PARALLEL;
}

static bool check_together(struct loader *loader, const struct node *node, struct range range)
{
    for (uint32_t i = range.first; i < range.first + range.count; i++) {
        for (uint32_t j = range.first; j < i; j++) {
            uint32_t a = loader->targets[i];
            uint32_t b = loader->targets[j];
            if (a == b || fit_together(loader, a, b))
                continue;
            struct diagnostic *error = loader_warning(
                loader, "IL0104", node->place, "%.*s and %.*s cannot be entered together",
                SPAN_ARGS(loader_state_name(loader, b)),
                SPAN_ARGS(loader_state_name(loader, a)));
            diagnostic_help(loader->diagnostics, error,
                            "several targets lie in different regions of a parallel state");
            return false;
        }
    }
    return true;
}

bool load_targets(struct loader *loader, uint32_t source, const struct node *node,
                  struct range *range, bool *together)
{
    bool fine = true;
    *range = (struct range){loader->target_count, 0};
    if (node->kind != NODE_LIST) {
        fine = add_target(loader, source, node);
    } else if (node->count == 0) {
        loader_error(loader, "IL0104", node->place, "`target` is empty: leave it out");
        return false;
    } else if (node->count > TARGETS_MAX) {
        loader_error(loader, "IL0108", node->place, "more than %d targets", TARGETS_MAX);
        return false;
    }
    for (uint32_t i = 0; node->kind == NODE_LIST && i < node->count; i++)
        fine = add_target(loader, source, node->items[i]) && fine;
    range->count = loader->target_count - range->first;
    *together = check_together(loader, node, *range);
    return fine;
}
