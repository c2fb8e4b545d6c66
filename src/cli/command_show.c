/*
 * command_show.c - `interlock show`: all that is known of one instance now.
 */
#include "cli/command.h"
#include "cli/instance_text.h"
#include "cli/reader.h"
#include "os/os.h"

enum { DB, OUTPUT, SERVER, OPTION_COUNT };

static const struct option options[] = {
    [DB] = OPTION_DB,
    [OUTPUT] = OPTION_OUTPUT,
    [SERVER] = OPTION_SERVER,
};

static void print_words(struct span words)
{
    struct text line;
    text_init(&line, NULL);
    text_add_visible(&line, words);
    text_add_byte(&line, '\n');
    output_add(text_span(&line));
    text_fini(&line);
}

static void print_text(struct value described)
{
    for (uint32_t i = 0; i < described.count; i++) {
        const struct value_entry *entry = &described.entries[i];
        output_format("%-8.*s  ", SPAN_ARGS(value_span(entry->key)));
        if (entry->value.kind == VALUE_STRING)
            print_words(value_span(entry->value));
        else
            output_value_pretty(entry->value);
    }
}

static enum cli_exit run(const struct cli_world *world, const struct arguments *arguments,
                         enum output_format format)
{
    struct reader reader;
    enum cli_exit exit = reader_open(&reader, world, arguments->values[DB]);
    if (exit != CLI_OK)
        return exit;
    const struct instance *instance = reader_find(&reader, arguments->operands[0]);
    if (instance == NULL) {
        exit = CLI_FAILED;
    } else {
        struct value described =
            waiting_describe(&reader.registry, instance, clock_wall(), &reader.arena);
        if (format == OUTPUT_TEXT)
            print_text(described);
        else
            output_value(described);
    }
    reader_close(&reader);
    return exit;
}

const struct command command_show = {
    .name = "show",
    .summary = "all that is known of one instance now",
    .usage = "ID [--db PATH] [-o text|json|ndjson]",
    .text = "Shows an instance: its state, its context, and what it waits for.",
    .example = "  interlock show 0042 -o json",
    .options = options,
    .option_count = OPTION_COUNT,
    .operands_min = 1,
    .operands_max = 1,
    .formats = OUTPUT_BIT(OUTPUT_TEXT) | OUTPUT_BIT(OUTPUT_JSON) | OUTPUT_BIT(OUTPUT_NDJSON),
    .output_option = OUTPUT,
    .run = run,
};
