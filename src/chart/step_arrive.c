/*
 * step_arrive.c - an event as it reaches the machine: what it is called there, and what it
 * carries.
 */
#include "chart/stepper.h"

static struct arrival arrive_timer(const struct configuration *before,
                                   const struct event *event, struct arena *arena)
{
    const struct machine *machine = before->machine;
    const struct armed_timer *timer = configuration_find_timer(before, event->number);
    struct arrival arrival = {.event = {.event = EVENT_ID_OTHER,
                                        .type = SPAN("after"),
                                        .payload = value_map(NULL, 0),
                                        .by = RAISED_PLATFORM},
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
    arrival.event.by = timer->is_internal ? RAISED_INTERNAL : RAISED_EXTERNAL;
    arrival.to = timer->to;
    if (machine->semantics == SEMANTICS_SCXML && !timer->is_internal)
        arrival.event.origin = text_print(arena, "#_scxml_%.*s", SPAN_ARGS(before->session));
    return arrival;
}

/* SCXML: the end of a child is an event like any other, which arrives although the state that
 * invoked it may be left by now. */
static struct arrival arrive_behind_time(const struct machine *machine,
                                         const struct event *event, struct arena *arena)
{
    struct span type = text_print(arena, "done.invoke.%.*s", SPAN_ARGS(event->invoke_id));
    bool is_empty = event->payload.kind == VALUE_NULL;
    return (struct arrival){
        .event = {.event = machine_find_event(machine, type),
                  .type = type,
                  .payload = is_empty ? value_map(NULL, 0)
                                      : stepper_map(arena, SPAN("data"), event->payload),
                  .by = RAISED_EXTERNAL,
                  .invoke_id = event->invoke_id}};
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
                  .by = RAISED_EXTERNAL},
        .late = invocation == NULL};
    if (invocation == NULL)
        return is_done && machine->semantics == SEMANTICS_SCXML && event->invoke_id.size > 0
                   ? arrive_behind_time(machine, event, arena)
                   : arrival;
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

struct arrival stepper_arrival(const struct machine *machine,
                               const struct configuration *before, const struct event *event,
                               struct arena *arena)
{
    switch (event->kind) {
    case EVENT_START:
        return (struct arrival){
            .event = {.event = EVENT_ID_OTHER,
                      .type = SPAN("xstate.init"),
                      .payload = stepper_map(arena, SPAN("input"), event->payload),
                      .by = RAISED_PLATFORM}};
    case EVENT_EXTERNAL:
        return (struct arrival){.event = {.event = machine_find_event(machine, event->type),
                                          .type = event->type,
                                          .payload = event->payload,
                                          .by = RAISED_EXTERNAL,
                                          .invoke_id = event->invoke_id,
                                          .origin = event->origin,
                                          .send_id = event->send_id}};
    case EVENT_TIMER:
        return arrive_timer(before, event, arena);
    case EVENT_DONE:
    case EVENT_ERROR:
        return arrive_result(before, event, arena);
    case EVENT_STOP:
        return (struct arrival){.event = {.event = EVENT_ID_OTHER,
                                          .type = SPAN("xstate.stop"),
                                          .payload = value_map(NULL, 0),
                                          .by = RAISED_PLATFORM}};
    }
    never();
}
