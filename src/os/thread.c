/*
 * thread.c - one thread, one place for a job, one lock around the place.
 */
#include "os/thread.h"

#include <pthread.h>
#include <signal.h>
#include <uv.h>

#include "base/ensure.h"
#include "base/memory.h"

struct worker {
    uv_thread_t thread;
    uv_mutex_t lock;
    uv_cond_t changed;
    worker_job *job; /* what waits; NULL when nothing does */
    void *context;
    bool ending;
};

/* Signals are for the loop's thread; here they would only interrupt fsync. */
static void leave_signals_to_others(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

static void work(void *context)
{
    struct worker *worker = context;
    leave_signals_to_others();
    uv_mutex_lock(&worker->lock);
    while (worker->job != NULL || !worker->ending) {
        worker_job *job = worker->job;
        void *job_context = worker->context;
        if (job == NULL) {
            uv_cond_wait(&worker->changed, &worker->lock);
            continue;
        }
        worker->job = NULL;
        uv_mutex_unlock(&worker->lock);
        job(job_context);
        uv_mutex_lock(&worker->lock);
    }
    uv_mutex_unlock(&worker->lock);
}

struct worker *worker_open(void)
{
    struct worker *worker = memory_get(sizeof *worker);
    ensure(uv_mutex_init(&worker->lock) == 0);
    ensure(uv_cond_init(&worker->changed) == 0);
    ensure(uv_thread_create(&worker->thread, work, worker) == 0);
    return worker;
}

void worker_submit(struct worker *worker, worker_job *job, void *context)
{
    uv_mutex_lock(&worker->lock);
    ensure(worker->job == NULL && !worker->ending);
    worker->job = job;
    worker->context = context;
    uv_cond_signal(&worker->changed);
    uv_mutex_unlock(&worker->lock);
}

void worker_close(struct worker *worker)
{
    if (worker == NULL)
        return;
    uv_mutex_lock(&worker->lock);
    worker->ending = true;
    uv_cond_signal(&worker->changed);
    uv_mutex_unlock(&worker->lock);
    ensure(uv_thread_join(&worker->thread) == 0);
    uv_cond_destroy(&worker->changed);
    uv_mutex_destroy(&worker->lock);
    memory_release(worker);
}
