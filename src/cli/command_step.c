/*
 * command_step.c - `interlock step`: a pure run on a virtual clock.
 *
 * One line in, one snapshot out, whatever happens: a line that cannot be understood is
 * refused with a message and still answered, so that input and output stay in step.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/limits.h"
#include "cli/command.h"
#include "cli/definition_file.h"
#include "cli/json_argument.h"
#include "cli/report.h"
#include "cli/simulation.h"
#include "cli/step_line.h"
#include "os/os.h"

enum { DRAIN, INPUT, OPTION_COUNT };

static const struct option options[] = {
    [DRAIN] = {.name = "drain", .help = "at the end let the clock run until no timer is armed"},
    [INPUT] = {.name = "input",
               .value = "JSON",
               .help = "what the instance is started with, or @FILE"},
};

enum { LINE_ARENA_BYTES = 64 * RECORD_LINE_BYTES_MAX };

struct stepping {
    struct simulation simulation;
    struct arena arena; /* of one line */
    const char *source; /* "stdin" or "event" */
    uint64_t number;    /* of the line */
    bool flushes;       /* somebody may be waiting for the answer */
    bool failed;
};

static void complain_of_steps(struct stepping *stepping)
{
    report_line(stepping->source, stepping->number, 0, CODE_ENDLESS,
                "stopped after %d macrosteps, with more to come: do they ever end?",
                FAMILY_STEPS_MAX);
    stepping->failed = true;
}

/* Prints what the line did; false when nobody reads any more. */
static bool print_line(struct stepping *stepping, const char *outcome)
{
    struct text text;
    if (stepping->simulation.is_endless)
        complain_of_steps(stepping);
    text_init(&text, NULL);
    simulation_write_line(&stepping->simulation, outcome, &text);
    text_add_byte(&text, '\n');
    output_add(text_span(&text));
    text_fini(&text);
    return !stepping->flushes || output_flush();
}

static bool refuse_line(struct stepping *stepping, const struct step_line_problem *problem)
{
    report_line(stepping->source, stepping->number, problem->column,
                problem->column > 0 ? CODE_JSON : CODE_RECORD, "%.*s",
                SPAN_ARGS(problem->message));
    stepping->failed = true;
    return print_line(stepping, "refused");
}

static bool refuse_words(struct stepping *stepping, struct span message)
{
    struct step_line_problem problem = {0, message};
    return refuse_line(stepping, &problem);
}

static bool take_advance(struct stepping *stepping, duration_ms by_ms)
{
    instant_ms until;
    if (!checked_add(stepping->simulation.family.now, by_ms, &until) || until == INSTANT_NEVER)
        return refuse_words(stepping, SPAN("the clock cannot be moved that far"));
    simulation_advance(&stepping->simulation, until);
    return print_line(stepping, NULL);
}

static bool take_result(struct stepping *stepping, const struct step_line *line)
{
    struct event event = {.kind = line->kind == STEP_LINE_DONE ? EVENT_DONE : EVENT_ERROR,
                          .payload = line->payload};
    if (!simulation_find_invocation(&stepping->simulation, line->name, &event.number))
        return refuse_words(stepping, text_print(&stepping->arena, "there is no invoke '%.*s'",
                                                 SPAN_ARGS(line->name)));
    simulation_send(&stepping->simulation, &event);
    return print_line(stepping, NULL);
}

static bool pass_door(struct stepping *stepping, struct event *event, struct span *problem)
{
    struct arena_guard guard;
    *problem = SPAN("the event needs more memory than a line may have");
    if (arena_is_spent(&stepping->arena, &guard))
        return false;
    bool passes = door_accepts(stepping->simulation.machine, event->type, event->payload,
                               &stepping->arena, &event->payload, problem);
    arena_release_guard(&stepping->arena, &guard);
    return passes;
}

static bool take_line(struct stepping *stepping, const struct step_line *line)
{
    struct event event = {.kind = EVENT_EXTERNAL, .type = line->name, .payload = line->payload};
    struct span problem;
    switch (line->kind) {
    case STEP_LINE_EVENT:
        if (!pass_door(stepping, &event, &problem))
            return refuse_words(stepping, problem);
        simulation_send(&stepping->simulation, &event);
        return print_line(stepping, NULL);
    case STEP_LINE_ADVANCE:
        return take_advance(stepping, line->advance_ms);
    case STEP_LINE_DONE:
    case STEP_LINE_ERROR:
        return take_result(stepping, line);
    }
    return false;
}

/* Reads, takes and answers one line: `json` alone, or an event's type with its payload. */
static bool take_text(struct stepping *stepping, struct span type, struct span json)
{
    struct arena_guard guard;
    struct step_line line;
    struct step_line_problem problem = {0};
    arena_clear(&stepping->arena);
    simulation_begin_line(&stepping->simulation);
    if (arena_is_spent(&stepping->arena, &guard))
        return refuse_words(stepping, SPAN("the line needs more memory than a line may have"));
    bool is_read = type.size > 0
                       ? step_line_read_event(type, json, &stepping->arena, &line, &problem)
                       : step_line_read(json, &stepping->arena, &line, &problem);
    arena_release_guard(&stepping->arena, &guard);
    return is_read ? take_line(stepping, &line) : refuse_line(stepping, &problem);
}

static bool is_json(const char *argument)
{
    return argument[0] == '{';
}

static void take_arguments(struct stepping *stepping, const char *const *words, uint32_t count)
{
    bool is_read = true;
    stepping->source = "event";
    for (uint32_t i = 0; is_read && i < count; i++) {
        struct span word = span_from_text(words[i]);
        stepping->number++;
        if (is_json(words[i]))
            is_read = take_text(stepping, SPAN(""), word);
        else if (i + 1 < count && is_json(words[i + 1]))
            is_read = take_text(stepping, word, span_from_text(words[++i]));
        else
            is_read = take_text(stepping, word, SPAN(""));
    }
}

static enum cli_exit take_stdin(struct stepping *stepping)
{
    struct file_lines *lines;
    struct span line;
    bool too_long;
    bool is_read = true;
    const char *problem = NULL;
    stepping->source = "stdin";
    stepping->flushes = file_size("-") == 0;
    if (file_lines_open("-", RECORD_LINE_BYTES_MAX, &lines, &problem) != STATUS_OK)
        return CLI_OK; /* closed: there is nothing to read */
    while (is_read && file_lines_next(lines, &line, &too_long)) {
        stepping->number++;
        if (span_trim(line).size == 0)
            continue;
        if (too_long) {
            simulation_begin_line(&stepping->simulation);
            is_read = refuse_words(stepping, SPAN("the line is too long"));
        } else {
            is_read = take_text(stepping, SPAN(""), line);
        }
    }
    if (file_lines_close(lines) == STATUS_OK)
        return CLI_OK;
    report_file("stdin", "reading failed");
    return CLI_WORLD;
}

static void drain(struct stepping *stepping)
{
    stepping->source = "drain";
    stepping->number++;
    simulation_begin_line(&stepping->simulation);
    simulation_advance(&stepping->simulation, INSTANT_NEVER);
    print_line(stepping, NULL);
}

static enum cli_exit take_all(struct stepping *stepping, const struct arguments *arguments)
{
    enum cli_exit exit = CLI_OK;
    stepping->failed = family_status(&stepping->simulation.family) == INSTANCE_ERROR;
    stepping->flushes = arguments->operand_count == 1;
    if (!print_line(stepping, NULL))
        return CLI_OK;
    if (arguments->operand_count > 1)
        take_arguments(stepping, arguments->operands + 1, arguments->operand_count - 1);
    else if (!file_is_terminal(STDIN_FILENO))
        exit = take_stdin(stepping);
    if (arguments->values[DRAIN] != NULL)
        drain(stepping);
    return exit == CLI_OK && stepping->failed ? CLI_FAILED : exit;
}

static enum cli_exit step_machine(const struct machine *machine,
                                  const struct arguments *arguments)
{
    struct stepping stepping = {0};
    struct value input;
    arena_open(&stepping.arena, LINE_ARENA_BYTES);
    enum cli_exit exit = json_argument_read("step", "--input", arguments->values[INPUT],
                                            &stepping.arena, &input);
    if (exit == CLI_OK) {
        simulation_open(&stepping.simulation, machine, input);
        exit = take_all(&stepping, arguments);
        simulation_close(&stepping.simulation);
    }
    arena_close(&stepping.arena);
    return exit;
}

static enum cli_exit run(const struct cli_world *world, const struct arguments *arguments,
                         enum output_format format)
{
    (void)format;
    struct definition_file file;
    const struct machine *machine = NULL;
    enum cli_exit exit = definition_file_open(&file, arguments->operands[0], NULL, world);
    if (exit == CLI_OK) {
        machine = definition_file_machine(&file);
        exit = machine == NULL ? CLI_FAILED : step_machine(machine, arguments);
    }
    int lines_left = DIAGNOSTICS_SHOWN_MAX;
    if (machine == NULL)
        report_diagnostics(&file.diagnostics, SEVERITY_ERROR, &lines_left);
    definition_file_close(&file);
    return exit;
}

const struct command command_step = {
    .name = "step",
    .summary = "run a machine on paper: no services, no database, a virtual clock",
    .usage = "FILE [EVENT [JSON]]… [--drain] [--input JSON|@FILE]",
    .text =
        "Prints a JSON snapshot of the start and one after every event. Events are arguments,\n"
        "each with an optional JSON object as its payload, or lines on standard input:\n"
        "  {\"type\":\"PAY\",\"amount\":3}              an event\n"
        "  {\"advance\":\"10s\"}                      the clock moves, timers fire\n"
        "  {\"done\":\"ID\",\"output\":…}               an invoke ended well\n"
        "  {\"error\":\"ID\",\"error\":{\"kind\":…}}      or with an error",
    .example =
        "  interlock step order.yaml SUBMIT '{\"items\":[1]}' '{\"done\":\"VALIDATING\"}'",
    .options = options,
    .option_count = OPTION_COUNT,
    .operands_min = 1,
    .operands_max = UINT32_MAX,
    .run = run,
};
