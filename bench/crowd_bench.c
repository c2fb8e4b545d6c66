/*
 * crowd_bench.c - what one event costs an instance in a crowd, and how many bytes it takes.
 *
 * The public interface, as a program outside uses it: event types are known by numbers, and no
 * plan is made. First one instance, over and over; then a million of them, each visited once a
 * round in random order, and in whole cycles of the events, so that a guard counts as often as
 * it comes. Beside both the same order as a table written by hand, a byte an instance, over the
 * same visits.
 *
 * Prints the median of several rounds; it asserts nothing.
 */
#include <interlock.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/ensure.h"
#include "order_by_hand.h"
#include "rounds.h"

enum { ROUNDS = 5, EVENTS = 1000000, CROWD = 1000000, STEPS = 6 };

struct crowd_row {
    const char *name;
    const char *definition;
    const char *types[STEPS]; /* sent round and round */
    const char *payload;      /* of the first of them, or NULL */
    bool has_input;           /* a total, of each its own */
};

#define ORDER(guard)                                                            \
    "initial: PENDING\n"                                                        \
    "states:\n"                                                                 \
    "  PENDING: { on: { SUBMIT: { target: VALIDATING, guard: " guard " } } }\n" \
    "  VALIDATING: { on: { VALID: CHARGING, CANCEL: PENDING } }\n"              \
    "  CHARGING: { on: { CHARGED: RESERVING, CANCEL: PENDING } }\n"             \
    "  RESERVING: { on: { RESERVED: SHIPPING, CANCEL: PENDING } }\n"            \
    "  SHIPPING: { on: { SHIPPED: COMPLETED } }\n"                              \
    "  COMPLETED: { on: { AGAIN: PENDING } }\n"

#define ORDER_TYPES                                                  \
    {                                                                \
        "SUBMIT", "VALID", "CHARGED", "RESERVED", "SHIPPED", "AGAIN" \
    }
#define TOGGLE_TYPES                 \
    {                                \
        "T", "T", "T", "T", "T", "T" \
    }

static const struct crowd_row rows[] = {
    {"a toggle of 4 states",
     "initial: A\n"
     "states: { A: { on: { T: B } }, B: { on: { T: C } }, C: { on: { T: D } }, D: { on: { T: A "
     "} } }\n",
     TOGGLE_TYPES, NULL, false},
    {"an order of 6 states, 1 guard over its context",
     "context: { total: '${input.total}' }\n" ORDER("context.total > 0"), ORDER_TYPES, NULL,
     true},
    {"an order of 6 states, 1 guard over a payload", ORDER("event.total > 0"), ORDER_TYPES,
     "{\"total\":3}", false},
    {"3 regions of 3 nested states, back by history",
     "type: parallel\n"
     "states:\n"
     "  A: &region\n"
     "    initial: x\n"
     "    states:\n"
     "      x: { on: { T: y } }\n"
     "      y: { initial: p, on: { T: z }, states: { p: {}, q: {}, h: { type: history } } }\n"
     "      z: { on: { T: y.h } }\n"
     "  B: *region\n"
     "  C: *region\n",
     TOGGLE_TYPES, NULL, false},
    {"out of 3 regions of 3 states, and back by history",
     "initial: IN\n"
     "states:\n"
     "  IN:\n"
     "    type: parallel\n"
     "    on: { T: OUT }\n"
     "    states:\n"
     "      A: &region { initial: x, states: { x: {}, y: {}, z: {} } }\n"
     "      B: *region\n"
     "      C: *region\n"
     "      H: { type: history, history: deep }\n"
     "  OUT: { on: { T: '#machine.IN.H' } }\n",
     TOGGLE_TYPES, NULL, false},
    {"an event that nothing handles", "initial: A\nstates: { A: { on: { U: A } } }\n",
     TOGGLE_TYPES, NULL, false},
};

static il_machine *load(const char *definition)
{
    il_machine *machine;
    ensure(il_machine_load(definition, strlen(definition), "bench", NULL, NULL, &machine) ==
           IL_OK);
    return machine;
}

static void name_events(il_crowd *crowd, const struct crowd_row *row, uint32_t *events)
{
    for (int i = 0; i < STEPS; i++)
        ensure(il_crowd_event(crowd, row->types[i], &events[i]) == IL_OK);
}

static void start(il_crowd *crowd, const struct crowd_row *row, uint32_t index)
{
    char input[32];
    snprintf(input, sizeof input, "{\"total\":%u}", index + 1);
    ensure(il_crowd_start(crowd, index, row->has_input ? input : NULL, 0) == IL_OK);
}

static double run_hot(il_crowd *crowd, const struct crowd_row *row, const uint32_t *events)
{
    uint32_t at = 0;
    double from = rounds_now_ns(CLOCK_THREAD_CPUTIME_ID);
    for (uint32_t i = 0; i < EVENTS; i++) {
        ensure(il_crowd_send(crowd, 0, events[at], at == 0 ? row->payload : NULL, i) == IL_OK);
        at = at + 1 == STEPS ? 0 : at + 1;
    }
    return (rounds_now_ns(CLOCK_THREAD_CPUTIME_ID) - from) / EVENTS;
}

static void measure_hot(const struct crowd_row *row)
{
    double rounds[ROUNDS];
    uint32_t events[STEPS];
    il_crowd *crowd;
    il_machine *machine = load(row->definition);
    ensure(il_crowd_open(machine, 1, &crowd) == IL_OK);
    start(crowd, row, 0);
    name_events(crowd, row, events);
    for (int i = 0; i < ROUNDS; i++)
        rounds[i] = run_hot(crowd, row, events);
    printf("%8.1f           %s\n", rounds_median(rounds, ROUNDS), row->name);
    il_crowd_close(crowd);
    il_machine_close(machine);
}

/* Every number below CROWD once, by a generator whose state a round carries on. */
static void shuffle(uint32_t *visits)
{
    uint64_t random = 88172645463325252u;
    for (uint32_t i = 0; i < CROWD; i++)
        visits[i] = i;
    for (uint32_t i = CROWD - 1; i > 0; i--) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        uint32_t other = (uint32_t)(random % (i + 1));
        uint32_t kept = visits[i];
        visits[i] = visits[other];
        visits[other] = kept;
    }
}

static void measure_cold(const struct crowd_row *row, const uint32_t *visits)
{
    double rounds[ROUNDS];
    uint32_t events[STEPS];
    il_crowd *crowd;
    il_machine *machine = load(row->definition);
    ensure(il_crowd_open(machine, CROWD, &crowd) == IL_OK);
    for (uint32_t i = 0; i < CROWD; i++)
        start(crowd, row, i);
    name_events(crowd, row, events);
    for (int round = 0; round < ROUNDS; round++) {
        double from = rounds_now_ns(CLOCK_THREAD_CPUTIME_ID);
        for (int at = 0; at < STEPS; at++)
            for (uint32_t i = 0; i < CROWD; i++)
                ensure(il_crowd_send(crowd, visits[i], events[at],
                                     at == 0 ? row->payload : NULL, i) == IL_OK);
        rounds[round] = (rounds_now_ns(CLOCK_THREAD_CPUTIME_ID) - from) / CROWD / STEPS;
    }
    printf("%8.1f %8zu  %s\n", rounds_median(rounds, ROUNDS), il_crowd_bytes(crowd) / CROWD,
           row->name);
    il_crowd_close(crowd);
    il_machine_close(machine);
}

static double measure_by_hand_cold(const uint32_t *visits, size_t stride)
{
    double rounds[ROUNDS];
    uint8_t *states = calloc(CROWD, stride);
    ensure(states != NULL);
    for (int round = 0; round < ROUNDS; round++) {
        double from = rounds_now_ns(CLOCK_THREAD_CPUTIME_ID);
        for (int event = 0; event < STEPS; event++) {
            for (uint32_t i = 0; i < CROWD; i++) {
                uint8_t *state = &states[visits[i] * stride];
                *state = order_by_hand[*state][event];
            }
        }
        rounds[round] = (rounds_now_ns(CLOCK_THREAD_CPUTIME_ID) - from) / CROWD / STEPS;
    }
    ensure(states[0] < BY_HAND_SIZE);
    free(states);
    return rounds_median(rounds, ROUNDS);
}

int main(void)
{
    uint32_t *visits = malloc(CROWD * sizeof *visits);
    ensure(visits != NULL);
    shuffle(visits);
    printf("one instance of a crowd: ns an event\n");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        measure_hot(&rows[i]);
    printf("%8.1f           the order as a table by hand\n", order_by_hand_measure());
    printf("a million of them at random: ns an event, bytes an instance\n");
    for (size_t i = 0; i + 1 < sizeof rows / sizeof rows[0]; i++)
        measure_cold(&rows[i], visits);
    printf("%8.1f %8d  the order as a table by hand\n", measure_by_hand_cold(visits, 1), 1);
    printf("%8.1f %8d  the same in structs of 64 bytes\n", measure_by_hand_cold(visits, 64),
           64);
    free(visits);
    return 0;
}
