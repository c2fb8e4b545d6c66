/*
 * storm_sim.c - the storm in virtual time: minutes of it in a second.
 *
 *     storm_sim SCENARIO ARM [--seed N] [--definition FILE] [--arrivals FILE]
 *               [--results FILE] [--ledger FILE]
 *
 * The services are those of the real run, and so is the code of the arms; the arm `interlock`
 * is the engine itself on a virtual loop. What is missing is the network, the kernel, the disk
 * and everybody else on the machine.
 */
#include "storm_sim.h"

#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"
#include "base/memory.h"
#include "storm_chain.h"
#include "storm_options.h"

enum { SETTLE_SECONDS = 60, EXIT_USAGE = 2, EXIT_ENVIRONMENT = 3 };

struct storm_sim_call {
    struct storm_request request; /* first: the world hands this back */
    struct storm_sim_call *next;  /* of all that are under way */
    struct storm_sim_call **previous;
    storm_sim_told *told; /* NULL: nobody waits any more */
    void *context;
};

static void release_call(struct storm_sim_call *call)
{
    *call->previous = call->next;
    if (call->next != NULL)
        call->next->previous = call->previous;
    memory_release(call);
}

static void answer(struct storm_sim_call *call)
{
    if (call->told != NULL)
        call->told(call->context, call->request.outcome);
    release_call(call);
}

static void answer_busy(void *context, uint32_t turn)
{
    (void)turn;
    answer(context);
}

struct storm_sim_call *storm_sim_ask(struct storm_sim *sim, enum storm_service service,
                                     uint32_t order, uint64_t key, storm_sim_told *told,
                                     void *context)
{
    struct storm_sim_call *call = memory_get(sizeof *call);
    *call = (struct storm_sim_call){.request = {.service = service, .order = order, .key = key},
                                    .next = sim->calls,
                                    .previous = &sim->calls,
                                    .told = told,
                                    .context = context};
    if (sim->calls != NULL)
        sim->calls->previous = &call->next;
    sim->calls = call;
    if (!storm_world_offer(sim->world, &call->request, sim->now))
        storm_agenda_add(&sim->agenda, sim->now, answer_busy, call, 0);
    return call;
}

void storm_sim_forget(struct storm_sim_call *call)
{
    if (call != NULL)
        call->told = NULL;
}

bool storm_sim_step(struct storm_sim *sim, moment_us until)
{
    moment_us listed = storm_agenda_due(&sim->agenda);
    moment_us served = storm_world_due(sim->world);
    moment_us next = listed < served ? listed : served;
    if (next >= until)
        return false;
    ensure(next >= sim->now);
    sim->now = next;
    if (listed <= served) {
        storm_agenda_do_next(&sim->agenda);
        return true;
    }
    struct storm_request *request = storm_world_take(sim->world, sim->now);
    if (request != NULL)
        answer((struct storm_sim_call *)request);
    return true;
}

void storm_sim_end_order(struct storm_sim *sim, uint32_t order, moment_us intended,
                         bool is_done)
{
    ensure(sim->open > 0);
    sim->open--;
    if (sim->results != NULL)
        storm_result_write(sim->results, order, intended, sim->now, is_done);
}

/* The program */

struct arguments {
    const char *scenario;
    const char *arm;
    const char *definition;
    const char *arrivals;
    const char *results;
    const char *ledger;
    int64_t seed;
};

static bool read_arguments(struct arguments *arguments, int count, char **words)
{
    *arguments = (struct arguments){.seed = 1, .definition = "examples/storm/order.yaml"};
    const struct storm_option options[] = {
        {"seed", .number = &arguments->seed},
        {"definition", .text = &arguments->definition},
        {"arrivals", .text = &arguments->arrivals},
        {"results", .text = &arguments->results},
        {"ledger", .text = &arguments->ledger},
    };
    int first = storm_options_read(options, sizeof options / sizeof *options, count, words);
    if (first < 0 || count - first != 2)
        return false;
    arguments->scenario = words[first];
    arguments->arm = words[first + 1];
    return true;
}

static FILE *open_output(const char *path)
{
    FILE *file = path == NULL ? NULL : fopen(path, "w");
    if (path != NULL && file == NULL) {
        fprintf(stderr, "storm_sim: cannot write %s\n", path);
        exit(EXIT_ENVIRONMENT);
    }
    return file;
}

static void close_output(FILE *file)
{
    if (file != NULL && fclose(file) != 0)
        exit(EXIT_ENVIRONMENT);
}

static void run(const struct arguments *arguments, const struct storm_scenario *scenario)
{
    const struct storm_care *care = storm_care_find(arguments->arm);
    FILE *ledger = open_output(arguments->ledger);
    struct storm_sim sim = {.seed = (uint64_t)arguments->seed,
                            .results = open_output(arguments->results)};
    moment_us until = (moment_us)((scenario->seconds + SETTLE_SECONDS) * 1e6);
    if (arguments->arrivals == NULL)
        storm_arrivals_throw(&sim.arrivals, scenario->rate, scenario->seconds, sim.seed);
    else if (!storm_arrivals_read(&sim.arrivals, arguments->arrivals))
        exit(EXIT_ENVIRONMENT);
    sim.world = storm_world_open(scenario, sim.seed, ledger);
    if (care != NULL)
        storm_sim_run_chain(&sim, care, until);
    else
        storm_sim_run_engine(&sim, arguments->definition, until);
    while (sim.calls != NULL)
        release_call(sim.calls);
    storm_world_close(sim.world);
    storm_agenda_fini(&sim.agenda);
    storm_arrivals_fini(&sim.arrivals);
    close_output(sim.results);
    close_output(ledger);
}

int main(int count, char **texts)
{
    struct arguments arguments;
    struct storm_scenario scenario;
    if (!read_arguments(&arguments, count, texts) ||
        (storm_care_find(arguments.arm) == NULL && strcmp(arguments.arm, "interlock") != 0)) {
        fputs("usage: storm_sim SCENARIO ARM [--seed N] [--definition FILE]\n"
              "                 [--arrivals FILE] [--results FILE] [--ledger FILE]\n",
              stderr);
        return EXIT_USAGE;
    }
    if (!storm_scenario_read(&scenario, arguments.scenario))
        return EXIT_ENVIRONMENT;
    run(&arguments, &scenario);
    return 0;
}
