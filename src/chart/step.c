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
    bool is_in = configuration_is_in(stepper->next, value_span(arguments[0]), &known);
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

static bool stays_within_cost(struct stepper *stepper)
{
    if (stepper->cost <= MACROSTEP_COST_MAX)
        return true;
    return stepper_fail(stepper, SPAN("macrostep"), (struct place){0}, stepper_exhausted);
}

bool stepper_count_microstep(struct stepper *stepper)
{
    if (!stays_within_cost(stepper))
        return false;
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
    stepper->next->status = INSTANCE_ERROR;
    stepper->next->error = error;
    stepper->next->timer_count = 0;
    stepper->next->invocation_count = 0;
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
    if (!stepper_count_microstep(stepper))
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
    bool is_patch =
        event->event != EVENT_ID_NONE && event->event == stepper->machine->patch_event;
    if (is_patch && !stepper_patch(stepper, event->payload))
        return false;
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
    return stepper_count_microstep(stepper) && handle_event(stepper, raised, true);
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

/* Eventless transitions until none is enabled, the derivation as the last of them, then one
 * internal event, and again; then requests. */
static bool come_to_rest(struct stepper *stepper)
{
    while (stepper->next->status == INSTANCE_ACTIVE) {
        bool again;
        if (!take_eventless(stepper, &again))
            return false;
        if (!again && !stepper_derive(stepper, &again))
            return false;
        if (again)
            continue;
        if (stepper->queue == NULL)
            stepper_request_invocations(stepper);
        if (stepper->queue == NULL)
            break;
        if (!handle_raised(stepper))
            return false;
    }
    if (stepper_is_at_end(stepper) && !stepper_complete(stepper))
        return false;
    return keeps_invariants(stepper) && stays_within_cost(stepper);
}

static void *copy_array(struct arena *arena, const void *array, size_t bytes)
{
    return bytes == 0 ? NULL : memcpy(arena_get(arena, bytes), array, bytes);
}

/* Timers and invocations are copied only where there are some; they grow when they have to. */
static void copy_waiting(struct stepper *stepper, const struct configuration *before)
{
    size_t timer_bytes = before->timer_count * sizeof *before->timers;
    size_t invocation_bytes = before->invocation_count * sizeof *before->invocations;
    stepper->timers = copy_array(stepper->arena, before->timers, timer_bytes);
    stepper->timer_capacity = before->timer_count;
    stepper->invocations = copy_array(stepper->arena, before->invocations, invocation_bytes);
    stepper->invocation_capacity = before->invocation_count;
    stepper->next->timers = stepper->timers;
    stepper->next->invocations = stepper->invocations;
}

static void copy_before(struct stepper *stepper, const struct configuration *before)
{
    const struct machine *machine = stepper->machine;
    size_t bytes = machine->word_count * sizeof *before->active;
    *stepper->next = *before;
    stepper->active = copy_array(stepper->arena, before->active, bytes);
    stepper->next->active = stepper->active;
    stepper->memory = copy_array(stepper->arena, before->memory, machine->memory_count * bytes);
    stepper->next->memory = stepper->memory;
    copy_waiting(stepper, before);
}

void stepper_forget(struct stepper *stepper)
{
    stepper->cost = 0;
    stepper->queue = NULL;
    stepper->queue_end = &stepper->queue;
    stepper->undeclared = (struct span){0};
    stepper->failed_send = (struct span){0};
    stepper->guard_error_raised = false;
    stepper->asked_count = 0;
}

static void begin(struct stepper *stepper, const struct configuration *before)
{
    stepper_forget(stepper);
    stepper->microsteps = 0;
    stepper->room = 0;
    stepper->applied = false;
    stepper->derives = false;
    stepper->via = NULL;
    stepper->via_count = 0;
    stepper->via_capacity = 0;
    stepper->is_complete = false;
    stepper->effects = NULL;
    stepper->effect_count = 0;
    stepper->effect_capacity = 0;
    stepper->problem = (struct span){0};
    copy_before(stepper, before);
    if (!stepper->is_bound)
        stepper_bind(stepper);
    stepper_show_context(stepper, before->context);
}

static bool is_result(const struct event *event)
{
    return event->kind == EVENT_DONE || event->kind == EVENT_ERROR;
}

static void drop_invocation(struct stepper *stepper, uint64_t number)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < stepper->next->invocation_count; i++) {
        if (stepper->invocations[i].number != number)
            stepper->invocations[kept++] = stepper->invocations[i];
    }
    stepper->next->invocation_count = kept;
}

static void drop_timer(struct stepper *stepper, uint64_t number)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < stepper->next->timer_count; i++) {
        if (stepper->timers[i].number != number)
            stepper->timers[kept++] = stepper->timers[i];
    }
    stepper->next->timer_count = kept;
}

/* The time that an invocation may take is over, or needs no watching any more. */
static void drop_its_timer(struct stepper *stepper, uint32_t invoke)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < stepper->next->timer_count; i++) {
        uint32_t timer = stepper->timers[i].timer;
        if (timer == NO_INDEX || invoke == NO_INDEX ||
            stepper->machine->timers[timer].invoke != invoke)
            stepper->timers[kept++] = stepper->timers[i];
    }
    stepper->next->timer_count = kept;
}

static void drop_limited(struct stepper *stepper, uint32_t invoke)
{
    for (uint32_t i = 0; i < stepper->next->invocation_count; i++) {
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
    bool is_computed = stepper_value_or_none(stepper, member->slot, "context", member->key,
                                             member->place, &value);
    if (stepper->machine->semantics == SEMANTICS_SCXML) /* a script may have changed others */
        *context = stepper->slots[CHART_CONTEXT];
    if (is_computed) {
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
    if (machine->derivation != NULL && !stepper_take_record(stepper, input, &context))
        return false;
    stepper->applied = true;
    if (!stepper_keep_context(stepper, context, false))
        return false;
    if (machine->run.count > 0 && !stepper_act(stepper, machine->run))
        return false;
    if (machine->derivation != NULL)
        return stepper_start_derived(stepper) && come_to_rest(stepper);
    stepper->choices[0] =
        (struct choice){&machine->transitions[machine->start], NO_STATE, NO_INDEX};
    stepper->choice_count = 1;
    return take(stepper) && come_to_rest(stepper);
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
        .by = RAISED_PLATFORM};
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
    plan->after.timers = stepper->timers;
    plan->after.invocations = stepper->invocations;
    plan->via = stepper->via;
    plan->via_count = stepper->via_count;
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

/* A delayed event for somebody else is due. */
static bool send_on(struct stepper *stepper, const struct arrival *arrival)
{
    struct span to = arrival->to;
    bool is_elsewhere = span_is(to, "#_parent") || stepper_is_session(to);
    if (!is_elsewhere && span_starts_with(to, SPAN("#_")))
        to = span_slice(to, 2, to.size);
    const struct invocation *child = configuration_invoked(stepper->next, to);
    stepper->applied = true;
    if (!is_elsewhere && child == NULL) {
        stepper_raise_error(
            stepper, stepper->machine->communication_error_event, SPAN("communication"),
            text_print(stepper->arena, "there is nobody called `%.*s`", SPAN_ARGS(to)));
        return true;
    }
    stepper_add_effect(stepper, (struct effect){.kind = EFFECT_SEND,
                                                .number = is_elsewhere ? 0 : child->number,
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
    return stepper_tell_children(stepper, &arrival->event) &&
           handle_event(stepper, &arrival->event, may_stop) && come_to_rest(stepper);
}

static void run_event(struct stepper *stepper, const struct configuration *before,
                      const struct event *event, const struct arrival *arrival)
{
    begin(stepper, before);
    consume(stepper, before, event);
    bool fine = run_macrostep(stepper, arrival, event->kind != EVENT_EXTERNAL);
    bool stopped = stepper->next->status == INSTANCE_ERROR;
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

/* Where nothing leads on the record may still change: it is a row that others write. */
static void run_after_end(struct stepper *stepper, const struct configuration *before,
                          const struct arrival *arrival)
{
    uint32_t event = arrival->event.event;
    stepper->plan->outcome = OUTCOME_IGNORED;
    if (before->status != INSTANCE_DONE || event == EVENT_ID_NONE ||
        event != stepper->machine->patch_event)
        return;
    bool fine = stepper_patch(stepper, arrival->event.payload) && keeps_invariants(stepper);
    if (fine && stepper->applied)
        stepper->plan->outcome = OUTCOME_APPLIED;
    if (fine)
        return;
    stepper->plan->outcome = OUTCOME_FAILED;
    begin(stepper, before);
}

struct stepper *stepper_make(const struct machine *machine, instant_ms now, struct arena *arena,
                             struct plan *plan)
{
    uint32_t slot_count = CHART_VARIABLE_COUNT + machine->named_guard_count;
    struct stepper *stepper =
        arena_get(arena, sizeof *stepper + slot_count * sizeof stepper->slots[0]);
    stepper->machine = machine;
    stepper->arena = arena;
    stepper->plan = plan;
    stepper->next = &plan->after;
    stepper->now = now;
    stepper->event = NULL;
    stepper->choices = &stepper->only_choice;
    if (machine->has_parallel)
        stepper->choices = arena_get(arena, machine->leaf_count * sizeof *stepper->choices);
    stepper->errors_end = &plan->errors;
    stepper->is_bound = false;
    stepper->frame =
        (struct expr_frame){.slots = stepper->slots,
                            .slot_count = slot_count,
                            .cost = &stepper->cost,
                            .host_function = host_in,
                            .foreign = machine->language == NULL ? NULL : stepper_foreign,
                            .host = stepper};
    stepper_forget(stepper);
    return stepper;
}

/* SCXML: where this session can be reached; the machine knows the place of its first one. */
static struct value processors_of(const struct stepper *stepper)
{
    struct value processors = stepper->machine->processors;
    struct span session = stepper->next->session;
    if (span_equal(session, stepper->machine->id))
        return processors;
    struct span place = text_print(stepper->arena, "#_scxml_%.*s", SPAN_ARGS(session));
    struct value processor = stepper_map(stepper->arena, SPAN("location"), value_string(place));
    for (uint32_t i = 0; i < processors.count; i++)
        processors = value_with(stepper->arena, processors,
                                value_span(processors.entries[i].key), processor);
    return processors;
}

void stepper_bind(struct stepper *stepper)
{
    const struct machine *machine = stepper->machine;
    for (size_t i = 0; i < stepper->frame.slot_count; i++)
        stepper->slots[i] = unbound();
    stepper->slots[CHART_NOW] = instant_value(stepper->now);
    stepper->slots[CHART_CONTEXT] = stepper->next->context;
    if (machine->semantics == SEMANTICS_SCXML) {
        stepper->slots[CHART_SCXML_SESSION] = value_string(stepper->next->session);
        stepper->slots[CHART_SCXML_NAME] = value_string(machine->id);
        stepper->slots[CHART_SCXML_PROCESSORS] = processors_of(stepper);
        stepper->slots[CHART_SCXML_EVENT] = value_map(NULL, 0); /* no name: there is none yet */
    }
    stepper->is_bound = true;
    if (stepper->event != NULL)
        stepper_set_event(stepper, stepper->event);
}

static void stop(struct stepper *stepper, const struct configuration *before)
{
    begin(stepper, before);
    if (stepper->machine->semantics == SEMANTICS_SCXML)
        stepper_leave_all(stepper);
    stepper->next->status = INSTANCE_STOPPED;
    stepper->next->timer_count = 0;
    stepper->next->invocation_count = 0;
    stepper->plan->outcome = OUTCOME_APPLIED;
}

/* Kept in the error, and so in the state that a replay has to give: without figures, which
 * may be others one day. */
static struct span why_given_up(enum giving_up why)
{
    switch (why) {
    case GIVING_UP_ROOM:
        return SPAN("the macrostep needs more memory than a turn may have");
    case GIVING_UP_REST:
        return SPAN("the family does not come to rest");
    case GIVING_UP_SPIN:
        return SPAN("timers without a delay follow one from another and never come to rest");
    case GIVING_UP_NOT:
        break;
    }
    never();
}

static void give_up(struct stepper *stepper, const struct configuration *before,
                    const struct event *event)
{
    struct span message = why_given_up(stepper->plan->gave_up);
    begin(stepper, before);
    consume(stepper, before, event);
    stepper_fail(stepper, SPAN("macrostep"), (struct place){0}, message);
    struct value payload = stepper_error(stepper->arena, SPAN("execution"), message);
    stop_with_error(stepper, value_member(payload, SPAN("error")));
    stepper->plan->outcome = OUTCOME_FAILED;
}

/* The whole macrostep, where it only leaves and enters states; false: nothing was done. */
static bool run_lightly(struct stepper *stepper, const struct configuration *before)
{
    const struct machine *machine = stepper->machine;
    struct plan *plan = stepper->plan;
    size_t bytes = machine->word_count * sizeof *before->active;
    uint64_t *active = copy_array(stepper->arena, before->active, bytes);
    uint64_t *memory =
        copy_array(stepper->arena, before->memory, machine->memory_count * bytes);
    plan->after = *before;
    plan->after.active = active;
    plan->after.memory = memory;
    if (!stepper_move_lightly(stepper, active, memory)) {
        plan->errors = NULL;
        stepper->errors_end = &plan->errors;
        return false;
    }
    copy_waiting(stepper, before);
    plan->outcome = stepper->applied ? OUTCOME_APPLIED : OUTCOME_IGNORED;
    plan->effects = NULL;
    plan->effect_count = 0;
    return true;
}

static bool may_be_light(const struct machine *machine, const struct configuration *before,
                         const struct event *event)
{
    return machine->has_light_steps && event->kind == EVENT_EXTERNAL &&
           event->invoke_id.size == 0 && before->status == INSTANCE_ACTIVE;
}

static void run_fully(struct stepper *stepper, const struct configuration *before,
                      const struct event *event, const struct arrival *arrival)
{
    if (before == NULL) {
        run_start(stepper, event);
    } else if (before->status != INSTANCE_ACTIVE || arrival->late) {
        begin(stepper, before);
        run_after_end(stepper, before, arrival);
    } else if (stepper->plan->gave_up != GIVING_UP_NOT) {
        give_up(stepper, before, event);
    } else if (event->kind == EVENT_STOP) {
        stop(stepper, before);
    } else {
        run_event(stepper, before, event, arrival);
    }
    settle(stepper, before, event);
}

static enum status run(const struct machine *machine, const struct configuration *before,
                       const struct event *event, instant_ms now, enum giving_up gave_up,
                       struct arena *arena, struct plan *plan)
{
    struct arena_guard guard;
    if (arena_is_spent(arena, &guard))
        return STATUS_NO_SPACE;
    ensure((before == NULL) == (event->kind == EVENT_START));
    plan->errors = NULL; /* the other members are set on the way, each in one place */
    plan->via_count = 0;
    struct arrival arrival = stepper_arrival(machine, before, event, arena);
    struct stepper *stepper = stepper_make(machine, now, arena, plan);
    if (before != NULL || machine->semantics != SEMANTICS_SCXML)
        stepper->event = &arrival.event;
    plan->type = arrival.event.type;
    plan->payload = arrival.event.payload;
    plan->late = arrival.late;
    plan->gave_up = gave_up;
    if (before == NULL || gave_up != GIVING_UP_NOT || !may_be_light(machine, before, event) ||
        !run_lightly(stepper, before))
        run_fully(stepper, before, event, &arrival);
    arena_release_guard(arena, &guard);
    return STATUS_OK;
}

enum status step_run(const struct machine *machine, const struct configuration *before,
                     const struct event *event, instant_ms now, struct arena *arena,
                     struct plan *plan)
{
    return run(machine, before, event, now, GIVING_UP_NOT, arena, plan);
}

enum status step_give_up(const struct machine *machine, const struct configuration *before,
                         const struct event *event, enum giving_up why, instant_ms now,
                         struct arena *arena, struct plan *plan)
{
    return run(machine, before, event, now, why, arena, plan);
}

const char *outcome_name(enum outcome outcome)
{
#define OUTCOME_NAME(name, text) [OUTCOME_##name] = text,
    static const char *const names[] = {OUTCOME_LIST(OUTCOME_NAME)};
#undef OUTCOME_NAME
    ensure(outcome < OUTCOME_COUNT);
    return names[outcome];
}
