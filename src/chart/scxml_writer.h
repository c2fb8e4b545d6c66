/*
 * scxml_writer.h - what the files that write SCXML share. Only they include it.
 */
#pragma once

#include "base/markup_text.h"
#include "chart/scxml_write.h"

/* What other programs read otherwise, or not at all; each is told once, at its first place. */
#define SCXML_DIFFERENCE_LIST(X)                                                               \
    X(EVENT_NAMES, "other programs take an event `a.b` for `a` too; here names are exact")     \
    X(DOMAIN, "other programs leave and enter other states in this transition than XState")    \
    X(TOGETHER,                                                                                \
      "other programs assign one after the other: this reads what was just assigned")          \
    X(TARGETS, "these targets cannot be entered together: only the first is written")          \
    X(OWN_ACTION, "SCXML has no such action: it becomes an element of our own")                \
    X(BLOCKS, "SCXML has one block of actions in a transition: an error will end all of them") \
    X(OWN_GUARD, "SCXML has no guards by name: they stand in `<il:more>`")                     \
    X(INVOKE, "other programs do not know what is invoked here: its type is one of our own")   \
    X(INVOKE_ERROR, "other programs raise no `error.invoke.ID`")                               \
    X(RUN, "SCXML has only scripts that run before anything is entered")                       \
    X(NOTES, "descriptions and meta of transitions, invokes and actions are left out")

#define SCXML_DIFFERENCE_ENUM(name, text) SCXML_##name,
enum scxml_difference { SCXML_DIFFERENCE_LIST(SCXML_DIFFERENCE_ENUM) SCXML_DIFFERENCE_COUNT };
#undef SCXML_DIFFERENCE_ENUM

struct scxml_writer {
    const struct machine *machine;
    struct arena *arena;
    struct diagnostics *diagnostics;
    struct markup_text markup;
    const struct span *ids; /* of the states, as they stand in the document */
    bool has_root;          /* the root is a state of its own */
    bool has_expressions;   /* so the datamodel is not null */
    bool has_own;           /* something of our namespace */
    bool is_told[SCXML_DIFFERENCE_COUNT];
    uint32_t next; /* the first transition that is not written yet */
};

void scxml_tell(struct scxml_writer *writer, enum scxml_difference difference,
                struct place place);

/* An attribute of our namespace; `name` begins with "il:". */
void scxml_write_own(struct scxml_writer *writer, const char *name, struct span value);

/* The name of an event as a document can have it: without blanks, and with the ids that states
 * have there. */
struct span scxml_event_name(const struct scxml_writer *writer, struct span type);

/* scxml_write_transition.c */
void scxml_write_ids(struct scxml_writer *writer, const uint32_t *states, uint32_t count,
                     const char *name);
void scxml_write_targets(struct scxml_writer *writer, struct range targets, const char *name);
/* Those of a state, which have to be asked for in the order of the states. */
void scxml_write_transitions(struct scxml_writer *writer, uint32_t state);
void scxml_write_timers(struct scxml_writer *writer, struct range timers);
/* A timer's delay as our loader reads it. */
struct span scxml_delay_key(struct scxml_writer *writer, const struct machine_timer *timer);

/* scxml_write_content.c */
struct span scxml_print_delay(struct scxml_writer *writer, duration_ms delay_ms);
void scxml_write_actions(struct scxml_writer *writer, struct range actions);
/* Each block in an element of its own. */
void scxml_write_blocks(struct scxml_writer *writer, struct range actions, const char *name);
void scxml_write_condition(struct scxml_writer *writer, uint32_t guard);
/* `name` for a literal text, else `expression_name` with CEL. */
void scxml_write_text(struct scxml_writer *writer, const char *name,
                      const char *expression_name, const struct expr_slot *slot);
void scxml_write_delay(struct scxml_writer *writer, const struct expr_slot *slot,
                       duration_ms delay_ms);
/* A value in <data>, <assign> and <content>, whose element is open. */
void scxml_write_value(struct scxml_writer *writer, const struct expr_slot *slot);
/* <param>s for a map, else <content>; nothing for NULL. */
void scxml_write_arguments(struct scxml_writer *writer, const struct expr_slot *slot);
