/*
 * describe.c - effects and errors as values.
 */
#include "chart/describe.h"

#include "base/ensure.h"

struct members {
    struct value_entry *entries;
    uint32_t count;
};

static void add(struct members *members, struct span key, struct value value)
{
    members->entries[members->count++] = (struct value_entry){value_string(key), value};
}

struct value describe_effect(const struct machine *machine, const struct effect *effect,
                             instant_ms now, struct arena *arena)
{
    struct members members = {arena_new_array(arena, 4, struct value_entry), 0};
    switch (effect->kind) {
    case EFFECT_INVOKE:
        add(&members, SPAN("type"), value_string(SPAN("invoke")));
        add(&members, SPAN("id"), value_string(machine->invokes[effect->index].id));
        add(&members, SPAN("src"), value_string(machine->invokes[effect->index].src));
        add(&members, SPAN("input"), effect->input);
        break;
    case EFFECT_STOP:
        add(&members, SPAN("type"), value_string(SPAN("stop")));
        add(&members, SPAN("id"), value_string(machine->invokes[effect->index].id));
        break;
    case EFFECT_SCHEDULE:
        add(&members, SPAN("type"), value_string(SPAN("schedule")));
        add(&members, SPAN("id"), value_string(machine->timers[effect->index].name));
        add(&members, SPAN("delay_ms"), value_int(effect->due - now));
        break;
    case EFFECT_CANCEL:
        add(&members, SPAN("type"), value_string(SPAN("cancel")));
        add(&members, SPAN("id"), value_string(machine->timers[effect->index].name));
        break;
    }
    ensure(members.count > 0 && members.count <= 4);
    return value_map(members.entries, members.count);
}

struct value describe_effects(const struct machine *machine, const struct plan *plan,
                              instant_ms now, struct arena *arena)
{
    struct value *items = arena_new_array(arena, plan->effect_count, struct value);
    for (uint32_t i = 0; i < plan->effect_count; i++)
        items[i] = describe_effect(machine, &plan->effects[i], now, arena);
    return value_list(items, plan->effect_count);
}

static struct value describe_place(struct place place, struct arena *arena)
{
    if (place.line == 0)
        return value_null();
    return value_string(
        text_print(arena, "%.*s:%u:%u", SPAN_ARGS(place.file), place.line, place.column));
}

struct value describe_errors(const struct plan *plan, struct arena *arena)
{
    uint32_t count = 0;
    for (const struct step_error *error = plan->errors; error != NULL; error = error->next)
        count++;
    struct value *items = arena_new_array(arena, count, struct value);
    count = 0;
    for (const struct step_error *error = plan->errors; error != NULL; error = error->next) {
        struct members members = {arena_new_array(arena, 4, struct value_entry), 0};
        add(&members, SPAN("what"), value_string(error->what));
        if (error->text.size > 0)
            add(&members, SPAN("expression"), value_string(error->text));
        add(&members, SPAN("at"), describe_place(error->place, arena));
        add(&members, SPAN("message"), value_string(error->message));
        items[count++] = value_map(members.entries, members.count);
    }
    return value_list(items, count);
}
