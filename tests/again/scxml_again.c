/*
 * scxml_again.c - write, read, convert, load.
 */
#include "scxml_again.h"

#include "wire/wire.h"

const struct machine *scxml_again(const struct machine *machine, struct arena *arena,
                                  struct diagnostics *diagnostics, struct span *text)
{
    struct text document;
    text_init(&document, arena);
    diagnostics_init(diagnostics, arena);
    scxml_write(machine, arena, &document, diagnostics);
    *text = text_span(&document);
    if (diagnostics->errors > 0)
        return NULL;
    const struct markup *root = wire_read_markup(*text, machine->file, arena, diagnostics);
    const struct node *definition =
        root == NULL ? NULL
                     : scxml_convert(root, NULL, SCXML_SCRIPTS_REFUSED, arena, diagnostics);
    return definition == NULL ? NULL : machine_load(definition, arena, diagnostics);
}
