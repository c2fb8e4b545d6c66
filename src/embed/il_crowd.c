/*
 * il_crowd.c - very many instances of one machine.
 *
 *     numbers  for each instance the number of the place where it stands, in 1, 2 or 4 bytes
 *     places   what those numbers mean, and where events lead from there     crowd_places.c
 *     rests    what it has beside its states                                 crowd_rests.c
 *     hand     one instance, taken out of the crowd: whoever asks for more than a move
 *
 * An event whose move is known changes a number. Another that only moves states is worked out
 * on the words of its place. Any other is sent to the instance in the hand, which is put back
 * before anybody looks at the crowd again.
 *
 * Always: an instance that is not active has the number 0; one that was never started has no
 * rest either. Of the instance in the hand, number and rest may be out of date.
 */
#include <string.h>

#include "base/ensure.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "embed/crowd_places.h"
#include "embed/crowd_rests.h"
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
    size_t words;  /* of one instance's states */
    uint64_t *now; /* … of the one being stepped */
    void *numbers;
    size_t width; /* bytes of each */
    struct crowd_places places;
    struct crowd_rests rests;

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

/* Narrow numbers make a crowd that fits into the processor's caches. */
static inline uint32_t place_of(const il_crowd *crowd, size_t index)
{
    if (crowd->width == 1)
        return ((const uint8_t *)crowd->numbers)[index];
    if (crowd->width == 2)
        return ((const uint16_t *)crowd->numbers)[index];
    return ((const uint32_t *)crowd->numbers)[index];
}

static inline void write_place(il_crowd *crowd, size_t index, uint32_t place)
{
    if (crowd->width == 1)
        ((uint8_t *)crowd->numbers)[index] = (uint8_t)place;
    else if (crowd->width == 2)
        ((uint16_t *)crowd->numbers)[index] = (uint16_t)place;
    else
        ((uint32_t *)crowd->numbers)[index] = place;
}

static void widen(il_crowd *crowd)
{
    struct il_crowd old = *crowd;
    crowd->width *= 2;
    crowd->numbers = memory_get(crowd->count * crowd->width);
    for (size_t i = 0; i < crowd->count; i++)
        write_place(crowd, i, place_of(&old, i));
    memory_release(old.numbers);
}

/* A place that was just found may have a number that is too wide yet. */
static void set_place(il_crowd *crowd, size_t index, uint32_t place)
{
    while (crowd->width < sizeof place && place >> 8 * crowd->width != 0)
        widen(crowd);
    write_place(crowd, index, place);
}

/* Forgets the places where nobody stands any more, when there are too many: more than half of
 * them are, so this is rare. */
static void make_room(il_crowd *crowd)
{
    size_t most = crowd->count * 2;
    if (crowd->places.count < (most < CROWD_PLACES_MIN ? CROWD_PLACES_MIN : most))
        return;
    uint32_t *marks = memory_get(crowd->places.count * sizeof *marks);
    for (size_t i = 0; i < crowd->count; i++)
        marks[place_of(crowd, i)] = 1;
    crowd_places_keep(&crowd->places, marks);
    marks[0] = 0;
    for (size_t i = 0; i < crowd->count; i++)
        write_place(crowd, i, marks[place_of(crowd, i)]);
    memory_release(marks);
}

static void read_states(il_crowd *crowd, size_t index)
{
    memcpy(crowd->now, crowd_places_words(&crowd->places, place_of(crowd, index)),
           crowd->words * sizeof *crowd->now);
}

/* Puts back what is in the hand. */
static void put_back(il_crowd *crowd)
{
    const struct machine *machine = crowd->machine;
    const struct configuration *now = il_instance_now(crowd->hand);
    uint32_t place = 0;
    make_room(crowd);
    if (now->status == INSTANCE_ACTIVE) {
        for (size_t i = 0; i < crowd->words; i++)
            crowd->now[i] =
                i < machine->word_count ? now->active[i] : now->memory[i - machine->word_count];
        place = crowd_places_find(&crowd->places, crowd->now);
    }
    set_place(crowd, crowd->hand_index, place);
    crowd_rests_put(&crowd->rests, crowd->hand_index, crowd->hand);
    crowd->hand_index = NOBODY;
}

/* Takes an instance into the hand, where it may be already. */
static il_status take_out(il_crowd *crowd, size_t index)
{
    if (crowd->hand_index == index)
        return IL_OK;
    if (crowd->hand_index != NOBODY)
        put_back(crowd);
    if (place_of(crowd, index) == 0 && crowd_rests_kept(&crowd->rests, index) == NULL)
        return IL_NOT_FOUND;
    struct configuration whole = *crowd_rests_get(&crowd->rests, index);
    if (whole.status == INSTANCE_ACTIVE) {
        read_states(crowd, index);
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
    if (count > CROWD_MEMBERS_MAX)
        return IL_NO_SPACE;
    struct il_crowd *crowd = memory_get(sizeof *crowd);
    crowd->owner = machine;
    crowd->machine = machine->machine;
    crowd->count = count;
    crowd->words = words;
    crowd->width = 1;
    crowd->numbers = memory_get(count);
    crowd->now = memory_get(words * sizeof *crowd->now);
    crowd->hand_index = NOBODY;
    crowd->hand_memory = memory_get(IL_INSTANCE_BYTES);
    crowd->scratch_memory = memory_get(SCRATCH_BYTES);
    crowd_places_open(&crowd->places, words);
    crowd_rests_open(&crowd->rests, crowd->machine, count);
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
    for (uint32_t i = 0; i < crowd->event_count; i++)
        memory_release(crowd->events[i].type);
    arena_close(&crowd->lasting);
    crowd_places_close(&crowd->places);
    crowd_rests_close(&crowd->rests);
    memory_release(crowd->events);
    memory_release(crowd->numbers);
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
        uint32_t capacity = crowd->event_capacity;
        memory_reserve(crowd->events, crowd->event_count, crowd->event_capacity);
        if (crowd->event_capacity != capacity)
            crowd_places_set_events(&crowd->places, crowd->event_capacity);
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
    struct span text = span_from_text(payload_json == NULL ? "{}" : payload_json);
    bool fine = text.size <= VALUE_BYTES_MAX &&
                json_read(text, &crowd->scratch, &event->payload, &error) == STATUS_OK;
    fine = fine && event->payload.kind == VALUE_MAP &&
           value_find(event->payload, SPAN("type")) == NULL && passes_door(crowd, event);
    arena_release_guard(&crowd->scratch, &guard);
    return fine;
}

/* What the guard of a question says of a member. False: it has to be found out by a whole step.
 */
static bool ask(il_crowd *crowd, size_t index, const struct crowd_question *question,
                uint32_t number, const struct event *event, int64_t now_ms, bool *holds)
{
    if (question->column != NO_INDEX && crowd_rests_kept(&crowd->rests, index) == NULL) {
        struct value value = crowd_rests_plain(&crowd->rests, index, question->column);
        *holds = expr_comparison_holds(&question->comparison, value.integer);
        if (value.kind == VALUE_INT)
            return true;
    }
    const uint64_t *states = crowd_places_words(&crowd->places, place_of(crowd, index));
    return step_light_ask(crowd->light, question->guard, states,
                          crowd_rests_get(&crowd->rests, index), event,
                          crowd->events[number].id, now_ms, holds);
}

/* The move of a member, or 0. */
static inline uint32_t known_move(il_crowd *crowd, size_t index, uint32_t number,
                                  const struct event *event, int64_t now_ms)
{
    uint32_t move = crowd_places_move(&crowd->places, place_of(crowd, index), number);
    if ((move & CROWD_MOVE_ASKS) == 0)
        return move;
    bool holds;
    const struct crowd_question *question = &crowd->places.questions[move >> CROWD_MOVE_SHIFT];
    return ask(crowd, index, question, number, event, now_ms, &holds) ? question->moves[holds]
                                                                      : 0;
}

static inline void tell_move(il_crowd *crowd, uint32_t move)
{
    crowd->changed = (move & CROWD_MOVE_CHANGED) != 0;
    crowd->outcome = (move & CROWD_MOVE_APPLIED) != 0 ? IL_OUTCOME_APPLIED : IL_OUTCOME_IGNORED;
}

/* Takes a move that is known. */
static inline bool follow(il_crowd *crowd, size_t index, uint32_t number,
                          const struct event *event, int64_t now_ms)
{
    uint32_t move = known_move(crowd, index, number, event, now_ms);
    if (move == 0)
        return false;
    tell_move(crowd, move);
    if (crowd->changed)
        write_place(crowd, index, move >> CROWD_MOVE_SHIFT);
    return true;
}

/* Where one guard decides that only compares a plain value, no program has to run. */
static void read_question(il_crowd *crowd, struct crowd_question *question)
{
    const struct machine_guard *guard = &crowd->machine->guards[question->guard];
    if (guard->kind == GUARD_EXPRESSION && guard->need_count == 0 &&
        expr_read_comparison(guard->program, &question->comparison) &&
        span_equal(question->comparison.variable, SPAN("context")))
        question->column = crowd_rests_column(&crowd->rests, question->comparison.member);
}

static void note(il_crowd *crowd, uint32_t place, uint32_t number, uint32_t move)
{
    struct step_light_doubt doubt = step_light_doubt(crowd->light);
    if (doubt.count == 0)
        crowd_places_note(&crowd->places, place, number, move);
    if (doubt.count != 1)
        return;
    struct crowd_question *question =
        crowd_places_note_asked(&crowd->places, place, number, doubt.guard, doubt.holds, move);
    if (question != NULL)
        read_question(crowd, question);
}

/* Works out where the event leads on the words of the place. False: it does more than to move.
 */
static bool work_out(il_crowd *crowd, size_t index, uint32_t number, const struct event *event,
                     int64_t now_ms)
{
    make_room(crowd);
    read_states(crowd, index);
    uint32_t from = place_of(crowd, index);
    uint32_t answer =
        step_light_run(crowd->light, crowd->now, crowd_rests_get(&crowd->rests, index), event,
                       crowd->events[number].id, now_ms);
    if (answer == 0)
        return false;
    uint32_t to =
        answer & STEP_LIGHT_CHANGED ? crowd_places_find(&crowd->places, crowd->now) : from;
    uint32_t move = to << CROWD_MOVE_SHIFT | CROWD_MOVE_KNOWN |
                    (answer & STEP_LIGHT_CHANGED ? CROWD_MOVE_CHANGED : 0) |
                    (answer & STEP_LIGHT_APPLIED ? CROWD_MOVE_APPLIED : 0);
    set_place(crowd, index, to);
    tell_move(crowd, move);
    note(crowd, from, number, move);
    return true;
}

/* An event with a payload has to be looked at before it comes in, and so has one that the
 * machine does not let in without. */
static bool send_full(il_crowd *crowd, size_t index, uint32_t number, const char *payload_json,
                      int64_t now_ms)
{
    struct event event = crowd->events[number].empty;
    return read_event(crowd, payload_json, &event) &&
           (follow(crowd, index, number, &event, now_ms) ||
            work_out(crowd, index, number, &event, now_ms));
}

static bool send_lightly(il_crowd *crowd, size_t index, uint32_t number,
                         const char *payload_json, int64_t now_ms)
{
    const struct crowd_event *known = &crowd->events[number];
    if (payload_json != NULL || !known->enters_empty)
        return send_full(crowd, index, number, payload_json, now_ms);
    if (crowd->scratch.used > 0)
        arena_clear(&crowd->scratch);
    return follow(crowd, index, number, &known->empty, now_ms) ||
           work_out(crowd, index, number, &known->empty, now_ms);
}

il_status il_crowd_send(il_crowd *crowd, size_t index, uint32_t event, const char *payload_json,
                        int64_t now_ms)
{
    if (crowd == NULL || index >= crowd->count || event >= crowd->event_count)
        return IL_MISUSE;
    if (crowd->hand_index != NOBODY)
        put_back(crowd);
    if (send_lightly(crowd, index, event, payload_json, now_ms))
        return IL_OK;
    il_status status = take_out(crowd, index);
    if (status == IL_OK)
        status = il_instance_send(crowd->hand, crowd->events[event].type, payload_json, now_ms);
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
    const struct kept_configuration *kept = crowd_rests_kept(&crowd->rests, index);
    const uint64_t *states = crowd_places_words(&crowd->places, place_of(crowd, index));
    if (kept != NULL && kept->configuration.status != INSTANCE_ACTIVE)
        states = kept->configuration.active;
    return states[state / 64] >> state % 64 & 1;
}

size_t il_crowd_bytes(il_crowd *crowd)
{
    if (crowd == NULL)
        return 0;
    if (crowd->hand_index != NOBODY)
        put_back(crowd);
    return crowd->count * crowd->width + crowd_places_bytes(&crowd->places) +
           crowd_rests_bytes(&crowd->rests);
}
