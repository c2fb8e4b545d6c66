/*
 * script_value.h - values as ECMAScript has them, and back.
 *
 * {"@xml": TEXT} is the element; {"@function": TEXT} is the function, when some definition
 * that was loaded has this text as one. What no value can hold is refused: functions that
 * close over something, circles, NaN, objects with a prototype that does something.
 */
#pragma once

#include "script/script_heap.h"

/* Pushes the value; throws when there is no room. */
void script_value_push(struct script *script, struct value value);

/* The value on top, which stays; throws when it cannot be held. Undefined is an optional
 * without a value. */
struct value script_value_pull(struct script *script);

/* A text of the top, in the arena; throws. */
struct span script_value_text(struct script *script, duk_idx_t index);

/* Variables: the world's become those of the global object, and back. The second throws, and
 * sets the world's anew only when there is a difference. */
void script_value_put_variables(struct script *script);
void script_value_read_variables(struct script *script);
