/*
 * test_definition.c - steps that name each other: limits, fallbacks, what undoes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/limits.h"
#include "engine/definition.h"
#include "fake_strategy.h"

static const char machine_form[] =
    "{\"id\":\"m\",\"initial\":\"A\",\"states\":{\"A\":{\"invoke\":{\"src\":\"a\","
    "\"onDone\":\"B\",\"onError\":\"B\"}},\"B\":{\"invoke\":{\"src\":\"%s\",\"onDone\":\"C\","
    "\"onError\":\"C\"}},\"C\":{\"type\":\"final\"}},\"steps\":{%s}}";

static const struct strategy_type *const types[] = {&strategy_fake};

struct reading {
    struct arena arena;
    struct diagnostics diagnostics;
    const struct definition *definition;
};

static void read_steps(struct reading *reading, const char *second, const char *steps)
{
    char json[2000];
    int size = snprintf(json, sizeof json, machine_form, second, steps);
    assert_true(size > 0 && (size_t)size < sizeof json);
    arena_open(&reading->arena, DEFINITION_ARENA_BYTES);
    diagnostics_init(&reading->diagnostics, &reading->arena);
    const struct node *root = json_read_tree(span_from_text(json), SPAN("m.json"),
                                             &reading->arena, &reading->diagnostics);
    assert_non_null(root);
    reading->definition =
        definition_read(root, NULL, "/", (struct strategy_types){types, 1, NULL},
                        &reading->arena, &reading->diagnostics);
}

static void steps_that_name_nobody_are_refused(void **state)
{
    static const struct {
        const char *second;
        const char *steps;
        const char *code;
        const char *message;
    } ROWS[] = {
        {"a", "\"a\":{\"fake\":{},\"limit\":\"bank\"}", "IL0107", "no step has a limit `bank`"},
        {"b", "\"a\":{\"fake\":{},\"limit\":\"b\"},\"b\":{\"fake\":{},\"limit\":\"a\"}",
         "IL0107", "no step has a limit `b`"},
        {"a", "\"a\":{\"fake\":{},\"fallback\":\"x\"}", "IL0502", "there is no step `x`"},
        {"a", "\"a\":{\"fake\":{},\"fallback\":\"a\"}", "IL0104",
         "the fallbacks of `a` lead back to it"},
        {"a", "\"a\":{\"fake\":{},\"compensate\":\"x\"}", "IL0502", "there is no step `x`"},
        {"compensate", "\"a\":{\"fake\":{}}", "IL0502", "there is nothing to compensate"},
        {"compnsate", "\"a\":{\"fake\":{}}", "IL0502", "there is no step `compnsate`"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct reading reading;
        read_steps(&reading, ROWS[i].second, ROWS[i].steps);
        const struct diagnostic *first = reading.diagnostics.first;
        assert_null(reading.definition);
        assert_non_null(first);
        if (!span_is(first->code, ROWS[i].code) || !span_is(first->message, ROWS[i].message))
            fail_msg("row %zu: %.*s", i, SPAN_ARGS(first->message));
        arena_close(&reading.arena);
    }
}

static void steps_that_are_only_named_are_used(void **state)
{
    (void)state;
    struct reading reading;
    read_steps(&reading, "compensate",
               "\"a\":{\"fake\":{},\"fallback\":\"b\",\"compensate\":\"u\",\"limit\":"
               "{\"name\":\"bank\",\"concurrency\":3}},\"b\":{\"fake\":{},\"limit\":\"bank\"},"
               "\"u\":{\"fake\":{},\"limit\":\"a\"}");
    const struct definition *definition = reading.definition;
    assert_non_null(definition);
    assert_int_equal(reading.diagnostics.warnings, 0);
    assert_int_equal(definition->step_count, 4);
    assert_int_equal(definition->compensation, 3);
    assert_int_equal(definition->invoke_steps[1], 3);
    assert_int_equal(definition->steps[0].fallback, 1);
    assert_int_equal(definition->steps[0].compensate, 2);
    assert_int_equal(definition->steps[1].limit_of, 0);
    assert_int_equal(definition->steps[2].limit_of, 0);
    assert_int_equal(definition_step(definition, 0, 0), 0);
    assert_int_equal(definition_step(definition, 0, 1), 1);
    assert_int_equal(definition_step(definition, 0, 9), 1);
    arena_close(&reading.arena);
}

static void a_step_may_be_called_compensate(void **state)
{
    (void)state;
    struct reading reading;
    read_steps(&reading, "compensate", "\"a\":{\"fake\":{}},\"compensate\":{\"fake\":{}}");
    assert_non_null(reading.definition);
    assert_int_equal(reading.definition->compensation, NO_INDEX);
    assert_int_equal(reading.definition->invoke_steps[1], 1);
    arena_close(&reading.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_that_name_nobody_are_refused),
        cmocka_unit_test(steps_that_are_only_named_are_used),
        cmocka_unit_test(a_step_may_be_called_compensate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
