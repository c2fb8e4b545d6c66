/*
 * step.c - the macrostep.
 *
 * A stepper builds the next configuration in the arena: it starts as a copy of the one
 * before and is changed in place, transition by transition. What has to happen outside
 * is not collected on the way; it is the difference between before and after, so a state
 * that was entered and left within one macrostep asks for nothing.
 *
 * Failure of an action sets `problem` and unwinds; nothing of the copy is used then.
 */
#include "chart/step.h"

#include <string.h>

#include "base/checked.h"
#include "base/ensure.h"
#include "base/limits.h"
#include "chart/plain.h"

struct raised {
    uint32_t event;
    struct span type;
    struct value payload; /* a map */
    struct raised *next;
};

struct stepper {
    const struct machine *machine;
    struct arena *arena;
    struct plan *plan;
    instant_ms now;

    struct configuration next;
    uint64_t *active;
    struct armed_timer *timers;
    uint32_t timer_capacity;
    struct invocation *invocations;
    uint32_t invocation_capacity;

    uint32_t event; /* the id of the event being handled */
    struct expr_frame frame;

    struct raised *queue;
    struct raised **queue_end;
    struct step_error **errors_end;
    uint32_t microsteps;
    bool guard_error_raised;
    bool applied;
    struct span problem;  /* text != NULL: an action failed */
    struct value slots[]; /* the variables of the machine's expressions */
};

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

static void add_error(struct stepper *stepper, struct span what, struct span text,
                      struct place place, struct span message)
{
    struct step_error *error = arena_new(stepper->arena, struct step_error);
    *error = (struct step_error){what, text, place, message, NULL};
    *stepper->errors_end = error;
    stepper->errors_end = &error->next;
}

/* Ends the macrostep; always false. */
static bool fail(struct stepper *stepper, struct span what, struct place place,
                 struct span message)
{
    add_error(stepper, what, SPAN(""), place, message);
    stepper->problem = message;
    ensure(message.text != NULL);
    return false;
}

static void raise(struct stepper *stepper, uint32_t event, struct value payload)
{
    struct raised *raised = arena_new(stepper->arena, struct raised);
    *raised = (struct raised){event, stepper->machine->event_types[event], payload, NULL};
    *stepper->queue_end = raised;
    stepper->queue_end = &raised->next;
}

static struct value single_map(struct arena *arena, struct span key, struct value value)
{
    struct value_entry *entry = arena_new(arena, struct value_entry);
    *entry = (struct value_entry){value_string(key), value};
    return value_map(entry, 1);
}

static struct value error_payload(struct arena *arena, struct span kind, struct span message)
{
    struct value error = single_map(arena, SPAN("kind"), value_string(kind));
    error = value_with(arena, error, SPAN("message"), value_string(message));
    return single_map(arena, SPAN("error"), error);
}

/* The event as expressions see it: its payload's members behind its type. */
static struct value event_value(struct arena *arena, struct span type, struct value payload)
{
    ensure(payload.kind == VALUE_MAP);
    struct value_entry *entries = arena_get(arena, (payload.count + 1) * sizeof *entries);
    entries[0] = (struct value_entry){value_string(SPAN("type")), value_string(type)};
    if (payload.count > 0)
        memcpy(entries + 1, payload.entries, payload.count * sizeof *entries);
    return value_map(entries, payload.count + 1);
}

static void set_event(struct stepper *stepper, uint32_t event, struct span type,
                      struct value payload)
{
    stepper->event = event;
    stepper->slots[CHART_EVENT] = event_value(stepper->arena, type, payload);
    stepper->slots[CHART_PAYLOAD] = payload;
}

/* The first guard error of a macrostep raises `error.execution`; more would never come to rest.
 */
static void report_guard(struct stepper *stepper, const struct machine_guard *guard,
                         struct span message)
{
    add_error(stepper, SPAN("guard"), guard->text, guard->place, message);
    if (stepper->guard_error_raised)
        return;
    stepper->guard_error_raised = true;
    raise(stepper, stepper->machine->execution_error_event,
          error_payload(stepper->arena, SPAN("execution"), message));
}

static bool guard_holds(struct stepper *stepper, uint32_t index)
{
    const struct machine_guard *guard = &stepper->machine->guards[index];
    for (uint32_t i = 0; i < guard->need_count; i++) {
        uint32_t need = guard->needs[i];
        stepper->slots[CHART_VARIABLE_COUNT + need] =
            expr_run(stepper->machine->guards[need].program, &stepper->frame, stepper->arena);
    }
    struct value verdict = expr_run(guard->program, &stepper->frame, stepper->arena);
    if (verdict.kind == VALUE_BOOL)
        return verdict.boolean;
    if (verdict.kind == VALUE_ERROR)
        report_guard(stepper, guard, value_span(verdict));
    else
        report_guard(stepper, guard,
                     text_print(stepper->arena, "a guard must be true or false, not %s",
                                value_kind_name(verdict.kind)));
    return false;
}

/* The transition that the event enables, or NULL. */
static const struct machine_transition *select_transition(struct stepper *stepper,
                                                          uint32_t event)
{
    const struct machine *machine = stepper->machine;
    uint32_t leaf = machine->states[configuration_leaf(&stepper->next)].leaf;
    const uint32_t *start =
        &machine->candidate_starts[(size_t)leaf * machine->event_count + event];
    for (uint32_t i = start[0]; i < start[1]; i++) {
        const struct machine_transition *transition =
            &machine->transitions[machine->candidates[i]];
        if (transition->guard == NO_INDEX || guard_holds(stepper, transition->guard))
            return transition;
    }
    return NULL;
}

static void drop_timers_within(struct stepper *stepper, uint32_t domain)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < stepper->next.timer_count; i++) {
        uint32_t state = stepper->machine->timers[stepper->timers[i].timer].state;
        if (!machine_is_within(stepper->machine, state, domain))
            stepper->timers[kept++] = stepper->timers[i];
    }
    stepper->next.timer_count = kept;
}

static void drop_invocations_within(struct stepper *stepper, uint32_t domain)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < stepper->next.invocation_count; i++) {
        uint32_t state = stepper->machine->invokes[stepper->invocations[i].invoke].state;
        if (!machine_is_within(stepper->machine, state, domain))
            stepper->invocations[kept++] = stepper->invocations[i];
    }
    stepper->next.invocation_count = kept;
}

/* Leaves every active state below the domain. */
static void leave(struct stepper *stepper, uint32_t domain)
{
    uint32_t state = configuration_leaf(&stepper->next);
    for (; state != domain && state != NO_STATE; state = stepper->machine->states[state].parent)
        stepper->active[state / 64] &= ~((uint64_t)1 << state % 64);
    drop_timers_within(stepper, domain);
    drop_invocations_within(stepper, domain);
}

static void *grow(struct arena *arena, const void *old, uint32_t count, uint32_t *capacity,
                  size_t size)
{
    *capacity = *capacity == 0 ? 4 : *capacity * 2;
    void *grown = arena_get_array(arena, *capacity, size);
    if (count > 0)
        memcpy(grown, old, count * size);
    return grown;
}

static bool arm_timers(struct stepper *stepper, struct range range)
{
    for (uint32_t i = range.first; i < range.first + range.count; i++) {
        const struct machine_timer *timer = &stepper->machine->timers[i];
        instant_ms due;
        if (stepper->next.timer_count >= TIMERS_PER_INSTANCE_MAX)
            return fail(stepper, SPAN("after"), timer->place,
                        SPAN("too many timers are armed"));
        if (!checked_add(stepper->now, timer->delay_ms, &due))
            return fail(stepper, SPAN("after"), timer->place,
                        SPAN("the delay ends after time itself"));
        if (stepper->next.timer_count == stepper->timer_capacity)
            stepper->timers = grow(stepper->arena, stepper->timers, stepper->next.timer_count,
                                   &stepper->timer_capacity, sizeof *stepper->timers);
        stepper->timers[stepper->next.timer_count++] =
            (struct armed_timer){i, stepper->next.next_number++, due};
    }
    return true;
}

static void add_invocations(struct stepper *stepper, struct range range)
{
    for (uint32_t i = range.first; i < range.first + range.count; i++) {
        if (stepper->next.invocation_count == stepper->invocation_capacity)
            stepper->invocations =
                grow(stepper->arena, stepper->invocations, stepper->next.invocation_count,
                     &stepper->invocation_capacity, sizeof *stepper->invocations);
        /* The input is evaluated at the end of the macrostep: until then it is marked as
         * unbound. */
        stepper->invocations[stepper->next.invocation_count++] =
            (struct invocation){i, stepper->next.next_number++, unbound()};
    }
}

/* The slot's value in the form that survives a restart. */
static struct value run_plain(struct stepper *stepper, const struct expr_slot *slot)
{
    if (slot == NULL)
        return value_null();
    return plain_value(stepper->arena, expr_slot_run(slot, &stepper->frame, stepper->arena));
}

/* A slot whose failure ends the macrostep; "assign" and "total" say what it was for. */
static bool run_slot(struct stepper *stepper, const struct expr_slot *slot, const char *what,
                     struct span name, struct place place, struct value *value)
{
    struct value result = run_plain(stepper, slot);
    if (value_is_error(result))
        return fail(stepper, text_print(stepper->arena, "%s %.*s", what, SPAN_ARGS(name)),
                    place, value_span(result));
    *value = result;
    return true;
}

static bool finish_machine(struct stepper *stepper, uint32_t final_state)
{
    const struct machine_state *states = stepper->machine->states;
    struct value output;
    if (!run_slot(stepper, states[final_state].output, "output of", states[final_state].path,
                  states[final_state].place, &output))
        return false;
    if (final_state != 0 && states[0].output != NULL) {
        set_event(stepper, EVENT_ID_OTHER, SPAN("done.state"),
                  single_map(stepper->arena, SPAN("output"), output));
        if (!run_slot(stepper, states[0].output, "output of", stepper->machine->id,
                      states[0].place, &output))
            return false;
    }
    stepper->next.status = INSTANCE_DONE;
    stepper->next.output = output;
    stepper->next.timer_count = 0;
    stepper->next.invocation_count = 0;
    return true;
}

static bool enter_final(struct stepper *stepper, uint32_t state)
{
    const struct machine_state *states = stepper->machine->states;
    uint32_t parent = states[state].parent;
    if (parent == NO_STATE || parent == 0)
        return finish_machine(stepper, state);
    struct value output;
    if (!run_slot(stepper, states[state].output, "output of", states[state].path,
                  states[state].place, &output))
        return false;
    raise(stepper, states[parent].done_event,
          single_map(stepper->arena, SPAN("output"), output));
    return true;
}

static bool enter_one(struct stepper *stepper, uint32_t index)
{
    const struct machine_state *state = &stepper->machine->states[index];
    stepper->active[index / 64] |= (uint64_t)1 << index % 64;
    if (!arm_timers(stepper, state->timers))
        return false;
    add_invocations(stepper, state->invokes);
    return state->type != STATE_FINAL || enter_final(stepper, index);
}

/* Enters the states from below the domain down to the target, then its initial states. */
static bool enter(struct stepper *stepper, uint32_t target, uint32_t domain)
{
    const struct machine_state *states = stepper->machine->states;
    uint32_t path[STATE_DEPTH_MAX + 2];
    uint32_t depth = 0;
    for (uint32_t state = target; state != domain; state = states[state].parent) {
        ensure(depth < sizeof path / sizeof path[0]);
        path[depth++] = state;
    }
    while (depth > 0) {
        if (!enter_one(stepper, path[--depth]))
            return false;
    }
    for (uint32_t state = states[target].initial; state != NO_STATE;
         state = states[state].initial) {
        if (!enter_one(stepper, state))
            return false;
    }
    return true;
}

/* Each member fits by itself; this is about all of them together. */
static bool keep_context(struct stepper *stepper, struct value context)
{
    struct span problem = plain_problem(context);
    stepper->next.context = context;
    return problem.size == 0 || fail(stepper, SPAN("the context"), (struct place){0}, problem);
}

static bool run_assigns(struct stepper *stepper, struct range range)
{
    struct value context = stepper->next.context;
    for (uint32_t i = range.first; i < range.first + range.count; i++) {
        const struct machine_assign *assign = &stepper->machine->assigns[i];
        struct value value;
        if (assign->sees_earlier)
            stepper->slots[CHART_CONTEXT] = context;
        if (!run_slot(stepper, assign->slot, "assign", assign->key, assign->place, &value))
            return false;
        context = value_with(stepper->arena, context, assign->key, value);
    }
    stepper->slots[CHART_CONTEXT] = context;
    return keep_context(stepper, context);
}

static bool count_microstep(struct stepper *stepper)
{
    if (++stepper->microsteps <= MICROSTEPS_MAX)
        return true;
    return fail(
        stepper, SPAN("macrostep"), (struct place){0},
        SPAN("more than 1000 microsteps: transitions without events go round in circles"));
}

static bool take(struct stepper *stepper, const struct machine_transition *transition)
{
    if (!count_microstep(stepper))
        return false;
    bool acts = transition->target != NO_STATE || transition->assigns.count > 0;
    stepper->applied = stepper->applied || acts;
    if (transition->target != NO_STATE)
        leave(stepper, transition->domain);
    if (transition->assigns.count > 0 && !run_assigns(stepper, transition->assigns))
        return false;
    return transition->target == NO_STATE ||
           enter(stepper, transition->target, transition->domain);
}

/* The invocation never was: its error is raised instead. */
static void refuse_input(struct stepper *stepper, uint32_t index, struct span message)
{
    const struct machine_invoke *invoke =
        &stepper->machine->invokes[stepper->invocations[index].invoke];
    add_error(stepper, text_print(stepper->arena, "input of %.*s", SPAN_ARGS(invoke->id)),
              SPAN(""), invoke->place, message);
    raise(stepper, invoke->error_event,
          error_payload(stepper->arena, SPAN("invalid"), message));
    stepper->next.invocation_count--;
    memmove(&stepper->invocations[index], &stepper->invocations[index + 1],
            (stepper->next.invocation_count - index) * sizeof *stepper->invocations);
}

/* Evaluates the inputs of new invocations, up to the first that fails: what is done about it
 * may leave the states of the others. */
static void request_invocations(struct stepper *stepper)
{
    for (uint32_t i = 0; i < stepper->next.invocation_count; i++) {
        struct invocation *invocation = &stepper->invocations[i];
        if (!value_is_error(invocation->input))
            continue;
        struct value input =
            run_plain(stepper, stepper->machine->invokes[invocation->invoke].input);
        if (value_is_error(input)) {
            refuse_input(stepper, i, value_span(input));
            return;
        }
        invocation->input = input;
    }
}

/* Status `error`: the instance stands still until a person redrives it. */
static void stop_with_error(struct stepper *stepper, struct value error)
{
    stepper->next.status = INSTANCE_ERROR;
    stepper->next.error = error;
    stepper->next.timer_count = 0;
    stepper->next.invocation_count = 0;
}

static bool is_invoke_error(const struct stepper *stepper, uint32_t event)
{
    for (uint32_t i = 0; i < stepper->machine->invoke_count; i++) {
        if (stepper->machine->invokes[i].error_event == event)
            return true;
    }
    return false;
}

/* Handles the current event: the transition it enables, if any. Only a step's own error stops
 * the instance when nothing handles it, not an event from outside that is called so. */
static bool handle_event(struct stepper *stepper, bool may_stop)
{
    const struct machine_transition *transition = select_transition(stepper, stepper->event);
    if (transition != NULL)
        return take(stepper, transition);
    if (may_stop && is_invoke_error(stepper, stepper->event))
        stop_with_error(stepper, value_member(stepper->slots[CHART_PAYLOAD], SPAN("error")));
    return true;
}

/* One that leads where it came from and assigns nothing would do so for ever: it is taken once.
 */
static bool take_eventless(struct stepper *stepper, bool *again)
{
    const struct machine_transition *transition = select_transition(stepper, EVENT_ID_NONE);
    uint32_t leaf = configuration_leaf(&stepper->next);
    *again = false;
    if (transition == NULL)
        return true;
    if (!take(stepper, transition))
        return false;
    *again = transition->assigns.count > 0 || configuration_leaf(&stepper->next) != leaf;
    return true;
}

static bool handle_raised(struct stepper *stepper)
{
    struct raised *raised = stepper->queue;
    stepper->queue = raised->next;
    if (stepper->queue == NULL)
        stepper->queue_end = &stepper->queue;
    set_event(stepper, raised->event, raised->type, raised->payload);
    return count_microstep(stepper) && handle_event(stepper, true);
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
            return true;
        if (!handle_raised(stepper))
            return false;
    }
    return true;
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
    stepper->timers = NULL;
    stepper->timer_capacity = before->timer_count;
    if (before->timer_count > 0)
        stepper->timers =
            copy_array(arena, before->timers, before->timer_count * sizeof *before->timers);
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
    stepper->guard_error_raised = false;
    stepper->applied = false;
    stepper->problem = (struct span){0};
    copy_before(stepper, before);
    stepper->slots[CHART_CONTEXT] = before->context;
}

static bool is_result(const struct event *event)
{
    return event->kind == EVENT_DONE || event->kind == EVENT_ERROR;
}

/* Takes the timer that fired, or the invocation that ended, out of the configuration: from here
 * on it is no longer active, whatever becomes of the macrostep. */
static void consume(struct stepper *stepper, const struct event *event)
{
    uint32_t kept = 0;
    if (event->kind == EVENT_TIMER) {
        for (uint32_t i = 0; i < stepper->next.timer_count; i++) {
            if (stepper->timers[i].number != event->number)
                stepper->timers[kept++] = stepper->timers[i];
        }
        stepper->next.timer_count = kept;
    } else if (is_result(event)) {
        for (uint32_t i = 0; i < stepper->next.invocation_count; i++) {
            if (stepper->invocations[i].number != event->number)
                stepper->invocations[kept++] = stepper->invocations[i];
        }
        stepper->next.invocation_count = kept;
    }
}

static bool start(struct stepper *stepper)
{
    const struct machine *machine = stepper->machine;
    struct value_entry *members =
        arena_new_array(stepper->arena, machine->context_count, struct value_entry);
    for (uint32_t i = 0; i < machine->context_count; i++) {
        const struct machine_assign *member = &machine->context[i];
        members[i].key = value_string(member->key);
        if (!run_slot(stepper, member->slot, "context", member->key, member->place,
                      &members[i].value))
            return false;
    }
    struct value context = value_map(members, machine->context_count);
    stepper->slots[CHART_CONTEXT] = context;
    stepper->applied = true;
    return keep_context(stepper, context) && enter(stepper, 0, NO_STATE) &&
           come_to_rest(stepper);
}

/* What the event is called, what it carries, and whether it still concerns anybody. */
struct arrival {
    uint32_t event;
    struct span type;
    struct value payload;
    bool late;
};

static struct arrival arrive(const struct machine *machine, const struct configuration *before,
                             const struct event *event, struct arena *arena)
{
    const struct armed_timer *timer;
    const struct invocation *invocation;
    const struct machine_invoke *invoke = NULL;
    struct value empty = value_map(NULL, 0);
    switch (event->kind) {
    case EVENT_START:
        return (struct arrival){EVENT_ID_OTHER, SPAN("xstate.init"),
                                single_map(arena, SPAN("input"), event->payload), false};
    case EVENT_EXTERNAL:
        return (struct arrival){machine_find_event(machine, event->type), event->type,
                                event->payload, false};
    case EVENT_TIMER:
        timer = configuration_find_timer(before, event->number);
        if (timer == NULL)
            return (struct arrival){EVENT_ID_OTHER, SPAN("after"), empty, true};
        return (struct arrival){machine->timers[timer->timer].event,
                                machine->timers[timer->timer].name, empty, false};
    case EVENT_DONE:
    case EVENT_ERROR:
        invocation = configuration_find_invocation(before, event->number);
        if (invocation != NULL)
            invoke = &machine->invokes[invocation->invoke];
        break;
    }
    if (event->kind == EVENT_DONE)
        return (struct arrival){invoke == NULL ? EVENT_ID_OTHER : invoke->done_event,
                                invoke == NULL ? SPAN("done.invoke") : invoke->done_type,
                                single_map(arena, SPAN("output"), event->payload),
                                invoke == NULL};
    return (struct arrival){invoke == NULL ? EVENT_ID_OTHER : invoke->error_event,
                            invoke == NULL ? SPAN("error.invoke") : invoke->error_type,
                            single_map(arena, SPAN("error"), event->payload), invoke == NULL};
}

/* After a failed macrostep of a result or a timer: tell the old configuration. */
static void recover(struct stepper *stepper, const struct configuration *before,
                    const struct event *event)
{
    struct span message = stepper->problem;
    struct value payload = error_payload(stepper->arena, SPAN("execution"), message);
    begin(stepper, before);
    consume(stepper, event);
    uint32_t error_event = stepper->machine->execution_error_event;
    set_event(stepper, error_event, stepper->machine->event_types[error_event], payload);
    const struct machine_transition *handler = select_transition(stepper, error_event);
    if (handler != NULL && take(stepper, handler) && come_to_rest(stepper))
        return;
    begin(stepper, before);
    consume(stepper, event);
    stop_with_error(stepper, value_member(payload, SPAN("error")));
}

static void settle(struct stepper *stepper, const struct configuration *before,
                   const struct event *event)
{
    struct plan *plan = stepper->plan;
    plan->after = stepper->next;
    plan->after.timers = stepper->timers;
    plan->after.invocations = stepper->invocations;
    plan->changed = before == NULL || !configuration_looks_equal(before, &plan->after);
    plan->effects =
        step_effects(before, &plan->after, event, stepper->arena, &plan->effect_count);
}

static void run_start(struct stepper *stepper, const struct event *event)
{
    struct configuration nothing = {
        .machine = stepper->machine,
        .active = arena_new_array(stepper->arena, stepper->machine->word_count, uint64_t),
        .next_number = 1,
        .context = value_map(NULL, 0)};
    begin(stepper, &nothing);
    stepper->slots[CHART_INPUT] = event->payload;
    stepper->plan->outcome = OUTCOME_APPLIED;
    if (start(stepper))
        return;
    stepper->plan->outcome = OUTCOME_FAILED;
    struct value error = error_payload(stepper->arena, SPAN("execution"), stepper->problem);
    begin(stepper, &nothing);
    stepper->active[0] = 1;
    stop_with_error(stepper, value_member(error, SPAN("error")));
}

static void run_event(struct stepper *stepper, const struct configuration *before,
                      const struct event *event)
{
    begin(stepper, before);
    consume(stepper, event);
    bool fine = handle_event(stepper, event->kind != EVENT_EXTERNAL) && come_to_rest(stepper);
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
    for (uint32_t i = 0; i < slot_count; i++)
        stepper->slots[i] = unbound();
    stepper->slots[CHART_NOW] = instant_value(now);
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
    consume(stepper, event);
    fail(stepper, SPAN("macrostep"), (struct place){0}, message);
    struct value payload = error_payload(stepper->arena, SPAN("execution"), message);
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
    set_event(stepper, arrival.event, arrival.type, arrival.payload);
    plan->type = arrival.type;
    plan->event = stepper->slots[CHART_EVENT];
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
        run_event(stepper, before, event);
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
