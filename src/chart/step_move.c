/*
 * step_move.c - one microstep: leave, act, enter.
 *
 * First everything is left, inner states before outer ones; then the transitions act; then
 * everything is entered, outer states first. Domains of transitions taken together do not
 * overlap, so going through them one after the other is going through the document.
 */
#include <string.h>

#include "base/ensure.h"
#include "chart/domain.h"
#include "chart/stepper.h"

static void set_bit(uint64_t *words, uint32_t state)
{
    words[state / 64] |= (uint64_t)1 << state % 64;
}

static bool is_left(const struct stepper *stepper, uint32_t state, uint32_t domain)
{
    return state != NO_STATE && machine_is_within(stepper->machine, state, domain);
}

/* A state with a history state inside remembers what is active in it. */
static void remember(struct stepper *stepper, uint32_t state)
{
    const struct machine *machine = stepper->machine;
    uint32_t row = machine->states[state].memory;
    if (row == NO_INDEX)
        return;
    uint64_t *words = &stepper->memory[(size_t)row * machine->word_count];
    memset(words, 0, machine->word_count * sizeof *words);
    for (uint32_t s = state + 1; s < machine->states[state].end; s++) {
        if (configuration_has(stepper->next, s))
            set_bit(words, s);
    }
}

/* The last active state before `end`; NO_STATE. */
static uint32_t active_before(const struct stepper *stepper, uint32_t end)
{
    while (end > 0) {
        uint32_t word = (end - 1) / 64;
        uint64_t bits = stepper->active[word];
        if (end % 64 != 0)
            bits &= ((uint64_t)1 << end % 64) - 1;
        if (bits != 0)
            return word * 64 + 63 - (uint32_t)__builtin_clzll(bits);
        end = word * 64;
    }
    return NO_STATE;
}

static void drop_timers_within(struct stepper *stepper, uint32_t domain)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < stepper->next->timer_count; i++) {
        uint32_t timer = stepper->timers[i].timer;
        if (timer == NO_INDEX ||
            !is_left(stepper, stepper->machine->timers[timer].state, domain))
            stepper->timers[kept++] = stepper->timers[i];
    }
    stepper->next->timer_count = kept;
}

static void drop_invocations_within(struct stepper *stepper, uint32_t domain)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < stepper->next->invocation_count; i++) {
        uint32_t invoke = stepper->invocations[i].invoke;
        if (invoke == NO_INDEX ||
            !is_left(stepper, stepper->machine->invokes[invoke].state, domain))
            stepper->invocations[kept++] = stepper->invocations[i];
    }
    stepper->next->invocation_count = kept;
}

static uint32_t domain_end(const struct stepper *stepper, uint32_t domain)
{
    return domain == NO_STATE ? stepper->machine->state_count
                              : stepper->machine->states[domain].end;
}

/* Whether a state that comes first in document order still belongs to the domain's inside. */
static bool is_below(uint32_t state, uint32_t domain)
{
    return state != NO_STATE && (domain == NO_STATE || state > domain);
}

static void remember_within(struct stepper *stepper, uint32_t domain)
{
    uint32_t state = active_before(stepper, domain_end(stepper, domain));
    for (; is_below(state, domain); state = active_before(stepper, state))
        remember(stepper, state);
}

static bool leave(struct stepper *stepper, uint32_t domain)
{
    uint32_t state = active_before(stepper, domain_end(stepper, domain));
    for (; is_below(state, domain); state = active_before(stepper, state)) {
        if (!stepper_act(stepper, stepper->machine->states[state].exit))
            return false;
        stepper->active[state / 64] &= ~((uint64_t)1 << state % 64);
    }
    if (stepper->next->timer_count > 0)
        drop_timers_within(stepper, domain);
    if (stepper->next->invocation_count > 0)
        drop_invocations_within(stepper, domain);
    return true;
}

static bool arm_timers(struct stepper *stepper, struct range range)
{
    for (uint32_t i = range.first; i < range.first + range.count; i++) {
        const struct machine_timer *timer = &stepper->machine->timers[i];
        duration_ms delay = timer->delay_ms;
        if (timer->delay != NULL && !stepper_delay(stepper, timer->delay, timer->place, &delay))
            return false;
        if (!stepper_arm(stepper, (struct armed_timer){.timer = i}, delay, timer->place))
            return false;
    }
    return true;
}

/* The input is evaluated at the end of the macrostep: until then it is marked as unbound. */
static void add_invocations(struct stepper *stepper, struct range range)
{
    for (uint32_t i = range.first; i < range.first + range.count; i++)
        stepper_add_invocation(
            stepper, (struct invocation){.invoke = i, .input = value_error((struct span){0})});
}

/* SCXML: what cannot be said is left out, and raised as an error. */
static bool output_of(struct stepper *stepper, uint32_t state, struct span name,
                      struct value *output)
{
    const struct machine_state *final = &stepper->machine->states[state];
    *output = value_null();
    if (final->output == NULL)
        return true;
    if (stepper_value(stepper, final->output, "output of", name, final->place, output))
        return true;
    if (stepper->machine->semantics != SEMANTICS_SCXML)
        return false;
    stepper_raise_error(stepper, stepper->machine->execution_error_event, SPAN("execution"),
                        stepper->problem);
    stepper->problem = (struct span){0};
    *output = value_null();
    return true;
}

static bool is_finished(const struct stepper *stepper, uint32_t state)
{
    const struct machine_state *states = stepper->machine->states;
    bool all = states[state].type == STATE_PARALLEL;
    if (states[state].type == STATE_FINAL)
        return configuration_has(stepper->next, state);
    for (uint32_t child = state + 1; child < states[state].end; child = states[child].end) {
        if (states[state].type == STATE_COMPOUND && states[child].type == STATE_FINAL &&
            configuration_has(stepper->next, child))
            return true;
        if (states[child].type != STATE_HISTORY && !is_finished(stepper, child))
            all = false;
    }
    return all;
}

static void raise_done(struct stepper *stepper, uint32_t state, const struct value *output)
{
    uint32_t event = stepper->machine->states[state].done_event;
    stepper_raise(stepper, (struct raised){
                               .event = event,
                               .type = stepper->machine->event_types[event],
                               .payload = output == NULL ? value_map(NULL, 0)
                                                         : stepper_map(stepper->arena,
                                                                       SPAN("output"), *output),
                               .by = RAISED_PLATFORM});
}

static bool complete_machine(struct stepper *stepper, uint32_t state)
{
    const struct machine_state *states = stepper->machine->states;
    struct span name = state == 0 ? stepper->machine->id : states[state].path;
    struct value output = value_null();
    if (stepper->is_complete)
        return true;
    if (state != 0 && !output_of(stepper, state, name, &output))
        return false;
    if (states[0].output != NULL) {
        stepper_set_event(stepper, &(struct raised){.event = EVENT_ID_OTHER,
                                                    .type = SPAN("done.state"),
                                                    .payload = stepper_map(
                                                        stepper->arena, SPAN("output"), output),
                                                    .by = RAISED_PLATFORM});
        if (!output_of(stepper, 0, stepper->machine->id, &output))
            return false;
    }
    stepper->is_complete = true;
    stepper->output = output;
    return true;
}

/* Enclosing parallel states whose regions have all come to their end. */
static bool complete_regions(struct stepper *stepper, uint32_t state, uint32_t last)
{
    const struct machine_state *states = stepper->machine->states;
    bool cascades = stepper->machine->semantics == SEMANTICS_XSTATE;
    while (state != NO_STATE && states[state].type == STATE_PARALLEL &&
           is_finished(stepper, state)) {
        if (state == 0)
            return complete_machine(stepper, cascades ? 0 : last);
        raise_done(stepper, state, NULL);
        if (!cascades)
            return true;
        state = states[state].parent;
    }
    return true;
}

static bool enter_final(struct stepper *stepper, uint32_t state)
{
    const struct machine_state *states = stepper->machine->states;
    uint32_t parent = states[state].parent;
    if (parent == NO_STATE || (parent == 0 && states[0].type == STATE_COMPOUND))
        return complete_machine(stepper, state);
    if (states[parent].type == STATE_COMPOUND) {
        struct value output;
        if (!output_of(stepper, state, states[state].path, &output))
            return false;
        bool is_silent = stepper->machine->semantics == SEMANTICS_SCXML &&
                         output.kind == VALUE_NULL; /* no data at all, as the W3C has it */
        raise_done(stepper, parent, is_silent ? NULL : &output);
        parent = states[parent].parent;
    }
    return complete_regions(stepper, parent, state);
}

static bool act_initial(struct stepper *stepper, uint32_t state)
{
    const struct machine *machine = stepper->machine;
    return stepper_act(stepper, machine->transitions[machine->states[state].initial].actions);
}

static bool enter_one(struct stepper *stepper, uint32_t index)
{
    const struct machine_state *state = &stepper->machine->states[index];
    set_bit(stepper->active, index);
    if (state->timers.count > 0 && !arm_timers(stepper, state->timers))
        return false;
    if (state->invokes.count > 0)
        add_invocations(stepper, state->invokes);
    return stepper_act(stepper, state->entry);
}

static bool enter_listed(struct stepper *stepper, struct range entry)
{
    const struct machine *machine = stepper->machine;
    for (uint32_t i = entry.first; i < entry.first + entry.count; i++) {
        uint32_t state = machine->entries[i] & ~ENTRY_DEFAULT;
        if (!enter_one(stepper, state))
            return false;
        if ((machine->entries[i] & ENTRY_DEFAULT) != 0 && !act_initial(stepper, state))
            return false;
        if (machine->states[state].type == STATE_FINAL && !enter_final(stepper, state))
            return false;
    }
    return true;
}

/* What history states inside do by default, they do when their parent is entered. */
static bool act_defaults(struct stepper *stepper, uint32_t state, const uint64_t *defaults)
{
    const struct machine_state *states = stepper->machine->states;
    if (states[state].type == STATE_COMPOUND && entry_set_has(defaults, state) &&
        !act_initial(stepper, state))
        return false;
    for (uint32_t child = state + 1; child < states[state].end; child = states[child].end) {
        if (states[child].type == STATE_HISTORY && entry_set_has(defaults, child) &&
            !act_initial(stepper, child))
            return false;
    }
    return true;
}

static bool is_or_becomes_active(const struct stepper *stepper, const struct entry_set *set,
                                 uint32_t state)
{
    return entry_set_has(set->states, state) || configuration_has(stepper->next, state);
}

/* Nothing would be active twice, or without its parent. */
static bool is_whole(const struct stepper *stepper, const struct entry_set *set)
{
    const struct machine_state *states = stepper->machine->states;
    for (uint32_t state = 0; state < stepper->machine->state_count; state++) {
        uint32_t count = 0;
        if (entry_set_has(set->states, state) && state > 0 &&
            !is_or_becomes_active(stepper, set, states[state].parent))
            return false;
        for (uint32_t child = state + 1;
             states[state].type == STATE_COMPOUND && child < states[state].end;
             child = states[child].end)
            count += is_or_becomes_active(stepper, set, child);
        if (count > 1)
            return false;
    }
    return true;
}

/* Adds what a transition enters. One that by way of a history state leads a leaf back to itself
 * conflicts with nobody by the rules, and may still be in the way of another that leaves that
 * leaf: then it enters nothing. */
static void add_entries(struct stepper *stepper, const struct choice *choice,
                        struct entry_set *set)
{
    size_t bytes = stepper->machine->word_count * sizeof *set->states;
    uint64_t *states = arena_get(stepper->arena, bytes);
    uint64_t *defaults = arena_get(stepper->arena, bytes);
    memcpy(states, set->states, bytes);
    memcpy(defaults, set->defaults, bytes);
    entry_set_add(set, choice->transition, choice->domain);
    if (is_whole(stepper, set))
        return;
    set->states = states;
    set->defaults = defaults;
}

static bool has_dynamic(const struct stepper *stepper)
{
    for (uint32_t i = 0; i < stepper->choice_count; i++) {
        if (stepper->choices[i].transition->is_dynamic)
            return true;
    }
    return false;
}

static void add_all_entries(struct stepper *stepper, bool of_leaves, struct entry_set *set)
{
    for (uint32_t i = 0; i < stepper->choice_count; i++) {
        const struct choice *choice = &stepper->choices[i];
        bool is_leaf = choice->domain != NO_STATE &&
                       stepper->machine->states[choice->domain].leaf != NO_INDEX;
        if (choice->transition->target != NO_STATE && is_leaf == of_leaves)
            add_entries(stepper, choice, set);
    }
}

static void add_in_order(struct stepper *stepper, struct entry_set *set)
{
    for (uint32_t i = 0; i < stepper->choice_count; i++) {
        if (stepper->choices[i].transition->target != NO_STATE)
            entry_set_add(set, stepper->choices[i].transition, stepper->choices[i].domain);
    }
}

/* Where a history state has a say, all that is entered is found first. */
static bool enter_computed(struct stepper *stepper)
{
    const struct machine *machine = stepper->machine;
    struct entry_set set;
    entry_set_init(&set, machine, stepper->memory, stepper->arena);
    add_in_order(stepper, &set);
    if (!is_whole(stepper, &set)) {
        entry_set_init(&set, machine, stepper->memory, stepper->arena);
        add_all_entries(stepper, false, &set);
        add_all_entries(stepper, true, &set);
    }
    for (uint32_t state = 0; state < machine->state_count; state++) {
        if (!entry_set_has(set.states, state))
            continue;
        if (!enter_one(stepper, state) || !act_defaults(stepper, state, set.defaults))
            return false;
        if (machine->states[state].type == STATE_FINAL && !enter_final(stepper, state))
            return false;
    }
    return true;
}

static bool enter(struct stepper *stepper)
{
    if (has_dynamic(stepper))
        return enter_computed(stepper);
    for (uint32_t i = 0; i < stepper->choice_count; i++) {
        if (!enter_listed(stepper, stepper->choices[i].transition->entry))
            return false;
    }
    return true;
}

bool stepper_move(struct stepper *stepper)
{
    const struct choice *choices = stepper->choices;
    uint32_t count = stepper->choice_count;
    if (stepper->machine->memory_count > 0) {
        for (uint32_t i = 0; i < count; i++) {
            if (choices[i].transition->target != NO_STATE)
                remember_within(stepper, choices[i].domain);
        }
    }
    for (uint32_t i = count; i-- > 0;) {
        if (choices[i].transition->target != NO_STATE && !leave(stepper, choices[i].domain))
            return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!stepper_act(stepper, choices[i].transition->actions))
            return false;
    }
    return enter(stepper);
}

/* What becomes active: the leaves, and what is around them and is not. */
static uint64_t *find_entered(const struct stepper *stepper, const uint32_t *leaves,
                              uint32_t count)
{
    const struct machine *machine = stepper->machine;
    uint64_t *entered = arena_get_zeroed(stepper->arena, machine->word_count * sizeof *entered);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t state = leaves[i];
             state != NO_STATE && !configuration_has(stepper->next, state);
             state = machine->states[state].parent)
            set_bit(entered, state);
    }
    return entered;
}

bool stepper_move_to(struct stepper *stepper, const uint32_t *domains, const uint32_t *leaves,
                     uint32_t count)
{
    const struct machine *machine = stepper->machine;
    for (uint32_t i = count; i-- > 0;) {
        if (!leave(stepper, domains[i]))
            return false;
    }
    const uint64_t *entered = find_entered(stepper, leaves, count);
    for (uint32_t state = 0; state < machine->state_count; state++) {
        if (!entry_set_has(entered, state))
            continue;
        if (!enter_one(stepper, state))
            return false;
        if (machine->states[state].type == STATE_FINAL && !enter_final(stepper, state))
            return false;
    }
    return true;
}

bool stepper_complete(struct stepper *stepper)
{
    return complete_machine(stepper, 0) && stepper_finish(stepper);
}

/* The states stay as they were, for whoever looks. */
bool stepper_leave_all(struct stepper *stepper)
{
    uint32_t state = active_before(stepper, stepper->machine->state_count);
    for (; state != NO_STATE; state = active_before(stepper, state)) {
        if (!stepper_act(stepper, stepper->machine->states[state].exit))
            return false;
    }
    return true;
}

bool stepper_finish(struct stepper *stepper)
{
    if (!stepper_leave_all(stepper))
        return false;
    stepper->next->status = INSTANCE_DONE;
    stepper->next->output = stepper->output;
    stepper->next->timer_count = 0;
    stepper->next->invocation_count = 0;
    return true;
}
