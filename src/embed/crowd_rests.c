/*
 * crowd_rests.c - what the members of a crowd have beside their states.
 *
 * Members of one machine begin with one context, so their names are alike; whoever has other
 * ones, or values that need more than 16 bytes, is kept whole.
 */
#include "embed/crowd_rests.h"

#include <string.h>

#include "base/limits.h"
#include "base/memory.h"

void crowd_rests_open(struct crowd_rests *rests, const struct machine *machine, size_t count)
{
    bool is_scxml = machine->semantics == SEMANTICS_SCXML;
    *rests = (struct crowd_rests){.count = count};
    rests->bare = (struct configuration){.machine = machine,
                                         .next_number = 1,
                                         .context = value_map(NULL, 0),
                                         .session = is_scxml ? machine->id : SPAN("")};
}

void crowd_rests_close(struct crowd_rests *rests)
{
    for (size_t i = 0; rests->kept != NULL && i < rests->count; i++)
        memory_release(rests->kept[i]);
    memory_release(rests->kept);
    memory_release(rests->plain);
    memory_release(rests->names);
    memory_release(rests->shape);
}

static bool is_plain(struct value value)
{
    return value.kind <= VALUE_DOUBLE;
}

static void set_names(struct crowd_rests *rests, struct value context)
{
    size_t size = 0;
    for (uint32_t i = 0; i < context.count; i++)
        size += context.entries[i].key.count;
    char *end = rests->names = memory_get(size);
    for (uint32_t i = 0; i < context.count; i++) {
        struct span name = value_span(context.entries[i].key);
        rests->shape[i].key = value_string(span_of(end, name.size));
        if (name.size > 0)
            memcpy(end, name.text, name.size);
        end += name.size;
    }
}

static void set_shape(struct crowd_rests *rests, struct value context)
{
    bool are_plain = context.count <= CROWD_PLAIN_MAX;
    for (uint32_t i = 0; i < context.count; i++)
        are_plain = are_plain && is_plain(context.entries[i].value);
    rests->has_shape = true;
    if (!are_plain || context.count == 0)
        return;
    rests->plain_count = context.count;
    rests->shape = memory_get(context.count * sizeof *rests->shape);
    rests->plain = memory_get(rests->count * context.count * sizeof *rests->plain);
    rests->bare.context = value_map(rests->shape, context.count);
    set_names(rests, context);
}

/* Its context has the names that all have, and plain values. */
static bool has_shape(const struct crowd_rests *rests, struct value context)
{
    if (context.count != rests->plain_count)
        return false;
    for (uint32_t i = 0; i < context.count; i++) {
        if (!is_plain(context.entries[i].value) ||
            !span_equal(value_span(context.entries[i].key), value_span(rests->shape[i].key)))
            return false;
    }
    return true;
}

static bool is_bare(const struct crowd_rests *rests, const struct configuration *now)
{
    return now->status == INSTANCE_ACTIVE && now->next_number == rests->bare.next_number &&
           now->timer_count == 0 && now->invocation_count == 0 &&
           span_equal(now->session, rests->bare.session) && has_shape(rests, now->context);
}

uint32_t crowd_rests_column(const struct crowd_rests *rests, struct span name)
{
    for (uint32_t i = 0; i < rests->plain_count; i++) {
        if (span_equal(value_span(rests->shape[i].key), name))
            return i;
    }
    return NO_INDEX;
}

const struct configuration *crowd_rests_get(struct crowd_rests *rests, size_t index)
{
    const struct kept_configuration *kept = crowd_rests_kept(rests, index);
    if (kept != NULL)
        return &kept->configuration;
    for (uint32_t i = 0; i < rests->plain_count; i++)
        rests->shape[i].value = crowd_rests_plain(rests, index, i);
    return &rests->bare;
}

static void set_kept(struct crowd_rests *rests, size_t index, struct kept_configuration *kept)
{
    if (kept == NULL && rests->kept == NULL)
        return;
    if (rests->kept == NULL)
        rests->kept = memory_get(rests->count * sizeof(struct kept_configuration *));
    struct kept_configuration *old = rests->kept[index];
    rests->kept_bytes -= old == NULL ? 0 : old->bytes;
    rests->kept_bytes += kept == NULL ? 0 : kept->bytes;
    rests->kept[index] = kept;
    memory_release(old);
}

void crowd_rests_put(struct crowd_rests *rests, size_t index, const il_instance *instance)
{
    const struct configuration *now = il_instance_now(instance);
    if (!rests->has_shape && now->status == INSTANCE_ACTIVE)
        set_shape(rests, now->context);
    if (!is_bare(rests, now)) {
        set_kept(rests, index, il_instance_keep(instance));
        return;
    }
    for (uint32_t i = 0; i < rests->plain_count; i++)
        rests->plain[index * rests->plain_count + i] = now->context.entries[i].value;
    set_kept(rests, index, NULL);
}

size_t crowd_rests_bytes(const struct crowd_rests *rests)
{
    size_t kept = rests->kept == NULL ? 0 : rests->count * sizeof(struct kept_configuration *);
    return rests->count * rests->plain_count * sizeof *rests->plain + kept + rests->kept_bytes;
}
