/*
 * load.h - from a definition's tree to a machine.
 */
#pragma once

#include "base/diagnostic.h"
#include "chart/machine.h"

/*
 * Reads, resolves and compiles a definition. The machine and the diagnostics' texts live in the
 * arena, as must the tree. NULL after adding at least one error. Warnings may be added either
 * way. Limits are diagnostics too (IL0108).
 *
 * Codes: IL0102 unknown key, IL0103 missing key, IL0104 wrong type or value, IL0105 expression,
 * IL0106 not supported, IL0107 unknown name, IL0108 limit, IL0109 name used twice.
 */
const struct machine *machine_load(const struct node *root, struct arena *arena,
                                   struct diagnostics *diagnostics);

/* The same with a language beside CEL, which the machine then needs as long as it lives; NULL:
 * none. A machine that has expressions in it belongs to the thread of the language. */
const struct machine *machine_load_with(const struct node *root,
                                        const struct expr_language *language,
                                        struct arena *arena, struct diagnostics *diagnostics);

/* True when the tree defines a machine and not, say, only steps. */
bool machine_is_definition(const struct node *root);
