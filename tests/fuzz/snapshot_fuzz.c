/*
 * snapshot_fuzz.c - any bytes as a snapshot of one machine.
 *
 * The bytes stand behind a good head (the machine's name and hash), or the fuzzer would
 * never get past it. What is read is a valid configuration that can be written, stepped and
 * shown; all else is damage.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/ensure.h"
#include "base/json.h"
#include "base/limits.h"
#include "chart/chart.h"

enum { ARENA_BYTES = 8 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const char definition[] =
    "{\"id\":\"m\",\"version\":\"1\",\"initial\":\"A\",\"context\":{\"n\":0},\"states\":{"
    "\"A\":{\"initial\":\"B\",\"after\":{\"1s\":\"C\",\"2s\":\"C\"},"
    "\"invoke\":[{\"src\":\"s\",\"onError\":\"C\"},{\"src\":\"t\",\"id\":\"u\",\"onError\":"
    "\"C\"}],\"states\":{\"B\":{\"on\":{\"X\":{\"guard\":\"context.n > 1\",\"target\":\"D\"}}},"
    "\"D\":{}}},\"C\":{\"type\":\"final\"}}}";

static void step_on(const struct configuration *read, struct arena *arena)
{
    struct plan plan;
    struct event event = {
        .kind = EVENT_EXTERNAL, .type = SPAN("X"), .payload = value_map(NULL, 0)};
    if (step_run(read->machine, read, &event, 0, arena, &plan) == STATUS_OK)
        ensure(configuration_is_valid(&plan.after));
    const struct armed_timer *timer = configuration_next_timer(read);
    event = (struct event){.kind = EVENT_TIMER, .number = timer == NULL ? 0 : timer->number};
    if (step_run(read->machine, read, &event, 0, arena, &plan) == STATUS_OK)
        ensure(configuration_is_valid(&plan.after));
}

static void expect_same_bytes(const struct configuration *read, struct arena *arena)
{
    struct text text;
    struct text again;
    struct configuration second;
    text_init(&text, arena);
    text_init(&again, arena);
    snapshot_write(&text, read);
    ensure(snapshot_read(text_span(&text), SPAN("{}"), read->machine, arena, &second) ==
           STATUS_OK);
    snapshot_write(&again, &second);
    ensure(span_equal(text_span(&text), text_span(&again)));
}

static void read_bytes(const struct machine *machine, struct span bytes, struct arena *arena)
{
    struct configuration read;
    struct span id;
    struct span version;
    if (snapshot_read(bytes, SPAN("{\"n\":3}"), machine, arena, &read) == STATUS_OK) {
        ensure(configuration_is_valid(&read));
        ensure(snapshot_machine(bytes, &id, &version));
        (void)configuration_value(&read, arena);
        expect_same_bytes(&read, arena);
        step_on(&read, arena);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct arena arena;
    struct arena_guard guard;
    struct diagnostics diagnostics;
    struct text text;
    arena_open(&arena, ARENA_BYTES);
    if (arena_is_spent(&arena, &guard)) {
        arena_close(&arena);
        return 0;
    }
    diagnostics_init(&diagnostics, &arena);
    const struct node *root =
        json_read_tree(span_from_text(definition), SPAN("fuzz"), &arena, &diagnostics);
    const struct machine *machine = machine_load(root, &arena, &diagnostics);
    ensure(machine != NULL);
    text_init(&text, &arena);
    text_add(&text, SPAN("ILS\x01\x01m\x01"
                         "1"));
    text_add(&text, span_of((const char *)machine->digest, 16));
    text_add(&text, span_of((const char *)bytes, size));
    read_bytes(machine, text_span(&text), &arena);
    read_bytes(machine, span_of((const char *)bytes, size), &arena);
    arena_release_guard(&arena, &guard);
    arena_close(&arena);
    return 0;
}
