/*
 * test_step_light.c - the short ways of a macrostep and the long one, over random machines with
 * regions and history states.
 *
 * fixture_step() takes every event by both, and in place, and compares all they say; here it is
 * given the machines for it.
 */
#include "chart_fixture.h"
#include "random_regions.h"

enum { MACHINES = 400, EVENTS = 40 };

static uint32_t run_machine(uint64_t seed)
{
    struct random random = {seed};
    struct fixture fixture;
    struct arena arena;
    arena_open(&arena, DEFINITION_ARENA_BYTES);
    struct span definition = random_regions(&random, seed % 2 == 0, &arena);
    fixture_open(&fixture, arena_copy(&arena, definition).text);
    (void)fixture_start(&fixture, value_null());
    for (uint32_t i = 0; i < EVENTS; i++) {
        char type[] = "E0";
        char payload[] = "{\"n\":0}";
        type[1] = (char)('0' + random_up_to(&random, RANDOM_REGIONS_EVENTS - 1));
        payload[5] = (char)('0' + random_up_to(&random, 2));
        (void)fixture_send(&fixture, type, payload);
    }
    uint32_t light_count = fixture.light_count;
    fixture_close(&fixture);
    arena_close(&arena);
    return light_count;
}

static void short_ways_and_the_long_one_say_the_same(void **state)
{
    uint32_t light_count = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= MACHINES; seed++)
        light_count += run_machine(seed);
    assert_in_range(light_count, MACHINES * 2, MACHINES * (EVENTS - 2));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_ways_and_the_long_one_say_the_same),
    };
    return cmocka_run_group_tests_name("chart_step_light", tests, NULL, NULL);
}
