/*
 * fold.h - what grows or repeats while a program runs: lists and maps under construction,
 * the walks of macros, and optionals opened for a while.
 *
 * A running fold has its range, position, result and variables side by side on the VM's
 * stack (code.h, FOLD_PLACES); `places` points to the first of them.
 */
#pragma once

#include "expr/vm.h"

/* A list or map under construction with room for so many elements; adding an error turns it
 * into that error. Beyond the room it grows. */
struct value fold_new_list(struct vm *vm, uint32_t room);
struct value fold_new_map(struct vm *vm, uint32_t room);
void fold_add_element(struct vm *vm, struct value *list, struct value element,
                      bool is_optional);
void fold_add_entry(struct vm *vm, struct value *map, struct value key, struct value value,
                    bool is_optional);

/* Prepares the places for a walk over places[FOLD_RANGE]; false when that is no range, with
 * the error in its place. */
bool fold_begin(struct vm *vm, struct value *places, enum ast_fold fold);

/* Sets the variables to the next element; false behind the last. */
bool fold_next(struct value *places, unsigned variables);

/* True when the condition holds; an error ends the fold. */
bool fold_passes(struct vm *vm, struct value *places, struct value condition);
bool fold_is_over(const struct value *places);

/* Takes the body's result; false when the fold's result is decided. */
bool fold_step(struct vm *vm, struct value *places, struct value body, enum ast_fold fold);

struct value fold_end(struct vm *vm, const struct value *places, enum ast_fold fold);

/* Replaces an optional by its value; false when there is none, or with an error in place. */
bool fold_open_optional(struct vm *vm, struct value *optional);
struct value fold_close_optional(struct vm *vm, struct value body, bool is_flat);

/* or and orValue: true when the value on the left is the answer (unwrapped for orValue). */
bool fold_is_decided(struct vm *vm, struct value *optional, bool takes_value);
