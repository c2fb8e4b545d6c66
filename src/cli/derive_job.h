/*
 * derive_job.h - records on their way to states, and what was counted on the way.
 *
 * Always: `records` is what was derived, `errors` what could not be; a record that `where`
 * leaves out is in neither.
 */
#pragma once

#include "base/table.h"
#include "chart/chart.h"
#include "cli/output.h"
#include "wire/wire.h"

#define DERIVE_CLASS_LIST(X)                                                           \
    X(AGREE, "agree")             /* the state that was stored, and it holds */        \
    X(MOVED, "moved")             /* one that the stored state leads to */             \
    X(REGRESSED, "regressed")     /* one that leads to what was recorded */            \
    X(UNREACHABLE, "unreachable") /* no way in either direction */                     \
    X(GAP, "gap")                 /* no validator holds */                             \
    X(ERROR, "error")             /* a validator that could have decided has failed */ \
    X(UNKNOWN, "unknown")         /* no state, or none that the machine knows */

#define DERIVE_CLASS_ENUM(name, text) DERIVE_##name,
enum derive_class { DERIVE_CLASS_LIST(DERIVE_CLASS_ENUM) DERIVE_CLASS_COUNT };
#undef DERIVE_CLASS_ENUM

struct derive_options {
    const char *label; /* of the input, for messages */
    const char *key;   /* NULL: `id`, else the line */
    const char *from;  /* NULL: every record begins at the initial state */
    const char *compare;
    const struct expr_program *where; /* NULL: all; over DERIVE_WHERE_* */
    uint64_t limit;                   /* records looked at; 0: all */
    bool is_strict;
    bool is_explained;
    bool only_conflicts;
    enum output_format format;
};

/* The variables of `where`. */
enum {
    DERIVE_WHERE_RECORD,
    DERIVE_WHERE_STATE,
    DERIVE_WHERE_HOLDS,
    DERIVE_WHERE_STORED,
    DERIVE_WHERE_KEY,
    DERIVE_WHERE_COUNT
};

/* One record, derived. Values live in the job's arena until the next. */
struct derive_row {
    struct value key;
    struct value record;
    uint32_t stored_leaf;          /* where there is one region; NO_STATE: none */
    struct value stored;           /* what --from or --compare found; null: nothing */
    const struct derived *derived; /* one for each region */
    const struct value *slots;
    struct span problem; /* not empty: no state at all */
    bool holds;          /* in every region */
    enum derive_class class;
    bool is_conflict;
};

struct derive_conflict {
    struct derive_conflict *next;
    enum derive_class class;
    char *key;
    char *stored;
    char *derived;
};

struct derive_job {
    struct derive_options options;
    const struct derivation *derivation;
    struct arena arena; /* of one record */
    struct value *slots;
    struct derived *derived; /* by region */
    struct text out;

    uint64_t records;
    uint64_t errors;
    uint64_t left_out;
    uint64_t gaps;
    uint64_t failures; /* validators that gave no answer where it could have mattered */
    uint64_t conflicts;
    uint64_t unrecorded; /* records without a stored state */
    uint64_t classes[DERIVE_CLASS_COUNT];
    uint64_t *states; /* by leaf */
    uint64_t
        *matrix; /* stored leaf (the last: unknown) by derived leaf; NULL: nothing stored */
    uint32_t complaints;
    struct derive_conflict *first; /* the first few */
    struct derive_conflict **end;
    uint32_t kept;
    bool is_over;           /* nothing more is to be taken */
    struct derive_row last; /* the record taken last */
    bool has_last;          /* … was good, and is no more than counted */
};

void derive_job_init(struct derive_job *job, const struct derivation *derivation,
                     const struct derive_options *options);
void derive_job_fini(struct derive_job *job);

/* One record of the input, good or bad. */
void derive_job_take(struct derive_job *job, const struct stream_record *record);

/* Counts so many records of one fate in all but `records`. `stored` is NO_STATE for none. */
void derive_job_count(struct derive_job *job, const struct derived *derived, uint32_t stored,
                      enum derive_class class, bool is_conflict, uint64_t count);

/* True while the next conflict is one of the few that are told. */
bool derive_job_keeps_conflicts(const struct derive_job *job);

const char *derive_class_name(enum derive_class class);

/* derive_row.c: a record in the form asked for. */
void derive_row_begin(struct derive_job *job);
void derive_row_write(struct derive_job *job, const struct derive_row *row);

/* A row's line of NDJSON behind the key; valid until the next row. */
struct span derive_row_tail(struct derive_job *job, const struct derive_row *row);

/* The state of a row: a path, or {"REGION":"path"} where there are regions. */
struct value derive_row_state(const struct derive_job *job, const struct derive_row *row);

/* derive_summary.c: what was counted. */
void derive_summary_print(const struct derive_job *job, int64_t took_us);
