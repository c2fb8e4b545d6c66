/*
 * storm_virtual_os.h - the part of os/ that the engine stands on, in virtual time.
 *
 * storm_virtual_os.c defines the functions of os/loop.h, os/clock.h and os/thread.h anew; the
 * linker takes these and leaves the real ones out. The engine above is the one that ships.
 */
#pragma once

#include "storm_sim.h"

/* The simulation whose clock and list of moments everything opened from here on uses. */
void storm_virtual_os_begin(struct storm_sim *sim);

/* After each thing that happened: what the loop calls back once a round. */
void storm_virtual_os_round(void);

/* Releases what was closed; nothing that was listed is done any more. */
void storm_virtual_os_end(void);
