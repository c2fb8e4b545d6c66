/*
 * limit.c - two counters.
 *
 * Nobody overtakes: while somebody waits, newcomers wait behind, also in the moment between a
 * call's end and the question who is next.
 *
 * Always: running <= concurrency and queued <= queue, as they were when each was let in.
 */
#include "policy/limit.h"

#include "base/ensure.h"

enum limit_answer limit_enter(struct limit *limit, const struct limit_rule *rule)
{
    ensure(rule->concurrency >= 1);
    if (limit_free(limit, rule) > 0) {
        limit->running++;
        return LIMIT_GO;
    }
    if (limit->queued >= rule->queue)
        return LIMIT_REFUSE;
    limit->queued++;
    return LIMIT_QUEUE;
}

void limit_leave(struct limit *limit)
{
    ensure(limit->running > 0);
    limit->running--;
}

bool limit_next(struct limit *limit, const struct limit_rule *rule)
{
    if (limit->queued == 0 || limit->running >= rule->concurrency)
        return false;
    limit->queued--;
    limit->running++;
    return true;
}

void limit_abandon(struct limit *limit)
{
    ensure(limit->queued > 0);
    limit->queued--;
}

uint32_t limit_free(const struct limit *limit, const struct limit_rule *rule)
{
    if (limit->queued > 0 || limit->running >= rule->concurrency)
        return 0;
    return rule->concurrency - limit->running;
}
