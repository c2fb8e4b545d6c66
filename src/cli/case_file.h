/*
 * case_file.h - text cases of people's own machines, as `test` reads them.
 *
 *     machine: order.yaml
 *
 *     case a declined card ends it
 *     event SUBMIT {"items":[1]}
 *     done VALIDATING {}
 *     error CHARGING {"kind":"rejected"}
 *     expect value FAILED; status done; effects none
 *
 * A file is read whole before anything runs: what is wrong in it is said with its line, and
 * then no case of it runs.
 */
#pragma once

#include "cli/case_coverage.h"
#include "cli/definition_file.h"

enum case_action {
    CASE_START,
    CASE_EVENT,
    CASE_PATCH, /* the event that changes a record */
    CASE_DONE,
    CASE_ERROR,
    CASE_LATE_DONE, /* of the visit before the last one */
    CASE_LATE_ERROR,
    CASE_ADVANCE,
    CASE_EXPECT,
};

/* What can be expected, and what the word is followed by. */
#define CASE_CLAUSE_LIST(X)      \
    X(VALUE, "value", WORDS)     \
    X(STATUS, "status", WORDS)   \
    X(CONTEXT, "context", JSON)  \
    X(OUTPUT, "output", JSON)    \
    X(ERROR, "error", JSON)      \
    X(TAGS, "tags", JSON)        \
    X(EVENT, "event", JSON)      \
    X(OUTCOME, "outcome", WORDS) \
    X(LATE, "late", WORDS)       \
    X(CHANGED, "changed", WORDS) \
    X(EFFECTS, "effects", WORDS) \
    X(HOLDS, "holds", WORDS)     \
    X(VIA, "via", WORDS)         \
    X(ERRORS, "errors", WORDS)   \
    X(SAYS, "says", WORDS)       \
    X(STEPS, "steps", WORDS)

#define CASE_CLAUSE_ENUM(name, text, form) CASE_CLAUSE_##name,
enum case_clause_kind { CASE_CLAUSE_LIST(CASE_CLAUSE_ENUM) CASE_CLAUSE_COUNT };
#undef CASE_CLAUSE_ENUM

struct case_clause {
    enum case_clause_kind kind;
    struct span path; /* "order.id" of `context.order.id JSON`; or empty */
    struct span words;
    struct value value;
    struct case_clause *next;
};

struct case_line {
    enum case_action action;
    uint32_t number;
    struct span name; /* the event's type, or the invoke's id */
    struct value payload;
    duration_ms advance_ms;
    struct case_clause *clauses;
    struct case_line *next;
};

/* A machine that cases are about. Files that name one machine share it. */
struct case_machine {
    struct definition_file file;
    const struct machine *machine;
    struct case_coverage coverage;
    struct case_machine *next;
};

struct case_text {
    struct case_machine *machine;
    const char *file;
    struct span name;
    struct case_line *lines;
    struct case_text *next;
};

/* Everything that was read, in the order of the files. */
struct case_set {
    struct arena arena;
    struct case_machine *machines;
    struct case_machine **machines_end;
    struct case_text *cases;
    struct case_text **cases_end;
    int lines_left; /* of diagnostics that are still shown */
    const struct cli_world *world;
};

void case_set_open(struct case_set *set, const struct cli_world *world);
void case_set_close(struct case_set *set);

/* Reads a file. CLI_FAILED after saying what is wrong in it, CLI_WORLD when it, or a machine
 * that it names, cannot be read. The path must outlive the set. */
enum cli_exit case_file_read(struct case_set *set, const char *path);

/* The text up to a separator that stands outside of strings and brackets; *rest is what
 * follows it. Both are trimmed. */
struct span case_file_take(struct span *rest, char separator);
