/*
 * live_step.c - the runtime of steps: one for each step of a machine, whatever version calls
 * it.
 *
 * The rules are those of the version deployed last; what the policies know stays when it
 * changes. A step that no version has any more is kept: requests may be under way.
 */
#include "base/memory.h"
#include "engine/shard.h"

static struct live_step *find_live_step(struct engine *engine, struct span machine,
                                        struct span name)
{
    struct text key;
    text_init(&key, NULL);
    text_format(&key, "%.*s/%.*s", SPAN_ARGS(machine), SPAN_ARGS(name));
    struct live_step *step = engine->steps;
    while (step != NULL && !span_is(text_span(&key), step->key))
        step = step->next;
    if (step == NULL) {
        step = memory_get(sizeof *step);
        step->engine = engine;
        step->key = memory_copy_text(text_span(&key));
        step->next = engine->steps;
        engine->steps = step;
    }
    text_fini(&key);
    return step;
}

static void init_place(struct live_place *place, struct live_step *step)
{
    place->step = step;
    adaptive_init(&place->adaptive, &step->step.rules.adaptive);
    for (int i = 0; i < PRIORITY_COUNT; i++)
        place->rings[i].end = &place->rings[i].first;
}

/* A step that is here for the first time. */
static void init_step(struct live_step *step)
{
    const struct policy_rules *rules = &step->step.rules;
    init_place(&step->own_place, step);
    step->place = &step->own_place;
    table_init(&step->gate_table);
    table_init(&step->lane_table);
    line_init(&step->starved);
    wake_init(&step->starved_wake, dispatch_budget_woken, step);
    budget_init(&step->budget, &rules->budget, step->engine->now);
    arena_clear(&step->engine->turn_arena);
    gate_init(&step->gate, step, SPAN(""));
}

/* What steps share is known when all are there. */
static void bind_step(struct live_step *step, struct live_step *const *steps)
{
    const struct step *rules = &step->step;
    step->fallback = rules->fallback == NO_INDEX ? NULL : steps[rules->fallback];
    line_move_step(step, &steps[rules->limit_of]->own_place);
}

void live_step_deploy(struct engine *engine, struct deployed *deployed)
{
    const struct definition *definition = deployed->definition;
    if (deployed->live == NULL)
        deployed->live = memory_get(sizeof *deployed->live);
    memory_release(deployed->live->steps);
    entrance_deploy(engine, deployed);
    deployed->live->steps = memory_get(definition->step_count * sizeof(struct live_step *));
    for (uint32_t i = 0; i < definition->step_count; i++) {
        struct live_step *step =
            find_live_step(engine, definition->machine->id, definition->steps[i].name);
        bool is_new = step->step.type == NULL;
        step->entrance = deployed->live->entrance;
        if (deployed->latest || is_new)
            step->step = definition->steps[i];
        if (is_new)
            init_step(step);
        deployed->live->steps[i] = step;
    }
    for (uint32_t i = 0; deployed->latest && i < definition->step_count; i++)
        bind_step(deployed->live->steps[i], deployed->live->steps);
    for (uint32_t i = 0; deployed->latest && i < definition->step_count; i++)
        gate_revise(deployed->live->steps[i]);
}
