/*
 * il_machine.h - the inside of an il_machine.
 */
#pragma once

#include <interlock.h>

#include "chart/chart.h"

struct il_machine {
    struct arena arena;
    const struct machine *machine;
    const char *id;
    const char *version;
};
