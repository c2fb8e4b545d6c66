/*
 * test_dispatch.c - policies at work: what reaches the other side, in which order, how often.
 */
#include "engine/shard.h"
#include "rig.h"

/* One step `call` with the given policies, and a second one `other`. The input's `t` is a
 * tenant, `p` a priority. */
static const char machine_form[] =
    "{\"id\":\"m\",\"version\":\"1\",\"context\":{\"answer\":null,\"t\":\"${input.t}\","
    "\"p\":\"${input.p}\"},\"initial\":\"CALLING\",\"states\":{"
    "\"CALLING\":{\"invoke\":{\"src\":\"call\",\"input\":{\"t\":\"${context.t}\","
    "\"p\":\"${context.p}\"},"
    "\"onDone\":{\"target\":\"DONE\",\"assign\":{\"answer\":\"${event.output}\"}},"
    "\"onError\":{\"target\":\"ENDED\",\"assign\":{\"answer\":\"${event.error.kind}\"}}}},"
    "\"DONE\":{\"type\":\"final\"},\"ENDED\":{\"type\":\"final\"},"
    "\"NEVER\":{\"invoke\":{\"src\":\"other\",\"onDone\":\"DONE\",\"onError\":\"ENDED\"}}},"
    "\"steps\":{\"call\":{\"fake\":{},%s},\"other\":{\"fake\":{},%s}}}";

/* What calls answer: by step, and for one tenant that is down. */
static struct {
    struct fake_answer call;
    struct fake_answer other;
    struct fake_answer down;
    const char *down_tenant;
    duration_ms first_delay_ms; /* of the first attempt of each instance */
} world;

static bool is_down(const struct fake_call *call)
{
    return world.down_tenant != NULL && strchr(call->instance, world.down_tenant[0]) != NULL;
}

static struct fake_answer as_the_world_is(void *context, const struct fake_call *call)
{
    (void)context;
    struct fake_answer answer = strcmp(call->step, "other") == 0 ? world.other
                                : is_down(call)                  ? world.down
                                                                 : world.call;
    if (call->attempt == 1 && world.first_delay_ms > 0)
        answer.delay_ms = world.first_delay_ms;
    return answer;
}

static const struct fake_answer well = {.done = true, .output = "1"};

static struct rig *open_rig(const char *call, const char *other)
{
    char machine[4000];
    memset(&world, 0, sizeof world);
    world.call = world.other = well;
    int size = snprintf(machine, sizeof machine, machine_form, call, other);
    assert_true(size > 0 && (size_t)size < sizeof machine);
    return rig_open(as_the_world_is, machine);
}

/* Ids begin with the tenant's letter. */
static void start_tenant(struct rig *rig, const char *tenant, const char *priority, int count)
{
    for (int i = 0; i < count; i++) {
        char id[24];
        char input[80];
        snprintf(id, sizeof id, "%s%05d", tenant, i);
        snprintf(input, sizeof input, "{\"t\":\"%s\",\"p\":\"%s\"}", tenant, priority);
        rig_start(rig, id, input, "", "");
    }
}

static size_t calls_of(const struct rig *rig, const char *tenant, const char *step,
                       size_t among)
{
    size_t count = 0;
    for (size_t i = 0; i < rig->world->call_count && i < among; i++)
        count += rig->world->calls[i].instance[0] == tenant[0] &&
                 strcmp(rig->world->calls[i].step, step) == 0;
    return count;
}

static size_t ended_in(struct rig *rig, const char *state)
{
    size_t count = 0;
    for (struct instance *instance = engine_registry(rig->engine)->first; instance != NULL;
         instance = instance->next) {
        const struct machine *machine = instance->deployed->definition->machine;
        count += span_is(machine->states[instance->leaf].path, state) ? 1 : 0;
    }
    return count;
}

static void a_budget_bounds_what_an_outage_adds(void **state)
{
    enum { COUNT = 300 };
    (void)state;
    struct rig *rig = open_rig("\"retry\":{\"attempts\":5,\"base\":\"1ms\",\"cap\":\"1ms\","
                               "\"budget\":{\"share\":\"20%\",\"floor\":0,\"burst\":10}},"
                               "\"when_open\":\"fail\",\"limit\":{\"concurrency\":1}",
                               "\"timeout\":\"1s\"");
    world.call = (struct fake_answer){.kind = ERROR_KIND_UNAVAILABLE};
    start_tenant(rig, "a", "", COUNT);
    rig_until_final(rig, COUNT);
    assert_in_range(rig->world->call_count, COUNT + COUNT / 5, COUNT + COUNT / 5 + 10);
    rig_assert_idle(rig, "call");
    rig_close(rig);
}

/* Where a step may wait, a retry that the budget has nothing for waits too, and none is lost.
 */
static void whoever_finds_the_budget_spent_waits_for_it(void **state)
{
    enum { COUNT = 40 };
    (void)state;
    struct rig *rig = open_rig("\"retry\":{\"attempts\":2,\"base\":\"1ms\",\"cap\":\"1ms\","
                               "\"budget\":{\"share\":\"1%\",\"floor\":\"100/s\",\"burst\":1}}",
                               "\"timeout\":\"1s\"");
    world.call = (struct fake_answer){.kind = ERROR_KIND_UNAVAILABLE};
    instant_ms begin = clock_wall();
    start_tenant(rig, "a", "", COUNT);
    rig_until_final(rig, COUNT);
    assert_int_equal(rig->world->call_count, 2 * COUNT);
    assert_true(clock_wall() - begin >= (COUNT - 2) * 10);
    rig_assert_idle(rig, "call");
    rig_verify(rig);
    rig_close(rig);
}

static void a_rate_spreads_a_burst(void **state)
{
    enum { COUNT = 60 };
    (void)state;
    struct rig *rig = open_rig("\"rate\":{\"rate\":\"200/s\",\"burst\":10},"
                               "\"deadline\":\"100ms\",\"timeout\":\"50ms\"",
                               "\"timeout\":\"1s\"");
    instant_ms begin = clock_wall();
    start_tenant(rig, "a", "", COUNT);
    rig_until_final(rig, COUNT);
    assert_true(clock_wall() - begin >= (COUNT - 10) * 5);
    assert_int_equal(ended_in(rig, "DONE"), COUNT); /* parked: no deadline ran */
    rig_assert_idle(rig, "call");
    rig_verify(rig);
    rig_close(rig);
}

/* An outage of one tenant's destination opens that tenant's breaker, and nobody else's. */
static void one_tenant_s_outage_stops_nobody_else(void **state)
{
    enum { COUNT = 200 };
    (void)state;
    struct rig *rig = open_rig("\"breaker\":{\"minimum\":4,\"open\":\"20s\",\"key\":"
                               "\"${input.t}\"},\"limit\":{\"concurrency\":4}",
                               "\"timeout\":\"1s\"");
    world.down_tenant = "b";
    world.down = (struct fake_answer){.kind = ERROR_KIND_UNAVAILABLE};
    start_tenant(rig, "b", "", COUNT);
    start_tenant(rig, "c", "", COUNT);
    rig_until_final(rig, COUNT);
    assert_int_equal(ended_in(rig, "DONE"), COUNT);
    assert_int_equal(calls_of(rig, "c", "call", SIZE_MAX), COUNT);
    assert_true(calls_of(rig, "b", "call", SIZE_MAX) < 12);
    rig_verify(rig);
    rig_close(rig);
}

static void a_noisy_tenant_does_not_starve_a_quiet_one(void **state)
{
    (void)state;
    struct rig *rig =
        open_rig("\"limit\":{\"concurrency\":1,\"fair\":\"${input.t}\"}", "\"timeout\":\"1s\"");
    world.call.delay_ms = 1;
    start_tenant(rig, "n", "", 300);
    start_tenant(rig, "q", "", 10);
    rig_until_final(rig, 310);
    assert_int_equal(calls_of(rig, "q", "call", 40), 10);
    rig_close(rig);
}

static void classes_take_turns_by_their_weight(void **state)
{
    (void)state;
    struct rig *rig = open_rig("\"limit\":{\"concurrency\":1,\"priority\":\"${input.p}\"}",
                               "\"timeout\":\"1s\"");
    world.call.delay_ms = 1;
    start_tenant(rig, "l", "low", 200);
    start_tenant(rig, "h", "high", 200);
    rig_until_final(rig, 400);
    assert_in_range(calls_of(rig, "h", "call", 120), 80, 120);
    assert_in_range(calls_of(rig, "l", "call", 150), 5, 60); /* and nobody starves */
    rig_close(rig);
}

static void steps_share_a_limit_by_its_name(void **state)
{
    (void)state;
    struct rig *rig = open_rig("\"limit\":{\"name\":\"bank\",\"concurrency\":2},"
                               "\"breaker\":{\"mode\":\"open\"},\"fallback\":\"other\"",
                               "\"limit\":\"bank\"");
    world.other.delay_ms = 2;
    start_tenant(rig, "a", "", 40);
    rig_until_final(rig, 40);
    assert_int_equal(calls_of(rig, "a", "other", SIZE_MAX), 40);
    assert_int_equal(rig->world->running_max, 2);
    assert_int_equal(ended_in(rig, "DONE"), 40);
    rig_assert_idle(rig, "call");
    rig_close(rig);
}

/* A step that timed out may have acted: its fallback would act a second time. */
static void a_fallback_goes_only_where_nothing_happened(void **state)
{
    static const struct {
        const char *on;
        enum error_kind kind;
        bool falls_back;
    } ROWS[] = {
        {"\"other\"", ERROR_KIND_THROTTLED, true},
        {"\"other\"", ERROR_KIND_TIMEOUT, false},
        {"\"other\"", ERROR_KIND_UNAVAILABLE, false},
        {"\"other\"", ERROR_KIND_REJECTED, false},
        {"\"other\"", ERROR_KIND_TRANSPORT, false}, /* the connection was lost, not refused */
        {"{\"step\":\"other\",\"on\":[\"timeout\"]}", ERROR_KIND_TIMEOUT, true},
        {"{\"step\":\"other\",\"on\":[\"timeout\"]}", ERROR_KIND_THROTTLED, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        char call[200];
        snprintf(call, sizeof call, "\"timeout\":\"1s\",\"fallback\":%s", ROWS[i].on);
        struct rig *rig = open_rig(call, "\"timeout\":\"1s\"");
        world.call = (struct fake_answer){.kind = ROWS[i].kind};
        start_tenant(rig, "a", "", 3);
        rig_until_final(rig, 3);
        if (calls_of(rig, "a", "other", SIZE_MAX) != (ROWS[i].falls_back ? 3 : 0))
            fail_msg("row %zu", i);
        assert_int_equal(ended_in(rig, ROWS[i].falls_back ? "DONE" : "ENDED"), 3);
        rig_verify(rig);
        rig_close(rig);
    }
}

/* First a timeout, then a breaker that is open: the first attempt may have acted. */
static void what_an_earlier_attempt_did_is_not_forgotten(void **state)
{
    (void)state;
    struct rig *rig = open_rig("\"timeout\":\"1s\",\"retry\":{\"attempts\":9,\"base\":\"1ms\","
                               "\"cap\":\"1ms\"},\"breaker\":{\"minimum\":1,\"open\":\"9s\"},"
                               "\"fallback\":\"other\"",
                               "\"timeout\":\"1s\"");
    world.call = (struct fake_answer){.kind = ERROR_KIND_TIMEOUT};
    start_tenant(rig, "a", "", 1);
    rig_until_final(rig, 1);
    assert_int_equal(calls_of(rig, "a", "other", SIZE_MAX), 0);
    start_tenant(rig, "b", "", 1); /* which has not been tried */
    rig_until_final(rig, 2);
    assert_int_equal(calls_of(rig, "b", "other", SIZE_MAX), 1);
    rig_close(rig);
}

/* The fallback goes on after a crash, and the first is not asked again. */
static void a_fallback_is_kept_over_a_crash(void **state)
{
    (void)state;
    struct rig *rig =
        open_rig("\"timeout\":\"1s\",\"fallback\":\"other\"", "\"timeout\":\"1s\"");
    world.call = (struct fake_answer){.kind = ERROR_KIND_THROTTLED};
    world.other.delay_ms = 400;
    start_tenant(rig, "a", "", 1);
    while (calls_of(rig, "a", "other", SIZE_MAX) == 0)
        loop_run_once(rig->loop, true);
    rig_until_settled(rig);
    rig_crash(rig);
    rig_open_engine(rig, NULL);
    world.other.delay_ms = 0;
    rig_until_final(rig, 1);
    assert_int_equal(calls_of(rig, "a", "call", SIZE_MAX), 1);
    assert_int_equal(calls_of(rig, "a", "other", SIZE_MAX), 2);
    rig_assert_state(rig, "a00000", "DONE");
    rig_close(rig);
}

static void a_late_call_is_hedged_and_the_first_answer_counts(void **state)
{
    (void)state;
    struct rig *rig = open_rig("\"hedge\":\"20ms\",\"idempotent\":true,\"timeout\":\"5s\"",
                               "\"timeout\":\"1s\"");
    world.first_delay_ms = 3000;
    instant_ms begin = clock_wall();
    start_tenant(rig, "a", "", 5);
    rig_until_final(rig, 5);
    assert_true(clock_wall() - begin < 2500);
    assert_int_equal(rig->world->call_count, 10);
    assert_int_equal(ended_in(rig, "DONE"), 5);
    rig_assert_keys(rig);
    rig_assert_idle(rig, "call"); /* the late ones were cancelled */
    rig_verify(rig);
    rig_close(rig);
}

static void hedges_are_paid_from_the_budget(void **state)
{
    (void)state;
    struct rig *rig = open_rig("\"hedge\":\"5ms\",\"idempotent\":true,\"timeout\":\"5s\","
                               "\"retry\":{\"budget\":{\"share\":\"1%\",\"floor\":0,"
                               "\"burst\":3}}",
                               "\"timeout\":\"1s\"");
    world.call.delay_ms = 60;
    start_tenant(rig, "a", "", 50);
    rig_until_final(rig, 50);
    assert_int_equal(rig->world->call_count, 53);
    rig_assert_idle(rig, "call");
    rig_close(rig);
}

static void an_adaptive_limit_comes_down_on_timeouts(void **state)
{
    (void)state;
    struct rig *rig = open_rig("\"limit\":{\"adaptive\":\"aimd\",\"concurrency\":50,"
                               "\"minimum\":2},\"timeout\":\"20ms\"",
                               "\"timeout\":\"1s\"");
    world.call.delay_ms = -1;
    start_tenant(rig, "a", "", 400);
    rig_until_final(rig, 400);
    rig->world->running_max = 0;
    start_tenant(rig, "b", "", 200);
    rig_until_final(rig, 600);
    assert_true(rig->world->running_max < 40);
    rig_assert_idle(rig, "call");
    rig_close(rig);
}

/* resilience4j#419: a restart during an outage does not send everything at it again. */
static void check_open_breaker(size_t bytes_younger)
{
    struct rig *rig =
        open_rig("\"breaker\":{\"minimum\":4,\"open\":\"30s\"}", "\"timeout\":\"1s\"");
    world.call = (struct fake_answer){.kind = ERROR_KIND_UNAVAILABLE};
    start_tenant(rig, "a", "", 20);
    rig_until_settled(rig);
    rig_rest(rig, 1200); /* the row that shows it is written within a second */
    start_tenant(rig, "c", "", 1);
    rig_until_settled(rig);
    size_t calls = rig->world->call_count;
    rig_crash(rig);
    if (bytes_younger > 0)
        rig_shorten_saved(rig, "m/call", bytes_younger);
    rig_open_engine(rig, NULL);
    start_tenant(rig, "b", "", 20);
    rig_until_settled(rig);
    assert_int_equal(rig->world->call_count, calls);
    rig_set_clock(31000);
    world.call = well;
    rig_until_final(rig, 20 + 20 + 1);
    rig_close(rig);
}

static void an_open_breaker_is_open_after_a_crash(void **state)
{
    (void)state;
    check_open_breaker(0);
}

/* Programs of before kept no counts. */
static void an_open_breaker_is_open_after_an_upgrade(void **state)
{
    (void)state;
    check_open_breaker(sizeof(struct gate_counts));
}

/* A breaker that a person has opened lets nobody through until that is revised. */
static void a_revised_rule_lets_those_go_who_wait(void **state)
{
    (void)state;
    char machine[4000];
    struct rig *rig = open_rig("\"breaker\":{\"mode\":\"open\"}", "\"timeout\":\"1s\"");
    start_tenant(rig, "a", "", 20);
    rig_until_settled(rig);
    assert_int_equal(rig->world->call_count, 0);
    snprintf(machine, sizeof machine, machine_form, "\"breaker\":{}", "\"timeout\":\"1s\"");
    rig_deploy(rig, machine);
    rig_until_final(rig, 20);
    assert_int_equal(ended_in(rig, "DONE"), 20);
    rig_verify(rig);
    rig_close(rig);
}

static void retries_end_when_their_time_is_over(void **state)
{
    (void)state;
    struct rig *rig = open_rig("\"retry\":{\"attempts\":1000,\"base\":\"20ms\",\"cap\":"
                               "\"20ms\",\"backoff\":\"fixed\",\"elapsed\":\"200ms\"}",
                               "\"timeout\":\"1s\"");
    world.call = (struct fake_answer){.kind = ERROR_KIND_UNAVAILABLE};
    start_tenant(rig, "a", "", 1);
    rig_until_final(rig, 1);
    assert_in_range(rig->world->call_count, 2, 11);
    struct instance *instance = rig_find(rig, "a00000");
    assert_non_null(strstr(instance->context, "unavailable")); /* the error, not `expired` */
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_budget_bounds_what_an_outage_adds),
        cmocka_unit_test(whoever_finds_the_budget_spent_waits_for_it),
        cmocka_unit_test(a_rate_spreads_a_burst),
        cmocka_unit_test(one_tenant_s_outage_stops_nobody_else),
        cmocka_unit_test(a_noisy_tenant_does_not_starve_a_quiet_one),
        cmocka_unit_test(classes_take_turns_by_their_weight),
        cmocka_unit_test(steps_share_a_limit_by_its_name),
        cmocka_unit_test(a_fallback_goes_only_where_nothing_happened),
        cmocka_unit_test(what_an_earlier_attempt_did_is_not_forgotten),
        cmocka_unit_test(a_fallback_is_kept_over_a_crash),
        cmocka_unit_test(a_late_call_is_hedged_and_the_first_answer_counts),
        cmocka_unit_test(hedges_are_paid_from_the_budget),
        cmocka_unit_test(an_adaptive_limit_comes_down_on_timeouts),
        cmocka_unit_test(an_open_breaker_is_open_after_a_crash),
        cmocka_unit_test(an_open_breaker_is_open_after_an_upgrade),
        cmocka_unit_test(a_revised_rule_lets_those_go_who_wait),
        cmocka_unit_test(retries_end_when_their_time_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
