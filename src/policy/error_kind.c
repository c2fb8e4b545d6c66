/*
 * error_kind.c - the names of error kinds.
 */
#include "policy/error_kind.h"

#include "base/ensure.h"

#define ERROR_KIND_NAME(name, text) text,
static const char *const NAMES[] = {ERROR_KIND_LIST(ERROR_KIND_NAME)};
#undef ERROR_KIND_NAME

const char *error_kind_name(enum error_kind kind)
{
    ensure((size_t)kind < ERROR_KIND_COUNT);
    return NAMES[kind];
}

bool error_kind_find(struct span name, enum error_kind *kind)
{
    for (size_t i = 0; i < ERROR_KIND_COUNT; i++) {
        if (span_is(name, NAMES[i])) {
            *kind = (enum error_kind)i;
            return true;
        }
    }
    return false;
}
