/*
 * command_policies.c - `interlock policies`: what doors, breakers, rates, limits and budgets
 * know.
 *
 * Read from the rows that the engine writes beside its instances, at most a second behind while
 * it runs, and what the next engine on the database will take up.
 */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/reader.h"
#include "cli/report.h"
#include "os/os.h"

enum { DB, OUTPUT, SERVER, OPTION_COUNT };

static const struct option options[] = {
    [DB] = OPTION_DB,
    [OUTPUT] = OPTION_OUTPUT,
    [SERVER] = OPTION_SERVER,
};

enum { MEMBERS_MAX = 32 };

struct showing {
    struct reader *reader;
    enum output_format format;
    uint64_t count;
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

/* The row with its key split into machine, step and key, and without what only engines read.
 */
static struct value without_saved(struct span key, struct value row, struct arena *arena)
{
    struct value_entry *entries = arena_new_array(arena, MEMBERS_MAX, struct value_entry);
    uint32_t count = 0;
    size_t slash = 0;
    while (slash + 1 < key.size && key.text[slash] != '/')
        slash++;
    size_t hash = slash;
    while (hash < key.size && key.text[hash] != '#')
        hash++;
    entries[count++] = entry("machine", span_of(key.text, slash));
    if (slash + 1 < key.size)
        entries[count++] = entry("step", span_of(key.text + slash + 1, hash - slash - 1));
    if (hash < key.size)
        entries[count++] = entry("key", span_of(key.text + hash + 1, key.size - hash - 1));
    for (uint32_t i = 0; i < row.count && count < MEMBERS_MAX; i++) {
        if (!span_is(value_span(row.entries[i].key), "saved"))
            entries[count++] = row.entries[i];
    }
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

/* The row of a machine's door, not of a step. */
static bool is_door(struct span key)
{
    const char *slash = memchr(key.text, '/', key.size);
    return slash != NULL && slash + 1 == key.text + key.size;
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

static void print_line(struct span key, struct value row)
{
    struct text line;
    text_init(&line, NULL);
    if (is_door(key)) {
        text_format(&line, "%-24.*s", (int)(key.size - 1), key.text);
        add_door(&line, row);
    } else {
        text_format(&line, "%-24.*s", SPAN_ARGS(key));
        add_breaker(&line, row);
        add_rest(&line, row);
    }
    text_add(&line, SPAN(", at "));
    time_add_clock(&line, number_of(row, SPAN("at"), 0));
    text_add_byte(&line, '\n');
    output_add(text_span(&line));
    text_fini(&line);
}

static bool show_row(void *context, const struct store_row *row)
{
    struct showing *showing = context;
    struct arena *arena = &showing->reader->arena;
    struct json_error error;
    struct value value;
    arena_clear(arena);
    if (json_read(row->data, arena, &value, &error) != STATUS_OK || value.kind != VALUE_MAP)
        return true; /* of another version: nothing depends on it */
    if (showing->format == OUTPUT_TEXT) {
        print_line(row->key, value);
    } else {
        if (showing->format == OUTPUT_JSON)
            output_add(showing->count == 0 ? SPAN("[") : SPAN(" ,"));
        output_value(without_saved(row->key, value, arena));
    }
    showing->count++;
    return output_flush();
}

static enum cli_exit run(const struct cli_world *world, const struct arguments *arguments,
                         enum output_format format)
{
    struct reader reader;
    struct showing showing = {.reader = &reader, .format = format};
    enum cli_exit exit = reader_open(&reader, world, arguments->values[DB]);
    if (exit != CLI_OK)
        return exit;
    if (store_page(reader.store, ROW_POLICY, SPAN(""), SIZE_MAX, show_row, &showing) !=
        STATUS_OK) {
        report_problem("policies: %s", store_problem(reader.store));
        exit = CLI_WORLD;
    } else if (showing.count == 0 && format == OUTPUT_TEXT) {
        output_add(
            SPAN("no machine has `admission`, and no step was called that has a breaker,\n"
                 "rate, budget or moving limit\n"));
    } else if (format == OUTPUT_JSON) {
        output_add(showing.count == 0 ? SPAN("[]\n") : SPAN("]\n"));
    }
    reader_close(&reader);
    return exit;
}

const struct command command_policies = {
    .name = "policies",
    .summary = "what breakers, rates, limits and budgets know",
    .usage = "[--db PATH] [-o text|json|ndjson]",
    .text = "Shows the policies of every step that was called, a line for each step and key.\n"
            "While an engine runs it is at most a second behind.",
    .example = "  interlock policies --db orders.db",
    .options = options,
    .option_count = OPTION_COUNT,
    .formats = OUTPUT_BIT(OUTPUT_TEXT) | OUTPUT_BIT(OUTPUT_JSON) | OUTPUT_BIT(OUTPUT_NDJSON),
    .output_option = OUTPUT,
    .run = run,
};
