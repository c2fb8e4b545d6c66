/*
 * regex_effort.h - how long an engine that backtracks could take.
 */
#pragma once

#include "expr/regex.h"

/* The steps of such an engine that looks for a match from `from` on and finds none: more than
 * it takes when it finds some. Never more than `most`, which is also the answer for a loop
 * around what may be nothing. With any_case letters are taken for each other. Takes memory
 * from the arena, and time as regex_matches() does; jumps to the arena's guard. */
uint64_t regex_effort(const struct regex *regex, struct span text, size_t from, bool any_case,
                      uint64_t most, struct arena *arena);
