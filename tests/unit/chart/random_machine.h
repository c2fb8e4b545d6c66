/*
 * random_machine.h - machines and events from a seed.
 *
 * The machines nest, guard and assign a small number, wait, chain, invoke and end; whatever
 * the dice say, the definition loads. The same seed always gives the same text.
 */
#pragma once

#include "base/random.h"
#include "chart_fixture.h"

/* A definition as JSON. */
struct span random_machine(struct random *random, struct arena *arena);

/* An event that may happen to an instance: from outside, of a timer or of an invocation, also
 * of such as are not there any more. */
struct event random_event(struct random *random, const struct configuration *configuration,
                          struct arena *arena);
