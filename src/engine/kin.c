/*
 * kin.c - families of instances.
 */
#include "engine/kin.h"

#include "base/ensure.h"
#include "base/memory.h"
#include "engine/registry.h"

static struct kin *kin_of(struct instance *instance)
{
    if (instance->kin == NULL)
        instance->kin = memory_get(sizeof *instance->kin);
    return instance->kin;
}

void kin_set_parent(struct instance *instance, struct span parent_id, struct span invoke_id,
                    uint64_t invocation)
{
    struct kin *kin = kin_of(instance);
    ensure(kin->parent_id == NULL);
    kin->parent_id = memory_copy_text(parent_id);
    kin->invoke_id = memory_copy_text(invoke_id);
    kin->invocation = invocation;
}

void kin_link(struct instance *instance, struct instance *parent)
{
    struct kin *kin = instance->kin;
    struct kin *above = kin_of(parent);
    struct instance **at = &above->children;
    kin->parent = parent;
    while (*at != NULL && (*at)->kin->invocation < kin->invocation)
        at = &(*at)->kin->next;
    kin->next = *at;
    *at = instance;
    above->child_count++;
}

void kin_unlink(struct instance *instance)
{
    struct kin *above = instance->kin->parent->kin;
    struct instance **at = &above->children;
    while (*at != instance) {
        ensure(*at != NULL);
        at = &(*at)->kin->next;
    }
    *at = instance->kin->next;
    instance->kin->next = NULL;
    above->child_count--;
}

void kin_link_all(struct registry *registry)
{
    for (struct instance *instance = registry->first; instance != NULL;
         instance = instance->next) {
        if (!kin_is_child(instance))
            continue;
        struct instance *parent =
            registry_find(registry, span_from_text(instance->kin->parent_id));
        if (parent == NULL)
            continue;
        if (instance->status == INSTANCE_ACTIVE)
            kin_link(instance, parent);
        else
            instance->kin->parent = parent;
    }
}

bool kin_is_child(const struct instance *instance)
{
    return instance->kin != NULL && instance->kin->parent_id != NULL;
}

struct instance *kin_find(const struct instance *parent, uint64_t invocation)
{
    struct instance *child = kin_children(parent);
    while (child != NULL && child->kin->invocation != invocation)
        child = child->kin->next;
    return child;
}

const struct instance *kin_root(const struct instance *instance)
{
    while (kin_parent(instance) != NULL)
        instance = kin_parent(instance);
    return instance;
}

uint32_t kin_depth(const struct instance *instance)
{
    uint32_t depth = 0;
    for (; kin_parent(instance) != NULL; instance = kin_parent(instance))
        depth++;
    return depth;
}

/* What was spawned without an id has its number in it already. */
void kin_write_id(struct text *text, const struct instance *parent, struct span invoke_id,
                  uint64_t invocation)
{
    struct text number;
    text_init(&number, NULL);
    text_format(&number, ".%llu", (unsigned long long)invocation);
    text_add(text, instance_id(parent));
    text_add_byte(text, '/');
    text_add(text, invoke_id);
    if (!span_ends_with(invoke_id, text_span(&number)))
        text_add(text, text_span(&number));
    text_fini(&number);
}

void kin_write(struct text *text, const struct instance *instance)
{
    if (!kin_is_child(instance))
        return;
    bytes_add_span(text, span_from_text(instance->kin->parent_id));
    bytes_add_span(text, span_from_text(instance->kin->invoke_id));
    bytes_add_varint(text, instance->kin->invocation);
}

void kin_read(struct byte_reader *reader, struct instance *instance)
{
    struct span parent = bytes_read_span(reader);
    struct span invoke = bytes_read_span(reader);
    uint64_t invocation = bytes_read_varint(reader);
    if (parent.size == 0 || instance->kin != NULL)
        reader->failed = true;
    if (!reader->failed)
        kin_set_parent(instance, parent, invoke, invocation);
}

void kin_release(struct instance *instance)
{
    if (instance->kin == NULL)
        return;
    memory_release(instance->kin->parent_id);
    memory_release(instance->kin->invoke_id);
    memory_release(instance->kin);
    instance->kin = NULL;
}
