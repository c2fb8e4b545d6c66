/*
 * test_describe.c - effects and errors in the JSON that scripts rely on.
 */
#include "chart_fixture.h"

static void expect_json(struct value value, const char *expected, struct arena *arena)
{
    struct text text;
    text_init(&text, arena);
    json_write(&text, value);
    assert_string_equal(text.bytes, expected);
}

static void effects_have_their_members(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, "initial: A\n"
                           "states:\n"
                           "  A: { after: { 1s: B }, invoke: { src: charge, input: { n: 1 }, "
                           "onError: B }, on: { X: B } }\n"
                           "  B: {}\n");
    fixture.clock = 5000;
    struct plan plan = fixture_start(&fixture, value_null());
    expect_json(describe_effects(&plan, fixture.clock, &fixture.arena),
                "[{\"type\":\"schedule\",\"id\":\"after.1s.A\",\"delay_ms\":1000},"
                "{\"type\":\"invoke\",\"id\":\"A\",\"src\":\"charge\",\"input\":{\"n\":1}}]",
                &fixture.arena);
    plan = fixture_send(&fixture, "X", "{}");
    expect_json(
        describe_effects(&plan, fixture.clock, &fixture.arena),
        "[{\"type\":\"stop\",\"id\":\"A\"},{\"type\":\"cancel\",\"id\":\"after.1s.A\"}]",
        &fixture.arena);
    plan = fixture_send(&fixture, "X", "{}");
    expect_json(describe_effects(&plan, fixture.clock, &fixture.arena), "[]", &fixture.arena);
    fixture_close(&fixture);
}

static void errors_have_their_place(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, "initial: A\n"
                           "context: { a: 1 }\n"
                           "states:\n"
                           "  A:\n"
                           "    on:\n"
                           "      X: { guard: context.b > 1, target: A }\n"
                           "      Y: { assign: { a: '${context.b}' } }\n");
    fixture_start(&fixture, value_null());
    struct plan plan = fixture_send(&fixture, "X", "{}");
    expect_json(
        describe_errors(&plan, &fixture.arena),
        "[{\"what\":\"guard\",\"expression\":\"context.b > 1\",\"at\":\"test.yaml:6:19\","
        "\"message\":\"no such key: 'b'\"}]",
        &fixture.arena);
    plan = fixture_send(&fixture, "Y", "{}");
    expect_json(describe_errors(&plan, &fixture.arena),
                "[{\"what\":\"assign a\",\"at\":\"test.yaml:7:22\","
                "\"message\":\"no such key: 'b'\"}]",
                &fixture.arena);
    fixture_close(&fixture);
}

static void values_have_the_form_of_xstate(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture,
                 "initial: A\n"
                 "states:\n"
                 "  A: { on: { X: '#machine.B.C.D' } }\n"
                 "  B: { initial: C, states: { C: { initial: D, states: { D: {} } } } }\n");
    fixture_start(&fixture, value_null());
    expect_json(configuration_value(&fixture.now, &fixture.arena), "\"A\"", &fixture.arena);
    fixture_send(&fixture, "X", "{}");
    expect_json(configuration_value(&fixture.now, &fixture.arena), "{\"B\":{\"C\":\"D\"}}",
                &fixture.arena);
    fixture_close(&fixture);

    fixture_open(&fixture, "id: lonely\n");
    fixture_start(&fixture, value_null());
    expect_json(configuration_value(&fixture.now, &fixture.arena), "{}", &fixture.arena);
    fixture_close(&fixture);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(effects_have_their_members),
        cmocka_unit_test(errors_have_their_place),
        cmocka_unit_test(values_have_the_form_of_xstate),
    };
    return cmocka_run_group_tests_name("chart_describe", tests, NULL, NULL);
}
