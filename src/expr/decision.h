/*
 * decision.h - programs that only compare a few fields, run without a stack.
 *
 * Most guards are comparisons of members with constants, joined by !, &&, || and ? :. Such a
 * program also becomes a row of tests, each of which says where false and true lead: nothing is
 * pushed, and what is decided jumps to where it matters.
 *
 * Tests guess: that a path leads through small maps, that its end is a bool, a number, null or
 * a short text. Where one meets something else, an error above all, the decision is left open,
 * and the program runs from its beginning: programs are pure, so nobody can tell. Hence types
 * that are declared are not needed here, and would not do: whoever runs a program may put any
 * value into any slot.
 *
 * Always: what is not left open is what the program gives within its budget. Tests take nothing
 * from a budget themselves: their number, and what each may look at, bounds them.
 */
#pragma once

#include "expr/code.h"

struct decision_test;

enum decision { DECISION_FALSE, DECISION_TRUE, DECISION_OPEN };

/* The tests of a finished program; NULL when it is not of that kind. */
const struct decision_test *decision_make(const struct instruction *code, uint32_t count,
                                          const struct value *constants, struct arena *arena);

enum decision decision_run(const struct decision_test *tests, const struct value *slots);
