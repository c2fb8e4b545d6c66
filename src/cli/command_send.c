/*
 * command_send.c - `interlock send`: one event to one instance, and what became of it.
 */
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "cli/command.h"
#include "cli/instance_text.h"
#include "cli/json_argument.h"
#include "cli/reader.h"
#include "cli/report.h"
#include "cli/session.h"

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

enum { GRACE_MS = 2000, ARENA_BYTES = 256 << 20 };

struct sending {
    const struct arguments *arguments;
    const char *id;
    struct session session;
    struct arena arena;
    struct value payload;
    bool is_answered;
    enum cli_exit exit;
    struct engine_reply reply; /* without its message */
};

static void end_when_resting(struct sending *sending, enum instance_rest rest)
{
    bool waits = sending->arguments->values[WAIT] != NULL;
    if (sending->is_answered && rest != REST_NOT && (rest != REST_TIMER || !waits))
        session_end(&sending->session);
}

static void on_rested(void *context, const struct instance *instance, enum instance_rest rest)
{
    struct sending *sending = context;
    if (span_equal(instance_id(instance), span_from_text(sending->id)))
        end_when_resting(sending, rest);
}

static void on_sent(void *context, const struct engine_reply *reply)
{
    struct sending *sending = context;
    sending->is_answered = true;
    sending->reply = *reply;
    if (reply->answer == ANSWER_OK || reply->answer == ANSWER_REPEATED) {
        sending->exit = reply->outcome == OUTCOME_FAILED ? CLI_FAILED : CLI_OK;
        const struct registry *registry = engine_registry(sending->session.engine);
        end_when_resting(sending,
                         waiting_rest(registry_find(registry, span_from_text(sending->id))));
        return;
    }
    sending->exit = CLI_FAILED;
    session_report(reply);
    session_end(&sending->session);
}

static void send_and_wait(struct sending *sending)
{
    struct text json;
    const char *key = sending->arguments->values[KEY];
    text_init(&json, &sending->arena);
    json_write(&json, sending->payload);
    engine_send(sending->session.engine, span_from_text(sending->id),
                span_from_text(sending->arguments->operands[1]), text_span(&json),
                span_from_text(key), on_sent, sending);
    session_run(&sending->session);
}

static enum cli_exit own_and_send(struct sending *sending, const struct cli_world *world)
{
    struct session_options session_options = {
        .path = sending->arguments->values[DB],
        .access = STORE_WRITE,
        .focus = span_from_text(sending->id),
        .rested = on_rested,
        .context = sending,
    };
    enum cli_exit exit = session_open(&sending->session, world, &session_options);
    if (exit != CLI_OK)
        return exit;
    send_and_wait(sending);
    session_stop(&sending->session, GRACE_MS);
    exit = sending->session.is_broken ? CLI_WORLD : sending->exit;
    session_close(&sending->session);
    return exit;
}

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
        json_argument_read("send", "data", data, &sending->arena, &sending->payload);
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

static enum cli_exit print(struct sending *sending, const struct cli_world *world,
                           enum output_format format)
{
    const struct engine_reply *reply = &sending->reply;
    const struct value_entry members[] = {
        {value_string(SPAN("outcome")),
         value_string(span_from_text(outcome_name(reply->outcome)))},
        {value_string(SPAN("seq")), value_int((int64_t)reply->seq)},
        {value_string(SPAN("repeated")), value_bool(reply->answer == ANSWER_REPEATED)},
    };
    return instance_print(world, sending->arguments->values[DB], sending->id, format,
                          value_map(members, sizeof members / sizeof members[0]));
}

static enum cli_exit run(const struct cli_world *world, const struct arguments *arguments,
                         enum output_format format)
{
    struct sending sending = {
        .arguments = arguments, .id = arguments->operands[0], .exit = CLI_FAILED};
    const char *key = arguments->values[KEY];
    if (key != NULL && *key == '\0') {
        report_problem("send: the key is empty: it would not tell this event from others");
        return CLI_USAGE;
    }
    arena_open(&sending.arena, ARENA_BYTES);
    enum cli_exit exit = read_payload(&sending);
    if (exit == CLI_OK)
        exit = own_and_send(&sending, world);
    bool was_accepted = sending.is_answered && (sending.reply.answer == ANSWER_OK ||
                                                sending.reply.answer == ANSWER_REPEATED);
    if (was_accepted && exit != CLI_WORLD) {
        enum cli_exit printed = print(&sending, world, format);
        exit = printed == CLI_OK ? exit : printed;
        if (sending.reply.outcome == OUTCOME_FAILED)
            instance_explain(world, arguments->values[DB], sending.id, sending.reply.seq);
    }
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
