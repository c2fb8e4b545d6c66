/*
 * il_source.h - what a definition may be written in.
 *
 * The one thing in which the two libraries differ below the engine: the core reads JSON, the
 * full library YAML too. Each links one of il_source_json.c and il_source_any.c.
 */
#pragma once

#include "base/node.h"

/* Contract as json_read_tree(). */
const struct node *il_source_read(struct span text, struct span file, struct arena *arena,
                                  struct diagnostics *diagnostics);
