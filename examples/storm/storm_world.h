/*
 * storm_world.h - the services of a storm, and the ledger of what they did.
 *
 * The world knows no network and no clock: it is offered requests and hands back those that
 * are through, each with what the caller is to be told. The servers of a real run and the
 * simulator share it, so both play the same storm.
 *
 * A key acts once. When it comes again it gets the same answer, and nothing is done; a
 * request without a key acts every time. A refund leaves a mark: a charge of the same order
 * that arrives behind it is refused.
 */
#pragma once

#include <stdio.h>

#include "storm_scenario.h"

/* What came of a request: name, what the caller is told (0: nothing). */
#define STORM_OUTCOME_LIST(X)                                                   \
    X(ACTED, "acted", 200)                                                      \
    X(REPEATED, "repeated", 200)         /* a key that had acted before */      \
    X(FAILED, "failed", 500)             /* nothing was done */                 \
    X(ACTED_FAILED, "acted-failed", 500) /* it was done, but nobody was told */ \
    X(HUNG, "hung", 0)                                                          \
    X(ACTED_HUNG, "acted-hung", 0)                                              \
    X(BUSY, "busy", 503)                                                        \
    X(CANCELLED, "cancelled", 409)

#define STORM_OUTCOME_ENUM(name, text, status) STORM_OUTCOME_##name,
enum storm_outcome { STORM_OUTCOME_LIST(STORM_OUTCOME_ENUM) STORM_OUTCOME_COUNT };
#undef STORM_OUTCOME_ENUM

/* Embedded first in what the caller keeps of a request. */
struct storm_request {
    struct shop_job job;
    enum storm_service service;
    uint32_t order;
    uint64_t key; /* 0: it came without one */
    moment_us came;
    enum storm_outcome outcome; /* when through */
};

struct storm_world;

/* `ledger` stays the caller's; NULL: nobody writes. */
struct storm_world *storm_world_open(const struct storm_scenario *scenario, uint64_t seed,
                                     FILE *ledger);
void storm_world_close(struct storm_world *world);

/* True when it stands in a queue now; else it is through already: the service is full. */
bool storm_world_offer(struct storm_world *world, struct storm_request *request, moment_us now);

/* A request that is through, or NULL when there is none at this moment. */
struct storm_request *storm_world_take(struct storm_world *world, moment_us now);

/* When to ask again. */
moment_us storm_world_due(const struct storm_world *world);

int storm_outcome_status(enum storm_outcome outcome);
