/*
 * json_merge.h - JSON merge patches, RFC 7386.
 */
#pragma once

#include "base/value.h"

/* The target with the patch laid over it: members of the patch replace those of the target,
 * null takes one away, and objects are laid over objects in the same way. *changed tells
 * whether that made a difference; if not, the target itself is given back. Both are maps as
 * JSON gives them. Jumps to the arena's guard. */
struct value json_merge(struct arena *arena, struct value target, struct value patch,
                        bool *changed);
