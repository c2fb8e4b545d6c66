/*
 * derivation_states.c - the states of a data-driven definition, and where they lead.
 */
#include "base/ensure.h"
#include "chart/derivation_reader.h"

static uint32_t add_state(struct derivation_reader *reader, uint32_t parent, struct span key,
                          struct place place, const struct node *node)
{
    struct span path = key;
    if (reader->state_count == DERIVATION_STATES_MAX) {
        derivation_error(reader, "IL0108", place, "more than %d states to derive",
                         DERIVATION_STATES_MAX);
        arena_spend(reader->arena);
    }
    if (parent != NO_STATE)
        path = text_print(reader->arena, "%.*s.%.*s", SPAN_ARGS(reader->states[parent].path),
                          SPAN_ARGS(key));
    if (reader->state_count == reader->state_capacity) {
        uint32_t capacity = reader->state_capacity;
        reader->nodes = derivation_grow(reader->arena, reader->nodes, reader->state_count,
                                        &capacity, sizeof *reader->nodes);
        reader->states = derivation_grow(reader->arena, reader->states, reader->state_count,
                                         &reader->state_capacity, sizeof *reader->states);
    }
    reader->nodes[reader->state_count] = node;
    reader->states[reader->state_count] = (struct derivation_state){
        .key = key,
        .path = path,
        .id = path,
        .parent = parent,
        .initial = NO_STATE,
        .leaf = NO_INDEX,
        .validator = NO_INDEX,
        .place = place,
    };
    return reader->state_count++;
}

static uint32_t find_child(const struct derivation_reader *reader, uint32_t parent,
                           struct span key)
{
    for (uint32_t i = 0; i < reader->state_count; i++) {
        if (reader->states[i].parent == parent && span_equal(reader->states[i].key, key))
            return i;
    }
    return NO_STATE;
}

/* A path below a parent: a key, or keys with dots between. */
static uint32_t find_path(const struct derivation_reader *reader, uint32_t parent,
                          struct span path)
{
    uint32_t whole = find_child(reader, parent, path);
    if (whole != NO_STATE)
        return whole;
    for (size_t i = 1; i < path.size; i++) {
        if (path.text[i] != '.')
            continue;
        uint32_t child = find_child(reader, parent, span_slice(path, 0, i));
        if (child != NO_STATE)
            return find_path(reader, child, span_slice(path, i + 1, path.size));
    }
    return NO_STATE;
}

static uint32_t find_id(const struct derivation_reader *reader, struct span id)
{
    for (uint32_t i = 0; i < reader->state_count; i++) {
        if (span_equal(reader->states[i].id, id))
            return i;
    }
    struct span machine = reader->derivation.id;
    if (span_starts_with(id, machine) && id.size > machine.size + 1 &&
        id.text[machine.size] == '.')
        return find_path(reader, NO_STATE, span_slice(id, machine.size + 1, id.size));
    return NO_STATE;
}

/* Siblings first, then those of the ancestors, up to the root's children. */
static uint32_t find_around(const struct derivation_reader *reader, uint32_t from,
                            struct span name)
{
    for (uint32_t at = from; at != NO_STATE; at = reader->states[at].parent) {
        uint32_t found = find_path(reader, reader->states[at].parent, name);
        if (found != NO_STATE)
            return found;
    }
    return find_path(reader, NO_STATE, name);
}

static uint32_t find_state(const struct derivation_reader *reader, uint32_t from,
                           struct span name)
{
    if (span_starts_with(name, SPAN("#")))
        return find_id(reader, span_slice(name, 1, name.size));
    if (span_starts_with(name, SPAN(".")))
        return find_path(reader, from, span_slice(name, 1, name.size));
    return find_around(reader, from, name);
}

uint32_t derivation_resolve(struct derivation_reader *reader, uint32_t from, struct span name,
                            struct place place)
{
    uint32_t found = find_state(reader, from, name);
    if (found != NO_STATE)
        return found;
    struct span *names = arena_new_array(reader->arena, reader->state_count, struct span);
    for (uint32_t i = 0; i < reader->state_count; i++)
        names[i] = reader->states[i].path;
    struct diagnostic *error =
        derivation_error(reader, "IL0107", place, "there is no state `%.*s`", SPAN_ARGS(name));
    diagnostic_suggest(reader->diagnostics, error, name, names, reader->state_count);
    return NO_STATE;
}

/* States */

static void read_id(struct derivation_reader *reader, uint32_t state)
{
    const struct node *id = node_find(reader->nodes[state], SPAN("id"));
    if (id != NULL && node_is_string(id))
        reader->states[state].id = node_text(id);
}

static bool is_type(const struct node *node, const char *type)
{
    const struct node *written = node_find(node, SPAN("type"));
    return written != NULL && node_is_string(written) && span_is(node_text(written), type);
}

static void read_level(struct derivation_reader *reader, uint32_t parent,
                       const struct node *states, unsigned levels)
{
    if (levels == 0) {
        derivation_error(reader, "IL0108", states->place, "states nested deeper than %d levels",
                         STATE_DEPTH_MAX);
        return;
    }
    for (uint32_t i = 0; i < states->count; i++) {
        const struct node_entry *entry = &states->entries[i];
        bool is_empty = entry->value->kind == NODE_SCALAR &&
                        entry->value->scalar.kind == VALUE_NULL; /* `SHIPPED:` */
        uint32_t state =
            add_state(reader, parent, entry->key, entry->place, is_empty ? NULL : entry->value);
        if (is_empty)
            continue;
        if (entry->value->kind != NODE_MAP) {
            derivation_error(reader, "IL0104", entry->value->place,
                             "a state must be a map, not %s", node_kind_name(entry->value));
            continue;
        }
        if (is_type(entry->value, "parallel") || is_type(entry->value, "history"))
            derivation_error(reader, "IL0106", entry->value->place,
                             "only the root of a data-driven machine may be parallel, and "
                             "nothing in it has a history");
        read_id(reader, state);
        const struct node *children = derivation_map(reader, entry->value, "states");
        if (children != NULL && children->count > 0)
            read_level(reader, state, children, levels - 1);
    }
}

static void add_keys(struct derivation_reader *reader, const struct node *map)
{
    for (uint32_t i = 0; map != NULL && i < map->count; i++) {
        if (find_child(reader, NO_STATE, map->entries[i].key) == NO_STATE)
            add_state(reader, NO_STATE, map->entries[i].key, map->entries[i].place, NULL);
    }
}

static uint32_t first_child(const struct derivation_reader *reader, uint32_t parent)
{
    uint32_t i = 0;
    while (i < reader->state_count && reader->states[i].parent != parent)
        i++;
    return i < reader->state_count ? i : NO_STATE;
}

/* The state that `initial` of a map names, among the parent's children. */
static uint32_t read_initial(struct derivation_reader *reader, const struct node *map,
                             uint32_t parent)
{
    const struct node *initial = node_find(map, SPAN("initial"));
    uint32_t child = first_child(reader, parent);
    struct place place = parent == NO_STATE ? map->place : reader->states[parent].place;
    if (initial == NULL && child != NO_STATE)
        derivation_error(reader, "IL0103", place,
                         "`initial` is missing: the state to begin in");
    if (initial == NULL || child == NO_STATE)
        return child;
    if (!node_is_string(initial)) {
        derivation_error(reader, "IL0104", initial->place, "`initial` must be a string, not %s",
                         node_kind_name(initial));
        return child;
    }
    uint32_t found = find_path(reader, parent, node_text(initial));
    return found == NO_STATE
               ? derivation_resolve(reader, child, node_text(initial), initial->place)
               : found;
}

static void read_initials(struct derivation_reader *reader)
{
    for (uint32_t i = 0; i < reader->state_count; i++) {
        if (first_child(reader, i) != NO_STATE)
            reader->states[i].initial = read_initial(reader, reader->nodes[i], i);
    }
}

static void read_regions(struct derivation_reader *reader)
{
    struct derivation *derivation = &reader->derivation;
    derivation->is_parallel = is_type(reader->root, "parallel");
    uint32_t count = 0;
    for (uint32_t i = 0; i < reader->state_count; i++)
        count += reader->states[i].parent == NO_STATE;
    count = derivation->is_parallel ? count : 1;
    struct derivation_region *regions =
        arena_new_array(reader->arena, count, struct derivation_region);
    derivation->regions = regions;
    derivation->region_count = count;
    if (!derivation->is_parallel)
        regions[0] = (struct derivation_region){
            SPAN(""), read_initial(reader, reader->root, NO_STATE), 0, 0};
    for (uint32_t i = 0; derivation->is_parallel && i < reader->state_count; i++) {
        if (reader->states[i].parent == NO_STATE)
            *regions++ = (struct derivation_region){reader->states[i].key, i, 0, 0};
    }
}

void derivation_read_states(struct derivation_reader *reader)
{
    const struct node *states = derivation_map(reader, reader->root, "states");
    if (states != NULL)
        read_level(reader, NO_STATE, states, STATE_DEPTH_MAX);
    else {
        add_keys(reader, derivation_map(reader, reader->root, "transitions"));
        add_keys(reader, derivation_map(reader, reader->root, "validators"));
    }
    if (reader->state_count == 0) {
        derivation_error(reader, "IL0103", reader->root->place,
                         "there are no states: `transitions` and `validators` name them");
        return;
    }
    read_initials(reader);
    read_regions(reader);
}

/* Edges */

static uint32_t region_of(const struct derivation_reader *reader, uint32_t state)
{
    while (reader->states[state].parent != NO_STATE)
        state = reader->states[state].parent;
    return state;
}

static void add_target(struct derivation_reader *reader, uint32_t from, const struct node *name)
{
    if (!node_is_string(name)) {
        derivation_error(reader, "IL0104", name->place,
                         "a transition names a state, and is not %s", node_kind_name(name));
        return;
    }
    uint32_t target = derivation_resolve(reader, from, node_text(name), name->place);
    if (target == NO_STATE)
        return;
    if (reader->derivation.is_parallel &&
        region_of(reader, target) != region_of(reader, from)) {
        derivation_error(
            reader, "IL0104", name->place,
            "a transition from one region into another: regions are derived apart");
        return;
    }
    derivation_reserve(reader, reader->targets, reader->target_count, reader->target_capacity);
    reader->targets[reader->target_count++] = target;
}

static void read_targets(struct derivation_reader *reader, uint32_t from,
                         const struct node *list)
{
    struct derivation_state *state = &reader->states[from];
    if (list->kind == NODE_SCALAR && list->scalar.kind == VALUE_NULL)
        return;
    if (state->targets.count > 0) {
        derivation_error(reader, "IL0109", list->place,
                         "the transitions of `%.*s` are written twice", SPAN_ARGS(state->path));
        return;
    }
    state->targets.first = reader->target_count;
    if (list->kind == NODE_LIST) {
        for (uint32_t i = 0; i < list->count; i++)
            add_target(reader, from, list->items[i]);
    } else {
        add_target(reader, from, list);
    }
    reader->states[from].targets.count = reader->target_count - state->targets.first;
}

void derivation_read_targets(struct derivation_reader *reader)
{
    const struct node *transitions = node_find(reader->root, SPAN("transitions"));
    for (uint32_t i = 0; i < reader->state_count; i++) {
        const struct node *list = node_find(reader->nodes[i], SPAN("transitions"));
        if (list != NULL)
            read_targets(reader, i, list);
    }
    for (uint32_t i = 0; transitions != NULL && transitions->kind == NODE_MAP &&
                         reader->state_count > 0 && i < transitions->count;
         i++) {
        const struct node_entry *entry = &transitions->entries[i];
        uint32_t from = derivation_resolve(reader, NO_STATE, entry->key, entry->place);
        if (from != NO_STATE)
            read_targets(reader, from, entry->value);
    }
}
