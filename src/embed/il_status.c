/*
 * il_status.c - statuses and their words.
 *
 * Numbers of il_status are part of the library's interface and never change; those of enum
 * status are ours alone.
 */
#include "embed/il_status.h"

#include "base/ensure.h"

const char *il_version(void)
{
    return IL_VERSION;
}

const char *il_status_text(il_status status)
{
    static const char *const texts[] = {
        [IL_OK] = "ok",
        [IL_MISUSE] = "the call is wrong: a missing argument, or not the moment for it",
        [IL_INVALID] = "what was given is not valid",
        [IL_NO_SPACE] = "the memory given, or a limit, does not suffice",
        [IL_NOT_FOUND] = "there is no such thing",
        [IL_CONFLICT] = "it exists with other content, or belongs to another machine",
        [IL_TRY_AGAIN] = "a queue is full: again after a moment",
        [IL_TIME_OVER] = "the time is over and there is more to do",
        [IL_STOPPED] = "stopped as was asked for",
        [IL_BUSY] = "another process owns the database",
        [IL_OTHER_VERSION] = "the database was written by another version",
        [IL_CORRUPT] = "damaged, or not what it should be",
        [IL_DISK_FULL] = "the disk or the database is full",
        [IL_IO] = "reading or writing failed",
        [IL_UNKNOWN] = "the store failed: the outcome is unknown",
    };
    bool is_known = (size_t)status < sizeof texts / sizeof texts[0];
    return is_known ? texts[status] : "not a status";
}

il_status il_status_of(enum status status)
{
    switch (status) {
    case STATUS_OK:
        return IL_OK;
    case STATUS_NO_SPACE:
        return IL_NO_SPACE;
    case STATUS_NOT_FOUND:
        return IL_NOT_FOUND;
    case STATUS_INVALID:
        return IL_INVALID;
    case STATUS_CONFLICT:
        return IL_CONFLICT;
    case STATUS_STALE: /* another owner took the database over */
    case STATUS_BUSY:
        return IL_BUSY;
    case STATUS_FULL:
        return IL_DISK_FULL;
    case STATUS_VERSION:
        return IL_OTHER_VERSION;
    case STATUS_CORRUPT:
        return IL_CORRUPT;
    case STATUS_IO:
        return IL_IO;
    case STATUS_UNKNOWN:
        return IL_UNKNOWN;
    case STATUS_COUNT:
        break;
    }
    never();
}
