/*
 * regex_code.h - the instructions of a regular expression: what regex_code.c writes, and
 * regex.c and regex_find.c run.
 *
 * Of the two ways at a FORK `to` comes first: a search for what matches, and not only
 * whether, takes the other way only when the first one leads nowhere.
 *
 * Always: no jump leaves the program, a loop without a character goes through one FORK
 * twice, and it ends with MATCH.
 */
#pragma once

#include "expr/regex.h"
#include "expr/regex_tree.h"

enum regex_operation {
    REGEX_SET,
    REGEX_ASSERT,
    REGEX_FORK,
    REGEX_JUMP,
    REGEX_SAVE, /* where a group begins (an even `to`) or ends */
    REGEX_MATCH
};

struct regex_step {
    uint8_t operation; /* enum regex_operation */
    bool is_negated;
    uint16_t to; /* JUMP and FORK; the assertion of ASSERT; the place of SAVE */
    uint16_t other;
    uint16_t range_count;
    const struct regex_range *ranges;
};

struct regex {
    const struct regex_step *steps;
    uint32_t count;
    uint32_t range_count; /* of all steps */
    uint32_t group_count;
    bool has_groups; /* there is a SAVE at both ends of each that is told apart */
    struct span pattern;
};

/* Whether the step, a SET, takes the character. Its ranges are in order. */
static inline bool regex_code_accepts(const struct regex_step *step, uint32_t point)
{
    uint32_t from = 0;
    uint32_t to = step->range_count;
    while (from < to) {
        uint32_t middle = (from + to) / 2;
        if (point > step->ranges[middle].last)
            from = middle + 1;
        else
            to = middle;
    }
    bool is_in = from < step->range_count && point >= step->ranges[from].first;
    return is_in != step->is_negated;
}

/* Whether the assertion holds at a place between two characters. */
bool regex_code_holds(enum regex_assertion assertion, struct span text, size_t at);
