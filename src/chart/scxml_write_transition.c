/*
 * scxml_write_transition.c - transitions, and the timers that some of them wait for.
 *
 * Where XState's rules and SCXML's differ, what is written is the nearest that SCXML has, and
 * an attribute of ours says what was meant.
 */
#include "chart/domain.h"
#include "chart/scxml_writer.h"

void scxml_write_ids(struct scxml_writer *writer, const uint32_t *states, uint32_t count,
                     const char *name)
{
    struct text ids;
    text_init(&ids, writer->arena);
    for (uint32_t i = 0; i < count; i++) {
        text_add(&ids, i == 0 ? SPAN("") : SPAN(" "));
        text_add(&ids, writer->ids[states[i]]);
    }
    markup_text_attribute(&writer->markup, name, text_span(&ids));
}

void scxml_write_targets(struct scxml_writer *writer, struct range targets, const char *name)
{
    scxml_write_ids(writer, &writer->machine->targets[targets.first], targets.count, name);
}

/* Events */

struct span scxml_event_name(const struct scxml_writer *writer, struct span type)
{
    static const struct span done = SPAN_INIT("done.state.");
    struct text name;
    if (span_starts_with(type, done)) {
        struct span id = span_slice(type, done.size, type.size);
        for (uint32_t i = 0; i < writer->machine->state_count; i++) {
            if (span_equal(writer->machine->states[i].id, id))
                return text_print(writer->arena, "done.state.%.*s", SPAN_ARGS(writer->ids[i]));
        }
    }
    text_init(&name, writer->arena);
    for (size_t i = 0; i < type.size; i++) {
        bool is_blank = (unsigned char)type.text[i] <= ' ';
        text_add_byte(&name, is_blank ? '_' : type.text[i]);
    }
    return text_span(&name);
}

/* SCXML's descriptor `a` is our type `a.*`. */
static struct span descriptor_of(struct scxml_writer *writer,
                                 const struct machine_transition *transition)
{
    if (transition->wildcard)
        return SPAN("*");
    struct span type = writer->machine->event_types[transition->event];
    bool is_scxml = writer->machine->semantics == SEMANTICS_SCXML;
    if (is_scxml && span_ends_with(type, SPAN(".*")))
        return span_slice(type, 0, type.size - 2);
    if (is_scxml)
        scxml_tell(writer, SCXML_EVENT_NAMES, transition->place);
    return type;
}

static void tell_event(struct scxml_writer *writer, const struct machine_transition *transition)
{
    const struct machine *machine = writer->machine;
    struct span type = machine->event_types[transition->event];
    if (span_starts_with(type, SPAN("error.invoke.")))
        scxml_tell(writer, SCXML_INVOKE_ERROR, transition->place);
    if (machine->semantics == SEMANTICS_SCXML || span_ends_with(type, SPAN(".*")))
        return;
    for (uint32_t i = EVENT_ID_FIRST; i < machine->event_count; i++) {
        struct span other = machine->event_types[i];
        if (other.size > type.size && span_starts_with(other, type) &&
            other.text[type.size] == '.' && !span_ends_with(other, SPAN(".*")))
            scxml_tell(writer, SCXML_EVENT_NAMES, transition->place);
    }
}

/* The timer of a state that raises this event, or NULL. */
static const struct machine_timer *timer_of(const struct machine *machine,
                                            const struct machine_transition *transition)
{
    struct range timers = machine->states[transition->source].timers;
    for (uint32_t i = timers.first; i < timers.first + timers.count; i++) {
        if (machine->timers[i].event == transition->event && !transition->wildcard)
            return &machine->timers[i];
    }
    return NULL;
}

/* "after.30s.PENDING" has the delay as it was written; a `timeout` has not. */
struct span scxml_delay_key(struct scxml_writer *writer, const struct machine_timer *timer)
{
    struct span id = writer->machine->states[timer->state].id;
    struct span name = timer->name;
    if (timer->invoke == NO_INDEX && span_starts_with(name, SPAN("after.")) &&
        name.size > id.size + 7)
        return span_slice(name, 6, name.size - id.size - 1);
    if (timer->delay == NULL)
        return scxml_print_delay(writer, timer->delay_ms);
    struct text key;
    text_init(&key, writer->arena);
    text_add(&key, SPAN("${"));
    expr_slot_write(&key, timer->delay);
    text_add(&key, SPAN("}"));
    return text_span(&key);
}

static void write_event(struct scxml_writer *writer,
                        const struct machine_transition *transition)
{
    if (transition->event == EVENT_ID_NONE)
        return;
    struct span type = descriptor_of(writer, transition);
    struct span name = scxml_event_name(writer, type);
    const struct machine_timer *timer = timer_of(writer->machine, transition);
    markup_text_attribute(&writer->markup, "event", name);
    tell_event(writer, transition);
    if (timer != NULL && timer->invoke == NO_INDEX)
        scxml_write_own(writer, "il:after", scxml_delay_key(writer, timer));
    else if (timer != NULL)
        scxml_write_own(writer, "il:timeout", writer->machine->invokes[timer->invoke].id);
    else if (!span_equal(name, type))
        scxml_write_own(writer, "il:event", type);
}

/* Transitions */

/* What SCXML's rules make of the transition as it will be written. */
static bool leaves_the_same(const struct machine *machine,
                            const struct machine_transition *transition)
{
    struct machine other = *machine;
    other.semantics = SEMANTICS_SCXML;
    return transition->is_dynamic || transition->targets.count == 0 ||
           domain_of(&other, transition, &machine->targets[transition->targets.first],
                     transition->targets.count) == transition->domain;
}

static bool is_within_source(const struct machine *machine,
                             const struct machine_transition *transition)
{
    for (uint32_t i = 0; i < transition->targets.count; i++) {
        if (!machine_is_within(machine, machine->targets[transition->targets.first + i],
                               transition->source))
            return false;
    }
    return transition->targets.count > 0;
}

static void write_kind(struct scxml_writer *writer, const struct machine_transition *transition)
{
    const struct machine *machine = writer->machine;
    struct machine_transition written = *transition;
    if (machine->semantics == SEMANTICS_XSTATE)
        written.is_internal = !transition->reenter && is_within_source(machine, transition);
    if (written.is_internal)
        markup_text_attribute(&writer->markup, "type", SPAN("internal"));
    if (machine->semantics == SEMANTICS_XSTATE && transition->reenter)
        scxml_write_own(writer, "il:reenter", SPAN("true"));
    if (transition->is_broken)
        scxml_write_own(writer, "il:broken", SPAN("true"));
    if (transition->is_broken)
        scxml_tell(writer, SCXML_TARGETS, transition->place);
    else if (machine->semantics == SEMANTICS_XSTATE && !leaves_the_same(machine, &written))
        scxml_tell(writer, SCXML_DOMAIN, transition->place);
}

/* A state that is called as its machine is found by its path. */
static void write_own_target(struct scxml_writer *writer, uint32_t target)
{
    const struct machine_state *states = writer->machine->states;
    if (target > 0 && span_equal(states[target].id, states[0].id))
        scxml_write_own(writer, "il:target",
                        text_print(writer->arena, "#%.*s.%.*s", SPAN_ARGS(states[0].id),
                                   SPAN_ARGS(states[target].path)));
}

static void write_transition(struct scxml_writer *writer,
                             const struct machine_transition *transition)
{
    markup_text_open(&writer->markup, "transition");
    write_event(writer, transition);
    scxml_write_condition(writer, transition->guard);
    if (transition->targets.count > 0)
        scxml_write_targets(writer, transition->targets, "target");
    if (transition->targets.count == 1)
        write_own_target(writer, transition->target);
    write_kind(writer, transition);
    scxml_write_actions(writer, transition->actions);
    markup_text_close(&writer->markup, "transition");
}

/* XState takes the exact name first, then the longest wildcard; SCXML the first in order. */
static uint32_t rank_of(const struct machine *machine,
                        const struct machine_transition *transition)
{
    if (machine->semantics == SEMANTICS_SCXML || transition->event == EVENT_ID_NONE)
        return 0;
    if (transition->wildcard)
        return UINT32_MAX;
    struct span type = machine->event_types[transition->event];
    return span_ends_with(type, SPAN(".*")) ? UINT32_MAX - (uint32_t)type.size : 0;
}

void scxml_write_transitions(struct scxml_writer *writer, uint32_t state)
{
    const struct machine *machine = writer->machine;
    const struct machine_transition *transitions = machine->transitions;
    uint32_t first = writer->next;
    uint32_t count = 0;
    while (first + count < machine->transition_count &&
           transitions[first + count].source == state)
        count++;
    if (count == 0)
        return;
    transitions += first;
    uint32_t *order = arena_new_array(writer->arena, count, uint32_t);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = i;
        uint32_t rank = rank_of(machine, &transitions[i]);
        for (; at > 0 && rank_of(machine, &transitions[order[at - 1]]) > rank; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    for (uint32_t i = 0; i < count; i++)
        write_transition(writer, &transitions[order[i]]);
    writer->next += count;
}

void scxml_write_timers(struct scxml_writer *writer, struct range timers)
{
    struct markup_text *markup = &writer->markup;
    if (timers.count == 0)
        return;
    const struct machine_timer *first = &writer->machine->timers[timers.first];
    markup_text_open(markup, "onentry");
    scxml_write_own(writer, "il:implied", SPAN("true"));
    for (uint32_t i = 0; i < timers.count; i++) {
        struct span name = scxml_event_name(writer, first[i].name);
        markup_text_open(markup, "send");
        markup_text_attribute(markup, "event", name);
        markup_text_attribute(markup, "id", name);
        scxml_write_delay(writer, first[i].delay, first[i].delay_ms);
        markup_text_close(markup, "send");
    }
    markup_text_close(markup, "onentry");
    markup_text_open(markup, "onexit");
    scxml_write_own(writer, "il:implied", SPAN("true"));
    for (uint32_t i = 0; i < timers.count; i++) {
        markup_text_open(markup, "cancel");
        markup_text_attribute(markup, "sendid", scxml_event_name(writer, first[i].name));
        markup_text_close(markup, "cancel");
    }
    markup_text_close(markup, "onexit");
}
