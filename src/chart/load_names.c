/*
 * load_names.c - names to numbers, for definitions of any size.
 *
 * A hash table with open addressing, in the arena; it doubles when it is half full.
 */
#include "chart/load_names.h"

#include "base/hash.h"

enum { SLOTS_FIRST = 16 };

static struct load_name *slot_of(const struct load_names *names, struct span name)
{
    uint32_t at = (uint32_t)hash_text(name) & names->mask;
    while (names->slots[at].is_used && !span_equal(names->slots[at].name, name))
        at = (at + 1) & names->mask;
    return &names->slots[at];
}

static void grow(struct load_names *names, struct arena *arena)
{
    const struct load_name *old = names->slots;
    uint32_t old_size = old == NULL ? 0 : names->mask + 1;
    uint32_t size = old == NULL ? SLOTS_FIRST : old_size * 2;
    names->slots = arena_get_zeroed(arena, size * sizeof *names->slots);
    names->mask = size - 1;
    for (uint32_t i = 0; i < old_size; i++) {
        if (old[i].is_used)
            *slot_of(names, old[i].name) = old[i];
    }
}

void load_names_put(struct load_names *names, struct span name, uint32_t number,
                    struct arena *arena)
{
    if (names->slots == NULL || names->count * 2 > names->mask)
        grow(names, arena);
    struct load_name *slot = slot_of(names, name);
    names->count += !slot->is_used;
    *slot = (struct load_name){name, number, true};
}

uint32_t load_names_find(const struct load_names *names, struct span name)
{
    const struct load_name *slot = names->slots == NULL ? NULL : slot_of(names, name);
    return slot == NULL || !slot->is_used ? UINT32_MAX : slot->number;
}
