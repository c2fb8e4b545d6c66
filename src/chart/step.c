/*
 * step.c - the macrostep.
 *
 * What has to happen outside is mostly not collected on the way; it is the difference
 * between before and after (step_effects.c), so a state that was entered and left within
 * one macrostep asks for nothing.
 */
#include "chart/step.h"

#include <string.h>

#include "base/ensure.h"
#include "base/limits.h"
#include "chart/stepper.h"

static struct value host_in(void *host, uint32_t function, const struct value *arguments,
                            size_t argument_count, struct arena *arena)
{
    const struct stepper *stepper = host;
    ensure(function == 0 && argument_count == 1);
    if (arguments[0].kind != VALUE_STRING)
        return value_error(SPAN("In() takes the name of a state"));
    bool known;
    bool is_in = configuration_is_in(&stepper->next, value_span(arguments[0]), &known);
    if (known)
        return value_bool(is_in);
    return value_error(text_print(arena, "In(): there is no state '%.*s'",
                                  SPAN_ARGS(value_span(arguments[0]))));
}

static struct value instant_value(instant_ms instant)
{
    int64_t seconds = instant / 1000 - (instant % 1000 < 0);
    return (struct value){.kind = VALUE_TIMESTAMP,
                          .integer = seconds,
                          .count = (uint32_t)(instant - seconds * 1000) * 1000000};
}

static struct value unbound(void)
{
    return value_error((struct span){0});
}

static bool count_microstep(struct stepper *stepper)
{
    if (++stepper->microsteps <= stepper->machine->microsteps_max)
        return true;
    return stepper_fail(stepper, SPAN("macrostep"), (struct place){0},
                        text_print(stepper->arena,
                                   "more than %u microsteps: transitions without events go "
                                   "round in circles",
                                   stepper->machine->microsteps_max));
}

/* Status `error`: the instance stands still until a person redrives it. */
static void stop_with_error(struct stepper *stepper, struct value error)
{
    stepper->next.status = INSTANCE_ERROR;
    stepper->next.error = error;
    stepper->next.timer_count = 0;
    stepper->next.invocation_count = 0;
}

/* A guard that nobody declared: what it would have decided, nobody knows. */
static void stop_undeclared(struct stepper *stepper)
{
    struct span message =
        text_print(stepper->arena, "there is no guard `%.*s`", SPAN_ARGS(stepper->undeclared));
    stepper_add_error(stepper, SPAN("guard"), stepper->undeclared, (struct place){0}, message);
    struct value payload = stepper_error(stepper->arena, SPAN("execution"), message);
    stop_with_error(stepper, value_member(payload, SPAN("error")));
}

static bool choice_acts(const struct choice *choice)
{
    return choice->transition->target != NO_STATE || choice->transition->actions.count > 0;
}

/* Takes the transitions that were chosen. */
static bool take(struct stepper *stepper)
{
    if (!count_microstep(stepper))
        return false;
    for (uint32_t i = 0; i < stepper->choice_count; i++) {
        const struct machine_transition *transition = stepper->choices[i].transition;
        if (transition->is_broken)
            return stepper_fail(stepper, SPAN("transition"), transition->place,
                                SPAN("its targets cannot be entered together"));
        stepper->applied = stepper->applied || choice_acts(&stepper->choices[i]);
    }
    if (!stepper_move(stepper))
        return false;
    return !stepper->is_complete || stepper_finish(stepper);
}

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
    stepper->next.invocation_count--;
    memmove(&stepper->invocations[index], &stepper->invocations[index + 1],
            (stepper->next.invocation_count - index) * sizeof *stepper->invocations);
}

static struct value keep_id(struct stepper *stepper, const struct machine_invoke *invoke,
                            struct invocation *invocation)
{
    if (invoke->id_place.size == 0)
        return value_null();
    invocation->id = text_print(stepper->arena, "%.*s.%llu",
                                SPAN_ARGS(stepper->machine->states[invoke->state].id),
                                (unsigned long long)invocation->number);
    stepper_keep_context(stepper,
                         value_with(stepper->arena, stepper->next.context, invoke->id_place,
                                    value_string(invocation->id)),
                         false);
    return value_null();
}

/* What SCXML's invoke says beside its params: the kind of service, and where it is. */
static struct value read_source(struct stepper *stepper, const struct machine_invoke *invoke,
                                struct invocation *invocation)
{
    const struct expr_slot *source =
        invoke->src_slot != NULL ? invoke->src_slot : invoke->content;
    if (source == NULL)
        return value_null();
    struct value value = stepper_plain(stepper, source);
    if (value.kind == VALUE_STRING)
        invocation->src = value_span(value);
    else if (!value_is_error(value))
        return value_error(SPAN("the source of an invoke must be a string"));
    return value;
}

static struct value read_input(struct stepper *stepper, struct invocation *invocation)
{
    const struct machine_invoke *invoke = &stepper->machine->invokes[invocation->invoke];
    struct value source = read_source(stepper, invoke, invocation);
    if (value_is_error(source))
        return source;
    struct value input = stepper_plain(stepper, invoke->input);
    if (value_is_error(input))
        return input;
    keep_id(stepper, invoke, invocation);
    return input;
}

/* Evaluates the inputs of new invocations, up to the first that fails: what is done about it
 * may leave the states of the others. */
static void request_invocations(struct stepper *stepper)
{
    for (uint32_t i = 0; i < stepper->next.invocation_count; i++) {
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

static bool is_invoke_error(const struct stepper *stepper, uint32_t event)
{
    for (uint32_t i = 0; i < stepper->machine->invoke_count; i++) {
        if (stepper->machine->invokes[i].error_event == event)
            return stepper->machine->semantics == SEMANTICS_XSTATE;
    }
    return false;
}

/* Handles the current event: the transitions it enables, if any. Only a step's own error stops
 * the instance when nothing handles it, not an event from outside that is called so. */
static bool handle_event(struct stepper *stepper, const struct raised *event, bool may_stop)
{
    stepper_select(stepper, event->event);
    if (stepper->undeclared.text != NULL) {
        stop_undeclared(stepper);
        return true;
    }
    if (stepper->choice_count > 0)
        return take(stepper);
    if (may_stop && is_invoke_error(stepper, event->event))
        stop_with_error(stepper, value_member(event->payload, SPAN("error")));
    return true;
}

static bool choice_assigns(const struct stepper *stepper)
{
    for (uint32_t i = 0; i < stepper->choice_count; i++) {
        if (stepper->choices[i].transition->assigns)
            return true;
    }
    return false;
}

static bool is_moved(const struct stepper *stepper, const uint64_t *before)
{
    return memcmp(before, stepper->active, stepper->machine->word_count * sizeof *before) != 0;
}

/* XState: one that leads where it came from and assigns nothing would do so for ever, and is
 * taken once. */
static bool take_eventless(struct stepper *stepper, bool *again)
{
    size_t bytes = stepper->machine->word_count * sizeof *stepper->active;
    *again = false;
    stepper_select(stepper, EVENT_ID_NONE);
    if (stepper->undeclared.text != NULL) {
        stop_undeclared(stepper);
        return true;
    }
    if (stepper->choice_count == 0)
        return true;
    uint64_t *before = arena_get(stepper->arena, bytes);
    memcpy(before, stepper->active, bytes);
    bool assigns = choice_assigns(stepper);
    if (!take(stepper))
        return false;
    *again =
        stepper->machine->semantics == SEMANTICS_SCXML || assigns || is_moved(stepper, before);
    return true;
}

static bool handle_raised(struct stepper *stepper)
{
    struct raised *raised = stepper->queue;
    stepper->queue = raised->next;
    if (stepper->queue == NULL)
        stepper->queue_end = &stepper->queue;
    stepper_set_event(stepper, raised);
    return count_microstep(stepper) && handle_event(stepper, raised, true);
}

static bool keeps_invariants(struct stepper *stepper)
{
    const struct machine *machine = stepper->machine;
    for (uint32_t i = 0; i < machine->invariant_count; i++) {
        const struct machine_guard *invariant = &machine->guards[machine->invariants[i]];
        if (!stepper_guard_holds(stepper, machine->invariants[i]))
            return stepper_fail(stepper, SPAN("invariant"), invariant->place,
                                text_print(stepper->arena, "`%.*s` would not hold any more",
                                           SPAN_ARGS(invariant->name)));
    }
    return true;
}

/* Eventless transitions until none is enabled, then one internal event, and again; then
 * requests. */
static bool come_to_rest(struct stepper *stepper)
{
    while (stepper->next.status == INSTANCE_ACTIVE) {
        bool again;
        if (!take_eventless(stepper, &again))
            return false;
        if (again)
            continue;
        if (stepper->queue == NULL)
            request_invocations(stepper);
        if (stepper->queue == NULL)
            break;
        if (!handle_raised(stepper))
            return false;
    }
    return keeps_invariants(stepper);
}

static void *copy_array(struct arena *arena, const void *array, size_t bytes)
{
    return memcpy(arena_get(arena, bytes), array, bytes);
}

/* The arrays are copied only where there is something in them; they grow when they have to. */
static void copy_before(struct stepper *stepper, const struct configuration *before)
{
    struct arena *arena = stepper->arena;
    uint32_t words = stepper->machine->word_count;
    stepper->next = *before;
    stepper->active = arena_get(arena, words * sizeof *stepper->active);
    for (uint32_t i = 0; i < words; i++)
        stepper->active[i] = before->active[i];
    stepper->next.active = stepper->active;
    stepper->memory = NULL;
    if (stepper->machine->memory_count > 0)
        stepper->memory =
            copy_array(arena, before->memory,
                       (size_t)stepper->machine->memory_count * words * sizeof *before->memory);
    stepper->next.memory = stepper->memory;
    stepper->timers = NULL;
    stepper->timer_capacity = before->timer_count;
    if (before->timer_count > 0)
        stepper->timers =
            copy_array(arena, before->timers, before->timer_count * sizeof *before->timers);
    stepper->next.timers = stepper->timers;
    stepper->invocations = NULL;
    stepper->invocation_capacity = before->invocation_count;
    if (before->invocation_count > 0)
        stepper->invocations = copy_array(
            arena, before->invocations, before->invocation_count * sizeof *before->invocations);
}

static void begin(struct stepper *stepper, const struct configuration *before)
{
    stepper->queue = NULL;
    stepper->queue_end = &stepper->queue;
    stepper->microsteps = 0;
    stepper->effort = 0;
    stepper->room = 0;
    stepper->guard_error_raised = false;
    stepper->applied = false;
    stepper->is_complete = false;
    stepper->effect_count = 0;
    stepper->undeclared = (struct span){0};
    stepper->problem = (struct span){0};
    copy_before(stepper, before);
    stepper->slots[CHART_CONTEXT] = before->context;
    if (stepper->machine->semantics == SEMANTICS_SCXML)
        stepper->slots[CHART_SCXML_SESSION] = value_string(before->session);
}

static bool is_result(const struct event *event)
{
    return event->kind == EVENT_DONE || event->kind == EVENT_ERROR;
}

static void drop_invocation(struct stepper *stepper, uint64_t number)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < stepper->next.invocation_count; i++) {
        if (stepper->invocations[i].number != number)
            stepper->invocations[kept++] = stepper->invocations[i];
    }
    stepper->next.invocation_count = kept;
}

static void drop_timer(struct stepper *stepper, uint64_t number)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < stepper->next.timer_count; i++) {
        if (stepper->timers[i].number != number)
            stepper->timers[kept++] = stepper->timers[i];
    }
    stepper->next.timer_count = kept;
}

/* The time that an invocation may take is over, or needs no watching any more. */
static void drop_its_timer(struct stepper *stepper, uint32_t invoke)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < stepper->next.timer_count; i++) {
        uint32_t timer = stepper->timers[i].timer;
        if (timer == NO_INDEX || invoke == NO_INDEX ||
            stepper->machine->timers[timer].invoke != invoke)
            stepper->timers[kept++] = stepper->timers[i];
    }
    stepper->next.timer_count = kept;
}

static void drop_limited(struct stepper *stepper, uint32_t invoke)
{
    for (uint32_t i = 0; i < stepper->next.invocation_count; i++) {
        if (stepper->invocations[i].invoke == invoke) {
            drop_invocation(stepper, stepper->invocations[i].number);
            return;
        }
    }
}

/* Takes the timer that fired, or the invocation that ended, out of the configuration: from here
 * on it is no longer active, whatever becomes of the macrostep. */
static void consume(struct stepper *stepper, const struct configuration *before,
                    const struct event *event)
{
    if (event->kind == EVENT_TIMER) {
        const struct armed_timer *timer = configuration_find_timer(before, event->number);
        uint32_t limits = timer == NULL || timer->timer == NO_INDEX
                              ? NO_INDEX
                              : stepper->machine->timers[timer->timer].invoke;
        drop_timer(stepper, event->number);
        if (limits != NO_INDEX)
            drop_limited(stepper, limits);
    } else if (is_result(event)) {
        const struct invocation *ended = configuration_find_invocation(before, event->number);
        drop_invocation(stepper, event->number);
        if (ended != NULL)
            drop_its_timer(stepper, ended->invoke);
    }
}

/* SCXML: a variable whose value cannot be computed is there and has none. */
static bool set_first(struct stepper *stepper, const struct machine_assign *member,
                      struct value *context)
{
    struct value value;
    if (stepper_value(stepper, member->slot, "context", member->key, member->place, &value)) {
        if (!stepper_is_undefined(stepper, value))
            *context = value_with(stepper->arena, *context, member->key, value);
        return true;
    }
    if (stepper->machine->semantics != SEMANTICS_SCXML)
        return false;
    stepper_raise_error(stepper, stepper->machine->execution_error_event, SPAN("execution"),
                        stepper->problem);
    stepper->problem = (struct span){0};
    return true;
}

/* SCXML: what the invoker passes replaces the first values of variables that are declared. */
static struct value take_passed(struct stepper *stepper, struct value context,
                                struct value input)
{
    const struct machine *machine = stepper->machine;
    for (uint32_t i = 0; input.kind == VALUE_MAP && i < machine->declared_count; i++) {
        const struct value *passed = value_find(input, machine->declared[i]);
        if (passed != NULL)
            context = value_with(stepper->arena, context, machine->declared[i], *passed);
    }
    return context;
}

static bool start(struct stepper *stepper, struct value input)
{
    const struct machine *machine = stepper->machine;
    bool is_scxml = machine->semantics == SEMANTICS_SCXML;
    struct value context = value_map(NULL, 0);
    stepper->slots[CHART_CONTEXT] = context;
    for (uint32_t i = 0; i < machine->context_count; i++) {
        bool is_passed = is_scxml && input.kind == VALUE_MAP &&
                         value_find(input, machine->context[i].key) != NULL;
        if (!is_passed && !set_first(stepper, &machine->context[i], &context))
            return false;
        if (is_scxml)
            stepper->slots[CHART_CONTEXT] = context;
    }
    if (is_scxml)
        context = take_passed(stepper, context, input);
    stepper->applied = true;
    if (!stepper_keep_context(stepper, context, false))
        return false;
    if (machine->run.count > 0 && !stepper_act(stepper, machine->run))
        return false;
    stepper->choices[0] = (struct choice){&machine->transitions[machine->start], NO_STATE};
    stepper->choice_count = 1;
    return take(stepper) && come_to_rest(stepper);
}

/* What the event is called, what it carries, and whether it still concerns anybody. */
struct arrival {
    struct raised event;
    bool late;
    struct span to; /* not empty: an event for somebody else that was delayed */
};

static struct arrival arrive_timer(const struct configuration *before,
                                   const struct event *event, struct arena *arena)
{
    const struct machine *machine = before->machine;
    const struct armed_timer *timer = configuration_find_timer(before, event->number);
    struct arrival arrival = {.event = {.event = EVENT_ID_OTHER,
                                        .type = SPAN("after"),
                                        .payload = value_map(NULL, 0),
                                        .origin_type = RAISED_PLATFORM},
                              .late = timer == NULL};
    if (timer == NULL)
        return arrival;
    arrival.event.type = configuration_timer_name(before, timer);
    if (timer->timer != NO_INDEX) {
        arrival.event.event = machine->timers[timer->timer].event;
        return arrival;
    }
    arrival.event.event = machine_find_event(machine, timer->type);
    arrival.event.payload = timer->payload;
    arrival.event.send_id = timer->id;
    arrival.event.origin_type = timer->is_internal ? RAISED_INTERNAL : RAISED_EXTERNAL;
    arrival.to = timer->to;
    if (machine->semantics == SEMANTICS_SCXML && !timer->is_internal)
        arrival.event.origin = text_print(arena, "#_scxml_%.*s", SPAN_ARGS(before->session));
    return arrival;
}

static struct arrival arrive_result(const struct configuration *before,
                                    const struct event *event, struct arena *arena)
{
    const struct machine *machine = before->machine;
    bool is_done = event->kind == EVENT_DONE;
    const struct invocation *invocation = configuration_find_invocation(before, event->number);
    struct arrival arrival = {
        .event = {.event = EVENT_ID_OTHER,
                  .type = is_done ? SPAN("done.invoke") : SPAN("error.invoke"),
                  .payload = stepper_map(arena, is_done ? SPAN("output") : SPAN("error"),
                                         event->payload),
                  .origin_type = RAISED_EXTERNAL},
        .late = invocation == NULL};
    if (invocation == NULL)
        return arrival;
    arrival.event.invoke_id = configuration_invoke_id(before, invocation);
    if (invocation->invoke != NO_INDEX && invocation->id.size == 0) {
        const struct machine_invoke *invoke = &machine->invokes[invocation->invoke];
        arrival.event.event = is_done ? invoke->done_event : invoke->error_event;
        arrival.event.type = is_done ? invoke->done_type : invoke->error_type;
        return arrival;
    }
    arrival.event.type = text_print(arena, "%s.invoke.%.*s", is_done ? "done" : "error",
                                    SPAN_ARGS(arrival.event.invoke_id));
    arrival.event.event = machine_find_event(machine, arrival.event.type);
    return arrival;
}

static struct arrival arrive(const struct machine *machine, const struct configuration *before,
                             const struct event *event, struct arena *arena)
{
    switch (event->kind) {
    case EVENT_START:
        return (struct arrival){
            .event = {.event = EVENT_ID_OTHER,
                      .type = SPAN("xstate.init"),
                      .payload = stepper_map(arena, SPAN("input"), event->payload),
                      .origin_type = RAISED_PLATFORM}};
    case EVENT_EXTERNAL:
        return (struct arrival){.event = {.event = machine_find_event(machine, event->type),
                                          .type = event->type,
                                          .payload = event->payload,
                                          .origin_type = RAISED_EXTERNAL,
                                          .invoke_id = event->invoke_id,
                                          .origin = event->origin,
                                          .send_id = event->send_id}};
    case EVENT_TIMER:
        return arrive_timer(before, event, arena);
    case EVENT_DONE:
    case EVENT_ERROR:
        return arrive_result(before, event, arena);
    }
    never();
}

/* After a failed macrostep of a result or a timer: tell the old configuration. */
static void recover(struct stepper *stepper, const struct configuration *before,
                    const struct event *event)
{
    uint32_t error_event = stepper->machine->execution_error_event;
    struct raised error = {
        .event = error_event,
        .type = stepper->machine->event_types[error_event],
        .payload = stepper_error(stepper->arena, SPAN("execution"), stepper->problem),
        .origin_type = RAISED_PLATFORM};
    begin(stepper, before);
    consume(stepper, before, event);
    stepper_set_event(stepper, &error);
    stepper_select(stepper, error_event);
    if (stepper->choice_count > 0 && take(stepper) && come_to_rest(stepper))
        return;
    begin(stepper, before);
    consume(stepper, before, event);
    stop_with_error(stepper, value_member(error.payload, SPAN("error")));
}

/* What was collected on the way, and what before and after tell. */
static void set_effects(struct stepper *stepper, const struct configuration *before,
                        const struct event *event)
{
    struct plan *plan = stepper->plan;
    uint32_t count;
    const struct effect *told =
        step_effects(before, &plan->after, event, stepper->arena, &count);
    plan->effects = told;
    plan->effect_count = count;
    if (stepper->effect_count == 0)
        return;
    plan->effect_count = stepper->effect_count + count;
    struct effect *all = arena_new_array(stepper->arena, plan->effect_count, struct effect);
    memcpy(all, stepper->effects, stepper->effect_count * sizeof *all);
    if (count > 0)
        memcpy(all + stepper->effect_count, told, count * sizeof *all);
    plan->effects = all;
}

static void settle(struct stepper *stepper, const struct configuration *before,
                   const struct event *event)
{
    struct plan *plan = stepper->plan;
    plan->after = stepper->next;
    plan->after.timers = stepper->timers;
    plan->after.invocations = stepper->invocations;
    plan->changed = before == NULL || !configuration_looks_equal(before, &plan->after);
    set_effects(stepper, before, event);
}

static void run_start(struct stepper *stepper, const struct event *event)
{
    const struct machine *machine = stepper->machine;
    size_t words = machine->word_count;
    struct configuration nothing = {
        .machine = machine,
        .active = arena_get_zeroed(stepper->arena, words * sizeof(uint64_t)),
        .memory =
            arena_get_zeroed(stepper->arena, machine->memory_count * words * sizeof(uint64_t)),
        .session = event->session.size > 0 ? event->session : machine->id,
        .next_number = 1,
        .context = value_map(NULL, 0)};
    if (machine->semantics != SEMANTICS_SCXML)
        nothing.session = SPAN("");
    begin(stepper, &nothing);
    stepper->slots[CHART_INPUT] = event->payload;
    stepper->plan->outcome = OUTCOME_APPLIED;
    if (start(stepper, event->payload))
        return;
    stepper->plan->outcome = OUTCOME_FAILED;
    struct value error = stepper_error(stepper->arena, SPAN("execution"), stepper->problem);
    begin(stepper, &nothing);
    stepper->active[0] = 1;
    stop_with_error(stepper, value_member(error, SPAN("error")));
}

/* An event of a child first runs what its invoke says under `finalize`; and one from outside
 * is passed on to the children that want to see everything. */
static bool tell_children(struct stepper *stepper, const struct raised *event)
{
    for (uint32_t i = 0; i < stepper->next.invocation_count; i++) {
        const struct invocation *invocation = &stepper->invocations[i];
        if (invocation->invoke == NO_INDEX)
            continue;
        const struct machine_invoke *invoke = &stepper->machine->invokes[invocation->invoke];
        struct span id = configuration_invoke_id(&stepper->next, invocation);
        if (invoke->finalize.count > 0 && span_equal(id, event->invoke_id) &&
            !stepper_act(stepper, invoke->finalize))
            return false;
        if (invoke->forwards)
            stepper_add_effect(stepper, (struct effect){.kind = EFFECT_SEND,
                                                        .id = id,
                                                        .name = event->type,
                                                        .input = event->payload,
                                                        .index = NO_INDEX});
    }
    return true;
}

/* A delayed event for somebody else is due. */
static bool send_on(struct stepper *stepper, const struct arrival *arrival)
{
    struct span to = arrival->to;
    if (!span_is(to, "#_parent") && span_starts_with(to, SPAN("#_")))
        to = span_slice(to, 2, to.size);
    stepper->applied = true;
    if (!span_is(to, "#_parent") && configuration_invoked(&stepper->next, to) == NULL) {
        stepper_raise_error(
            stepper, stepper->machine->communication_error_event, SPAN("communication"),
            text_print(stepper->arena, "there is nobody called `%.*s`", SPAN_ARGS(to)));
        return true;
    }
    stepper_add_effect(stepper, (struct effect){.kind = EFFECT_SEND,
                                                .id = to,
                                                .name = arrival->event.type,
                                                .input = arrival->event.payload,
                                                .index = NO_INDEX,
                                                .send_id = arrival->event.send_id});
    return true;
}

static bool run_macrostep(struct stepper *stepper, const struct arrival *arrival, bool may_stop)
{
    if (arrival->to.size > 0)
        return send_on(stepper, arrival) && come_to_rest(stepper);
    bool is_external = arrival->event.origin_type != NULL && stepper->next.invocation_count > 0;
    if (is_external && !tell_children(stepper, &arrival->event))
        return false;
    return handle_event(stepper, &arrival->event, may_stop) && come_to_rest(stepper);
}

static void run_event(struct stepper *stepper, const struct configuration *before,
                      const struct event *event, const struct arrival *arrival)
{
    begin(stepper, before);
    consume(stepper, before, event);
    bool fine = run_macrostep(stepper, arrival, event->kind != EVENT_EXTERNAL);
    bool stopped = stepper->next.status == INSTANCE_ERROR;
    if (fine && !stopped) {
        stepper->plan->outcome = stepper->applied ? OUTCOME_APPLIED : OUTCOME_IGNORED;
        return;
    }
    stepper->plan->outcome = OUTCOME_FAILED;
    if (fine)
        return;
    if (event->kind == EVENT_EXTERNAL)
        begin(stepper, before);
    else
        recover(stepper, before, event);
}

static struct stepper *stepper_make(const struct machine *machine, instant_ms now,
                                    struct arena *arena, struct plan *plan)
{
    uint32_t slot_count = CHART_VARIABLE_COUNT + machine->named_guard_count;
    struct stepper *stepper =
        arena_get_zeroed(arena, sizeof *stepper + slot_count * sizeof stepper->slots[0]);
    stepper->machine = machine;
    stepper->arena = arena;
    stepper->plan = plan;
    stepper->now = now;
    stepper->errors_end = &plan->errors;
    stepper->choices = arena_new_array(arena, machine->leaf_count, struct choice);
    for (uint32_t i = 0; i < slot_count; i++)
        stepper->slots[i] = unbound();
    stepper->slots[CHART_NOW] = instant_value(now);
    if (machine->semantics == SEMANTICS_SCXML) {
        stepper->slots[CHART_SCXML_NAME] = value_string(machine->id);
        stepper->slots[CHART_SCXML_PROCESSORS] = machine->processors;
        stepper->slots[CHART_SCXML_EVENT] = value_map(NULL, 0); /* no name: there is none yet */
    }
    stepper->frame.slots = stepper->slots;
    stepper->frame.slot_count = slot_count;
    stepper->frame.host_function = host_in;
    stepper->frame.host = stepper;
    return stepper;
}

static void give_up(struct stepper *stepper, const struct configuration *before,
                    const struct event *event)
{
    struct span message = SPAN("the macrostep needs more memory than a turn may have");
    begin(stepper, before);
    consume(stepper, before, event);
    stepper_fail(stepper, SPAN("macrostep"), (struct place){0}, message);
    struct value payload = stepper_error(stepper->arena, SPAN("execution"), message);
    stop_with_error(stepper, value_member(payload, SPAN("error")));
    stepper->plan->outcome = OUTCOME_FAILED;
}

static enum status run(const struct machine *machine, const struct configuration *before,
                       const struct event *event, instant_ms now, bool gives_up,
                       struct arena *arena, struct plan *plan)
{
    struct arena_guard guard;
    if (arena_is_spent(arena, &guard))
        return STATUS_NO_SPACE;
    ensure((before == NULL) == (event->kind == EVENT_START));
    plan->errors = NULL; /* the other members are set on the way, each in one place */
    struct arrival arrival = arrive(machine, before, event, arena);
    struct stepper *stepper = stepper_make(machine, now, arena, plan);
    if (before != NULL || machine->semantics != SEMANTICS_SCXML)
        stepper_set_event(stepper, &arrival.event);
    plan->type = arrival.event.type;
    plan->payload = arrival.event.payload;
    plan->late = arrival.late;
    plan->gave_up = gives_up;
    if (before == NULL) {
        run_start(stepper, event);
    } else if (before->status != INSTANCE_ACTIVE || arrival.late) {
        begin(stepper, before);
        plan->outcome = OUTCOME_IGNORED;
    } else if (gives_up) {
        give_up(stepper, before, event);
    } else {
        run_event(stepper, before, event, &arrival);
    }
    settle(stepper, before, event);
    arena_release_guard(arena, &guard);
    return STATUS_OK;
}

enum status step_run(const struct machine *machine, const struct configuration *before,
                     const struct event *event, instant_ms now, struct arena *arena,
                     struct plan *plan)
{
    return run(machine, before, event, now, false, arena, plan);
}

enum status step_give_up(const struct machine *machine, const struct configuration *before,
                         const struct event *event, instant_ms now, struct arena *arena,
                         struct plan *plan)
{
    ensure(event->kind == EVENT_TIMER || is_result(event));
    return run(machine, before, event, now, true, arena, plan);
}

const char *outcome_name(enum outcome outcome)
{
#define OUTCOME_NAME(name, text) [OUTCOME_##name] = text,
    static const char *const names[] = {OUTCOME_LIST(OUTCOME_NAME)};
#undef OUTCOME_NAME
    ensure(outcome < OUTCOME_COUNT);
    return names[outcome];
}
