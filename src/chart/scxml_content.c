/*
 * scxml_content.c - executable content: what happens on entry, on exit and in transitions.
 *
 * What is wrong in the sense of the document's language must fail when it is executed, and
 * not before: such an action becomes `fail`, with a warning that has its place. What is right
 * but not translated is an error at once.
 */
#include "base/json.h"
#include "chart/scxml_converter.h"

typedef const struct node *convert_action(struct scxml_converter *converter,
                                          const struct markup *element);

static const struct node *one_entry(struct scxml_converter *converter, struct place place,
                                    const char *key, const struct node *value)
{
    struct scxml_map map = {.place = place};
    scxml_map_add(converter, &map, span_from_text(key), value);
    return scxml_map_node(converter, &map);
}

const struct node *scxml_fail(struct scxml_converter *converter, struct place place,
                              struct span message)
{
    diagnostics_add(converter->diagnostics, SEVERITY_WARNING, "IL0105", place,
                    "this fails when it is executed: %.*s", SPAN_ARGS(message));
    return one_entry(converter, place, "fail", scxml_string(converter, message, place));
}

static bool is_required(struct scxml_converter *converter, const struct markup *element,
                        const char *name)
{
    if (markup_find(element, name) != NULL)
        return true;
    scxml_error(converter, "IL0103", element->place, "`<%.*s>` needs `%s`",
                SPAN_ARGS(element->name), name);
    return false;
}

void scxml_refuse(struct scxml_converter *converter, struct place place, struct span message,
                  const char *help)
{
    struct diagnostic *error =
        scxml_error(converter, "IL0106", place, "%.*s", SPAN_ARGS(message));
    diagnostic_help(converter->diagnostics, error, "%s", help);
    converter->wants_scripts = true;
}

/* The expression as CEL; empty after an error. */
static struct span translate(struct scxml_converter *converter,
                             const struct markup_attribute *attribute,
                             enum ecma_purpose purpose)
{
    struct ecma_problem problem = {0};
    struct span cel = attribute->value;
    if (converter->datamodel == SCXML_CEL)
        return cel;
    enum ecma_result result = ecma_translate(attribute->value, purpose, &converter->scope,
                                             converter->arena, &cel, &problem);
    struct place place = markup_value_place(attribute, problem.offset);
    if (result == ECMA_ILLEGAL)
        diagnostics_add(converter->diagnostics, SEVERITY_WARNING, "IL0105", place,
                        "this fails when it is evaluated: %.*s", SPAN_ARGS(problem.message));
    if (result == ECMA_UNSUPPORTED) {
        scxml_refuse(converter, place, problem.message,
                     "a build with Debian's package duktape-dev runs it");
        cel = SPAN("");
    }
    return cel;
}

const struct node *scxml_compute(struct scxml_converter *converter,
                                 const struct markup_attribute *attribute,
                                 enum ecma_purpose purpose)
{
    if (converter->keeps_scripts)
        return scxml_foreign(converter, attribute->value, attribute->place);
    struct span cel = translate(converter, attribute, purpose);
    if (cel.size == 0)
        return NULL;
    return purpose == ECMA_AS_CONDITION ? scxml_string(converter, cel, attribute->place)
                                        : scxml_expression(converter, cel, attribute->place);
}

static const struct node *slot_as(struct scxml_converter *converter,
                                  const struct markup *element, const char *name,
                                  enum ecma_purpose purpose)
{
    const struct markup_attribute *attribute = markup_find(element, name);
    return attribute == NULL ? NULL : scxml_compute(converter, attribute, purpose);
}

const struct node *scxml_slot(struct scxml_converter *converter, const struct markup *element,
                              const char *name)
{
    return slot_as(converter, element, name, ECMA_AS_VALUE);
}

const struct node *scxml_slot_or_none(struct scxml_converter *converter,
                                      const struct markup *element, const char *name)
{
    return slot_as(converter, element, name, ECMA_AS_OPERAND);
}

const struct node *scxml_text_or_slot(struct scxml_converter *converter,
                                      const struct markup *element, const char *name,
                                      const char *other)
{
    const struct markup_attribute *attribute = markup_find(element, name);
    if (attribute != NULL)
        return scxml_text(converter, attribute->value, attribute->place);
    return scxml_slot(converter, element, other);
}

static const struct node *convert_raise(struct scxml_converter *converter,
                                        const struct markup *element)
{
    if (!is_required(converter, element, "event"))
        return NULL;
    struct span event = span_trim(markup_value(element, "event"));
    return one_entry(converter, element->place, "raise",
                     scxml_string(converter, event, markup_find(element, "event")->place));
}

static const struct node *convert_log(struct scxml_converter *converter,
                                      const struct markup *element)
{
    struct scxml_map map = {.place = element->place};
    const struct node *value = scxml_slot_or_none(converter, element, "expr");
    if (value == NULL)
        value = scxml_string(converter, SPAN(""), element->place);
    scxml_map_add(converter, &map, SPAN("log"), value);
    if (markup_find(element, "label") != NULL)
        scxml_map_add(converter, &map, SPAN("label"),
                      scxml_string(converter, markup_value(element, "label"), element->place));
    return scxml_map_node(converter, &map);
}

static const struct node *path_node(struct scxml_converter *converter, const struct span *names,
                                    uint32_t count, struct place place)
{
    struct scxml_list list = {.place = place};
    for (uint32_t i = 0; i < count; i++)
        scxml_list_add(converter, &list, scxml_string(converter, names[i], place));
    return scxml_list_node(converter, &list);
}

static bool is_system(struct span name)
{
    static const char *const names[] = {"_event", "_sessionid", "_name", "_ioprocessors", "_x"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (span_is(name, names[i]))
            return true;
    }
    return false;
}

static const struct node *assign_deep(struct scxml_converter *converter,
                                      const struct span *names, uint32_t count,
                                      struct place place, const struct node *value)
{
    struct scxml_list list = {.place = place};
    struct scxml_map part = {.place = place};
    scxml_map_add(converter, &part, SPAN("path"), path_node(converter, names, count, place));
    scxml_map_add(converter, &part, SPAN("value"), value);
    scxml_list_add(converter, &list, scxml_map_node(converter, &part));
    return one_entry(converter, place, "assign", scxml_list_node(converter, &list));
}

const struct node *scxml_assign_path(struct scxml_converter *converter,
                                     const struct span *names, uint32_t count,
                                     struct place place, const struct node *value)
{
    if (is_system(names[0]))
        return scxml_fail(
            converter, place,
            text_print(converter->arena, "`%.*s` cannot be assigned to", SPAN_ARGS(names[0])));
    if (value == NULL)
        return NULL;
    if (count > 1)
        return assign_deep(converter, names, count, place, value);
    struct scxml_map map = {.place = place};
    scxml_map_add(converter, &map, names[0], value);
    return one_entry(converter, place, "assign", scxml_map_node(converter, &map));
}

/* A place inside of a variable is the language's own affair. */
static const struct node *assign_foreign(struct scxml_converter *converter,
                                         struct span location, struct place place,
                                         const struct node *value)
{
    struct scxml_map map = {.place = place};
    if (value == NULL)
        return NULL;
    scxml_map_add(converter, &map, SPAN("script"), value);
    scxml_map_add(converter, &map, SPAN("to"), scxml_foreign(converter, location, place));
    return scxml_map_node(converter, &map);
}

const struct node *scxml_assign(struct scxml_converter *converter, struct span location,
                                struct place place, const struct node *value)
{
    const struct span *names = NULL;
    uint32_t count = 0;
    struct ecma_problem problem;
    enum ecma_result result =
        ecma_location(location, converter->arena, &names, &count, &problem);
    bool is_name = result == ECMA_OK && count == 1;
    if (converter->keeps_scripts && !is_name)
        return assign_foreign(converter, location, place, value);
    if (result == ECMA_ILLEGAL)
        return scxml_fail(converter, place, problem.message);
    if (result == ECMA_OK)
        return scxml_assign_path(converter, names, count, place, value);
    scxml_refuse(converter, place, problem.message,
                 "a build with Debian's package duktape-dev runs it");
    return NULL;
}

/* An assign of XState's: its members all see what was before the first. */
static const struct node *assign_own(struct scxml_converter *converter,
                                     const struct markup *element, const struct node *value)
{
    struct scxml_map map = {.place = element->place};
    struct span key = scxml_own_value(element, "key");
    if (value == NULL)
        return NULL;
    scxml_map_add(converter, &map, key.size > 0 ? key : markup_value(element, "location"),
                  value);
    return one_entry(converter, element->place, "assign", scxml_map_node(converter, &map));
}

static const struct node *convert_assign(struct scxml_converter *converter,
                                         const struct markup *element)
{
    if (!is_required(converter, element, "location"))
        return NULL;
    const struct markup_attribute *location = markup_find(element, "location");
    const struct node *value = markup_find(element, "expr") != NULL
                                   ? scxml_slot_or_none(converter, element, "expr")
                                   : scxml_inline(converter, element);
    if (converter->semantics == SEMANTICS_XSTATE)
        return assign_own(converter, element, value);
    return scxml_assign(converter, location->value, location->place, value);
}

/* One more member of the assign before. */
static void add_together(struct scxml_converter *converter, const struct markup *element,
                         struct scxml_list *list)
{
    struct scxml_map map = {.place = element->place};
    const struct node *added = node_find(convert_assign(converter, element), SPAN("assign"));
    const struct node *before =
        list->count == 0 ? NULL : node_find(list->items[list->count - 1], SPAN("assign"));
    if (added == NULL || added->kind != NODE_MAP)
        return;
    if (before == NULL || before->kind != NODE_MAP) {
        scxml_list_add(converter, list, one_entry(converter, map.place, "assign", added));
        return;
    }
    for (uint32_t i = 0; i < before->count; i++)
        scxml_map_add(converter, &map, before->entries[i].key, before->entries[i].value);
    for (uint32_t i = 0; i < added->count; i++)
        scxml_map_add(converter, &map, added->entries[i].key, added->entries[i].value);
    list->items[list->count - 1] =
        one_entry(converter, map.place, "assign", scxml_map_node(converter, &map));
}

/* A name's value as the variable it is, in the document's language. */
static const struct node *name_slot(struct scxml_converter *converter, struct span name,
                                    struct place place)
{
    struct markup_attribute attribute = {.value = name, .written = name, .place = place};
    const struct span *path;
    uint32_t count;
    struct ecma_problem problem;
    if (ecma_location(name, converter->arena, &path, &count, &problem) == ECMA_ILLEGAL)
        return scxml_failure(converter, problem.message, place);
    if (converter->datamodel == SCXML_CEL)
        attribute.value = text_print(converter->arena, "context.%.*s", SPAN_ARGS(name));
    return scxml_compute(converter, &attribute, ECMA_AS_VALUE);
}

static void add_param(struct scxml_converter *converter, struct scxml_map *map,
                      const struct markup *param)
{
    const struct markup_attribute *location = markup_find(param, "location");
    if (!is_required(converter, param, "name"))
        return;
    const struct node *value = location != NULL
                                   ? name_slot(converter, location->value, location->place)
                                   : scxml_slot(converter, param, "expr");
    scxml_map_add(converter, map, markup_value(param, "name"), value);
}

const struct node *scxml_params(struct scxml_converter *converter, const struct markup *element)
{
    struct scxml_map map = {.place = element->place};
    const struct markup_attribute *namelist = markup_find(element, "namelist");
    struct span rest = namelist == NULL ? SPAN("") : namelist->value;
    struct place place = namelist == NULL ? element->place : namelist->place;
    struct span name;
    while ((name = scxml_next_word(&rest)).size > 0)
        scxml_map_add(converter, &map, name, name_slot(converter, name, place));
    const struct markup *child = element->children;
    for (; child != NULL; child = child->next) {
        if (scxml_is(child, "param"))
            add_param(converter, &map, child);
    }
    return map.count == 0 ? NULL : scxml_map_node(converter, &map);
}

const struct node *scxml_content(struct scxml_converter *converter,
                                 const struct markup *element)
{
    const struct markup *child = element->children;
    while (child != NULL && !scxml_is(child, "content"))
        child = child->next;
    if (child == NULL)
        return NULL;
    if (markup_find(child, "expr") != NULL)
        return scxml_slot(converter, child, "expr");
    return scxml_inline(converter, child);
}

const struct node *scxml_condition(struct scxml_converter *converter,
                                   const struct markup *element)
{
    const struct markup_attribute *condition = markup_find(element, "cond");
    struct span own = scxml_own_value(element, "guard");
    if (own.size > 0)
        return json_read_tree(own, element->place.file, converter->arena,
                              converter->diagnostics);
    return condition == NULL ? NULL : scxml_compute(converter, condition, ECMA_AS_CONDITION);
}

const struct node *scxml_event(struct scxml_converter *converter, const struct markup *element)
{
    struct scxml_map event = {.place = element->place};
    const struct node *type = scxml_text_or_slot(converter, element, "event", "eventexpr");
    const struct node *data = scxml_content(converter, element);
    const struct node *params = scxml_params(converter, element);
    bool is_xstate = converter->semantics == SEMANTICS_XSTATE;
    if (is_xstate && params == NULL && type != NULL)
        return type; /* an expression may give the whole event */
    scxml_map_add(converter, &event, SPAN("type"), type);
    for (uint32_t i = 0; is_xstate && params != NULL && i < params->count; i++)
        scxml_map_add(converter, &event, params->entries[i].key, params->entries[i].value);
    if (!is_xstate)
        scxml_map_add(converter, &event, SPAN("data"), data != NULL ? data : params);
    return scxml_map_node(converter, &event);
}

/* XState raises with a payload and a delay too, for which SCXML has `#_internal`; there a delay
 * is none. */
static bool is_raise(const struct scxml_converter *converter, const struct markup *send)
{
    bool is_xstate = converter->semantics == SEMANTICS_XSTATE;
    return span_is(markup_value(send, "target"), "#_internal") &&
           (is_xstate || span_is(scxml_own_value(send, "raise"), "true"));
}

static const struct node *convert_send(struct scxml_converter *converter,
                                       const struct markup *element)
{
    struct scxml_map map = {.place = element->place};
    bool raises = is_raise(converter, element);
    scxml_map_add(converter, &map, raises ? SPAN("raise") : SPAN("send"),
                  scxml_event(converter, element));
    if (!raises)
        scxml_map_add(converter, &map, SPAN("to"),
                      scxml_text_or_slot(converter, element, "target", "targetexpr"));
    scxml_map_add(converter, &map, SPAN("processor"),
                  scxml_text_or_slot(converter, element, "type", "typeexpr"));
    scxml_map_add(converter, &map, SPAN("delay"),
                  scxml_text_or_slot(converter, element, "delay", "delayexpr"));
    if (markup_find(element, "id") != NULL)
        scxml_map_add(converter, &map, SPAN("id"),
                      scxml_string(converter, markup_value(element, "id"), element->place));
    if (markup_find(element, "idlocation") != NULL)
        scxml_map_add(converter, &map, SPAN("idlocation"),
                      scxml_string(converter, span_trim(markup_value(element, "idlocation")),
                                   element->place));
    return scxml_map_node(converter, &map);
}

static const struct node *convert_cancel(struct scxml_converter *converter,
                                         const struct markup *element)
{
    const struct node *which = scxml_text_or_slot(converter, element, "sendid", "sendidexpr");
    if (which == NULL) {
        if (markup_find(element, "sendidexpr") == NULL)
            is_required(converter, element, "sendid");
        return NULL;
    }
    return one_entry(converter, element->place, "cancel", which);
}

static void add_any(struct scxml_converter *converter, const struct markup *element,
                    struct scxml_list *list);

/* One branch, from behind its opening to the next `elseif` or `else`; *rest is that. */
static const struct node *convert_branch(struct scxml_converter *converter, struct place place,
                                         const struct markup *child, const struct markup **rest)
{
    struct scxml_list list = {.place = place};
    while (child != NULL && !scxml_is(child, "elseif") && !scxml_is(child, "else")) {
        add_any(converter, child, &list);
        child = child->next;
    }
    *rest = child;
    return scxml_list_node(converter, &list);
}

/* `opening` is the <if> or an <elseif>; its branch begins with `child`. A chain of branches is
 * as long as it likes, so the last is made first. */
static const struct node *convert_choice(struct scxml_converter *converter,
                                         const struct markup *opening,
                                         const struct markup *child, uint32_t depth)
{
    struct scxml_map map = {.place = opening->place};
    const struct markup *rest;
    if (depth > 64) {
        scxml_error(converter, "IL0108", opening->place, "more branches than 64 in one `<if>`");
        return NULL;
    }
    if (!is_required(converter, opening, "cond"))
        return NULL;
    const struct node *condition = scxml_condition(converter, opening);
    scxml_map_add(converter, &map, SPAN("if"), condition);
    scxml_map_add(converter, &map, SPAN("then"),
                  convert_branch(converter, opening->place, child, &rest));
    if (rest != NULL && scxml_is(rest, "elseif")) {
        struct scxml_list list = {.place = rest->place};
        scxml_list_add(converter, &list,
                       convert_choice(converter, rest, rest->next, depth + 1));
        scxml_map_add(converter, &map, SPAN("else"), scxml_list_node(converter, &list));
    } else if (rest != NULL) {
        const struct markup *end;
        scxml_map_add(converter, &map, SPAN("else"),
                      convert_branch(converter, rest->place, rest->next, &end));
        if (end != NULL)
            scxml_error(converter, "IL0104", end->place, "`<else>` is the last branch");
    }
    return condition == NULL ? NULL : scxml_map_node(converter, &map);
}

static const struct node *convert_if(struct scxml_converter *converter,
                                     const struct markup *element)
{
    return convert_choice(converter, element, element->children, 0);
}

/* A name that a loop may give a value to. */
static bool is_variable(struct scxml_converter *converter, struct span name)
{
    const struct span *path;
    uint32_t count;
    struct ecma_problem problem;
    return ecma_location(name, converter->arena, &path, &count, &problem) == ECMA_OK &&
           count == 1 && !is_system(path[0]);
}

static const struct node *convert_foreach(struct scxml_converter *converter,
                                          const struct markup *element)
{
    static const char *const names[] = {"item", "index"};
    struct scxml_map map = {.place = element->place};
    if (!is_required(converter, element, "array") || !is_required(converter, element, "item"))
        return NULL;
    const struct markup_attribute *array = markup_find(element, "array");
    const struct node *elements = scxml_compute(converter, array, ECMA_AS_VALUE);
    scxml_map_add(converter, &map, SPAN("foreach"), elements);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct markup_attribute *attribute = markup_find(element, names[i]);
        if (attribute == NULL)
            continue;
        struct span name = scxml_name(converter, attribute->value);
        if (!is_variable(converter, name))
            return scxml_fail(
                converter, attribute->place,
                text_print(converter->arena, "`%.*s` is no variable's name", SPAN_ARGS(name)));
        scxml_declare(converter, name);
        scxml_map_add(converter, &map, span_from_text(names[i]),
                      scxml_string(converter, name, attribute->place));
    }
    scxml_map_add(converter, &map, SPAN("do"), scxml_actions(converter, element));
    return elements == NULL ? NULL : scxml_map_node(converter, &map);
}

static const struct node *convert_any(struct scxml_converter *converter,
                                      const struct markup *element)
{
    static const struct {
        const char *name;
        convert_action *convert;
    } actions[] = {
        {"raise", convert_raise},     {"log", convert_log},       {"assign", convert_assign},
        {"send", convert_send},       {"cancel", convert_cancel}, {"if", convert_if},
        {"foreach", convert_foreach},
    };
    if (!markup_is_element(element))
        return NULL;
    const struct node *own = scxml_own_action(converter, element);
    if (own != NULL)
        return own;
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        if (scxml_is(element, actions[i].name))
            return actions[i].convert(converter, element);
    }
    scxml_error(converter, "IL0106", element->place, "`<%.*s>` is not supported here",
                SPAN_ARGS(element->name));
    return NULL;
}

/* A script may be several actions, anything else is one. */
static void add_any(struct scxml_converter *converter, const struct markup *element,
                    struct scxml_list *list)
{
    if (scxml_is(element, "script"))
        scxml_add_script(converter, element, list);
    else if (scxml_is(element, "assign") &&
             span_is(scxml_own_value(element, "together"), "true"))
        add_together(converter, element, list);
    else
        scxml_list_add(converter, list, convert_any(converter, element));
}

const struct node *scxml_actions(struct scxml_converter *converter,
                                 const struct markup *element)
{
    struct scxml_list list = {.place = element->place};
    const struct markup *child = element->children;
    for (; child != NULL; child = child->next)
        add_any(converter, child, &list);
    return list.count == 0 ? NULL : scxml_list_node(converter, &list);
}
