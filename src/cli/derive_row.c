/*
 * derive_row.c - one line for each record: NDJSON, CSV, or an explanation in text.
 */
#include "base/json.h"
#include "cli/derive_job.h"

static struct span region_path(const struct derive_job *job, uint32_t region, uint32_t leaf)
{
    struct span path = derivation_path(job->derivation, leaf);
    struct span name = job->derivation->regions[region].name;
    if (!job->derivation->is_parallel)
        return path;
    return path.size == name.size ? path : span_slice(path, name.size + 1, path.size);
}

struct value derive_row_state(const struct derive_job *job, const struct derive_row *row)
{
    const struct derivation *derivation = job->derivation;
    struct arena *arena = (struct arena *)(uintptr_t)&job->arena;
    if (!derivation->is_parallel)
        return value_string(derivation_path(derivation, row->derived[0].state));
    struct value_entry *entries =
        arena_new_array(arena, derivation->region_count, struct value_entry);
    for (uint32_t i = 0; i < derivation->region_count; i++)
        entries[i] =
            (struct value_entry){value_string(derivation->regions[i].name),
                                 value_string(region_path(job, i, row->derived[i].state))};
    return value_map(entries, derivation->region_count);
}

/* The states passed on the way, of all regions. */
static struct value via_of(struct derive_job *job, const struct derive_row *row)
{
    const struct derivation *derivation = job->derivation;
    struct value *items = arena_new_array(&job->arena, derivation->leaf_count, struct value);
    uint16_t *leaves = arena_new_array(&job->arena, derivation->leaf_count, uint16_t);
    uint32_t count = 0;
    for (uint32_t region = 0; region < derivation->region_count; region++) {
        uint32_t passed = derivation_via(derivation, &row->derived[region], leaves);
        for (uint32_t i = 0; i < passed; i++)
            items[count++] = value_string(derivation_path(derivation, leaves[i]));
    }
    return value_list(items, count);
}

static void add_member(struct derive_job *job, const char *key, struct value value)
{
    text_format(&job->out, "%c\"%s\":", job->out.size == 0 ? '{' : ',', key);
    json_write(&job->out, value);
}

static struct value class_value(const struct derive_row *row)
{
    return value_string(span_from_text(derive_class_name(row->class)));
}

static void add_explanation(struct derive_job *job, const struct derive_row *row)
{
    struct value explained =
        derivation_explain(job->derivation, &row->derived[0], row->slots, &job->arena);
    if (job->derivation->region_count > 1) {
        struct value regions = value_map(NULL, 0);
        for (uint32_t i = 0; i < job->derivation->region_count; i++)
            regions = value_with(
                &job->arena, regions, job->derivation->regions[i].name,
                derivation_explain(job->derivation, &row->derived[i], row->slots, &job->arena));
        add_member(job, "regions", regions);
        return;
    }
    for (uint32_t i = 0; i < explained.count; i++)
        add_member(job, explained.entries[i].key.text, explained.entries[i].value);
}

static void write_ndjson(struct derive_job *job, const struct derive_row *row)
{
    add_member(job, "key", row->key);
    if (row->problem.size > 0) {
        add_member(job, "error", value_string(row->problem));
    } else {
        add_member(job, "state", derive_row_state(job, row));
        add_member(job, "holds", value_bool(row->holds));
        add_member(job, "via", via_of(job, row));
    }
    if (job->options.is_explained || job->options.only_conflicts) {
        add_member(job, "stored", row->stored);
        add_member(job, "class", class_value(row));
    }
    if (job->options.is_explained && row->problem.size == 0)
        add_explanation(job, row);
    text_add(&job->out, SPAN("}\n"));
}

struct span derive_row_tail(struct derive_job *job, const struct derive_row *row)
{
    const struct span head = SPAN("{\"key\":null");
    struct derive_row nameless = *row;
    nameless.key = value_null();
    text_clear(&job->out);
    write_ndjson(job, &nameless);
    return span_slice(text_span(&job->out), head.size, job->out.size);
}

/* CSV */

static void add_cell(struct derive_job *job, struct span text)
{
    bool is_quoted = false;
    for (size_t i = 0; i < text.size; i++)
        is_quoted = is_quoted || text.text[i] == ',' || text.text[i] == '"' ||
                    text.text[i] == '\n' || text.text[i] == '\r';
    if (!is_quoted) {
        text_add(&job->out, text);
        return;
    }
    text_add_byte(&job->out, '"');
    for (size_t i = 0; i < text.size; i++) {
        if (text.text[i] == '"')
            text_add_byte(&job->out, '"');
        text_add_byte(&job->out, text.text[i]);
    }
    text_add_byte(&job->out, '"');
}

static void add_value_cell(struct derive_job *job, struct value value)
{
    struct text text;
    text_init(&text, &job->arena);
    if (value.kind == VALUE_STRING)
        text_add(&text, value_span(value));
    else if (value.kind != VALUE_NULL)
        json_write(&text, value);
    add_cell(job, text_span(&text));
}

static void add_via_cell(struct derive_job *job, const struct derive_row *row)
{
    struct text text;
    struct value via = via_of(job, row);
    text_init(&text, &job->arena);
    for (uint32_t i = 0; i < via.count; i++)
        text_format(&text, "%s%.*s", i == 0 ? "" : " ", SPAN_ARGS(value_span(via.items[i])));
    add_cell(job, text_span(&text));
}

static bool has_stored(const struct derive_job *job)
{
    return job->options.from != NULL || job->options.compare != NULL;
}

static void write_csv(struct derive_job *job, const struct derive_row *row)
{
    add_value_cell(job, row->key);
    if (row->problem.size > 0) {
        text_add(&job->out, SPAN(",,,,"));
    } else {
        text_add_byte(&job->out, ',');
        add_value_cell(job, derive_row_state(job, row));
        text_format(&job->out, ",%s,", row->holds ? "true" : "false");
        add_via_cell(job, row);
        text_add_byte(&job->out, ',');
    }
    add_cell(job, row->problem);
    if (has_stored(job)) {
        text_add_byte(&job->out, ',');
        add_value_cell(job, row->stored);
        text_format(&job->out, ",%s", derive_class_name(row->class));
    }
    text_add_byte(&job->out, '\n');
}

/* Text */

static void add_plain(struct derive_job *job, struct value value)
{
    if (value.kind == VALUE_STRING)
        text_add(&job->out, value_span(value));
    else
        json_write(&job->out, value);
}

/* o.paid && !o.shipped: paid = true, shipped = false */
static void add_because(struct derive_job *job, struct value because)
{
    struct value values = value_member(because, SPAN("values"));
    struct value error = value_member(because, SPAN("error"));
    text_format(&job->out, "%.*s",
                SPAN_ARGS(value_span(value_member(because, SPAN("conjunct")))));
    for (uint32_t i = 0; i < values.count; i++) {
        text_format(&job->out, "%s%.*s = ", i == 0 ? "   " : ", ",
                    SPAN_ARGS(value_span(values.entries[i].key)));
        json_write(&job->out, values.entries[i].value);
    }
    if (error.kind == VALUE_STRING)
        text_format(&job->out, "   (error: %.*s)", SPAN_ARGS(value_span(error)));
}

static void add_level(struct derive_job *job, uint32_t level, struct value states)
{
    for (uint32_t i = 0; i < states.count; i++) {
        struct value because = value_member(states.items[i], SPAN("because"));
        text_format(&job->out, "  %3u  %-20.*s %-4s", level,
                    SPAN_ARGS(value_span(value_member(states.items[i], SPAN("state")))),
                    value_is_true(value_member(states.items[i], SPAN("holds"))) ? "yes" : "no");
        if (because.kind == VALUE_MAP)
            add_because(job, because);
        else
            text_add(&job->out, SPAN("it has no validator"));
        text_add_byte(&job->out, '\n');
    }
}

static void write_head(struct derive_job *job, const struct derive_row *row)
{
    struct value via = via_of(job, row);
    add_plain(job, row->key);
    text_add(&job->out, SPAN(": "));
    if (row->stored.kind != VALUE_NULL) {
        add_plain(job, row->stored);
        text_add(&job->out, SPAN(" → "));
    }
    add_plain(job, derive_row_state(job, row));
    for (uint32_t i = 0; i < via.count; i++)
        text_format(&job->out, "%s%.*s", i == 0 ? " via " : ", ",
                    SPAN_ARGS(value_span(via.items[i])));
    text_format(&job->out, " (%s)\n", derive_class_name(row->class));
}

static void write_text(struct derive_job *job, const struct derive_row *row)
{
    if (row->problem.size > 0) {
        add_plain(job, row->key);
        text_format(&job->out, ": %.*s\n", SPAN_ARGS(row->problem));
        return;
    }
    write_head(job, row);
    for (uint32_t region = 0; region < job->derivation->region_count; region++) {
        struct value explained =
            derivation_explain(job->derivation, &row->derived[region], row->slots, &job->arena);
        struct value levels = value_member(explained, SPAN("levels"));
        struct value others = value_member(explained, SPAN("others"));
        for (uint32_t level = 0; level < levels.count; level++)
            add_level(job, level, levels.items[level]);
        for (uint32_t i = 0; i < others.count; i++)
            text_format(&job->out, "%s%.*s", i == 0 ? "       also hold: " : ", ",
                        SPAN_ARGS(value_span(others.items[i])));
        if (others.count > 0)
            text_add_byte(&job->out, '\n');
    }
}

void derive_row_begin(struct derive_job *job)
{
    if (job->options.format == OUTPUT_CSV)
        output_add(has_stored(job) ? SPAN("key,state,holds,via,error,stored,class\n")
                                   : SPAN("key,state,holds,via,error\n"));
}

void derive_row_write(struct derive_job *job, const struct derive_row *row)
{
    if (job->options.only_conflicts && !row->is_conflict)
        return;
    text_clear(&job->out);
    if (job->options.format == OUTPUT_NDJSON)
        write_ndjson(job, row);
    else if (job->options.format == OUTPUT_CSV)
        write_csv(job, row);
    else if (job->options.format == OUTPUT_TEXT && job->options.is_explained)
        write_text(job, row);
    output_add(text_span(&job->out));
}
