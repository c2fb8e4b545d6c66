/*
 * storm_sim.h - a storm in virtual time: one clock, one list of moments, the services.
 */
#pragma once

#include "storm_agenda.h"
#include "storm_record.h"
#include "storm_world.h"

struct storm_sim {
    struct storm_agenda agenda;
    struct storm_world *world;
    struct storm_sim_call *calls; /* under way */
    struct storm_arrivals arrivals;
    FILE *results;
    moment_us now;
    uint64_t seed;
    size_t open; /* orders that have come and are not over */
};

/* Comes at the moment of the answer; outcomes that tell nothing come when the service lets go.
 */
typedef void storm_sim_told(void *context, enum storm_outcome outcome);

struct storm_sim_call;

/* Asks a service. The answer never comes before this returns. */
struct storm_sim_call *storm_sim_ask(struct storm_sim *sim, enum storm_service service,
                                     uint32_t order, uint64_t key, storm_sim_told *told,
                                     void *context);

/* Nobody waits for the answer any more; the service works on. NULL is fine. */
void storm_sim_forget(struct storm_sim_call *call);

/* The next thing that happens, whatever it is; false when it is not before `until`. */
bool storm_sim_step(struct storm_sim *sim, moment_us until);

/* An order is over. */
void storm_sim_end_order(struct storm_sim *sim, uint32_t order, moment_us intended,
                         bool is_done);

struct storm_care;

/* Each runs its kind of arm until `until`; what is open then stays open. */
void storm_sim_run_chain(struct storm_sim *sim, const struct storm_care *care, moment_us until);
void storm_sim_run_engine(struct storm_sim *sim, const char *definition_path, moment_us until);
