/*
 * type_join.c - types of what is written at several places, and read at one.
 *
 * Other than in type_unify.c there are no variables here, and null is no obstacle: what is null
 * at first and a text later counts as a text, since nobody is warned of null.
 */
#include "expr/type.h"

static bool has_parameters(const struct type *type)
{
    return type->kind == TYPE_LIST || type->kind == TYPE_MAP || type->kind == TYPE_OPTIONAL ||
           type->kind == TYPE_TYPE || type->kind == TYPE_ABSTRACT;
}

static bool have_same_fields(const struct type *a, const struct type *b)
{
    for (uint32_t i = 0; i < a->count; i++) {
        if (!span_equal(a->fields[i].name, b->fields[i].name) ||
            !type_is_same(a->fields[i].type, b->fields[i].type))
            return false;
    }
    return a->is_open == b->is_open && a->is_inferred == b->is_inferred;
}

bool type_is_same(const struct type *a, const struct type *b)
{
    if (a == b)
        return true;
    if (a->kind != b->kind || a->count != b->count || a->depth != b->depth ||
        a->values != b->values)
        return false;
    if (a->kind == TYPE_RECORD)
        return have_same_fields(a, b);
    for (uint32_t i = 0; has_parameters(a) && i < a->count; i++) {
        if (!type_is_same(a->parameters[i], b->parameters[i]))
            return false;
    }
    return span_equal(a->name, b->name);
}

/* All fields of both: a value may lack some of them, which is no matter of its type. */
static const struct type *join_records(struct arena *arena, const struct type *a,
                                       const struct type *b)
{
    struct type_field *fields =
        arena_new_array(arena, (size_t)a->count + b->count, struct type_field);
    uint32_t count = a->count;
    for (uint32_t i = 0; i < a->count; i++) {
        const struct type_field *other = type_find_field(b, a->fields[i].name);
        fields[i] = a->fields[i];
        if (other != NULL)
            fields[i].type = type_join(arena, a->fields[i].type, other->type);
    }
    for (uint32_t i = 0; i < b->count; i++) {
        if (type_find_field(a, b->fields[i].name) == NULL)
            fields[count++] = b->fields[i];
    }
    return type_record(arena, fields, count, a->is_open || b->is_open);
}

const struct type *type_join(struct arena *arena, const struct type *a, const struct type *b)
{
    if (a == b || b->kind == TYPE_NULL)
        return a;
    if (a->kind == TYPE_NULL)
        return b;
    if (type_is_same(a, b))
        return a;
    if (a->kind == TYPE_RECORD && b->kind == TYPE_RECORD)
        return join_records(arena, a, b);
    if (a->kind == TYPE_LIST && b->kind == TYPE_LIST)
        return type_list(arena, type_join(arena, a->parameters[0], b->parameters[0]));
    bool are_maps = (a->kind == TYPE_MAP || a->kind == TYPE_RECORD) &&
                    (b->kind == TYPE_MAP || b->kind == TYPE_RECORD);
    if (are_maps)
        return type_map(arena, type_simple(TYPE_STRING), type_simple(TYPE_DYN));
    bool is_simple = a->kind == b->kind && a->kind < TYPE_LIST;
    return type_simple(is_simple ? a->kind : TYPE_DYN);
}

static const struct type *plain_record(struct arena *arena, const struct type *record)
{
    struct type_field *fields = arena_new_array(arena, record->count, struct type_field);
    for (uint32_t i = 0; i < record->count; i++)
        fields[i] = (struct type_field){record->fields[i].name,
                                        type_as_plain(arena, record->fields[i].type)};
    return type_record(arena, fields, record->count, record->is_open);
}

const struct type *type_as_plain(struct arena *arena, const struct type *type)
{
    switch (type->kind) {
    case TYPE_UINT:
        return type_simple(TYPE_INT);
    case TYPE_BYTES:
    case TYPE_TIMESTAMP:
    case TYPE_DURATION:
    case TYPE_TYPE:
    case TYPE_ABSTRACT:
        return type_simple(TYPE_STRING);
    case TYPE_LIST:
        return type_list(arena, type_as_plain(arena, type->parameters[0]));
    case TYPE_MAP:
        return type_map(arena, type_simple(TYPE_STRING),
                        type_as_plain(arena, type->parameters[1]));
    case TYPE_RECORD:
        return plain_record(arena, type);
    case TYPE_OPTIONAL: /* its content, or null, of which nobody is warned */
        return type_as_plain(arena, type->parameters[0]);
    case TYPE_NULL:
    case TYPE_BOOL:
    case TYPE_INT:
    case TYPE_DOUBLE:
    case TYPE_STRING:
        return type;
    case TYPE_DYN:
    case TYPE_VARIABLE:
    case TYPE_KIND_COUNT:
        break;
    }
    return type_simple(TYPE_DYN);
}
