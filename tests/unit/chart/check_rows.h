/*
 * check_rows.h - definitions, and what is found in them.
 */
#pragma once

#include "chart_fixture.h"

struct check_row {
    const char *definition;
    const char *found; /* "IL0201 3:6 error", one after the other */
    const char *says;  /* a part of the first message and its help */
};

/* What is found in a machine that loads, as in a row. */
struct span check_rows_find(const char *definition, struct arena *arena,
                            struct diagnostics *diagnostics);

/* Fails after telling all rows of which something else is found. */
void check_rows_expect(const struct check_row *rows, size_t count);
