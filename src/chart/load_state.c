/*
 * load_state.c - pass one: the tree of states in document order.
 */
#include "chart/loader.h"

static const struct key_rule state_keys[] = {
    {"id", true},     {"description", true}, {"type", true},        {"initial", true},
    {"states", true}, {"on", true},          {"always", true},      {"after", true},
    {"invoke", true}, {"onDone", true},      {"tags", true},        {"output", true},
    {"meta", true},   {"entry", true},       {"exit", true},        {"history", true},
    {"target", true}, {"actions", true},     {"route", true},       {"timeout", true},
    {"choice", true}, {"onTimeout", true},   {"onError", true},     {"key", true},
    {"order", true},  {"validator", true},   {"transitions", true},
};

static const struct span known_types[] = {SPAN_INIT("atomic"),   SPAN_INIT("compound"),
                                          SPAN_INIT("parallel"), SPAN_INIT("final"),
                                          SPAN_INIT("history"),  SPAN_INIT("choice")};
enum { KNOWN_TYPES = sizeof known_types / sizeof known_types[0] };

static bool is_one_of(struct span text, const struct span *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (span_equal(text, list[i]))
            return true;
    }
    return false;
}

/* What a `type` asks for; false when it does not fit to what is inside. */
static bool type_fits(struct span type, bool has_children, enum state_type *result)
{
    bool fits = false;
    if (span_is(type, "final")) {
        *result = STATE_FINAL;
        fits = !has_children;
    } else if (span_is(type, "history")) {
        *result = STATE_HISTORY;
        fits = !has_children;
    } else if (span_is(type, "parallel")) {
        *result = has_children ? STATE_PARALLEL : STATE_ATOMIC;
        fits = true;
    } else {
        *result = has_children ? STATE_COMPOUND : STATE_ATOMIC;
        fits = has_children == span_is(type, "compound");
    }
    return fits;
}

static enum state_type load_type(struct loader *loader, const struct node *node)
{
    const struct node *states = node_find(node, SPAN("states"));
    const struct node *history = node_find(node, SPAN("history"));
    bool has_children = states != NULL && states->kind == NODE_MAP && states->count > 0;
    enum state_type natural = has_children ? STATE_COMPOUND : STATE_ATOMIC;
    enum state_type result = natural;
    struct span type;
    if (history != NULL && node_find(node, SPAN("type")) == NULL)
        return STATE_HISTORY;
    if (!loader_string(loader, node, "type", &type))
        return natural;
    struct place place = node_find(node, SPAN("type"))->place;
    if (!is_one_of(type, known_types, KNOWN_TYPES)) {
        struct diagnostic *error = loader_error(
            loader, "IL0104", place, "`%.*s` is not a type of state", SPAN_ARGS(type));
        diagnostic_suggest(loader->diagnostics, error, type, known_types, KNOWN_TYPES);
        return natural;
    }
    if (!type_fits(type, has_children, &result))
        loader_error(loader, "IL0104", place,
                     "`type: %.*s` does not fit: this state has %sstates inside",
                     SPAN_ARGS(type), has_children ? "" : "no ");
    return result;
}

static void add_tag(struct loader *loader, const struct node *node)
{
    if (!node_is_string(node)) {
        loader_error(loader, "IL0104", node->place, "a tag must be a string, not %s",
                     node_kind_name(node));
        return;
    }
    loader_reserve(loader, loader->tags, loader->tag_count, loader->tag_capacity);
    loader->tags[loader->tag_count++] = node_text(node);
}

static struct range load_tags(struct loader *loader, const struct node *node)
{
    const struct node *tags = node_find(node, SPAN("tags"));
    struct range range = {loader->tag_count, 0};
    if (tags == NULL)
        return range;
    if (tags->kind == NODE_LIST) {
        for (uint32_t i = 0; i < tags->count; i++)
            add_tag(loader, tags->items[i]);
    } else {
        add_tag(loader, tags);
    }
    range.count = loader->tag_count - range.first;
    return range;
}

static struct span state_path(struct loader *loader, uint32_t parent, struct span key)
{
    if (parent == NO_STATE)
        return SPAN("");
    if (parent == 0)
        return key;
    struct span outer = loader->states[parent].path;
    return text_print(loader->arena, "%.*s.%.*s", SPAN_ARGS(outer), SPAN_ARGS(key));
}

static void check_key(struct loader *loader, const struct node_entry *entry)
{
    struct span key = entry->key;
    if (loader->machine.semantics == SEMANTICS_SCXML && key.size > 0)
        return; /* ids there may look like anything */
    if (key.size == 0 || span_find(key, SPAN("."), 0) != SIZE_MAX || key.text[0] == '#') {
        struct diagnostic *error = loader_error(
            loader, "IL0104", entry->place, "`%.*s` cannot be a state's name", SPAN_ARGS(key));
        diagnostic_help(loader->diagnostics, error,
                        "a name is not empty, has no dot and does not begin with #");
    }
}

static uint32_t add_state(struct loader *loader, const struct node *node, struct span key,
                          uint32_t parent)
{
    loader_reserve(loader, loader->states, loader->state_count, loader->state_capacity);
    uint32_t index = loader->state_count++;
    struct machine_state *state = &loader->states[index];
    *state = (struct machine_state){.key = key,
                                    .path = state_path(loader, parent, key),
                                    .parent = parent,
                                    .initial = NO_INDEX,
                                    .leaf = NO_INDEX,
                                    .memory = NO_INDEX,
                                    .place = node->place};
    state->id = parent == NO_STATE ? loader->machine.id : state->path;
    if (parent != NO_STATE)
        loader_string(loader, node, "id", &state->id);
    return index;
}

static void load_state(struct loader *loader, const struct node *node, struct span key,
                       uint32_t parent, uint32_t depth);

static void load_children(struct loader *loader, const struct node *node, uint32_t parent,
                          uint32_t depth)
{
    const struct node *states = loader_map(loader, node, "states");
    if (states == NULL || states->count == 0)
        return;
    if (depth >= STATE_DEPTH_MAX) {
        loader_error(loader, "IL0108", states->place, "states nest deeper than %d levels",
                     STATE_DEPTH_MAX);
        return;
    }
    for (uint32_t i = 0; i < states->count; i++) {
        check_key(loader, &states->entries[i]);
        load_state(loader, states->entries[i].value, states->entries[i].key, parent, depth + 1);
    }
}

static void suggest_child(struct loader *loader, struct diagnostic *error, uint32_t parent,
                          struct span key)
{
    uint32_t count = 0;
    uint32_t end = loader->states[parent].end;
    struct span *keys = arena_new_array(loader->arena, end - parent, struct span);
    for (uint32_t child = parent + 1; child < end; child = loader->states[child].end)
        keys[count++] = loader->states[child].key;
    diagnostic_suggest(loader->diagnostics, error, key, keys, count);
}

/* `initial: A`, or XState's `initial: { target: A }`; NULL after an error. */
static const struct node *initial_target(struct loader *loader, const struct node *node)
{
    static const struct key_rule keys[] = {
        {"target", true}, {"description", true}, {"meta", true}, {"actions", true}};
    const struct node *initial = node_find(node, SPAN("initial"));
    if (initial->kind != NODE_MAP)
        return initial;
    loader_check_keys(loader, initial, keys, sizeof keys / sizeof keys[0], "`initial`");
    if (node_find(initial, SPAN("target")) == NULL)
        loader_error(loader, "IL0103", initial->place, "`initial` needs `target`");
    return node_find(initial, SPAN("target"));
}

/* A child by its key, with or without a dot before it. */
static bool initial_child(struct loader *loader, const struct node *target, uint32_t index,
                          struct range *range)
{
    if (!node_is_string(target)) {
        loader_error(loader, "IL0104", target->place, "`initial` must be a string, not %s",
                     node_kind_name(target));
        return false;
    }
    struct span key = node_text(target);
    if (key.size > 0 && key.text[0] == '.')
        key = span_slice(key, 1, key.size);
    uint32_t child = load_target_child(loader, index, key);
    if (child == NO_STATE) {
        suggest_child(loader,
                      loader_error(loader, "IL0107", target->place,
                                   "there is no state `%.*s` in %.*s", SPAN_ARGS(key),
                                   SPAN_ARGS(loader_state_name(loader, index))),
                      index, key);
        return false;
    }
    loader_reserve(loader, loader->targets, loader->target_count, loader->target_capacity);
    *range = (struct range){loader->target_count, 1};
    loader->targets[loader->target_count++] = child;
    return true;
}

/* SCXML: ids of states somewhere inside, several in a parallel one. */
static bool initial_descendants(struct loader *loader, const struct node *target,
                                uint32_t index, struct range *range)
{
    bool together;
    if (!load_targets(loader, index, target, range, &together))
        return false;
    if (!together)
        range->count = 1;
    for (uint32_t i = 0; i < range->count; i++) {
        uint32_t state = loader->targets[range->first + i];
        if (state <= index || state >= loader->states[index].end) {
            loader_error(loader, "IL0104", target->place, "%.*s does not lie in %.*s",
                         SPAN_ARGS(loader_state_name(loader, state)),
                         SPAN_ARGS(loader_state_name(loader, index)));
            return false;
        }
    }
    return true;
}

static void refuse_no_initial(struct loader *loader, uint32_t index, struct place place)
{
    struct diagnostic *error =
        loader_error(loader, "IL0103", place, "%.*s has states inside but no `initial`",
                     SPAN_ARGS(loader_state_name(loader, index)));
    diagnostic_help(loader->diagnostics, error, "name the one that is entered first");
}

static void load_initial(struct loader *loader, uint32_t index)
{
    const struct node *node = loader->state_nodes[index];
    const struct node *initial = node_find(node, SPAN("initial"));
    enum state_type type = loader->states[index].type;
    const struct node *states = node_find(node, SPAN("states"));
    bool is_told = states != NULL && states->kind != NODE_MAP;
    struct range targets;
    if (type == STATE_ATOMIC && initial != NULL && !is_told)
        loader_error(loader, "IL0104", initial->place,
                     "`initial` does not fit: %.*s has no states inside",
                     SPAN_ARGS(loader_state_name(loader, index)));
    if (type != STATE_COMPOUND)
        return;
    if (initial == NULL) {
        refuse_no_initial(loader, index, node->place);
        return;
    }
    const struct node *target = initial_target(loader, node);
    if (target == NULL)
        return;
    bool fine = loader->machine.semantics == SEMANTICS_SCXML
                    ? initial_descendants(loader, target, index, &targets)
                    : initial_child(loader, target, index, &targets);
    struct range actions = load_actions(loader, node_find(initial, SPAN("actions")));
    if (fine)
        loader->states[index].initial =
            load_default_transition(loader, index, targets, actions, initial->place);
}

/* `history: deep`, or XState's `history: true` for a shallow one. */
static void load_depth(struct loader *loader, uint32_t index)
{
    const struct node *history = node_find(loader->state_nodes[index], SPAN("history"));
    if (history == NULL)
        return;
    if (node_is_string(history) && span_is(node_text(history), "deep"))
        loader->states[index].is_deep = true;
    else if (!(node_is_string(history) && span_is(node_text(history), "shallow")) &&
             !(history->kind == NODE_SCALAR && history->scalar.kind == VALUE_BOOL))
        loader_error(loader, "IL0104", history->place, "`history` is shallow or deep");
}

/* The default of a history state is a transition; XState: where there is none, what its
 * parent enters by default. */
static void load_history(struct loader *loader, uint32_t index)
{
    const struct node *node = loader->state_nodes[index];
    const struct node *target = node_find(node, SPAN("target"));
    uint32_t parent = loader->states[index].parent;
    struct range targets;
    bool together;
    load_depth(loader, index);
    if (target == NULL) {
        loader->states[index].initial = loader->states[parent].initial;
        return;
    }
    if (!load_targets(loader, index, target, &targets, &together))
        return;
    if (!together)
        targets.count = 1;
    struct range actions = load_actions(loader, node_find(node, SPAN("actions")));
    loader->states[index].initial =
        load_default_transition(loader, index, targets, actions, target->place);
}

/* What a history state falls back on must be states: in a circle nothing would be entered. */
static void check_history(struct loader *loader, uint32_t index)
{
    uint32_t initial = loader->states[index].initial;
    if (initial == NO_INDEX)
        return;
    struct range targets = loader->transitions[initial].targets;
    for (uint32_t i = 0; i < targets.count; i++) {
        if (loader->states[loader->targets[targets.first + i]].type == STATE_HISTORY)
            loader_error(loader, "IL0104", loader->states[index].place,
                         "the history state %.*s needs a `target` that is no history state",
                         SPAN_ARGS(loader_state_name(loader, index)));
    }
}

void load_initials(struct loader *loader)
{
    for (uint32_t i = 0; i < loader->state_count; i++) {
        if (loader->states[i].type != STATE_HISTORY)
            load_initial(loader, i);
    }
    for (uint32_t i = 0; i < loader->state_count; i++) {
        if (loader->states[i].type == STATE_HISTORY)
            load_history(loader, i);
    }
    for (uint32_t i = 0; i < loader->state_count; i++) {
        if (loader->states[i].type == STATE_HISTORY)
            check_history(loader, i);
    }
    loader_reserve(loader, loader->targets, loader->target_count, loader->target_capacity);
    struct range root = {loader->target_count, 1};
    loader->targets[loader->target_count++] = 0;
    loader->machine.start =
        load_default_transition(loader, 0, root, (struct range){0}, loader->states[0].place);
}

/* A parent of history states remembers. */
static void give_memory(struct loader *loader, uint32_t history)
{
    uint32_t parent = loader->states[history].parent;
    if (loader->states[parent].memory == NO_INDEX)
        loader->states[parent].memory = loader->machine.memory_count++;
}

static void check_final(struct loader *loader, const struct node *node)
{
    static const char *const not_in_final[] = {"on",     "always", "after",
                                               "invoke", "onDone", "initial"};
    if (loader->machine.semantics == SEMANTICS_SCXML)
        return; /* exotic, but no error there */
    for (size_t i = 0; i < sizeof not_in_final / sizeof not_in_final[0]; i++) {
        const struct node *found = node_find(node, span_from_text(not_in_final[i]));
        if (found != NULL)
            loader_error(loader, "IL0104", found->place,
                         "a final state has no `%s`: nothing happens in it", not_in_final[i]);
    }
}

static void check_keys(struct loader *loader, const struct node *node)
{
    const struct node *transitions = node_find(node, SPAN("transitions"));
    loader_check_keys(loader, node, state_keys, sizeof state_keys / sizeof state_keys[0],
                      "a state");
    if (transitions != NULL && loader->machine.derivation == NULL)
        load_refuse_underived(loader, "transitions", transitions->place);
}

static void load_state(struct loader *loader, const struct node *node, struct span key,
                       uint32_t parent, uint32_t depth)
{
    bool is_root = parent == NO_STATE;
    if (loader->state_count >= STATES_MAX) {
        if (loader->state_count == STATES_MAX)
            loader_error(loader, "IL0108", node->place, "more than %d states", STATES_MAX);
        return;
    }
    uint32_t index = add_state(loader, node, key, parent);
    loader->state_nodes = loader->state_count == 1
                              ? arena_new_array(loader->arena, STATES_MAX, const struct node *)
                              : loader->state_nodes;
    loader->state_nodes[index] = node;
    loader->states[index].end = index + 1;
    if (node->kind == NODE_SCALAR && node->scalar.kind == VALUE_NULL)
        return; /* `PENDING:` with nothing behind it is a state without anything in it */
    if (node->kind != NODE_MAP) {
        loader_error(loader, "IL0104", node->place, "a state must be a map, not %s",
                     node_kind_name(node));
        return;
    }
    if (!is_root)
        check_keys(loader, node);
    enum state_type type = load_type(loader, node);
    if (is_root && type == STATE_HISTORY) {
        loader_error(loader, "IL0104", node->place, "a machine is no history state");
        type = STATE_ATOMIC;
    }
    struct range tags = load_tags(loader, node);
    const struct node *output = node_find(node, SPAN("output"));
    loader->states[index].type = type;
    loader->states[index].tags = tags;
    if (output != NULL && (type == STATE_FINAL || is_root))
        loader->states[index].output = loader_slot(loader, output);
    else if (output != NULL && loader->machine.semantics == SEMANTICS_XSTATE)
        loader_error(loader, "IL0104", output->place,
                     "`output` belongs to final states and to the machine");
    if (type == STATE_FINAL)
        check_final(loader, node);
    load_children(loader, node, index, depth);
    loader->states[index].end = loader->state_count;
    if (type == STATE_HISTORY && !is_root)
        give_memory(loader, index);
    if (type == STATE_PARALLEL)
        loader->machine.has_parallel = true;
}

/* Whether a state's id is the name of another: of two equal ids the later one is wrong. */
static bool takes_name(const struct loader *loader, uint32_t state, uint32_t other)
{
    struct span id = loader->states[state].id;
    return state != other && (span_equal(loader->states[other].path, id) ||
                              (other < state && span_equal(loader->states[other].id, id)));
}

static void check_ids(struct loader *loader)
{
    for (uint32_t i = 1; i < loader->state_count; i++) {
        const struct machine_state *state = &loader->states[i];
        if (span_equal(state->id, state->path))
            continue;
        if (state->id.size == 0)
            loader_error(loader, "IL0104", state->place, "the id of %.*s is empty",
                         SPAN_ARGS(state->path));
        for (uint32_t j = 0; j < loader->state_count; j++) {
            if (state->id.size > 0 && takes_name(loader, i, j))
                loader_error(loader, "IL0109", state->place,
                             "the id `%.*s` is that of %.*s too", SPAN_ARGS(state->id),
                             SPAN_ARGS(loader_state_name(loader, j)));
        }
    }
}

void load_states(struct loader *loader)
{
    load_state(loader, loader->root, SPAN(""), NO_STATE, 0);
    check_ids(loader);
    for (uint32_t i = 0; i < loader->state_count; i++) {
        struct machine_state *state = &loader->states[i];
        if ((state->type == STATE_COMPOUND || state->type == STATE_PARALLEL) && i > 0)
            state->done_event = loader_event(
                loader, text_print(loader->arena, "done.state.%.*s", SPAN_ARGS(state->id)),
                state->place);
    }
}
