/*
 * interlock.h - state machines in your own program.
 *
 * Two libraries share this header.
 *
 *   interlock-core   il_machine_… and il_instance_…: load a machine, step it by hand.
 *                    il_expr_…: CEL by itself. Pure: no clock, no I/O, no thread, no global
 *                    state; needs libc and libm.
 *   interlock        that, YAML, and il_engine_…: durable instances in a SQLite database, whose
 *                    steps are HTTP calls, programs, or functions of yours.
 *
 * Text is UTF-8 and ends with a NUL, unless a size stands beside it. JSON goes in and comes
 * out as such text. Times are milliseconds since 1970-01-01T00:00:00Z, durations milliseconds.
 *
 * What a function is given stays yours and is copied as far as it is needed later, unless its
 * comment says otherwise. What it gives is released by the function that the comment names,
 * and only by that. Results are written on IL_OK only.
 *
 * Wrong use (a NULL where none may be, a call at the wrong moment) answers IL_MISUSE and does
 * nothing. The library writes to no stream and ends the process only when it finds its own
 * memory broken, or when the system has no memory left.
 */
#ifndef INTERLOCK_H
#define INTERLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __GNUC__
#define IL_API __attribute__((visibility("default")))
#else
#define IL_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The version this header is of, and that of the library at run time. */
#define IL_VERSION "0.1.0"
IL_API const char *il_version(void);

typedef enum il_status {
    IL_OK = 0,
    IL_MISUSE = 1,    /* the call itself is wrong: nothing was done */
    IL_INVALID = 2,   /* a definition, JSON, name or request is not valid */
    IL_NO_SPACE = 3,  /* the memory given, or a limit, does not suffice: nothing was done */
    IL_NOT_FOUND = 4, /* there is no such thing */
    IL_CONFLICT = 5,  /* it exists with other content, or belongs to another machine */
    IL_TRY_AGAIN = 6, /* a queue is full: again after a moment */
    IL_TIME_OVER = 7, /* the time given is over, there is more to do */
    IL_STOPPED = 8,   /* il_engine_stop() was called */
    IL_BUSY = 9,      /* another process owns the database */
    IL_OTHER_VERSION = 10, /* the database was written by another version */
    IL_CORRUPT = 11,       /* damaged, or not what it should be */
    IL_DISK_FULL = 12,
    IL_IO = 13,     /* reading or writing failed */
    IL_UNKNOWN = 14 /* the store failed: what was under way may or may not have happened */
} il_status;

/* A short sentence; never NULL. */
IL_API const char *il_status_text(il_status status);

/* ---- Machines --------------------------------------------------------------------------- */

typedef enum il_severity { IL_INFO = 0, IL_WARNING = 1, IL_ERROR = 2 } il_severity;

/* What is wrong with a definition. The texts live as long as the call that tells them. */
typedef struct il_diagnostic {
    il_severity severity;
    const char *code;    /* stable: "IL0107"; interlock(5) lists them */
    const char *message; /* one sentence */
    const char *help;    /* what to do; NULL where there is none */
    const char *file;    /* as it was given */
    uint32_t line;       /* from 1; 0: unknown */
    uint32_t column;     /* from 1, in code points */
} il_diagnostic;

/* Told one by one, by place, before the call returns. */
typedef void il_diagnose(void *context, const il_diagnostic *diagnostic);

/* A definition, compiled. It never changes: any number of threads and instances share it. */
typedef struct il_machine il_machine;

/* Loads a machine from `size` bytes of JSON; with the library `interlock` also of YAML 1.2.
 * `file` is its name in diagnostics (NULL: "definition"). `diagnose` may be NULL. Of `steps:`
 * only the names matter here: an instance asks for a step, you do it.
 * IL_INVALID: there are errors, all of them told. IL_NO_SPACE: too large to be loaded.
 * Release the machine with il_machine_close(). */
IL_API il_status il_machine_load(const char *text, size_t size, const char *file,
                                 il_diagnose *diagnose, void *context, il_machine **loaded);

/* What can be proved about it before it runs (states out of reach, dead ends, errors of steps
 * that nobody handles). IL_INVALID when there is an error among the findings. */
IL_API il_status il_machine_check(const il_machine *machine, il_diagnose *diagnose,
                                  void *context);

/* As written; the version of a definition without one is its hash. The hash: SHA-256 over
 * everything but `steps`, in hex. They live as long as the machine; NULL for NULL. */
IL_API const char *il_machine_id(const il_machine *machine);
IL_API const char *il_machine_version(const il_machine *machine);
IL_API const char *il_machine_hash(const il_machine *machine);

/* After its last instance was closed. NULL is fine. */
IL_API void il_machine_close(il_machine *machine);

/* ---- Instances, stepped by hand --------------------------------------------------------- */

/* One instance. It belongs to one thread at a time. All it needs lies in one piece of memory:
 * yours, or one that is allocated when the instance is made. A step allocates nothing, reads
 * no clock, and the same calls always give the same results. */
typedef struct il_instance il_instance;

typedef enum il_instance_status {
    IL_INSTANCE_ACTIVE = 0,
    IL_INSTANCE_DONE = 1,  /* a final state was reached */
    IL_INSTANCE_ERROR = 2, /* an action or a step failed and nothing handles it */
    IL_INSTANCE_STOPPED = 3
} il_instance_status;

typedef enum il_outcome {
    IL_OUTCOME_APPLIED = 0, /* at least one transition was taken */
    IL_OUTCOME_IGNORED = 1, /* nothing was enabled, or it came too late */
    IL_OUTCOME_FAILED = 2   /* an action's error discarded the step, or ended the instance */
} il_outcome;

/* Bytes an instance is given when you do not say how many: enough for contexts and events of
 * some 100 KiB of JSON. Most of it is never touched. */
#define IL_INSTANCE_BYTES ((size_t)3 << 20)

/* Starts an instance: enters its initial states, which may ask for steps and timers.
 *
 * `input_json` (NULL: null) is `input` in the definition. `memory` is `bytes` bytes that the
 * instance lives in until it is closed, and that stay yours; NULL: allocate `bytes` (0:
 * IL_INSTANCE_BYTES) now. A quarter of it must hold the instance with its context, half of it
 * one step; il_instance_used() tells how much it was.
 *
 * IL_INVALID: the input is not JSON. IL_NO_SPACE: the memory does not suffice. A start whose
 * actions fail is IL_OK: the instance's status is then IL_INSTANCE_ERROR.
 * Release it with il_instance_close(); the machine must live longer. */
IL_API il_status il_instance_start(const il_machine *machine, const char *input_json,
                                   int64_t now_ms, void *memory, size_t bytes,
                                   il_instance **started);

/* Brings back an instance from the bytes of il_instance_snapshot(). IL_CONFLICT: they are of
 * another machine, version or content. IL_CORRUPT: they are damaged. */
IL_API il_status il_instance_restore(const il_machine *machine, const void *snapshot,
                                     size_t size, void *memory, size_t bytes,
                                     il_instance **restored);

/* NULL is fine. */
IL_API void il_instance_close(il_instance *instance);

/*
 * Steps. Each is one macrostep: it takes what is told, and runs until nothing more moves by
 * itself. IL_OK: it was done; look at its outcome and at its effects. IL_INVALID: the JSON is
 * not what it should be, or an event's type is empty. IL_NO_SPACE: it needs more memory than
 * the instance has. On anything but IL_OK the instance stands where it stood; the outcome and
 * effects of the step before are forgotten when the answer is IL_NO_SPACE or IL_INVALID.
 */

/* An event from outside; its payload is a JSON object (NULL: {}). */
IL_API il_status il_instance_send(il_instance *instance, const char *type,
                                  const char *payload_json, int64_t now_ms);

/* A step that was asked for (IL_EFFECT_INVOKE) is done. `number` is the effect's, so that a
 * late answer to an earlier visit of the same state changes nothing (IL_OUTCOME_IGNORED); 0
 * means whichever is under way. IL_NOT_FOUND: the machine has no invoke of that id. */
IL_API il_status il_instance_complete(il_instance *instance, const char *invoke_id,
                                      uint64_t number, const char *output_json, int64_t now_ms);

/* It failed: a JSON object that becomes `event.error`, such as
 * {"kind":"timeout","message":"no answer"}. */
IL_API il_status il_instance_fail(il_instance *instance, const char *invoke_id, uint64_t number,
                                  const char *error_json, int64_t now_ms);

/* Fires the timer that is due first, when it is due at `now_ms` or before; of those due at the
 * same time the one armed first. One a call, so that you see the effects of each; its time is
 * the one it was due at. IL_NOT_FOUND: none is due.
 *
 *     while (il_instance_advance(instance, now_ms) == IL_OK)
 *         carry_out_effects(instance);
 */
IL_API il_status il_instance_advance(il_instance *instance, int64_t now_ms);

/* When that timer is due; false when none is armed. */
IL_API bool il_instance_next_due(const il_instance *instance, int64_t *due_ms);

/* What came of the last step. */
IL_API il_outcome il_instance_outcome(const il_instance *instance);
IL_API bool il_instance_changed(const il_instance *instance); /* value, status, context, … */

/* Errors of the last step as a JSON list of {"what","expression","at","message"}: guards that
 * could not be evaluated, and the action that failed. "[]" when there were none. */
IL_API const char *il_instance_problems(il_instance *instance);

typedef enum il_effect_kind {
    IL_EFFECT_INVOKE = 0,   /* do the step `src` with `input`, then complete or fail it */
    IL_EFFECT_STOP = 1,     /* its state was left: nobody waits for the answer any more */
    IL_EFFECT_SCHEDULE = 2, /* a timer was armed */
    IL_EFFECT_CANCEL = 3,   /* it was disarmed without having fired */
    IL_EFFECT_ACTION = 4,   /* carry out the action `src` with the params `input` */
    IL_EFFECT_LOG = 5,      /* `input` was logged, under the label `src` */
    IL_EFFECT_EMIT = 6,     /* the event `src` with the payload `input`, for whoever listens */
    IL_EFFECT_SEND = 7      /* the event `src` with the payload `input`, for the child `id`, or
                               for "#_parent" */
} il_effect_kind;

typedef struct il_effect {
    il_effect_kind kind;
    const char *id;    /* of the invoke, or the timer's name */
    const char *src;   /* a name: see il_effect_kind; else NULL */
    const char *input; /* JSON where there is something to pass; else NULL */
    uint64_t number;   /* never used twice in an instance */
    int64_t due_ms;    /* SCHEDULE and CANCEL */
} il_effect;

/* What has to happen outside after the last step, in order. False when there is no effect of
 * that index, or no memory left for its texts. The texts live until the next step. */
IL_API size_t il_instance_effect_count(const il_instance *instance);
IL_API bool il_instance_effect(il_instance *instance, size_t index, il_effect *effect);

/* Where it stands. The texts are JSON and live until the next step or the closing; NULL when
 * the instance has no memory left for them. `value` is in XState's form: "A", {"A":"B"}.
 * `output` is null before the end; `error` is null unless the status is IL_INSTANCE_ERROR. */
IL_API il_instance_status il_instance_status_of(const il_instance *instance);
IL_API const char *il_instance_value(il_instance *instance);
IL_API const char *il_instance_context(il_instance *instance);
IL_API const char *il_instance_tags(il_instance *instance);
IL_API const char *il_instance_output(il_instance *instance);
IL_API const char *il_instance_error(il_instance *instance);

/* Whether a state is active, by its path ("CHARGING.RETRYING") or id. */
IL_API bool il_instance_is_in(const il_instance *instance, const char *state);

/* Writes the instance as bytes that are the same on every platform; they name the machine. With
 * too little room IL_NO_SPACE, and *size_needed tells how much it takes (also on IL_OK; 0: the
 * instance itself has not the memory to write it); `bytes` may be NULL when `size` is 0. */
IL_API il_status il_instance_snapshot(il_instance *instance, void *bytes, size_t size,
                                      size_t *size_needed);

/* Memory that the hungriest step so far would have needed: what to give an instance like it. */
IL_API size_t il_instance_used(const il_instance *instance);

/* ---- Crowds: very many instances of one machine ----------------------------------------- */

/*
 * A million instances that wait for their events most of the time. Each takes a byte (2 or 4
 * when the crowd has been in more than 255 or 65,535 different sets of states) and beside that
 * only what it has more than states: 16 bytes for each number, boolean or null of a small
 * context; or, with anything else in the context, timers or an end, all of it. An event that
 * does nothing but move an instance from state to state is worked out once for the states it is
 * in, by looking at the tables of the machine, and from then on takes some nanoseconds; any
 * other takes what il_instance_send() takes, and both say the same.
 */
typedef struct il_crowd il_crowd;

/* Room for `count` instances, 0 to count - 1, none of them started. Belongs to one thread at a
 * time; the machine must live longer. Release it with il_crowd_close(); NULL is fine there.
 * IL_NO_SPACE: more than 134,217,728. */
IL_API il_status il_crowd_open(const il_machine *machine, size_t count, il_crowd **opened);
IL_API void il_crowd_close(il_crowd *crowd);

/* Starts one as il_instance_start() would, in place of what was there. */
IL_API il_status il_crowd_start(il_crowd *crowd, size_t index, const char *input_json,
                                int64_t now_ms);

/* A number for an event type, to send it by: the same for the same type, as long as the crowd
 * lives. IL_INVALID: the type is empty, too long or not UTF-8. IL_NO_SPACE: too many types. */
IL_API il_status il_crowd_event(il_crowd *crowd, const char *type, uint32_t *event);

/* Sends an event as il_instance_send() would. IL_NOT_FOUND: that one was never started. */
IL_API il_status il_crowd_send(il_crowd *crowd, size_t index, uint32_t event,
                               const char *payload_json, int64_t now_ms);

/* What came of the last step. When there are effects, il_crowd_instance() has them. */
IL_API il_outcome il_crowd_outcome(const il_crowd *crowd);
IL_API bool il_crowd_changed(const il_crowd *crowd);
IL_API size_t il_crowd_effect_count(const il_crowd *crowd);

/* One of them, for all that il_instance_… can do; what it does there is kept. It stays the
 * crowd's, and is gone with the next call of another il_crowd_… function that takes an index,
 * or of this one with another index. NULL: it was never started, or is too large. */
IL_API il_instance *il_crowd_instance(il_crowd *crowd, size_t index);

/* The number of a state by its path or id, IL_NO_STATE; and whether it is active in one. */
IL_API uint32_t il_crowd_state(const il_crowd *crowd, const char *state);
IL_API bool il_crowd_is_in(il_crowd *crowd, size_t index, uint32_t state);

/* Memory of all instances and of what is known of their moves, without the few megabytes to
 * step in. */
IL_API size_t il_crowd_bytes(il_crowd *crowd);

/* ---- Expressions (both libraries) ------------------------------------------------------- */

/*
 * CEL, the Common Expression Language, by itself: compiled once, evaluated as often as needed
 * against rows of values. docs/cel.md says what of the language is there; il_expr(3) has an
 * example. Nothing of machines is needed for it.
 */

/* An expression, compiled and checked. It never changes: any number of threads share it. */
typedef struct il_expr il_expr;

/* Compiles `size` bytes of text. `names_json` (NULL: no names) is an object with a member for
 * each name that the expression may use: a JSON Schema that its values must fit, a type such as
 * "int" or "list(string)", or null, when nothing is known. The first member is name 0.
 * IL_INVALID: there are errors, all of them told to `diagnose` (which may be NULL); their file
 * is "expression" or "names". Release it with il_expr_close(). */
IL_API il_status il_expr_compile(const char *text, size_t size, const char *names_json,
                                 il_diagnose *diagnose, void *context, il_expr **compiled);

/* The type of its value, such as "bool", "list(int)" or "dyn"; lives as long as it. */
IL_API const char *il_expr_type(const il_expr *expression);

/* How many names it was given, and whether it reads the one of that number. */
IL_API size_t il_expr_name_count(const il_expr *expression);
IL_API bool il_expr_uses(const il_expr *expression, size_t name);

/* After the rows that were opened for it. NULL is fine. */
IL_API void il_expr_close(il_expr *expression);

/* The values of the names, and room for one result. A row belongs to one thread at a time. */
typedef struct il_expr_row il_expr_row;

/* Bytes a row is given when you do not say how many. */
#define IL_EXPR_ROW_BYTES ((size_t)1 << 20)

/* A row for this expression, and for all others that were given the same names in the same
 * order. `memory` is `bytes` bytes that stay yours; NULL: allocate `bytes` (0:
 * IL_EXPR_ROW_BYTES) now. Half of it is for values, half for a result; nothing else is ever
 * allocated. Release it with il_expr_row_close(), before the expression. */
IL_API il_status il_expr_row_open(const il_expr *expression, void *memory, size_t bytes,
                                  il_expr_row **opened);
IL_API void il_expr_row_close(il_expr_row *row); /* NULL is fine */

/* Forgets all values: what has none is an error when it is read. */
IL_API void il_expr_row_clear(il_expr_row *row);

/* Clears the row and takes the values of all names from a JSON object; other members are
 * ignored. IL_INVALID: it is not JSON, or does not fit a name's schema. */
IL_API il_status il_expr_row_set(il_expr_row *row, const char *values_json);

/* One value. Names are counted from 0 in the order of `names_json`. JSON and text of earlier
 * values of the row take up memory until it is cleared; `text` itself is not copied and must
 * live until then. */
IL_API il_status il_expr_row_set_json(il_expr_row *row, size_t name, const char *json);
IL_API il_status il_expr_row_set_null(il_expr_row *row, size_t name);
IL_API il_status il_expr_row_set_bool(il_expr_row *row, size_t name, bool value);
IL_API il_status il_expr_row_set_int(il_expr_row *row, size_t name, int64_t value);
IL_API il_status il_expr_row_set_double(il_expr_row *row, size_t name, double value);
IL_API il_status il_expr_row_set_text(il_expr_row *row, size_t name, const char *text,
                                      size_t size);

/* The expression's value as JSON, which lives until the next call with this row. IL_INVALID:
 * the value is an error. IL_CONFLICT: the row was opened for other names. */
IL_API il_status il_expr_eval(const il_expr *expression, il_expr_row *row,
                              const char **result_json);

/* Whether a condition holds. An error and what is no bool do not hold, and are told apart by
 * IL_INVALID; *holds is then false. */
IL_API il_status il_expr_holds(const il_expr *expression, il_expr_row *row, bool *holds);

/* What went wrong in the last call with this row that did not answer IL_OK: one sentence, never
 * NULL, until the next call. */
IL_API const char *il_expr_row_problem(const il_expr_row *row);

/* ---- States from data (both libraries) -------------------------------------------------- */

/*
 * A data-driven definition says which data belong to which state. What `interlock derive` does
 * for files is done here for one record, or for many that lie side by side. Nothing is stored,
 * and the same data always give the same state. The regions of a parallel root are derived
 * apart, each from one of its own states; where nothing says where to begin, that is the first
 * region's.
 */

/* A definition's derivation. It never changes: any number of threads share it. */
typedef struct il_derivation il_derivation;

/* As il_machine_load(), for a definition with validators. An unstable one is loaded too: ask
 * il_derive_check(). Release it with il_derive_close(). */
IL_API il_status il_derive_load(const char *text, size_t size, const char *file,
                                il_diagnose *diagnose, void *context, il_derivation **loaded);

/* What can be proved: that deriving twice gives the same state (IL0311), overlaps, gaps.
 * IL_INVALID when there is an error among the findings. */
IL_API il_status il_derive_check(const il_derivation *derivation, il_diagnose *diagnose,
                                 void *context);
IL_API void il_derive_close(il_derivation *derivation); /* NULL is fine */

/* States are numbered from 0; their paths live as long as the derivation. NULL: no such one. */
IL_API uint32_t il_derive_state_count(const il_derivation *derivation);
IL_API const char *il_derive_state(const il_derivation *derivation, uint32_t state);

/* A state by its path; IL_NO_STATE: there is none. */
#define IL_NO_STATE UINT32_MAX
IL_API uint32_t il_derive_find_state(const il_derivation *derivation, const char *path);

/* Regions are numbered from 0; there is one unless the root is parallel. A region is derived
 * from the state that it begins in, or from any other of its states. */
IL_API uint32_t il_derive_region_count(const il_derivation *derivation);
IL_API uint32_t il_derive_initial(const il_derivation *derivation, uint32_t region);

/* The fields that validators read, numbered from 0. */
IL_API uint32_t il_derive_field_count(const il_derivation *derivation);
IL_API const char *il_derive_field(const il_derivation *derivation, uint32_t field);

typedef struct il_derived {
    uint32_t state;
    bool holds;      /* false: no validator does, and the state is where it began */
    uint32_t errors; /* validators that gave no answer where it could have mattered */
    uint32_t level;  /* how many transitions away from where it began */
} il_derived;

/* The state of one record, a JSON object of `size` bytes. `from` is the state stored so far;
 * IL_NO_STATE: none, the initial one. IL_INVALID: not a JSON object. */
IL_API il_status il_derive_json(const il_derivation *derivation, uint32_t from,
                                const char *json, size_t size, il_derived *derived);

typedef enum il_kind {
    IL_KIND_MISSING = 0,
    IL_KIND_NULL = 1,
    IL_KIND_BOOL = 2,
    IL_KIND_INT = 3,
    IL_KIND_DOUBLE = 4,
    IL_KIND_TEXT = 5
} il_kind;

typedef struct il_value {
    il_kind kind;
    bool boolean;
    int64_t integer;
    double real;
    const char *text;
    size_t size; /* of the text */
} il_value;

/* The same from values, one for each field in order. IL_INVALID: some validator reads more of
 * the record than its fields. */
IL_API il_status il_derive_values(const il_derivation *derivation, uint32_t from,
                                  const il_value *values, il_derived *derived);

typedef enum il_column_kind {
    IL_COLUMN_MISSING = 0, /* in every row */
    IL_COLUMN_BOOL = 1,    /* a byte each, 0 is false */
    IL_COLUMN_BITS = 2,    /* a bit each, the lowest of a byte first */
    IL_COLUMN_INT8 = 3,
    IL_COLUMN_INT16 = 4,
    IL_COLUMN_INT32 = 5,
    IL_COLUMN_INT64 = 6,
    IL_COLUMN_FLOAT = 7,
    IL_COLUMN_DOUBLE = 8,
    IL_COLUMN_TEXT = 9 /* bytes offsets[i] to offsets[i + 1] of data */
} il_column_kind;

/* Row i of a column is at data + (first + i) * stride, its bits and offsets at first + i: so an
 * array of structs is columns as well. Where a bit of `valid` is 0 the member is missing. */
typedef struct il_column {
    il_column_kind kind;
    const void *data;
    size_t stride;          /* bytes from one value to the next; 0: they are packed */
    const int32_t *offsets; /* of text */
    const uint8_t *valid;   /* NULL: every row has a value */
    size_t first;
} il_column;

/* The states of `count` records, whose columns are those of the fields in order. `from` (NULL:
 * all begin initially) has the stored state of each, IL_NO_STATE for none; `holds` may be NULL.
 * Takes 4 MiB while it runs. *errors (may be NULL) as in il_derived, of all rows. */
IL_API il_status il_derive_columns(const il_derivation *derivation, const il_column *columns,
                                   size_t count, const uint32_t *from, uint16_t *states,
                                   uint8_t *holds, uint64_t *errors);

/* The same of an array of the Arrow C data interface: a struct whose children have the names of
 * the fields, of booleans, integers of at most 64 bits with sign or 32 without, floats,
 * doubles, UTF-8 or nulls; other children are not looked at, and a field without a child is
 * missing. `schema` and `array` point to struct ArrowSchema and struct ArrowArray, and stay
 * yours. */
IL_API il_status il_derive_arrow(const il_derivation *derivation, const void *schema,
                                 const void *array, uint16_t *states, uint8_t *holds,
                                 uint64_t *errors);

/* The fastest: fields that are nothing but booleans, at most 8, all records begin initially.
 * IL_INVALID for a machine with more fields, more than 127 states or a parallel root. A row's
 * state is in the low 7 bits; 0x80 is set where it does not hold. Fields are a byte a record, 0
 * or 1. */
IL_API il_status il_derive_flags(const il_derivation *derivation, const uint8_t *const *fields,
                                 size_t count, uint8_t *states);

/* The same 64 records a word, the lowest bit first. The state is told in planes: bit p of a
 * row's state is in planes[p]. `holds` (may be NULL) has a bit for each row. */
IL_API uint32_t il_derive_planes(const il_derivation *derivation); /* 0: not of that kind */
IL_API il_status il_derive_bits(const il_derivation *derivation, const uint64_t *const *fields,
                                size_t words, uint64_t *const *planes, uint64_t *holds);

/* ---- Engines: durable instances (library `interlock`) ----------------------------------- */

/*
 * An engine owns a database and moves its instances. It belongs to the thread that opened it;
 * everything runs, and every function of yours is called, within il_engine_… calls on that
 * thread. From any thread, and from within functions of yours: il_complete(), il_fail(),
 * il_engine_stop(). From within functions of yours also il_engine_start_later() and
 * il_engine_send_later(); the others answer IL_MISUSE there.
 *
 * While there is an engine, the process ignores SIGPIPE, nothing else in it may open the
 * database's file, and SIGCHLD belongs to it where `exec` steps run. An engine is not used in a
 * child after fork().
 */
typedef struct il_engine il_engine;

/* An engine that has no database yet. Never NULL. Release it with il_engine_close(). */
IL_API il_engine *il_engine_new(void);

/* What went wrong in the last call that did not answer IL_OK: one sentence, never NULL, until
 * the next call. */
IL_API const char *il_engine_problem(const il_engine *engine);

/* An attempt that waits for its answer; copied freely, to be answered once. An answer that
 * comes twice or too late is dropped. */
typedef struct il_token {
    il_engine *engine;
    uint64_t number;
} il_token;

/* One attempt of a step. The texts live until your function returns. */
typedef struct il_call {
    const char *instance; /* the instance's id */
    const char *step;     /* the step's name */
    const char *key;      /* idempotency key: the same for all attempts of this invocation */
    const char *trace;    /* a W3C traceparent, or empty */
    const char *input;    /* JSON where there is something to pass; else NULL */
    uint32_t attempt;     /* from 1 */
    int64_t timeout_ms;   /* an answer after that comes too late */
} il_call;

/* Does a step `call: NAME`: answers by il_complete() or il_fail() before it returns, or later
 * from anywhere. It must not block: while it runs, the engine stands still. */
typedef void il_function(void *context, const il_call *call, il_token token);

/* Names a function for `call: NAME`. Before il_engine_open(), for what was interrupted goes on
 * at once. IL_CONFLICT: the name is taken. */
IL_API il_status il_engine_register(il_engine *engine, const char *name, il_function *function,
                                    void *context);

/* Answers an attempt, from any thread, until il_engine_close() is called: join your threads
 * before that. The JSON is checked later: what is not JSON fails the attempt as `invalid`. */
IL_API il_status il_complete(il_token token, const char *output_json);

/* `kind` is one of interlock(5)'s: "timeout", "transport", "unavailable", "throttled" and
 * "crashed" are tried again as the step's `retry` says and count against its breaker,
 * "rejected" is a business's no. IL_INVALID: there is no such kind. `message` may be NULL. */
IL_API il_status il_fail(il_token token, const char *kind, int32_t code, const char *message);

/* Opens the database (creates a missing one), recovers, and resumes what was under way; nothing
 * moves before one of the calls below lets it. IL_BUSY, IL_OTHER_VERSION, IL_CORRUPT,
 * IL_CONFLICT (the file is a copy: see `interlock adopt`), IL_IO, IL_DISK_FULL, IL_NOT_FOUND
 * (the folder). After a failure the engine can only be closed. */
IL_API il_status il_engine_open(il_engine *engine, const char *path);

/* Deploys a definition with its steps, from JSON or YAML: a new version, or other steps of a
 * known one. `file` is its name in diagnostics; relative programs of `exec` are looked for in
 * `folder` (NULL: the current one). IL_INVALID: told to `diagnose` (which may be NULL);
 * il_engine_problem() has the first. IL_CONFLICT: that version is deployed with other content:
 * give it a new version. */
IL_API il_status il_engine_deploy(il_engine *engine, const char *text, size_t size,
                                  const char *file, const char *folder, il_diagnose *diagnose,
                                  void *context);

/* How a start or an event was taken. */
typedef struct il_reply {
    bool repeated;      /* it was accepted before, and nothing was done again */
    il_outcome outcome; /* of an event */
    uint64_t seq;       /* of the history line it became */
    int64_t retry_ms;   /* IL_TRY_AGAIN: when */
} il_reply;

/* Starts an instance of a deployed machine ("order", or "order@3" for a version) and returns
 * when that is on disk. `event` (NULL: none) is sent at once, with its payload (NULL: {}), in
 * the same commit. IL_UNKNOWN: the store failed meanwhile; the same call after a restart finds
 * out. An id that exists with the same machine and input is IL_OK and repeated, with others
 * IL_CONFLICT. `reply` may be NULL. */
IL_API il_status il_engine_start(il_engine *engine, const char *machine, const char *id,
                                 const char *input_json, const char *event,
                                 const char *payload_json, il_reply *reply);

/* Sends an event to an instance and returns when what it did is on disk. With an idempotency
 * `key` (NULL: none) the same event again gets the same answer, and another one IL_CONFLICT.
 * IL_NOT_FOUND: no such instance. Where the state follows from a record, `record.patch` with
 * {"patch":{…}} lays a JSON merge patch over it; with "if_version":N it is IL_CONFLICT unless
 * the instance's `seq` is still N. */
IL_API il_status il_engine_send(il_engine *engine, const char *id, const char *event,
                                const char *payload_json, const char *key, il_reply *reply);

/* The same without waiting, for many at once: IL_OK means it was taken, and `replied` (NULL:
 * never mind) is called when it is on disk, or refused with `problem`. Those not answered when
 * the engine is closed are answered IL_UNKNOWN then. */
typedef void il_replied(void *context, il_status status, const il_reply *reply,
                        const char *problem);

IL_API il_status il_engine_start_later(il_engine *engine, const char *machine, const char *id,
                                       const char *input_json, const char *event,
                                       const char *payload_json, il_replied *replied,
                                       void *context);
IL_API il_status il_engine_send_later(il_engine *engine, const char *id, const char *event,
                                      const char *payload_json, const char *key,
                                      il_replied *replied, void *context);

typedef enum il_until {
    IL_UNTIL_REST = 0,  /* no step is under way or to be tried again, nothing is to be sent */
    IL_UNTIL_QUIET = 1, /* the same, and no timer is armed */
    IL_UNTIL_STOP = 2   /* il_engine_stop(), or the time is over */
} il_until;

/* Lets the engine work until what is said holds and is on disk, for at most `at_most_ms`
 * (negative: as long as it takes). IL_OK: it holds. IL_TIME_OVER, IL_STOPPED. Anything else:
 * the store failed; close the engine, open it again, and it goes on from what is on disk. */
IL_API il_status il_engine_run(il_engine *engine, il_until until, int64_t at_most_ms);

/* Makes il_engine_run() return soon, or the next one at once. Any thread, and signal handlers.
 */
IL_API void il_engine_stop(il_engine *engine);

/* An instance as JSON, as `interlock show -o json` has it; the same for people, one fact a
 * line: what it waits for and what wakes it next. The texts live until the next call. NULL:
 * see il_engine_problem(). */
IL_API const char *il_engine_describe(il_engine *engine, const char *id);
IL_API const char *il_engine_why(il_engine *engine, const char *id);

/* Tells the history of an instance after line `after` (0: all), one JSON object a call, as
 * `interlock history -o ndjson` has it; false ends it. IL_NOT_FOUND, IL_CORRUPT. */
typedef bool il_history_line(void *context, const char *json);
IL_API il_status il_engine_history(il_engine *engine, const char *id, uint64_t after,
                                   il_history_line *line, void *context);

/* How many instances are where. */
typedef struct il_counts {
    uint64_t working; /* a step is under way or to be tried again */
    uint64_t timers;  /* only timers are awaited */
    uint64_t waiting; /* only events are awaited */
    uint64_t ended;
} il_counts;

IL_API il_status il_engine_counts(const il_engine *engine, il_counts *counts);

/* Gives attempts under way up to `grace_ms` to end, writes what is left and releases the
 * engine. What did not end is tried again after the next opening, with the same key. NULL is
 * fine. IL_MISUSE: called from within a function, and the engine stays. */
IL_API il_status il_engine_close(il_engine *engine, int64_t grace_ms);

#ifdef __cplusplus
}
#endif

#endif
