/*
 * il_crowd.c - very many instances of one machine.
 *
 *     states   for each instance the sets of its active and remembered states, each in 1, 2, 4
 *              or 8 bytes, or in several times 8
 *     rests    for each that has more than states (a context, timers, an end) the whole of it,
 *              but for those words, in a piece of memory of its own; else NULL
 *     hand     one instance, taken out of the crowd: whoever asks for more than a move
 *
 * An event that only moves states changes their words where they are. Any other is sent to the
 * instance in the hand, which is put back before anybody looks at the crowd again.
 *
 * Always: an instance that is not active has only zeros in `states`; one that was never started
 * has no rest either. Of the instance in the hand, `states` and `rests` may be out of date.
 */
#include "base/ensure.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "embed/il_instance.h"
#include "embed/il_machine.h"

enum { SCRATCH_BYTES = 1 << 20 };

#define NOBODY SIZE_MAX

/* A type of event that is sent to members of the crowd. */
struct crowd_event {
    char *type;
    struct event empty; /* without a payload */
    uint32_t id;        /* of the machine */
    bool enters_empty;  /* it may come in without a payload */
};

struct il_crowd {
    const il_machine *owner;
    const struct machine *machine;
    size_t count;
    size_t words; /* of one instance */
    size_t width; /* bytes of each */
    void *states;
    uint64_t *now;                     /* the words of one instance */
    struct kept_configuration **rests; /* NULL: nobody has one */
    size_t rest_bytes;
    struct configuration bare; /* of those that have none */

    struct crowd_event *events;
    uint32_t event_count;
    uint32_t event_capacity;

    il_instance *hand;
    size_t hand_index; /* whose it is; or NOBODY */
    void *hand_memory;

    struct step_light *light;
    struct arena lasting;
    struct arena scratch;
    void *scratch_memory;
    il_outcome outcome; /* of the last step */
    bool changed;
};

/* Narrow words make a crowd that fits into the processor's caches. */
static size_t width_of(const struct machine *machine)
{
    if (machine->state_count <= 8)
        return 1;
    if (machine->state_count <= 16)
        return 2;
    return machine->state_count <= 32 ? 4 : 8;
}

/* Reads the words of an instance into `now`. */
static inline void read_states(il_crowd *crowd, size_t index)
{
    size_t first = index * crowd->words;
    for (size_t i = 0; i < crowd->words; i++) {
        if (crowd->width == 1)
            crowd->now[i] = ((const uint8_t *)crowd->states)[first + i];
        else if (crowd->width == 2)
            crowd->now[i] = ((const uint16_t *)crowd->states)[first + i];
        else if (crowd->width == 4)
            crowd->now[i] = ((const uint32_t *)crowd->states)[first + i];
        else
            crowd->now[i] = ((const uint64_t *)crowd->states)[first + i];
    }
}

static inline void write_states(il_crowd *crowd, size_t index)
{
    size_t first = index * crowd->words;
    for (size_t i = 0; i < crowd->words; i++) {
        if (crowd->width == 1)
            ((uint8_t *)crowd->states)[first + i] = (uint8_t)crowd->now[i];
        else if (crowd->width == 2)
            ((uint16_t *)crowd->states)[first + i] = (uint16_t)crowd->now[i];
        else if (crowd->width == 4)
            ((uint32_t *)crowd->states)[first + i] = (uint32_t)crowd->now[i];
        else
            ((uint64_t *)crowd->states)[first + i] = crowd->now[i];
    }
}

static const struct kept_configuration *rest_of(const il_crowd *crowd, size_t index)
{
    return crowd->rests == NULL ? NULL : crowd->rests[index];
}

static bool is_bare(const il_crowd *crowd, const struct configuration *now)
{
    return now->status == INSTANCE_ACTIVE && now->next_number == crowd->bare.next_number &&
           now->timer_count == 0 && now->invocation_count == 0 && now->context.count == 0 &&
           span_equal(now->session, crowd->bare.session);
}

static void set_rest(il_crowd *crowd, size_t index, struct kept_configuration *rest)
{
    if (rest == NULL && crowd->rests == NULL)
        return;
    if (crowd->rests == NULL)
        crowd->rests = memory_get(crowd->count * sizeof(struct kept_configuration *));
    struct kept_configuration *old = crowd->rests[index];
    crowd->rest_bytes -= old == NULL ? 0 : old->bytes;
    crowd->rest_bytes += rest == NULL ? 0 : rest->bytes;
    crowd->rests[index] = rest;
    memory_release(old);
}

/* Puts back what is in the hand. */
static void put_back(il_crowd *crowd)
{
    const struct machine *machine = crowd->machine;
    const struct configuration *now = il_instance_now(crowd->hand);
    for (size_t i = 0; i < crowd->words; i++) {
        uint64_t word =
            i < machine->word_count ? now->active[i] : now->memory[i - machine->word_count];
        crowd->now[i] = now->status == INSTANCE_ACTIVE ? word : 0;
    }
    write_states(crowd, crowd->hand_index);
    bool has_rest = !is_bare(crowd, now);
    set_rest(crowd, crowd->hand_index, has_rest ? il_instance_keep(crowd->hand) : NULL);
    crowd->hand_index = NOBODY;
}

/* Takes an instance into the hand, where it may be already. */
static il_status take_out(il_crowd *crowd, size_t index)
{
    if (crowd->hand_index == index)
        return IL_OK;
    if (crowd->hand_index != NOBODY)
        put_back(crowd);
    const struct kept_configuration *rest = rest_of(crowd, index);
    struct configuration whole = rest == NULL ? crowd->bare : rest->configuration;
    read_states(crowd, index);
    if (rest == NULL && crowd->now[0] == 0)
        return IL_NOT_FOUND;
    if (whole.status == INSTANCE_ACTIVE) {
        whole.active = crowd->now;
        whole.memory = crowd->now + crowd->machine->word_count;
    }
    il_status status = il_instance_adopt(crowd->owner, &whole, crowd->hand_memory,
                                         IL_INSTANCE_BYTES, &crowd->hand);
    if (status == IL_OK)
        crowd->hand_index = index;
    return status;
}

static il_status note_hand(il_crowd *crowd, il_status status)
{
    if (status == IL_OK) {
        crowd->outcome = il_instance_outcome(crowd->hand);
        crowd->changed = il_instance_changed(crowd->hand);
    }
    return status;
}

il_status il_crowd_open(const il_machine *machine, size_t count, il_crowd **opened)
{
    if (machine == NULL || count == 0 || opened == NULL)
        return IL_MISUSE;
    size_t words = machine_state_words(machine->machine);
    if (count > SIZE_MAX / 2 / sizeof(uint64_t) / words)
        return IL_NO_SPACE;
    struct il_crowd *crowd = memory_get(sizeof *crowd);
    crowd->owner = machine;
    crowd->machine = machine->machine;
    crowd->count = count;
    crowd->words = words;
    crowd->width = width_of(crowd->machine);
    crowd->states = memory_get(count * words * crowd->width);
    crowd->now = memory_get(words * sizeof *crowd->now);
    crowd->hand_index = NOBODY;
    crowd->hand_memory = memory_get(IL_INSTANCE_BYTES);
    crowd->scratch_memory = memory_get(SCRATCH_BYTES);
    bool is_scxml = crowd->machine->semantics == SEMANTICS_SCXML;
    crowd->bare = (struct configuration){.machine = crowd->machine,
                                         .next_number = 1,
                                         .context = value_map(NULL, 0),
                                         .session = SPAN("")};
    if (is_scxml)
        crowd->bare.session = crowd->machine->id;
    arena_open(&crowd->lasting, DEFINITION_ARENA_BYTES);
    arena_init(&crowd->scratch, crowd->scratch_memory, SCRATCH_BYTES);
    crowd->light = step_light_make(crowd->machine, &crowd->lasting, &crowd->scratch);
    *opened = crowd;
    return IL_OK;
}

void il_crowd_close(il_crowd *crowd)
{
    if (crowd == NULL)
        return;
    for (size_t i = 0; crowd->rests != NULL && i < crowd->count; i++)
        memory_release(crowd->rests[i]);
    for (uint32_t i = 0; i < crowd->event_count; i++)
        memory_release(crowd->events[i].type);
    arena_close(&crowd->lasting);
    memory_release(crowd->rests);
    memory_release(crowd->events);
    memory_release(crowd->states);
    memory_release(crowd->now);
    memory_release(crowd->hand_memory);
    memory_release(crowd->scratch_memory);
    memory_release(crowd);
}

il_status il_crowd_start(il_crowd *crowd, size_t index, const char *input_json, int64_t now_ms)
{
    if (crowd == NULL || index >= crowd->count)
        return IL_MISUSE;
    if (crowd->hand_index != NOBODY)
        put_back(crowd);
    il_status status = il_instance_start(crowd->owner, input_json, now_ms, crowd->hand_memory,
                                         IL_INSTANCE_BYTES, &crowd->hand);
    if (status == IL_OK)
        crowd->hand_index = index;
    return note_hand(crowd, status);
}

static uint32_t find_event(const il_crowd *crowd, struct span type)
{
    for (uint32_t i = 0; i < crowd->event_count; i++) {
        if (span_equal(crowd->events[i].empty.type, type))
            return i;
    }
    return NO_INDEX;
}

/* Whether the machine lets the event in; jumps to the guard of scratch. */
static bool passes_door(il_crowd *crowd, struct event *event)
{
    struct span problem;
    return door_accepts(crowd->machine, event->type, event->payload, &crowd->scratch,
                        &event->payload, &problem);
}

static struct crowd_event make_event(il_crowd *crowd, struct span type)
{
    struct arena_guard guard;
    struct crowd_event event = {.type = memory_copy_text(type),
                                .id = machine_find_event(crowd->machine, type)};
    event.empty = (struct event){.kind = EVENT_EXTERNAL,
                                 .type = span_of(event.type, type.size),
                                 .payload = value_map(NULL, 0)};
    struct event empty = event.empty;
    if (arena_is_spent(&crowd->scratch, &guard))
        return event; /* it is looked at again when it comes */
    bool enters = passes_door(crowd, &empty);
    arena_release_guard(&crowd->scratch, &guard);
    arena_clear(&crowd->scratch);
    event.enters_empty = enters;
    return event;
}

il_status il_crowd_event(il_crowd *crowd, const char *type, uint32_t *event)
{
    if (crowd == NULL || type == NULL || event == NULL)
        return IL_MISUSE;
    struct span name = span_from_text(type);
    if (name.size == 0 || name.size > EVENT_TYPE_BYTES_MAX || !span_is_utf8(name))
        return IL_INVALID;
    uint32_t found = find_event(crowd, name);
    if (found == NO_INDEX) {
        if (crowd->event_count == EVENT_TYPES_MAX)
            return IL_NO_SPACE;
        memory_reserve(crowd->events, crowd->event_count, crowd->event_capacity);
        found = crowd->event_count++;
        crowd->events[found] = make_event(crowd, name);
    }
    *event = found;
    return IL_OK;
}

/* The event with its payload; false where the long way has to look at it. */
static bool read_event(il_crowd *crowd, const char *payload_json, struct event *event)
{
    struct arena_guard guard;
    struct json_error error;
    arena_clear(&crowd->scratch);
    if (arena_is_spent(&crowd->scratch, &guard))
        return false;
    bool fine = payload_json == NULL || json_read(span_from_text(payload_json), &crowd->scratch,
                                                  &event->payload, &error) == STATUS_OK;
    fine = fine && event->payload.kind == VALUE_MAP &&
           value_find(event->payload, SPAN("type")) == NULL && passes_door(crowd, event);
    arena_release_guard(&crowd->scratch, &guard);
    return fine;
}

static bool send_lightly(il_crowd *crowd, size_t index, const struct crowd_event *known,
                         const char *payload_json, int64_t now_ms)
{
    struct event full;
    const struct event *event = &known->empty;
    const struct kept_configuration *rest = rest_of(crowd, index);
    if (crowd->scratch.used > 0)
        arena_clear(&crowd->scratch);
    if (payload_json != NULL || !known->enters_empty) {
        full = known->empty;
        event = &full;
        if (!read_event(crowd, payload_json, &full))
            return false;
    }
    read_states(crowd, index);
    uint32_t answer = step_light_run(crowd->light, crowd->now,
                                     rest == NULL ? &crowd->bare : &rest->configuration, event,
                                     known->id, now_ms);
    if (answer == 0)
        return false;
    crowd->changed = (answer & STEP_LIGHT_CHANGED) != 0;
    if (crowd->changed)
        write_states(crowd, index);
    crowd->outcome =
        (answer & STEP_LIGHT_APPLIED) != 0 ? IL_OUTCOME_APPLIED : IL_OUTCOME_IGNORED;
    return true;
}

il_status il_crowd_send(il_crowd *crowd, size_t index, uint32_t event, const char *payload_json,
                        int64_t now_ms)
{
    if (crowd == NULL || index >= crowd->count || event >= crowd->event_count)
        return IL_MISUSE;
    const struct crowd_event *known = &crowd->events[event];
    if (crowd->hand_index != NOBODY)
        put_back(crowd);
    if (send_lightly(crowd, index, known, payload_json, now_ms))
        return IL_OK;
    il_status status = take_out(crowd, index);
    if (status == IL_OK)
        status = il_instance_send(crowd->hand, known->type, payload_json, now_ms);
    return note_hand(crowd, status);
}

il_outcome il_crowd_outcome(const il_crowd *crowd)
{
    return crowd == NULL ? IL_OUTCOME_IGNORED : crowd->outcome;
}

bool il_crowd_changed(const il_crowd *crowd)
{
    return crowd != NULL && crowd->changed;
}

/* What a light step leaves behind is nothing; any other leaves its instance in the hand. */
size_t il_crowd_effect_count(const il_crowd *crowd)
{
    return crowd == NULL || crowd->hand_index == NOBODY ? 0
                                                        : il_instance_effect_count(crowd->hand);
}

il_instance *il_crowd_instance(il_crowd *crowd, size_t index)
{
    if (crowd == NULL || index >= crowd->count || take_out(crowd, index) != IL_OK)
        return NULL;
    return crowd->hand;
}

uint32_t il_crowd_state(const il_crowd *crowd, const char *state)
{
    return crowd == NULL || state == NULL
               ? IL_NO_STATE
               : machine_find_state(crowd->machine, span_from_text(state));
}

bool il_crowd_is_in(il_crowd *crowd, size_t index, uint32_t state)
{
    if (crowd == NULL || index >= crowd->count || state >= crowd->machine->state_count)
        return false;
    if (crowd->hand_index != NOBODY)
        put_back(crowd);
    const struct kept_configuration *rest = rest_of(crowd, index);
    const uint64_t *states = crowd->now;
    read_states(crowd, index);
    if (rest != NULL && rest->configuration.status != INSTANCE_ACTIVE)
        states = rest->configuration.active;
    return states[state / 64] >> state % 64 & 1;
}

size_t il_crowd_bytes(il_crowd *crowd)
{
    if (crowd == NULL)
        return 0;
    if (crowd->hand_index != NOBODY)
        put_back(crowd);
    size_t rests =
        crowd->rests == NULL ? 0 : crowd->count * sizeof(struct kept_configuration *);
    return crowd->count * crowd->words * crowd->width + rests + crowd->rest_bytes;
}
