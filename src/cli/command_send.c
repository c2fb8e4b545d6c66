/*
 * command_send.c - `interlock send`: one event to one instance, and what became of it.
 */
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "cli/command.h"
#include "cli/instance_send.h"
#include "cli/json_argument.h"
#include "cli/report.h"

enum { DATA, KEY, WAIT, DB, OUTPUT, SERVER, OPTION_COUNT };

static const struct option options[] = {
    [DATA] = {.name = "data", .value = "JSON", .help = "the payload, an object, or @FILE"},
    [KEY] = {.name = "key",
             .value = "K",
             .help = "idempotency key: repeats get the same answer"},
    [WAIT] = {.name = "wait", .help = "wait for timers too"},
    [DB] = OPTION_DB,
    [OUTPUT] = OPTION_OUTPUT,
    [SERVER] = OPTION_SERVER,
};

enum { ARENA_BYTES = 256 << 20 };

struct sending {
    const struct arguments *arguments;
    struct arena arena;
    struct value payload;
};

/* A value is JSON where it is JSON, else text: `amount=3 name=Ada`. */
static bool add_pair(struct sending *sending, const char *pair)
{
    struct value value;
    struct json_error error;
    const char *equals = strchr(pair, '=');
    if (equals == NULL || equals == pair) {
        report_problem("send: `%s` is not key=value", pair);
        return false;
    }
    struct span text = span_from_text(equals + 1);
    if (json_read(text, &sending->arena, &value, &error) != STATUS_OK)
        value = value_string(text);
    sending->payload = value_with(&sending->arena, sending->payload,
                                  span_of(pair, (size_t)(equals - pair)), value);
    return true;
}

static bool add_pairs(struct sending *sending)
{
    struct arena_guard guard;
    bool is_fine = true;
    if (arena_is_spent(&sending->arena, &guard)) {
        report_problem("send: the payload is too large");
        return false;
    }
    for (uint32_t i = 2; is_fine && i < sending->arguments->operand_count; i++)
        is_fine = add_pair(sending, sending->arguments->operands[i]);
    arena_release_guard(&sending->arena, &guard);
    return is_fine;
}

static enum cli_exit read_payload(struct sending *sending)
{
    const char *data = sending->arguments->values[DATA];
    enum cli_exit exit =
        json_argument_read("send", "--data", data, &sending->arena, &sending->payload);
    if (exit != CLI_OK)
        return exit;
    if (data == NULL)
        sending->payload = value_map(NULL, 0);
    if (sending->payload.kind != VALUE_MAP) {
        report_problem("send: --data must be a JSON object");
        return CLI_USAGE;
    }
    return add_pairs(sending) ? CLI_OK : CLI_USAGE;
}

static enum cli_exit send(struct sending *sending, const struct cli_world *world,
                          enum output_format format)
{
    const struct arguments *arguments = sending->arguments;
    struct text json;
    text_init(&json, &sending->arena);
    json_write(&json, sending->payload);
    const struct instance_event event = {
        .command = "send",
        .path = arguments->values[DB],
        .id = arguments->operands[0],
        .type = span_from_text(arguments->operands[1]),
        .payload = text_span(&json),
        .key = arguments->values[KEY],
        .waits = arguments->values[WAIT] != NULL,
    };
    return instance_send(world, &event, format);
}

static enum cli_exit run(const struct cli_world *world, const struct arguments *arguments,
                         enum output_format format)
{
    struct sending sending = {.arguments = arguments};
    arena_open(&sending.arena, ARENA_BYTES);
    enum cli_exit exit = read_payload(&sending);
    if (exit == CLI_OK)
        exit = send(&sending, world, format);
    arena_close(&sending.arena);
    return exit;
}

const struct command command_send = {
    .name = "send",
    .summary = "send one event to one instance, and run it until it rests",
    .usage = "ID EVENT [KEY=VALUE]… [--data JSON|@FILE] [--key K] [--wait] [--db PATH]\n"
             "                      [-o text|json]",
    .text =
        "Sends an event and tells what became of it: applied, ignored (nothing was enabled)\n"
        "or failed (an action's error discarded it). Values are JSON where they are JSON,\n"
        "else text.",
    .example = "  interlock send 0042 RESOLVED by=ada amount=3 --key ticket-17",
    .options = options,
    .option_count = OPTION_COUNT,
    .operands_min = 2,
    .operands_max = UINT32_MAX,
    .formats = OUTPUT_BIT(OUTPUT_TEXT) | OUTPUT_BIT(OUTPUT_JSON),
    .output_option = OUTPUT,
    .run = run,
};
