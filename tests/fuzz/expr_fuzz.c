/*
 * expr_fuzz.c - any bytes as an expression: it compiles or is refused with a place, and runs
 * to a value or an error within its budget.
 *
 * Two ways must agree: with and without its tests, with and without an arena from the start,
 * and the program of the text and of its normal form. Small arenas make all of them jump out of
 * the middle.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/ensure.h"
#include "base/json.h"
#include "base/limits.h"
#include "expr/code.h"
#include "expr/expr.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { SLOT_COUNT = 3, ARENA_BYTES = 4 << 20 };

static struct value in(void *host, uint32_t function, const struct value *arguments,
                       size_t count, struct arena *arena)
{
    (void)host;
    (void)arena;
    ensure(function == 1 && count == 1);
    return value_bool(arguments[0].kind == VALUE_STRING && arguments[0].count > 3);
}

static const struct expr_program *compile(struct span text, bool is_open, struct arena *arena)
{
    static const struct span names[SLOT_COUNT] = {{"a", 1}, {"b", 1}, {"c", 1}};
    static const struct expr_function functions[] = {{{"In", 2}, 1, 1}};
    struct diagnostics diagnostics;
    struct expr_scope scope = {.variables = names,
                               .variable_count = SLOT_COUNT,
                               .functions = functions,
                               .function_count = 1,
                               .is_open = is_open};
    diagnostics_init(&diagnostics, arena);
    const struct expr_program *program =
        expr_compile(text, (struct place){SPAN("fuzz"), 1, 1}, &scope, arena, &diagnostics);
    ensure((program == NULL) == (diagnostics.errors > 0));
    for (const struct diagnostic *one = diagnostics.first; one != NULL; one = one->next)
        ensure(one->place.line > 0 && one->place.column > 0 && one->message.size > 0);
    return program;
}

static struct value run(const struct expr_program *program, struct arena *arena)
{
    struct value slots[SLOT_COUNT] = {value_int(5), value_error(SPAN(""))};
    struct json_error error;
    ensure(json_read(SPAN("{\"k\":[1,2.5,\"x\",null],\"s\":\"text\",\"t\":true}"), arena,
                     &slots[2], &error) == STATUS_OK);
    struct expr_frame frame = {.slots = slots, .slot_count = SLOT_COUNT, .host_function = in};
    return expr_run(program, &frame, arena);
}

static bool is_over_a_limit(struct value value)
{
    return value.kind == VALUE_ERROR &&
           (span_find(value_span(value), SPAN("than it may"), 0) != SIZE_MAX ||
            span_find(value_span(value), SPAN("than a value may"), 0) != SIZE_MAX);
}

static void expect_same(struct value a, struct value b, struct arena *arena)
{
    struct text left;
    struct text right;
    if (is_over_a_limit(a) || is_over_a_limit(b))
        return;
    text_init(&left, arena);
    text_init(&right, arena);
    ensure(a.kind == b.kind);
    if (a.kind == VALUE_ERROR) {
        ensure(span_equal(value_span(a), value_span(b)));
        return;
    }
    json_write(&left, a);
    json_write(&right, b);
    ensure(span_equal(text_span(&left), text_span(&right)));
}

static void check(struct span text, bool is_open, struct arena *arena)
{
    const struct expr_program *program = compile(text, is_open, arena);
    if (program == NULL)
        return;
    struct value value = run(program, arena);
    struct expr_program other = *program;
    other.tests = NULL;
    expect_same(value, run(&other, arena), arena);
    other.may_allocate = true;
    expect_same(value, run(&other, arena), arena);
    struct text normal;
    text_init(&normal, arena);
    expr_write(&normal, program);
    if (normal.size > EXPRESSION_BYTES_MAX)
        return;
    const struct expr_program *again = compile(text_span(&normal), is_open, arena);
    ensure(again != NULL);
    expect_same(value, run(again, arena), arena);
}

static void check_within(struct span text, bool is_open, size_t arena_bytes)
{
    struct arena arena;
    struct arena_guard guard;
    arena_open(&arena, arena_bytes);
    if (!arena_is_spent(&arena, &guard)) {
        check(text, is_open, &arena);
        arena_release_guard(&arena, &guard);
    }
    arena_close(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct span text = span_of((const char *)bytes, size);
    size_t end = expr_find_end(text, 0);
    ensure(end == SIZE_MAX || (end < size && text.text[end] == '}'));
    check_within(text, false, ARENA_BYTES);
    check_within(text, true, ARENA_BYTES);
    check_within(text, true, 512 + size * 16);
    return 0;
}
