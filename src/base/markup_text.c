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

/* XML 1.0, production 2, of what is UTF-8. */
static bool has_form(struct span character)
{
    unsigned char byte = (unsigned char)character.text[0];
    if (byte < ' ')
        return byte == '\t' || byte == '\n' || byte == '\r';
    return !span_is(character, "\uFFFE") && !span_is(character, "\uFFFF");
}

bool markup_text_escape(struct text *text, struct span words, bool in_attribute)
{
    bool is_whole = true;
    for (size_t at = 0; at < words.size;) {
        size_t size = span_utf8_size(span_slice(words, at, words.size));
        struct span piece = span_slice(words, at, at + (size == 0 ? 1 : size));
        bool is_fine = size > 0 && has_form(piece);
        const char *form = form_of(piece.text[0], in_attribute);
        if (!is_fine)
            text_add(text, SPAN("\uFFFD"));
        else
            text_add(text, form == NULL ? piece : span_from_text(form));
        is_whole = is_whole && is_fine;
        at += piece.size;
    }
    return is_whole;
}

static void add_escaped(struct markup_text *markup, struct span text, bool in_attribute)
{
    if (!markup_text_escape(markup->text, text, in_attribute))
        markup->is_broken = true;
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
