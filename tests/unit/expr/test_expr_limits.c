/*
 * test_expr_limits.c - no expression recurses, runs, or allocates without an end.
 */
#include "base/limits.h"
#include "expr/vm.h"
#include "expr_fixture.h"

static struct text repeated(struct fixture *fixture, const char *before, const char *part,
                            size_t times, const char *after)
{
    struct text text;
    text_init(&text, &fixture->arena);
    text_add(&text, span_from_text(before));
    for (size_t i = 0; i < times; i++)
        text_add(&text, span_from_text(part));
    text_add(&text, span_from_text(after));
    return text;
}

static void deep_nesting_is_one_diagnostic(void **state)
{
    static const struct {
        const char *part;
        const char *middle;
    } rows[] = {
        {"(", "1"},       {"[", "1"},           {"{1: ", "2"},
        {"!", "true"},    {"-", "x"},           {"size(", "x"},
        {"x[", "1"},      {"x ? ", "1"},        {"x ? 1 : ", "2"},
        {"1 + (", "1"},   {"[1].map(i, ", "i"}, {"x.y(", "1"},
        {"1 in [", "1"},  {"x.z.", "y"},        {"x[?", "1"},
        {"1 - 1 -", "1"}, {"a{b: ", "1"},       {"cel.bind(a, ", "1"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture *fixture = fixture_get();
        size_t times = 12000 / strlen(rows[i].part);
        struct text text = repeated(fixture, "", rows[i].part, times, rows[i].middle);
        assert_null(fixture_compile(fixture, text_span(&text)));
        assert_in_range(fixture->diagnostics.errors, 1, 210);
    }
}

static void nesting_to_the_limit_works(void **state)
{
    struct fixture *fixture = fixture_get();
    struct text text;
    (void)state;
    text_init(&text, &fixture->arena);
    for (int i = 0; i < EXPRESSION_DEPTH_MAX - 1; i++)
        text_add(&text, SPAN("["));
    for (int i = 0; i < EXPRESSION_DEPTH_MAX - 1; i++)
        text_add(&text, SPAN("]"));
    const struct expr_program *program = fixture_compile(fixture, text_span(&text));
    assert_non_null(program);
    assert_int_equal(expr_run(program, &fixture->frame, &fixture->arena).kind, VALUE_LIST);
}

static void chains_of_logic_may_be_long(void **state)
{
    struct fixture *fixture = fixture_get();
    struct text text = repeated(fixture, "", "context.total == 1 || ", 500, "true");
    const struct expr_program *program = fixture_compile(fixture, text_span(&text));
    (void)state;
    assert_non_null(program);
    assert_true(value_is_true(expr_run(program, &fixture->frame, &fixture->arena)));
}

static void a_text_over_the_limit_is_refused(void **state)
{
    struct fixture *fixture = fixture_get();
    struct text text = repeated(fixture, "", " ", EXPRESSION_BYTES_MAX - 1, "1");
    (void)state;
    assert_non_null(fixture_compile(fixture, text_span(&text)));
    text_add(&text, SPAN(" "));
    assert_null(fixture_compile(fixture, text_span(&text)));
    assert_string_equal(fixture_diagnostic_text(fixture),
                        "?1:1 this expression has more than 16384 bytes");
}

/* [0,1,…,9].map(a, LIST.map(b, …)) five and more levels deep. */
static void nested_loops_run_out_of_budget(void **state)
{
    static const struct {
        const char *macro;
        const char *innermost;
        const char *answer;
    } rows[] = {
        {"all(i, ", "true", "!the expression costs more than it may"},
        {"exists(i, ", "false", "!the expression costs more than it may"},
        {"exists_one(i, ", "false", "!the expression costs more than it may"},
        {"map(i, ", "i", "!the expression needs more memory than it may use"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture *fixture = fixture_get();
        struct text text;
        text_init(&text, &fixture->arena);
        for (int level = 0; level < 9; level++)
            text_format(&text, "[0,1,2,3,4,5,6,7,8,9].%s", rows[i].macro);
        text_add(&text, span_from_text(rows[i].innermost));
        for (int level = 0; level < 9; level++)
            text_add(&text, SPAN(")"));
        const struct expr_program *program = fixture_compile(fixture, text_span(&text));
        assert_non_null(program);
        const char *answer =
            fixture_value_text(fixture, expr_run(program, &fixture->frame, &fixture->arena));
        assert_string_equal(answer, rows[i].answer);
    }
}

static void the_budget_is_not_absorbed_by_logic(void **state)
{
    struct fixture *fixture = fixture_get();
    struct value *items = arena_new_array(&fixture->arena, 2000, struct value);
    (void)state;
    for (int i = 0; i < 2000; i++)
        items[i] = value_int(i);
    fixture->slots[SLOT_X] = value_list(items, 2000);
    static const char *const expressions[] = {
        "x.exists(a, x.all(b, a != b + 1 || true) && false) || true",
        "x.exists(a, x == x && false) || true",
        "x.all(a, -1 in x || true)",
        "x.map(a, x).exists(a, a == x.map(b, b) && false) || true",
    };
    for (size_t i = 0; i < COUNT(expressions); i++) {
        const struct expr_program *program =
            fixture_compile(fixture, span_from_text(expressions[i]));
        assert_non_null(program);
        struct value value = expr_run(program, &fixture->frame, &fixture->arena);
        assert_int_equal(value.kind, VALUE_ERROR);
    }
}

static void doubling_ends_in_an_error(void **state)
{
    static const struct {
        const char *start;
        const char *again;
    } rows[] = {
        {"'0123456789abcdef'", "a + a"},  {"b'0123456789abcdef'", "a + a"},
        {"[1, 2, 3, 4]", "a + a"},        {"[1]", "[a, a]"},
        {"{'k': 1}", "{'k': a, 'l': a}"}, {"[1]", "[a, a].map(i, i)"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture *fixture = fixture_get();
        struct text text;
        text_init(&text, &fixture->arena);
        text_format(&text, "cel.bind(a, %s, ", rows[i].start);
        for (int level = 0; level < 40; level++)
            text_format(&text, "cel.bind(a, %s, ", rows[i].again);
        text_add(&text, SPAN("a"));
        for (int level = 0; level < 41; level++)
            text_add(&text, SPAN(")"));
        const struct expr_program *program = fixture_compile(fixture, text_span(&text));
        assert_non_null(program);
        struct value value = expr_run(program, &fixture->frame, &fixture->arena);
        assert_int_equal(value.kind, VALUE_ERROR);
    }
}

/* Whatever 1 MiB of JSON holds may be a result. */
static void a_value_has_at_most_a_mebibyte(void **state)
{
    struct fixture *fixture = fixture_get();
    const struct expr_program *program = fixture_compile(fixture, SPAN("[x, x]"));
    static const struct {
        uint32_t count;
        enum value_kind kind;
    } rows[] = {{VALUE_BYTES_MAX / 4 - 3, VALUE_LIST}, {VALUE_BYTES_MAX / 4, VALUE_ERROR}};
    struct value *items = arena_new_array(&fixture->arena, VALUE_BYTES_MAX / 4, struct value);
    (void)state;
    assert_non_null(program);
    for (size_t i = 0; i < COUNT(rows); i++) {
        fixture->slots[SLOT_X] = value_list(items, rows[i].count);
        struct value value = expr_run(program, &fixture->frame, &fixture->arena);
        assert_int_equal(value.kind, rows[i].kind);
    }
}

static void comparing_what_shares_its_parts_ends_too(void **state)
{
    struct fixture *fixture = fixture_get();
    struct text text;
    (void)state;
    text_init(&text, &fixture->arena);
    text_add(&text, SPAN("cel.bind(a, [1], "));
    for (int level = 0; level < 40; level++)
        text_add(&text, SPAN("cel.bind(a, [a, a], "));
    text_add(&text, SPAN("a == a"));
    for (int level = 0; level < 41; level++)
        text_add(&text, SPAN(")"));
    const struct expr_program *program = fixture_compile(fixture, text_span(&text));
    assert_non_null(program);
    assert_string_equal(
        fixture_value_text(fixture, expr_run(program, &fixture->frame, &fixture->arena)),
        "!the expression costs more than it may");
}

static void a_spent_arena_is_an_error_value_and_takes_nothing(void **state)
{
    static char memory[4096];
    struct fixture *fixture = fixture_get();
    struct arena small;
    const struct expr_program *program =
        fixture_compile(fixture, SPAN("[1,2,3,4,5,6,7,8].map(a, [a, a, a, a, a, a, a, a, a])"
                                      ".map(a, a + a + a + a)"));
    (void)state;
    assert_non_null(program);
    for (size_t size = 0; size < sizeof memory; size += 16) {
        arena_init(&small, memory, size == 0 ? 16 : size);
        struct value value = expr_run(program, &fixture->frame, &small);
        assert_int_equal(value.kind, VALUE_ERROR);
        assert_null(small.guard);
        assert_int_equal(small.used, 0);
    }
}

/* With a guard around it the same is no value: what is decided must not depend on the arena. */
static void a_spent_arena_goes_to_the_callers_guard(void **state)
{
    static char memory[64];
    struct fixture *fixture = fixture_get();
    struct arena small;
    struct arena_guard guard;
    volatile bool has_jumped = false;
    const struct expr_program *program =
        fixture_compile(fixture, SPAN("false && size([1, 2].map(a, [a, a, a, a, a, a])) > 0 || "
                                      "size([1, 2].map(a, [a, a, a, a, a, a])) > 0"));
    (void)state;
    assert_non_null(program);
    arena_init(&small, memory, sizeof memory);
    if (arena_is_spent(&small, &guard)) {
        has_jumped = true;
    } else {
        expr_run(program, &fixture->frame, &small);
        arena_release_guard(&small, &guard);
    }
    assert_true(has_jumped);
    assert_null(small.guard);
    assert_int_equal(small.used, 0);
}

static int64_t cost_of_run(struct fixture *fixture, const struct expr_program *program)
{
    struct arena_guard guard;
    struct vm vm = {program, &fixture->frame, &fixture->arena, EXPRESSION_COST_MAX, false};
    if (arena_is_spent(&fixture->arena, &guard))
        fail();
    vm_run(&vm);
    arena_release_guard(&fixture->arena, &guard);
    return EXPRESSION_COST_MAX - vm.cost_left;
}

/* Over a list of 60 texts the estimate holds, and is not all too careful. */
static void the_estimate_is_above_what_a_run_costs(void **state)
{
    enum { COUNT_OF_ITEMS = 60 };
    static const struct {
        const char *expression;
        uint64_t times; /* how far above at most */
    } rows[] = {
        {"1 + 2 > 2", 100},
        {"x.all(a, a != 'b')", 20},
        {"x.map(a, a + 'b').filter(a, a in x)", 1000},
        {"x.exists(a, x.exists(b, a == b + 'c'))", 100},
        {"x.map(a, x.map(b, a + b))", 100},
        {"x.sort().reverse()", 1000},
        {"x.sortBy(a, a)[0]", 1000},
        {"lists.range(1000).map(i, i * i)", 100},
        {"x.join(',').split(',').size()", 1000},
        {"sets.contains(x, x)", 1000},
        {"x.distinct().transformMap(i, v, v)", 1000},
        {"cel.bind(all, x + x, all.all(a, a != 'b'))", 20},
        {"x == x && x + x != x", 1000},
    };
    struct fixture *fixture = fixture_get();
    struct value items[COUNT_OF_ITEMS];
    (void)state;
    for (int i = 0; i < COUNT_OF_ITEMS; i++)
        items[i] = value_string(text_print(&fixture->arena, "item %d of many", i * 7 % 60));
    for (size_t i = 0; i < COUNT(rows); i++) {
        fixture->slots[SLOT_X] = value_list(items, COUNT_OF_ITEMS);
        const struct expr_program *program =
            fixture_compile(fixture, span_from_text(rows[i].expression));
        assert_non_null(program);
        uint64_t cost = (uint64_t)cost_of_run(fixture, program);
        uint64_t estimate = expr_cost(program, COUNT_OF_ITEMS);
        if (estimate < cost || estimate / rows[i].times > cost)
            fail_msg("%s costs %llu, estimated %llu", rows[i].expression,
                     (unsigned long long)cost, (unsigned long long)estimate);
    }
    assert_true(expr_cost(fixture_compile(fixture, SPAN("x.map(a, x.map(b, x.map(c, x.map(d, "
                                                        "x.map(e, x.map(f, x + [f]))))))")),
                          UINT32_MAX) == UINT64_MAX);
}

/* A guard that never allocates runs on an arena without any room, also when it fails. */
static void what_needs_no_memory_takes_none(void **state)
{
    static char memory[16];
    struct fixture *fixture = fixture_get();
    struct arena empty;
    static const char *const expressions[] = {
        "context.total > 0 && context.currency in ['USD', 'EUR'] && !has(context.gone)",
        "context.items.all(i, i > 0) && size(context.name) == 3",
        "context.missing == 1 || true",
        "now > timestamp('2001-01-01T00:00:00Z') && context.price < 4",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(expressions); i++) {
        const struct expr_program *program =
            fixture_compile(fixture, span_from_text(expressions[i]));
        arena_init(&empty, memory, sizeof memory);
        assert_non_null(program);
        assert_true(value_is_true(expr_run(program, &fixture->frame, &empty)));
        assert_int_equal(empty.used, 0);
    }
    arena_init(&empty, memory, sizeof memory);
    const struct expr_program *failing =
        fixture_compile(fixture, SPAN("context[event.type] == 1"));
    assert_string_equal(fixture_value_text(fixture, expr_run(failing, &fixture->frame, &empty)),
                        "!the expression needs more memory than it may use");
}

static void a_spent_arena_while_compiling_jumps_to_the_callers_guard(void **state)
{
    struct fixture *fixture = fixture_get();
    struct diagnostics diagnostics;
    static char memory[2048];
    struct arena small;
    struct arena_guard guard;
    (void)state;
    arena_init(&small, memory, sizeof memory);
    diagnostics_init(&diagnostics, &fixture->arena);
    if (arena_is_spent(&small, &guard))
        return;
    expr_compile(SPAN("[1,2,3].map(a, a + 1) + [4, 5, 6].map(b, b * 2) + [7].map(c, [c])"),
                 (struct place){0}, &fixture_scope, &small, &diagnostics);
    fail_msg("2 KiB were enough");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deep_nesting_is_one_diagnostic),
        cmocka_unit_test(nesting_to_the_limit_works),
        cmocka_unit_test(chains_of_logic_may_be_long),
        cmocka_unit_test(a_text_over_the_limit_is_refused),
        cmocka_unit_test(nested_loops_run_out_of_budget),
        cmocka_unit_test(the_budget_is_not_absorbed_by_logic),
        cmocka_unit_test(doubling_ends_in_an_error),
        cmocka_unit_test(a_value_has_at_most_a_mebibyte),
        cmocka_unit_test(comparing_what_shares_its_parts_ends_too),
        cmocka_unit_test(a_spent_arena_is_an_error_value_and_takes_nothing),
        cmocka_unit_test(a_spent_arena_goes_to_the_callers_guard),
        cmocka_unit_test(the_estimate_is_above_what_a_run_costs),
        cmocka_unit_test(what_needs_no_memory_takes_none),
        cmocka_unit_test(a_spent_arena_while_compiling_jumps_to_the_callers_guard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
