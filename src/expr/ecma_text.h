/*
 * ecma_text.h - ECMAScript's conversions between numbers and texts, and its way of counting
 * characters.
 */
#pragma once

#include "base/text.h"

/* Number::toString: "1.5", "1e+21", "NaN". */
void ecma_text_add_number(struct text *text, double number);

/* StringToNumber: NaN for what is no number, 0 for blanks. */
double ecma_text_number(struct span text);

/* The length in UTF-16's units. */
size_t ecma_text_length(struct span text);

/* The byte where the unit of this index begins, text.size behind the last; SIZE_MAX in the
 * middle of a character. */
size_t ecma_text_offset(struct span text, size_t units);
