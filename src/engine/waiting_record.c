/*
 * waiting_record.c - an instance that follows its record waits for a patch.
 */
#include "engine/waiting_record.h"

#include "base/json.h"

struct value waiting_record(const struct configuration *configuration, struct arena *arena)
{
    if (configuration->machine->derivation == NULL || configuration->status != INSTANCE_ACTIVE)
        return value_null();
    struct value awaits = derived_state_awaits(configuration, arena);
    struct value wait =
        value_with(arena, value_map(NULL, 0), SPAN("for"), value_string(SPAN("record")));
    for (uint32_t i = 0; i < awaits.count; i++)
        wait =
            value_with(arena, wait, value_span(awaits.entries[i].key), awaits.entries[i].value);
    return awaits.count == 0 ? value_null() : wait;
}

/* "o.approved && !o.shipped (approved = true, shipped = false)" */
static void tell_because(struct value because, struct text *text)
{
    struct value values = value_member(because, SPAN("values"));
    struct value error = value_member(because, SPAN("error"));
    text_add_visible(text, value_span(value_member(because, SPAN("conjunct"))));
    for (uint32_t i = 0; i < values.count; i++) {
        text_format(text, "%s%.*s = ", i == 0 ? " (" : ", ",
                    SPAN_ARGS(value_span(values.entries[i].key)));
        json_write(text, values.entries[i].value);
    }
    if (values.count > 0)
        text_add_byte(text, ')');
    if (error.kind == VALUE_STRING)
        text_format(text, ": %.*s", SPAN_ARGS(value_span(error)));
    text_add_byte(text, '\n');
}

/* Of the state that a region is in: the first of the levels has no other. */
static void tell_state(struct value explained, struct text *text)
{
    struct value levels = value_member(explained, SPAN("levels"));
    struct value leaf = levels.items[0].items[0];
    struct value because = value_member(leaf, SPAN("because"));
    bool holds = value_is_true(value_member(leaf, SPAN("holds")));
    struct span state = value_span(value_member(leaf, SPAN("state")));
    if (because.kind != VALUE_MAP) {
        text_format(text, "  %.*s has no validator\n", SPAN_ARGS(state));
        return;
    }
    text_format(text, "  %.*s %s: ", SPAN_ARGS(state), holds ? "holds" : "does not hold");
    tell_because(because, text);
}

void waiting_tell_record(const struct configuration *configuration, struct arena *arena,
                         struct text *text)
{
    if (configuration->machine->derivation == NULL)
        return;
    struct value explained = derived_state_explain(configuration, arena);
    struct value regions = value_member(explained, SPAN("regions"));
    struct value next = value_member(derived_state_awaits(configuration, arena), SPAN("next"));
    if (regions.kind != VALUE_MAP)
        tell_state(explained, text);
    for (uint32_t i = 0; regions.kind == VALUE_MAP && i < regions.count; i++)
        tell_state(regions.entries[i].value, text);
    for (uint32_t i = 0; next.kind == VALUE_LIST && i < next.count; i++) {
        text_format(text, "  %.*s waits for: ",
                    SPAN_ARGS(value_span(value_member(next.items[i], SPAN("state")))));
        tell_because(value_member(next.items[i], SPAN("because")), text);
    }
}
