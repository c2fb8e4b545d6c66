/*
 * configuration.c - reading the state of an instance.
 */
#include "chart/configuration.h"

#include <string.h>

#include "base/ensure.h"

/* The active states are one path from the root to a leaf; only a start that failed may stand
 * above one. */
static bool is_path(const struct configuration *configuration)
{
    const struct machine *machine = configuration->machine;
    uint32_t active_count = 0;
    for (uint32_t i = 0; i < machine->word_count; i++)
        active_count += (uint32_t)__builtin_popcountll(configuration->active[i]);
    if (active_count == 0)
        return false;
    uint32_t leaf = configuration_leaf(configuration);
    if (leaf >= machine->state_count)
        return false;
    if (machine->states[leaf].type == STATE_COMPOUND &&
        (leaf != 0 || configuration->status != INSTANCE_ERROR))
        return false;
    for (uint32_t state = leaf; state != NO_STATE; state = machine->states[state].parent) {
        if (!configuration_has(configuration, state))
            return false;
        active_count--;
    }
    return active_count == 0;
}

/* Armed or invoked by an active state, under a number that comes after the one before it. */
static bool is_in_order(const struct configuration *configuration, uint32_t state,
                        uint64_t number, uint64_t *last)
{
    bool fits = number > *last && number < configuration->next_number &&
                configuration_has(configuration, state);
    *last = number;
    return fits;
}

bool configuration_is_valid(const struct configuration *configuration)
{
    const struct machine *machine = configuration->machine;
    uint64_t last = 0;
    bool waits = configuration->timer_count > 0 || configuration->invocation_count > 0;
    if (configuration->status >= INSTANCE_STATUS_COUNT || !is_path(configuration) ||
        configuration->context.kind != VALUE_MAP)
        return false;
    if (waits && configuration->status != INSTANCE_ACTIVE)
        return false;
    for (uint32_t i = 0; i < configuration->timer_count; i++) {
        const struct armed_timer *timer = &configuration->timers[i];
        if (timer->timer >= machine->timer_count ||
            !is_in_order(configuration, machine->timers[timer->timer].state, timer->number,
                         &last))
            return false;
    }
    last = 0;
    for (uint32_t i = 0; i < configuration->invocation_count; i++) {
        const struct invocation *invocation = &configuration->invocations[i];
        if (invocation->invoke >= machine->invoke_count ||
            !is_in_order(configuration, machine->invokes[invocation->invoke].state,
                         invocation->number, &last))
            return false;
    }
    return true;
}

bool configuration_is_in(const struct configuration *configuration, struct span name,
                         bool *known)
{
    uint32_t state = machine_find_state(configuration->machine, name);
    *known = state != NO_STATE;
    return *known && configuration_has(configuration, state);
}

struct value configuration_value(const struct configuration *configuration, struct arena *arena)
{
    const struct machine_state *states = configuration->machine->states;
    uint32_t state = configuration_leaf(configuration);
    if (state == 0)
        return value_map(NULL, 0);
    struct value value = value_string(states[state].key);
    for (state = states[state].parent; state != 0; state = states[state].parent) {
        struct value_entry *entry = arena_new(arena, struct value_entry);
        *entry = (struct value_entry){value_string(states[state].key), value};
        value = value_map(entry, 1);
    }
    return value;
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
    uint32_t leaf = configuration_leaf(configuration);
    uint32_t total = 0;
    for (uint32_t s = leaf; s != NO_STATE; s = machine->states[s].parent)
        total += machine->states[s].tags.count;
    if (total == 0)
        return value_list(NULL, 0);
    struct value *items = arena_new_array(arena, total, struct value);
    uint32_t count = 0;
    for (uint32_t s = leaf; s != NO_STATE; s = machine->states[s].parent) {
        for (uint32_t i = 0; i < machine->states[s].tags.count; i++)
            count = add_tag(items, count, machine->tags[machine->states[s].tags.first + i]);
    }
    return value_list(items, count);
}

struct span configuration_path(const struct configuration *configuration)
{
    uint32_t leaf = configuration_leaf(configuration);
    return leaf == 0 ? configuration->machine->id : configuration->machine->states[leaf].path;
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

bool configuration_looks_equal(const struct configuration *a, const struct configuration *b)
{
    return a->status == b->status && same_states(a, b) && same(a->context, b->context) &&
           same(a->output, b->output);
}

const char *instance_status_name(enum instance_status status)
{
#define STATUS_NAME(name, text) [INSTANCE_##name] = text,
    static const char *const names[] = {INSTANCE_STATUS_LIST(STATUS_NAME)};
#undef STATUS_NAME
    ensure(status < INSTANCE_STATUS_COUNT);
    return names[status];
}
