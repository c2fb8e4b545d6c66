/*
 * derive_summary.c - how many records are in which state.
 */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/json.h"
#include "cli/derive_job.h"
#include "cli/report.h"
#include "os/os.h"

enum { BAR_CELLS = 30, NAME_MAX = 40 };

static bool has_stored(const struct derive_job *job)
{
    return job->matrix != NULL;
}

/* JSON */

static void add_count(struct text *text, const char *key, uint64_t count)
{
    text_format(text, ",\"%s\":%" PRIu64, key, count);
}

static void add_states(struct text *text, const struct derive_job *job, const uint64_t *counts,
                       bool all)
{
    const char *between = "";
    text_add_byte(text, '{');
    for (uint32_t leaf = 0; leaf < job->derivation->leaf_count; leaf++) {
        if (counts[leaf] == 0 && !all)
            continue;
        text_add(text, span_from_text(between));
        json_write_string(text, derivation_path(job->derivation, leaf));
        text_format(text, ":%" PRIu64, counts[leaf]);
        between = ",";
    }
    text_add_byte(text, '}');
}

static bool has_row(const struct derive_job *job, uint32_t stored)
{
    const uint64_t *row = job->matrix + (size_t)stored * job->derivation->leaf_count;
    uint64_t sum = 0;
    for (uint32_t leaf = 0; leaf < job->derivation->leaf_count; leaf++)
        sum += row[leaf];
    return sum > 0;
}

static struct span row_name(const struct derive_job *job, uint32_t stored)
{
    return stored == job->derivation->leaf_count ? SPAN("?")
                                                 : derivation_path(job->derivation, stored);
}

static void add_matrix(struct text *text, const struct derive_job *job)
{
    uint32_t leaves = job->derivation->leaf_count;
    const char *between = "";
    text_add(text, SPAN(",\"matrix\":{"));
    for (uint32_t stored = 0; stored <= leaves; stored++) {
        if (!has_row(job, stored))
            continue;
        text_add(text, span_from_text(between));
        json_write_string(text, row_name(job, stored));
        text_add_byte(text, ':');
        add_states(text, job, job->matrix + (size_t)stored * leaves, false);
        between = ",";
    }
    text_add_byte(text, '}');
}

static void add_classes(struct text *text, const struct derive_job *job)
{
    const char *between = "";
    text_add(text, SPAN(",\"classes\":{"));
    for (enum derive_class class = 0; class < DERIVE_CLASS_COUNT; class ++) {
        text_format(text, "%s\"%s\":%" PRIu64, between, derive_class_name(class),
                    job->classes[class]);
        between = ",";
    }
    text_add_byte(text, '}');
}

static void add_conflicts(struct text *text, const struct derive_job *job)
{
    text_add(text, SPAN(",\"first_conflicts\":["));
    for (const struct derive_conflict *c = job->first; c != NULL; c = c->next) {
        text_add(text, c == job->first ? SPAN("{\"key\":") : SPAN(",{\"key\":"));
        json_write_string(text, span_from_text(c->key));
        text_add(text, SPAN(",\"stored\":"));
        json_write_string(text, span_from_text(c->stored));
        text_add(text, SPAN(",\"state\":"));
        json_write_string(text, span_from_text(c->derived));
        text_format(text, ",\"class\":\"%s\"}", derive_class_name(c->class));
    }
    text_add_byte(text, ']');
}

static void print_json(const struct derive_job *job)
{
    struct text text;
    text_init(&text, NULL);
    text_add(&text, SPAN("{\"states\":"));
    add_states(&text, job, job->states, true);
    add_count(&text, "errors", job->errors);
    add_count(&text, "records", job->records);
    add_count(&text, "gaps", job->gaps);
    add_count(&text, "validator_errors", job->failures);
    if (job->options.where != NULL)
        add_count(&text, "left_out", job->left_out);
    if (has_stored(job)) {
        add_count(&text, "conflicts", job->conflicts);
        add_count(&text, "without_state", job->unrecorded);
        add_classes(&text, job);
        add_matrix(&text, job);
        add_conflicts(&text, job);
    }
    text_add(&text, SPAN("}\n"));
    output_add(text_span(&text));
    text_fini(&text);
}

/* Text */

static int name_width(const struct derive_job *job)
{
    size_t width = 8;
    for (uint32_t leaf = 0; leaf < job->derivation->leaf_count; leaf++) {
        size_t size = derivation_path(job->derivation, leaf).size;
        width = size > width && size <= NAME_MAX ? size : width;
    }
    return (int)width;
}

static void print_bar(uint64_t count, uint64_t most)
{
    uint64_t filled = most == 0 ? 0 : (count * BAR_CELLS + most - 1) / most;
    for (uint64_t i = 0; i < BAR_CELLS; i++)
        output_add(i < filled ? SPAN("█") : SPAN(" "));
    output_add(SPAN("  "));
}

static void print_states(const struct derive_job *job)
{
    bool has_bar = file_is_terminal(STDOUT_FILENO);
    int width = name_width(job);
    uint64_t most = 0;
    for (uint32_t leaf = 0; leaf < job->derivation->leaf_count; leaf++)
        most = job->states[leaf] > most ? job->states[leaf] : most;
    for (uint32_t leaf = 0; leaf < job->derivation->leaf_count; leaf++) {
        struct span path = derivation_path(job->derivation, leaf);
        uint64_t count = job->states[leaf];
        double share = job->records == 0 ? 0 : (double)count * 100 / (double)job->records;
        output_format("%-*.*s  ", width, SPAN_ARGS(path));
        if (has_bar)
            print_bar(count, most);
        output_format("%12" PRIu64 "  %5.1f %%\n", count, share);
    }
}

static void print_matrix(const struct derive_job *job)
{
    uint32_t leaves = job->derivation->leaf_count;
    int width = name_width(job);
    output_format("\nstored, and what was derived\n");
    for (uint32_t stored = 0; stored <= leaves; stored++) {
        const uint64_t *row = job->matrix + (size_t)stored * leaves;
        struct span name = row_name(job, stored);
        for (uint32_t leaf = 0; leaf < leaves; leaf++) {
            if (row[leaf] == 0)
                continue;
            output_format("%-*.*s  →  %-*.*s %12" PRIu64 "%s\n", width, SPAN_ARGS(name), width,
                          SPAN_ARGS(derivation_path(job->derivation, leaf)), row[leaf],
                          stored == leaf ? "" : "  *");
        }
    }
}

static void print_conflicts(const struct derive_job *job)
{
    output_format("\n%" PRIu64 " conflict%s", job->conflicts, job->conflicts == 1 ? "" : "s");
    for (enum derive_class class = 0; class < DERIVE_CLASS_COUNT; class ++) {
        if (class != DERIVE_AGREE && job->classes[class] > 0)
            output_format(", %" PRIu64 " %s", job->classes[class], derive_class_name(class));
    }
    output_format("\n");
    for (const struct derive_conflict *c = job->first; c != NULL; c = c->next)
        output_format("  %s  %s → %s  %s\n", c->key, c->stored, c->derived,
                      derive_class_name(c->class));
    if (job->conflicts > job->kept)
        output_format("  and %" PRIu64 " more: --conflicts -o ndjson has them all\n",
                      job->conflicts - job->kept);
}

static void print_text(const struct derive_job *job, int64_t took_us)
{
    double seconds = (double)took_us / 1e6;
    print_states(job);
    output_format("\n%" PRIu64 " record%s in %.2f s", job->records,
                  job->records == 1 ? "" : "s", seconds);
    if (job->records > 100000 && took_us > 0)
        output_format(" (%.1f M/s)", (double)job->records / (double)took_us);
    if (job->gaps > 0)
        output_format(", %" PRIu64 " that no state fits", job->gaps);
    if (job->failures > 0)
        output_format(", %" PRIu64 " validator errors", job->failures);
    if (job->errors > 0)
        output_format(", %" PRIu64 " bad", job->errors);
    if (job->options.where != NULL)
        output_format(", %" PRIu64 " left out", job->left_out);
    output_format("\n");
    if (!has_stored(job))
        return;
    print_matrix(job);
    print_conflicts(job);
}

void derive_summary_print(const struct derive_job *job, int64_t took_us)
{
    if (job->options.format == OUTPUT_JSON)
        print_json(job);
    else if (job->options.format == OUTPUT_TEXT && !job->options.is_explained)
        print_text(job, took_us);
    else if (job->conflicts > 0)
        report_problem("%" PRIu64 " conflict%s", job->conflicts,
                       job->conflicts == 1 ? "" : "s");
    if (job->errors > 0)
        report_problem("%" PRIu64 " bad record%s", job->errors, job->errors == 1 ? "" : "s");
}
