/*
 * letter.c - letters between the members of a family.
 */
#include "chart/letter.h"

struct event letter_down(const struct effect *send)
{
    return (struct event){.kind = EVENT_EXTERNAL,
                          .type = send->name,
                          .payload = send->input,
                          .origin = SPAN("#_parent"),
                          .send_id = send->send_id};
}

struct event letter_up(const struct effect *send, struct span invoke_id, struct arena *arena)
{
    struct event event = letter_down(send);
    event.invoke_id = invoke_id;
    event.origin = text_print(arena, "#_%.*s", SPAN_ARGS(invoke_id));
    return event;
}

struct event letter_across(const struct effect *send, struct span session, struct arena *arena)
{
    struct event event = letter_down(send);
    event.origin = text_print(arena, "#_scxml_%.*s", SPAN_ARGS(session));
    return event;
}

struct event letter_end(const struct configuration *after, uint64_t number,
                        struct span invoke_id)
{
    bool is_done = after->status == INSTANCE_DONE;
    return (struct event){.kind = is_done ? EVENT_DONE : EVENT_ERROR,
                          .number = number,
                          .invoke_id = invoke_id,
                          .payload = is_done ? after->output : after->error};
}

static struct value describe(const struct configuration *after, struct arena *arena)
{
    struct value_entry *entries = arena_new_array(arena, 3, struct value_entry);
    struct span status = span_from_text(instance_status_name(after->status));
    entries[0] =
        (struct value_entry){value_string(SPAN("value")), configuration_value(after, arena)};
    entries[1] = (struct value_entry){value_string(SPAN("status")), value_string(status)};
    entries[2] = (struct value_entry){value_string(SPAN("context")), after->context};
    return value_map(entries, 3);
}

bool letter_snapshot(const struct machine *parent, const struct configuration *after,
                     struct span invoke_id, struct arena *arena, struct event *event)
{
    struct span type = text_print(arena, "snapshot.invoke.%.*s", SPAN_ARGS(invoke_id));
    if (after->status != INSTANCE_ACTIVE || machine_find_event(parent, type) == EVENT_ID_OTHER)
        return false;
    struct value_entry *snapshot = arena_new(arena, struct value_entry);
    *snapshot = (struct value_entry){value_string(SPAN("snapshot")), describe(after, arena)};
    *event = (struct event){.kind = EVENT_EXTERNAL,
                            .type = type,
                            .payload = value_map(snapshot, 1),
                            .invoke_id = invoke_id};
    return true;
}

static bool is_for_parent(const struct effect *effect)
{
    return effect->kind == EFFECT_SEND && effect->number == 0 &&
           span_is(effect->id, "#_parent");
}

void letter_note_orphans(struct plan *plan, struct arena *arena)
{
    struct step_error **end = &plan->errors;
    while (*end != NULL)
        end = &(*end)->next;
    for (uint32_t i = 0; i < plan->effect_count; i++) {
        const struct effect *effect = &plan->effects[i];
        if (!is_for_parent(effect))
            continue;
        struct step_error *error = arena_new(arena, struct step_error);
        *error = (struct step_error){
            .what = SPAN("send"),
            .message = text_print(arena, "there is no parent to send `%.*s` to",
                                  SPAN_ARGS(effect->name))};
        *end = error;
        end = &error->next;
    }
}

struct event letter_unreachable(struct span invoke_id, struct span send_id)
{
    return (struct event){.kind = EVENT_EXTERNAL,
                          .type = SPAN("error.communication"),
                          .payload = value_map(NULL, 0),
                          .invoke_id = invoke_id,
                          .send_id = send_id};
}
