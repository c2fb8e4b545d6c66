/*
 * answer.h - what came back from outside, judged: JSON or not, and what of it to show to
 * people. Only strategy includes this.
 */
#pragma once

#include "base/text.h"
#include "base/value.h"

/* Checks that the text is one JSON document of at most STEP_OUTPUT_BYTES_MAX bytes; blank text
 * counts as null. Else *problem says why not. Never jumps: a spent arena is a problem too. */
bool answer_read_json(struct span text, struct arena *arena, struct value *value,
                      struct span *problem);

/* Text as it may stand in a message: trimmed, at most bytes_max, always UTF-8. answer_line()
 * also makes it one line. */
void answer_add_words(struct text *message, struct span text, size_t bytes_max);
void answer_add_line(struct text *message, struct span text, size_t bytes_max);

/* The reason that a JSON answer gives: its `error` (or that one's `message`), `message`,
 * `detail` or `title`; empty when it gives none. */
struct span answer_reason(struct value answer);
