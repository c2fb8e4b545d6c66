/*
 * case_coverage.h - which states cases entered, which transitions they took, and how guards
 * came out.
 *
 * A macrostep does not tell its transitions; they are found from the configurations before
 * and after it and from its event. Where several transitions would have led to the same end,
 * none of them counts as taken, and none as never taken: they cannot be told apart.
 */
#pragma once

#include "chart/chart.h"

struct case_coverage {
    const struct machine *machine;
    bool raises; /* some action raises events, so any event may follow within a macrostep */
    bool *entered;
    uint8_t *taken;
    uint8_t *guards; /* by transition */
};

void case_coverage_init(struct case_coverage *coverage, const struct machine *machine);
void case_coverage_fini(struct case_coverage *coverage);

/* A macrostep; `before` is the active states before it, NULL for the start. */
void case_coverage_note(struct case_coverage *coverage, const uint64_t *before,
                        const struct plan *plan);

/* Appends the sums, as lines of comments for TAP. */
void case_coverage_write(const struct case_coverage *coverage, struct text *text);
