/*
 * chart_fixture.c - loading and stepping for the tests of chart.
 */
#include "chart_fixture.h"

enum { FIXTURE_ARENA_BYTES = 512 << 20 };

const struct machine *fixture_load(struct span definition, struct arena *arena,
                                   struct diagnostics *diagnostics)
{
    diagnostics_init(diagnostics, arena);
    const struct node *root =
        wire_read_definition(definition, SPAN("test.yaml"), arena, diagnostics);
    if (root == NULL)
        return NULL;
    const struct machine *machine = machine_load(root, arena, diagnostics);
    assert_int_equal(machine == NULL, diagnostics->errors > 0);
    if (machine != NULL)
        machine_verify(machine);
    return machine;
}

static void open_arena(struct fixture *fixture)
{
    *fixture = (struct fixture){0};
    arena_open(&fixture->arena, FIXTURE_ARENA_BYTES);
}

void fixture_open(struct fixture *fixture, const char *definition)
{
    struct diagnostics diagnostics;
    open_arena(fixture);
    fixture->machine = fixture_load(span_from_text(definition), &fixture->arena, &diagnostics);
    if (fixture->machine != NULL)
        return;
    const struct diagnostic *first = diagnostics.first;
    fail_msg("%u:%u: %.*s", first->place.line, first->place.column, SPAN_ARGS(first->message));
}

void fixture_open_machine(struct fixture *fixture, const struct machine *machine)
{
    open_arena(fixture);
    fixture->machine = machine;
}

void fixture_close(struct fixture *fixture)
{
    arena_close(&fixture->arena);
}

struct value fixture_json(struct arena *arena, struct span text)
{
    struct value value = value_null();
    struct json_error error = {0};
    if (json_read(text, arena, &value, &error) != STATUS_OK)
        fail_msg("%.*s: %s at %zu", SPAN_ARGS(text), error.message, error.offset);
    return value;
}

struct span fixture_bytes(const struct configuration *configuration, struct arena *arena)
{
    struct text text;
    text_init(&text, arena);
    snapshot_write(&text, configuration);
    text_add(&text, SPAN("|"));
    json_write(&text, configuration->context);
    return text_span(&text);
}

struct span fixture_plan_text(const struct plan *plan, instant_ms now, struct arena *arena)
{
    struct text text;
    text_init(&text, arena);
    text_format(&text, "%s %d %d %.*s ", outcome_name(plan->outcome), plan->changed, plan->late,
                SPAN_ARGS(plan->type));
    json_write(&text, step_event_value(plan->type, plan->payload, arena));
    json_write(&text, describe_effects(plan, now, arena));
    json_write(&text, describe_errors(plan, arena));
    text_add(&text, fixture_bytes(&plan->after, arena));
    return text_span(&text);
}

/* What was written is read back as what there was. */
static struct configuration restore(const struct configuration *configuration,
                                    struct arena *arena)
{
    struct text snapshot;
    struct text context;
    struct configuration restored;
    text_init(&snapshot, arena);
    text_init(&context, arena);
    snapshot_write(&snapshot, configuration);
    json_write(&context, configuration->context);
    assert_int_equal(snapshot_read(text_span(&snapshot), text_span(&context),
                                   configuration->machine, arena, &restored),
                     STATUS_OK);
    struct span before = fixture_bytes(configuration, arena);
    struct span after = fixture_bytes(&restored, arena);
    assert_int_equal(before.size, after.size);
    assert_memory_equal(before.text, after.text, before.size);
    return restored;
}

static void expect_effects_of_difference(const struct plan *plan,
                                         const struct configuration *before,
                                         const struct event *event, struct arena *arena)
{
    uint32_t count;
    const struct effect *effects = step_effects(before, &plan->after, event, arena, &count);
    assert_true(count <= plan->effect_count);
    uint32_t first = plan->effect_count - count; /* the others were collected on the way */
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(effects[i].kind, plan->effects[first + i].kind);
        assert_int_equal(effects[i].number, plan->effects[first + i].number);
    }
}

static void expect_untouched(const struct plan *plan, const struct configuration *before,
                             struct arena *arena)
{
    struct span old = fixture_bytes(before, arena);
    struct span new = fixture_bytes(&plan->after, arena);
    assert_false(plan->changed);
    assert_int_equal(plan->effect_count, 0);
    assert_true(span_equal(old, new));
}

/* Where the event can be taken in place, that says what the plan says; and else it touches
 * nothing. */
static void expect_same_in_place(struct fixture *fixture, const struct configuration *before,
                                 const struct event *event, const struct plan *plan)
{
    const struct machine *machine = fixture->machine;
    size_t active_words = machine->word_count;
    size_t memory_words = machine_state_words(machine) - active_words;
    struct arena scratch;
    arena_open(&scratch, TURN_ARENA_BYTES);
    uint64_t *states = arena_new_array(&scratch, active_words + memory_words, uint64_t);
    for (size_t i = 0; i < active_words; i++)
        states[i] = before->active[i];
    for (size_t i = 0; i < memory_words; i++)
        states[active_words + i] = before->memory[i];
    struct step_light *light = step_light_make(machine, &scratch, &scratch);
    const struct configuration *after = before;
    uint32_t answer = step_light_run(light, states, before, event,
                                     machine_find_event(machine, event->type), fixture->clock);
    if (answer != 0) {
        assert_int_equal((answer & STEP_LIGHT_APPLIED) != 0 ? OUTCOME_APPLIED : OUTCOME_IGNORED,
                         plan->outcome);
        assert_int_equal((answer & STEP_LIGHT_CHANGED) != 0, plan->changed);
        assert_int_equal(plan->effect_count, 0);
        assert_null(plan->errors);
        after = &plan->after;
        fixture->light_count++;
    }
    assert_memory_equal(states, after->active, active_words * sizeof *states);
    for (size_t i = 0; i < memory_words; i++)
        assert_true(states[active_words + i] == after->memory[i]);
    arena_close(&scratch);
}

struct plan fixture_step(struct fixture *fixture, const struct event *event)
{
    struct plan plan;
    struct plan again;
    struct arena *arena = &fixture->arena;
    const struct configuration *before = fixture->is_started ? &fixture->now : NULL;
    struct arena second;
    struct span old = before == NULL ? SPAN("") : fixture_bytes(before, arena);
    arena_open(&second, TURN_ARENA_BYTES);
    assert_int_equal(step_run(fixture->machine, before, event, fixture->clock, arena, &plan),
                     STATUS_OK);
    struct machine thorough = *fixture->machine;
    thorough.has_light_steps = false;
    assert_int_equal(step_run(&thorough, before, event, fixture->clock, &second, &again),
                     STATUS_OK);
    struct span text = fixture_plan_text(&plan, fixture->clock, arena);
    struct span other = fixture_plan_text(&again, fixture->clock, arena);
    assert_true(span_equal(text, other));
    arena_close(&second);
    if (before != NULL && event->kind == EVENT_EXTERNAL && before->status == INSTANCE_ACTIVE &&
        event->invoke_id.size == 0)
        expect_same_in_place(fixture, before, event, &plan);

    assert_true(configuration_is_valid(&plan.after));
    assert_true(before == NULL || span_equal(old, fixture_bytes(before, arena)));
    expect_effects_of_difference(&plan, before, event, arena);
    bool has_ended = before != NULL && before->status != INSTANCE_ACTIVE;
    assert_true(!has_ended || plan.outcome == OUTCOME_IGNORED ||
                fixture->machine->derivation != NULL); /* which still takes patches */
    if (before != NULL && (plan.late || ((has_ended || event->kind == EVENT_EXTERNAL) &&
                                         plan.outcome == OUTCOME_IGNORED)))
        expect_untouched(&plan, before, arena);
    fixture->now = restore(&plan.after, arena);
    fixture->is_started = true;
    return plan;
}

struct plan fixture_start(struct fixture *fixture, struct value input)
{
    struct event event = {.kind = EVENT_START, .payload = input};
    return fixture_step(fixture, &event);
}

struct plan fixture_send(struct fixture *fixture, const char *type, const char *payload)
{
    struct event event = {.kind = EVENT_EXTERNAL,
                          .type = span_from_text(type),
                          .payload = fixture_json(&fixture->arena, span_from_text(payload))};
    return fixture_step(fixture, &event);
}

struct plan fixture_finish(struct fixture *fixture, enum event_kind kind, uint64_t number,
                           const char *payload)
{
    struct event event = {.kind = kind,
                          .number = number,
                          .payload = fixture_json(&fixture->arena, span_from_text(payload))};
    return fixture_step(fixture, &event);
}

struct plan fixture_fire(struct fixture *fixture)
{
    const struct armed_timer *timer = configuration_next_timer(&fixture->now);
    assert_non_null(timer);
    if (timer->due > fixture->clock)
        fixture->clock = timer->due;
    struct event event = {.kind = EVENT_TIMER, .number = timer->number};
    return fixture_step(fixture, &event);
}
