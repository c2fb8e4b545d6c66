/*
 * emit_c.h - a machine as one file of C17 that needs nothing else: for firmware and hot loops.
 *
 * The file has the tables and a step function. It allocates nothing, recurses nowhere and has
 * no variables of its own; timers, invocations, actions and guards that are only named are
 * asked of the caller. Its answers are those of step_run().
 */
#pragma once

#include "base/diagnostic.h"
#include "base/text.h"
#include "chart/machine.h"

/* Adds one error (IL0106) with its place, and nothing to the text, where the machine has
 * something that cannot be said so. */
void emit_c(const struct machine *machine, struct arena *arena, struct text *text,
            struct diagnostics *diagnostics);
