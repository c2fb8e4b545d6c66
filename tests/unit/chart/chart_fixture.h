/*
 * chart_fixture.h - definitions as text, and what must be true of every step.
 *
 * fixture_step() takes one macrostep as an engine would: it checks the plan and the
 * configuration, that a second run which takes no short way gives the same bytes, and that what
 * a snapshot keeps is what there was. So each test of a step also attacks purity, light steps
 * and snapshots.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/ensure.h"
#include "base/json.h"
#include "base/limits.h"
#include "chart/chart.h"
#include "wire/wire.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* One instance that lives on between steps. */
struct fixture {
    struct arena arena; /* of the machine, and of configurations */
    const struct machine *machine;
    struct configuration now;
    bool is_started;
    instant_ms clock;
    uint32_t light_count; /* events that could be taken in place */
};

/* Reads and loads a definition; NULL with diagnostics. */
const struct machine *fixture_load(struct span definition, struct arena *arena,
                                   struct diagnostics *diagnostics);

/* Opens the fixture on a definition, which must be good. */
void fixture_open(struct fixture *fixture, const char *definition);
void fixture_open_machine(struct fixture *fixture, const struct machine *machine);
void fixture_close(struct fixture *fixture);

/* One macrostep; the plan lives in the fixture's arena. */
struct plan fixture_step(struct fixture *fixture, const struct event *event);

struct plan fixture_start(struct fixture *fixture, struct value input);
struct plan fixture_send(struct fixture *fixture, const char *type, const char *payload);
struct plan fixture_finish(struct fixture *fixture, enum event_kind kind, uint64_t number,
                           const char *payload);

/* Fires the timer that is due first and sets the clock to its moment. */
struct plan fixture_fire(struct fixture *fixture);

/* JSON text to a value, in the arena. */
struct value fixture_json(struct arena *arena, struct span text);

/* Everything that a plan says, as text. */
struct span fixture_plan_text(const struct plan *plan, instant_ms now, struct arena *arena);

/* The snapshot and the context as one text. */
struct span fixture_bytes(const struct configuration *configuration, struct arena *arena);
