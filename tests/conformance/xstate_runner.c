/*
 * xstate_runner.c - runs what was recorded from XState's own tests, and counts.
 *
 * Reads conformance/xstate/recorded.jsonl from $INTERLOCK_SHARED, or from the folder given as
 * the argument; says so and passes when there is none. A case that uses what the loader
 * refuses by name counts as not there yet, by feature; every other case must give the same
 * value, status, context, tags, output and `changed` at each of its steps. Falling under the
 * floor is a regression and fails.
 *
 * Every case builds from its `config` alone.
 *
 * With --again every machine is written as SCXML and read again first: nothing may change.
 * --failures prints every case that differs or is not there yet.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/memory.h"
#include "chart/chart.h"
#include "scxml_again.h"
#include "wire/wire.h"

/* Cases that were the same: all there are. */
enum { SAME_FLOOR = 179 };

enum { ARENA_BYTES = 64 << 20, FEATURES_MAX = 64, PROBLEM_BYTES = 512 };

struct feature {
    char name[128];
    unsigned cases;
};

struct runner {
    struct arena arena; /* of one case */
    struct feature features[FEATURES_MAX];
    unsigned feature_count;
    unsigned same;
    unsigned different;
    unsigned missing;
    bool is_telling;
    bool is_again; /* run what is written of a machine, not what it was read from */
};

/* An instance and where it stands in its recording. */
struct instance {
    const struct machine *machine;
    struct configuration now;
    instant_ms clock;
    bool is_started;
};

static void count_missing(struct runner *runner, const struct diagnostic *diagnostic)
{
    char name[sizeof runner->features[0].name];
    unsigned i = 0;
    snprintf(name, sizeof name, "%.*s", SPAN_ARGS(diagnostic->message));
    runner->missing++;
    while (i < runner->feature_count && strcmp(runner->features[i].name, name) != 0)
        i++;
    if (i == FEATURES_MAX)
        return;
    if (i == runner->feature_count)
        memcpy(runner->features[runner->feature_count++].name, name, sizeof name);
    runner->features[i].cases++;
}

/* What the runner can tell from a refusal: IL0106, or implementations that are code. */
static bool is_missing(const struct diagnostic *diagnostic)
{
    return span_is(diagnostic->code, "IL0106") ||
           span_find(diagnostic->message, SPAN("`__"), 0) != SIZE_MAX;
}

static const struct diagnostic *find_missing(const struct diagnostics *diagnostics)
{
    const struct diagnostic *diagnostic = diagnostics->first;
    while (diagnostic != NULL && !is_missing(diagnostic))
        diagnostic = diagnostic->next;
    return diagnostic;
}

static bool step(struct runner *runner, struct instance *instance, const struct event *event,
                 bool *changed)
{
    struct plan plan;
    if (step_run(instance->machine, instance->is_started ? &instance->now : NULL, event,
                 instance->clock, &runner->arena, &plan) != STATUS_OK)
        return false;
    instance->now = plan.after;
    instance->is_started = true;
    *changed = plan.changed;
    return true;
}

static void advance(struct runner *runner, struct instance *instance, instant_ms until)
{
    bool changed;
    for (;;) {
        const struct armed_timer *timer = configuration_next_timer(&instance->now);
        if (timer == NULL || timer->due > until)
            break;
        instance->clock = timer->due;
        struct event event = {.kind = EVENT_TIMER, .number = timer->number};
        if (!step(runner, instance, &event, &changed))
            break;
    }
    instance->clock = until;
}

static bool differs(char *problem, const char *what, struct value actual, struct value recorded)
{
    if (value_equal(actual, recorded))
        return false;
    struct text text;
    text_init(&text, NULL);
    json_write(&text, actual);
    text_add(&text, SPAN(", recorded is "));
    json_write(&text, recorded);
    snprintf(problem, PROBLEM_BYTES, "%s is %.*s", what, SPAN_ARGS(text_span(&text)));
    text_fini(&text);
    return true;
}

static bool looks_recorded(struct runner *runner, const struct instance *instance,
                           struct value recorded, char *problem)
{
    const struct configuration *now = &instance->now;
    struct value status = value_string(span_from_text(instance_status_name(now->status)));
    return !differs(problem, "value", configuration_value(now, &runner->arena),
                    value_member(recorded, SPAN("value"))) &&
           !differs(problem, "status", status, value_member(recorded, SPAN("status"))) &&
           !differs(problem, "context", now->context,
                    value_member(recorded, SPAN("context"))) &&
           !differs(problem, "tags", configuration_tags(now, &runner->arena),
                    value_member(recorded, SPAN("tags"))) &&
           !differs(problem, "output", now->output, value_member(recorded, SPAN("output")));
}

static struct event read_event(struct arena *arena, struct value json)
{
    struct value_entry *entries = arena_new_array(arena, json.count, struct value_entry);
    uint32_t count = 0;
    for (uint32_t i = 0; i < json.count; i++) {
        if (!span_is(value_span(json.entries[i].key), "type"))
            entries[count++] = json.entries[i];
    }
    return (struct event){.kind = EVENT_EXTERNAL,
                          .type = value_span(value_member(json, SPAN("type"))),
                          .payload = value_map(entries, count)};
}

static bool run_step(struct runner *runner, struct instance *instance, struct value recorded,
                     char *problem)
{
    bool changed = false;
    const struct value *at = value_find(recorded, SPAN("at"));
    struct event event = read_event(&runner->arena, value_member(recorded, SPAN("event")));
    if (at != NULL && at->kind == VALUE_INT)
        advance(runner, instance, at->integer);
    if (!step(runner, instance, &event, &changed)) {
        snprintf(problem, PROBLEM_BYTES, "no space");
        return false;
    }
    return !differs(problem, "changed", value_bool(changed),
                    value_member(recorded, SPAN("changed"))) &&
           looks_recorded(runner, instance, value_member(recorded, SPAN("after")), problem);
}

static bool run_steps(struct runner *runner, const struct machine *machine, struct value json,
                      char *problem)
{
    struct instance instance = {.machine = machine};
    struct event start = {.kind = EVENT_START, .payload = value_member(json, SPAN("input"))};
    bool changed;
    if (!step(runner, &instance, &start, &changed) ||
        !looks_recorded(runner, &instance, value_member(json, SPAN("initial")), problem))
        return false;
    struct value steps = value_member(json, SPAN("steps"));
    for (uint32_t i = 0; i < steps.count; i++) {
        char difference[PROBLEM_BYTES] = "";
        if (run_step(runner, &instance, steps.items[i], difference))
            continue;
        snprintf(problem, PROBLEM_BYTES, "step %u: %.*s", i + 1, PROBLEM_BYTES - 32,
                 difference);
        return false;
    }
    return true;
}

static void tell(const struct runner *runner, struct value json, const char *what)
{
    if (runner->is_telling)
        printf("# %.*s %.*s\n#   %s\n", SPAN_ARGS(value_span(value_member(json, SPAN("id")))),
               SPAN_ARGS(value_span(value_member(json, SPAN("test")))), what);
}

static void run_case(struct runner *runner, struct value json)
{
    struct diagnostics diagnostics;
    struct text config;
    char problem[PROBLEM_BYTES] = "";
    diagnostics_init(&diagnostics, &runner->arena);
    text_init(&config, &runner->arena);
    json_write(&config, value_member(json, SPAN("config")));
    const struct node *root = wire_read_definition(text_span(&config), SPAN("recorded.json"),
                                                   &runner->arena, &diagnostics);
    const struct machine *machine =
        root == NULL ? NULL : machine_load(root, &runner->arena, &diagnostics);
    struct span again;
    if (machine != NULL && runner->is_again)
        machine = scxml_again(machine, &runner->arena, &diagnostics, &again);
    const struct diagnostic *missing = find_missing(&diagnostics);
    if (machine == NULL && missing != NULL) {
        count_missing(runner, missing);
        snprintf(problem, sizeof problem, "not there yet: %.*s", SPAN_ARGS(missing->message));
        tell(runner, json, problem);
        return;
    }
    if (machine == NULL)
        snprintf(problem, sizeof problem, "does not load: %.*s",
                 SPAN_ARGS(diagnostics.first->message));
    bool is_same = machine != NULL && run_steps(runner, machine, json, problem);
    runner->same += is_same;
    runner->different += !is_same;
    if (!is_same)
        tell(runner, json, problem);
}

static struct span read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return (struct span){0};
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *text = memory_get(size < 0 ? 1 : (size_t)size + 1);
    size_t count = fread(text, 1, size < 0 ? 0 : (size_t)size, file);
    fclose(file);
    return span_of(text, count);
}

static bool run_cases(struct runner *runner, struct span text)
{
    size_t at = 0;
    while (at < text.size) {
        struct json_error error;
        struct value json;
        size_t end = span_find(text, SPAN("\n"), at);
        end = end == SIZE_MAX ? text.size : end;
        struct span line = span_slice(text, at, end);
        at = end + 1;
        if (line.size == 0)
            continue;
        if (json_read(line, &runner->arena, &json, &error) != STATUS_OK) {
            printf("Bail out! a case is not JSON: %s\n", error.message);
            return false;
        }
        run_case(runner, json);
        arena_clear(&runner->arena);
    }
    return true;
}

static bool report(const struct runner *runner)
{
    unsigned all = runner->same + runner->different + runner->missing;
    for (unsigned i = 0; i < runner->feature_count; i++)
        printf("# not there yet, %u cases: %s\n", runner->features[i].cases,
               runner->features[i].name);
    bool holds = runner->same >= SAME_FLOOR;
    printf("%s 1 - xstate%s: %u of %u cases are the same, %u differ, %u are not there yet\n",
           holds ? "ok" : "not ok", runner->is_again ? " again" : "", runner->same, all,
           runner->different, runner->missing);
    return holds;
}

int main(int count, char **arguments)
{
    struct runner runner = {.is_telling = false};
    char path[4096];
    const char *folder = getenv("INTERLOCK_SHARED");
    for (int i = 1; i < count; i++) {
        if (span_is(span_from_text(arguments[i]), "--failures"))
            runner.is_telling = true;
        else if (span_is(span_from_text(arguments[i]), "--again"))
            runner.is_again = true;
        else if (folder == NULL)
            folder = arguments[i];
    }
    snprintf(path, sizeof path, "%s/conformance/xstate/recorded.jsonl",
             folder == NULL ? "." : folder);
    struct span text = read_file(path);
    if (text.text == NULL) {
        printf("1..0 # SKIP there are no recorded cases at %s\n", path);
        return 0;
    }
    printf("1..1\n");
    arena_open(&runner.arena, ARENA_BYTES);
    bool is_fine = run_cases(&runner, text) && report(&runner);
    arena_close(&runner.arena);
    memory_release((void *)(uintptr_t)text.text);
    return is_fine ? 0 : 1;
}
