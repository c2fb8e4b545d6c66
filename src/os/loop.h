/*
 * loop.h - the event loop, timers, wakes across threads, and signals.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "base/time.h"

struct loop;

/* Never NULL. From here on a write to a closed pipe is an error and no longer ends the process.
 */
struct loop *loop_open(void);

/* Lets what is closing close, then releases the loop. What was opened on it was closed before;
 * programs that were cancelled may take their grace to end. */
void loop_close(struct loop *loop);

/* Runs until loop_stop(), or until nothing is open that could ever call back. */
void loop_run(struct loop *loop);

/* Handles what is ready; waits for at most one event when `wait`. */
void loop_run_once(struct loop *loop, bool wait);

/* Makes loop_run() return after the current callback; on the loop's thread. */
void loop_stop(struct loop *loop);

typedef void loop_callback(void *context);

/* A timer that fires once, never early, and can be started again. */
struct loop_timer;
struct loop_timer *loop_timer_open(struct loop *loop, loop_callback *fire, void *context);
void loop_timer_start(struct loop_timer *timer,
                      duration_ms delay); /* replaces an earlier start */
void loop_timer_stop(struct loop_timer *timer);
void loop_timer_close(struct loop_timer *timer); /* NULL is fine */

/* Makes the loop's thread call back soon; loop_wake_send() works from any thread, and several
 * sends may become one call. */
struct loop_wake;
struct loop_wake *loop_wake_open(struct loop *loop, loop_callback *fire, void *context);
void loop_wake_send(struct loop_wake *wake);
void loop_wake_close(struct loop_wake *wake); /* NULL is fine */

/* Calls back after the loop has handled what is ready and before it waits again: at least once
 * a round, twice when timers fire. */
struct loop_round;
struct loop_round *loop_round_open(struct loop *loop, loop_callback *fire, void *context);
void loop_round_close(struct loop_round *round); /* NULL is fine */

/* Calls back when the process gets SIGTERM, SIGINT or SIGHUP. */
struct loop_signals;
struct loop_signals *loop_signals_open(struct loop *loop, loop_callback *fire, void *context);
void loop_signals_close(struct loop_signals *signals); /* NULL is fine */

/* Reads a stream (stdin: a pipe, a terminal, a file) on the loop: `piece` for bytes as they
 * come, valid during the call, then `end` once. Both come in later rounds; pausing stops them
 * until resumed. */
struct loop_input;
typedef void loop_piece(void *context, struct span bytes);
struct loop_input *loop_input_open(struct loop *loop, int descriptor, loop_piece *piece,
                                   loop_callback *end, void *context);
void loop_input_pause(struct loop_input *input);
void loop_input_resume(struct loop_input *input);
bool loop_input_has_failed(
    const struct loop_input *input);             /* it ended because reading failed */
void loop_input_close(struct loop_input *input); /* NULL is fine */
