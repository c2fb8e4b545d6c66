/*
 * test_process.c - programs: what goes in, what comes out, how they end, and that nothing of
 * them is left.
 */
#include "os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "expect_os.h"
#include "os/clock.h"

static struct loop *loop;

static int open_loop(void **state)
{
    (void)state;
    loop = loop_open();
    return 0;
}

static int close_loop(void **state)
{
    (void)state;
    loop_close(loop);
    /* No child is left, neither running nor as a zombie. */
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    return 0;
}

/* What came of a program, kept beyond the callback. */
struct ended {
    int count;
    struct process_result result;
    struct text output;
    struct text tail;
};

static void keep(void *context, const struct process_result *result)
{
    struct ended *ended = context;
    ended->count++;
    ended->result = *result;
    text_add(&ended->output, result->output);
    text_add(&ended->tail, result->stderr_tail);
    loop_stop(loop);
}

static void release(struct ended *ended)
{
    text_fini(&ended->output);
    text_fini(&ended->tail);
}

/* A shell's command as a request. */
struct shell {
    const char *arguments[4];
    struct process_request request;
};

static struct process_request *shell(struct shell *made, const char *command)
{
    *made = (struct shell){{"/bin/sh", "-c", command, NULL}, {.folder = NULL}};
    made->request.arguments = made->arguments;
    made->request.output_bytes_max = 1 << 20;
    made->request.stderr_tail_bytes = 64;
    return &made->request;
}

static struct ended run(const struct process_request *request)
{
    struct ended ended = {.count = 0};
    process_start(loop, request, keep, &ended);
    assert_int_equal(ended.count, 0);
    loop_run(loop);
    assert_int_equal(ended.count, 1);
    return ended;
}

static void programs_end_in_every_way(void **state)
{
    (void)state;
    static const struct {
        const char *command;
        const char *input;
        int exit_status;
        int signal;
        const char *output;
        const char *tail;
    } rows[] = {
        {"exit 0", "", 0, 0, "", ""},
        {"cat", "", 0, 0, "", ""},
        {"cat", "hello", 0, 0, "hello", ""},
        {"cat /dev/stdin", "hello", 0, 0, "hello", ""},
        {"cat >/dev/stderr; exit 3", "bad", 3, 0, "", "bad"},
        {"echo out; echo err >&2; exit 75", "", 75, 0, "out\n", "err\n"},
        {"kill -9 $$", "", 0, SIGKILL, "", ""},
        {"kill -TERM $$", "", 0, SIGTERM, "", ""},
        {"exec 1>&- 2>&-; exit 4", "", 4, 0, "", ""},
        {"printf '%0100d' 7 >&2", "", 0, 0, "",
         "0000000000000000000000000000000000000000000000000000000000000007"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct shell made;
        struct process_request *request = shell(&made, rows[i].command);
        request->input = span_from_text(rows[i].input);
        struct ended ended = run(request);
        assert_int_equal(ended.result.started, STATUS_OK);
        assert_int_equal(ended.result.exit_status, rows[i].exit_status);
        assert_int_equal(ended.result.signal, rows[i].signal);
        expect_text(text_span(&ended.output), rows[i].output);
        expect_text(text_span(&ended.tail), rows[i].tail);
        release(&ended);
    }
}

static void what_is_not_there_does_not_start_and_says_why(void **state)
{
    (void)state;
    static const struct {
        const char *program;
        const char *folder;
        enum status status;
        const char *problem;
    } rows[] = {
        {"/no/such/program", NULL, STATUS_NOT_FOUND, "no such file"},
        {"no-such-program-anywhere", NULL, STATUS_NOT_FOUND, "no such file"},
        {"/dev/null/program", NULL, STATUS_NOT_FOUND, "no such file"},
        {"/etc/passwd", NULL, STATUS_INVALID, "permission denied"},
        {"/tmp", NULL, STATUS_INVALID, "permission denied"},
        {"/bin/true", "/no/such/folder", STATUS_NOT_FOUND, "no such working folder"},
    };
    size_t before = count_descriptors();
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *arguments[] = {rows[i].program, NULL};
        struct process_request request = {.arguments = arguments, .folder = rows[i].folder};
        struct ended ended = run(&request);
        assert_int_equal(ended.result.started, rows[i].status);
        assert_string_equal(ended.result.problem, rows[i].problem);
        release(&ended);
    }
    for (int i = 0; i < 5; i++)
        loop_run_once(loop, false);
    assert_in_range(count_descriptors(), before, before + 4); /* libuv's own */
}

static void a_script_whose_interpreter_is_missing_says_so(void **state)
{
    (void)state;
    char path[] = "/tmp/interlock-test-XXXXXX";
    int descriptor = mkstemp(path);
    assert_true(write(descriptor, "#!/no/such/interpreter\n", 23) == 23);
    fchmod(descriptor, 0700);
    close(descriptor);
    const char *arguments[] = {path, NULL};
    struct process_request request = {.arguments = arguments};
    struct ended ended = run(&request);
    unlink(path);
    assert_int_equal(ended.result.started, STATUS_NOT_FOUND);
    expect_part(span_from_text(ended.result.problem), "interpreter");
    release(&ended);
}

static void the_environment_is_ours_with_what_was_added(void **state)
{
    (void)state;
    static const char *const added[] = {"INTERLOCK_A=1=2", "HOME=/elsewhere", NULL};
    struct shell made;
    struct process_request *request =
        shell(&made, "echo \"$INTERLOCK_A $HOME $INTERLOCK_B\"; pwd; env | grep -c ^HOME=");
    setenv("INTERLOCK_B", "ours", 1);
    request->environment = added;
    request->folder = "/usr";
    struct ended ended = run(request);
    expect_text(text_span(&ended.output), "1=2 /elsewhere ours\n/usr\n1\n");
    release(&ended);
}

static void output_beyond_the_limit_is_drained_and_told(void **state)
{
    (void)state;
    struct shell made;
    struct ended ended = run(shell(&made, "head -c 2000000 /dev/zero; echo end >&2"));
    assert_int_equal(ended.result.exit_status, 0);
    assert_true(ended.result.output_truncated);
    assert_int_equal(ended.output.size, 1 << 20);
    expect_text(text_span(&ended.tail), "end\n");
    release(&ended);
    ended = run(shell(&made, "head -c 1048576 /dev/zero"));
    assert_false(ended.result.output_truncated);
    assert_int_equal(ended.output.size, 1 << 20);
    release(&ended);
}

static void two_megabytes_pass_through(void **state)
{
    (void)state;
    struct text input = {.arena = NULL};
    for (int i = 0; i < 200000; i++)
        text_format(&input, "%09d\n", i);
    struct shell made;
    struct process_request *request = shell(&made, "cat");
    request->output_bytes_max = 4 << 20;
    request->input = text_span(&input);
    struct ended ended = run(request);
    assert_int_equal(ended.output.size, input.size);
    assert_memory_equal(ended.output.bytes, input.bytes, input.size);
    release(&ended);
    /* A program need not read what it is given. */
    struct shell deaf;
    request = shell(&deaf, "exec 0<&-; echo done");
    request->input = text_span(&input);
    ended = run(request);
    expect_text(text_span(&ended.output), "done\n");
    assert_int_equal(ended.result.exit_status, 0);
    release(&ended);
    text_fini(&input);
}

static int64_t elapsed_ms(int64_t since_us)
{
    return (clock_elapsed_us() - since_us) / 1000;
}

static void a_grandchild_that_keeps_the_pipes_does_not_keep_us(void **state)
{
    (void)state;
    struct shell made;
    int64_t start = clock_elapsed_us();
    struct ended ended = run(shell(&made, "sleep 60 & echo $!"));
    assert_true(elapsed_ms(start) >= 490);
    assert_int_equal(ended.result.exit_status, 0);
    pid_t grandchild = (pid_t)strtol(ended.output.bytes, NULL, 10);
    assert_true(grandchild > 1);
    assert_int_equal(kill(grandchild, SIGKILL), 0); /* it was there all the time */
    release(&ended);
}

static bool is_alive(pid_t pid)
{
    char path[64];
    char line[256] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return false;
    bool is_read = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    return is_read && strstr(line, ") Z ") == NULL;
}

/* Starts the command, waits for the number it writes into the file, and gives that. */
static pid_t start_and_learn_pid(const char *command, struct process **process,
                                 struct ended *ended)
{
    char path[] = "/tmp/interlock-test-XXXXXX";
    char whole[512];
    char number[32] = "";
    int descriptor = mkstemp(path);
    struct shell made;
    snprintf(whole, sizeof whole, "pidfile=%s; %s", path, command);
    *process = process_start(loop, shell(&made, whole), keep, ended);
    for (int i = 0; i < 2000 && strchr(number, '\n') == NULL; i++) {
        loop_run_once(loop, false);
        usleep(2000);
        memset(number, 0, sizeof number);
        assert_true(pread(descriptor, number, sizeof number - 1, 0) >= 0);
    }
    close(descriptor);
    unlink(path);
    pid_t pid = (pid_t)strtol(number, NULL, 10);
    assert_true(pid > 1);
    assert_true(is_alive(pid));
    return pid;
}

static bool dies_within(pid_t pid, int limit_ms)
{
    for (int i = 0; i < limit_ms && is_alive(pid); i++) {
        loop_run_once(loop, false);
        usleep(1000);
    }
    return !is_alive(pid);
}

#define STUBBORN "trap '' TERM; "
#define STUBBORN_CHILD "sh -c 'trap \"\" TERM; echo $$ >$0; exec sleep 60' $pidfile"

static void cancelling_ends_the_whole_group(void **state)
{
    (void)state;
    static const struct {
        const char *command;
        int signal;
        int min_ms;
    } rows[] = {
        {"sleep 60 & echo $! >$pidfile; wait", SIGTERM, 0},
        {STUBBORN "sleep 60 & echo $! >$pidfile; while :; do sleep 1; done", SIGKILL, 200},
        {STUBBORN_CHILD " & wait", SIGTERM, 200},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct process *process;
        struct ended ended = {.count = 0};
        pid_t grandchild = start_and_learn_pid(rows[i].command, &process, &ended);
        usleep(50000); /* a late loop takes nothing away from the grace */
        int64_t start = clock_elapsed_us();
        process_cancel(process, 200, false);
        assert_int_equal(ended.count, 0);
        loop_run(loop);
        assert_int_equal(ended.count, 1);
        assert_int_equal(ended.result.signal, rows[i].signal);
        assert_true(elapsed_ms(start) >= rows[i].min_ms);
        assert_true(dies_within(grandchild, 5000));
        release(&ended);
    }
}

/* The leader obeys at once; a grandchild that does not, and holds no pipe, is killed after the
 * grace. */
static void cancelling_quietly_never_calls_back_and_leaves_nothing(void **state)
{
    (void)state;
    struct process *process;
    struct ended ended = {.count = 0};
    pid_t grandchild =
        start_and_learn_pid(STUBBORN_CHILD " >/dev/null 2>&1 & wait", &process, &ended);
    process_cancel(process, 400, true);
    usleep(20000);
    loop_run_once(loop, false);
    assert_true(is_alive(grandchild));
    assert_true(dies_within(grandchild, 5000));
    assert_int_equal(ended.count, 0);
    pid_t child = start_and_learn_pid("echo $$ >$pidfile; sleep 60", &process, &ended);
    process_cancel(process, 0, true);
    assert_true(dies_within(child, 5000));
    assert_int_equal(ended.count, 0);
}

static void cancelling_what_did_not_start_is_fine(void **state)
{
    (void)state;
    const char *arguments[] = {"/no/such/program", NULL};
    struct process_request request = {.arguments = arguments};
    struct ended ended = {.count = 0};
    process_cancel(process_start(loop, &request, keep, &ended), 100, true);
    for (int i = 0; i < 3; i++)
        loop_run_once(loop, false);
    assert_int_equal(ended.count, 0);
    process_cancel(process_start(loop, &request, keep, &ended), 100, false);
    loop_run(loop);
    assert_int_equal(ended.count, 1);
    assert_int_equal(ended.result.started, STATUS_NOT_FOUND);
    release(&ended);
}

/* Opened without O_CLOEXEC, as a careless library would. */
static void a_program_inherits_no_descriptor(void **state)
{
    (void)state;
    int careless = open("/dev/null", O_RDONLY);
    struct shell made;
    struct ended ended = run(shell(&made, "ls /proc/self/fd | tr '\\n' ' '"));
    expect_text(text_span(&ended.output), "0 1 2 3 "); /* 3 is ls reading the folder */
    release(&ended);
    close(careless);
}

static void it_works_with_standard_input_closed(void **state)
{
    (void)state;
    int input = fcntl(0, F_DUPFD, 10);
    close(0);
    loop_close(loop);
    loop = loop_open();
    struct shell made;
    struct process_request *request = shell(&made, "cat; echo err >&2");
    request->input = SPAN("in");
    struct ended ended = run(request);
    if (input >= 0) {
        dup2(input, 0);
        close(input);
    }
    expect_text(text_span(&ended.output), "in");
    expect_text(text_span(&ended.tail), "err\n");
    release(&ended);
}

static void out_of_descriptors_is_not_the_programs_fault(void **state)
{
    (void)state;
    struct rlimit before;
    struct shell made;
    struct ended ended = run(shell(&made, "exit 0")); /* libuv has its own descriptors now */
    release(&ended);
    getrlimit(RLIMIT_NOFILE, &before);
    size_t open_now = count_descriptors();
    for (rlim_t extra = 0; extra < 6; extra++) {
        struct rlimit tight = {open_now - 3 + extra, before.rlim_max};
        setrlimit(RLIMIT_NOFILE, &tight);
        ended = run(shell(&made, "exit 0"));
        setrlimit(RLIMIT_NOFILE, &before);
        assert_true(ended.result.started == STATUS_IO || ended.result.started == STATUS_OK);
        release(&ended);
        for (int i = 0; i < 3; i++)
            loop_run_once(loop, false);
        assert_int_equal(count_descriptors(), open_now);
    }
}

static void count_down(void *context, const struct process_result *result)
{
    int *left = context;
    assert_int_equal(result->started, STATUS_OK);
    if (--*left == 0)
        loop_stop(loop);
}

static void two_hundred_starts_leave_no_descriptor(void **state)
{
    (void)state;
    const char *arguments[] = {"true", NULL};
    struct process_request request = {.arguments = arguments, .input = SPAN("{}")};
    size_t before = 0;
    for (int i = 0; i < 10; i++) {
        int left = 20;
        for (int j = 0; j < 20; j++)
            process_start(loop, &request, count_down, &left);
        loop_run(loop);
        loop_run_once(loop, false);
        if (i == 0)
            before = count_descriptors();
        assert_int_equal(count_descriptors(), before);
    }
}

static void block_for_600_ms(void *context, const struct process_result *result)
{
    (void)context;
    (void)result;
    usleep(600 * 1000);
}

static void block_for_100_ms(void *context)
{
    (void)context;
    usleep(100 * 1000);
}

/* The program ends in the middle of a long round: its end is known before its output is read,
 * and when the round is over no patience is left. */
static void a_long_round_loses_no_output(void **state)
{
    (void)state;
    struct shell quick;
    struct shell slow;
    struct ended ended = {.count = 0};
    struct loop_wake *wake = loop_wake_open(loop, block_for_100_ms, NULL);
    process_start(loop, shell(&quick, "exit 0"), block_for_600_ms, NULL);
    process_start(loop, shell(&slow, "sleep 0.1; echo kept"), keep, &ended);
    usleep(50 * 1000);
    loop_wake_send(wake);
    while (ended.count == 0)
        loop_run_once(loop, true);
    assert_true(span_is(text_span(&ended.output), "kept\n"));
    release(&ended);
    loop_wake_close(wake);
}

int main(void)
{
#define PROCESS_TEST(name) cmocka_unit_test_setup_teardown(name, open_loop, close_loop)
    const struct CMUnitTest tests[] = {
        PROCESS_TEST(programs_end_in_every_way),
        PROCESS_TEST(a_long_round_loses_no_output),
        PROCESS_TEST(what_is_not_there_does_not_start_and_says_why),
        PROCESS_TEST(a_script_whose_interpreter_is_missing_says_so),
        PROCESS_TEST(the_environment_is_ours_with_what_was_added),
        PROCESS_TEST(output_beyond_the_limit_is_drained_and_told),
        PROCESS_TEST(two_megabytes_pass_through),
        PROCESS_TEST(a_grandchild_that_keeps_the_pipes_does_not_keep_us),
        PROCESS_TEST(cancelling_ends_the_whole_group),
        PROCESS_TEST(cancelling_quietly_never_calls_back_and_leaves_nothing),
        PROCESS_TEST(cancelling_what_did_not_start_is_fine),
        PROCESS_TEST(a_program_inherits_no_descriptor),
        PROCESS_TEST(it_works_with_standard_input_closed),
        PROCESS_TEST(out_of_descriptors_is_not_the_programs_fault),
        PROCESS_TEST(two_hundred_starts_leave_no_descriptor),
    };
    return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
