/*
 * derivation_table.h - what was derived once need not be derived again.
 *
 * Validators tell the values of a field apart only where they look: a condition is true, false
 * or neither, a total is above 100 or not. So every field has a few classes of values, and all
 * records with the same classes, and the same start, have the same answer. The classes of a
 * record make a key; the answer to a key is derived once, by the validators themselves, and
 * looked up from then on.
 *
 * A field that a validator reads in a way of its own (size(o.items) > 3) has classes for what
 * is missing, null, true or false only: a record with another value of it has no key.
 *
 * Nothing grows: where the table is full, new keys find no place, and are derived.
 */
#pragma once

#include "chart/derivation.h"

struct derivation_table;

/* NULL where keys do not fit: a validator reads the record as a whole, or there are too many
 * classes. Lives in the arena. `extra_bits` of a key are the caller's. */
struct derivation_table *derivation_table_open(const struct derivation *derivation,
                                               uint32_t extra_bits, struct arena *arena);

enum derivation_member { MEMBER_MISSING, MEMBER_NULL, MEMBER_FALSE, MEMBER_TRUE, MEMBER_OTHER };

enum { DERIVATION_CLASS_NONE = UINT16_MAX };

/* How a field's part of the key is made. */
struct derivation_classes {
    uint16_t of_member[MEMBER_OTHER]; /* by enum derivation_member */
    uint8_t shift;
    bool is_plain;          /* other values have classes too */
    enum value_kind coerce; /* VALUE_INT or VALUE_DOUBLE: numbers are read so */
    const struct value *numbers;
    uint32_t number_count;
    uint16_t of_numbers; /* the class below the first number; two for each from there */
    const struct span *strings;
    uint32_t string_count;
    uint16_t of_strings;
    uint16_t of_others;
};

/* One for each field that validators read. */
const struct derivation_classes *derivation_table_classes(const struct derivation_table *table);

/* Where the caller's bits of a key begin. */
uint32_t derivation_table_shift(const struct derivation_table *table);

/* The class of any value; DERIVATION_CLASS_NONE: it has none. */
uint16_t derivation_table_class(const struct derivation_classes *classes, struct value value);

/* The key of a record whose slots are bound, without the caller's bits. False: it has none. */
bool derivation_table_key(const struct derivation_table *table, struct value record,
                          uint64_t *key);

/* The number of a key's answer, from 0; NO_INDEX: it has none yet. */
uint32_t derivation_table_find(const struct derivation_table *table, uint64_t key);

/* A new number for a key that has none; NO_INDEX when the table is full. */
uint32_t derivation_table_add(struct derivation_table *table, uint64_t key);

enum { DERIVATION_ANSWERS_MAX = 1 << 14 };
