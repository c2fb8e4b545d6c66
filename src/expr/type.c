/*
 * type.c - making types, and their text.
 */
#include "expr/type.h"

#include "base/ensure.h"

#define LEAF(name_, text) \
    [TYPE_##name_] = {.kind = TYPE_##name_, .depth = 1, .name = SPAN_INIT(text)},
static const struct type simple[TYPE_KIND_COUNT] = {TYPE_KIND_LIST(LEAF)};
#undef LEAF

const struct type *type_simple(enum type_kind kind)
{
    ensure(kind < TYPE_LIST);
    return &simple[kind];
}

static const struct type *with_parameters(struct arena *arena, enum type_kind kind,
                                          struct span name,
                                          const struct type *const *parameters, uint32_t count)
{
    uint32_t depth = 0;
    for (uint32_t i = 0; i < count; i++)
        depth = parameters[i]->depth > depth ? parameters[i]->depth : depth;
    if (depth >= TYPE_DEPTH_MAX)
        return type_simple(TYPE_DYN);
    struct type *type = arena_new(arena, struct type);
    const struct type **kept = arena_new_array(arena, count, const struct type *);
    for (uint32_t i = 0; i < count; i++)
        kept[i] = parameters[i];
    *type = (struct type){
        .kind = kind, .depth = depth + 1, .count = count, .name = name, .parameters = kept};
    return type;
}

const struct type *type_list(struct arena *arena, const struct type *element)
{
    return with_parameters(arena, TYPE_LIST, simple[TYPE_LIST].name, &element, 1);
}

const struct type *type_map(struct arena *arena, const struct type *key,
                            const struct type *value)
{
    const struct type *both[] = {key, value};
    return with_parameters(arena, TYPE_MAP, simple[TYPE_MAP].name, both, 2);
}

const struct type *type_optional(struct arena *arena, const struct type *content)
{
    return with_parameters(arena, TYPE_OPTIONAL, simple[TYPE_OPTIONAL].name, &content, 1);
}

const struct type *type_of_type(struct arena *arena, const struct type *content)
{
    return with_parameters(arena, TYPE_TYPE, simple[TYPE_TYPE].name, &content, 1);
}

const struct type *type_abstract(struct arena *arena, struct span name,
                                 const struct type *const *parameters, uint32_t count)
{
    return with_parameters(arena, TYPE_ABSTRACT, name, parameters, count);
}

const struct type *type_record(struct arena *arena, const struct type_field *fields,
                               uint32_t count, bool is_open)
{
    uint32_t depth = 0;
    for (uint32_t i = 0; i < count; i++)
        depth = fields[i].type->depth > depth ? fields[i].type->depth : depth;
    if (depth >= TYPE_DEPTH_MAX)
        return type_simple(TYPE_DYN);
    struct type *type = arena_new(arena, struct type);
    *type = (struct type){.kind = TYPE_RECORD,
                          .depth = depth + 1,
                          .count = count,
                          .is_open = is_open,
                          .name = simple[TYPE_RECORD].name,
                          .fields = fields};
    return type;
}

const struct type *type_inferred_record(struct arena *arena, const struct type_field *fields,
                                        uint32_t count)
{
    const struct type *record = type_record(arena, fields, count, false);
    if (record->kind != TYPE_RECORD)
        return record;
    struct type *inferred = arena_new(arena, struct type);
    *inferred = *record;
    inferred->is_inferred = true;
    return inferred;
}

const struct type *type_enumeration(struct arena *arena, const struct type *type,
                                    const struct value *values, uint32_t count)
{
    struct type *enumeration = arena_new(arena, struct type);
    *enumeration = *type;
    enumeration->values = values;
    enumeration->value_count = count;
    return enumeration;
}

const struct type *type_variable(struct arena *arena, uint32_t number)
{
    struct type *type = arena_new(arena, struct type);
    *type = (struct type){.kind = TYPE_VARIABLE, .depth = 1, .count = number};
    return type;
}

const struct type *type_of_kind(struct arena *arena, enum value_kind kind)
{
    const struct type *dyn = type_simple(TYPE_DYN);
    static const enum type_kind kinds[VALUE_KIND_COUNT] = {
        [VALUE_NULL] = TYPE_NULL,         [VALUE_BOOL] = TYPE_BOOL,
        [VALUE_INT] = TYPE_INT,           [VALUE_UINT] = TYPE_UINT,
        [VALUE_DOUBLE] = TYPE_DOUBLE,     [VALUE_STRING] = TYPE_STRING,
        [VALUE_BYTES] = TYPE_BYTES,       [VALUE_LIST] = TYPE_LIST,
        [VALUE_MAP] = TYPE_MAP,           [VALUE_TIMESTAMP] = TYPE_TIMESTAMP,
        [VALUE_DURATION] = TYPE_DURATION, [VALUE_TYPE] = TYPE_TYPE,
        [VALUE_OPTIONAL] = TYPE_OPTIONAL,
    };
    switch (kinds[kind]) {
    case TYPE_LIST:
        return type_list(arena, dyn);
    case TYPE_MAP:
        return type_map(arena, dyn, dyn);
    case TYPE_TYPE:
        return type_of_type(arena, dyn);
    case TYPE_OPTIONAL:
        return type_optional(arena, dyn);
    case TYPE_DYN:
    case TYPE_NULL:
    case TYPE_BOOL:
    case TYPE_INT:
    case TYPE_UINT:
    case TYPE_DOUBLE:
    case TYPE_STRING:
    case TYPE_BYTES:
    case TYPE_TIMESTAMP:
    case TYPE_DURATION:
        return type_simple(kinds[kind]);
    case TYPE_RECORD:
    case TYPE_ABSTRACT:
    case TYPE_VARIABLE:
    case TYPE_KIND_COUNT:
        break;
    }
    never();
}

/* Elements of one type in all; anything else is nothing known. */
static const struct type *element_of_value(struct arena *arena, struct value list)
{
    const struct type *element = type_simple(TYPE_DYN);
    for (uint32_t i = 0; i < list.count; i++) {
        if (list.items[i].kind != list.items[0].kind)
            return type_simple(TYPE_DYN);
    }
    if (list.count > 0 && list.items[0].kind != VALUE_MAP && list.items[0].kind != VALUE_NULL)
        element = type_of_kind(arena, list.items[0].kind);
    return element;
}

const struct type *type_of_value(struct arena *arena, struct value value)
{
    if (value.kind == VALUE_NULL || value.kind == VALUE_ERROR)
        return type_simple(TYPE_DYN);
    if (value.kind == VALUE_LIST)
        return type_list(arena, element_of_value(arena, value));
    if (value.kind != VALUE_MAP)
        return type_of_kind(arena, value.kind);
    struct type_field *fields = arena_new_array(arena, value.count, struct type_field);
    for (uint32_t i = 0; i < value.count; i++) {
        fields[i].name = value_span(value.entries[i].key);
        fields[i].type = type_of_value(arena, value.entries[i].value);
    }
    return type_record(arena, fields, value.count, true);
}

const struct type_field *type_find_field(const struct type *record, struct span name)
{
    for (uint32_t i = 0; i < record->count; i++) {
        if (span_equal(record->fields[i].name, name))
            return &record->fields[i];
    }
    return NULL;
}

/* Text to types */

struct reading {
    struct arena *arena;
    struct span text;
    size_t at;
    unsigned depth;
};

enum { PARAMETERS_MAX = 8 };

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_' || c == '.';
}

static bool take(struct reading *reading, char byte)
{
    while (reading->at < reading->text.size && reading->text.text[reading->at] == ' ')
        reading->at++;
    bool is_next = reading->at < reading->text.size && reading->text.text[reading->at] == byte;
    reading->at += is_next;
    return is_next;
}

static const struct type *read_type(struct reading *reading);

/* The types in brackets; false when they are not well-formed. */
static bool read_parameters(struct reading *reading, const struct type **parameters,
                            uint32_t *count)
{
    *count = 0;
    if (!take(reading, '('))
        return true;
    do {
        if (*count == PARAMETERS_MAX || (parameters[*count] = read_type(reading)) == NULL)
            return false;
        ++*count;
    } while (take(reading, ','));
    return take(reading, ')');
}

static const struct type *make_type(struct reading *reading, struct span name,
                                    const struct type *const *parameters, uint32_t count)
{
    const struct type *dyn = type_simple(TYPE_DYN);
    for (enum type_kind kind = TYPE_DYN; kind < TYPE_LIST; kind++) {
        if (span_equal(name, simple[kind].name))
            return count == 0 ? type_simple(kind) : NULL;
    }
    const struct type *first = count > 0 ? parameters[0] : dyn;
    if (span_is(name, "map") && (count == 0 || count == 2))
        return type_map(reading->arena, first, count == 2 ? parameters[1] : dyn);
    if (span_is(name, "list") && count <= 1)
        return type_list(reading->arena, first);
    if (span_is(name, "optional_type") && count <= 1)
        return type_optional(reading->arena, first);
    if (span_is(name, "type") && count <= 1)
        return type_of_type(reading->arena, first);
    bool is_taken = span_is(name, "map") || span_is(name, "list") || span_is(name, "type") ||
                    span_is(name, "optional_type");
    return is_taken ? NULL : type_abstract(reading->arena, name, parameters, count);
}

static const struct type *read_type(struct reading *reading)
{
    const struct type *parameters[PARAMETERS_MAX];
    uint32_t count;
    while (take(reading, ' '))
        continue;
    size_t start = reading->at;
    while (reading->at < reading->text.size && is_name_byte(reading->text.text[reading->at]))
        reading->at++;
    struct span name = span_slice(reading->text, start, reading->at);
    if (name.size == 0 || ++reading->depth > TYPE_DEPTH_MAX ||
        !read_parameters(reading, parameters, &count))
        return NULL;
    reading->depth--;
    return make_type(reading, name, parameters, count);
}

const struct type *type_read(struct arena *arena, struct span text)
{
    struct reading reading = {.arena = arena, .text = span_trim(text)};
    const struct type *type = read_type(&reading);
    return type != NULL && reading.at == reading.text.size ? type : NULL;
}

void type_write(struct text *text, const struct type *type)
{
    enum { BYTES_MAX = 4096 };
    if (text->size > BYTES_MAX) { /* shared parts can make a small type a long text */
        text_add(text, SPAN("dyn"));
        return;
    }
    if (type->kind == TYPE_RECORD) {
        text_add(text, SPAN("map(string, dyn)"));
        return;
    }
    text_add(text, type->kind == TYPE_VARIABLE ? SPAN("dyn") : type->name);
    for (uint32_t i = 0;
         type->kind >= TYPE_LIST && type->kind != TYPE_VARIABLE && i < type->count; i++) {
        text_add(text, i == 0 ? SPAN("(") : SPAN(", "));
        type_write(text, type->parameters[i]);
    }
    if (type->kind >= TYPE_LIST && type->kind != TYPE_VARIABLE && type->count > 0)
        text_add_byte(text, ')');
}

struct span type_text(struct arena *arena, const struct type *type)
{
    struct text text;
    text_init(&text, arena);
    type_write(&text, type);
    return text_span(&text);
}
