/*
 * policy_fields.h - reading one field of a step's policies. Only policy includes this.
 *
 * Each function takes a key of a map if it is there, says what is wrong with it, and leaves the
 * default alone otherwise. So everything wrong with a step is said at once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/diagnostic.h"
#include "base/node.h"
#include "base/time.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* SPAN() for static arrays. */
#define WORD(literal)                   \
    {                                   \
        "" literal, sizeof(literal) - 1 \
    }

__attribute__((format(printf, 4, 5))) struct diagnostic *
policy_fields_complain(struct diagnostics *diagnostics, const char *code,
                       const struct node *node, const char *format, ...);

/* IL0102 for every key that is not among those known. */
void policy_fields_check(const struct node *map, const char *name, const struct span *keys,
                         size_t count, struct diagnostics *diagnostics);

/* A key's map, or NULL. */
const struct node *policy_fields_map(const struct node *step, const char *key,
                                     struct diagnostics *diagnostics);

/* True when the key was there and good. */
bool policy_fields_duration(const struct node *map, const char *key, duration_ms minimum_ms,
                            duration_ms *duration, struct diagnostics *diagnostics);

/* True when the key was there and good. */
bool policy_fields_count(const struct node *map, const char *key, uint32_t minimum,
                         uint32_t maximum, uint32_t *count, struct diagnostics *diagnostics);

/* A whole percentage from 1% to 100%, or 0.01 to 1.0. True when the key was there and good. */
bool policy_fields_percent(const struct node *map, const char *key, uint32_t *percent,
                           struct diagnostics *diagnostics);

/* The same of a node that is there. */
bool policy_fields_percent_of(const struct node *node, const char *key, uint32_t *percent,
                              struct diagnostics *diagnostics);

/* The index of the key's word among the words, or count after a diagnostic or where it is not.
 */
size_t policy_fields_word(const struct node *map, const char *key, const struct span *words,
                          size_t count, struct diagnostics *diagnostics);
