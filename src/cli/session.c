/*
 * session.c - the engine at work inside a command.
 */
#include "cli/session.h"

#include "cli/reader.h"
#include "cli/report.h"

static void on_broken(void *context, enum status status, const char *problem)
{
    struct session *session = context;
    report_store(status, problem);
    session->is_broken = true;
    loop_stop(session->loop);
}

static void on_signal(void *context)
{
    struct session *session = context;
    session->is_interrupted = true;
    loop_stop(session->loop);
}

static void on_rested(void *context, const struct instance *instance, enum instance_rest rest)
{
    struct session *session = context;
    if (session->rested != NULL)
        session->rested(session->context, instance, rest);
}

enum cli_exit session_open(struct session *session, const struct cli_world *world,
                           const struct session_options *options)
{
    char problem[STORE_PROBLEM_BYTES];
    const char *path = options->path == NULL ? reader_default_path : options->path;
    *session = (struct session){.rested = options->rested, .context = options->context};
    enum status status = world->open_store(path, options->access, &session->store, problem);
    if (status != STATUS_OK) {
        report_store(status, problem);
        return CLI_WORLD;
    }
    session->loop = loop_open();
    session->signals = loop_signals_open(session->loop, on_signal, session);
    struct engine_options engine_options = {.loop = session->loop,
                                            .store = session->store,
                                            .types = world->types,
                                            .rested = on_rested,
                                            .broken = on_broken,
                                            .context = session,
                                            .focus = options->focus,
                                            .sample = options->sample};
    status = engine_open(&engine_options, &session->engine, problem);
    if (status == STATUS_OK)
        return CLI_OK;
    report_store(status, problem);
    session_close(session);
    return CLI_WORLD;
}

void session_run(struct session *session)
{
    if (!session->is_broken && !session->is_interrupted)
        loop_run(session->loop);
}

void session_end(struct session *session)
{
    loop_stop(session->loop);
}

static void on_stopped(void *context)
{
    struct session *session = context;
    session->is_stopped = true;
    loop_stop(session->loop);
}

void session_stop(struct session *session, duration_ms grace_ms)
{
    engine_stop(session->engine, grace_ms, on_stopped, session);
    while (!session->is_stopped && !session->is_broken)
        loop_run(session->loop);
}

void session_close(struct session *session)
{
    if (session->engine != NULL)
        engine_close(session->engine);
    loop_signals_close(session->signals);
    loop_close(session->loop);
    store_close(session->store);
}

void session_report(const struct engine_reply *reply)
{
    const char *code = reply->answer == ANSWER_CONFLICT    ? CODE_CONFLICT
                       : reply->answer == ANSWER_NOT_FOUND ? CODE_UNKNOWN
                       : reply->answer == ANSWER_FULL      ? CODE_BUSY
                                                           : CODE_REFUSED;
    report_error(code, "%.*s", SPAN_ARGS(reply->message));
}

struct deploying {
    struct session *session;
    bool is_answered;
    enum cli_exit exit;
};

static void on_deployed(void *context, const struct engine_reply *reply)
{
    struct deploying *deploying = context;
    bool is_fine = reply->answer == ANSWER_OK || reply->answer == ANSWER_REPEATED;
    if (!is_fine)
        session_report(reply);
    deploying->exit = is_fine ? CLI_OK : CLI_FAILED;
    deploying->is_answered = true;
    session_end(deploying->session);
}

enum cli_exit session_deploy(struct session *session, const struct definition *definition)
{
    struct deploying deploying = {.session = session};
    engine_deploy(session->engine, definition, on_deployed, &deploying);
    while (!deploying.is_answered && !session->is_broken)
        loop_run(session->loop); /* a signal has to wait: the answer would find nobody */
    return session->is_broken ? CLI_WORLD : deploying.exit;
}
