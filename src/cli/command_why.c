/*
 * command_why.c - `interlock why`: what state is it in, why, and what wakes it next?
 */
#include "cli/command.h"
#include "cli/reader.h"
#include "os/os.h"

enum { DB, OUTPUT, SERVER, OPTION_COUNT };

static const struct option options[] = {
    [DB] = OPTION_DB,
    [OUTPUT] = OPTION_OUTPUT,
    [SERVER] = OPTION_SERVER,
};

static void explain(struct reader *reader, const struct instance *instance)
{
    struct text text;
    text_init(&text, NULL);
    waiting_explain(&reader->registry, instance, clock_wall(), &reader->arena, &text);
    output_lines(text_span(&text));
    if (text.size > 0 && text.bytes[text.size - 1] != '\n')
        output_add(SPAN("\n"));
    text_fini(&text);
}

static enum cli_exit run(const struct cli_world *world, const struct arguments *arguments,
                         enum output_format format)
{
    struct reader reader;
    enum cli_exit exit = reader_open(&reader, world, arguments->values[DB]);
    if (exit != CLI_OK)
        return exit;
    const struct instance *instance = reader_find(&reader, arguments->operands[0]);
    if (instance == NULL)
        exit = CLI_FAILED;
    else if (format == OUTPUT_TEXT)
        explain(&reader, instance);
    else
        output_value(waiting_describe(&reader.registry, instance, clock_wall(), &reader.arena));
    reader_close(&reader);
    return exit;
}

const struct command command_why = {
    .name = "why",
    .summary = "what state is it in, why, and what wakes it next",
    .usage = "ID [--db PATH] [-o text|json]",
    .text =
        "Explains an instance: its state, the step under way and its attempts, what it waits\n"
        "for since when, and what wakes it next.",
    .example = "  interlock why 0042",
    .options = options,
    .option_count = OPTION_COUNT,
    .operands_min = 1,
    .operands_max = 1,
    .formats = OUTPUT_BIT(OUTPUT_TEXT) | OUTPUT_BIT(OUTPUT_JSON),
    .output_option = OUTPUT,
    .run = run,
};
