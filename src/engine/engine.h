/*
 * engine.h - durable instances: inbox, turn, outbox, dispatch, timers, recovery. The front
 * door.
 */
#pragma once

#include "engine/definition.h"
#include "engine/history.h"
#include "engine/instance.h"
#include "engine/registry.h"
#include "engine/runtime.h"
#include "engine/waiting.h"
