/*
 * signature.h - the types of functions and operators, one table of them.
 *
 * A row is an overload: its name, and its parameters and result in a letter each, so that
 * some hundred overloads are read at a glance:
 *
 *     n null   b bool   i int   u uint   d double   s string   y bytes
 *     t timestamp   r duration   I net.IP   N net.CIDR   * dyn   # any number
 *     A B type parameters   L. list   M.. map   O. optional_type   T. type
 *     L# a list of any numbers (as a parameter)
 *     + (at the end of the parameters) the last one again and again
 *
 * What the run would refuse, no row allows, and the other way round; a test holds the table
 * against the functions themselves.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

struct signature {
    struct span name;
    const char *parameters;
    const char *result;
};

/* The first row of that name, followed by its other overloads; NULL when there is none. An
 * operator's name is its text; that of negation is "neg". */
const struct signature *signature_find(struct span name);

/* The next overload of the same name, or NULL. */
const struct signature *signature_next(const struct signature *signature);

/* By position; NULL behind the last. */
const struct signature *signature_at(uint32_t index);
