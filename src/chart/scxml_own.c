/*
 * scxml_own.c - what SCXML has no word for, in a namespace of our own.
 *
 * scxml_write.c says in it what is lost otherwise, so that a machine of ours that became a
 * document is the same machine when it is read again. Other programs pass it over.
 *
 *     <scxml il:semantics="xstate">     XState's rules: exact events, `reenter`, …
 *     <state il:root="true">            is the machine itself
 *     <state il:id="…" il:key="…">      the names it has in the definition
 *     <transition il:after="30s">       of a delay; the <send> of it is implied
 *     <invoke il:timeout="30s">         … and <transition il:timeout="ID"> what follows then
 *     <transition il:broken="true">     its targets could not be entered together
 *     il:implied="true"                 only others need it: passed over here
 *     <il:more>                         JSON: members of the definition, in our notation
 *     <il:action>, <il:emit>, …         actions of ours
 */
#include "base/json.h"
#include "chart/scxml_converter.h"

bool scxml_is_own(const struct markup *element, const char *name)
{
    return span_is(element->space, SCXML_OWN_SPACE) && span_is(element->name, name);
}

struct span scxml_own_value(const struct markup *element, const char *name)
{
    const struct markup_attribute *attribute = element->attributes;
    while (attribute != NULL &&
           !(span_is(attribute->space, SCXML_OWN_SPACE) && span_is(attribute->name, name)))
        attribute = attribute->next;
    return attribute == NULL ? SPAN("") : attribute->value;
}

bool scxml_is_implied(const struct markup *element)
{
    return span_is(scxml_own_value(element, "implied"), "true");
}

struct span scxml_own_id(const struct scxml_converter *converter, struct span id)
{
    for (uint32_t i = 0; converter->has_own_ids && i < converter->id_count; i++) {
        if (span_equal(converter->ids[i], id))
            return converter->own_ids[i];
    }
    return id;
}

void scxml_add_more(struct scxml_converter *converter, const struct markup *element,
                    struct scxml_map *map)
{
    const struct markup *child = element->children;
    while (child != NULL && !scxml_is_own(child, "more"))
        child = child->next;
    if (child == NULL)
        return;
    const struct node *more =
        json_read_tree(markup_all_text(child, converter->arena), child->place.file,
                       converter->arena, converter->diagnostics);
    if (more == NULL)
        return;
    if (more->kind != NODE_MAP)
        scxml_error(converter, "IL0104", child->place, "`<il:more>` must be a map, not %s",
                    node_kind_name(more));
    for (uint32_t i = 0; more->kind == NODE_MAP && i < more->count; i++)
        scxml_map_add(converter, map, more->entries[i].key, more->entries[i].value);
}

/* Transitions by what they wait for. */
struct reactions {
    struct span *keys;
    struct scxml_list *lists;
    uint32_t count;
    uint32_t capacity;
};

static void react(struct scxml_converter *converter, struct reactions *reactions,
                  struct span key, const struct node *transition)
{
    uint32_t i = 0;
    while (i < reactions->count && !span_equal(reactions->keys[i], key))
        i++;
    if (i == reactions->capacity) {
        uint32_t larger = i == 0 ? 8 : i * 2;
        struct span *keys = arena_new_array(converter->arena, larger, struct span);
        struct scxml_list *lists = arena_new_array(converter->arena, larger, struct scxml_list);
        for (uint32_t j = 0; j < i; j++) {
            keys[j] = reactions->keys[j];
            lists[j] = reactions->lists[j];
        }
        *reactions = (struct reactions){keys, lists, i, larger};
    }
    if (i == reactions->count) {
        reactions->keys[i] = key;
        reactions->lists[i] = (struct scxml_list){.place = transition->place};
        reactions->count++;
    }
    scxml_list_add(converter, &reactions->lists[i], transition);
}

static void add_reactions(struct scxml_converter *converter, const struct reactions *reactions,
                          struct span key, struct scxml_map *map)
{
    struct scxml_map all = {.place = map->place};
    for (uint32_t i = 0; i < reactions->count; i++)
        scxml_map_add(converter, &all, reactions->keys[i],
                      scxml_list_node(converter, &reactions->lists[i]));
    if (all.count > 0)
        scxml_map_add(converter, map, key, scxml_map_node(converter, &all));
}

/* SCXML keeps the order of the document: `on` is a list of {event, …}. */
static const struct node *with_event(struct scxml_converter *converter, struct span event,
                                     const struct node *transition)
{
    struct scxml_map map = {.place = transition->place};
    if (event.size > 0)
        scxml_map_add(converter, &map, SPAN("event"),
                      scxml_string(converter, event, transition->place));
    for (uint32_t i = 0; i < transition->count; i++)
        scxml_map_add(converter, &map, transition->entries[i].key,
                      transition->entries[i].value);
    return scxml_map_node(converter, &map);
}

/* XState has an entry for every event. */
static void react_to_all(struct scxml_converter *converter, struct reactions *on,
                         struct span events, const struct node *transition)
{
    struct span word;
    while ((word = scxml_next_word(&events)).size > 0)
        react(converter, on, word, transition);
}

void scxml_add_reactions(struct scxml_converter *converter, const struct markup *state,
                         struct scxml_map *map)
{
    struct reactions on = {0};
    struct reactions after = {0};
    struct scxml_list list = {.place = state->place};
    struct scxml_list always = {.place = state->place};
    bool is_xstate = converter->semantics == SEMANTICS_XSTATE;
    const struct markup *child = state->children;
    for (; child != NULL; child = child->next) {
        if (!scxml_is(child, "transition") || scxml_is_implied(child) ||
            scxml_own_value(child, "timeout").size > 0)
            continue;
        const struct node *transition = scxml_transition(converter, child);
        struct span own_event = scxml_own_value(child, "event");
        struct span delay = scxml_own_value(child, "after");
        if (delay.size > 0)
            react(converter, &after, delay, transition);
        else if (is_xstate && own_event.size > 0)
            react(converter, &on, own_event, transition);
        else if (is_xstate && markup_find(child, "event") == NULL)
            scxml_list_add(converter, &always, transition);
        else if (is_xstate)
            react_to_all(converter, &on, scxml_events(converter, child), transition);
        else
            scxml_list_add(
                converter, &list,
                with_event(converter,
                           own_event.size > 0 ? own_event : scxml_events(converter, child),
                           transition));
    }
    if (list.count > 0)
        scxml_map_add(converter, map, SPAN("on"), scxml_list_node(converter, &list));
    add_reactions(converter, &on, SPAN("on"), map);
    add_reactions(converter, &after, SPAN("after"), map);
    if (always.count > 0)
        scxml_map_add(converter, map, SPAN("always"), scxml_list_node(converter, &always));
}

void scxml_add_timeout(struct scxml_converter *converter, const struct markup *state,
                       const struct markup *invoke, struct scxml_map *map)
{
    struct scxml_list then = {.place = invoke->place};
    struct span timeout = scxml_own_value(invoke, "timeout");
    const struct markup *child = state->children;
    if (timeout.size == 0)
        return;
    for (; child != NULL; child = child->next) {
        if (scxml_is(child, "transition") &&
            span_equal(scxml_own_value(child, "timeout"), markup_value(invoke, "id")))
            scxml_list_add(converter, &then, scxml_transition(converter, child));
    }
    scxml_map_add(converter, map, SPAN("timeout"),
                  scxml_string(converter, timeout, invoke->place));
    scxml_map_add(converter, map, SPAN("onTimeout"), scxml_list_node(converter, &then));
}

static const struct node *name_of(struct scxml_converter *converter,
                                  const struct markup *element, const char *name)
{
    const struct markup_attribute *attribute = markup_find(element, name);
    return attribute == NULL ? NULL
                             : scxml_string(converter, attribute->value, attribute->place);
}

/* What an action takes: <content>, or <param>s. */
static const struct node *argument_of(struct scxml_converter *converter,
                                      const struct markup *element)
{
    const struct node *content = scxml_content(converter, element);
    return content != NULL ? content : scxml_params(converter, element);
}

const struct node *scxml_own_action(struct scxml_converter *converter,
                                    const struct markup *element)
{
    struct scxml_map map = {.place = element->place};
    if (scxml_is_own(element, "action")) {
        scxml_map_add(converter, &map, SPAN("type"), name_of(converter, element, "name"));
        scxml_map_add(converter, &map, SPAN("params"), argument_of(converter, element));
    } else if (scxml_is_own(element, "emit")) {
        scxml_map_add(converter, &map, SPAN("emit"), scxml_event(converter, element));
    } else if (scxml_is_own(element, "spawn")) {
        scxml_map_add(converter, &map, SPAN("spawn"), name_of(converter, element, "src"));
        scxml_map_add(converter, &map, SPAN("id"), name_of(converter, element, "id"));
        scxml_map_add(converter, &map, SPAN("input"), argument_of(converter, element));
    } else if (scxml_is_own(element, "stop")) {
        scxml_map_add(converter, &map, SPAN("stop"),
                      scxml_text_or_slot(converter, element, "id", "idexpr"));
    } else if (scxml_is_own(element, "fail")) {
        scxml_map_add(converter, &map, SPAN("fail"), name_of(converter, element, "message"));
    } else {
        return NULL;
    }
    return scxml_map_node(converter, &map);
}
