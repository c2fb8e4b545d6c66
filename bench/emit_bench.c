/*
 * emit_bench.c - what one event costs the C that `graph -o c` writes.
 *
 * The machines in hot_*.yaml are written as C when this is built, and measured in turns with
 * step_run() over the same definitions; beside them the order as a table by hand. Prints the
 * median of several rounds; it asserts nothing but that both end in the same states.
 */
#include <stdio.h>

#include "base/ensure.h"
#include "chart/chart.h"
#include "order_by_hand.h"
#include "rounds.h"
#include "wire/wire.h"

#define HOT_TOGGLE_DECLARATIONS
#include "hot_toggle.h"
#define HOT_ORDER_DECLARATIONS
#include "hot_order.h"
#define HOT_REGIONS_DECLARATIONS
#include "hot_regions.h"

enum { ROUNDS = 9, EVENTS = 500000, EVENTS_SHOWN = 6, ARENA_BYTES = 16 << 10 };

/* One round of an emitted machine: the same words for each of them. */
#define EMITTED_ROUND(machine, ...)                                                 \
    static uint64_t machine##_round(double *ns)                                     \
    {                                                                               \
        static const enum machine##_event_type types[EVENTS_SHOWN] = {__VA_ARGS__}; \
        static const struct machine##_host host = {.context = NULL};                \
        struct machine it;                                                          \
        uint32_t at = 0;                                                            \
        machine##_start(&it, &host);                                                \
        double from = rounds_now_ns(CLOCK_THREAD_CPUTIME_ID);                       \
        for (uint32_t i = 0; i < EVENTS; i++) {                                     \
            struct machine##_event event = {types[at]};                             \
            machine##_step(&it, &host, &event);                                     \
            at = at + 1 == EVENTS_SHOWN ? 0 : at + 1;                               \
        }                                                                           \
        *ns = (rounds_now_ns(CLOCK_THREAD_CPUTIME_ID) - from) / EVENTS;             \
        return it.active;                                                           \
    }

EMITTED_ROUND(hot_toggle, HOT_TOGGLE_ON_T, HOT_TOGGLE_ON_T, HOT_TOGGLE_ON_T, HOT_TOGGLE_ON_T,
              HOT_TOGGLE_ON_T, HOT_TOGGLE_ON_T)
EMITTED_ROUND(hot_order, HOT_ORDER_ON_SUBMIT, HOT_ORDER_ON_VALID, HOT_ORDER_ON_CHARGED,
              HOT_ORDER_ON_RESERVED, HOT_ORDER_ON_SHIPPED, HOT_ORDER_ON_AGAIN)
EMITTED_ROUND(hot_regions, HOT_REGIONS_ON_T, HOT_REGIONS_ON_T, HOT_REGIONS_ON_OUT,
              HOT_REGIONS_ON_BACK, HOT_REGIONS_ON_T, HOT_REGIONS_ON_T)

static const struct row {
    const char *name;
    const char *file;
    const char *types[EVENTS_SHOWN];
    uint64_t (*round)(double *ns);
} rows[] = {
    {"a toggle of 4 states",
     "hot_toggle.yaml",
     {"T", "T", "T", "T", "T", "T"},
     hot_toggle_round},
    {"an order of 6 states, 1 guard",
     "hot_order.yaml",
     {"SUBMIT", "VALID", "CHARGED", "RESERVED", "SHIPPED", "AGAIN"},
     hot_order_round},
    {"3 regions of 3 nested states, and history",
     "hot_regions.yaml",
     {"T", "T", "OUT", "BACK", "T", "T"},
     hot_regions_round},
};

static struct span read_file(const char *name, struct arena *arena)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", EMIT_FOLDER, name);
    FILE *file = fopen(path, "rb");
    ensure(file != NULL);
    char *text = arena_get(arena, 4096);
    size_t size = fread(text, 1, 4096, file);
    fclose(file);
    return span_of(text, size);
}

static uint64_t library_round(const struct machine *machine, const struct event *events,
                              double *ns)
{
    static char memory[2][ARENA_BYTES];
    struct arena turns[2];
    struct plan plan;
    struct event start = {.kind = EVENT_START, .payload = value_null()};
    arena_init(&turns[0], memory[0], sizeof memory[0]);
    arena_init(&turns[1], memory[1], sizeof memory[1]);
    ensure(step_run(machine, NULL, &start, 0, &turns[1], &plan) == STATUS_OK);
    uint32_t at = 0;
    double from = rounds_now_ns(CLOCK_THREAD_CPUTIME_ID);
    for (uint32_t i = 0; i < EVENTS; i++) {
        struct configuration before = plan.after;
        arena_clear(&turns[i % 2]);
        ensure(step_run(machine, &before, &events[at], i, &turns[i % 2], &plan) == STATUS_OK);
        at = at + 1 == EVENTS_SHOWN ? 0 : at + 1;
    }
    *ns = (rounds_now_ns(CLOCK_THREAD_CPUTIME_ID) - from) / EVENTS;
    return plan.after.active[0];
}

static void measure(const struct row *row)
{
    struct arena arena;
    struct diagnostics diagnostics;
    struct event events[EVENTS_SHOWN];
    double emitted[ROUNDS];
    double library[ROUNDS];
    arena_open(&arena, 64 << 20);
    diagnostics_init(&diagnostics, &arena);
    const struct node *root =
        wire_read_definition(read_file(row->file, &arena), SPAN("bench"), &arena, &diagnostics);
    const struct machine *machine = machine_load(root, &arena, &diagnostics);
    ensure(machine != NULL);
    for (int i = 0; i < EVENTS_SHOWN; i++)
        events[i] = (struct event){.kind = EVENT_EXTERNAL,
                                   .type = span_from_text(row->types[i]),
                                   .payload = value_map(NULL, 0)};
    for (int i = 0; i < ROUNDS; i++)
        ensure(row->round(&emitted[i]) == library_round(machine, events, &library[i]));
    printf("%8.1f %8.1f  %s\n", rounds_median(emitted, ROUNDS), rounds_median(library, ROUNDS),
           row->name);
    arena_close(&arena);
}

int main(void)
{
    printf("emitted C and the library, ns an event\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        measure(&rows[i]);
    printf("%8.1f           the order as a table by hand\n", order_by_hand_measure());
    return 0;
}
