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
    ensure(request->attempt >= 1 && request->timeout_ms > 0);
    struct attempt *attempt = strategy->ops->start(strategy, settings, request, done, context);
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
