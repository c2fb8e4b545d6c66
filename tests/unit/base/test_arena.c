/*
 * test_arena.c - memory given out piece by piece: its alignment, its limits, its guards.
 *
 * malloc and its kin are wrapped by the linker, so that the tests can count calls and let
 * them fail.
 */
#include "base/arena.h"

#include "expect.h"

static struct {
    long calls;     /* of malloc, calloc and realloc */
    long alive;     /* blocks not yet released */
    long fail_from; /* the call from which on there is no memory; 0 is never */
} heap;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *memory);

static bool heap_is_out(void)
{
    heap.calls++;
    return heap.fail_from > 0 && heap.calls >= heap.fail_from;
}

void *__wrap_malloc(size_t size)
{
    void *memory = heap_is_out() ? NULL : __real_malloc(size);
    heap.alive += memory != NULL;
    return memory;
}

void *__wrap_calloc(size_t count, size_t size)
{
    void *memory = heap_is_out() ? NULL : __real_calloc(count, size);
    heap.alive += memory != NULL;
    return memory;
}

void *__wrap_realloc(void *old, size_t size)
{
    void *memory = heap_is_out() ? NULL : __real_realloc(old, size);
    heap.alive += memory != NULL && old == NULL;
    return memory;
}

void __wrap_free(void *memory)
{
    heap.alive -= memory != NULL;
    __real_free(memory);
}

/* Takes up to `count` pieces; how many there were before the guard was reached. */
static size_t take_until_spent(struct arena *arena, size_t size, size_t count)
{
    struct arena_guard guard;
    volatile size_t taken = 0;
    if (arena_is_spent(arena, &guard))
        return taken;
    for (; taken < count; taken = taken + 1)
        memset(arena_get(arena, size), 0xAA, size);
    arena_release_guard(arena, &guard);
    return taken;
}

static void what_is_given_out_is_aligned_and_apart(void **state)
{
    (void)state;
    static char memory[4096];
    for (size_t offset = 0; offset < 32; offset++) {
        struct arena arena;
        char *end = memory;
        arena_init(&arena, memory + offset, 2048);
        for (size_t size = 1; size < 40; size++) {
            char *piece = arena_get(&arena, size);
            assert_int_equal((uintptr_t)piece % 16, 0);
            assert_true(piece >= end && piece >= memory + offset);
            end = piece + size;
        }
        assert_true(end <= memory + offset + 2048);
    }
}

static void a_growing_arena_is_aligned_in_every_block(void **state)
{
    (void)state;
    struct arena arena;
    arena_open(&arena, 8 << 20);
    for (size_t size = 1; size < 100000; size = size * 5 / 3 + 1)
        assert_int_equal((uintptr_t)arena_get(&arena, size) % 16, 0);
    arena_close(&arena);
    assert_int_equal(heap.alive, 0);
}

static void nothing_is_also_given_out_with_an_address(void **state)
{
    (void)state;
    struct arena arena;
    arena_open(&arena, 1024);
    assert_non_null(arena_get(&arena, 0));
    assert_non_null(arena_get_zeroed(&arena, 0));
    assert_non_null(arena_get_array(&arena, 0, 16));
    arena_close(&arena);

    arena_open(&arena, 1024);
    assert_non_null(arena_get_array(&arena, 16, 0));
    arena_clear(&arena);
    assert_non_null(arena_get(&arena, 0));
    arena_close(&arena);
}

static void a_fixed_arena_gives_every_byte_and_never_grows(void **state)
{
    (void)state;
    static _Alignas(16) char memory[1024];
    struct arena arena;
    long calls = heap.calls;
    arena_init(&arena, memory, sizeof memory);
    assert_int_equal(take_until_spent(&arena, 16, 1000), 64);
    assert_int_equal(take_until_spent(&arena, 1, 1), 0);
    arena_clear(&arena);
    assert_int_equal(take_until_spent(&arena, 1, 1000), 64);
    arena_clear(&arena);
    assert_int_equal(take_until_spent(&arena, 1024, 2), 1);
    arena_clear(&arena);
    assert_int_equal(take_until_spent(&arena, 1025, 1), 0);
    assert_int_equal(heap.calls, calls);
}

static void a_fixed_arena_may_be_too_small_for_anything(void **state)
{
    (void)state;
    static _Alignas(16) char memory[16];
    struct arena arena;
    arena_init(&arena, memory + 1, 15);
    assert_int_equal(take_until_spent(&arena, 1, 1), 0);
    assert_int_equal(take_until_spent(&arena, 0, 1), 1);
}

static void a_growing_arena_stops_at_its_limit(void **state)
{
    static const size_t limits[] = {16, 100, 16 << 10, 100000, 1 << 20};
    (void)state;
    for (size_t i = 0; i < COUNT(limits); i++) {
        struct arena arena;
        arena_open(&arena, limits[i]);
        size_t taken = take_until_spent(&arena, 16, SIZE_MAX);
        assert_true(taken <= limits[i] / 16);
        assert_true(taken + 8 >= limits[i] / 16); /* a few bytes at the ends of blocks */
        assert_true(arena.total <= limits[i]);
        arena_close(&arena);
        assert_int_equal(heap.alive, 0);
    }
}

static void a_piece_beyond_the_limit_is_refused_and_smaller_ones_are_not(void **state)
{
    (void)state;
    struct arena arena;
    arena_open(&arena, 50000);
    assert_int_equal(take_until_spent(&arena, 50001, 1), 0);
    assert_int_equal(take_until_spent(&arena, 30000, 1), 1);
    assert_int_equal(take_until_spent(&arena, 30000, 1), 0);
    assert_int_equal(take_until_spent(&arena, 16000, 1), 1);
    arena_close(&arena);
}

static void a_size_beyond_all_memory_counts_as_the_limit(void **state)
{
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 14, SIZE_MAX / 2 + 1, SIZE_MAX / 2};
    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct arena arena;
        arena_open(&arena, SIZE_MAX / 4);
        assert_int_equal(take_until_spent(&arena, sizes[i], 1), 0);
        arena_close(&arena);
    }
}

static void an_overflowing_array_counts_as_the_limit(void **state)
{
    static const size_t rows[][2] = {{SIZE_MAX, 2},
                                     {2, SIZE_MAX},
                                     {SIZE_MAX / 2, 3},
                                     {(size_t)1 << 32, (size_t)1 << 32},
                                     {SIZE_MAX / 16, 17}};
    (void)state;
    struct arena arena;
    arena_open(&arena, 1 << 20);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena_guard guard;
        if (arena_is_spent(&arena, &guard))
            continue;
        arena_get_array(&arena, rows[i][0], rows[i][1]);
        fail();
    }
    arena_close(&arena);
}

static void memory_of_the_machine_that_runs_out_counts_as_the_limit(void **state)
{
    (void)state;
    for (long nth = 1; nth < 6; nth++) {
        struct arena arena;
        arena_open(&arena, 16 << 20);
        heap.calls = 0;
        heap.fail_from = nth;
        size_t taken = take_until_spent(&arena, 16 << 10, 1000);
        heap.fail_from = 0;
        assert_int_equal(taken, ((size_t)1 << (nth - 1)) - 1); /* 0, 1, 3, 7, 15 */
        assert_int_equal(take_until_spent(&arena, 16 << 10, 1), 1);
        arena_close(&arena);
        assert_int_equal(heap.alive, 0);
    }
}

static void blocks_double_so_that_they_stay_few(void **state)
{
    (void)state;
    struct arena arena;
    arena_open(&arena, 256 << 20);
    long calls = heap.calls;
    assert_int_equal(take_until_spent(&arena, 1000, 20000), 20000);
    assert_true(heap.calls - calls <= 12);
    arena_close(&arena);
}

static void zeroed_memory_is_zero_also_where_it_was_used_before(void **state)
{
    (void)state;
    static _Alignas(16) char memory[256];
    static const char zeros[256];
    struct arena arena;
    arena_init(&arena, memory, sizeof memory);
    assert_int_equal(take_until_spent(&arena, 256, 1), 1);
    arena_clear(&arena);
    assert_memory_equal(arena_get_zeroed(&arena, 100), zeros, 100);
    assert_memory_equal(arena_get_array(&arena, 10, 10), zeros, 100);
}

/* Spends the arena below `depth` further guards, each of which passes the news on. */
static int spend_below(struct arena *arena, int guards)
{
    struct arena_guard guard;
    volatile int depth = guards;
    if (arena_is_spent(arena, &guard)) {
        if (arena->guard != NULL)
            arena_spend(arena);
        return depth;
    }
    if (depth == 0)
        arena_spend(arena);
    spend_below(arena, depth - 1);
    arena_release_guard(arena, &guard);
    return -1;
}

static void guards_nest_and_the_innermost_hears_first(void **state)
{
    (void)state;
    static char memory[64];
    struct arena arena;
    arena_init(&arena, memory, sizeof memory);
    struct arena_guard outer;
    volatile int stage = 0;
    if (arena_is_spent(&arena, &outer)) {
        assert_int_equal(stage, 1);
        assert_null(arena.guard);
        return;
    }
    struct arena_guard inner;
    if (arena_is_spent(&arena, &inner)) {
        assert_int_equal(stage, 0);
        assert_ptr_equal(arena.guard, &outer);
        stage = 1;
        arena_get(&arena, 1000);
        fail();
    }
    arena_get(&arena, 1000);
    fail();
}

static void a_released_guard_hears_nothing(void **state)
{
    (void)state;
    static char memory[64];
    struct arena arena;
    arena_init(&arena, memory, sizeof memory);
    struct arena_guard outer;
    if (arena_is_spent(&arena, &outer)) {
        assert_null(arena.guard);
        return;
    }
    assert_int_equal(take_until_spent(&arena, 1, 1), 1);
    assert_ptr_equal(arena.guard, &outer);
    arena_get(&arena, 1000);
    fail();
}

static void news_travels_through_many_guards(void **state)
{
    (void)state;
    static char memory[64];
    struct arena arena;
    arena_init(&arena, memory, sizeof memory);
    assert_int_equal(spend_below(&arena, 50), 50);
    assert_null(arena.guard);
}

static void spend_without_a_guard(void)
{
    static char memory[64];
    struct arena arena;
    arena_init(&arena, memory, sizeof memory);
    arena_get(&arena, 65);
}

static void release_the_outer_guard_first(void)
{
    static char memory[64];
    struct arena arena;
    struct arena_guard outer;
    struct arena_guard inner;
    arena_init(&arena, memory, sizeof memory);
    arena_set_guard(&arena, &outer);
    arena_set_guard(&arena, &inner);
    arena_release_guard(&arena, &outer);
}

static void use_after_close(void)
{
    struct arena arena;
    arena_open(&arena, 1024);
    arena_get(&arena, 8);
    arena_close(&arena);
    arena_get(&arena, 8);
}

static void wrong_use_stops_the_process(void **state)
{
    (void)state;
    expect_broken(spend_without_a_guard);
    expect_broken(release_the_outer_guard_first);
    expect_broken(use_after_close);
}

static void rewinding_gives_the_same_memory_again(void **state)
{
    (void)state;
    static char memory[1024];
    struct arena arena;
    arena_init(&arena, memory, sizeof memory);
    arena_get(&arena, 100);
    struct arena_mark mark = arena_mark(&arena);
    void *first = arena_get(&arena, 10);
    arena_get(&arena, 500);
    arena_rewind(&arena, mark);
    assert_ptr_equal(arena_get(&arena, 10), first);
}

static void rewinding_releases_the_blocks_added_since(void **state)
{
    (void)state;
    struct arena arena;
    arena_open(&arena, 4 << 20);
    char *kept = arena_get(&arena, 1000);
    memset(kept, 'k', 1000);
    long alive = heap.alive;
    size_t total = arena.total;
    struct arena_mark mark = arena_mark(&arena);
    char *first = arena_get(&arena, 100);
    assert_int_equal(take_until_spent(&arena, 5000, 500), 500);
    assert_true(heap.alive > alive);
    arena_rewind(&arena, mark);
    assert_int_equal(heap.alive, alive);
    assert_int_equal(arena.total, total);
    assert_ptr_equal(arena_get(&arena, 100), first);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(kept[i], 'k');
    arena_close(&arena);
}

static void rewinding_makes_the_whole_limit_available_again(void **state)
{
    (void)state;
    struct arena arena;
    arena_open(&arena, 1 << 20);
    struct arena_mark empty = arena_mark(&arena);
    size_t first = take_until_spent(&arena, 64, SIZE_MAX);
    for (size_t round = 0; round < 5; round++) {
        arena_rewind(&arena, empty);
        assert_int_equal(arena.total, 0);
        assert_int_equal(take_until_spent(&arena, 64, SIZE_MAX), first);
    }
    arena_clear(&arena);
    assert_int_equal(heap.alive, 0);
    assert_int_equal(take_until_spent(&arena, 64, SIZE_MAX), first);
    arena_close(&arena);
}

static void marks_nest(void **state)
{
    (void)state;
    struct arena arena;
    struct arena_mark marks[20];
    char *pieces[20];
    arena_open(&arena, 64 << 20);
    for (size_t i = 0; i < 20; i++) {
        marks[i] = arena_mark(&arena);
        pieces[i] = arena_get(&arena, 1 + i * 3000);
        memset(pieces[i], (int)i, 1 + i * 3000);
    }
    for (size_t i = 20; i-- > 0;) {
        for (size_t j = 0; j < 1 + i * 3000; j++)
            assert_int_equal(pieces[i][j], i);
        arena_rewind(&arena, marks[i]);
    }
    assert_int_equal(heap.alive, 0);
    arena_close(&arena);
}

static void a_copy_has_a_nul_behind_it(void **state)
{
    (void)state;
    struct arena arena;
    arena_open(&arena, 1 << 20);
    struct span copy = arena_copy(&arena, SPAN("a\0b"));
    assert_int_equal(copy.size, 3);
    assert_memory_equal(copy.text, "a\0b", 4);
    copy = arena_copy(&arena, (struct span){NULL, 0});
    assert_int_equal(copy.size, 0);
    assert_int_equal(copy.text[0], '\0');
    arena_close(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_given_out_is_aligned_and_apart),
        cmocka_unit_test(a_growing_arena_is_aligned_in_every_block),
        cmocka_unit_test(nothing_is_also_given_out_with_an_address),
        cmocka_unit_test(a_fixed_arena_gives_every_byte_and_never_grows),
        cmocka_unit_test(a_fixed_arena_may_be_too_small_for_anything),
        cmocka_unit_test(a_growing_arena_stops_at_its_limit),
        cmocka_unit_test(a_piece_beyond_the_limit_is_refused_and_smaller_ones_are_not),
        cmocka_unit_test(a_size_beyond_all_memory_counts_as_the_limit),
        cmocka_unit_test(an_overflowing_array_counts_as_the_limit),
        cmocka_unit_test(memory_of_the_machine_that_runs_out_counts_as_the_limit),
        cmocka_unit_test(blocks_double_so_that_they_stay_few),
        cmocka_unit_test(zeroed_memory_is_zero_also_where_it_was_used_before),
        cmocka_unit_test(guards_nest_and_the_innermost_hears_first),
        cmocka_unit_test(a_released_guard_hears_nothing),
        cmocka_unit_test(news_travels_through_many_guards),
        cmocka_unit_test(wrong_use_stops_the_process),
        cmocka_unit_test(rewinding_gives_the_same_memory_again),
        cmocka_unit_test(rewinding_releases_the_blocks_added_since),
        cmocka_unit_test(rewinding_makes_the_whole_limit_available_again),
        cmocka_unit_test(marks_nest),
        cmocka_unit_test(a_copy_has_a_nul_behind_it),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
