/*
 * scxml_converter.h - what the files that convert SCXML share. Only they include it.
 */
#pragma once

#include "chart/machine.h"
#include "chart/scxml.h"
#include "expr/expr.h"

enum scxml_datamodel { SCXML_ECMASCRIPT, SCXML_CEL, SCXML_NULL };

struct scxml_converter {
    struct arena *arena;
    struct diagnostics *diagnostics;
    const struct scxml_files *files;
    enum scxml_datamodel datamodel;
    enum semantics semantics; /* what il:semantics says, see scxml_own.c */
    struct span name;         /* of the machine */
    bool binds_late;
    bool keeps_scripts; /* expressions stay ECMAScript */
    bool wants_scripts; /* one of them did not translate */

    struct span *variables; /* all that can be assigned to; those of <data> first */
    uint32_t variable_count;
    uint32_t variable_capacity;
    struct ecma_scope scope; /* those of <data> */

    struct span *ids;     /* of the states, as they stand in the document */
    struct span *own_ids; /* of the same states: what il:id says, or the same */
    bool has_own_ids;
    uint32_t id_count;
    uint32_t id_capacity;
    uint32_t ids_made_up;
};

/* A map or list under construction. */
struct scxml_map {
    struct node_entry *entries;
    uint32_t count;
    uint32_t capacity;
    struct place place;
};

struct scxml_list {
    const struct node **items;
    uint32_t count;
    uint32_t capacity;
    struct place place;
};

/* Adds under a key that is not there yet, or in place of what is. */
void scxml_map_add(struct scxml_converter *converter, struct scxml_map *map, struct span key,
                   const struct node *value);
void scxml_list_add(struct scxml_converter *converter, struct scxml_list *list,
                    const struct node *item);
const struct node *scxml_map_node(struct scxml_converter *converter,
                                  const struct scxml_map *map);
const struct node *scxml_list_node(struct scxml_converter *converter,
                                   const struct scxml_list *list);

/* Scalars, and slots. */
const struct node *scxml_string(struct scxml_converter *converter, struct span text,
                                struct place place);
const struct node *scxml_true(struct scxml_converter *converter, struct place place);
const struct node *scxml_expression(struct scxml_converter *converter, struct span cel,
                                    struct place place);
const struct node *scxml_literal(struct scxml_converter *converter, struct value value,
                                 struct place place);
const struct node *scxml_text(struct scxml_converter *converter, struct span text,
                              struct place place);
/* A slot that always fails. */
const struct node *scxml_failure(struct scxml_converter *converter, struct span message,
                                 struct place place);

struct diagnostic *scxml_error(struct scxml_converter *converter, const char *code,
                               struct place place, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

bool scxml_is(const struct markup *markup, const char *name);

/* The next word of a list with blanks between; empty behind the last. */
struct span scxml_next_word(struct span *rest);

/* Adds a name that can be assigned to, once. */
void scxml_declare(struct scxml_converter *converter, struct span name);

/* An attribute with an expression in the document's language; NULL after an error. */
const struct node *scxml_compute(struct scxml_converter *converter,
                                 const struct markup_attribute *attribute,
                                 enum ecma_purpose purpose);
/* What does not translate: an error, with a help. */
void scxml_refuse(struct scxml_converter *converter, struct place place, struct span message,
                  const char *help);
/* A text of ECMAScript that stays what it is. */
const struct node *scxml_foreign(struct scxml_converter *converter, struct span text,
                                 struct place place);
/* The same as a slot; NULL after an error or without the attribute. */
const struct node *scxml_slot(struct scxml_converter *converter, const struct markup *element,
                              const char *name);
/* The same, for a place where undefined may go: an optional without a value then. */
const struct node *scxml_slot_or_none(struct scxml_converter *converter,
                                      const struct markup *element, const char *name);
/* The attribute `name` as it is, or the slot of `other`; NULL without both. */
const struct node *scxml_text_or_slot(struct scxml_converter *converter,
                                      const struct markup *element, const char *name,
                                      const char *other);

/* What stands inside of <data>, <assign> and <content>: JSON, XML as its text, or a text. */
const struct node *scxml_inline(struct scxml_converter *converter,
                                const struct markup *element);
/* The same for what a file holds. */
const struct node *scxml_parsed(struct scxml_converter *converter, struct span text,
                                struct place place);
/* The text of a file, or false. */
bool scxml_read_file(struct scxml_converter *converter, struct span uri, struct span *text);

/* <param>s and a namelist as a map of slots; NULL when there are none. */
const struct node *scxml_params(struct scxml_converter *converter,
                                const struct markup *element);
/* <content>, as a slot; NULL without it. */
const struct node *scxml_content(struct scxml_converter *converter,
                                 const struct markup *element);

/* A name that the author chose, of a variable or of the machine: the W3C's have no blanks
 * around them, ours are what is written. */
struct span scxml_name(const struct scxml_converter *converter, struct span name);

/* The child of that name, or NULL. */
const struct markup *scxml_find_child(const struct markup *element, const char *name);
/* True for the elements that are states: their `id` is one. */
bool scxml_is_state(const struct markup *element);
/* A transition's element as a transition's map, without its event. */
const struct node *scxml_transition(struct scxml_converter *converter,
                                    const struct markup *element);
/* `#id` of each name in a list of ids. */
const struct node *scxml_targets(struct scxml_converter *converter, struct span ids,
                                 struct place place);
/* The event descriptors of a transition, with one blank between. */
struct span scxml_events(struct scxml_converter *converter, const struct markup *transition);
/* A condition: of <transition>, <if>, <elseif>; NULL after an error or without one. */
const struct node *scxml_condition(struct scxml_converter *converter,
                                   const struct markup *element);
/* {type, …}: the event that an element sends. */
const struct node *scxml_event(struct scxml_converter *converter, const struct markup *element);

/* Executable content: the element's children as a list of actions. */
const struct node *scxml_actions(struct scxml_converter *converter,
                                 const struct markup *element);
/* A script, as the actions it consists of, behind those of the list. */
void scxml_add_script(struct scxml_converter *converter, const struct markup *element,
                      struct scxml_list *list);
/* An action that always fails, with a warning. */
const struct node *scxml_fail(struct scxml_converter *converter, struct place place,
                              struct span message);
/* An assignment to the names on the way to a member. */
const struct node *scxml_assign_path(struct scxml_converter *converter,
                                     const struct span *names, uint32_t count,
                                     struct place place, const struct node *value);
/* An assignment of a slot to a location. */
const struct node *scxml_assign(struct scxml_converter *converter, struct span location,
                                struct place place, const struct node *value);

const struct node *scxml_invoke(struct scxml_converter *converter, const struct markup *state,
                                const struct markup *element);

/* scxml_own.c: what SCXML has no word for. */
bool scxml_is_own(const struct markup *element, const char *name);
/* An attribute of ours; empty when there is none. */
struct span scxml_own_value(const struct markup *element, const char *name);
/* An element that stands there for other programs only. */
bool scxml_is_implied(const struct markup *element);
/* The id that a state of the document has in the definition. */
struct span scxml_own_id(const struct scxml_converter *converter, struct span id);
/* The members of <il:more>, in place of those that are there. */
void scxml_add_more(struct scxml_converter *converter, const struct markup *element,
                    struct scxml_map *map);
/* The transitions of a state under `on`, `after` and `always`. */
void scxml_add_reactions(struct scxml_converter *converter, const struct markup *state,
                         struct scxml_map *map);
/* The `timeout` and `onTimeout` of an invocation, which are transitions of its state. */
void scxml_add_timeout(struct scxml_converter *converter, const struct markup *state,
                       const struct markup *invoke, struct scxml_map *map);
/* An action of ours; NULL for any other element. */
const struct node *scxml_own_action(struct scxml_converter *converter,
                                    const struct markup *element);
