/*
 * run_progress.h - the bar that a person watches while `run` works.
 */
#pragma once

#include "engine/engine.h"
#include "os/os.h"

struct run_progress {
    bool is_shown;  /* standard error is a terminal */
    uint64_t total; /* 0: unknown */
    int64_t began_us;
};

void run_progress_open(struct run_progress *progress, uint64_t total);

/* Draws the bar again over itself. `before` of those done were so when it began, and are no
 * part of the rate. */
void run_progress_draw(const struct run_progress *progress, const struct engine *engine,
                       uint64_t done, uint64_t before);

/* Takes the bar away, so that something else can be said. */
void run_progress_clear(const struct run_progress *progress);

/* Leaves the bar where it is; what comes next comes below it. */
void run_progress_leave(const struct run_progress *progress);
