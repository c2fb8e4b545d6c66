/*
 * step_invoke.c - invocations: when they are requested, and what their children hear.
 */
#include <string.h>

#include "chart/stepper.h"

/* The invocation never was: its error is raised instead. */
static void refuse_invocation(struct stepper *stepper, uint32_t index, struct span message)
{
    const struct machine *machine = stepper->machine;
    const struct machine_invoke *invoke = &machine->invokes[stepper->invocations[index].invoke];
    bool is_scxml = machine->semantics == SEMANTICS_SCXML;
    stepper_add_error(stepper,
                      text_print(stepper->arena, "input of %.*s", SPAN_ARGS(invoke->id)),
                      SPAN(""), invoke->place, message);
    stepper_raise_error(stepper,
                        is_scxml ? machine->execution_error_event : invoke->error_event,
                        is_scxml ? SPAN("execution") : SPAN("invalid"), message);
    stepper->next->invocation_count--;
    memmove(&stepper->invocations[index], &stepper->invocations[index + 1],
            (stepper->next->invocation_count - index) * sizeof *stepper->invocations);
}

/* The id that was made up for the invocation is told where the document asks for it. */
static void keep_id(struct stepper *stepper, const struct machine_invoke *invoke,
                    struct invocation *invocation)
{
    if (invoke->id_place.size == 0)
        return;
    invocation->id = text_print(stepper->arena, "%.*s.%llu",
                                SPAN_ARGS(stepper->machine->states[invoke->state].id),
                                (unsigned long long)invocation->number);
    stepper_keep_context(stepper,
                         value_with(stepper->arena, stepper->next->context, invoke->id_place,
                                    value_string(invocation->id)),
                         false);
}

/* SCXML: the only services there are by a type of their own are documents. */
static struct value read_type(struct stepper *stepper, const struct machine_invoke *invoke)
{
    static const char *const known[] = {"", "scxml", "http://www.w3.org/TR/scxml/",
                                        "http://www.w3.org/TR/scxml"};
    struct value type = stepper_plain(stepper, invoke->type);
    bool is_known = type.kind == VALUE_NULL;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        is_known =
            is_known || (type.kind == VALUE_STRING && span_is(value_span(type), known[i]));
    if (is_known || value_is_error(type))
        return type;
    if (type.kind != VALUE_STRING)
        return value_error(SPAN("the type of an invoke must be a string"));
    return value_error(text_print(stepper->arena, "there are no services of type `%.*s`",
                                  SPAN_ARGS(value_span(type))));
}

/* SCXML's source is computed: a place, or a document. */
static struct value read_source(struct stepper *stepper, const struct machine_invoke *invoke,
                                struct invocation *invocation)
{
    const struct expr_slot *source =
        invoke->src_slot != NULL ? invoke->src_slot : invoke->content;
    if (source == NULL)
        return value_null();
    struct value value = stepper_plain(stepper, source);
    const struct value *markup = value_find(value, SPAN("@xml"));
    if (markup != NULL) /* a document as scripts have it */
        value = *markup;
    if (value.kind == VALUE_STRING)
        invocation->src = value_span(value);
    else if (!value_is_error(value))
        return value_error(SPAN("the source of an invoke must be a string"));
    return value;
}

static struct value read_input(struct stepper *stepper, struct invocation *invocation)
{
    const struct machine_invoke *invoke = &stepper->machine->invokes[invocation->invoke];
    struct value type = read_type(stepper, invoke);
    if (value_is_error(type))
        return type;
    struct value source = read_source(stepper, invoke, invocation);
    if (value_is_error(source))
        return source;
    struct value input = stepper_plain(stepper, invoke->input);
    if (value_is_error(input))
        return input;
    keep_id(stepper, invoke, invocation);
    return input;
}

void stepper_request_invocations(struct stepper *stepper)
{
    for (uint32_t i = 0; i < stepper->next->invocation_count; i++) {
        struct invocation *invocation = &stepper->invocations[i];
        if (!value_is_error(invocation->input))
            continue;
        struct value input = read_input(stepper, invocation);
        if (value_is_error(input)) {
            refuse_invocation(stepper, i, value_span(input));
            return;
        }
        invocation->input = input;
    }
}

bool stepper_tell_children(struct stepper *stepper, const struct raised *event)
{
    for (uint32_t i = 0; i < stepper->next->invocation_count; i++) {
        const struct invocation *invocation = &stepper->invocations[i];
        if (invocation->invoke == NO_INDEX)
            continue;
        const struct machine_invoke *invoke = &stepper->machine->invokes[invocation->invoke];
        struct span id = configuration_invoke_id(stepper->next, invocation);
        if (invoke->finalize.count > 0 && span_equal(id, event->invoke_id) &&
            !stepper_act(stepper, invoke->finalize))
            return false;
        if (invoke->forwards && event->by == RAISED_EXTERNAL)
            stepper_add_effect(stepper, (struct effect){.kind = EFFECT_SEND,
                                                        .number = invocation->number,
                                                        .id = id,
                                                        .name = event->type,
                                                        .input = event->payload,
                                                        .index = NO_INDEX});
    }
    return true;
}
