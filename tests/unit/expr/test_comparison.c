/*
 * test_comparison.c - a comparison that is read out of a program says what the program says.
 */
#include "expr_fixture.h"

static const struct {
    const char *text;
    const char *member; /* NULL: no comparison */
} rows[] = {
    {"context.total > 0", "total"},
    {"context.total >= 0", "total"},
    {"context.total < 0", "total"},
    {"context.total <= 0", "total"},
    {"context.total == 0", "total"},
    {"context.total != 0", "total"},
    {"0 < context.total", "total"},
    {"0 >= context.total", "total"},
    {"((7)) != (context.total)", "total"},
    {"context.none < -9223372036854775808", "none"},
    {"context.total > 9223372036854775807", "total"},
    {"context['total'] > 0", NULL},
    {"context.total + 0 > 0", NULL},
    {"context.total > 0.5", NULL},
    {"context.total > 0u", NULL},
    {"context.?total > 0", NULL},
    {"context.nested.deep > 0", NULL},
    {"context > 0", NULL},
    {"context.total in [0]", NULL},
    {"context.total > context.none", NULL},
    {"1 > 0", NULL},
    {"!(context.total > 0)", NULL},
    {"context.total > 0 && true", NULL},
    {"has(context.total)", NULL},
};

static const int64_t distances[] = {INT64_MIN, -2, -1, 0, 1, 2, INT64_MAX};

static int64_t add_clipped(int64_t a, int64_t b)
{
    int64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? b : sum;
}

static void expect_same_answers(struct fixture *fixture, const struct expr_program *program,
                                const struct expr_comparison *comparison)
{
    for (size_t i = 0; i < COUNT(distances); i++) {
        int64_t integer = add_clipped(comparison->constant, distances[i]);
        struct value_entry entry = {value_string(comparison->member), value_int(integer)};
        fixture->slots[SLOT_CONTEXT] = value_map(&entry, 1);
        struct value answer = expr_run(program, &fixture->frame, &fixture->arena);
        assert_int_equal(answer.kind, VALUE_BOOL);
        assert_int_equal(answer.boolean, expr_comparison_holds(comparison, integer));
    }
}

static void what_is_read_says_what_the_program_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture *fixture = fixture_get();
        struct expr_comparison comparison;
        const struct expr_program *program =
            expr_compile(span_from_text(rows[i].text), (struct place){0}, &fixture_scope,
                         &fixture->arena, &fixture->diagnostics);
        assert_non_null(program);
        bool is_read = expr_read_comparison(program, &comparison);
        if (is_read != (rows[i].member != NULL))
            fail_msg("%s: %s", rows[i].text, is_read ? "read" : "not read");
        if (!is_read)
            continue;
        assert_true(span_is(comparison.variable, "context"));
        assert_true(span_is(comparison.member, rows[i].member));
        expect_same_answers(fixture, program, &comparison);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_read_says_what_the_program_says),
    };
    return cmocka_run_group_tests_name("comparison", tests, NULL, NULL);
}
