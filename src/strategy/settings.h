/*
 * settings.h - reading a step's settings: what every type of strategy checks alike. Only
 * strategy includes this.
 */
#pragma once

#include "expr/expr.h"
#include "strategy/strategy.h"

struct settings {
    const struct node *node;
    struct arena *arena;
    struct diagnostics *diagnostics;
};

/* A name and its value, as in `headers` and `env`. */
struct settings_pair {
    struct span name;
    const struct expr_slot *value;
};

struct settings_pairs {
    const struct settings_pair *pairs;
    size_t count;
};

/* One IL0102 for each key that is not known. */
void settings_check_keys(const struct settings *settings, const struct span *keys,
                         size_t count);

/* "WHAT must be WANTED, not a list". */
void settings_wrong_type(const struct settings *settings, const struct node *node,
                         const char *what, const char *wanted);

/* Text with or without `${…}`; NULL after a diagnostic, which calls it `what`. */
const struct expr_slot *settings_text(const struct settings *settings, const struct node *node,
                                      const char *what);

/* Any value with or without `${…}`; NULL after a diagnostic. */
const struct expr_slot *settings_value(const struct settings *settings,
                                       const struct node *node);

/* `output: json` or `text`; NULL is json. False after a diagnostic. */
bool settings_output(const struct settings *settings, const struct node *output, bool *is_text);

/* A map from names to texts; empty when node is NULL. `is_name` says which names are allowed.
 */
bool settings_pairs(const struct settings *settings, const struct node *node, const char *key,
                    bool (*is_name)(struct span name), struct settings_pairs *pairs);
