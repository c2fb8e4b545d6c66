/*
 * markup_text.h - XML as it is written: elements in elements, indented.
 *
 * An element is opened, gets its attributes, then what is inside, and is closed; one that
 * stayed empty is written so. What XML has no form for (most control characters, U+FFFE and
 * U+FFFF, bytes that are no UTF-8) becomes U+FFFD, and that is noted.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct markup_text {
    struct text *text;
    uint32_t depth;
    bool is_open;   /* the `>` of the last element is still to come */
    bool has_text;  /* the element holds text: its end stands on the same line */
    bool is_broken; /* something had no form */
};

/* Adds words as they stand in an attribute between double quotes, or inside of an element.
 * False: some of them had no form. */
bool markup_text_escape(struct text *text, struct span words, bool in_attribute);

void markup_text_open(struct markup_text *markup, const char *name);
void markup_text_attribute(struct markup_text *markup, const char *name, struct span value);

/* Text, or markup that is finished already. Nothing else may stand in the element. */
void markup_text_inside(struct markup_text *markup, struct span text);
void markup_text_finished(struct markup_text *markup, struct span text);

void markup_text_close(struct markup_text *markup, const char *name);
