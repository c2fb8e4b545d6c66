/*
 * schema_model.h - a compiled schema. Only schema*.c include it.
 *
 * Absent rules are empty: no types is any type, an upper limit that is not there is the
 * largest number.
 */
#pragma once

#include "expr/regex.h"
#include "expr/schema.h"

/* What `type` says, as bits. */
enum schema_kind {
    SCHEMA_NULL = 1,
    SCHEMA_BOOL = 2,
    SCHEMA_INTEGER = 4,
    SCHEMA_NUMBER = 8,
    SCHEMA_STRING = 16,
    SCHEMA_ARRAY = 32,
    SCHEMA_OBJECT = 64,
};

struct schema_property {
    struct span name;
    const struct schema *schema;
};

struct schema_list {
    const struct schema *const *schemas;
    uint32_t count; /* 0: the rule is not there */
};

/* A number that a value is compared with; kind ERROR when there is none. */
struct schema {
    bool is_never; /* the schema `false` */
    bool has_unique_items;
    uint32_t kinds;
    struct value values; /* LIST of enum or const; kind ERROR: any */
    const struct schema_property *properties;
    uint32_t property_count;
    const struct span *required;
    uint32_t required_count;
    const struct schema *additional; /* NULL: anything */
    const struct schema *items;      /* NULL: anything */
    uint64_t properties_min;
    uint64_t properties_max;
    uint64_t items_min;
    uint64_t items_max;
    uint64_t length_min; /* in code points */
    uint64_t length_max;
    const struct regex *pattern;
    struct span pattern_text;
    struct value minimum;
    struct value maximum;
    struct value above;
    struct value below;
    struct value multiple_of;
    struct schema_list all_of;
    struct schema_list any_of;
    struct schema_list one_of;
    const struct schema *not_it;
    const struct schema *reference;
};
