/*
 * load_derived.c - machines whose state follows from a record.
 *
 * The derivation is read first, from the same tree: its validators, its edges, its record. The
 * rest of the machine is loaded as any other, so its states have entry and exit actions,
 * invokes and timers; but what leads from state to state is the derivation alone. Transitions
 * may act and assign the record, and have no targets.
 */
#include "base/ensure.h"
#include "chart/loader.h"

bool load_derivation(struct loader *loader)
{
    if (!derivation_is_definition(loader->root))
        return true;
    loader->machine.derivation =
        derivation_read(loader->root, loader->arena, loader->diagnostics);
    return loader->machine.derivation != NULL;
}

void load_refuse_underived(struct loader *loader, const char *key, struct place place)
{
    struct diagnostic *error = loader_error(
        loader, "IL0106", place, "`%s` is for machines whose state follows from a record", key);
    diagnostic_help(loader->diagnostics, error,
                    "give the states validators, or write transitions under `on`");
}

/* Expressions of the machine would mean something else by it. */
static void check_name(struct loader *loader)
{
#define VARIABLE_NAME(name, text) SPAN_INIT(text),
    static const struct span taken[] = {CHART_VARIABLE_LIST(VARIABLE_NAME)};
#undef VARIABLE_NAME
    struct span name = loader->machine.derivation->record;
    const struct node *record = node_find(loader->root, SPAN("record"));
    for (uint32_t i = 0; i < CHART_VARIABLE_COUNT; i++) {
        if (span_equal(taken[i], name))
            loader_error(loader, "IL0109", record->place,
                         "the record may not be called `%.*s`: that means something else in "
                         "expressions",
                         SPAN_ARGS(name));
    }
}

/* What only a derivation that is not parallel has: states that have no place under `states`. */
static void name_states(struct loader *loader)
{
    const struct derivation *derivation = loader->machine.derivation;
    struct node *states = arena_new(loader->arena, struct node);
    struct node *root = arena_new(loader->arena, struct node);
    struct node_entry *named =
        arena_new_array(loader->arena, derivation->state_count, struct node_entry);
    struct node_entry *entries =
        arena_new_array(loader->arena, loader->root->count + 1, struct node_entry);
    for (uint32_t i = 0; i < derivation->state_count; i++) {
        struct node *state = arena_new(loader->arena, struct node);
        struct place place = derivation->states[i].place;
        *state = (struct node){.kind = NODE_SCALAR, .place = place, .scalar = value_null()};
        named[i] = (struct node_entry){
            .key = derivation->states[i].key, .place = place, .value = state};
    }
    *states = (struct node){.kind = NODE_MAP,
                            .place = loader->root->place,
                            .count = derivation->state_count,
                            .entries = named};
    for (uint32_t i = 0; i < loader->root->count; i++)
        entries[i] = loader->root->entries[i];
    entries[loader->root->count] = (struct node_entry){
        .key = SPAN("states"), .place = loader->root->place, .value = states};
    *root = *loader->root;
    root->entries = entries;
    root->count++;
    loader->root = root;
}

void load_record(struct loader *loader)
{
    static const char *const keys[] = {"transitions", "derive"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const struct node *found = node_find(loader->root, span_from_text(keys[i]));
        if (found != NULL && loader->machine.derivation == NULL)
            load_refuse_underived(loader, keys[i], found->place);
    }
    if (loader->machine.derivation == NULL)
        return;
    loader->machine.patch_event = loader_event(loader, SPAN(PATCH_EVENT), loader->root->place);
    check_name(loader);
    if (node_find(loader->root, SPAN("states")) == NULL)
        name_states(loader);
}

bool load_may_target(struct loader *loader, const struct node *target)
{
    if (loader->machine.derivation == NULL)
        return true;
    struct diagnostic *error =
        loader_error(loader, "IL0104", target->place,
                     "the state follows from the record: a transition has no target here");
    diagnostic_help(
        loader->diagnostics, error,
        "assign what the validator of that state reads: `{ assign: { FIELD: … } }`");
    return false;
}

/* The machine's state for one of the derivation's: both have the same tree. */
static uint32_t find_state(const struct loader *loader, uint32_t state)
{
    const struct derivation_state *sought = &loader->machine.derivation->states[state];
    uint32_t parent = sought->parent == NO_STATE ? 0 : find_state(loader, sought->parent);
    uint32_t found = load_target_child(loader, parent, sought->key);
    ensure(found != NO_STATE);
    return found;
}

void load_derived_states(struct loader *loader)
{
    const struct derivation *derivation = loader->machine.derivation;
    if (derivation == NULL)
        return;
    uint32_t *states = arena_new_array(loader->arena, derivation->leaf_count, uint32_t);
    for (uint32_t leaf = 0; leaf < derivation->leaf_count; leaf++) {
        states[leaf] = find_state(loader, derivation->leaves[leaf].state);
        const struct machine_state *state = &loader->states[states[leaf]];
        if (state->type == STATE_FINAL && !derivation_is_sink(derivation, leaf))
            loader_error(loader, "IL0104", state->place,
                         "%.*s cannot be final: its transitions lead on",
                         SPAN_ARGS(state->path));
    }
    loader->machine.derived_states = states;
}
