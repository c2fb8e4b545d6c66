/*
 * markup.c - reading a document's tree.
 */
#include "base/markup.h"

const struct markup_attribute *markup_find(const struct markup *element, const char *name)
{
    const struct markup_attribute *attribute = element->attributes;
    while (attribute != NULL && (attribute->space.size > 0 || !span_is(attribute->name, name)))
        attribute = attribute->next;
    return attribute;
}

struct span markup_value(const struct markup *element, const char *name)
{
    const struct markup_attribute *attribute = markup_find(element, name);
    return attribute == NULL ? SPAN("") : attribute->value;
}

/* What stands for one character of the value: an entity, a character, a line's end. */
static size_t written_size(struct span rest)
{
    if (rest.text[0] == '&') {
        size_t end = span_find(rest, SPAN(";"), 0);
        return end == SIZE_MAX ? 1 : end + 1;
    }
    if (rest.text[0] == '\r' && rest.size > 1 && rest.text[1] == '\n')
        return 2;
    size_t size = span_utf8_size(rest);
    return size == 0 ? 1 : size;
}

struct place markup_value_place(const struct markup_attribute *attribute, size_t offset)
{
    struct place place = attribute->place;
    struct span written = attribute->written;
    size_t at = 0;
    for (size_t i = 0; i < offset && i < attribute->value.size && at < written.size;) {
        struct span rest = span_slice(written, at, written.size);
        size_t size = written_size(rest);
        size_t character =
            span_utf8_size(span_slice(attribute->value, i, attribute->value.size));
        bool ends_line = rest.text[0] == '\n' || rest.text[0] == '\r';
        place.line += ends_line;
        place.column = ends_line             ? 1
                       : rest.text[0] == '&' ? place.column + (uint32_t)size
                                             : place.column + 1;
        at += size;
        i += character == 0 ? 1 : character;
    }
    return place;
}

static void add_text(struct text *text, const struct markup *markup)
{
    text_add(text, markup->text);
    for (const struct markup *child = markup->children; child != NULL; child = child->next)
        add_text(text, child);
}

struct span markup_all_text(const struct markup *element, struct arena *arena)
{
    struct text text;
    text_init(&text, arena);
    add_text(&text, element);
    return text_span(&text);
}

static void add_escaped(struct text *text, struct span value)
{
    for (size_t i = 0; i < value.size; i++) {
        char c = value.text[i];
        if (c == '&')
            text_add(text, SPAN("&amp;"));
        else if (c == '<')
            text_add(text, SPAN("&lt;"));
        else if (c == '"')
            text_add(text, SPAN("&quot;"));
        else
            text_add_byte(text, c);
    }
}

static bool is_declared(const struct markup_space *from, const struct markup_space *to,
                        struct span prefix)
{
    for (; from != to; from = from->outer) {
        if (span_equal(from->prefix, prefix))
            return true;
    }
    return false;
}

/* Every declaration from outside that nothing further in replaces. */
static void add_spaces(struct text *text, const struct markup *element)
{
    const struct markup_space *space = element->outer_spaces;
    for (; space != NULL; space = space->outer) {
        if (is_declared(element->spaces, space, space->prefix))
            continue;
        text_format(text, " xmlns%s%.*s=\"", space->prefix.size > 0 ? ":" : "",
                    SPAN_ARGS(space->prefix));
        add_escaped(text, space->space);
        text_add_byte(text, '"');
    }
}

static size_t name_end(struct span written)
{
    size_t at = 0;
    while (at < written.size && strchr(" \t\r\n/>", written.text[at]) == NULL)
        at++;
    return at;
}

struct span markup_alone(const struct markup *element, struct arena *arena)
{
    struct text text;
    size_t at = name_end(element->written);
    text_init(&text, arena);
    text_add(&text, span_slice(element->written, 0, at));
    add_spaces(&text, element);
    text_add(&text, span_slice(element->written, at, element->written.size));
    return text_span(&text);
}
