/*
 * derivation_types.h - validators whose types do not fit (IL0503).
 */
#pragma once

#include "chart/derivation.h"

/* Adds findings; the arena is for types. */
void derivation_check_types(const struct derivation *derivation, struct arena *arena,
                            struct diagnostics *diagnostics);
