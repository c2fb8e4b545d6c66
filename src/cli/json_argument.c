/*
 * json_argument.c - JSON from the command line.
 */
#include "cli/json_argument.h"

#include "base/json.h"
#include "base/limits.h"
#include "cli/report.h"
#include "os/os.h"

static enum cli_exit read_text(const char *argument, struct arena *arena, struct span *text)
{
    struct text content;
    const char *problem = NULL;
    *text = span_from_text(argument);
    if (argument[0] != '@')
        return CLI_OK;
    text_init(&content, arena);
    enum status status = file_read(argument + 1, VALUE_BYTES_MAX, &content, &problem);
    *text = text_span(&content);
    if (status == STATUS_OK)
        return CLI_OK;
    report_unread(argument + 1, status, problem);
    return CLI_WORLD;
}

static enum cli_exit read_json(const char *command, const char *name, const char *argument,
                               struct arena *arena, struct value *value)
{
    struct span text;
    struct json_error error;
    enum cli_exit exit = read_text(argument, arena, &text);
    if (exit != CLI_OK || json_read(text, arena, value, &error) == STATUS_OK)
        return exit;
    if (argument[0] == '@') {
        struct place place = json_place(text, error.offset, SPAN(""));
        report_line(argument + 1, place.line, place.column, CODE_JSON, "%s", error.message);
    } else {
        report_problem("%s: %s is not valid JSON: %s at column %u", command, name,
                       error.message, json_place(text, error.offset, SPAN("")).column);
    }
    return CLI_USAGE;
}

enum cli_exit json_argument_read(const char *command, const char *name, const char *argument,
                                 struct arena *arena, struct value *value)
{
    struct arena_guard guard;
    *value = value_null();
    if (argument == NULL)
        return CLI_OK;
    if (arena_is_spent(arena, &guard)) {
        report_problem("%s: %s is too large", command, name);
        return CLI_USAGE;
    }
    enum cli_exit exit = read_json(command, name, argument, arena, value);
    arena_release_guard(arena, &guard);
    return exit;
}
