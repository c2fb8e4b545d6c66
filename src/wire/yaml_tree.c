/*
 * yaml_tree.c - from libyaml's events to a tree.
 *
 * Why events and not libyaml's documents: documents lose the place of keys, allocate without a
 * limit and leave aliases to the caller. Here an alias is a second pointer to the node that it
 * names (the tree never changes), and every node knows what it costs once all aliases in it are
 * written out, so that a bomb of aliases is refused by addition, before anything grows.
 *
 * libyaml reads YAML 1.1. The differences that matter are decided here: unquoted words
 * (yaml_scalar.c), merge keys, which 1.2 does not have, and three characters that were line
 * breaks.
 *
 * libyaml owns memory outside the arena. So the reader sets its own guard, and a jump releases
 * the parser before it goes on. No diagnostic is added while the parser lives, because that may
 * jump through another arena.
 *
 * Always: reader->nodes is the number of nodes read so far with aliases written out.
 */
#include "wire/yaml_tree.h"

#include <stdlib.h>
#include <yaml.h>

#include "base/ensure.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/table.h"
#include "base/text.h"
#include "wire/yaml_scalar.h"

#define TAG_PREFIX "tag:yaml.org,2002:"

/* A node, and what it costs once every alias in it is written out. */
struct built {
    struct node node; /* first, so that a node of ours leads back to it */
    uint32_t nodes;
    uint32_t height; /* nesting of lists and maps: 0 for a scalar */
};

/* NULL while the node it names is being read. */
struct anchor {
    const struct built *built;
};

/* Children in the order written, until their number is known. */
struct child {
    struct node_entry entry; /* the value alone in a list */
    struct child *next;
};

struct children {
    struct child *first;
    struct child **end;
    uint32_t count;
};

struct failure {
    struct place place;
    struct span message;
    struct span help;
};

struct reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the one being looked at */
    struct table anchors;
    struct span text;
    struct span file;
    struct arena *arena;
    size_t character; /* libyaml's marks count characters: this one ... */
    size_t offset;    /* ... stands here; scalars come in the order of the file */
    uint32_t nodes;
    struct failure failure;
};

static const struct built *read_node(struct reader *reader, uint32_t depth);

/* Remembers the first thing wrong; always false. */
__attribute__((format(printf, 4, 5))) static bool
fail(struct reader *reader, struct place place, const char *help, const char *format, ...)
{
    struct text message;
    text_init(&message, reader->arena);
    va_list arguments;
    va_start(arguments, format);
    text_format_list(&message, format, arguments);
    va_end(arguments);
    reader->failure = (struct failure){place, text_span(&message), span_from_text(help)};
    return false;
}

static struct place place_of(const struct reader *reader, yaml_mark_t mark)
{
    return (struct place){reader->file, (uint32_t)mark.line + 1, (uint32_t)mark.column + 1};
}

static struct place event_place(const struct reader *reader)
{
    return place_of(reader, reader->event.start_mark);
}

/* The first bytes of a text, for a message. */
static struct span shown(struct span text)
{
    enum { SHOWN_BYTES_MAX = 60 };
    if (text.size <= SHOWN_BYTES_MAX)
        return text;
    size_t size = SHOWN_BYTES_MAX;
    while (size > 0 && ((unsigned char)text.text[size] & 0xc0) == 0x80)
        size--;
    return span_of(text.text, size);
}

/* What libyaml says, in the words of somebody who writes a definition. */
struct rewording {
    const char *theirs;
    const char *ours;
    const char *help;
};

static const struct rewording REWORDINGS[] = {
    {"mapping values are not allowed in this context", "a ':' is not expected here",
     "put text that contains ': ' into quotes; the keys of a map start in the same column"},
    {"did not find expected key", "expected a key",
     "the keys of a map start in the same column"},
    {"did not find expected '-' indicator", "expected '-'",
     "the items of a list start in the same column"},
    {"did not find expected ',' or '}'", "expected ',' or '}'", NULL},
    {"did not find expected ',' or ']'", "expected ',' or ']'", NULL},
    {"did not find expected node content", "expected a value", NULL},
    {"could not find expected ':'", "expected ':' behind the key", NULL},
    {"did not find expected <document start>", "expected the end of the file", NULL},
    {"block sequence entries are not allowed in this context", "a list is not expected here",
     "start the list on a line of its own"},
    {"found unknown escape character", "there is no such escape in double quotes",
     "in single quotes a backslash is a backslash"},
    {"control characters are not allowed", "control characters are not allowed",
     "in double quotes they are written as \\x00"},
};

static const struct rewording *find_rewording(const char *problem)
{
    for (size_t i = 0; i < sizeof REWORDINGS / sizeof *REWORDINGS; i++) {
        if (strcmp(REWORDINGS[i].theirs, problem) == 0)
            return &REWORDINGS[i];
    }
    return NULL;
}

/* The byte at a mark, which counts characters; NUL at the end. */
static char byte_at(struct span text, size_t characters)
{
    for (size_t i = 0; i < text.size; i++) {
        if (((unsigned char)text.text[i] & 0xc0) == 0x80)
            continue;
        if (characters-- == 0)
            return text.text[i];
    }
    return '\0';
}

static bool fail_on_character(struct reader *reader, struct place place, char c)
{
    if (c == '\t')
        return fail(reader, place, "indent with spaces", "a tab cannot indent");
    return fail(reader, place, "put it into quotes", "a value cannot start with '%c'", c);
}

/* libyaml's context is "while parsing a block mapping" and the like. */
static const char *context_noun(const char *context)
{
    if (strstr(context, "mapping") != NULL)
        return "the map";
    if (strstr(context, "sequence") != NULL || strstr(context, "collection") != NULL)
        return "the list";
    return "the text";
}

/* Says what libyaml did not like. */
static bool fail_as_parser(struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    const char *problem = parser->problem == NULL ? "the memory is used up" : parser->problem;
    struct place place = place_of(reader, parser->problem_mark);
    if (parser->error == YAML_READER_ERROR)
        place = json_place(reader->text, parser->problem_offset, reader->file);
    char c = byte_at(reader->text, parser->problem_mark.index);
    if (parser->error != YAML_READER_ERROR && c == '\0') /* libyaml invents a last line break */
        place = json_place(reader->text, reader->text.size, reader->file);
    if (strcmp(problem, "found character that cannot start any token") == 0 && c != '\0')
        return fail_on_character(reader, place, c);
    if (c == '\t' && strstr(problem, "tab character") != NULL)
        return fail_on_character(reader, place, c);
    if (strcmp(problem, "found unexpected end of stream") == 0)
        return fail(reader, place_of(reader, parser->context_mark), NULL,
                    "the quote that starts here is never closed");
    const struct rewording *rewording = find_rewording(problem);
    const char *help = rewording == NULL ? NULL : rewording->help;
    const char *words = rewording == NULL ? problem : rewording->ours;
    if (parser->context == NULL || parser->context_mark.line == parser->problem_mark.line)
        return fail(reader, place, help, "%s", words);
    return fail(reader, place, help, "%s, in %s that starts at line %zu", words,
                context_noun(parser->context), parser->context_mark.line + 1);
}

static bool next(struct reader *reader)
{
    yaml_event_delete(&reader->event);
    return yaml_parser_parse(&reader->parser, &reader->event) ? true : fail_as_parser(reader);
}

static struct span event_text(const struct reader *reader)
{
    ensure(reader->event.type == YAML_SCALAR_EVENT);
    return span_of((const char *)reader->event.data.scalar.value,
                   reader->event.data.scalar.length);
}

/* Counts nodes as if every alias were written out. */
static bool count_nodes(struct reader *reader, uint32_t count)
{
    if (count > DEFINITION_NODES_MAX - reader->nodes)
        return fail(reader, event_place(reader), NULL,
                    "more than %d values once aliases are written out", DEFINITION_NODES_MAX);
    reader->nodes += count;
    return true;
}

static bool check_depth(struct reader *reader, uint32_t depth)
{
    if (depth > DEFINITION_DEPTH_MAX)
        return fail(reader, event_place(reader), NULL, "lists and maps nest deeper than %d",
                    DEFINITION_DEPTH_MAX);
    return true;
}

static struct built *add_node(struct reader *reader, enum node_kind kind)
{
    if (!count_nodes(reader, 1))
        return NULL;
    struct built *built = arena_new(reader->arena, struct built);
    built->node.kind = kind;
    built->node.place = event_place(reader);
    built->nodes = 1;
    built->height = kind == NODE_SCALAR ? 0 : 1;
    return built;
}

static const char *event_anchor(const struct reader *reader)
{
    const yaml_event_t *event = &reader->event;
    if (event->type == YAML_SCALAR_EVENT)
        return (const char *)event->data.scalar.anchor;
    if (event->type == YAML_SEQUENCE_START_EVENT)
        return (const char *)event->data.sequence_start.anchor;
    ensure(event->type == YAML_MAPPING_START_EVENT);
    return (const char *)event->data.mapping_start.anchor;
}

/* The anchor that the event declares, or NULL. A later one of the same name replaces it. */
static struct anchor *declare_anchor(struct reader *reader)
{
    struct span name = span_from_text(event_anchor(reader));
    if (name.size == 0)
        return NULL;
    table_remove(&reader->anchors, name);
    struct anchor *anchor = arena_new(reader->arena, struct anchor);
    table_add(&reader->anchors, arena_copy(reader->arena, name), anchor);
    return anchor;
}

static const struct built *read_alias(struct reader *reader, uint32_t depth)
{
    struct span name = span_from_text((const char *)reader->event.data.alias.anchor);
    const struct anchor *anchor = table_find(&reader->anchors, name);
    struct place place = event_place(reader);
    if (anchor == NULL) {
        fail(reader, place, NULL, "there is no anchor `&%.*s` before this alias",
             SPAN_ARGS(shown(name)));
        return NULL;
    }
    if (anchor->built == NULL) {
        fail(reader, place, NULL, "the alias `*%.*s` stands inside of what it names",
             SPAN_ARGS(shown(name)));
        return NULL;
    }
    if (!check_depth(reader, depth + anchor->built->height) ||
        !count_nodes(reader, anchor->built->nodes))
        return NULL;
    return anchor->built;
}

static const struct {
    const char *tag;
    enum value_kind kind;
} SCALAR_TAGS[] = {
    {TAG_PREFIX "str", VALUE_STRING},   {TAG_PREFIX "int", VALUE_INT},
    {TAG_PREFIX "float", VALUE_DOUBLE}, {TAG_PREFIX "bool", VALUE_BOOL},
    {TAG_PREFIX "null", VALUE_NULL},    {"!", VALUE_STRING},
};

/* A tag as it is usually written: !!str. */
static bool fail_on_tag(struct reader *reader, const char *tag)
{
    struct span text = span_from_text(tag);
    bool standard = span_starts_with(text, SPAN(TAG_PREFIX));
    if (standard)
        text = span_slice(text, sizeof TAG_PREFIX - 1, text.size);
    return fail(reader, event_place(reader), "only !!str, !!int, !!float, !!bool and !!null",
                "the tag %s%.*s cannot be used here", standard ? "!!" : "",
                SPAN_ARGS(shown(text)));
}

/* The value of the scalar event, whose bytes were copied to text. */
static bool resolve_scalar(struct reader *reader, struct span text, struct value *value)
{
    const char *tag = (const char *)reader->event.data.scalar.tag;
    const char *wrong = NULL;
    if (tag == NULL && reader->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE) {
        *value = value_string(text);
        return true;
    }
    if (tag == NULL) {
        wrong = yaml_scalar_resolve(text, value);
    } else {
        size_t i = 0;
        while (i < sizeof SCALAR_TAGS / sizeof *SCALAR_TAGS &&
               strcmp(SCALAR_TAGS[i].tag, tag) != 0)
            i++;
        if (i == sizeof SCALAR_TAGS / sizeof *SCALAR_TAGS)
            return fail_on_tag(reader, tag);
        wrong = yaml_scalar_resolve_as(text, SCALAR_TAGS[i].kind, value);
    }
    if (wrong != NULL)
        return fail(reader, event_place(reader), "as a text it is written in quotes", "%.*s %s",
                    SPAN_ARGS(shown(text)), wrong);
    return true;
}

static size_t offset_of(struct reader *reader, yaml_mark_t mark)
{
    const char *text = reader->text.text;
    while (reader->character < mark.index && reader->offset < reader->text.size) {
        reader->offset++;
        while (reader->offset < reader->text.size &&
               ((unsigned char)text[reader->offset] & 0xc0) == 0x80)
            reader->offset++;
        reader->character++;
    }
    return reader->offset;
}

static void keep_written(struct reader *reader, struct node *scalar)
{
    size_t start = offset_of(reader, reader->event.start_mark);
    size_t end = offset_of(reader, reader->event.end_mark);
    if (node_is_string(scalar))
        node_keep_written(scalar, span_slice(reader->text, start, end), reader->arena);
}

static const struct built *read_scalar(struct reader *reader)
{
    struct built *built = add_node(reader, NODE_SCALAR);
    if (built == NULL)
        return NULL;
    struct span text = arena_copy(reader->arena, event_text(reader));
    yaml_scalar_style_t style = reader->event.data.scalar.style;
    built->node.is_quoted =
        style == YAML_SINGLE_QUOTED_SCALAR_STYLE || style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    if (!resolve_scalar(reader, text, &built->node.scalar))
        return NULL;
    keep_written(reader, &built->node);
    return built;
}

static void children_init(struct children *children)
{
    *children = (struct children){0};
    children->end = &children->first;
}

static void add_child(struct reader *reader, struct built *parent, struct children *children,
                      struct node_entry entry)
{
    struct child *child = arena_new(reader->arena, struct child);
    child->entry = entry;
    *children->end = child;
    children->end = &child->next;
    children->count++;
    const struct built *value = (const struct built *)entry.value;
    parent->nodes += value->nodes;
    if (parent->height <= value->height)
        parent->height = value->height + 1;
}

static void finish_list(struct reader *reader, struct built *list, struct children *children)
{
    const struct node **items =
        arena_new_array(reader->arena, children->count, const struct node *);
    uint32_t count = 0;
    for (const struct child *child = children->first; child != NULL; child = child->next)
        items[count++] = child->entry.value;
    list->node.items = items;
    list->node.count = count;
}

static const struct built *read_list(struct reader *reader, uint32_t depth)
{
    const char *tag = (const char *)reader->event.data.sequence_start.tag;
    if (tag != NULL && strcmp(tag, TAG_PREFIX "seq") != 0) {
        fail_on_tag(reader, tag);
        return NULL;
    }
    struct built *list = check_depth(reader, depth) ? add_node(reader, NODE_LIST) : NULL;
    struct children children;
    children_init(&children);
    while (list != NULL) {
        if (!next(reader))
            return NULL;
        if (reader->event.type == YAML_SEQUENCE_END_EVENT)
            break;
        const struct built *item = read_node(reader, depth + 1);
        if (item == NULL)
            return NULL;
        add_child(reader, list, &children, (struct node_entry){.value = &item->node});
    }
    if (list != NULL)
        finish_list(reader, list, &children);
    return list;
}

/* By key, equal keys in the order written. */
static int compare_entries(const void *a, const void *b)
{
    const struct node_entry *left = *(const struct node_entry *const *)a;
    const struct node_entry *right = *(const struct node_entry *const *)b;
    int order = span_compare(left->key, right->key);
    return order != 0 ? order : (left > right) - (left < right);
}

/* Sorts, because comparing each key with each is slow where somebody wants it to be. */
static bool check_keys(struct reader *reader, const struct node *map)
{
    const struct node_entry **sorted =
        arena_new_array(reader->arena, map->count, const struct node_entry *);
    for (uint32_t i = 0; i < map->count; i++)
        sorted[i] = &map->entries[i];
    qsort(sorted, map->count, sizeof *sorted, compare_entries);
    for (uint32_t i = 1; i < map->count; i++) {
        const struct node_entry *first = sorted[i - 1];
        if (span_equal(first->key, sorted[i]->key))
            return fail(reader, sorted[i]->place, NULL,
                        "the key `%.*s` is already in this map, at line %u column %u",
                        SPAN_ARGS(shown(first->key)), first->place.line, first->place.column);
    }
    return true;
}

static bool finish_map(struct reader *reader, struct built *map, struct children *children)
{
    struct node_entry *entries =
        arena_new_array(reader->arena, children->count, struct node_entry);
    uint32_t count = 0;
    for (const struct child *child = children->first; child != NULL; child = child->next)
        entries[count++] = child->entry;
    map->node.entries = entries;
    map->node.count = count;
    return check_keys(reader, &map->node);
}

/* A key is a scalar, taken as its text: `1` and "1" are the same key. */
static bool read_key(struct reader *reader, struct node_entry *entry)
{
    struct place place = event_place(reader);
    if (reader->event.type == YAML_ALIAS_EVENT)
        return fail(reader, place, NULL, "an alias cannot be a key");
    if (reader->event.type != YAML_SCALAR_EVENT)
        return fail(reader, place, "a '{' that starts a value may need quotes",
                    "a list or a map cannot be a key");
    bool plain = reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (plain && span_is(event_text(reader), "<<"))
        return fail(reader, place,
                    "YAML 1.2 has none: repeat the keys, or give '&' a whole value",
                    "merge keys (`<<`) are not supported");
    const char *tag = (const char *)reader->event.data.scalar.tag;
    if (tag != NULL && strcmp(tag, TAG_PREFIX "str") != 0)
        return fail_on_tag(reader, tag);
    entry->place = place;
    entry->key = arena_copy(reader->arena, event_text(reader));
    struct anchor *anchor = declare_anchor(reader);
    struct built *built = anchor == NULL ? NULL : add_node(reader, NODE_SCALAR);
    if (anchor != NULL && built == NULL)
        return false;
    if (anchor != NULL) {
        built->node.scalar = value_string(entry->key);
        anchor->built = built;
    }
    return true;
}

static const struct built *read_map(struct reader *reader, uint32_t depth)
{
    const char *tag = (const char *)reader->event.data.mapping_start.tag;
    if (tag != NULL && strcmp(tag, TAG_PREFIX "map") != 0) {
        fail_on_tag(reader, tag);
        return NULL;
    }
    struct built *map = check_depth(reader, depth) ? add_node(reader, NODE_MAP) : NULL;
    struct children children;
    children_init(&children);
    while (map != NULL) {
        if (!next(reader))
            return NULL;
        if (reader->event.type == YAML_MAPPING_END_EVENT)
            break;
        struct node_entry entry = {0};
        if (!read_key(reader, &entry) || !next(reader))
            return NULL;
        const struct built *value = read_node(reader, depth + 1);
        if (value == NULL)
            return NULL;
        entry.value = &value->node;
        add_child(reader, map, &children, entry);
    }
    return map != NULL && finish_map(reader, map, &children) ? map : NULL;
}

/* The node that begins with the current event; depth is what it has if it is a list or a map.
 */
static const struct built *read_node(struct reader *reader, uint32_t depth)
{
    yaml_event_type_t type = reader->event.type;
    if (type == YAML_ALIAS_EVENT)
        return read_alias(reader, depth - 1);
    struct anchor *anchor = declare_anchor(reader);
    const struct built *built = type == YAML_SCALAR_EVENT           ? read_scalar(reader)
                                : type == YAML_SEQUENCE_START_EVENT ? read_list(reader, depth)
                                                                    : read_map(reader, depth);
    if (anchor != NULL)
        anchor->built = built;
    return built;
}

/* NEL, LS and PS break lines in YAML 1.1 and not in 1.2, so libyaml would read another text. */
static bool check_breaks(struct reader *reader)
{
    static const struct {
        struct span bytes;
        const char *name;
    } BREAKS[] = {{{"\xc2\x85", 2}, "0085"},
                  {{"\xe2\x80\xa8", 3}, "2028"},
                  {{"\xe2\x80\xa9", 3}, "2029"}};
    for (size_t i = 0; i < sizeof BREAKS / sizeof *BREAKS; i++) {
        size_t offset = span_find(reader->text, BREAKS[i].bytes, 0);
        if (offset != SIZE_MAX)
            return fail(reader, json_place(reader->text, offset, reader->file),
                        "write it as an escape in double quotes",
                        "the character U+%s cannot stand in YAML as it is", BREAKS[i].name);
    }
    return true;
}

static const struct built *read_document(struct reader *reader)
{
    if (!check_breaks(reader) || !next(reader) || !next(reader)) /* past the stream's start */
        return NULL;
    if (reader->event.type == YAML_STREAM_END_EVENT) {
        fail(reader, (struct place){reader->file, 1, 1}, NULL, "the file is empty");
        return NULL;
    }
    ensure(reader->event.type == YAML_DOCUMENT_START_EVENT);
    const struct built *root = next(reader) ? read_node(reader, 1) : NULL;
    if (root == NULL || !next(reader)) /* past the document's end */
        return NULL;
    ensure(reader->event.type == YAML_DOCUMENT_END_EVENT);
    if (!next(reader))
        return NULL;
    if (reader->event.type == YAML_STREAM_END_EVENT)
        return root;
    fail(reader, event_place(reader), "a definition is one document",
         "a second document starts here");
    return NULL;
}

static void reader_fini(struct reader *reader)
{
    yaml_event_delete(&reader->event);
    yaml_parser_delete(&reader->parser);
    table_fini(&reader->anchors);
}

/* Apart from the reader's owner, so that the jump finds every change made to the reader. */
static const struct built *read_guarded(struct reader *reader)
{
    struct arena_guard guard;
    if (arena_is_spent(reader->arena, &guard)) {
        reader_fini(reader);
        arena_spend(reader->arena);
    }
    const struct built *root = read_document(reader);
    arena_release_guard(reader->arena, &guard);
    return root;
}

const struct node *yaml_tree_read(struct span text, struct span file, struct arena *arena,
                                  struct diagnostics *diagnostics)
{
    ensure(text.size <= DEFINITION_BYTES_MAX);
    struct reader reader = {.text = text, .file = file, .arena = arena};
    table_init(&reader.anchors);
    ensure(yaml_parser_initialize(&reader.parser));
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text.text, text.size);
    const struct built *root = read_guarded(&reader);
    reader_fini(&reader);
    if (root != NULL)
        return &root->node;
    struct diagnostic *added =
        diagnostics_add(diagnostics, SEVERITY_ERROR, "IL0101", reader.failure.place, "%.*s",
                        SPAN_ARGS(reader.failure.message));
    added->help = reader.failure.help;
    return NULL;
}
