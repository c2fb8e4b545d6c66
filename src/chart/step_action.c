/*
 * step_action.c - actions, in the order in which they are written.
 *
 * With XState's rules an action that fails ends the macrostep. With SCXML's it ends its
 * block, and error.execution is raised. What an action does outside is an effect of the
 * plan; sending to oneself is a timer that is due at once, so that it comes after what is
 * there already.
 */
#include <string.h>

#include "base/checked.h"
#include "base/ensure.h"
#include "base/limits.h"
#include "chart/stepper.h"

static const struct span scxml_processors[] = {
    SPAN_INIT(""), SPAN_INIT("scxml"),
    SPAN_INIT("http://www.w3.org/TR/scxml/#SCXMLEventProcessor"),
    SPAN_INIT("http://www.w3.org/TR/scxml/"), SPAN_INIT("http://www.w3.org/TR/scxml")};

static struct value replace_at(struct arena *arena, struct value map, const struct span *path,
                               uint32_t count, struct value value)
{
    if (count == 0)
        return value;
    struct value inner =
        replace_at(arena, value_member(map, path[0]), path + 1, count - 1, value);
    return value_with(arena, map.kind == VALUE_MAP ? map : value_map(NULL, 0), path[0], inner);
}

static bool is_declared(const struct stepper *stepper, struct span name)
{
    const struct machine *machine = stepper->machine;
    for (uint32_t i = 0; i < machine->declared_count; i++) {
        if (span_equal(machine->declared[i], name))
            return true;
    }
    return machine->semantics != SEMANTICS_SCXML ||
           value_find(stepper->next->context, name) != NULL; /* a script has made it */
}

static bool refuse_name(struct stepper *stepper, struct span name, struct place place)
{
    return stepper_fail(
        stepper, text_print(stepper->arena, "assign %.*s", SPAN_ARGS(name)), place,
        text_print(stepper->arena, "there is no variable `%.*s`", SPAN_ARGS(name)));
}

/* Sets one member of the context. */
static bool set_member(struct stepper *stepper, struct span name, struct value value,
                       struct place place)
{
    if (!is_declared(stepper, name))
        return refuse_name(stepper, name, place);
    struct value context = value_with(stepper->arena, stepper->next->context, name, value);
    return stepper_keep_context(stepper, context, stepper_fits(stepper, context, name));
}

static struct value without(struct arena *arena, struct value map, struct span key)
{
    struct value_entry *kept = arena_new_array(arena, map.count, struct value_entry);
    uint32_t count = 0;
    for (uint32_t i = 0; i < map.count; i++) {
        struct value name = map.entries[i].key;
        if (name.kind != VALUE_STRING || !span_equal(value_span(name), key))
            kept[count++] = map.entries[i];
    }
    return value_map(kept, count);
}

/* What is undefined is no longer there; deeper down it is null. */
static struct value assigned(const struct stepper *stepper, struct value context,
                             const struct machine_assign *assign, struct value value)
{
    bool is_undefined = stepper_is_undefined(stepper, value);
    if (is_undefined && assign->path_count == 0)
        return without(stepper->arena, context, assign->key);
    if (is_undefined)
        value = value_null();
    if (assign->path_count > 0)
        value = replace_at(stepper->arena, value_member(context, assign->key), assign->path,
                           assign->path_count, value);
    return value_with(stepper->arena, context, assign->key, value);
}

static bool act_assign(struct stepper *stepper, struct range range)
{
    struct value context = stepper->next->context;
    bool fits = true;
    for (uint32_t i = range.first; i < range.first + range.count; i++) {
        const struct machine_assign *assign = &stepper->machine->assigns[i];
        struct value value;
        if (assign->sees_earlier)
            stepper_show_context(stepper, context);
        struct value seen = stepper->slots[CHART_CONTEXT];
        if (!is_declared(stepper, assign->key))
            return refuse_name(stepper, assign->key, assign->place);
        if (!stepper_value_or_none(stepper, assign->slot, "assign", assign->key, assign->place,
                                   &value))
            return false;
        if (stepper->slots[CHART_CONTEXT].entries != seen.entries)
            context = stepper->slots[CHART_CONTEXT]; /* a script changed others on the way */
        context = assigned(stepper, context, assign, value);
        fits = fits && stepper_fits(stepper, context, assign->key);
    }
    return stepper_keep_context(stepper, context, fits);
}

/* CSS, and so SCXML, writes `.5s` too. */
static bool read_delay(struct stepper *stepper, struct span text, duration_ms *delay)
{
    if (span_starts_with(text, SPAN(".")))
        text = text_print(stepper->arena, "0%.*s", SPAN_ARGS(text));
    return time_read_duration(text, delay);
}

bool stepper_delay(struct stepper *stepper, const struct expr_slot *slot, struct place place,
                   duration_ms *delay)
{
    static const struct span problem =
        SPAN_INIT("a delay is a duration such as \"30s\", or milliseconds");
    struct value value = expr_slot_run(slot, &stepper->frame, stepper->arena);
    bool fine = true;
    if (value.kind == VALUE_ERROR)
        return stepper_fail(stepper, SPAN("delay"), place, value_span(value));
    if (value.kind == VALUE_INT)
        *delay = value.integer;
    else if (value.kind == VALUE_DOUBLE && value.real >= 0 && value.real < 9e15)
        *delay = (duration_ms)value.real;
    else if (value.kind == VALUE_DURATION)
        *delay = value.integer * 1000 + value.count / 1000000;
    else
        fine = value.kind == VALUE_STRING && read_delay(stepper, value_span(value), delay);
    if (!fine)
        return stepper_fail(stepper, SPAN("delay"), place, problem);
    return *delay >= 0 ||
           stepper_fail(stepper, SPAN("delay"), place, SPAN("a delay may not be negative"));
}

bool stepper_arm(struct stepper *stepper, struct armed_timer timer, duration_ms delay,
                 struct place place)
{
    if (stepper->next->timer_count >= TIMERS_PER_INSTANCE_MAX)
        return stepper_fail(stepper, SPAN("after"), place, SPAN("too many timers are armed"));
    if (!checked_add(stepper->now, delay, &timer.due))
        return stepper_fail(stepper, SPAN("after"), place,
                            SPAN("the delay ends after time itself"));
    timer.number = stepper->next->next_number++;
    if (stepper->next->timer_count == stepper->timer_capacity)
        stepper->timers =
            stepper_grow(stepper->arena, stepper->timers, stepper->next->timer_count,
                         &stepper->timer_capacity, sizeof *stepper->timers);
    stepper->next->timers = stepper->timers;
    stepper->timers[stepper->next->timer_count++] = timer;
    return true;
}

void stepper_add_invocation(struct stepper *stepper, struct invocation invocation)
{
    invocation.number = stepper->next->next_number++;
    if (stepper->next->invocation_count == stepper->invocation_capacity)
        stepper->invocations =
            stepper_grow(stepper->arena, stepper->invocations, stepper->next->invocation_count,
                         &stepper->invocation_capacity, sizeof *stepper->invocations);
    stepper->next->invocations = stepper->invocations;
    stepper->invocations[stepper->next->invocation_count++] = invocation;
}

/* A slot that has to be a string; empty where there is no slot. */
static bool read_text(struct stepper *stepper, const struct machine_action *action,
                      const struct expr_slot *slot, const char *what, struct span *text)
{
    struct value value = {0};
    *text = SPAN("");
    if (slot == NULL)
        return true;
    if (!stepper_value(stepper, slot, "the", span_from_text(what), action->place, &value))
        return false;
    if (value.kind != VALUE_STRING)
        return stepper_fail(stepper, span_from_text(what), action->place,
                            text_print(stepper->arena, "the %s must be a string, not %s", what,
                                       value_kind_name(value.kind)));
    *text = value_span(value);
    return true;
}

/* What the action says of its event. */
struct message {
    struct span type;
    struct value payload;
    struct span to;
    struct span id;
    duration_ms delay;
};

static bool read_payload(struct stepper *stepper, const struct machine_action *action,
                         struct message *message)
{
    message->payload = value_map(NULL, 0);
    if (action->data == NULL)
        return true;
    struct value data;
    if (!stepper_value(stepper, action->data, "the payload of", message->type, action->place,
                       &data))
        return false;
    if (!action->is_map) {
        message->payload = stepper_map(stepper->arena, SPAN("data"), data);
        return true;
    }
    if (data.kind != VALUE_MAP)
        return stepper_fail(stepper, SPAN("payload"), action->place,
                            SPAN("the payload of an event must be a map"));
    message->payload = value_find(data, SPAN("type")) == NULL
                           ? data
                           : without(stepper->arena, data, SPAN("type"));
    return true;
}

/* An event may be computed whole: `raise: "${…}"` gives a type, or a map with one. */
static bool read_event(struct stepper *stepper, const struct machine_action *action,
                       struct message *message)
{
    struct value type = {0};
    if (!stepper_value(stepper, action->type, "the event of", SPAN("an action"), action->place,
                       &type))
        return false;
    if (type.kind == VALUE_MAP && action->data == NULL) {
        message->payload = without(stepper->arena, type, SPAN("type"));
        type = value_member(type, SPAN("type"));
    } else if (type.kind == VALUE_STRING) {
        message->type = value_span(type);
        if (!read_payload(stepper, action, message))
            return false;
    }
    if (type.kind != VALUE_STRING || type.count == 0 || type.count > EVENT_TYPE_BYTES_MAX)
        return stepper_fail(stepper, SPAN("event"), action->place,
                            SPAN("an event needs a type: a string of 1 to 256 bytes"));
    message->type = value_span(type);
    return true;
}

/* Ids that nobody wrote down are made up, and told where they were asked for. */
static bool read_id(struct stepper *stepper, const struct machine_action *action,
                    struct message *message)
{
    message->id = action->id;
    if (action->id_place.size == 0)
        return true;
    message->id =
        text_print(stepper->arena, "send.%llu", (unsigned long long)stepper->next->next_number);
    return set_member(stepper, action->id_place, value_string(message->id), action->place);
}

static bool read_message(struct stepper *stepper, const struct machine_action *action,
                         struct message *message)
{
    *message = (struct message){0};
    return read_event(stepper, action, message) &&
           read_text(stepper, action, action->to, "target", &message->to) &&
           (action->delay == NULL ||
            stepper_delay(stepper, action->delay, action->place, &message->delay)) &&
           read_id(stepper, action, message);
}

static void raise_message(struct stepper *stepper, const struct message *message)
{
    stepper_raise(stepper,
                  (struct raised){.event = machine_find_event(stepper->machine, message->type),
                                  .type = message->type,
                                  .payload = message->payload,
                                  .by = RAISED_INTERNAL,
                                  .send_id = message->id});
}

static bool arm_message(struct stepper *stepper, const struct machine_action *action,
                        const struct message *message, bool is_internal)
{
    return stepper_arm(stepper,
                       (struct armed_timer){.timer = NO_INDEX,
                                            .is_internal = is_internal,
                                            .id = message->id,
                                            .type = message->type,
                                            .to = message->to,
                                            .payload = message->payload},
                       message->delay, action->place);
}

static bool act_raise(struct stepper *stepper, const struct machine_action *action)
{
    struct message message;
    if (!read_message(stepper, action, &message))
        return false;
    if (action->delay != NULL)
        return arm_message(stepper, action, &message, true);
    raise_message(stepper, &message);
    return true;
}

static bool knows_processor(struct span processor)
{
    for (size_t i = 0; i < sizeof scxml_processors / sizeof scxml_processors[0]; i++) {
        if (span_equal(processor, scxml_processors[i]))
            return true;
    }
    return false;
}

static const struct span session_prefix = SPAN_INIT("#_scxml_");

bool stepper_is_session(struct span to)
{
    return span_starts_with(to, session_prefix);
}

static bool is_self(const struct stepper *stepper, struct span to)
{
    if (to.size == 0)
        return true;
    return stepper_is_session(to) &&
           span_equal(span_slice(to, session_prefix.size, to.size), stepper->next->session);
}

/* The id of the child that a target names, "#_ID" or (XState) "ID"; empty: it names none. */
static struct span child_of_target(const struct stepper *stepper, struct span to)
{
    bool is_scxml = stepper->machine->semantics == SEMANTICS_SCXML;
    if (span_starts_with(to, SPAN("#_")))
        return span_slice(to, 2, to.size);
    return is_scxml || to.text[0] == '#' || to.text[0] == '!' ? SPAN("") : to;
}

static bool is_parent(struct span to)
{
    return span_is(to, "#_parent");
}

/* Nobody is there to take the event: that is an error of its own, and no failure. */
static bool tell_unreachable(struct stepper *stepper, const struct machine_action *action,
                             const struct message *message)
{
    struct span problem =
        text_print(stepper->arena, "there is nobody called `%.*s`", SPAN_ARGS(message->to));
    if (stepper->machine->semantics == SEMANTICS_XSTATE)
        return stepper_fail(stepper, SPAN("send"), action->place, problem);
    stepper_add_error(stepper, SPAN("send"), SPAN(""), action->place, problem);
    stepper_raise_error(stepper, stepper->machine->communication_error_event,
                        SPAN("communication"), problem);
    return true;
}

static bool send_message(struct stepper *stepper, const struct machine_action *action,
                         struct message message)
{
    struct span processor;
    if (!read_text(stepper, action, action->processor, "type", &processor))
        return false;
    if (!knows_processor(processor))
        return stepper_fail(stepper, SPAN("send"), action->place,
                            text_print(stepper->arena, "there is no event processor `%.*s`",
                                       SPAN_ARGS(processor)));
    if (span_is(message.to, "#_internal")) {
        raise_message(stepper, &message);
        return true;
    }
    if (is_self(stepper, message.to)) {
        message.to = SPAN("");
        return arm_message(stepper, action, &message, false);
    }
    struct span child = child_of_target(stepper, message.to);
    if (child.size == 0)
        return stepper_fail(
            stepper, SPAN("send"), action->place,
            text_print(stepper->arena, "`%.*s` is no target", SPAN_ARGS(message.to)));
    if (message.delay > 0)
        return arm_message(stepper, action, &message, false);
    bool is_elsewhere = is_parent(message.to) || stepper_is_session(message.to);
    const struct invocation *invocation = configuration_invoked(stepper->next, child);
    if (!is_elsewhere && invocation == NULL)
        return tell_unreachable(stepper, action, &message);
    stepper_add_effect(stepper, (struct effect){.kind = EFFECT_SEND,
                                                .number = is_elsewhere ? 0 : invocation->number,
                                                .id = is_elsewhere ? message.to : child,
                                                .name = message.type,
                                                .input = message.payload,
                                                .index = NO_INDEX,
                                                .send_id = message.id});
    return true;
}

static bool act_send(struct stepper *stepper, const struct machine_action *action)
{
    struct message message;
    if (!read_message(stepper, action, &message))
        return false;
    stepper->failed_send = message.id; /* what is raised about it bears its id */
    if (!send_message(stepper, action, message))
        return false;
    stepper->failed_send = (struct span){0};
    return true;
}

static bool act_cancel(struct stepper *stepper, const struct machine_action *action)
{
    struct span id;
    uint32_t kept = 0;
    if (!read_text(stepper, action, action->which, "id", &id))
        return false;
    for (uint32_t i = 0; i < stepper->next->timer_count; i++) {
        const struct armed_timer *timer = &stepper->timers[i];
        if (timer->timer != NO_INDEX || timer->id.size == 0 || !span_equal(timer->id, id))
            stepper->timers[kept++] = *timer;
    }
    stepper->next->timer_count = kept;
    return true;
}

static bool act_outside(struct stepper *stepper, const struct machine_action *action,
                        enum effect_kind kind)
{
    struct value data = value_null();
    if (action->data != NULL && !stepper_value_or_none(stepper, action->data, "params of",
                                                       action->name, action->place, &data))
        return false;
    stepper_add_effect(
        stepper,
        (struct effect){.kind = kind, .name = action->name, .input = data, .index = NO_INDEX});
    return true;
}

static bool act_emit(struct stepper *stepper, const struct machine_action *action)
{
    struct message message;
    if (!read_message(stepper, action, &message))
        return false;
    stepper_add_effect(stepper, (struct effect){.kind = EFFECT_EMIT,
                                                .name = message.type,
                                                .input = message.payload,
                                                .index = NO_INDEX});
    return true;
}

static bool act_script(struct stepper *stepper, const struct machine_action *action)
{
    struct value given = value_null();
    if (action->data != NULL &&
        !stepper_value_or_none(stepper, action->data, "assign", action->script->text,
                               action->place, &given))
        return false;
    struct value value =
        expr_foreign_run(action->script, given, &stepper->frame, stepper->arena);
    return !value_is_error(value) ||
           stepper_fail(stepper, SPAN("script"), action->place, value_span(value));
}

static bool act_spawn(struct stepper *stepper, const struct machine_action *action)
{
    struct value input;
    if (!stepper_value(stepper, action->data, "input of", action->name, action->place, &input))
        return false;
    struct span id = action->id;
    if (id.size == 0)
        id = text_print(stepper->arena, "%.*s.%llu", SPAN_ARGS(action->name),
                        (unsigned long long)stepper->next->next_number);
    if (configuration_invoked(stepper->next, id) != NULL)
        return stepper_fail(
            stepper, SPAN("spawn"), action->place,
            text_print(stepper->arena, "there is a child `%.*s` already", SPAN_ARGS(id)));
    stepper_add_invocation(
        stepper,
        (struct invocation){.invoke = NO_INDEX, .id = id, .src = action->name, .input = input});
    return true;
}

static bool act_stop(struct stepper *stepper, const struct machine_action *action)
{
    struct span id;
    uint32_t kept = 0;
    if (!read_text(stepper, action, action->which, "id", &id))
        return false;
    for (uint32_t i = 0; i < stepper->next->invocation_count; i++) {
        const struct invocation *invocation = &stepper->invocations[i];
        if (!span_equal(configuration_invoke_id(stepper->next, invocation), id))
            stepper->invocations[kept++] = *invocation;
    }
    stepper->next->invocation_count = kept;
    return true;
}

static bool act_block(struct stepper *stepper, struct range actions);

static bool act_for_each(struct stepper *stepper, const struct machine_action *action,
                         struct range body)
{
    struct value list;
    if (!stepper_value(stepper, action->data, "the list of", SPAN("foreach"), action->place,
                       &list))
        return false;
    if (list.kind != VALUE_LIST)
        return stepper_fail(stepper, SPAN("foreach"), action->place,
                            text_print(stepper->arena, "foreach needs a list, not %s",
                                       value_kind_name(list.kind)));
    for (uint32_t i = 0; i < list.count; i++) {
        if (!set_member(stepper, action->name, list.items[i], action->place))
            return false;
        if (action->index.size > 0 &&
            !set_member(stepper, action->index, value_int(i), action->place))
            return false;
        if (!act_block(stepper, body))
            return false;
    }
    return true;
}

/* The actions of a named one, with its parameters. */
static bool act_named(struct stepper *stepper, const struct machine_action *action)
{
    struct value params;
    struct value outer = stepper->slots[CHART_PARAMS];
    if (!stepper_value(stepper, action->data, "params of", action->name, action->place,
                       &params))
        return false;
    stepper->slots[CHART_PARAMS] = params;
    bool goes_on = act_block(stepper, action->assigns);
    stepper->slots[CHART_PARAMS] = outer;
    return goes_on;
}

static bool act(struct stepper *stepper, const struct machine_action *action)
{
    switch (action->kind) {
    case ACTION_ASSIGN:
        return act_assign(stepper, action->assigns);
    case ACTION_RAISE:
        return act_raise(stepper, action);
    case ACTION_SEND:
        return act_send(stepper, action);
    case ACTION_CANCEL:
        return act_cancel(stepper, action);
    case ACTION_LOG:
        return act_outside(stepper, action, EFFECT_LOG);
    case ACTION_EMIT:
        return act_emit(stepper, action);
    case ACTION_CALL:
        return act_outside(stepper, action, EFFECT_ACTION);
    case ACTION_NAMED:
        return act_named(stepper, action);
    case ACTION_SCRIPT:
        return act_script(stepper, action);
    case ACTION_SPAWN:
        return act_spawn(stepper, action);
    case ACTION_STOP:
        return act_stop(stepper, action);
    case ACTION_FAIL:
        return stepper_fail(stepper, SPAN("action"), action->place, action->name);
    case ACTION_IF:
    case ACTION_ELSE:
    case ACTION_FOREACH:
    case ACTION_BLOCK:
        break; /* act_block() and stepper_act() see to these */
    }
    never();
}

/* Runs to the end, or to the first action that fails. */
static bool act_block(struct stepper *stepper, struct range actions)
{
    uint32_t end = actions.first + actions.count;
    for (uint32_t i = actions.first; i < end; i++) {
        const struct machine_action *action = &stepper->machine->actions[i];
        if (!stepper_spend(stepper))
            return stepper_fail(stepper, SPAN("macrostep"), action->place, stepper_exhausted);
        if (action->kind == ACTION_IF) {
            if (!stepper_guard_holds(stepper, action->guard))
                i += action->skip;
        } else if (action->kind == ACTION_ELSE) {
            i += action->skip;
        } else if (action->kind == ACTION_FOREACH) {
            if (!act_for_each(stepper, action, (struct range){i + 1, action->skip}))
                return false;
            i += action->skip;
        } else if (!act(stepper, action)) {
            return false;
        }
    }
    return true;
}

/* SCXML: the error is an event, and the next block runs as if nothing had been. */
static void recover(struct stepper *stepper)
{
    stepper_raise_error(stepper, stepper->machine->execution_error_event, SPAN("execution"),
                        stepper->problem);
    stepper->problem = (struct span){0};
}

bool stepper_act(struct stepper *stepper, struct range actions)
{
    uint32_t end = actions.first + actions.count;
    for (uint32_t from = actions.first; from < end;) {
        uint32_t to = from;
        while (to < end && stepper->machine->actions[to].kind != ACTION_BLOCK)
            to++;
        if (!act_block(stepper, (struct range){from, to - from})) {
            if (stepper->machine->semantics != SEMANTICS_SCXML)
                return false;
            recover(stepper);
        }
        from = to + 1;
    }
    return true;
}
