/*
 * test_engine_large.c - more bytes than fit into one batch of rows.
 */
#include "rig.h"

static void many_large_instances_come_to_rest(void **state)
{
    enum { COUNT = 400 };
    (void)state;
    struct rig *rig = rig_open(rig_all_well, rig_keeper);
    char *large = rig_filled("{\"kept\":\"", VALUE_BYTES_MAX - 100, "\"}");
    for (int i = 0; i < COUNT; i++) {
        char id[16];
        snprintf(id, sizeof id, "%d", i);
        rig_start(rig, id, large, "", "");
    }
    rig_until_replies(rig, ANSWER_OK, COUNT + 1);
    for (int i = 0; i < COUNT; i++) {
        char id[16];
        snprintf(id, sizeof id, "%d", i);
        rig_send(rig, id, "END", "{}", "");
    }
    rig_until_final(rig, COUNT);
    rig_stop(rig, 100);
    rig_open_engine(rig, NULL);
    assert_int_equal(engine_registry(rig->engine)->instance_count, COUNT);
    memory_release(large);
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_large_instances_come_to_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
