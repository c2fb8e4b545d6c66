/*
 * schema_read.c - schemas from definition files.
 *
 * All $defs get their place before any is read, so that they may refer to each other and to
 * themselves. Recursion is bounded by the nesting of the file.
 */
#include <math.h>

#include "base/ensure.h"
#include "expr/schema_model.h"

struct definition {
    struct span name;
    struct schema *schema;
};

struct reader {
    struct arena *arena;
    struct diagnostics *diagnostics;
    struct schema *root;
    struct definition *definitions;
    uint32_t definition_count;
};

typedef void keyword_reader(struct reader *reader, struct schema *schema,
                            const struct node *node);

struct keyword {
    struct span name;
    keyword_reader *read; /* NULL: allowed, and means nothing */
};

static const struct schema *read_schema(struct reader *reader, const struct node *node);

static void refuse(struct reader *reader, const struct node *node, const char *wanted)
{
    diagnostics_add(reader->diagnostics, SEVERITY_ERROR, "IL0104", node->place, "%s, not %s",
                    wanted, node_kind_name(node));
}

/* Of the right kind, and still not what is wanted. */
static void refuse_value(struct reader *reader, const struct node *node, const char *wanted)
{
    diagnostics_add(reader->diagnostics, SEVERITY_ERROR, "IL0104", node->place, "%s", wanted);
}

static struct schema *new_schema(struct reader *reader)
{
    struct schema *schema = arena_new(reader->arena, struct schema);
    struct value none = {.kind = VALUE_ERROR};
    *schema = (struct schema){
        .values = none,
        .properties_max = UINT64_MAX,
        .items_max = UINT64_MAX,
        .length_max = UINT64_MAX,
        .minimum = none,
        .maximum = none,
        .above = none,
        .below = none,
        .multiple_of = none,
    };
    return schema;
}

/* Types and values */

static const struct span kind_names[] = {
    SPAN_INIT("null"),   SPAN_INIT("boolean"), SPAN_INIT("integer"), SPAN_INIT("number"),
    SPAN_INIT("string"), SPAN_INIT("array"),   SPAN_INIT("object"),
};

enum { KIND_NAMES = sizeof kind_names / sizeof kind_names[0] };

static void read_kind(struct reader *reader, struct schema *schema, const struct node *node)
{
    if (!node_is_string(node)) {
        refuse(reader, node, "a type is a name such as string");
        return;
    }
    for (uint32_t i = 0; i < KIND_NAMES; i++) {
        if (span_equal(node_text(node), kind_names[i])) {
            schema->kinds |= 1u << i;
            return;
        }
    }
    struct diagnostic *error =
        diagnostics_add(reader->diagnostics, SEVERITY_ERROR, "IL0104", node->place,
                        "there is no type `%.*s`", SPAN_ARGS(node_text(node)));
    diagnostic_suggest(reader->diagnostics, error, node_text(node), kind_names, KIND_NAMES);
}

static void read_type(struct reader *reader, struct schema *schema, const struct node *node)
{
    if (node->kind != NODE_LIST) {
        read_kind(reader, schema, node);
        return;
    }
    if (node->count == 0)
        refuse_value(reader, node, "`type` is a name or several of them");
    for (uint32_t i = 0; i < node->count; i++)
        read_kind(reader, schema, node->items[i]);
}

static void read_enum(struct reader *reader, struct schema *schema, const struct node *node)
{
    if (node->kind != NODE_LIST)
        refuse(reader, node, "`enum` is a list of values");
    else if (node->count == 0)
        refuse_value(reader, node, "`enum` has at least one value");
    else
        schema->values = node_value(node, reader->arena);
}

static void read_const(struct reader *reader, struct schema *schema, const struct node *node)
{
    struct value *only = arena_new(reader->arena, struct value);
    *only = node_value(node, reader->arena);
    schema->values = value_list(only, 1);
}

/* Objects and arrays */

static void read_properties(struct reader *reader, struct schema *schema,
                            const struct node *node)
{
    if (node->kind != NODE_MAP) {
        refuse(reader, node, "`properties` is a map of schemas");
        return;
    }
    struct schema_property *properties =
        arena_new_array(reader->arena, node->count, struct schema_property);
    for (uint32_t i = 0; i < node->count; i++) {
        properties[i].name = node->entries[i].key;
        properties[i].schema = read_schema(reader, node->entries[i].value);
    }
    schema->properties = properties;
    schema->property_count = node->count;
}

static void read_required(struct reader *reader, struct schema *schema, const struct node *node)
{
    if (node->kind != NODE_LIST) {
        refuse(reader, node, "`required` is a list of names");
        return;
    }
    struct span *names = arena_new_array(reader->arena, node->count, struct span);
    for (uint32_t i = 0; i < node->count; i++) {
        if (!node_is_string(node->items[i])) {
            refuse(reader, node->items[i], "`required` is a list of names");
            return;
        }
        names[i] = node_text(node->items[i]);
    }
    schema->required = names;
    schema->required_count = node->count;
}

static void read_additional(struct reader *reader, struct schema *schema,
                            const struct node *node)
{
    schema->additional = read_schema(reader, node);
}

static void read_items(struct reader *reader, struct schema *schema, const struct node *node)
{
    schema->items = read_schema(reader, node);
}

static void read_flag(struct reader *reader, const struct node *node, bool *flag)
{
    if (node->kind != NODE_SCALAR || node->scalar.kind != VALUE_BOOL)
        refuse(reader, node, "this is true or false");
    else
        *flag = node->scalar.boolean;
}

static void read_unique(struct reader *reader, struct schema *schema, const struct node *node)
{
    read_flag(reader, node, &schema->has_unique_items);
}

/* Limits */

static void read_count(struct reader *reader, const struct node *node, uint64_t *count)
{
    if (node->kind != NODE_SCALAR || node->scalar.kind != VALUE_INT || node->scalar.integer < 0)
        refuse_value(reader, node, "this is a whole number, 0 or more");
    else
        *count = (uint64_t)node->scalar.integer;
}

#define COUNT_READER(name, field)                                                           \
    static void name(struct reader *reader, struct schema *schema, const struct node *node) \
    {                                                                                       \
        read_count(reader, node, &schema->field);                                           \
    }

COUNT_READER(read_properties_min, properties_min)
COUNT_READER(read_properties_max, properties_max)
COUNT_READER(read_items_min, items_min)
COUNT_READER(read_items_max, items_max)
COUNT_READER(read_length_min, length_min)
COUNT_READER(read_length_max, length_max)

static void read_number(struct reader *reader, const struct node *node, struct value *number)
{
    if (node->kind != NODE_SCALAR ||
        (node->scalar.kind != VALUE_INT && node->scalar.kind != VALUE_DOUBLE))
        refuse(reader, node, "this is a number");
    else
        *number = node->scalar;
}

#define NUMBER_READER(name, field)                                                          \
    static void name(struct reader *reader, struct schema *schema, const struct node *node) \
    {                                                                                       \
        read_number(reader, node, &schema->field);                                          \
    }

NUMBER_READER(read_minimum, minimum)
NUMBER_READER(read_maximum, maximum)
NUMBER_READER(read_above, above)
NUMBER_READER(read_below, below)

static void read_multiple(struct reader *reader, struct schema *schema, const struct node *node)
{
    read_number(reader, node, &schema->multiple_of);
    if (schema->multiple_of.kind != VALUE_ERROR &&
        value_compare_numbers(schema->multiple_of, value_int(0)) != 1)
        refuse_value(reader, node, "`multipleOf` is a number above 0");
}

static void read_pattern(struct reader *reader, struct schema *schema, const struct node *node)
{
    struct regex_problem problem;
    if (!node_is_string(node)) {
        refuse(reader, node, "`pattern` is a regular expression");
        return;
    }
    schema->pattern_text = node_text(node);
    schema->pattern = regex_compile(schema->pattern_text, reader->arena, &problem);
    if (schema->pattern == NULL)
        diagnostics_add(reader->diagnostics, SEVERITY_ERROR, "IL0104",
                        node_text_place(node, problem.offset), "not a regular expression: %s",
                        problem.message);
}

/* Schemas of schemas */

static void read_list(struct reader *reader, const struct node *node, struct schema_list *list)
{
    if (node->kind != NODE_LIST || node->count == 0) {
        refuse_value(reader, node, "this is a list of one schema or more");
        return;
    }
    const struct schema **schemas =
        arena_new_array(reader->arena, node->count, const struct schema *);
    for (uint32_t i = 0; i < node->count; i++)
        schemas[i] = read_schema(reader, node->items[i]);
    *list = (struct schema_list){schemas, node->count};
}

static void read_all_of(struct reader *reader, struct schema *schema, const struct node *node)
{
    read_list(reader, node, &schema->all_of);
}

static void read_any_of(struct reader *reader, struct schema *schema, const struct node *node)
{
    read_list(reader, node, &schema->any_of);
}

static void read_one_of(struct reader *reader, struct schema *schema, const struct node *node)
{
    read_list(reader, node, &schema->one_of);
}

static void read_not(struct reader *reader, struct schema *schema, const struct node *node)
{
    schema->not_it = read_schema(reader, node);
}

static const struct schema *find_definition(const struct reader *reader, struct span path)
{
    static const struct span prefixes[] = {SPAN_INIT("#/$defs/"), SPAN_INIT("#/definitions/")};
    if (span_is(path, "#"))
        return reader->root;
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        if (!span_starts_with(path, prefixes[i]))
            continue;
        struct span name = span_slice(path, prefixes[i].size, path.size);
        for (uint32_t k = 0; k < reader->definition_count; k++) {
            if (span_equal(reader->definitions[k].name, name))
                return reader->definitions[k].schema;
        }
    }
    return NULL;
}

static void read_reference(struct reader *reader, struct schema *schema,
                           const struct node *node)
{
    if (!node_is_string(node)) {
        refuse(reader, node, "`$ref` is a path such as #/$defs/item");
        return;
    }
    schema->reference = find_definition(reader, node_text(node));
    if (schema->reference != NULL)
        return;
    struct diagnostic *error =
        diagnostics_add(reader->diagnostics, SEVERITY_ERROR, "IL0107", node->place,
                        "there is no schema `%.*s`", SPAN_ARGS(node_text(node)));
    diagnostic_help(reader->diagnostics, error,
                    "refer to this schema's own parts: #/$defs/NAME, or # for all of it");
}

/* The root's were read before; elsewhere nobody would find them. */
static void read_definitions(struct reader *reader, struct schema *schema,
                             const struct node *node)
{
    if (schema != reader->root)
        diagnostics_add(reader->diagnostics, SEVERITY_ERROR, "IL0106", node->place,
                        "`$defs` stands at the top of a schema only");
}

static const struct keyword keywords[] = {
    {SPAN_INIT("type"), read_type},
    {SPAN_INIT("enum"), read_enum},
    {SPAN_INIT("const"), read_const},
    {SPAN_INIT("properties"), read_properties},
    {SPAN_INIT("required"), read_required},
    {SPAN_INIT("additionalProperties"), read_additional},
    {SPAN_INIT("minProperties"), read_properties_min},
    {SPAN_INIT("maxProperties"), read_properties_max},
    {SPAN_INIT("items"), read_items},
    {SPAN_INIT("minItems"), read_items_min},
    {SPAN_INIT("maxItems"), read_items_max},
    {SPAN_INIT("uniqueItems"), read_unique},
    {SPAN_INIT("minLength"), read_length_min},
    {SPAN_INIT("maxLength"), read_length_max},
    {SPAN_INIT("pattern"), read_pattern},
    {SPAN_INIT("minimum"), read_minimum},
    {SPAN_INIT("maximum"), read_maximum},
    {SPAN_INIT("exclusiveMinimum"), read_above},
    {SPAN_INIT("exclusiveMaximum"), read_below},
    {SPAN_INIT("multipleOf"), read_multiple},
    {SPAN_INIT("allOf"), read_all_of},
    {SPAN_INIT("anyOf"), read_any_of},
    {SPAN_INIT("oneOf"), read_one_of},
    {SPAN_INIT("not"), read_not},
    {SPAN_INIT("$ref"), read_reference},
    {SPAN_INIT("$defs"), read_definitions},
    {SPAN_INIT("definitions"), read_definitions},
    {SPAN_INIT("title"), NULL},
    {SPAN_INIT("description"), NULL},
    {SPAN_INIT("default"), NULL},
    {SPAN_INIT("examples"), NULL},
    {SPAN_INIT("deprecated"), NULL},
    {SPAN_INIT("readOnly"), NULL},
    {SPAN_INIT("writeOnly"), NULL},
    {SPAN_INIT("format"), NULL},
    {SPAN_INIT("$schema"), NULL},
    {SPAN_INIT("$id"), NULL},
    {SPAN_INIT("$comment"), NULL},
};

enum { KEYWORD_COUNT = sizeof keywords / sizeof keywords[0] };

static void refuse_keyword(struct reader *reader, const struct node_entry *entry)
{
    struct span names[KEYWORD_COUNT];
    for (size_t i = 0; i < KEYWORD_COUNT; i++)
        names[i] = keywords[i].name;
    struct diagnostic *error =
        diagnostics_add(reader->diagnostics, SEVERITY_ERROR, "IL0102", entry->place,
                        "unknown key `%.*s` in a schema", SPAN_ARGS(entry->key));
    diagnostic_suggest(reader->diagnostics, error, entry->key, names, KEYWORD_COUNT);
}

static void read_entry(struct reader *reader, struct schema *schema,
                       const struct node_entry *entry)
{
    size_t i = 0;
    while (i < KEYWORD_COUNT && !span_equal(keywords[i].name, entry->key))
        i++;
    if (i == KEYWORD_COUNT)
        refuse_keyword(reader, entry);
    else if (keywords[i].read != NULL)
        keywords[i].read(reader, schema, entry->value);
}

static void fill_schema(struct reader *reader, struct schema *schema, const struct node *node)
{
    bool is_flag = node->kind == NODE_SCALAR && node->scalar.kind == VALUE_BOOL;
    if (is_flag)
        schema->is_never = !node->scalar.boolean;
    else if (node->kind != NODE_MAP)
        refuse(reader, node, "a schema is a map, true or false");
    for (uint32_t i = 0; node->kind == NODE_MAP && i < node->count; i++)
        read_entry(reader, schema, &node->entries[i]);
}

static const struct schema *read_schema(struct reader *reader, const struct node *node)
{
    struct schema *schema = new_schema(reader);
    fill_schema(reader, schema, node);
    return schema;
}

static void add_definitions(struct reader *reader, const struct node *map)
{
    if (map == NULL)
        return;
    if (map->kind != NODE_MAP) {
        refuse(reader, map, "`$defs` is a map of schemas");
        return;
    }
    for (uint32_t i = 0; i < map->count; i++)
        reader->definitions[reader->definition_count++] =
            (struct definition){map->entries[i].key, new_schema(reader)};
}

const struct schema *schema_compile(const struct node *node, struct arena *arena,
                                    struct diagnostics *diagnostics)
{
    struct reader reader = {.arena = arena, .diagnostics = diagnostics};
    uint32_t errors = diagnostics->errors + diagnostics->dropped;
    const struct node *maps[] = {node_find(node, SPAN("$defs")),
                                 node_find(node, SPAN("definitions"))};
    size_t count =
        (maps[0] == NULL ? 0 : maps[0]->count) + (maps[1] == NULL ? 0 : maps[1]->count);
    reader.root = new_schema(&reader);
    reader.definitions = arena_new_array(arena, count, struct definition);
    add_definitions(&reader, maps[0]);
    add_definitions(&reader, maps[1]);
    uint32_t filled = 0;
    for (size_t i = 0; i < 2; i++) {
        for (uint32_t k = 0; maps[i] != NULL && maps[i]->kind == NODE_MAP && k < maps[i]->count;
             k++)
            fill_schema(&reader, reader.definitions[filled++].schema,
                        maps[i]->entries[k].value);
    }
    ensure(filled == reader.definition_count);
    fill_schema(&reader, reader.root, node);
    return diagnostics->errors + diagnostics->dropped == errors ? reader.root : NULL;
}
