/*
 * test_table.c - names to items, against a list that is searched from end to end.
 */
#include "base/table.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/random.h"
#include "expect.h"

enum { NAMES = 700 };

struct named {
    char name[24];
    size_t size;
    bool is_in;
};

static struct named model[NAMES];

static struct span name_of(const struct named *named)
{
    return span_of(named->name, named->size);
}

static void expect_as_in_model(const struct table *table)
{
    size_t count = 0;
    for (size_t i = 0; i < NAMES; i++) {
        assert_ptr_equal(table_find(table, name_of(&model[i])),
                         model[i].is_in ? &model[i] : NULL);
        count += model[i].is_in;
    }
    assert_int_equal(table->count, count);
}

static void add_or_remove(struct table *table, struct named *named)
{
    if (named->is_in) {
        assert_true(table_remove(table, name_of(named)));
    } else {
        assert_false(table_remove(table, name_of(named)));
        table_add(table, name_of(named), named);
    }
    named->is_in = !named->is_in;
}

/* `fill` of 100 changes go towards a full table. */
static void change(struct table *table, struct random *random, size_t changes, uint64_t fill)
{
    for (size_t i = 0; i < changes; i++) {
        struct named *named = &model[random_up_to(random, NAMES - 1)];
        if (named->is_in != (random_up_to(random, 99) < fill))
            add_or_remove(table, named);
        if (i % 500 == 0)
            expect_as_in_model(table);
    }
    expect_as_in_model(table);
}

static void a_table_holds_what_its_model_holds(void **state)
{
    struct random random = {40};
    struct table table;
    (void)state;
    table_init(&table);
    for (size_t i = 0; i < NAMES; i++) {
        model[i].size = (size_t)snprintf(model[i].name, sizeof model[i].name, "name %zu", i);
        model[i].is_in = false;
    }
    for (size_t round = 0; round < 5; round++) {
        change(&table, &random, 5000, 90);
        change(&table, &random, 5000, 50);
        change(&table, &random, 5000, 3);
    }
    table_fini(&table);
}

/* Names whose hashes meet in the last slots of 64, so that chains run around the end. */
static void chains_around_the_end_survive_removal(void **state)
{
    struct random random = {41};
    struct table table;
    size_t found = 0;
    (void)state;
    table_init(&table);
    for (unsigned number = 0; found < 40; number++) {
        struct named *named = &model[found];
        named->size = (size_t)snprintf(named->name, sizeof named->name, "%u", number);
        named->is_in = false;
        found += (hash_text(name_of(named)) & 63) >= 60;
    }
    for (size_t round = 0; round < 20000; round++) {
        add_or_remove(&table, &model[random_up_to(&random, 39)]);
        for (size_t i = 0; i < 40; i++)
            assert_ptr_equal(table_find(&table, name_of(&model[i])),
                             model[i].is_in ? &model[i] : NULL);
    }
    assert_int_equal(table.capacity, 64);
    table_fini(&table);
}

static void an_empty_table_finds_and_removes_nothing(void **state)
{
    struct table table;
    (void)state;
    table_init(&table);
    assert_null(table_find(&table, SPAN("a")));
    assert_false(table_remove(&table, SPAN("a")));
    table_add(&table, SPAN("a"), &table);
    assert_true(table_remove(&table, SPAN("a")));
    assert_null(table_find(&table, SPAN("a")));
    assert_false(table_remove(&table, SPAN("a")));
    table_fini(&table);
    assert_null(table_find(&table, SPAN("a")));
    table_fini(&table);
}

static void keys_are_bytes(void **state)
{
    struct table table;
    int items[4];
    (void)state;
    table_init(&table);
    table_add(&table, SPAN(""), &items[0]);
    table_add(&table, SPAN("a"), &items[1]);
    table_add(&table, SPAN("a\0"), &items[2]);
    table_add(&table, SPAN("a\0b"), &items[3]);
    assert_ptr_equal(table_find(&table, (struct span){NULL, 0}), &items[0]);
    assert_ptr_equal(table_find(&table, SPAN("a")), &items[1]);
    assert_ptr_equal(table_find(&table, SPAN("a\0")), &items[2]);
    assert_ptr_equal(table_find(&table, SPAN("a\0b")), &items[3]);
    table_fini(&table);
}

static void a_table_is_at_most_three_quarters_full(void **state)
{
    struct table table;
    (void)state;
    table_init(&table);
    for (size_t i = 0; i < NAMES; i++) {
        model[i].size = (size_t)snprintf(model[i].name, sizeof model[i].name, "%zu", i);
        table_add(&table, name_of(&model[i]), &model[i]);
        assert_true(table.count * 4 <= table.capacity * 3);
    }
    table_fini(&table);
}

static void add_twice(void)
{
    struct table table;
    table_init(&table);
    table_add(&table, SPAN("a"), &table);
    table_add(&table, SPAN("a"), &table);
}

static void add_nothing(void)
{
    struct table table;
    table_init(&table);
    table_add(&table, SPAN("a"), NULL);
}

static void wrong_use_stops_the_process(void **state)
{
    (void)state;
    expect_broken(add_twice);
    expect_broken(add_nothing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_holds_what_its_model_holds),
        cmocka_unit_test(chains_around_the_end_survive_removal),
        cmocka_unit_test(an_empty_table_finds_and_removes_nothing),
        cmocka_unit_test(keys_are_bytes),
        cmocka_unit_test(a_table_is_at_most_three_quarters_full),
        cmocka_unit_test(wrong_use_stops_the_process),
    };
    return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
