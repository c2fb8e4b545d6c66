/*
 * fairness.h - whose turn it is among classes of work that wait for the same place.
 *
 * Work of a high class goes first, but not always: of 21 turns that all three classes want, the
 * classes have 16, 4 and 1. So nobody starves, and a flood of high work only slows the rest.
 * Smooth weighted round-robin, as nginx deals out requests: every class that waits gains its
 * weight, the richest goes and pays for all. Within a class keys take turns; that ring is the
 * owner's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

#define PRIORITY_LIST(X)   \
    X(HIGH, "high", 16)    \
    X(NORMAL, "normal", 4) \
    X(LOW, "low", 1)

#define PRIORITY_ENUM(name, text, weight) PRIORITY_##name,
enum priority { PRIORITY_LIST(PRIORITY_ENUM) PRIORITY_COUNT };
#undef PRIORITY_ENUM

/* Zero-initialised is fair. */
struct fairness {
    int16_t credits[PRIORITY_COUNT];
};

/* The class whose turn it is among those that wait (bit 1 << class; at least one). */
enum priority fairness_pick(struct fairness *fairness, uint32_t waiting);

const char *priority_name(enum priority priority);
bool priority_find(struct span name, enum priority *priority);
