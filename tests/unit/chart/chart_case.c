/*
 * chart_case.c - text cases: an instance, what happens to it, and what is expected.
 */
#include "chart_case.h"

#include <dirent.h>

#include "scxml_again.h"

struct known_invoke {
    struct span id;
    uint64_t current;
    uint64_t previous; /* of the visit before: for late results */
};

enum { KNOWN_MAX = 16, NUMBERS_BEYOND = 1000 };

struct case_runner {
    const struct chart_case *chart_case;
    struct fixture fixture;
    uint32_t line;
    struct known_invoke known[KNOWN_MAX];
    size_t known_count;

    /* Of the last line that did something. */
    struct plan plan;
    struct text effects;
    struct text messages;
    uint32_t message_count;
    uint32_t steps;
};

static char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail_msg("%s cannot be read", path);
    fseek(file, 0, SEEK_END);
    long end = ftell(file);
    assert_true(end >= 0);
    rewind(file);
    char *text = malloc((size_t)end + 1);
    assert_non_null(text);
    *size = fread(text, 1, (size_t)end, file);
    text[*size] = '\0';
    fclose(file);
    return text;
}

static struct span next_line(struct span *rest)
{
    size_t end = span_find(*rest, SPAN("\n"), 0);
    size_t next = end == SIZE_MAX ? rest->size : end + 1;
    struct span line = span_slice(*rest, 0, end == SIZE_MAX ? rest->size : end);
    *rest = span_slice(*rest, next, rest->size);
    return line;
}

static bool is_inside(struct span line)
{
    return span_starts_with(line, SPAN("    ")) || span_trim(line).size == 0;
}

static bool take_word(struct span *text, const char *word)
{
    struct span prefix = span_from_text(word);
    if (!span_starts_with(*text, prefix) ||
        (text->size > prefix.size && text->text[prefix.size] != ' '))
        return false;
    *text = span_trim(span_slice(*text, prefix.size, text->size));
    return true;
}

static struct chart_case *add_case(struct chart_cases *cases, const char *file,
                                   struct span name)
{
    cases->items = realloc(cases->items, (cases->count + 1) * sizeof *cases->items);
    assert_non_null(cases->items);
    size_t size = strlen(file) + name.size + 3;
    struct chart_case *added = &cases->items[cases->count++];
    *added = (struct chart_case){.file = file, .name = malloc(size)};
    assert_non_null(added->name);
    snprintf(added->name, size, "%s: %.*s", file, SPAN_ARGS(name));
    return added;
}

/* `machine` begins a definition for all cases that follow it, `case` one of them. */
static void read_cases(struct chart_cases *cases, const char *file, struct span text)
{
    struct span machine = {0};
    uint32_t machine_line = 0;
    uint32_t number = 0;
    struct chart_case *current = NULL;
    bool in_machine = false;
    while (text.size > 0) {
        const char *start = text.text;
        struct span line = next_line(&text);
        number++;
        if (in_machine && is_inside(line)) {
            machine.size = (size_t)(text.text - machine.text);
            continue;
        }
        in_machine = span_is(line, "machine");
        if (in_machine) {
            machine = span_of(text.text, 0);
            machine_line = number + 1;
            current = NULL;
        } else if (take_word(&line, "case")) {
            current = add_case(cases, file, line);
            current->machine = machine;
            current->machine_line = machine_line;
            current->lines = span_of(text.text, 0);
            current->first_line = number + 1;
        } else if (current != NULL) {
            current->lines.size = (size_t)(text.text - current->lines.text);
        } else if (span_trim(line).size > 0 && *start != '#') {
            fail_msg("%s:%u: what does this belong to?", file, number);
        }
    }
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t list_files(const char *folder, char **names, size_t names_max)
{
    size_t count = 0;
    DIR *directory = opendir(folder);
    if (directory == NULL)
        fail_msg("there is no folder %s", folder);
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        if (!span_ends_with(span_from_text(entry->d_name), SPAN(".txt")))
            continue;
        assert_true(count < names_max);
        names[count++] = strdup(entry->d_name);
    }
    closedir(directory);
    qsort(names, count, sizeof *names, compare_names);
    return count;
}

void chart_cases_read(struct chart_cases *cases, const char *folder)
{
    char *names[64];
    char path[4096];
    *cases = (struct chart_cases){0};
    size_t count = list_files(folder, names, COUNT(names));
    cases->texts = calloc(2 * count + 1, sizeof *cases->texts);
    assert_non_null(cases->texts);
    for (size_t i = 0; i < count; i++) {
        size_t size;
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        char *text = read_file(path, &size);
        cases->texts[cases->text_count++] = text;
        cases->texts[cases->text_count++] = names[i];
        read_cases(cases, names[i], span_of(text, size));
    }
}

void chart_cases_release(struct chart_cases *cases)
{
    for (size_t i = 0; i < cases->count; i++)
        free(cases->items[i].name);
    for (size_t i = 0; i < cases->text_count; i++)
        free(cases->texts[i]);
    free(cases->items);
    free(cases->texts);
}

#define REFUSE(runner, ...)                                                 \
    do {                                                                    \
        print_error("%s:%u: ", (runner)->chart_case->file, (runner)->line); \
        fail_msg(__VA_ARGS__);                                              \
    } while (0)

static struct known_invoke *find_known(struct case_runner *runner, struct span id)
{
    for (size_t i = 0; i < runner->known_count; i++) {
        if (span_equal(runner->known[i].id, id))
            return &runner->known[i];
    }
    return NULL;
}

static void note_invocations(struct case_runner *runner)
{
    const struct configuration *now = &runner->fixture.now;
    for (uint32_t i = 0; i < now->invocation_count; i++) {
        struct span id = configuration_invoke_id(now, &now->invocations[i]);
        struct known_invoke *known = find_known(runner, id);
        if (known == NULL) {
            assert_true(runner->known_count < KNOWN_MAX);
            known = &runner->known[runner->known_count++];
            *known = (struct known_invoke){id, 0, 0};
        }
        if (known->current == now->invocations[i].number)
            continue;
        known->previous = known->current;
        known->current = now->invocations[i].number;
    }
}

static void add_event(struct text *text, const struct effect *effect)
{
    text_add(text, effect->name);
    if (effect->input.count == 0)
        return;
    text_add_byte(text, ' ');
    json_write(text, effect->input);
}

static void add_effect(struct text *text, const struct effect *effect, instant_ms now)
{
    text_add(text, text->size == 0 ? SPAN("") : SPAN(", "));
    switch (effect->kind) {
    case EFFECT_INVOKE:
        text_format(text, "invoke %.*s ", SPAN_ARGS(effect->id));
        json_write(text, effect->input);
        break;
    case EFFECT_STOP:
        text_format(text, "stop %.*s", SPAN_ARGS(effect->id));
        break;
    case EFFECT_SCHEDULE:
        text_format(text, "schedule %.*s %lldms", SPAN_ARGS(effect->id),
                    (long long)(effect->due - now));
        break;
    case EFFECT_CANCEL:
        text_format(text, "cancel %.*s", SPAN_ARGS(effect->id));
        break;
    case EFFECT_ACTION:
        text_format(text, "action %.*s ", SPAN_ARGS(effect->name));
        json_write(text, effect->input);
        break;
    case EFFECT_LOG:
        text_add(text, SPAN("log "));
        json_write(text, effect->input);
        break;
    case EFFECT_EMIT:
        text_add(text, SPAN("emit "));
        add_event(text, effect);
        break;
    case EFFECT_SEND:
        text_format(text, "send %.*s ", SPAN_ARGS(effect->id));
        add_event(text, effect);
        break;
    }
}

static void note_plan(struct case_runner *runner, const struct plan *plan)
{
    runner->plan = *plan;
    runner->steps++;
    for (uint32_t i = 0; i < plan->effect_count; i++)
        add_effect(&runner->effects, &plan->effects[i], runner->fixture.clock);
    for (const struct step_error *error = plan->errors; error != NULL; error = error->next) {
        text_format(&runner->messages, "%.*s: %.*s\n", SPAN_ARGS(error->what),
                    SPAN_ARGS(error->message));
        runner->message_count++;
    }
    note_invocations(runner);
}

static void begin_line(struct case_runner *runner)
{
    text_clear(&runner->effects);
    text_clear(&runner->messages);
    runner->message_count = 0;
    runner->steps = 0;
}

static struct span take_name(struct span *text)
{
    size_t blank = span_find(*text, SPAN(" "), 0);
    size_t end = blank == SIZE_MAX ? text->size : blank;
    struct span name = span_slice(*text, 0, end);
    *text = span_trim(span_slice(*text, end, text->size));
    return name;
}

static struct value take_json(struct case_runner *runner, struct span text, const char *missing)
{
    struct span json = text.size == 0 ? span_from_text(missing) : text;
    return fixture_json(&runner->fixture.arena, json);
}

static void do_start(struct case_runner *runner, struct span rest)
{
    begin_line(runner);
    struct plan plan = fixture_start(&runner->fixture, take_json(runner, rest, "null"));
    note_plan(runner, &plan);
}

static void do_event(struct case_runner *runner, struct span rest)
{
    struct event event = {.kind = EVENT_EXTERNAL, .type = take_name(&rest)};
    event.payload = take_json(runner, rest, "{}");
    begin_line(runner);
    struct plan plan = fixture_step(&runner->fixture, &event);
    note_plan(runner, &plan);
}

static void do_result(struct case_runner *runner, enum event_kind kind, struct span rest,
                      bool is_late)
{
    struct span id = take_name(&rest);
    struct known_invoke *known = find_known(runner, id);
    if (known == NULL)
        REFUSE(runner, "%.*s was never invoked", SPAN_ARGS(id));
    struct event event = {.kind = kind,
                          .number = is_late ? known->previous : known->current,
                          .payload = take_json(runner, rest, "null")};
    begin_line(runner);
    struct plan plan = fixture_step(&runner->fixture, &event);
    note_plan(runner, &plan);
}

static void do_advance(struct case_runner *runner, struct span rest)
{
    duration_ms by;
    if (!time_read_duration(rest, &by))
        REFUSE(runner, "%.*s is not a duration", SPAN_ARGS(rest));
    instant_ms until = runner->fixture.clock + by;
    begin_line(runner);
    for (;;) {
        const struct armed_timer *timer = configuration_next_timer(&runner->fixture.now);
        if (timer == NULL || timer->due > until)
            break;
        struct plan plan = fixture_fire(&runner->fixture);
        note_plan(runner, &plan);
    }
    runner->fixture.clock = until;
}

/* A timer that nobody has armed any more. */
static void do_stray_timer(struct case_runner *runner)
{
    struct event event = {.kind = EVENT_TIMER,
                          .number = runner->fixture.now.next_number + NUMBERS_BEYOND};
    begin_line(runner);
    struct plan plan = fixture_step(&runner->fixture, &event);
    note_plan(runner, &plan);
}

static void expect_same(struct case_runner *runner, struct span clause, struct span actual,
                        struct span expected)
{
    if (!span_equal(actual, expected))
        REFUSE(runner, "%.*s\n      but it is %.*s", SPAN_ARGS(clause), SPAN_ARGS(actual));
}

static void expect_json(struct case_runner *runner, struct span clause, struct value actual,
                        struct span expected)
{
    struct text actual_text;
    struct text expected_text;
    text_init(&actual_text, &runner->fixture.arena);
    text_init(&expected_text, &runner->fixture.arena);
    json_write(&actual_text, actual);
    json_write(&expected_text, fixture_json(&runner->fixture.arena, expected));
    expect_same(runner, clause, text_span(&actual_text), text_span(&expected_text));
}

static void expect_clause(struct case_runner *runner, struct span clause)
{
    struct span rest = clause;
    const struct configuration *now = &runner->fixture.now;
    struct arena *arena = &runner->fixture.arena;
    if (take_word(&rest, "value"))
        expect_same(runner, clause, configuration_path(now, arena), rest);
    else if (take_word(&rest, "status"))
        expect_same(runner, clause, span_from_text(instance_status_name(now->status)), rest);
    else if (take_word(&rest, "context"))
        expect_json(runner, clause, now->context, rest);
    else if (take_word(&rest, "output"))
        expect_json(runner, clause, now->output, rest);
    else if (take_word(&rest, "error"))
        expect_json(runner, clause, now->error, rest);
    else if (take_word(&rest, "tags"))
        expect_json(runner, clause, configuration_tags(now, arena), rest);
    else if (take_word(&rest, "event"))
        expect_json(runner, clause,
                    step_event_value(runner->plan.type, runner->plan.payload, arena), rest);
    else if (take_word(&rest, "outcome"))
        expect_same(runner, clause, span_from_text(outcome_name(runner->plan.outcome)), rest);
    else if (take_word(&rest, "changed"))
        expect_same(runner, clause, runner->plan.changed ? SPAN("yes") : SPAN("no"), rest);
    else if (take_word(&rest, "late"))
        expect_same(runner, clause, runner->plan.late ? SPAN("yes") : SPAN("no"), rest);
    else if (take_word(&rest, "effects"))
        expect_same(runner, clause, text_span(&runner->effects),
                    span_is(rest, "none") ? SPAN("") : rest);
    else if (take_word(&rest, "steps"))
        expect_same(runner, clause, text_print(arena, "%u", runner->steps), rest);
    else if (take_word(&rest, "errors"))
        expect_same(runner, clause, text_print(arena, "%u", runner->message_count), rest);
    else if (take_word(&rest, "says")) {
        if (span_find(text_span(&runner->messages), rest, 0) == SIZE_MAX)
            REFUSE(runner, "%.*s\n      but it says %.*s", SPAN_ARGS(clause),
                   SPAN_ARGS(text_span(&runner->messages)));
    } else
        REFUSE(runner, "`%.*s` cannot be expected", SPAN_ARGS(clause));
}

static void do_expect(struct case_runner *runner, struct span rest)
{
    while (rest.size > 0) {
        size_t semicolon = span_find(rest, SPAN(";"), 0);
        size_t end = semicolon == SIZE_MAX ? rest.size : semicolon;
        expect_clause(runner, span_trim(span_slice(rest, 0, end)));
        rest = span_slice(rest, semicolon == SIZE_MAX ? end : end + 1, rest.size);
    }
}

static void run_line(struct case_runner *runner, struct span line)
{
    struct span rest = span_trim(line);
    if (rest.size == 0 || rest.text[0] == '#')
        return;
    if (take_word(&rest, "start")) {
        do_start(runner, rest);
        return;
    }
    if (!runner->fixture.is_started)
        do_start(runner, SPAN(""));
    if (take_word(&rest, "event"))
        do_event(runner, rest);
    else if (take_word(&rest, "done"))
        do_result(runner, EVENT_DONE, rest, false);
    else if (take_word(&rest, "error"))
        do_result(runner, EVENT_ERROR, rest, false);
    else if (take_word(&rest, "late done"))
        do_result(runner, EVENT_DONE, rest, true);
    else if (take_word(&rest, "late error"))
        do_result(runner, EVENT_ERROR, rest, true);
    else if (take_word(&rest, "stray timer"))
        do_stray_timer(runner);
    else if (take_word(&rest, "advance"))
        do_advance(runner, rest);
    else if (take_word(&rest, "expect"))
        do_expect(runner, rest);
    else
        REFUSE(runner, "%.*s?", SPAN_ARGS(line));
}

static void open_machine(struct case_runner *runner)
{
    struct diagnostics diagnostics;
    struct fixture *fixture = &runner->fixture;
    fixture_open_machine(fixture, NULL);
    text_init(&runner->effects, &fixture->arena);
    text_init(&runner->messages, &fixture->arena);
    fixture->machine = fixture_load(runner->chart_case->machine, &fixture->arena, &diagnostics);
    if (fixture->machine != NULL)
        return;
    runner->line = runner->chart_case->machine_line + diagnostics.first->place.line - 1;
    REFUSE(runner, "%.*s", SPAN_ARGS(diagnostics.first->message));
}

/* The machine once more, from its document. */
static void read_again(struct case_runner *runner)
{
    struct diagnostics diagnostics;
    struct span text;
    struct fixture *fixture = &runner->fixture;
    fixture->machine = scxml_again(fixture->machine, &fixture->arena, &diagnostics, &text);
    if (fixture->machine == NULL)
        fail_msg("%.*s\n%.*s", SPAN_ARGS(diagnostics.first->message), SPAN_ARGS(text));
}

static void run_lines(struct case_runner *runner)
{
    struct span rest = runner->chart_case->lines;
    runner->line = runner->chart_case->first_line;
    for (; rest.size > 0; runner->line++)
        run_line(runner, next_line(&rest));
    fixture_close(&runner->fixture);
}

void chart_case_run(const struct chart_case *chart_case)
{
    struct case_runner runner = {.chart_case = chart_case};
    open_machine(&runner);
    run_lines(&runner);
}

void chart_case_run_again(const struct chart_case *chart_case)
{
    struct case_runner runner = {.chart_case = chart_case};
    open_machine(&runner);
    read_again(&runner);
    run_lines(&runner);
}
