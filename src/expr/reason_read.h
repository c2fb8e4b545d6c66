/*
 * reason_read.h - predicates to formulas, atoms and cells.
 */
#pragma once

#include "expr/reason_model.h"

/* Takes the predicates of the model apart; the cells have no choices yet. Jumps to the
 * arena's guard. */
void reason_read(struct reason *reason, struct arena *arena);
