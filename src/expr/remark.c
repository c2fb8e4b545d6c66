/*
 * remark.c - diagnostics at an offset of an expression.
 */
#include "expr/remark.h"

#include "base/json.h"
#include "base/text.h"

static struct place place_of(const struct remarks *remarks, uint32_t offset)
{
    struct place place = remarks->place;
    if (remarks->node != NULL)
        return node_text_place(remarks->node, remarks->start + offset);
    struct place inside = json_place(remarks->text, offset, place.file);
    if (place.line == 0)
        return place;
    place.column = inside.line == 1 ? place.column + inside.column - 1 : inside.column;
    place.line += inside.line - 1;
    return place;
}

__attribute__((format(printf, 5, 0))) static struct diagnostic *
add(struct remarks *remarks, enum severity severity, const char *code, uint32_t offset,
    const char *format, va_list arguments)
{
    struct text message;
    text_init(&message, remarks->diagnostics->arena);
    text_format_list(&message, format, arguments);
    return diagnostics_add(remarks->diagnostics, severity, code, place_of(remarks, offset),
                           "%.*s", SPAN_ARGS(text_span(&message)));
}

struct diagnostic *remark_error(struct remarks *remarks, uint32_t offset, const char *format,
                                ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct diagnostic *added =
        add(remarks, SEVERITY_ERROR, "IL0105", offset, format, arguments);
    va_end(arguments);
    return added;
}

struct diagnostic *remark_type(struct remarks *remarks, enum severity severity, uint32_t offset,
                               const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct diagnostic *added = add(remarks, severity, "IL0503", offset, format, arguments);
    va_end(arguments);
    return added;
}

void remark_suggest(struct remarks *remarks, struct diagnostic *diagnostic, struct span name,
                    const struct span *candidates, size_t count)
{
    diagnostic_suggest(remarks->diagnostics, diagnostic, name, candidates, count);
}
