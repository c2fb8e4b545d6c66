/*
 * thread.h - one worker thread that takes jobs one at a time.
 *
 * That is all the threading the engine needs: the writer blocks in fsync while the loop
 * goes on. The worker runs each job to its end, in order.
 */
#pragma once

#include <stdbool.h>

typedef void worker_job(void *context);

struct worker;

/* Starts the thread; never NULL. */
struct worker *worker_open(void);

/* Hands over one job; at most one may wait (ensured). The job under way may announce its end
 * itself, so the next one may be handed over before it has quite returned. Any thread. */
void worker_submit(struct worker *worker, worker_job *job, void *context);

/* Waits for the job under way, then ends the thread. NULL is fine. */
void worker_close(struct worker *worker);
