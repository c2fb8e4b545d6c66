/*
 * run_case.h - one declared record of `run` and what became of it, for reports.
 *
 * Always: a declared record has exactly one verdict, and only `passed` is fine. What nobody
 * got to is a verdict too: a report that leaves it out says more than is known.
 */
#pragma once

#include "cli/run_records.h"

#define RUN_VERDICT_LIST(X)                                                    \
    X(PASSED, "passed")         /* final, and not in a state tagged failure */ \
    X(FAILED, "failed")         /* final, in a state tagged failure */         \
    X(CRASHED, "crashed")       /* the same, and a signal ended its step */    \
    X(ERROR, "error")           /* stopped, for nothing handles its error */   \
    X(WAITING, "waiting")       /* rests until an event or a person comes */   \
    X(UNFINISHED, "unfinished") /* the run was stopped while it worked */      \
    X(NEVER_RAN, "never ran")   /* none of its steps was ever begun */         \
    X(BAD, "bad record")        /* no instance could be started with it */     \
    X(CONFLICT, "conflict")     /* started earlier, with another record */     \
    X(LATER, "not let in")      /* there was too much to do */

#define RUN_VERDICT_ENUM(name, text) RUN_##name##_VERDICT,
enum run_verdict { RUN_VERDICT_LIST(RUN_VERDICT_ENUM) RUN_VERDICT_COUNT };
#undef RUN_VERDICT_ENUM

struct run_case {
    struct span id;   /* of a record that is none: its place, "cases.ndjson:7" */
    struct span name; /* the record's `name`, or empty */
    enum run_verdict verdict;
    struct span state;       /* empty where there is none */
    duration_ms duration_ms; /* its steps were at work; without steps, its age */
    struct value error;      /* {"kind","message","code",…} of what failed, or null */
    struct span message;     /* why it did not pass, in words; several lines */
    struct value output;     /* of its final state; null when it is the error */
};

const char *run_verdict_name(enum run_verdict verdict);

/* What is needed to tell what became of records. */
struct run_judge {
    struct registry *registry;
    struct history_sums *sums;
    struct arena *arena; /* of one case */
};

/* Fills in the case of a record; what it points to lives in the arena or in the record.
 * `remark` is what was said of a record at RUN_REFUSED, RUN_CONFLICT or RUN_LATER. Jumps to the
 * arena's guard. */
void run_case_fill(struct run_case *filled, const struct run_judge *judge,
                   const struct run_record *record, struct span remark);
