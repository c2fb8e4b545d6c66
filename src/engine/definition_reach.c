/*
 * definition_reach.c - what a machine names and the engine could not find.
 *
 * `step` runs such machines; to start them durably would leave instances that wait for
 * nobody, so they are refused where they are read.
 */
#include "engine/definition.h"

static void check_spawned(const struct definition *definition,
                          const struct machine_action *action, struct diagnostics *diagnostics)
{
    if (action->kind != ACTION_SPAWN ||
        definition_find_machine(definition, action->name) != NULL)
        return;
    struct diagnostic *error =
        diagnostics_add(diagnostics, SEVERITY_ERROR, "IL0502", action->place,
                        "there is no machine `%.*s`", SPAN_ARGS(action->name));
    struct span *names =
        arena_new_array(diagnostics->arena, definition->machine_count, struct span);
    for (uint32_t i = 0; i < definition->machine_count; i++)
        names[i] = definition->machines[i].name;
    if (definition->machine_count == 0)
        diagnostic_help(diagnostics, error, "name it under `machines:`");
    else
        diagnostic_suggest(diagnostics, error, action->name, names, definition->machine_count);
}

void definition_check_reach(const struct definition *definition,
                            struct diagnostics *diagnostics)
{
    const struct machine *machine = definition->machine;
    for (uint32_t i = 0; i < machine->action_count; i++)
        check_spawned(definition, &machine->actions[i], diagnostics);
    for (uint32_t i = 0; i < machine->guard_count; i++) {
        const struct machine_guard *guard = &machine->guards[i];
        if (guard->kind == GUARD_UNDECLARED)
            diagnostics_add(diagnostics, SEVERITY_ERROR, "IL0502", guard->place,
                            "there is no guard `%.*s`", SPAN_ARGS(guard->text));
    }
}
