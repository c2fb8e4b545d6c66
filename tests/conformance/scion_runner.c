/*
 * scion_runner.c - runs SCION's own cases of SCXML, and counts.
 *
 * Reads every conformance/scion/GROUP/NAME.scxml with the NAME.json beside it, from
 * $INTERLOCK_SHARED or from the folder given as the argument; says so and passes when there
 * are none. After the start and after every event the active states without children must be
 * those of the case; the virtual clock moves by what an event comes `after`. Falling under the
 * floor is a regression and fails. docs/conformance.md says which cases differ, and why.
 *
 * With --again every machine is written as SCXML and read again first: nothing may change.
 * --failures prints every case that differs.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/limits.h"
#include "cli/document.h"
#include "os/os.h"
#include "script/script.h"
#include "scxml_again.h"

enum { PASSED_FLOOR = 91 };

enum { ARENA_BYTES = 256 << 20, PATH_BYTES = 4096, PROBLEM_BYTES = 512, CASES_MAX = 1000 };

struct runner {
    struct arena arena; /* of one case */
    bool is_telling;
    bool is_again; /* run what is written of a machine, not what it was read from */
    const struct expr_language *language;
    unsigned passed;
    unsigned all;
};

static void observe(void *context, const struct plan *plan, instant_ms now)
{
    (void)context;
    (void)plan;
    (void)now;
}

static bool is_leaf(const struct machine *machine, uint32_t state)
{
    enum state_type type = machine->states[state].type;
    return type == STATE_ATOMIC || type == STATE_FINAL;
}

static bool is_expected(struct value expected, struct span id)
{
    for (uint32_t i = 0; i < expected.count; i++) {
        if (span_equal(value_span(expected.items[i]), id))
            return true;
    }
    return false;
}

/* The same leaves, in whatever order. */
static bool is_in(const struct configuration *configuration, struct value expected)
{
    const struct machine *machine = configuration->machine;
    uint32_t count = 0;
    for (uint32_t i = 0; i < machine->state_count; i++) {
        if (!configuration_has(configuration, i) || !is_leaf(machine, i))
            continue;
        count++;
        if (!is_expected(expected, machine->states[i].id))
            return false;
    }
    return count == expected.count;
}

static bool check(struct runner *runner, const struct family *family, struct value expected,
                  const char *when, char *problem)
{
    struct configuration now = family_first(family, &runner->arena);
    if (is_in(&now, expected))
        return true;
    struct text text;
    text_init(&text, &runner->arena);
    text_format(&text, "%s it is in `", when);
    configuration_write_path(&now, &text);
    text_add(&text, SPAN("`, not in "));
    json_write(&text, expected);
    snprintf(problem, PROBLEM_BYTES, "%.*s", SPAN_ARGS(text_span(&text)));
    return false;
}

static struct event read_event(struct arena *arena, struct value json)
{
    struct event event = {.kind = EVENT_EXTERNAL,
                          .type = value_span(value_member(json, SPAN("name"))),
                          .payload = value_map(NULL, 0)};
    const struct value *data = value_find(json, SPAN("data"));
    if (data != NULL)
        event.payload = value_with(arena, event.payload, SPAN("data"), *data);
    return event;
}

static bool run_events(struct runner *runner, struct family *family, struct value events,
                       char *problem)
{
    for (uint32_t i = 0; i < events.count; i++) {
        char when[64];
        struct value after = value_member(events.items[i], SPAN("after"));
        struct event event =
            read_event(&runner->arena, value_member(events.items[i], SPAN("event")));
        if (after.kind == VALUE_INT && !family_advance(family, family->now + after.integer))
            return false;
        if (!family_send(family, &event))
            return false;
        snprintf(when, sizeof when, "after event %u", i + 1);
        if (!check(runner, family, value_member(events.items[i], SPAN("nextConfiguration")),
                   when, problem))
            return false;
    }
    return true;
}

static bool run_machine(struct runner *runner, const struct machine *machine, struct value json,
                        char *problem)
{
    struct family family;
    struct family_host host = {document_find, observe, NULL};
    snprintf(problem, PROBLEM_BYTES, "never rests");
    bool passes = family_open(&family, machine, &host, value_null()) &&
                  check(runner, &family, value_member(json, SPAN("initialConfiguration")),
                        "at first", problem) &&
                  run_events(runner, &family, value_member(json, SPAN("events")), problem);
    family_close(&family);
    return passes;
}

static bool read_text(struct runner *runner, const char *path, struct span *text)
{
    struct text content;
    text_init(&content, &runner->arena);
    bool is_read = file_read(path, DEFINITION_BYTES_MAX, &content, NULL) == STATUS_OK;
    *text = text_span(&content);
    return is_read;
}

static bool run_case(struct runner *runner, const char *path, char *problem)
{
    struct span document;
    struct span steps;
    struct value json;
    struct json_error error;
    struct diagnostics diagnostics;
    diagnostics_init(&diagnostics, &runner->arena);
    const char *script =
        text_print(&runner->arena, "%.*s.json", (int)(strlen(path) - strlen(".scxml")), path)
            .text;
    snprintf(problem, PROBLEM_BYTES, "cannot be read");
    if (!read_text(runner, path, &document) || !read_text(runner, script, &steps) ||
        json_read(steps, &runner->arena, &json, &error) != STATUS_OK)
        return false;
    const struct node *root = document_read(document, path, document_scripts(runner->language),
                                            &runner->arena, &diagnostics);
    const struct machine *machine =
        root == NULL ? NULL
                     : machine_load_with(root, runner->language, &runner->arena, &diagnostics);
    struct span again;
    if (machine != NULL && runner->is_again)
        machine = scxml_again(machine, &runner->arena, &diagnostics, &again);
    if (machine != NULL)
        return run_machine(runner, machine, json, problem);
    const struct diagnostic *wrong = diagnostics.first;
    while (wrong->severity != SEVERITY_ERROR)
        wrong = wrong->next;
    snprintf(problem, PROBLEM_BYTES, "%u:%u: %.*s", wrong->place.line, wrong->place.column,
             SPAN_ARGS(wrong->message));
    return false;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in a folder, sorted; each and the array are the caller's. */
static size_t list_folder(const char *folder, char **names)
{
    size_t count = 0;
    DIR *stream = opendir(folder);
    struct dirent *entry;
    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        if (entry->d_name[0] != '.' && count < CASES_MAX)
            names[count++] = strdup(entry->d_name);
    }
    if (stream != NULL)
        closedir(stream);
    qsort(names, count, sizeof *names, compare_names);
    return count;
}

static void run_group(struct runner *runner, const char *folder, const char *group)
{
    char *names[CASES_MAX];
    size_t count = list_folder(text_print(&runner->arena, "%s/%s", folder, group).text, names);
    for (size_t i = 0; i < count; i++) {
        char problem[PROBLEM_BYTES];
        if (span_ends_with(span_from_text(names[i]), SPAN(".scxml"))) {
            const char *path =
                text_print(&runner->arena, "%s/%s/%s", folder, group, names[i]).text;
            bool passes = run_case(runner, path, problem);
            runner->all++;
            runner->passed += passes;
            if (!passes && runner->is_telling)
                printf("# %s/%s: %s\n", group, names[i], problem);
            arena_clear(&runner->arena);
        }
        free(names[i]);
    }
}

int main(int count, char **arguments)
{
    struct runner runner = {.is_telling = false};
    char folder[PATH_BYTES];
    char *groups[CASES_MAX];
    const char *shared = getenv("INTERLOCK_SHARED");
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "--failures") == 0)
            runner.is_telling = true;
        else if (strcmp(arguments[i], "--again") == 0)
            runner.is_again = true;
        else if (shared == NULL)
            shared = arguments[i];
    }
    snprintf(folder, sizeof folder, "%s/conformance/scion", shared == NULL ? "." : shared);
    size_t group_count = list_folder(folder, groups);
    if (group_count == 0) {
        printf("1..0 # SKIP there are no cases at %s\n", folder);
        return 0;
    }
    struct script *script =
        runner.is_again ? NULL : script_open(); /* scripts are not written */
    runner.language = script_language(script);
    printf("1..1\n");
    arena_open(&runner.arena, ARENA_BYTES);
    for (size_t i = 0; i < group_count; i++) {
        run_group(&runner, folder, groups[i]);
        free(groups[i]);
    }
    arena_close(&runner.arena);
    bool holds = runner.passed >= PASSED_FLOOR;
    script_close(script);
    printf("%s 1 - scion%s: %u of %u cases are the same\n", holds ? "ok" : "not ok",
           runner.is_again ? " again" : "", runner.passed, runner.all);
    return holds ? 0 : 1;
}
