/*
 * schema_type.c - what a schema tells the checker.
 *
 * Only what is sure for every value that fits: where a schema leaves a choice of kinds the
 * type is dyn. A type that may be null counts as the other one, since nobody is warned of null.
 *
 * A schema may refer to itself, a type cannot: after NESTED_MAX references, or TYPES_MAX types
 * in all, the rest is dyn.
 */
#include "expr/schema_model.h"

enum { NESTED_MAX = 6, TYPES_MAX = 4000 };

struct making {
    struct arena *arena;
    uint32_t left;
};

static const struct type *type_of(struct making *making, const struct schema *schema,
                                  unsigned nested);

static bool has_fields(const struct schema *schema)
{
    return schema->property_count > 0 || schema->additional != NULL;
}

static const struct type *type_of_object(struct making *making, const struct schema *schema,
                                         unsigned nested)
{
    bool is_closed = schema->additional != NULL && schema->additional->is_never;
    if (schema->property_count == 0 && !is_closed)
        return type_map(making->arena, type_simple(TYPE_STRING),
                        schema->additional == NULL
                            ? type_simple(TYPE_DYN)
                            : type_of(making, schema->additional, nested));
    struct type_field *fields =
        arena_new_array(making->arena, schema->property_count, struct type_field);
    for (uint32_t i = 0; i < schema->property_count; i++) {
        fields[i].name = schema->properties[i].name;
        fields[i].type = type_of(making, schema->properties[i].schema, nested);
    }
    return type_record(making->arena, fields, schema->property_count, !is_closed);
}

/* The kinds that values of an enumeration have. */
static uint32_t kinds_of_values(struct value values)
{
    static const uint8_t kinds[VALUE_KIND_COUNT] = {
        [VALUE_NULL] = SCHEMA_NULL,     [VALUE_BOOL] = SCHEMA_BOOL,
        [VALUE_INT] = SCHEMA_INTEGER,   [VALUE_DOUBLE] = SCHEMA_NUMBER,
        [VALUE_STRING] = SCHEMA_STRING, [VALUE_LIST] = SCHEMA_ARRAY,
        [VALUE_MAP] = SCHEMA_OBJECT,
    };
    uint32_t found = 0;
    for (uint32_t i = 0; i < values.count; i++)
        found |= kinds[values.items[i].kind];
    return found;
}

static const struct type *type_of_kinds(struct making *making, const struct schema *schema,
                                        uint32_t kinds, unsigned nested)
{
    switch (kinds & ~(uint32_t)SCHEMA_NULL) {
    case SCHEMA_BOOL:
        return type_simple(TYPE_BOOL);
    case SCHEMA_INTEGER:
        return type_simple(TYPE_INT);
    case SCHEMA_NUMBER:
        return type_simple(TYPE_DOUBLE);
    case SCHEMA_STRING:
        return type_simple(TYPE_STRING);
    case SCHEMA_ARRAY:
        return type_list(making->arena, schema->items == NULL
                                            ? type_simple(TYPE_DYN)
                                            : type_of(making, schema->items, nested));
    case SCHEMA_OBJECT:
        return type_of_object(making, schema, nested);
    default:
        return type_simple(TYPE_DYN);
    }
}

/* The type that all alternatives have. */
static const struct type *type_of_choice(struct making *making, const struct schema_list *list,
                                         unsigned nested)
{
    const struct type *common = NULL;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct type *type = type_of(making, list->schemas[i], nested);
        if (common != NULL && common != type)
            return type_simple(TYPE_DYN);
        common = type;
    }
    return common == NULL ? type_simple(TYPE_DYN) : common;
}

/* The first of several rules that says something. */
static const struct type *type_of_rules(struct making *making, const struct schema *schema,
                                        unsigned nested)
{
    const struct type *type = type_simple(TYPE_DYN);
    if (schema->reference != NULL)
        type = type_of(making, schema->reference, nested);
    for (uint32_t i = 0; type->kind == TYPE_DYN && i < schema->all_of.count; i++)
        type = type_of(making, schema->all_of.schemas[i], nested);
    if (type->kind == TYPE_DYN)
        type = type_of_choice(making, &schema->any_of, nested);
    if (type->kind == TYPE_DYN)
        type = type_of_choice(making, &schema->one_of, nested);
    return type;
}

/* A record that another rule adds to may have any other field. */
static const struct type *loosened(struct making *making, const struct schema *schema,
                                   const struct type *type)
{
    bool has_others = schema->reference != NULL || schema->all_of.count > 0 ||
                      schema->any_of.count > 0 || schema->one_of.count > 0;
    if (type->kind != TYPE_RECORD || !has_others || type->is_open)
        return type;
    return type_record(making->arena, type->fields, type->count, true);
}

static const struct type *type_of(struct making *making, const struct schema *schema,
                                  unsigned nested)
{
    if (making->left == 0 || nested == NESTED_MAX)
        return type_simple(TYPE_DYN);
    making->left--;
    uint32_t kinds = schema->kinds;
    if (kinds == 0 && schema->values.kind == VALUE_LIST)
        kinds = kinds_of_values(schema->values);
    if (kinds == 0 && has_fields(schema) && schema->reference == NULL)
        kinds = SCHEMA_OBJECT; /* nobody lists properties and sends a number */
    const struct type *type = kinds == 0 ? type_of_rules(making, schema, nested + 1)
                                         : type_of_kinds(making, schema, kinds, nested + 1);
    type = loosened(making, schema, type);
    if (schema->values.kind != VALUE_LIST || type->kind == TYPE_DYN)
        return type;
    return type_enumeration(making->arena, type, schema->values.items, schema->values.count);
}

static bool lists(const struct schema *schema, struct span name)
{
    for (uint32_t i = 0; i < schema->required_count; i++) {
        if (span_equal(schema->required[i], name))
            return true;
    }
    return false;
}

bool schema_requires(const struct schema *schema, struct span name)
{
    for (unsigned nested = 0; schema != NULL && nested <= NESTED_MAX; nested++) {
        if (lists(schema, name))
            return true;
        schema = schema->reference;
    }
    return false;
}

const struct type *schema_type(const struct schema *schema, struct arena *arena)
{
    struct making making = {arena, TYPES_MAX};
    return type_of(&making, schema, 0);
}
