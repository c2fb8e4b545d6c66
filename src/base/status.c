/*
 * status.c - the sentences behind the statuses.
 */
#include "base/status.h"

#include "base/ensure.h"

const char *status_text(enum status status)
{
#define STATUS_TEXT(name, text) [STATUS_##name] = text,
    static const char *const texts[STATUS_COUNT] = {STATUS_LIST(STATUS_TEXT)};
#undef STATUS_TEXT
    ensure(status < STATUS_COUNT);
    return texts[status];
}
