/*
 * check.h - what can be proved about a machine before it runs.
 *
 * Codes of this chapter: IL0201 unreachable state, IL0202 no path to a final state, IL0203 no
 * way out of a state that is not final, IL0301 transition shadowed by an earlier one, IL0302 a
 * guard whose answer is always the same, IL0401 a step's error is not handled, IL0502 named
 * guard never used, IL0503 types that do not fit.
 */
#pragma once

#include "base/diagnostic.h"
#include "chart/machine.h"

/* Adds findings; the machine stays as it is. */
void machine_check(const struct machine *machine, struct diagnostics *diagnostics);
