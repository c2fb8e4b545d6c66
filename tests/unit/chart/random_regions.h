/*
 * random_regions.h - machines from a seed that mostly move.
 *
 * Regions, histories and targets anywhere, guards on a number of the event and of the context,
 * few actions. The same seed always gives the same text.
 */
#pragma once

#include "base/arena.h"
#include "base/random.h"
#include "base/span.h"

enum { RANDOM_REGIONS_EVENTS = 3 };

/* A definition as JSON; its events are E0 to E2, their payloads have a number "n". */
struct span random_regions(struct random *random, bool is_scxml, struct arena *arena);
