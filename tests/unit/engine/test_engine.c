/*
 * test_engine.c - the durable core, against its promises: one thread of fake time-outs, a real
 * store, a strategy whose answers the test decides.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "engine/engine.h"
#include "fake_strategy.h"

static const char order[] =
    "{\"id\":\"order\",\"version\":\"1\",\"context\":{\"payment\":null,\"total\":\"${input."
    "total}\"},"
    "\"initial\":\"PENDING\",\"on\":{\"CANCEL\":\".REFUNDING\"},\"states\":{"
    "\"PENDING\":{\"on\":{\"SUBMIT\":{\"target\":\"CHARGING\",\"guard\":\"event.total > 0\"}}},"
    "\"CHARGING\":{\"invoke\":{\"src\":\"charge\",\"input\":{\"amount\":\"${context.total}\"},"
    "\"onDone\":{\"target\":\"RESERVING\",\"assign\":{\"payment\":\"${event.output.id}\"}},"
    "\"onError\":\"REFUNDING\"}},"
    "\"RESERVING\":{\"invoke\":{\"src\":\"reserve\",\"onDone\":\"COMPLETED\",\"onError\":"
    "\"REFUNDING\"}},"
    "\"REFUNDING\":{\"on\":{\"CANCEL\":{}},\"invoke\":{\"src\":\"refund\",\"onDone\":"
    "\"FAILED\","
    "\"onError\":\"STUCK\"}},"
    "\"STUCK\":{\"tags\":[\"attention\"],\"on\":{\"RESOLVED\":\"FAILED\"}},"
    "\"COMPLETED\":{\"type\":\"final\"},\"FAILED\":{\"type\":\"final\",\"tags\":[\"failure\"]}}"
    ","
    "\"steps\":{\"charge\":{\"fake\":{},\"timeout\":\"200ms\",\"deadline\":\"20s\","
    "\"retry\":{\"attempts\":3,\"base\":\"1ms\",\"cap\":\"2ms\"},"
    "\"breaker\":{\"window\":\"1s\",\"failures\":\"50%\",\"minimum\":10,\"open\":\"100ms\","
    "\"open_max\":\"200ms\","
    "\"probes\":2,\"ramp\":\"0s\"},\"limit\":{\"concurrency\":8,\"queue\":1000},\"when_open\":"
    "\"park\"},"
    "\"reserve\":{\"fake\":{},\"timeout\":\"200ms\"},\"refund\":{\"fake\":{},\"timeout\":"
    "\"200ms\"}}}";

struct bench {
    struct loop *loop;
    struct store *store;
    struct engine *engine;
    struct fake_world *world;
    struct arena arena;
    uint64_t final_count;
    uint64_t resting_count;
    uint64_t stop_at;
    uint64_t replies[ANSWER_UNKNOWN + 1];
    enum outcome last_outcome;
    bool stop_on_reply;
    char message[200];
};

static void on_rested(void *context, const struct instance *instance, enum instance_rest rest)
{
    struct bench *bench = context;
    (void)instance;
    bench->final_count += rest == REST_FINAL;
    bench->resting_count += rest == REST_FINAL || rest == REST_EVENT;
    if (bench->final_count == bench->stop_at && bench->stop_at > 0)
        loop_stop(bench->loop);
}

static void on_broken(void *context, enum status status, const char *problem)
{
    (void)context;
    fail_msg("the engine broke: %s: %s", status_text(status), problem);
}

static void on_reply(void *context, const struct engine_reply *reply)
{
    struct bench *bench = context;
    bench->replies[reply->answer]++;
    bench->last_outcome = reply->outcome;
    snprintf(bench->message, sizeof bench->message, "%.*s", SPAN_ARGS(reply->message));
    if (bench->stop_on_reply)
        loop_stop(bench->loop);
}

static const struct strategy_type *const types[] = {&strategy_fake};
static const struct strategy_types all_types = {types, 1, NULL};

static void open_engine(struct bench *bench)
{
    char problem[512] = "";
    struct engine_options options = {.loop = bench->loop,
                                     .store = bench->store,
                                     .types = all_types,
                                     .rested = on_rested,
                                     .broken = on_broken,
                                     .context = bench,
                                     .sample = 64};
    enum status status = engine_open(&options, &bench->engine, problem);
    assert_string_equal(problem, "");
    assert_int_equal(status, STATUS_OK);
}

static void deploy(struct bench *bench, const char *json)
{
    struct diagnostics diagnostics;
    diagnostics_init(&diagnostics, &bench->arena);
    const struct node *root =
        json_read_tree(span_from_text(json), SPAN("test"), &bench->arena, &diagnostics);
    assert_non_null(root);
    const struct definition *definition =
        definition_read(root, NULL, "/", all_types, &bench->arena, &diagnostics);
    if (definition == NULL)
        fail_msg("%.*s", SPAN_ARGS(diagnostics.first->message));
    engine_deploy(bench->engine, definition, on_reply, bench);
}

static struct bench *open_bench(fake_script *script)
{
    struct bench *bench = memory_get(sizeof *bench);
    bench->world = memory_get(sizeof *bench->world);
    bench->world->script = script;
    bench->world->context = bench;
    fake_set_world(bench->world);
    arena_open(&bench->arena, DEFINITION_ARENA_BYTES);
    bench->loop = loop_open();
    bench->store = store_memory_open(&engine_schema);
    open_engine(bench);
    deploy(bench, order);
    return bench;
}

static void stop_loop(void *context)
{
    loop_stop(((struct bench *)context)->loop);
}

static void close_engine(struct bench *bench)
{
    engine_stop(bench->engine, 500, stop_loop, bench);
    loop_run(bench->loop);
    engine_close(bench->engine);
    bench->engine = NULL;
}

static void close_bench(struct bench *bench)
{
    if (bench->engine != NULL)
        close_engine(bench);
    store_close(bench->store);
    loop_close(bench->loop);
    arena_close(&bench->arena);
    memory_release(bench->world);
    memory_release(bench);
}

static void start(struct bench *bench, const char *id, const char *input, const char *event,
                  const char *payload)
{
    struct engine_start request = {.machine = SPAN("order"),
                                   .id = span_from_text(id),
                                   .input = span_from_text(input),
                                   .event = span_from_text(event),
                                   .event_json = span_from_text(payload)};
    engine_start(bench->engine, &request, on_reply, bench);
}

static void start_many(struct bench *bench, uint64_t count)
{
    char id[24];
    for (uint64_t i = 0; i < count; i++) {
        snprintf(id, sizeof id, "%04llu", (unsigned long long)i);
        start(bench, id, "{\"total\":5}", "SUBMIT", "{\"total\":5}");
    }
}

static void run_until_final(struct bench *bench, uint64_t count)
{
    bench->stop_at = count;
    if (bench->final_count < count)
        loop_run(bench->loop);
    assert_int_equal(bench->final_count, count);
}

static void run_until_reply(struct bench *bench)
{
    bench->stop_on_reply = true;
    loop_run(bench->loop);
    bench->stop_on_reply = false;
}

static struct instance *find(struct bench *bench, const char *id)
{
    struct instance *instance =
        registry_find(engine_registry(bench->engine), span_from_text(id));
    assert_non_null(instance);
    return instance;
}

static const char *state_of(struct bench *bench, const char *id)
{
    struct instance *instance = find(bench, id);
    return instance->deployed->definition->machine->states[instance->leaf].path.text;
}

static void assert_state(struct bench *bench, const char *id, const char *state)
{
    struct instance *instance = find(bench, id);
    struct span path = instance->deployed->definition->machine->states[instance->leaf].path;
    assert_true(span_is(path, state));
}

static struct fake_answer all_well(void *context, const struct fake_call *call)
{
    (void)context;
    (void)call;
    return (struct fake_answer){.done = true, .output = "{\"id\":\"p1\"}"};
}

static void an_order_goes_through(void **state)
{
    (void)state;
    struct bench *bench = open_bench(all_well);
    start(bench, "0042", "{\"total\":5}", "SUBMIT", "{\"total\":5}");
    run_until_final(bench, 1);
    assert_state(bench, "0042", "COMPLETED");
    assert_int_equal(bench->world->call_count, 2);
    assert_true(strcmp(bench->world->calls[0].key, bench->world->calls[1].key) != 0);
    close_bench(bench);
}

static void a_thousand_orders_go_through_within_the_limit(void **state)
{
    (void)state;
    struct bench *bench = open_bench(all_well);
    start_many(bench, 1000);
    run_until_final(bench, 1000);
    assert_int_equal(bench->world->call_count, 2000);
    assert_true(bench->world->running_max <= 8 + 64);
    close_bench(bench);
}

static struct fake_answer fails_at_first(void *context, const struct fake_call *call)
{
    (void)context;
    bool fails = call->attempt < 3 && strcmp(call->step, "charge") == 0;
    return (struct fake_answer){
        .done = !fails, .kind = ERROR_KIND_UNAVAILABLE, .output = "{\"id\":1}"};
}

static void attempts_of_one_invocation_share_their_key(void **state)
{
    (void)state;
    struct bench *bench = open_bench(fails_at_first);
    start(bench, "a", "{\"total\":5}", "SUBMIT", "{\"total\":5}");
    run_until_final(bench, 1);
    assert_state(bench, "a", "COMPLETED");
    assert_int_equal(bench->world->call_count, 4);
    assert_string_equal(bench->world->calls[0].key, bench->world->calls[2].key);
    assert_string_not_equal(bench->world->calls[2].key, bench->world->calls[3].key);
    assert_int_equal(bench->world->calls[2].attempt, 3);
    close_bench(bench);
}

static struct fake_answer charge_is_rejected(void *context, const struct fake_call *call)
{
    (void)context;
    bool fails = strcmp(call->step, "charge") == 0;
    return (struct fake_answer){.done = !fails, .kind = ERROR_KIND_REJECTED};
}

static void a_business_refusal_is_not_retried_and_trips_no_breaker(void **state)
{
    (void)state;
    struct bench *bench = open_bench(charge_is_rejected);
    struct text text;
    start_many(bench, 100);
    run_until_final(bench, 100);
    assert_int_equal(bench->world->call_count, 200);
    text_init(&text, NULL);
    engine_describe_step(bench->engine, SPAN("charge"), &text);
    assert_string_equal(text.bytes, "charge: breaker closed, 0 in flight");
    text_fini(&text);
    close_bench(bench);
}

struct outage {
    instant_ms until;
    size_t probes_running;
    size_t calls_while_out;
};

static struct outage outage;

static struct fake_answer out_for_a_while(void *context, const struct fake_call *call)
{
    (void)context;
    if (strcmp(call->step, "charge") != 0 || clock_wall() >= outage.until)
        return (struct fake_answer){.done = true, .output = "{\"id\":1}"};
    outage.calls_while_out++;
    return (struct fake_answer){.done = false, .kind = ERROR_KIND_UNAVAILABLE, .delay_ms = 1};
}

static void an_outage_parks_the_line_and_lets_probes_through(void **state)
{
    (void)state;
    struct bench *bench = open_bench(out_for_a_while);
    outage = (struct outage){.until = clock_wall() + 600};
    start_many(bench, 200);
    run_until_final(bench, 200);
    /* Ten or so trip it; after that two probes every 100 to 200 ms, never the line of 200. */
    assert_in_range(outage.calls_while_out, 10, 60);
    for (int i = 0; i < 200; i++) {
        char id[16];
        snprintf(id, sizeof id, "%04d", i);
        assert_true(strncmp(state_of(bench, id), "COMPLETED", 9) == 0 ||
                    strncmp(state_of(bench, id), "FAILED", 6) == 0);
    }
    close_bench(bench);
}

static void the_same_start_is_repeated_and_another_is_a_conflict(void **state)
{
    (void)state;
    struct bench *bench = open_bench(all_well);
    start(bench, "a", "{\"total\":5}", "", "");
    start(bench, "a", "{\"total\":5}", "", "");
    start(bench, "a", "{\"total\":6}", "", "");
    start(bench, "b", "{\"total\":", "", "");
    start(bench, "c", "{}", "", "");
    run_until_reply(bench);
    while (bench->replies[ANSWER_REPEATED] == 0)
        loop_run_once(bench->loop, true);
    assert_int_equal(bench->replies[ANSWER_OK], 2); /* the deployment too */
    assert_int_equal(bench->replies[ANSWER_REPEATED], 1);
    assert_int_equal(bench->replies[ANSWER_CONFLICT], 1);
    assert_int_equal(bench->replies[ANSWER_REFUSED], 2);
    assert_int_equal(engine_registry(bench->engine)->instance_count, 1);
    close_bench(bench);
}

static void send(struct bench *bench, const char *id, const char *type, const char *json,
                 const char *key)
{
    engine_send(bench->engine, span_from_text(id), span_from_text(type), span_from_text(json),
                span_from_text(key), on_reply, bench);
    uint64_t before = 0;
    uint64_t after = 0;
    for (size_t i = 0; i <= ANSWER_UNKNOWN; i++)
        before += bench->replies[i];
    for (after = before; after == before;) {
        loop_run_once(bench->loop, true);
        after = 0;
        for (size_t i = 0; i <= ANSWER_UNKNOWN; i++)
            after += bench->replies[i];
    }
}

static void a_key_gives_the_same_answer_again(void **state)
{
    (void)state;
    struct bench *bench = open_bench(all_well);
    start(bench, "a", "{\"total\":5}", "", "");
    while (bench->replies[ANSWER_OK] < 2)
        loop_run_once(bench->loop, true);
    send(bench, "a", "SUBMIT", "{\"total\":0}", "k1");
    assert_int_equal(bench->last_outcome, OUTCOME_IGNORED);
    uint64_t seq = find(bench, "a")->seq;
    send(bench, "a", "SUBMIT", "{\"total\":0}", "k1");
    assert_int_equal(bench->replies[ANSWER_REPEATED], 1);
    assert_int_equal(bench->last_outcome, OUTCOME_IGNORED);
    assert_int_equal(find(bench, "a")->seq, seq);
    send(bench, "a", "SUBMIT", "{\"total\":9}", "k1");
    assert_int_equal(bench->replies[ANSWER_CONFLICT], 1);
    assert_int_equal(find(bench, "a")->seq, seq);
    send(bench, "a", "SUBMIT", "{\"total\":9}", "k2");
    assert_int_equal(bench->last_outcome, OUTCOME_APPLIED);
    send(bench, "nobody", "SUBMIT", "{}", "");
    assert_int_equal(bench->replies[ANSWER_NOT_FOUND], 1);
    send(bench, "a", "SUBMIT", "[1]", "");
    assert_int_equal(bench->replies[ANSWER_REFUSED], 1);
    run_until_final(bench, 1);
    close_bench(bench);
}

static bool count_lines(void *context, const struct history_line *line)
{
    uint64_t *seq = context;
    assert_int_equal(line->seq, *seq + 1);
    *seq = line->seq;
    return true;
}

static void verify_all(struct bench *bench)
{
    void *memory = memory_get(TURN_ARENA_BYTES);
    struct arena arena;
    struct registry *registry = engine_registry(bench->engine);
    arena_init(&arena, memory, TURN_ARENA_BYTES);
    for (struct instance *instance = registry->first; instance != NULL;
         instance = instance->next) {
        uint64_t seq = 0;
        assert_int_equal(history_read(registry, instance, 0, &arena, count_lines, &seq),
                         STATUS_OK);
        assert_int_equal(seq, instance->seq);
        if (history_verify(registry, instance, &arena) != STATUS_OK)
            fail_msg("%s", registry->problem);
    }
    memory_release(memory);
}

static const char declared[] =
    "{\"id\":\"order\",\"version\":\"2\",\"context\":{\"n\":0},\"events\":{\"PAY\":{"
    "\"properties\":"
    "{\"n\":{\"type\":\"number\"}},\"required\":[\"n\"]}},\"initial\":\"A\",\"states\":{\"A\":{"
    "\"on\":"
    "{\"PAY\":{\"assign\":{\"n\":\"${event.n * 1.5}\"}},\"OTHER\":{\"assign\":{\"n\":1}}}}}}";

static void what_is_not_declared_does_not_come_in(void **state)
{
    (void)state;
    struct bench *bench = open_bench(all_well);
    deploy(bench, declared);
    start(bench, "a", "{}", "", "");
    while (bench->replies[ANSWER_OK] < 3)
        loop_run_once(bench->loop, true);
    send(bench, "a", "OTHER", "{}", "k1");
    assert_non_null(strstr(bench->message, "declares no event `OTHER`"));
    send(bench, "a", "PAY", "{}", "");
    assert_non_null(strstr(bench->message, "`n`"));
    assert_int_equal(bench->replies[ANSWER_REFUSED], 2);
    assert_int_equal(find(bench, "a")->seq, 1);
    /* An integer becomes the number that the schema promises, in the record too. */
    send(bench, "a", "PAY", "{\"n\":2}", "");
    const struct instance *a = find(bench, "a");
    assert_true(span_is(span_of(a->context, a->context_size), "{\"n\":3.0}"));
    verify_all(bench);
    close_bench(bench);
}

static const char talking[] =
    "{\"id\":\"order\",\"version\":\"2\",\"context\":{},\"initial\":\"A\",\"states\":{\"A\":{"
    "\"on\":"
    "{\"GO\":{\"target\":\"B\",\"actions\":[{\"log\":\"${event.n}\"},\"ring\"]}}},\"B\":{}}}";

static bool write_effects(void *context, const struct history_line *line)
{
    struct text text;
    struct arena arena;
    arena_open(&arena, TURN_ARENA_BYTES);
    text_init(&text, &arena);
    json_write(&text, line->effects);
    snprintf(context, 200, "%.*s", SPAN_ARGS(text_span(&text)));
    arena_close(&arena);
    return true;
}

static void a_history_tells_what_was_logged(void **state)
{
    (void)state;
    char effects[200] = "";
    struct bench *bench = open_bench(all_well);
    struct arena arena;
    deploy(bench, talking);
    start(bench, "a", "{}", "", "");
    while (bench->replies[ANSWER_OK] < 3)
        loop_run_once(bench->loop, true);
    send(bench, "a", "GO", "{\"n\":7}", "");
    arena_open(&arena, TURN_ARENA_BYTES);
    assert_int_equal(history_read(engine_registry(bench->engine), find(bench, "a"), 0, &arena,
                                  write_effects, effects),
                     STATUS_OK);
    assert_string_equal(effects, "[{\"type\":\"log\",\"value\":7},"
                                 "{\"type\":\"action\",\"name\":\"ring\",\"params\":null}]");
    arena_close(&arena);
    close_bench(bench);
}

static struct fake_answer never_answers(void *context, const struct fake_call *call)
{
    (void)context;
    return (struct fake_answer){.done = true,
                                .output = "{\"id\":1}",
                                .delay_ms = strcmp(call->step, "charge") == 0 ? -1 : 0};
}

static void a_cancelled_call_is_dropped_and_its_place_is_free(void **state)
{
    (void)state;
    struct bench *bench = open_bench(never_answers);
    start(bench, "a", "{\"total\":5}", "SUBMIT", "{\"total\":5}");
    while (bench->world->running == 0)
        loop_run_once(bench->loop, true);
    send(bench, "a", "CANCEL", "{}", "");
    run_until_final(bench, 1);
    assert_state(bench, "a", "FAILED");
    assert_int_equal(bench->world->running, 0);
    close_bench(bench);
}

static void a_step_that_never_answers_ends_by_its_deadline(void **state)
{
    (void)state;
    struct bench *bench = open_bench(never_answers);
    start(bench, "a", "{\"total\":5}", "SUBMIT", "{\"total\":5}");
    run_until_final(bench, 1);
    assert_state(bench, "a", "FAILED");
    assert_int_equal(bench->world->call_count, 4); /* three time-outs, one refund */
    close_bench(bench);
}

static struct fake_answer slow_and_shaky(void *context, const struct fake_call *call)
{
    struct bench *bench = context;
    bool fails = bench->world->call_count % 10 == 0 && strcmp(call->step, "charge") == 0;
    return (struct fake_answer){.done = !fails,
                                .kind = ERROR_KIND_UNAVAILABLE,
                                .output = "{\"id\":1}",
                                .delay_ms = (duration_ms)(bench->world->call_count % 4)};
}

static void histories_have_no_gap_and_replay_to_the_same_state(void **state)
{
    (void)state;
    struct bench *bench = open_bench(slow_and_shaky);
    start_many(bench, 100);
    run_until_final(bench, 100);
    verify_all(bench);
    close_bench(bench);
}

/* An engine that is dropped without a word, as a crash would: the store keeps what was
 * committed. */
static void crash(struct bench *bench)
{
    engine_close(bench->engine);
    bench->engine = NULL;
}

struct moves {
    char text[400];
};

static bool write_move(void *context, const struct history_line *line)
{
    struct moves *moves = context;
    size_t size = strlen(moves->text);
    snprintf(moves->text + size, sizeof moves->text - size, "%.*s>%.*s ",
             SPAN_ARGS(line->from_path), SPAN_ARGS(line->to_path));
    return true;
}

static void a_history_tells_from_and_to(void **state)
{
    (void)state;
    struct bench *bench = open_bench(all_well);
    struct moves moves = {""};
    struct arena arena;
    start(bench, "a", "{\"total\":5}", "SUBMIT", "{\"total\":5}");
    run_until_final(bench, 1);
    arena_open(&arena, TURN_ARENA_BYTES);
    struct registry *registry = engine_registry(bench->engine);
    assert_int_equal(history_read(registry, find(bench, "a"), 0, &arena, write_move, &moves),
                     STATUS_OK);
    assert_string_equal(moves.text,
                        ">PENDING PENDING>CHARGING CHARGING>RESERVING RESERVING>COMPLETED ");
    arena_close(&arena);
    close_bench(bench);
}

static struct fake_answer rejected_at_the_third_attempt(void *context,
                                                        const struct fake_call *call)
{
    (void)context;
    bool fails = strcmp(call->step, "charge") == 0;
    return (struct fake_answer){.done = !fails,
                                .kind = call->attempt < 3 ? ERROR_KIND_UNAVAILABLE
                                                          : ERROR_KIND_REJECTED,
                                .delay_ms = fails ? 20 : 0};
}

static void a_history_sums_up_attempts_and_the_time_they_took(void **state)
{
    (void)state;
    struct bench *bench = open_bench(rejected_at_the_third_attempt);
    struct history_sum sum;
    struct arena arena;
    start(bench, "a", "{\"total\":5}", "SUBMIT", "{\"total\":5}");
    run_until_final(bench, 1);
    const struct instance *a = find(bench, "a");
    arena_open(&arena, TURN_ARENA_BYTES);
    struct history_sums *sums = history_sums_open(engine_registry(bench->engine));
    assert_int_equal(history_sums_get(sums, a, &arena, &sum), STATUS_OK);
    assert_int_equal(sum.attempts, bench->world->call_count);
    assert_true(sum.worked_ms >= 60);
    assert_true(sum.worked_ms <= a->updated - a->created);
    assert_true(span_is(value_span(value_member(sum.error, SPAN("kind"))), "rejected"));
    history_sums_close(sums);
    arena_close(&arena);
    close_bench(bench);
}

static const char clockwork[] = "{\"id\":\"order\",\"version\":\"2\",\"context\":{\"rings\":0},"
                                "\"initial\":\"A\",\"states\":{"
                                "\"A\":{\"after\":{\"40ms\":{\"target\":\"B\",\"assign\":{"
                                "\"rings\":\"${context.rings + 1}\"}}}},"
                                "\"B\":{\"after\":{\"40ms\":{\"target\":\"C\",\"assign\":{"
                                "\"rings\":\"${context.rings + 1}\"}}}},"
                                "\"C\":{\"type\":\"final\"}}}";

static void timers_are_not_early_and_fire_once_after_downtime(void **state)
{
    (void)state;
    struct bench *bench = open_bench(all_well);
    deploy(bench, clockwork);
    while (bench->replies[ANSWER_OK] < 2)
        loop_run_once(bench->loop, true);
    instant_ms begin = clock_wall();
    start(bench, "t", "{}", "", "");
    while (bench->replies[ANSWER_OK] < 3)
        loop_run_once(bench->loop, true);
    crash(bench);
    usleep(100 * 1000); /* both are overdue when it comes back, but B's begins then */
    open_engine(bench);
    run_until_final(bench, 1);
    assert_true(clock_wall() - begin >= 140);
    struct instance *instance = find(bench, "t");
    assert_true(span_is(span_of(instance->context, instance->context_size), "{\"rings\":2}"));
    assert_int_equal(instance->seq, 3);
    verify_all(bench);
    close_bench(bench);
}

static void an_explanation_names_what_is_waited_for(void **state)
{
    (void)state;
    struct bench *bench = open_bench(never_answers);
    struct arena arena;
    struct text text;
    arena_open(&arena, TURN_ARENA_BYTES);
    text_init(&text, &arena);
    start(bench, "a", "{\"total\":5}", "SUBMIT", "{\"total\":5}");
    while (bench->world->running == 0)
        loop_run_once(bench->loop, true);
    uint64_t commits = engine_view(bench->engine).commits;
    while (engine_view(bench->engine).commits == commits)
        loop_run_once(bench->loop, true); /* the claim rides the next commit */
    waiting_explain(engine_registry(bench->engine), find(bench, "a"), 0, &arena, &text);
    assert_non_null(strstr(text.bytes, "a  CHARGING  active since"));
    assert_non_null(strstr(text.bytes, "got here from PENDING by SUBMIT at"));
    assert_non_null(strstr(text.bytes, "step charge, attempt 1 of 3: under way since"));
    arena_close(&arena);
    close_bench(bench);
}

/* A charge and then its refund may each be cut off INTERRUPTIONS_MAX times: that order waits
 * for a person. Nothing else waits. */
static void assert_the_waiting_are_stuck(struct bench *bench)
{
    const struct instance *instance = engine_registry(bench->engine)->first;
    for (; instance != NULL; instance = instance->next) {
        const struct machine *machine = instance->deployed->definition->machine;
        if (instance->status == INSTANCE_ACTIVE)
            assert_true(span_is(machine->states[instance->leaf].path, "STUCK"));
    }
}

static void nothing_is_lost_over_crashes(void **state)
{
    (void)state;
    struct bench *bench = open_bench(slow_and_shaky);
    start_many(bench, 300);
    for (int round = 0; round < 25; round++) {
        for (int i = 0; i < 3 + round % 7; i++)
            loop_run_once(bench->loop, true);
        crash(bench);
        bench->final_count = 0;
        open_engine(bench);
        deploy(bench, order);
        start_many(bench, 300);
    }
    for (;;) {
        struct engine_view view = engine_view(bench->engine);
        if (view.final + view.waiting == 300 && view.durable_lsn == view.lsn)
            break; /* what is read back below is on disk */
        loop_run_once(bench->loop, true);
    }
    assert_the_waiting_are_stuck(bench);
    assert_int_equal(bench->replies[ANSWER_CONFLICT], 0);
    verify_all(bench);
    /* One key an invocation: no instance was charged under two keys. */
    for (size_t i = 0; i < bench->world->call_count; i++) {
        for (size_t j = i + 1; j < bench->world->call_count; j++) {
            const struct fake_call *a = &bench->world->calls[i];
            const struct fake_call *b = &bench->world->calls[j];
            if (strcmp(a->instance, b->instance) == 0 && strcmp(a->step, b->step) == 0)
                assert_string_equal(a->key, b->key);
        }
    }
    close_bench(bench);
}

static struct fake_answer takes_fifty_ms(void *context, const struct fake_call *call)
{
    (void)context;
    (void)call;
    return (struct fake_answer){.done = true, .output = "{\"id\":1}", .delay_ms = 50};
}

static void stopping_waits_for_attempts_and_for_nothing_else(void **state)
{
    (void)state;
    struct bench *bench = open_bench(takes_fifty_ms);
    start_many(bench, 100);
    while (bench->world->running < 8)
        loop_run_once(bench->loop, true);
    instant_ms begin = clock_wall();
    engine_stop(bench->engine, 5000, stop_loop, bench);
    loop_run(bench->loop);
    assert_true(clock_wall() - begin <
                2500); /* what is in line is not started, nor waited for */
    assert_int_equal(bench->world->running, 0);
    engine_close(bench->engine);
    bench->engine = NULL;
    close_bench(bench);
}

static void a_version_never_changes(void **state)
{
    (void)state;
    struct bench *bench = open_bench(all_well);
    static const char other[] =
        "{\"id\":\"order\",\"version\":\"1\",\"initial\":\"A\",\"states\":{\"A\":{}}}";
    deploy(bench, other);
    while (bench->replies[ANSWER_CONFLICT] == 0)
        loop_run_once(bench->loop, true);
    assert_non_null(strstr(bench->message, "give it a new version"));
    close_bench(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_goes_through),
        cmocka_unit_test(a_thousand_orders_go_through_within_the_limit),
        cmocka_unit_test(attempts_of_one_invocation_share_their_key),
        cmocka_unit_test(a_business_refusal_is_not_retried_and_trips_no_breaker),
        cmocka_unit_test(an_outage_parks_the_line_and_lets_probes_through),
        cmocka_unit_test(the_same_start_is_repeated_and_another_is_a_conflict),
        cmocka_unit_test(a_key_gives_the_same_answer_again),
        cmocka_unit_test(what_is_not_declared_does_not_come_in),
        cmocka_unit_test(a_history_tells_what_was_logged),
        cmocka_unit_test(a_cancelled_call_is_dropped_and_its_place_is_free),
        cmocka_unit_test(a_step_that_never_answers_ends_by_its_deadline),
        cmocka_unit_test(histories_have_no_gap_and_replay_to_the_same_state),
        cmocka_unit_test(a_history_tells_from_and_to),
        cmocka_unit_test(a_history_sums_up_attempts_and_the_time_they_took),
        cmocka_unit_test(timers_are_not_early_and_fire_once_after_downtime),
        cmocka_unit_test(an_explanation_names_what_is_waited_for),
        cmocka_unit_test(nothing_is_lost_over_crashes),
        cmocka_unit_test(stopping_waits_for_attempts_and_for_nothing_else),
        cmocka_unit_test(a_version_never_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
