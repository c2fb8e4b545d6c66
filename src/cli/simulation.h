/*
 * simulation.h - one instance on a virtual clock: `step`.
 *
 * Between macrosteps the instance is bytes, its snapshot and its context, as it is in a
 * store. So memory stays bounded however long the run is, and whatever a snapshot would
 * lose shows here too.
 *
 * A line is what one input line did: several macrosteps when the clock was moved.
 */
#pragma once

#include "chart/chart.h"

enum { SIMULATION_TIMERS_MAX = 100000 }; /* fired by one line */

struct simulation {
    const struct machine *machine;
    struct arena turn;  /* of one macrostep, as large as an engine's */
    struct arena arena; /* of what is decoded before and described after it */
    struct text snapshot;
    struct text context;
    instant_ms now;
    enum instance_status status;

    /* The line so far. */
    bool changed;
    enum outcome outcome;
    struct text effects; /* JSON, comma-separated */
    struct text errors;
};

/* Starts the instance at the epoch; its first line is the start. */
void simulation_open(struct simulation *simulation, const struct machine *machine,
                     struct value input);
void simulation_close(struct simulation *simulation);

/* Forgets the line so far. */
void simulation_begin_line(struct simulation *simulation);

/* One macrostep. */
void simulation_send(struct simulation *simulation, const struct event *event);

/* The number of the active invocation of an id. False when there is no such invoke in the
 * machine; one that is not active has a number that nothing has. */
bool simulation_find_invocation(struct simulation *simulation, struct span id,
                                uint64_t *number);

/* Fires timers in order, each at its due time, until the clock stands at `until`, or with
 * INSTANT_NEVER until none is armed. False when SIMULATION_TIMERS_MAX fired. */
bool simulation_advance(struct simulation *simulation, instant_ms until);

/* Appends the line as JSON. `outcome` replaces the line's own when not NULL. */
void simulation_write_line(struct simulation *simulation, const char *outcome,
                           struct text *text);
