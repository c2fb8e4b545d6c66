/*
 * schema.h - JSON Schema: what a payload, a context or a record may look like.
 *
 * The part of JSON Schema 2020-12 that data of this kind needs: type, enum, const, properties,
 * required, additionalProperties, minProperties, maxProperties, items, minItems, maxItems,
 * uniqueItems, minLength, maxLength, pattern, minimum, maximum, exclusiveMinimum,
 * exclusiveMaximum, multipleOf, allOf, anyOf, oneOf, not, $defs and $ref within "#". Titles,
 * descriptions and other remarks are allowed and mean nothing. Anything else is refused when
 * the schema is read: a rule that is not checked is worse than none.
 *
 * A schema is compiled once and applied to any number of values. Applying it also turns
 * numbers into what the schema calls them: `number` is a double, `integer` an int (3.0 is 3),
 * so that an expression finds the kind that it was checked for.
 */
#pragma once

#include "base/diagnostic.h"
#include "base/node.h"
#include "base/value.h"
#include "expr/type.h"

struct schema; /* immutable, in the arena it was compiled into */

/* Where a value does not fit its schema and why. */
struct schema_problem {
    struct span path;    /* JSON pointer: "/items/0/price"; empty for the whole value */
    struct span message; /* a predicate without a final stop: "is less than 1" */
};

/* NULL after diagnostics (IL0102, IL0104, IL0106). The node must live on. Jumps to the arena's
 * guard when it is spent. */
const struct schema *schema_compile(const struct node *node, struct arena *arena,
                                    struct diagnostics *diagnostics);

/* True when the value fits; `accepted` is then the value with its numbers as the schema calls
 * them, sharing all that did not change. False after filling in the first problem. Takes
 * memory from the arena only, and jumps to its guard. */
bool schema_accept(const struct schema *schema, struct value value, struct arena *arena,
                   struct value *accepted, struct schema_problem *problem);

/* True when no value fits that has not this member; false when that is not sure. */
bool schema_requires(const struct schema *schema, struct span name);

/* What the checker may know of values that fit. An object whose additionalProperties is not
 * false is an open record. Where properties are listed without a type, an object is taken for
 * granted, which JSON Schema itself does not do. */
const struct type *schema_type(const struct schema *schema, struct arena *arena);
