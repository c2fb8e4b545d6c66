/*
 * noop_strategy.h - a step that does nothing, as fast as possible: what is left is the engine.
 */
#pragma once

#include "strategy/strategy.h"

extern const struct strategy_type strategy_noop;
