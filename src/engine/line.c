/*
 * line.c - who waits for a step, and whose turn it is.
 *
 *   place (a limit) ── rings by class ── lanes by key ── awake:  ▢ ▢ ▢
 *                                                     └─ parked: ▢ ▢ ▢ ▢ ▢ …
 *
 * Without keys and priorities a step has one lane, and this is first in, first out. Lanes take
 * turns, so that one noisy key waits behind itself; classes take turns by their weight, so that
 * none starves (policy/fairness.h). A lane whose breaker is open, or whose rate is spent, is in
 * no ring: it stands at its gate until that has room, and nobody behind it is held up.
 *
 * Why the parked go after those awake: a queue that is no longer than its limit moves fast
 * enough for those in it, and behind a whole outage's backlog nobody would be in time, for as
 * long as that takes to work off. What is left over goes to the parked, and one call in so
 * many, so that a step which always has too much to do forgets nobody.
 *
 * Always: a lane is in its ring exactly while it is LANE_READY; a place's counts are those of
 * its lanes' lines.
 */
#include "base/ensure.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "engine/shard.h"

enum { PARKED_EVERY = 32 };

void line_init(struct live_line *line)
{
    *line = (struct live_line){.end = &line->first};
}

static void add(struct live_line *line, struct live_request *live)
{
    ensure(live->line == NULL);
    live->line = line;
    live->next_in_line = NULL;
    live->previous_in_line = line->end;
    *line->end = live;
    line->end = &live->next_in_line;
    line->count++;
}

static void take_out(struct live_request *live)
{
    struct live_line *line = live->line;
    *live->previous_in_line = live->next_in_line;
    if (live->next_in_line != NULL)
        live->next_in_line->previous_in_line = live->previous_in_line;
    else
        line->end = live->previous_in_line;
    ensure(line->count > 0);
    line->count--;
    live->line = NULL;
    live->next_in_line = NULL;
    live->previous_in_line = NULL;
}

/* Counts a request of a lane in or out. */
static void count(struct live_request *live, uint32_t change)
{
    struct live_place *place = live->step->place;
    if (live->line == &live->step->starved)
        return;
    place->waiting += change;
    if (live->line == &live->lane->awake)
        place->awake += change;
}

void line_leave(struct live_request *live)
{
    if (live->line == NULL)
        return;
    count(live, UINT32_MAX); /* minus one */
    take_out(live);
}

void line_starve(struct live_request *live)
{
    add(&live->step->starved, live);
}

void line_join(struct live_request *live)
{
    struct live_lane *lane = live->lane;
    bool is_parked = live->request->progress.phase == REQUEST_PARKED;
    add(is_parked ? &lane->parked : &lane->awake, live);
    count(live, 1);
    if (lane->rest == LANE_EMPTY)
        line_set_ready(lane);
}

void line_park(struct live_lane *lane, void (*note)(struct live_request *live))
{
    while (lane->awake.first != NULL) {
        struct live_request *live = lane->awake.first;
        line_leave(live);
        add(&lane->parked, live);
        count(live, 1);
        note(live);
    }
}

void line_set_ready(struct live_lane *lane)
{
    struct live_ring *ring = &lane->step->place->rings[lane->priority];
    lane->rest = LANE_READY;
    lane->next = NULL;
    *ring->end = lane;
    ring->end = &lane->next;
}

struct limit_rule line_limit(const struct live_place *place)
{
    const struct policy_rules *rules = &place->step->step.rules;
    struct limit_rule limit = rules->limit;
    if (rules->adaptive.kind != ADAPTIVE_NONE)
        limit.concurrency = adaptive_limit(&place->adaptive, &rules->adaptive);
    return limit;
}

/* Did the dependency turn the call away because it has too much to do? */
static bool is_dropped(const struct attempt_result *result)
{
    enum { SERVICE_UNAVAILABLE = 503, TRY_AGAIN = 75 };
    if (result->kind == ERROR_KIND_UNAVAILABLE)
        return result->code == SERVICE_UNAVAILABLE || result->code == TRY_AGAIN;
    return result->kind == ERROR_KIND_TIMEOUT || result->kind == ERROR_KIND_THROTTLED;
}

void line_give_place(struct live_place *place, const struct attempt_result *result,
                     int64_t took_us)
{
    const struct adaptive_rule *rule = &place->step->step.rules.adaptive;
    struct adaptive_sample sample = {took_us, place->limit.running,
                                     !result->done && is_dropped(result)};
    limit_leave(&place->limit);
    if (rule->kind != ADAPTIVE_NONE && (result->done || sample.dropped))
        adaptive_record(&place->adaptive, rule, place->step->engine->now, &sample);
}

/* Where the step says for how long an order is of use, who has used less than half of that can
 * wait: it costs him nothing, and those who are late already are not late for ever. */
static bool can_wait(const struct live_request *live)
{
    const struct engine *engine = live->step->engine;
    duration_ms age_max_ms = live->step->step.rules.age_max_ms;
    return engine->now - live->instance->live->began_at < age_max_ms / 2;
}

static struct live_request *first_of(struct live_lane *lane)
{
    if (lane->awake.first == NULL)
        return lane->parked.first;
    if (lane->parked.first != NULL &&
        (++lane->picked % PARKED_EVERY == 0 || can_wait(lane->awake.first)))
        return lane->parked.first;
    return lane->awake.first;
}

static struct live_lane *take_lane(struct live_ring *ring)
{
    struct live_lane *lane = ring->first;
    ring->first = lane->next;
    if (ring->first == NULL)
        ring->end = &ring->first;
    lane->next = NULL;
    lane->rest = LANE_EMPTY;
    return lane;
}

struct live_request *line_next(struct live_place *place)
{
    uint32_t ready = 0;
    for (int i = 0; i < PRIORITY_COUNT; i++)
        ready |= (place->rings[i].first == NULL ? 0u : 1u) << i;
    while (ready != 0) {
        enum priority class = fairness_pick(&place->fairness, ready);
        struct live_request *next = first_of(take_lane(&place->rings[class]));
        if (next != NULL)
            return next;
        if (place->rings[class].first == NULL)
            ready &= ~(1u << class);
    }
    return NULL;
}

void line_return(struct live_lane *lane)
{
    if (lane->rest == LANE_EMPTY && (lane->awake.first != NULL || lane->parked.first != NULL))
        line_set_ready(lane);
}

static void leave_ring(struct live_lane *lane)
{
    struct live_ring *ring = &lane->step->place->rings[lane->priority];
    struct live_lane **at = &ring->first;
    while (*at != lane)
        at = &(*at)->next;
    *at = lane->next;
    if (*at == NULL)
        ring->end = at;
}

void line_move_step(struct live_step *step, struct live_place *place)
{
    if (step->place == place)
        return;
    for (struct live_lane *lane = step->lanes; lane != NULL; lane = lane->next_of_step) {
        uint32_t awake = lane->awake.count;
        uint32_t waiting = awake + lane->parked.count;
        if (lane->rest == LANE_READY)
            leave_ring(lane);
        step->place->awake -= awake;
        step->place->waiting -= waiting;
        place->awake += awake;
        place->waiting += waiting;
    }
    step->place = place;
    for (struct live_lane *lane = step->lanes; lane != NULL; lane = lane->next_of_step) {
        if (lane->rest == LANE_READY)
            line_set_ready(lane);
    }
}

/* The slot's text; empty where there is no slot or it fails, so that a key that cannot be
 * evaluated is one with that of the step. */
static struct span run_slot(const struct expr_slot *slot, const struct expr_frame *frame,
                            struct arena *arena)
{
    if (slot == NULL)
        return SPAN("");
    struct value value = expr_slot_run(slot, frame, arena);
    if (value_is_error(value))
        return SPAN("");
    if (value.kind == VALUE_STRING)
        return arena_copy(arena, value_span(value));
    struct text json;
    text_init(&json, arena);
    json_write(&json, value);
    return text_span(&json);
}

struct lane_words {
    struct span breaker_key;
    struct span rate_key;
    struct span fair_key;
    enum priority priority;
};

static struct lane_words read_words(const struct live_request *live, struct arena *arena)
{
    const struct step *step = &live->step->step;
    struct value slots[POLICY_VARIABLE_COUNT];
    struct configuration configuration;
    struct lane_words words = {.priority = PRIORITY_NORMAL};
    ensure(instance_decode(live->instance, arena, &configuration) == STATUS_OK);
    const struct invocation *invocation =
        configuration_find_invocation(&configuration, live->number);
    ensure(invocation != NULL);
    slots[POLICY_VARIABLE_INPUT] =
        live->compensation == NULL ? invocation->input : compensation_input(live, arena);
    slots[POLICY_VARIABLE_CONTEXT] = configuration.context;
    slots[POLICY_VARIABLE_INSTANCE] = value_string(instance_id(live->instance));
    struct expr_frame frame = {.slots = slots, .slot_count = POLICY_VARIABLE_COUNT};
    words.breaker_key = run_slot(step->breaker_key, &frame, arena);
    words.rate_key = run_slot(step->rate_key, &frame, arena);
    words.fair_key = run_slot(step->fair_key, &frame, arena);
    priority_find(run_slot(step->priority, &frame, arena), &words.priority);
    return words;
}

static struct live_lane *add_lane(struct live_step *step, struct span key,
                                  const struct lane_words *words)
{
    struct live_lane *lane = memory_get(sizeof *lane);
    lane->step = step;
    lane->priority = words->priority;
    lane->key = memory_copy_text(key);
    lane->breaker_gate = gate_find(step, words->breaker_key);
    lane->rate_gate = gate_find(step, words->rate_key);
    line_init(&lane->awake);
    line_init(&lane->parked);
    lane->next_of_step = step->lanes;
    step->lanes = lane;
    table_add(&step->lane_table, span_of(lane->key, key.size), lane);
    return lane;
}

static struct live_lane *find_lane(struct live_step *step, const struct lane_words *words,
                                   struct text *key)
{
    text_format(key, "%d|%zu|%.*s|%zu|%.*s|%.*s", (int)words->priority, words->breaker_key.size,
                SPAN_ARGS(words->breaker_key), words->rate_key.size, SPAN_ARGS(words->rate_key),
                SPAN_ARGS(words->fair_key));
    struct live_lane *lane = table_find(&step->lane_table, text_span(key));
    if (lane != NULL)
        return lane;
    if (step->lane_table.count < POLICY_KEYS_MAX)
        return add_lane(step, text_span(key), words);
    static const struct lane_words shared = {.priority = PRIORITY_NORMAL};
    lane = table_find(&step->lane_table, SPAN("shared"));
    return lane != NULL ? lane : add_lane(step, SPAN("shared"), &shared);
}

struct live_lane *line_find_lane(struct live_request *live)
{
    struct live_step *step = live->step;
    const struct step *rules = &step->step;
    struct lane_words words = {.priority = PRIORITY_NORMAL};
    struct arena *arena = &step->engine->turn_arena;
    struct text key;
    bool is_plain = rules->breaker_key == NULL && rules->rate_key == NULL &&
                    rules->fair_key == NULL && rules->priority == NULL;
    if (is_plain && step->plain_lane != NULL)
        return step->plain_lane;
    arena_clear(arena);
    if (!is_plain)
        words = read_words(live, arena);
    text_init(&key, NULL);
    struct live_lane *lane = find_lane(step, &words, &key);
    text_fini(&key);
    if (is_plain)
        step->plain_lane = lane;
    return lane;
}

/* When the first in the lane began to wait, INSTANT_NEVER when nobody stands still in it. Who
 * is parked in a lane that goes on is passed by newcomers, so it is no delay of theirs. */
static instant_ms standing_since(const struct live_lane *lane)
{
    const struct live_step *step = lane->step;
    bool is_stopped = lane->rest == LANE_STOPPED;
    const struct live_gate *gate =
        lane->stopped_by == GATE_SPENT ? lane->rate_gate : lane->breaker_gate;
    if (is_stopped && gate != &step->gate)
        return INSTANT_NEVER;
    if (lane->awake.first != NULL)
        return lane->awake.first->queued_at;
    return is_stopped && lane->parked.first != NULL
               ? lane->parked.first->request->progress.since
               : INSTANT_NEVER;
}

duration_ms line_delay_ms(const struct live_step *step)
{
    duration_ms least = -1;
    for (const struct live_lane *lane = step->lanes; lane != NULL; lane = lane->next_of_step) {
        instant_ms since = standing_since(lane);
        if (since != INSTANT_NEVER && (least < 0 || step->engine->now - since < least))
            least = step->engine->now - since;
    }
    return least < 0 ? 0 : least;
}

void line_fini(struct live_step *step)
{
    while (step->lanes != NULL) {
        struct live_lane *lane = step->lanes;
        step->lanes = lane->next_of_step;
        memory_release(lane->key);
        memory_release(lane);
    }
    table_fini(&step->lane_table);
}
