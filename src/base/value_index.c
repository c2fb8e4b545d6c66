/*
 * value_index.c - open addressing with half of the slots free.
 */
#include "base/value_index.h"

#include <math.h>
#include <string.h>

#include "base/ensure.h"
#include "base/hash.h"

static uint64_t mix(uint64_t bits)
{
    bits ^= bits >> 32;
    bits *= 0x9e3779b97f4a7c15u;
    return bits ^ bits >> 29;
}

/* A whole number hashes as the int or uint it is equal to. */
static uint64_t hash_double(double real)
{
    uint64_t bits;
    if (real >= -0x1p63 && real < 0x1p63 && real == trunc(real))
        return mix((uint64_t)(int64_t)real);
    if (real >= 0x1p63 && real < 0x1p64)
        return mix((uint64_t)real);
    memcpy(&bits, &real, sizeof bits);
    return mix(bits);
}

uint64_t value_index_hash(struct value value)
{
    switch ((enum value_kind)value.kind) {
    case VALUE_INT:
    case VALUE_UINT:
        return mix(value.uinteger);
    case VALUE_DOUBLE:
        return hash_double(value.real);
    case VALUE_BOOL:
        return mix(value.boolean + 1);
    case VALUE_STRING:
    case VALUE_BYTES:
    case VALUE_TYPE:
    case VALUE_IP:
    case VALUE_CIDR:
        return hash_text(value_span(value));
    case VALUE_TIMESTAMP:
    case VALUE_DURATION:
        return mix(value.uinteger ^ (uint64_t)value.count << 32);
    case VALUE_LIST:
    case VALUE_MAP:
        return mix(value.count);
    case VALUE_OPTIONAL:
        return value.items != NULL;
    case VALUE_NULL:
    case VALUE_ERROR:
        return value.kind;
    case VALUE_KIND_COUNT:
        break;
    }
    never();
}

void value_index_fill(struct value_index *index, struct value map, uint32_t first)
{
    ensure(map.kind == VALUE_MAP && first <= map.count);
    uint32_t count = map.count - first;
    if (count > VALUE_INDEX_MAX)
        count = VALUE_INDEX_MAX;
    index->entries = map.entries + first;
    memset(index->slots, 0, sizeof index->slots);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t slot = value_index_hash(index->entries[i].key) % VALUE_INDEX_SLOTS;
        while (index->slots[slot] != 0)
            slot = (slot + 1) % VALUE_INDEX_SLOTS;
        index->slots[slot] = (uint16_t)(i + 1);
    }
}

const struct value *value_index_find(const struct value_index *index, struct value key)
{
    uint64_t slot = value_index_hash(key) % VALUE_INDEX_SLOTS;
    for (; index->slots[slot] != 0; slot = (slot + 1) % VALUE_INDEX_SLOTS) {
        const struct value_entry *entry = &index->entries[index->slots[slot] - 1];
        if (value_equal(entry->key, key))
            return &entry->value;
    }
    return NULL;
}
