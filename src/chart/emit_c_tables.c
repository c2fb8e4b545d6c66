/*
 * emit_c_tables.c - the machine's arrays as arrays in C, and sets of states as words of bits.
 */
#include "chart/emit_c_writer.h"

/* Sets of states */

static uint64_t bit_of(uint32_t state)
{
    return (uint64_t)1 << state;
}

static uint64_t below(const struct machine *machine, uint32_t state)
{
    uint64_t states = 0;
    for (uint32_t s = state + 1; s < machine->states[state].end; s++)
        states |= bit_of(s);
    return states;
}

static uint64_t children(const struct machine *machine, uint32_t state)
{
    const struct machine_state *states = machine->states;
    uint64_t found = 0;
    for (uint32_t s = state + 1; s < states[state].end; s = states[s].end)
        found |= bit_of(s);
    return found;
}

/* What is entered inside a state by default, and in which states of that. */
struct inner {
    uint64_t states;
    uint64_t defaults;
};

static void add_inner(struct emitter *emitter, uint32_t state, struct inner *inner);

static void add_regions(struct emitter *emitter, uint32_t parallel, struct inner *inner)
{
    const struct machine_state *states = emitter->machine->states;
    for (uint32_t s = parallel + 1; s < states[parallel].end; s = states[s].end) {
        if (states[s].type == STATE_HISTORY ||
            (inner->states & below(emitter->machine, s)) != 0)
            continue;
        inner->states |= bit_of(s);
        add_inner(emitter, s, inner);
    }
}

static void add_targets(struct emitter *emitter, uint32_t transition, uint32_t limit,
                        struct inner *inner)
{
    const struct machine *machine = emitter->machine;
    struct range targets = machine->transitions[transition].targets;
    for (uint32_t i = targets.first; i < targets.first + targets.count; i++) {
        inner->states |= bit_of(machine->targets[i]);
        add_inner(emitter, machine->targets[i], inner);
    }
    for (uint32_t i = targets.first; i < targets.first + targets.count; i++) {
        uint32_t s = machine->states[machine->targets[i]].parent;
        for (; s != NO_STATE && s != limit; s = machine->states[s].parent) {
            inner->states |= bit_of(s);
            if (machine->states[s].type == STATE_PARALLEL)
                add_regions(emitter, s, inner);
        }
    }
}

static void add_inner(struct emitter *emitter, uint32_t state, struct inner *inner)
{
    const struct machine_state *it = &emitter->machine->states[state];
    if (it->type == STATE_PARALLEL)
        add_regions(emitter, state, inner);
    if (it->type != STATE_COMPOUND && it->type != STATE_HISTORY)
        return;
    inner->defaults |= bit_of(state);
    if (it->initial != NO_INDEX)
        add_targets(emitter, it->initial, it->type == STATE_HISTORY ? it->parent : state,
                    inner);
}

/* What must be active, one of each, for a parallel state to be at its end. */
static uint32_t add_ends(const struct machine *machine, uint32_t parallel, uint64_t *ends,
                         uint32_t count)
{
    const struct machine_state *states = machine->states;
    for (uint32_t s = parallel + 1; s < states[parallel].end; s = states[s].end) {
        if (states[s].type == STATE_HISTORY)
            continue;
        if (states[s].type == STATE_PARALLEL) {
            count = add_ends(machine, s, ends, count);
            continue;
        }
        ends[count] = states[s].type == STATE_FINAL ? bit_of(s) : 0;
        for (uint32_t t = s + 1; t < states[s].end; t = states[t].end) {
            if (states[t].type == STATE_FINAL)
                ends[count] |= bit_of(t);
        }
        count++;
    }
    return count;
}

/* Tables */

static void emit_numbers(struct emitter *emitter, const char *name, const char *type,
                         const int64_t *numbers, uint32_t count)
{
    text_format(emitter->text, "static const %s %s[] = {", type, name);
    for (uint32_t i = 0; i < count; i++)
        text_format(emitter->text, "%s%lld",
                    i == 0        ? ""
                    : i % 16 == 0 ? ",\n    "
                                  : ", ",
                    (long long)numbers[i]);
    text_add(emitter->text, count == 0 ? SPAN("0};\n") : SPAN("};\n"));
}

static void emit_sets(struct emitter *emitter, const char *name, const uint64_t *sets,
                      uint32_t count)
{
    text_format(emitter->text, "static const uint64_t %s[] = {", name);
    for (uint32_t i = 0; i < count; i++)
        text_format(emitter->text, "%sUINT64_C(0x%llx)",
                    i == 0       ? ""
                    : i % 4 == 0 ? ",\n    "
                                 : ", ",
                    (unsigned long long)sets[i]);
    text_add(emitter->text, count == 0 ? SPAN("0};\n") : SPAN("};\n"));
}

static void define_set(struct emitter *emitter, const char *name, uint64_t set)
{
    text_format(emitter->text, "#define %s UINT64_C(0x%llx)\n", name, (unsigned long long)set);
}

#define FOR_STATES(type, name, expression)                                        \
    type *name = arena_new_array(emitter->arena, machine->state_count + 1, type); \
    for (uint32_t i = 0; i < machine->state_count; i++)                           \
    name[i] = (expression)

static void emit_state_tables(struct emitter *emitter)
{
    const struct machine *machine = emitter->machine;
    const struct machine_state *states = machine->states;
    uint32_t count = machine->state_count;
    FOR_STATES(int64_t, parents, i == 0 ? -1 : (int64_t)states[i].parent);
    FOR_STATES(int64_t, rows, states[i].leaf == NO_INDEX ? 255 : (int64_t)states[i].leaf);
    FOR_STATES(int64_t, kinds, (int64_t)states[i].type);
    FOR_STATES(uint64_t, belows, below(machine, i));
    FOR_STATES(int64_t, entry, emit_c_list(emitter, states[i].entry));
    FOR_STATES(int64_t, exit, emit_c_list(emitter, states[i].exit));
    FOR_STATES(int64_t, initial, emit_c_list(emitter, emit_c_initial(machine, i)));
    FOR_STATES(int64_t, done, (int64_t)states[i].done_event);
    emit_sets(emitter, "below", belows, count);
    emit_numbers(emitter, "row", "uint8_t", rows, count);
    if (emit_c_has(emitter, 'M') || emit_c_has(emitter, 'D'))
        emit_numbers(emitter, "parent", "int8_t", parents, count);
    if (emit_c_has(emitter, 'M') || emit_c_has(emitter, 'D'))
        emit_numbers(emitter, "kind", "uint8_t", kinds, count);
    if (emit_c_has(emitter, 'D'))
        emit_numbers(emitter, "done_events", "uint16_t", done, count);
    if (emit_c_has(emitter, 'N'))
        emit_numbers(emitter, "entries", "uint16_t", entry, count);
    if (emit_c_has(emitter, 'X'))
        emit_numbers(emitter, "exits", "uint16_t", exit, count);
    if (emit_c_has(emitter, 'J'))
        emit_numbers(emitter, "initials", "uint16_t", initial, count);
}

static void emit_text(struct emitter *emitter, struct span text)
{
    text_add(emitter->text, SPAN("\n    \""));
    for (size_t at = 0; at < text.size; at++) {
        unsigned char c = (unsigned char)text.text[at];
        bool is_plain = c >= ' ' && c < 0x7f && c != '"' && c != '\\' && c != '?';
        text_format(emitter->text, is_plain ? "%c" : "\\%03o", c);
    }
    text_add(emitter->text, SPAN("\","));
}

static void emit_names(struct emitter *emitter)
{
    text_add(emitter->text, SPAN("static const char *const names[] = {"));
    for (uint32_t i = 0; i < emitter->machine->state_count; i++)
        emit_text(emitter, emitter->machine->states[i].path);
    text_add(emitter->text, SPAN("\n};\n"));
    if (emitter->words.count == 0)
        return;
    text_format(emitter->text, "enum { WORDS = %u };\nstatic const char *const words[] = {",
                emitter->words.count);
    for (uint32_t i = 0; i < emitter->words.count; i++)
        emit_text(emitter, i == 0 ? SPAN("") : emitter->words.meanings[i]);
    text_add(emitter->text, SPAN("\n};\n"));
}

static void emit_ends(struct emitter *emitter)
{
    const struct machine *machine = emitter->machine;
    uint64_t *ends = arena_new_array(
        emitter->arena, (size_t)machine->state_count * machine->state_count + 1, uint64_t);
    int64_t *starts = arena_new_array(emitter->arena, machine->state_count + 1, int64_t);
    uint32_t count = 0;
    if (!emit_c_has(emitter, 'D'))
        return;
    for (uint32_t i = 0; i < machine->state_count; i++) {
        starts[i] = count;
        if (machine->states[i].type == STATE_PARALLEL)
            count = add_ends(machine, i, ends, count);
    }
    starts[machine->state_count] = count;
    emit_sets(emitter, "ends", ends, count);
    emit_numbers(emitter, "ends_of", "uint16_t", starts, machine->state_count + 1);
}

static uint64_t default_targets(struct emitter *emitter, uint32_t history)
{
    const struct machine *machine = emitter->machine;
    uint32_t initial = machine->states[history].initial;
    uint64_t found = 0;
    if (initial != NO_INDEX) {
        struct range targets = machine->transitions[initial].targets;
        for (uint32_t i = targets.first; i < targets.first + targets.count; i++)
            found |= bit_of(machine->targets[i]);
        return found;
    }
    uint32_t parent = machine->states[history].parent;
    for (uint32_t s = parent + 1; s < machine->states[parent].end; s = machine->states[s].end)
        found |= machine->states[s].type == STATE_HISTORY ? 0 : bit_of(s);
    return found;
}

static struct inner inner_of(struct emitter *emitter, uint32_t state)
{
    struct inner inner = {0};
    add_inner(emitter, state, &inner);
    return inner;
}

static void emit_history_tables(struct emitter *emitter)
{
    const struct machine *machine = emitter->machine;
    const struct machine_state *states = machine->states;
    uint32_t count = machine->state_count;
    if (!emit_c_has(emitter, 'M'))
        return;
    FOR_STATES(uint64_t, inside, inner_of(emitter, i).states);
    FOR_STATES(uint64_t, defaults, inner_of(emitter, i).defaults);
    FOR_STATES(uint64_t, child, children(machine, i));
    FOR_STATES(uint64_t, targets,
               states[i].type == STATE_HISTORY ? default_targets(emitter, i) : 0);
    FOR_STATES(int64_t, memory, states[i].memory == NO_INDEX ? 0 : (int64_t)states[i].memory);
    FOR_STATES(int64_t, deep, states[i].is_deep);
    FOR_STATES(int64_t, has_default, states[i].initial != NO_INDEX);
    uint64_t histories = 0;
    uint64_t remembering = 0;
    for (uint32_t i = 0; i < count; i++) {
        histories |= states[i].type == STATE_HISTORY ? bit_of(i) : 0;
        remembering |= states[i].memory == NO_INDEX ? 0 : bit_of(i);
    }
    emit_sets(emitter, "inside_of", inside, count);
    emit_sets(emitter, "defaults_of", defaults, count);
    emit_sets(emitter, "children", child, count);
    emit_sets(emitter, "default_targets", targets, count);
    emit_numbers(emitter, "memory_row", "uint8_t", memory, count);
    emit_numbers(emitter, "is_deep", "bool", deep, count);
    emit_numbers(emitter, "has_default", "bool", has_default, count);
    define_set(emitter, "HISTORIES", histories);
    define_set(emitter, "REMEMBERING", remembering);
}

static void emit_masks(struct emitter *emitter)
{
    const struct machine *machine = emitter->machine;
    uint64_t leaves = 0;
    uint64_t exiting = 0;
    for (uint32_t i = 0; i < machine->state_count; i++) {
        leaves |= machine->states[i].leaf == NO_INDEX ? 0 : bit_of(i);
        exiting |= machine->states[i].exit.count == 0 ? 0 : bit_of(i);
    }
    define_set(emitter, "ALL",
               machine->state_count == 64 ? UINT64_MAX : bit_of(machine->state_count) - 1);
    define_set(emitter, "LEAF_STATES", leaves);
    define_set(emitter, "EXITING", exiting);
}

static void emit_timer_tables(struct emitter *emitter)
{
    const struct machine *machine = emitter->machine;
    uint64_t timed = 0;
    if (!emit_c_has(emitter, 'T'))
        return;
    uint64_t *of = arena_new_array(emitter->arena, machine->state_count, uint64_t);
    int64_t *events = arena_new_array(emitter->arena, machine->timer_count, int64_t);
    int64_t *delays = arena_new_array(emitter->arena, machine->timer_count, int64_t);
    for (uint32_t i = 0; i < machine->timer_count; i++) {
        const struct machine_timer *timer = &machine->timers[i];
        of[timer->state] |= bit_of(i);
        timed |= bit_of(timer->state);
        events[i] = timer->event;
        delays[i] =
            timer->delay == NULL ? timer->delay_ms : expr_slot_value(timer->delay)->integer;
    }
    emit_sets(emitter, "timers_of", of, machine->state_count);
    emit_numbers(emitter, "timer_event", "uint16_t", events, machine->timer_count);
    emit_numbers(emitter, "delay_ms", "int64_t", delays, machine->timer_count);
    define_set(emitter, "TIMED", timed);
}

static void emit_invoke_tables(struct emitter *emitter)
{
    const struct machine *machine = emitter->machine;
    uint64_t invoking = 0;
    if (!emit_c_has(emitter, 'I'))
        return;
    uint64_t *of = arena_new_array(emitter->arena, machine->state_count, uint64_t);
    int64_t *done = arena_new_array(emitter->arena, machine->invoke_count, int64_t);
    int64_t *error = arena_new_array(emitter->arena, machine->invoke_count, int64_t);
    for (uint32_t i = 0; i < machine->invoke_count; i++) {
        of[machine->invokes[i].state] |= bit_of(i);
        invoking |= bit_of(machine->invokes[i].state);
        done[i] = machine->invokes[i].done_event;
        error[i] = machine->invokes[i].error_event;
    }
    emit_sets(emitter, "invokes_of", of, machine->state_count);
    emit_numbers(emitter, "done_of", "uint16_t", done, machine->invoke_count);
    emit_numbers(emitter, "error_of", "uint16_t", error, machine->invoke_count);
    define_set(emitter, "INVOKING", invoking);
}

/* Events of timers and invocations: only taken while those are awaited. */
static void emit_inside_events(struct emitter *emitter)
{
    const struct machine *machine = emitter->machine;
    if (!emit_c_has(emitter, 'B'))
        return;
    int64_t *is_inside = arena_new_array(emitter->arena, machine->event_count, int64_t);
    for (uint32_t i = 0; i < machine->timer_count; i++)
        is_inside[machine->timers[i].event] = 1;
    for (uint32_t i = 0; i < machine->invoke_count; i++)
        is_inside[machine->invokes[i].done_event] = is_inside[machine->invokes[i].error_event] =
            1;
    emit_numbers(emitter, "inside_events", "bool", is_inside, machine->event_count);
}

static uint64_t targets_of(const struct machine *machine,
                           const struct machine_transition *transition)
{
    uint64_t found = 0;
    for (uint32_t i = 0; i < transition->targets.count; i++)
        found |= bit_of(machine->targets[transition->targets.first + i]);
    return found;
}

static void emit_transition(struct emitter *emitter,
                            const struct machine_transition *transition)
{
    bool reacts = transition->event != NO_INDEX;
    bool is_entry =
        reacts || transition == &emitter->machine->transitions[emitter->machine->start];
    text_format(emitter->text, "    {%u, %d, %u, %u, %u", transition->source,
                transition->domain == NO_STATE ? -1 : (int)transition->domain,
                transition->entry.first, is_entry ? transition->entry.count : 0,
                reacts ? (unsigned)emit_c_list(emitter, transition->actions) : 0);
    text_format(emitter->text, ", %d", transition->target != NO_STATE);
    if (emit_c_has(emitter, 'G'))
        text_format(emitter->text, ", %d", transition->guard != NO_INDEX);
    if (emit_c_has(emitter, 'E'))
        text_format(emitter->text, ", %d", transition->assigns);
    if (emit_c_has(emitter, 'M'))
        text_format(emitter->text, ", %d, %d, UINT64_C(0x%llx)", transition->is_dynamic,
                    emit_c_has(emitter, 'Y') ? transition->is_internal : transition->reenter,
                    (unsigned long long)targets_of(emitter->machine, transition));
    text_add(emitter->text, SPAN("},\n"));
}

static void emit_transitions(struct emitter *emitter)
{
    const struct machine *machine = emitter->machine;
    text_add(
        emitter->text,
        SPAN("\nstatic const struct transition {\n    uint8_t source;\n    int8_t domain;\n"
             "    uint16_t entry;\n    uint8_t entry_count;\n    uint16_t actions;\n"
             "    bool has_target;\n"));
    if (emit_c_has(emitter, 'G'))
        text_add(emitter->text, SPAN("    bool is_guarded;\n"));
    if (emit_c_has(emitter, 'E'))
        text_add(emitter->text, SPAN("    bool assigns;\n"));
    if (emit_c_has(emitter, 'M'))
        text_format(emitter->text,
                    "    bool is_dynamic;\n    bool %s;\n    uint64_t targets;\n",
                    emit_c_has(emitter, 'Y') ? "is_internal" : "reenter");
    text_add(emitter->text, SPAN("} transitions[] = {\n"));
    for (uint32_t i = 0; i < machine->transition_count; i++)
        emit_transition(emitter, &machine->transitions[i]);
    text_add(emitter->text, SPAN("};\n\n"));
}

static void emit_candidates(struct emitter *emitter)
{
    const struct machine *machine = emitter->machine;
    uint32_t cells = machine->leaf_count * machine->event_count;
    int64_t *starts = arena_new_array(emitter->arena, cells + 1, int64_t);
    for (uint32_t i = 0; i <= cells; i++)
        starts[i] = machine->candidate_starts[i];
    uint32_t count = machine->candidate_starts[cells];
    int64_t *candidates = arena_new_array(emitter->arena, count, int64_t);
    for (uint32_t i = 0; i < count; i++)
        candidates[i] = machine->candidates[i].transition;
    if (count > UINT16_MAX)
        emit_c_refuse(emitter, machine->states[0].place, "too many transitions");
    emit_numbers(emitter, "starts", "uint16_t", starts, cells + 1);
    emit_numbers(emitter, "candidates", "uint16_t", candidates, count);
}

static void emit_entered(struct emitter *emitter)
{
    const struct machine *machine = emitter->machine;
    uint32_t count = 0;
    for (uint32_t i = 0; i < machine->transition_count; i++) {
        struct range entry = machine->transitions[i].entry;
        count = entry.first + entry.count > count ? entry.first + entry.count : count;
    }
    int64_t *entered = arena_new_array(emitter->arena, count, int64_t);
    for (uint32_t i = 0; i < count; i++)
        entered[i] = (machine->entries[i] & ~ENTRY_DEFAULT) |
                     ((machine->entries[i] & ENTRY_DEFAULT) != 0 ? 0x80 : 0);
    emit_numbers(emitter, "entered", "uint8_t", entered, count);
}

static void emit_constants(struct emitter *emitter)
{
    const struct machine *machine = emitter->machine;
    text_format(
        emitter->text,
        "enum {\n    STATES = %u,\n    EVENTS = %u,\n    LEAVES = %u,\n    TIMERS = %u,\n"
        "    INVOKES = %u,\n    START = %u,\n    MICROSTEPS_MAX = %u,\n"
        "    EVENT_ERROR_EXECUTION = %u,\n    NO_ROW = 255,\n    BY_DEFAULT = 0x80\n};\n"
        "enum { ATOMIC, COMPOUND, PARALLEL, FINAL, HISTORY };\n\n",
        machine->state_count, machine->event_count, machine->leaf_count, machine->timer_count,
        machine->invoke_count, machine->start, machine->microsteps_max,
        machine->execution_error_event);
}

static void emit_initial(struct emitter *emitter)
{
    emit_c_names(emitter, "#define INITIAL {.status = ^_ACTIVE");
    for (uint32_t i = 0; i < emitter->field_count; i++) {
        const struct emit_c_field *field = &emitter->fields[i];
        text_format(emitter->text, "%s.%.*s = ", i == 0 ? ", .context = {" : ", ",
                    SPAN_ARGS(field->name));
        if (field->kind == C_BOOL)
            text_add(emitter->text, field->first.boolean ? SPAN("true") : SPAN("false"));
        else if (field->kind == C_WORD)
            text_add(emitter->text, emit_c_word(emitter, value_span(field->first)));
        else if (field->kind == C_DOUBLE)
            text_add_double(emitter->text, field->first.real);
        else if (field->first.integer == INT64_MIN)
            text_add(emitter->text, SPAN("INT64_MIN"));
        else
            text_add_int(emitter->text, field->first.integer);
    }
    text_add(emitter->text, emitter->field_count > 0 ? SPAN("}}\n\n") : SPAN("}\n\n"));
}

void emit_c_tables(struct emitter *emitter)
{
    emit_constants(emitter);
    emit_masks(emitter);
    emit_state_tables(emitter);
    emit_names(emitter);
    emit_ends(emitter);
    emit_history_tables(emitter);
    emit_timer_tables(emitter);
    emit_invoke_tables(emitter);
    emit_inside_events(emitter);
    emit_entered(emitter);
    emit_candidates(emitter);
    emit_transitions(emitter);
    emit_initial(emitter);
}
