/*
 * derivation_reader.h - what the files that read a data-driven definition share.
 */
#pragma once

#include "base/limits.h"
#include "chart/derivation.h"

struct derivation_reader {
    struct arena *arena;
    struct diagnostics *diagnostics;
    const struct node *root;
    struct derivation derivation;

    struct derivation_state *states;
    const struct node **nodes; /* of a state under `states`, or NULL */
    uint32_t state_count;
    uint32_t state_capacity;

    uint32_t *targets;
    uint32_t target_count;
    uint32_t target_capacity;

    struct derivation_validator *validators;
    uint32_t validator_count;
    uint32_t validator_capacity;

    struct derivation_field *fields;
    uint32_t field_count;
    uint32_t field_capacity;
};

/* Makes room for one more element; the arrays live in the arena. */
#define derivation_reserve(reader, array, count, capacity)                                  \
    ((count) < (capacity)                                                                   \
         ? (void)0                                                                          \
         : (void)((array) = derivation_grow((reader)->arena, (array), (count), &(capacity), \
                                            sizeof *(array))))

void *derivation_grow(struct arena *arena, const void *old, uint32_t count, uint32_t *capacity,
                      size_t size);

/* Adds an error; never NULL. */
struct diagnostic *derivation_error(struct derivation_reader *reader, const char *code,
                                    struct place place, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The map under a key, or NULL; another kind is an error and NULL. */
const struct node *derivation_map(struct derivation_reader *reader, const struct node *map,
                                  const char *key);

/* derivation_states.c: the tree of states and its edges. */
void derivation_read_states(struct derivation_reader *reader);
void derivation_read_targets(struct derivation_reader *reader);

/* The state that a name in the definition means, seen from one (NO_STATE: from the root);
 * NO_STATE after an error. */
uint32_t derivation_resolve(struct derivation_reader *reader, uint32_t from, struct span name,
                            struct place place);

/* derivation_validators.c: the record, its fields and the programs. */
void derivation_read_record(struct derivation_reader *reader);
void derivation_read_validators(struct derivation_reader *reader);

/* derivation_types.c: what schema and defaults tell of the record's fields. */
void derivation_read_types(struct derivation_reader *reader, const struct node *record);

/* derivation_order.c: leaves, their validators and the orders; there are no errors. */
void derivation_read_orders(struct derivation_reader *reader);
