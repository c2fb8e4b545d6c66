/*
 * machine_fuzz.c - any text as a definition, and a few steps of what loads.
 *
 * Whatever the text is, it is a machine in which every "always" holds, or errors with places;
 * a machine that loads can be checked, and steps from one valid configuration to the next
 * whatever happens to it.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/ensure.h"
#include "base/limits.h"
#include "base/random.h"
#include "chart/chart.h"
#include "wire/wire.h"

enum { ARENA_BYTES = 64 << 20, STEPS = 12 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct event external(struct random *random, const struct machine *machine)
{
    uint32_t id = (uint32_t)random_up_to(random, machine->event_count - 1);
    bool is_named = id >= EVENT_ID_FIRST;
    return (struct event){.kind = EVENT_EXTERNAL,
                          .type = is_named ? machine->event_types[id] : SPAN("other"),
                          .payload = value_map(NULL, 0)};
}

static struct event next_event(struct random *random, const struct configuration *before)
{
    static const struct value_entry kind[] = {
        {{.kind = VALUE_STRING, .count = 4, .text = "kind"},
         {.kind = VALUE_STRING, .count = 7, .text = "timeout"}}};
    const struct armed_timer *timer = configuration_next_timer(before);
    uint64_t dice = random_up_to(random, 3);
    if (dice == 0 && timer != NULL)
        return (struct event){.kind = EVENT_TIMER, .number = timer->number};
    if (dice == 1 && before->invocation_count > 0)
        return (struct event){.kind = EVENT_DONE,
                              .number = before->invocations[0].number,
                              .payload = value_int(3)};
    if (dice == 2 && before->invocation_count > 0)
        return (struct event){.kind = EVENT_ERROR,
                              .number = before->invocations[0].number,
                              .payload = value_map(kind, 1)};
    return external(random, before->machine);
}

/* Configurations live in the arena of the machine, as long as there is room. */
static void run(const struct machine *machine, uint64_t seed, struct arena *arena)
{
    struct plan plan;
    struct random random = {seed};
    struct event event = {.kind = EVENT_START, .payload = value_map(NULL, 0)};
    struct configuration before;
    for (int i = 0; i < STEPS; i++) {
        instant_ms now = 1000 * i;
        if (step_run(machine, i == 0 ? NULL : &before, &event, now, arena, &plan) != STATUS_OK)
            return;
        ensure(configuration_is_valid(&plan.after));
        (void)configuration_value(&plan.after, arena);
        (void)configuration_tags(&plan.after, arena);
        (void)describe_effects(&plan, now, arena);
        (void)describe_errors(&plan, arena);
        before = plan.after;
        event = next_event(&random, &before);
    }
}

static void load_within(struct span text, size_t arena_bytes)
{
    struct arena arena;
    struct arena_guard guard;
    arena_open(&arena, arena_bytes);
    if (!arena_is_spent(&arena, &guard)) {
        struct diagnostics diagnostics;
        diagnostics_init(&diagnostics, &arena);
        const struct node *root =
            wire_read_definition(text, SPAN("fuzz.yaml"), &arena, &diagnostics);
        const struct machine *machine =
            root == NULL ? NULL : machine_load(root, &arena, &diagnostics);
        ensure((machine == NULL) == (diagnostics.errors > 0));
        if (machine != NULL) {
            machine_verify(machine);
            machine_check(machine, &diagnostics);
            run(machine, text.size, &arena);
        }
        arena_release_guard(&arena, &guard);
    }
    arena_close(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct span text = span_of((const char *)bytes, size);
    load_within(text, ARENA_BYTES);
    load_within(text, 24 << 10);
    return 0;
}
