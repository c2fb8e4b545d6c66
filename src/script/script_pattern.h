/*
 * script_pattern.h - what a regular expression of ECMAScript may take, before it runs.
 *
 * Duktape's engine backtracks and cannot be interrupted, and `(a+)+$` makes it try as many ways
 * as there are subsets of a text. All of the ways are counted beforehand, for the pattern and
 * the text at hand, in time that is linear in the text (expr/regex_effort.h).
 */
#pragma once

#include "base/arena.h"
#include "base/span.h"

struct script_pattern {
    struct span source;
    bool ignores_case;
    bool is_multiline;
};

/* The steps that looking for the pattern from `from` on takes at worst, `most` when more. Jumps
 * to the arena's guard. */
uint64_t script_pattern_steps(const struct script_pattern *pattern, struct span text,
                              size_t from, uint64_t most, struct arena *arena);
