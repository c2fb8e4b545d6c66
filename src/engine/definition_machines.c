/*
 * definition_machines.c - the machines that a machine may invoke.
 *
 * `machines:` names them. One that is written there is a definition of its own, deployed before
 * the machine that has it inside; what is left in its place is its id and version. So a
 * machine's hash covers what its children do, a child's version is settled with its parent's,
 * and what the store keeps of a machine is small.
 */
#include "engine/definition.h"

#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "os/os.h"

static struct node *copy_node(const struct node *node, uint32_t more, struct arena *arena)
{
    struct node *copy = arena_new(arena, struct node);
    struct node_entry *entries =
        arena_new_array(arena, node->count + (size_t)more, struct node_entry);
    if (node->count > 0)
        memcpy(entries, node->entries, node->count * sizeof *entries);
    *copy = *node;
    copy->entries = entries;
    return copy;
}

static const struct node *text_node(struct span text, struct place place, struct arena *arena)
{
    struct node *node = arena_new(arena, struct node);
    *node = (struct node){.kind = NODE_SCALAR, .place = place, .scalar = value_string(text)};
    return node;
}

/* A machine that is written under a name is called so, unless it says otherwise. */
static const struct node *with_id(const struct node_entry *entry, struct arena *arena)
{
    if (node_find(entry->value, SPAN("id")) != NULL)
        return entry->value;
    struct node *named = copy_node(entry->value, 1, arena);
    struct node_entry *entries =
        arena_new_array(arena, named->count + (size_t)1, struct node_entry);
    entries[0] = (struct node_entry){SPAN("id"), entry->place,
                                     text_node(entry->key, entry->place, arena)};
    if (named->count > 0)
        memcpy(entries + 1, named->entries, named->count * sizeof *entries);
    named->entries = entries;
    named->count++;
    return named;
}

static bool names_file(struct span reference)
{
    return span_ends_with(reference, SPAN(".yaml")) ||
           span_ends_with(reference, SPAN(".yml")) ||
           span_ends_with(reference, SPAN(".json")) ||
           span_ends_with(reference, SPAN(".scxml"));
}

/* "ID" or "ID@VERSION", of a machine that is deployed. */
static bool read_reference(const struct node *node, struct machine_reference *reference,
                           struct diagnostics *diagnostics)
{
    struct span text = node_text(node);
    size_t at = text.size;
    if (names_file(text)) {
        diagnostics_add(diagnostics, SEVERITY_ERROR, "IL0104", node->place,
                        "`%.*s` is a file, and there is nobody here to read it",
                        SPAN_ARGS(text));
        return false;
    }
    while (at > 0 && text.text[at - 1] != '@')
        at--;
    reference->id = at == 0 ? text : span_slice(text, 0, at - 1);
    reference->version = at == 0 ? SPAN("") : span_slice(text, at, text.size);
    if (reference->id.size > 0)
        return true;
    diagnostics_add(diagnostics, SEVERITY_ERROR, "IL0104", node->place,
                    "a machine is named by its id, or by ID@VERSION");
    return false;
}

/* Programs are looked for beside the file that names them. */
static const char *folder_of(const struct definition_source *parent, const struct node *root,
                             struct arena *arena)
{
    if (span_equal(root->place.file, parent->root->place.file))
        return parent->folder;
    char *file = memory_copy_text(root->place.file);
    char *folder = file_folder(file);
    const char *copy = arena_copy(arena, span_from_text(folder)).text;
    memory_release(folder);
    memory_release(file);
    return copy;
}

static bool read_inside(const struct definition_source *parent, const struct node_entry *entry,
                        struct machine_reference *reference,
                        const struct definition **definition, struct arena *arena,
                        struct diagnostics *diagnostics)
{
    struct definition_source source = *parent;
    source.root = with_id(entry, arena);
    source.inherited = parent->steps;
    source.folder = folder_of(parent, entry->value, arena);
    source.depth = parent->depth + 1;
    if (source.depth > FAMILY_DEPTH_MAX) {
        diagnostics_add(diagnostics, SEVERITY_ERROR, "IL0108", entry->place,
                        "machines stand inside of machines more than %d deep",
                        FAMILY_DEPTH_MAX);
        return false;
    }
    *definition = definition_read_source(&source, arena, diagnostics);
    if (*definition == NULL)
        return false;
    reference->id = (*definition)->machine->id;
    reference->version = (*definition)->machine->version;
    return true;
}

static bool read_entry(struct definition *definition, const struct definition_source *parent,
                       const struct node_entry *entry, struct machine_reference *reference,
                       struct arena *arena, struct diagnostics *diagnostics)
{
    const struct definition *inside = NULL;
    *reference = (struct machine_reference){.name = entry->key, .place = entry->place};
    if (node_is_string(entry->value))
        return read_reference(entry->value, reference, diagnostics);
    if (entry->value->kind != NODE_MAP) {
        diagnostics_add(diagnostics, SEVERITY_ERROR, "IL0104", entry->place,
                        "a machine is a definition, or the id of one that is deployed, not %s",
                        node_kind_name(entry->value));
        return false;
    }
    if (!read_inside(parent, entry, reference, &inside, arena, diagnostics))
        return false;
    definition->inside[definition->inside_count++] = inside;
    return true;
}

const struct node *definition_read_machines(struct definition *definition,
                                            const struct definition_source *source,
                                            struct arena *arena,
                                            struct diagnostics *diagnostics)
{
    const struct node *machines = node_find(source->root, SPAN("machines"));
    if (machines == NULL || machines->kind != NODE_MAP)
        return source->root;
    struct machine_reference *references =
        arena_new_array(arena, machines->count, struct machine_reference);
    struct node *root = copy_node(source->root, 0, arena);
    struct node *named = copy_node(machines, 0, arena);
    struct node_entry *entries = (struct node_entry *)(uintptr_t)named->entries;
    definition->inside = arena_new_array(arena, machines->count, const struct definition *);
    definition->machines = references;
    definition->machine_count = machines->count; /* what is wrong with one is said once */
    for (uint32_t i = 0; i < machines->count; i++) {
        struct machine_reference *reference = &references[i];
        if (!read_entry(definition, source, &machines->entries[i], reference, arena,
                        diagnostics))
            continue;
        struct span key =
            text_print(arena, "%.*s%s%.*s", SPAN_ARGS(reference->id),
                       reference->version.size > 0 ? "@" : "", SPAN_ARGS(reference->version));
        entries[i].value = text_node(key, machines->entries[i].value->place, arena);
    }
    for (uint32_t i = 0; i < root->count; i++) {
        if (root->entries[i].value == machines)
            ((struct node_entry *)(uintptr_t)root->entries)[i].value = named;
    }
    return root;
}

const struct machine_reference *definition_find_machine(const struct definition *definition,
                                                        struct span name)
{
    for (uint32_t i = 0; i < definition->machine_count; i++) {
        if (span_equal(definition->machines[i].name, name))
            return &definition->machines[i];
    }
    return NULL;
}

bool definition_is_child(const struct definition *definition,
                         const struct invocation *invocation)
{
    return invocation->invoke == NO_INDEX ||
           definition->invoke_steps[invocation->invoke] == NO_INDEX;
}
