/*
 * tagged_value.h - values whose kind is written beside them, as the conformance cases of CEL
 * have them.
 *
 * JSON has one kind of number and no bytes, so a test that wants to be sure of kinds says
 * {"int":"1"}, {"uint":"1"}, {"double":"1.5"}, {"bytes_hex":"00ff"}, {"type":"int"},
 * {"list":[…]}, {"map":[[key,value],…]}; null, bool and string are themselves behind their
 * tag. Beyond the cases: timestamp, duration and optional (null when it is none).
 */
#pragma once

#include "base/text.h"
#include "base/value.h"

/* The value behind a tag, in the arena and the JSON's memory; false when the JSON is no tagged
 * value, and then problem is a sentence without a final stop. */
bool tagged_value_read(struct value json, struct arena *arena, struct value *value,
                       const char **problem);

/* The value with its tags as JSON. */
void tagged_value_write(struct text *text, struct value value);
