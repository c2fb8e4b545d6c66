/*
 * strategy_call.c - a step as a function of the program that embeds the engine.
 *
 * The function is told of an attempt and answers with the attempt's number, not with a
 * pointer: an answer that comes twice, or after the timeout, finds nothing and is dropped.
 *
 * Answers come from any thread. They are pushed on a stack that needs no lock, and the loop
 * takes all of them at once when it is woken. So an answer given from within the function is
 * like any other: it is told in a later round.
 */
#include <stdatomic.h>

#include "base/limits.h"
#include "base/memory.h"
#include "base/table.h"
#include "strategy/answer.h"
#include "strategy/attempt.h"
#include "strategy/settings.h"

/* One answer, its texts behind it. */
struct call_answer {
    struct call_answer *next;
    uint64_t number;
    struct attempt_result result;
    char text[];
};

struct call_box {
    _Atomic(struct call_answer *) newest;
    struct loop_wake *wake;
};

struct call_attempt {
    struct attempt attempt;
    uint64_t number;
    duration_ms timeout_ms;
};

struct call_runner {
    struct running running;
    struct strategy_call *call;
    struct call_box box;
    uint64_t next_number;
    struct table waiting; /* the bytes of its number → struct call_attempt */
};

struct call_settings {
    struct span name;
};

/* Reading the settings */

static const void *call_parse(const struct node *node, const struct node *step,
                              const char *folder, struct arena *arena,
                              struct diagnostics *diagnostics)
{
    struct settings settings = {node, arena, diagnostics};
    (void)step;
    (void)folder;
    if (!node_is_string(node)) {
        settings_wrong_type(&settings, node, "`call`", "the name of a function");
        return NULL;
    }
    if (node_text(node).size == 0) {
        diagnostics_add(diagnostics, SEVERITY_ERROR, "IL0103", node->place,
                        "`call` needs the name of a function");
        return NULL;
    }
    struct call_settings *call = arena_new(arena, struct call_settings);
    call->name = arena_copy(arena, node_text(node));
    return call;
}

static const void *parse_here(const struct node *node, const struct node *step,
                              const char *folder, struct arena *arena,
                              struct diagnostics *diagnostics, enum severity severity)
{
    const void *settings = call_parse(node, step, folder, arena, diagnostics);
    if (settings == NULL)
        return NULL;
    struct diagnostic *told =
        diagnostics_add(diagnostics, severity, "IL0106", node->place,
                        "`call` steps run in programs that embed Interlock, not here");
    diagnostic_help(diagnostics, told,
                    "see interlock.h; with --steps FILE the step can be done in another way");
    return severity == SEVERITY_ERROR ? NULL : settings;
}

static const void *parse_known(const struct node *node, const struct node *step,
                               const char *folder, struct arena *arena,
                               struct diagnostics *diagnostics)
{
    return parse_here(node, step, folder, arena, diagnostics, SEVERITY_INFO);
}

static const void *parse_refused(const struct node *node, const struct node *step,
                                 const char *folder, struct arena *arena,
                                 struct diagnostics *diagnostics)
{
    return parse_here(node, step, folder, arena, diagnostics, SEVERITY_ERROR);
}

struct span strategy_call_name(const void *settings)
{
    const struct call_settings *call = settings;
    return call->name;
}

/* Answers */

static struct span keep(char **at, struct span text)
{
    char *kept = *at;
    if (text.size > 0)
        memcpy(kept, text.text, text.size);
    *at += text.size;
    return span_of(kept, text.size);
}

static struct call_answer *copy_answer(uint64_t number, const struct attempt_result *result)
{
    size_t size = result->output.size + result->message.size + result->details.size;
    struct call_answer *answer = memory_get(sizeof *answer + size);
    char *at = answer->text;
    answer->number = number;
    answer->result = *result;
    answer->result.output = keep(&at, result->output);
    answer->result.message = keep(&at, result->message);
    answer->result.details = keep(&at, result->details);
    return answer;
}

void strategy_call_answer(struct strategy_call *call, uint64_t number,
                          const struct attempt_result *result)
{
    struct call_box *box = call->box;
    struct call_answer *answer = copy_answer(number, result);
    answer->next = atomic_load(&box->newest);
    while (!atomic_compare_exchange_weak(&box->newest, &answer->next, answer))
        continue;
    loop_wake_send(box->wake);
}

/* All answers, the oldest first. */
static struct call_answer *take_answers(struct call_box *box)
{
    struct call_answer *newest = atomic_exchange(&box->newest, NULL);
    struct call_answer *oldest = NULL;
    while (newest != NULL) {
        struct call_answer *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

static void release_answers(struct call_answer *answer)
{
    while (answer != NULL) {
        struct call_answer *next = answer->next;
        memory_release(answer);
        answer = next;
    }
}

static struct span number_key(const uint64_t *number)
{
    return span_of((const char *)number, sizeof *number);
}

/* No answer is waited for any more. */
static void stop_waiting(struct call_attempt *call)
{
    struct call_runner *self = (struct call_runner *)call->attempt.running;
    table_remove(&self->waiting, number_key(&call->number));
}

/* What came of it */

static void tell(struct call_attempt *call, const struct attempt_result *result)
{
    stop_waiting(call);
    attempt_finish(&call->attempt, result);
}

static void tell_failure(struct call_attempt *call, enum error_kind kind, const char *words,
                         struct span detail)
{
    struct text message = {.arena = NULL};
    text_format(&message, "%.*s%s%.*s", SPAN_ARGS(text_span(&call->attempt.subject)), words,
                SPAN_ARGS(detail));
    struct attempt_result result = attempt_failure(kind, 0, text_span(&message));
    tell(call, &result);
    text_fini(&message);
}

static void on_timeout(void *context)
{
    struct call_attempt *call = context;
    struct text limit = {.arena = NULL};
    time_add_duration(&limit, call->timeout_ms);
    tell_failure(call, ERROR_KIND_TIMEOUT, ": no answer within ", text_span(&limit));
    text_fini(&limit);
}

static void take_done(struct call_attempt *call, const struct attempt_result *result)
{
    struct arena *arena = &call->attempt.running->arena;
    struct value value;
    struct span problem;
    struct attempt_result checked = *result;
    arena_clear(arena);
    if (!answer_read_json(result->output, arena, &value, &problem)) {
        tell_failure(call, ERROR_KIND_INVALID, ": the output is not JSON: ", problem);
        return;
    }
    if (value.kind == VALUE_NULL)
        checked.output = SPAN("null");
    tell(call, &checked);
}

static void take_error(struct call_attempt *call, const struct attempt_result *result)
{
    struct text message = {.arena = NULL};
    struct attempt_result cleaned = *result;
    answer_add_words(&message, result->message, STEP_STDERR_TAIL_BYTES);
    cleaned.message = text_span(&message);
    tell(call, &cleaned);
    text_fini(&message);
}

static void on_answers(void *context)
{
    struct call_runner *self = context;
    struct call_answer *first = take_answers(&self->box);
    for (struct call_answer *answer = first; answer != NULL; answer = answer->next) {
        struct call_attempt *call = table_find(&self->waiting, number_key(&answer->number));
        if (call == NULL)
            continue;
        if (answer->result.done)
            take_done(call, &answer->result);
        else
            take_error(call, &answer->result);
    }
    release_answers(first);
}

/* The strategy */

static struct attempt *runner_start(struct strategy *strategy, const void *settings,
                                    const struct attempt_request *request, attempt_done *done,
                                    void *context)
{
    struct call_runner *self = (struct call_runner *)strategy;
    struct call_attempt *call = attempt_open(&self->running, sizeof *call, done, context);
    struct span name = strategy_call_name(settings);
    call->number = ++self->next_number;
    call->timeout_ms = request->timeout_ms;
    if (self->call->start(self->call->context, name, request, call->number)) {
        text_add(&call->attempt.subject, name);
        table_add(&self->waiting, number_key(&call->number), call);
        call->attempt.timer = loop_timer_open(self->running.loop, on_timeout, call);
        loop_timer_start(call->attempt.timer, request->timeout_ms);
        return &call->attempt;
    }
    struct text why = {.arena = NULL};
    text_format(&why, "this program has no function '%.*s'", SPAN_ARGS(name));
    attempt_refuse(&call->attempt, text_span(&why));
    text_fini(&why);
    return &call->attempt;
}

static void runner_cancel(struct strategy *strategy, struct attempt *attempt)
{
    struct call_attempt *call = (struct call_attempt *)attempt;
    (void)strategy;
    stop_waiting(call);
    attempt_close(attempt);
}

static void runner_close(struct strategy *strategy)
{
    struct call_runner *self = (struct call_runner *)strategy;
    running_fini(&self->running);
    table_fini(&self->waiting);
    loop_wake_close(self->box.wake);
    release_answers(take_answers(&self->box));
    self->call->box = NULL;
    memory_release(self);
}

static struct strategy *runner_open(const struct strategy_type *type, struct loop *loop)
{
    static const struct strategy_ops ops = {runner_start, runner_cancel, runner_close};
    struct call_runner *self = memory_get(sizeof *self);
    running_init(&self->running, &ops, loop);
    table_init(&self->waiting);
    self->call = (struct strategy_call *)(uintptr_t)type;
    self->box.wake = loop_wake_open(loop, on_answers, self);
    self->call->box = &self->box;
    return &self->running.strategy;
}

void strategy_call_init(struct strategy_call *call, call_start *start, void *context)
{
    *call = (struct strategy_call){
        .type = {.name = "call", .parse = call_parse, .open = runner_open},
        .start = start,
        .context = context,
    };
}

/* Where there are no functions: nothing that was parsed here is ever started. */

static struct attempt *absent_start(struct strategy *strategy, const void *settings,
                                    const struct attempt_request *request, attempt_done *done,
                                    void *context)
{
    struct attempt *attempt =
        attempt_open((struct running *)strategy, sizeof *attempt, done, context);
    (void)settings;
    (void)request;
    attempt_refuse(attempt, SPAN("`call` steps run in programs that embed Interlock"));
    return attempt;
}

static void absent_cancel(struct strategy *strategy, struct attempt *attempt)
{
    (void)strategy;
    attempt_close(attempt);
}

static void absent_close(struct strategy *strategy)
{
    running_fini((struct running *)strategy);
    memory_release(strategy);
}

static struct strategy *absent_open(const struct strategy_type *type, struct loop *loop)
{
    static const struct strategy_ops ops = {absent_start, absent_cancel, absent_close};
    struct running *running = memory_get(sizeof *running);
    (void)type;
    running_init(running, &ops, loop);
    return &running->strategy;
}

const struct strategy_type strategy_call_known = {
    .name = "call",
    .parse = parse_known,
    .open = absent_open,
};

const struct strategy_type strategy_call_refused = {
    .name = "call",
    .parse = parse_refused,
    .open = absent_open,
};
