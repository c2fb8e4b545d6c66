/*
 * value.h - the values that contexts, events and expressions are made of.
 *
 * The value model is CEL's over JSON: every JSON document is a value, and CEL adds
 * uint, bytes, timestamp, duration, type, optional and error. A value is 16 bytes,
 * passed by copy and never changed after it was made; what it points to lives in the
 * arena (or text) it was made from. Maps keep the order in which keys were written.
 *
 * A JSON number without fraction and exponent that fits is an int, any other a double.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/span.h"

#define VALUE_KIND_LIST(X)                    \
    X(NULL, "null_type")                      \
    X(BOOL, "bool")                           \
    X(INT, "int")                             \
    X(UINT, "uint")                           \
    X(DOUBLE, "double")                       \
    X(STRING, "string")                       \
    X(BYTES, "bytes")                         \
    X(LIST, "list")                           \
    X(MAP, "map")                             \
    X(TIMESTAMP, "google.protobuf.Timestamp") \
    X(DURATION, "google.protobuf.Duration")   \
    X(TYPE, "type")                           \
    X(OPTIONAL, "optional_type")              \
    X(IP, "net.IP")                           \
    X(CIDR, "net.CIDR")                       \
    X(ERROR, "error")

#define VALUE_ENUM(name, text) VALUE_##name,
enum value_kind { VALUE_KIND_LIST(VALUE_ENUM) VALUE_KIND_COUNT };
#undef VALUE_ENUM

struct value_entry;

struct value {
    uint8_t kind; /* enum value_kind */
    uint8_t flag;
    uint16_t unused;
    uint32_t count; /* bytes of text, elements of a list, entries of a map, nanoseconds (as
                       int32_t) */
    union {
        bool boolean;
        int64_t integer; /* INT; seconds of TIMESTAMP and DURATION */
        uint64_t uinteger;
        double real;
        const char *text;          /* STRING, BYTES, TYPE (its name), ERROR (its message),
                                      IP and CIDR (in their canonical form) */
        const struct value *items; /* LIST; OPTIONAL: one item or NULL when none */
        const struct value_entry *entries; /* MAP, in written order */
    };
};

struct value_entry {
    struct value key;
    struct value value;
};

static inline struct value value_null(void)
{
    return (struct value){.kind = VALUE_NULL};
}

static inline struct value value_bool(bool boolean)
{
    return (struct value){.kind = VALUE_BOOL, .boolean = boolean};
}

static inline struct value value_int(int64_t integer)
{
    return (struct value){.kind = VALUE_INT, .integer = integer};
}

static inline struct value value_uint(uint64_t uinteger)
{
    return (struct value){.kind = VALUE_UINT, .uinteger = uinteger};
}

static inline struct value value_double(double real)
{
    return (struct value){.kind = VALUE_DOUBLE, .real = real};
}

/* Points to the span's bytes. */
static inline struct value value_string(struct span text)
{
    return (struct value){
        .kind = VALUE_STRING, .count = (uint32_t)text.size, .text = text.text};
}

static inline struct value value_bytes(struct span bytes)
{
    return (struct value){
        .kind = VALUE_BYTES, .count = (uint32_t)bytes.size, .text = bytes.text};
}

static inline struct value value_list(const struct value *items, size_t count)
{
    return (struct value){.kind = VALUE_LIST, .count = (uint32_t)count, .items = items};
}

static inline struct value value_map(const struct value_entry *entries, size_t count)
{
    return (struct value){.kind = VALUE_MAP, .count = (uint32_t)count, .entries = entries};
}

/* An error with its message; expressions carry it until something decides without it. */
static inline struct value value_error(struct span message)
{
    return (struct value){
        .kind = VALUE_ERROR, .count = (uint32_t)message.size, .text = message.text};
}

/* The bytes of a kind that has text. */
static inline struct span value_span(struct value value)
{
    return span_of(value.text, value.count);
}

static inline bool value_is_error(struct value value)
{
    return value.kind == VALUE_ERROR;
}

static inline bool value_is_true(struct value value)
{
    return value.kind == VALUE_BOOL && value.boolean;
}

/* CEL's name of the kind: "int", "map", … */
const char *value_kind_name(enum value_kind kind);

/* The entry of a string key in a map, or NULL. */
const struct value *value_find(struct value map, struct span key);

/* value_find(), or null where the key or the map is missing. */
struct value value_member(struct value map, struct span key);

/* CEL equality: numbers compare across int, uint and double by their exact value, NaN equals
 * nothing, maps ignore order, different kinds are unequal. Errors equal nothing. */
bool value_equal(struct value a, struct value b);

/* Order of two numbers of any kinds: -1, 0, 1; 2 when one is NaN. */
int value_compare_numbers(struct value a, struct value b);

/* A deep copy into the arena. Depth and size are bounded by how values are made. */
struct value value_copy(struct arena *arena, struct value value);

/* A copy of the map with one entry set: replaced in place, or appended. */
struct value value_with(struct arena *arena, struct value map, struct span key,
                        struct value member);
