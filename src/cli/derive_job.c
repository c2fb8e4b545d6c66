/*
 * derive_job.c - one record after the other.
 */
#include "cli/derive_job.h"

#include "base/ensure.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "cli/report.h"

enum {
    RECORD_ARENA_BYTES = 64 * RECORD_LINE_BYTES_MAX,
    COMPLAINTS_MAX = DIAGNOSTICS_SHOWN_MAX,
    CONFLICTS_KEPT = DIAGNOSTICS_SHOWN_MAX,
};

const char *derive_class_name(enum derive_class class)
{
#define CLASS_NAME(name, text) [DERIVE_##name] = text,
    static const char *const names[] = {DERIVE_CLASS_LIST(CLASS_NAME)};
#undef CLASS_NAME
    ensure(class < DERIVE_CLASS_COUNT);
    return names[class];
}

static bool has_stored(const struct derive_job *job)
{
    return job->options.from != NULL || job->options.compare != NULL;
}

void derive_job_init(struct derive_job *job, const struct derivation *derivation,
                     const struct derive_options *options)
{
    size_t leaves = derivation->leaf_count;
    *job = (struct derive_job){.options = *options, .derivation = derivation};
    job->end = &job->first;
    arena_open(&job->arena, RECORD_ARENA_BYTES);
    text_init(&job->out, NULL);
    job->slots = memory_get(derivation_slot_count(derivation) * sizeof *job->slots);
    job->derived = memory_get(derivation->region_count * sizeof *job->derived);
    job->states = memory_get(leaves * sizeof *job->states);
    if (has_stored(job))
        job->matrix = memory_get((leaves + 1) * leaves * sizeof *job->matrix);
}

void derive_job_fini(struct derive_job *job)
{
    for (struct derive_conflict *next; job->first != NULL; job->first = next) {
        next = job->first->next;
        memory_release(job->first->key);
        memory_release(job->first->stored);
        memory_release(job->first->derived);
        memory_release(job->first);
    }
    memory_release(job->matrix);
    memory_release(job->states);
    memory_release(job->derived);
    memory_release(job->slots);
    text_fini(&job->out);
    arena_close(&job->arena);
}

/* Bad records */

static void complain(struct derive_job *job, const struct stream_record *record,
                     const char *code, struct span problem)
{
    job->errors++;
    if (job->options.is_strict)
        job->is_over = true;
    if (job->complaints++ < COMPLAINTS_MAX)
        report_line(job->options.label, record->line, record->column, code, "%.*s",
                    SPAN_ARGS(problem));
}

/* What a record is called */

static struct value key_of(const struct derive_job *job, const struct stream_record *record)
{
    struct span name = span_from_text(job->options.key == NULL ? "id" : job->options.key);
    const struct value *key = value_find(record->value, name);
    if (key != NULL && key->kind != VALUE_NULL)
        return *key;
    return value_int((int64_t)record->number);
}

/* The stored state */

/* {"PACKING":"BOXED"} is the path PACKING.BOXED. */
static struct span path_of(struct derive_job *job, struct value value)
{
    struct text path;
    text_init(&path, &job->arena);
    while (value.kind == VALUE_MAP && value.count == 1) {
        text_format(&path, "%s%.*s", path.size == 0 ? "" : ".",
                    SPAN_ARGS(value_span(value.entries[0].key)));
        value = value.entries[0].value;
    }
    if (value.kind == VALUE_STRING)
        text_format(&path, "%s%.*s", path.size == 0 ? "" : ".", SPAN_ARGS(value_span(value)));
    return text_span(&path);
}

/* The leaf that is stored for a region; NO_STATE: no such state. */
static uint32_t stored_leaf(struct derive_job *job, uint32_t region, struct value stored)
{
    const struct derivation *derivation = job->derivation;
    if (derivation->is_parallel) {
        stored = value_member(stored, derivation->regions[region].name);
        if (stored.kind == VALUE_MAP && stored.count == 0)
            return derivation->regions[region].initial;
    }
    if (stored.kind == VALUE_STRING)
        return derivation_find(derivation, region, value_span(stored));
    struct span path = stored.kind == VALUE_MAP ? path_of(job, stored) : SPAN("");
    if (path.size > 0 && derivation->is_parallel)
        path = text_print(&job->arena, "%.*s.%.*s", SPAN_ARGS(derivation->regions[region].name),
                          SPAN_ARGS(path));
    return path.size == 0 ? NO_STATE : derivation_find(derivation, region, path);
}

static bool is_nothing(struct value stored)
{
    return stored.kind == VALUE_NULL || (stored.kind == VALUE_STRING && stored.count == 0);
}

/* Where the search begins in a region; NO_STATE: stored is a state that is none. */
static uint32_t start_of(struct derive_job *job, uint32_t region, struct value record)
{
    uint32_t initial = job->derivation->regions[region].initial;
    if (job->options.from == NULL)
        return initial;
    struct value stored = value_member(record, span_from_text(job->options.from));
    return is_nothing(stored) ? initial : stored_leaf(job, region, stored);
}

static struct span unknown_state(struct derive_job *job, struct value stored)
{
    struct text text;
    text_init(&text, &job->arena);
    text_add(&text, SPAN("there is no state "));
    json_write(&text, stored);
    return text_span(&text);
}

/* What is compared: of --compare where it is given, since it may differ from where the search
 * began. */
static struct value stored_of(const struct derive_job *job, struct value record)
{
    const char *field = job->options.compare == NULL ? job->options.from : job->options.compare;
    struct value stored =
        field == NULL ? value_null() : value_member(record, span_from_text(field));
    return is_nothing(stored) ? value_null() : stored;
}

/* Classes */

static enum derive_class class_of_region(const struct derive_job *job, uint32_t stored,
                                         const struct derived *derived)
{
    const struct derivation *derivation = job->derivation;
    if (stored == NO_STATE)
        return DERIVE_UNKNOWN;
    if (derived->errors > 0)
        return DERIVE_ERROR;
    if (!derived->holds)
        return DERIVE_GAP;
    if (derived->state == stored)
        return DERIVE_AGREE;
    if (derivation_reaches(derivation, stored, derived->state))
        return DERIVE_MOVED;
    return derivation_reaches(derivation, derived->state, stored) ? DERIVE_REGRESSED
                                                                  : DERIVE_UNREACHABLE;
}

/* Without a stored state there is nothing to agree with but what the data alone say. */
static enum derive_class class_alone(const struct derived *derived)
{
    return derived->errors > 0 ? DERIVE_ERROR : derived->holds ? DERIVE_AGREE : DERIVE_GAP;
}

static void count_region(struct derive_job *job, uint32_t stored, uint32_t state,
                         uint64_t count)
{
    const struct derivation *derivation = job->derivation;
    uint32_t row = stored == NO_STATE ? derivation->leaf_count : stored;
    job->matrix[(size_t)row * derivation->leaf_count + state] += count;
}

/* The worst of the regions' classes is the record's. */
static void classify(struct derive_job *job, struct derive_row *row)
{
    bool is_compared = has_stored(job) && row->stored.kind != VALUE_NULL;
    row->class = DERIVE_AGREE;
    row->is_conflict = false;
    for (uint32_t region = 0; region < job->derivation->region_count; region++) {
        const struct derived *derived = &row->derived[region];
        uint32_t stored = is_compared ? stored_leaf(job, region, row->stored) : NO_STATE;
        enum derive_class class =
            is_compared ? class_of_region(job, stored, derived) : class_alone(derived);
        bool is_conflict = is_compared && (stored != derived->state || !derived->holds);
        row->class = class > row->class ? class : row->class;
        row->is_conflict = row->is_conflict || is_conflict;
        row->stored_leaf = stored;
        if (is_compared)
            count_region(job, stored, derived->state, 1);
    }
    job->unrecorded += has_stored(job) && !is_compared;
}

/* Conflicts */

static char *text_of(struct derive_job *job, struct value value)
{
    if (value.kind == VALUE_STRING)
        return memory_copy_text(value_span(value));
    struct text text;
    text_init(&text, &job->arena);
    json_write(&text, value);
    return memory_copy_text(text_span(&text));
}

static void keep_conflict(struct derive_job *job, const struct derive_row *row)
{
    if (job->kept == CONFLICTS_KEPT)
        return;
    struct derive_conflict *conflict = memory_get(sizeof *conflict);
    conflict->class = row->class;
    conflict->key = text_of(job, row->key);
    conflict->stored = text_of(job, row->stored);
    conflict->derived = text_of(job, derive_row_state(job, row));
    *job->end = conflict;
    job->end = &conflict->next;
    job->kept++;
}

/* Records */

static bool passes(struct derive_job *job, const struct derive_row *row)
{
    struct value slots[DERIVE_WHERE_COUNT] = {
        [DERIVE_WHERE_RECORD] = derivation_record(job->derivation, row->record, &job->arena),
        [DERIVE_WHERE_STATE] = derive_row_state(job, row),
        [DERIVE_WHERE_HOLDS] = value_bool(row->holds),
        [DERIVE_WHERE_STORED] = row->stored,
        [DERIVE_WHERE_KEY] = row->key,
    };
    const struct expr_frame frame = {.slots = slots, .slot_count = DERIVE_WHERE_COUNT};
    return value_is_true(expr_run(job->options.where, &frame, &job->arena));
}

static void count(struct derive_job *job, struct derive_row *row)
{
    job->records++;
    job->gaps += !row->holds;
    for (uint32_t region = 0; region < job->derivation->region_count; region++) {
        job->states[row->derived[region].state]++;
        job->failures += row->derived[region].errors;
    }
    classify(job, row);
    job->classes[row->class]++;
    job->conflicts += row->is_conflict;
    if (row->is_conflict)
        keep_conflict(job, row);
    job->is_over = job->is_over ||
                   (job->options.limit > 0 && job->records + job->errors >= job->options.limit);
}

bool derive_job_keeps_conflicts(const struct derive_job *job)
{
    return job->kept < CONFLICTS_KEPT;
}

void derive_job_count(struct derive_job *job, const struct derived *derived, uint32_t stored,
                      enum derive_class class, bool is_conflict, uint64_t count)
{
    job->gaps += derived->holds ? 0 : count;
    job->states[derived->state] += count;
    job->failures += derived->errors * count;
    job->classes[class] += count;
    job->conflicts += is_conflict ? count : 0;
    if (has_stored(job) && stored == NO_STATE)
        job->unrecorded += count;
    else if (has_stored(job))
        count_region(job, stored, derived->state, count);
}

/* False: the stored state is none. */
static bool derive(struct derive_job *job, struct derive_row *row)
{
    row->holds = true;
    for (uint32_t region = 0; region < job->derivation->region_count; region++) {
        uint32_t start = start_of(job, region, row->record);
        if (start == NO_STATE)
            return false;
        job->derived[region] = derivation_run(job->derivation, start, job->slots, &job->arena);
        row->holds = row->holds && job->derived[region].holds;
    }
    return true;
}

static void take_bad(struct derive_job *job, const struct stream_record *record,
                     struct value key, const char *code, struct span problem)
{
    struct derive_row row = {.key = key, .problem = problem, .class = DERIVE_UNKNOWN};
    complain(job, record, code, problem);
    derive_row_write(job, &row);
    job->is_over = job->is_over ||
                   (job->options.limit > 0 && job->records + job->errors >= job->options.limit);
}

static void take_good(struct derive_job *job, const struct stream_record *record)
{
    struct derive_row row = {.key = key_of(job, record),
                             .record = record->value,
                             .stored = stored_of(job, record->value),
                             .derived = job->derived,
                             .slots = job->slots};
    derivation_bind(job->derivation, record->value, job->slots, &job->arena);
    if (!derive(job, &row)) {
        struct value stored = value_member(record->value, span_from_text(job->options.from));
        job->classes[DERIVE_UNKNOWN]++;
        take_bad(job, record, row.key, CODE_RECORD, unknown_state(job, stored));
        return;
    }
    if (job->options.where != NULL && !passes(job, &row)) {
        job->left_out++;
        return;
    }
    count(job, &row);
    derive_row_write(job, &row);
    job->last = row;
    job->has_last = true;
}

void derive_job_take(struct derive_job *job, const struct stream_record *record)
{
    struct arena_guard guard;
    struct value line = value_int((int64_t)record->number);
    job->has_last = false;
    if (arena_is_spent(&job->arena, &guard)) {
        arena_clear(&job->arena);
        take_bad(job, record, line, CODE_RECORD, SPAN("the record is too large"));
        return;
    }
    if (record->problem.size > 0)
        take_bad(job, record, line, record->is_malformed ? CODE_JSON : CODE_RECORD,
                 record->problem);
    else
        take_good(job, record);
    arena_release_guard(&job->arena, &guard);
}
