/*
 * derivation_explain.c - how a record came to its state, as a value.
 */
#include "base/ensure.h"
#include "chart/derivation.h"

struct explaining {
    const struct derivation *derivation;
    const struct value *slots;
    struct arena *arena;
};

struct growing {
    struct value_entry *entries;
    uint32_t count;
};

static void put(struct growing *map, const char *key, struct value value)
{
    map->entries[map->count++] = (struct value_entry){value_string(span_from_text(key)), value};
}

static struct growing grow_map(struct arena *arena, uint32_t most)
{
    return (struct growing){arena_new_array(arena, most, struct value_entry), 0};
}

/* What a validator was shown of a field; null also where there was nothing. */
static struct value seen_value(const struct explaining *explaining, struct span field)
{
    for (uint32_t i = 0; i < explaining->derivation->read_count; i++) {
        struct value slot = explaining->slots[1 + i];
        if (span_equal(explaining->derivation->fields[i].name, field))
            return value_is_error(slot) ? value_null() : slot;
    }
    return value_null();
}

static struct value describe_values(const struct explaining *explaining,
                                    const struct expr_program *program)
{
    const struct footprint *uses =
        footprint_read(program, explaining->derivation->record, explaining->arena);
    struct value map = value_map(NULL, 0);
    for (const struct footprint *use = uses; use != NULL; use = use->next) {
        if (use->kind != FOOTPRINT_WHOLE && value_find(map, use->field) == NULL)
            map = value_with(explaining->arena, map, use->field,
                             seen_value(explaining, use->field));
    }
    return map;
}

static struct value run(const struct explaining *explaining, const struct expr_program *program)
{
    const struct expr_frame frame = {.slots = explaining->slots,
                                     .slot_count =
                                         derivation_slot_count(explaining->derivation)};
    struct value value = expr_run(program, &frame, explaining->arena);
    if (value.kind == VALUE_BOOL || value_is_error(value))
        return value;
    return value_error(SPAN("the validator is neither true nor false"));
}

/* {"conjunct","values"}, with "error" where it gave none. */
static struct value describe_reason(const struct explaining *explaining, struct span text,
                                    const struct expr_program *program, struct value verdict)
{
    struct growing map = grow_map(explaining->arena, 3);
    put(&map, "conjunct", value_string(text));
    put(&map, "values", describe_values(explaining, program));
    if (value_is_error(verdict))
        put(&map, "error", value_string(value_span(verdict)));
    return value_map(map.entries, map.count);
}

/* A conjunct that is not true although the validator should be: the false one, else the first
 * error. NULL: all of them hold. */
static const struct derivation_conjunct *
find_conjunct(const struct explaining *explaining, const struct derivation_validator *validator,
              struct value *verdict)
{
    const struct derivation_conjunct *found = NULL;
    for (uint32_t i = 0; i < validator->conjunct_count; i++) {
        struct value value = run(explaining, validator->conjuncts[i].program);
        if (value_is_true(value))
            continue;
        if (found == NULL || !value_is_error(value)) {
            found = &validator->conjuncts[i];
            *verdict = value;
        }
        if (!value_is_error(value))
            break;
    }
    return found;
}

/* Why a leaf holds or does not: the conjunct that decided, or the leaf's whole validator. */
static struct value describe_because(const struct explaining *explaining, uint32_t leaf)
{
    const struct derivation *derivation = explaining->derivation;
    struct range range = derivation->leaves[leaf].validators;
    const struct derivation_conjunct *deciding = NULL;
    struct value verdict = value_bool(true);
    if (range.count == 0)
        return value_null();
    for (uint32_t i = 0; i < range.count; i++) {
        uint32_t ref = derivation->validator_refs[range.first + i];
        struct value value = value_bool(true);
        const struct derivation_conjunct *found =
            find_conjunct(explaining, &derivation->validators[ref], &value);
        if (found == NULL || (deciding != NULL && value_is_error(value)))
            continue;
        deciding = found;
        verdict = value;
        if (!value_is_error(value))
            break;
    }
    if (deciding != NULL)
        return describe_reason(explaining, deciding->text, deciding->program, verdict);
    uint32_t last = derivation->validator_refs[range.first + range.count - 1];
    const struct derivation_validator *validator = &derivation->validators[last];
    return describe_reason(explaining, validator->text, validator->program, verdict);
}

static struct value describe_leaf(const struct explaining *explaining, uint32_t leaf,
                                  struct value verdict)
{
    struct growing map = grow_map(explaining->arena, 4);
    put(&map, "state", value_string(derivation_path(explaining->derivation, leaf)));
    put(&map, "holds", value_bool(value_is_true(verdict)));
    struct value because = describe_because(explaining, leaf);
    if (because.kind == VALUE_MAP)
        put(&map, "because", because);
    return value_map(map.entries, map.count);
}

struct levels {
    struct value *levels;
    uint32_t level_count;
    struct value *others;
    uint32_t other_count;
};

static void add_level(const struct explaining *explaining, const struct derived *derived,
                      uint32_t level, struct levels *levels)
{
    const struct derivation *derivation = explaining->derivation;
    struct range order = derivation->leaves[derived->start].order;
    struct value *items = arena_new_array(explaining->arena, order.count, struct value);
    uint32_t count = 0;
    for (uint32_t i = 0; i < order.count; i++) {
        const struct derivation_visit *visit = &derivation->visits[order.first + i];
        if (visit->level != level)
            continue;
        struct value verdict =
            derivation_verdict(derivation, visit->leaf, explaining->slots, explaining->arena);
        items[count++] = describe_leaf(explaining, visit->leaf, verdict);
        if (value_is_true(verdict) && visit->leaf != derived->state)
            levels->others[levels->other_count++] =
                value_string(derivation_path(derivation, visit->leaf));
    }
    if (count > 0)
        levels->levels[levels->level_count++] = value_list(items, count);
}

struct value derivation_explain(const struct derivation *derivation,
                                const struct derived *derived, const struct value *slots,
                                struct arena *arena)
{
    const struct explaining explaining = {derivation, slots, arena};
    struct range order = derivation->leaves[derived->start].order;
    struct levels levels = {
        .levels = arena_new_array(arena, order.count, struct value),
        .others = arena_new_array(arena, order.count, struct value),
    };
    for (uint32_t level = 0; level < order.count; level++)
        add_level(&explaining, derived, level, &levels);
    struct growing map = grow_map(arena, 2);
    put(&map, "levels", value_list(levels.levels, levels.level_count));
    put(&map, "others", value_list(levels.others, levels.other_count));
    return value_map(map.entries, map.count);
}
