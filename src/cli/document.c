/*
 * document.c - reading definitions, and what they read themselves.
 */
#include "cli/document.h"

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

enum family_source document_find(void *context, const struct machine *parent,
                                 struct span source, struct arena *arena,
                                 const struct machine **machine)
{
    struct arena_guard guard;
    (void)context;
    if (!scxml_is_document(source) && !is_file(source))
        return FAMILY_OUTSIDE;
    if (arena_is_spent(arena, &guard))
        return FAMILY_BROKEN;
    *machine = load(arena_copy(arena, parent->file).text, source, parent->language, arena);
    arena_release_guard(arena, &guard);
    return *machine == NULL ? FAMILY_BROKEN : FAMILY_CHILD;
}
