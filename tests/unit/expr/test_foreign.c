/*
 * test_foreign.c - expressions in a language that is handed in: here one that knows the words
 * `seven`, `nothing` and `wrong`.
 */
#include "expr/foreign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "expr/slot.h"

enum { ARENA_BYTES = 1 << 20 };

static bool check(void *context, enum expr_form form, struct span text, struct arena *arena,
                  struct span *message)
{
    (void)context;
    (void)form;
    (void)arena;
    *message = SPAN("it is wrong");
    return !span_is(text, "wrong");
}

static struct value foreign(void *host, const struct expr_foreign *expression,
                            struct value given, struct arena *arena)
{
    (void)host;
    (void)arena;
    assert_int_equal(expression->form, EXPR_VALUE);
    assert_int_equal(given.kind, VALUE_NULL);
    if (span_is(expression->text, "seven"))
        return value_int(7);
    return span_is(expression->text, "nothing") ? (struct value){.kind = VALUE_OPTIONAL}
                                                : value_error(SPAN("it is wrong"));
}

/* The slot's value as JSON, or what is wrong with it. */
static const char *answer(const char *json, const struct expr_language *language,
                          struct diagnostics *diagnostics, struct arena *arena)
{
    struct text text;
    struct expr_scope scope = {.language = language};
    struct expr_frame frame = {.foreign = foreign};
    diagnostics_init(diagnostics, arena);
    const struct node *node =
        json_read_tree(span_from_text(json), SPAN("slot.json"), arena, diagnostics);
    assert_non_null(node);
    const struct expr_slot *slot = expr_slot_compile(node, &scope, arena, diagnostics);
    if (slot == NULL)
        return arena_copy(arena, diagnostics->first->message).text;
    struct value value = expr_slot_run(slot, &frame, arena);
    if (value_is_error(value))
        return arena_copy(arena, value_span(value)).text;
    text_init(&text, arena);
    json_write(&text, value);
    return text_span(&text).text;
}

#define FOREIGN(word) "{\"@expr\":\"" word "\",\"@lang\":\"ecmascript\"}"

static void its_values_go_where_those_of_cel_go(void **state)
{
    static const struct {
        const char *json;
        const char *answer;
        uint32_t warnings;
    } rows[] = {
        {FOREIGN("seven"), "7", 0},
        {"[" FOREIGN("seven") "," FOREIGN("nothing") ",\"${1 + 1}\"]", "[7,null,2]", 0},
        {"{\"a\":" FOREIGN("nothing") ",\"b\":" FOREIGN("seven") "}", "{\"b\":7}", 0},
        {"[1,{\"a\":" FOREIGN("wrong") "}]", "it is wrong", 1},
        {"{\"@expr\":\"seven\",\"@lang\":\"latin\"}", "this expression language is not known",
         0},
        {"{\"@expr\":7,\"@lang\":\"ecmascript\"}",
         "an expression is {\"@expr\": TEXT, \"@lang\": \"cel\"} and nothing else", 0},
    };
    struct arena arena;
    struct diagnostics diagnostics;
    struct expr_language language = {.name = SPAN("ecmascript"), .check = check};
    (void)state;
    arena_open(&arena, ARENA_BYTES);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *given = answer(rows[i].json, &language, &diagnostics, &arena);
        if (strcmp(given, rows[i].answer) != 0 || diagnostics.warnings != rows[i].warnings)
            fail_msg("%s: %s", rows[i].json, given);
    }
    arena_close(&arena);
}

static void without_it_they_are_refused_where_they_stand(void **state)
{
    struct arena arena;
    struct diagnostics diagnostics;
    (void)state;
    arena_open(&arena, ARENA_BYTES);
    assert_string_equal(answer("[1," FOREIGN("seven") "]", NULL, &diagnostics, &arena),
                        "ECMAScript that does not translate to CEL is not run here");
    assert_true(span_is(diagnostics.first->code, "IL0106"));
    assert_int_equal(diagnostics.first->place.column, 13);
    assert_true(span_find(diagnostics.first->help, SPAN("duktape-dev"), 0) != SIZE_MAX);
    arena_close(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_values_go_where_those_of_cel_go),
        cmocka_unit_test(without_it_they_are_refused_where_they_stand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
