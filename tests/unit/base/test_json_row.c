/*
 * test_json_row.c - what the quick scanner takes, the full reader takes too, and reads the
 * same.
 */
#include "base/json_row.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/random.h"

enum { FIELDS = 3, LINE_BYTES = 512, LINES = 60000 };

static const struct span fields[FIELDS] = {SPAN_INIT("a"), SPAN_INIT("b"),
                                           SPAN_INIT("long name")};

static const char *const values[] = {
    "true",         "false",
    "null",         "0",
    "-1",           "12",
    "1.5",          "-0",
    "01",           "1e5",
    "1E-99",        "1e999",
    "1.",           ".5",
    "123456789012", "[]",
    "{}",           "[1,[2,{\"x\":[]}]]",
    "{\"a\":1}",    "{\"a\":1,\"a\":2}",
    "[1,]",         "\"\"",
    "\"x\"",        "\"\\n\"",
    "\"\\u00e9\"",  "\"\\ud800\"",
    "\"\\x\"",      "\"\xc3\xa9\"",
    "\"\xc3\"",     "\"a long text that is more than sixteen bytes\"",
    "tru",          "\"open",
    "1 2",
};

static const char *const keys[] = {"\"a\"", "\"b\"",       "\"long name\"",
                                   "\"c\"", "\"\\u0061\"", "x"};

static uint64_t pick(struct random *random, size_t count)
{
    return random_up_to(random, count - 1);
}

/* A line of an object, good or not, with its newline. */
static size_t make_line(struct random *random, char *line)
{
    static const char *const blanks[] = {"", "", " ", "\t"};
    uint32_t members = (uint32_t)pick(random, 5);
    size_t size = 0;
    size += (size_t)snprintf(line, LINE_BYTES, "{");
    for (uint32_t i = 0; i < members; i++) {
        size_t value =
            pick(random, random_up_to(random, 3) == 0 ? sizeof values / sizeof *values : 7);
        size +=
            (size_t)snprintf(line + size, LINE_BYTES - size, "%s%s%s%s:%s%s", i == 0 ? "" : ",",
                             blanks[pick(random, 4)], keys[i < 4 ? i : pick(random, 6)],
                             blanks[pick(random, 4)], blanks[pick(random, 4)], values[value]);
    }
    size += (size_t)snprintf(line + size, LINE_BYTES - size, "%s}%s", blanks[pick(random, 4)],
                             random_up_to(random, 9) == 0 ? "\r" : "");
    if (random_up_to(random, 9) == 0)
        line[pick(random, size)] = "{}[],:\"\\ 0a"[pick(random, 11)];
    line[size] = '\n';
    return size;
}

static bool is_same(const struct json_token *token, const struct value *value)
{
    if (value == NULL || token->kind == JSON_TOKEN_MISSING)
        return value == NULL && token->kind == JSON_TOKEN_MISSING;
    switch (token->kind) {
    case JSON_TOKEN_NULL:
        return value->kind == VALUE_NULL;
    case JSON_TOKEN_FALSE:
    case JSON_TOKEN_TRUE:
        return value->kind == VALUE_BOOL && value->boolean == (token->kind == JSON_TOKEN_TRUE);
    case JSON_TOKEN_STRING:
        return value->kind == VALUE_STRING &&
               span_equal(value_span(*value), span_of(token->text, token->size));
    case JSON_TOKEN_INT:
        return value->kind == VALUE_INT && value->integer == strtoll(token->text, NULL, 10);
    case JSON_TOKEN_DECIMAL:
        return value->kind == VALUE_DOUBLE;
    default:
        return false;
    }
}

/* The tokens of a line that was taken are what the full reader reads. */
static void expect_same(struct span line, const struct json_token *tokens, struct arena *arena)
{
    struct value record;
    struct json_error error;
    if (json_read(line, arena, &record, &error) != STATUS_OK || record.kind != VALUE_MAP)
        fail_msg("%.*s was taken: %s", SPAN_ARGS(line), error.message);
    for (uint32_t i = 0; i < FIELDS; i++) {
        if (!is_same(&tokens[i], value_find(record, fields[i])))
            fail_msg("%.*s: %.*s", SPAN_ARGS(line), SPAN_ARGS(fields[i]));
    }
}

static void what_is_taken_is_read_the_same(void **state)
{
    (void)state;
    struct arena arena;
    struct random random = {.state = 5};
    uint32_t taken = 0;
    arena_open(&arena, 16 << 20);
    struct json_row *row = json_row_open(fields, FIELDS, &arena);
    struct arena_mark mark = arena_mark(&arena);
    for (uint32_t i = 0; i < LINES; i++) {
        /* Exactly as much is readable as was promised. */
        struct json_token tokens[FIELDS];
        const char *next;
        char *line = malloc(LINE_BYTES + JSON_ROW_PADDING);
        assert_non_null(line);
        size_t size = make_line(&random, line);
        line = realloc(line, size + 1 + JSON_ROW_PADDING);
        assert_non_null(line);
        memset(line + size + 1, 'x', JSON_ROW_PADDING);
        const char *end = line + size + 1;
        bool is_taken = json_row_scan(row, line, end, tokens, &next);
        if (is_taken) {
            assert_ptr_equal(next, end);
            expect_same(span_of(line, size), tokens, &arena);
        }
        taken += is_taken;
        struct value record;
        struct json_error error;
        if (!is_taken && json_read(span_of(line, size), &arena, &record, &error) == STATUS_OK &&
            json_row_learn(row, span_of(line, size)) &&
            json_row_scan(row, line, end, tokens, &next))
            expect_same(span_of(line, size), tokens, &arena);
        free(line);
        arena_rewind(&arena, mark);
    }
    arena_close(&arena);
    assert_true(taken > LINES / 4);
}

static void shapes_are_learned_and_found_again(void **state)
{
    (void)state;
    static char lines[] = "{\"a\":1,\"b\":true}\n"
                          "{\"b\":false}\n"
                          "{\"a\":22,\"b\":null}\n"
                          "{}\n"
                          "                                                                ";
    struct arena arena;
    struct json_token tokens[FIELDS];
    const char *next;
    arena_open(&arena, 16 << 20);
    struct json_row *row = json_row_open(fields, FIELDS, &arena);
    const char *end = lines + sizeof lines - 1 - JSON_ROW_PADDING;
    assert_false(json_row_scan(row, lines, end, tokens, &next));
    assert_true(json_row_learn(row, span_of(lines, 16)));
    assert_true(json_row_scan(row, lines, end, tokens, &next));
    assert_int_equal(tokens[0].kind, JSON_TOKEN_INT);
    assert_int_equal(tokens[2].kind, JSON_TOKEN_MISSING);
    assert_false(json_row_scan(row, next, end, tokens, &next));
    assert_true(json_row_learn(row, span_of(lines + 17, 11)));
    assert_true(json_row_scan(row, lines + 17, end, tokens, &next));
    assert_true(json_row_scan(row, next, end, tokens, &next));
    assert_int_equal(tokens[0].size, 2);
    assert_int_equal(tokens[1].kind, JSON_TOKEN_NULL);
    assert_true(json_row_learn(row, SPAN("{}")));
    assert_true(json_row_scan(row, next, end, tokens, &next));
    assert_ptr_equal(next, end);
    arena_close(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_are_learned_and_found_again),
        cmocka_unit_test(what_is_taken_is_read_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
