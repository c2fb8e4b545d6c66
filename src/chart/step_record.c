/*
 * step_record.c - machines whose state follows from a record.
 *
 * The record is the context. Patches change it, and assigns do; then the states are derived
 * again, which is the last of the eventless transitions: the leaf that the record calls for is
 * entered as by any other transition, what it passed on the way is not entered, only told. An
 * entry may change the record again, so this goes on until nothing moves.
 *
 * A record that did not change is not derived: what is ignored moves nothing.
 *
 * Where nothing leads on from any region, and nothing is under way there, the machine has come
 * to its end. Patches still change its record.
 */
#include "base/ensure.h"
#include "base/json_merge.h"
#include "chart/derivation.h"
#include "chart/stepper.h"

/* Of a macrostep's derivation: what it reads, and where it leads. */
struct deriving {
    struct stepper *stepper;
    const struct derivation *derivation;
    struct value *slots;
    uint32_t *domains; /* what is left, by region that moves */
    uint32_t *leaves;  /* … and entered: states of the machine */
    uint32_t count;
};

static struct deriving deriving_of(struct stepper *stepper)
{
    const struct derivation *derivation = stepper->machine->derivation;
    struct arena *arena = stepper->arena;
    struct deriving deriving = {
        .stepper = stepper,
        .derivation = derivation,
        .slots = arena_new_array(arena, derivation_slot_count(derivation), struct value),
        .domains = arena_new_array(arena, derivation->region_count, uint32_t),
        .leaves = arena_new_array(arena, derivation->region_count, uint32_t),
    };
    derivation_bind(derivation, stepper->next->context, deriving.slots, arena);
    return deriving;
}

static bool is_known(const struct stepper *stepper, struct span what, struct span message)
{
    const struct step_error *error = stepper->plan->errors;
    while (error != NULL &&
           !(span_equal(error->what, what) && span_equal(error->message, message)))
        error = error->next;
    return error != NULL;
}

/* A validator that gives no answer does not hold; that is told, but raises no error: the record
 * may stay like this for long. */
static void tell_error(const struct deriving *deriving, uint32_t leaf, struct value verdict)
{
    const struct derivation *derivation = deriving->derivation;
    struct range refs = derivation->leaves[leaf].validators;
    const struct derivation_validator *validator =
        &derivation->validators[derivation->validator_refs[refs.first + refs.count - 1]];
    struct span what = text_print(deriving->stepper->arena, "validator of %.*s",
                                  SPAN_ARGS(derivation_path(derivation, leaf)));
    if (!is_known(deriving->stepper, what, value_span(verdict)))
        stepper_add_error(deriving->stepper, what, validator->text, validator->place,
                          value_span(verdict));
}

static void tell_errors(const struct deriving *deriving, const struct derived *derived)
{
    const struct derivation *derivation = deriving->derivation;
    struct range order = derivation->leaves[derived->start].order;
    uint32_t end = derived->holds ? derived->place + 1 : 0;
    if (derived->errors == 0)
        return;
    for (uint32_t place = order.count; place-- > end;) {
        uint32_t leaf = derivation->visits[order.first + place].leaf;
        struct value verdict =
            derivation_verdict(derivation, leaf, deriving->slots, deriving->stepper->arena);
        if (value_is_error(verdict))
            tell_error(deriving, leaf, verdict);
    }
}

static void tell_passed(struct stepper *stepper, uint32_t leaf)
{
    if (stepper->via_count == stepper->via_capacity)
        stepper->via = stepper_grow(stepper->arena, stepper->via, stepper->via_count,
                                    &stepper->via_capacity, sizeof *stepper->via);
    stepper->via[stepper->via_count++] = stepper->machine->derived_states[leaf];
}

static struct derived derive_from(const struct deriving *deriving, uint32_t start)
{
    struct stepper *stepper = deriving->stepper;
    struct derived derived =
        derivation_run(deriving->derivation, start, deriving->slots, stepper->arena);
    uint16_t *passed =
        arena_new_array(stepper->arena, deriving->derivation->leaf_count, uint16_t);
    uint32_t count = derivation_via(deriving->derivation, &derived, passed);
    tell_errors(deriving, &derived);
    for (uint32_t i = 0; i < count; i++)
        tell_passed(stepper, passed[i]);
    return derived;
}

static void add_move(struct deriving *deriving, uint32_t domain, uint32_t leaf)
{
    deriving->domains[deriving->count] = domain;
    deriving->leaves[deriving->count++] = deriving->stepper->machine->derived_states[leaf];
}

static bool move(struct deriving *deriving)
{
    struct stepper *stepper = deriving->stepper;
    if (!stepper_count_microstep(stepper))
        return false;
    stepper->derives = true;
    stepper->applied = true;
    if (!stepper_move_to(stepper, deriving->domains, deriving->leaves, deriving->count))
        return false;
    return !stepper->is_complete || stepper_finish(stepper);
}

/* The innermost state around both. */
static uint32_t common_ancestor(const struct machine *machine, uint32_t a, uint32_t b)
{
    uint32_t state = machine->states[a].parent;
    while (!machine_is_within(machine, b, state))
        state = machine->states[state].parent;
    return state;
}

/* The leaf of a region that is active. */
static uint32_t active_leaf(const struct stepper *stepper, uint32_t region)
{
    const struct derivation *derivation = stepper->machine->derivation;
    uint32_t leaf = derivation->regions[region].leaf_first;
    while (!configuration_has(stepper->next, stepper->machine->derived_states[leaf]))
        leaf++;
    ensure(derivation->leaves[leaf].region == region);
    return leaf;
}

bool stepper_derive(struct stepper *stepper, bool *again)
{
    const struct machine *machine = stepper->machine;
    *again = false;
    if (machine->derivation == NULL || !stepper->derives)
        return true;
    stepper->derives = false;
    struct deriving deriving = deriving_of(stepper);
    for (uint32_t region = 0; region < machine->derivation->region_count; region++) {
        uint32_t start = active_leaf(stepper, region);
        struct derived derived = derive_from(&deriving, start);
        if (derived.state != start)
            add_move(&deriving,
                     common_ancestor(machine, machine->derived_states[start],
                                     machine->derived_states[derived.state]),
                     derived.state);
    }
    *again = deriving.count > 0;
    return !*again || move(&deriving);
}

bool stepper_take_record(struct stepper *stepper, struct value input, struct value *context)
{
    if (input.kind == VALUE_NULL)
        return true;
    if (input.kind != VALUE_MAP)
        return stepper_fail(stepper, SPAN("record"), stepper->machine->states[0].place,
                            SPAN("the input is the record: it must be an object"));
    struct value record = *context;
    if (record.count == 0)
        record = input;
    for (uint32_t i = 0; record.entries != input.entries && i < input.count; i++)
        record = value_with(stepper->arena, record, value_span(input.entries[i].key),
                            input.entries[i].value);
    *context = record;
    return true;
}

bool stepper_start_derived(struct stepper *stepper)
{
    const struct derivation *derivation = stepper->machine->derivation;
    struct deriving deriving = deriving_of(stepper);
    for (uint32_t region = 0; region < derivation->region_count; region++) {
        struct derived derived = derive_from(&deriving, derivation->regions[region].initial);
        add_move(&deriving, NO_STATE, derived.state);
    }
    return move(&deriving);
}

bool stepper_patch(struct stepper *stepper, struct value payload)
{
    struct value patch = value_member(payload, SPAN("patch"));
    bool changed = false;
    if (patch.kind != VALUE_MAP)
        return stepper_fail(stepper, SPAN(PATCH_EVENT), (struct place){0},
                            SPAN("`patch` must be an object: what changes in the record"));
    struct value record = json_merge(stepper->arena, stepper->next->context, patch, &changed);
    if (!changed)
        return true;
    stepper->applied = true;
    return stepper_keep_context(stepper, record, false);
}

bool stepper_is_at_end(const struct stepper *stepper)
{
    const struct machine *machine = stepper->machine;
    const struct configuration *next = stepper->next;
    if (machine->derivation == NULL || next->status != INSTANCE_ACTIVE ||
        next->invocation_count > 0 || next->timer_count > 0)
        return false;
    for (uint32_t region = 0; region < machine->derivation->region_count; region++) {
        if (!derivation_is_sink(machine->derivation, active_leaf(stepper, region)))
            return false;
    }
    return true;
}
