/*
 * command_start.c - `interlock start`: one instance, until it rests.
 *
 * There is no daemon here: the command owns the database itself, runs only the instance it
 * was asked for, and lets go when that one needs nobody any more.
 */
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "cli/command.h"
#include "cli/definition_file.h"
#include "cli/instance_text.h"
#include "cli/json_argument.h"
#include "cli/report.h"
#include "cli/session.h"

enum { ID, INPUT, EVENT, DB, STEPS, WAIT, OUTPUT, SERVER, OPTION_COUNT };

static const struct option options[] = {
    [ID] = {.name = "id", .value = "ID", .help = "what the instance is called"},
    [INPUT] = {.name = "input", .value = "JSON", .help = "its input, or @FILE"},
    [EVENT] = {.name = "event",
               .value = "TYPE",
               .help = "an event to send at once, with the input"},
    [DB] = OPTION_DB,
    [STEPS] = OPTION_STEPS,
    [WAIT] = {.name = "wait", .help = "wait for timers too"},
    [OUTPUT] = OPTION_OUTPUT,
    [SERVER] = OPTION_SERVER,
};

enum { GRACE_MS = 2000, ARENA_BYTES = 256 << 20, FIRST_EVENT_SEQ = 2 };

struct starting {
    const struct arguments *arguments;
    struct session session;
    struct arena arena;
    struct definition_file file;
    const struct definition *definition; /* NULL: a machine that is deployed already */
    struct span machine;
    struct span version;
    struct span input; /* JSON */
    struct span payload;
    bool is_answered;
    enum cli_exit exit;
};

static void end_when_resting(struct starting *starting, enum instance_rest rest)
{
    bool waits = starting->arguments->values[WAIT] != NULL;
    if (starting->is_answered && rest != REST_NOT && (rest != REST_TIMER || !waits))
        session_end(&starting->session);
}

static void on_rested(void *context, const struct instance *instance, enum instance_rest rest)
{
    struct starting *starting = context;
    if (span_equal(instance_id(instance), span_from_text(starting->arguments->values[ID])))
        end_when_resting(starting, rest);
}

static void on_started(void *context, const struct engine_reply *reply)
{
    struct starting *starting = context;
    struct span id = span_from_text(starting->arguments->values[ID]);
    starting->is_answered = true;
    if (reply->answer == ANSWER_OK || reply->answer == ANSWER_REPEATED) {
        starting->exit = reply->message.size == 0 ? CLI_OK : CLI_FAILED;
        if (reply->message.size > 0)
            session_report(reply);
        const struct registry *registry = engine_registry(starting->session.engine);
        end_when_resting(starting, waiting_rest(registry_find(registry, id)));
        return;
    }
    starting->exit = CLI_FAILED;
    session_report(reply);
    session_end(&starting->session);
}

static void start_and_wait(struct starting *starting)
{
    struct span event = span_from_text(starting->arguments->values[EVENT]);
    struct engine_start start = {.machine = starting->machine,
                                 .version = starting->version,
                                 .id = span_from_text(starting->arguments->values[ID]),
                                 .input = starting->input,
                                 .event = event,
                                 .event_json = starting->payload};
    engine_start(starting->session.engine, &start, on_started, starting);
    session_run(&starting->session);
}

/* Owns the database until the instance rests. */
static enum cli_exit own_and_start(struct starting *starting, const struct cli_world *world)
{
    const char *const *values = starting->arguments->values;
    bool is_file = starting->definition != NULL;
    struct session_options session_options = {
        .path = values[DB],
        .access = is_file ? STORE_CREATE : STORE_WRITE,
        .focus = span_from_text(values[ID]),
        .rested = on_rested,
        .context = starting,
    };
    enum cli_exit exit = session_open(&starting->session, world, &session_options);
    if (exit != CLI_OK)
        return exit;
    if (is_file)
        exit = session_deploy(&starting->session, starting->definition);
    if (exit == CLI_OK)
        start_and_wait(starting);
    session_stop(&starting->session, GRACE_MS);
    if (exit == CLI_OK)
        exit = starting->exit;
    if (starting->session.is_broken)
        exit = CLI_WORLD;
    session_close(&starting->session);
    return exit;
}

static bool looks_like_file(const char *operand)
{
    struct span name = span_from_text(operand);
    return file_exists(operand) || strchr(operand, '/') != NULL ||
           span_ends_with(name, SPAN(".yaml")) || span_ends_with(name, SPAN(".yml")) ||
           span_ends_with(name, SPAN(".json"));
}

/* "order@3" is a machine and its version. */
static void split_machine(struct starting *starting, const char *operand)
{
    const char *at = strrchr(operand, '@');
    starting->machine = span_from_text(operand);
    if (at == NULL)
        return;
    starting->machine = span_of(operand, (size_t)(at - operand));
    starting->version = span_from_text(at + 1);
}

static enum cli_exit find_machine(struct starting *starting, const struct cli_world *world)
{
    const char *operand = starting->arguments->operands[0];
    const char *steps = starting->arguments->values[STEPS];
    enum cli_exit exit = CLI_OK;
    if (looks_like_file(operand)) {
        starting->definition =
            definition_file_load(&starting->file, operand, steps, world, &exit);
        if (starting->definition == NULL)
            return exit;
        starting->machine = starting->definition->machine->id;
        starting->version = starting->definition->machine->version;
        return CLI_OK;
    }
    split_machine(starting, operand);
    if (steps == NULL)
        return CLI_OK;
    report_problem("start: --steps goes with a file, not with a machine that is deployed");
    return CLI_USAGE;
}

static enum cli_exit read_input(struct starting *starting)
{
    struct value input;
    struct text json;
    enum cli_exit exit = json_argument_read(
        "start", "--input", starting->arguments->values[INPUT], &starting->arena, &input);
    if (exit != CLI_OK)
        return exit;
    text_init(&json, &starting->arena);
    json_write(&json, input);
    starting->input = text_span(&json);
    starting->payload = input.kind == VALUE_MAP ? starting->input : SPAN("{}");
    return CLI_OK;
}

static enum cli_exit run(const struct cli_world *world, const struct arguments *arguments,
                         enum output_format format)
{
    struct starting starting = {.arguments = arguments, .exit = CLI_FAILED};
    const char *id = arguments->values[ID];
    if (id == NULL) {
        report_problem("start: --id is missing: what is the instance called?");
        return CLI_USAGE;
    }
    const char *event = arguments->values[EVENT];
    if (event != NULL && *event == '\0') {
        report_problem("start: the event's name is empty");
        return CLI_USAGE;
    }
    arena_open(&starting.arena, ARENA_BYTES);
    enum cli_exit exit = read_input(&starting);
    if (exit == CLI_OK)
        exit = find_machine(&starting, world);
    if (exit == CLI_OK)
        exit = own_and_start(&starting, world);
    if (exit == CLI_OK)
        exit = instance_print(world, arguments->values[DB], id, format, value_null());
    /* Of a start that is repeated too: the event was not sent again, but it failed then. */
    if (exit == CLI_OK && event != NULL &&
        instance_explain(world, arguments->values[DB], id, FIRST_EVENT_SEQ))
        exit = CLI_FAILED;
    definition_file_close(&starting.file);
    arena_close(&starting.arena);
    return exit;
}

const struct command command_start = {
    .name = "start",
    .summary = "start one instance, and run it until it rests",
    .usage = "FILE|MACHINE --id ID [--input JSON|@FILE] [--event TYPE] [--wait] [--db PATH]\n"
             "                       [--steps FILE] [-o text|json]",
    .text =
        "Starts an instance of a definition file (which is deployed first) or of a machine\n"
        "that is deployed (MACHINE or MACHINE@VERSION), and runs it until only events or\n"
        "timers are awaited. The same command again finds what was started; with another\n"
        "input it is a conflict.",
    .example =
        "  interlock start order.yaml --id 0042 --input '{\"items\":[1]}' --event SUBMIT",
    .options = options,
    .option_count = OPTION_COUNT,
    .operands_min = 1,
    .operands_max = 1,
    .formats = OUTPUT_BIT(OUTPUT_TEXT) | OUTPUT_BIT(OUTPUT_JSON),
    .output_option = OUTPUT,
    .run = run,
};
