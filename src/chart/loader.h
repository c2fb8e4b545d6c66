/*
 * loader.h - what the files that load a definition share. Only chart includes this.
 *
 * Loading goes in passes: all states, so that targets can be resolved; then what hangs on
 * them; then the tables. A pass goes on after an error, so that one run tells them all.
 */
#pragma once

#include "base/limits.h"
#include "chart/derivation.h"
#include "chart/load.h"
#include "chart/load_names.h"

/* A key that may stand in some map of the definition. */
struct key_rule {
    const char *name;
    bool supported; /* false: known, and refused by name until it is there */
};

/* Actions that are declared once and used by name. */
struct named_range {
    struct range range;
    uint32_t depth; /* how deep its actions nest */
};

struct loader {
    struct arena *arena;
    struct diagnostics *diagnostics;
    const struct node *root;
    struct machine machine;

    struct machine_state *states;
    const struct node **state_nodes;
    uint32_t state_count;
    uint32_t state_capacity;

    struct machine_transition *transitions;
    uint32_t transition_count;
    uint32_t transition_capacity;

    struct machine_guard *guards;
    uint32_t guard_count;
    uint32_t guard_capacity;

    uint32_t *targets;
    uint32_t target_count;
    uint32_t target_capacity;

    struct machine_action *actions;
    uint32_t action_count;
    uint32_t action_capacity;
    uint32_t action_depth; /* the deepest nesting since it was set to 0 */
    bool has_all_actions;  /* there were more than there may be, and that was said */

    struct load_names variable_names; /* of the scope: named guards are among them */
    uint32_t *needed;                 /* named guards, while the needs of one are listed */
    bool *is_needed;
    uint32_t needed_count;

    struct named_range *named_actions; /* declared under `actions` */
    uint32_t named_action_count;
    struct load_names action_names;

    const struct expr_slot **delays; /* declared under `delays` */
    uint32_t delay_count;
    struct load_names delay_names;

    struct machine_assign *assigns;
    uint32_t assign_count;
    uint32_t assign_capacity;

    struct machine_timer *timers;
    uint32_t timer_count;
    uint32_t timer_capacity;

    struct machine_invoke *invokes;
    uint32_t invoke_count;
    uint32_t invoke_capacity;
    struct load_names invoke_ids;

    struct span *tags;
    uint32_t tag_count;
    uint32_t tag_capacity;

    struct span *events;
    uint32_t event_count;
    uint32_t event_capacity;
    uint32_t *event_slots;
    uint32_t event_slot_mask;

    struct expr_scope scope;
};

/* Makes room for one more element; the arrays live in the arena. */
#define loader_reserve(loader, array, count, capacity)                                      \
    ((count) < (capacity) ? (void)0                                                         \
                          : (void)((array) = loader_grow((loader)->arena, (array), (count), \
                                                         &(capacity), sizeof *(array))))

void *loader_grow(struct arena *arena, const void *old, uint32_t count, uint32_t *capacity,
                  size_t size);

/* Adds an error at a place. */
struct diagnostic *loader_error(struct loader *loader, const char *code, struct place place,
                                const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Adds a warning at a place. */
struct diagnostic *loader_warning(struct loader *loader, const char *code, struct place place,
                                  const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Complains about every key of the map that the rules do not support; `where` is "a state". */
void loader_check_keys(struct loader *loader, const struct node *map,
                       const struct key_rule *rules, size_t rule_count, const char *where);

/* The map or string under a key, or NULL; the wrong kind is an error and NULL. */
const struct node *loader_map(struct loader *loader, const struct node *map, const char *key);
bool loader_string(struct loader *loader, const struct node *map, const char *key,
                   struct span *text);

/* The `id` of what an action or an invoke begins: plain text, which nothing evaluates. */
bool loader_id(struct loader *loader, const struct node *map, struct span *id);

/* The number of an event type, new or known. Aliases of XState's spelling become SCXML's. */
uint32_t loader_event(struct loader *loader, struct span type, struct place place);

/* The number of a type as it is spelled here, or EVENT_ID_NONE. */
uint32_t loader_find_event(const struct loader *loader, struct span type);

/* The state's own name for messages: its path, or "the root". */
struct span loader_state_name(const struct loader *loader, uint32_t state);

/* A slot, or NULL after an error. */
const struct expr_slot *loader_slot(struct loader *loader, const struct node *node);

/* Compiles `{key: slot, …}` (or a list of such maps) as assigns. */
struct range loader_assigns(struct loader *loader, const struct node *node);

/* The value under the first of two names: ours, and the one that XState's recordings use. */
const struct node *loader_either(const struct loader *loader, const char *name,
                                 const char *other);

/* load_target.c */
uint32_t load_target_by_id(const struct loader *loader, struct span name);
uint32_t load_target_by_path(const struct loader *loader, uint32_t from, struct span path);
uint32_t load_target_child(const struct loader *loader, uint32_t parent, struct span key);
/* One target or a list of them; false after an error. *together is false, with a warning, when
 * they cannot be entered together: taking such a transition is an error. */
bool load_targets(struct loader *loader, uint32_t source, const struct node *node,
                  struct range *range, bool *together);

/* load_guard.c: the named guards of the root, and the guard of a transition (NO_INDEX: none or
 * wrong). */
void load_guard_names(struct loader *loader);
void load_named_guards(struct loader *loader);
uint32_t load_guard(struct loader *loader, const struct node *node);
void load_invariants(struct loader *loader);
/* A guard that compares a member of the event: `event.KEY == VALUE`. */
uint32_t load_guard_text(struct loader *loader, struct span text, struct place place);

/* load_state.c: pass one, the tree of states; then what their children are entered by. */
void load_states(struct loader *loader);
void load_initials(struct loader *loader);

/* load_transition.c: pass two, what hangs on a state. */
void load_transitions(struct loader *loader, uint32_t state);
void load_transition(struct loader *loader, uint32_t source, uint32_t event,
                     const struct node *node);
/* A transition that only enters children by default; its index. */
uint32_t load_default_transition(struct loader *loader, uint32_t source, struct range targets,
                                 struct range actions, struct place place);
/* A delay: a duration, milliseconds, a declared name, or an expression. False after an error;
 * *slot is NULL for a fixed delay. */
bool load_delay(struct loader *loader, struct span text, const struct node *node,
                struct place place, duration_ms *delay_ms, const struct expr_slot **slot);
/* Complains of a delay without an expression that is none. */
bool load_check_delay(struct loader *loader, const struct expr_slot *slot, struct place place);
uint32_t load_timer(struct loader *loader, struct machine_timer timer);

/* load_action.c */
void load_named_delays(struct loader *loader);
void load_named_actions(struct loader *loader);
/* One action, or a list. Blocks are lists in a list: each its own block. */
struct range load_actions(struct loader *loader, const struct node *node);
/* `assign` (or v6's `context`) of a map, and then its `actions`. */
struct range load_transition_actions(struct loader *loader, const struct node *map,
                                     bool *assigns);

/* load_invoke.c */
void load_invokes(struct loader *loader, uint32_t state);

/* load_derived.c: machines whose state follows from a record. */
/* Reads the derivation of such a machine; false after an error. */
bool load_derivation(struct loader *loader);
/* What a derivation is not read for: names that are taken, states that only `transitions` and
 * `validators` name. Of other machines: keys that belong to such ones. */
void load_record(struct loader *loader);
/* Which state each leaf of the derivation is; after the tables. */
void load_derived_states(struct loader *loader);
/* Says that a key belongs to such machines only. */
void load_refuse_underived(struct loader *loader, const char *key, struct place place);
/* An error where such a machine has a transition with a target. */
bool load_may_target(struct loader *loader, const struct node *target);

/* compile.c: pass three, the look-up tables; the loader has no errors. */
void load_tables(struct loader *loader);

/* compile_light.c: what a step need not look at; tells the candidates their moves. */
void load_light_steps(struct loader *loader, struct machine_candidate *candidates);
