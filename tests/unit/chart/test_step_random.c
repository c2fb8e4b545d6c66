/*
 * test_step_random.c - random machines and random events.
 *
 * Of every step: the same plan twice, a configuration in which every "always" holds, nothing
 * lost between bytes and memory (fixture_step), no memory but the arena's, and in an arena
 * that is too small either the same plan or none.
 *
 * malloc and its kin are wrapped by the linker, so that calls within a step can be counted.
 */
#include "random_machine.h"

enum { MACHINES = 300, EVENTS = 30, ARENA_BYTES = 4 << 20 };

static struct heap {
    bool is_counting;
    unsigned long calls;
} heap;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_malloc(size_t size)
{
    heap.calls += heap.is_counting;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    heap.calls += heap.is_counting;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    heap.calls += heap.is_counting;
    return __real_realloc(old, size);
}

/* Steps in exactly `size` bytes, so that the sanitizer sees one byte too many. */
static enum status step_within(struct fixture *fixture, const struct configuration *before,
                               const struct event *event, size_t size, struct span expected)
{
    struct plan plan;
    struct arena arena;
    void *memory = malloc(size);
    assert_non_null(memory);
    arena_init(&arena, memory, size);
    heap = (struct heap){.is_counting = true};
    enum status status =
        step_run(fixture->machine, before, event, fixture->clock, &arena, &plan);
    heap.is_counting = false;
    assert_int_equal(heap.calls, 0);
    assert_true(status == STATUS_OK || status == STATUS_NO_SPACE);
    assert_null(arena.guard);
    if (status == STATUS_OK) {
        struct span text = fixture_plan_text(&plan, fixture->clock, &fixture->arena);
        if (!span_equal(text, expected))
            fail_msg("in %zu bytes\n%.*s\ninstead of\n%.*s", size, SPAN_ARGS(text),
                     SPAN_ARGS(expected));
    }
    free(memory);
    return status;
}

/* From far too little up to a little more than enough. */
static void step_in_many_sizes(struct fixture *fixture, const struct configuration *before,
                               const struct event *event, const struct plan *plan)
{
    struct span expected = fixture_plan_text(plan, fixture->clock, &fixture->arena);
    size_t size = 32;
    while (step_within(fixture, before, event, size, expected) != STATUS_OK) {
        assert_true(size < ARENA_BYTES);
        size += size / 8 + 16;
    }
    for (int i = 0; i < 20; i++)
        (void)step_within(fixture, before, event, size - size / 9 + (size_t)i * 48, expected);
}

/* How many of the events could be taken in place. */
static uint32_t run_machine(uint64_t seed, uint32_t event_count, bool in_many_sizes)
{
    struct random random = {seed};
    struct fixture fixture;
    struct arena arena;
    arena_open(&arena, DEFINITION_ARENA_BYTES);
    struct span definition = random_machine(&random, &arena);
    fixture_open(&fixture, definition.text);
    struct plan plan = fixture_start(&fixture, value_null());
    struct event start = {.kind = EVENT_START, .payload = value_null()};
    if (in_many_sizes)
        step_in_many_sizes(&fixture, NULL, &start, &plan);
    for (uint32_t i = 0; i < event_count; i++) {
        struct configuration before = fixture.now;
        struct event event = random_event(&random, &before, &fixture.arena);
        fixture.clock += (instant_ms)random_up_to(&random, 700);
        plan = fixture_step(&fixture, &event);
        if (in_many_sizes)
            step_in_many_sizes(&fixture, &before, &event, &plan);
    }
    uint32_t light_count = fixture.light_count;
    fixture_close(&fixture);
    arena_close(&arena);
    return light_count;
}

static void any_events_leave_a_valid_configuration(void **state)
{
    uint32_t light_count = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= MACHINES; seed++)
        light_count += run_machine(seed, EVENTS, false);
    assert_in_range(light_count, MACHINES, MACHINES * EVENTS - MACHINES);
}

/* The state's own transitions must be listed next, up to one that has no guard. */
static uint32_t expect_listed(const struct machine *machine, uint32_t state, uint32_t event,
                              bool wildcard, uint32_t at, bool *is_closed)
{
    for (uint32_t i = 0; i < machine->transition_count && !*is_closed; i++) {
        const struct machine_transition *transition = &machine->transitions[i];
        if (transition->source != state || transition->wildcard != wildcard ||
            (!wildcard && transition->event != event))
            continue;
        assert_int_equal(machine->candidates[at++].transition, i);
        *is_closed = transition->guard == NO_INDEX;
    }
    return at;
}

static void expect_table(const struct machine *machine, uint32_t leaf, uint32_t event)
{
    const uint32_t *start =
        &machine->candidate_starts[machine->states[leaf].leaf * machine->event_count + event];
    uint32_t at = start[0];
    bool is_closed = false;
    for (uint32_t state = leaf; state != NO_STATE; state = machine->states[state].parent) {
        if (event != EVENT_ID_OTHER)
            at = expect_listed(machine, state, event, false, at, &is_closed);
        if (event != EVENT_ID_NONE)
            at = expect_listed(machine, state, event, true, at, &is_closed);
    }
    assert_int_equal(at, start[1]);
}

static void the_table_lists_what_climbing_the_tree_would(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= MACHINES; seed++) {
        struct random random = {seed};
        struct fixture fixture;
        struct arena arena;
        arena_open(&arena, DEFINITION_ARENA_BYTES);
        fixture_open(&fixture, random_machine(&random, &arena).text);
        const struct machine *machine = fixture.machine;
        for (uint32_t leaf = 0; leaf < machine->state_count; leaf++) {
            for (uint32_t event = 0;
                 machine->states[leaf].leaf != NO_INDEX && event < machine->event_count;
                 event++)
                expect_table(machine, leaf, event);
        }
        fixture_close(&fixture);
        arena_close(&arena);
    }
}

static void a_step_stays_within_its_arena(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++)
        run_machine(seed, 6, true);
}

/* One seed, for finding out: its definition is printed. */
static int run_seed(const char *text)
{
    struct random random = {strtoull(text, NULL, 10)};
    struct arena arena;
    arena_open(&arena, DEFINITION_ARENA_BYTES);
    printf("%.*s\n", SPAN_ARGS(random_machine(&random, &arena)));
    arena_close(&arena);
    run_machine(strtoull(text, NULL, 10), EVENTS, true);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_events_leave_a_valid_configuration),
        cmocka_unit_test(the_table_lists_what_climbing_the_tree_would),
        cmocka_unit_test(a_step_stays_within_its_arena),
    };
    if (argc > 1)
        return run_seed(argv[1]);
    return cmocka_run_group_tests_name("chart_step_random", tests, NULL, NULL);
}
