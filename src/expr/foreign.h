/*
 * foreign.h - expressions in another language than CEL: {"@expr": …, "@lang": "ecmascript"}.
 *
 * CEL is part of the core. What runs another language is not: whoever loads a definition may
 * hand in a `struct expr_language`, and without one such expressions are refused when they are
 * read. Variables are JSON's values; they are put in before a run and read out behind it, so
 * the language keeps nothing between two runs, and the same run always gives the same.
 */
#pragma once

#include "base/node.h"
#include "expr/program.h"

enum expr_form {
    EXPR_VALUE,     /* an expression; its value */
    EXPR_CONDITION, /* an expression; whether its value counts as true. Changes nothing. */
    EXPR_SCRIPT,    /* statements; null */
    EXPR_PLACE,     /* a place that the value `given` is assigned to; null */
};

/* What a run sees. */
struct expr_world {
    struct value variables; /* a map; replaced when the run changed one */
    const struct span *declared;
    uint32_t declared_count;        /* variables that are there though they may have no value */
    struct value constants;         /* a map of what can be read only */
    struct value given;             /* EXPR_PLACE */
    const struct expr_frame *frame; /* for the functions of the host */
};

/* What runs a language. It is not shared by threads, and the machines loaded with it are not
 * either. */
struct expr_language {
    struct span name; /* "ecmascript" */
    void *context;

    /* False with a message when the text can only fail. Whatever may be run later has been
     * through this. */
    bool (*check)(void *context, enum expr_form form, struct span text, struct arena *arena,
                  struct span *message);

    /* The value, in the arena; undefined is an optional without a value. An error value when it
     * fails, with the variables as they were changed until then. What is bounded (time, memory,
     * sizes) fails when it goes beyond; where that depends on more than the arguments, it is
     * as if the arena were spent. */
    struct value (*run)(void *context, enum expr_form form, struct span text,
                        struct expr_world *world, struct arena *arena);
};

/* One expression, in the arena it was compiled into. */
struct expr_foreign {
    enum expr_form form;
    struct span text;
};

/* True for a node that is an expression in another language. */
bool expr_is_foreign(const struct node *node);

/* Compiles such a node; NULL after adding a diagnostic. What can only fail when it is run is a
 * warning. */
const struct expr_foreign *expr_foreign_compile(const struct node *node, enum expr_form form,
                                                const struct expr_scope *scope,
                                                struct arena *arena,
                                                struct diagnostics *diagnostics);

/* Runs it by the frame's `foreign`; an error value when it fails. */
struct value expr_foreign_run(const struct expr_foreign *foreign, struct value given,
                              const struct expr_frame *frame, struct arena *arena);
