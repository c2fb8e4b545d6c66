/*
 * test_strategy_exec.c - a step as a program: how it is found, what it is given, and how its
 * end becomes a result.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "expect_os.h"
#include "strategy_fixture.h"

static struct bench bench;
static char folder[64];

static void write_script(const char *name, const char *text, mode_t mode)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    chmod(path, mode);
}

static int open_bench(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/interlock-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    write_script("beside", "#!/bin/sh\necho \"\\\"beside $1\\\"\"\n", 0700);
    write_script("true", "#!/bin/sh\necho '\"ours\"'\n", 0700);
    write_script("plain", "no program\n", 0600);
    write_script("orphan", "#!/no/such/interpreter\n", 0700);
    bench_open(&bench, &strategy_exec, folder);
    return 0;
}

static int close_bench(void **state)
{
    (void)state;
    char command[128];
    bench_close(&bench);
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static struct told run(const char *step, const char *input)
{
    struct attempt_request request = bench_request(&bench, input);
    return bench_run(&bench, step, &request);
}

static void programs_become_results(void **state)
{
    (void)state;
    static const struct {
        const char *step;
        const char *output; /* of a good end; NULL of a bad one */
        enum error_kind kind;
        int code;
        const char *message;
        const char *details;
    } rows[] = {
        {"{\"exec\":[\"cat\"]}", "{\"a\":1}", 0, 0, "", ""},
        {"{\"exec\":\"cat\"}", "{\"a\":1}", 0, 0, "", ""},
        {"{\"exec\":{\"command\":[\"cat\"]}}", "{\"a\":1}", 0, 0, "", ""},
        {"{\"exec\":{\"command\":\"cat\"}}", "{\"a\":1}", 0, 0, "", ""},
        {"{\"exec\":[\"/bin/true\"]}", "null", 0, 0, "", ""},
        {"{\"exec\":[\"echo\"]}", "null", 0, 0, "", ""},
        {"{\"exec\":[\"echo\", \" [1] \"]}", "[1]", 0, 0, "", ""},
        {"{\"exec\":[\"echo\", \"a\\\"b\"],\"output\":\"text\"}", "\"a\\\"b\"", 0, 0, "", ""},
        {"{\"exec\":{\"command\":[\"echo\", \"a\"],\"output\":\"text\"}}", "\"a\"", 0, 0, "",
         ""},
        {"{\"exec\":[\"printf\", \"a\\\\n\\\\n\"],\"output\":\"text\"}", "\"a\\n\"", 0, 0, "",
         ""},
        {"{\"exec\":[\"true\"],\"output\":\"json\"}", "\"ours\"", 0, 0, "", ""},
        {"{\"exec\":[\"./beside\", \"${input.a}\"]}", "\"beside 1\"", 0, 0, "", ""},
        {"{\"exec\":[\"beside\", \"x ${input.a} $HOME;\"]}", "\"beside x 1 $HOME;\"", 0, 0, "",
         ""},
        {"{\"exec\":[\"beside\", \"${input}\"]}", NULL, ERROR_KIND_INVALID, 0, "not JSON", ""},
        {"{\"exec\":[\"echo\", \"nonsense\"]}", NULL, ERROR_KIND_INVALID, 0,
         "the output is not JSON: ", ""},
        {"{\"exec\":[\"printf\", \"\\\\377\"],\"output\":\"text\"}", NULL, ERROR_KIND_INVALID,
         0, "the output is not UTF-8", ""},
        {"{\"exec\":[\"head\",\"-c\",\"2000000\",\"/dev/zero\"]}", NULL, ERROR_KIND_INVALID, 0,
         "the output is larger than 1 MiB", ""},
        {"{\"exec\":[\"sh\",\"-c\",\"exit 75\"]}", NULL, ERROR_KIND_UNAVAILABLE, 75,
         "exit status 75", ""},
        {"{\"exec\":[\"sh\",\"-c\",\"echo ' bad \\\\377 news ' >&2; exit 3\"]}", NULL,
         ERROR_KIND_REJECTED, 3, "exit status 3: bad ", ""},
        {"{\"exec\":[\"sh\",\"-c\",\"echo '{\\\"why\\\":1}'; exit 1\"]}", NULL,
         ERROR_KIND_REJECTED, 1, "exit status 1", "{\"why\":1}\n"},
        {"{\"exec\":[\"sh\",\"-c\",\"kill -9 $$\"]}", NULL, ERROR_KIND_CRASHED, SIGKILL,
         "ended by signal 9 (Killed)", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct told told = run(rows[i].step, "{\"a\":1}");
        print_message("# row %zu: %.*s %.*s\n", i, SPAN_ARGS(text_span(&told.message)),
                      SPAN_ARGS(text_span(&told.output)));
        assert_int_equal(told.result.done, rows[i].output != NULL);
        expect_text(text_span(&told.output), rows[i].output == NULL ? "" : rows[i].output);
        expect_part(text_span(&told.message), rows[i].message);
        expect_text(text_span(&told.details), rows[i].details);
        assert_true(span_is_utf8(text_span(&told.message)));
        if (rows[i].output == NULL)
            assert_int_equal(told.result.kind, rows[i].kind);
        assert_int_equal(told.result.code, rows[i].code);
        assert_int_equal(told.result.retry_after_ms, -1);
        assert_false(told.result.not_acted);
        told_release(&told);
    }
}

static void the_environment_identifies_the_attempt(void **state)
{
    (void)state;
    struct told told =
        run("{\"exec\":{\"command\":[\"sh\",\"-c\",\"echo $INTERLOCK_IDEMPOTENCY_KEY "
            "$INTERLOCK_INSTANCE $INTERLOCK_STEP $INTERLOCK_ATTEMPT $TRACEPARENT "
            "$INTERLOCK_DEADLINE $MORE; "
            "pwd\"],\"output\":\"text\",\"env\":{\"MORE\":\"${input.a}!\"}}}",
            "{\"a\":1}");
    char wanted[256];
    snprintf(wanted, sizeof wanted,
             "\"key-7 order-7 charge 2 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 "
             "10000 1!\\n%s\"",
             folder);
    expect_text(text_span(&told.output), wanted);
    told_release(&told);
    told = run("{\"exec\":{\"command\":\"pwd\",\"output\":\"text\",\"cwd\":\"/usr\"}}", "{}");
    expect_text(text_span(&told.output), "\"/usr\"");
    told_release(&told);
}

static void what_cannot_start_says_why(void **state)
{
    (void)state;
    static const struct {
        const char *step;
        const char *message;
    } rows[] = {
        {"{\"exec\":[\"./validate\"]}", "cannot start './validate': no such file"},
        {"{\"exec\":[\"no-such-program\"]}", "cannot start 'no-such-program': no such file"},
        {"{\"exec\":[\"./plain\"]}", "cannot start './plain': permission denied"},
        {"{\"exec\":[\"plain\"]}", "cannot start 'plain': permission denied"},
        {"{\"exec\":[\"./orphan\"]}",
         "cannot start './orphan': its interpreter (the #! line) does not exist"},
        {"{\"exec\":{\"command\":\"cat\",\"cwd\":\"nowhere\"}}",
         "cannot start 'cat': no such working folder"},
        {"{\"exec\":[\"${input.missing}\"]}", "program: "},
        {"{\"exec\":[\"cat\",\"${input.missing}\"]}", "argument: "},
        {"{\"exec\":[\"cat\",\"${input.nul}\"]}", "argument: there is a NUL in it"},
        {"{\"exec\":[\"${input.empty}\"]}", "the program's name is empty"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct told told = run(rows[i].step, "{\"nul\":\"a\\u0000b\",\"empty\":\"\"}");
        assert_false(told.result.done);
        assert_int_equal(told.result.kind, ERROR_KIND_INVALID);
        assert_true(told.result.not_acted);
        expect_part(text_span(&told.message), rows[i].message);
        told_release(&told);
    }
}

static int64_t elapsed_ms(int64_t since_us)
{
    return (clock_elapsed_us() - since_us) / 1000;
}

static pid_t read_pid(void)
{
    char path[128];
    char number[32] = "";
    snprintf(path, sizeof path, "%s/pid", folder);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(number, sizeof number, file));
    fclose(file);
    return (pid_t)strtol(number, NULL, 10);
}

/* Told first: the program that ends with its grace only still lives then. */
static void a_timeout_is_told_when_it_passes_and_the_program_is_gone_after(void **state)
{
    (void)state;
    static const char stubborn[] =
        "{\"exec\":[\"sh\",\"-c\",\"trap '' TERM; echo $$ >pid; sleep "
        "60 & sleep 60; sleep 60\"]}";
    struct attempt_request request = bench_request(&bench, "{}");
    request.timeout_ms = 200;
    int64_t start = clock_elapsed_us();
    struct told told = bench_run(&bench, stubborn, &request);
    assert_true(elapsed_ms(start) >= 200);
    pid_t pid = read_pid();
    assert_int_equal(kill(pid, 0), 0);
    assert_int_equal(told.result.kind, ERROR_KIND_TIMEOUT);
    assert_false(told.result.not_acted);
    expect_text(text_span(&told.message), "sh: not done within 200ms");
    told_release(&told);
    strategy_close(bench.strategy);
    bench.strategy = NULL;
    loop_run(bench.loop);
    assert_true(elapsed_ms(start) >= 690);
    for (int i = 0; i < 100 && kill(-pid, 0) == 0; i++)
        usleep(10000);
    assert_int_equal(kill(pid, 0), -1);
}

static void wrong_settings_are_told_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *step;
        const char *diagnostics;
    } rows[] = {
        {"{\"exec\":3}",
         "IL0104 1:9 `exec` must be a program and its arguments as a list, not a number\n"},
        {"{\"exec\":null}", "not null"},
        {"{\"exec\":[]}", "IL0103 1:9 `exec` needs a program\n"},
        {"{\"exec\":\"\"}", "IL0103 1:9 `exec` needs a program\n"},
        {"{\"exec\":{}}", "IL0103 1:9 `exec` needs a `command`\n"},
        {"{\"exec\":{\"comand\":\"a\"}}", "unknown key `comand`"},
        {"{\"exec\":{\"command\":[]}}", "`command` needs a program\n"},
        {"{\"exec\":[\"a\",[1]]}", "an argument must be a string, not a list"},
        {"{\"exec\":[{\"a\":1}]}", "the program must be a string, not a map"},
        {"{\"exec\":[\"a\"],\"output\":\"xml\"}", "`output` must be json or text\n"},
        {"{\"exec\":{\"command\":\"a\",\"output\":3}}", "`output` must be json or text\n"},
        {"{\"exec\":{\"command\":\"a\",\"env\":[]}}", "`env` must be a map, not a list\n"},
        {"{\"exec\":{\"command\":\"a\",\"env\":{\"A=B\":1}}}",
         "`A=B` cannot be set in `env`\n"},
        {"{\"exec\":{\"command\":\"a\",\"cwd\":[]}}", "`cwd` must be a string, not a list\n"},
        {"{\"exec\":[\"a\",\"${nput}\"]}", "nput"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_null(bench_parse(&bench, rows[i].step));
        assert_true(bench.diagnostics.errors > 0);
        expect_part(bench_diagnostics(&bench), rows[i].diagnostics);
    }
    assert_string_equal(strategy_exec.extra_keys[0], "output");
    assert_null(strategy_exec.extra_keys[1]);
    assert_string_equal(strategy_http.extra_keys[0], "output");
    assert_null(strategy_http.extra_keys[1]);
}

static void cancelled_attempts_are_never_told(void **state)
{
    (void)state;
    struct told told = {.count = 0};
    struct attempt_request request = bench_request(&bench, "{}");
    const void *good = bench_parse(&bench, "{\"exec\":\"cat\"}");
    const void *slow = bench_parse(&bench, "{\"exec\":[\"sleep\",\"60\"]}");
    const void *missing = bench_parse(&bench, "{\"exec\":[\"./missing\"]}");
    const void *bad = bench_parse(&bench, "{\"exec\":[\"cat\",\"${input.x}\"]}");
    const void *all[] = {good, slow, missing, bad};
    for (size_t i = 0; i < COUNT(all); i++)
        strategy_cancel(bench.strategy,
                        strategy_start(bench.strategy, all[i], &request, told_keep, &told));
    for (size_t i = 0; i < COUNT(all); i++)
        strategy_start(bench.strategy, all[i], &request, told_keep, &told);
    strategy_close(bench.strategy);
    bench.strategy = NULL;
    loop_run(bench.loop);
    assert_int_equal(told.count, 0);
}

static void count_down(void *context, const struct attempt_result *result)
{
    int *left = context;
    assert_true(result->done);
    if (--*left == 0)
        loop_stop(bench.loop);
}

static void many_at_once_leave_no_descriptor(void **state)
{
    (void)state;
    struct attempt_request request = bench_request(&bench, "{\"a\":[1,2,3]}");
    const void *settings = bench_parse(&bench, "{\"exec\":\"cat\"}");
    size_t before = 0;
    for (int i = 0; i < 4; i++) {
        int left = 30;
        for (int j = 0; j < 30; j++)
            strategy_start(bench.strategy, settings, &request, count_down, &left);
        loop_run(bench.loop);
        loop_run_once(bench.loop, false);
        if (i == 0)
            before = count_descriptors();
    }
    assert_int_equal(count_descriptors(), before);
}

int main(void)
{
#define EXEC_TEST(name) cmocka_unit_test_setup_teardown(name, open_bench, close_bench)
    const struct CMUnitTest tests[] = {
        EXEC_TEST(programs_become_results),
        EXEC_TEST(the_environment_identifies_the_attempt),
        EXEC_TEST(what_cannot_start_says_why),
        EXEC_TEST(a_timeout_is_told_when_it_passes_and_the_program_is_gone_after),
        EXEC_TEST(wrong_settings_are_told_with_their_place),
        EXEC_TEST(cancelled_attempts_are_never_told),
        EXEC_TEST(many_at_once_leave_no_descriptor),
    };
    return cmocka_run_group_tests_name("strategy_exec", tests, NULL, NULL);
}
