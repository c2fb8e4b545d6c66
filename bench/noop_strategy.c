/*
 * noop_strategy.c - attempts that end in the next round of the loop, all together.
 */
#include "noop_strategy.h"

#include "base/memory.h"

struct attempt {
    struct attempt *next;
    attempt_done *done;
    void *context;
    bool cancelled;
};

struct noop {
    struct strategy base;
    struct loop_wake *wake;
    struct attempt *first;
    struct attempt **end;
};

static const char *const no_keys[] = {NULL};

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

static void end_all(void *context)
{
    struct noop *noop = context;
    struct attempt *attempt = noop->first;
    struct attempt_result result = {
        .done = true, .output = SPAN("{\"id\":1}"), .retry_after_ms = -1};
    noop->first = NULL;
    noop->end = &noop->first;
    while (attempt != NULL) {
        struct attempt *next = attempt->next;
        if (!attempt->cancelled)
            attempt->done(attempt->context, &result);
        memory_release(attempt);
        attempt = next;
    }
}

static struct attempt *start(struct strategy *strategy, const void *settings,
                             const struct attempt_request *request, attempt_done *done,
                             void *context)
{
    struct noop *noop = (struct noop *)strategy;
    struct attempt *attempt = memory_get(sizeof *attempt);
    (void)settings;
    (void)request;
    attempt->done = done;
    attempt->context = context;
    if (noop->first == NULL)
        loop_wake_send(noop->wake);
    *noop->end = attempt;
    noop->end = &attempt->next;
    return attempt;
}

static void cancel(struct strategy *strategy, struct attempt *attempt)
{
    (void)strategy;
    attempt->cancelled = true;
}

static void noop_close(struct strategy *strategy)
{
    struct noop *noop = (struct noop *)strategy;
    loop_wake_close(noop->wake);
    while (noop->first != NULL) {
        struct attempt *next = noop->first->next;
        memory_release(noop->first);
        noop->first = next;
    }
    memory_release(noop);
}

static const struct strategy_ops ops = {start, cancel, noop_close};

static struct strategy *noop_open(const struct strategy_type *type, struct loop *loop)
{
    (void)type;
    struct noop *noop = memory_get(sizeof *noop);
    noop->base.ops = &ops;
    noop->end = &noop->first;
    noop->wake = loop_wake_open(loop, end_all, noop);
    return &noop->base;
}

const struct strategy_type strategy_noop = {"noop", no_keys, parse, noop_open};
