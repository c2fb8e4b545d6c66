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

static void add_event(struct members *members, const struct effect *effect, struct arena *arena)
{
    add(members, SPAN("event"), step_event_value(effect->name, effect->input, arena));
}

struct value describe_effect(const struct effect *effect, instant_ms now, struct arena *arena)
{
    static const struct span types[] = {
        [EFFECT_INVOKE] = SPAN_INIT("invoke"),     [EFFECT_STOP] = SPAN_INIT("stop"),
        [EFFECT_SCHEDULE] = SPAN_INIT("schedule"), [EFFECT_CANCEL] = SPAN_INIT("cancel"),
        [EFFECT_ACTION] = SPAN_INIT("action"),     [EFFECT_LOG] = SPAN_INIT("log"),
        [EFFECT_EMIT] = SPAN_INIT("emit"),         [EFFECT_SEND] = SPAN_INIT("send")};
    struct members members = {arena_new_array(arena, 4, struct value_entry), 0};
    add(&members, SPAN("type"), value_string(types[effect->kind]));
    switch (effect->kind) {
    case EFFECT_INVOKE:
        add(&members, SPAN("id"), value_string(effect->id));
        add(&members, SPAN("src"), value_string(effect->name));
        add(&members, SPAN("input"), effect->input);
        break;
    case EFFECT_STOP:
    case EFFECT_CANCEL:
        add(&members, SPAN("id"), value_string(effect->id));
        break;
    case EFFECT_SCHEDULE:
        add(&members, SPAN("id"), value_string(effect->id));
        add(&members, SPAN("delay_ms"), value_int(effect->due - now));
        break;
    case EFFECT_ACTION:
        add(&members, SPAN("name"), value_string(effect->name));
        add(&members, SPAN("params"), effect->input);
        break;
    case EFFECT_LOG:
        if (effect->name.size > 0)
            add(&members, SPAN("label"), value_string(effect->name));
        add(&members, SPAN("value"), effect->input);
        break;
    case EFFECT_EMIT:
        add_event(&members, effect, arena);
        break;
    case EFFECT_SEND:
        add(&members, SPAN("to"), value_string(effect->id));
        add_event(&members, effect, arena);
        break;
    }
    ensure(members.count <= 4);
    return value_map(members.entries, members.count);
}

struct value describe_effects(const struct plan *plan, instant_ms now, struct arena *arena)
{
    struct value *items = arena_new_array(arena, plan->effect_count, struct value);
    for (uint32_t i = 0; i < plan->effect_count; i++)
        items[i] = describe_effect(&plan->effects[i], now, arena);
    return value_list(items, plan->effect_count);
}

struct value describe_via(const struct plan *plan, struct arena *arena)
{
    struct value *paths = arena_new_array(arena, plan->via_count, struct value);
    for (uint32_t i = 0; i < plan->via_count; i++)
        paths[i] = value_string(plan->after.machine->states[plan->via[i]].path);
    return value_list(paths, plan->via_count);
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
