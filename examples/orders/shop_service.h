/*
 * shop_service.h - how long one service takes, how much it can bear, and how it fails.
 *
 * A service is a number of servers behind one bounded queue, first come, first served.
 * It knows nothing of HTTP or money, and is told the time: offered a job, it says
 * whether there is room; asked later, it hands back the jobs that are through, each with
 * its fate. Times are microseconds of any clock that does not jump.
 */
#pragma once

#include "base/random.h"
#include "base/span.h"

typedef int64_t moment_us;
#define MOMENT_NEVER INT64_MAX

/* What can be set: name (also without _ms), member, the default, the largest value. */
#define SHOP_SETTING_LIST(X)                                                         \
    X(service_ms, 5, 600000)   /* the median time that one request takes */          \
    X(jitter_ms, 2, 600000)    /* ± this, evenly */                                 \
    X(sigma, 0, 3)             /* spread of a lognormal tail; 0 is none */           \
    X(servers, 64, 100000)     /* requests in work at once */                        \
    X(queue, 1000, 1000000)    /* requests that may wait; one more gets 503 */       \
    X(errors, 0, 1)            /* share answered 500: half of them after acting */   \
    X(hangs, 0, 1)             /* share left without an answer: half after acting */ \
    X(hang_ms, 10000, 600000)  /* after which a hanging connection is closed */      \
    X(outage_after_ms, 0, 1e9) /* from the first request, or from when it was set */ \
    X(outage_ms, 0, 1e9)       /* how long nobody is served */                       \
    X(outage_drops, 0, 1)      /* 1: connections are closed; 0: answered 503 */

struct shop_settings {
#define SHOP_SETTING_MEMBER(name, initial, max) double name;
    SHOP_SETTING_LIST(SHOP_SETTING_MEMBER)
#undef SHOP_SETTING_MEMBER
};

enum shop_fate {
    SHOP_FATE_ANSWER,
    SHOP_FATE_FAIL,     /* 500 without having acted */
    SHOP_FATE_ACT_FAIL, /* 500 after having acted: the caller cannot tell */
    SHOP_FATE_HANG,
    SHOP_FATE_ACT_HANG,
};

/* Embedded first in whatever the caller wants served. */
struct shop_job {
    struct shop_job *next; /* in the queue */
    moment_us due;
    enum shop_fate fate;
    bool is_held;    /* it hangs: its time is over, its server and its caller still wait */
    bool is_through; /* its server is free again, its caller may be answered */
};

enum shop_admission { SHOP_ADMITTED, SHOP_REFUSED_FULL, SHOP_REFUSED_OUTAGE };

struct shop_service {
    struct shop_settings settings;
    moment_us outage_from; /* MOMENT_NEVER until known */
    moment_us outage_to;
    struct random dice;
    struct shop_job *first; /* waiting for a server */
    struct shop_job **end;
    size_t waiting;
    struct shop_job **busy; /* in work: a heap, the next to be through at its root */
    size_t busy_count;
    size_t busy_capacity;
};

void shop_service_init(struct shop_service *service, uint64_t seed);
void shop_service_fini(struct shop_service *service); /* owns no job */

/* Sets one setting from text: a number, or a share like "10%". False when the name or the value
 * is not one. */
bool shop_service_set(struct shop_service *service, struct span name, struct span value);

/* "service=20,errors=10%,outage=1000+2000": the same, several at once. */
bool shop_service_set_all(struct shop_service *service, struct span settings);

/* From now on: an outage that was just set counts from here. */
void shop_service_begin_outage(struct shop_service *service, moment_us now);

bool shop_service_is_out(const struct shop_service *service, moment_us now);

enum shop_admission shop_service_offer(struct shop_service *service, struct shop_job *job,
                                       moment_us now);

/* A job whose time has come, or NULL. Its server takes the next one from the queue. A hanging
 * job comes twice: when it acts, if it does, and again when is_through. */
struct shop_job *shop_service_take(struct shop_service *service, moment_us now);

/* When to ask again. */
moment_us shop_service_due(const struct shop_service *service);
