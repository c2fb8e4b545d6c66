/*
 * step_queue.c - the events, errors, effects and values of a macrostep.
 */
#include <string.h>

#include "base/ensure.h"
#include "base/json.h"
#include "base/limits.h"
#include "chart/derivation.h"
#include "chart/plain.h"
#include "chart/stepper.h"

enum { BYTES_A_COST = 16 };

void stepper_add_error(struct stepper *stepper, struct span what, struct span text,
                       struct place place, struct span message)
{
    struct step_error *error = arena_new(stepper->arena, struct step_error);
    *error = (struct step_error){what, text, place, message, NULL};
    *stepper->errors_end = error;
    stepper->errors_end = &error->next;
}

bool stepper_fail(struct stepper *stepper, struct span what, struct place place,
                  struct span message)
{
    stepper_add_error(stepper, what, SPAN(""), place, message);
    stepper->problem = message;
    ensure(message.text != NULL);
    return false;
}

const struct span stepper_exhausted = SPAN_INIT("the macrostep costs more than one may");

bool stepper_spend(struct stepper *stepper)
{
    stepper->cost += ACTION_COST;
    return stepper->cost <= MACROSTEP_COST_MAX;
}

void stepper_raise(struct stepper *stepper, struct raised raised)
{
    struct raised *kept = arena_new(stepper->arena, struct raised);
    *kept = raised;
    kept->next = NULL;
    *stepper->queue_end = kept;
    stepper->queue_end = &kept->next;
}

struct value stepper_map(struct arena *arena, struct span key, struct value value)
{
    struct value_entry *entry = arena_new(arena, struct value_entry);
    *entry = (struct value_entry){value_string(key), value};
    return value_map(entry, 1);
}

struct value stepper_error(struct arena *arena, struct span kind, struct span message)
{
    struct value error = stepper_map(arena, SPAN("kind"), value_string(kind));
    error = value_with(arena, error, SPAN("message"), value_string(message));
    return stepper_map(arena, SPAN("error"), error);
}

void stepper_raise_error(struct stepper *stepper, uint32_t event, struct span kind,
                         struct span message)
{
    stepper_raise(stepper,
                  (struct raised){.event = event,
                                  .type = stepper->machine->event_types[event],
                                  .payload = stepper_error(stepper->arena, kind, message),
                                  .by = RAISED_PLATFORM,
                                  .send_id = stepper->failed_send});
    stepper->failed_send = (struct span){0};
}

struct value step_event_value(struct span type, struct value payload, struct arena *arena)
{
    ensure(payload.kind == VALUE_MAP);
    struct value_entry *entries = arena_get(arena, (payload.count + 1) * sizeof *entries);
    entries[0] = (struct value_entry){value_string(SPAN("type")), value_string(type)};
    if (payload.count > 0)
        memcpy(entries + 1, payload.entries, payload.count * sizeof *entries);
    return value_map(entries, payload.count + 1);
}

/* What SCXML calls the data of an event: the member of that name, or a result. */
static const struct value *event_data(struct value payload)
{
    static const char *const names[] = {"data", "output", "error"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct value *found = value_find(payload, span_from_text(names[i]));
        if (found != NULL)
            return found;
    }
    return NULL;
}

static struct value scxml_event(struct arena *arena, const struct raised *event)
{
    static const struct span names_by[] = {
        [RAISED_PLATFORM] = SPAN_INIT("platform"),
        [RAISED_INTERNAL] = SPAN_INIT("internal"),
        [RAISED_EXTERNAL] = SPAN_INIT("external"),
    };
    struct value_entry *entries = arena_new_array(arena, 7, struct value_entry);
    uint32_t count = 0;
#define MEMBER(name, value) \
    entries[count++] = (struct value_entry){value_string(SPAN(name)), value}
    MEMBER("name", value_string(event->type));
    MEMBER("type", value_string(names_by[event->by]));
    if (event->send_id.size > 0)
        MEMBER("sendid", value_string(event->send_id));
    if (event->origin.size > 0)
        MEMBER("origin", value_string(event->origin));
    if (event->origin.size > 0)
        MEMBER("origintype",
               value_string(SPAN("http://www.w3.org/TR/scxml/#SCXMLEventProcessor")));
    if (event->invoke_id.size > 0)
        MEMBER("invokeid", value_string(event->invoke_id));
    const struct value *data = event_data(event->payload);
    if (data != NULL)
        MEMBER("data", *data);
#undef MEMBER
    return value_map(entries, count);
}

static void bind_event(struct stepper *stepper)
{
    const struct raised *event = stepper->event;
    if (!stepper->machine->reads_event)
        return;
    stepper->slots[CHART_EVENT] = step_event_value(event->type, event->payload, stepper->arena);
    stepper->slots[CHART_PAYLOAD] = event->payload;
    if (stepper->machine->semantics == SEMANTICS_SCXML)
        stepper->slots[CHART_SCXML_EVENT] = scxml_event(stepper->arena, event);
}

void stepper_set_event(struct stepper *stepper, const struct raised *event)
{
    stepper->event = event;
    bind_event(stepper);
}

void *stepper_grow(struct arena *arena, const void *old, uint32_t count, uint32_t *capacity,
                   size_t size)
{
    *capacity = *capacity == 0 ? 4 : *capacity * 2;
    void *grown = arena_get_array(arena, *capacity, size);
    if (count > 0)
        memcpy(grown, old, count * size);
    return grown;
}

void stepper_add_effect(struct stepper *stepper, struct effect effect)
{
    if (stepper->effect_count == stepper->effect_capacity)
        stepper->effects = stepper_grow(stepper->arena, stepper->effects, stepper->effect_count,
                                        &stepper->effect_capacity, sizeof *stepper->effects);
    stepper->effects[stepper->effect_count++] = effect;
}

bool stepper_is_undefined(const struct stepper *stepper, struct value value)
{
    return stepper->machine->semantics == SEMANTICS_SCXML && value.kind == VALUE_OPTIONAL &&
           value.items == NULL;
}

/* What walks through a value takes its time too; `room` is what a walk left. */
static void pay_walk(struct stepper *stepper, int64_t room)
{
    stepper->cost += (uint64_t)(VALUE_BYTES_MAX - room) / BYTES_A_COST;
}

static struct value keep_plain(struct stepper *stepper, struct value value)
{
    int64_t room;
    if (value_is_error(value))
        return value;
    struct span problem = plain_measure(value, &room);
    pay_walk(stepper, room);
    return problem.size > 0 ? value_error(problem) : json_plain(stepper->arena, value);
}

static struct value plain_or_none(struct stepper *stepper, const struct expr_slot *slot)
{
    if (slot == NULL)
        return value_null();
    struct value value = expr_slot_run(slot, &stepper->frame, stepper->arena);
    if (stepper_is_undefined(stepper, value))
        return value;
    return keep_plain(stepper, value);
}

struct value stepper_plain(struct stepper *stepper, const struct expr_slot *slot)
{
    struct value value = plain_or_none(stepper, slot);
    return stepper_is_undefined(stepper, value) ? value_error(SPAN("the value is undefined"))
                                                : value;
}

static bool take_value(struct stepper *stepper, struct value result, const char *what,
                       struct span name, struct place place, struct value *value)
{
    if (value_is_error(result))
        return stepper_fail(stepper,
                            text_print(stepper->arena, "%s %.*s", what, SPAN_ARGS(name)), place,
                            value_span(result));
    *value = result;
    return true;
}

bool stepper_value(struct stepper *stepper, const struct expr_slot *slot, const char *what,
                   struct span name, struct place place, struct value *value)
{
    return take_value(stepper, stepper_plain(stepper, slot), what, name, place, value);
}

bool stepper_value_or_none(struct stepper *stepper, const struct expr_slot *slot,
                           const char *what, struct span name, struct place place,
                           struct value *value)
{
    return take_value(stepper, plain_or_none(stepper, slot), what, name, place, value);
}

/* Walking through all of a large context for each turn of a loop would take for ever. */
bool stepper_fits(struct stepper *stepper, struct value context, struct span name)
{
    if (stepper->room == 0)
        return false;
    struct value member = stepper_map(stepper->arena, name, value_member(context, name));
    return plain_fits(member, &stepper->room);
}

void stepper_show_context(struct stepper *stepper, struct value context)
{
    stepper->slots[CHART_CONTEXT] = context;
    if (stepper->machine->reads_record)
        stepper->slots[CHART_RECORD] =
            derivation_record(stepper->machine->derivation, context, stepper->arena);
}

/* Each member fits by itself; this is about all of them together. */
bool stepper_keep_context(struct stepper *stepper, struct value context, bool fits)
{
    struct span problem = {0};
    stepper->next->context = context;
    stepper->derives = true;
    stepper_show_context(stepper, context);
    if (!fits) {
        problem = plain_measure(context, &stepper->room);
        pay_walk(stepper, stepper->room);
    }
    return problem.size == 0 ||
           stepper_fail(stepper, SPAN("the context"), (struct place){0}, problem);
}
