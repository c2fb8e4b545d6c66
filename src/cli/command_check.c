/*
 * command_check.c - `interlock check`: everything that is wrong with definitions.
 */
#include "base/json.h"
#include "base/limits.h"
#include "cli/command.h"
#include "cli/definition_file.h"
#include "cli/report.h"
#include "cli/sarif.h"

enum { STRICT, STEPS, OUTPUT, OPTION_COUNT };

static const struct option options[] = {
    [STRICT] = {.name = "strict", .help = "warnings fail too"},
    [STEPS] = OPTION_STEPS,
    [OUTPUT] = OPTION_OUTPUT,
};

struct checking {
    const struct cli_world *world;
    const struct arguments *arguments;
    enum output_format format;
    int lines_left;    /* of all files together */
    struct text found; /* of JSON and SARIF: what is between the brackets */
    enum cli_exit exit;
};

static void add_found(struct checking *checking, struct diagnostics *diagnostics)
{
    struct arena arena;
    arena_open(&arena, DEFINITION_ARENA_BYTES);
    diagnostics_sort(diagnostics);
    for (const struct diagnostic *d = diagnostics->first; d != NULL; d = d->next) {
        text_add(&checking->found, checking->found.size > 0 ? SPAN(",\n ") : SPAN(" "));
        if (checking->format == OUTPUT_SARIF)
            sarif_add_result(&checking->found, d);
        else
            json_write(&checking->found, report_describe(d, &arena));
    }
    arena_close(&arena);
}

static void print_found(const struct checking *checking)
{
    struct text output;
    text_init(&output, NULL);
    if (checking->format == OUTPUT_SARIF)
        sarif_add_log(&output, text_span(&checking->found));
    else
        text_format(&output, "[%.*s]\n", SPAN_ARGS(text_span(&checking->found)));
    output_add(text_span(&output));
    text_fini(&output);
}

static const char *plural(uint32_t count)
{
    return count == 1 ? "" : "s";
}

/* Without those that only enter children by default. */
static uint32_t count_transitions(const struct machine *machine)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < machine->transition_count; i++)
        count += machine->transitions[i].event != NO_INDEX;
    return count;
}

static void print_ok(const char *path, const struct definition *definition)
{
    const struct machine *machine = definition->machine;
    uint32_t states = machine->state_count - 1; /* without the root */
    uint32_t transitions = count_transitions(machine);
    if (machine->derivation == NULL) {
        output_format("%s: ok, %u state%s, %u transition%s, %u step%s\n", path, states,
                      plural(states), transitions, plural(transitions), definition->step_count,
                      plural(definition->step_count));
        return;
    }
    states = machine->derivation->leaf_count;
    output_format("%s: ok, %u state%s derived from data", path, states, plural(states));
    if (definition->step_count > 0)
        output_format(", %u step%s", definition->step_count, plural(definition->step_count));
    output_add(SPAN("\n"));
}

static enum cli_exit judge(const struct checking *checking, const struct diagnostics *found,
                           enum cli_exit exit)
{
    bool is_strict = checking->arguments->values[STRICT] != NULL;
    if (exit == CLI_OK && (found->errors > 0 || (is_strict && found->warnings > 0)))
        return CLI_FAILED;
    return exit;
}

static void check_file(struct checking *checking, const char *path)
{
    struct definition_file file;
    const struct definition *definition = NULL;
    enum cli_exit exit =
        definition_file_open(&file, path, checking->arguments->values[STEPS], checking->world);
    if (exit == CLI_OK) {
        definition = definition_file_definition(&file, checking->world, true);
        exit = definition == NULL ? CLI_FAILED : CLI_OK;
    }
    exit = judge(checking, &file.diagnostics, exit);
    if (checking->format != OUTPUT_TEXT)
        add_found(checking, &file.diagnostics);
    else
        report_diagnostics(&file.diagnostics, SEVERITY_INFO, &checking->lines_left);
    if (checking->format == OUTPUT_TEXT && exit == CLI_OK)
        print_ok(path, definition);
    checking->exit = exit > checking->exit ? exit : checking->exit;
    definition_file_close(&file);
}

static enum cli_exit run(const struct cli_world *world, const struct arguments *arguments,
                         enum output_format format)
{
    struct checking checking = {world, arguments, format, DIAGNOSTICS_SHOWN_MAX, {0}, CLI_OK};
    text_init(&checking.found, NULL);
    for (uint32_t i = 0; i < arguments->operand_count; i++)
        check_file(&checking, arguments->operands[i]);
    if (format != OUTPUT_TEXT)
        print_found(&checking);
    text_fini(&checking.found);
    return checking.exit;
}

const struct command command_check = {
    .name = "check",
    .summary = "tell everything that is wrong with a definition",
    .usage = "FILE… [--strict] [--steps FILE] [-o text|json|sarif]",
    .text =
        "Reads definitions and proves what can be proved before they run. What is wrong is\n"
        "told with file, line, column and a code; exit status 1 when there are errors.",
    .example = "  interlock check --strict order.yaml",
    .options = options,
    .option_count = OPTION_COUNT,
    .operands_min = 1,
    .operands_max = UINT32_MAX,
    .formats = OUTPUT_BIT(OUTPUT_TEXT) | OUTPUT_BIT(OUTPUT_JSON) | OUTPUT_BIT(OUTPUT_SARIF),
    .output_option = OUTPUT,
    .run = run,
};
