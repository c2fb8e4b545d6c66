/*
 * scxml.c - the states, transitions and data of an SCXML document as a definition.
 *
 * Names of states are unique in a document, so every target becomes `#id`. States without an
 * id get one made up. With early binding all data is the machine's context, as it stands in
 * the document; with late binding a state's data is set when the state is first entered, by
 * entry actions before its own.
 */
#include "chart/scxml.h"

#include "base/limits.h"
#include "chart/scxml_converter.h"

static const char SPACE[] = "http://www.w3.org/2005/07/scxml";

bool scxml_is_document(struct span text)
{
    struct span rest = text;
    if (span_starts_with(rest, SPAN("\xef\xbb\xbf")))
        rest = span_slice(rest, 3, rest.size);
    return span_starts_with(span_trim(rest), SPAN("<"));
}

/* Documents without any namespace are read too: children inside of others often have none. */
bool scxml_is(const struct markup *markup, const char *name)
{
    return span_is(markup->name, name) &&
           (markup->space.size == 0 || span_is(markup->space, SPACE));
}

bool scxml_is_state(const struct markup *markup)
{
    return scxml_is(markup, "state") || scxml_is(markup, "parallel") ||
           scxml_is(markup, "final") || scxml_is(markup, "history");
}

const struct markup *scxml_find_child(const struct markup *element, const char *name)
{
    const struct markup *child = element->children;
    while (child != NULL && !scxml_is(child, name))
        child = child->next;
    return child;
}

static bool has_id(const struct scxml_converter *converter, struct span id)
{
    for (uint32_t i = 0; i < converter->id_count; i++) {
        if (span_equal(converter->ids[i], id))
            return true;
    }
    return false;
}

struct span scxml_name(const struct scxml_converter *converter, struct span name)
{
    return converter->semantics == SEMANTICS_XSTATE ? name : span_trim(name);
}

/* All the ids and variables there are, before anything refers to them. */
static void collect(struct scxml_converter *converter, const struct markup *element)
{
    const struct markup *child = element->children;
    for (; child != NULL; child = child->next) {
        struct span id = span_trim(markup_value(child, "id"));
        if (scxml_is_state(child) && id.size > 0 && converter->id_count < STATES_MAX) {
            struct span own = scxml_own_value(child, "id");
            converter->ids[converter->id_count] = id;
            converter->own_ids[converter->id_count++] = own.size > 0 ? own : id;
            converter->has_own_ids |= own.size > 0;
        }
        if (scxml_is(child, "data") && id.size > 0)
            scxml_declare(converter, scxml_name(converter, markup_value(child, "id")));
        if (scxml_is_state(child) || scxml_is(child, "datamodel"))
            collect(converter, child);
    }
}

/* The id of a state, made up where it has none: by the order of the document, so that the same
 * state always has the same one. */
static struct span state_id(struct scxml_converter *converter, const struct markup *state)
{
    struct span id = scxml_own_id(converter, span_trim(markup_value(state, "id")));
    while (id.size == 0) {
        id = text_print(converter->arena, "%.*s_%u", SPAN_ARGS(state->name),
                        ++converter->ids_made_up);
        if (has_id(converter, id))
            id = SPAN("");
    }
    return id;
}

const struct node *scxml_targets(struct scxml_converter *converter, struct span ids,
                                 struct place place)
{
    struct scxml_list list = {.place = place};
    struct span word;
    while ((word = scxml_next_word(&ids)).size > 0) {
        struct span id = scxml_own_id(converter, word);
        struct span target = text_print(converter->arena, "#%.*s", SPAN_ARGS(id));
        scxml_list_add(converter, &list, scxml_string(converter, target, place));
    }
    return scxml_list_node(converter, &list);
}

/* `foo.*` and `foo.` are `foo`; XState tells them apart. */
struct span scxml_events(struct scxml_converter *converter, const struct markup *transition)
{
    struct text events;
    struct span rest = markup_value(transition, "event");
    struct span word;
    text_init(&events, converter->arena);
    if (converter->semantics == SEMANTICS_XSTATE)
        return rest;
    while ((word = scxml_next_word(&rest)).size > 0) {
        if (span_ends_with(word, SPAN(".*")))
            word = span_slice(word, 0, word.size - 2);
        while (span_ends_with(word, SPAN(".")))
            word = span_slice(word, 0, word.size - 1);
        if (events.size > 0)
            text_add_byte(&events, ' ');
        text_add(&events, word.size == 0 ? SPAN("*") : word);
    }
    return text_span(&events);
}

/* With the root, since nothing can be entered together with what it lies in. */
static const struct node *broken_targets(struct scxml_converter *converter, struct span ids,
                                         struct place place)
{
    struct scxml_list list = {.place = place};
    const struct node *targets = scxml_targets(converter, ids, place);
    for (uint32_t i = 0; i < targets->count; i++)
        scxml_list_add(converter, &list, targets->items[i]);
    scxml_list_add(
        converter, &list,
        scxml_string(converter,
                     text_print(converter->arena, "#%.*s", SPAN_ARGS(converter->name)), place));
    return scxml_list_node(converter, &list);
}

const struct node *scxml_transition(struct scxml_converter *converter,
                                    const struct markup *element)
{
    struct scxml_map map = {.place = element->place};
    const struct markup_attribute *target = markup_find(element, "target");
    struct span own_target = scxml_own_value(element, "target");
    bool is_xstate = converter->semantics == SEMANTICS_XSTATE;
    scxml_map_add(converter, &map, SPAN("guard"), scxml_condition(converter, element));
    if (own_target.size > 0)
        scxml_map_add(converter, &map, SPAN("target"),
                      scxml_string(converter, own_target, element->place));
    else if (target != NULL && span_is(scxml_own_value(element, "broken"), "true"))
        scxml_map_add(converter, &map, SPAN("target"),
                      broken_targets(converter, target->value, target->place));
    else if (target != NULL)
        scxml_map_add(converter, &map, SPAN("target"),
                      scxml_targets(converter, target->value, target->place));
    if (!is_xstate && span_is(markup_value(element, "type"), "internal"))
        scxml_map_add(converter, &map, SPAN("internal"), scxml_true(converter, element->place));
    if (span_is(scxml_own_value(element, "reenter"), "true"))
        scxml_map_add(converter, &map, SPAN("reenter"), scxml_true(converter, element->place));
    scxml_map_add(converter, &map, SPAN("actions"), scxml_actions(converter, element));
    return scxml_map_node(converter, &map);
}

/* A variable's first value: its expression, a file, or what stands inside; undefined when there
 * is nothing, and then NULL. */
static const struct node *data_value(struct scxml_converter *converter,
                                     const struct markup *data)
{
    const struct markup_attribute *src = markup_find(data, "src");
    struct span text;
    if (markup_find(data, "expr") != NULL)
        return scxml_slot_or_none(converter, data, "expr");
    if (src == NULL)
        return data->children == NULL ? NULL : scxml_inline(converter, data);
    if (scxml_read_file(converter, src->value, &text))
        return scxml_parsed(converter, text, src->place);
    diagnostics_add(converter->diagnostics, SEVERITY_WARNING, "IL0105", src->place,
                    "`%.*s` cannot be read", SPAN_ARGS(src->value));
    return scxml_failure(converter, SPAN("its file cannot be read"), src->place);
}

/* All variables below, those of states too. */
static void add_context(struct scxml_converter *converter, const struct markup *element,
                        struct scxml_map *context)
{
    const struct markup *child = element->children;
    for (; child != NULL; child = child->next) {
        if (scxml_is(child, "data"))
            scxml_map_add(converter, context, scxml_name(converter, markup_value(child, "id")),
                          data_value(converter, child));
        else if (scxml_is(child, "datamodel") ||
                 (scxml_is_state(child) && !converter->binds_late))
            add_context(converter, child, context);
    }
}

/* Late binding: {if: "!has(context.x)", then: [{assign: {x: …}}]} */
static void add_late_data(struct scxml_converter *converter, const struct markup *data,
                          struct scxml_list *blocks)
{
    struct scxml_list block = {.place = data->place};
    struct scxml_list then = {.place = data->place};
    struct scxml_map choice = {.place = data->place};
    struct span id = span_trim(markup_value(data, "id"));
    const struct node *value = data_value(converter, data);
    if (value == NULL)
        return;
    struct span absent = text_print(converter->arena, "!has(context.%.*s)", SPAN_ARGS(id));
    scxml_list_add(converter, &then, scxml_assign(converter, id, data->place, value));
    scxml_map_add(converter, &choice, SPAN("if"), scxml_string(converter, absent, data->place));
    scxml_map_add(converter, &choice, SPAN("then"), scxml_list_node(converter, &then));
    scxml_list_add(converter, &block, scxml_map_node(converter, &choice));
    scxml_list_add(converter, blocks, scxml_list_node(converter, &block));
}

/* Every <onentry> or <onexit> is a block of its own. */
static const struct node *convert_blocks(struct scxml_converter *converter,
                                         const struct markup *state, const char *name)
{
    struct scxml_list blocks = {.place = state->place};
    const struct markup *datamodel = scxml_find_child(state, "datamodel");
    if (converter->binds_late && datamodel != NULL && strcmp(name, "onentry") == 0) {
        const struct markup *data = datamodel->children;
        for (; data != NULL; data = data->next) {
            if (scxml_is(data, "data"))
                add_late_data(converter, data, &blocks);
        }
    }
    const struct markup *child = state->children;
    for (; child != NULL; child = child->next) {
        if (scxml_is(child, name) && !scxml_is_implied(child))
            scxml_list_add(converter, &blocks, scxml_actions(converter, child));
    }
    return blocks.count == 0 ? NULL : scxml_list_node(converter, &blocks);
}

/* With XState's rules the state that is entered first is named by its key, in its parent. */
static const struct node *initial_key(struct scxml_converter *converter,
                                      const struct markup *parent, struct span id,
                                      struct place place)
{
    const struct markup *child = parent->children;
    struct span key = scxml_own_id(converter, id);
    for (; child != NULL; child = child->next) {
        struct span own = scxml_own_value(child, "key");
        if (scxml_is_state(child) && span_equal(markup_value(child, "id"), id) && own.size > 0)
            key = own;
    }
    return scxml_string(converter, key, place);
}

static const struct node *initial_targets(struct scxml_converter *converter,
                                          const struct markup *parent, struct span ids,
                                          struct place place)
{
    return converter->semantics == SEMANTICS_XSTATE
               ? initial_key(converter, parent, span_trim(ids), place)
               : scxml_targets(converter, ids, place);
}

/* The one transition of <initial> and <history>: {target, actions}. */
static void add_default(struct scxml_converter *converter, const struct markup *parent,
                        const struct markup *state, struct scxml_map *map)
{
    const struct markup *transition = scxml_find_child(parent, "transition");
    const struct markup_attribute *target =
        transition == NULL ? NULL : markup_find(transition, "target");
    if (target == NULL) {
        scxml_error(converter, "IL0103", parent->place,
                    "`<%.*s>` needs a transition with a target", SPAN_ARGS(parent->name));
        return;
    }
    if (scxml_is_implied(transition))
        return;
    scxml_map_add(converter, map, SPAN("target"),
                  scxml_is(parent, "history")
                      ? scxml_targets(converter, target->value, target->place)
                      : initial_targets(converter, state, target->value, target->place));
    scxml_map_add(converter, map, SPAN("actions"), scxml_actions(converter, transition));
}

/* `initial`, <initial>, or the first state inside; `first` is the id of that. */
static const struct node *convert_initial(struct scxml_converter *converter,
                                          const struct markup *state, struct span first)
{
    const struct markup_attribute *attribute = markup_find(state, "initial");
    const struct markup *element = scxml_find_child(state, "initial");
    if (element != NULL) {
        struct scxml_map map = {.place = element->place};
        add_default(converter, element, state, &map);
        return scxml_map_node(converter, &map);
    }
    if (attribute != NULL)
        return initial_targets(converter, state, attribute->value, attribute->place);
    return first.size == 0 ? NULL : initial_targets(converter, state, first, state->place);
}

static const struct node *convert_done_data(struct scxml_converter *converter,
                                            const struct markup *state)
{
    const struct markup *data = scxml_find_child(state, "donedata");
    if (data == NULL)
        return NULL;
    const struct node *content = scxml_content(converter, data);
    return content != NULL ? content : scxml_params(converter, data);
}

static const struct node *convert_invokes(struct scxml_converter *converter,
                                          const struct markup *state)
{
    struct scxml_list list = {.place = state->place};
    const struct markup *child = state->children;
    for (; child != NULL; child = child->next) {
        if (scxml_is(child, "invoke"))
            scxml_list_add(converter, &list, scxml_invoke(converter, state, child));
    }
    return list.count == 0 ? NULL : scxml_list_node(converter, &list);
}

static const struct node *convert_state(struct scxml_converter *converter,
                                        const struct markup *state, struct span id,
                                        uint32_t depth);

/* The states inside; *first is the id of the one that is entered by default. */
static const struct node *convert_states(struct scxml_converter *converter,
                                         const struct markup *parent, struct span *first,
                                         uint32_t depth)
{
    struct scxml_map map = {.place = parent->place};
    const struct markup *child = parent->children;
    *first = SPAN("");
    for (; child != NULL && depth <= STATE_DEPTH_MAX + 1; child = child->next) {
        if (!scxml_is_state(child) || scxml_is_implied(child))
            continue;
        struct span id = state_id(converter, child);
        struct span own = scxml_own_value(child, "key");
        struct span key = own.size > 0 ? own : id;
        const struct node *state = convert_state(converter, child, id, depth);
        for (uint32_t i = 0; i < map.count; i++) {
            if (span_equal(map.entries[i].key, key))
                scxml_error(converter, "IL0109", child->place, "the id `%.*s` is used twice",
                            SPAN_ARGS(id));
        }
        scxml_map_add(converter, &map, key, state);
        if (first->size == 0 && !scxml_is(child, "history"))
            *first = markup_find(child, "id") == NULL ? id : markup_value(child, "id");
    }
    return map.count == 0 ? NULL : scxml_map_node(converter, &map);
}

static const struct node *convert_history(struct scxml_converter *converter,
                                          const struct markup *state, struct span id)
{
    struct scxml_map map = {.place = state->place};
    bool is_deep = span_is(markup_value(state, "type"), "deep");
    scxml_map_add(converter, &map, SPAN("id"), scxml_string(converter, id, state->place));
    scxml_map_add(converter, &map, SPAN("type"),
                  scxml_string(converter, SPAN("history"), state->place));
    scxml_map_add(
        converter, &map, SPAN("history"),
        scxml_string(converter, is_deep ? SPAN("deep") : SPAN("shallow"), state->place));
    add_default(converter, state, state, &map);
    scxml_add_more(converter, state, &map);
    return scxml_map_node(converter, &map);
}

/* What a state may have in it, besides states. */
static void check_children(struct scxml_converter *converter, const struct markup *state)
{
    static const char *const known[] = {"onentry", "onexit",    "transition", "initial",
                                        "invoke",  "datamodel", "donedata",   "script"};
    const struct markup *child = state->children;
    for (; child != NULL; child = child->next) {
        bool is_known = !markup_is_element(child) || scxml_is_state(child) ||
                        (child->space.size > 0 && !span_is(child->space, SPACE));
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            is_known = is_known || scxml_is(child, known[i]);
        if (!is_known)
            scxml_error(converter, "IL0102", child->place, "`<%.*s>` does not belong here",
                        SPAN_ARGS(child->name));
    }
}

/* What a state and a root that is written as one have in common. */
static void add_parts(struct scxml_converter *converter, const struct markup *state,
                      struct scxml_map *map, uint32_t depth)
{
    struct span first;
    bool is_compound = scxml_is(state, "state");
    check_children(converter, state);
    if (!is_compound)
        scxml_map_add(converter, map, SPAN("type"),
                      scxml_string(converter, state->name, state->place));
    const struct node *states = convert_states(converter, state, &first, depth + 1);
    if (is_compound)
        scxml_map_add(converter, map, SPAN("initial"),
                      convert_initial(converter, state, first));
    scxml_map_add(converter, map, SPAN("entry"), convert_blocks(converter, state, "onentry"));
    scxml_map_add(converter, map, SPAN("exit"), convert_blocks(converter, state, "onexit"));
    scxml_map_add(converter, map, SPAN("invoke"), convert_invokes(converter, state));
    scxml_add_reactions(converter, state, map);
    if (scxml_is(state, "final"))
        scxml_map_add(converter, map, SPAN("output"), convert_done_data(converter, state));
    scxml_map_add(converter, map, SPAN("states"), states);
}

static const struct node *convert_state(struct scxml_converter *converter,
                                        const struct markup *state, struct span id,
                                        uint32_t depth)
{
    struct scxml_map map = {.place = state->place};
    if (scxml_is(state, "history"))
        return convert_history(converter, state, id);
    scxml_map_add(converter, &map, SPAN("id"), scxml_string(converter, id, state->place));
    add_parts(converter, state, &map, depth);
    scxml_add_more(converter, state, &map);
    return scxml_map_node(converter, &map);
}

static bool read_datamodel(struct scxml_converter *converter, const struct markup *root)
{
    static const struct {
        const char *name;
        enum scxml_datamodel datamodel;
    } known[] = {
        {"", SCXML_ECMASCRIPT},
        {"ecmascript", SCXML_ECMASCRIPT},
        {"cel", SCXML_CEL},
        {"null", SCXML_NULL},
    };
    const struct markup_attribute *attribute = markup_find(root, "datamodel");
    struct span name = attribute == NULL ? SPAN("") : span_trim(attribute->value);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (span_is(name, known[i].name)) {
            converter->datamodel = known[i].datamodel;
            return true;
        }
    }
    struct diagnostic *error =
        scxml_error(converter, "IL0106", attribute->place,
                    "the datamodel `%.*s` is not supported", SPAN_ARGS(name));
    diagnostic_help(converter->diagnostics, error, "there are ecmascript, cel and null");
    return false;
}

static const char *datamodel_name(enum scxml_datamodel datamodel)
{
    return datamodel == SCXML_CEL ? "cel" : datamodel == SCXML_NULL ? "null" : "ecmascript";
}

static const struct node *variable_list(struct scxml_converter *converter, struct place place)
{
    struct scxml_list list = {.place = place};
    for (uint32_t i = 0; i < converter->variable_count; i++)
        scxml_list_add(converter, &list,
                       scxml_string(converter, converter->variables[i], place));
    return scxml_list_node(converter, &list);
}

/* Without a name a document is called as its file, without folders and ending. */
static struct span machine_name(const struct scxml_converter *converter,
                                const struct markup *root)
{
    struct span name = scxml_name(converter, markup_value(root, "name"));
    struct span file = root->place.file;
    if (name.size > 0)
        return name;
    for (size_t i = file.size; i-- > 0;) {
        if (file.text[i] == '/') {
            file = span_slice(file, i + 1, file.size);
            break;
        }
    }
    size_t dot = span_find(file, SPAN("."), 1);
    file = dot == SIZE_MAX ? file : span_slice(file, 0, dot);
    return file.size == 0 ? SPAN("scxml") : file;
}

/* Scripts of the document itself run once its data is there and before any state is entered. */
static const struct node *convert_scripts(struct scxml_converter *converter,
                                          const struct markup *root)
{
    struct scxml_list list = {.place = root->place};
    const struct markup *child = root->children;
    for (; child != NULL; child = child->next) {
        if (scxml_is(child, "script"))
            scxml_add_script(converter, child, &list);
        else if (scxml_is_own(child, "run"))
            scxml_list_add(converter, &list, scxml_actions(converter, child));
    }
    return list.count == 0 ? NULL : scxml_list_node(converter, &list);
}

/* <scxml> has neither transitions nor anything to do on entry: a root that has is a state in
 * it. */
static const struct markup *find_own_root(const struct markup *root)
{
    const struct markup *child = root->children;
    while (child != NULL &&
           !(scxml_is_state(child) && span_is(scxml_own_value(child, "root"), "true")))
        child = child->next;
    return child;
}

static void add_states(struct scxml_converter *converter, const struct markup *root,
                       struct scxml_map *map)
{
    const struct markup *own = find_own_root(root);
    struct span first;
    if (own != NULL) {
        add_parts(converter, own, map, 0);
        return;
    }
    const struct node *states = convert_states(converter, root, &first, 0);
    scxml_map_add(converter, map, SPAN("initial"), convert_initial(converter, root, first));
    scxml_map_add(converter, map, SPAN("states"), states);
}

static const struct node *convert_root(struct scxml_converter *converter,
                                       const struct markup *root)
{
    struct scxml_map map = {.place = root->place};
    struct scxml_map context = {.place = root->place};
    struct place place = root->place;
    bool is_xstate = converter->semantics == SEMANTICS_XSTATE;
    check_children(converter, root);
    scxml_map_add(converter, &map, SPAN("id"), scxml_string(converter, converter->name, place));
    scxml_map_add(converter, &map, SPAN("semantics"),
                  scxml_string(converter, is_xstate ? SPAN("xstate") : SPAN("scxml"), place));
    scxml_map_add(
        converter, &map, SPAN("datamodel"),
        scxml_string(converter, span_from_text(datamodel_name(converter->datamodel)), place));
    scxml_map_add(
        converter, &map, SPAN("binding"),
        scxml_string(converter, converter->binds_late ? SPAN("late") : SPAN("early"), place));
    add_context(converter, root, &context);
    const struct node *scripts = convert_scripts(converter, root);
    struct scxml_map parts = {.place = place};
    add_states(converter, root, &parts);
    if (context.count > 0)
        scxml_map_add(converter, &map, SPAN("context"), scxml_map_node(converter, &context));
    if (!is_xstate)
        scxml_map_add(converter, &map, SPAN("data"), variable_list(converter, place));
    scxml_map_add(converter, &map, SPAN("run"), scripts);
    for (uint32_t i = 0; i < parts.count; i++)
        scxml_map_add(converter, &map, parts.entries[i].key, parts.entries[i].value);
    scxml_add_more(converter, root, &map);
    return scxml_map_node(converter, &map);
}

static const struct node *convert_document(const struct markup *root,
                                           const struct scxml_files *files, bool keeps_scripts,
                                           bool *wants_scripts, struct arena *arena,
                                           struct diagnostics *diagnostics)
{
    uint32_t errors_before = diagnostics->errors;
    struct scxml_converter converter = {.arena = arena,
                                        .diagnostics = diagnostics,
                                        .files = files,
                                        .keeps_scripts = keeps_scripts};
    if (!scxml_is(root, "scxml")) {
        scxml_error(&converter, "IL0104", root->place,
                    "an SCXML document begins with `<scxml>`, not `<%.*s>`",
                    SPAN_ARGS(root->name));
        return NULL;
    }
    if (!read_datamodel(&converter, root))
        return NULL;
    converter.semantics = span_is(scxml_own_value(root, "semantics"), "xstate")
                              ? SEMANTICS_XSTATE
                              : SEMANTICS_SCXML;
    converter.name = machine_name(&converter, root);
    converter.keeps_scripts = keeps_scripts && converter.datamodel == SCXML_ECMASCRIPT;
    converter.binds_late = span_is(markup_value(root, "binding"), "late");
    converter.ids = arena_new_array(arena, STATES_MAX, struct span);
    converter.own_ids = arena_new_array(arena, STATES_MAX, struct span);
    collect(&converter, root);
    converter.scope = (struct ecma_scope){converter.variables, converter.variable_count};
    const struct node *node = convert_root(&converter, root);
    *wants_scripts = converter.wants_scripts;
    return diagnostics->errors == errors_before ? node : NULL;
}

/* Which language a document needs is known when all of it was tried. */
const struct node *scxml_convert(const struct markup *root, const struct scxml_files *files,
                                 enum scxml_scripts scripts, struct arena *arena,
                                 struct diagnostics *diagnostics)
{
    bool keeps_scripts = scripts == SCXML_SCRIPTS_ALWAYS;
    if (scripts == SCXML_SCRIPTS_NEEDED) {
        struct diagnostics unheard;
        diagnostics_init(&unheard, arena);
        convert_document(root, files, false, &keeps_scripts, arena, &unheard);
    }
    return convert_document(root, files, keeps_scripts, &(bool){false}, arena, diagnostics);
}
