/*
 * storm_sim_chain.c - the host of the arms by hand in virtual time.
 */
#include "base/memory.h"
#include "storm_chain.h"
#include "storm_sim.h"

struct chain_host {
    struct storm_host host; /* first */
    struct storm_sim *sim;
    struct storm_arm *arm;
    struct storm_chain *chains;
    size_t arrived;
};

static struct chain_host *host_of(struct storm_host *host)
{
    return (struct chain_host *)host;
}

static moment_us now(struct storm_host *host)
{
    return host_of(host)->sim->now;
}

static void told(void *context, enum storm_outcome outcome)
{
    struct storm_chain *chain = context;
    int status = storm_outcome_status(outcome);
    chain->call = NULL;
    if (status == 0)
        return; /* it hears of it by its timeout */
    chain->turn++;
    storm_arm_answered(host_of(chain->host)->arm, chain,
                       status == 200  ? STORM_ANSWER_OK
                       : status < 500 ? STORM_ANSWER_NO
                                      : STORM_ANSWER_ERROR);
}

static void time_out(void *context, uint32_t turn)
{
    struct storm_chain *chain = context;
    if (chain->turn != turn)
        return;
    chain->turn++;
    storm_sim_forget(chain->call);
    storm_arm_answered(host_of(chain->host)->arm, chain, STORM_ANSWER_TIMEOUT);
}

static void call(struct storm_host *host, struct storm_chain *chain, moment_us timeout)
{
    struct storm_sim *sim = host_of(host)->sim;
    chain->call = storm_sim_ask(sim, chain->service, chain->order, 0, told, chain);
    storm_agenda_add(&sim->agenda, sim->now + timeout, time_out, chain, ++chain->turn);
}

static void wake(void *context, uint32_t turn)
{
    struct storm_chain *chain = context;
    if (chain->turn == turn)
        storm_arm_woken(host_of(chain->host)->arm, chain);
}

static void sleep_for(struct storm_host *host, struct storm_chain *chain, moment_us delay)
{
    struct storm_sim *sim = host_of(host)->sim;
    storm_agenda_add(&sim->agenda, sim->now + delay, wake, chain, ++chain->turn);
}

static void ended(struct storm_host *host, struct storm_chain *chain, bool is_done)
{
    storm_sim_end_order(host_of(host)->sim, chain->order, chain->intended, is_done);
}

static void arrive(void *context, uint32_t turn)
{
    struct chain_host *host = context;
    struct storm_sim *sim = host->sim;
    struct storm_chain *chain = &host->chains[host->arrived];
    (void)turn;
    *chain = (struct storm_chain){.order = (uint32_t)host->arrived,
                                  .intended = sim->arrivals.at[host->arrived],
                                  .host = &host->host};
    host->arrived++;
    sim->open++;
    if (host->arrived < sim->arrivals.count)
        storm_agenda_add(&sim->agenda, sim->arrivals.at[host->arrived], arrive, host, 0);
    storm_arm_arrive(host->arm, chain);
}

void storm_sim_run_chain(struct storm_sim *sim, const struct storm_care *care, moment_us until)
{
    struct chain_host host = {.host = {now, call, sleep_for, ended}, .sim = sim};
    host.chains = memory_get((sim->arrivals.count + 1) * sizeof *host.chains);
    host.arm = storm_arm_open(care, &host.host, sim->seed);
    if (sim->arrivals.count > 0)
        storm_agenda_add(&sim->agenda, sim->arrivals.at[0], arrive, &host, 0);
    while ((host.arrived < sim->arrivals.count || sim->open > 0) && storm_sim_step(sim, until))
        continue;
    storm_arm_close(host.arm);
    memory_release(host.chains);
}
