/*
 * definition_reach.c - what a machine may use that the engine does not do yet.
 *
 * `step` runs such machines; to start them durably would leave instances that wait for
 * nobody, so they are refused where they are read.
 */
#include "engine/definition.h"

static void refuse(struct diagnostics *diagnostics, struct place place, const char *what)
{
    struct diagnostic *error = diagnostics_add(diagnostics, SEVERITY_ERROR, "IL0106", place,
                                               "the engine does not run %s yet", what);
    diagnostic_help(diagnostics, error, "`interlock step` does");
}

static void refuse_actions(const struct machine *machine, struct diagnostics *diagnostics)
{
    for (uint32_t i = 0; i < machine->action_count; i++) {
        const struct machine_action *action = &machine->actions[i];
        bool is_family = action->kind == ACTION_SPAWN || action->kind == ACTION_STOP ||
                         (action->kind == ACTION_SEND && action->to != NULL);
        if (is_family)
            refuse(diagnostics, action->place, "child machines");
    }
}

void definition_check_reach(const struct machine *machine, struct diagnostics *diagnostics)
{
    refuse_actions(machine, diagnostics);
    for (uint32_t i = 0; i < machine->invoke_count; i++) {
        const struct machine_invoke *invoke = &machine->invokes[i];
        if (invoke->src_slot != NULL || invoke->content != NULL || invoke->forwards)
            refuse(diagnostics, invoke->place, "child machines");
    }
    for (uint32_t i = 0; i < machine->guard_count; i++) {
        const struct machine_guard *guard = &machine->guards[i];
        if (guard->kind == GUARD_UNDECLARED)
            diagnostics_add(diagnostics, SEVERITY_ERROR, "IL0502", guard->place,
                            "there is no guard `%.*s`", SPAN_ARGS(guard->text));
    }
}
