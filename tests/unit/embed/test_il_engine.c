/*
 * test_il_engine.c - an engine inside a program: functions as steps, answers from threads,
 * restarts, and calls at the wrong moment.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <interlock.h>

static const char ORDER[] = "id: order\n"
                            "version: '1'\n"
                            "context: { total: '${input.total}', receipt: null, why: null }\n"
                            "initial: NEW\n"
                            "states:\n"
                            "  NEW: { on: { PAY: CHARGING, WAIT: SLEEPING } }\n"
                            "  SLEEPING: { after: { 30ms: NEW } }\n"
                            "  CHARGING:\n"
                            "    invoke:\n"
                            "      src: charge\n"
                            "      input: { amount: '${context.total}' }\n"
                            "      onDone: { target: PAID, assign: { receipt: "
                            "'${event.output.receipt}' } }\n"
                            "      onError: { target: FAILED, assign: { why: "
                            "'${event.error.kind}' } }\n"
                            "  PAID: { type: final }\n"
                            "  FAILED: { type: final, tags: [failure] }\n"
                            "steps:\n"
                            "  charge: { call: charge, timeout: 5s,\n"
                            "            retry: { attempts: 3, base: 1ms } }\n";

struct world {
    char folder[64];
    char path[96];
    il_engine *engine;
    int calls;
    char keys[8][64];
    char last_input[200];
    const char *mode; /* what the function does */
    il_token token;
    il_status inside[8];
    pthread_t thread;
    bool has_thread;
};

static void *answer_later(void *context)
{
    struct world *world = context;
    usleep(20 * 1000);
    il_complete(world->token, "{\"receipt\":\"thread\"}");
    il_complete(world->token, "{\"receipt\":\"twice\"}");
    return NULL;
}

static void misuse(struct world *world)
{
    il_engine *engine = world->engine;
    world->inside[0] = il_engine_run(engine, IL_UNTIL_REST, -1);
    world->inside[1] = il_engine_close(engine, 0);
    world->inside[2] = il_engine_start(engine, "order", "x", NULL, NULL, NULL, NULL);
    world->inside[3] = il_engine_send(engine, "x", "PAY", NULL, NULL, NULL);
    world->inside[4] =
        il_engine_deploy(engine, ORDER, sizeof ORDER - 1, NULL, NULL, NULL, NULL);
    world->inside[5] = il_engine_describe(engine, "x") == NULL ? IL_MISUSE : IL_OK;
}

static void charge(void *context, const il_call *call, il_token token)
{
    struct world *world = context;
    snprintf(world->keys[world->calls++ % 8], 64, "%s", call->key);
    snprintf(world->last_input, sizeof world->last_input, "%s %s %s", call->instance,
             call->step, call->input);
    if (strcmp(world->mode, "now") == 0) {
        il_complete(token, "{\"receipt\":\"now\"}");
    } else if (strcmp(world->mode, "misuse") == 0) {
        misuse(world);
        il_complete(token, "{\"receipt\":\"now\"}");
    } else if (strcmp(world->mode, "thread") == 0) {
        world->token = token;
        world->has_thread = pthread_create(&world->thread, NULL, answer_later, world) == 0;
    } else if (strcmp(world->mode, "third") == 0) {
        if (call->attempt < 3)
            il_fail(token, "unavailable", 503, "not now");
        else
            il_complete(token, "{\"receipt\":\"third\"}");
    } else if (strcmp(world->mode, "reject") == 0) {
        il_fail(token, "rejected", 402, "no money");
    } else if (strcmp(world->mode, "garbage") == 0) {
        il_complete(token, "{nonsense");
    } else if (strcmp(world->mode, "stop") == 0) {
        il_engine_stop(world->engine);
    }
}

static void open_engine(struct world *world)
{
    world->engine = il_engine_new();
    assert_int_equal(il_engine_register(world->engine, "charge", charge, world), IL_OK);
    if (il_engine_open(world->engine, world->path) != IL_OK)
        fail_msg("%s", il_engine_problem(world->engine));
}

static void deploy(struct world *world)
{
    if (il_engine_deploy(world->engine, ORDER, sizeof ORDER - 1, "order.yaml", NULL, NULL,
                         NULL) != IL_OK)
        fail_msg("%s", il_engine_problem(world->engine));
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    const char *base = getenv("TMPDIR");
    snprintf(world->folder, sizeof world->folder, "%s/il-XXXXXX", base == NULL ? "/tmp" : base);
    if (mkdtemp(world->folder) == NULL)
        return -1;
    snprintf(world->path, sizeof world->path, "%s/test.db", world->folder);
    world->mode = "now";
    *state = world;
    open_engine(world);
    deploy(world);
    return 0;
}

static int tear_down(void **state)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-lock"};
    struct world *world = *state;
    if (world->has_thread)
        pthread_join(world->thread, NULL);
    il_engine_close(world->engine, 100);
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s%s", world->path, suffixes[i]);
        unlink(path);
    }
    rmdir(world->folder);
    free(world);
    return 0;
}

static void start_and_run(struct world *world, const char *id, const char *mode)
{
    il_reply reply;
    world->mode = mode;
    if (il_engine_start(world->engine, "order", id, "{\"total\":7}", "PAY", NULL, &reply) !=
        IL_OK)
        fail_msg("%s", il_engine_problem(world->engine));
    assert_int_equal(reply.outcome, IL_OUTCOME_APPLIED);
    assert_int_equal(il_engine_run(world->engine, IL_UNTIL_REST, 20000), IL_OK);
}

static void assert_described(struct world *world, const char *id, const char *part)
{
    const char *json = il_engine_describe(world->engine, id);
    assert_non_null(json);
    if (strstr(json, part) == NULL)
        fail_msg("no %s in %s", part, json);
}

static void a_function_is_a_step(void **state)
{
    struct world *world = *state;
    start_and_run(world, "a1", "now");
    assert_described(world, "a1", "\"value\":\"PAID\"");
    assert_described(world, "a1", "\"receipt\":\"now\"");
    assert_string_equal(world->last_input, "a1 charge {\"amount\":7}");
    assert_int_equal(strlen(world->keys[0]), 32);
}

static void an_answer_comes_from_any_thread_and_only_the_first_counts(void **state)
{
    struct world *world = *state;
    start_and_run(world, "a1", "thread");
    assert_described(world, "a1", "\"receipt\":\"thread\"");
}

static void attempts_of_an_invocation_share_one_key(void **state)
{
    struct world *world = *state;
    start_and_run(world, "a1", "third");
    assert_described(world, "a1", "\"receipt\":\"third\"");
    assert_int_equal(world->calls, 3);
    assert_string_equal(world->keys[0], world->keys[2]);
    start_and_run(world, "a2", "now");
    assert_string_not_equal(world->keys[0], world->keys[3]);
}

static void a_refusal_is_told_and_not_tried_again(void **state)
{
    struct world *world = *state;
    start_and_run(world, "a1", "reject");
    assert_described(world, "a1", "\"why\":\"rejected\"");
    assert_int_equal(world->calls, 1);
    start_and_run(world, "a2", "garbage");
    assert_described(world, "a2", "\"why\":\"invalid\"");
}

static void what_was_under_way_goes_on_after_a_restart(void **state)
{
    struct world *world = *state;
    il_reply reply;
    world->mode = "silent";
    assert_int_equal(
        il_engine_start(world->engine, "order", "a1", "{\"total\":7}", "PAY", NULL, &reply),
        IL_OK);
    assert_int_equal(il_engine_run(world->engine, IL_UNTIL_REST, 50), IL_TIME_OVER);
    assert_int_equal(world->calls, 1);
    assert_non_null(strstr(il_engine_why(world->engine, "a1"), "step charge, attempt 1"));
    assert_int_equal(il_engine_close(world->engine, 0), IL_OK);
    world->mode = "now";
    open_engine(world);
    assert_int_equal(il_engine_run(world->engine, IL_UNTIL_REST, 20000), IL_OK);
    assert_described(world, "a1", "\"value\":\"PAID\"");
    assert_string_equal(world->keys[0], world->keys[world->calls - 1]);
}

static void repeats_get_the_same_answer_and_others_a_conflict(void **state)
{
    il_engine *engine = ((struct world *)*state)->engine;
    il_reply reply;
    assert_int_equal(
        il_engine_start(engine, "order", "a1", "{\"total\":1}", NULL, NULL, &reply), IL_OK);
    assert_false(reply.repeated);
    assert_int_equal(
        il_engine_start(engine, "order@1", "a1", "{\"total\":1}", NULL, NULL, &reply), IL_OK);
    assert_true(reply.repeated);
    assert_int_equal(
        il_engine_start(engine, "order", "a1", "{\"total\":2}", NULL, NULL, &reply),
        IL_CONFLICT);
    assert_non_null(strstr(il_engine_problem(engine), "a1"));
    assert_int_equal(il_engine_send(engine, "a1", "WAIT", NULL, "k1", &reply), IL_OK);
    assert_int_equal(reply.outcome, IL_OUTCOME_APPLIED);
    assert_int_equal(il_engine_run(engine, IL_UNTIL_QUIET, 20000), IL_OK);
    assert_int_equal(il_engine_send(engine, "a1", "WAIT", NULL, "k1", &reply), IL_OK);
    assert_true(reply.repeated);
    assert_int_equal(il_engine_send(engine, "a1", "PAY", NULL, "k1", &reply), IL_CONFLICT);
    assert_int_equal(il_engine_send(engine, "a2", "PAY", NULL, NULL, NULL), IL_NOT_FOUND);
    assert_int_equal(il_engine_send(engine, "a1", "PAY", "[]", NULL, NULL), IL_INVALID);
    assert_int_equal(il_engine_start(engine, "ordre", "a3", NULL, NULL, NULL, NULL),
                     IL_INVALID);
    assert_int_equal(il_engine_start(engine, "order", "", NULL, NULL, NULL, NULL), IL_INVALID);
}

static void rest_and_quiet_differ_by_timers(void **state)
{
    il_engine *engine = ((struct world *)*state)->engine;
    il_counts counts;
    assert_int_equal(
        il_engine_start(engine, "order", "a1", "{\"total\":1}", "WAIT", NULL, NULL), IL_OK);
    assert_int_equal(il_engine_counts(engine, &counts), IL_OK);
    assert_int_equal(counts.timers, 1);
    assert_int_equal(il_engine_run(engine, IL_UNTIL_QUIET, 20000), IL_OK);
    assert_int_equal(il_engine_counts(engine, &counts), IL_OK);
    assert_int_equal(counts.timers, 0);
    assert_int_equal(counts.waiting, 1);
    assert_int_equal(il_engine_run(engine, IL_UNTIL_STOP, 10), IL_TIME_OVER);
}

static void it_can_be_stopped_from_within_and_before(void **state)
{
    struct world *world = *state;
    world->mode = "stop";
    assert_int_equal(
        il_engine_start(world->engine, "order", "a1", "{\"total\":1}", "PAY", NULL, NULL),
        IL_OK);
    assert_int_equal(il_engine_run(world->engine, IL_UNTIL_STOP, -1), IL_STOPPED);
    il_engine_stop(world->engine);
    assert_int_equal(il_engine_run(world->engine, IL_UNTIL_STOP, -1), IL_STOPPED);
    assert_int_equal(il_engine_run(world->engine, IL_UNTIL_STOP, 10), IL_TIME_OVER);
}

struct answers {
    il_engine *engine;
    int ok;
    int other;
};

static void count_answer(void *context, il_status status, const il_reply *reply,
                         const char *problem)
{
    struct answers *answers = context;
    (void)reply;
    (void)problem;
    if (status == IL_OK)
        answers->ok++;
    else
        answers->other++;
    /* A start from within an answer. */
    if (answers->ok == 1)
        assert_int_equal(il_engine_start_later(answers->engine, "order", "more",
                                               "{\"total\":1}", NULL, NULL, count_answer,
                                               answers),
                         IL_OK);
}

static void many_are_asked_without_waiting(void **state)
{
    struct world *world = *state;
    struct answers answers = {world->engine, 0, 0};
    il_counts counts;
    for (int i = 0; i < 300; i++) {
        char id[16];
        snprintf(id, sizeof id, "m%d", i);
        assert_int_equal(il_engine_start_later(world->engine, "order", id, "{\"total\":1}",
                                               "PAY", NULL, count_answer, &answers),
                         IL_OK);
    }
    assert_int_equal(il_engine_send_later(world->engine, "nobody", "PAY", NULL, NULL,
                                          count_answer, &answers),
                     IL_OK);
    assert_int_equal(il_engine_run(world->engine, IL_UNTIL_REST, 60000), IL_OK);
    assert_int_equal(answers.ok, 301);
    assert_int_equal(answers.other, 1);
    assert_int_equal(il_engine_counts(world->engine, &counts), IL_OK);
    assert_int_equal(counts.ended, 300);
    assert_int_equal(counts.waiting, 1);
}

static void nobody_is_left_without_an_answer(void **state)
{
    struct world *world = *state;
    struct answers answers = {world->engine, 1, 0};
    for (int i = 0; i < 3; i++)
        assert_int_equal(il_engine_send_later(world->engine, "nobody", "PAY", NULL, NULL,
                                              count_answer, &answers),
                         IL_OK);
    assert_int_equal(il_engine_close(world->engine, 0), IL_OK);
    assert_int_equal(answers.other, 3);
    open_engine(world);
}

static bool count_line(void *context, const char *json)
{
    int *lines = context;
    ++*lines;
    assert_int_equal(json[0], '{');
    return *lines < 2;
}

static bool add_line(void *context, const char *json)
{
    strncat(context, json, 3000 - strlen(context) - 1);
    return true;
}

static void a_history_is_told_line_by_line(void **state)
{
    struct world *world = *state;
    char all[3000] = "";
    int lines = 0;
    start_and_run(world, "a1", "now");
    assert_int_equal(il_engine_history(world->engine, "a1", 0, add_line, all), IL_OK);
    assert_non_null(strstr(all, "\"seq\":1"));
    assert_non_null(strstr(all, "\"seq\":3"));
    assert_non_null(strstr(all, "\"to\":\"PAID\""));
    assert_int_equal(il_engine_history(world->engine, "a1", 0, count_line, &lines), IL_OK);
    assert_int_equal(lines, 2);
    assert_int_equal(il_engine_history(world->engine, "zz", 0, count_line, &lines),
                     IL_NOT_FOUND);
    assert_int_equal(il_engine_history(world->engine, "a1", 0, NULL, NULL), IL_MISUSE);
}

static void calls_from_within_a_function_are_refused(void **state)
{
    struct world *world = *state;
    start_and_run(world, "a1", "misuse");
    for (int i = 0; i < 6; i++)
        assert_int_equal(world->inside[i], IL_MISUSE);
    assert_described(world, "a1", "\"value\":\"PAID\"");
}

static void tell_first(void *context, const il_diagnostic *diagnostic)
{
    char *first = context;
    if (first[0] == '\0')
        snprintf(first, 200, "%s:%u %s", diagnostic->file, diagnostic->line, diagnostic->code);
}

static void what_is_wrong_with_a_definition_is_told(void **state)
{
    static const struct {
        const char *text;
        const char *told;
    } rows[] = {
        {"id: [", "d.yaml:1 IL0101"},
        {"id: a\ninitial: A\nstates:\n  A: { invoke: { src: s } }\n", "d.yaml:4 IL0502"},
        {"id: a\ninitial: A\nstates:\n  A: { invoke: { src: s } }\nsteps:\n  s: { call: nix "
         "}\n",
         "d.yaml:6 IL0107"},
        {"id: a\ninitial: A\nstates:\n  A: { invoke: { src: s } }\nsteps:\n  s: { call: [] }\n",
         "d.yaml:6 IL0104"},
        {"id: a\ninitial: A\nstates:\n  A: { invoke: { src: s } }\nsteps:\n  s: { call: '' }\n",
         "d.yaml:6 IL0103"},
    };
    il_engine *engine = ((struct world *)*state)->engine;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char first[200] = "";
        assert_int_equal(il_engine_deploy(engine, rows[i].text, strlen(rows[i].text), "d.yaml",
                                          NULL, tell_first, first),
                         IL_INVALID);
        assert_string_equal(first, rows[i].told);
        assert_non_null(strstr(il_engine_problem(engine), "d.yaml:"));
    }
    char other[sizeof ORDER];
    memcpy(other, ORDER, sizeof ORDER);
    memcpy(strstr(other, "NEW"), "NOW", 3);
    memcpy(strstr(other, "  NEW:"), "  NOW:", 6);
    memcpy(strstr(other, "30ms: NEW"), "30ms: NOW", 9);
    assert_int_equal(il_engine_deploy(engine, other, sizeof other - 1, NULL, NULL, NULL, NULL),
                     IL_CONFLICT);
}

static void only_one_owns_a_database(void **state)
{
    struct world *world = *state;
    il_engine *other = il_engine_new();
    assert_int_equal(il_engine_open(other, world->path), IL_BUSY);
    assert_non_null(strstr(il_engine_problem(other), world->path));
    assert_int_equal(il_engine_open(other, world->path), IL_MISUSE);
    assert_int_equal(il_engine_close(other, 0), IL_OK);
    other = il_engine_new();
    assert_int_equal(il_engine_open(other, "/nowhere/at/all.db"), IL_NOT_FOUND);
    assert_int_equal(il_engine_close(other, 0), IL_OK);
}

static void wrong_calls_answer_and_do_nothing(void **state)
{
    struct world *world = *state;
    il_engine *fresh = il_engine_new();
    il_token nobody = {NULL, 1};
    il_token unopened = {fresh, 1};
    il_token unknown = {world->engine, 12345};
    assert_int_equal(il_engine_run(fresh, IL_UNTIL_REST, 0), IL_MISUSE);
    assert_int_equal(il_engine_start(fresh, "a", "b", NULL, NULL, NULL, NULL), IL_MISUSE);
    assert_null(il_engine_describe(fresh, "a"));
    assert_int_equal(il_engine_register(fresh, NULL, charge, NULL), IL_MISUSE);
    assert_int_equal(il_engine_register(fresh, "a", NULL, NULL), IL_MISUSE);
    assert_int_equal(il_engine_register(fresh, "a", charge, NULL), IL_OK);
    assert_int_equal(il_engine_register(fresh, "a", charge, NULL), IL_CONFLICT);
    assert_int_equal(il_engine_open(fresh, NULL), IL_MISUSE);
    assert_int_equal(il_complete(nobody, NULL), IL_MISUSE);
    assert_int_equal(il_complete(unopened, NULL), IL_MISUSE);
    assert_int_equal(il_fail(nobody, "timeout", 0, NULL), IL_MISUSE);
    assert_int_equal(il_complete(unknown, NULL), IL_OK); /* too late: dropped */
    assert_int_equal(il_fail(unknown, "nonsense", 0, NULL), IL_INVALID);
    assert_int_equal(il_fail(unknown, "expired", 0, NULL), IL_INVALID);
    assert_int_equal(il_fail(unknown, "timeout", 0, NULL), IL_OK);
    il_engine_stop(fresh);
    il_engine_stop(NULL);
    assert_int_equal(il_engine_close(fresh, 0), IL_OK);
    assert_int_equal(il_engine_close(NULL, 0), IL_OK);
    assert_string_equal(il_engine_problem(NULL), "");
    assert_int_equal(il_engine_run(NULL, IL_UNTIL_REST, 0), IL_MISUSE);
    assert_int_equal(il_engine_counts(world->engine, NULL), IL_MISUSE);
    assert_int_equal(il_engine_register(world->engine, "late", charge, NULL), IL_MISUSE);
    assert_int_equal(il_engine_start(world->engine, NULL, "a", NULL, NULL, NULL, NULL),
                     IL_MISUSE);
    assert_int_equal(il_engine_send(world->engine, "a", NULL, NULL, NULL, NULL), IL_MISUSE);
    assert_null(il_engine_describe(world->engine, NULL));
    assert_null(il_engine_why(world->engine, "nobody"));
    assert_string_equal(il_engine_problem(world->engine), "there is no instance nobody");
    assert_int_equal(il_engine_run(world->engine, IL_UNTIL_REST, 1000), IL_OK);
}

/* Every file may grow to this many bytes; writing beyond fails as a full disk does. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit = {bytes, RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_store_that_fails_is_told_and_what_was_accepted_stays(void **state)
{
    struct world *world = *state;
    il_status status = IL_OK;
    int accepted = 0;
    char id[16];
    limit_files(200 << 10);
    while (status == IL_OK && accepted < 1000) {
        snprintf(id, sizeof id, "f%d", accepted);
        status =
            il_engine_start(world->engine, "order", id, "{\"total\":1}", "PAY", NULL, NULL);
        accepted += status == IL_OK;
    }
    limit_files(RLIM_INFINITY);
    assert_int_equal(status, IL_UNKNOWN);
    assert_non_null(strstr(il_engine_problem(world->engine), world->path));
    status = il_engine_run(world->engine, IL_UNTIL_REST, -1);
    assert_true(status == IL_IO || status == IL_DISK_FULL || status == IL_UNKNOWN);
    assert_int_equal(il_engine_send(world->engine, "f0", "PAY", NULL, NULL, NULL), status);
    assert_null(il_engine_describe(world->engine, "f0"));
    assert_int_equal(il_engine_close(world->engine, 1000), status);
    open_engine(world);
    assert_int_equal(il_engine_run(world->engine, IL_UNTIL_REST, 60000), IL_OK);
    for (int i = 0; i < accepted; i++) {
        snprintf(id, sizeof id, "f%d", i);
        assert_described(world, id, "\"value\":\"PAID\"");
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_function_is_a_step),
        TEST(an_answer_comes_from_any_thread_and_only_the_first_counts),
        TEST(attempts_of_an_invocation_share_one_key),
        TEST(a_refusal_is_told_and_not_tried_again),
        TEST(what_was_under_way_goes_on_after_a_restart),
        TEST(repeats_get_the_same_answer_and_others_a_conflict),
        TEST(rest_and_quiet_differ_by_timers),
        TEST(it_can_be_stopped_from_within_and_before),
        TEST(many_are_asked_without_waiting),
        TEST(nobody_is_left_without_an_answer),
        TEST(a_history_is_told_line_by_line),
        TEST(calls_from_within_a_function_are_refused),
        TEST(what_is_wrong_with_a_definition_is_told),
        TEST(only_one_owns_a_database),
        TEST(a_store_that_fails_is_told_and_what_was_accepted_stays),
        TEST(wrong_calls_answer_and_do_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
