/*
 * check_skipped.h - a check of machine_check().
 */
#pragma once

#include "chart/machine.h"

/* IL0315, of a machine whose state follows from a record: states with steps or actions that a
 * record can pass without entering them. */
void machine_check_skipped(const struct machine *machine, struct diagnostics *diagnostics);
