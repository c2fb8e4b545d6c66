/*
 * instance_send.c - send, run until it rests, print.
 *
 * There is no daemon here: the command runs only the instance that it was asked for.
 */
#include "cli/instance_send.h"

#include "cli/instance_text.h"
#include "cli/report.h"
#include "cli/session.h"

enum { GRACE_MS = 2000 };

struct sending {
    const struct instance_event *event;
    struct session session;
    bool is_answered;
    enum cli_exit exit;
    struct engine_reply reply; /* without its message */
};

static void end_when_resting(struct sending *sending, enum instance_rest rest)
{
    bool waits = sending->event->waits;
    if (sending->is_answered && rest != REST_NOT && (rest != REST_TIMER || !waits))
        session_end(&sending->session);
}

static void on_rested(void *context, const struct instance *instance, enum instance_rest rest)
{
    struct sending *sending = context;
    if (span_equal(instance_id(instance), span_from_text(sending->event->id)))
        end_when_resting(sending, rest);
}

static void on_sent(void *context, const struct engine_reply *reply)
{
    struct sending *sending = context;
    struct span id = span_from_text(sending->event->id);
    sending->is_answered = true;
    sending->reply = *reply;
    if (reply->answer == ANSWER_OK || reply->answer == ANSWER_REPEATED) {
        sending->exit = reply->outcome == OUTCOME_FAILED ? CLI_FAILED : CLI_OK;
        const struct registry *registry = engine_registry(sending->session.engine);
        end_when_resting(sending, waiting_rest(registry_find(registry, id)));
        return;
    }
    sending->exit = CLI_FAILED;
    session_report(reply);
    session_end(&sending->session);
}

static enum cli_exit own_and_send(struct sending *sending, const struct cli_world *world)
{
    const struct instance_event *event = sending->event;
    struct session_options session_options = {
        .path = event->path,
        .access = STORE_WRITE,
        .focus = span_from_text(event->id),
        .rested = on_rested,
        .context = sending,
    };
    enum cli_exit exit = session_open(&sending->session, world, &session_options);
    if (exit != CLI_OK)
        return exit;
    engine_send(sending->session.engine, span_from_text(event->id), event->type, event->payload,
                span_from_text(event->key), on_sent, sending);
    session_run(&sending->session);
    session_stop(&sending->session, GRACE_MS);
    exit = sending->session.is_broken ? CLI_WORLD : sending->exit;
    session_close(&sending->session);
    return exit;
}

static enum cli_exit print(const struct sending *sending, const struct cli_world *world,
                           enum output_format format)
{
    const struct engine_reply *reply = &sending->reply;
    const struct value_entry members[] = {
        {value_string(SPAN("outcome")),
         value_string(span_from_text(outcome_name(reply->outcome)))},
        {value_string(SPAN("seq")), value_int((int64_t)reply->seq)},
        {value_string(SPAN("repeated")), value_bool(reply->answer == ANSWER_REPEATED)},
    };
    return instance_print(world, sending->event->path, sending->event->id, format,
                          value_map(members, sizeof members / sizeof members[0]));
}

enum cli_exit instance_send(const struct cli_world *world, const struct instance_event *event,
                            enum output_format format)
{
    struct sending sending = {.event = event, .exit = CLI_FAILED};
    if (event->key != NULL && *event->key == '\0') {
        report_problem("%s: the key is empty: it would not tell this event from others",
                       event->command);
        return CLI_USAGE;
    }
    enum cli_exit exit = own_and_send(&sending, world);
    bool was_accepted = sending.is_answered && (sending.reply.answer == ANSWER_OK ||
                                                sending.reply.answer == ANSWER_REPEATED);
    if (!was_accepted || exit == CLI_WORLD)
        return exit;
    enum cli_exit printed = print(&sending, world, format);
    if (sending.reply.outcome == OUTCOME_FAILED)
        instance_explain(world, event->path, event->id, sending.reply.seq);
    return printed == CLI_OK ? exit : printed;
}
