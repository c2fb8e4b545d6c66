/*
 * check_types.h - expressions whose types do not fit (IL0503).
 */
#pragma once

#include "base/diagnostic.h"
#include "chart/machine.h"

/* Adds findings about every expression of a machine. What is not known is never complained
 * about: the payloads of events that are declared are known, and so are the members of the
 * context, where it is written down, by all that is ever put there. */
void machine_check_types(const struct machine *machine, struct diagnostics *diagnostics);
