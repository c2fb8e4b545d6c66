/*
 * derivation_table.c - classes of values, and a hash table of their combinations.
 */
#include "chart/derivation_table.h"

#include <math.h>

#include "base/ensure.h"
#include "expr/expr.h"

enum { SLOT_COUNT = 4 * DERIVATION_ANSWERS_MAX, KEY_BITS = 63 };

struct table_entry {
    uint64_t key; /* + 1, so that 0 is an empty one */
    uint32_t number;
};

struct derivation_table {
    const struct derivation *derivation;
    struct derivation_classes *classes;
    uint32_t shift;
    uint32_t count;
    struct table_entry slots[SLOT_COUNT];
};

/* Classes */

struct collecting {
    const struct derivation *derivation;
    struct arena *arena;
    struct value *numbers;
    uint32_t number_count;
    struct span *strings;
    uint32_t string_count;
    bool is_plain;
};

static void insert_number(struct collecting *collecting, struct value number)
{
    uint32_t at = 0;
    while (at < collecting->number_count &&
           value_compare_numbers(collecting->numbers[at], number) < 0)
        at++;
    if (at < collecting->number_count &&
        value_compare_numbers(collecting->numbers[at], number) == 0)
        return;
    for (uint32_t i = collecting->number_count++; i > at; i--)
        collecting->numbers[i] = collecting->numbers[i - 1];
    collecting->numbers[at] = number;
}

static void insert_string(struct collecting *collecting, struct span string)
{
    uint32_t at = 0;
    while (at < collecting->string_count && span_compare(collecting->strings[at], string) < 0)
        at++;
    if (at < collecting->string_count && span_equal(collecting->strings[at], string))
        return;
    for (uint32_t i = collecting->string_count++; i > at; i--)
        collecting->strings[i] = collecting->strings[i - 1];
    collecting->strings[at] = string;
}

static void collect_constant(struct collecting *collecting, struct value constant)
{
    if (constant.kind == VALUE_STRING)
        insert_string(collecting, value_span(constant));
    else if (constant.kind == VALUE_DOUBLE && isnan(constant.real))
        collecting->is_plain = false;
    else if (constant.kind == VALUE_INT || constant.kind == VALUE_UINT ||
             constant.kind == VALUE_DOUBLE)
        insert_number(collecting, constant);
}

static uint32_t count_uses(const struct derivation *derivation, struct arena *arena)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < derivation->validator_count; i++) {
        const struct footprint *use =
            footprint_read(derivation->validators[i].program, derivation->record, arena);
        for (; use != NULL; use = use->next)
            count++;
    }
    return count;
}

static void collect(struct collecting *collecting, struct span field)
{
    const struct derivation *derivation = collecting->derivation;
    uint32_t most = count_uses(derivation, collecting->arena);
    collecting->numbers = arena_new_array(collecting->arena, most, struct value);
    collecting->strings = arena_new_array(collecting->arena, most, struct span);
    for (uint32_t i = 0; i < derivation->validator_count; i++) {
        const struct footprint *use = footprint_read(derivation->validators[i].program,
                                                     derivation->record, collecting->arena);
        for (; use != NULL; use = use->next) {
            if (!span_equal(use->field, field))
                continue;
            if (use->kind == FOOTPRINT_ANY)
                collecting->is_plain = false;
            else if (use->kind == FOOTPRINT_COMPARED)
                collect_constant(collecting, use->constant);
        }
    }
}

static bool reads_whole(const struct derivation *derivation, struct arena *arena)
{
    for (uint32_t i = 0; i < derivation->validator_count; i++) {
        const struct footprint *use =
            footprint_read(derivation->validators[i].program, derivation->record, arena);
        for (; use != NULL; use = use->next) {
            if (use->kind == FOOTPRINT_WHOLE)
                return true;
        }
    }
    return false;
}

/* How many classes the field has; those of no constant share the one of other kinds. */
static uint32_t number_classes(struct derivation_classes *classes)
{
    uint16_t next = MEMBER_OTHER;
    for (uint32_t member = 0; member < MEMBER_OTHER; member++)
        classes->of_member[member] = (uint16_t)member;
    classes->of_others = next++;
    classes->of_numbers = classes->of_others;
    classes->of_strings = classes->of_others;
    if (classes->number_count > 0) {
        classes->of_numbers = next;
        next = (uint16_t)(next + 2 * classes->number_count + 1);
    }
    if (classes->string_count > 0) {
        classes->of_strings = next;
        next = (uint16_t)(next + 2 * classes->string_count + 1);
    }
    return next;
}

static uint32_t make_classes(const struct derivation *derivation, uint32_t field,
                             struct derivation_classes *classes, struct arena *arena)
{
    const struct derivation_field *about = &derivation->fields[field];
    struct collecting collecting = {.derivation = derivation, .arena = arena, .is_plain = true};
    collect(&collecting, about->name);
    enum value_kind kind = about->kind;
    *classes = (struct derivation_classes){
        .is_plain = collecting.is_plain,
        .coerce = kind == VALUE_INT || kind == VALUE_DOUBLE ? kind : VALUE_NULL,
        .numbers = collecting.numbers,
        .number_count = collecting.number_count,
        .strings = collecting.strings,
        .string_count = collecting.string_count,
    };
    uint32_t count = number_classes(classes);
    if (count > UINT16_MAX / 2)
        return UINT32_MAX;
    if (about->has_preset) {
        uint16_t preset = derivation_table_class(classes, about->preset);
        /* A preset without a class has the classes of its own of what it stands for. */
        if (preset != DERIVATION_CLASS_NONE)
            classes->of_member[MEMBER_MISSING] = classes->of_member[MEMBER_NULL] = preset;
        else
            classes->of_member[MEMBER_NULL] = classes->of_member[MEMBER_MISSING];
    }
    return count;
}

struct derivation_table *derivation_table_open(const struct derivation *derivation,
                                               uint32_t extra_bits, struct arena *arena)
{
    if (reads_whole(derivation, arena))
        return NULL;
    struct derivation_table *table = arena_new(arena, struct derivation_table);
    table->derivation = derivation;
    table->classes = arena_new_array(arena, derivation->read_count, struct derivation_classes);
    for (uint32_t i = 0; i < derivation->read_count; i++) {
        uint32_t count = make_classes(derivation, i, &table->classes[i], arena);
        if (count == UINT32_MAX || table->shift + extra_bits > KEY_BITS)
            return NULL;
        table->classes[i].shift = (uint8_t)table->shift;
        table->shift += 32 - (uint32_t)__builtin_clz(count);
    }
    return table->shift + extra_bits <= KEY_BITS ? table : NULL;
}

const struct derivation_classes *derivation_table_classes(const struct derivation_table *table)
{
    return table->classes;
}

uint32_t derivation_table_shift(const struct derivation_table *table)
{
    return table->shift;
}

/* Values */

static uint16_t class_of_number(const struct derivation_classes *classes, struct value number)
{
    uint32_t at = 0;
    if (classes->number_count == 0)
        return classes->of_others;
    while (at < classes->number_count) {
        int order = value_compare_numbers(classes->numbers[at], number);
        if (order == 0)
            return (uint16_t)(classes->of_numbers + 2 * at + 1);
        if (order > 0)
            break;
        at++;
    }
    return (uint16_t)(classes->of_numbers + 2 * at);
}

static uint16_t class_of_string(const struct derivation_classes *classes, struct span string)
{
    uint32_t at = 0;
    if (classes->string_count == 0)
        return classes->of_others;
    while (at < classes->string_count) {
        int order = span_compare(classes->strings[at], string);
        if (order == 0)
            return (uint16_t)(classes->of_strings + 2 * at + 1);
        if (order > 0)
            break;
        at++;
    }
    return (uint16_t)(classes->of_strings + 2 * at);
}

static struct value coerced(const struct derivation_classes *classes, struct value value)
{
    if (classes->coerce == VALUE_DOUBLE && value.kind == VALUE_INT)
        return value_double((double)value.integer);
    return value; /* a whole double compares as the int it becomes */
}

uint16_t derivation_table_class(const struct derivation_classes *classes, struct value value)
{
    if (value.kind == VALUE_NULL)
        return classes->of_member[MEMBER_NULL];
    if (value.kind == VALUE_BOOL)
        return classes->of_member[value.boolean ? MEMBER_TRUE : MEMBER_FALSE];
    if (!classes->is_plain)
        return DERIVATION_CLASS_NONE;
    if (value.kind == VALUE_STRING)
        return class_of_string(classes, value_span(value));
    if (value.kind == VALUE_INT || value.kind == VALUE_DOUBLE)
        return class_of_number(classes, coerced(classes, value));
    return classes->of_others;
}

bool derivation_table_key(const struct derivation_table *table, struct value record,
                          uint64_t *key)
{
    *key = 0;
    for (uint32_t i = 0; i < table->derivation->read_count; i++) {
        const struct derivation_classes *classes = &table->classes[i];
        const struct value *found = value_find(record, table->derivation->fields[i].name);
        uint16_t class = found == NULL ? classes->of_member[MEMBER_MISSING]
                                       : derivation_table_class(classes, *found);
        if (class == DERIVATION_CLASS_NONE)
            return false;
        *key |= (uint64_t) class << classes->shift;
    }
    return true;
}

/* Answers */

static uint32_t place_of(uint64_t key)
{
    return (uint32_t)(key * 0x9e3779b97f4a7c15u >> 40) % SLOT_COUNT;
}

uint32_t derivation_table_find(const struct derivation_table *table, uint64_t key)
{
    uint32_t at = place_of(key);
    while (table->slots[at].key != 0) {
        if (table->slots[at].key == key + 1)
            return table->slots[at].number;
        at = (at + 1) % SLOT_COUNT;
    }
    return NO_INDEX;
}

uint32_t derivation_table_add(struct derivation_table *table, uint64_t key)
{
    uint32_t at = place_of(key);
    if (table->count == DERIVATION_ANSWERS_MAX)
        return NO_INDEX;
    while (table->slots[at].key != 0)
        at = (at + 1) % SLOT_COUNT;
    table->slots[at] = (struct table_entry){key + 1, table->count};
    return table->count++;
}
