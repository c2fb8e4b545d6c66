/*
 * step_bench.c - what one event costs the pure step.
 *
 * Each event is looked up by its name, selects, leaves, enters and gives a whole plan, in an
 * arena that is used again and again: two of them in turns, since a configuration lives in
 * the one it was made in until the next is made. Beside them the same machine written by
 * hand: a table of states and events, without names, context, plan or guard.
 *
 * Prints the median of several rounds; it asserts nothing.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/ensure.h"
#include "base/json.h"
#include "chart/chart.h"
#include "order_by_hand.h"
#include "rounds.h"
#include "wire/wire.h"

enum { ROUNDS = 9, EVENTS = 1000000, ARENA_BYTES = 16 << 10, EVENTS_SHOWN = 6 };

struct machine_row {
    const char *name;
    const char *definition;
    const char *types[EVENTS_SHOWN]; /* sent round and round */
    const char *payload;
};

static const struct machine_row rows[] = {
    {"a toggle of 4 states",
     "initial: A\n"
     "states: { A: { on: { T: B } }, B: { on: { T: C } }, C: { on: { T: D } }, D: { on: { T: A "
     "} } }\n",
     {"T", "T", "T", "T", "T", "T"},
     "{}"},
    {"an order of 6 states, 1 guard",
     "initial: PENDING\n"
     "context: { total: 10 }\n"
     "states:\n"
     "  PENDING: { on: { SUBMIT: { target: VALIDATING, guard: event.total > 0 } } }\n"
     "  VALIDATING: { on: { VALID: CHARGING, CANCEL: PENDING } }\n"
     "  CHARGING: { on: { CHARGED: RESERVING, CANCEL: PENDING } }\n"
     "  RESERVING: { on: { RESERVED: SHIPPING, CANCEL: PENDING } }\n"
     "  SHIPPING: { on: { SHIPPED: COMPLETED } }\n"
     "  COMPLETED: { on: { AGAIN: PENDING } }\n",
     {"SUBMIT", "VALID", "CHARGED", "RESERVED", "SHIPPED", "AGAIN"},
     "{\"total\":3}"},
    {"3 regions of 3 nested states",
     "type: parallel\n"
     "states:\n"
     "  A: &region\n"
     "    initial: x\n"
     "    states:\n"
     "      x: { on: { T: y } }\n"
     "      y: { initial: p, on: { T: z }, states: { p: {}, q: {} } }\n"
     "      z: { on: { T: x } }\n"
     "  B: *region\n"
     "  C: *region\n",
     {"T", "T", "T", "T", "T", "T"},
     "{}"},
    {"out of 3 regions, and back by history",
     "initial: IN\n"
     "states:\n"
     "  IN:\n"
     "    type: parallel\n"
     "    on: { T: OUT }\n"
     "    states:\n"
     "      A: &region { initial: x, states: { x: {}, y: {} } }\n"
     "      B: *region\n"
     "      C: *region\n"
     "      H: { type: history, history: deep }\n"
     "  OUT: { on: { T: '#machine.IN.H' } }\n",
     {"T", "T", "T", "T", "T", "T"},
     "{}"},
    {"an event that nothing handles",
     "initial: A\nstates: { A: { on: { T: A } } }\n",
     {"X", "X", "X", "X", "X", "X"},
     "{}"},
};

static const struct machine *load(const char *definition, struct arena *arena)
{
    struct diagnostics diagnostics;
    diagnostics_init(&diagnostics, arena);
    const struct node *root =
        wire_read_definition(span_from_text(definition), SPAN("bench"), arena, &diagnostics);
    ensure(root != NULL);
    const struct machine *machine = machine_load(root, arena, &diagnostics);
    ensure(machine != NULL);
    return machine;
}

static double run_round(const struct machine *machine, const struct event *events,
                        struct arena *turns)
{
    struct plan plan;
    struct event start = {.kind = EVENT_START, .payload = value_null()};
    arena_clear(&turns[1]);
    ensure(step_run(machine, NULL, &start, 0, &turns[1], &plan) == STATUS_OK);
    uint64_t changed = 0;
    uint32_t at = 0;
    double from = rounds_now_ns(CLOCK_THREAD_CPUTIME_ID);
    for (uint32_t i = 0; i < EVENTS; i++) {
        struct configuration before = plan.after;
        arena_clear(&turns[i % 2]);
        ensure(step_run(machine, &before, &events[at], i, &turns[i % 2], &plan) == STATUS_OK);
        changed += plan.changed;
        at = at + 1 == EVENTS_SHOWN ? 0 : at + 1;
    }
    double took = rounds_now_ns(CLOCK_THREAD_CPUTIME_ID) - from;
    ensure(changed == 0 || changed == EVENTS);
    return took / EVENTS;
}

static double measure(const struct machine_row *row)
{
    static char memory[2][ARENA_BYTES];
    struct arena arena;
    struct arena turns[2];
    struct event events[EVENTS_SHOWN];
    struct json_error error;
    double rounds[ROUNDS];
    arena_open(&arena, 64 << 20);
    arena_init(&turns[0], memory[0], sizeof memory[0]);
    arena_init(&turns[1], memory[1], sizeof memory[1]);
    const struct machine *machine = load(row->definition, &arena);
    for (int i = 0; i < EVENTS_SHOWN; i++) {
        events[i] =
            (struct event){.kind = EVENT_EXTERNAL, .type = span_from_text(row->types[i])};
        ensure(json_read(span_from_text(row->payload), &arena, &events[i].payload, &error) ==
               STATUS_OK);
    }
    for (int i = 0; i < ROUNDS; i++)
        rounds[i] = run_round(machine, events, turns);
    arena_close(&arena);
    return rounds_median(rounds, ROUNDS);
}

int main(void)
{
    printf("pure step, ns an event\n");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        printf("%8.1f  %s\n", measure(&rows[i]), rows[i].name);
    printf("%8.1f  the order as a table by hand\n", order_by_hand_measure());
    return 0;
}
