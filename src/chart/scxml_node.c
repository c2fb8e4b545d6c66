/*
 * scxml_node.c - building a definition's tree from a document's parts.
 */
#include "base/ensure.h"
#include "base/json.h"
#include "chart/scxml_converter.h"

/* The items, moved to where there is room for one more if there was none. */
static void *grow(struct arena *arena, void *items, uint32_t count, uint32_t *capacity,
                  size_t size)
{
    if (count < *capacity) {
        ensure(items != NULL);
        return items;
    }
    *capacity = *capacity == 0 ? 8 : *capacity * 2;
    void *larger = arena_get_array(arena, *capacity, size);
    if (count > 0)
        memcpy(larger, items, count * size);
    return larger;
}

void scxml_map_add(struct scxml_converter *converter, struct scxml_map *map, struct span key,
                   const struct node *value)
{
    if (value == NULL)
        return;
    for (uint32_t i = 0; i < map->count; i++) {
        if (span_equal(map->entries[i].key, key)) {
            map->entries[i].value = value;
            return;
        }
    }
    map->entries =
        grow(converter->arena, map->entries, map->count, &map->capacity, sizeof *map->entries);
    map->entries[map->count++] =
        (struct node_entry){.key = key, .place = value->place, .value = value};
}

void scxml_list_add(struct scxml_converter *converter, struct scxml_list *list,
                    const struct node *item)
{
    if (item == NULL)
        return;
    list->items = grow(converter->arena, list->items, list->count, &list->capacity,
                       sizeof(const struct node *));
    list->items[list->count++] = item;
}

void scxml_declare(struct scxml_converter *converter, struct span name)
{
    for (uint32_t i = 0; i < converter->variable_count; i++) {
        if (span_equal(converter->variables[i], name))
            return;
    }
    struct span *larger =
        grow(converter->arena, converter->variables, converter->variable_count,
             &converter->variable_capacity, sizeof(struct span));
    converter->variables = larger == NULL ? converter->variables : larger;
    converter->variables[converter->variable_count++] = name;
}

static struct node *new_node(struct scxml_converter *converter, enum node_kind kind,
                             struct place place)
{
    struct node *node = arena_new(converter->arena, struct node);
    node->kind = kind;
    node->place = place;
    return node;
}

const struct node *scxml_map_node(struct scxml_converter *converter,
                                  const struct scxml_map *map)
{
    struct node *node = new_node(converter, NODE_MAP, map->place);
    node->count = map->count;
    node->entries = map->entries;
    return node;
}

const struct node *scxml_list_node(struct scxml_converter *converter,
                                   const struct scxml_list *list)
{
    struct node *node = new_node(converter, NODE_LIST, list->place);
    node->count = list->count;
    node->items = list->items;
    return node;
}

static const struct node *scalar(struct scxml_converter *converter, struct value value,
                                 struct place place)
{
    struct node *node = new_node(converter, NODE_SCALAR, place);
    node->scalar = value;
    return node;
}

const struct node *scxml_string(struct scxml_converter *converter, struct span text,
                                struct place place)
{
    return scalar(converter, value_string(text), place);
}

const struct node *scxml_true(struct scxml_converter *converter, struct place place)
{
    return scalar(converter, value_bool(true), place);
}

const struct node *scxml_expression(struct scxml_converter *converter, struct span cel,
                                    struct place place)
{
    struct scxml_map map = {.place = place};
    scxml_map_add(converter, &map, SPAN("@expr"), scxml_string(converter, cel, place));
    return scxml_map_node(converter, &map);
}

const struct node *scxml_foreign(struct scxml_converter *converter, struct span text,
                                 struct place place)
{
    struct scxml_map map = {.place = place};
    scxml_map_add(converter, &map, SPAN("@expr"), scxml_string(converter, text, place));
    scxml_map_add(converter, &map, SPAN("@lang"),
                  scxml_string(converter, SPAN("ecmascript"), place));
    return scxml_map_node(converter, &map);
}

/* XML that scripts see as elements, and everybody else as its text. */
static const struct node *xml_node(struct scxml_converter *converter, struct span text,
                                   struct place place)
{
    struct scxml_map map = {.place = place};
    if (!converter->keeps_scripts)
        return scxml_text(converter, text, place);
    scxml_map_add(converter, &map, SPAN("@xml"), scxml_text(converter, text, place));
    return scxml_map_node(converter, &map);
}

/* A text in a slot would be looked through for `${`. */
const struct node *scxml_text(struct scxml_converter *converter, struct span text,
                              struct place place)
{
    if (span_find(text, SPAN("${"), 0) == SIZE_MAX)
        return scxml_string(converter, text, place);
    return scxml_expression(converter, ecma_quote(text, converter->arena), place);
}

const struct node *scxml_literal(struct scxml_converter *converter, struct value value,
                                 struct place place)
{
    struct scxml_list list = {.place = place};
    struct scxml_map map = {.place = place};
    if (value.kind == VALUE_STRING)
        return scxml_text(converter, value_span(value), place);
    if (value.kind != VALUE_LIST && value.kind != VALUE_MAP)
        return scalar(converter, value, place);
    for (uint32_t i = 0; i < value.count; i++) {
        if (value.kind == VALUE_LIST)
            scxml_list_add(converter, &list, scxml_literal(converter, value.items[i], place));
        else
            scxml_map_add(converter, &map, value_span(value.entries[i].key),
                          scxml_literal(converter, value.entries[i].value, place));
    }
    return value.kind == VALUE_LIST ? scxml_list_node(converter, &list)
                                    : scxml_map_node(converter, &map);
}

const struct node *scxml_failure(struct scxml_converter *converter, struct span message,
                                 struct place place)
{
    struct span quoted = ecma_quote(message, converter->arena);
    struct span cel = text_print(converter->arena, "ecma.fail(%.*s)", SPAN_ARGS(quoted));
    return scxml_expression(converter, cel, place);
}

struct diagnostic *scxml_error(struct scxml_converter *converter, const char *code,
                               struct place place, const char *format, ...)
{
    struct text message;
    va_list arguments;
    text_init(&message, converter->arena);
    va_start(arguments, format);
    text_format_list(&message, format, arguments);
    va_end(arguments);
    return diagnostics_add(converter->diagnostics, SEVERITY_ERROR, code, place, "%.*s",
                           SPAN_ARGS(text_span(&message)));
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct span scxml_next_word(struct span *rest)
{
    size_t start = 0;
    while (start < rest->size && is_blank(rest->text[start]))
        start++;
    size_t end = start;
    while (end < rest->size && !is_blank(rest->text[end]))
        end++;
    struct span word = span_slice(*rest, start, end);
    *rest = span_slice(*rest, end, rest->size);
    return word;
}

/* Without the blanks around, and with single ones inside. */
static struct span normal_text(struct scxml_converter *converter, struct span text)
{
    struct text normal;
    struct span word;
    text_init(&normal, converter->arena);
    while ((word = scxml_next_word(&text)).size > 0) {
        if (normal.size > 0)
            text_add_byte(&normal, ' ');
        text_add(&normal, word);
    }
    return text_span(&normal);
}

const struct node *scxml_parsed(struct scxml_converter *converter, struct span text,
                                struct place place)
{
    struct json_error error;
    struct value value;
    if (span_starts_with(span_trim(text), SPAN("<")))
        return xml_node(converter, span_trim(text), place);
    if (json_read(text, converter->arena, &value, &error) == STATUS_OK)
        return scxml_literal(converter, value, place);
    return scxml_text(converter, normal_text(converter, text), place);
}

const struct node *scxml_inline(struct scxml_converter *converter, const struct markup *element)
{
    const struct markup *child = element->children;
    while (child != NULL && !markup_is_element(child))
        child = child->next;
    if (child != NULL)
        return xml_node(converter, markup_alone(child, converter->arena), child->place);
    struct place place = element->children == NULL ? element->place : element->children->place;
    return scxml_parsed(converter, markup_all_text(element, converter->arena), place);
}

bool scxml_read_file(struct scxml_converter *converter, struct span uri, struct span *text)
{
    struct span path = uri;
    if (span_starts_with(path, SPAN("file:")))
        path = span_slice(path, 5, path.size);
    if (span_starts_with(path, SPAN("//")))
        path = span_slice(path, 2, path.size);
    return converter->files != NULL &&
           converter->files->read(converter->files->context, path, converter->arena, text);
}
