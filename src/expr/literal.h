/*
 * literal.h - what number and string tokens stand for.
 */
#pragma once

#include "base/arena.h"
#include "base/value.h"
#include "expr/lexer.h"

struct literal_problem {
    uint32_t offset;     /* in the expression's text */
    const char *message; /* a sentence without a final stop, static */
};

/* Reads an INT, UINT, DOUBLE, STRING or BYTES token; `is_negative` when a minus sign stands
 * before a number. False after filling in the problem. A string without escapes points into
 * the text. */
bool literal_read(struct token token, bool is_negative, struct arena *arena,
                  struct value *value, struct literal_problem *problem);
