/*
 * test_diagnostic.c - collecting what is wrong with a definition, and naming what was meant.
 */
#include "base/diagnostic.h"

#include "base/limits.h"
#include "base/random.h"
#include "base/text.h"
#include "expect.h"

static struct arena arena;

static int open_arena(void **state)
{
    (void)state;
    arena_open(&arena, 4 << 20);
    return 0;
}

static int close_arena(void **state)
{
    (void)state;
    arena_close(&arena);
    return 0;
}

static struct place place_of(const char *file, uint32_t line, uint32_t column)
{
    return (struct place){span_from_text(file), line, column};
}

static void diagnostics_are_kept_in_order_and_counted(void **state)
{
    struct diagnostics all;
    (void)state;
    diagnostics_init(&all, &arena);
    assert_null(all.first);
    struct diagnostic *first = diagnostics_add(&all, SEVERITY_WARNING, "IL0201",
                                               place_of("a", 2, 3), "%s is %d", "x", 1);
    struct diagnostic *second =
        diagnostics_add(&all, SEVERITY_ERROR, "IL0301", place_of("a", 1, 1), "second");
    diagnostics_add(&all, SEVERITY_INFO, "IL0302", place_of("a", 1, 1), "third");
    diagnostics_add(&all, SEVERITY_ERROR, "IL0303", place_of("a", 1, 1), "%s", "");
    assert_ptr_equal(all.first, first);
    assert_ptr_equal(first->next, second);
    expect_text(first->message, "x is 1");
    expect_text(first->code, "IL0201");
    expect_text(first->help, "");
    assert_int_equal(first->place.line, 2);
    assert_int_equal(first->place.column, 3);
    assert_int_equal(all.errors, 2);
    assert_int_equal(all.warnings, 1);
    assert_int_equal(all.infos, 1);
    assert_int_equal(all.dropped, 0);
    expect_text(second->next->next->message, "");
    assert_null(second->next->next->next);
}

static void a_help_is_formatted_and_can_be_replaced(void **state)
{
    struct diagnostics all;
    (void)state;
    diagnostics_init(&all, &arena);
    struct diagnostic *one =
        diagnostics_add(&all, SEVERITY_ERROR, "IL0301", place_of("a", 1, 1), "one");
    diagnostic_help(&all, one, "write %d", 1);
    expect_text(one->help, "write 1");
    diagnostic_help(&all, one, "write %d", 2);
    expect_text(one->help, "write 2");
}

static void near_names_are_suggested_and_far_ones_are_not(void **state)
{
    static const struct span keys[] = {ROW("on"),     ROW("onDone"), ROW("onError"),
                                       ROW("target"), ROW("guard"),  ROW("states"),
                                       ROW("invoke"), ROW("after"),  ROW("a")};
    static const struct {
        struct span name;
        const char *help;
    } rows[] = {
        {ROW("onn"), "did you mean 'on'?"},
        {ROW("no"), ""},
        {ROW("On"), "did you mean 'on'?"},
        {ROW("traget"), "did you mean 'target'?"},
        {ROW("targets"), "did you mean 'target'?"},
        {ROW("state"), "did you mean 'states'?"},
        {ROW("ondone"), "did you mean 'onDone'?"},
        {ROW("onEror"), "did you mean 'onError'?"},
        {ROW("gaurd"), "did you mean 'guard'?"},
        {ROW("afer"), "did you mean 'after'?"},
        {ROW("b"), ""}, /* one letter has nothing in common with another */
        {ROW("xyz"), ""},
        {ROW("actions"), ""},
        {ROW(""), ""},
        {ROW("aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggggggg"), ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct diagnostics all;
        diagnostics_init(&all, &arena);
        struct diagnostic *one =
            diagnostics_add(&all, SEVERITY_ERROR, "IL0301", place_of("a", 1, 1), "one");
        diagnostic_suggest(&all, one, rows[i].name, keys, COUNT(keys));
        expect_row(span_is(one->help, rows[i].help), rows[i].name);
    }
}

static void of_equally_near_names_the_first_is_suggested(void **state)
{
    static const struct span keys[] = {ROW("beta"), ROW("betb"), ROW("betc")};
    struct diagnostics all;
    (void)state;
    diagnostics_init(&all, &arena);
    struct diagnostic *one =
        diagnostics_add(&all, SEVERITY_ERROR, "IL0301", place_of("a", 1, 1), "one");
    diagnostic_suggest(&all, one, SPAN("bet"), keys, COUNT(keys));
    expect_text(one->help, "did you mean 'beta'?");
    diagnostic_suggest(&all, one, SPAN("betx"), NULL, 0);
    expect_text(one->help, "did you mean 'beta'?");
}

static void sorting_keeps_the_order_of_equals(void **state)
{
    static const struct {
        const char *file;
        uint32_t line;
        uint32_t column;
        const char *message;
    } rows[] = {
        {"b", 1, 1, "7"}, {"a", 2, 5, "3"}, {"a", 10, 1, "5"}, {"a", 2, 5, "4"},
        {"a", 0, 0, "1"}, {"b", 1, 1, "8"}, {"a", 10, 2, "6"}, {"a", 2, 4, "2"},
    };
    struct diagnostics all;
    struct text order;
    (void)state;
    text_init(&order, &arena);
    diagnostics_init(&all, &arena);
    diagnostics_sort(&all);
    assert_null(all.first);
    for (size_t i = 0; i < COUNT(rows); i++)
        diagnostics_add(&all, SEVERITY_ERROR, "IL0301",
                        place_of(rows[i].file, rows[i].line, rows[i].column), "%s",
                        rows[i].message);
    diagnostics_sort(&all);
    diagnostics_add(&all, SEVERITY_ERROR, "IL0301", place_of("a", 1, 1), "9");
    for (struct diagnostic *at = all.first; at != NULL; at = at->next)
        text_add(&order, at->message);
    expect_text(text_span(&order), "123456789");
}

static void sorting_random_places_is_stable(void **state)
{
    struct random random = {50};
    struct diagnostics all;
    (void)state;
    diagnostics_init(&all, &arena);
    for (unsigned i = 0; i < 500; i++) {
        uint32_t line = (uint32_t)random_up_to(&random, 20);
        diagnostics_add(&all, SEVERITY_ERROR, "IL0301", place_of("a", line, 1), "%03u", i);
    }
    diagnostics_sort(&all);
    size_t count = 1;
    for (struct diagnostic *at = all.first; at->next != NULL; at = at->next, count++) {
        assert_true(at->place.line <= at->next->place.line);
        if (at->place.line == at->next->place.line)
            assert_true(span_compare(at->message, at->next->message) < 0);
    }
    assert_int_equal(count, 500);
}

static void beyond_the_limit_diagnostics_are_only_counted(void **state)
{
    struct diagnostics all;
    size_t kept = 0;
    (void)state;
    diagnostics_init(&all, &arena);
    for (unsigned i = 0; i < DIAGNOSTICS_MAX + 5; i++) {
        struct diagnostic *added = diagnostics_add(&all, SEVERITY_ERROR, "IL0301",
                                                   place_of("a", i, 1), "number %u", i);
        assert_non_null(added);
        diagnostic_help(&all, added, "help");
    }
    for (struct diagnostic *at = all.first; at != NULL; at = at->next) {
        expect_text(at->help, "help");
        assert_int_equal(at->place.line, kept++);
    }
    assert_int_equal(kept, DIAGNOSTICS_MAX);
    assert_int_equal(all.errors, DIAGNOSTICS_MAX + 5);
    assert_int_equal(all.dropped, 5);
}

/* A file of a megabyte can be wrong in very many places. */
static void dropped_diagnostics_take_no_memory(void **state)
{
    struct diagnostics all;
    (void)state;
    diagnostics_init(&all, &arena);
    for (unsigned i = 0; i < DIAGNOSTICS_MAX + 200000; i++) {
        struct diagnostic *added = diagnostics_add(&all, SEVERITY_WARNING, "IL0301",
                                                   place_of("a", i, 1), "number %u", i);
        diagnostic_suggest(&all, added, SPAN("bet"), &SPAN("beta"), 1);
    }
    assert_int_equal(all.dropped, 200000);
    assert_true(arena.total <= 2 << 20);
}

static void severities_have_names(void **state)
{
    (void)state;
    assert_string_equal(severity_name(SEVERITY_INFO), "info");
    assert_string_equal(severity_name(SEVERITY_WARNING), "warning");
    assert_string_equal(severity_name(SEVERITY_ERROR), "error");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_arena, close_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(diagnostics_are_kept_in_order_and_counted),
        TEST(a_help_is_formatted_and_can_be_replaced),
        TEST(near_names_are_suggested_and_far_ones_are_not),
        TEST(of_equally_near_names_the_first_is_suggested),
        TEST(sorting_keeps_the_order_of_equals),
        TEST(sorting_random_places_is_stable),
        TEST(beyond_the_limit_diagnostics_are_only_counted),
        TEST(dropped_diagnostics_take_no_memory),
        TEST(severities_have_names),
    };
    return cmocka_run_group_tests_name("diagnostic", tests, NULL, NULL);
}
