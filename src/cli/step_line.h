/*
 * step_line.h - one line of `step`'s input.
 *
 *     {"type":"PAY","amount":3}                    an event and its payload
 *     {"advance":"10s"}                            the virtual clock moves
 *     {"done":"INVOKE-ID","output":…}              an invoke ended well
 *     {"error":"INVOKE-ID","error":{"kind":…}}     or not; `error` stands twice
 */
#pragma once

#include "base/arena.h"
#include "base/time.h"
#include "base/value.h"

enum step_line_kind { STEP_LINE_EVENT, STEP_LINE_ADVANCE, STEP_LINE_DONE, STEP_LINE_ERROR };

struct step_line {
    enum step_line_kind kind;
    struct span name;     /* the event's type, or the invoke's id */
    struct value payload; /* a map without `type`; the output; the error */
    duration_ms advance_ms;
};

struct step_line_problem {
    uint32_t column; /* 0: unknown */
    struct span message;
};

/* Reads a line into the arena; false with a problem. The text must outlive what was read. */
bool step_line_read(struct span text, struct arena *arena, struct step_line *line,
                    struct step_line_problem *problem);

/* The line of an event given by its type and its payload's JSON (empty: none). */
bool step_line_read_event(struct span type, struct span json, struct arena *arena,
                          struct step_line *line, struct step_line_problem *problem);
