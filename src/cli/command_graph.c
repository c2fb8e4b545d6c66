/*
 * command_graph.c - `interlock graph`: a machine as a drawing, or in another notation.
 */
#include "base/limits.h"
#include "cli/command.h"
#include "cli/definition_file.h"
#include "cli/graph_svg.h"
#include "cli/report.h"

enum { OUTPUT, OPTION_COUNT };

static const struct option options[] = {
    [OUTPUT] = OPTION_OUTPUT,
};

/* Fails with diagnostics, or where a drawing needs the world. */
static enum cli_exit draw(struct definition_file *file, const struct machine *machine,
                          enum output_format format, struct text *text)
{
    switch (format) {
    case OUTPUT_DOT:
        draw_dot(machine, text);
        break;
    case OUTPUT_JSON:
        text_add(text, machine->definition);
        text_add_byte(text, '\n');
        break;
    case OUTPUT_SVG:
        return graph_svg(machine, text);
    case OUTPUT_SCXML:
        scxml_write(machine, &file->arena, text, &file->diagnostics);
        break;
    case OUTPUT_C:
        emit_c(machine, &file->arena, text, &file->diagnostics);
        break;
    case OUTPUT_MERMAID:
    case OUTPUT_TEXT:
    case OUTPUT_NDJSON:
    case OUTPUT_CSV:
    case OUTPUT_SARIF:
    case OUTPUT_PROMETHEUS:
    case OUTPUT_FORMAT_COUNT:
        draw_mermaid(machine, text);
        break;
    }
    return file->diagnostics.errors == 0 ? CLI_OK : CLI_FAILED;
}

/* What the file itself has warnings about is for `check` to say. */
static enum cli_exit write_machine(struct definition_file *file, const struct machine *machine,
                                   enum output_format format)
{
    struct text text;
    int lines_left = DIAGNOSTICS_SHOWN_MAX;
    text_init(&text, NULL);
    diagnostics_init(&file->diagnostics, &file->arena);
    enum cli_exit exit = draw(file, machine, format, &text);
    report_diagnostics(&file->diagnostics, SEVERITY_WARNING, &lines_left);
    if (exit == CLI_OK)
        output_add(text_span(&text));
    text_fini(&text);
    return exit;
}

static enum cli_exit run(const struct cli_world *world, const struct arguments *arguments,
                         enum output_format format)
{
    struct definition_file file;
    int lines_left = DIAGNOSTICS_SHOWN_MAX;
    const struct machine *machine = NULL;
    enum cli_exit exit = definition_file_open(&file, arguments->operands[0], NULL, world);
    if (exit == CLI_OK)
        machine = definition_file_machine(&file);
    if (machine != NULL) {
        exit = write_machine(&file, machine, format);
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
    .usage = "FILE [-o mermaid|dot|svg|scxml|c|json]",
    .text =
        "Mermaid where nothing is said: it is drawn where Markdown is shown. `dot` is for\n"
        "Graphviz, and `svg` what its program of that name makes of it; `scxml` is the W3C's\n"
        "notation; `c` is one file of C17 that runs it, without anything else; `json` is the\n"
        "definition itself, without `steps` and `admission`.",
    .example = "  interlock graph order.yaml\n"
               "  interlock graph order.yaml -o svg >order.svg",
    .options = options,
    .option_count = OPTION_COUNT,
    .operands_min = 1,
    .operands_max = 1,
    .formats = OUTPUT_BIT(OUTPUT_MERMAID) | OUTPUT_BIT(OUTPUT_DOT) | OUTPUT_BIT(OUTPUT_SVG) |
               OUTPUT_BIT(OUTPUT_SCXML) | OUTPUT_BIT(OUTPUT_C) | OUTPUT_BIT(OUTPUT_JSON),
    .output_option = OUTPUT,
    .run = run,
};
