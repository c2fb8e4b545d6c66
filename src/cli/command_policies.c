/*
 * command_policies.c - `interlock policies`: what doors, breakers, rates, limits and budgets
 * know.
 *
 * Read from the rows that the engine writes beside its instances, at most a second behind while
 * it runs, and what the next engine on the database will take up.
 */
#include <stdio.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/policy_metrics.h"
#include "cli/reader.h"
#include "cli/report.h"
#include "os/os.h"

enum { DB, OUTPUT, SERVER, OPTION_COUNT };

static const struct option options[] = {
    [DB] = OPTION_DB,
    [OUTPUT] = OPTION_OUTPUT,
    [SERVER] = OPTION_SERVER,
};

enum { ROWS_ARENA_BYTES = 1 << 30 };

struct showing {
    struct arena *scratch; /* of one row */
    struct arena arena;    /* of all */
    enum output_format format;
    struct policy_row *rows;
    size_t count;
    size_t capacity;
};

/* A member's whole number, or what stands for it where there is none. */
static int64_t number_of(struct value row, struct span name, int64_t otherwise)
{
    struct value value = value_member(row, name);
    return value.kind == VALUE_INT ? value.integer : otherwise;
}

static struct value_entry entry(const char *name, struct span text)
{
    return (struct value_entry){value_string(span_from_text(name)), value_string(text)};
}

/* The row, behind the parts of its key. */
static struct value with_name(const struct policy_row *row, struct arena *arena)
{
    struct value_entry *entries =
        arena_new_array(arena, row->value.count + (size_t)3, struct value_entry);
    uint32_t count = 0;
    entries[count++] = entry("machine", row->name.machine);
    if (row->name.step.size > 0)
        entries[count++] = entry("step", row->name.step);
    if (row->name.key.size > 0)
        entries[count++] = entry("key", row->name.key);
    for (uint32_t i = 0; i < row->value.count; i++)
        entries[count++] = row->value.entries[i];
    return value_map(entries, count);
}

static void add_breaker(struct text *line, struct value row)
{
    struct value state = value_member(row, SPAN("state"));
    text_format(line, "  %-9.*s", SPAN_ARGS(value_span(state)));
    text_format(line, "  %lld %% of %lld calls failed",
                (long long)number_of(row, SPAN("failures_percent"), 0),
                (long long)number_of(row, SPAN("calls"), 0));
    int64_t slow = number_of(row, SPAN("slow_percent"), 0);
    if (slow > 0)
        text_format(line, ", %lld %% slow", (long long)slow);
    if (span_is(value_span(state), "closed"))
        return;
    text_add(line, SPAN(", next probe "));
    time_add_clock(line, number_of(row, SPAN("next"), 0));
}

static void add_rest(struct text *line, struct value row)
{
    int64_t limit = number_of(row, SPAN("limit"), -1);
    int64_t waiting = number_of(row, SPAN("line"), 0) + number_of(row, SPAN("starved"), 0);
    int64_t p95 = number_of(row, SPAN("p95_ms"), -1);
    int64_t budget = number_of(row, SPAN("budget_left"), -1);
    int64_t rate = number_of(row, SPAN("rate_left"), -1);
    text_format(line, ", %lld in flight", (long long)number_of(row, SPAN("running"), 0));
    if (limit >= 0)
        text_format(line, " of %lld", (long long)limit);
    if (waiting > 0)
        text_format(line, ", %lld waiting", (long long)waiting);
    if (rate >= 0)
        text_format(line, ", rate: %lld left", (long long)rate);
    if (budget >= 0)
        text_format(line, ", budget: %lld left", (long long)budget);
    if (p95 >= 0)
        text_format(line, ", p50 %lldms, p95 %lldms",
                    (long long)number_of(row, SPAN("p50_ms"), 0), (long long)p95);
}

static void add_door(struct text *line, struct value row)
{
    static const char *const reasons[] = {"full", "slow", "throttled"};
    int64_t most = number_of(row, SPAN("working_max"), 0);
    int64_t delay = number_of(row, SPAN("delay_ms"), 0);
    text_format(line, "  %lld at work", (long long)number_of(row, SPAN("working"), 0));
    if (most > 0)
        text_format(line, " of %lld", (long long)most);
    text_format(line, ", %lld let in", (long long)number_of(row, SPAN("let_in"), 0));
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        char name[32];
        snprintf(name, sizeof name, "refused_%s", reasons[i]);
        int64_t refused = number_of(row, span_from_text(name), 0);
        if (refused > 0)
            text_format(line, ", %lld refused: %s", (long long)refused, reasons[i]);
    }
    if (delay > 0)
        text_format(line, ", the first in line waits %lldms", (long long)delay);
}

static void print_line(const struct policy_row *row)
{
    const struct policy_name *name = &row->name;
    struct text line;
    struct text title;
    text_init(&line, NULL);
    text_init(&title, NULL);
    text_add(&title, name->machine);
    if (name->step.size > 0)
        text_format(&title, "/%.*s", SPAN_ARGS(name->step));
    if (name->key.size > 0)
        text_add_byte(&title, '#');
    text_add_visible(&title, name->key);
    text_format(&line, "%-24.*s", SPAN_ARGS(text_span(&title)));
    if (name->step.size == 0) {
        add_door(&line, row->value);
    } else {
        add_breaker(&line, row->value);
        add_rest(&line, row->value);
    }
    text_add(&line, SPAN(", at "));
    time_add_clock(&line, number_of(row->value, SPAN("at"), 0));
    text_add_byte(&line, '\n');
    output_add(text_span(&line));
    text_fini(&title);
    text_fini(&line);
}

static void print_lines(const struct showing *showing)
{
    for (size_t i = 0; i < showing->count; i++)
        print_line(&showing->rows[i]);
    if (showing->count == 0)
        output_add(
            SPAN("no machine has `admission`, and no step was called that has a breaker,\n"
                 "rate, budget or moving limit\n"));
}

static void print_values(struct showing *showing)
{
    bool is_list = showing->format == OUTPUT_JSON;
    for (size_t i = 0; i < showing->count; i++) {
        if (is_list)
            output_add(i == 0 ? SPAN("[") : SPAN(" ,"));
        output_value(with_name(&showing->rows[i], &showing->arena));
    }
    if (is_list)
        output_add(showing->count == 0 ? SPAN("[]\n") : SPAN("]\n"));
}

static void print_metrics(const struct showing *showing)
{
    struct text text;
    text_init(&text, NULL);
    policy_metrics_write(&text, showing->rows, showing->count);
    output_add(text_span(&text));
    text_fini(&text);
}

/* Without what only engines read, which is most of a row. */
static struct value without_saved(struct value row, struct arena *arena)
{
    struct value_entry *entries = arena_new_array(arena, row.count, struct value_entry);
    uint32_t count = 0;
    for (uint32_t i = 0; i < row.count; i++) {
        if (!span_is(value_span(row.entries[i].key), "saved"))
            entries[count++] = row.entries[i];
    }
    return value_map(entries, count);
}

static bool take_row(void *context, const struct store_row *row)
{
    struct showing *showing = context;
    struct arena *scratch = showing->scratch;
    struct json_error error;
    struct value value;
    arena_clear(scratch);
    if (json_read(row->data, scratch, &value, &error) != STATUS_OK || value.kind != VALUE_MAP)
        return true; /* of another version: nothing depends on it */
    memory_reserve(showing->rows, showing->count, showing->capacity);
    showing->rows[showing->count++] =
        (struct policy_row){policy_name_of(arena_copy(&showing->arena, row->key)),
                            value_copy(&showing->arena, without_saved(value, scratch))};
    return true;
}

static void print(struct showing *showing)
{
    if (showing->format == OUTPUT_TEXT)
        print_lines(showing);
    else if (showing->format == OUTPUT_PROMETHEUS)
        print_metrics(showing);
    else
        print_values(showing);
}

static enum cli_exit run(const struct cli_world *world, const struct arguments *arguments,
                         enum output_format format)
{
    struct reader reader;
    struct showing showing = {.scratch = &reader.arena, .format = format};
    enum cli_exit exit = reader_open(&reader, world, arguments->values[DB]);
    if (exit != CLI_OK)
        return exit;
    arena_open(&showing.arena, ROWS_ARENA_BYTES);
    if (store_page(reader.store, ROW_POLICY, SPAN(""), SIZE_MAX, take_row, &showing) ==
        STATUS_OK) {
        print(&showing);
    } else {
        report_problem("policies: %s", store_problem(reader.store));
        exit = CLI_WORLD;
    }
    memory_release(showing.rows);
    arena_close(&showing.arena);
    reader_close(&reader);
    return exit;
}

const struct command command_policies = {
    .name = "policies",
    .summary = "what breakers, rates, limits and budgets know",
    .usage = "[--db PATH] [-o text|json|ndjson|prometheus]",
    .text = "Shows the policies of every step that was called, a line for each step and key.\n"
            "While an engine runs it is at most a second behind. `-o prometheus` writes it as\n"
            "a textfile collector reads it.",
    .example = "  interlock policies --db orders.db",
    .options = options,
    .option_count = OPTION_COUNT,
    .formats = OUTPUT_BIT(OUTPUT_TEXT) | OUTPUT_BIT(OUTPUT_JSON) | OUTPUT_BIT(OUTPUT_NDJSON) |
               OUTPUT_BIT(OUTPUT_PROMETHEUS),
    .output_option = OUTPUT,
    .run = run,
};
