/*
 * storm_scenario.h - a storm as a text file: the load, the services, and what goes wrong when.
 *
 *     load 450 50                                  orders a second, and for how many seconds
 *     service payment service=89.4,servers=60      settings of shop_service.h
 *     fault 10 20 payment servers=18               the same from second 10 to second 20
 *     fault 30 40 ship shard=25%                   every order of a quarter is refused
 *
 * Lines that begin with # are remarks. Moments are microseconds from the storm's beginning.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "shop_service.h"

#define STORM_SERVICE_LIST(X) \
    X(VALIDATE, "validate")   \
    X(INVENTORY, "inventory") \
    X(PAYMENT, "payment")     \
    X(SHIP, "ship")           \
    X(REFUND, "refund") /* lives with the payment */

#define STORM_SERVICE_ENUM(name, text) STORM_##name,
enum storm_service { STORM_SERVICE_LIST(STORM_SERVICE_ENUM) STORM_SERVICE_COUNT };
#undef STORM_SERVICE_ENUM

enum { STORM_CHAIN_LENGTH = 4 }; /* what an order goes through: all but the refund */
enum { STORM_FAULTS_MAX = 32, STORM_SETTINGS_BYTES = 128 };

struct storm_fault {
    moment_us from;
    moment_us to;
    enum storm_service service;
    char settings[STORM_SETTINGS_BYTES];
};

struct storm_scenario {
    double rate;    /* orders a second */
    double seconds; /* for so long */
    char settings[STORM_SERVICE_COUNT][STORM_SETTINGS_BYTES];
    struct storm_fault faults[STORM_FAULTS_MAX];
    size_t fault_count;
};

/* False after saying on standard error what is wrong. */
bool storm_scenario_read(struct storm_scenario *scenario, const char *path);

const char *storm_service_name(enum storm_service service);
bool storm_service_find(const char *name, enum storm_service *service);
