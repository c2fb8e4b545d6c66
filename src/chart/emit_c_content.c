/*
 * emit_c_content.c - guards and actions as C: a switch over transitions, and one over lists.
 */
#include "base/ensure.h"
#include "chart/emit_c_writer.h"

/* What is being written: names are looked up in it. */
struct scope {
    struct emitter *emitter;
    struct c_code code;
};

static bool guard_term(struct scope *scope, uint32_t index, struct c_term *term);

static bool find_name(void *context, struct span name, struct span member, struct c_term *term)
{
    struct scope *scope = context;
    struct emitter *emitter = scope->emitter;
    const struct machine *machine = emitter->machine;
    for (uint32_t i = 0; span_is(name, "context") && i < emitter->field_count; i++) {
        const struct emit_c_field *field = &emitter->fields[i];
        if (!span_equal(field->key, member))
            continue;
        *term = (struct c_term){
            .kind = field->kind,
            .text = text_print(emitter->arena, "self->context.%.*s", SPAN_ARGS(field->name))};
        return true;
    }
    if (member.size > 0 && (span_is(name, "event") || span_is(name, "payload")))
        return emit_c_payload_term(emitter, member, &scope->code, term);
    for (uint32_t i = 0; member.size == 0 && i < machine->named_guard_count; i++) {
        if (span_equal(machine->guards[i].name, name))
            return guard_term(scope, i, term);
    }
    return false;
}

static bool find_word(void *context, struct span text, struct c_term *term)
{
    struct scope *scope = context;
    *term = (struct c_term){.kind = C_WORD, .text = emit_c_word(scope->emitter, text)};
    return true;
}

static bool find_state(void *context, struct span name, struct c_term *term)
{
    struct scope *scope = context;
    uint32_t state = machine_find_state(scope->emitter->machine, name);
    if (state == NO_STATE)
        return false;
    *term = (struct c_term){
        .kind = C_BOOL,
        .text = text_print(scope->emitter->arena, "((self->active & bit(%u)) != 0)", state)};
    return true;
}

/* A type that the machine does not name is any other: C could not tell which. */
static bool find_event(void *context, struct span type, struct c_term *term)
{
    struct scope *scope = context;
    const struct machine *machine = scope->emitter->machine;
    uint32_t event = machine_find_event(machine, type);
    if (event < EVENT_ID_FIRST || !span_equal(machine->event_types[event], type))
        return false;
    *term = (struct c_term){
        .kind = C_BOOL, .text = text_print(scope->emitter->arena, "(turn->type == %u)", event)};
    return true;
}

static void refuse_at(struct scope *scope, struct place place)
{
    emit_c_refuse(scope->emitter, place, "%.*s", SPAN_ARGS(scope->code.problem));
}

static bool combined_term(struct scope *scope, const struct machine_guard *guard,
                          struct c_term *term)
{
    struct c_term *parts =
        arena_new_array(scope->emitter->arena, guard->part_count, struct c_term);
    for (uint32_t i = 0; i < guard->part_count; i++) {
        if (!guard_term(scope, guard->parts[i], &parts[i]))
            return false;
    }
    if (guard->kind != GUARD_NOT)
        return c_code_join(&scope->code, parts, guard->part_count, guard->kind == GUARD_OR,
                           term);
    *term = parts[0];
    term->text = text_print(scope->emitter->arena, "(!%.*s)", SPAN_ARGS(parts[0].text));
    return true;
}

static struct span in_text(struct emitter *emitter, const struct machine_guard *guard)
{
    uint64_t states = 0;
    for (uint32_t i = 0; i < guard->part_count; i++)
        states |= (uint64_t)1 << guard->parts[i];
    return text_print(emitter->arena, "((self->active & UINT64_C(0x%llx)) == UINT64_C(0x%llx))",
                      (unsigned long long)states, (unsigned long long)states);
}

static bool guard_term(struct scope *scope, uint32_t index, struct c_term *term)
{
    struct emitter *emitter = scope->emitter;
    const struct machine_guard *guard = &emitter->machine->guards[index];
    uint32_t number;
    switch (guard->kind) {
    case GUARD_EXPRESSION:
        if (!c_code_program(&scope->code, guard->program, term))
            return false;
        scope->code.problem = SPAN("a guard must be true or false");
        return term->kind == C_BOOL;
    case GUARD_AND:
    case GUARD_OR:
    case GUARD_NOT:
        return combined_term(scope, guard, term);
    case GUARD_IN:
        *term = (struct c_term){.kind = C_BOOL, .text = in_text(emitter, guard)};
        return true;
    case GUARD_UNDECLARED:
        number = emit_c_enumerate(emitter, &emitter->guards, guard->text);
        *term =
            (struct c_term){.kind = C_BOOL,
                            .text = text_print(emitter->arena,
                                               "turn->host->guard(turn->host->context, self, "
                                               "%.*s_GUARD_%.*s, turn->event)",
                                               SPAN_ARGS(emitter->upper),
                                               SPAN_ARGS(emitter->guards.names[number]))};
        return true;
    case GUARD_CALL:
    case GUARD_FOREIGN:
        scope->code.problem = SPAN("guards with parameters or scripts are not written in C");
        return false;
    }
    never();
}

static struct scope scope_of(struct emitter *emitter, struct c_names *names, struct text *lines,
                             const char *indent)
{
    *names = (struct c_names){find_name, find_word, find_state, find_event, NULL};
    text_init(lines, emitter->arena);
    return (struct scope){.emitter = emitter,
                          .code = {.arena = emitter->arena,
                                   .lines = lines,
                                   .indent = indent,
                                   .names = names,
                                   .counter = &emitter->counter,
                                   .needs = emitter->helpers}};
}

/* A guard that has no answer raises an event. */
static void need_failure(struct emitter *emitter)
{
    emit_c_need(emitter, 'W', true);
    emit_c_need(emitter, 'Q', true);
}

static void emit_guard(struct emitter *emitter, uint32_t index)
{
    struct c_names names;
    struct text lines;
    struct c_term term = {0};
    struct scope scope = scope_of(emitter, &names, &lines, "        ");
    names.context = &scope;
    if (!guard_term(&scope, index, &term)) {
        refuse_at(&scope, emitter->machine->guards[index].place);
        return;
    }
    text_add(emitter->text, text_span(&lines));
    if (term.failed.size > 0) {
        need_failure(emitter);
        text_format(emitter->text, "        if (%.*s)\n            return fail_guard(turn);\n",
                    SPAN_ARGS(term.failed));
    }
    text_format(emitter->text, "        return %.*s;\n", SPAN_ARGS(term.text));
}

/* What can be said of the event when a transition is tried or taken: nothing of those that
 * several types bring about, or none. */
static uint32_t event_of(const struct machine_transition *transition)
{
    bool is_one = transition->event != NO_INDEX && !transition->wildcard;
    return is_one ? transition->event : EVENT_ID_NONE;
}

static void emit_guards(struct emitter *emitter)
{
    const struct machine *machine = emitter->machine;
    if (!emit_c_has(emitter, 'G'))
        return;
    text_add(emitter->text, SPAN("static bool holds(struct turn *turn, int transition)\n{\n"));
    emit_c_names(emitter, "    const struct @ *self = turn->self;\n    (void)self;\n");
    text_add(emitter->text, SPAN("    switch (transition) {\n"));
    for (uint32_t i = 0; i < machine->transition_count; i++) {
        if (machine->transitions[i].guard == NO_INDEX)
            continue;
        text_format(emitter->text, "    case %u: {\n", i);
        emitter->event = event_of(&machine->transitions[i]);
        emit_guard(emitter, machine->transitions[i].guard);
        text_add(emitter->text, SPAN("    }\n"));
    }
    text_add(emitter->text, SPAN("    default:\n        return true;\n    }\n}\n\n"));
}

static const struct emit_c_field *find_field(struct emitter *emitter, struct span key)
{
    for (uint32_t i = 0; i < emitter->field_count; i++) {
        if (span_equal(emitter->fields[i].key, key))
            return &emitter->fields[i];
    }
    return NULL;
}

/* An error undoes the macrostep; the W3C's rules end the block and raise an event. */
static void emit_failure(struct emitter *emitter, struct span condition)
{
    bool is_scxml = emit_c_has(emitter, 'Y');
    emit_c_need(emitter, 'Q', is_scxml);
    text_format(emitter->text,
                is_scxml ? "        if (%.*s) {\n            push(turn, "
                           "EVENT_ERROR_EXECUTION);\n            break;\n        }\n"
                         : "        if (%.*s)\n            return false;\n",
                SPAN_ARGS(condition));
}

/* A value that the context cannot hold is an error: of doubles those that are not finite. */
static void emit_check(struct emitter *emitter, const struct c_term *term)
{
    if (term->failed.size > 0)
        emit_failure(emitter, term->failed);
    if (term->kind == C_DOUBLE)
        emit_failure(emitter, text_print(emitter->arena, "!(%.*s - %.*s == 0)",
                                         SPAN_ARGS(term->text), SPAN_ARGS(term->text)));
}

static void emit_assign(struct emitter *emitter, const struct machine_assign *assign,
                        struct text *settings)
{
    const struct emit_c_field *field = find_field(emitter, assign->key);
    struct c_names names;
    struct text lines;
    struct c_term term = {0};
    struct scope scope = scope_of(emitter, &names, &lines, "        ");
    names.context = &scope;
    if (assign->path_count > 0) {
        emit_c_refuse(emitter, assign->place, "members of maps are not written in C");
        return;
    }
    if (field == NULL) {
        emit_c_refuse(emitter, assign->place,
                      "`%.*s` is not in the context: its type is not known",
                      SPAN_ARGS(assign->key));
        return;
    }
    if (!c_code_slot(&scope.code, assign->slot, &term)) {
        refuse_at(&scope, assign->place);
        return;
    }
    if (term.kind != field->kind) {
        emit_c_refuse(
            emitter, assign->place,
            "`%.*s` is of another type in the context; numbers: write int(…) or double(…)",
            SPAN_ARGS(assign->key));
        return;
    }
    uint32_t number = ++emitter->counter;
    text_add(emitter->text, text_span(&lines));
    emit_check(emitter, &term);
    text_format(emitter->text, "        const %.*s v%u = %.*s;\n",
                SPAN_ARGS(emit_c_type(emitter, term.kind)), number, SPAN_ARGS(term.text));
    text_format(settings, "        self->context.%.*s = v%u;\n", SPAN_ARGS(field->name),
                number);
}

/* All of a group see what was before it. */
static void emit_assigns(struct emitter *emitter, struct range range)
{
    struct text settings;
    text_init(&settings, emitter->arena);
    text_add(emitter->text, SPAN("        {\n"));
    for (uint32_t i = 0; i < range.count; i++) {
        const struct machine_assign *assign = &emitter->machine->assigns[range.first + i];
        if (assign->sees_earlier) {
            text_add(emitter->text, text_span(&settings));
            text_clear(&settings);
        }
        emit_assign(emitter, assign, &settings);
    }
    text_add(emitter->text, text_span(&settings));
    text_add(emitter->text, SPAN("        }\n"));
}

/* An event inside of the machine, with nothing in it. */
static void emit_raise(struct emitter *emitter, const struct machine_action *action)
{
    struct span name;
    const struct value *type = expr_slot_value(action->type);
    bool has_payload = action->data != NULL &&
                       !(action->is_map && expr_slot_is_map(action->data) &&
                         expr_slot_member(action->data, 1, &name, emitter->arena) == NULL);
    if (type == NULL || type->kind != VALUE_STRING || has_payload || action->delay != NULL ||
        action->id_place.size > 0) {
        emit_c_refuse(emitter, action->place,
                      "only an event without delay and payload can be raised in C");
        return;
    }
    emit_c_need(emitter, 'Q', true);
    text_format(emitter->text, "        push(turn, %u);\n",
                machine_find_event(emitter->machine, value_span(*type)));
}

static void emit_call(struct emitter *emitter, const struct machine_action *action)
{
    struct span name = action->name;
    const struct value *type = action->type == NULL ? NULL : expr_slot_value(action->type);
    if (action->kind == ACTION_EMIT && type != NULL && type->kind == VALUE_STRING)
        name = text_print(emitter->arena, "emit %.*s", SPAN_ARGS(value_span(*type)));
    else if (action->kind == ACTION_LOG)
        name = text_print(emitter->arena, "log %.*s", SPAN_ARGS(action->name));
    uint32_t number = emit_c_enumerate(emitter, &emitter->actions, name);
    text_format(emitter->text,
                "        turn->host->act(turn->host->context, self, %.*s_ACTION_%.*s, "
                "turn->event);\n",
                SPAN_ARGS(emitter->upper), SPAN_ARGS(emitter->actions.names[number]));
}

static void emit_actions(struct emitter *emitter, struct range actions);

static uint32_t emit_if(struct emitter *emitter, uint32_t first, uint32_t end)
{
    const struct machine_action *actions = emitter->machine->actions;
    struct c_names names;
    struct text lines;
    struct c_term term = {0};
    struct scope scope = scope_of(emitter, &names, &lines, "        ");
    names.context = &scope;
    uint32_t last = first + actions[first].skip;
    uint32_t stop = last < end ? last : end - 1;
    bool has_else = last < end && last > first && actions[last].kind == ACTION_ELSE;
    uint32_t other = 0;
    if (!guard_term(&scope, actions[first].guard, &term))
        refuse_at(&scope, actions[first].place);
    text_add(emitter->text, SPAN("        {\n"));
    text_add(emitter->text, text_span(&lines));
    if (term.failed.size > 0) {
        need_failure(emitter);
        text_format(emitter->text, "        if (%.*s)\n            (void)fail_guard(turn);\n",
                    SPAN_ARGS(term.failed));
    }
    text_format(emitter->text, "        const bool v%u = %.*s%s%.*s;\n", ++emitter->counter,
                SPAN_ARGS(term.failed.size > 0
                              ? text_print(emitter->arena, "!%.*s", SPAN_ARGS(term.failed))
                              : SPAN("")),
                term.failed.size > 0 ? " && " : "", SPAN_ARGS(term.text));
    text_format(emitter->text, "        if (v%u) {\n", emitter->counter);
    emit_actions(emitter, (struct range){first + 1, stop - first - has_else});
    if (has_else) {
        other = actions[last].skip < end - last - 1 ? actions[last].skip : end - last - 1;
        text_add(emitter->text, SPAN("        } else {\n"));
        emit_actions(emitter, (struct range){last + 1, other});
    }
    text_add(emitter->text, SPAN("        }\n        }\n"));
    return stop + other - first;
}

static uint32_t emit_action(struct emitter *emitter, uint32_t index, uint32_t end)
{
    const struct machine_action *action = &emitter->machine->actions[index];
    static const char *const words[] = {[ACTION_SEND] = "send",
                                        [ACTION_CANCEL] = "cancel",
                                        [ACTION_SPAWN] = "spawn",
                                        [ACTION_STOP] = "stop",
                                        [ACTION_FAIL] = "fail",
                                        [ACTION_FOREACH] = "foreach",
                                        [ACTION_NAMED] = "actions with parameters",
                                        [ACTION_SCRIPT] = "script"};
    switch (action->kind) {
    case ACTION_ASSIGN:
        emit_assigns(emitter, action->assigns);
        return 0;
    case ACTION_RAISE:
        emit_raise(emitter, action);
        return 0;
    case ACTION_LOG:
    case ACTION_EMIT:
    case ACTION_CALL:
        emit_call(emitter, action);
        return 0;
    case ACTION_IF:
        return emit_if(emitter, index, end);
    case ACTION_ELSE:
    case ACTION_BLOCK:
        return 0;
    case ACTION_NAMED:
        if (action->data == NULL) {
            emit_actions(emitter, action->assigns);
            return 0;
        }
        break;
    case ACTION_SEND:
    case ACTION_CANCEL:
    case ACTION_SPAWN:
    case ACTION_STOP:
    case ACTION_FAIL:
    case ACTION_FOREACH:
    case ACTION_SCRIPT:
        break;
    }
    emit_c_refuse(emitter, action->place, "`%s` is not written in C", words[action->kind]);
    return 0;
}

static void emit_actions(struct emitter *emitter, struct range actions)
{
    uint32_t end = actions.first + actions.count;
    for (uint32_t i = actions.first; i < end && !emitter->is_refused; i++)
        i += emit_action(emitter, i, end);
}

/* The W3C's blocks: an error in one does not keep the next from running. */
static void emit_blocks(struct emitter *emitter, struct range actions)
{
    uint32_t end = actions.first + actions.count;
    for (uint32_t from = actions.first; from < end; from++) {
        uint32_t to = from;
        while (to < end && emitter->machine->actions[to].kind != ACTION_BLOCK)
            to++;
        text_add(emitter->text, SPAN("        do {\n"));
        emit_actions(emitter, (struct range){from, to - from});
        text_add(emitter->text, SPAN("        } while (false);\n"));
        from = to;
    }
}

static uint32_t event_of_list(const struct machine *machine, struct range list)
{
    for (uint32_t i = 0; i < machine->transition_count; i++) {
        struct range actions = machine->transitions[i].actions;
        if (actions.first == list.first && actions.count == list.count)
            return event_of(&machine->transitions[i]);
    }
    return EVENT_ID_NONE;
}

static void emit_lists(struct emitter *emitter)
{
    if (emitter->list_count == 0)
        return;
    text_add(emitter->text, SPAN("static bool run(struct turn *turn, int actions)\n{\n"));
    emit_c_names(emitter, "    struct @ *self = turn->self;\n    (void)self;\n");
    text_add(emitter->text, SPAN("    switch (actions) {\n"));
    for (uint32_t i = 0; i < emitter->list_count; i++) {
        text_format(emitter->text, "    case %u: {\n", i + 1);
        emitter->event = event_of_list(emitter->machine, emitter->lists[i]);
        if (emit_c_has(emitter, 'Y'))
            emit_blocks(emitter, emitter->lists[i]);
        else
            emit_actions(emitter, emitter->lists[i]);
        text_add(emitter->text, SPAN("        return true;\n    }\n"));
    }
    text_add(emitter->text, SPAN("    default:\n        return true;\n    }\n}\n\n"));
}

static void emit_invariants(struct emitter *emitter)
{
    const struct machine *machine = emitter->machine;
    if (machine->invariant_count == 0)
        return;
    emitter->event = EVENT_ID_NONE;
    emit_c_names(emitter, "static bool keeps_invariants(struct turn *turn)\n{\n"
                          "    const struct @ *self = turn->self;\n    (void)self;\n");
    for (uint32_t i = 0; i < machine->invariant_count; i++) {
        struct c_names names;
        struct text lines;
        struct c_term term = {0};
        struct scope scope = scope_of(emitter, &names, &lines, "    ");
        names.context = &scope;
        if (!guard_term(&scope, machine->invariants[i], &term))
            refuse_at(&scope, machine->guards[machine->invariants[i]].place);
        text_add(emitter->text, text_span(&lines));
        if (term.failed.size > 0)
            text_format(emitter->text, "    if (%.*s)\n        return false;\n",
                        SPAN_ARGS(term.failed));
        text_format(emitter->text, "    if (!%.*s)\n        return false;\n",
                    SPAN_ARGS(term.text));
    }
    text_add(emitter->text, SPAN("    return true;\n}\n\n"));
}

void emit_c_content(struct emitter *emitter)
{
    emit_guards(emitter);
    emit_lists(emitter);
    emit_invariants(emitter);
}
