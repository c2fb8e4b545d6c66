/*
 * script_text.h - a text of ECMAScript made ready to run: counted, and its functions known.
 *
 * Debian's Duktape cannot be interrupted, so the text itself counts: every turn of a loop and
 * every call of a function spends one of what a run has, and the run ends where it would in
 * any other process. The words that do so begin with `$il_`, which no text may use.
 *
 *     while (a) b            while ($il_tick()&&(a)) b
 *     for (;;) b             for (;$il_tick();) b
 *     for (k in o) b         for (k in $il_each(o)) b
 *     function f() { a }     function f() {$il_tick(); a }
 *
 * A function that stands in no other one closes over nothing but variables, so its text is
 * all there is to it: `$il_keep(function …, "function …")` lets it be kept as a value.
 */
#pragma once

#include "base/text.h"
#include "expr/expr.h"

/* The text of a function that can be kept. */
struct script_function {
    struct span text;
    const struct script_function *next;
};

struct script_text {
    struct span code;
    const struct script_function *functions;
    bool may_change;     /* it assigns or calls something */
    struct span problem; /* what is wrong with the text, instead of all that */
};

/* Lives in the arena. What is no ECMAScript may pass: the compiler finds that. */
struct script_text script_text_prepare(enum expr_form form, struct span text,
                                       struct arena *arena);
