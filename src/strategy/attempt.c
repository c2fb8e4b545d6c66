/*
 * attempt.c - starting, listing and ending attempts.
 */
#include "strategy/attempt.h"

#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "strategy/answer.h"

void running_init(struct running *running, const struct strategy_ops *ops, struct loop *loop)
{
    running->strategy.ops = ops;
    running->loop = loop;
    arena_open(&running->arena, TURN_ARENA_BYTES);
}

void running_fini(struct running *running)
{
    while (running->first != NULL)
        strategy_cancel(&running->strategy, running->first);
    arena_close(&running->arena);
}

void *attempt_open(struct running *running, size_t size, attempt_done *done, void *context)
{
    struct attempt *attempt = memory_get(size);
    attempt->running = running;
    attempt->done = done;
    attempt->context = context;
    attempt->next = running->first;
    if (running->first != NULL)
        running->first->previous = attempt;
    running->first = attempt;
    return attempt;
}

static void leave_list(struct attempt *attempt)
{
    if (attempt->previous != NULL)
        attempt->previous->next = attempt->next;
    else
        attempt->running->first = attempt->next;
    if (attempt->next != NULL)
        attempt->next->previous = attempt->previous;
}

static void release(struct attempt *attempt)
{
    loop_timer_close(attempt->timer);
    text_fini(&attempt->subject);
    text_fini(&attempt->refusal);
    memory_release(attempt);
}

void attempt_close(struct attempt *attempt)
{
    leave_list(attempt);
    release(attempt);
}

/* Out of the list first: whoever is told may close the strategy. */
void attempt_finish(struct attempt *attempt, const struct attempt_result *result)
{
    leave_list(attempt);
    attempt->done(attempt->context, result);
    release(attempt);
}

struct attempt_result attempt_failure(enum error_kind kind, int32_t code, struct span message)
{
    return (struct attempt_result){
        .kind = kind,
        .code = code,
        .message = message,
        .retry_after_ms = -1,
    };
}

void attempt_fail(struct attempt *attempt, enum error_kind kind, int32_t code,
                  struct span words)
{
    struct attempt_result result = attempt_failure(kind, code, words);
    attempt_finish(attempt, &result);
}

static void finish_done(struct attempt *attempt, struct span output)
{
    struct attempt_result result = {.done = true, .retry_after_ms = -1, .output = output};
    attempt_finish(attempt, &result);
}

static bool succeed_with_text(struct attempt *attempt, struct span words, struct span *problem)
{
    struct text output = {.arena = NULL};
    if (!span_is_utf8(words)) {
        *problem = SPAN("is not UTF-8");
        return false;
    }
    json_write_string(&output, words);
    finish_done(attempt, text_span(&output));
    text_fini(&output);
    return true;
}

bool attempt_succeed(struct attempt *attempt, struct span answer, bool is_text,
                     struct span *problem)
{
    struct arena *arena = &attempt->running->arena;
    struct value value;
    struct span why;
    if (is_text)
        return succeed_with_text(attempt, answer, problem);
    arena_clear(arena);
    if (!answer_read_json(answer, arena, &value, &why)) {
        arena_clear(arena);
        *problem = text_print(arena, "is not JSON: %.*s", SPAN_ARGS(why));
        return false;
    }
    finish_done(attempt, value.kind == VALUE_NULL ? SPAN("null") : span_trim(answer));
    return true;
}

static void tell_refusal(void *context)
{
    struct attempt *attempt = context;
    struct attempt_result result =
        attempt_failure(ERROR_KIND_INVALID, 0, text_span(&attempt->refusal));
    result.not_acted = true;
    attempt_finish(attempt, &result);
}

void attempt_refuse(struct attempt *attempt, struct span why)
{
    text_add(&attempt->refusal, why);
    attempt->timer = loop_timer_open(attempt->running->loop, tell_refusal, attempt);
    loop_timer_start(attempt->timer, 0);
}
