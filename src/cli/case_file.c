/*
 * case_file.c - reading text cases, line by line.
 */
#include "cli/case_file.h"

#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "cli/document.h"
#include "cli/report.h"
#include "os/os.h"

enum { CASE_FILE_BYTES_MAX = 16 << 20, CASE_SET_ARENA_BYTES = 1 << 30 };

/* What only stands while one file is read. */
struct reading {
    struct case_set *set;
    const char *path;
    struct span rest;
    uint32_t number; /* of the line that was read last */
    struct case_machine *machine;
    struct case_text *current;
    struct case_line **end; /* of the current case's lines */
    struct case_line *line;
    enum cli_exit exit;
};

void case_set_open(struct case_set *set, const struct cli_world *world)
{
    *set = (struct case_set){.lines_left = DIAGNOSTICS_SHOWN_MAX, .world = world};
    set->machines_end = &set->machines;
    set->cases_end = &set->cases;
    arena_open(&set->arena, CASE_SET_ARENA_BYTES);
}

static void close_machine(struct case_machine *machine)
{
    if (machine->machine != NULL)
        case_coverage_fini(&machine->coverage);
    definition_file_close(&machine->file);
    memory_release(machine);
}

void case_set_close(struct case_set *set)
{
    for (struct case_machine *each = set->machines; each != NULL;) {
        struct case_machine *next = each->next;
        close_machine(each);
        each = next;
    }
    arena_close(&set->arena);
}

__attribute__((format(printf, 3, 4))) static void
refuse(struct reading *reading, uint32_t column, const char *format, ...)
{
    va_list arguments;
    struct text text = {.arena = NULL};
    va_start(arguments, format);
    text_format_list(&text, format, arguments);
    va_end(arguments);
    if (reading->set->lines_left-- > 0)
        report_line(reading->path, reading->number, column, CODE_RECORD, "%.*s",
                    SPAN_ARGS(text_span(&text)));
    text_fini(&text);
    if (reading->exit == CLI_OK)
        reading->exit = CLI_FAILED;
}

/* Words */

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static struct span take_line(struct reading *reading)
{
    struct span *rest = &reading->rest;
    size_t end = span_find(*rest, SPAN("\n"), 0);
    struct span line = span_slice(*rest, 0, end == SIZE_MAX ? rest->size : end);
    *rest = span_slice(*rest, end == SIZE_MAX ? rest->size : end + 1, rest->size);
    reading->number++;
    return line;
}

static struct span take_name(struct span *text)
{
    size_t end = 0;
    while (end < text->size && !is_blank(text->text[end]))
        end++;
    struct span name = span_slice(*text, 0, end);
    *text = span_trim(span_slice(*text, end, text->size));
    return name;
}

static bool take_word(struct span *text, const char *word)
{
    struct span rest = *text;
    if (!span_is(take_name(&rest), word))
        return false;
    *text = rest;
    return true;
}

/* Behind the string that begins at `at`. */
static size_t skip_string(struct span text, size_t at)
{
    for (at++; at < text.size && text.text[at] != '"'; at++) {
        if (text.text[at] == '\\')
            at++;
    }
    return at;
}

struct span case_file_take(struct span *rest, char separator)
{
    size_t end = 0;
    int depth = 0;
    for (; end < rest->size; end++) {
        char byte = rest->text[end];
        if (byte == separator && depth <= 0)
            break;
        if (byte == '"')
            end = skip_string(*rest, end);
        depth += (byte == '{' || byte == '[') - (byte == '}' || byte == ']');
    }
    end = end < rest->size ? end : rest->size;
    struct span piece = span_trim(span_slice(*rest, 0, end));
    *rest = span_trim(span_slice(*rest, end < rest->size ? end + 1 : end, rest->size));
    return piece;
}

static bool read_json(struct reading *reading, struct span text, struct value *value)
{
    struct json_error error;
    if (json_read(text, &reading->set->arena, value, &error) == STATUS_OK)
        return true;
    refuse(reading, 0, "%s in `%.*s`", error.message, SPAN_ARGS(text));
    return false;
}

/* Machines */

static struct case_machine *find_machine(struct case_set *set, const struct case_machine *like)
{
    for (struct case_machine *each = set->machines; each != NULL; each = each->next) {
        if (span_is(span_from_text(each->machine->hash), like->machine->hash) &&
            span_equal(each->machine->file, like->machine->file))
            return each;
    }
    return NULL;
}

/* Loads what was opened, and keeps it unless it is known already. */
static struct case_machine *add_machine(struct reading *reading, struct case_machine *added)
{
    struct case_set *set = reading->set;
    if (added->file.root != NULL)
        added->machine = definition_file_machine(&added->file);
    if (added->machine == NULL) {
        report_diagnostics(&added->file.diagnostics, SEVERITY_ERROR, &set->lines_left);
        if (reading->exit == CLI_OK)
            reading->exit = CLI_FAILED;
        close_machine(added);
        return NULL;
    }
    case_coverage_init(&added->coverage, added->machine);
    struct case_machine *known = find_machine(set, added);
    if (known != NULL) {
        close_machine(added);
        return known;
    }
    *set->machines_end = added;
    set->machines_end = &added->next;
    return added;
}

/* The path of a file that the cases name, as seen from them. */
static const char *path_beside(struct reading *reading, struct span name)
{
    struct span path = span_from_text(reading->path);
    while (path.size > 0 && path.text[path.size - 1] != '/')
        path.size--;
    if (name.text[0] == '/')
        path.size = 0;
    return text_print(&reading->set->arena, "%.*s%.*s", SPAN_ARGS(path), SPAN_ARGS(name)).text;
}

static struct case_machine *open_machine(struct reading *reading, struct span name)
{
    struct case_machine *added = memory_get(sizeof *added);
    if (definition_file_open(&added->file, path_beside(reading, name), NULL,
                             reading->set->world) == CLI_WORLD)
        reading->exit = CLI_WORLD;
    return add_machine(reading, added);
}

/* The indented lines that follow. The lines before them are kept as empty ones, so that what
 * is wrong in the definition is said with its place in this file. */
static struct span take_indented(struct reading *reading)
{
    struct text text;
    text_init(&text, &reading->set->arena);
    for (uint32_t i = 0; i < reading->number; i++)
        text_add_byte(&text, '\n');
    while (reading->rest.size > 0) {
        struct reading ahead = *reading;
        struct span line = take_line(&ahead);
        if (span_trim(line).size > 0 && !is_blank(line.text[0]))
            break;
        *reading = ahead;
        text_add(&text, line);
        text_add_byte(&text, '\n');
    }
    return text_span(&text);
}

static struct case_machine *read_machine(struct reading *reading)
{
    struct case_machine *added = memory_get(sizeof *added);
    struct span definition = take_indented(reading);
    struct definition_file *file = &added->file;
    *file = (struct definition_file){.path = reading->path,
                                     .language = reading->set->world->types.language};
    arena_open(&file->arena, DEFINITION_ARENA_BYTES);
    diagnostics_init(&file->diagnostics, &file->arena);
    struct arena_guard guard;
    if (arena_is_spent(&file->arena, &guard)) {
        refuse(reading, 0, "the machine is too large to be loaded");
        close_machine(added);
        return NULL;
    }
    file->root = document_read(definition, reading->path, document_scripts(file->language),
                               &file->arena, &file->diagnostics);
    if (file->root != NULL)
        file->root = document_expand(file->root, document_scripts(file->language), &file->arena,
                                     &file->diagnostics);
    arena_release_guard(&file->arena, &guard);
    return add_machine(reading, added);
}

/* Lines */

static bool set_payload(struct reading *reading, struct span rest, const char *missing)
{
    return read_json(reading, rest.size == 0 ? span_from_text(missing) : rest,
                     &reading->line->payload);
}

static void read_event(struct reading *reading, struct span rest)
{
    struct value *payload = &reading->line->payload;
    reading->line->name = take_name(&rest);
    if (reading->line->name.size == 0 || reading->line->name.size > EVENT_TYPE_BYTES_MAX)
        refuse(reading, 0, "an event's type has 1 to %d bytes", EVENT_TYPE_BYTES_MAX);
    else if (set_payload(reading, rest, "{}") &&
             (payload->kind != VALUE_MAP || value_find(*payload, SPAN("type")) != NULL))
        refuse(reading, 0, "a payload is a JSON object without a member `type`");
}

/* `patch {"paid":true}` is the event with that under its member `patch`. */
static void read_patch(struct reading *reading, struct span rest)
{
    struct value *payload = &reading->line->payload;
    reading->line->name = SPAN(PATCH_EVENT);
    if (set_payload(reading, rest, "null"))
        *payload =
            value_with(&reading->set->arena, value_map(NULL, 0), SPAN("patch"), *payload);
}

static void read_result(struct reading *reading, struct span rest)
{
    reading->line->name = take_name(&rest);
    if (reading->line->name.size == 0)
        refuse(reading, 0, "`done` and `error` name an invoke's id");
    else
        set_payload(reading, rest, "null");
}

static void read_advance(struct reading *reading, struct span rest)
{
    if (!time_read_duration(rest, &reading->line->advance_ms))
        refuse(reading, 0, "`%.*s` is not a duration such as 10s", SPAN_ARGS(rest));
}

enum clause_form { FORM_WORDS, FORM_JSON };

struct clause_word {
    const char *text;
    enum clause_form form;
};

#define CLAUSE_WORD(name, text, form) [CASE_CLAUSE_##name] = {text, FORM_##form},
static const struct clause_word clause_words[] = {CASE_CLAUSE_LIST(CLAUSE_WORD)};
#undef CLAUSE_WORD

static enum case_clause_kind find_clause(struct span word)
{
    enum case_clause_kind kind = CASE_CLAUSE_VALUE;
    while (kind < CASE_CLAUSE_COUNT && !span_is(word, clause_words[kind].text))
        kind++;
    return kind;
}

static void refuse_clause(struct reading *reading, struct span word)
{
    struct span words[CASE_CLAUSE_COUNT];
    for (size_t i = 0; i < CASE_CLAUSE_COUNT; i++)
        words[i] = span_from_text(clause_words[i].text);
    size_t nearest = span_nearest(word, words, CASE_CLAUSE_COUNT);
    if (nearest == SIZE_MAX)
        refuse(reading, 0, "`%.*s` cannot be expected", SPAN_ARGS(word));
    else
        refuse(reading, 0, "`%.*s` cannot be expected; did you mean `%s`?", SPAN_ARGS(word),
               clause_words[nearest].text);
}

static struct case_clause *read_clause(struct reading *reading, struct span text)
{
    struct span path = {0};
    struct span rest = text;
    struct span word = take_name(&rest);
    if (span_starts_with(word, SPAN("context."))) {
        path = span_slice(word, SPAN("context.").size, word.size);
        word = SPAN("context");
    }
    enum case_clause_kind kind = find_clause(word);
    if (kind == CASE_CLAUSE_COUNT) {
        refuse_clause(reading, word);
        return NULL;
    }
    struct case_clause *clause = arena_new(&reading->set->arena, struct case_clause);
    *clause = (struct case_clause){.kind = kind, .path = path, .words = rest};
    bool is_json =
        clause_words[kind].form == FORM_JSON || (kind == CASE_CLAUSE_VALUE && rest.size > 0 &&
                                                 (rest.text[0] == '{' || rest.text[0] == '"'));
    if (rest.size == 0)
        refuse(reading, 0, "`expect %.*s` says nothing", SPAN_ARGS(word));
    else if (is_json && !read_json(reading, rest, &clause->value))
        return NULL;
    return clause;
}

static void read_expect(struct reading *reading, struct span rest)
{
    struct case_clause **end = &reading->line->clauses;
    if (rest.size == 0)
        refuse(reading, 0, "`expect` says nothing");
    while (rest.size > 0) {
        struct span text = case_file_take(&rest, ';');
        struct case_clause *clause = text.size == 0 ? NULL : read_clause(reading, text);
        if (clause == NULL)
            continue;
        *end = clause;
        end = &clause->next;
    }
}

/* The word that a line begins with; false when it is none. */
static bool take_action(struct span *text, enum case_action *action)
{
    static const struct {
        const char *word;
        enum case_action action;
    } words[] = {{"start", CASE_START},  {"event", CASE_EVENT}, {"patch", CASE_PATCH},
                 {"done", CASE_DONE},    {"error", CASE_ERROR}, {"advance", CASE_ADVANCE},
                 {"expect", CASE_EXPECT}};
    bool is_late = take_word(text, "late");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        *action = words[i].action;
        if (is_late && *action != CASE_DONE && *action != CASE_ERROR)
            continue;
        if (!take_word(text, words[i].word))
            continue;
        if (is_late)
            *action = *action == CASE_DONE ? CASE_LATE_DONE : CASE_LATE_ERROR;
        return true;
    }
    return false;
}

static bool read_action(struct reading *reading, struct span text)
{
    if (!take_action(&text, &reading->line->action))
        return false;
    switch (reading->line->action) {
    case CASE_START:
        if (reading->current->lines != NULL)
            refuse(reading, 0, "`start` must be the first line of a case");
        set_payload(reading, text, "null");
        break;
    case CASE_EVENT:
        read_event(reading, text);
        break;
    case CASE_PATCH:
        read_patch(reading, text);
        break;
    case CASE_DONE:
    case CASE_ERROR:
    case CASE_LATE_DONE:
    case CASE_LATE_ERROR:
        read_result(reading, text);
        break;
    case CASE_ADVANCE:
        read_advance(reading, text);
        break;
    case CASE_EXPECT:
        read_expect(reading, text);
        break;
    }
    return true;
}

static void read_case(struct reading *reading, struct span name)
{
    struct case_set *set = reading->set;
    struct case_text *added = arena_new(&set->arena, struct case_text);
    if (reading->machine == NULL && reading->exit == CLI_OK)
        refuse(reading, 0, "a case needs a machine: write `machine: FILE` before it");
    *added = (struct case_text){reading->machine, reading->path, name, NULL, NULL};
    *set->cases_end = added;
    set->cases_end = &added->next;
    reading->current = added;
    reading->end = &added->lines;
}

static void read_step(struct reading *reading, struct span text)
{
    struct span rest = text;
    struct span word = take_name(&rest);
    if (reading->current == NULL) {
        refuse(reading, 0, "`%.*s` belongs to no case", SPAN_ARGS(text));
        return;
    }
    reading->line = arena_new(&reading->set->arena, struct case_line);
    reading->line->number = reading->number;
    if (!read_action(reading, text)) {
        refuse(reading, 0, "unknown word `%.*s`", SPAN_ARGS(word));
        return;
    }
    *reading->end = reading->line;
    reading->end = &reading->line->next;
}

static void read_line(struct reading *reading, struct span line)
{
    struct span text = span_trim(line);
    if (text.size == 0 || text.text[0] == '#')
        return;
    if (take_word(&text, "machine:") || take_word(&text, "machine")) {
        reading->current = NULL;
        reading->machine = text.size > 0 ? open_machine(reading, text) : read_machine(reading);
    } else if (take_word(&text, "case")) {
        read_case(reading, text);
    } else {
        read_step(reading, text);
    }
}

enum cli_exit case_file_read(struct case_set *set, const char *path)
{
    struct reading reading = {.set = set, .path = path};
    struct arena_guard guard;
    struct text content;
    const char *problem = NULL;
    if (arena_is_spent(&set->arena, &guard)) {
        report_error(CODE_RECORD, "the cases need more memory than cases may have");
        return CLI_FAILED;
    }
    text_init(&content, &set->arena);
    enum status status = file_read(path, CASE_FILE_BYTES_MAX, &content, &problem);
    reading.rest = text_span(&content);
    if (status != STATUS_OK) {
        report_unread(path, status, problem);
        reading.exit = CLI_WORLD;
    } else if (!span_is_utf8(reading.rest)) {
        report_file(path, "is not UTF-8");
        reading.exit = CLI_FAILED;
    }
    while (reading.exit != CLI_WORLD && reading.rest.size > 0)
        read_line(&reading, take_line(&reading));
    arena_release_guard(&set->arena, &guard);
    return reading.exit;
}
