/*
 * configuration.c - reading the state of an instance.
 */
#include "chart/configuration.h"

#include <string.h>

#include "base/ensure.h"

static bool has_bit(const uint64_t *words, uint32_t state)
{
    return words[state / 64] >> state % 64 & 1;
}

/* How many children of an active state are active. */
static uint32_t active_children(const struct machine_state *states, const uint64_t *active,
                                uint32_t state)
{
    uint32_t count = 0;
    for (uint32_t child = state + 1; child < states[state].end; child = states[child].end)
        count += has_bit(active, child);
    return count;
}

static uint32_t child_count(const struct machine_state *states, uint32_t state)
{
    uint32_t count = 0;
    for (uint32_t child = state + 1; child < states[state].end; child = states[child].end)
        count += states[child].type != STATE_HISTORY;
    return count;
}

static bool is_complete(const struct machine_state *states, const uint64_t *active,
                        uint32_t state)
{
    uint32_t count = active_children(states, active, state);
    switch (states[state].type) {
    case STATE_ATOMIC:
    case STATE_FINAL:
        return true;
    case STATE_COMPOUND:
        return count == 1;
    case STATE_PARALLEL:
        return count == child_count(states, state);
    case STATE_HISTORY:
        return false;
    }
    never();
}

/* Every active state has its parent and the children that it must have; only a start that
 * failed stands at the root alone. */
static bool has_whole_states(const struct configuration *configuration)
{
    const struct machine *machine = configuration->machine;
    bool is_failed = configuration->status == INSTANCE_ERROR;
    if (!configuration_has(configuration, 0) ||
        configuration_leaf(configuration) >= machine->state_count)
        return false;
    for (uint32_t state = 0; state < machine->state_count; state++) {
        if (!configuration_has(configuration, state))
            continue;
        if (state > 0 && !configuration_has(configuration, machine->states[state].parent))
            return false;
        bool is_bare_root = state == 0 && is_failed &&
                            active_children(machine->states, configuration->active, 0) == 0;
        if (!is_bare_root && !is_complete(machine->states, configuration->active, state))
            return false;
    }
    return true;
}

/* What is remembered lies inside the state whose row it is in, and was active there at once; a
 * state that was never left remembers nothing. */
static bool is_whole_row(const struct machine *machine, uint32_t state, const uint64_t *row)
{
    uint64_t any = 0;
    for (uint32_t s = 0; s < machine->word_count * 64; s++) {
        if (!has_bit(row, s))
            continue;
        if (s >= machine->state_count || !machine_is_within(machine, s, state) ||
            !is_complete(machine->states, row, s))
            return false;
        uint32_t parent = machine->states[s].parent;
        if (parent != state && !has_bit(row, parent))
            return false;
    }
    for (uint32_t word = 0; word < machine->word_count; word++)
        any |= row[word];
    return any == 0 || is_complete(machine->states, row, state);
}

static bool has_whole_memory(const struct configuration *configuration)
{
    const struct machine *machine = configuration->machine;
    for (uint32_t state = 0; state < machine->state_count; state++) {
        uint32_t row = machine->states[state].memory;
        if (row != NO_INDEX &&
            !is_whole_row(machine, state,
                          &configuration->memory[(size_t)row * machine->word_count]))
            return false;
    }
    return true;
}

/* Under a number that comes after the one before it, of an active state or of none. */
static bool is_in_order(const struct configuration *configuration, uint32_t state,
                        uint64_t number, uint64_t *last)
{
    bool fits = number > *last && number < configuration->next_number &&
                (state == NO_STATE || configuration_has(configuration, state));
    *last = number;
    return fits;
}

static bool has_whole_timers(const struct configuration *configuration)
{
    const struct machine *machine = configuration->machine;
    uint64_t last = 0;
    for (uint32_t i = 0; i < configuration->timer_count; i++) {
        const struct armed_timer *timer = &configuration->timers[i];
        bool is_sent = timer->timer == NO_INDEX;
        if (!is_sent && timer->timer >= machine->timer_count)
            return false;
        if (is_sent && (timer->type.size == 0 || timer->payload.kind != VALUE_MAP))
            return false;
        uint32_t state = is_sent ? NO_STATE : machine->timers[timer->timer].state;
        if (!is_in_order(configuration, state, timer->number, &last))
            return false;
    }
    return true;
}

static bool has_whole_invocations(const struct configuration *configuration)
{
    const struct machine *machine = configuration->machine;
    uint64_t last = 0;
    for (uint32_t i = 0; i < configuration->invocation_count; i++) {
        const struct invocation *invocation = &configuration->invocations[i];
        bool is_spawned = invocation->invoke == NO_INDEX;
        if (!is_spawned && invocation->invoke >= machine->invoke_count)
            return false;
        if (is_spawned && (invocation->id.size == 0 || invocation->src.size == 0))
            return false;
        uint32_t state = is_spawned ? NO_STATE : machine->invokes[invocation->invoke].state;
        if (!is_in_order(configuration, state, invocation->number, &last))
            return false;
    }
    return true;
}

bool configuration_is_valid(const struct configuration *configuration)
{
    bool waits = configuration->timer_count > 0 || configuration->invocation_count > 0;
    if (configuration->status >= INSTANCE_STATUS_COUNT ||
        configuration->context.kind != VALUE_MAP || !has_whole_states(configuration) ||
        !has_whole_memory(configuration))
        return false;
    if (waits && configuration->status != INSTANCE_ACTIVE)
        return false;
    return has_whole_timers(configuration) && has_whole_invocations(configuration);
}

bool configuration_is_in(const struct configuration *configuration, struct span name,
                         bool *known)
{
    uint32_t state = machine_find_state(configuration->machine, name);
    *known = state != NO_STATE;
    return *known && configuration_has(configuration, state);
}

static struct value value_inside(const struct configuration *configuration, uint32_t state,
                                 struct arena *arena);

/* {"A":…,"B":…} of the active children. */
static struct value value_of_children(const struct configuration *configuration, uint32_t state,
                                      struct arena *arena)
{
    const struct machine_state *states = configuration->machine->states;
    uint32_t count = active_children(states, configuration->active, state);
    struct value_entry *entries = arena_new_array(arena, count, struct value_entry);
    count = 0;
    for (uint32_t child = state + 1; child < states[state].end; child = states[child].end) {
        if (configuration_has(configuration, child))
            entries[count++] = (struct value_entry){value_string(states[child].key),
                                                    value_inside(configuration, child, arena)};
    }
    return value_map(entries, count);
}

/* A compound state whose active child is a leaf is written as that child's key. */
static struct value value_inside(const struct configuration *configuration, uint32_t state,
                                 struct arena *arena)
{
    const struct machine_state *states = configuration->machine->states;
    if (states[state].type == STATE_COMPOUND) {
        for (uint32_t child = state + 1; child < states[state].end; child = states[child].end) {
            if (configuration_has(configuration, child) && states[child].leaf != NO_INDEX)
                return value_string(states[child].key);
        }
    }
    return value_of_children(configuration, state, arena);
}

struct value configuration_value(const struct configuration *configuration, struct arena *arena)
{
    return value_inside(configuration, 0, arena);
}

/* Inserts the tag where it belongs, unless it is there. */
static uint32_t add_tag(struct value *items, uint32_t count, struct span tag)
{
    uint32_t at = count;
    while (at > 0 && span_compare(value_span(items[at - 1]), tag) >= 0)
        at--;
    if (at < count && span_equal(value_span(items[at]), tag))
        return count;
    memmove(&items[at + 1], &items[at], (count - at) * sizeof *items);
    items[at] = value_string(tag);
    return count + 1;
}

struct value configuration_tags(const struct configuration *configuration, struct arena *arena)
{
    const struct machine *machine = configuration->machine;
    uint32_t total = 0;
    for (uint32_t s = 0; s < machine->state_count; s++)
        total += configuration_has(configuration, s) ? machine->states[s].tags.count : 0;
    if (total == 0)
        return value_list(NULL, 0);
    struct value *items = arena_new_array(arena, total, struct value);
    uint32_t count = 0;
    for (uint32_t s = 0; s < machine->state_count; s++) {
        for (uint32_t i = 0;
             configuration_has(configuration, s) && i < machine->states[s].tags.count; i++)
            count = add_tag(items, count, machine->tags[machine->states[s].tags.first + i]);
    }
    return value_list(items, count);
}

void configuration_write_path(const struct configuration *configuration, struct text *text)
{
    const struct machine *machine = configuration->machine;
    size_t before = text->size;
    for (uint32_t s = 0; s < machine->state_count; s++) {
        if (configuration_has(configuration, s) && machine->states[s].leaf != NO_INDEX && s > 0)
            text_format(text, "%s%.*s", text->size == before ? "" : ", ",
                        SPAN_ARGS(machine->states[s].path));
    }
    if (text->size == before)
        text_add(text, machine->id);
}

struct span configuration_path(const struct configuration *configuration, struct arena *arena)
{
    const struct machine *machine = configuration->machine;
    uint32_t last = configuration_leaf(configuration);
    struct text text;
    if (!machine->has_parallel)
        return last == 0 ? machine->id : machine->states[last].path;
    text_init(&text, arena);
    configuration_write_path(configuration, &text);
    return text_span(&text);
}

struct span configuration_invoke_id(const struct configuration *configuration,
                                    const struct invocation *invocation)
{
    return invocation->id.size > 0 ? invocation->id
                                   : configuration->machine->invokes[invocation->invoke].id;
}

struct span configuration_invoke_src(const struct configuration *configuration,
                                     const struct invocation *invocation)
{
    return invocation->src.size > 0 ? invocation->src
                                    : configuration->machine->invokes[invocation->invoke].src;
}

const struct invocation *configuration_invoked(const struct configuration *configuration,
                                               struct span id)
{
    for (uint32_t i = 0; i < configuration->invocation_count; i++) {
        const struct invocation *invocation = &configuration->invocations[i];
        if (span_equal(configuration_invoke_id(configuration, invocation), id))
            return invocation;
    }
    return NULL;
}

struct span configuration_timer_name(const struct configuration *configuration,
                                     const struct armed_timer *timer)
{
    return timer->timer == NO_INDEX ? timer->type
                                    : configuration->machine->timers[timer->timer].name;
}

const struct armed_timer *configuration_next_timer(const struct configuration *configuration)
{
    const struct armed_timer *next = NULL;
    for (uint32_t i = 0; i < configuration->timer_count; i++) {
        if (next == NULL || configuration->timers[i].due < next->due)
            next = &configuration->timers[i];
    }
    return next;
}

const struct armed_timer *configuration_find_timer(const struct configuration *configuration,
                                                   uint64_t number)
{
    for (uint32_t i = 0; i < configuration->timer_count; i++) {
        if (configuration->timers[i].number == number)
            return &configuration->timers[i];
    }
    return NULL;
}

const struct invocation *
configuration_find_invocation(const struct configuration *configuration, uint64_t number)
{
    for (uint32_t i = 0; i < configuration->invocation_count; i++) {
        if (configuration->invocations[i].number == number)
            return &configuration->invocations[i];
    }
    return NULL;
}

/* What was not assigned to is the same value still, however large. */
static bool same(struct value a, struct value b)
{
    if (a.kind != b.kind)
        return false;
    bool is_shared = a.kind == VALUE_MAP && a.count == b.count && a.entries == b.entries;
    return is_shared || a.kind == VALUE_ERROR || value_equal(a, b);
}

static bool same_states(const struct configuration *a, const struct configuration *b)
{
    uint64_t different = 0;
    for (uint32_t i = 0; i < a->machine->word_count; i++)
        different |= a->active[i] ^ b->active[i];
    return different == 0;
}

/* What is remembered shows when it is returned to: XState counts it too. */
static bool same_memory(const struct configuration *a, const struct configuration *b)
{
    size_t words = (size_t)a->machine->memory_count * a->machine->word_count;
    uint64_t different = 0;
    for (size_t i = 0; i < words; i++)
        different |= a->memory[i] ^ b->memory[i];
    return different == 0;
}

bool configuration_looks_equal(const struct configuration *a, const struct configuration *b)
{
    return a->status == b->status && same_states(a, b) && same_memory(a, b) &&
           same(a->context, b->context) && same(a->output, b->output);
}

const char *instance_status_name(enum instance_status status)
{
#define STATUS_NAME(name, text) [INSTANCE_##name] = text,
    static const char *const names[] = {INSTANCE_STATUS_LIST(STATUS_NAME)};
#undef STATUS_NAME
    ensure(status < INSTANCE_STATUS_COUNT);
    return names[status];
}
