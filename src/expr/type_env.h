/*
 * type_env.h - declarations as JSON: what names and functions an expression may use.
 *
 * A list of {"name":"x","type":"list(int)"}. The form in which CEL's conformance cases declare
 * is understood too: {"name":["x"],"ident":[{"type":[…]}]} and {"name":["f"],"function":[…]},
 * where a type is {"primitive":[{"$id":"INT64"}]}, {"list_type":[{"elem_type":[…]}]} and so on.
 */
#pragma once

#include "expr/program.h"

struct type_env {
    const struct span *names; /* of variables */
    const struct type *const *types;
    uint32_t count;
    const struct expr_signature *signatures;
    uint32_t signature_count;
};

/* Reads declarations (null: none) into the arena; false when one is not well-formed, and then
 * problem is a sentence without a final stop. */
bool type_env_read(struct value json, struct arena *arena, struct type_env *env,
                   const char **problem);

/* A type in either form; NULL when it is none. */
const struct type *type_env_read_type(struct value json, struct arena *arena);
