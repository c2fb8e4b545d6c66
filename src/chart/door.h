/*
 * door.h - which events a machine lets in from outside.
 *
 * A machine that declares `events` takes no others, and none whose payload does not fit. What
 * it raises itself, and the results of its steps, do not come by this door.
 */
#pragma once

#include "chart/machine.h"

/* What the payload of an event of this type has to fit; NULL where none is declared. */
const struct schema *door_schema(const struct machine *machine, struct span type);

/* True when the event may come in; *accepted is then its payload with its numbers as the schema
 * calls them. False: *problem is a sentence. Memory comes from the arena, to whose guard it
 * jumps. */
bool door_accepts(const struct machine *machine, struct span type, struct value payload,
                  struct arena *arena, struct value *accepted, struct span *problem);
