/*
 * comparison.h - expressions that only compare one member of a variable with a number.
 *
 * Many guards are no more than that, such as `context.total > 0`. Who has the member at hand
 * then needs no program to decide it.
 */
#pragma once

#include "expr/program.h"

struct expr_comparison {
    struct span variable;
    struct span member;
    int64_t constant;
    bool when_less; /* what it says of an int that is less than the constant */
    bool when_equal;
    bool when_greater;
};

/* True: of an int member, the program says what the comparison says. The spans are the
 * program's. */
bool expr_read_comparison(const struct expr_program *program,
                          struct expr_comparison *comparison);

static inline bool expr_comparison_holds(const struct expr_comparison *comparison,
                                         int64_t integer)
{
    if (integer < comparison->constant)
        return comparison->when_less;
    return integer == comparison->constant ? comparison->when_equal : comparison->when_greater;
}
