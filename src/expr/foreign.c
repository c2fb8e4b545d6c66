/*
 * foreign.c - from a definition's tree to the language that was handed in.
 */
#include "expr/foreign.h"

bool expr_is_foreign(const struct node *node)
{
    const struct node *language = node_find(node, SPAN("@lang"));
    return node_find(node, SPAN("@expr")) != NULL && language != NULL &&
           !(node_is_string(language) && span_is(node_text(language), "cel"));
}

static const struct expr_foreign *refuse(struct place place, struct span name,
                                         struct diagnostics *diagnostics)
{
    bool is_known = span_is(name, "ecmascript");
    struct diagnostic *error =
        diagnostics_add(diagnostics, SEVERITY_ERROR, is_known ? "IL0106" : "IL0105", place,
                        is_known ? "ECMAScript that does not translate to CEL is not run here"
                                 : "this expression language is not known");
    if (is_known)
        diagnostic_help(
            diagnostics, error,
            "SCXML documents may have it, in a build with Debian's package duktape-dev");
    else
        diagnostic_help(diagnostics, error, "there are \"cel\" and \"ecmascript\"");
    return NULL;
}

const struct expr_foreign *expr_foreign_compile(const struct node *node, enum expr_form form,
                                                const struct expr_scope *scope,
                                                struct arena *arena,
                                                struct diagnostics *diagnostics)
{
    const struct node *text = node_find(node, SPAN("@expr"));
    const struct node *written = node_find(node, SPAN("@lang"));
    bool is_named = written != NULL && node_is_string(written);
    struct span name = is_named ? node_text(written) : SPAN("");
    const struct expr_language *language = scope->language;
    struct span message;
    if (node->count != 2 || text == NULL || !node_is_string(text)) {
        diagnostics_add(diagnostics, SEVERITY_ERROR, "IL0105", node->place,
                        "an expression is {\"@expr\": TEXT, \"@lang\": NAME} and nothing else");
        return NULL;
    }
    if (language == NULL || !span_equal(language->name, name))
        return refuse(text->place, name, diagnostics);
    if (!language->check(language->context, form, node_text(text), arena, &message))
        diagnostics_add(diagnostics, SEVERITY_WARNING, "IL0105", text->place,
                        "this fails when it is %s: %.*s",
                        form == EXPR_SCRIPT ? "executed" : "evaluated", SPAN_ARGS(message));
    struct expr_foreign *foreign = arena_new(arena, struct expr_foreign);
    *foreign = (struct expr_foreign){form, node_text(text)};
    return foreign;
}

struct value expr_foreign_run(const struct expr_foreign *foreign, struct value given,
                              const struct expr_frame *frame, struct arena *arena)
{
    if (frame->foreign == NULL)
        return value_error(SPAN("nothing runs this language here"));
    return frame->foreign(frame->host, foreign, given, arena);
}
