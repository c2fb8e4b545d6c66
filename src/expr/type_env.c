/*
 * type_env.c - reading declarations.
 *
 * The cases' form is protobuf text turned into JSON: each field is a list, an enumerator is
 * {"$id":NAME}. Recursion is bounded by the depth of JSON.
 */
#include "expr/type_env.h"

enum { PARAMETERS_MAX = 16 };

/* The only item of a member that is a list, or the member itself. */
static struct value field_of(struct value map, struct span key)
{
    struct value field = value_member(map, key);
    return field.kind == VALUE_LIST && field.count == 1 ? field.items[0] : field;
}

static bool has(struct value map, struct span key)
{
    return map.kind == VALUE_MAP && value_find(map, key) != NULL;
}

static const struct type *named_type(struct span id)
{
    static const struct {
        struct span id;
        enum type_kind kind;
    } names[] = {
        {SPAN_INIT("BOOL"), TYPE_BOOL},
        {SPAN_INIT("INT64"), TYPE_INT},
        {SPAN_INIT("UINT64"), TYPE_UINT},
        {SPAN_INIT("DOUBLE"), TYPE_DOUBLE},
        {SPAN_INIT("STRING"), TYPE_STRING},
        {SPAN_INIT("BYTES"), TYPE_BYTES},
        {SPAN_INIT("TIMESTAMP"), TYPE_TIMESTAMP},
        {SPAN_INIT("DURATION"), TYPE_DURATION},
        {SPAN_INIT("ANY"), TYPE_DYN},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (span_equal(id, names[i].id))
            return type_simple(names[i].kind);
    }
    return NULL;
}

static const struct type *read_abstract(struct value json, struct arena *arena)
{
    const struct type *parameters[PARAMETERS_MAX];
    struct value name = field_of(json, SPAN("name"));
    struct value list = value_member(json, SPAN("parameter_types"));
    uint32_t count = list.kind == VALUE_LIST ? list.count : 0;
    if (name.kind != VALUE_STRING || count > PARAMETERS_MAX)
        return NULL;
    for (uint32_t i = 0; i < count; i++) {
        parameters[i] = type_env_read_type(list.items[i], arena);
        if (parameters[i] == NULL)
            return NULL;
    }
    if (span_is(value_span(name), "optional_type") && count == 1)
        return type_optional(arena, parameters[0]);
    return type_abstract(arena, value_span(name), parameters, count);
}

static const struct type *read_map(struct value json, struct arena *arena)
{
    const struct type *key = type_env_read_type(field_of(json, SPAN("key_type")), arena);
    const struct type *value = type_env_read_type(field_of(json, SPAN("value_type")), arena);
    return key == NULL || value == NULL ? NULL : type_map(arena, key, value);
}

static const struct type *read_list(struct value json, struct arena *arena)
{
    const struct type *element = type_env_read_type(field_of(json, SPAN("elem_type")), arena);
    return element == NULL ? NULL : type_list(arena, element);
}

static const struct type *read_named(struct value json)
{
    struct value id = field_of(json, SPAN("$id"));
    return id.kind == VALUE_STRING ? named_type(value_span(id)) : NULL;
}

const struct type *type_env_read_type(struct value json, struct arena *arena)
{
    if (json.kind == VALUE_STRING)
        return type_read(arena, value_span(json));
    if (json.kind == VALUE_LIST && json.count == 1)
        json = json.items[0];
    if (has(json, SPAN("primitive")))
        return read_named(field_of(json, SPAN("primitive")));
    if (has(json, SPAN("well_known")))
        return read_named(field_of(json, SPAN("well_known")));
    if (has(json, SPAN("null")))
        return type_simple(TYPE_NULL);
    if (has(json, SPAN("list_type")))
        return read_list(field_of(json, SPAN("list_type")), arena);
    if (has(json, SPAN("map_type")))
        return read_map(field_of(json, SPAN("map_type")), arena);
    if (has(json, SPAN("abstract_type")))
        return read_abstract(field_of(json, SPAN("abstract_type")), arena);
    struct value parameter = field_of(json, SPAN("type_param"));
    if (parameter.kind == VALUE_STRING)
        return type_abstract(arena, value_span(parameter), NULL, 0);
    if (has(json, SPAN("type"))) {
        const struct type *content = type_env_read_type(field_of(json, SPAN("type")), arena);
        return type_of_type(arena, content == NULL ? type_simple(TYPE_DYN) : content);
    }
    bool is_dyn =
        has(json, SPAN("dyn")) || has(json, SPAN("wrapper")) || has(json, SPAN("message_type"));
    return is_dyn ? type_simple(TYPE_DYN) : NULL;
}

struct reading {
    struct arena *arena;
    struct span *names;
    const struct type **types;
    uint32_t count;
    struct expr_signature *signatures;
    uint32_t signature_count;
};

static bool read_overload(struct reading *reading, struct span name, struct value json)
{
    struct value list = value_member(json, SPAN("params"));
    uint32_t count = list.kind == VALUE_LIST ? list.count : 0;
    const struct type **parameters =
        arena_new_array(reading->arena, count, const struct type *);
    for (uint32_t i = 0; i < count; i++) {
        parameters[i] = type_env_read_type(list.items[i], reading->arena);
        if (parameters[i] == NULL)
            return false;
    }
    const struct type *result =
        type_env_read_type(field_of(json, SPAN("result_type")), reading->arena);
    reading->signatures[reading->signature_count++] = (struct expr_signature){
        name, result == NULL ? type_simple(TYPE_DYN) : result, parameters, count};
    return true;
}

static struct value overloads_of(struct value declaration)
{
    struct value function = field_of(declaration, SPAN("function"));
    struct value overloads = value_member(function, SPAN("overloads"));
    return overloads.kind == VALUE_LIST ? overloads : value_list(NULL, 0);
}

static bool read_variable(struct reading *reading, struct span name, struct value declaration)
{
    struct value type = value_member(field_of(declaration, SPAN("ident")), SPAN("type"));
    if (has(declaration, SPAN("type")))
        type = value_member(declaration, SPAN("type"));
    const struct type *read = type.kind == VALUE_NULL
                                  ? type_simple(TYPE_DYN)
                                  : type_env_read_type(type, reading->arena);
    reading->names[reading->count] = name;
    reading->types[reading->count++] = read;
    return read != NULL;
}

static bool read_declaration(struct reading *reading, struct value declaration)
{
    struct value name = field_of(declaration, SPAN("name"));
    struct value overloads = overloads_of(declaration);
    if (name.kind != VALUE_STRING || name.count == 0)
        return false;
    if (overloads.count == 0)
        return read_variable(reading, value_span(name), declaration);
    for (uint32_t i = 0; i < overloads.count; i++) {
        if (!read_overload(reading, value_span(name), overloads.items[i]))
            return false;
    }
    return true;
}

bool type_env_read(struct value json, struct arena *arena, struct type_env *env,
                   const char **problem)
{
    struct reading reading = {.arena = arena};
    size_t overloads = 0;
    uint32_t count = json.kind == VALUE_LIST ? json.count : 0;
    *problem = "declarations are a list of {\"name\":…,\"type\":…}";
    if (json.kind != VALUE_LIST && json.kind != VALUE_NULL)
        return false;
    for (uint32_t i = 0; i < count; i++)
        overloads += overloads_of(json.items[i]).count;
    reading.names = arena_new_array(arena, count, struct span);
    reading.types = arena_new_array(arena, count, const struct type *);
    reading.signatures = arena_new_array(arena, overloads, struct expr_signature);
    for (uint32_t i = 0; i < count; i++) {
        if (!read_declaration(&reading, json.items[i]))
            return false;
    }
    *env = (struct type_env){reading.names, reading.types, reading.count, reading.signatures,
                             reading.signature_count};
    return true;
}
