/*
 * checked.h - arithmetic on numbers that came from outside.
 *
 * Each returns false when the exact answer does not fit; the result is then of no use.
 */
#pragma once

#include <stdbool.h>

#define checked_add(a, b, result) (!__builtin_add_overflow((a), (b), (result)))
#define checked_subtract(a, b, result) (!__builtin_sub_overflow((a), (b), (result)))
#define checked_multiply(a, b, result) (!__builtin_mul_overflow((a), (b), (result)))
