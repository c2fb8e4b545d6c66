/*
 * command_patch.c - `interlock patch`: what changes in the record of an instance.
 *
 * A patch is the event `record.patch`: the engine takes it as it takes any other, so patches of
 * several services come one after the other, and a key makes one safe to repeat.
 */
#include <string.h>

#include "base/json.h"
#include "cli/command.h"
#include "cli/instance_send.h"
#include "cli/json_argument.h"
#include "cli/report.h"

enum { IF_VERSION, KEY, WAIT, DB, OUTPUT, SERVER, OPTION_COUNT };

static const struct option options[] = {
    [IF_VERSION] = {.name = "if-version",
                    .value = "N",
                    .help = "only if its `seq` is still N: nothing happened since"},
    [KEY] = {.name = "key",
             .value = "K",
             .help = "idempotency key: repeats get the same answer"},
    [WAIT] = {.name = "wait", .help = "wait for timers too"},
    [DB] = OPTION_DB,
    [OUTPUT] = OPTION_OUTPUT,
    [SERVER] = OPTION_SERVER,
};

enum { ARENA_BYTES = 256 << 20 };

struct patching {
    const struct arguments *arguments;
    struct arena arena;
    struct value patch;
    uint64_t version; /* 0: any */
};

static enum cli_exit read_version(struct patching *patching)
{
    const char *version = patching->arguments->values[IF_VERSION];
    if (version == NULL ||
        (options_number(version, INT64_MAX, &patching->version) && patching->version > 0))
        return CLI_OK;
    report_problem("patch: --if-version must be a number from 1 on: the instance's `seq`");
    return CLI_USAGE;
}

/* The argument itself, @FILE, or `-` for what stands on standard input. */
static enum cli_exit read_patch(struct patching *patching)
{
    const char *argument = patching->arguments->operands[1];
    enum cli_exit exit =
        json_argument_read("patch", "the patch", strcmp(argument, "-") == 0 ? "@-" : argument,
                           &patching->arena, &patching->patch);
    if (exit != CLI_OK || patching->patch.kind == VALUE_MAP)
        return exit;
    report_problem("patch: a patch must be a JSON object, not %s",
                   patching->patch.kind == VALUE_NULL ? "null"
                                                      : value_kind_name(patching->patch.kind));
    return CLI_USAGE;
}

static enum cli_exit send(struct patching *patching, const struct cli_world *world,
                          enum output_format format)
{
    const struct arguments *arguments = patching->arguments;
    const struct value_entry members[] = {
        {value_string(SPAN("patch")), patching->patch},
        {value_string(SPAN("if_version")), value_int((int64_t)patching->version)},
    };
    struct text json;
    text_init(&json, &patching->arena);
    json_write(&json, value_map(members, patching->version > 0 ? 2 : 1));
    const struct instance_event event = {
        .command = "patch",
        .path = arguments->values[DB],
        .id = arguments->operands[0],
        .type = SPAN(PATCH_EVENT),
        .payload = text_span(&json),
        .key = arguments->values[KEY],
        .waits = arguments->values[WAIT] != NULL,
    };
    return instance_send(world, &event, format);
}

static enum cli_exit run(const struct cli_world *world, const struct arguments *arguments,
                         enum output_format format)
{
    struct patching patching = {.arguments = arguments};
    arena_open(&patching.arena, ARENA_BYTES);
    enum cli_exit exit = read_version(&patching);
    if (exit == CLI_OK)
        exit = read_patch(&patching);
    if (exit == CLI_OK)
        exit = send(&patching, world, format);
    arena_close(&patching.arena);
    return exit;
}

const struct command command_patch = {
    .name = "patch",
    .summary = "change the record of one instance, whose state follows from it",
    .usage = "ID JSON|@FILE|- [--if-version N] [--key K] [--wait] [--db PATH] [-o text|json]",
    .text =
        "Lays a JSON merge patch (RFC 7386: null removes a member) over the record of an\n"
        "instance, derives its state again, and runs it until it rests. A patch that changes\n"
        "nothing moves nothing. With --if-version N (the `seq` that `show` tells) it is\n"
        "refused when anything happened to the instance since.",
    .example = "  interlock patch 0042 '{\"paymentReceived\":true}' --key payment-17",
    .options = options,
    .option_count = OPTION_COUNT,
    .operands_min = 2,
    .operands_max = 2,
    .formats = OUTPUT_BIT(OUTPUT_TEXT) | OUTPUT_BIT(OUTPUT_JSON),
    .output_option = OUTPUT,
    .run = run,
};
