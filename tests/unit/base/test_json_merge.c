/*
 * test_json_merge.c - RFC 7386 by its own examples, and what counts as a change.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/json_merge.h"
#include "base/random.h"

enum { ARENA_BYTES = 1 << 20, ROUNDS = 20000 };

struct row {
    const char *target;
    const char *patch;
    const char *merged; /* NULL: nothing changes */
};

/* The objects of the RFC's appendix, and more. */
static const struct row rows[] = {
    {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
    {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
    {"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
    {"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
    {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
    {"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
    {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}"},
    {"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
    {"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
    {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
    {"{\"a\":1}", "{}", NULL},
    {"{\"a\":1}", "{\"b\":null}", NULL},
    {"{\"a\":{\"b\":[1,{\"c\":2}]}}", "{\"a\":{\"b\":[1,{\"c\":2}]}}", NULL},
    {"{\"a\":{\"b\":1}}", "{\"a\":{}}", NULL},
    {"{\"a\":{\"b\":1}}", "{\"a\":{\"c\":{\"d\":null}}}", "{\"a\":{\"b\":1,\"c\":{}}}"},
    {"{\"e\":null}", "{\"e\":null}", "{}"},
    {"{\"a\":1}", "{\"a\":1.0}", "{\"a\":1.0}"},
    {"{\"a\":3,\"b\":4}", "{\"a\":{\"c\":1}}", "{\"a\":{\"c\":1},\"b\":4}"},
    {"{\"a\":1,\"b\":2,\"c\":3}", "{\"c\":null,\"a\":null,\"d\":4}", "{\"b\":2,\"d\":4}"},
};

static struct value read(struct arena *arena, const char *text)
{
    struct value value;
    struct json_error error;
    assert_int_equal(json_read(span_from_text(text), arena, &value, &error), STATUS_OK);
    return value;
}

static const char *written(struct arena *arena, struct value value)
{
    struct text text;
    text_init(&text, arena);
    json_write(&text, value);
    text_add_byte(&text, '\0');
    return text.bytes;
}

static void patches_do_what_the_rfc_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena arena;
        bool changed = false;
        arena_open(&arena, ARENA_BYTES);
        struct value target = read(&arena, rows[i].target);
        struct value patch = read(&arena, rows[i].patch);
        struct value merged = json_merge(&arena, target, patch, &changed);
        assert_int_equal(changed, rows[i].merged != NULL);
        assert_string_equal(written(&arena, merged), changed ? rows[i].merged : rows[i].target);
        assert_string_equal(written(&arena, target), rows[i].target);
        arena_close(&arena);
    }
}

static struct value random_value(struct arena *arena, struct random *random, unsigned levels)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    uint64_t kind = random_up_to(random, levels == 0 ? 3 : 6);
    if (kind == 0)
        return value_null();
    if (kind < 3)
        return value_int((int64_t)random_up_to(random, 2));
    if (kind == 3)
        return value_string(span_from_text(names[random_up_to(random, 3)]));
    struct value map = value_map(NULL, 0);
    for (uint64_t count = random_up_to(random, 4); count > 0; count--)
        map = value_with(arena, map, span_from_text(names[random_up_to(random, 3)]),
                         random_value(arena, random, levels - 1));
    return map;
}

static struct value random_map(struct arena *arena, struct random *random)
{
    struct value value = random_value(arena, random, 3);
    return value.kind == VALUE_MAP ? value : value_map(NULL, 0);
}

static void a_patch_twice_changes_nothing_the_second_time(void **state)
{
    (void)state;
    struct random random = {.state = 7386};
    struct arena arena;
    arena_open(&arena, ARENA_BYTES);
    for (int i = 0; i < ROUNDS; i++) {
        bool changed = false;
        bool again = false;
        arena_clear(&arena);
        struct value target = random_map(&arena, &random);
        struct value patch = random_map(&arena, &random);
        struct value merged = json_merge(&arena, target, patch, &changed);
        assert_int_equal(changed, !value_equal(target, merged));
        struct value same = json_merge(&arena, merged, patch, &again);
        assert_false(again);
        assert_string_equal(written(&arena, same), written(&arena, merged));
    }
    arena_close(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patches_do_what_the_rfc_says),
        cmocka_unit_test(a_patch_twice_changes_nothing_the_second_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
