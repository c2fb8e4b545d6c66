/*
 * report.c - lines on standard error.
 */
#include "cli/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/ensure.h"
#include "base/limits.h"
#include "base/text.h"
#include "cli/output.h"

static void write_line(struct text *line)
{
    text_add_byte(line, '\n');
    fflush(stdout); /* what was said before comes before */
    fwrite(line->bytes, 1, line->size, stderr);
}

/* What is said comes from anywhere: ids, answers, files. */
__attribute__((format(printf, 2, 0))) static void
add_words(struct text *line, const char *format, va_list arguments, bool is_one_line)
{
    struct text words;
    text_init(&words, NULL);
    text_format_list(&words, format, arguments);
    if (is_one_line)
        text_add_visible(line, text_span(&words));
    else
        text_add_visible_lines(line, text_span(&words));
    text_fini(&words);
}

void report_problem(const char *format, ...)
{
    struct text line;
    va_list arguments;
    text_init(&line, NULL);
    text_add(&line, SPAN("interlock: "));
    va_start(arguments, format);
    add_words(&line, format, arguments, false);
    va_end(arguments);
    write_line(&line);
    text_fini(&line);
}

static const char *colour_of(enum severity severity)
{
    switch (severity) {
    case SEVERITY_INFO:
        return "\033[36m";
    case SEVERITY_WARNING:
        return "\033[33m";
    case SEVERITY_ERROR:
        return "\033[31m";
    }
    never();
}

/* "error IL2001: " */
static void add_severity(struct text *line, enum severity severity, struct span code)
{
    bool colour = output_has_colour(STDERR_FILENO);
    text_format(line, "%s%s %.*s%s: ", colour ? colour_of(severity) : "",
                severity_name(severity), SPAN_ARGS(code), colour ? "\033[0m" : "");
}

/* The line's beginning is there; behind it an error, in words. */
__attribute__((format(printf, 3, 0))) static void
write_error(struct text *line, const char *code, const char *format, va_list arguments)
{
    add_severity(line, SEVERITY_ERROR, span_from_text(code));
    add_words(line, format, arguments, true);
    write_line(line);
    text_fini(line);
}

void report_error(const char *code, const char *format, ...)
{
    struct text line;
    va_list arguments;
    text_init(&line, NULL);
    text_add(&line, SPAN("interlock: "));
    va_start(arguments, format);
    write_error(&line, code, format, arguments);
    va_end(arguments);
}

static const char *store_code(enum status status)
{
    switch (status) {
    case STATUS_NOT_FOUND:
        return "IL2001";
    case STATUS_VERSION:
        return "IL2002";
    case STATUS_CORRUPT:
        return "IL2003";
    case STATUS_BUSY:
        return "IL2004";
    case STATUS_FULL:
        return "IL2005";
    case STATUS_IO:
        return "IL2006";
    case STATUS_CONFLICT:
        return "IL2007";
    case STATUS_STALE:
        return "IL2008";
    case STATUS_UNKNOWN:
        return "IL2009";
    case STATUS_OK:
    case STATUS_NO_SPACE:
    case STATUS_INVALID:
    case STATUS_COUNT:
        return "IL2000";
    }
    never();
}

void report_store(enum status status, const char *sentence)
{
    report_error(store_code(status), "%s", sentence);
}

void report_file(const char *file, const char *problem)
{
    report_line(file, 0, 0, CODE_FILE, "%s", problem);
}

void report_unread(const char *file, enum status status, const char *problem)
{
    _Static_assert(DEFINITION_BYTES_MAX == 1 << 20 && VALUE_BYTES_MAX == 1 << 20, "1 MiB");
    if (status == STATUS_NO_SPACE)
        problem = "it is larger than 1 MiB, the most that is read";
    report_file(file, problem == NULL ? status_text(status) : problem);
}

void report_line(const char *file, uint64_t number, uint32_t column, const char *code,
                 const char *format, ...)
{
    struct text line;
    va_list arguments;
    text_init(&line, NULL);
    text_add_visible(&line, span_from_text(file));
    text_add_byte(&line, ':');
    if (number > 0)
        text_format(&line, "%ju:", (uintmax_t)number);
    if (column > 0)
        text_format(&line, "%u:", column);
    text_add_byte(&line, ' ');
    va_start(arguments, format);
    write_error(&line, code, format, arguments);
    va_end(arguments);
}

static void add_place(struct text *line, const struct place *place)
{
    text_add(line, place->file);
    if (place->line > 0)
        text_format(line, ":%u:%u", place->line, place->column);
    if (line->size > 0)
        text_add(line, SPAN(": "));
}

static void write_diagnostic(const struct diagnostic *diagnostic)
{
    struct text line;
    text_init(&line, NULL);
    add_place(&line, &diagnostic->place);
    add_severity(&line, diagnostic->severity, diagnostic->code);
    text_add_visible_lines(&line, diagnostic->message);
    if (diagnostic->help.size > 0) {
        text_add(&line, SPAN("\n    help: "));
        text_add_visible_lines(&line, diagnostic->help);
    }
    write_line(&line);
    text_fini(&line);
}

void report_diagnostics(struct diagnostics *diagnostics, enum severity least, int *lines_left)
{
    uint64_t hidden = diagnostics->dropped;
    diagnostics_sort(diagnostics);
    for (const struct diagnostic *d = diagnostics->first; d != NULL; d = d->next) {
        int lines = d->help.size > 0 ? 2 : 1;
        if (d->severity < least)
            continue;
        if (lines > *lines_left) {
            *lines_left = 0; /* none out of order behind the first that is hidden */
            hidden++;
            continue;
        }
        *lines_left -= lines;
        write_diagnostic(d);
    }
    if (hidden > 0)
        report_problem("%ju more", (uintmax_t)hidden);
}

struct value report_describe(const struct diagnostic *diagnostic, struct arena *arena)
{
    const struct {
        struct span key;
        struct value value;
    } members[] = {
        {SPAN("code"), value_string(diagnostic->code)},
        {SPAN("severity"), value_string(span_from_text(severity_name(diagnostic->severity)))},
        {SPAN("message"), value_string(diagnostic->message)},
        {SPAN("file"), value_string(diagnostic->place.file)},
        {SPAN("line"), value_int(diagnostic->place.line)},
        {SPAN("column"), value_int(diagnostic->place.column)},
        {SPAN("help"),
         diagnostic->help.size > 0 ? value_string(diagnostic->help) : value_null()},
    };
    const uint32_t count = sizeof members / sizeof members[0];
    struct value_entry *entries = arena_new_array(arena, count, struct value_entry);
    for (uint32_t i = 0; i < count; i++)
        entries[i] = (struct value_entry){value_string(members[i].key), members[i].value};
    return value_map(entries, count);
}
