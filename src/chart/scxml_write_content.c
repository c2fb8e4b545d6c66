/*
 * scxml_write_content.c - actions, conditions and values as elements and attributes.
 *
 * Actions are a flat list with skips; here they become a tree again. An action that is declared
 * by name is written out where it takes no parameters, since SCXML has no names for
 * actions.
 */
#include "base/ensure.h"
#include "base/json.h"
#include "chart/scxml_writer.h"

/* Values */

static struct span expression_of(struct scxml_writer *writer, const struct expr_slot *slot)
{
    struct text text;
    text_init(&text, writer->arena);
    expr_slot_write(&text, slot);
    writer->has_expressions = true;
    return text_span(&text);
}

static struct value literal_of(const struct expr_slot *slot)
{
    const struct value *literal = expr_slot_value(slot);
    return literal == NULL ? value_error(SPAN("no literal")) : *literal;
}

void scxml_write_text(struct scxml_writer *writer, const char *name,
                      const char *expression_name, const struct expr_slot *slot)
{
    struct value literal = literal_of(slot);
    if (literal.kind == VALUE_STRING)
        markup_text_attribute(&writer->markup, name, value_span(literal));
    else
        markup_text_attribute(&writer->markup, expression_name, expression_of(writer, slot));
}

struct span scxml_print_delay(struct scxml_writer *writer, int64_t delay_ms)
{
    bool is_whole = delay_ms % 1000 == 0;
    return text_print(writer->arena, "%lld%s",
                      (long long)(is_whole ? delay_ms / 1000 : delay_ms),
                      is_whole ? "s" : "ms");
}

void scxml_write_delay(struct scxml_writer *writer, const struct expr_slot *slot,
                       duration_ms delay_ms)
{
    struct value literal = slot == NULL ? value_int(delay_ms) : literal_of(slot);
    if (literal.kind == VALUE_INT && literal.integer >= 0)
        markup_text_attribute(&writer->markup, "delay",
                              scxml_print_delay(writer, literal.integer));
    else
        scxml_write_text(writer, "delay", "delayexpr", slot);
}

void scxml_write_value(struct scxml_writer *writer, const struct expr_slot *slot)
{
    struct value literal = literal_of(slot);
    bool is_tree = literal.kind == VALUE_LIST || literal.kind == VALUE_MAP;
    struct span written = expression_of(writer, slot);
    if (is_tree)
        markup_text_inside(&writer->markup, written);
    else
        markup_text_attribute(&writer->markup, "expr", written);
}

static void write_param(struct scxml_writer *writer, struct span name,
                        const struct expr_slot *slot)
{
    markup_text_open(&writer->markup, "param");
    markup_text_attribute(&writer->markup, "name", name);
    markup_text_attribute(&writer->markup, "expr", expression_of(writer, slot));
    markup_text_close(&writer->markup, "param");
}

/* XState's events are maps with their type in them. */
static void write_params(struct scxml_writer *writer, const struct expr_slot *slot,
                         bool without_type)
{
    struct span name;
    const struct expr_slot *member;
    for (uint32_t i = 0; (member = expr_slot_member(slot, i, &name, writer->arena)) != NULL;
         i++) {
        if (!without_type || !span_is(name, "type"))
            write_param(writer, name, member);
    }
}

void scxml_write_arguments(struct scxml_writer *writer, const struct expr_slot *slot)
{
    if (slot == NULL)
        return;
    if (expr_slot_is_map(slot)) {
        write_params(writer, slot, false);
        return;
    }
    markup_text_open(&writer->markup, "content");
    scxml_write_value(writer, slot);
    markup_text_close(&writer->markup, "content");
}

/* Conditions */

static bool is_plain_name(struct span name)
{
    for (size_t i = 0; i < name.size; i++) {
        char c = name.text[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!is_letter && !(i > 0 && c >= '0' && c <= '9'))
            return false;
    }
    return name.size > 0;
}

static bool is_named(const struct machine *machine, uint32_t guard)
{
    return guard < machine->named_guard_count;
}

/* Whether CEL has words for it: not for parameters, nor for names that are none there. */
static bool is_expression(const struct machine *machine, uint32_t index)
{
    const struct machine_guard *guard = &machine->guards[index];
    if (is_named(machine, index))
        return is_plain_name(guard->name);
    if (guard->kind == GUARD_CALL || guard->kind == GUARD_UNDECLARED)
        return false;
    bool has_guards =
        guard->kind == GUARD_AND || guard->kind == GUARD_OR || guard->kind == GUARD_NOT;
    for (uint32_t i = 0; has_guards && i < guard->part_count; i++) {
        if (!is_expression(machine, guard->parts[i]))
            return false;
    }
    return true;
}

static void add_cel(const struct machine *machine, uint32_t index, struct text *text)
{
    const struct machine_guard *guard = &machine->guards[index];
    if (is_named(machine, index) || guard->kind == GUARD_UNDECLARED ||
        guard->kind == GUARD_CALL || guard->kind == GUARD_EXPRESSION) {
        text_add(text, is_named(machine, index) ? guard->name : guard->text);
        return;
    }
    bool is_any = guard->kind == GUARD_OR;
    if (guard->part_count == 0)
        text_add(text, is_any ? SPAN("false") : SPAN("true"));
    for (uint32_t i = 0; i < guard->part_count; i++) {
        text_add(text, i == 0 ? SPAN("") : is_any ? SPAN(" || ") : SPAN(" && "));
        if (guard->kind == GUARD_IN) {
            text_add(text, SPAN("In("));
            json_write_string(text, machine->states[guard->parts[i]].id);
        } else {
            text_add(text, guard->kind == GUARD_NOT ? SPAN("!(") : SPAN("("));
            add_cel(machine, guard->parts[i], text);
        }
        text_add_byte(text, ')');
    }
}

static void add_own(const struct machine *machine, uint32_t index, struct text *text);

static void add_own_parts(const struct machine *machine, const struct machine_guard *guard,
                          struct text *text)
{
    text_add_byte(text, '[');
    for (uint32_t i = 0; i < guard->part_count; i++) {
        text_add(text, i == 0 ? SPAN("") : SPAN(","));
        add_own(machine, guard->parts[i], text);
    }
    text_add_byte(text, ']');
}

/* {"type":NAME}, with the parameters as an expression. */
static void add_own_call(const struct machine_guard *guard, struct text *text)
{
    text_add(text, SPAN("{\"type\":"));
    json_write_string(text, guard->text);
    if (guard->params != NULL) {
        struct text cel;
        text_init(&cel, text->arena);
        expr_slot_write(&cel, guard->params);
        text_add(text, SPAN(",\"params\":{\"@expr\":"));
        json_write_string(text, text_span(&cel));
        text_add_byte(text, '}');
    }
    text_add_byte(text, '}');
}

/* The guard in our own notation, as JSON. */
static void add_own(const struct machine *machine, uint32_t index, struct text *text)
{
    const struct machine_guard *guard = &machine->guards[index];
    struct text cel;
    if (guard->kind == GUARD_AND || guard->kind == GUARD_OR || guard->kind == GUARD_NOT) {
        text_add(text, guard->kind == GUARD_AND  ? SPAN("{\"and\":")
                       : guard->kind == GUARD_OR ? SPAN("{\"or\":")
                                                 : SPAN("{\"not\":"));
        add_own_parts(machine, guard, text);
        text_add_byte(text, '}');
    } else if (!is_named(machine, index) &&
               (guard->kind == GUARD_CALL || guard->kind == GUARD_UNDECLARED)) {
        add_own_call(guard, text);
    } else {
        text_init(&cel, text->arena);
        add_cel(machine, index, &cel);
        json_write_string(text, text_span(&cel));
    }
}

static bool reads_names(const struct machine *machine, const struct machine_guard *guard)
{
    bool reads =
        guard->need_count > 0 || guard->kind == GUARD_CALL || guard->kind == GUARD_UNDECLARED;
    bool has_guards =
        guard->kind == GUARD_AND || guard->kind == GUARD_OR || guard->kind == GUARD_NOT;
    for (uint32_t i = 0; has_guards && i < guard->part_count && !reads; i++)
        reads = is_named(machine, guard->parts[i]) ||
                reads_names(machine, &machine->guards[guard->parts[i]]);
    return reads;
}

void scxml_write_condition(struct scxml_writer *writer, uint32_t index)
{
    struct text text;
    struct text own;
    if (index == NO_INDEX)
        return;
    const struct machine *machine = writer->machine;
    text_init(&text, writer->arena);
    text_init(&own, writer->arena);
    add_cel(machine, index, &text);
    writer->has_expressions = true;
    markup_text_attribute(&writer->markup, "cond", text_span(&text));
    if (!is_named(machine, index) && !is_expression(machine, index)) {
        add_own(machine, index, &own);
        scxml_write_own(writer, "il:guard", text_span(&own));
    }
    if (is_named(machine, index) || reads_names(machine, &machine->guards[index]))
        scxml_tell(writer, SCXML_OWN_GUARD, machine->guards[index].place);
}

/* Actions */

static void write_assign(struct scxml_writer *writer, const struct machine_assign *assign,
                         bool is_together)
{
    struct markup_text *markup = &writer->markup;
    struct text location;
    text_init(&location, writer->arena);
    text_add(&location, assign->key);
    for (uint32_t i = 0; i < assign->path_count; i++) {
        if (is_plain_name(assign->path[i])) {
            text_format(&location, ".%.*s", SPAN_ARGS(assign->path[i]));
            continue;
        }
        text_add_byte(&location, '[');
        json_write_string(&location, assign->path[i]);
        text_add_byte(&location, ']');
    }
    markup_text_open(markup, "assign");
    markup_text_attribute(markup, "location", text_span(&location));
    if (is_together)
        scxml_write_own(writer, "il:together", SPAN("true"));
    scxml_write_value(writer, assign->slot);
    markup_text_close(markup, "assign");
}

static void write_assigns(struct scxml_writer *writer, struct range range)
{
    for (uint32_t i = 0; i < range.count; i++) {
        const struct machine_assign *assign = &writer->machine->assigns[range.first + i];
        bool is_together = i > 0 && !assign->sees_earlier;
        if (is_together && expr_slot_uses(assign->slot, CHART_CONTEXT))
            scxml_tell(writer, SCXML_TOGETHER, assign->place);
        write_assign(writer, assign, is_together);
    }
}

/* The event of <send> and <il:emit>: its type, and behind the other attributes its payload. */
static void write_type(struct scxml_writer *writer, const struct machine_action *action)
{
    scxml_write_text(writer, "event", "eventexpr", action->type);
}

static void write_payload(struct scxml_writer *writer, const struct machine_action *action)
{
    if (action->data == NULL)
        return;
    if (action->is_map)
        write_params(writer, action->data, true);
    else
        scxml_write_arguments(writer, action->data);
}

/* An event with nothing in it but its type: XState's is a map then too. */
static bool has_payload(struct scxml_writer *writer, const struct machine_action *action)
{
    struct span name;
    return action->data != NULL &&
           !(action->is_map && expr_slot_is_map(action->data) &&
             expr_slot_member(action->data, 1, &name, writer->arena) == NULL);
}

static bool is_plain_raise(struct scxml_writer *writer, const struct machine_action *action)
{
    return action->delay == NULL && action->id.size == 0 && action->id_place.size == 0 &&
           !has_payload(writer, action) && literal_of(action->type).kind == VALUE_STRING;
}

/* XState's target "child" is SCXML's "#_child". */
static void write_receiver(struct scxml_writer *writer, const struct expr_slot *to)
{
    struct value literal = literal_of(to);
    struct span name = literal.kind == VALUE_STRING ? value_span(literal) : SPAN("");
    bool is_bare = writer->machine->semantics == SEMANTICS_XSTATE && name.size > 0 &&
                   name.text[0] != '#' && name.text[0] != '!';
    if (is_bare)
        markup_text_attribute(&writer->markup, "target",
                              text_print(writer->arena, "#_%.*s", SPAN_ARGS(name)));
    else
        scxml_write_text(writer, "target", "targetexpr", to);
}

static void write_send(struct scxml_writer *writer, const struct machine_action *action)
{
    struct markup_text *markup = &writer->markup;
    markup_text_open(markup, "send");
    write_type(writer, action);
    if (action->id.size > 0)
        markup_text_attribute(markup, "id", action->id);
    if (action->id_place.size > 0)
        markup_text_attribute(markup, "idlocation", action->id_place);
    if (action->kind == ACTION_RAISE)
        markup_text_attribute(markup, "target", SPAN("#_internal"));
    else if (action->to != NULL)
        write_receiver(writer, action->to);
    if (action->kind == ACTION_RAISE && writer->machine->semantics == SEMANTICS_SCXML)
        scxml_write_own(writer, "il:raise", SPAN("true"));
    if (action->processor != NULL)
        scxml_write_text(writer, "type", "typeexpr", action->processor);
    if (action->delay != NULL)
        scxml_write_delay(writer, action->delay, 0);
    write_payload(writer, action);
    markup_text_close(markup, "send");
}

static void write_raise(struct scxml_writer *writer, const struct machine_action *action)
{
    if (!is_plain_raise(writer, action)) {
        write_send(writer, action);
        return;
    }
    markup_text_open(&writer->markup, "raise");
    write_type(writer, action);
    markup_text_close(&writer->markup, "raise");
}

static void write_log(struct scxml_writer *writer, const struct machine_action *action)
{
    markup_text_open(&writer->markup, "log");
    if (action->name.size > 0)
        markup_text_attribute(&writer->markup, "label", action->name);
    if (action->data != NULL)
        markup_text_attribute(&writer->markup, "expr", expression_of(writer, action->data));
    markup_text_close(&writer->markup, "log");
}

static void write_cancel(struct scxml_writer *writer, const struct machine_action *action)
{
    markup_text_open(&writer->markup, "cancel");
    scxml_write_text(writer, "sendid", "sendidexpr", action->which);
    markup_text_close(&writer->markup, "cancel");
}

/* Actions that SCXML does not have. */
static void write_own_action(struct scxml_writer *writer, const struct machine_action *action)
{
    struct markup_text *markup = &writer->markup;
    const char *name = action->kind == ACTION_EMIT    ? "il:emit"
                       : action->kind == ACTION_SPAWN ? "il:spawn"
                       : action->kind == ACTION_STOP  ? "il:stop"
                       : action->kind == ACTION_FAIL  ? "il:fail"
                                                      : "il:action";
    writer->has_own = true;
    scxml_tell(writer, SCXML_OWN_ACTION, action->place);
    markup_text_open(markup, name);
    if (action->kind == ACTION_EMIT)
        write_type(writer, action);
    else if (action->kind == ACTION_STOP)
        scxml_write_text(writer, "id", "idexpr", action->which);
    else
        markup_text_attribute(markup,
                              action->kind == ACTION_SPAWN  ? "src"
                              : action->kind == ACTION_FAIL ? "message"
                                                            : "name",
                              action->name);
    if (action->kind == ACTION_SPAWN && action->id.size > 0)
        markup_text_attribute(markup, "id", action->id);
    if (action->kind == ACTION_EMIT)
        write_payload(writer, action);
    else
        scxml_write_arguments(writer, action->data);
    markup_text_close(markup, name);
}

/* A branch ends with a skip over the other one, when there is one. Returns how many actions
 * behind the first belong to it. */
static uint32_t write_if(struct scxml_writer *writer, uint32_t first, uint32_t end)
{
    const struct machine_action *actions = writer->machine->actions;
    uint32_t last = first + actions[first].skip;
    uint32_t stop = last < end ? last : end - 1;
    bool has_else = last < end && last > first && actions[last].kind == ACTION_ELSE;
    markup_text_open(&writer->markup, "if");
    scxml_write_condition(writer, actions[first].guard);
    scxml_write_actions(writer, (struct range){first + 1, stop - first - has_else});
    if (has_else) {
        uint32_t other =
            actions[last].skip < end - last - 1 ? actions[last].skip : end - last - 1;
        markup_text_open(&writer->markup, "else");
        markup_text_close(&writer->markup, "else");
        scxml_write_actions(writer, (struct range){last + 1, other});
        stop += other;
    }
    markup_text_close(&writer->markup, "if");
    return stop - first;
}

static uint32_t write_for_each(struct scxml_writer *writer, uint32_t first)
{
    const struct machine_action *action = &writer->machine->actions[first];
    struct markup_text *markup = &writer->markup;
    markup_text_open(markup, "foreach");
    markup_text_attribute(markup, "array", expression_of(writer, action->data));
    markup_text_attribute(markup, "item", action->name);
    if (action->index.size > 0)
        markup_text_attribute(markup, "index", action->index);
    scxml_write_actions(writer, (struct range){first + 1, action->skip});
    markup_text_close(markup, "foreach");
    return action->skip;
}

/* One action; how many behind it belong to it. */
static uint32_t write_action(struct scxml_writer *writer, uint32_t index, uint32_t end)
{
    const struct machine_action *action = &writer->machine->actions[index];
    switch (action->kind) {
    case ACTION_ASSIGN:
        write_assigns(writer, action->assigns);
        return 0;
    case ACTION_RAISE:
        write_raise(writer, action);
        return 0;
    case ACTION_SEND:
        write_send(writer, action);
        return 0;
    case ACTION_CANCEL:
        write_cancel(writer, action);
        return 0;
    case ACTION_LOG:
        write_log(writer, action);
        return 0;
    case ACTION_NAMED:
        if (action->data == NULL)
            scxml_write_actions(writer, action->assigns);
        else
            write_own_action(writer, action);
        return 0;
    case ACTION_EMIT:
    case ACTION_CALL:
    case ACTION_SPAWN:
    case ACTION_STOP:
    case ACTION_FAIL:
        write_own_action(writer, action);
        return 0;
    case ACTION_IF:
        return write_if(writer, index, end);
    case ACTION_FOREACH:
        return write_for_each(writer, index);
    case ACTION_ELSE:
        return 0;
    case ACTION_SCRIPT:
        never(); /* a machine that has scripts is refused before */
    case ACTION_BLOCK:
        scxml_tell(writer, SCXML_BLOCKS, action->place);
        return 0;
    }
    never();
}

void scxml_write_actions(struct scxml_writer *writer, struct range actions)
{
    uint32_t end = actions.first + actions.count;
    for (uint32_t i = actions.first; i < end; i++)
        i += write_action(writer, i, end);
}

void scxml_write_blocks(struct scxml_writer *writer, struct range actions, const char *name)
{
    uint32_t end = actions.first + actions.count;
    for (uint32_t from = actions.first; from < end;) {
        uint32_t to = from;
        while (to < end && writer->machine->actions[to].kind != ACTION_BLOCK)
            to++;
        markup_text_open(&writer->markup, name);
        scxml_write_actions(writer, (struct range){from, to - from});
        markup_text_close(&writer->markup, name);
        from = to + 1;
    }
}
