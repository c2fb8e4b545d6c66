/*
 * emit_c_writer.h - what the files that write a machine as C share. Only they include it.
 */
#pragma once

#include "chart/emit_c.h"

/* What pieces of the runtime a machine needs, by letter. */
#define EMIT_C_PART_LIST(X)                              \
    X('A', "actions of transitions")                     \
    X('B', "timers or invocations")                      \
    X('D', "final states")                               \
    X('E', "transitions without events")                 \
    X('G', "guards")                                     \
    X('I', "invocations")                                \
    X('J', "actions of initial transitions")             \
    X('L', "bits that are walked through")               \
    X('M', "history states")                             \
    X('N', "entry actions")                              \
    X('P', "parallel states")                            \
    X('Q', "events from inside")                         \
    X('S', "timers or invocations, which are asked for") \
    X('T', "timers")                                     \
    X('V', "invariants")                                 \
    X('W', "guards that may have no answer")             \
    X('X', "exit actions")

struct emit_c_field {
    struct span key;  /* of the context */
    struct span name; /* in C */
    enum c_kind kind;
    struct value first;
};

/* Names of one enum, each once. */
struct emit_c_enum {
    const char *word; /* "ACTION" */
    struct span *names;
    struct span *meanings;
    uint32_t count;
    uint32_t capacity;
};

struct emitter {
    const struct machine *machine;
    struct arena *arena;
    struct diagnostics *diagnostics;
    struct text *text;
    struct span lower; /* what names begin with: "door" */
    struct span upper; /* "DOOR" */
    bool has[26];      /* by letter: see above */
    bool helpers[C_HELPER_COUNT];
    bool is_refused;

    struct emit_c_field *fields;
    uint32_t field_count;
    struct emit_c_enum actions;
    struct emit_c_enum guards;

    struct range *lists; /* of actions, by number from 1 */
    uint32_t list_count;
    uint32_t counter; /* of variables */
};

/* One clear error; those after the first are not told. */
void emit_c_refuse(struct emitter *emitter, struct place place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Words with the machine's names in them: `@` and `^`. */
void emit_c_names(struct emitter *emitter, const char *words);

/* A name in C for any text. */
struct span emit_c_name(struct emitter *emitter, struct span text, bool is_upper);
/* The number of a name in an enum, new or known. */
uint32_t emit_c_enumerate(struct emitter *emitter, struct emit_c_enum *names, struct span text);

bool emit_c_has(const struct emitter *emitter, char part);
void emit_c_need(struct emitter *emitter, char part, bool is_needed);
/* The number of a list of actions; 0 for an empty one. */
int64_t emit_c_list(struct emitter *emitter, struct range actions);
/* What is done when a state's children are entered by default. */
struct range emit_c_initial(const struct machine *machine, uint32_t state);

/* emit_c_tables.c */
void emit_c_tables(struct emitter *emitter);

/* emit_c_content.c: guards, actions and invariants, as functions. */
void emit_c_content(struct emitter *emitter);

/* emit_c_runtime.c: everything else, with those in their place. */
void emit_c_runtime(struct emitter *emitter, struct span content);
