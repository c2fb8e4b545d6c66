/*
 * loop.c - the loop and what calls back on it, over libuv.
 *
 * libuv closes handles in a later round, so each of these structs is released by its
 * handle's closing callback, never before.
 */
#include "os/loop.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/ensure.h"
#include "base/memory.h"
#include "os/loop_uv.h"

/* Where a standard descriptor is closed, the next file opened would take its number: a pipe of
 * ours that libuv refuses to close, or a database that somebody prints to. */
static void fill_standard_descriptors(void)
{
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; descriptor++) {
        if (fcntl(descriptor, F_GETFD) < 0)
            ensure(open("/dev/null", O_RDWR) == descriptor);
    }
}

struct loop *loop_open(void)
{
    struct loop *loop = memory_get(sizeof *loop);
    fill_standard_descriptors();
    ensure(uv_loop_init(&loop->uv) == 0);
    ensure(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    return loop;
}

void loop_close(struct loop *loop)
{
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    ensure(uv_loop_close(&loop->uv) == 0);
    memory_release(loop);
}

void loop_run(struct loop *loop)
{
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_run_once(struct loop *loop, bool wait)
{
    uv_run(&loop->uv, wait ? UV_RUN_ONCE : UV_RUN_NOWAIT);
}

void loop_stop(struct loop *loop)
{
    uv_stop(&loop->uv);
}

void loop_uv_scratch(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)suggested;
    struct loop *loop = (struct loop *)handle->loop;
    *buffer = uv_buf_init(loop->scratch, sizeof loop->scratch);
}

static void release_owner(uv_handle_t *handle)
{
    memory_release(handle->data);
}

/* Timers */

struct loop_timer {
    uv_timer_t uv;
    loop_callback *fire;
    void *context;
};

static void on_timer(uv_timer_t *uv)
{
    struct loop_timer *timer = uv->data;
    timer->fire(timer->context);
}

struct loop_timer *loop_timer_open(struct loop *loop, loop_callback *fire, void *context)
{
    struct loop_timer *timer = memory_get(sizeof *timer);
    timer->fire = fire;
    timer->context = context;
    ensure(uv_timer_init(&loop->uv, &timer->uv) == 0);
    timer->uv.data = timer;
    return timer;
}

/* libuv counts from when the round began and cuts off fractions of milliseconds, both of which
 * would make a timer early. */
void loop_timer_start(struct loop_timer *timer, duration_ms delay)
{
    uv_update_time(timer->uv.loop);
    uint64_t timeout = delay <= 0 ? 0 : (uint64_t)delay + 1;
    ensure(uv_timer_start(&timer->uv, on_timer, timeout, 0) == 0);
}

void loop_timer_stop(struct loop_timer *timer)
{
    uv_timer_stop(&timer->uv);
}

void loop_timer_close(struct loop_timer *timer)
{
    if (timer != NULL)
        uv_close((uv_handle_t *)&timer->uv, release_owner);
}

/* Wakes */

struct loop_wake {
    uv_async_t uv;
    loop_callback *fire;
    void *context;
};

static void on_wake(uv_async_t *uv)
{
    struct loop_wake *wake = uv->data;
    wake->fire(wake->context);
}

struct loop_wake *loop_wake_open(struct loop *loop, loop_callback *fire, void *context)
{
    struct loop_wake *wake = memory_get(sizeof *wake);
    wake->fire = fire;
    wake->context = context;
    ensure(uv_async_init(&loop->uv, &wake->uv, on_wake) == 0);
    wake->uv.data = wake;
    return wake;
}

void loop_wake_send(struct loop_wake *wake)
{
    ensure(uv_async_send(&wake->uv) == 0);
}

void loop_wake_close(struct loop_wake *wake)
{
    if (wake != NULL)
        uv_close((uv_handle_t *)&wake->uv, release_owner);
}

/* Rounds: libuv waits, handles what came, checks; then runs timers, prepares, and waits again.
 */

struct loop_round {
    uv_check_t after_events;
    uv_prepare_t after_timers;
    loop_callback *fire;
    void *context;
};

static void on_check(uv_check_t *uv)
{
    struct loop_round *round = uv->data;
    round->fire(round->context);
}

static void on_prepare(uv_prepare_t *uv)
{
    struct loop_round *round = uv->data;
    round->fire(round->context);
}

struct loop_round *loop_round_open(struct loop *loop, loop_callback *fire, void *context)
{
    struct loop_round *round = memory_get(sizeof *round);
    round->fire = fire;
    round->context = context;
    ensure(uv_check_init(&loop->uv, &round->after_events) == 0);
    ensure(uv_prepare_init(&loop->uv, &round->after_timers) == 0);
    round->after_events.data = round;
    round->after_timers.data = round;
    ensure(uv_check_start(&round->after_events, on_check) == 0);
    ensure(uv_prepare_start(&round->after_timers, on_prepare) == 0);
    return round;
}

static void close_check_too(uv_handle_t *prepare)
{
    struct loop_round *round = prepare->data;
    uv_close((uv_handle_t *)&round->after_events, release_owner);
}

void loop_round_close(struct loop_round *round)
{
    if (round == NULL)
        return;
    uv_check_stop(&round->after_events);
    uv_close((uv_handle_t *)&round->after_timers, close_check_too);
}

/* Signals */

enum { SIGNALS_COUNT = 3 };

struct loop_signals {
    uv_signal_t uv[SIGNALS_COUNT];
    unsigned open;
    loop_callback *fire;
    void *context;
};

static void on_signal(uv_signal_t *uv, int number)
{
    (void)number;
    struct loop_signals *signals = uv->data;
    signals->fire(signals->context);
}

struct loop_signals *loop_signals_open(struct loop *loop, loop_callback *fire, void *context)
{
    static const int numbers[SIGNALS_COUNT] = {SIGTERM, SIGINT, SIGHUP};
    struct loop_signals *signals = memory_get(sizeof *signals);
    signals->fire = fire;
    signals->context = context;
    for (size_t i = 0; i < SIGNALS_COUNT; i++) {
        ensure(uv_signal_init(&loop->uv, &signals->uv[i]) == 0);
        signals->uv[i].data = signals;
        signals->open++;
        ensure(uv_signal_start(&signals->uv[i], on_signal, numbers[i]) == 0);
    }
    return signals;
}

static void on_signal_closed(uv_handle_t *handle)
{
    struct loop_signals *signals = handle->data;
    if (--signals->open == 0)
        memory_release(signals);
}

void loop_signals_close(struct loop_signals *signals)
{
    if (signals == NULL)
        return;
    for (size_t i = 0; i < SIGNALS_COUNT; i++)
        uv_close((uv_handle_t *)&signals->uv[i], on_signal_closed);
}
