/*
 * digit.h - single digits of numbers.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { DIGIT_NONE = 36 };

#define DIGIT_LETTERS "0123456789abcdefghijklmnopqrstuvwxyz"

static inline bool digit_is_decimal(char c)
{
    return c >= '0' && c <= '9';
}

/* What a digit or, in either case, a letter stands for: 0 to 35; DIGIT_NONE for anything else.
 * Callers compare with their base. */
static inline uint32_t digit_value(char c)
{
    if (digit_is_decimal(c))
        return (uint32_t)(c - '0');
    if (c >= 'a' && c <= 'z')
        return (uint32_t)(c - 'a') + 10;
    if (c >= 'A' && c <= 'Z')
        return (uint32_t)(c - 'A') + 10;
    return DIGIT_NONE;
}
