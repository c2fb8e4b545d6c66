/*
 * storm_chain.h - what teams write by hand: validate(); inventory(); payment(); ship(); with
 * more and more care around each call.
 *
 * An arm is one such program under load. It knows no network and no clock: a host (the load
 * generator, the simulator) makes its calls and tells it of answers. So what is simulated
 * over a whole plane of loads is the code that is measured.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "policy/policy.h"
#include "storm_scenario.h"

#define STORM_TIMEOUT_US ((moment_us)1000000)  /* of one attempt, in all arms */
#define STORM_DEADLINE_US ((moment_us)5000000) /* in which an order is wanted */

struct storm_care {
    const char *name;
    const char *text;
    uint32_t workers;  /* threads that orders wait for; 0: none are needed */
    uint32_t attempts; /* of each call */
    bool has_jitter;   /* waits between attempts: full jitter, 100 ms doubled up to 1 s */
    bool has_budget;   /* retries are at most 20 % of the calls, and 10 in reserve */
    bool has_breaker;  /* src/policy's, half of at least 20 calls in 2 s */
    bool has_limit;    /* adds one, takes a tenth; and nobody calls behind the deadline */
};

/* The arms by hand; NULL when there is none of that name. `next` walks them: NULL begins. */
const struct storm_care *storm_care_find(const char *name);
const struct storm_care *storm_care_next(const struct storm_care *care);

enum storm_answer {
    STORM_ANSWER_OK,
    STORM_ANSWER_NO,
    STORM_ANSWER_ERROR,
    STORM_ANSWER_TIMEOUT
};

struct storm_host;

/* One order on its way. */
struct storm_chain {
    struct storm_chain *next; /* in the line for a worker */
    uint32_t order;
    enum storm_service service;
    uint32_t attempt;
    uint32_t turn; /* counts whatever it waits for */
    moment_us intended;
    struct breaker_permit permit;
    struct storm_host *host;
    void *call; /* the host's */
};

struct storm_arm;

/* What the host does for an arm. None of these calls back before it has returned. */
struct storm_host {
    moment_us (*now)(struct storm_host *host);
    /* A call of chain->service, without a key; storm_arm_answered() within the timeout. */
    void (*call)(struct storm_host *host, struct storm_chain *chain, moment_us timeout);
    /* storm_arm_woken() after this delay. */
    void (*sleep)(struct storm_host *host, struct storm_chain *chain, moment_us delay);
    /* The order is over; the host has seen the last of it. */
    void (*ended)(struct storm_host *host, struct storm_chain *chain, bool is_done);
};

struct storm_arm *storm_arm_open(const struct storm_care *care, struct storm_host *host,
                                 uint64_t seed);
void storm_arm_close(struct storm_arm *arm);

/* The chain is the host's, with order, intended and host set and the rest zero. */
void storm_arm_arrive(struct storm_arm *arm, struct storm_chain *chain);
void storm_arm_answered(struct storm_arm *arm, struct storm_chain *chain,
                        enum storm_answer answer);
void storm_arm_woken(struct storm_arm *arm, struct storm_chain *chain);
