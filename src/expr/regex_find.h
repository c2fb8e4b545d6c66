/*
 * regex_find.h - where a regular expression matches, one match after the other.
 *
 * Of all matches the one that begins first, and of these the one that a backtracking engine
 * would find first: the left alternative before the right one, greedy before short. So RE2
 * and Go choose, and like them a match of nothing right behind a match is none.
 */
#pragma once

#include "base/limits.h"
#include "expr/regex.h"

struct regex_threads;

struct regex_find {
    const struct regex *regex;
    struct span text;
    size_t at;      /* where the next match is looked for; beyond the text: nowhere */
    size_t end;     /* of the match before, or SIZE_MAX */
    int64_t effort; /* steps taken, at most regex_cost() for each character looked at */
    struct span parts[REGEX_GROUPS_MAX]; /* the match and its groups; NULL: takes no part */
    uint32_t part_count;
    struct regex_threads *threads;
};

/* From the text's beginning. The regex has its groups told apart, the text is UTF-8 below
 * 4 GiB. Jumps to the arena's guard. */
void regex_find_begin(struct regex_find *find, const struct regex *regex, struct span text,
                      struct arena *arena);

/* Fills in the parts of the next match; false when there is none, or when it is not found
 * before `effort` is more than effort_max. */
bool regex_find_next(struct regex_find *find, int64_t effort_max);
