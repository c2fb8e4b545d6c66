/*
 * il_derive.h - the inside of an il_derivation.
 */
#pragma once

#include <interlock.h>

#include "chart/chart.h"

struct il_derivation {
    struct arena arena;
    const struct derivation *derivation;
    const char **states;
    const char **fields;
    const struct derivation_flags *flags; /* NULL: not of that kind */
    bool reads_more;                      /* than fields: values and columns are not enough */
};
