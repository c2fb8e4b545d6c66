/*
 * waiting.c - the answer to "what state is it in, why, and what wakes it next?"
 *
 * Everything here is read from what is durable or about to be: the configuration, the
 * requests' progress and the rows that show the breakers. So the answer is the same in the
 * owner and in a reader beside it.
 */
#include "engine/waiting.h"

#include "base/ensure.h"
#include "base/json.h"
#include "base/limits.h"
#include "engine/history.h"
#include "engine/kin.h"
#include "engine/waiting_record.h"

enum { MEMBERS_MAX = 14 };

struct members {
    struct value_entry *entries;
    uint32_t count;
};

static struct members new_members(struct arena *arena)
{
    return (struct members){arena_new_array(arena, MEMBERS_MAX, struct value_entry), 0};
}

static void add(struct members *members, struct span key, struct value value)
{
    ensure(members->count < MEMBERS_MAX);
    members->entries[members->count++] = (struct value_entry){value_string(key), value};
}

static struct value as_map(const struct members *members)
{
    return value_map(members->entries, members->count);
}

static struct value instant_value(instant_ms instant, struct arena *arena)
{
    struct text text;
    text_init(&text, arena);
    time_add_instant(&text, instant);
    return value_string(text_span(&text));
}

enum instance_rest waiting_rest(const struct instance *instance)
{
    if (instance->status != INSTANCE_ACTIVE)
        return REST_FINAL;
    if (instance->requests != NULL)
        return REST_NOT;
    enum instance_rest rest = instance->next_timer != INSTANT_NEVER ? REST_TIMER : REST_EVENT;
    for (const struct instance *child = kin_children(instance);
         child != NULL && rest != REST_NOT; child = child->kin->next) {
        enum instance_rest other = waiting_rest(child);
        rest = other < rest ? other : rest;
    }
    return rest;
}

bool waiting_has_tag(const struct instance *instance, struct span tag)
{
    const struct machine *machine = instance->deployed->definition->machine;
    for (uint32_t s = 0; s != NO_INDEX; s = instance_state_after(instance, s)) {
        for (uint32_t i = 0; i < machine->states[s].tags.count; i++) {
            if (span_equal(machine->tags[machine->states[s].tags.first + i], tag))
                return true;
        }
    }
    return false;
}

/* The breaker's row as it was shown last, or null. */
static struct value read_breaker(struct registry *registry, const struct instance *instance,
                                 struct span step, struct arena *arena)
{
    struct text json;
    struct value value = value_null();
    struct json_error error;
    text_init(&json, arena);
    if (registry_read_policy(registry, instance->deployed->definition->machine->id, step,
                             &json) != STATUS_OK ||
        json_read(text_span(&json), arena, &value, &error) != STATUS_OK)
        return value_null();
    return value;
}

static bool is_open(struct value breaker)
{
    struct value state = value_member(breaker, SPAN("state"));
    return state.kind == VALUE_STRING && !span_is(value_span(state), "closed");
}

static const struct step *step_of(const struct instance *instance,
                                  const struct request *request)
{
    const struct definition *definition = instance->deployed->definition;
    return &definition->steps[definition_step(definition, request->invoke,
                                              request->progress.fallbacks)];
}

static struct value last_error(const struct request_progress *progress, struct arena *arena)
{
    struct members members = new_members(arena);
    add(&members, SPAN("kind"), value_string(span_from_text(error_kind_name(progress->error))));
    if (progress->error_code != 0)
        add(&members, SPAN("code"), value_int(progress->error_code));
    add(&members, SPAN("message"), value_string(span_from_text(progress->error_message)));
    return as_map(&members);
}

/* The next call of a rate that is spent, when the row was written. */
static bool is_spent(struct value row)
{
    struct value next = value_member(row, SPAN("rate_next"));
    struct value at = value_member(row, SPAN("at"));
    return next.kind == VALUE_INT && at.kind == VALUE_INT && next.integer > at.integer;
}

/* What kind of waiting a request does: its step, the breaker, the rate, or the limit. */
static const char *request_kind(const struct request *request, struct value breaker)
{
    switch (request->progress.phase) {
    case REQUEST_RUNNING:
    case REQUEST_BACKOFF:
        return "step";
    case REQUEST_PARKED:
        if (is_open(breaker))
            return "breaker";
        return is_spent(breaker) ? "rate" : "limit";
    case REQUEST_READY:
        return "limit";
    case REQUEST_PHASE_COUNT:
        break;
    }
    never();
}

static void add_breaker(struct members *members, struct value breaker, struct arena *arena)
{
    struct value next = value_member(breaker, SPAN("next"));
    add(members, SPAN("state"), value_member(breaker, SPAN("state")));
    add(members, SPAN("failures_percent"), value_member(breaker, SPAN("failures_percent")));
    add(members, SPAN("calls"), value_member(breaker, SPAN("calls")));
    if (next.kind == VALUE_INT)
        add(members, SPAN("next"), instant_value(next.integer, arena));
}

static struct value describe_request(struct registry *registry, const struct instance *instance,
                                     const struct request *request, struct arena *arena)
{
    const struct step *step = step_of(instance, request);
    const struct request_progress *progress = &request->progress;
    const struct machine *machine = instance->deployed->definition->machine;
    struct value breaker = read_breaker(registry, instance, step->name, arena);
    const char *kind = request_kind(request, breaker);
    struct members members = new_members(arena);
    add(&members, SPAN("for"), value_string(span_from_text(kind)));
    add(&members, SPAN("step"), value_string(step->name));
    add(&members, SPAN("invoke"), value_string(machine->invokes[request->invoke].id));
    add(&members, SPAN("phase"),
        value_string(span_from_text(request_phase_name(progress->phase))));
    add(&members, SPAN("attempt"), value_int(progress->attempts));
    add(&members, SPAN("attempts"), value_int(step->rules.retry.attempts));
    add(&members, SPAN("since"), instant_value(progress->since, arena));
    if (progress->phase == REQUEST_BACKOFF)
        add(&members, SPAN("next"), instant_value(progress->next_at, arena));
    else if (is_open(breaker) && progress->phase == REQUEST_PARKED)
        add_breaker(&members, breaker, arena);
    if (progress->has_error)
        add(&members, SPAN("error"), last_error(progress, arena));
    return as_map(&members);
}

static struct value describe_timer(const struct configuration *configuration,
                                   struct arena *arena)
{
    const struct armed_timer *timer = configuration_next_timer(configuration);
    struct members members = new_members(arena);
    add(&members, SPAN("for"), value_string(SPAN("timer")));
    add(&members, SPAN("event"), value_string(configuration_timer_name(configuration, timer)));
    add(&members, SPAN("next"), instant_value(timer->due, arena));
    return as_map(&members);
}

static struct value describe_child(const struct instance *child, struct arena *arena)
{
    struct members members = new_members(arena);
    add(&members, SPAN("for"), value_string(SPAN("child")));
    add(&members, SPAN("invoke"), value_string(span_from_text(child->kin->invoke_id)));
    add(&members, SPAN("id"), value_string(instance_id(child)));
    add(&members, SPAN("machine"), value_string(child->deployed->definition->machine->id));
    add(&members, SPAN("state"), value_string(instance_path(child)));
    add(&members, SPAN("since"), instant_value(child->updated, arena));
    return as_map(&members);
}

static struct value describe_parent(const struct instance *instance, struct arena *arena)
{
    struct members members = new_members(arena);
    add(&members, SPAN("id"), value_string(span_from_text(instance->kin->parent_id)));
    add(&members, SPAN("invoke"), value_string(span_from_text(instance->kin->invoke_id)));
    return as_map(&members);
}

static bool comes_from_outside(const struct machine *machine, uint32_t event)
{
    if (event < EVENT_ID_FIRST || event == machine->patch_event ||
        event == machine->execution_error_event || event == machine->communication_error_event)
        return false;
    for (uint32_t i = 0; i < machine->timer_count; i++) {
        if (machine->timers[i].event == event)
            return false;
    }
    static const struct span inner[] = {SPAN_INIT("done.state."), SPAN_INIT("done.invoke."),
                                        SPAN_INIT("error.invoke."),
                                        SPAN_INIT("snapshot.invoke.")};
    for (size_t i = 0; i < sizeof inner / sizeof *inner; i++) {
        if (span_starts_with(machine->event_types[event], inner[i]))
            return false;
    }
    return true;
}

/* Some leaf has a transition for the event that does something. */
static bool is_awaited(const struct configuration *configuration, uint32_t event)
{
    const struct machine *machine = configuration->machine;
    for (uint32_t state = 0; state < machine->state_count; state++) {
        uint32_t leaf = machine->states[state].leaf;
        if (leaf == NO_INDEX || !configuration_has(configuration, state))
            continue;
        const uint32_t *start =
            &machine->candidate_starts[(size_t)leaf * machine->event_count + event];
        for (uint32_t i = start[0]; i < start[1]; i++) {
            const struct machine_transition *transition =
                &machine->transitions[machine->candidates[i].transition];
            if (transition->target != NO_STATE || transition->actions.count > 0)
                return true;
        }
    }
    return false;
}

/* The events from outside that some transition of the active states waits for. */
static struct value accepted_events(const struct configuration *configuration,
                                    struct arena *arena)
{
    const struct machine *machine = configuration->machine;
    struct value *items = arena_new_array(arena, machine->event_count, struct value);
    uint32_t count = 0;
    for (uint32_t event = EVENT_ID_FIRST; event < machine->event_count; event++) {
        if (comes_from_outside(machine, event) && is_awaited(configuration, event))
            items[count++] = value_string(machine->event_types[event]);
    }
    return value_list(items, count);
}

static struct value describe_events(const struct instance *instance,
                                    const struct configuration *configuration,
                                    struct arena *arena)
{
    struct members members = new_members(arena);
    struct value events = accepted_events(configuration, arena);
    bool needs_person = waiting_has_tag(instance, SPAN("attention")) || events.count == 0;
    add(&members, SPAN("for"), value_string(needs_person ? SPAN("person") : SPAN("event")));
    add(&members, SPAN("events"), events);
    return as_map(&members);
}

static struct value describe_waiting(struct registry *registry, const struct instance *instance,
                                     const struct configuration *configuration,
                                     struct arena *arena)
{
    uint32_t count = instance->kin == NULL ? 0 : instance->kin->child_count;
    for (const struct request *request = instance->requests; request != NULL;
         request = request->next)
        count++;
    struct value *items = arena_new_array(arena, count + 3, struct value);
    struct value record = waiting_record(configuration, arena);
    count = 0;
    for (const struct request *request = instance->requests; request != NULL;
         request = request->next)
        items[count++] = describe_request(registry, instance, request, arena);
    for (const struct instance *child = kin_children(instance); child != NULL;
         child = child->kin->next)
        items[count++] = describe_child(child, arena);
    bool is_busy = count > 0;
    if (configuration->timer_count > 0)
        items[count++] = describe_timer(configuration, arena);
    if (record.kind == VALUE_MAP)
        items[count++] = record;
    if (instance->status == INSTANCE_ACTIVE && !is_busy) {
        struct value awaited = describe_events(instance, configuration, arena);
        bool wakes_anyway = configuration->timer_count > 0 || record.kind == VALUE_MAP;
        bool is_enough = wakes_anyway && value_member(awaited, SPAN("events")).count == 0 &&
                         !waiting_has_tag(instance, SPAN("attention"));
        if (!is_enough)
            items[count++] = awaited;
    }
    if (instance->status == INSTANCE_ERROR && !kin_is_child(instance)) {
        struct members members = new_members(arena);
        add(&members, SPAN("for"), value_string(SPAN("person")));
        add(&members, SPAN("error"), configuration->error);
        items[count++] = as_map(&members);
    }
    return value_list(items, count);
}

struct value waiting_describe(struct registry *registry, const struct instance *instance,
                              instant_ms now, struct arena *arena)
{
    const struct machine *machine = instance->deployed->definition->machine;
    struct configuration configuration;
    struct members members = new_members(arena);
    (void)now;
    ensure(instance_decode(instance, arena, &configuration) == STATUS_OK);
    add(&members, SPAN("id"), value_string(instance_id(instance)));
    add(&members, SPAN("machine"), value_string(machine->id));
    add(&members, SPAN("version"), value_string(machine->version));
    add(&members, SPAN("value"), configuration_value(&configuration, arena));
    add(&members, SPAN("status"),
        value_string(span_from_text(instance_status_name(instance->status))));
    add(&members, SPAN("context"), configuration.context);
    add(&members, SPAN("tags"), configuration_tags(&configuration, arena));
    add(&members, SPAN("output"), configuration.output);
    if (instance->status == INSTANCE_ERROR)
        add(&members, SPAN("error"), configuration.error);
    if (machine->derivation != NULL)
        add(&members, SPAN("derived"), derived_state_explain(&configuration, arena));
    add(&members, SPAN("seq"), value_int((int64_t)instance->seq));
    add(&members, SPAN("created"), instant_value(instance->created, arena));
    add(&members, SPAN("updated"), instant_value(instance->updated, arena));
    if (kin_is_child(instance))
        add(&members, SPAN("parent"), describe_parent(instance, arena));
    add(&members, SPAN("waiting"), describe_waiting(registry, instance, &configuration, arena));
    return as_map(&members);
}

static void tell_breaker(struct text *text, struct value breaker)
{
    struct value window = value_member(breaker, SPAN("window_ms"));
    struct value next = value_member(breaker, SPAN("next"));
    text_format(text, "breaker %.*s (%lld %% of %lld calls failed in ",
                SPAN_ARGS(value_span(value_member(breaker, SPAN("state")))),
                (long long)value_member(breaker, SPAN("failures_percent")).integer,
                (long long)value_member(breaker, SPAN("calls")).integer);
    time_add_duration(text, window.kind == VALUE_INT ? window.integer : 0);
    text_add(text, SPAN("), next probe "));
    if (next.kind == VALUE_INT)
        time_add_clock(text, next.integer);
}

static void tell_since(struct text *text, const char *what, instant_ms since)
{
    text_format(text, "%s since ", what);
    time_add_clock(text, since);
}

static void tell_phase(struct text *text, const struct request_progress *progress,
                       struct value breaker)
{
    switch (progress->phase) {
    case REQUEST_RUNNING:
        tell_since(text, "under way", progress->since);
        return;
    case REQUEST_BACKOFF:
        text_add(text, SPAN("tries again at "));
        time_add_clock(text, progress->next_at);
        return;
    case REQUEST_PARKED:
        tell_since(text, "parked", progress->since);
        text_add(text, SPAN(", "));
        if (is_open(breaker))
            tell_breaker(text, breaker);
        else if (is_spent(breaker))
            text_add(text, SPAN("its rate is spent"));
        else
            text_add(text, SPAN("waits for its turn at the limit"));
        return;
    case REQUEST_READY:
        tell_since(text, "waits for its turn at the limit", progress->since);
        return;
    case REQUEST_PHASE_COUNT:
        break;
    }
    never();
}

static void tell_request(struct registry *registry, const struct instance *instance,
                         const struct request *request, struct arena *arena, struct text *text)
{
    const struct step *step = step_of(instance, request);
    const struct request_progress *progress = &request->progress;
    struct value breaker = read_breaker(registry, instance, step->name, arena);
    bool is_next = progress->phase != REQUEST_RUNNING;
    uint32_t attempt = progress->attempts + (is_next ? 1 : 0);
    text_format(text, "  step %.*s, attempt %u", SPAN_ARGS(step->name), attempt);
    if (attempt <= step->rules.retry.attempts)
        text_format(text, " of %u", step->rules.retry.attempts);
    text_add(text, SPAN(": "));
    tell_phase(text, progress, breaker);
    text_add_byte(text, '\n');
    if (progress->has_error)
        text_format(text, "  last attempt failed: %s: %s\n", error_kind_name(progress->error),
                    progress->error_message);
}

static const char *rest_text(enum instance_rest rest)
{
    static const char *const texts[] = {[REST_NOT] = "is at work",
                                        [REST_TIMER] = "waits for a timer",
                                        [REST_EVENT] = "waits for an event",
                                        [REST_FINAL] = "has ended"};
    return texts[rest];
}

/* A child answers for itself: here stands where it is, and under which id it can be asked. */
static void tell_child(const struct instance *child, struct text *text)
{
    text_format(text, "  child %s: ", child->kin->invoke_id);
    text_add_visible(text, instance_id(child));
    text_format(text, " in %.*s since ", SPAN_ARGS(instance_path(child)));
    time_add_clock(text, child->updated);
    text_format(text, ", %s\n", rest_text(waiting_rest(child)));
}

static void tell_parent(const struct instance *instance, struct text *text)
{
    text_format(text, "  child %s of ", instance->kin->invoke_id);
    text_add_visible(text, span_from_text(instance->kin->parent_id));
    text_add_byte(text, '\n');
}

static void tell_list(struct text *text, struct value list)
{
    for (uint32_t i = 0; i < list.count; i++)
        text_format(text, "%s%.*s", i == 0 ? "" : ", ", SPAN_ARGS(value_span(list.items[i])));
}

static void tell_rest(const struct instance *instance,
                      const struct configuration *configuration, struct arena *arena,
                      struct text *text)
{
    struct value events = accepted_events(configuration, arena);
    const struct armed_timer *timer = configuration_next_timer(configuration);
    if (timer != NULL) {
        text_format(text, "  timer %.*s fires at ",
                    SPAN_ARGS(configuration_timer_name(configuration, timer)));
        time_add_instant(text, timer->due);
        text_add_byte(text, '\n');
    }
    if (instance->requests != NULL || kin_children(instance) != NULL)
        return;
    if (waiting_has_tag(instance, SPAN("attention")))
        text_add(text, SPAN("  needs a person"));
    else if (events.count > 0)
        text_add(text, SPAN("  waits for an event"));
    else if (timer == NULL && waiting_record(configuration, arena).kind == VALUE_NULL)
        text_add(text, SPAN("  nothing wakes it: no event, timer or step is awaited"));
    else
        return;
    text_add(text, events.count > 0 ? SPAN(": ") : SPAN(""));
    tell_list(text, events);
    text_add_byte(text, '\n');
}

/* How it got here: the event that made the last move, and its error when there was one. */
static void tell_move(const struct history_line *line, struct text *text)
{
    struct value error = value_member(line->event, SPAN("error"));
    struct value kind = value_member(error, SPAN("kind"));
    struct value message = value_member(error, SPAN("message"));
    struct span type = value_span(value_member(line->event, SPAN("type")));
    text_format(text, "  got here from %.*s by %.*s at ", SPAN_ARGS(line->from_path),
                SPAN_ARGS(type));
    time_add_clock(text, line->at);
    if (kind.kind == VALUE_STRING)
        text_format(text, ": %.*s", SPAN_ARGS(value_span(kind)));
    if (message.kind == VALUE_STRING)
        text_format(text, ": %.*s", SPAN_ARGS(value_span(message)));
    text_add_byte(text, '\n');
}

void waiting_explain(struct registry *registry, const struct instance *instance, instant_ms now,
                     struct arena *arena, struct text *text)
{
    struct configuration configuration;
    struct history_line move;
    (void)now;
    ensure(instance_decode(instance, arena, &configuration) == STATUS_OK);
    bool is_known = history_last_move(registry, instance, arena, &move);
    text_add_visible(text, instance_id(instance));
    text_format(text, "  %.*s  ", SPAN_ARGS(configuration_path(&configuration, arena)));
    tell_since(text, instance_status_name(instance->status),
               is_known ? move.at : instance->updated);
    text_add_byte(text, '\n');
    if (kin_is_child(instance))
        tell_parent(instance, text);
    if (is_known && move.seq > 1)
        tell_move(&move, text);
    for (const struct request *request = instance->requests; request != NULL;
         request = request->next)
        tell_request(registry, instance, request, arena, text);
    waiting_tell_record(&configuration, arena, text);
    for (const struct instance *child = kin_children(instance); child != NULL;
         child = child->kin->next)
        tell_child(child, text);
    if (instance->status == INSTANCE_ACTIVE)
        tell_rest(instance, &configuration, arena, text);
    if (instance->status == INSTANCE_ERROR) {
        text_add(text, SPAN("  stopped by an error: "));
        json_write(text, configuration.error);
        text_add_byte(text, '\n');
        if (kin_is_child(instance))
            text_add(text, SPAN("  its parent was told: nothing wakes it\n"));
    }
    if (instance->status == INSTANCE_DONE)
        text_add(text, configuration.machine->derivation == NULL
                           ? SPAN("  it is final: nothing wakes it\n")
                           : SPAN("  it is final: patches change only its record\n"));
    if (instance->status == INSTANCE_STOPPED)
        text_add(text, SPAN("  its parent needs it no longer: nothing wakes it\n"));
}
