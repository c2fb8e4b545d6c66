/*
 * storm_world.c - services with faults by the clock, keys, and a ledger.
 *
 * Always: a service's settings are those of the scenario with all faults of the moment laid
 * over them in the order written.
 */
#include "storm_world.h"

#include "base/ensure.h"
#include "base/memory.h"

/* Set of numbers that are not 0: open addressing, grows at half full. */
struct number_set {
    uint64_t *slots;
    size_t count;
    size_t capacity;
};

struct storm_world {
    struct storm_scenario scenario;
    struct shop_service services[STORM_SERVICE_COUNT];
    double shards[STORM_SERVICE_COUNT]; /* the share of orders that is refused */
    moment_us next_change;
    struct number_set keys;     /* that have acted */
    struct number_set refunded; /* orders, by number + 1 */
    FILE *ledger;
};

#define OUTCOME_NAME(name, text, status) text,
static const char *const outcome_names[] = {STORM_OUTCOME_LIST(OUTCOME_NAME)};
#undef OUTCOME_NAME
#define OUTCOME_STATUS(name, text, status) status,
static const int outcome_statuses[] = {STORM_OUTCOME_LIST(OUTCOME_STATUS)};
#undef OUTCOME_STATUS

int storm_outcome_status(enum storm_outcome outcome)
{
    return outcome_statuses[outcome];
}

/* Sets */

static bool set_place(struct number_set *set, uint64_t number)
{
    size_t i = (size_t)(number * 0x9e3779b97f4a7c15u >> 20) & (set->capacity - 1);
    while (set->slots[i] != 0 && set->slots[i] != number)
        i = (i + 1) & (set->capacity - 1);
    bool is_new = set->slots[i] == 0;
    set->slots[i] = number;
    return is_new;
}

static void set_grow(struct number_set *set)
{
    struct number_set grown = {.capacity = set->capacity == 0 ? 1024 : 2 * set->capacity,
                               .count = set->count};
    grown.slots = memory_get(grown.capacity * sizeof *grown.slots);
    for (size_t i = 0; i < set->capacity; i++) {
        if (set->slots[i] != 0)
            set_place(&grown, set->slots[i]);
    }
    memory_release(set->slots);
    *set = grown;
}

/* True when it was not there. */
static bool set_add(struct number_set *set, uint64_t number)
{
    ensure(number != 0);
    if (2 * set->count >= set->capacity)
        set_grow(set);
    bool is_new = set_place(set, number);
    set->count += is_new;
    return is_new;
}

static bool set_has(const struct number_set *set, uint64_t number)
{
    if (set->capacity == 0)
        return false;
    size_t i = (size_t)(number * 0x9e3779b97f4a7c15u >> 20) & (set->capacity - 1);
    while (set->slots[i] != 0 && set->slots[i] != number)
        i = (i + 1) & (set->capacity - 1);
    return set->slots[i] == number;
}

/* Faults */

static bool lay_over(struct storm_world *world, enum storm_service service,
                     const char *settings)
{
    double percent;
    if (sscanf(settings, "shard=%lf%%", &percent) == 1) {
        world->shards[service] = percent / 100;
        return true;
    }
    return shop_service_set_all(&world->services[service], span_from_text(settings));
}

static void restore(struct storm_world *world)
{
    struct shop_service plain;
    shop_service_init(&plain, 0);
    for (int i = 0; i < STORM_SERVICE_COUNT; i++) {
        world->services[i].settings = plain.settings;
        world->shards[i] = 0;
        if (world->scenario.settings[i][0] != '\0')
            ensure(lay_over(world, (enum storm_service)i, world->scenario.settings[i]));
    }
}

static void apply_faults(struct storm_world *world, moment_us now)
{
    restore(world);
    world->next_change = MOMENT_NEVER;
    for (size_t i = 0; i < world->scenario.fault_count; i++) {
        const struct storm_fault *fault = &world->scenario.faults[i];
        if (now >= fault->from && now < fault->to)
            ensure(lay_over(world, fault->service, fault->settings));
        if (now < fault->from && fault->from < world->next_change)
            world->next_change = fault->from;
        if (now < fault->to && fault->to < world->next_change)
            world->next_change = fault->to;
    }
}

static void advance(struct storm_world *world, moment_us now)
{
    if (now >= world->next_change)
        apply_faults(world, now);
}

/* Life */

struct storm_world *storm_world_open(const struct storm_scenario *scenario, uint64_t seed,
                                     FILE *ledger)
{
    struct storm_world *world = memory_get(sizeof *world);
    world->scenario = *scenario;
    world->ledger = ledger;
    for (int i = 0; i < STORM_SERVICE_COUNT; i++)
        shop_service_init(&world->services[i], seed * STORM_SERVICE_COUNT + (uint64_t)i);
    apply_faults(world, 0);
    return world;
}

void storm_world_close(struct storm_world *world)
{
    for (int i = 0; i < STORM_SERVICE_COUNT; i++)
        shop_service_fini(&world->services[i]);
    memory_release(world->keys.slots);
    memory_release(world->refunded.slots);
    memory_release(world);
}

/* Requests */

static void note(const struct storm_world *world, const struct storm_request *request,
                 moment_us now)
{
    if (world->ledger != NULL)
        fprintf(world->ledger, "%s,%u,%lld,%lld,%s\n", storm_service_name(request->service),
                request->order, (long long)request->came, (long long)now,
                outcome_names[request->outcome]);
}

static bool is_sharded_out(const struct storm_world *world, const struct storm_request *request)
{
    uint32_t place = request->order * 2654435761u >> 16;
    return (double)place < world->shards[request->service] * 65536;
}

/* What acting comes to. */
static enum storm_outcome act(struct storm_world *world, const struct storm_request *request)
{
    uint64_t order = (uint64_t)request->order + 1;
    if (request->service == STORM_PAYMENT && set_has(&world->refunded, order))
        return STORM_OUTCOME_CANCELLED;
    if (request->key != 0 && !set_add(&world->keys, request->key))
        return STORM_OUTCOME_REPEATED;
    if (request->service == STORM_REFUND && !set_add(&world->refunded, order))
        return STORM_OUTCOME_REPEATED;
    return STORM_OUTCOME_ACTED;
}

static enum storm_outcome decide(struct storm_world *world, const struct storm_request *request)
{
    if (is_sharded_out(world, request))
        return STORM_OUTCOME_FAILED;
    switch (request->job.fate) {
    case SHOP_FATE_ANSWER:
        return act(world, request);
    case SHOP_FATE_FAIL:
        return STORM_OUTCOME_FAILED;
    case SHOP_FATE_ACT_FAIL:
        return act(world, request) == STORM_OUTCOME_ACTED ? STORM_OUTCOME_ACTED_FAILED
                                                          : STORM_OUTCOME_FAILED;
    case SHOP_FATE_HANG:
        return STORM_OUTCOME_HUNG;
    case SHOP_FATE_ACT_HANG:
        return act(world, request) == STORM_OUTCOME_ACTED ? STORM_OUTCOME_ACTED_HUNG
                                                          : STORM_OUTCOME_HUNG;
    }
    never();
}

bool storm_world_offer(struct storm_world *world, struct storm_request *request, moment_us now)
{
    advance(world, now);
    request->came = now;
    if (shop_service_offer(&world->services[request->service], &request->job, now) ==
        SHOP_ADMITTED)
        return true;
    request->outcome = STORM_OUTCOME_BUSY;
    note(world, request, now);
    return false;
}

/* A hanging job comes twice: when it acts, and when it is over. */
static struct storm_request *take_from(struct storm_world *world, struct shop_service *service,
                                       moment_us now)
{
    struct shop_job *job;
    while ((job = shop_service_take(service, now)) != NULL) {
        struct storm_request *request = (struct storm_request *)job;
        if (!job->is_held || !job->is_through) {
            request->outcome = decide(world, request);
            note(world, request, now);
        }
        if (job->is_through)
            return request;
    }
    return NULL;
}

struct storm_request *storm_world_take(struct storm_world *world, moment_us now)
{
    advance(world, now);
    for (int i = 0; i < STORM_SERVICE_COUNT; i++) {
        struct storm_request *request = take_from(world, &world->services[i], now);
        if (request != NULL)
            return request;
    }
    return NULL;
}

moment_us storm_world_due(const struct storm_world *world)
{
    moment_us due = world->next_change;
    for (int i = 0; i < STORM_SERVICE_COUNT; i++) {
        moment_us service_due = shop_service_due(&world->services[i]);
        if (service_due < due)
            due = service_due;
    }
    return due;
}
