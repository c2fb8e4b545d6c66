/*
 * command_graph.c - `interlock graph`: a machine as a drawing, or in another notation.
 */
#include "base/limits.h"
#include "cli/command.h"
#include "cli/definition_file.h"
#include "cli/report.h"

enum { OUTPUT, OPTION_COUNT };

static const struct option options[] = {
    [OUTPUT] = OPTION_OUTPUT,
};

static void draw(const struct machine *machine, enum output_format format, struct text *text)
{
    if (format == OUTPUT_DOT) {
        draw_dot(machine, text);
    } else if (format == OUTPUT_JSON) {
        text_add(text, machine->definition);
        text_add_byte(text, '\n');
    } else {
        draw_mermaid(machine, text);
    }
}

static enum cli_exit run(const struct cli_world *world, const struct arguments *arguments,
                         enum output_format format)
{
    (void)world;
    struct definition_file file;
    int lines_left = DIAGNOSTICS_SHOWN_MAX;
    const struct machine *machine = NULL;
    enum cli_exit exit = definition_file_open(&file, arguments->operands[0], NULL);
    if (exit == CLI_OK)
        machine = definition_file_machine(&file);
    if (machine != NULL) {
        struct text text;
        text_init(&text, NULL);
        draw(machine, format, &text);
        output_add(text_span(&text));
        text_fini(&text);
    } else {
        report_diagnostics(&file.diagnostics, SEVERITY_ERROR, &lines_left);
        exit = exit == CLI_OK ? CLI_FAILED : exit;
    }
    definition_file_close(&file);
    return exit;
}

const struct command command_graph = {
    .name = "graph",
    .summary = "draw a machine, or write it in another notation",
    .usage = "FILE [-o mermaid|dot|json]",
    .text = "Mermaid where nothing is said: it is drawn where Markdown is shown. `dot` is for\n"
            "Graphviz; `json` is the definition itself, without its steps.",
    .example = "  interlock graph order.yaml\n"
               "  interlock graph order.yaml -o dot | dot -Tsvg >order.svg",
    .options = options,
    .option_count = OPTION_COUNT,
    .operands_min = 1,
    .operands_max = 1,
    .formats = OUTPUT_BIT(OUTPUT_MERMAID) | OUTPUT_BIT(OUTPUT_DOT) | OUTPUT_BIT(OUTPUT_JSON),
    .output_option = OUTPUT,
    .run = run,
};
