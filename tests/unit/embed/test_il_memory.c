/*
 * test_il_memory.c - ten thousand steps ask for no memory: every allocator is counted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <interlock.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *memory);

static uint64_t calls;

void *__wrap_malloc(size_t size)
{
    calls++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    calls++;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    calls++;
    return __real_realloc(old, size);
}

void __wrap_free(void *memory)
{
    calls += memory != NULL;
    __real_free(memory);
}

/* Every kind of thing that a step evaluates: arithmetic, text, lists, macros, regular
 * expressions, times, conversions, guards that err. */
static const char MACHINE[] =
    "{\"id\":\"m\",\"initial\":\"A\",\"context\":{\"n\":0,\"s\":\"\",\"l\":[],\"d\":0.5},"
    "\"states\":{\"A\":{\"on\":{\"GO\":[{\"guard\":\"context.missing > 3\",\"target\":\"C\"},"
    "{\"guard\":\"event.name.matches('^a.*z$') && In('A')\",\"target\":\"B\",\"assign\":{"
    "\"n\":\"${context.n + event.by}\","
    "\"s\":\"${string(context.n) + '/' + event.name + '/' + string(now)}\","
    "\"d\":\"${double(context.n) / 3.0}\","
    "\"l\":\"${[1, 2, 3].map(x, x * context.n).filter(x, x > 2)}\"}}]}},"
    "\"B\":{\"after\":{\"1s\":\"A\"},\"invoke\":{\"id\":\"i\",\"src\":\"s\","
    "\"input\":{\"all\":\"${context}\",\"text\":\"n is ${context.n}\"},"
    "\"onDone\":\"A\",\"onError\":\"A\"}},\"C\":{}}}";

static void one_round(il_instance *instance, int round)
{
    int64_t now = round * 1000;
    int64_t due;
    il_effect effect;
    assert_int_equal(
        il_instance_send(instance, "GO", "{\"by\":2,\"name\":\"a\\u00e4z\",\"f\":1.5e3}", now),
        IL_OK);
    assert_true(il_instance_is_in(instance, "B"));
    for (size_t i = 0; i < il_instance_effect_count(instance); i++)
        assert_true(il_instance_effect(instance, i, &effect));
    assert_non_null(il_instance_context(instance));
    assert_true(il_instance_next_due(instance, &due));
    il_status status =
        round % 3 == 0   ? il_instance_complete(instance, "i", 0, "{\"ok\":[1,2]}", now + 1)
        : round % 3 == 1 ? il_instance_fail(instance, "i", 0, "{\"kind\":\"timeout\"}", now + 1)
                         : il_instance_advance(instance, due);
    assert_int_equal(status, IL_OK);
    assert_true(il_instance_is_in(instance, "A"));
}

static void a_step_allocates_nothing(void **state)
{
    static char memory[64 << 10];
    static char snapshot[4096];
    il_machine *machine;
    il_instance *instance;
    size_t size;
    (void)state;
    assert_int_equal(il_machine_load(MACHINE, sizeof MACHINE - 1, NULL, NULL, NULL, &machine),
                     IL_OK);
    assert_true(calls > 0); /* the counting works */
    calls = 0;
    assert_int_equal(il_instance_start(machine, NULL, 0, memory, sizeof memory, &instance),
                     IL_OK);
    for (int round = 0; round < 5000; round++)
        one_round(instance, round);
    assert_int_equal(il_instance_snapshot(instance, snapshot, sizeof snapshot, &size), IL_OK);
    il_instance_close(instance);
    assert_int_equal(
        il_instance_restore(machine, snapshot, size, memory, sizeof memory, &instance), IL_OK);
    one_round(instance, 0);
    il_instance_close(instance);
    assert_int_equal(calls, 0);
    il_machine_close(machine);
    assert_true(calls > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
