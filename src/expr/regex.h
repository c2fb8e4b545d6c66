/*
 * regex.h - regular expressions in time linear in the text, never backtracking.
 *
 * The syntax is RE2's: groups, classes, alternatives, counted repetition, the flags i, m
 * and s, anchors and word boundaries, classes of Unicode by name (\p{Greek}, \pL); case is
 * Unicode's. What backtracking alone can do (\1, look-around) is refused, and so is \C.
 */
#pragma once

#include "base/arena.h"
#include "base/span.h"

struct regex; /* immutable, in the arena it was compiled into */

struct regex_problem {
    size_t offset;       /* in the pattern */
    const char *message; /* a sentence without a final stop, static */
    size_t work;         /* what its classes took, in ranges: filled in either way */
};

/* NULL after filling in the problem. Jumps to the arena's guard when it is spent. */
const struct regex *regex_compile(struct span pattern, struct arena *arena,
                                  struct regex_problem *problem);

/* True when the pattern matches anywhere in the text, which is UTF-8. Takes no memory, and
 * at most regex_cost() times the text's bytes of steps. Not with groups told apart. */
bool regex_matches(const struct regex *regex, struct span text);
size_t regex_cost(const struct regex *regex);

/* The same pattern with its groups told apart, as regex_find() wants it. */
const struct regex *regex_compile_groups(struct span pattern, struct arena *arena,
                                         struct regex_problem *problem);

/* How many groups with a number are in the pattern; those from REGEX_GROUPS_MAX on are not
 * told apart. */
uint32_t regex_groups(const struct regex *regex);
struct span regex_pattern(const struct regex *regex);
bool regex_has_groups(const struct regex *regex);
