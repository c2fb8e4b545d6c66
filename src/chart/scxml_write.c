/*
 * scxml_write.c - states, transitions, invocations and data as elements.
 *
 * <scxml> itself can neither react nor act, so a root that does becomes a state in it. Delays
 * are what the W3C makes of them, a <send> on entry and a <cancel> on exit, which our loader
 * passes over because the transition tells the delay. Expressions are CEL as it stands in
 * the definition; a machine without any has the null datamodel, which every program knows.
 */
#include "chart/scxml_write.h"

#include "base/ensure.h"
#include "base/json.h"
#include "chart/scxml.h"
#include "chart/scxml_writer.h"

void scxml_tell(struct scxml_writer *writer, enum scxml_difference difference,
                struct place place)
{
#define DIFFERENCE_TEXT(name, text) [SCXML_##name] = text,
    static const char *const texts[] = {SCXML_DIFFERENCE_LIST(DIFFERENCE_TEXT)};
#undef DIFFERENCE_TEXT
    if (!writer->is_told[difference])
        diagnostics_add(writer->diagnostics, SEVERITY_WARNING, "IL0106", place, "%s",
                        texts[difference]);
    writer->is_told[difference] = true;
}

void scxml_write_own(struct scxml_writer *writer, const char *name, struct span value)
{
    writer->has_own = true;
    markup_text_attribute(&writer->markup, name, value);
}

/* Ids */

static bool is_name_byte(char byte, bool is_first)
{
    bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                     byte == '_' || (unsigned char)byte >= 0x80;
    return is_letter ||
           (!is_first && ((byte >= '0' && byte <= '9') || byte == '-' || byte == '.'));
}

/* What XML takes for an id. */
static bool is_xml_id(struct span id)
{
    for (size_t i = 0; i < id.size; i++) {
        if (!is_name_byte(id.text[i], i == 0))
            return false;
    }
    return id.size > 0;
}

static bool is_taken(const struct machine *machine, struct span id)
{
    for (uint32_t i = 0; i < machine->state_count; i++) {
        if (span_equal(machine->states[i].id, id))
            return true;
    }
    return false;
}

static struct span id_of(struct scxml_writer *writer, uint32_t state)
{
    const struct machine *machine = writer->machine;
    struct span id = machine->states[state].id;
    bool is_twice = state == 0;
    for (uint32_t i = 1; state == 0 && is_twice; i++)
        if (i == machine->state_count || span_equal(machine->states[i].id, id)) {
            is_twice = i < machine->state_count;
            break;
        }
    if (is_xml_id(id) && !is_twice)
        return id;
    id = text_print(writer->arena, "s%u", state);
    while (is_taken(machine, id))
        id = text_print(writer->arena, "%.*s_", SPAN_ARGS(id));
    return id;
}

/* Invocations */

static void write_source(struct scxml_writer *writer, const struct machine_invoke *invoke)
{
    struct markup_text *markup = &writer->markup;
    if (writer->machine->semantics == SEMANTICS_SCXML) {
        if (invoke->type != NULL)
            scxml_write_text(writer, "type", "typeexpr", invoke->type);
        if (invoke->src_slot != NULL)
            scxml_write_text(writer, "src", "srcexpr", invoke->src_slot);
        return;
    }
    markup_text_attribute(markup, "type", SPAN("urn:interlock:step"));
    markup_text_attribute(markup, "src", invoke->src);
    scxml_tell(writer, SCXML_INVOKE, invoke->place);
}

/* A document inside of a document is written as it is. */
static void write_document(struct scxml_writer *writer, const struct expr_slot *content)
{
    const struct value *value = expr_slot_value(content);
    struct span text =
        value != NULL && value->kind == VALUE_STRING ? value_span(*value) : SPAN("");
    bool is_document =
        span_starts_with(text, SPAN("<scxml")) && span_ends_with(text, SPAN(">"));
    struct markup_text *markup = &writer->markup;
    markup_text_open(markup, "content");
    if (is_document)
        markup_text_finished(markup, text);
    else
        scxml_write_value(writer, content);
    markup_text_close(markup, "content");
}

static void write_timeout(struct scxml_writer *writer, uint32_t index)
{
    const struct machine *machine = writer->machine;
    struct range timers = machine->states[machine->invokes[index].state].timers;
    for (uint32_t i = timers.first; i < timers.first + timers.count; i++) {
        if (machine->timers[i].invoke == index)
            scxml_write_own(writer, "il:timeout", scxml_delay_key(writer, &machine->timers[i]));
    }
}

static void write_invoke(struct scxml_writer *writer, uint32_t index)
{
    const struct machine_invoke *invoke = &writer->machine->invokes[index];
    struct markup_text *markup = &writer->markup;
    markup_text_open(markup, "invoke");
    if (invoke->id_place.size > 0)
        markup_text_attribute(markup, "idlocation", invoke->id_place);
    else
        markup_text_attribute(markup, "id", invoke->id);
    write_source(writer, invoke);
    write_timeout(writer, index);
    if (invoke->forwards)
        markup_text_attribute(markup, "autoforward", SPAN("true"));
    if (invoke->content != NULL)
        write_document(writer, invoke->content);
    scxml_write_arguments(writer, invoke->input);
    if (invoke->finalize.count > 0) {
        markup_text_open(markup, "finalize");
        scxml_write_actions(writer, invoke->finalize);
        markup_text_close(markup, "finalize");
    }
    markup_text_close(markup, "invoke");
}

/* What only our notation has */

static bool is_listed(struct span key, const char *const *keys)
{
    while (*keys != NULL && !span_is(key, *keys))
        keys++;
    return *keys != NULL;
}

/* Some members of a part of the definition, and those that stand apart from it; NULL: none. */
static void write_more(struct scxml_writer *writer, struct value part, const char *const *keys,
                       const struct node *const *apart)
{
    bool is_map = part.kind == VALUE_MAP;
    struct value_entry *kept = arena_new_array(
        writer->arena, (is_map ? part.count : 0) + MACHINE_APART_COUNT, struct value_entry);
    struct text json;
    uint32_t count = 0;
    for (uint32_t i = 0; is_map && i < part.count; i++) {
        if (is_listed(value_span(part.entries[i].key), keys))
            kept[count++] = part.entries[i];
    }
    for (uint32_t i = 0; apart != NULL && i < MACHINE_APART_COUNT; i++) {
        if (apart[i] != NULL)
            kept[count++] = (struct value_entry){value_string(machine_apart[i]),
                                                 node_value(apart[i], writer->arena)};
    }
    if (count == 0)
        return;
    text_init(&json, writer->arena);
    json_write(&json, value_map(kept, count));
    writer->has_own = true;
    markup_text_open(&writer->markup, "il:more");
    markup_text_inside(&writer->markup, text_span(&json));
    markup_text_close(&writer->markup, "il:more");
}

/* States */

static const char *element_of(enum state_type type)
{
    static const char *const names[] = {[STATE_ATOMIC] = "state",
                                        [STATE_COMPOUND] = "state",
                                        [STATE_PARALLEL] = "parallel",
                                        [STATE_FINAL] = "final",
                                        [STATE_HISTORY] = "history"};
    return names[type];
}

static void write_state(struct scxml_writer *writer, uint32_t state, struct value part);

static void write_children(struct scxml_writer *writer, uint32_t state, struct value part)
{
    const struct machine_state *states = writer->machine->states;
    struct value parts = value_member(part, SPAN("states"));
    for (uint32_t child = state + 1; child < states[state].end; child = states[child].end)
        write_state(writer, child, value_member(parts, states[child].key));
}

/* As an attribute, or with what happens then as an element. */
static void write_initial_element(struct scxml_writer *writer, uint32_t state)
{
    const struct machine_transition *initial =
        &writer->machine->transitions[writer->machine->states[state].initial];
    markup_text_open(&writer->markup, "initial");
    markup_text_open(&writer->markup, "transition");
    scxml_write_targets(writer, initial->targets, "target");
    scxml_write_actions(writer, initial->actions);
    markup_text_close(&writer->markup, "transition");
    markup_text_close(&writer->markup, "initial");
}

static bool has_initial_actions(const struct machine *machine, uint32_t state)
{
    uint32_t initial = machine->states[state].initial;
    return machine->states[state].type == STATE_COMPOUND &&
           machine->transitions[initial].actions.count > 0;
}

static void write_initial(struct scxml_writer *writer, uint32_t state)
{
    const struct machine *machine = writer->machine;
    if (machine->states[state].type == STATE_COMPOUND && !has_initial_actions(machine, state))
        scxml_write_targets(
            writer, machine->transitions[machine->states[state].initial].targets, "initial");
}

/* SCXML wants a default; with XState's rules it may be what the parent enters by default. */
static void write_history(struct scxml_writer *writer, uint32_t history)
{
    const struct machine *machine = writer->machine;
    const struct machine_state *states = machine->states;
    uint32_t parent = states[history].parent;
    uint32_t initial = states[history].initial;
    struct markup_text *markup = &writer->markup;
    markup_text_attribute(markup, "type",
                          states[history].is_deep ? SPAN("deep") : SPAN("shallow"));
    markup_text_open(markup, "transition");
    if (initial != NO_INDEX) {
        scxml_write_targets(writer, machine->transitions[initial].targets, "target");
    } else {
        uint32_t *regions = arena_new_array(writer->arena, machine->state_count, uint32_t);
        uint32_t count = 0;
        for (uint32_t s = parent + 1; s < states[parent].end; s = states[s].end) {
            if (states[s].type != STATE_HISTORY)
                regions[count++] = s;
        }
        scxml_write_ids(writer, regions, count, "target");
    }
    if (initial == NO_INDEX || initial == states[parent].initial)
        scxml_write_own(writer, "il:implied", SPAN("true"));
    else
        scxml_write_actions(writer, machine->transitions[initial].actions);
    markup_text_close(markup, "transition");
}

static void write_done_data(struct scxml_writer *writer, const struct expr_slot *output)
{
    if (output == NULL)
        return;
    markup_text_open(&writer->markup, "donedata");
    scxml_write_arguments(writer, output);
    markup_text_close(&writer->markup, "donedata");
}

/* What stands in a state's element, its own attributes written. */
static void write_parts(struct scxml_writer *writer, uint32_t index, struct value part)
{
    const struct machine_state *state = &writer->machine->states[index];
    write_initial(writer, index);
    if (has_initial_actions(writer->machine, index))
        write_initial_element(writer, index);
    scxml_write_timers(writer, state->timers);
    scxml_write_blocks(writer, state->entry, "onentry");
    scxml_write_blocks(writer, state->exit, "onexit");
    for (uint32_t i = 0; i < state->invokes.count; i++)
        write_invoke(writer, state->invokes.first + i);
    scxml_write_transitions(writer, index);
    if (state->type == STATE_FINAL)
        write_done_data(writer, state->output);
    write_children(writer, index, part);
}

static void write_names(struct scxml_writer *writer, uint32_t index)
{
    const struct machine_state *state = &writer->machine->states[index];
    markup_text_attribute(&writer->markup, "id", writer->ids[index]);
    if (!span_equal(state->id, writer->ids[index]))
        scxml_write_own(writer, "il:id", state->id);
    if (index > 0 && !span_equal(state->key, state->id))
        scxml_write_own(writer, "il:key", state->key);
}

static void write_state(struct scxml_writer *writer, uint32_t index, struct value part)
{
    static const char *const keys[] = {"tags", "description", "meta", "key", "order", NULL};
    const char *name = element_of(writer->machine->states[index].type);
    markup_text_open(&writer->markup, name);
    write_names(writer, index);
    if (writer->machine->states[index].type == STATE_HISTORY) {
        write_history(writer, index);
        write_more(writer, part, keys, NULL);
    } else {
        /* The attributes come first, so `initial` does too. */
        write_parts(writer, index, part);
        write_more(writer, part, keys, NULL);
    }
    markup_text_close(&writer->markup, name);
}

/* The root */

/* <scxml> can only enter a state: whatever else the root does needs a state of its own. */
static bool needs_root(const struct machine *machine)
{
    const struct machine_state *root = &machine->states[0];
    bool needs = root->type != STATE_COMPOUND || root->entry.count > 0 ||
                 root->exit.count > 0 || root->invokes.count > 0 || root->timers.count > 0 ||
                 has_initial_actions(machine, 0);
    for (uint32_t i = 0; i < machine->transition_count && !needs; i++) {
        const struct machine_transition *transition = &machine->transitions[i];
        bool reacts = transition->event != NO_INDEX && transition->source == 0;
        needs = reacts;
        for (uint32_t t = 0; t < transition->targets.count; t++)
            needs = needs || (transition->event != NO_INDEX &&
                              machine->targets[transition->targets.first + t] == 0);
    }
    return needs;
}

/* With the state that stands for the root everything has to end. */
static void write_end(struct scxml_writer *writer, bool is_transition)
{
    struct markup_text *markup = &writer->markup;
    struct span id = text_print(writer->arena, "%.*s.end", SPAN_ARGS(writer->ids[0]));
    const char *name = is_transition ? "transition" : "final";
    while (is_taken(writer->machine, id))
        id = text_print(writer->arena, "%.*s_", SPAN_ARGS(id));
    markup_text_open(markup, name);
    if (is_transition)
        markup_text_attribute(
            markup, "event",
            text_print(writer->arena, "done.state.%.*s", SPAN_ARGS(writer->ids[0])));
    markup_text_attribute(markup, is_transition ? "target" : "id", id);
    scxml_write_own(writer, "il:implied", SPAN("true"));
    markup_text_close(markup, name);
}

static void write_root(struct scxml_writer *writer, struct value definition)
{
    enum state_type type = writer->machine->states[0].type;
    const char *name = element_of(type);
    bool ends = type == STATE_COMPOUND || type == STATE_PARALLEL;
    if (!writer->has_root) {
        write_children(writer, 0, definition);
        return;
    }
    markup_text_open(&writer->markup, name);
    write_names(writer, 0);
    scxml_write_own(writer, "il:root", SPAN("true"));
    write_parts(writer, 0, definition);
    if (ends)
        write_end(writer, true);
    markup_text_close(&writer->markup, name);
    if (ends)
        write_end(writer, false);
}

/* Data */

struct name_list {
    struct span *names;
    uint32_t count;
    uint32_t capacity;
};

static void add_name(struct scxml_writer *writer, struct name_list *list, struct span name)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (span_equal(list->names[i], name))
            return;
    }
    if (name.size == 0)
        return;
    if (list->count == list->capacity) {
        uint32_t larger = list->capacity == 0 ? 16 : list->capacity * 2;
        struct span *names = arena_new_array(writer->arena, larger, struct span);
        for (uint32_t i = 0; i < list->count; i++)
            names[i] = list->names[i];
        list->names = names;
        list->capacity = larger;
    }
    list->names[list->count++] = name;
}

/* By the W3C's rules it would be another name when it is read back. */
static void refuse_blanks(struct scxml_writer *writer, struct span name, struct place place)
{
    if (writer->machine->semantics == SEMANTICS_SCXML && !span_equal(span_trim(name), name))
        diagnostics_add(writer->diagnostics, SEVERITY_ERROR, "IL0106", place,
                        "as SCXML: the name `%.*s` has blanks around it", SPAN_ARGS(name));
}

/* All that is ever assigned to: other programs know no variable that is not declared. */
static void find_names(struct scxml_writer *writer, struct name_list *list)
{
    const struct machine *machine = writer->machine;
    for (uint32_t i = 0; i < machine->context_count; i++)
        add_name(writer, list, machine->context[i].key);
    for (uint32_t i = 0; i < machine->declared_count; i++)
        add_name(writer, list, machine->declared[i]);
    for (uint32_t i = 0; machine->semantics == SEMANTICS_XSTATE && i < machine->action_count;
         i++) {
        const struct machine_action *action = &machine->actions[i];
        for (uint32_t j = 0; action->kind == ACTION_ASSIGN && j < action->assigns.count; j++)
            add_name(writer, list, machine->assigns[action->assigns.first + j].key);
        if (action->kind == ACTION_FOREACH) {
            add_name(writer, list, action->name);
            add_name(writer, list, action->index);
        }
    }
}

static void write_data(struct scxml_writer *writer)
{
    const struct machine *machine = writer->machine;
    struct name_list list = {0};
    find_names(writer, &list);
    if (list.count == 0)
        return;
    markup_text_open(&writer->markup, "datamodel");
    for (uint32_t i = 0; i < list.count; i++) {
        refuse_blanks(writer, list.names[i],
                      i < machine->context_count ? machine->context[i].place
                                                 : machine->states[0].place);
        markup_text_open(&writer->markup, "data");
        markup_text_attribute(&writer->markup, "id", list.names[i]);
        if (i < machine->context_count)
            scxml_write_value(writer, machine->context[i].slot);
        markup_text_close(&writer->markup, "data");
    }
    markup_text_close(&writer->markup, "datamodel");
    writer->has_expressions = true;
}

static void write_run(struct scxml_writer *writer)
{
    if (writer->machine->run.count == 0)
        return;
    writer->has_own = true;
    scxml_tell(writer, SCXML_RUN, writer->machine->states[0].place);
    markup_text_open(&writer->markup, "il:run");
    scxml_write_actions(writer, writer->machine->run);
    markup_text_close(&writer->markup, "il:run");
}

/* The document */

/* Whether a part of a state that is no state itself has a description. */
static bool has_notes(struct value value)
{
    bool found = value_find(value, SPAN("description")) != NULL ||
                 value_find(value, SPAN("meta")) != NULL;
    for (uint32_t i = 0; value.kind == VALUE_LIST && i < value.count && !found; i++)
        found = has_notes(value.items[i]);
    for (uint32_t i = 0; value.kind == VALUE_MAP && i < value.count && !found; i++)
        found = has_notes(value.entries[i].value);
    return found;
}

static bool loses_notes(struct value state)
{
    static const char *const parts[] = {"on",    "always", "after",  "invoke", "onDone",
                                        "entry", "exit",   "choice", NULL};
    struct value states = value_member(state, SPAN("states"));
    for (size_t i = 0; parts[i] != NULL; i++) {
        if (has_notes(value_member(state, span_from_text(parts[i]))))
            return true;
    }
    for (uint32_t i = 0; states.kind == VALUE_MAP && i < states.count; i++) {
        if (loses_notes(states.entries[i].value))
            return true;
    }
    return false;
}

static void write_body(struct scxml_writer *writer, struct value definition)
{
    static const char *const keys[] = {
        "version",   "description", "meta",    "tags",           "guards", "__guards",
        "actions",   "__actions",   "delays",  "__delays",       "events", "invariants",
        "input",     "schemas",     "actors",  "__actors",       "order",  "actorSources",
        "output",    "key",         "$schema", "internalEvents", "route",  "maxIterations",
        "@exprLang", "machines",    NULL};
    write_more(writer, definition, keys, writer->machine->apart);
    write_data(writer);
    write_run(writer);
    write_root(writer, definition);
}

static void write_document_head(struct scxml_writer *writer, struct markup_text *markup)
{
    const struct machine *machine = writer->machine;
    text_add(markup->text, SPAN("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"));
    markup_text_open(markup, "scxml");
    markup_text_attribute(markup, "xmlns", SPAN("http://www.w3.org/2005/07/scxml"));
    if (writer->has_own)
        markup_text_attribute(markup, "xmlns:il", SPAN(SCXML_OWN_SPACE));
    markup_text_attribute(markup, "version", SPAN("1.0"));
    markup_text_attribute(markup, "name", machine->id);
    markup_text_attribute(markup, "datamodel",
                          writer->has_expressions ? SPAN("cel") : SPAN("null"));
    if (machine->semantics == SEMANTICS_XSTATE)
        markup_text_attribute(markup, "il:semantics", SPAN("xstate"));
    struct text *body = writer->markup.text;
    writer->markup.text = markup->text;
    if (writer->has_root)
        markup_text_attribute(markup, "initial", writer->ids[0]);
    else
        write_initial(writer, 0);
    writer->markup.text = body;
}

void scxml_write(const struct machine *machine, struct arena *arena, struct text *text,
                 struct diagnostics *diagnostics)
{
    struct value definition = value_null();
    struct json_error error;
    struct text body;
    if (machine->has_scripts || machine->derivation != NULL) {
        diagnostics_add(diagnostics, SEVERITY_ERROR, "IL0106", machine->states[0].place,
                        machine->has_scripts ? "ECMAScript is not written as SCXML"
                                             : "SCXML has no states that follow from a record");
        return;
    }
    struct span *ids = arena_new_array(arena, machine->state_count, struct span);
    struct scxml_writer writer = {
        .machine = machine, .arena = arena, .diagnostics = diagnostics, .ids = ids};
    ensure(json_read(machine->definition, arena, &definition, &error) == STATUS_OK);
    text_init(&body, arena);
    for (uint32_t i = 0; i < machine->state_count; i++)
        ids[i] = id_of(&writer, i);
    while (writer.next < machine->transition_count &&
           machine->transitions[writer.next].event == NO_INDEX)
        writer.next++; /* those stand first, and belong to their states */
    refuse_blanks(&writer, machine->id, machine->states[0].place);
    writer.has_root = needs_root(machine);
    writer.has_own = machine->semantics == SEMANTICS_XSTATE;
    writer.markup = (struct markup_text){.text = &body, .depth = 1};
    write_body(&writer, definition);
    if (loses_notes(definition))
        scxml_tell(&writer, SCXML_NOTES, machine->states[0].place);
    struct markup_text markup = {.text = text};
    write_document_head(&writer, &markup);
    text_add(text, SPAN(">\n"));
    text_add(text, text_span(&body));
    text_add(text, SPAN("</scxml>\n"));
    if (writer.markup.is_broken || markup.is_broken)
        diagnostics_add(diagnostics, SEVERITY_ERROR, "IL0106", machine->states[0].place,
                        "a name or a text has characters for which XML has no form");
}
