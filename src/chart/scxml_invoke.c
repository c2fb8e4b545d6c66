/*
 * scxml_invoke.c - <invoke>: what is started while a state is active.
 */
#include "chart/scxml_converter.h"

/* An empty <finalize/>: what comes back under the name of a location goes there. */
static void add_return(struct scxml_converter *converter, struct scxml_list *list,
                       struct span name, struct span location, struct place place)
{
    struct scxml_list then = {.place = place};
    struct scxml_map choice = {.place = place};
    struct span key = ecma_quote(name, converter->arena);
    struct span there = text_print(
        converter->arena, "has(_event.data) && type(_event.data) == map && %.*s in _event.data",
        SPAN_ARGS(key));
    struct span value = text_print(converter->arena, "_event.data[%.*s]", SPAN_ARGS(key));
    scxml_list_add(
        converter, &then,
        scxml_assign(converter, location, place, scxml_expression(converter, value, place)));
    scxml_map_add(converter, &choice, SPAN("if"), scxml_string(converter, there, place));
    scxml_map_add(converter, &choice, SPAN("then"), scxml_list_node(converter, &then));
    scxml_list_add(converter, list, scxml_map_node(converter, &choice));
}

static const struct node *returned_values(struct scxml_converter *converter,
                                          const struct markup *invoke)
{
    struct scxml_list list = {.place = invoke->place};
    struct span rest = markup_value(invoke, "namelist");
    struct span name;
    while ((name = scxml_next_word(&rest)).size > 0)
        add_return(converter, &list, name, name, invoke->place);
    const struct markup *child = invoke->children;
    for (; child != NULL; child = child->next) {
        struct span location = markup_value(child, "location");
        if (scxml_is(child, "param") && location.size > 0)
            add_return(converter, &list, markup_value(child, "name"), location, child->place);
    }
    return list.count == 0 ? NULL : scxml_list_node(converter, &list);
}

static const struct node *convert_finalize(struct scxml_converter *converter,
                                           const struct markup *invoke)
{
    const struct markup *child = invoke->children;
    while (child != NULL && !scxml_is(child, "finalize"))
        child = child->next;
    if (child == NULL)
        return NULL;
    const struct node *actions = scxml_actions(converter, child);
    return actions != NULL ? actions : returned_values(converter, invoke);
}

const struct node *scxml_invoke(struct scxml_converter *converter, const struct markup *state,
                                const struct markup *element)
{
    static const char *const names[] = {"id", "idlocation"};
    struct scxml_map map = {.place = element->place};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct markup_attribute *attribute = markup_find(element, names[i]);
        if (attribute != NULL)
            scxml_map_add(
                converter, &map, span_from_text(names[i]),
                scxml_string(converter, span_trim(attribute->value), attribute->place));
    }
    bool is_xstate = converter->semantics == SEMANTICS_XSTATE;
    if (!is_xstate)
        scxml_map_add(converter, &map, SPAN("type"),
                      scxml_text_or_slot(converter, element, "type", "typeexpr"));
    scxml_map_add(converter, &map, SPAN("src"),
                  scxml_text_or_slot(converter, element, "src", "srcexpr"));
    scxml_map_add(converter, &map, is_xstate ? SPAN("input") : SPAN("content"),
                  scxml_content(converter, element));
    scxml_map_add(converter, &map, SPAN("input"), scxml_params(converter, element));
    scxml_add_timeout(converter, state, element, &map);
    if (span_is(markup_value(element, "autoforward"), "true"))
        scxml_map_add(converter, &map, SPAN("autoForward"),
                      scxml_true(converter, element->place));
    scxml_map_add(converter, &map, SPAN("finalize"), convert_finalize(converter, element));
    return scxml_map_node(converter, &map);
}
