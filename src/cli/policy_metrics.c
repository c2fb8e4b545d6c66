/*
 * policy_metrics.c - rows of policies as Prometheus' text format.
 *
 * The table names every family: where its figures stand in a row, and what label tells those
 * apart that stand together in a map. Figures that only grow are kept over restarts with the
 * rest of the row, so that a collector sees no step back at each start of an engine.
 */
#include "cli/policy_metrics.h"

#include <string.h>

enum shape {
    SHAPE_NUMBER,  /* the member is the figure */
    SHAPE_SECONDS, /* … in milliseconds */
    SHAPE_MAP,     /* the member is a map: its keys are the values of the label */
    SHAPE_STATE,   /* the member is the one of BREAKER_STATES that holds */
};

struct family {
    const char *name;
    const char *type;
    const char *help;
    const char *label; /* NULL: none beside those of the row */
    const char *label_value;
    struct span member;
    enum shape shape;
};

static const struct span breaker_states[] = {SPAN_INIT("closed"), SPAN_INIT("open"),
                                             SPAN_INIT("half-open")};

#define CALL_SECONDS_HELP "How long calls that were done took of late."
#define REFUSED_HELP "Starts that were refused."

/* Those of one name, which differ in the label, follow each other. */
static const struct family families[] = {
    {"breaker_state", "gauge", "1 for the state that the breaker is in.", "state", NULL,
     SPAN_INIT("state"), SHAPE_STATE},
    {"breaker_transitions_total", "counter", "Times the breaker came into a state.", "to", NULL,
     SPAN_INIT("entered"), SHAPE_MAP},
    {"breaker_window_calls", "gauge", "Calls that the breaker goes by.", NULL, NULL,
     SPAN_INIT("calls"), SHAPE_NUMBER},
    {"breaker_window_failures", "gauge", "How many of them failed.", NULL, NULL,
     SPAN_INIT("failures"), SHAPE_NUMBER},
    {"calls_total", "counter", "Calls that ended: done, or by kind of error.", "outcome", NULL,
     SPAN_INIT("ended"), SHAPE_MAP},
    {"retries_total", "counter", "Calls that were made again after a failure.", NULL, NULL,
     SPAN_INIT("retries"), SHAPE_NUMBER},
    {"hedges_total", "counter", "Calls that were made beside one that was late.", NULL, NULL,
     SPAN_INIT("hedges"), SHAPE_NUMBER},
    {"calls_in_flight", "gauge", "Calls under way.", NULL, NULL, SPAN_INIT("running"),
     SHAPE_NUMBER},
    {"call_seconds", "gauge", CALL_SECONDS_HELP, "quantile", "0.5", SPAN_INIT("p50_ms"),
     SHAPE_SECONDS},
    {"call_seconds", "gauge", CALL_SECONDS_HELP, "quantile", "0.95", SPAN_INIT("p95_ms"),
     SHAPE_SECONDS},
    {"limit", "gauge", "Calls that may be under way at the place where the step's calls wait.",
     NULL, NULL, SPAN_INIT("limit"), SHAPE_NUMBER},
    {"queued", "gauge", "Requests in line there, their deadlines running.", NULL, NULL,
     SPAN_INIT("queued"), SHAPE_NUMBER},
    {"parked", "gauge", "Requests parked there, their deadlines standing still.", NULL, NULL,
     SPAN_INIT("parked"), SHAPE_NUMBER},
    {"starved", "gauge", "Requests that wait for the retry budget.", NULL, NULL,
     SPAN_INIT("starved"), SHAPE_NUMBER},
    {"retry_budget_tokens", "gauge", "Retries that the budget has room for.", NULL, NULL,
     SPAN_INIT("budget_left"), SHAPE_NUMBER},
    {"rate_tokens", "gauge", "Calls that the rate has room for now.", NULL, NULL,
     SPAN_INIT("rate_left"), SHAPE_NUMBER},
    {"admission_working", "gauge", "Instances at work.", NULL, NULL, SPAN_INIT("working"),
     SHAPE_NUMBER},
    {"admission_working_limit", "gauge", "How many may be; 0: no limit.", NULL, NULL,
     SPAN_INIT("working_max"), SHAPE_NUMBER},
    {"admission_delay_seconds", "gauge", "How long the first in line has waited.", NULL, NULL,
     SPAN_INIT("delay_ms"), SHAPE_SECONDS},
    {"admission_accepted_total", "counter", "Starts that were let in.", NULL, NULL,
     SPAN_INIT("let_in"), SHAPE_NUMBER},
    {"admission_refused_total", "counter", REFUSED_HELP, "reason", "full",
     SPAN_INIT("refused_full"), SHAPE_NUMBER},
    {"admission_refused_total", "counter", REFUSED_HELP, "reason", "slow",
     SPAN_INIT("refused_slow"), SHAPE_NUMBER},
    {"admission_refused_total", "counter", REFUSED_HELP, "reason", "throttled",
     SPAN_INIT("refused_throttled"), SHAPE_NUMBER},
    {"policy_timestamp_seconds", "gauge", "When these figures were written, since 1970.", NULL,
     NULL, SPAN_INIT("at"), SHAPE_SECONDS},
};

struct policy_name policy_name_of(struct span row_key)
{
    size_t slash = 0;
    while (slash + 1 < row_key.size && row_key.text[slash] != '/')
        slash++;
    size_t hash = slash;
    while (hash < row_key.size && row_key.text[hash] != '#')
        hash++;
    struct policy_name name = {.machine = span_slice(row_key, 0, slash)};
    if (slash + 1 < row_key.size)
        name.step = span_slice(row_key, slash + 1, hash);
    if (hash < row_key.size)
        name.key = span_slice(row_key, hash + 1, row_key.size);
    return name;
}

static void add_label(struct text *text, const char *name, struct span value)
{
    text_format(text, "%s%s=\"", text->bytes[text->size - 1] == '{' ? "" : ",", name);
    for (size_t i = 0; i < value.size; i++) {
        char byte = value.text[i];
        if (byte == '\n')
            text_add(text, SPAN("\\n"));
        else if (byte == '"' || byte == '\\')
            text_format(text, "\\%c", byte);
        else
            text_add_byte(text, byte);
    }
    text_add_byte(text, '"');
}

static void add_sample(struct text *text, const struct family *family,
                       const struct policy_name *name, struct span label, int64_t figure)
{
    text_format(text, "interlock_%s{", family->name);
    add_label(text, "machine", name->machine);
    if (name->step.size > 0)
        add_label(text, "step", name->step);
    if (name->key.size > 0)
        add_label(text, "key", name->key);
    if (family->label != NULL)
        add_label(text, family->label, label);
    text_add(text, SPAN("} "));
    if (family->shape == SHAPE_SECONDS)
        text_format(text, "%lld.%03d\n", (long long)(figure / 1000), (int)(figure % 1000));
    else
        text_format(text, "%lld\n", (long long)figure);
}

static void add_map(struct text *text, const struct family *family,
                    const struct policy_name *name, struct value figures)
{
    for (uint32_t i = 0; i < figures.count; i++)
        add_sample(text, family, name, value_span(figures.entries[i].key),
                   figures.entries[i].value.integer);
}

static void add_state(struct text *text, const struct family *family,
                      const struct policy_name *name, struct span state)
{
    for (size_t i = 0; i < sizeof breaker_states / sizeof breaker_states[0]; i++)
        add_sample(text, family, name, breaker_states[i], span_equal(breaker_states[i], state));
}

/* A step without a breaker has a row all the same, in which one would be closed for ever. */
static bool is_about(const struct family *family, struct value row)
{
    bool is_breaker = span_starts_with(span_from_text(family->name), SPAN("breaker_"));
    return !is_breaker || value_find(row, SPAN("entered")) != NULL;
}

static void add_row(struct text *text, const struct family *family,
                    const struct policy_row *row)
{
    struct value member = value_member(row->value, family->member);
    struct span label = span_from_text(family->label_value);
    if (!is_about(family, row->value))
        return;
    if (family->shape == SHAPE_MAP && member.kind == VALUE_MAP)
        add_map(text, family, &row->name, member);
    else if (family->shape == SHAPE_STATE && member.kind == VALUE_STRING)
        add_state(text, family, &row->name, value_span(member));
    else if (member.kind == VALUE_INT)
        add_sample(text, family, &row->name, label, member.integer);
}

static void add_head(struct text *text, const struct family *family)
{
    text_format(text, "# HELP interlock_%s %s\n# TYPE interlock_%s %s\n", family->name,
                family->help, family->name, family->type);
}

/* A family that nobody has a figure for is not there at all. */
void policy_metrics_write(struct text *text, const struct policy_row *rows, size_t count)
{
    struct text samples;
    const char *headed = "";
    text_init(&samples, NULL);
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        const struct family *family = &families[i];
        text_clear(&samples);
        for (size_t row = 0; row < count; row++)
            add_row(&samples, family, &rows[row]);
        if (samples.size > 0 && strcmp(headed, family->name) != 0) {
            add_head(text, family);
            headed = family->name;
        }
        text_add(text, text_span(&samples));
    }
    text_fini(&samples);
}
