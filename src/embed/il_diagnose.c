/*
 * il_diagnose.c - see the header.
 */
#include "embed/il_diagnose.h"

static const char *text_of(struct arena *arena, struct span span)
{
    return arena_copy(arena, span).text;
}

static void tell(struct arena *arena, const struct diagnostic *diagnostic,
                 il_diagnose *diagnose, void *context)
{
    static const il_severity severities[] = {
        [SEVERITY_INFO] = IL_INFO,
        [SEVERITY_WARNING] = IL_WARNING,
        [SEVERITY_ERROR] = IL_ERROR,
    };
    il_diagnostic told = {
        .severity = severities[diagnostic->severity],
        .code = text_of(arena, diagnostic->code),
        .message = text_of(arena, diagnostic->message),
        .help = diagnostic->help.size == 0 ? NULL : text_of(arena, diagnostic->help),
        .file = text_of(arena, diagnostic->place.file),
        .line = diagnostic->place.line,
        .column = diagnostic->place.column,
    };
    diagnose(context, &told);
}

void il_diagnose_all(struct diagnostics *diagnostics, il_diagnose *diagnose, void *context)
{
    if (diagnose == NULL)
        return;
    diagnostics_sort(diagnostics);
    for (const struct diagnostic *diagnostic = diagnostics->first; diagnostic != NULL;
         diagnostic = diagnostic->next)
        tell(diagnostics->arena, diagnostic, diagnose, context);
}
