/*
 * strategy.c - the checks around every strategy.
 */
#include "strategy/strategy.h"

#include "base/ensure.h"

struct attempt *strategy_start(struct strategy *strategy, const void *settings,
                               const struct attempt_request *request, attempt_done *done,
                               void *context)
{
    ensure(settings != NULL && done != NULL);
    ensure(request->attempt >= 1);
    struct attempt_request bounded = *request;
    if (bounded.timeout_ms < 1)
        bounded.timeout_ms = 1; /* 0 would mean no timeout further down */
    struct attempt *attempt = strategy->ops->start(strategy, settings, &bounded, done, context);
    ensure(attempt != NULL);
    return attempt;
}

void strategy_cancel(struct strategy *strategy, struct attempt *attempt)
{
    ensure(attempt != NULL);
    strategy->ops->cancel(strategy, attempt);
}

void strategy_close(struct strategy *strategy)
{
    if (strategy != NULL)
        strategy->ops->close(strategy);
}
