/*
 * slot.h - value slots: where a definition may hold a literal, text with expressions in it,
 * or one expression.
 *
 * A string that is exactly one `${expr}` is that typed value. A string with `${expr}` inside is
 * text: strings as they are, numbers, booleans, timestamps and durations in their usual form;
 * null, lists and maps there are errors. `$${` writes `${`. Anything else is a literal. Maps
 * and lists recurse into their values, never into their keys. `{"@expr": "…", "@lang": "cel"}`
 * is an expression everywhere.
 */
#pragma once

#include "base/node.h"
#include "expr/program.h"

struct expr_slot; /* immutable, in the arena it was compiled into */

/* Compiles the node; NULL after adding diagnostics. Jumps to the arena's guard when it is
 * spent. */
const struct expr_slot *expr_slot_compile(const struct node *node,
                                          const struct expr_scope *scope, struct arena *arena,
                                          struct diagnostics *diagnostics);

/* A slot from a value that is already there (no expressions in it). */
const struct expr_slot *expr_slot_literal(struct value value, struct arena *arena);

/* The slot's value; an error value when any expression in it fails. A spent arena is as in
 * expr_run(). */
struct value expr_slot_run(const struct expr_slot *slot, const struct expr_frame *frame,
                           struct arena *arena);

/* As expr_slot_run(), but what an expression puts into a text is added by `add`, which may
 * quote it for its place. A slot that is one expression is its value, as ever. */
typedef void expr_slot_add(struct text *text, struct span value);
struct value expr_slot_run_quoted(const struct expr_slot *slot, const struct expr_frame *frame,
                                  expr_slot_add *add, struct arena *arena);

/* True when no expression is in it. */
bool expr_slot_is_literal(const struct expr_slot *slot);

/* Its value then; NULL for any other. */
const struct value *expr_slot_value(const struct expr_slot *slot);

/* The program of a slot that is one expression; NULL for any other. */
const struct expr_program *expr_slot_program(const struct expr_slot *slot);

/* Writes the slot as one expression in CEL that has the same value. */
void expr_slot_write(struct text *text, const struct expr_slot *slot);

/* True for a map with at least one member: expr_slot_member() gives them one by one, in written
 * order, and NULL behind the last. */
bool expr_slot_is_map(const struct expr_slot *slot);
const struct expr_slot *expr_slot_member(const struct expr_slot *slot, uint32_t index,
                                         struct span *key, struct arena *arena);

/* True when any expression in it is in another language (foreign.h). */
bool expr_slot_is_foreign(const struct expr_slot *slot);

/* True when any expression in it reads the variable. */
bool expr_slot_uses(const struct expr_slot *slot, uint32_t variable);

/* Checks the types of all expressions in it, and tells the slot's own; contract as
 * expr_check(). The type of a slot that is null is TYPE_NULL. */
const struct type *expr_slot_check(const struct expr_slot *slot, const struct expr_scope *scope,
                                   struct arena *arena, struct diagnostics *diagnostics);
