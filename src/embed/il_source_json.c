/*
 * il_source_json.c - definitions in JSON alone: no dependency.
 */
#include "base/json.h"
#include "embed/il_source.h"

const struct node *il_source_read(struct span text, struct span file, struct arena *arena,
                                  struct diagnostics *diagnostics)
{
    return json_read_tree(text, file, arena, diagnostics);
}
