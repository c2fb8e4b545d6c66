/*
 * test_il_machine.c - loading: what is wrong is told, with its place, and nothing leaks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <interlock.h>

struct told {
    int count;
    char first[400];
};

static void tell(void *context, const il_diagnostic *diagnostic)
{
    struct told *told = context;
    if (told->count++ > 0)
        return;
    snprintf(told->first, sizeof told->first, "%s:%u:%u %d %s %s%s%s", diagnostic->file,
             diagnostic->line, diagnostic->column, (int)diagnostic->severity, diagnostic->code,
             diagnostic->message, diagnostic->help == NULL ? "" : " | ",
             diagnostic->help == NULL ? "" : diagnostic->help);
}

static il_status load(const char *text, const char *file, struct told *told,
                      il_machine **machine)
{
    *told = (struct told){0};
    return il_machine_load(text, strlen(text), file, tell, told, machine);
}

static void what_is_wrong_is_told_with_its_place(void **state)
{
    static const struct {
        const char *text;
        const char *told;
    } rows[] = {
        {"{", "d.json:1:2 2 IL0101"},
        {"[]", "d.json:1:1 2 IL0104"},
        {"{\"id\":\"a\",\"initial\":\"A\",\"states\":{\"A\":{\"onn\":{}}}}",
         "d.json:1:40 2 IL0102"},
        {"{\"id\":\"a\",\"initial\":\"B\",\"states\":{\"A\":{}}}", "d.json:1:21 2 IL0107"},
        {"{\"id\":\"a\",\n\"initial\":\"A\",\"states\":{\"A\":{\"always\":"
         "{\"guard\":\"1 +\",\"target\":\"A\"}}}}",
         "d.json:2:"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct told told;
        il_machine *machine = NULL;
        assert_int_equal(load(rows[i].text, "d.json", &told, &machine), IL_INVALID);
        assert_null(machine);
        assert_true(told.count >= 1);
        if (strncmp(told.first, rows[i].told, strlen(rows[i].told)) != 0)
            assert_string_equal(told.first, rows[i].told);
    }
}

static void a_machine_tells_what_it_is(void **state)
{
    struct told told;
    il_machine *machine;
    (void)state;
    char text[] = "{\"id\":\"door\",\"version\":\"7\",\"initial\":\"A\","
                  "\"states\":{\"A\":{\"type\":\"final\"}}}";
    assert_int_equal(load(text, NULL, &told, &machine), IL_OK);
    memset(text, 'x', sizeof text); /* the caller's text is the caller's */
    assert_string_equal(il_machine_id(machine), "door");
    assert_string_equal(il_machine_version(machine), "7");
    assert_int_equal(strlen(il_machine_hash(machine)), 64);
    assert_int_equal(il_machine_check(machine, NULL, NULL), IL_OK);
    il_machine_close(machine);
}

static void the_checks_tell_what_can_be_proved(void **state)
{
    struct told told;
    il_machine *machine;
    (void)state;
    const char *text = "{\"id\":\"a\",\"initial\":\"A\",\"states\":{\"A\":{\"type\":\"final\"},"
                       "\"LOST\":{\"on\":{\"X\":\"A\"}}}}";
    assert_int_equal(load(text, NULL, &told, &machine), IL_OK);
    assert_int_equal(told.count, 0);
    il_status status = il_machine_check(machine, tell, &told);
    assert_true(status == IL_OK || status == IL_INVALID);
    assert_non_null(strstr(told.first, "IL0201"));
    assert_non_null(strstr(told.first, "definition:1:"));
    il_machine_close(machine);
}

static void wrong_calls_answer_and_do_nothing(void **state)
{
    il_machine *machine = NULL;
    (void)state;
    assert_int_equal(il_machine_load(NULL, 0, NULL, NULL, NULL, &machine), IL_MISUSE);
    assert_int_equal(il_machine_load("{}", 2, NULL, NULL, NULL, NULL), IL_MISUSE);
    assert_int_equal(il_machine_load("", 0, NULL, NULL, NULL, &machine), IL_INVALID);
    assert_int_equal(il_machine_load("{}", (size_t)2 << 20, NULL, NULL, NULL, &machine),
                     IL_NO_SPACE);
    assert_int_equal(il_machine_check(NULL, NULL, NULL), IL_MISUSE);
    assert_null(il_machine_id(NULL));
    assert_null(il_machine_version(NULL));
    assert_null(il_machine_hash(NULL));
    il_machine_close(NULL);
}

static void every_status_has_words(void **state)
{
    (void)state;
    for (int status = IL_OK; status <= IL_UNKNOWN; status++)
        assert_true(strlen(il_status_text((il_status)status)) > 1);
    assert_string_equal(il_status_text((il_status)99), "not a status");
    assert_string_equal(il_version(), IL_VERSION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wrong_is_told_with_its_place),
        cmocka_unit_test(a_machine_tells_what_it_is),
        cmocka_unit_test(the_checks_tell_what_can_be_proved),
        cmocka_unit_test(wrong_calls_answer_and_do_nothing),
        cmocka_unit_test(every_status_has_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
