/*
 * test_sort.c - sort_items() puts what qsort() does into the same order.
 */
#include "base/sort.h"

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "expect.h"

struct pair {
    uint32_t key;
    uint8_t tail[3];
};

static int by_key(const void *left, const void *right)
{
    return memcmp(left, right, sizeof(struct pair));
}

static void any_number_of_items_is_sorted(void **state)
{
    enum { COUNT_MAX = 300 };
    struct random random = {7};
    struct pair items[COUNT_MAX];
    struct pair expected[COUNT_MAX];
    (void)state;
    memset(items, 0, sizeof items);
    for (size_t count = 0; count <= COUNT_MAX; count++) {
        for (size_t i = 0; i < count; i++) {
            items[i].key = (uint32_t)random_up_to(&random, i % 3 == 0 ? 4 : UINT32_MAX);
            items[i].tail[2] = (uint8_t)i;
        }
        memcpy(expected, items, sizeof items);
        if (count > 0)
            qsort(expected, count, sizeof *expected, by_key);
        sort_items(items, count, sizeof *items, by_key);
        assert_memory_equal(items, expected, sizeof items);
    }
}

static void nothing_is_sorted(void **state)
{
    (void)state;
    sort_items(NULL, 0, 8, by_key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_items_is_sorted),
        cmocka_unit_test(nothing_is_sorted),
    };
    return cmocka_run_group_tests_name("sort", tests, NULL, NULL);
}
