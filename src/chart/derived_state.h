/*
 * derived_state.h - why an instance stands where its record puts it, and what would move it on.
 *
 * Of machines whose state follows from a record. Everything jumps to the arena's guard.
 */
#pragma once

#include "chart/configuration.h"

/* {"holds","levels","others"}, as derivation_explain() has it, from the state it is in; of a
 * parallel root {"holds","regions":{NAME:{"levels","others"}}}. */
struct value derived_state_explain(const struct configuration *configuration,
                                   struct arena *arena);

/* {"fields":[NAME],"next":[{"state","because":{"conjunct","values"}}]}: the states one edge on,
 * and the part of each one's validator that keeps it from being entered. No entries: nothing
 * leads on. */
struct value derived_state_awaits(const struct configuration *configuration,
                                  struct arena *arena);
