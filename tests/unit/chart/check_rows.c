/*
 * check_rows.c - checks definitions and compares.
 */
#include "check_rows.h"

struct span check_rows_find(const char *definition, struct arena *arena,
                            struct diagnostics *diagnostics)
{
    struct text text;
    const struct machine *machine =
        fixture_load(span_from_text(definition), arena, diagnostics);
    if (machine == NULL)
        fail_msg("%s\n%.*s", definition, SPAN_ARGS(diagnostics->first->message));
    machine_check(machine, diagnostics);
    diagnostics_sort(diagnostics);
    text_init(&text, arena);
    for (const struct diagnostic *found = diagnostics->first; found != NULL;
         found = found->next)
        text_format(&text, "%s%.*s %u:%u %s", text.size == 0 ? "" : ", ",
                    SPAN_ARGS(found->code), found->place.line, found->place.column,
                    severity_name(found->severity));
    return text_span(&text);
}

/* The first message, and what to do. */
static struct span first_words(const struct diagnostics *diagnostics, struct arena *arena)
{
    const struct diagnostic *first = diagnostics->first;
    return first == NULL ? SPAN("")
                         : text_print(arena, "%.*s; %.*s", SPAN_ARGS(first->message),
                                      SPAN_ARGS(first->help));
}

void check_rows_expect(const struct check_row *rows, size_t count)
{
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        struct arena arena;
        struct diagnostics diagnostics;
        arena_open(&arena, DEFINITION_ARENA_BYTES);
        struct span found = check_rows_find(rows[i].definition, &arena, &diagnostics);
        struct span words = first_words(&diagnostics, &arena);
        bool fits = span_is(found, rows[i].found) &&
                    span_find(words, span_from_text(rows[i].says), 0) != SIZE_MAX;
        if (!fits)
            print_error("%s%.*s\ninstead of\n%s (%s)\n%.*s\n\n", rows[i].definition,
                        SPAN_ARGS(found), rows[i].found, rows[i].says, SPAN_ARGS(words));
        wrong += !fits;
        arena_close(&arena);
    }
    assert_int_equal(wrong, 0);
}
