/*
 * run_case.c - judging what became of a record.
 *
 * The definition has the first word on why a case failed: a map with a `kind` as the output of
 * its final state. Where it says nothing the newest error of a step is taken.
 */
#include "cli/run_case.h"

#include "base/ensure.h"
#include "cli/instance_text.h"
#include "os/os.h"

static const char *const names[] = {
#define RUN_VERDICT_NAME(name, text) [RUN_##name##_VERDICT] = text,
    RUN_VERDICT_LIST(RUN_VERDICT_NAME)
#undef RUN_VERDICT_NAME
};

const char *run_verdict_name(enum run_verdict verdict)
{
    ensure(verdict < RUN_VERDICT_COUNT);
    return names[verdict];
}

static bool is_error(struct value value)
{
    return value_member(value, SPAN("kind")).kind == VALUE_STRING;
}

static bool is_crash(struct value error)
{
    return is_error(error) && span_is(value_span(value_member(error, SPAN("kind"))), "crashed");
}

static void judge_final(struct run_case *filled, const struct instance *instance,
                        struct arena *arena)
{
    struct value message = value_member(filled->error, SPAN("message"));
    bool is_done = instance->status == INSTANCE_DONE;
    if (is_done && !waiting_has_tag(instance, SPAN("failure"))) {
        filled->verdict = RUN_PASSED_VERDICT;
        filled->error = value_null();
        return;
    }
    filled->verdict = is_crash(filled->error) ? RUN_CRASHED_VERDICT
                      : is_done               ? RUN_FAILED_VERDICT
                                              : RUN_ERROR_VERDICT;
    if (message.kind == VALUE_STRING && message.count > 0)
        filled->message = value_span(message);
    else
        filled->message = text_print(arena, "%s in %.*s", is_done ? "ended" : "stopped",
                                     SPAN_ARGS(filled->state));
}

/* What it waits for, as in a list. */
static struct span describe_waits(const struct run_judge *judge,
                                  const struct instance *instance, const char *before)
{
    struct text text;
    text_init(&text, judge->arena);
    struct value described =
        waiting_describe(judge->registry, instance, clock_wall(), judge->arena);
    text_add(&text, span_from_text(before));
    instance_add_waits(&text, value_member(described, SPAN("waiting")));
    return text_span(&text);
}

static void judge_active(struct run_case *filled, const struct run_judge *judge,
                         const struct instance *instance, uint32_t attempts)
{
    if (waiting_rest(instance) == REST_EVENT) {
        filled->verdict = RUN_WAITING_VERDICT;
        filled->message = describe_waits(judge, instance, "waits for ");
    } else if (instance->requests != NULL && attempts == 0) {
        filled->verdict = RUN_NEVER_RAN_VERDICT;
        filled->message = SPAN("the run was stopped before its first step began");
    } else {
        filled->verdict = RUN_UNFINISHED_VERDICT;
        filled->message = describe_waits(judge, instance, "the run was stopped; it waits for ");
    }
}

/* The error and the output, from what the instance has become. */
static void read_end(struct run_case *filled, const struct instance *instance,
                     struct value newest_error, struct arena *arena)
{
    struct configuration configuration;
    filled->error = newest_error;
    if (instance_decode(instance, arena, &configuration) != STATUS_OK)
        return; /* opening the database has read it before */
    if (is_error(configuration.error))
        filled->error = configuration.error;
    else if (is_error(configuration.output))
        filled->error = configuration.output;
    else
        filled->output = configuration.output;
}

static void fill_from_instance(struct run_case *filled, const struct run_judge *judge,
                               const struct instance *instance)
{
    struct history_sum sum = {.error = value_null()};
    bool has_steps = instance->deployed->definition->machine->invoke_count > 0;
    filled->state = instance_state(instance);
    filled->duration_ms = instance->updated - instance->created;
    if (has_steps && history_sums_get(judge->sums, instance, judge->arena, &sum) == STATUS_OK &&
        sum.attempts > 0)
        filled->duration_ms = sum.worked_ms;
    read_end(filled, instance, sum.error, judge->arena);
    if (instance->status == INSTANCE_ACTIVE)
        judge_active(filled, judge, instance, sum.attempts);
    else
        judge_final(filled, instance, judge->arena);
}

void run_case_fill(struct run_case *filled, const struct run_judge *judge,
                   const struct run_record *record, struct span remark)
{
    *filled = (struct run_case){.id = run_record_id(record),
                                .name = span_from_text(record->name),
                                .error = value_null(),
                                .message = remark,
                                .output = value_null()};
    switch (record->place) {
    case RUN_ASKED:
        filled->verdict = RUN_NEVER_RAN_VERDICT;
        filled->message = SPAN("the run was stopped before it came to it");
        return;
    case RUN_REFUSED:
        filled->verdict = RUN_BAD_VERDICT;
        return;
    case RUN_CONFLICT:
        filled->verdict = RUN_CONFLICT_VERDICT;
        return;
    case RUN_LATER:
        filled->verdict = RUN_LATER_VERDICT;
        return;
    case RUN_WORKING:
    case RUN_TIMER:
    case RUN_EVENT:
    case RUN_FINAL:
        fill_from_instance(filled, judge,
                           registry_find(judge->registry, run_record_id(record)));
        return;
    case RUN_PLACE_COUNT:
        break;
    }
    never();
}
