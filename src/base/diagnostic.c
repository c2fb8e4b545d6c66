/*
 * diagnostic.c - collecting diagnostics in a list.
 */
#include "base/diagnostic.h"

#include "base/ensure.h"
#include "base/limits.h"
#include "base/text.h"

void diagnostics_init(struct diagnostics *diagnostics, struct arena *arena)
{
    *diagnostics = (struct diagnostics){.arena = arena};
    diagnostics->end = &diagnostics->first;
}

static void count_severity(struct diagnostics *diagnostics, enum severity severity)
{
    switch (severity) {
    case SEVERITY_INFO:
        diagnostics->infos++;
        return;
    case SEVERITY_WARNING:
        diagnostics->warnings++;
        return;
    case SEVERITY_ERROR:
        diagnostics->errors++;
        return;
    }
    never();
}

struct diagnostic *diagnostics_add(struct diagnostics *diagnostics, enum severity severity,
                                   const char *code, struct place place, const char *format,
                                   ...)
{
    count_severity(diagnostics, severity);
    if (diagnostics->errors + diagnostics->warnings + diagnostics->infos > DIAGNOSTICS_MAX) {
        diagnostics->dropped++;
        return &diagnostics->spare;
    }
    struct diagnostic *added = arena_new(diagnostics->arena, struct diagnostic);
    struct text message;
    text_init(&message, diagnostics->arena);
    va_list arguments;
    va_start(arguments, format);
    text_format_list(&message, format, arguments);
    va_end(arguments);
    added->place = place;
    added->code = span_from_text(code);
    added->message = text_span(&message);
    added->severity = severity;
    *diagnostics->end = added;
    diagnostics->end = &added->next;
    return added;
}

void diagnostic_help(struct diagnostics *diagnostics, struct diagnostic *diagnostic,
                     const char *format, ...)
{
    struct text help;
    if (diagnostic == &diagnostics->spare)
        return;
    text_init(&help, diagnostics->arena);
    va_list arguments;
    va_start(arguments, format);
    text_format_list(&help, format, arguments);
    va_end(arguments);
    diagnostic->help = text_span(&help);
}

void diagnostic_suggest(struct diagnostics *diagnostics, struct diagnostic *diagnostic,
                        struct span name, const struct span *candidates, size_t count)
{
    if (diagnostic == &diagnostics->spare)
        return;
    size_t best = span_nearest(name, candidates, count);
    if (best != SIZE_MAX)
        diagnostic_help(diagnostics, diagnostic, "did you mean '%.*s'?",
                        SPAN_ARGS(candidates[best]));
}

static bool comes_after(const struct place *a, const struct place *b)
{
    int order = span_compare(a->file, b->file);
    if (order != 0)
        return order > 0;
    if (a->line != b->line)
        return a->line > b->line;
    return a->column > b->column;
}

void diagnostics_sort(struct diagnostics *diagnostics)
{
    struct diagnostic *sorted = NULL;
    while (diagnostics->first != NULL) {
        struct diagnostic *taken = diagnostics->first;
        diagnostics->first = taken->next;
        struct diagnostic **at = &sorted;
        while (*at != NULL && !comes_after(&(*at)->place, &taken->place))
            at = &(*at)->next;
        taken->next = *at;
        *at = taken;
    }
    diagnostics->first = sorted;
    diagnostics->end = &diagnostics->first;
    while (*diagnostics->end != NULL)
        diagnostics->end = &(*diagnostics->end)->next;
}

const char *severity_name(enum severity severity)
{
    switch (severity) {
    case SEVERITY_INFO:
        return "info";
    case SEVERITY_WARNING:
        return "warning";
    case SEVERITY_ERROR:
        return "error";
    }
    never();
}
