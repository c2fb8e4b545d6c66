/*
 * error_kind.h - the ways in which a step's attempt fails.
 *
 * The kinds are `event.error.kind` of a definition. What the business refused (`rejected`) is
 * not a failure of the infrastructure: it is never retried unless asked for, and never counts
 * against a breaker.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

#define ERROR_KIND_LIST(X)                                                     \
    X(TIMEOUT, "timeout")           /* no answer in time: it may have acted */ \
    X(TRANSPORT, "transport")       /* could not connect, connection lost */   \
    X(UNAVAILABLE, "unavailable")   /* HTTP 5xx, exit status 75 */             \
    X(THROTTLED, "throttled")       /* HTTP 429 */                             \
    X(CRASHED, "crashed")           /* ended by a signal */                    \
    X(REJECTED, "rejected")         /* other 4xx, other exit statuses */       \
    X(EXPIRED, "expired")           /* the step's deadline passed */           \
    X(BREAKER_OPEN, "breaker_open") /* not tried: the breaker is open */       \
    X(CANCELLED, "cancelled")       /* the state that asked was left */        \
    X(INVALID, "invalid")           /* the input or the output is not valid */

#define ERROR_KIND_ENUM(name, text) ERROR_KIND_##name,
enum error_kind { ERROR_KIND_LIST(ERROR_KIND_ENUM) ERROR_KIND_COUNT };
#undef ERROR_KIND_ENUM

/* A set of kinds, one bit each. */
typedef uint32_t error_kinds;

#define ERROR_KIND_BIT(kind) ((error_kinds)1 << (kind))

/* What is retried, and counts against a breaker, unless said otherwise. */
#define ERROR_KINDS_INFRASTRUCTURE                                                   \
    (ERROR_KIND_BIT(ERROR_KIND_TIMEOUT) | ERROR_KIND_BIT(ERROR_KIND_TRANSPORT) |     \
     ERROR_KIND_BIT(ERROR_KIND_UNAVAILABLE) | ERROR_KIND_BIT(ERROR_KIND_THROTTLED) | \
     ERROR_KIND_BIT(ERROR_KIND_CRASHED))

const char *error_kind_name(enum error_kind kind);

/* False when no kind has that name. */
bool error_kind_find(struct span name, enum error_kind *kind);
