/*
 * family.c - members, what they send, and the clock they share.
 *
 * Everything goes through one queue: events, results, and under SCXML's rules also what a
 * member sends to itself without a delay. A child that is gone takes nothing any more, and
 * what it sent before still arrives.
 *
 * Always: a child's parent is there; every delivery in the queue owns its memory.
 */
#include "chart/family.h"

#include "base/ensure.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "chart/letter.h"

/* A context that was built within the limit of a step is always smaller than this. */
enum { ARENA_BYTES = 1 << 30 };

struct family_member {
    const struct machine *machine;
    struct arena machine_arena; /* of a child */
    uint32_t parent;
    uint64_t invocation; /* that it is in the parent */
    char *id;            /* of the invocation; NULL for the first */
    char *session;
    struct text snapshot;
    struct text context;
    enum instance_status status;
    instant_ms due; /* of the timer that fires next; INSTANT_NEVER: none */
    uint64_t timer;
};

struct family_delivery {
    struct arena arena; /* of the event */
    uint32_t member;
    struct event event;
    struct family_delivery *next;
};

static struct family_member *member_at(const struct family *family, uint32_t index)
{
    return index < family->member_count ? family->members[index] : NULL;
}

static struct configuration decode(const struct family_member *member, struct arena *arena)
{
    struct configuration configuration;
    enum status status =
        snapshot_read(text_span(&member->snapshot), text_span(&member->context),
                      member->machine, arena, &configuration);
    ensure(status == STATUS_OK);
    return configuration;
}

/* The configuration's values may point into the bytes it was decoded from, so those are
 * replaced only after the new ones are written. */
static void encode(struct family_member *member, const struct configuration *configuration)
{
    struct text snapshot;
    struct text context;
    const struct armed_timer *timer = configuration_next_timer(configuration);
    text_init(&snapshot, NULL);
    text_init(&context, NULL);
    snapshot_write(&snapshot, configuration);
    json_write(&context, configuration->context);
    text_fini(&member->snapshot);
    text_fini(&member->context);
    member->snapshot = snapshot;
    member->context = context;
    member->status = configuration->status;
    member->due = timer == NULL ? INSTANT_NEVER : timer->due;
    member->timer = timer == NULL ? 0 : timer->number;
}

/* Before the first step there must be something to show and to send to, whatever comes. */
static void encode_nothing(struct family_member *member, struct arena *arena)
{
    const struct machine *machine = member->machine;
    size_t words = machine->word_count;
    uint64_t *active = arena_get_zeroed(arena, words * sizeof *active);
    active[0] = 1;
    struct configuration nothing = {
        .machine = machine,
        .status = INSTANCE_ERROR,
        .next_number = 1,
        .active = active,
        .memory = arena_get_zeroed(arena, machine->memory_count * words * sizeof *active),
        .context = value_map(NULL, 0)};
    encode(member, &nothing);
}

static uint32_t add_member(struct family *family, const struct machine *machine,
                           struct span session)
{
    struct family_member *member = memory_get(sizeof *member);
    member->machine = machine;
    member->session = memory_copy_text(session);
    member->parent = NO_INDEX;
    text_init(&member->snapshot, NULL);
    text_init(&member->context, NULL);
    encode_nothing(member, &family->arena);
    memory_reserve(family->members, family->member_count, family->member_capacity);
    family->members[family->member_count++] = member;
    return family->member_count - 1;
}

/* With its children, which nobody would hear any more. */
static void remove_member(struct family *family, uint32_t index)
{
    struct family_member *member = member_at(family, index);
    if (member == NULL)
        return;
    family->members[index] = NULL;
    for (uint32_t i = index + 1; i < family->member_count; i++) {
        if (family->members[i] != NULL && family->members[i]->parent == index)
            remove_member(family, i);
    }
    if (member->id != NULL)
        arena_close(&member->machine_arena);
    text_fini(&member->snapshot);
    text_fini(&member->context);
    memory_release(member->id);
    memory_release(member->session);
    memory_release(member);
}

static uint32_t find_child(const struct family *family, uint32_t parent, uint64_t invocation)
{
    for (uint32_t i = 1; i < family->member_count; i++) {
        const struct family_member *member = family->members[i];
        if (member != NULL && member->parent == parent && member->invocation == invocation)
            return i;
    }
    return NO_INDEX;
}

static uint32_t find_session(const struct family *family, struct span id)
{
    for (uint32_t i = 0; i < family->member_count; i++) {
        if (family->members[i] != NULL && span_is(id, family->members[i]->session))
            return i;
    }
    return NO_INDEX;
}

static void deliver(struct family *family, uint32_t member, const struct event *event)
{
    struct family_delivery *delivery = memory_get(sizeof *delivery);
    arena_open(&delivery->arena, TURN_ARENA_BYTES);
    struct arena *arena = &delivery->arena;
    delivery->member = member;
    delivery->event = *event;
    delivery->event.type = arena_copy(arena, event->type);
    delivery->event.session = arena_copy(arena, event->session);
    delivery->event.invoke_id = arena_copy(arena, event->invoke_id);
    delivery->event.origin = arena_copy(arena, event->origin);
    delivery->event.send_id = arena_copy(arena, event->send_id);
    delivery->event.payload = value_copy(arena, event->payload);
    *family->end = delivery;
    family->end = &delivery->next;
}

/* Takes the first one out of the queue; it is the caller's then. */
static struct family_delivery *take_delivery(struct family *family)
{
    struct family_delivery *delivery = family->first;
    if (delivery == NULL)
        return NULL;
    family->first = delivery->next;
    if (family->first == NULL)
        family->end = &family->first;
    return delivery;
}

static void release_delivery(struct family_delivery *delivery)
{
    arena_close(&delivery->arena);
    memory_release(delivery);
}

static void tell_unreachable(struct family *family, uint32_t index, struct span invoke_id,
                             struct span send_id)
{
    struct event event = letter_unreachable(invoke_id, send_id);
    deliver(family, index, &event);
}

/* To whoever has the session of that id: members know each other's by `_sessionid`. */
static void pass_to_session(struct family *family, uint32_t index, const struct effect *effect,
                            struct span session)
{
    uint32_t to = find_session(family, session);
    struct span from = span_from_text(family->members[index]->session);
    struct event event = letter_across(effect, from, &family->arena);
    if (to == NO_INDEX)
        tell_unreachable(family, index, SPAN(""), effect->send_id);
    else
        deliver(family, to, &event);
}

static void pass_on(struct family *family, uint32_t index, const struct effect *effect)
{
    const struct family_member *member = family->members[index];
    struct span session = SPAN("#_scxml_");
    if (span_starts_with(effect->id, session)) {
        pass_to_session(family, index, effect,
                        span_slice(effect->id, session.size, effect->id.size));
        return;
    }
    bool is_upwards = effect->number == 0;
    uint32_t to = is_upwards ? member->parent : find_child(family, index, effect->number);
    if (to == NO_INDEX) {
        if (is_upwards && member->machine->semantics == SEMANTICS_SCXML)
            tell_unreachable(family, index, SPAN(""), effect->send_id);
        return;
    }
    struct event event = is_upwards
                             ? letter_up(effect, span_from_text(member->id), &family->arena)
                             : letter_down(effect);
    deliver(family, to, &event);
}

static void start_child(struct family *family, uint32_t index, const struct effect *effect)
{
    struct arena arena;
    const struct machine *machine = NULL;
    arena_open(&arena, DEFINITION_ARENA_BYTES);
    enum family_source source = family->host.find(
        family->host.context, family->members[index]->machine, effect->name, &arena, &machine);
    if (source != FAMILY_CHILD) {
        arena_close(&arena);
        if (source == FAMILY_BROKEN)
            tell_unreachable(family, index, effect->id, SPAN(""));
        return;
    }
    struct span session =
        text_print(&family->arena, "%.*s.%u", SPAN_ARGS(machine->id), family->member_count);
    uint32_t child = add_member(family, machine, session);
    struct family_member *member = family->members[child];
    member->machine_arena = arena;
    member->parent = index;
    member->invocation = effect->number;
    member->id = memory_copy_text(effect->id);
    struct event event = {.kind = EVENT_START, .payload = effect->input, .session = session};
    deliver(family, child, &event);
}

static void stop_child(struct family *family, uint32_t index, uint64_t invocation);

/* SCXML: who is not wanted any more leaves its states. Its parent hears nothing from it, but
 * sessions that it knows do. */
static void leave(struct family *family, uint32_t index)
{
    struct plan plan;
    struct event stop = {.kind = EVENT_STOP, .payload = value_map(NULL, 0)};
    const struct family_member *member = family->members[index];
    if (member->status != INSTANCE_ACTIVE || member->machine->semantics != SEMANTICS_SCXML)
        return;
    struct configuration before = decode(member, &family->arena);
    if (step_run(member->machine, &before, &stop, family->now, &family->turn, &plan) !=
        STATUS_OK)
        return;
    for (uint32_t i = 0; i < plan.effect_count; i++) {
        const struct effect *effect = &plan.effects[i];
        if (effect->kind == EFFECT_STOP)
            stop_child(family, index, effect->number);
        if (effect->kind == EFFECT_SEND && span_starts_with(effect->id, SPAN("#_scxml_")))
            pass_on(family, index, effect);
    }
}

static void stop_child(struct family *family, uint32_t index, uint64_t invocation)
{
    uint32_t child = find_child(family, index, invocation);
    if (child == NO_INDEX)
        return;
    leave(family, child);
    remove_member(family, child);
}

static void follow(struct family *family, uint32_t index, const struct effect *effect)
{
    switch (effect->kind) {
    case EFFECT_STOP:
        stop_child(family, index, effect->number);
        return;
    case EFFECT_SEND:
        pass_on(family, index, effect);
        return;
    case EFFECT_INVOKE: /* those were started first */
    case EFFECT_SCHEDULE:
    case EFFECT_CANCEL:
    case EFFECT_ACTION:
    case EFFECT_LOG:
    case EFFECT_EMIT:
        return;
    }
    never();
}

/* What SCXML sends without a delay comes behind what is in the queue already. */
static void queue_due(struct family *family, uint32_t index, uint64_t first_new,
                      const struct configuration *after)
{
    if (after->machine->semantics != SEMANTICS_SCXML)
        return;
    for (uint32_t i = 0; i < after->timer_count; i++) {
        const struct armed_timer *timer = &after->timers[i];
        struct event event = {
            .kind = EVENT_TIMER, .number = timer->number, .payload = value_null()};
        if (timer->number >= first_new && timer->due <= family->now)
            deliver(family, index, &event);
    }
}

/* A child that has come to its end tells its parent, and one that goes on where that listens.
 */
static void tell_parent(struct family *family, uint32_t index,
                        const struct configuration *after)
{
    const struct family_member *member = family->members[index];
    const struct machine *parent = family->members[member->parent]->machine;
    struct span id = span_from_text(member->id);
    struct event event;
    if (after->status != INSTANCE_ACTIVE)
        event = letter_end(after, member->invocation, id);
    else if (!letter_snapshot(parent, after, id, &family->arena, &event))
        return;
    deliver(family, member->parent, &event);
}

/* The plan may point into the member's bytes, so they are replaced last. */
static void settle(struct family *family, uint32_t index, const struct event *event,
                   uint64_t first_new, const struct plan *plan)
{
    bool has_ended = index > 0 && plan->after.status != INSTANCE_ACTIVE;
    if (index == 0)
        family->host.observe(family->host.context, plan, family->now);
    queue_due(family, index, first_new, &plan->after);
    for (uint32_t i = 0; i < plan->effect_count; i++) {
        if (plan->effects[i].kind == EFFECT_INVOKE)
            start_child(family, index, &plan->effects[i]);
    }
    for (uint32_t i = 0; i < plan->effect_count; i++)
        follow(family, index, &plan->effects[i]);
    if (event->kind == EVENT_DONE || event->kind == EVENT_ERROR)
        stop_child(family, index, event->number); /* somebody else may have answered for it */
    if (index > 0)
        tell_parent(family, index, &plan->after);
    encode(family->members[index], &plan->after);
    if (has_ended)
        remove_member(family, index);
}

/* One macrostep. One that needs more memory than there is never happened. */
static void step(struct family *family, uint32_t index, const struct event *event)
{
    struct plan plan;
    struct configuration before = {0};
    const struct family_member *member = family->members[index];
    bool is_start = event->kind == EVENT_START;
    if (!is_start)
        before = decode(member, &family->arena);
    enum status status = step_run(member->machine, is_start ? NULL : &before, event,
                                  family->now, &family->turn, &plan);
    if (status == STATUS_OK && index == 0)
        letter_note_orphans(&plan, &family->arena);
    if (status == STATUS_OK)
        settle(family, index, event, before.next_number, &plan);
    else if (index == 0)
        family->host.observe(family->host.context, NULL, family->now);
    arena_clear(&family->turn);
    arena_clear(&family->arena);
}

/* Until nobody has anything to take. */
static bool come_to_rest(struct family *family, uint32_t *steps)
{
    struct family_delivery *delivery;
    while ((delivery = take_delivery(family)) != NULL) {
        const struct family_member *member = member_at(family, delivery->member);
        bool is_wanted = member != NULL && (member->status == INSTANCE_ACTIVE ||
                                            delivery->event.kind == EVENT_START);
        bool has_budget = *steps < FAMILY_STEPS_MAX;
        if (is_wanted && has_budget) {
            (*steps)++;
            step(family, delivery->member, &delivery->event);
        }
        release_delivery(delivery);
        if (!has_budget)
            return false;
    }
    return true;
}

bool family_open(struct family *family, const struct machine *machine,
                 const struct family_host *host, struct value input)
{
    uint32_t steps = 0;
    *family = (struct family){.host = *host};
    family->end = &family->first;
    arena_open(&family->turn, TURN_ARENA_BYTES);
    arena_open(&family->arena, ARENA_BYTES);
    struct event event = {.kind = EVENT_START, .payload = input};
    deliver(family, add_member(family, machine, machine->id), &event);
    return come_to_rest(family, &steps);
}

void family_close(struct family *family)
{
    struct family_delivery *delivery;
    while ((delivery = take_delivery(family)) != NULL)
        release_delivery(delivery);
    remove_member(family, 0);
    memory_release(family->members);
    arena_close(&family->turn);
    arena_close(&family->arena);
}

bool family_send(struct family *family, const struct event *event)
{
    uint32_t steps = 0;
    step(family, 0, event); /* also after its end: it answers that it takes nothing */
    return come_to_rest(family, &steps);
}

/* The member whose timer fires first, or NO_INDEX: of equals the one that is there longest. */
static uint32_t next_due(const struct family *family)
{
    uint32_t found = NO_INDEX;
    for (uint32_t i = 0; i < family->member_count; i++) {
        const struct family_member *member = family->members[i];
        if (member != NULL && member->due != INSTANT_NEVER &&
            (found == NO_INDEX || member->due < family->members[found]->due))
            found = i;
    }
    return found;
}

bool family_advance(struct family *family, instant_ms until)
{
    uint32_t steps = 0;
    for (;;) {
        uint32_t index = next_due(family);
        if (index == NO_INDEX || family->members[index]->due > until)
            break;
        const struct family_member *member = family->members[index];
        struct event event = {
            .kind = EVENT_TIMER, .number = member->timer, .payload = value_null()};
        if (steps++ >= FAMILY_STEPS_MAX)
            return false;
        family->now = member->due > family->now ? member->due : family->now;
        step(family, index, &event);
        if (!come_to_rest(family, &steps))
            return false;
    }
    if (until != INSTANT_NEVER)
        family->now = until;
    return true;
}

struct configuration family_first(const struct family *family, struct arena *arena)
{
    return decode(family->members[0], arena);
}

enum instance_status family_status(const struct family *family)
{
    return family->members[0]->status;
}
