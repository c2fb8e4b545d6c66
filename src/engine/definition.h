/*
 * definition.h - a machine together with its steps: what can be deployed.
 *
 * The machine never changes within a version. The steps are deployment: they may be
 * revised at any time, so they are kept apart and are no part of the machine's hash.
 */
#pragma once

#include "chart/chart.h"
#include "expr/expr.h"
#include "policy/policy.h"
#include "strategy/strategy.h"

/* One step: which strategy with which settings, behind which policies. */
struct step {
    struct span name;
    const struct strategy_type *type;
    uint32_t type_index; /* of the type among those given */
    const void *settings;
    struct policy_rules rules;
    const struct expr_slot *breaker_key; /* or NULL, as the three below */
    const struct expr_slot *rate_key;
    const struct expr_slot *fair_key;
    const struct expr_slot *priority;
    uint32_t limit_of;   /* the step whose limit it has: itself, or another */
    uint32_t fallback;   /* a step, or NO_INDEX */
    uint32_t compensate; /* the step that undoes it, or NO_INDEX */
    struct place place;
};

/* A machine that may be invoked, as the definition names it. */
struct machine_reference {
    struct span name;
    struct span id;
    struct span version; /* empty: the one that is deployed last when the child starts */
    struct place place;
};

struct definition {
    const struct machine *machine;
    struct place place; /* where it begins */
    const struct step *steps;
    uint32_t step_count;
    const uint32_t *invoke_steps; /* for every invoke its step; NO_INDEX: it is a machine */
    const bool *uses;             /* for every step whether it is called */
    uint32_t compensation;        /* the step that `src: compensate` stands for, or NO_INDEX */
    struct span places;           /* of the machine's definition: a place map */
    struct span apart_json;       /* what is no part of the machine, as an overlay in JSON */
    struct admission_rules admission;
    const struct expr_slot *admission_priority; /* or NULL */
    const char *folder;                         /* where relative programs are looked for */
    const struct machine_reference *machines;   /* that it may invoke */
    uint32_t machine_count;
    const struct definition **inside; /* those of them that are written in it */
    uint32_t inside_count;
};

/* What `key`, `fair` and `priority` of a policy may read. */
#define POLICY_VARIABLE_LIST(X) X(INPUT, "input") X(CONTEXT, "context") X(INSTANCE, "instance")

#define POLICY_VARIABLE_ENUM(name, text) POLICY_VARIABLE_##name,
enum policy_variable { POLICY_VARIABLE_LIST(POLICY_VARIABLE_ENUM) POLICY_VARIABLE_COUNT };
#undef POLICY_VARIABLE_ENUM

/* definition_policy.c: compiles a step's expressions, and afterwards finds the steps that
 * others name. Both add diagnostics: IL0107 a limit that nobody has, IL0502 a fallback that is
 * not defined, IL0104 fallbacks that lead in a circle. */
void definition_read_policy(struct step *step, struct arena *arena,
                            struct diagnostics *diagnostics);
void definition_bind_policies(struct step *steps, uint32_t count,
                              struct diagnostics *diagnostics);

/* The rules by which new instances are let in; the defaults where the node is NULL. */
void definition_read_admission(struct definition *definition, const struct node *node,
                               struct arena *arena, struct diagnostics *diagnostics);

/* The step that stands for `src: compensate`; engine/compensation.c does what it does. */
struct step definition_compensation(struct place place);

/* The step that is called for another one after so many fallbacks. */
uint32_t definition_fall_back(const struct definition *definition, uint32_t step,
                              uint32_t fallbacks);

/* The step that an invocation calls after so many fallbacks. */
uint32_t definition_step(const struct definition *definition, uint32_t invoke,
                         uint32_t fallbacks);

/* The strategies that exist in this program, and what runs expressions in another language than
 * CEL, or NULL; main() names them. */
struct strategy_types {
    const struct strategy_type *const *types;
    size_t count;
    const struct expr_language *language;
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

/* Where a definition comes from: a tree, and what else there is when it stands inside of
 * another.
 */
struct definition_source {
    const struct node *root;
    const struct node *overlay;   /* or NULL */
    const struct node *inherited; /* the steps of the definition around it, or NULL */
    const struct node *steps;     /* its own, above the inherited ones */
    const char *folder;
    struct strategy_types types;
    uint32_t depth; /* of definitions around it */
};
const struct definition *definition_read_source(struct definition_source *source,
                                                struct arena *arena,
                                                struct diagnostics *diagnostics);

/* definition_machines.c: reads `machines`. Gives the tree with references in the place of what
 * is written there. */
const struct node *definition_read_machines(struct definition *definition,
                                            const struct definition_source *source,
                                            struct arena *arena,
                                            struct diagnostics *diagnostics);

/* The machine of a name among those that may be invoked, or NULL. */
const struct machine_reference *definition_find_machine(const struct definition *definition,
                                                        struct span name);

/* Whether the invocation is a machine, and so an instance of its own. */
bool definition_is_child(const struct definition *definition,
                         const struct invocation *invocation);

/* Adds an error for everything that the machine uses and the engine does not do yet, and for
 * guards that are declared nowhere. */
void definition_check_reach(const struct definition *definition,
                            struct diagnostics *diagnostics);

/* "id@version": the key of a machine among the deployed. */
struct span definition_key(const struct machine *machine, struct arena *arena);
