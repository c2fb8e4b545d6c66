/*
 * admission_rules.h - whom a machine's door lets in, as its definition writes it.
 *
 *     admission: { working: 10000, target: 1s, interval: 100ms, throttle: 2, window: 10s,
 *                  priority: "${input.tier}" }
 */
#pragma once

#include <stdbool.h>

#include "base/diagnostic.h"
#include "base/node.h"
#include "policy/admission.h"

struct admission_rules {
    struct admission_rule rule;
    const struct node *priority; /* a slot: "high", "normal" or "low"; NULL: normal */
};

/* Reads the map. False after adding diagnostics, and then nothing is written: IL0102 unknown
 * key, IL0103 a key that another one needs, IL0104 wrong type or value, IL0108 over a limit. */
bool admission_rules_read(const struct node *node, struct admission_rules *rules,
                          struct diagnostics *diagnostics);
