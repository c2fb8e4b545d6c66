/*
 * json_merge.c - one object laid over another.
 *
 * Members keep their places and new ones come last, so that the same patches give the same
 * bytes on every machine. What a patch says that is so already is no change: a patch applied
 * twice changes nothing the second time. Depth is bounded by how values are read.
 */
#include "base/json_merge.h"

#include <string.h>

#include "base/ensure.h"

/* 1 and 1.0 are equal, but not the same to an expression. */
static bool is_same(struct value a, struct value b)
{
    return a.kind == b.kind && value_equal(a, b);
}

/* What stands under a key afterwards; null: nothing does. */
static struct value merge_member(struct arena *arena, const struct value *old,
                                 struct value patch, bool *changed)
{
    if (patch.kind == VALUE_MAP) {
        bool is_map = old != NULL && old->kind == VALUE_MAP;
        *changed = *changed || !is_map;
        return json_merge(arena, is_map ? *old : value_map(NULL, 0), patch, changed);
    }
    bool stays = old == NULL ? patch.kind == VALUE_NULL
                             : patch.kind != VALUE_NULL && is_same(*old, patch);
    *changed = *changed || !stays;
    return patch;
}

static uint32_t find_entry(const struct value_entry *entries, uint32_t count, struct value key)
{
    uint32_t at = 0;
    while (at < count && !span_equal(value_span(entries[at].key), value_span(key)))
        at++;
    return at;
}

static uint32_t remove_entry(struct value_entry *entries, uint32_t count, uint32_t at)
{
    if (at == count)
        return count;
    memmove(&entries[at], &entries[at + 1], (count - at - 1) * sizeof *entries);
    return count - 1;
}

struct value json_merge(struct arena *arena, struct value target, struct value patch,
                        bool *changed)
{
    ensure(target.kind == VALUE_MAP);
    ensure(patch.kind == VALUE_MAP);
    size_t most = (size_t)target.count + patch.count;
    struct value_entry *entries = arena_new_array(arena, most, struct value_entry);
    uint32_t count = target.count;
    bool differs = false;
    if (count > 0)
        memcpy(entries, target.entries, count * sizeof *entries);
    for (uint32_t i = 0; i < patch.count; i++) {
        const struct value_entry *entry = &patch.entries[i];
        uint32_t at = find_entry(entries, count, entry->key);
        const struct value *old = at < count ? &entries[at].value : NULL;
        struct value merged = merge_member(arena, old, entry->value, &differs);
        if (merged.kind == VALUE_NULL) {
            count = remove_entry(entries, count, at);
            continue;
        }
        entries[at] = (struct value_entry){entry->key, merged};
        count += at == count;
    }
    *changed = *changed || differs;
    return differs ? value_map(entries, count) : target;
}
