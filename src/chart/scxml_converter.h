/*
 * scxml_converter.h - what the files that convert SCXML share. Only they include it.
 */
#pragma once

#include "chart/scxml.h"
#include "expr/expr.h"

enum scxml_datamodel { SCXML_ECMASCRIPT, SCXML_CEL, SCXML_NULL };

struct scxml_converter {
    struct arena *arena;
    struct diagnostics *diagnostics;
    const struct scxml_files *files;
    enum scxml_datamodel datamodel;
    bool binds_late;

    struct span *variables; /* all that can be assigned to; those of <data> first */
    uint32_t variable_count;
    uint32_t variable_capacity;
    struct ecma_scope scope; /* those of <data> */

    struct span *ids; /* of the states */
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

/* An attribute with an expression in the document's language, as CEL; empty after an error. */
struct span scxml_translate(struct scxml_converter *converter,
                            const struct markup_attribute *attribute,
                            enum ecma_purpose purpose);
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

const struct node *scxml_invoke(struct scxml_converter *converter,
                                const struct markup *element);
