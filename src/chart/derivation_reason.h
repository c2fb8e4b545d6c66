/*
 * derivation_reason.h - which leaves of a derivation can hold together, for every record.
 */
#pragma once

#include "chart/derivation.h"

struct derivation_reason;

/* Takes the validators apart, for records of any kind or only for those whose fields are as the
 * validators use them. NULL where the validators of nested states are too large together. */
const struct derivation_reason *derivation_reason_open(const struct derivation *derivation,
                                                       enum reason_unknown unknown,
                                                       struct arena *arena);

/* Is there a record on which all these leaves (`predicate` in a wish) come to what is wished?
 * YES: `record` is one, as it would be read from JSON. Jumps to the arena's guard. */
enum reason_verdict derivation_reason_ask(const struct derivation_reason *reason,
                                          const struct reason_wish *wishes, size_t count,
                                          struct value *record, struct arena *arena);
