/*
 * deadline.c - what is left, and since when it runs.
 *
 * Time that steps back gives nothing back: as long as now is before `since`, nothing has
 * passed.
 */
#include "policy/deadline.h"

#include "base/checked.h"
#include "base/ensure.h"

void deadline_start(struct deadline *deadline, duration_ms total_ms, instant_ms now)
{
    ensure(total_ms >= 0 && now >= 0);
    *deadline = (struct deadline){.left_ms = total_ms, .since = now};
}

void deadline_park(struct deadline *deadline, instant_ms now)
{
    deadline->left_ms = deadline_left_ms(deadline, now);
    deadline->since = now;
    deadline->standing = true;
}

void deadline_resume(struct deadline *deadline, instant_ms now)
{
    if (!deadline->standing)
        return;
    deadline->since = now;
    deadline->standing = false;
}

duration_ms deadline_left_ms(const struct deadline *deadline, instant_ms now)
{
    ensure(now >= 0);
    if (deadline->standing || now <= deadline->since)
        return deadline->left_ms;
    duration_ms passed = now - deadline->since;
    return passed < deadline->left_ms ? deadline->left_ms - passed : 0;
}

bool deadline_is_expired(const struct deadline *deadline, instant_ms now)
{
    return deadline_left_ms(deadline, now) == 0;
}

instant_ms deadline_at(const struct deadline *deadline)
{
    instant_ms at = INSTANT_NEVER;
    if (!deadline->standing && !checked_add(deadline->since, deadline->left_ms, &at))
        at = INSTANT_NEVER;
    return at;
}

duration_ms deadline_timeout_ms(const struct deadline *deadline, duration_ms timeout_ms,
                                instant_ms now)
{
    duration_ms left = deadline_left_ms(deadline, now);
    return timeout_ms < left ? timeout_ms : left;
}
