/*
 * derivation.c - one record, one state. See derivation.h.
 *
 * Validators are looked at from the end of the order: what was visited last and holds wins, so
 * what comes before it cannot matter, nor can its errors.
 */
#include "chart/derivation.h"

#include <math.h>

#include "base/ensure.h"

/* Numbers */

static struct value whole_number(struct value value)
{
    bool is_whole = value.kind == VALUE_DOUBLE && trunc(value.real) == value.real &&
                    value.real >= -0x1p63 && value.real < 0x1p63;
    return is_whole ? value_int((int64_t)value.real) : value;
}

/* A number in the kind that the schema says; what is no number stays what it is. */
static struct value as_kind(struct value value, enum value_kind kind)
{
    if (kind == VALUE_DOUBLE && value.kind == VALUE_INT)
        return value_double((double)value.integer);
    return kind == VALUE_INT ? whole_number(value) : value;
}

/* The record as validators see it */

static struct value field_value(const struct derivation_field *field, struct value record)
{
    const struct value *found = value_find(record, field->name);
    if (found != NULL && found->kind != VALUE_NULL)
        return as_kind(*found, field->kind);
    if (field->has_preset)
        return field->preset;
    return found == NULL ? field->missing : *found;
}

struct value derivation_record(const struct derivation *derivation, struct value record,
                               struct arena *arena)
{
    ensure(record.kind == VALUE_MAP);
    if (derivation->field_count == 0)
        return record;
    size_t most = (size_t)record.count + derivation->field_count;
    struct value_entry *entries = arena_new_array(arena, most, struct value_entry);
    uint32_t count = 0;
    for (uint32_t i = 0; i < record.count; i++)
        entries[count++] = record.entries[i];
    for (uint32_t i = 0; i < derivation->field_count; i++) {
        const struct derivation_field *field = &derivation->fields[i];
        struct value value = field_value(field, record);
        uint32_t at = 0;
        while (at < count && !span_equal(value_span(entries[at].key), field->name))
            at++;
        if (value_is_error(value))
            continue; /* stays missing */
        entries[at] = (struct value_entry){value_string(field->name), value};
        count += at == count;
    }
    return value_map(entries, count);
}

void derivation_bind(const struct derivation *derivation, struct value record,
                     struct value *slots, struct arena *arena)
{
    slots[0] = derivation->needs_record ? derivation_record(derivation, record, arena) : record;
    for (uint32_t i = 0; i < derivation->read_count; i++)
        slots[1 + i] = field_value(&derivation->fields[i], record);
}

/* Derivation */

static struct value run_validator(const struct derivation *derivation, uint32_t validator,
                                  const struct value *slots, struct arena *arena)
{
    const struct expr_frame frame = {.slots = slots,
                                     .slot_count = derivation_slot_count(derivation)};
    struct value value = expr_run(derivation->validators[validator].program, &frame, arena);
    if (value.kind == VALUE_BOOL || value_is_error(value))
        return value;
    return value_error(SPAN("the validator is neither true nor false"));
}

struct value derivation_verdict(const struct derivation *derivation, uint32_t leaf,
                                const struct value *slots, struct arena *arena)
{
    struct range range = derivation->leaves[leaf].validators;
    struct value verdict = value_bool(range.count > 0);
    for (uint32_t i = 0; i < range.count; i++) {
        uint32_t validator = derivation->validator_refs[range.first + i];
        struct value value = run_validator(derivation, validator, slots, arena);
        if (value.kind == VALUE_BOOL && !value.boolean)
            return value; /* false && error is false */
        if (!value_is_error(verdict))
            verdict = value;
    }
    return verdict;
}

struct derived derivation_run(const struct derivation *derivation, uint32_t start,
                              const struct value *slots, struct arena *arena)
{
    ensure(start < derivation->leaf_count);
    struct range order = derivation->leaves[start].order;
    struct derived derived = {.start = start, .state = start};
    for (uint32_t place = order.count; place-- > 0;) {
        const struct derivation_visit *visit = &derivation->visits[order.first + place];
        struct value verdict = derivation_verdict(derivation, visit->leaf, slots, arena);
        derived.errors += value_is_error(verdict);
        if (value_is_true(verdict)) {
            derived.state = visit->leaf;
            derived.place = place;
            derived.holds = true;
            return derived;
        }
        if (visit->leaf == start)
            derived.place = place;
    }
    return derived;
}

uint32_t derivation_via(const struct derivation *derivation, const struct derived *derived,
                        uint16_t *leaves)
{
    struct range order = derivation->leaves[derived->start].order;
    const struct derivation_visit *visits = derivation->visits + order.first;
    const struct derivation_visit *at = &visits[derived->place];
    uint32_t count = at->level < 2 ? 0 : at->level - 1u;
    for (uint32_t i = count; i-- > 0;) {
        at = &visits[at->from];
        leaves[i] = at->leaf;
    }
    return count;
}

bool derivation_reaches(const struct derivation *derivation, uint32_t from, uint32_t to)
{
    struct range order = derivation->leaves[from].order;
    for (uint32_t i = 0; i < order.count; i++) {
        if (derivation->visits[order.first + i].leaf == to)
            return true;
    }
    return false;
}

static uint32_t leaf_of(const struct derivation *derivation, uint32_t state)
{
    while (derivation->states[state].leaf == NO_INDEX)
        state = derivation->states[state].initial;
    return derivation->states[state].leaf;
}

uint32_t derivation_find(const struct derivation *derivation, uint32_t region, struct span name)
{
    uint32_t found = NO_STATE;
    for (uint32_t i = 0; i < derivation->state_count; i++) {
        const struct derivation_state *state = &derivation->states[i];
        bool is_path = span_equal(state->path, name) || span_equal(state->id, name);
        if (!is_path && !span_equal(state->key, name))
            continue;
        uint32_t leaf = leaf_of(derivation, i);
        if (derivation->leaves[leaf].region != region)
            continue;
        if (is_path)
            return leaf;
        found = found == NO_STATE ? leaf : NO_INDEX - 1; /* a key that is there twice */
    }
    return found < derivation->leaf_count ? found : NO_STATE;
}
