/*
 * unicode.h - sets of characters that Unicode has names for, and what they are in another case.
 */
#pragma once

#include "base/span.h"

/* Called for one range after the other; some may touch or overlap. */
typedef void unicode_add(void *context, uint32_t first, uint32_t last);

/* The characters of a general category ("Lu", or "L" for all that begin so), of a script
 * ("Greek"), or "Any". False: nothing has this name. */
bool unicode_named(struct span name, unicode_add *add, void *context);

/* What the characters of a range are in other cases: k is K and the Kelvin sign too. */
void unicode_other_cases(uint32_t first, uint32_t last, unicode_add *add, void *context);
