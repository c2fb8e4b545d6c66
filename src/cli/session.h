/*
 * session.h - owning a database for as long as a command needs the engine.
 *
 * Signals and a store that fails end a session the same way as its own end: the loop stops,
 * and whoever runs the session looks why.
 */
#pragma once

#include "cli/cli.h"
#include "os/os.h"

struct session {
    struct loop *loop;
    struct store *store;
    struct engine *engine;
    struct loop_signals *signals;
    engine_rested *rested; /* with its context */
    void *context;
    bool is_interrupted; /* a signal came */
    bool is_broken;      /* the store failed, and that was said */
    bool is_stopped;
};

struct session_options {
    const char *path; /* NULL: the default */
    enum store_access access;
    struct span focus; /* as engine_options */
    uint32_t sample;
    engine_rested *rested;
    void *context;
};

/* Opens the database and the engine. CLI_WORLD after saying why not; nothing is open then. */
enum cli_exit session_open(struct session *session, const struct cli_world *world,
                           const struct session_options *options);

/* Runs the loop until session_end(), a signal, or the end of the store. */
void session_run(struct session *session);
void session_end(struct session *session);

/* Stops the engine cleanly: nothing changes any more, but can still be looked at. */
void session_stop(struct session *session, duration_ms grace_ms);

void session_close(struct session *session);

/* Deploys a definition and runs the loop until that is done. CLI_FAILED after saying why not.
 */
enum cli_exit session_deploy(struct session *session, const struct definition *definition);

/* Says why the engine did not take something. */
void session_report(const struct engine_reply *reply);
