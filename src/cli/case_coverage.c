/*
 * case_coverage.c - finding out what a macrostep did, from both its ends.
 */
#include "cli/case_coverage.h"

#include "base/memory.h"

enum { TAKEN_MAYBE = 1, TAKEN = 2 };
enum { GUARD_HELD = 1, GUARD_FAILED = 2 };
enum { MICROSTEPS_FOLLOWED = 3 };

void case_coverage_init(struct case_coverage *coverage, const struct machine *machine)
{
    *coverage = (struct case_coverage){.machine = machine};
    coverage->entered = memory_get(machine->state_count * sizeof *coverage->entered);
    coverage->taken = memory_get(machine->transition_count + 1);
    coverage->guards = memory_get(machine->transition_count + 1);
    for (uint32_t i = 0; i < machine->action_count; i++) {
        enum action_kind kind = machine->actions[i].kind;
        coverage->raises = coverage->raises || kind == ACTION_RAISE || kind == ACTION_SEND;
    }
}

void case_coverage_fini(struct case_coverage *coverage)
{
    memory_release(coverage->entered);
    memory_release(coverage->taken);
    memory_release(coverage->guards);
}

static bool has_bit(const uint64_t *states, uint32_t state)
{
    return states[state / 64] >> state % 64 & 1;
}

static void enter(struct case_coverage *coverage, uint32_t state)
{
    for (; state != NO_STATE; state = coverage->machine->states[state].parent)
        coverage->entered[state] = true;
}

/* Where entering the state by default ends; with regions, at their parent. */
static uint32_t descend(const struct machine *machine, uint32_t state)
{
    while (machine->states[state].type == STATE_COMPOUND &&
           machine->states[state].initial != NO_INDEX) {
        uint32_t next = machine->transitions[machine->states[state].initial].target;
        if (next == NO_STATE || !machine_is_within(machine, next, state))
            break;
        state = next;
    }
    return state;
}

/* Where a transition ends that was taken in a leaf. A history state is never active, but its
 * parent is. */
static uint32_t arrive(const struct machine *machine, uint32_t transition, uint32_t leaf)
{
    uint32_t target = machine->transitions[transition].target;
    if (target == NO_STATE)
        return leaf;
    if (machine->states[target].type == STATE_HISTORY)
        return machine->states[target].parent;
    return descend(machine, target);
}

/* May the transition follow another within one macrostep, from this state? */
static bool may_follow(const struct case_coverage *coverage, uint32_t transition,
                       uint32_t state)
{
    const struct machine *machine = coverage->machine;
    const struct machine_transition *next = &machine->transitions[transition];
    if (next->event == NO_INDEX || next->target == NO_STATE ||
        (next->source != state && !machine_is_within(machine, state, next->source)))
        return false;
    return next->event == EVENT_ID_NONE || coverage->raises ||
           span_starts_with(machine->event_types[next->event], SPAN("done.state."));
}

static bool leads(const struct case_coverage *coverage, uint32_t state, const uint64_t *after,
                  int depth)
{
    const struct machine *machine = coverage->machine;
    if (has_bit(after, state))
        return true;
    for (uint32_t i = 0; depth > 0 && i < machine->transition_count; i++) {
        if (may_follow(coverage, i, state) &&
            leads(coverage, arrive(machine, i, state), after, depth - 1))
            return true;
    }
    return false;
}

static void take(struct case_coverage *coverage, uint32_t transition, uint8_t how)
{
    if (coverage->taken[transition] < how)
        coverage->taken[transition] = how;
    if (how == TAKEN && coverage->machine->transitions[transition].guard != NO_INDEX)
        coverage->guards[transition] |= GUARD_HELD;
}

/* The macrostep went through this state: what led on from there? */
static void follow(struct case_coverage *coverage, uint32_t state, const uint64_t *after)
{
    const struct machine *machine = coverage->machine;
    for (int depth = MICROSTEPS_FOLLOWED; depth-- > 0;) {
        uint32_t found = NO_INDEX;
        bool is_only = true;
        enter(coverage, state);
        if (has_bit(after, state))
            return;
        for (uint32_t i = 0; i < machine->transition_count; i++) {
            if (!may_follow(coverage, i, state) ||
                !leads(coverage, arrive(machine, i, state), after, depth))
                continue;
            is_only = is_only && found == NO_INDEX;
            take(coverage, i, TAKEN_MAYBE);
            found = i;
        }
        if (found == NO_INDEX || !is_only)
            return;
        take(coverage, found, TAKEN);
        state = arrive(machine, found, state);
    }
}

/* The transitions that a leaf has for an event, in the order in which they are tried. */
struct row {
    const struct machine_candidate *items;
    uint32_t count;
};

static struct row find_row(const struct machine *machine, uint32_t leaf, uint32_t event)
{
    uint32_t row = machine->states[leaf].leaf;
    if (row == NO_INDEX)
        return (struct row){NULL, 0};
    const uint32_t *start = &machine->candidate_starts[row * machine->event_count + event];
    if (start[0] == start[1])
        return (struct row){NULL, 0};
    return (struct row){machine->candidates + start[0], start[1] - start[0]};
}

/* With several regions a guarded transition that moved nothing may just as well not have been
 * taken: another region's was. */
static bool is_sure(const struct machine *machine, uint32_t transition, uint32_t end,
                    const uint64_t *before)
{
    return !machine->has_parallel || machine->transitions[transition].guard == NO_INDEX ||
           !has_bit(before, end);
}

static void fail_guards(struct case_coverage *coverage, struct row row, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (coverage->machine->transitions[row.items[i].transition].guard != NO_INDEX)
            coverage->guards[row.items[i].transition] |= GUARD_FAILED;
    }
}

static void note_leaf(struct case_coverage *coverage, uint32_t leaf, struct row row,
                      const uint64_t *before, const uint64_t *after)
{
    const struct machine *machine = coverage->machine;
    uint32_t found = row.count;
    uint32_t count = 0;
    for (uint32_t i = 0; i < row.count; i++) {
        if (!leads(coverage, arrive(machine, row.items[i].transition, leaf), after,
                   MICROSTEPS_FOLLOWED))
            continue;
        found = i;
        count++;
        take(coverage, row.items[i].transition, TAKEN_MAYBE);
    }
    if (count == 0 && row.count == 1 && !machine->has_parallel) {
        take(coverage, row.items[0].transition, TAKEN); /* on a way too long to be followed */
        return;
    }
    if (count != 1)
        return;
    uint32_t end = arrive(machine, row.items[found].transition, leaf);
    if (!is_sure(machine, row.items[found].transition, end, before))
        return;
    take(coverage, row.items[found].transition, TAKEN);
    fail_guards(coverage, row, found);
    follow(coverage, end, after);
}

static void note_event(struct case_coverage *coverage, const uint64_t *before,
                       const struct plan *plan)
{
    const struct machine *machine = coverage->machine;
    uint32_t event = machine_find_event(machine, plan->type);
    for (uint32_t leaf = 0; leaf < machine->state_count; leaf++) {
        if (!has_bit(before, leaf))
            continue;
        struct row row = find_row(machine, leaf, event);
        if (plan->outcome == OUTCOME_APPLIED)
            note_leaf(coverage, leaf, row, before, plan->after.active);
        else
            fail_guards(coverage, row, row.count);
    }
}

void case_coverage_note(struct case_coverage *coverage, const uint64_t *before,
                        const struct plan *plan)
{
    if (plan->outcome == OUTCOME_FAILED || plan->late || plan->gave_up != GIVING_UP_NOT)
        return;
    for (uint32_t i = 0; i < coverage->machine->state_count; i++) {
        if (has_bit(plan->after.active, i))
            enter(coverage, i);
    }
    if (before == NULL)
        follow(coverage, descend(coverage->machine, 0), plan->after.active);
    else if (plan->after.status == INSTANCE_ACTIVE || plan->outcome == OUTCOME_APPLIED)
        note_event(coverage, before, plan);
}

/* Words */

static void add_list_word(struct text *text, uint32_t *count, const char *before)
{
    text_add(text, (*count)++ == 0 ? span_from_text(before) : SPAN(", "));
}

static void write_states(const struct case_coverage *coverage, struct text *text)
{
    const struct machine *machine = coverage->machine;
    uint32_t all = 0;
    uint32_t entered = 0;
    uint32_t listed = 0;
    for (uint32_t i = 1; i < machine->state_count; i++) {
        bool counts = machine->states[i].type != STATE_HISTORY;
        all += counts;
        entered += counts && coverage->entered[i];
    }
    text_format(text, "# states %u of %u", entered, all);
    for (uint32_t i = 1; i < machine->state_count; i++) {
        if (machine->states[i].type == STATE_HISTORY || coverage->entered[i])
            continue;
        add_list_word(text, &listed, ": never entered: ");
        text_add_visible(text, machine->states[i].path);
    }
    text_add_byte(text, '\n');
}

static void add_transition(const struct machine *machine, uint32_t index, struct text *text)
{
    const struct machine_transition *transition = &machine->transitions[index];
    struct span source = machine->states[transition->source].path;
    text_add_visible(text, source.size == 0 ? machine->id : source);
    if (transition->wildcard)
        text_add(text, SPAN(" on *"));
    else if (transition->event != EVENT_ID_NONE) {
        text_add(text, SPAN(" on "));
        text_add_visible(text, machine->event_types[transition->event]);
    }
    text_format(text, " (line %u)", transition->place.line);
}

/* What enters children by default goes without saying, and what only forbids an event leads
 * nowhere. */
static bool is_counted(const struct machine *machine, uint32_t index)
{
    const struct machine_transition *transition = &machine->transitions[index];
    return transition->event != NO_INDEX &&
           (transition->target != NO_STATE || transition->actions.count > 0);
}

static void write_transitions(const struct case_coverage *coverage, struct text *text)
{
    const struct machine *machine = coverage->machine;
    uint32_t all = 0;
    uint32_t taken = 0;
    uint32_t unsure = 0;
    uint32_t listed = 0;
    for (uint32_t i = 0; i < machine->transition_count; i++) {
        all += is_counted(machine, i);
        taken += is_counted(machine, i) && coverage->taken[i] == TAKEN;
        unsure += is_counted(machine, i) && coverage->taken[i] == TAKEN_MAYBE;
    }
    text_format(text, "# transitions %u of %u", taken, all);
    if (unsure > 0)
        text_format(text, ", and of %u more it cannot be told", unsure);
    for (uint32_t i = 0; i < machine->transition_count; i++) {
        if (!is_counted(machine, i) || coverage->taken[i] != 0)
            continue;
        add_list_word(text, &listed, ": never taken: ");
        add_transition(machine, i, text);
    }
    text_add_byte(text, '\n');
}

static void write_guards(const struct case_coverage *coverage, struct text *text)
{
    static const char *const ways[] = {"not seen either way", "not seen to fail",
                                       "not seen to hold"};
    const struct machine *machine = coverage->machine;
    uint32_t all = 0;
    uint32_t both = 0;
    uint32_t listed = 0;
    for (uint32_t i = 0; i < machine->transition_count; i++) {
        bool counts = is_counted(machine, i) && machine->transitions[i].guard != NO_INDEX;
        all += counts;
        both += counts && coverage->guards[i] == (GUARD_HELD | GUARD_FAILED);
    }
    if (all == 0)
        return;
    text_format(text, "# guards that held and failed %u of %u", both, all);
    for (uint32_t i = 0; i < machine->transition_count; i++) {
        if (!is_counted(machine, i) || machine->transitions[i].guard == NO_INDEX ||
            coverage->guards[i] == (GUARD_HELD | GUARD_FAILED))
            continue;
        add_list_word(text, &listed, ": ");
        add_transition(machine, i, text);
        text_format(text, " %s", ways[coverage->guards[i]]);
    }
    text_add_byte(text, '\n');
}

void case_coverage_write(const struct case_coverage *coverage, struct text *text)
{
    text_add(text, SPAN("# machine "));
    text_add_visible(text, coverage->machine->id);
    text_add_byte(text, '\n');
    write_states(coverage, text);
    write_transitions(coverage, text);
    write_guards(coverage, text);
}
