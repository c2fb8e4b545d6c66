/*
 * test_place_map.c - a definition that was rewritten as JSON gets its places back.
 */
#include "base/place_map.h"

#include "base/json.h"
#include "base/limits.h"
#include "base/random.h"
#include "expect.h"

static struct arena arena;
static struct diagnostics diagnostics;

static int open_arena(void **state)
{
    (void)state;
    arena_open(&arena, DEFINITION_ARENA_BYTES);
    diagnostics_init(&diagnostics, &arena);
    return 0;
}

static int close_arena(void **state)
{
    (void)state;
    arena_close(&arena);
    return 0;
}

static const char source[] = "{ \"id\": \"order\",\n"
                             "\n"
                             "  \"steps\": { \"a\": [1, 2] },\n"
                             "  \"\": { \"steps\": \"kept\", \"\": {} },\n"
                             "  \"admission\": { \"working\":\n 3 },\n"
                             "  \"guards\" : {\"big\":   \"a\\u0020 >\\n 1\"},\n"
                             "  \"list\": [1,\n"
                             "    null, [], \"text\"] }";

static const struct span without[] = {SPAN_INIT("steps"), SPAN_INIT("admission")};

static bool is_left_out(struct span key)
{
    return span_equal(key, without[0]) || span_equal(key, without[1]);
}

static const struct node *read_tree(struct span text, struct span file)
{
    const struct node *root = json_read_tree(text, file, &arena, &diagnostics);
    assert_non_null(root);
    return root;
}

/* The tree as it is stored: without what is left out, and with every place lost. */
static const struct node *read_stored(const struct node *root)
{
    struct text json;
    struct value whole = node_value(root, &arena);
    struct value_entry kept[8];
    uint32_t count = 0;
    for (uint32_t i = 0; i < whole.count; i++) {
        if (!is_left_out(value_span(whole.entries[i].key)))
            kept[count++] = whole.entries[i];
    }
    text_init(&json, &arena);
    json_write(&json, value_map(kept, count));
    return read_tree(text_span(&json), SPAN("stored"));
}

static void expect_place(struct place a, struct place b)
{
    assert_true(span_equal(a.file, b.file));
    assert_int_equal(a.line, b.line);
    assert_int_equal(a.column, b.column);
}

static void expect_same(const struct node *a, const struct node *b, bool is_root)
{
    uint32_t next = 0;
    expect_place(a->place, b->place);
    for (size_t i = 0; node_is_string(a) && i <= node_text(a).size; i++)
        expect_place(node_text_place(a, i), node_text_place(b, i));
    for (uint32_t i = 0; a->kind == NODE_LIST && i < a->count; i++)
        expect_same(a->items[i], b->items[i], false);
    for (uint32_t i = 0; a->kind == NODE_MAP && i < a->count; i++) {
        if (is_root && is_left_out(a->entries[i].key))
            continue;
        expect_place(a->entries[i].place, b->entries[next].place);
        expect_same(a->entries[i].value, b->entries[next++].value, false);
    }
}

static struct span map_of(const struct node *root)
{
    struct text map;
    text_init(&map, &arena);
    place_map_write(root, without, sizeof without / sizeof *without, &map);
    return text_span(&map);
}

static void every_part_gets_its_place_back(void **state)
{
    (void)state;
    const struct node *root = read_tree(span_from_text(source), SPAN("order.yaml"));
    const struct node *placed = place_map_apply(read_stored(root), map_of(root), &arena);
    expect_same(root, placed, true);
    const struct node *again = place_map_apply(read_stored(placed), map_of(placed), &arena);
    expect_same(root, again, true);
}

static void a_map_of_another_tree_is_not_used(void **state)
{
    (void)state;
    const struct node *root = read_tree(span_from_text(source), SPAN("order.yaml"));
    const struct node *other = read_tree(SPAN("{\"id\":[1,2,3]}"), SPAN("other"));
    assert_ptr_equal(place_map_apply(other, map_of(root), &arena), other);
    assert_ptr_equal(place_map_apply(other, SPAN(""), &arena), other);
}

/* A map is data: cut or changed, it may be of no use, but nothing worse. */
static void a_damaged_map_does_no_harm(void **state)
{
    (void)state;
    struct random random = {7};
    const struct node *root = read_tree(span_from_text(source), SPAN("order.yaml"));
    const struct node *stored = read_stored(root);
    struct span map = map_of(root);
    for (size_t size = 0; size < map.size; size++)
        assert_ptr_equal(place_map_apply(stored, span_slice(map, 0, size), &arena), stored);
    for (int i = 0; i < 2000; i++) {
        struct arena_mark mark = arena_mark(&arena);
        struct span copy = arena_copy(&arena, map);
        ((char *)(uintptr_t)copy.text)[random_up_to(&random, copy.size - 1)] =
            (char)random_next(&random);
        const struct node *placed = place_map_apply(stored, copy, &arena);
        assert_int_equal(placed->count, stored->count);
        for (uint32_t k = 0; k < placed->count; k++)
            node_text_place(placed->entries[0].value, k);
        arena_rewind(&arena, mark);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_part_gets_its_place_back, open_arena,
                                        close_arena),
        cmocka_unit_test_setup_teardown(a_map_of_another_tree_is_not_used, open_arena,
                                        close_arena),
        cmocka_unit_test_setup_teardown(a_damaged_map_does_no_harm, open_arena, close_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
