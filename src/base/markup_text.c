/*
 * markup_text.c - elements, attributes and text, escaped.
 */
#include "base/markup_text.h"

/* Line ends and tabs would be read as blanks in an attribute, and CR as LF anywhere. */
static const char *form_of(char byte, bool in_attribute)
{
    switch (byte) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '\r':
        return "&#13;";
    case '"':
        return in_attribute ? "&quot;" : NULL;
    case '\n':
        return in_attribute ? "&#10;" : NULL;
    case '\t':
        return in_attribute ? "&#9;" : NULL;
    default:
        return NULL;
    }
}

static void add_escaped(struct markup_text *markup, struct span text, bool in_attribute)
{
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.text[i];
        const char *form = form_of(byte, in_attribute);
        bool has_none = (unsigned char)byte < 0x20 && byte != '\n' && byte != '\t';
        if (form != NULL)
            text_add(markup->text, span_from_text(form));
        else if (has_none)
            markup->is_broken = true;
        else
            text_add_byte(markup->text, byte);
    }
}

static void indent(struct markup_text *markup)
{
    for (uint32_t i = 0; i < markup->depth; i++)
        text_add(markup->text, SPAN("  "));
}

static void enter(struct markup_text *markup)
{
    if (!markup->is_open)
        return;
    text_add_byte(markup->text, '>');
    markup->depth++;
    markup->is_open = false;
}

void markup_text_open(struct markup_text *markup, const char *name)
{
    if (markup->is_open) {
        enter(markup);
        text_add_byte(markup->text, '\n');
    }
    indent(markup);
    text_format(markup->text, "<%s", name);
    markup->is_open = true;
}

void markup_text_attribute(struct markup_text *markup, const char *name, struct span value)
{
    text_format(markup->text, " %s=\"", name);
    add_escaped(markup, value, true);
    text_add_byte(markup->text, '"');
}

void markup_text_inside(struct markup_text *markup, struct span text)
{
    enter(markup);
    add_escaped(markup, text, false);
    markup->has_text = true;
}

void markup_text_finished(struct markup_text *markup, struct span text)
{
    enter(markup);
    text_add(markup->text, text);
    markup->has_text = true;
}

void markup_text_close(struct markup_text *markup, const char *name)
{
    if (markup->is_open) {
        text_add(markup->text, SPAN("/>\n"));
        markup->is_open = false;
        return;
    }
    markup->depth--;
    if (!markup->has_text)
        indent(markup);
    markup->has_text = false;
    text_format(markup->text, "</%s>\n", name);
}
