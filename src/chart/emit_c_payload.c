/*
 * emit_c_payload.c - events in C, and what comes with them.
 *
 * What is declared of a payload under `events` becomes a struct, those of all events a union:
 * members of one scalar type; others, and events that no transition names, are the caller's
 * own. A guard or assignment finds a member where the event is from outside and of a type that
 * has it; else there is none, which is the error that it is in the engine.
 */
#include "chart/door.h"
#include "chart/emit_c_writer.h"

static bool is_from_inside(const struct machine *machine, uint32_t event)
{
    bool is_inside =
        event == machine->execution_error_event || event == machine->communication_error_event;
    for (uint32_t i = 0; i < machine->timer_count; i++)
        is_inside = is_inside || machine->timers[i].event == event;
    for (uint32_t i = 0; i < machine->invoke_count; i++)
        is_inside = is_inside || machine->invokes[i].done_event == event ||
                    machine->invokes[i].error_event == event;
    for (uint32_t i = 0; i < machine->state_count; i++)
        is_inside = is_inside || machine->states[i].done_event == event;
    return is_inside;
}

static bool find_kind(const struct type *type, enum c_kind *kind)
{
    *kind = type->kind == TYPE_BOOL     ? C_BOOL
            : type->kind == TYPE_INT    ? C_INT
            : type->kind == TYPE_DOUBLE ? C_DOUBLE
                                        : C_WORD;
    return *kind != C_WORD || type->kind == TYPE_STRING;
}

static void add_words(struct emitter *emitter, const struct type *type)
{
    if (emitter->words.count == 0)
        emit_c_add_name(emitter, &emitter->words, SPAN("OTHER"));
    for (uint32_t i = 0; i < type->value_count; i++) {
        if (type->values[i].kind == VALUE_STRING)
            emit_c_word(emitter, value_span(type->values[i]));
    }
}

static struct span member_name(struct emitter *emitter, struct emit_c_enum *names,
                               struct span name)
{
    uint32_t number = emit_c_add_name(emitter, names, name);
    return names->names[number];
}

static void find_members(struct emitter *emitter, const struct schema *schema,
                         struct emit_c_payload *payload)
{
    const struct type *type = schema_type(schema, emitter->arena);
    struct emit_c_enum names = {0};
    uint32_t count = type->kind == TYPE_RECORD ? type->count : 0;
    payload->members = arena_new_array(emitter->arena, count, struct emit_c_member);
    for (uint32_t i = 0; i < count; i++) {
        const struct type_field *field = &type->fields[i];
        struct emit_c_member *member = &payload->members[payload->member_count];
        if (!find_kind(field->type, &member->kind))
            continue;
        member->key = field->name;
        member->name = member_name(emitter, &names, emit_c_member_name(emitter, field->name));
        member->flag = SPAN("");
        if (!schema_requires(schema, field->name))
            member->flag =
                member_name(emitter, &names,
                            text_print(emitter->arena, "has_%.*s", SPAN_ARGS(member->name)));
        payload->member_count++;
        if (member->kind == C_WORD)
            add_words(emitter, field->type);
    }
}

void emit_c_find_payloads(struct emitter *emitter)
{
    const struct machine *machine = emitter->machine;
    emitter->events.word = "ON";
    emitter->payloads =
        arena_new_array(emitter->arena, machine->event_count, struct emit_c_payload);
    for (uint32_t event = EVENT_ID_OTHER; event < machine->event_count; event++) {
        bool is_other = event == EVENT_ID_OTHER;
        struct span type = is_other ? SPAN("*") : machine->event_types[event];
        const struct schema *schema = door_schema(machine, type);
        uint32_t number =
            emit_c_add_name(emitter, &emitter->events, is_other ? SPAN("OTHER") : type);
        struct emit_c_payload *payload = &emitter->payloads[emitter->payload_count];
        *payload = (struct emit_c_payload){
            .event = event,
            .name = text_print(emitter->arena, "on_%.*s",
                               SPAN_ARGS(emitter->events.names[number]))};
        if (schema != NULL && !is_from_inside(machine, event))
            find_members(emitter, schema, payload);
        emitter->payload_count += payload->member_count > 0;
    }
}

static void emit_payload(struct emitter *emitter, const struct emit_c_payload *payload)
{
    text_add(emitter->text, SPAN("        struct {\n"));
    for (uint32_t i = 0; i < payload->member_count; i++) {
        const struct emit_c_member *member = &payload->members[i];
        text_format(emitter->text, "            %.*s %.*s;\n",
                    SPAN_ARGS(emit_c_type(emitter, member->kind)), SPAN_ARGS(member->name));
        if (member->flag.size > 0)
            text_format(emitter->text, "            bool %.*s;\n", SPAN_ARGS(member->flag));
    }
    text_format(emitter->text, "        } %.*s;\n", SPAN_ARGS(payload->name));
}

void emit_c_events(struct emitter *emitter)
{
    emit_c_names(emitter, "/* OTHER is any event that the machine does not name. */\n"
                          "enum @_event_type {\n");
    for (uint32_t i = 0; i < emitter->events.count; i++)
        text_format(emitter->text, "    %.*s_ON_%.*s%s,\n", SPAN_ARGS(emitter->upper),
                    SPAN_ARGS(emitter->events.names[i]), i == 0 ? " = 1" : "");
    emit_c_names(emitter, "};\n\n/* May be the first member of a larger one, for the caller's "
                          "guards and actions. */\nstruct @_event {\n"
                          "    enum @_event_type type;\n");
    if (emitter->payload_count > 0)
        text_add(emitter->text, SPAN("    union {\n"));
    for (uint32_t i = 0; i < emitter->payload_count; i++)
        emit_payload(emitter, &emitter->payloads[i]);
    if (emitter->payload_count > 0)
        text_add(emitter->text,
                 SPAN("    } as; /* what comes with an event of that type */\n"));
    text_add(emitter->text, SPAN("};\n\n"));
}

static const struct emit_c_member *find_member(const struct emit_c_payload *payload,
                                               struct span key)
{
    for (uint32_t i = 0; i < payload->member_count; i++) {
        if (span_equal(payload->members[i].key, key))
            return &payload->members[i];
    }
    return NULL;
}

/* The lines for one event that may have brought it. */
static void look_for(const struct c_code *code, const struct emit_c_payload *payload,
                     const struct emit_c_member *member, uint32_t number)
{
    struct span place =
        text_print(code->arena, "turn->event->as.%.*s", SPAN_ARGS(payload->name));
    text_format(code->lines, "%sif (turn->event != NULL && turn->type == %u", code->indent,
                payload->event);
    if (member->flag.size > 0)
        text_format(code->lines, " && %.*s.%.*s", SPAN_ARGS(place), SPAN_ARGS(member->flag));
    text_format(code->lines, ") {\n%s    v%u = %.*s.%.*s;\n%s    e%u = false;\n%s}\n",
                code->indent, number, SPAN_ARGS(place), SPAN_ARGS(member->name), code->indent,
                number, code->indent);
}

static void declare(struct emitter *emitter, const struct c_code *code, enum c_kind kind,
                    uint32_t number)
{
    struct span first = kind == C_BOOL ? SPAN("false") : SPAN("0");
    if (kind == C_WORD)
        first = text_print(emitter->arena, "%.*s_WORD_OTHER", SPAN_ARGS(emitter->upper));
    text_format(code->lines, "%s%.*s v%u = %.*s;\n%sbool e%u = true;\n", code->indent,
                SPAN_ARGS(emit_c_type(emitter, kind)), number, SPAN_ARGS(first), code->indent,
                number);
}

bool emit_c_payload_term(struct emitter *emitter, struct span key, struct c_code *code,
                         struct c_term *term)
{
    uint32_t number = 0;
    for (uint32_t i = 0; i < emitter->payload_count; i++) {
        const struct emit_c_payload *payload = &emitter->payloads[i];
        const struct emit_c_member *member = find_member(payload, key);
        if (member == NULL ||
            (emitter->event != EVENT_ID_NONE && emitter->event != payload->event))
            continue;
        if (number > 0 && member->kind != term->kind)
            return false;
        if (number == 0) {
            number = ++*code->counter;
            declare(emitter, code, member->kind, number);
            *term = (struct c_term){.kind = member->kind,
                                    .text = text_print(emitter->arena, "v%u", number),
                                    .failed = text_print(emitter->arena, "e%u", number)};
        }
        look_for(code, payload, member, number);
    }
    return number > 0;
}
