/*
 * reason_domain.h - the choices of every cell, and what each atom comes to for each of them.
 */
#pragma once

#include "expr/reason_model.h"

/* Fills in choices and outcomes of a model that was read. Jumps to the arena's guard. */
void reason_domain_fill(struct reason *reason, struct arena *arena);

/* The value of a variable in which one place has a value, or is missing when it is NULL; its
 * ancestors are maps of one entry. */
struct value reason_domain_wrap(const struct reason *reason, uint32_t place,
                                const struct value *value, struct arena *arena);
