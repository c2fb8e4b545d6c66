/*
 * expr_fixture.h - a scope, a frame and an arena, for the tests of expr.
 *
 * Results are compared as text: JSON for values, "!message" for errors, and "?line:column
 * message" for the first diagnostic, so that a table says all there is to say.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "expr/expr.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { FIXTURE_BYTES = 8 << 20, SLOT_X = 0, SLOT_CONTEXT, SLOT_EVENT, SLOT_NOW, SLOT_COUNT };

static const struct span fixture_names[SLOT_COUNT] = {
    {"x", 1}, {"context", 7}, {"event", 5}, {"now", 3}};

static const struct expr_function fixture_functions[] = {{{"In", 2}, 1, 7}};

static const struct expr_scope fixture_scope = {
    .variables = fixture_names,
    .variable_count = SLOT_COUNT,
    .functions = fixture_functions,
    .function_count = COUNT(fixture_functions),
};

struct fixture {
    struct arena arena;
    struct value slots[SLOT_COUNT];
    struct expr_frame frame;
    struct diagnostics diagnostics;
    char memory[FIXTURE_BYTES];
};

static inline struct value fixture_in(void *host, uint32_t function,
                                      const struct value *arguments, size_t count,
                                      struct arena *arena)
{
    (void)host;
    assert_int_equal(function, 7);
    assert_int_equal(count, 1);
    if (arguments[0].kind != VALUE_STRING)
        return value_error(text_print(arena, "In() takes the name of a state"));
    return value_bool(span_is(value_span(arguments[0]), "HERE"));
}

/* x is unbound, context an order, event a payment, now a timestamp. */
static inline struct fixture *fixture_get(void)
{
    static struct fixture fixture;
    struct json_error error;
    arena_init(&fixture.arena, fixture.memory, sizeof fixture.memory);
    diagnostics_init(&fixture.diagnostics, &fixture.arena);
    fixture.slots[SLOT_X] = value_error(SPAN(""));
    assert_int_equal(json_read(SPAN("{\"total\":1250,\"currency\":\"EUR\",\"items\":[1,2,3],"
                                    "\"price\":3.5,\"none\":null,\"name\":\"Zoë\","
                                    "\"a b\":1,\"nested\":{\"deep\":{\"er\":true}}}"),
                               &fixture.arena, &fixture.slots[SLOT_CONTEXT], &error),
                     STATUS_OK);
    assert_int_equal(json_read(SPAN("{\"type\":\"PAY\",\"amount\":7}"), &fixture.arena,
                               &fixture.slots[SLOT_EVENT], &error),
                     STATUS_OK);
    fixture.slots[SLOT_NOW] =
        (struct value){.kind = VALUE_TIMESTAMP, .integer = 1234567890, .count = 5000000};
    fixture.frame = (struct expr_frame){
        .slots = fixture.slots, .slot_count = SLOT_COUNT, .host_function = fixture_in};
    return &fixture;
}

static inline const char *fixture_value_text(struct fixture *fixture, struct value value)
{
    struct text text;
    text_init(&text, &fixture->arena);
    if (value.kind == VALUE_ERROR)
        text_format(&text, "!%.*s", SPAN_ARGS(value_span(value)));
    else if (value.kind == VALUE_UINT)
        text_format(&text, "%lluu", (unsigned long long)value.uinteger);
    else if (value.kind == VALUE_TYPE)
        text_format(&text, "type %.*s", SPAN_ARGS(value_span(value)));
    else if (value.kind == VALUE_BYTES)
        text_format(&text, "b\"%.*s\"", SPAN_ARGS(value_span(value)));
    else
        json_write(&text, value);
    text_add_byte(&text, '\0');
    return text.bytes;
}

/* "?1:5 message (help)" of the first diagnostic. */
static inline const char *fixture_diagnostic_text(struct fixture *fixture)
{
    const struct diagnostic *first = fixture->diagnostics.first;
    struct text text;
    text_init(&text, &fixture->arena);
    assert_non_null(first);
    text_format(&text, "?%u:%u %.*s", first->place.line, first->place.column,
                SPAN_ARGS(first->message));
    if (first->help.size > 0)
        text_format(&text, " (%.*s)", SPAN_ARGS(first->help));
    text_add_byte(&text, '\0');
    return text.bytes;
}

static inline const struct expr_program *fixture_compile(struct fixture *fixture,
                                                         struct span text)
{
    struct place place = {SPAN("file"), 1, 1};
    return expr_compile(text, place, &fixture_scope, &fixture->arena, &fixture->diagnostics);
}

/* What the expression gives, as text. */
static inline const char *fixture_answer(struct span text)
{
    struct fixture *fixture = fixture_get();
    const struct expr_program *program = fixture_compile(fixture, text);
    if (program == NULL)
        return fixture_diagnostic_text(fixture);
    return fixture_value_text(fixture, expr_run(program, &fixture->frame, &fixture->arena));
}

struct fixture_row {
    const char *expression;
    const char *answer;
};

#define fixture_check(rows) fixture_check_rows((rows), COUNT(rows), __FILE__, __LINE__)

/* Every row that is wrong is shown. */
static inline void fixture_check_rows(const struct fixture_row *rows, size_t count,
                                      const char *file, int line)
{
    unsigned wrong = 0;
    for (size_t i = 0; i < count; i++) {
        const char *answer = fixture_answer(span_from_text(rows[i].expression));
        if (strcmp(answer, rows[i].answer) == 0)
            continue;
        print_error("%s\n  gives  %s\n  wanted %s\n", rows[i].expression, answer,
                    rows[i].answer);
        wrong++;
    }
    if (wrong > 0)
        _fail(file, line);
}
