/*
 * definition.h - a machine together with its steps: what can be deployed.
 *
 * The machine never changes within a version. The steps are deployment: they may be
 * revised at any time, so they are kept apart and are no part of the machine's hash.
 */
#pragma once

#include "chart/chart.h"
#include "policy/policy.h"
#include "strategy/strategy.h"

/* One step: which strategy with which settings, behind which policies. */
struct step {
    struct span name;
    const struct strategy_type *type;
    uint32_t type_index; /* of the type among those given */
    const void *settings;
    struct policy_rules rules;
    struct place place;
};

struct definition {
    const struct machine *machine;
    const struct step *steps;
    uint32_t step_count;
    const uint32_t *invoke_steps; /* for every invoke of the machine its step */
    struct span steps_json;       /* the steps as JSON, overlay applied */
    const char *folder;           /* where relative programs are looked for */
};

/* The strategies that exist in this program; main() names them. */
struct strategy_types {
    const struct strategy_type *const *types;
    size_t count;
};

/* Reads a machine and its steps. `overlay` (may be NULL) is a map of steps that replace those
 * of the file, either bare or under `steps:`. `folder` is copied. Everything lives in the
 * arena, as must the trees. NULL after adding at least one error; checks of the machine
 * (chart/check.h) are not made here. Codes besides the loader's: IL0502 an invoke whose step is
 * not defined (an error), or a step that no invoke uses (a warning); IL0404 timeout not below
 * the deadline. */
const struct definition *definition_read(const struct node *root, const struct node *overlay,
                                         const char *folder, struct strategy_types types,
                                         struct arena *arena, struct diagnostics *diagnostics);

/* "id@version": the key of a machine among the deployed. */
struct span definition_key(const struct machine *machine, struct arena *arena);
