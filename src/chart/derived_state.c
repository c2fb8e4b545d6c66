/*
 * derived_state.c - explaining the state of one instance.
 */
#include "chart/derived_state.h"

#include "chart/derivation.h"

struct looking {
    const struct configuration *configuration;
    const struct derivation *derivation;
    struct value *slots;
    struct arena *arena;
};

static struct looking look_at(const struct configuration *configuration, struct arena *arena)
{
    const struct derivation *derivation = configuration->machine->derivation;
    struct looking looking = {
        .configuration = configuration,
        .derivation = derivation,
        .slots = arena_new_array(arena, derivation_slot_count(derivation), struct value),
        .arena = arena,
    };
    derivation_bind(derivation, configuration->context, looking.slots, arena);
    return looking;
}

/* The instance is in the leaf that the derivation gives; where its search began, its answer is
 * that leaf again. */
static struct derived derive(const struct looking *looking, uint32_t region)
{
    const struct derivation_region *range = &looking->derivation->regions[region];
    uint32_t leaf = range->leaf_first;
    const uint32_t *states = looking->configuration->machine->derived_states;
    while (leaf + 1 < range->leaf_first + range->leaf_count &&
           !configuration_has(looking->configuration, states[leaf]))
        leaf++;
    return derivation_run(looking->derivation, leaf, looking->slots, looking->arena);
}

static struct value explain(const struct looking *looking, const struct derived *derived)
{
    return derivation_explain(looking->derivation, derived, looking->slots, looking->arena);
}

struct value derived_state_explain(const struct configuration *configuration,
                                   struct arena *arena)
{
    const struct looking looking = look_at(configuration, arena);
    uint32_t count = looking.derivation->region_count;
    struct value regions = value_map(NULL, 0);
    struct value last = value_null();
    bool holds = true;
    for (uint32_t region = 0; region < count; region++) {
        struct derived derived = derive(&looking, region);
        holds = holds && derived.holds;
        last = explain(&looking, &derived);
        regions = value_with(arena, regions, looking.derivation->regions[region].name, last);
    }
    struct value told = value_with(arena, value_map(NULL, 0), SPAN("holds"), value_bool(holds));
    if (looking.derivation->is_parallel)
        return value_with(arena, told, SPAN("regions"), regions);
    for (uint32_t i = 0; i < last.count; i++)
        told = value_with(arena, told, value_span(last.entries[i].key), last.entries[i].value);
    return told;
}

static bool has_item(const struct value *items, uint32_t count, struct value item)
{
    for (uint32_t i = 0; i < count; i++) {
        if (value_equal(items[i], item))
            return true;
    }
    return false;
}

/* Lists that grow up to what was counted before. */
struct awaiting {
    struct value *fields;
    uint32_t field_count;
    struct value *next;
    uint32_t next_count;
};

static void add_next(const struct looking *looking, struct value leaf,
                     struct awaiting *awaiting)
{
    struct value because = value_member(leaf, SPAN("because"));
    struct value values = value_member(because, SPAN("values"));
    struct value next = value_with(looking->arena, value_map(NULL, 0), SPAN("state"),
                                   value_member(leaf, SPAN("state")));
    if (because.kind != VALUE_MAP)
        return; /* without a validator it is never entered */
    awaiting->next[awaiting->next_count++] =
        value_with(looking->arena, next, SPAN("because"), because);
    for (uint32_t i = 0; i < values.count; i++) {
        struct value name = values.entries[i].key;
        if (!has_item(awaiting->fields, awaiting->field_count, name))
            awaiting->fields[awaiting->field_count++] = name;
    }
}

struct value derived_state_awaits(const struct configuration *configuration,
                                  struct arena *arena)
{
    const struct looking looking = look_at(configuration, arena);
    const struct derivation *derivation = looking.derivation;
    struct awaiting awaiting = {
        .fields = arena_new_array(arena, derivation->read_count, struct value),
        .next = arena_new_array(arena, derivation->leaf_count, struct value),
    };
    for (uint32_t region = 0; region < derivation->region_count; region++) {
        struct derived derived = derive(&looking, region);
        struct value levels = value_member(explain(&looking, &derived), SPAN("levels"));
        for (uint32_t i = 0; levels.count > 1 && i < levels.items[1].count; i++)
            add_next(&looking, levels.items[1].items[i], &awaiting);
    }
    if (awaiting.next_count == 0)
        return value_map(NULL, 0);
    struct value told = value_with(arena, value_map(NULL, 0), SPAN("fields"),
                                   value_list(awaiting.fields, awaiting.field_count));
    return value_with(arena, told, SPAN("next"),
                      value_list(awaiting.next, awaiting.next_count));
}
