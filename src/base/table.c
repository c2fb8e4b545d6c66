/*
 * table.c - linear probing, at most three quarters full, removal by shifting back.
 */
#include "base/table.h"

#include "base/ensure.h"
#include "base/memory.h"

enum { FIRST_CAPACITY = 64 };

void table_init(struct table *table)
{
    *table = (struct table){0};
}

void table_init_keyed(struct table *table, struct hash_key key)
{
    *table = (struct table){.key = key};
}

void table_fini(struct table *table)
{
    memory_release(table->slots);
    *table = (struct table){0};
}

/* The slot that holds the key, or the empty one where it would go. */
static struct table_slot *slot_for(const struct table *table, struct span key, uint64_t hash)
{
    size_t mask = table->capacity - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        struct table_slot *slot = &table->slots[i];
        if (slot->item == NULL || (slot->hash == hash && span_equal(slot->key, key)))
            return slot;
    }
}

void *table_find(const struct table *table, struct span key)
{
    return table->count == 0 ? NULL : slot_for(table, key, hash_keyed(table->key, key))->item;
}

static void grow(struct table *table)
{
    struct table old = *table;
    table->capacity = old.capacity == 0 ? FIRST_CAPACITY : old.capacity * 2;
    table->slots = memory_get(table->capacity * sizeof *table->slots);
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.slots[i].item != NULL)
            *slot_for(table, old.slots[i].key, old.slots[i].hash) = old.slots[i];
    }
    memory_release(old.slots);
}

void table_add(struct table *table, struct span key, void *item)
{
    ensure(item != NULL);
    if (table->capacity == 0 || table->count * 4 >= table->capacity * 3)
        grow(table);
    uint64_t hash = hash_keyed(table->key, key);
    struct table_slot *slot = slot_for(table, key, hash);
    ensure(slot->item == NULL);
    *slot = (struct table_slot){key, hash, item};
    table->count++;
}

bool table_remove(struct table *table, struct span key)
{
    if (table->count == 0)
        return false;
    struct table_slot *slot = slot_for(table, key, hash_keyed(table->key, key));
    if (slot->item == NULL)
        return false;
    size_t mask = table->capacity - 1;
    size_t hole = (size_t)(slot - table->slots);
    for (size_t i = (hole + 1) & mask; table->slots[i].item != NULL; i = (i + 1) & mask) {
        size_t home = table->slots[i].hash & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            table->slots[hole] = table->slots[i];
            hole = i;
        }
    }
    table->slots[hole] = (struct table_slot){0};
    table->count--;
    return true;
}
