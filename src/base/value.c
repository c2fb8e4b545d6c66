/*
 * value.c - finding, comparing and copying values.
 */
#include "base/value.h"

#include <math.h>
#include <string.h>

#include "base/ensure.h"
#include "base/value_index.h"

_Static_assert(sizeof(struct value) == 16, "a value is two words");

const char *value_kind_name(enum value_kind kind)
{
#define VALUE_NAME(name, text) [VALUE_##name] = text,
    static const char *const names[VALUE_KIND_COUNT] = {VALUE_KIND_LIST(VALUE_NAME)};
#undef VALUE_NAME
    ensure(kind < VALUE_KIND_COUNT);
    return names[kind];
}

const struct value *value_find(struct value map, struct span key)
{
    if (map.kind != VALUE_MAP)
        return NULL;
    for (uint32_t i = 0; i < map.count; i++) {
        const struct value_entry *entry = &map.entries[i];
        if (entry->key.kind == VALUE_STRING && span_equal(value_span(entry->key), key))
            return &entry->value;
    }
    return NULL;
}

struct value value_member(struct value map, struct span key)
{
    const struct value *found = value_find(map, key);
    return found == NULL ? value_null() : *found;
}

static int order_of(bool less, bool greater)
{
    return greater - less;
}

static int compare_int_uint(int64_t a, uint64_t b)
{
    if (a < 0)
        return -1;
    return order_of((uint64_t)a<b, (uint64_t)a> b);
}

/* Exact: a double outside the integer's range decides by sign, inside it has an exact integer
 * part. */
static int compare_int_double(int64_t a, double b)
{
    if (isnan(b))
        return 2;
    if (b >= 0x1p63)
        return -1;
    if (b < -0x1p63)
        return 1;
    double whole = trunc(b);
    int64_t integer = (int64_t)whole;
    if (a != integer)
        return order_of(a<integer, a> integer);
    return order_of(whole<b, whole> b);
}

static int compare_uint_double(uint64_t a, double b)
{
    if (isnan(b))
        return 2;
    if (b >= 0x1p64)
        return -1;
    if (b < 0)
        return 1;
    double whole = trunc(b);
    uint64_t integer = (uint64_t)whole;
    if (a != integer)
        return order_of(a<integer, a> integer);
    return order_of(whole<b, whole> b);
}

static int reverse(int order)
{
    return order == 2 ? 2 : -order;
}

static int compare_int(int64_t a, struct value b)
{
    if (b.kind == VALUE_INT)
        return order_of(a<b.integer, a> b.integer);
    if (b.kind == VALUE_UINT)
        return compare_int_uint(a, b.uinteger);
    return compare_int_double(a, b.real);
}

static int compare_uint(uint64_t a, struct value b)
{
    if (b.kind == VALUE_INT)
        return reverse(compare_int_uint(b.integer, a));
    if (b.kind == VALUE_UINT)
        return order_of(a<b.uinteger, a> b.uinteger);
    return compare_uint_double(a, b.real);
}

static int compare_double(double a, struct value b)
{
    if (b.kind == VALUE_INT)
        return reverse(compare_int_double(b.integer, a));
    if (b.kind == VALUE_UINT)
        return reverse(compare_uint_double(b.uinteger, a));
    if (isnan(a) || isnan(b.real))
        return 2;
    return order_of(a<b.real, a> b.real);
}

static bool is_number(struct value value)
{
    return value.kind == VALUE_INT || value.kind == VALUE_UINT || value.kind == VALUE_DOUBLE;
}

int value_compare_numbers(struct value a, struct value b)
{
    ensure(is_number(a) && is_number(b));
    if (a.kind == VALUE_INT)
        return compare_int(a.integer, b);
    if (a.kind == VALUE_UINT)
        return compare_uint(a.uinteger, b);
    return compare_double(a.real, b);
}

static const struct value *find_key(struct value map, struct value key)
{
    for (uint32_t i = 0; i < map.count; i++) {
        if (value_equal(map.entries[i].key, key))
            return &map.entries[i].value;
    }
    return NULL;
}

/* How many entries at the front have the same keys in the same order. */
static uint32_t count_alike(struct value a, struct value b)
{
    uint32_t count = 0;
    while (count < a.count && value_equal(a.entries[count].key, b.entries[count].key))
        count++;
    return count;
}

/* Large maps in different orders: all of a's keys are looked for in b, a part of it at a time.
 * Keys are found once, so as many as there are entries means all. */
static bool large_maps_equal(struct value a, struct value b)
{
    struct value_index index;
    uint32_t found = 0;
    for (uint32_t first = 0; first < b.count; first += VALUE_INDEX_MAX) {
        value_index_fill(&index, b, first);
        for (uint32_t i = 0; i < a.count; i++) {
            const struct value *other = value_index_find(&index, a.entries[i].key);
            if (other != NULL && !value_equal(a.entries[i].value, *other))
                return false;
            found += other != NULL;
        }
    }
    return found == a.count;
}

static bool maps_equal(struct value a, struct value b)
{
    if (a.count != b.count)
        return false;
    uint32_t alike = count_alike(a, b);
    for (uint32_t i = 0; i < alike; i++) {
        if (!value_equal(a.entries[i].value, b.entries[i].value))
            return false;
    }
    if (alike == a.count)
        return true;
    a = value_map(a.entries + alike, a.count - alike);
    b = value_map(b.entries + alike, b.count - alike);
    if (a.count >= VALUE_INDEX_MIN)
        return large_maps_equal(a, b);
    for (uint32_t i = 0; i < a.count; i++) {
        const struct value *other = find_key(b, a.entries[i].key);
        if (other == NULL || !value_equal(a.entries[i].value, *other))
            return false;
    }
    return true;
}

static bool lists_equal(struct value a, struct value b)
{
    if (a.count != b.count)
        return false;
    for (uint32_t i = 0; i < a.count; i++) {
        if (!value_equal(a.items[i], b.items[i]))
            return false;
    }
    return true;
}

bool value_equal(struct value a, struct value b)
{
    if (is_number(a) && is_number(b))
        return value_compare_numbers(a, b) == 0;
    if (a.kind != b.kind)
        return false;
    switch ((enum value_kind)a.kind) {
    case VALUE_NULL:
        return true;
    case VALUE_BOOL:
        return a.boolean == b.boolean;
    case VALUE_STRING:
    case VALUE_BYTES:
    case VALUE_TYPE:
    case VALUE_IP:
    case VALUE_CIDR:
        return span_equal(value_span(a), value_span(b));
    case VALUE_LIST:
        return lists_equal(a, b);
    case VALUE_MAP:
        return maps_equal(a, b);
    case VALUE_TIMESTAMP:
    case VALUE_DURATION:
        return a.integer == b.integer && a.count == b.count;
    case VALUE_OPTIONAL:
        if (a.items == NULL || b.items == NULL)
            return a.items == b.items;
        return value_equal(*a.items, *b.items);
    case VALUE_ERROR:
        return false;
    case VALUE_INT:
    case VALUE_UINT:
    case VALUE_DOUBLE:
    case VALUE_KIND_COUNT:
        break;
    }
    never();
}

static const struct value_entry *copy_entries(struct arena *arena, struct value map)
{
    struct value_entry *entries = arena_new_array(arena, map.count, struct value_entry);
    for (uint32_t i = 0; i < map.count; i++) {
        entries[i].key = value_copy(arena, map.entries[i].key);
        entries[i].value = value_copy(arena, map.entries[i].value);
    }
    return entries;
}

static const struct value *copy_items(struct arena *arena, const struct value *items,
                                      size_t count)
{
    struct value *copies = arena_new_array(arena, count, struct value);
    for (size_t i = 0; i < count; i++)
        copies[i] = value_copy(arena, items[i]);
    return copies;
}

struct value value_copy(struct arena *arena, struct value value)
{
    switch ((enum value_kind)value.kind) {
    case VALUE_NULL:
    case VALUE_BOOL:
    case VALUE_INT:
    case VALUE_UINT:
    case VALUE_DOUBLE:
    case VALUE_TIMESTAMP:
    case VALUE_DURATION:
        return value;
    case VALUE_STRING:
    case VALUE_BYTES:
    case VALUE_TYPE:
    case VALUE_IP:
    case VALUE_CIDR:
    case VALUE_ERROR:
        value.text = arena_copy(arena, value_span(value)).text;
        return value;
    case VALUE_LIST:
        value.items = copy_items(arena, value.items, value.count);
        return value;
    case VALUE_MAP:
        value.entries = copy_entries(arena, value);
        return value;
    case VALUE_OPTIONAL:
        if (value.items != NULL)
            value.items = copy_items(arena, value.items, 1);
        return value;
    case VALUE_KIND_COUNT:
        break;
    }
    never();
}

struct value value_with(struct arena *arena, struct value map, struct span key,
                        struct value member)
{
    ensure(map.kind == VALUE_MAP);
    const struct value *old = value_find(map, key);
    uint32_t count = map.count + (old == NULL);
    struct value_entry *entries = arena_new_array(arena, count, struct value_entry);
    if (map.count > 0)
        memcpy(entries, map.entries, map.count * sizeof *entries);
    if (old == NULL) {
        entries[map.count] = (struct value_entry){value_string(key), member};
    } else {
        size_t index =
            (size_t)((const struct value_entry *)((const char *)old -
                                                  offsetof(struct value_entry, value)) -
                     map.entries);
        entries[index].value = member;
    }
    return value_map(entries, count);
}
