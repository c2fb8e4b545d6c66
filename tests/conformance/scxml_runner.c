/*
 * scxml_runner.c - runs the W3C's tests of SCXML 1.0, and counts.
 *
 * Reads conformance/scxml/tests.tsv and the documents in ecma/ beside it (what is not there is
 * a template that needs no datamodel), from
 * $INTERLOCK_SHARED or from the folder given as the argument; says so and passes when there
 * are none. A test passes when its document, sent nothing and with the virtual clock running
 * on, halts in the top-level final state `pass`. Falling under a floor is a regression and
 * fails.
 *
 * All run twice: with expressions in CEL as far as they translate, and once more with all of
 * them as the ECMAScript that they are. Without Duktape there is only the first, and what does
 * not translate fails.
 *
 * With --again every machine is written as SCXML and read again first: nothing may change.
 * --failures prints every test that does not pass, and why.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "cli/document.h"
#include "os/os.h"
#include "script/script.h"
#include "scxml_again.h"

enum { FLOOR_MANDATORY = 113, FLOOR_OPTIONAL = 21 };
enum { FLOOR_OPTIONAL_IN_CEL = 16, FLOOR_MANDATORY_IN_SCRIPTS = 111 };

enum { ARENA_BYTES = 256 << 20, PATH_BYTES = 4096, PROBLEM_BYTES = 512 };

struct score {
    unsigned passed;
    unsigned all;
};

struct runner {
    struct arena arena; /* of one document */
    const char *folder;
    bool is_telling;
    bool is_again; /* run what is written of a machine, not what it was read from */
    const struct expr_language *language;
    enum scxml_scripts scripts;
    struct score mandatory;
    struct score optional; /* that need no HTTP */
    struct score http;
};

struct run {
    char problem[PROBLEM_BYTES];
    bool is_out_of_room;
};

static void observe(void *context, const struct plan *plan, instant_ms now)
{
    struct run *run = context;
    (void)now;
    run->is_out_of_room = run->is_out_of_room || plan == NULL;
    const struct step_error *error = plan == NULL ? NULL : plan->errors;
    for (; error != NULL && run->problem[0] == '\0'; error = error->next)
        snprintf(run->problem, sizeof run->problem, "%u: %.*s: %.*s", error->place.line,
                 SPAN_ARGS(error->what), SPAN_ARGS(error->message));
}

/* Whether it came to its end in `pass`. */
static bool run_machine(struct runner *runner, const struct machine *machine, struct run *run)
{
    bool known;
    struct family family;
    struct family_host host = {document_find, observe, run};
    bool rests = family_open(&family, machine, &host, value_null()) &&
                 family_advance(&family, INSTANT_NEVER);
    struct configuration end = family_first(&family, &runner->arena);
    bool passes =
        end.status == INSTANCE_DONE && configuration_is_in(&end, SPAN("pass"), &known);
    if (!passes) {
        struct span path = configuration_path(&end, &runner->arena);
        char first[PROBLEM_BYTES];
        snprintf(first, sizeof first, "%s", run->problem);
        snprintf(run->problem, sizeof run->problem, "%s in `%.*s`%s%.300s",
                 rests ? instance_status_name(end.status) : "never rests", SPAN_ARGS(path),
                 first[0] == '\0' ? "" : "; first error: line ", first);
    }
    family_close(&family);
    return passes;
}

static void note_diagnostic(struct run *run, const struct diagnostics *diagnostics)
{
    const struct diagnostic *diagnostic = diagnostics->first;
    while (diagnostic != NULL && diagnostic->severity != SEVERITY_ERROR)
        diagnostic = diagnostic->next;
    if (diagnostic != NULL)
        snprintf(run->problem, sizeof run->problem, "%u:%u: %.*s", diagnostic->place.line,
                 diagnostic->place.column, SPAN_ARGS(diagnostic->message));
}

/* A template in the W3C's own notation, where that is short enough: for the null datamodel. */
static struct span fill_in(struct arena *arena, struct span template)
{
    static const struct {
        const char *written;
        const char *meant;
    } rows[] = {
        {"conf:inState=\"", "cond=\""},
        {"conf:targetpass=\"\"", "target=\"pass\""},
        {"conf:targetfail=\"\"", "target=\"fail\""},
        {"<conf:pass/>", "<final id=\"pass\"/>"},
        {"<conf:fail/>", "<final id=\"fail\"/>"},
    };
    struct text text;
    bool is_state = false;
    text_init(&text, arena);
    for (size_t at = 0; at < template.size;) {
        struct span rest = span_slice(template, at, template.size);
        size_t row = 0;
        while (row < sizeof rows / sizeof *rows &&
               !span_starts_with(rest, span_from_text(rows[row].written)))
            row++;
        if (row < sizeof rows / sizeof *rows) {
            text_add(&text, span_from_text(rows[row].meant));
            is_state = row == 0;
            if (is_state)
                text_add(&text, SPAN("In('"));
            at += strlen(rows[row].written);
            continue;
        }
        if (is_state && rest.text[0] == '"') {
            text_add(&text, SPAN("')"));
            is_state = false;
        }
        text_add_byte(&text, template.text[at++]);
    }
    return text_span(&text);
}

static bool run_document(struct runner *runner, const char *path, const char *template,
                         struct run *run)
{
    struct diagnostics diagnostics;
    struct text text;
    diagnostics_init(&diagnostics, &runner->arena);
    text_init(&text, &runner->arena);
    if (file_read(path, DEFINITION_BYTES_MAX, &text, NULL) != STATUS_OK &&
        file_read(template, DEFINITION_BYTES_MAX, &text, NULL) != STATUS_OK) {
        snprintf(run->problem, sizeof run->problem, "cannot be read");
        return false;
    }
    const struct node *root = document_read(fill_in(&runner->arena, text_span(&text)), path,
                                            runner->scripts, &runner->arena, &diagnostics);
    const struct machine *machine =
        root == NULL ? NULL
                     : machine_load_with(root, runner->language, &runner->arena, &diagnostics);
    struct span again;
    if (machine != NULL && runner->is_again)
        machine = scxml_again(machine, &runner->arena, &diagnostics, &again);
    note_diagnostic(run, &diagnostics);
    return machine != NULL && run_machine(runner, machine, run);
}

/* A row of tests.tsv: id, tier, conformance, manual, spec, invoke, delay, documents, … */
enum { COLUMN_ID, COLUMN_TIER, COLUMN_CONFORMANCE, COLUMN_STARTS = 7, COLUMN_COUNT = 8 };

static bool split_row(struct span line, struct span *columns)
{
    size_t at = 0;
    for (int i = 0; i < COLUMN_COUNT; i++) {
        size_t end = span_find(line, SPAN("\t"), at);
        end = end == SIZE_MAX ? line.size : end;
        columns[i] = span_slice(line, at, end);
        if (end == line.size)
            return i == COLUMN_COUNT - 1;
        at = end + 1;
    }
    return true;
}

/* `test403a.txml,test403b.txml`: all of a row's documents must pass. */
static bool run_row(struct runner *runner, struct span starts, struct run *run)
{
    size_t at = 0;
    bool passes = starts.size > 0;
    while (passes && at < starts.size) {
        char path[PATH_BYTES];
        char template[PATH_BYTES];
        size_t end = span_find(starts, SPAN(","), at);
        end = end == SIZE_MAX ? starts.size : end;
        struct span name = span_slice(starts, at, end);
        size_t dot = span_find(name, SPAN("."), 0);
        name = span_slice(name, 0, dot == SIZE_MAX ? name.size : dot);
        snprintf(path, sizeof path, "%s/conformance/scxml/ecma/%.*s.scxml", runner->folder,
                 SPAN_ARGS(name));
        snprintf(template, sizeof template, "%s/conformance/scxml/templates/%.*s.txml",
                 runner->folder, SPAN_ARGS(name));
        *run = (struct run){.is_out_of_room = false};
        passes = run_document(runner, path, template, run);
        arena_clear(&runner->arena);
        at = end + 1;
    }
    return passes;
}

static void run_line(struct runner *runner, struct span line)
{
    struct span columns[COLUMN_COUNT];
    struct run run = {.is_out_of_room = false};
    if (!split_row(line, columns) || span_is(columns[COLUMN_ID], "id"))
        return;
    bool is_http = span_is(columns[COLUMN_TIER], "http");
    bool is_mandatory = span_is(columns[COLUMN_CONFORMANCE], "mandatory");
    struct score *score = is_http        ? &runner->http
                          : is_mandatory ? &runner->mandatory
                                         : &runner->optional;
    bool passes = run_row(runner, columns[COLUMN_STARTS], &run);
    score->all++;
    score->passed += passes;
    if (!passes && runner->is_telling)
        printf("# %.*s (%.*s, %.*s): %s\n", SPAN_ARGS(columns[COLUMN_ID]),
               SPAN_ARGS(columns[COLUMN_TIER]), SPAN_ARGS(columns[COLUMN_CONFORMANCE]),
               run.problem);
}

static void run_lines(struct runner *runner, struct span text)
{
    for (size_t at = 0; at < text.size;) {
        size_t end = span_find(text, SPAN("\n"), at);
        end = end == SIZE_MAX ? text.size : end;
        run_line(runner, span_slice(text, at, end));
        at = end + 1;
    }
}

/* One run over all of them. */
static bool run_all(struct runner *runner, struct span rows, enum scxml_scripts scripts,
                    int number)
{
    unsigned floor = scripts == SCXML_SCRIPTS_REFUSED ? FLOOR_OPTIONAL_IN_CEL : FLOOR_OPTIONAL;
    runner->scripts = scripts;
    runner->mandatory = runner->optional = runner->http = (struct score){0, 0};
    run_lines(runner, rows);
    unsigned mandatory_floor =
        scripts == SCXML_SCRIPTS_ALWAYS ? FLOOR_MANDATORY_IN_SCRIPTS : FLOOR_MANDATORY;
    bool holds =
        runner->mandatory.passed >= mandatory_floor && runner->optional.passed >= floor;
    printf("%s %d - scxml%s: %u of %u mandatory and %u of %u optional tests pass (without %u "
           "of %u that speak HTTP)\n",
           holds ? "ok" : "not ok", number,
           runner->is_again                  ? " again"
           : scripts == SCXML_SCRIPTS_ALWAYS ? ", all in ECMAScript"
                                             : "",
           runner->mandatory.passed, runner->mandatory.all, runner->optional.passed,
           runner->optional.all, runner->http.all - runner->http.passed, runner->http.all);
    return holds;
}

int main(int count, char **arguments)
{
    struct runner runner = {.folder = getenv("INTERLOCK_SHARED")};
    struct text text;
    char path[PATH_BYTES];
    for (int i = 1; i < count; i++) {
        if (span_is(span_from_text(arguments[i]), "--failures"))
            runner.is_telling = true;
        else if (span_is(span_from_text(arguments[i]), "--again"))
            runner.is_again = true;
        else if (runner.folder == NULL)
            runner.folder = arguments[i];
    }
    runner.folder = runner.folder == NULL ? "." : runner.folder;
    snprintf(path, sizeof path, "%s/conformance/scxml/tests.tsv", runner.folder);
    text_init(&text, NULL);
    if (file_read(path, DEFINITION_BYTES_MAX, &text, NULL) != STATUS_OK) {
        printf("1..0 # SKIP there are no tests at %s\n", path);
        text_fini(&text);
        return 0;
    }
    struct script *script =
        runner.is_again ? NULL : script_open(); /* scripts are not written */
    runner.language = script_language(script);
    printf("1..%d\n", script == NULL ? 1 : 2);
    arena_open(&runner.arena, ARENA_BYTES);
    bool is_fine =
        run_all(&runner, text_span(&text), document_scripts(runner.language), 1) &&
        (script == NULL || run_all(&runner, text_span(&text), SCXML_SCRIPTS_ALWAYS, 2));
    arena_close(&runner.arena);
    script_close(script);
    text_fini(&text);
    return is_fine ? 0 : 1;
}
