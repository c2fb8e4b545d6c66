/*
 * check_types.c - expressions whose types do not fit.
 *
 * What may be in the context follows from what is put there. A member begins with the type of
 * its first value; every assignment is checked with what is known so far, and the member's
 * type is widened by what it assigns, again and again until nothing changes: then the types
 * hold after any number of macrosteps. So a member that is null at first, or an int that later
 * becomes a double, or whatever an undeclared event brings, makes no false alarm. Only then
 * are the findings told.
 *
 * An event that a machine may raise itself does not pass the door, so its schema says nothing.
 * SCXML's expressions are another language and are left alone.
 */
#include "chart/check_types.h"

#include <string.h>

#include "base/limits.h"
#include "base/sort.h"

/* So often the assignments are gone through with hope; then what still changes is anything. */
enum { ROUNDS_MAX = 4, MEMBERS_MAX = 2000 };

/* What an expression may see of the event. */
struct seen_event {
    const struct type *event; /* NULL: not known */
    const struct type *payload;
};

struct typing {
    const struct machine *machine;
    struct arena *arena;
    struct diagnostics *diagnostics;
    struct expr_scope scope;
    const struct type **types;  /* of the scope's variables */
    struct seen_event *events;  /* by event id */
    uint32_t *action_events;    /* by action: the event it runs for, or EVENT_ID_NONE */
    uint32_t *guard_events;     /* by guard */
    struct type_field *members; /* of the context */
    uint32_t member_count;
    uint32_t *assign_members; /* by assign, and then by member of the initial context */
};

/* Events */

/* By event id: whether the machine itself may raise it; NULL when that is not known. */
static bool *find_raised(const struct machine *machine, struct arena *arena)
{
    static const struct expr_frame none = {0};
    bool *raised = arena_get_zeroed(arena, machine->event_count);
    for (uint32_t i = 0; i < machine->action_count; i++) {
        const struct machine_action *action = &machine->actions[i];
        if (action->type == NULL || action->kind == ACTION_EMIT)
            continue;
        if (!expr_slot_is_literal(action->type))
            return NULL;
        struct value literal = expr_slot_run(action->type, &none, arena);
        if (literal.kind != VALUE_STRING)
            return NULL;
        raised[machine_find_event(machine, value_span(literal))] = true;
    }
    return raised;
}

/* The members of the payload, and `type`. */
static const struct type *event_of_payload(struct typing *typing, const struct type *payload)
{
    bool is_record = payload->kind == TYPE_RECORD;
    uint32_t count = is_record ? payload->count : 0;
    if (payload->kind != TYPE_RECORD && payload->kind != TYPE_MAP)
        return NULL;
    if (!is_record)
        return payload;
    struct type_field *fields = arena_new_array(typing->arena, count + 1, struct type_field);
    fields[0] = (struct type_field){SPAN("type"), type_simple(TYPE_STRING)};
    if (count > 0)
        memcpy(fields + 1, payload->fields, count * sizeof *fields);
    return type_record(typing->arena, fields, count + 1, payload->is_open);
}

static void learn_declared(struct typing *typing, const struct machine_event *declared,
                           const bool *raised)
{
    uint32_t event = machine_find_event(typing->machine, declared->type);
    struct seen_event *seen = &typing->events[event];
    if (raised[event] || !span_equal(typing->machine->event_types[event], declared->type))
        return;
    seen->payload = schema_type(declared->schema, typing->arena);
    seen->event = event_of_payload(typing, seen->payload);
}

/* What a step or a state gives in the end: {"output": …}. */
static void learn_done(struct typing *typing, uint32_t event, const bool *raised)
{
    struct type_field *output = arena_new(typing->arena, struct type_field);
    *output = (struct type_field){SPAN("output"), type_simple(TYPE_DYN)};
    if (event < EVENT_ID_FIRST || raised[event])
        return;
    typing->events[event].payload = type_record(typing->arena, output, 1, true);
    typing->events[event].event = event_of_payload(typing, typing->events[event].payload);
}

static void learn_events(struct typing *typing)
{
    const struct machine *machine = typing->machine;
    const bool *raised = find_raised(machine, typing->arena);
    typing->events =
        arena_get_zeroed(typing->arena, machine->event_count * sizeof *typing->events);
    if (raised == NULL)
        return;
    for (uint32_t i = 0; i < machine->invoke_count; i++)
        learn_done(typing, machine->invokes[i].done_event, raised);
    for (uint32_t i = 0; i < machine->declared_event_count; i++)
        learn_declared(typing, &machine->declared_events[i], raised);
}

/* Whose expressions see which event */

static void learn_guard(struct typing *typing, uint32_t index, uint32_t event)
{
    const struct machine *machine = typing->machine;
    if (index == NO_INDEX || index < machine->named_guard_count)
        return; /* a named guard may be asked for any event */
    const struct machine_guard *guard = &machine->guards[index];
    typing->guard_events[index] = event;
    for (uint32_t i = 0; guard->kind != GUARD_IN && i < guard->part_count; i++)
        learn_guard(typing, guard->parts[i], event);
}

static void learn_actions(struct typing *typing, struct range actions, uint32_t event)
{
    for (uint32_t i = actions.first; i < actions.first + actions.count; i++) {
        typing->action_events[i] = event;
        if (typing->machine->actions[i].kind == ACTION_IF)
            learn_guard(typing, typing->machine->actions[i].guard, event);
    }
}

static void learn_owners(struct typing *typing)
{
    const struct machine *machine = typing->machine;
    size_t width = sizeof(uint32_t);
    typing->action_events = arena_get_zeroed(typing->arena, machine->action_count * width);
    typing->guard_events = arena_get_zeroed(typing->arena, machine->guard_count * width);
    for (uint32_t i = 0; i < machine->transition_count; i++) {
        const struct machine_transition *transition = &machine->transitions[i];
        if (transition->event == NO_INDEX || transition->event < EVENT_ID_FIRST)
            continue;
        learn_guard(typing, transition->guard, transition->event);
        learn_actions(typing, transition->actions, transition->event);
    }
}

static void set_event(struct typing *typing, uint32_t event)
{
    struct seen_event seen = typing->events[event];
    typing->types[CHART_EVENT] = seen.event;
    typing->types[CHART_PAYLOAD] = seen.payload;
}

/* The context */

static uint32_t add_member(struct typing *typing, struct span name, const struct type *type)
{
    uint32_t i = 0;
    while (i < typing->member_count && !span_equal(typing->members[i].name, name))
        i++;
    if (i == typing->member_count && i < MEMBERS_MAX)
        typing->members[typing->member_count++] = (struct type_field){name, type};
    return i;
}

/* Loops and ids made up put things there too. */
static void add_other_members(struct typing *typing)
{
    const struct machine *machine = typing->machine;
    const struct type *dyn = type_simple(TYPE_DYN);
    for (uint32_t i = 0; i < machine->action_count; i++) {
        const struct machine_action *action = &machine->actions[i];
        struct span names[] = {action->id_place, action->index, action->name};
        uint32_t count = action->kind == ACTION_FOREACH ? 3 : 1;
        for (uint32_t name = 0; name < count; name++) {
            if (names[name].size > 0)
                typing->members[add_member(typing, names[name], dyn)].type = dyn;
        }
    }
    for (uint32_t i = 0; i < machine->invoke_count; i++) {
        struct span name = machine->invokes[i].id_place;
        if (name.size > 0)
            typing->members[add_member(typing, name, dyn)].type = dyn;
    }
}

static uint32_t assign_count(const struct machine *machine)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < machine->action_count; i++) {
        const struct machine_action *action = &machine->actions[i];
        if (action->kind == ACTION_ASSIGN &&
            action->assigns.first + action->assigns.count > count)
            count = action->assigns.first + action->assigns.count;
    }
    return count;
}

/* Members by name, as null: of that nothing is known. False: there are too many. */
static bool list_members(struct typing *typing)
{
    const struct machine *machine = typing->machine;
    const struct type *null = type_simple(TYPE_NULL);
    uint32_t assigns = assign_count(machine);
    typing->members = arena_new_array(typing->arena, MEMBERS_MAX + 1, struct type_field);
    typing->assign_members = arena_new_array(typing->arena, assigns, uint32_t);
    for (uint32_t i = 0; i < machine->context_count; i++)
        add_member(typing, machine->context[i].key, null);
    for (uint32_t i = 0; i < assigns; i++)
        typing->assign_members[i] = add_member(typing, machine->assigns[i].key, null);
    add_other_members(typing);
    return typing->member_count < MEMBERS_MAX;
}

/* The members as a type: what is only ever null may be anything. */
static void set_context(struct typing *typing)
{
    struct type_field *fields =
        arena_new_array(typing->arena, typing->member_count, struct type_field);
    for (uint32_t i = 0; i < typing->member_count; i++) {
        fields[i] = typing->members[i];
        if (fields[i].type->kind == TYPE_NULL)
            fields[i].type = type_simple(TYPE_DYN);
    }
    typing->types[CHART_CONTEXT] =
        type_inferred_record(typing->arena, fields, typing->member_count);
}

/* True when the member may now be more than before. */
static bool widen(struct typing *typing, uint32_t member, const struct type *type, bool hopes)
{
    struct type_field *field = &typing->members[member];
    const struct type *wider =
        type_join(typing->arena, field->type, type_as_plain(typing->arena, type));
    if (type_is_same(wider, field->type))
        return false;
    field->type = hopes ? wider : type_simple(TYPE_DYN);
    return true;
}

/* What an assignment puts there: nothing (null) when it can only fail. */
static const struct type *type_of_assign(struct typing *typing,
                                         const struct machine_assign *assign)
{
    const struct diagnostics *unheard = typing->diagnostics;
    uint32_t errors = unheard->errors + unheard->dropped;
    if (assign->path_count > 0)
        return type_simple(TYPE_DYN);
    const struct type *type =
        expr_slot_check(assign->slot, &typing->scope, typing->arena, typing->diagnostics);
    return unheard->errors + unheard->dropped > errors ? type_simple(TYPE_NULL) : type;
}

static bool widen_by_action(struct typing *typing, uint32_t index, bool hopes)
{
    struct range assigns = typing->machine->actions[index].assigns;
    bool is_changed = false;
    set_event(typing, typing->action_events[index]);
    for (uint32_t i = assigns.first; i < assigns.first + assigns.count; i++) {
        const struct type *type = type_of_assign(typing, &typing->machine->assigns[i]);
        is_changed = widen(typing, typing->assign_members[i], type, hopes) || is_changed;
    }
    return is_changed;
}

static bool widen_by_all(struct typing *typing, bool hopes)
{
    const struct machine *machine = typing->machine;
    bool is_changed = false;
    for (uint32_t i = 0; i < machine->action_count; i++) {
        if (machine->actions[i].kind == ACTION_ASSIGN)
            is_changed = widen_by_action(typing, i, hopes) || is_changed;
    }
    set_context(typing);
    return is_changed;
}

static void begin_members(struct typing *typing)
{
    const struct machine *machine = typing->machine;
    set_event(typing, EVENT_ID_NONE);
    for (uint32_t i = 0; i < machine->context_count; i++) {
        const struct machine_assign *member = &machine->context[i];
        widen(typing, add_member(typing, member->key, NULL),
              expr_slot_check(member->slot, &typing->scope, typing->arena, typing->diagnostics),
              true);
    }
    set_context(typing);
}

/* Nothing is told yet. A machine without `context` has one that others know of. */
static void learn_context(struct typing *typing)
{
    struct diagnostics *told = typing->diagnostics;
    struct diagnostics unheard;
    if (typing->machine->context_count == 0)
        return;
    diagnostics_init(&unheard, typing->arena);
    if (!list_members(typing))
        return;
    typing->diagnostics = &unheard;
    begin_members(typing);
    for (uint32_t round = 0; widen_by_all(typing, round < ROUNDS_MAX); round++)
        continue;
    typing->diagnostics = told;
}

/* Telling */

static const struct type *look_slot(struct typing *typing, const struct expr_slot *slot)
{
    return slot == NULL
               ? type_simple(TYPE_DYN)
               : expr_slot_check(slot, &typing->scope, typing->arena, typing->diagnostics);
}

static void want(struct typing *typing, const struct expr_slot *slot, uint32_t kinds,
                 const char *what, struct place place)
{
    const struct type *type = look_slot(typing, slot);
    if (type->kind == TYPE_DYN || (kinds >> type->kind & 1) != 0)
        return;
    diagnostics_add(typing->diagnostics, SEVERITY_ERROR, "IL0503", place, "%s, not %.*s", what,
                    SPAN_ARGS(type_text(typing->arena, type)));
}

static void want_delay(struct typing *typing, const struct expr_slot *slot, struct place place)
{
    want(typing, slot,
         1u << TYPE_INT | 1u << TYPE_DOUBLE | 1u << TYPE_STRING | 1u << TYPE_DURATION,
         "a delay is a duration such as \"30s\", or milliseconds", place);
}

static void look_guard(struct typing *typing, uint32_t index)
{
    const struct machine_guard *guard = &typing->machine->guards[index];
    set_event(typing, typing->guard_events[index]);
    look_slot(typing, guard->params);
    if (guard->program == NULL)
        return;
    const struct type *type =
        expr_check(guard->program, &typing->scope, typing->arena, typing->diagnostics);
    if (type->kind != TYPE_DYN && type->kind != TYPE_BOOL)
        expr_object(guard->program, typing->diagnostics, "a guard is a bool, not %.*s",
                    SPAN_ARGS(type_text(typing->arena, type)));
}

static void look_action(struct typing *typing, uint32_t index)
{
    const struct machine_action *action = &typing->machine->actions[index];
    uint32_t text = 1u << TYPE_STRING;
    uint32_t map = 1u << TYPE_MAP | 1u << TYPE_RECORD;
    set_event(typing, typing->action_events[index]);
    if (action->type != NULL)
        want(typing, action->type, action->data == NULL ? text | map : text,
             "the type of an event is a string", action->place);
    if (action->kind == ACTION_FOREACH)
        want(typing, action->data, 1u << TYPE_LIST, "`foreach` goes over a list",
             action->place);
    else
        look_slot(typing, action->data);
    if (action->to != NULL)
        want(typing, action->to, text, "a target is a string", action->place);
    if (action->which != NULL)
        want(typing, action->which, text, "an id is a string", action->place);
    look_slot(typing, action->processor);
    for (uint32_t i = 0; action->kind == ACTION_ASSIGN && i < action->assigns.count; i++)
        look_slot(typing, typing->machine->assigns[action->assigns.first + i].slot);
}

struct delay {
    const struct expr_slot *slot;
    struct place place;
};

/* By slot; of those with the same, the first in the file comes first. */
static int compare_delays(const void *a, const void *b)
{
    const struct delay *left = a;
    const struct delay *right = b;
    if (left->slot != right->slot)
        return (uintptr_t)left->slot < (uintptr_t)right->slot ? -1 : 1;
    if (left->place.line != right->place.line)
        return left->place.line < right->place.line ? -1 : 1;
    return (left->place.column > right->place.column) -
           (left->place.column < right->place.column);
}

/* Timers and actions share those that have names; each is told of once. */
static void look_delays(struct typing *typing)
{
    const struct machine *machine = typing->machine;
    struct delay *delays = arena_new_array(
        typing->arena, (size_t)machine->timer_count + machine->action_count, struct delay);
    size_t count = 0;
    set_event(typing, EVENT_ID_NONE);
    for (uint32_t i = 0; i < machine->timer_count; i++)
        delays[count++] = (struct delay){machine->timers[i].delay, machine->timers[i].place};
    for (uint32_t i = 0; i < machine->action_count; i++)
        delays[count++] = (struct delay){machine->actions[i].delay, machine->actions[i].place};
    sort_items(delays, count, sizeof *delays, compare_delays);
    for (size_t i = 0; i < count; i++) {
        if (delays[i].slot != NULL && (i == 0 || delays[i].slot != delays[i - 1].slot))
            want_delay(typing, delays[i].slot, delays[i].place);
    }
}

static void tell(struct typing *typing)
{
    const struct machine *machine = typing->machine;
    for (uint32_t i = 0; i < machine->guard_count; i++)
        look_guard(typing, i);
    for (uint32_t i = 0; i < machine->action_count; i++)
        look_action(typing, i);
    look_delays(typing);
    for (uint32_t i = 0; i < machine->context_count; i++)
        look_slot(typing, machine->context[i].slot);
    for (uint32_t i = 0; i < machine->invoke_count; i++)
        look_slot(typing, machine->invokes[i].input);
    for (uint32_t i = 0; i < machine->state_count; i++)
        look_slot(typing, machine->states[i].output);
}

static void begin(struct typing *typing)
{
    const struct machine *machine = typing->machine;
    machine_scope(machine, &typing->scope, typing->arena);
    typing->types =
        arena_get_zeroed(typing->arena, typing->scope.variable_count * sizeof *typing->types);
    typing->scope.types = typing->types;
    typing->types[CHART_NOW] = type_simple(TYPE_TIMESTAMP);
    for (uint32_t i = 0; i < machine->named_guard_count; i++)
        typing->types[CHART_VARIABLE_COUNT + i] = type_simple(TYPE_BOOL);
    learn_events(typing);
    learn_owners(typing);
    learn_context(typing);
    if (machine->derivation != NULL) /* a record has members that others write */
        typing->types[CHART_CONTEXT] = type_simple(TYPE_DYN);
}

/* Where memory ends, so do the findings. */
static void check(struct typing *typing)
{
    struct arena_guard guard;
    if (arena_is_spent(typing->arena, &guard))
        return;
    begin(typing);
    tell(typing);
    arena_release_guard(typing->arena, &guard);
}

void machine_check_types(const struct machine *machine, struct diagnostics *diagnostics)
{
    struct arena arena;
    struct arena_guard guard;
    struct typing typing = {.machine = machine, .arena = &arena, .diagnostics = diagnostics};
    if (machine->semantics == SEMANTICS_SCXML)
        return;
    arena_open(&arena, DEFINITION_ARENA_BYTES);
    if (arena_is_spent(diagnostics->arena, &guard)) { /* the arena here must not be lost */
        arena_close(&arena);
        arena_spend(diagnostics->arena);
    }
    check(&typing);
    arena_release_guard(diagnostics->arena, &guard);
    arena_close(&arena);
}
