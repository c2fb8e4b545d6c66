/*
 * simulation.h - an instance and its children on a virtual clock: `step`.
 *
 * A line is what one input line did: several macrosteps when the clock was moved, or when the
 * instance hears from a child. Only those of the instance itself are told.
 */
#pragma once

#include "chart/chart.h"

enum {
    SIMULATION_ITEMS_MAX = 1000, /* effects, errors or states passed that a line tells */
    SIMULATION_BYTES_MAX =
        16 << 20, /* … and of what size: the one that goes beyond is the last */
};

/* The beginning of a list, and how many there were. */
struct simulation_list {
    struct text items; /* JSON, comma-separated */
    uint64_t told;
    uint64_t count;
};

struct simulation {
    const struct machine *machine;
    struct family family;
    struct arena arena; /* of what is described */

    /* The line so far. */
    bool changed;
    bool is_endless; /* it did more than FAMILY_STEPS_MAX macrosteps, and was stopped */
    enum outcome outcome;
    struct simulation_list effects;
    struct simulation_list errors;
    struct simulation_list via; /* the states that derivations passed */
};

/* Starts the instance at the epoch; its first line is the start. */
void simulation_open(struct simulation *simulation, const struct machine *machine,
                     struct value input);
void simulation_close(struct simulation *simulation);

/* Forgets the line so far. */
void simulation_begin_line(struct simulation *simulation);

/* One event, with all that it causes at once. */
void simulation_send(struct simulation *simulation, const struct event *event);

/* The number of the active invocation of an id. False when there is no such invoke in the
 * machine; one that is not active has a number that nothing has. */
bool simulation_find_invocation(struct simulation *simulation, struct span id,
                                uint64_t *number);

/* Fires timers in order, each at its due time, until the clock stands at `until`, or with
 * INSTANT_NEVER until none is armed. */
void simulation_advance(struct simulation *simulation, instant_ms until);

/* Appends the line as JSON. `outcome` replaces the line's own when not NULL. */
void simulation_write_line(struct simulation *simulation, const char *outcome,
                           struct text *text);
