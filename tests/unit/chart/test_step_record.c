/*
 * test_step_record.c - machines whose state follows from a record: patches, moves, steps.
 */
#include "base/json_merge.h"
#include "chart_fixture.h"
#include "random_derivation.h"

#define ORDER                                                                          \
    "id: order\n"                                                                      \
    "record: { as: o, defaults: { items: false, paid: false, sent: false } }\n"        \
    "initial: DRAFT\n"                                                                 \
    "states:\n"                                                                        \
    "  DRAFT: { validator: '!o.items', transitions: [PAYING], exit: { log: left } }\n" \
    "  PAYING: { validator: 'o.items && !o.paid', transitions: [PACKING, DRAFT],\n"    \
    "            entry: { log: asked } }\n"                                            \
    "  PACKING:\n"                                                                     \
    "    validator: 'o.paid && !o.sent'\n"                                             \
    "    transitions: [SENT]\n"                                                        \
    "    invoke: { src: label, input: '${o.id}', onError: {},\n"                       \
    "              onDone: { assign: { label: '${event.output}' } } }\n"               \
    "  SENT: { validator: o.sent }\n"

static struct span state_of(struct fixture *fixture)
{
    return configuration_path(&fixture->now, &fixture->arena);
}

static struct plan patch(struct fixture *fixture, const char *json)
{
    const char *payload = text_print(&fixture->arena, "{\"patch\":%s}%c", json, '\0').text;
    return fixture_send(fixture, PATCH_EVENT, payload);
}

static struct plan start(struct fixture *fixture, const char *record)
{
    return fixture_start(fixture, fixture_json(&fixture->arena, span_from_text(record)));
}

static void expect_via(struct fixture *fixture, const struct plan *plan, const char *names)
{
    struct text text;
    struct value via = describe_via(plan, &fixture->arena);
    text_init(&text, &fixture->arena);
    for (uint32_t i = 0; i < via.count; i++)
        text_format(&text, "%s%.*s", i == 0 ? "" : " ", SPAN_ARGS(value_span(via.items[i])));
    text_add_byte(&text, '\0');
    assert_string_equal(text.bytes, names);
}

struct row {
    const char *patch;
    const char *state;
    const char *via;
    enum outcome outcome;
    uint32_t effects;
};

static void expect_rows(struct fixture *fixture, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct plan plan = patch(fixture, rows[i].patch);
        assert_string_equal(
            text_print(&fixture->arena, "%.*s%c", SPAN_ARGS(state_of(fixture)), '\0').text,
            rows[i].state);
        expect_via(fixture, &plan, rows[i].via);
        assert_int_equal(plan.outcome, rows[i].outcome);
        assert_int_equal(plan.effect_count, rows[i].effects);
    }
}

static void a_patch_moves_to_the_state_that_the_record_calls_for(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{}", "DRAFT", "", OUTCOME_IGNORED, 0},
        {"{\"note\":1}", "DRAFT", "", OUTCOME_APPLIED, 0},
        {"{\"note\":1}", "DRAFT", "", OUTCOME_IGNORED, 0},
        {"{\"items\":true}", "PAYING", "", OUTCOME_APPLIED, 2}, /* logs: left, asked */
        {"{\"items\":true}", "PAYING", "", OUTCOME_IGNORED, 0},
        {"{\"items\":null}", "DRAFT", "", OUTCOME_APPLIED, 0}, /* the edge back is written */
        {"{\"items\":true,\"paid\":true}", "PACKING", "PAYING", OUTCOME_APPLIED, 2},
        {"{\"paid\":false}", "PACKING", "", OUTCOME_APPLIED, 0}, /* no edge leads back */
        {"{\"sent\":true}", "SENT", "", OUTCOME_APPLIED, 1},     /* the call is stopped */
        {"{\"sent\":false}", "SENT", "", OUTCOME_APPLIED, 0},
        {"{\"sent\":false}", "SENT", "", OUTCOME_IGNORED, 0},
    };
    struct fixture fixture;
    fixture_open(&fixture, ORDER);
    start(&fixture, "{\"id\":7}");
    expect_rows(&fixture, rows, COUNT(rows));
    assert_int_equal(fixture.now.status, INSTANCE_DONE);
    fixture_close(&fixture);
}

static void an_instance_starts_where_its_record_is(void **state)
{
    (void)state;
    static const struct {
        const char *record;
        const char *state;
        const char *via;
        uint32_t effects;
        enum instance_status status;
    } rows[] = {
        {"{}", "DRAFT", "", 0, INSTANCE_ACTIVE},
        {"null", "DRAFT", "", 0, INSTANCE_ACTIVE},
        {"{\"items\":true}", "PAYING", "", 1, INSTANCE_ACTIVE},
        {"{\"id\":1,\"items\":true,\"paid\":true}", "PACKING", "PAYING", 1, INSTANCE_ACTIVE},
        {"{\"sent\":true}", "SENT", "PAYING PACKING", 0, INSTANCE_DONE},
        {"{\"items\":3}", "DRAFT", "", 0, INSTANCE_ACTIVE}, /* two validators give no answer */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture fixture;
        fixture_open(&fixture, ORDER);
        struct plan plan = start(&fixture, rows[i].record);
        assert_true(span_is(state_of(&fixture), rows[i].state));
        expect_via(&fixture, &plan, rows[i].via);
        assert_int_equal(plan.effect_count, rows[i].effects);
        assert_int_equal(fixture.now.status, rows[i].status);
        fixture_close(&fixture);
    }
    struct fixture fixture;
    fixture_open(&fixture, ORDER);
    assert_int_equal(start(&fixture, "[1]").outcome, OUTCOME_FAILED);
    fixture_close(&fixture);
}

static void a_validator_without_an_answer_is_told(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, ORDER);
    start(&fixture, "{\"items\":true}");
    struct plan plan = patch(&fixture, "{\"paid\":\"yes\"}");
    assert_int_equal(plan.outcome, OUTCOME_APPLIED);
    assert_true(span_is(state_of(&fixture), "PAYING"));
    assert_non_null(plan.errors);
    assert_true(span_is(plan.errors->what, "validator of PACKING"));
    assert_int_equal(plan.errors->place.line, 9);
    assert_true(span_is(plan.errors->next->what, "validator of PAYING"));
    assert_null(plan.errors->next->next);
    fixture_close(&fixture);
}

/* What a step says may move the instance on, and be needed for it. */
static void a_result_that_is_assigned_moves_it_too(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, "id: parcel\n"
                           "record: { as: o, defaults: { label: '' } }\n"
                           "initial: NEW\n"
                           "states:\n"
                           "  NEW:\n"
                           "    validator: \"o.label == ''\"\n"
                           "    transitions: [SENDING]\n"
                           "    entry: { assign: { seen: '${o.id + 1}' } }\n"
                           "    invoke: { src: label, onDone: { assign: { label: x } },\n"
                           "              onError: { assign: { label: none } } }\n"
                           "    after: { 1h: { assign: { label: late } } }\n"
                           "  SENDING:\n"
                           "    validator: \"o.label != ''\"\n"
                           "    transitions: []\n"
                           "    invoke: { src: mail, input: '${o.label}', onError: {} }\n");
    struct plan plan = start(&fixture, "{\"id\":1}");
    assert_int_equal(plan.effect_count, 2);
    assert_int_equal(value_member(fixture.now.context, SPAN("seen")).integer, 2);
    plan = fixture_finish(&fixture, EVENT_DONE, plan.effects[1].number, "null");
    assert_true(span_is(state_of(&fixture), "SENDING"));
    assert_int_equal(plan.effect_count, 2); /* the timer is disarmed, the mail is asked for */
    assert_int_equal(plan.effects[1].kind, EFFECT_INVOKE);
    assert_true(span_is(value_span(plan.effects[1].input), "x"));
    assert_int_equal(fixture.now.status, INSTANCE_ACTIVE); /* something is under way */
    fixture_finish(&fixture, EVENT_ERROR, plan.effects[1].number, "{\"kind\":\"timeout\"}");
    assert_int_equal(fixture.now.status, INSTANCE_DONE);
    fixture_close(&fixture);
}

/* Entering may change the record again: A leads to B, whose entry calls for C. */
static void derivation_goes_on_to_rest(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, "record: { as: o }\n"
                           "initial: A\n"
                           "states:\n"
                           "  A: { validator: 'o.n == 0', transitions: [B] }\n"
                           "  B: { validator: 'o.n == 1', transitions: [C, A],\n"
                           "       entry: { assign: { n: 2 } }, exit: { log: left } }\n"
                           "  C: { validator: 'o.n == 2', transitions: [A] }\n");
    start(&fixture, "{\"n\":0}");
    struct plan plan = patch(&fixture, "{\"n\":1}");
    assert_true(span_is(state_of(&fixture), "C"));
    assert_int_equal(plan.effect_count, 1);
    fixture_close(&fixture);
}

static void what_goes_round_in_circles_is_discarded(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, "record: { as: o }\n"
                           "initial: A\n"
                           "states:\n"
                           "  A: { validator: 'o.n >= 0', transitions: [B] }\n"
                           "  B: { validator: 'o.n > 0', transitions: [A] }\n");
    start(&fixture, "{\"n\":0}");
    struct plan plan = patch(&fixture, "{\"n\":1}");
    assert_int_equal(plan.outcome, OUTCOME_FAILED);
    assert_int_equal(value_member(fixture.now.context, SPAN("n")).integer, 0);
    fixture_close(&fixture);
}

static void nested_states_and_regions_are_left_and_entered(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{\"a\":1}", "X.ONE.q, Y.off", "", OUTCOME_APPLIED, 2},
        {"{\"a\":2,\"b\":true}", "X.TWO, Y.on", "", OUTCOME_APPLIED, 4},
        {"{\"b\":false}", "X.TWO, Y.off", "", OUTCOME_APPLIED, 1},
        {"{\"a\":0}", "X.ONE.p, Y.off", "", OUTCOME_APPLIED, 2},
    };
    struct fixture fixture;
    fixture_open(&fixture,
                 "type: parallel\n"
                 "record: { as: o, defaults: { a: 0, b: false } }\n"
                 "states:\n"
                 "  X:\n"
                 "    initial: ONE\n"
                 "    states:\n"
                 "      ONE:\n"
                 "        validator: 'o.a < 2'\n"
                 "        initial: p\n"
                 "        transitions: [TWO]\n"
                 "        entry: { log: one }\n"
                 "        exit: { log: not_one }\n"
                 "        states:\n"
                 "          p: { validator: 'o.a == 0', transitions: [q], exit: { log: p } }\n"
                 "          q: { validator: 'o.a == 1', transitions: [p], entry: { log: q },\n"
                 "               exit: { log: not_q } }\n"
                 "      TWO: { validator: 'o.a == 2', transitions: [ONE],\n"
                 "             entry: { log: two }, exit: { log: not_two } }\n"
                 "  Y:\n"
                 "    initial: off\n"
                 "    states:\n"
                 "      off: { validator: '!o.b', transitions: [on] }\n"
                 "      on: { validator: o.b, transitions: [off], entry: { log: on },\n"
                 "            exit: { log: off } }\n");
    start(&fixture, "{}");
    expect_rows(&fixture, rows, COUNT(rows));
    assert_int_equal(fixture.now.status, INSTANCE_ACTIVE);
    fixture_close(&fixture);
}

static void events_may_assign_the_record(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, ORDER "on: { PAID: { guard: '!o.paid', assign: { paid: true } },\n"
                                 "      record.patch: { actions: { log: '${o.items}' } } }\n"
                                 "invariants: { honest: \"!(o.paid && !o.items)\" }\n");
    start(&fixture, "{\"items\":true}");
    assert_int_equal(patch(&fixture, "{\"x\":1}").effect_count, 1);
    assert_int_equal(patch(&fixture, "{\"paid\":true,\"items\":false}").outcome,
                     OUTCOME_FAILED);
    assert_true(span_is(state_of(&fixture), "PAYING"));
    assert_int_equal(fixture_send(&fixture, "PAID", "{}").outcome, OUTCOME_APPLIED);
    assert_true(span_is(state_of(&fixture), "PACKING"));
    assert_int_equal(fixture_send(&fixture, "PAID", "{}").outcome, OUTCOME_IGNORED);
    fixture_close(&fixture);
}

static void the_door_knows_patches(void **state)
{
    (void)state;
    static const struct {
        const char *payload;
        const char *problem; /* NULL: it may come in */
    } rows[] = {
        {"{\"patch\":{}}", NULL},
        {"{\"patch\":{\"type\":1},\"if_version\":3}", NULL},
        {"{}", "must be an object, not missing"},
        {"{\"patch\":[]}", "must be an object, not list"},
        {"{\"patch\":{},\"if_version\":0}", "`if_version` must be a number"},
        {"{\"patch\":{},\"if_version\":\"1\"}", "`if_version` must be a number"},
        {"{\"patch\":{},\"paid\":true}", "only `if_version`"},
    };
    struct fixture fixture;
    fixture_open(&fixture, ORDER "events: { PAID: {} }\n");
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct value payload = fixture_json(&fixture.arena, span_from_text(rows[i].payload));
        struct span problem = {0};
        bool accepted = door_accepts(fixture.machine, SPAN(PATCH_EVENT), payload,
                                     &fixture.arena, &payload, &problem);
        assert_int_equal(accepted, rows[i].problem == NULL);
        if (!accepted && span_find(problem, span_from_text(rows[i].problem), 0) == SIZE_MAX)
            fail_msg("%.*s instead of %s", SPAN_ARGS(problem), rows[i].problem);
    }
    fixture_close(&fixture);
    fixture_open(&fixture, "initial: A\nstates: { A: {} }\n");
    struct value payload = fixture_json(&fixture.arena, SPAN("{\"patch\":{}}"));
    struct span problem;
    assert_false(door_accepts(fixture.machine, SPAN(PATCH_EVENT), payload, &fixture.arena,
                              &payload, &problem));
    fixture_close(&fixture);
}

static void wrong_machines_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *more;
        const char *code;
        const char *message;
    } rows[] = {
        {"on: { X: .SENT }\n", "IL0104", "a transition has no target here"},
        {"on: { X: { target: .SENT } }\n", "IL0104", "a transition has no target here"},
        {"after: { 1s: .SENT }\n", "IL0104", "a transition has no target here"},
        {"always: { target: .SENT, guard: o.paid }\n", "IL0104", "has no target here"},
        {"wrong: 1\n", "IL0102", "unknown key `wrong`"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena arena;
        struct diagnostics diagnostics;
        struct text text;
        arena_open(&arena, DEFINITION_ARENA_BYTES);
        text_init(&text, &arena);
        text_format(&text, "%s%s", ORDER, rows[i].more);
        assert_null(fixture_load(text_span(&text), &arena, &diagnostics));
        assert_true(span_is(diagnostics.first->code, rows[i].code));
        assert_int_equal(diagnostics.errors, 1);
        assert_true(span_find(diagnostics.first->message, span_from_text(rows[i].message), 0) !=
                    SIZE_MAX);
        arena_close(&arena);
    }
}

/* Random machines: after each of many patches the state is what deriving the record from the
 * state before gives, and the same patch again does nothing. */

enum { MACHINES = 300, PATCHES = 40, REST_MAX = 8 };

static uint32_t leaf_of(struct fixture *fixture, const struct derivation *derivation)
{
    struct span path = configuration_path(&fixture->now, &fixture->arena);
    return derivation_find(derivation, 0, path);
}

/* From there as often as it moves; NO_STATE when that does not end. */
static uint32_t derive_to_rest(const struct derivation *derivation, uint32_t leaf,
                               struct value record, struct arena *arena)
{
    struct value *slots =
        arena_new_array(arena, derivation_slot_count(derivation), struct value);
    derivation_bind(derivation, record, slots, arena);
    for (int i = 0; i < REST_MAX; i++) {
        struct derived derived = derivation_run(derivation, leaf, slots, arena);
        if (derived.state == leaf)
            return leaf;
        leaf = derived.state;
    }
    return NO_STATE;
}

/* A patch that turns one record into another. */
static struct value random_patch(struct fixture *fixture, const struct reference *reference,
                                 struct random *random)
{
    struct reference_value values[REFERENCE_FIELDS_MAX];
    struct text text;
    text_init(&text, &fixture->arena);
    reference_record(reference, random, values);
    reference_write_record(reference, values, &text);
    return fixture_json(&fixture->arena, text_span(&text));
}

static void try_patches(struct fixture *fixture, const struct reference *reference,
                        struct random *random)
{
    const struct derivation *derivation = fixture->machine->derivation;
    for (int i = 0; i < PATCHES; i++) {
        struct text json;
        bool changed = false;
        uint32_t before = leaf_of(fixture, derivation);
        struct value patched = random_patch(fixture, reference, random);
        struct value record =
            json_merge(&fixture->arena, fixture->now.context, patched, &changed);
        uint32_t wanted = derive_to_rest(derivation, before, record, &fixture->arena);
        text_init(&json, &fixture->arena);
        json_write(&json, patched);
        text_add_byte(&json, '\0');
        struct plan plan = patch(fixture, json.bytes);
        if (wanted == NO_STATE) {
            assert_int_equal(plan.outcome, changed ? OUTCOME_FAILED : OUTCOME_IGNORED);
            continue;
        }
        assert_int_equal(plan.outcome, changed ? OUTCOME_APPLIED : OUTCOME_IGNORED);
        assert_int_equal(leaf_of(fixture, derivation), wanted);
        assert_true(value_equal(fixture->now.context, record));
        assert_int_equal(patch(fixture, json.bytes).outcome, OUTCOME_IGNORED);
    }
}

static void states_after_patches_are_those_that_derive_gives(void **state)
{
    (void)state;
    struct random random = {.state = 5};
    for (int i = 0; i < MACHINES; i++) {
        struct reference reference;
        struct fixture fixture;
        struct arena arena;
        struct text text;
        arena_open(&arena, DEFINITION_ARENA_BYTES);
        text_init(&text, &arena);
        reference_make(&reference, &random);
        reference_write(&reference, i % 2 == 0, &text);
        fixture_open(&fixture, text.bytes);
        if (start(&fixture, "{}").outcome == OUTCOME_APPLIED)
            try_patches(&fixture, &reference, &random);
        fixture_close(&fixture);
        arena_close(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_patch_moves_to_the_state_that_the_record_calls_for),
        cmocka_unit_test(an_instance_starts_where_its_record_is),
        cmocka_unit_test(a_validator_without_an_answer_is_told),
        cmocka_unit_test(a_result_that_is_assigned_moves_it_too),
        cmocka_unit_test(derivation_goes_on_to_rest),
        cmocka_unit_test(what_goes_round_in_circles_is_discarded),
        cmocka_unit_test(nested_states_and_regions_are_left_and_entered),
        cmocka_unit_test(events_may_assign_the_record),
        cmocka_unit_test(the_door_knows_patches),
        cmocka_unit_test(wrong_machines_are_refused),
        cmocka_unit_test(states_after_patches_are_those_that_derive_gives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
