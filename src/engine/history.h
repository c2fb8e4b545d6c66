/*
 * history.h - what happened to an instance, read back from the log.
 */
#pragma once

#include "engine/registry.h"

/* One line of a history, as histories are printed. Values live in the arena of the visit. */
struct history_line {
    uint64_t seq;
    instant_ms at;
    struct value event; /* {"type":…, payload} */
    enum event_kind kind;
    enum outcome outcome;
    bool late;
    struct value from; /* XState's form; null at the start */
    struct value to;
    struct span from_path;
    struct span to_path;
    struct value via; /* the paths of states that a derivation passed */
    struct value effects;
    const struct effect *raw_effects; /* the same, as the step gave them */
    uint32_t raw_effect_count;
    uint64_t number;    /* DONE, ERROR: of the invocation */
    struct span sender; /* the instance of its family that it is from, or empty */
    struct value errors;
    enum instance_status status;
};

/* Returning false ends the visit. */
typedef bool history_visit(void *context, const struct history_line *line);

/* Visits the event records of an instance with seq > after, oldest first. The arena is cleared
 * between lines. STATUS_CORRUPT when the chain of records is broken or has a gap (I4). */
enum status history_read(struct registry *registry, const struct instance *instance,
                         uint64_t after, struct arena *arena, history_visit *visit,
                         void *context) must_check;

/* The newest event that changed the state or the status: how the instance got where it is.
 * False when the log cannot be read. The line lives in the arena, which is not cleared. */
bool history_last_move(struct registry *registry, const struct instance *instance,
                       struct arena *arena, struct history_line *line);

/* I8: steps the instance again from its first event and compares every configuration with the
 * recorded one. STATUS_CORRUPT and registry->problem where they differ. */
enum status history_verify(struct registry *registry, const struct instance *instance,
                           struct arena *arena) must_check;

/* What steps did for an instance. */
struct history_sum {
    uint32_t attempts;     /* that were begun */
    duration_ms worked_ms; /* in attempts; without waiting in line, and without attempts that
                              the end of an engine cut off */
    struct value error;    /* the newest `event.error` of a step, or null */
};

/* Sums up the records of one instance after the other, without stepping anything: what was
 * read for one is kept for its neighbours. The error lives in the arena. */
struct history_sums;
struct history_sums *history_sums_open(struct registry *registry);
enum status history_sums_get(struct history_sums *sums, const struct instance *instance,
                             struct arena *arena, struct history_sum *sum) must_check;
void history_sums_close(struct history_sums *sums);

/* The line as JSON: {"seq","at","event","outcome","from","to","via","effects",
 * "sender"?,"errors"?}. */
struct value history_describe(const struct history_line *line, struct arena *arena);
