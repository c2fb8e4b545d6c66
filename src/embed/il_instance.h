/*
 * il_instance.h - the inside of an il_instance, for crowds.
 */
#pragma once

#include <interlock.h>

#include "chart/chart.h"

/* Where it stands; lives until the next step. */
const struct configuration *il_instance_now(const il_instance *instance);

/* An instance that stands where the configuration says, as il_instance_start() makes one. */
il_status il_instance_adopt(const il_machine *machine,
                            const struct configuration *configuration, void *memory,
                            size_t bytes, il_instance **adopted);

/* A configuration with all that it refers to in one piece of memory. */
struct kept_configuration {
    size_t bytes; /* in all */
    struct configuration configuration;
};

/* Keeps where the instance stands. Released with memory_release(). */
struct kept_configuration *il_instance_keep(const il_instance *instance);
