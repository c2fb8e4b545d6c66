/*
 * test_thread.c - jobs on the worker's thread, and wakes from there to the loop. Runs under
 * ThreadSanitizer too.
 */
#include "os/thread.h"

#include <stdatomic.h>
#include <unistd.h>

#include "expect_os.h"
#include "os/loop.h"

enum { JOBS = 2000, SENDERS = 3, SENDS = 5000 };

/* The writer's pattern: the loop hands over a batch, the worker works and wakes the loop, the
 * loop looks at what came of it and hands over the next one. */
struct pattern {
    struct loop *loop;
    struct worker *worker;
    struct loop_wake *wake;
    int handed; /* the loop's */
    int worked; /* whoever has the job */
    int seen;
};

static void work(void *context)
{
    struct pattern *pattern = context;
    pattern->worked++;
    loop_wake_send(pattern->wake);
}

static void take_back(void *context)
{
    struct pattern *pattern = context;
    pattern->seen++;
    assert_int_equal(pattern->worked, pattern->handed);
    if (pattern->handed == JOBS) {
        loop_stop(pattern->loop);
        return;
    }
    pattern->handed++;
    worker_submit(pattern->worker, work, pattern);
}

static void a_job_may_be_handed_over_as_soon_as_the_last_one_says_it_is_done(void **state)
{
    (void)state;
    struct pattern pattern = {.loop = loop_open(), .worker = worker_open(), .handed = 1};
    pattern.wake = loop_wake_open(pattern.loop, take_back, &pattern);
    worker_submit(pattern.worker, work, &pattern);
    loop_run(pattern.loop);
    assert_int_equal(pattern.seen, JOBS);
    worker_close(pattern.worker);
    loop_wake_close(pattern.wake);
    loop_close(pattern.loop);
}

static void work_slowly(void *context)
{
    usleep(30000);
    *(int *)context = 1;
}

static void closing_waits_for_the_job_under_way(void **state)
{
    (void)state;
    int is_done = 0;
    struct worker *worker = worker_open();
    worker_submit(worker, work_slowly, &is_done);
    worker_close(worker);
    assert_int_equal(is_done, 1);
    worker_close(worker_open());
    worker_close(NULL);
}

struct many {
    struct loop *loop;
    struct loop_wake *wake;
    atomic_int sent;
    int calls;
};

static void send_many(void *context)
{
    struct many *many = context;
    for (int i = 0; i < SENDS; i++) {
        atomic_fetch_add(&many->sent, 1);
        loop_wake_send(many->wake);
    }
}

static void see_all(void *context)
{
    struct many *many = context;
    many->calls++;
    if (atomic_load(&many->sent) == SENDERS * SENDS)
        loop_stop(many->loop);
}

/* A lost last wake would hang the loop. */
static void the_last_wake_of_many_threads_is_never_lost(void **state)
{
    (void)state;
    struct many many = {.loop = loop_open()};
    struct worker *workers[SENDERS];
    many.wake = loop_wake_open(many.loop, see_all, &many);
    for (int i = 0; i < SENDERS; i++) {
        workers[i] = worker_open();
        worker_submit(workers[i], send_many, &many);
    }
    loop_run(many.loop);
    assert_in_range(many.calls, 1, SENDERS * SENDS);
    for (int i = 0; i < SENDERS; i++)
        worker_close(workers[i]);
    loop_wake_close(many.wake);
    loop_close(many.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_may_be_handed_over_as_soon_as_the_last_one_says_it_is_done),
        cmocka_unit_test(closing_waits_for_the_job_under_way),
        cmocka_unit_test(the_last_wake_of_many_threads_is_never_lost),
    };
    return cmocka_run_group_tests_name("thread", tests, NULL, NULL);
}
