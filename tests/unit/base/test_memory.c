/*
 * test_memory.c - general memory, and the small things that everything leans on: checked
 * arithmetic, ensure() and the words of a status.
 */
#include "base/memory.h"

#include "base/checked.h"
#include "base/ensure.h"
#include "base/status.h"
#include "expect.h"

static void memory_is_zeroed_and_never_null(void **state)
{
    static const char zeros[1000];
    (void)state;
    char *memory = memory_get(1000);
    assert_memory_equal(memory, zeros, 1000);
    memory_release(memory);
    memory = memory_get(0);
    assert_non_null(memory);
    memory = memory_resize(memory, 0);
    assert_non_null(memory);
    memory_release(memory);
    memory_release(NULL);
}

static void resizing_keeps_what_was_there(void **state)
{
    (void)state;
    char *memory = memory_resize(NULL, 3);
    memcpy(memory, "abc", 3);
    memory = memory_resize(memory, 100000);
    assert_memory_equal(memory, "abc", 3);
    memory = memory_resize(memory, 2);
    assert_memory_equal(memory, "ab", 2);
    memory_release(memory);
}

static void a_copied_text_has_a_nul_behind_it(void **state)
{
    (void)state;
    char *copy = memory_copy_text(SPAN("a\0b"));
    assert_memory_equal(copy, "a\0b", 4);
    memory_release(copy);
    copy = memory_copy_text((struct span){NULL, 0});
    assert_string_equal(copy, "");
    memory_release(copy);
}

static void an_array_grows_one_by_one(void **state)
{
    uint32_t *numbers = NULL;
    uint32_t count = 0;
    uint32_t capacity = 0;
    (void)state;
    for (; count < 1000; count++) {
        memory_reserve(numbers, count, capacity);
        assert_true(count < capacity);
        numbers[count] = count;
    }
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(numbers[i], i);
    memory_release(numbers);
}

static void reach_what_is_never_reached(void)
{
    never();
}

static void break_a_promise(void)
{
    ensure(status_text(STATUS_OK) == NULL);
}

static void know_no_such_status(void)
{
    status_text((enum status)STATUS_COUNT);
}

static void what_cannot_be_stops_the_process(void **state)
{
    (void)state;
    expect_broken(reach_what_is_never_reached);
    expect_broken(break_a_promise);
    expect_broken(know_no_such_status);
}

static void arithmetic_that_does_not_fit_says_so(void **state)
{
    int64_t number = 5;
    uint64_t unsigned_number = 5;
    (void)state;
    assert_true(checked_add(INT64_MAX - 1, (int64_t)1, &number));
    assert_int_equal(number, INT64_MAX);
    assert_false(checked_add(INT64_MAX, (int64_t)1, &number));
    assert_false(checked_subtract(INT64_MIN, (int64_t)1, &number));
    assert_false(checked_multiply(INT64_MIN, (int64_t)-1, &number));
    assert_true(checked_multiply(INT64_MIN, (int64_t)1, &number));
    assert_int_equal(number, INT64_MIN);
    assert_false(checked_subtract((uint64_t)1, (uint64_t)2, &unsigned_number));
}

static void every_status_has_its_words(void **state)
{
    (void)state;
    for (int status = 0; status < STATUS_COUNT; status++)
        assert_true(strlen(status_text((enum status)status)) > 0);
    assert_string_equal(status_text(STATUS_OK), "ok");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_never_null),
        cmocka_unit_test(resizing_keeps_what_was_there),
        cmocka_unit_test(a_copied_text_has_a_nul_behind_it),
        cmocka_unit_test(an_array_grows_one_by_one),
        cmocka_unit_test(what_cannot_be_stops_the_process),
        cmocka_unit_test(arithmetic_that_does_not_fit_says_so),
        cmocka_unit_test(every_status_has_its_words),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
