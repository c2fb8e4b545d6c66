/*
 * describe.h - plans and configurations in the JSON that people and scripts read.
 */
#pragma once

#include "chart/step.h"

/* One effect: {"type":"invoke","id","src","input"}, {"type":"stop","id"},
 * {"type":"schedule","id","delay_ms"}, {"type":"cancel","id"},
 * {"type":"action","name","params"},
 * {"type":"log","label","value"}, {"type":"emit","event":{"type",…}},
 * {"type":"send","to","event":{"type",…}}. */
struct value describe_effect(const struct effect *effect, instant_ms now, struct arena *arena);

/* All effects of a plan as a list. */
struct value describe_effects(const struct plan *plan, instant_ms now, struct arena *arena);

/* The paths of the states that a derivation passed, as a list. */
struct value describe_via(const struct plan *plan, struct arena *arena);

/* The errors of a plan as a list of {"what","expression","at","message"}. */
struct value describe_errors(const struct plan *plan, struct arena *arena);
