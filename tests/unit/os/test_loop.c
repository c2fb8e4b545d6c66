/*
 * test_loop.c - the loop's promises: timers are never early, wakes are never lost, rounds come
 * before waiting, signals and input arrive on the loop.
 */
#include "os/loop.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"
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
    return 0;
}

static void stop(void *context)
{
    (void)context;
    loop_stop(loop);
}

/* Timers */

static void timers_are_never_early(void **state)
{
    (void)state;
    struct loop_timer *timer = loop_timer_open(loop, stop, NULL);
    for (duration_ms delay = 0; delay < 12; delay++) {
        /* The loop's own idea of the time is stale when the timer starts. */
        usleep(1700);
        int64_t start = clock_measure_ns();
        loop_timer_start(timer, delay);
        loop_run(loop);
        assert_true(clock_measure_ns() - start >= delay * 1000000);
    }
    loop_timer_close(timer);
}

struct log {
    char names[16];
    size_t count;
};

struct named {
    struct log *log;
    char name;
};

static void log_name(void *context)
{
    struct named *named = context;
    named->log->names[named->log->count++] = named->name;
    if (named->name == 'z')
        loop_stop(loop);
}

static void timers_fire_in_the_order_of_their_time(void **state)
{
    (void)state;
    struct log log = {"", 0};
    struct named names[] = {{&log, 'b'}, {&log, 'a'}, {&log, 'z'}, {&log, 'x'}};
    static const duration_ms delays[] = {20, 5, 40, 10};
    struct loop_timer *timers[4];
    for (size_t i = 0; i < 4; i++) {
        timers[i] = loop_timer_open(loop, log_name, &names[i]);
        loop_timer_start(timers[i], delays[i]);
    }
    loop_timer_stop(timers[3]);
    loop_run(loop);
    assert_string_equal(log.names, "abz");
    for (size_t i = 0; i < 4; i++)
        loop_timer_close(timers[i]);
}

static void a_timer_started_again_fires_once_at_the_later_time(void **state)
{
    (void)state;
    struct log log = {"", 0};
    struct named a = {&log, 'a'};
    struct named z = {&log, 'z'};
    struct loop_timer *timer = loop_timer_open(loop, log_name, &a);
    struct loop_timer *end = loop_timer_open(loop, log_name, &z);
    loop_timer_start(timer, 1);
    loop_timer_start(timer, 30);
    loop_timer_start(end, 10);
    loop_run(loop);
    assert_string_equal(log.names, "z");
    loop_timer_start(end, 60);
    loop_run(loop);
    assert_string_equal(log.names, "zaz");
    loop_timer_close(timer);
    loop_timer_close(end);
}

static void close_itself(void *context)
{
    struct loop_timer **timer = context;
    loop_timer_close(*timer);
    loop_stop(loop);
}

static void a_timer_may_close_itself(void **state)
{
    (void)state;
    struct loop_timer *timer = NULL;
    timer = loop_timer_open(loop, close_itself, &timer);
    loop_timer_start(timer, 0);
    loop_run(loop);
}

static void a_loop_with_nothing_to_wait_for_returns(void **state)
{
    (void)state;
    loop_run(loop);
    loop_run_once(loop, true);
    loop_timer_close(NULL);
    loop_wake_close(NULL);
    loop_round_close(NULL);
    loop_signals_close(NULL);
    loop_input_close(NULL);
}

/* Rounds */

struct rounds {
    struct loop_wake *wake;
    int work; /* left by events, to be done before the loop waits */
    int done;
};

static void do_work(void *context)
{
    struct rounds *rounds = context;
    rounds->done += rounds->work;
    rounds->work = 0;
    if (rounds->done == 2)
        loop_stop(loop);
}

static void leave_work(void *context)
{
    struct rounds *rounds = context;
    rounds->work++;
}

/* Nothing else is open that could end the waiting, so a missing round would hang. */
static void a_round_follows_events_and_timers_before_the_loop_waits(void **state)
{
    (void)state;
    struct rounds rounds = {.work = 0};
    struct loop_round *round = loop_round_open(loop, do_work, &rounds);
    struct loop_timer *timer = loop_timer_open(loop, leave_work, &rounds);
    rounds.wake = loop_wake_open(loop, leave_work, &rounds);
    loop_wake_send(rounds.wake);
    loop_timer_start(timer, 5);
    loop_run(loop);
    assert_int_equal(rounds.done, 2);
    loop_round_close(round);
    loop_timer_close(timer);
    loop_wake_close(rounds.wake);
}

/* Signals */

static void count_and_stop(void *context)
{
    ++*(int *)context;
    loop_stop(loop);
}

static void signals_call_back_instead_of_ending_the_process(void **state)
{
    (void)state;
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    int count = 0;
    struct loop_signals *signals = loop_signals_open(loop, count_and_stop, &count);
    for (size_t i = 0; i < COUNT(numbers); i++) {
        kill(getpid(), numbers[i]);
        loop_run(loop);
    }
    assert_int_equal(count, 3);
    loop_signals_close(signals);
}

static void writing_to_a_closed_pipe_is_an_error(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    assert_int_equal(write(ends[1], "x", 1), -1);
    close(ends[1]);
}

/* Input */

struct heard {
    struct text text;
    struct loop_input *input;
    int pause_after;
    int count;
    bool is_ended;
};

static void hear_piece(void *context, struct span bytes)
{
    struct heard *heard = context;
    assert_false(heard->is_ended);
    assert_true(bytes.size > 0);
    text_add(&heard->text, bytes);
    if (++heard->count == heard->pause_after) {
        loop_input_pause(heard->input);
        loop_stop(loop);
    }
}

static void hear_end(void *context)
{
    struct heard *heard = context;
    assert_false(heard->is_ended);
    heard->is_ended = true;
    loop_stop(loop);
}

static void finish_hearing(struct heard *heard, const char *wanted)
{
    assert_true(heard->is_ended);
    expect_text(text_span(&heard->text), wanted);
    loop_input_close(heard->input);
    text_fini(&heard->text);
}

static int write_temporary(struct span bytes, char *path)
{
    snprintf(path, 64, "/tmp/interlock-test-XXXXXX");
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, bytes.text, bytes.size), bytes.size);
    assert_int_equal(lseek(descriptor, 0, SEEK_SET), 0);
    return descriptor;
}

static void a_file_comes_in_pieces(void **state)
{
    (void)state;
    static char large[200001];
    memset(large, 'x', sizeof large - 1);
    const char *const contents[] = {"", "a", "a\nb", large};
    for (size_t i = 0; i < COUNT(contents); i++) {
        char path[64];
        struct heard heard = {.count = 0};
        int descriptor = write_temporary(span_from_text(contents[i]), path);
        heard.input = loop_input_open(loop, descriptor, hear_piece, hear_end, &heard);
        loop_run(loop);
        assert_false(loop_input_has_failed(heard.input));
        finish_hearing(&heard, contents[i]);
        close(descriptor);
        unlink(path);
    }
}

static void a_pipe_comes_in_pieces(void **state)
{
    (void)state;
    static const char bytes[] = "a\r\nb\n\nc";
    int ends[2];
    struct heard heard = {.count = 0};
    assert_int_equal(pipe(ends), 0);
    heard.input = loop_input_open(loop, ends[0], hear_piece, hear_end, &heard);
    for (const char *byte = bytes; *byte != '\0'; byte++) {
        assert_int_equal(write(ends[1], byte, 1), 1);
        while (heard.count < byte - bytes + 1)
            loop_run_once(loop, true);
    }
    close(ends[1]);
    loop_run(loop);
    assert_false(loop_input_has_failed(heard.input));
    finish_hearing(&heard, bytes);
    assert_int_equal(fcntl(ends[0], F_GETFL) & O_NONBLOCK, 0);
    assert_int_equal(close(ends[0]), 0);
}

static void a_terminal_comes_in_pieces(void **state)
{
    (void)state;
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(master >= 0);
    assert_int_equal(grantpt(master), 0);
    assert_int_equal(unlockpt(master), 0);
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    assert_true(terminal >= 0);
    struct heard heard = {.pause_after = 2};
    heard.input = loop_input_open(loop, terminal, hear_piece, hear_end, &heard);
    assert_int_equal(write(master, "a\nb\n\x04", 5), 5); /* the last is the end, as typed */
    loop_run(loop);
    assert_false(heard.is_ended);
    loop_input_resume(heard.input);
    loop_run(loop);
    finish_hearing(&heard, "a\nb\n");
    close(terminal);
    close(master);
}

static void pausing_holds_back_what_was_read_already(void **state)
{
    (void)state;
    static char large[200001];
    memset(large, 'x', sizeof large - 1);
    for (int is_file = 0; is_file < 2; is_file++) {
        char path[64] = "";
        int ends[2] = {-1, -1};
        struct heard heard = {.pause_after = 1};
        const char *content = is_file ? large : "1\n2\n";
        if (is_file) {
            ends[0] = write_temporary(span_from_text(content), path);
        } else {
            assert_int_equal(pipe(ends), 0);
            assert_int_equal(write(ends[1], content, 4), 4);
            close(ends[1]);
        }
        heard.input = loop_input_open(loop, ends[0], hear_piece, hear_end, &heard);
        loop_run(loop);
        for (int i = 0; i < 5; i++)
            loop_run_once(loop, false);
        assert_int_equal(heard.count, 1);
        assert_false(heard.is_ended);
        loop_input_resume(heard.input);
        assert_int_equal(heard.count, 1);
        loop_run(loop);
        finish_hearing(&heard, content);
        close(ends[0]);
        unlink(path);
    }
}

/* A read of a file that was under way when the pause came. */
static void a_pause_before_the_first_piece_holds_it_back(void **state)
{
    (void)state;
    char path[64];
    struct heard heard = {.count = 0};
    int descriptor = write_temporary(SPAN("1"), path);
    heard.input = loop_input_open(loop, descriptor, hear_piece, hear_end, &heard);
    loop_run_once(loop, false);
    int count = heard.count; /* the reading thread may have been fast */
    loop_input_pause(heard.input);
    for (int i = 0; i < 5; i++)
        loop_run_once(loop, false);
    assert_int_equal(heard.count, count);
    loop_input_resume(heard.input);
    loop_run(loop);
    finish_hearing(&heard, "1");
    close(descriptor);
    unlink(path);
}

static void close_after_the_first_piece(void *context, struct span bytes)
{
    struct heard *heard = context;
    (void)bytes;
    heard->count++;
    loop_input_close(heard->input);
    loop_stop(loop);
}

static void input_may_be_closed_while_it_comes(void **state)
{
    (void)state;
    int ends[2];
    struct heard heard = {.count = 0};
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "1\n2\n3\n", 6), 6);
    heard.input = loop_input_open(loop, ends[0], close_after_the_first_piece, hear_end, &heard);
    loop_run(loop);
    assert_int_equal(heard.count, 1);
    close(ends[0]);
    close(ends[1]);
}

static void a_file_may_be_closed_while_it_is_read(void **state)
{
    (void)state;
    char path[64];
    struct heard heard = {.count = 0};
    int descriptor = write_temporary(SPAN("1\n2\n"), path);
    heard.input = loop_input_open(loop, descriptor, hear_piece, hear_end, &heard);
    loop_run_once(loop, false);
    int count = heard.count; /* the reading thread may have been fast */
    loop_input_close(heard.input);
    close(descriptor);
    unlink(path);
    loop_run(loop);
    assert_int_equal(heard.count, count);
    text_fini(&heard.text);
}

static void what_cannot_be_read_ends_and_says_so(void **state)
{
    (void)state;
    int folder = open("/", O_RDONLY);
    int nothing = open("/dev/null", O_RDONLY);
    int descriptors[] = {-1, 9999, folder, nothing};
    for (size_t i = 0; i < COUNT(descriptors); i++) {
        struct heard heard = {.count = 0};
        heard.input = loop_input_open(loop, descriptors[i], hear_piece, hear_end, &heard);
        loop_run(loop);
        assert_int_equal(loop_input_has_failed(heard.input), descriptors[i] != nothing);
        finish_hearing(&heard, "");
    }
    close(folder);
    close(nothing);
}

int main(void)
{
#define LOOP_TEST(name) cmocka_unit_test_setup_teardown(name, open_loop, close_loop)
    const struct CMUnitTest tests[] = {
        LOOP_TEST(timers_are_never_early),
        LOOP_TEST(timers_fire_in_the_order_of_their_time),
        LOOP_TEST(a_timer_started_again_fires_once_at_the_later_time),
        LOOP_TEST(a_timer_may_close_itself),
        LOOP_TEST(a_loop_with_nothing_to_wait_for_returns),
        LOOP_TEST(a_round_follows_events_and_timers_before_the_loop_waits),
        LOOP_TEST(signals_call_back_instead_of_ending_the_process),
        LOOP_TEST(writing_to_a_closed_pipe_is_an_error),
        LOOP_TEST(a_file_comes_in_pieces),
        LOOP_TEST(a_pipe_comes_in_pieces),
        LOOP_TEST(a_terminal_comes_in_pieces),
        LOOP_TEST(pausing_holds_back_what_was_read_already),
        LOOP_TEST(a_pause_before_the_first_piece_holds_it_back),
        LOOP_TEST(input_may_be_closed_while_it_comes),
        LOOP_TEST(a_file_may_be_closed_while_it_is_read),
        LOOP_TEST(what_cannot_be_read_ends_and_says_so),
    };
    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
