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
    X('X', "exit actions")                               \
    X('Y', "the W3C's rules")                            \
    X('Z', "words")

struct emit_c_field {
    struct span key;  /* of the context */
    struct span name; /* in C */
    enum c_kind kind;
    struct value first;
};

/* Of an event's payload: what is declared under `events` and one value. */
struct emit_c_member {
    struct span key;
    struct span name;
    enum c_kind kind;
    struct span flag; /* the member that says whether it is there; empty: it always is */
};

/* Events with a payload, each a struct in one union. */
struct emit_c_payload {
    uint32_t event;
    struct span name; /* "on_PAY": an event's own may be a macro */
    struct emit_c_member *members;
    uint32_t member_count;
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
    struct emit_c_payload *payloads;
    uint32_t payload_count;
    struct emit_c_enum events; /* from OTHER on */
    struct emit_c_enum words;  /* texts; the first is any other */
    struct emit_c_enum actions;
    struct emit_c_enum guards;

    struct range *lists; /* of actions, by number from 1 */
    uint32_t list_count;
    uint32_t event;   /* of what is being written; EVENT_ID_NONE: it may be any */
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

/* A new name, whatever else has been given the same text. */
uint32_t emit_c_add_name(struct emitter *emitter, struct emit_c_enum *names, struct span text);
/* The name of a text's word in C. */
struct span emit_c_word(struct emitter *emitter, struct span text);
/* "int64_t" */
struct span emit_c_type(struct emitter *emitter, enum c_kind kind);
/* A member's name, which is no macro's. */
struct span emit_c_member_name(struct emitter *emitter, struct span key);

/* emit_c_payload.c: events, and what comes with them. */
void emit_c_find_payloads(struct emitter *emitter);
void emit_c_events(struct emitter *emitter);
/* A member of the event that is being handled; adds the lines that look for it. */
bool emit_c_payload_term(struct emitter *emitter, struct span key, struct c_code *code,
                         struct c_term *term);

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
