/*
 * type.h - what is known of a value before there is one.
 *
 * Types are gradual: TYPE_DYN is a value nothing is known of, fits everywhere and is never
 * complained about. So a checker can be right about what is declared and silent about the rest.
 *
 * Types are immutable and shared freely. They live in an arena, or for ever (type_simple()).
 *
 * Always: depth <= TYPE_DEPTH_MAX, so recursion over a type is bounded: a constructor that
 * would go deeper gives TYPE_DYN.
 */
#pragma once

#include "base/arena.h"
#include "base/text.h"
#include "base/value.h"

#define TYPE_KIND_LIST(X)        \
    X(DYN, "dyn")                \
    X(NULL, "null_type")         \
    X(BOOL, "bool")              \
    X(INT, "int")                \
    X(UINT, "uint")              \
    X(DOUBLE, "double")          \
    X(STRING, "string")          \
    X(BYTES, "bytes")            \
    X(TIMESTAMP, "timestamp")    \
    X(DURATION, "duration")      \
    X(LIST, "list")              \
    X(MAP, "map")                \
    X(RECORD, "record")          \
    X(TYPE, "type")              \
    X(OPTIONAL, "optional_type") \
    X(ABSTRACT, "abstract")      \
    X(VARIABLE, "variable")

#define TYPE_ENUM(name, text) TYPE_##name,
enum type_kind { TYPE_KIND_LIST(TYPE_ENUM) TYPE_KIND_COUNT };
#undef TYPE_ENUM

enum { TYPE_DEPTH_MAX = 100 };

struct type;

struct type_field {
    struct span name;
    const struct type *type;
};

struct type {
    enum type_kind kind;
    uint32_t depth;   /* 1 for a leaf */
    uint32_t count;   /* parameters; fields of a RECORD; the number of a VARIABLE */
    bool is_open;     /* a RECORD may have other fields too */
    bool is_inferred; /* a RECORD whose other fields are set by nobody, as far as is known */
    struct span name; /* of an ABSTRACT */
    union {
        const struct type *const *parameters; /* LIST 1, MAP 2, OPTIONAL and TYPE 1, ABSTRACT */
        const struct type_field *fields;
    };
    const struct value *values; /* of an enumeration: nothing else occurs; else NULL */
    uint32_t value_count;
};

/* A type without parameters: DYN to DURATION. */
const struct type *type_simple(enum type_kind kind);

const struct type *type_list(struct arena *arena, const struct type *element);
const struct type *type_map(struct arena *arena, const struct type *key,
                            const struct type *value);
const struct type *type_optional(struct arena *arena, const struct type *content);
const struct type *type_of_type(struct arena *arena, const struct type *content);
const struct type *type_abstract(struct arena *arena, struct span name,
                                 const struct type *const *parameters, uint32_t count);

/* An object with known fields: context, an event, a record. The fields live on. */
const struct type *type_record(struct arena *arena, const struct type_field *fields,
                               uint32_t count, bool is_open);

/* The same, of fields that are known only because somebody sets them: reading another one is
 * doubtful, and not surely wrong. */
const struct type *type_inferred_record(struct arena *arena, const struct type_field *fields,
                                        uint32_t count);

/* The type with nothing but these values, which live on. */
const struct type *type_enumeration(struct arena *arena, const struct type *type,
                                    const struct value *values, uint32_t count);

/* The type in which only the checker differs from another place of the same program. */
const struct type *type_variable(struct arena *arena, uint32_t number);

/* The type of values such as this one: what a default or an initial context tells. A map is an
 * open record; null tells nothing. */
const struct type *type_of_value(struct arena *arena, struct value value);

/* The field of a RECORD, or NULL. */
const struct type_field *type_find_field(const struct type *record, struct span name);

/* True when both say the same. */
bool type_is_same(const struct type *a, const struct type *b);

/* A type that values of either have; null has any type. */
const struct type *type_join(struct arena *arena, const struct type *a, const struct type *b);

/* The type that is left when the value has become JSON: a timestamp is a string then. */
const struct type *type_as_plain(struct arena *arena, const struct type *type);

/* The type of the kind of value, with DYN as parameters: "list" is list(dyn). */
const struct type *type_of_kind(struct arena *arena, enum value_kind kind);

/* "int", "list(map(string, int))", "tuple(int, dyn)" as type_write() writes it; NULL when the
 * text is no type. */
const struct type *type_read(struct arena *arena, struct span text);

/* "list(int)", "map(string, dyn)" (also a RECORD), "optional_type(int)". */
void type_write(struct text *text, const struct type *type);

/* The same as text in the arena. */
struct span type_text(struct arena *arena, const struct type *type);
