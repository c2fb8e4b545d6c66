/*
 * xml.c - an XML document as a tree with places, by expat.
 *
 * Expat says where an element begins but not where its attributes stand, so the start tag is
 * looked through once more in the file for the places of its values. That needs the file's
 * own bytes to be the parser's: UTF-8, which the caller's text is.
 */
#include "wire/xml.h"

#include <expat.h>

#include "base/ensure.h"
#include "base/limits.h"

/* Between a namespace and a name in what expat hands out; no address contains it. */
enum { SEPARATOR = '\x1f' };

struct building {
    struct markup markup;
    struct building *parent;
    const struct markup **end; /* where the next child goes */
    struct text text;          /* of the last child, while it is one */
    bool is_in_text;
    struct place text_place;
    size_t start; /* offset in the file */
};

struct reader {
    struct span text;
    struct span file;
    struct arena *arena;
    XML_Parser parser;
    struct building *open; /* the innermost element */
    struct building *root;
    const struct markup_space *spaces;
    const struct markup_space *outer_spaces; /* those around the element that comes next */
    bool has_new_spaces;
    uint32_t depth;
    uint32_t count;
    struct place problem_place;
    const char *problem; /* why the parser was stopped */
};

static struct place current_place(const struct reader *reader)
{
    return (struct place){reader->file, (uint32_t)XML_GetCurrentLineNumber(reader->parser),
                          (uint32_t)XML_GetCurrentColumnNumber(reader->parser) + 1};
}

static size_t current_offset(const struct reader *reader)
{
    XML_Index index = XML_GetCurrentByteIndex(reader->parser);
    return index < 0 || (size_t)index > reader->text.size ? reader->text.size : (size_t)index;
}

static void stop(struct reader *reader, const char *problem)
{
    if (reader->problem != NULL)
        return;
    reader->problem = problem;
    reader->problem_place = current_place(reader);
    XML_StopParser(reader->parser, XML_FALSE);
}

static bool count_part(struct reader *reader)
{
    if (++reader->count <= DEFINITION_NODES_MAX)
        return true;
    stop(reader, "the document has more parts than a definition may have");
    return false;
}

static void split_name(struct reader *reader, const char *full, struct span *space,
                       struct span *name)
{
    struct span text = arena_copy(reader->arena, span_from_text(full));
    const char *separator = memchr(text.text, SEPARATOR, text.size);
    size_t at = separator == NULL ? 0 : (size_t)(separator - text.text);
    *space = span_slice(text, 0, at);
    *name = span_slice(text, separator == NULL ? 0 : at + 1, text.size);
}

/* A walk over the bytes of a start tag that knows its place. */
struct walk {
    struct span text;
    size_t at;
    struct place place;
};

static char peek(const struct walk *walk)
{
    return walk->at < walk->text.size ? walk->text.text[walk->at] : '\0';
}

static void walk_on(struct walk *walk)
{
    unsigned char c = (unsigned char)walk->text.text[walk->at++];
    if (c == '\n') {
        walk->place.line++;
        walk->place.column = 1;
    } else if ((c & 0xc0) != 0x80) {
        walk->place.column++;
    }
}

static void walk_to(struct walk *walk, const char *stops)
{
    while (walk->at < walk->text.size && strchr(stops, peek(walk)) == NULL)
        walk_on(walk);
}

/* The next attribute of the tag in the file that is no declaration; false behind the last. */
static bool find_written(struct walk *walk, struct markup_attribute *attribute)
{
    for (;;) {
        while (walk->at < walk->text.size && strchr(" \t\r\n", peek(walk)) != NULL)
            walk_on(walk);
        size_t start = walk->at;
        walk_to(walk, "=>");
        struct span name = span_trim(span_slice(walk->text, start, walk->at));
        if (peek(walk) != '=')
            return false;
        walk_to(walk, "\"'");
        if (walk->at == walk->text.size)
            return false;
        char quote[] = {peek(walk), '\0'};
        walk_on(walk);
        attribute->place = walk->place;
        start = walk->at;
        walk_to(walk, quote);
        attribute->written = span_slice(walk->text, start, walk->at);
        if (walk->at < walk->text.size)
            walk_on(walk);
        if (!span_is(name, "xmlns") && !span_starts_with(name, SPAN("xmlns:")))
            return true;
    }
}

static void add_attributes(struct reader *reader, struct building *building,
                           const XML_Char **pairs)
{
    const struct markup_attribute **end = &building->markup.attributes;
    struct walk walk = {reader->text, building->start, building->markup.place};
    walk_to(&walk, " \t\r\n>");
    for (; pairs[0] != NULL && count_part(reader); pairs += 2) {
        struct markup_attribute *attribute = arena_new(reader->arena, struct markup_attribute);
        split_name(reader, pairs[0], &attribute->space, &attribute->name);
        attribute->value = arena_copy(reader->arena, span_from_text(pairs[1]));
        attribute->place = building->markup.place;
        find_written(&walk, attribute);
        *end = attribute;
        end = &attribute->next;
    }
}

static void end_text(struct reader *reader, struct building *building)
{
    if (!building->is_in_text)
        return;
    struct markup *text = arena_new(reader->arena, struct markup);
    text->text = text_span(&building->text);
    text->place = building->text_place;
    *building->end = text;
    building->end = &text->next;
    building->is_in_text = false;
}

static void XMLCALL start_element(void *context, const XML_Char *name, const XML_Char **pairs)
{
    struct reader *reader = context;
    if (reader->depth == DEFINITION_DEPTH_MAX)
        stop(reader, "elements nest deeper than a definition may");
    if (reader->problem != NULL || !count_part(reader))
        return;
    struct building *building = arena_new(reader->arena, struct building);
    split_name(reader, name, &building->markup.space, &building->markup.name);
    building->markup.place = current_place(reader);
    building->start = current_offset(reader);
    building->end = &building->markup.children;
    building->parent = reader->open;
    building->markup.spaces = reader->spaces;
    building->markup.outer_spaces =
        reader->has_new_spaces ? reader->outer_spaces : reader->spaces;
    reader->has_new_spaces = false;
    add_attributes(reader, building, pairs);
    if (reader->open == NULL) {
        reader->root = building;
    } else {
        end_text(reader, reader->open);
        *reader->open->end = &building->markup;
        reader->open->end = &building->markup.next;
    }
    reader->open = building;
    reader->depth++;
}

static void XMLCALL end_element(void *context, const XML_Char *name)
{
    struct reader *reader = context;
    (void)name;
    if (reader->problem != NULL)
        return;
    struct building *building = reader->open;
    end_text(reader, building);
    /* An empty element, `<a/>`, ends where its start tag does. */
    size_t end = current_offset(reader) + (size_t)XML_GetCurrentByteCount(reader->parser);
    if (XML_GetCurrentByteCount(reader->parser) == 0) {
        size_t closing = span_find(reader->text, SPAN(">"), current_offset(reader));
        bool is_behind = end > 0 && reader->text.text[end - 1] == '>';
        end = is_behind ? end : closing == SIZE_MAX ? reader->text.size : closing + 1;
    }
    end = end > reader->text.size ? reader->text.size : end;
    building->markup.written = span_slice(reader->text, building->start, end);
    reader->open = building->parent;
    reader->depth--;
}

static void XMLCALL add_characters(void *context, const XML_Char *bytes, int size)
{
    struct reader *reader = context;
    struct building *building = reader->open;
    if (reader->problem != NULL || building == NULL)
        return;
    if (!building->is_in_text && count_part(reader)) {
        text_init(&building->text, reader->arena);
        building->text_place = current_place(reader);
        building->is_in_text = true;
    }
    if (building->is_in_text)
        text_add(&building->text, span_of(bytes, (size_t)size));
}

static void XMLCALL start_space(void *context, const XML_Char *prefix, const XML_Char *uri)
{
    struct reader *reader = context;
    if (reader->problem != NULL || !count_part(reader))
        return;
    if (!reader->has_new_spaces)
        reader->outer_spaces = reader->spaces;
    reader->has_new_spaces = true;
    struct markup_space *space = arena_new(reader->arena, struct markup_space);
    space->prefix = arena_copy(reader->arena, span_from_text(prefix));
    space->space = arena_copy(reader->arena, span_from_text(uri));
    space->outer = reader->spaces;
    reader->spaces = space;
}

static void XMLCALL end_space(void *context, const XML_Char *prefix)
{
    struct reader *reader = context;
    (void)prefix;
    if (reader->problem == NULL && reader->spaces != NULL)
        reader->spaces = reader->spaces->outer;
}

static void XMLCALL refuse_type(void *context, const XML_Char *name, const XML_Char *system,
                                const XML_Char *public, int has_subset)
{
    (void)name;
    (void)system;
    (void)public;
    (void)has_subset;
    stop(context, "a document type (DOCTYPE) is not read, nor are entities declared in it");
}

/* Apart from the reader's owner, so that the jump finds every change made to the reader. */
static bool parse(struct reader *reader)
{
    struct arena_guard guard;
    if (arena_is_spent(reader->arena, &guard)) {
        XML_ParserFree(reader->parser);
        arena_spend(reader->arena);
    }
    enum XML_Status status =
        XML_Parse(reader->parser, reader->text.text, (int)reader->text.size, XML_TRUE);
    arena_release_guard(reader->arena, &guard);
    if (reader->problem == NULL && status != XML_STATUS_OK) {
        reader->problem = XML_ErrorString(XML_GetErrorCode(reader->parser));
        reader->problem_place = current_place(reader);
    }
    return reader->problem == NULL;
}

static void set_handlers(struct reader *reader)
{
    XML_SetUserData(reader->parser, reader);
    XML_SetElementHandler(reader->parser, start_element, end_element);
    XML_SetCharacterDataHandler(reader->parser, add_characters);
    XML_SetNamespaceDeclHandler(reader->parser, start_space, end_space);
    XML_SetStartDoctypeDeclHandler(reader->parser, refuse_type);
}

const struct markup *xml_read(struct span text, struct span file, struct arena *arena,
                              struct diagnostics *diagnostics)
{
    ensure(text.size <= DEFINITION_BYTES_MAX);
    struct reader reader = {.text = text, .file = file, .arena = arena};
    reader.parser = XML_ParserCreateNS("UTF-8", SEPARATOR);
    ensure(reader.parser != NULL);
    set_handlers(&reader);
    bool is_read = parse(&reader);
    XML_ParserFree(reader.parser);
    if (is_read)
        return &reader.root->markup;
    diagnostics_add(diagnostics, SEVERITY_ERROR, "IL0101", reader.problem_place, "%s",
                    reader.problem);
    return NULL;
}
