/*
 * door.c - declared events, and their payloads.
 */
#include "chart/door.h"

/* `order.*` declares every event that begins so. */
static bool declares(struct span declared, struct span type)
{
    if (span_equal(declared, type) || span_is(declared, "*"))
        return true;
    if (!span_ends_with(declared, SPAN(".*")))
        return false;
    struct span prefix = span_slice(declared, 0, declared.size - 2);
    return span_starts_with(type, prefix) &&
           (type.size == prefix.size || type.text[prefix.size] == '.');
}

static const struct machine_event *find(const struct machine *machine, struct span type)
{
    const struct machine_event *found = NULL;
    for (uint32_t i = 0; i < machine->declared_event_count; i++) {
        const struct machine_event *event = &machine->declared_events[i];
        if (span_equal(event->type, type))
            return event;
        if (found == NULL && declares(event->type, type))
            found = event;
    }
    return found;
}

const struct schema *door_schema(const struct machine *machine, struct span type)
{
    const struct machine_event *event = find(machine, type);
    return event == NULL ? NULL : event->schema;
}

static bool accepts_patch(struct value payload, struct arena *arena, struct span *problem)
{
    const struct value *patch = value_find(payload, SPAN("patch"));
    const struct value *version = value_find(payload, SPAN("if_version"));
    uint32_t known = version == NULL ? 1 : 2;
    *problem = (struct span){0};
    if (patch == NULL || patch->kind != VALUE_MAP)
        *problem = text_print(arena, "a patch must be an object, not %s",
                              patch == NULL ? "missing" : value_kind_name(patch->kind));
    else if (version != NULL && (version->kind != VALUE_INT || version->integer < 1))
        *problem = SPAN("`if_version` must be a number from 1 on: the instance's `seq`");
    else if (payload.count != known)
        *problem = SPAN("beside `patch` there is only `if_version`");
    return problem->size == 0;
}

bool door_accepts(const struct machine *machine, struct span type, struct value payload,
                  struct arena *arena, struct value *accepted, struct span *problem)
{
    struct schema_problem wrong;
    *accepted = payload;
    if (span_is(type, PATCH_EVENT) && machine_find_event(machine, type) == EVENT_ID_OTHER) {
        *problem =
            text_print(arena, "machine %.*s is driven by events: there is no record to patch",
                       SPAN_ARGS(machine->id));
        return false;
    }
    if (machine->derivation != NULL && span_is(type, PATCH_EVENT))
        return accepts_patch(payload, arena, problem);
    if (!machine->declares_events)
        return true;
    const struct machine_event *event = find(machine, type);
    if (event == NULL) {
        *problem = text_print(arena, "machine %.*s declares no event `%.*s`",
                              SPAN_ARGS(machine->id), SPAN_ARGS(type));
        return false;
    }
    if (schema_accept(event->schema, payload, arena, accepted, &wrong))
        return true;
    *problem = text_print(arena, "the payload of %.*s%s%.*s %.*s", SPAN_ARGS(type),
                          wrong.path.size > 0 ? " at " : "", SPAN_ARGS(wrong.path),
                          SPAN_ARGS(wrong.message));
    return false;
}
