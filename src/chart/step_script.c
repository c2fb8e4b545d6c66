/*
 * step_script.c - expressions in another language, run on the instance's variables.
 *
 * What such an expression changes is changed, as if it had been assigned; only a guard changes
 * nothing, since it may be asked any number of times.
 */
#include "base/limits.h"
#include "chart/plain.h"
#include "chart/stepper.h"

/* What SCXML gives to read. Before the first event there is no _event. */
static struct value make_constants(const struct stepper *stepper)
{
    static const struct {
        const char *name;
        enum chart_variable slot;
    } rows[] = {{"_event", CHART_SCXML_EVENT},
                {"_sessionid", CHART_SCXML_SESSION},
                {"_name", CHART_SCXML_NAME},
                {"_ioprocessors", CHART_SCXML_PROCESSORS}};
    size_t rows_count = sizeof rows / sizeof *rows;
    struct value_entry *entries =
        arena_new_array(stepper->arena, rows_count, struct value_entry);
    uint32_t count = 0;
    for (size_t i = 0; i < rows_count; i++) {
        struct value value = stepper->slots[rows[i].slot];
        if (value.kind != VALUE_MAP || value.count > 0)
            entries[count++] =
                (struct value_entry){value_string(span_from_text(rows[i].name)), value};
    }
    return value_map(entries, count);
}

/* All variables go into the heap, and perhaps out of it. */
static void pay_variables(struct stepper *stepper, struct value variables)
{
    enum { BYTES_A_COST = 4 };
    int64_t room;
    (void)plain_measure(variables, &room);
    stepper->cost += (uint64_t)(VALUE_BYTES_MAX - room) / BYTES_A_COST;
}

static struct span keep_variables(struct stepper *stepper, struct value variables)
{
    struct span problem = plain_measure(variables, &stepper->room);
    if (problem.size > 0)
        return problem;
    stepper->next->context = variables;
    stepper->slots[CHART_CONTEXT] = variables;
    return problem;
}

struct value stepper_foreign(void *host, const struct expr_foreign *foreign, struct value given,
                             struct arena *arena)
{
    struct stepper *stepper = host;
    const struct machine *machine = stepper->machine;
    struct value before = stepper->slots[CHART_CONTEXT];
    struct expr_world world = {.variables = before,
                               .declared = machine->declared,
                               .declared_count = machine->declared_count,
                               .constants = make_constants(stepper),
                               .given = given,
                               .frame = &stepper->frame};
    pay_variables(stepper, before);
    struct value value = machine->language->run(machine->language->context, foreign->form,
                                                foreign->text, &world, arena);
    if (foreign->form == EXPR_CONDITION || world.variables.entries == before.entries)
        return value;
    struct span problem = keep_variables(stepper, world.variables);
    return problem.size == 0 ? value : value_error(problem);
}
