/*
 * document.c - reading definitions, and what they read themselves.
 */
#include "cli/document.h"

#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "os/os.h"
#include "wire/wire.h"

/* The path of a file that another names, in the arena. */
static const char *path_beside(const char *beside, struct span path, struct arena *arena)
{
    char *folder = file_folder(beside);
    char *resolved = file_resolve(folder, path);
    struct span copy = arena_copy(arena, span_from_text(resolved));
    memory_release(folder);
    memory_release(resolved);
    return copy.text;
}

/* What SCXML documents read; the context is their path. */
static bool read_file(void *context, struct span path, struct arena *arena, struct span *text)
{
    struct text content;
    text_init(&content, arena);
    const char *resolved = path_beside(context, path, arena);
    if (file_read(resolved, DEFINITION_BYTES_MAX, &content, NULL) != STATUS_OK ||
        !span_is_utf8(text_span(&content)))
        return false;
    *text = text_span(&content);
    return true;
}

static const struct node *read_scxml(struct span text, const char *path,
                                     enum scxml_scripts scripts, struct arena *arena,
                                     struct diagnostics *diagnostics)
{
    struct span context = arena_copy(arena, span_from_text(path));
    struct scxml_files files = {read_file, (void *)(uintptr_t)context.text};
    const struct markup *root =
        wire_read_markup(text, span_from_text(path), arena, diagnostics);
    return root == NULL ? NULL : scxml_convert(root, &files, scripts, arena, diagnostics);
}

enum scxml_scripts document_scripts(const struct expr_language *language)
{
    return language == NULL ? SCXML_SCRIPTS_REFUSED : SCXML_SCRIPTS_NEEDED;
}

const struct node *document_read(struct span text, const char *path, enum scxml_scripts scripts,
                                 struct arena *arena, struct diagnostics *diagnostics)
{
    if (scxml_is_document(text))
        return read_scxml(text, path, scripts, arena, diagnostics);
    return wire_read_definition(text, span_from_text(path), arena, diagnostics);
}

static bool is_file(struct span source)
{
    return span_starts_with(source, SPAN("file:")) || span_ends_with(source, SPAN(".scxml"));
}

static struct span without_scheme(struct span source)
{
    static const char *const schemes[] = {"file://", "file:"};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        struct span scheme = span_from_text(schemes[i]);
        if (span_starts_with(source, scheme))
            return span_slice(source, scheme.size, source.size);
    }
    return source;
}

struct expander {
    enum scxml_scripts scripts;
    struct arena *arena;
    struct diagnostics *diagnostics;
    uint32_t depth;
};

static const struct node *expand(struct expander *expander, const struct node *root);

/* A definition inside of another, as text or as a file; NULL after adding diagnostics. */
static const struct node *read_inside(struct expander *expander, struct span source,
                                      struct place place)
{
    struct text content;
    const char *path = arena_copy(expander->arena, place.file).text;
    const char *problem = "no such file";
    text_init(&content, expander->arena);
    if (scxml_is_document(source)) {
        text_add(&content, source);
    } else {
        path = path_beside(path, without_scheme(source), expander->arena);
        if (file_read(path, DEFINITION_BYTES_MAX, &content, &problem) != STATUS_OK) {
            diagnostics_add(expander->diagnostics, SEVERITY_ERROR, "IL0101", place,
                            "cannot read `%s`: %s", path, problem);
            return NULL;
        }
    }
    const struct node *root = document_read(text_span(&content), path, expander->scripts,
                                            expander->arena, expander->diagnostics);
    return root == NULL ? NULL : expand(expander, root);
}

static bool names_definition(struct span text)
{
    return is_file(text) || span_ends_with(text, SPAN(".yaml")) ||
           span_ends_with(text, SPAN(".yml")) || span_ends_with(text, SPAN(".json"));
}

/* The machines of a root while they are gathered. */
struct gathered {
    struct node_entry *entries;
    uint32_t count;
    uint32_t capacity;
};

static void add_machine(struct expander *expander, struct gathered *gathered,
                        struct node_entry entry)
{
    for (uint32_t i = 0; i < gathered->count; i++) {
        if (span_equal(gathered->entries[i].key, entry.key))
            return;
    }
    if (gathered->count == gathered->capacity) {
        uint32_t larger = gathered->capacity == 0 ? 8 : gathered->capacity * 2;
        struct node_entry *grown = arena_new_array(expander->arena, larger, struct node_entry);
        if (gathered->count > 0)
            memcpy(grown, gathered->entries, gathered->count * sizeof *grown);
        gathered->entries = grown;
        gathered->capacity = larger;
    }
    gathered->entries[gathered->count++] = entry;
}

static void add_written(struct expander *expander, struct gathered *gathered,
                        const struct node *machines)
{
    for (uint32_t i = 0; i < machines->count; i++) {
        struct node_entry entry = machines->entries[i];
        bool is_text = node_is_string(entry.value);
        if (entry.value->kind == NODE_MAP)
            entry.value = expand(expander, entry.value);
        else if (is_text && names_definition(node_text(entry.value)))
            entry.value = read_inside(expander, node_text(entry.value), entry.value->place);
        if (entry.value != NULL)
            add_machine(expander, gathered, entry);
    }
}

/* SCXML: a source that is written outright is the name of its own machine. What is wrong with
 * it is an event when it is invoked, and nothing before. */
static void add_source(struct expander *expander, struct gathered *gathered,
                       const struct node *source)
{
    struct diagnostics unheard;
    struct diagnostics *heard = expander->diagnostics;
    if (source == NULL || !node_is_string(source))
        return;
    struct span text = node_text(source);
    if (!scxml_is_document(text) && !is_file(text))
        return;
    diagnostics_init(&unheard, expander->arena);
    expander->diagnostics = &unheard;
    struct node_entry entry = {text, source->place, read_inside(expander, text, source->place)};
    expander->diagnostics = heard;
    if (entry.value != NULL && unheard.errors == 0)
        add_machine(expander, gathered, entry);
}

static void add_invoked(struct expander *expander, struct gathered *gathered,
                        const struct node *state)
{
    const struct node *invokes = node_find(state, SPAN("invoke"));
    const struct node *states = node_find(state, SPAN("states"));
    bool is_list = invokes != NULL && invokes->kind == NODE_LIST;
    for (uint32_t i = 0; invokes != NULL && i < (is_list ? invokes->count : 1); i++) {
        const struct node *invoke = is_list ? invokes->items[i] : invokes;
        add_source(expander, gathered, node_find(invoke, SPAN("src")));
        add_source(expander, gathered, node_find(invoke, SPAN("content")));
    }
    for (uint32_t i = 0; states != NULL && states->kind == NODE_MAP && i < states->count; i++)
        add_invoked(expander, gathered, states->entries[i].value);
}

static const struct node *with_machines(struct expander *expander, const struct node *root,
                                        const struct gathered *gathered)
{
    struct node *copy = arena_new(expander->arena, struct node);
    struct node *machines = arena_new(expander->arena, struct node);
    struct node_entry *entries =
        arena_new_array(expander->arena, root->count + (size_t)1, struct node_entry);
    uint32_t at = 0;
    memcpy(entries, root->entries, root->count * sizeof *entries);
    while (at < root->count && !span_is(entries[at].key, "machines"))
        at++;
    if (at == root->count)
        entries[at].place = root->place;
    entries[at].key = SPAN("machines");
    *machines = (struct node){.kind = NODE_MAP,
                              .place = entries[at].place,
                              .count = gathered->count,
                              .entries = gathered->entries};
    entries[at].value = machines;
    *copy = *root;
    copy->entries = entries;
    copy->count += at == root->count;
    return copy;
}

static const struct node *expand(struct expander *expander, const struct node *root)
{
    const struct node *machines = node_find(root, SPAN("machines"));
    const struct node *semantics = node_find(root, SPAN("semantics"));
    struct gathered gathered = {0};
    if (expander->depth >= FAMILY_DEPTH_MAX) {
        diagnostics_add(expander->diagnostics, SEVERITY_ERROR, "IL0108", root->place,
                        "machines stand inside of machines more than %d deep: does one name a "
                        "file that names its own?",
                        FAMILY_DEPTH_MAX);
        return NULL;
    }
    expander->depth++;
    if (machines != NULL && machines->kind == NODE_MAP)
        add_written(expander, &gathered, machines);
    if (semantics != NULL && node_is_string(semantics) &&
        span_is(node_text(semantics), "scxml"))
        add_invoked(expander, &gathered, root);
    expander->depth--;
    return gathered.count == 0 ? root : with_machines(expander, root, &gathered);
}

const struct node *document_expand(const struct node *root, enum scxml_scripts scripts,
                                   struct arena *arena, struct diagnostics *diagnostics)
{
    struct expander expander = {.scripts = scripts, .arena = arena, .diagnostics = diagnostics};
    uint32_t errors_before = diagnostics->errors;
    const struct node *expanded = expand(&expander, root);
    return diagnostics->errors == errors_before ? expanded : NULL;
}

/* A child inside of its parent's document names files as the parent does. */
static const struct machine *load(const char *beside, struct span source,
                                  const struct expr_language *language, struct arena *arena)
{
    struct diagnostics diagnostics;
    struct text content;
    const char *path = beside;
    diagnostics_init(&diagnostics, arena);
    text_init(&content, arena);
    if (scxml_is_document(source)) {
        text_add(&content, source);
    } else {
        path = path_beside(beside, without_scheme(source), arena);
        if (file_read(path, DEFINITION_BYTES_MAX, &content, NULL) != STATUS_OK)
            return NULL;
    }
    const struct node *root = document_read(text_span(&content), path,
                                            document_scripts(language), arena, &diagnostics);
    return root == NULL ? NULL : machine_load_with(root, language, arena, &diagnostics);
}

static const struct machine *
load_named(const struct node *root, const struct expr_language *language, struct arena *arena)
{
    struct diagnostics diagnostics;
    diagnostics_init(&diagnostics, arena);
    return machine_load_with(root, language, arena, &diagnostics);
}

enum family_source document_find(void *context, const struct machine *parent,
                                 struct span source, struct arena *arena,
                                 const struct machine **machine)
{
    struct arena_guard guard;
    const struct node *named = node_find(parent->machines, source);
    bool is_named = named != NULL && named->kind == NODE_MAP;
    (void)context;
    if (!is_named && !scxml_is_document(source) && !is_file(source))
        return FAMILY_OUTSIDE;
    if (arena_is_spent(arena, &guard))
        return FAMILY_BROKEN;
    *machine =
        is_named ? load_named(named, parent->language, arena)
                 : load(arena_copy(arena, parent->file).text, source, parent->language, arena);
    arena_release_guard(arena, &guard);
    return *machine == NULL ? FAMILY_BROKEN : FAMILY_CHILD;
}
