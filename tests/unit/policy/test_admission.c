/*
 * test_admission.c - who is refused at the door, in which order, and that it ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/random.h"
#include "policy/policy.h"

static struct random dice = {1};

/* Nobody of these classes comes in by exemption at the moments of a test. */
static struct admission exhausted(instant_ms now)
{
    return (struct admission){.exempt_at = {now, now, now}};
}

static enum admission_answer ask(struct admission *admission, const struct admission_rule *rule,
                                 instant_ms now, uint64_t working, duration_ms delay_ms,
                                 enum priority priority)
{
    struct admission_load load = {working, delay_ms};
    return admission_enter(admission, rule, now, &load, priority, &dice);
}

static const struct admission_rule SLOW_RULE = {.target_ms = 5, .interval_ms = 100};

static enum admission_answer ask_slow(struct admission *admission, instant_ms now,
                                      duration_ms delay_ms, enum priority priority)
{
    return ask(admission, &SLOW_RULE, now, 0, delay_ms, priority);
}

/* folly's CodelTest: a burst passes, a queue that stands is shed, and one good moment ends it.
 */
static void a_burst_is_no_queue_that_stands(void **state)
{
    (void)state;
    struct admission admission = exhausted(1199);
    for (instant_ms now = 1000; now < 1100; now++) /* long, but empty for a moment */
        assert_int_equal(ask_slow(&admission, now, now == 1050 ? 0 : 500, PRIORITY_LOW),
                         ADMISSION_GO);
    for (instant_ms now = 1100; now < 1200; now++)
        assert_int_equal(ask_slow(&admission, now, 50, PRIORITY_LOW), ADMISSION_GO);
    for (instant_ms now = 1200; now < 1300; now++) /* it has stood for an interval */
        assert_int_equal(ask_slow(&admission, now, now == 1250 ? 11 : 50, PRIORITY_LOW),
                         ADMISSION_SLOW);
    assert_int_equal(ask_slow(&admission, 1299, 3, PRIORITY_LOW), ADMISSION_GO);
    /* The last interval was short for a moment. */
    assert_int_equal(ask_slow(&admission, 1300, 50, PRIORITY_LOW), ADMISSION_GO);
}

static void low_work_is_refused_first_and_high_work_never(void **state)
{
    (void)state;
    static const struct {
        duration_ms delay_ms;
        enum priority priority;
        enum admission_answer answer;
    } ROWS[] = {
        {10, PRIORITY_LOW, ADMISSION_GO},      {11, PRIORITY_LOW, ADMISSION_SLOW},
        {11, PRIORITY_NORMAL, ADMISSION_GO},   {20, PRIORITY_NORMAL, ADMISSION_GO},
        {21, PRIORITY_NORMAL, ADMISSION_SLOW}, {21, PRIORITY_HIGH, ADMISSION_GO},
        {90000, PRIORITY_HIGH, ADMISSION_GO},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct admission admission = exhausted(1110);
        for (instant_ms now = 1000; now <= 1100; now += 50)
            ask_slow(&admission, now, 60, PRIORITY_HIGH);
        if (ask_slow(&admission, 1110, ROWS[i].delay_ms, ROWS[i].priority) != ROWS[i].answer)
            fail_msg("row %zu", i);
        assert_int_equal(admission_retry_ms(&admission, &SLOW_RULE, ADMISSION_SLOW), 100);
    }
}

static void what_stood_long_ago_stands_no_more(void **state)
{
    (void)state;
    struct admission admission = exhausted(1300);
    struct admission_rule off = {.interval_ms = 100};
    for (instant_ms now = 1000; now < 1300; now += 10)
        ask_slow(&admission, now, 500, PRIORITY_HIGH);
    assert_int_equal(ask_slow(&admission, 1300, 500, PRIORITY_LOW), ADMISSION_SLOW);
    assert_int_equal(ask_slow(&admission, 1900, 500, PRIORITY_LOW), ADMISSION_GO);
    assert_int_equal(ask(&admission, &off, 1901, 1 << 30, 90000, PRIORITY_LOW), ADMISSION_GO);
}

static void the_last_places_are_for_higher_classes(void **state)
{
    (void)state;
    static const struct {
        uint32_t places;
        enum priority priority;
        uint32_t taken_at_most; /* when one of the class still comes in */
    } ROWS[] = {
        {100, PRIORITY_HIGH, 99},  {100, PRIORITY_NORMAL, 94}, {100, PRIORITY_LOW, 79},
        {1, PRIORITY_HIGH, 0},     {1, PRIORITY_NORMAL, 0},    {1, PRIORITY_LOW, 0},
        {19, PRIORITY_NORMAL, 18}, {5, PRIORITY_LOW, 3},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct admission_rule rule = {.working = ROWS[i].places, .interval_ms = 100};
        for (uint32_t taken = 0; taken <= ROWS[i].places + 1; taken++) {
            struct admission admission = exhausted(1000);
            bool goes =
                ask(&admission, &rule, 1000, taken, 0, ROWS[i].priority) == ADMISSION_GO;
            if (goes != (taken <= ROWS[i].taken_at_most))
                fail_msg("row %zu, %u taken", i, taken);
        }
    }
}

static void who_is_refused_hears_when_there_will_be_room(void **state)
{
    (void)state;
    struct admission_rule rule = admission_rule_default();
    struct admission admission = {0};
    rule.working = 1000;
    assert_int_equal(admission_retry_ms(&admission, &rule, ADMISSION_FULL), 10000);
    for (instant_ms now = 10000; now < 11010; now += 5)
        admission_done(&admission, now);
    assert_int_equal(admission_retry_ms(&admission, &rule, ADMISSION_FULL), 505);
    admission_done(&admission, 15000); /* a pause: the pace is lost */
    assert_int_equal(admission_retry_ms(&admission, &rule, ADMISSION_FULL), 10000);
    for (instant_ms now = 15000; now < 15201; now++)
        admission_done(&admission, now);
    assert_int_equal(admission_retry_ms(&admission, &rule, ADMISSION_FULL), 500);
    assert_int_equal(admission_retry_ms(&admission, &rule, ADMISSION_THROTTLED), 1000);
    assert_int_equal(admission_retry_ms(&admission, &rule, ADMISSION_SLOW), 100);
    admission.least_ms = 700;
    assert_int_equal(admission_retry_ms(&admission, &rule, ADMISSION_SLOW), 700);
}

/* Random schedules: whoever asks when, and however long work takes, the bound holds, no class
 * waits for ever while a lower one comes in, and nothing is refused while nothing is there. */
struct house {
    struct random random;
    struct admission admission;
    struct admission_rule rule;
    uint32_t working;
    uint64_t asked[PRIORITY_COUNT];
    uint64_t let_in[PRIORITY_COUNT];
};

static void live_a_moment(struct house *house, instant_ms now, uint32_t asks, uint32_t ends)
{
    for (uint32_t i = 0; i < ends && house->working > 0; i++) {
        house->working--;
        admission_done(&house->admission, now);
    }
    for (uint32_t i = 0; i < asks; i++) {
        enum priority priority =
            (enum priority)random_up_to(&house->random, PRIORITY_COUNT - 1);
        struct admission_load load = {house->working, (duration_ms)house->working};
        house->asked[priority]++;
        if (admission_enter(&house->admission, &house->rule, now, &load, priority,
                            &house->random) != ADMISSION_GO)
            continue;
        house->let_in[priority]++;
        house->working++;
        assert_true(house->working <= house->rule.working);
    }
}

static void no_schedule_breaks_the_bound_or_starves_a_class(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct house house = {.random = {seed}, .rule = admission_rule_default()};
        struct random *random = &house.random;
        uint32_t load = (uint32_t)random_up_to(random, 3) + 1; /* times what is done */
        house.rule.working = (uint32_t)random_up_to(random, 200) + 1;
        house.rule.target_ms = (duration_ms)random_up_to(random, 50) + 1;
        house.rule.throttle.k_percent =
            random_up_to(random, 1) == 0 ? 0 : (uint32_t)random_up_to(random, 200) + 101;
        for (instant_ms now = 100000; now < 160000; now += 10) {
            uint32_t ends = (uint32_t)random_up_to(random, 4);
            live_a_moment(&house, now, load * (uint32_t)random_up_to(random, 4), ends);
        }
        for (int i = 0; i < PRIORITY_COUNT; i++)
            assert_true(house.let_in[i] >= 20);
        for (int i = 1; i < PRIORITY_COUNT; i++)
            assert_true((double)house.let_in[i] / (double)house.asked[i] <=
                        (double)house.let_in[i - 1] / (double)house.asked[i - 1] + 0.05);
    }
}

static const struct throttle_rule CLIENT = {
    .window_ms = 120000, .k_percent = 200, .rejects_percent = 95};

/* failsafe-go's adaptivethrottler_test: 120 requests, 90 accepted, K = 1/0.9: 20/121. */
static void the_share_is_what_the_formula_says(void **state)
{
    (void)state;
    static const struct {
        uint32_t requests;
        uint32_t accepts;
        uint32_t k_percent;
        double share;
    } ROWS[] = {
        {0, 0, 200, 0},     {100, 100, 200, 0},           {100, 50, 200, 0},
        {100, 0, 200, .95}, {100, 25, 200, 50.0 / 101.0}, {120, 90, 111, 20.1 / 121.0},
        {9, 0, 100, 0.9},   {100, 40, 110, 56.0 / 101.0}, {100, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct throttle_rule rule = {120000, ROWS[i].k_percent, 95};
        struct throttle throttle = {0};
        struct random random = {1};
        for (uint32_t n = 0; n < ROWS[i].requests; n++)
            throttle_allow(&throttle, &rule, 1000, PRIORITY_NORMAL, &random);
        for (uint32_t n = 0; n < ROWS[i].accepts; n++)
            throttle_accept(&throttle, &rule, 1000);
        assert_true(throttle_share(&throttle, &rule, PRIORITY_NORMAL) - ROWS[i].share < 1e-9 &&
                    throttle_share(&throttle, &rule, PRIORITY_NORMAL) - ROWS[i].share > -1e-9);
    }
}

/* 300 requests of each class, and so much too many of them. */
static void the_excess_is_taken_from_the_lowest_class_first(void **state)
{
    (void)state;
    static const struct {
        uint32_t accepts;
        uint32_t percents[PRIORITY_COUNT]; /* dropped: high, normal, low */
    } ROWS[] = {
        {450, {0, 0, 0}},   {400, {0, 0, 33}},  {300, {0, 0, 95}},
        {225, {0, 49, 95}}, {75, {49, 95, 95}}, {0, {95, 95, 95}},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct throttle throttle = {0};
        struct random random = {1};
        for (uint32_t n = 0; n < 900; n++)
            throttle_allow(&throttle, &CLIENT, 1000, (enum priority)(n % 3), &random);
        for (uint32_t n = 0; n < ROWS[i].accepts; n++)
            throttle_accept(&throttle, &CLIENT, 1000);
        for (int c = 0; c < PRIORITY_COUNT; c++) {
            double percent = 100 * throttle_share(&throttle, &CLIENT, (enum priority)c);
            if ((uint32_t)(percent + 1e-9) != ROWS[i].percents[c])
                fail_msg("row %zu, class %d: %f", i, c, percent);
        }
    }
}

/* As Envoy's admission_control tests: most calls of an outage stay here, and when it is over
 * all go again: each window lets twice through what was accepted in the one before. */
static void an_outage_is_spared_most_calls_and_forgotten(void **state)
{
    (void)state;
    struct throttle throttle = {0};
    struct random random = {7};
    uint32_t sent = 0;
    for (instant_ms now = 0; now < 900000; now++) {
        bool goes = throttle_allow(&throttle, &CLIENT, now, PRIORITY_NORMAL, &random);
        bool is_down = now >= 150000 && now < 300000;
        if (goes && !is_down)
            throttle_accept(&throttle, &CLIENT, now);
        sent += goes && now >= 280000 && is_down ? 1 : 0;
        if (now < 150000 || now > 300000 + 480000)
            assert_true(goes);
    }
    assert_in_range(sent, 20000 * 3 / 100, 20000 * 8 / 100);
}

static bool read_rules(const char *json, struct admission_rules *rules, char code[16])
{
    struct arena arena;
    struct diagnostics diagnostics;
    arena_open(&arena, DEFINITION_ARENA_BYTES);
    diagnostics_init(&diagnostics, &arena);
    const struct node *node =
        json_read_tree(span_from_text(json), SPAN("m.json"), &arena, &diagnostics);
    assert_non_null(node);
    bool is_good = admission_rules_read(node, rules, &diagnostics);
    assert_int_equal(is_good, diagnostics.errors == 0);
    *code = '\0';
    if (!is_good)
        snprintf(code, 16, "%.*s", SPAN_ARGS(diagnostics.first->code));
    arena_close(&arena);
    return is_good;
}

static void a_rule_is_read_as_it_is_written(void **state)
{
    (void)state;
    struct admission_rules rules;
    char code[16];
    assert_true(read_rules("{\"working\":10000,\"target\":\"1s\",\"interval\":\"200ms\","
                           "\"throttle\":1.5,\"window\":\"30s\",\"priority\":\"low\"}",
                           &rules, code));
    assert_int_equal(rules.rule.working, 10000);
    assert_int_equal(rules.rule.target_ms, 1000);
    assert_int_equal(rules.rule.interval_ms, 200);
    assert_int_equal(rules.rule.throttle.k_percent, 150);
    assert_int_equal(rules.rule.throttle.window_ms, 30000);
    assert_non_null(rules.priority);
    assert_true(read_rules("{}", &rules, code));
    assert_int_equal(rules.rule.working, 0);
    assert_int_equal(rules.rule.throttle.k_percent, 0);
}

static void what_is_wrong_with_a_rule_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        const char *code;
    } ROWS[] = {
        {"[]", "IL0104"},
        {"{\"worknig\":1}", "IL0102"},
        {"{\"working\":0}", "IL0104"},
        {"{\"working\":100000001}", "IL0108"},
        {"{\"target\":0}", "IL0104"},
        {"{\"target\":\"1s\",\"interval\":\"2m\"}", "IL0108"},
        {"{\"interval\":\"1s\"}", "IL0103"},
        {"{\"window\":\"1s\"}", "IL0103"},
        {"{\"throttle\":2}", "IL0103"},
        {"{\"target\":\"1s\",\"throttle\":1}", "IL0104"},
        {"{\"target\":\"1s\",\"throttle\":0.5}", "IL0104"},
        {"{\"target\":\"1s\",\"throttle\":101}", "IL0104"},
        {"{\"target\":\"1s\",\"throttle\":\"2\"}", "IL0104"},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct admission_rules rules;
        char code[16];
        assert_false(read_rules(ROWS[i].json, &rules, code));
        assert_string_equal(code, ROWS[i].code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_is_no_queue_that_stands),
        cmocka_unit_test(low_work_is_refused_first_and_high_work_never),
        cmocka_unit_test(what_stood_long_ago_stands_no_more),
        cmocka_unit_test(the_last_places_are_for_higher_classes),
        cmocka_unit_test(who_is_refused_hears_when_there_will_be_room),
        cmocka_unit_test(no_schedule_breaks_the_bound_or_starves_a_class),
        cmocka_unit_test(the_share_is_what_the_formula_says),
        cmocka_unit_test(the_excess_is_taken_from_the_lowest_class_first),
        cmocka_unit_test(an_outage_is_spared_most_calls_and_forgotten),
        cmocka_unit_test(a_rule_is_read_as_it_is_written),
        cmocka_unit_test(what_is_wrong_with_a_rule_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
