/*
 * storm_virtual_os.c - a loop, a clock and a worker made of the simulation's list of moments.
 *
 * A commit takes a millisecond. What is closed is kept until the end, because the list may
 * still name it.
 */
#include "storm_virtual_os.h"

#include "base/ensure.h"
#include "base/memory.h"
#include "os/os.h"

#define COMMIT_US 1000
#define EPOCH_MS 1700000000000 /* a wall clock has to show something */

/* Everything that is opened on the loop. */
struct handle {
    struct handle *next;
    loop_callback *fire;
    void *context;
    uint32_t turn; /* grows with every start, stop and close */
    bool is_pending;
};

struct loop {
    struct handle *round;
};

struct loop_timer {
    struct handle handle;
};

struct loop_wake {
    struct handle handle;
};

struct loop_round {
    struct handle handle;
};

struct worker {
    struct handle handle;
    worker_job *job;
};

/* The functions of os/ have no place for it in their signatures. */
static struct {
    struct storm_sim *sim;
    struct loop loop;
    struct handle *opened;
} virtual;

void storm_virtual_os_begin(struct storm_sim *sim)
{
    virtual.sim = sim;
    virtual.loop = (struct loop){0};
}

void storm_virtual_os_round(void)
{
    struct handle *round = virtual.loop.round;
    if (round != NULL)
        round->fire(round->context);
}

void storm_virtual_os_end(void)
{
    while (virtual.opened != NULL) {
        struct handle *next = virtual.opened->next;
        memory_release(virtual.opened);
        virtual.opened = next;
    }
}

/* `handle` is first in everything that is opened. */
static void *open_handle(size_t size, loop_callback *fire, void *context)
{
    struct handle *handle = memory_get(size);
    handle->fire = fire;
    handle->context = context;
    handle->next = virtual.opened;
    virtual.opened = handle;
    return handle;
}

static void fire_handle(void *context, uint32_t turn)
{
    struct handle *handle = context;
    if (handle->turn != turn)
        return;
    handle->turn++;
    handle->is_pending = false;
    handle->fire(handle->context);
}

static void fire_in(struct handle *handle, moment_us delay)
{
    handle->is_pending = true;
    storm_agenda_add(&virtual.sim->agenda, virtual.sim->now + delay, fire_handle, handle,
                     ++handle->turn);
}

static void stop(struct handle *handle)
{
    handle->turn++;
    handle->is_pending = false;
}

instant_ms clock_wall(void)
{
    return EPOCH_MS + virtual.sim->now / 1000;
}

int64_t clock_elapsed_us(void)
{
    return virtual.sim->now;
}

struct loop *loop_open(void)
{
    return &virtual.loop;
}

void loop_close(struct loop *loop)
{
    loop->round = NULL;
}

struct loop_timer *loop_timer_open(struct loop *loop, loop_callback *fire, void *context)
{
    (void)loop;
    return open_handle(sizeof(struct loop_timer), fire, context);
}

void loop_timer_start(struct loop_timer *timer, duration_ms delay)
{
    fire_in(&timer->handle, delay <= 0 ? 0 : delay * 1000);
}

void loop_timer_stop(struct loop_timer *timer)
{
    stop(&timer->handle);
}

void loop_timer_close(struct loop_timer *timer)
{
    if (timer != NULL)
        stop(&timer->handle);
}

struct loop_wake *loop_wake_open(struct loop *loop, loop_callback *fire, void *context)
{
    (void)loop;
    return open_handle(sizeof(struct loop_wake), fire, context);
}

void loop_wake_send(struct loop_wake *wake)
{
    if (!wake->handle.is_pending)
        fire_in(&wake->handle, 0);
}

void loop_wake_close(struct loop_wake *wake)
{
    if (wake != NULL)
        stop(&wake->handle);
}

struct loop_round *loop_round_open(struct loop *loop, loop_callback *fire, void *context)
{
    struct loop_round *round = open_handle(sizeof *round, fire, context);
    ensure(loop->round == NULL);
    loop->round = &round->handle;
    return round;
}

void loop_round_close(struct loop_round *round)
{
    if (round != NULL)
        virtual.loop.round = NULL;
}

static void do_job(void *context)
{
    struct worker *worker = context;
    worker_job *job = worker->job;
    worker->job = NULL;
    job(worker->handle.context);
}

struct worker *worker_open(void)
{
    return open_handle(sizeof(struct worker), NULL, NULL);
}

static void fire_job(void *context, uint32_t turn)
{
    struct worker *worker = context;
    if (worker->handle.turn == turn)
        do_job(worker);
}

void worker_submit(struct worker *worker, worker_job *job, void *context)
{
    ensure(worker->job == NULL);
    worker->job = job;
    worker->handle.context = context;
    storm_agenda_add(&virtual.sim->agenda, virtual.sim->now + COMMIT_US, fire_job, worker,
                     ++worker->handle.turn);
}

void worker_close(struct worker *worker)
{
    if (worker != NULL && worker->job != NULL) {
        stop(&worker->handle);
        do_job(worker);
    }
}
