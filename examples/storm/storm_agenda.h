/*
 * storm_agenda.h - what happens when: the one list of moments of a simulation, and the
 * timers of a load generator.
 *
 * Nothing is ever taken out early. Whoever changes his mind counts his turns and hands the
 * count in; when the moment comes with an old count, he does nothing.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "shop_service.h"

typedef void storm_act(void *context, uint32_t turn);

struct storm_agenda {
    struct storm_entry *heap;
    size_t count;
    size_t capacity;
    uint64_t sequence; /* equal moments keep the order in which they were added */
};

void storm_agenda_fini(struct storm_agenda *agenda);

void storm_agenda_add(struct storm_agenda *agenda, moment_us at, storm_act *act, void *context,
                      uint32_t turn);

/* When the next thing happens; MOMENT_NEVER when nothing does. */
moment_us storm_agenda_due(const struct storm_agenda *agenda);

/* Does the next thing. There is one. */
void storm_agenda_do_next(struct storm_agenda *agenda);
