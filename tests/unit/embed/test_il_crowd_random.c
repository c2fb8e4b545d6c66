/*
 * test_il_crowd_random.c - random machines, by a crowd and by instances alone.
 *
 * What a crowd has noted of one member's moves it uses for all others; here many machines with
 * regions, histories and guards are walked by several members at once, and after every event
 * each says what an instance alone says.
 */
#include <interlock.h>

#include "chart_fixture.h"
#include "random_machine.h"
#include "random_regions.h"

enum { MACHINES = 300, MEMBERS = 4, EVENTS = 120 };

struct walk {
    struct random random;
    il_machine *machine;
    il_crowd *crowd;
    il_instance *alone[MEMBERS];
};

static void open_walk(struct walk *walk, uint64_t seed)
{
    struct arena arena;
    walk->random = (struct random){seed};
    arena_open(&arena, DEFINITION_ARENA_BYTES);
    struct span definition = seed % 3 == 0
                                 ? random_machine(&walk->random, &arena)
                                 : random_regions(&walk->random, seed % 2 == 0, &arena);
    assert_int_equal(il_machine_load(definition.text, definition.size, "random.json", NULL,
                                     NULL, &walk->machine),
                     IL_OK);
    arena_close(&arena);
    assert_int_equal(il_crowd_open(walk->machine, MEMBERS, &walk->crowd), IL_OK);
    for (size_t i = 0; i < MEMBERS; i++) {
        il_status status = il_instance_start(walk->machine, NULL, 0, NULL, 0, &walk->alone[i]);
        assert_int_equal(status, IL_OK);
        assert_int_equal(il_crowd_start(walk->crowd, i, NULL, 0), IL_OK);
    }
}

static void close_walk(struct walk *walk)
{
    for (size_t i = 0; i < MEMBERS; i++)
        il_instance_close(walk->alone[i]);
    il_crowd_close(walk->crowd);
    il_machine_close(walk->machine);
}

/* A timer or, mostly, an event; some without the number that guards ask for. */
static void go(struct walk *walk, size_t member, int64_t now)
{
    char type[] = "E0";
    char payload[] = "{\"n\":0}";
    uint32_t event;
    if (random_up_to(&walk->random, 19) == 0) {
        assert_int_equal(il_instance_advance(il_crowd_instance(walk->crowd, member), now),
                         il_instance_advance(walk->alone[member], now));
        return;
    }
    type[1] = (char)('0' + random_up_to(&walk->random, RANDOM_REGIONS_EVENTS));
    payload[5] = (char)('0' + random_up_to(&walk->random, 2));
    const char *sent = random_up_to(&walk->random, 9) == 0 ? NULL : payload;
    assert_int_equal(il_crowd_event(walk->crowd, type, &event), IL_OK);
    il_status status = il_crowd_send(walk->crowd, member, event, sent, now);
    assert_int_equal(status, il_instance_send(walk->alone[member], type, sent, now));
    assert_int_equal(il_crowd_outcome(walk->crowd), il_instance_outcome(walk->alone[member]));
    assert_int_equal(il_crowd_changed(walk->crowd), il_instance_changed(walk->alone[member]));
    assert_int_equal(il_crowd_effect_count(walk->crowd),
                     il_instance_effect_count(walk->alone[member]));
}

static void expect_same(struct walk *walk, size_t member)
{
    il_instance *in_crowd = il_crowd_instance(walk->crowd, member);
    il_instance *alone = walk->alone[member];
    assert_string_equal(il_instance_value(in_crowd), il_instance_value(alone));
    assert_string_equal(il_instance_context(in_crowd), il_instance_context(alone));
}

static void a_crowd_walks_as_its_members_would_alone(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= MACHINES; seed++) {
        struct walk walk;
        open_walk(&walk, seed);
        for (int64_t now = 0; now < EVENTS * 100; now += 100) {
            size_t member = random_up_to(&walk.random, MEMBERS - 1);
            go(&walk, member, now);
            if (now % 300 == 0)
                expect_same(&walk, random_up_to(&walk.random, MEMBERS - 1));
        }
        for (size_t i = 0; i < MEMBERS; i++)
            expect_same(&walk, i);
        close_walk(&walk);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crowd_walks_as_its_members_would_alone),
    };
    return cmocka_run_group_tests_name("embed_il_crowd_random", tests, NULL, NULL);
}
