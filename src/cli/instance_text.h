/*
 * instance_text.h - instances on a line, for people.
 */
#pragma once

#include "cli/output.h"
#include "cli/reader.h"

/* The path of the state it is in, or ended in. */
struct span instance_state(const struct instance *instance);

/* "0042  CHARGING  active  waits for step charge": the id and the state in columns at least
 * this wide. The description is that of waiting_describe(). */
void instance_add_line(struct text *text, const struct instance *instance,
                       struct value description, int id_width, int state_width);

/* "step charge; timer after.30s.PENDING; 3x child": the list under "waiting" of a description.
 */
void instance_add_waits(struct text *text, struct value waits);

/* "212 ms", "3.1 s", "12.0 min": how long something took. */
void instance_add_duration(struct text *text, duration_ms duration);

/* Tells why its event with this number failed, from the line of history that it left. False
 * when there is no such event, or it did not fail: nothing is told. */
bool instance_explain(const struct cli_world *world, const char *path, const char *id,
                      uint64_t seq);

/* Reads one instance anew and prints it: what `start` and `send` end with. As JSON the
 * instance stands under `key` behind the members of `reply`, or alone where `reply` is null. */
enum cli_exit instance_print(const struct cli_world *world, const char *path, const char *id,
                             enum output_format format, struct value reply);
