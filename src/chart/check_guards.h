/*
 * check_guards.h - guards whose answer is always the same (IL0302).
 */
#pragma once

#include "base/diagnostic.h"
#include "chart/machine.h"

/* Adds findings; every one is certain, whatever the context, the event and the input are. */
void machine_check_guards(const struct machine *machine, struct diagnostics *diagnostics);
