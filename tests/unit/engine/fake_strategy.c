/*
 * fake_strategy.c - attempts that end by a timer of the loop.
 */
#include "fake_strategy.h"

#include <stdio.h>

#include "base/ensure.h"
#include "base/memory.h"

struct attempt {
    struct fake *fake;
    struct attempt *next;
    struct loop_timer *timer;
    struct fake_answer answer;
    attempt_done *done;
    void *context;
};

struct fake {
    struct strategy base;
    struct loop *loop;
    struct attempt *running;
};

static struct fake_world *world;

void fake_set_world(struct fake_world *with)
{
    world = with;
}

static const char *const extra_keys[] = {NULL};

static const void *parse(const struct node *settings, const struct node *step,
                         const char *folder, struct arena *arena,
                         struct diagnostics *diagnostics)
{
    (void)step;
    (void)folder;
    (void)arena;
    (void)diagnostics;
    return settings;
}

static void end(struct attempt *attempt)
{
    struct attempt **at = &attempt->fake->running;
    while (*at != attempt)
        at = &(*at)->next;
    *at = attempt->next;
    loop_timer_close(attempt->timer);
    memory_release(attempt);
    world->running--;
}

static void ring(void *context)
{
    struct attempt *attempt = context;
    struct fake_answer answer = attempt->answer;
    struct attempt_result result = {.done = answer.done,
                                    .kind = answer.kind,
                                    .message = SPAN("as the script says"),
                                    .retry_after_ms = -1};
    result.output = span_from_text(answer.output == NULL ? "null" : answer.output);
    result.details = span_from_text(answer.details);
    attempt_done *done = attempt->done;
    void *done_context = attempt->context;
    end(attempt);
    done(done_context, &result);
}

static struct attempt *start(struct strategy *strategy, const void *settings,
                             const struct attempt_request *request, attempt_done *done,
                             void *context)
{
    struct attempt *attempt = memory_get(sizeof *attempt);
    ensure(world->call_count < FAKE_CALLS_MAX);
    struct fake_call *call = &world->calls[world->call_count++];
    (void)settings;
    snprintf(call->instance, sizeof call->instance, "%.*s", SPAN_ARGS(request->instance));
    snprintf(call->step, sizeof call->step, "%.*s", SPAN_ARGS(request->step));
    snprintf(call->key, sizeof call->key, "%.*s", SPAN_ARGS(request->key));
    call->attempt = request->attempt;
    attempt->fake = (struct fake *)strategy;
    attempt->next = attempt->fake->running;
    attempt->fake->running = attempt;
    attempt->done = done;
    attempt->context = context;
    attempt->answer = world->script(world->context, call);
    attempt->timer = loop_timer_open(attempt->fake->loop, ring, attempt);
    bool hangs = attempt->answer.delay_ms < 0 || attempt->answer.delay_ms > request->timeout_ms;
    if (hangs) {
        attempt->answer.done = false;
        attempt->answer.kind = ERROR_KIND_TIMEOUT;
    }
    loop_timer_start(attempt->timer, hangs ? request->timeout_ms : attempt->answer.delay_ms);
    world->running++;
    if (world->running > world->running_max)
        world->running_max = world->running;
    return attempt;
}

static void cancel(struct strategy *strategy, struct attempt *attempt)
{
    (void)strategy;
    end(attempt);
}

static void fake_close(struct strategy *strategy)
{
    while (((struct fake *)strategy)->running != NULL)
        end(((struct fake *)strategy)->running);
    memory_release(strategy);
}

static const struct strategy_ops ops = {start, cancel, fake_close};

static struct strategy *fake_open(const struct strategy_type *type, struct loop *loop)
{
    (void)type;
    struct fake *fake = memory_get(sizeof *fake);
    fake->base.ops = &ops;
    fake->loop = loop;
    return &fake->base;
}

const struct strategy_type strategy_fake = {"fake", extra_keys, parse, fake_open};
