/*
 * script.h - ECMAScript beside CEL, by Duktape: the front door of this chapter.
 *
 * For SCXML documents whose expressions do not translate to CEL, and for <script>. An
 * instance's variables are JSON's values in its context; they are put in before a run and
 * read out behind it, so one heap serves all instances of a thread and keeps nothing of them.
 * What runs is bounded in loops, calls, searches and memory (base/limits.h) and knows neither
 * time nor chance, so a history can be replayed.
 *
 * Built without Duktape there is no language: script_open() gives NULL, and the documents are
 * refused where they need it.
 */
#pragma once

#include "expr/expr.h"

struct script;

/* For one thread; the heap itself is made when it is needed first. NULL: not built in. */
struct script *script_open(void);
void script_close(struct script *script); /* NULL is fine */

/* What definitions are loaded with, as long as the script is open; NULL for NULL. */
const struct expr_language *script_language(const struct script *script);
