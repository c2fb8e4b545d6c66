/*
 * il_source_any.c - definitions in YAML, JSON or SCXML.
 */
#include "chart/chart.h"
#include "embed/il_source.h"
#include "wire/wire.h"

const struct node *il_source_read(struct span text, struct span file, struct arena *arena,
                                  struct diagnostics *diagnostics)
{
    if (!scxml_is_document(text))
        return wire_read_definition(text, file, arena, diagnostics);
    const struct markup *root = wire_read_markup(text, file, arena, diagnostics);
    return root == NULL ? NULL
                        : scxml_convert(root, NULL, SCXML_SCRIPTS_REFUSED, arena, diagnostics);
}
