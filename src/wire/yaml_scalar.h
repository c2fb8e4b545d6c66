/*
 * yaml_scalar.h - what a YAML scalar stands for: the core schema of YAML 1.2 (10.3.2).
 *
 * `on`, `off`, `yes` and `no` are strings, 0o17 is a number and 017 is seventeen: this is not
 * YAML 1.1. Numbers must be exact 64-bit integers or finite doubles, because JSON, in which
 * values are stored and sent, has no others.
 */
#pragma once

#include "base/span.h"
#include "base/value.h"

/* The value of an unquoted scalar; strings point to the text, which has a NUL behind it.
 * Returns NULL, or what is wrong: "is not between …", a predicate to the text. */
const char *yaml_scalar_resolve(struct span text, struct value *value);

/* The same where a tag says the kind: VALUE_NULL, _BOOL, _INT, _DOUBLE or _STRING. */
const char *yaml_scalar_resolve_as(struct span text, enum value_kind kind, struct value *value);
