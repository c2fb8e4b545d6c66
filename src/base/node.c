/*
 * node.c - reading a definition's tree.
 */
#include "base/node.h"

#include "base/digit.h"
#include "base/ensure.h"

const struct node *node_find(const struct node *map, struct span key)
{
    if (map == NULL || map->kind != NODE_MAP)
        return NULL;
    for (uint32_t i = 0; i < map->count; i++) {
        if (span_equal(map->entries[i].key, key))
            return map->entries[i].value;
    }
    return NULL;
}

bool node_is_string(const struct node *node)
{
    return node != NULL && node->kind == NODE_SCALAR && node->scalar.kind == VALUE_STRING;
}

struct span node_text(const struct node *node)
{
    ensure(node_is_string(node));
    return value_span(node->scalar);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_inside_character(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

static struct place advance(struct place place, struct span over)
{
    for (size_t i = 0; i < over.size; i++) {
        if (over.text[i] == '\n') {
            place.line++;
            place.column = 1;
        } else {
            place.column += !is_inside_character(over.text[i]);
        }
    }
    return place;
}

static size_t skip(struct span text, size_t at, bool blanks)
{
    while (at < text.size && is_blank(text.text[at]) == blanks)
        at++;
    return at;
}

/* Behind anchor, tag, quote or a block's header; *quote is 0 where there is none. */
static size_t find_text(struct span written, char *quote)
{
    size_t at = 0;
    while (at < written.size && (written.text[at] == '&' || written.text[at] == '!'))
        at = skip(written, skip(written, at, false), true);
    char first = at < written.size ? written.text[at] : '\0';
    *quote = first == '"' || first == '\'' ? first : '\0';
    if (first != '|' && first != '>')
        return at + (*quote != '\0');
    size_t header_end = span_find(written, SPAN("\n"), at);
    return header_end == SIZE_MAX ? written.size : header_end + 1;
}

static uint32_t hex_number(struct span digits)
{
    uint32_t number = 0;
    for (size_t i = 0; i < digits.size; i++) {
        number = number << 4 | (digit_value(digits.text[i]) & 0xf);
    }
    return number;
}

/* The size of an escape in double quotes, in YAML or JSON, where two halves are one character.
 */
static size_t escape_size(struct span rest, bool *stands_for_blank)
{
    *stands_for_blank = false;
    char kind = rest.size > 1 ? rest.text[1] : '\0';
    size_t digits = kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : 0;
    if (rest.size < 2 + digits)
        return rest.size;
    uint32_t number = hex_number(span_slice(rest, 2, 2 + digits));
    bool is_half = digits == 4 && number >= 0xd800 && number < 0xdc00 && rest.size >= 12;
    *stands_for_blank = digits > 0
                            ? number < 0x80 && is_blank((char)number)
                            : is_blank(kind) || kind == 'n' || kind == 't' || kind == 'r';
    return is_half ? 12 : 2 + digits;
}

/* The size of what stands for one character of the text, or for a blank that may be none. */
static size_t written_size(struct span rest, char quote, bool *stands_for_blank)
{
    *stands_for_blank = is_blank(rest.text[0]);
    if (quote == '"' && rest.text[0] == '\\')
        return escape_size(rest, stands_for_blank);
    if (quote == '\'' && rest.text[0] == '\'' && rest.size > 1)
        return 2;
    size_t size = 1;
    while (size < rest.size && is_inside_character(rest.text[size]))
        size++;
    return size;
}

static size_t count_unblank(struct span text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += !is_blank(text.text[i]) && !is_inside_character(text.text[i]);
    return count;
}

/* Indentation, folding and escapes change only blanks and how a character is written: the n-th
 * character that is no blank is the n-th in the file too. */
static struct place find_written(const struct node *node, size_t offset)
{
    char quote;
    struct span text = node_text(node);
    struct span written = node->written;
    size_t before = count_unblank(span_slice(text, 0, offset));
    bool is_at_one = offset < text.size && !is_blank(text.text[offset]);
    size_t at = find_text(written, &quote);
    while (at < written.size && (before > 0 || is_at_one)) {
        bool stands_for_blank;
        struct span rest = span_slice(written, at, written.size);
        size_t size = written_size(rest, quote, &stands_for_blank);
        if (!stands_for_blank && before == 0)
            break;
        before -= !stands_for_blank;
        at += size;
    }
    return advance(node->place, span_slice(written, 0, at));
}

struct place node_text_place(const struct node *node, size_t offset)
{
    struct place place = node->place;
    struct span text = node_text(node);
    if (place.line == 0)
        return place;
    if (node->written.size > 0)
        return find_written(node, offset);
    place.column += node->is_quoted;
    return advance(place, span_slice(text, 0, offset));
}

void node_keep_written(struct node *node, struct span written, struct arena *arena)
{
    size_t start = written.size > 0 && node->is_quoted;
    bool is_same = span_starts_with(span_slice(written, start, written.size), node_text(node));
    node->written = is_same ? (struct span){0} : arena_copy(arena, written);
}

static struct value list_value(const struct node *node, struct arena *arena)
{
    struct value *items = arena_new_array(arena, node->count, struct value);
    for (uint32_t i = 0; i < node->count; i++)
        items[i] = node_value(node->items[i], arena);
    return value_list(items, node->count);
}

static struct value map_value(const struct node *node, struct arena *arena)
{
    struct value_entry *entries = arena_new_array(arena, node->count, struct value_entry);
    for (uint32_t i = 0; i < node->count; i++) {
        entries[i].key = value_string(node->entries[i].key);
        entries[i].value = node_value(node->entries[i].value, arena);
    }
    return value_map(entries, node->count);
}

struct value node_value(const struct node *node, struct arena *arena)
{
    switch (node->kind) {
    case NODE_SCALAR:
        return node->scalar;
    case NODE_LIST:
        return list_value(node, arena);
    case NODE_MAP:
        return map_value(node, arena);
    }
    never();
}

const char *node_kind_name(const struct node *node)
{
    if (node->kind == NODE_MAP)
        return "a map";
    if (node->kind == NODE_LIST)
        return "a list";
    if (node->scalar.kind == VALUE_STRING)
        return "a string";
    if (node->scalar.kind == VALUE_BOOL)
        return "true or false";
    return node->scalar.kind == VALUE_NULL ? "null" : "a number";
}
