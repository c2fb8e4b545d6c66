/*
 * limit_bench.c - which limit keeps most calls in time, in virtual time: what the default of
 * `limit: adaptive` was chosen by.
 *
 * 450 calls a second come by chance to a dependency of 60 servers, 100 ms a call (lognormal, cv
 * 0.5), with a queue of 1,000 that is served in order and whose work nobody takes back. From 60
 * to 90 s it has 30 % of its servers, from 150 to 160 s none. A call times out after 1 s and is
 * made up to three times, a second chance costs what it costs; what is answered within 5 s of
 * its arrival is good. In front of it stands one limit, with a line that is served in order and
 * gives up what could not be answered in them any more. Time goes in steps of a millisecond.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"
#include "policy/policy.h"

enum {
    END_MS = 220000,
    CALLS_MAX = 120000,
    SENT_MAX = 3 * CALLS_MAX,
    SERVERS = 60,
    QUEUE = 1000,
    TIMEOUT_MS = 1000,
    SLA_MS = 5000
};

struct sent {
    uint32_t call;
    int32_t at;
    bool ended; /* answered, or given up by the client */
    uint32_t next_done;
    uint32_t next_timeout;
};

/* Everything the simulation holds; too large for a stack. */
struct world {
    struct random random;
    struct adaptive_rule rule;
    struct adaptive adaptive;
    uint32_t fixed;
    struct limit limit;
    int32_t arrived[CALLS_MAX];
    uint8_t attempts[CALLS_MAX];
    uint32_t call_count;
    struct sent sent[SENT_MAX];
    uint32_t sent_count;
    uint32_t line[SENT_MAX]; /* calls, in order */
    uint32_t line_first, line_end;
    uint32_t queue[SENT_MAX]; /* of the dependency: sents, in order */
    uint32_t queue_first, queue_end;
    uint32_t busy;
    uint32_t done_at[END_MS + 60000]; /* sents that end then, linked */
    uint32_t timeout_at[END_MS + 60000];
    uint32_t good[4]; /* overall; in the brown-out; before; in the 5 s behind it */
    uint32_t offered[4];
};

static double normal(struct random *random)
{
    double u = 1 - random_unit(random);
    return sqrt(-2 * log(u)) * cos(2 * 3.14159265358979 * random_unit(random));
}

/* Mean 100 ms, cv 0.5. */
static int32_t service_ms(struct random *random)
{
    double sigma = sqrt(log(1.25));
    return (int32_t)(exp(log(100) - sigma * sigma / 2 + sigma * normal(random)) + 0.5) + 1;
}

static uint32_t servers_at(int32_t now)
{
    if (now >= 150000 && now < 160000)
        return 0;
    return now >= 60000 && now < 90000 ? SERVERS * 3 / 10 : SERVERS;
}

static uint32_t places(const struct world *world)
{
    return world->fixed > 0 ? world->fixed : adaptive_limit(&world->adaptive, &world->rule);
}

static void count(uint32_t counts[4], int32_t arrived)
{
    counts[0]++;
    counts[1] += arrived >= 60000 && arrived < 90000 ? 1 : 0;
    counts[2] += arrived < 60000 ? 1 : 0;
    counts[3] += arrived >= 90000 && arrived < 95000 ? 1 : 0;
}

static void end_sent(struct world *world, struct sent *sent, int32_t now, bool dropped)
{
    struct adaptive_sample sample = {(int64_t)(now - sent->at) * 1000, world->limit.running,
                                     dropped};
    sent->ended = true;
    limit_leave(&world->limit);
    if (world->fixed == 0)
        adaptive_record(&world->adaptive, &world->rule, now, &sample);
    if (!dropped) {
        if (now - world->arrived[sent->call] <= SLA_MS)
            count(world->good, world->arrived[sent->call]);
    } else if (world->attempts[sent->call] < 3) {
        world->line[world->line_end++] = sent->call;
    }
}

static void send_calls(struct world *world, int32_t now)
{
    struct limit_rule rule = {places(world), 0};
    while (world->line_first < world->line_end) {
        uint32_t call = world->line[world->line_first];
        if (now - world->arrived[call] > SLA_MS - TIMEOUT_MS) {
            world->line_first++;
            continue;
        }
        if (limit_enter(&world->limit, &rule) != LIMIT_GO)
            return;
        world->line_first++;
        world->attempts[call]++;
        ensure(world->sent_count < SENT_MAX - 1);
        uint32_t index = ++world->sent_count;
        struct sent *sent = &world->sent[index];
        *sent = (struct sent){.call = call, .at = now};
        if (world->queue_end - world->queue_first >= QUEUE) {
            end_sent(world, sent, now, true);
            continue;
        }
        world->queue[world->queue_end++] = index;
        sent->next_timeout = world->timeout_at[now + TIMEOUT_MS];
        world->timeout_at[now + TIMEOUT_MS] = index;
    }
}

static void serve(struct world *world, int32_t now)
{
    while (world->busy < servers_at(now) && world->queue_first < world->queue_end) {
        uint32_t index = world->queue[world->queue_first++];
        int32_t done = now + service_ms(&world->random);
        world->busy++;
        world->sent[index].next_done = world->done_at[done];
        world->done_at[done] = index;
    }
}

static void arrive(struct world *world, int32_t now)
{
    double left = exp(-0.45); /* Poisson: uniforms multiplied until they are below this */
    double product = random_unit(&world->random);
    while (product > left && world->call_count < CALLS_MAX && now < END_MS - 10000) {
        world->arrived[world->call_count] = now;
        count(world->offered, now);
        world->line[world->line_end++] = world->call_count++;
        product *= random_unit(&world->random);
    }
}

static void run(struct world *world)
{
    for (int32_t now = 0; now < END_MS; now++) {
        for (uint32_t i = world->done_at[now]; i != 0; i = world->sent[i].next_done) {
            world->busy--;
            if (!world->sent[i].ended)
                end_sent(world, &world->sent[i], now, false);
        }
        for (uint32_t i = world->timeout_at[now]; i != 0; i = world->sent[i].next_timeout) {
            if (!world->sent[i].ended)
                end_sent(world, &world->sent[i], now, true);
        }
        arrive(world, now);
        send_calls(world, now);
        serve(world, now);
    }
}

static double percent(uint32_t part, uint32_t whole)
{
    return whole == 0 ? 0 : 100.0 * part / whole;
}

static void measure(const char *name, enum adaptive_kind kind, uint32_t fixed)
{
    enum { SEEDS = 3 };
    uint32_t good[4] = {0};
    uint32_t offered[4] = {0};
    uint32_t calls = 0;
    uint32_t sent = 0;
    double least = 1e9;
    double most = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct world *world = calloc(1, sizeof *world);
        ensure(world != NULL);
        world->random.state = seed;
        world->fixed = fixed;
        world->rule = (struct adaptive_rule){kind, 64, 4, 1000};
        adaptive_init(&world->adaptive, &world->rule);
        run(world);
        for (int i = 0; i < 4; i++) {
            good[i] += world->good[i];
            offered[i] += world->offered[i];
        }
        calls += world->call_count;
        sent += world->sent_count;
        double share = percent(world->good[0], world->offered[0]);
        least = share < least ? share : least;
        most = share > most ? share : most;
        free(world);
    }
    printf("%-14s %6.2f (%5.2f to %5.2f) %8.1f %10.1f %10.1f %9.2f\n", name,
           percent(good[0], offered[0]), least, most, percent(good[1], offered[1]),
           percent(good[2], offered[2]), percent(good[3], offered[3]), (double)sent / calls);
}

int main(void)
{
    printf("%-14s %24s %8s %10s %10s %9s\n", "% in time", "overall (3 seeds)", "brown-out",
           "before it", "5 s after", "calls");
    measure("no limit", ADAPTIVE_NONE, 1000000);
    measure("fixed, 64", ADAPTIVE_NONE, 64);
    measure("fixed, 180", ADAPTIVE_NONE, 180);
    measure("fixed, 500", ADAPTIVE_NONE, 500);
    measure("aimd", ADAPTIVE_AIMD, 0);
    measure("vegas", ADAPTIVE_VEGAS, 0);
    measure("gradient", ADAPTIVE_GRADIENT, 0);
    return 0;
}
