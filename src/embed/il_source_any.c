/*
 * il_source_any.c - definitions in YAML or JSON.
 */
#include "embed/il_source.h"
#include "wire/wire.h"

const struct node *il_source_read(struct span text, struct span file, struct arena *arena,
                                  struct diagnostics *diagnostics)
{
    return wire_read_definition(text, file, arena, diagnostics);
}
