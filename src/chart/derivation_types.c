/*
 * derivation_types.c - what is known of a record's fields, and validators that do not fit it
 * (IL0503).
 *
 * A schema says what a field is. A default tells it too, but for whole numbers: where the
 * default is 0 another record may have 12.5. A record may always have other fields.
 */
#include "chart/derivation_types.h"

#include "base/limits.h"
#include "chart/derivation_reader.h"

/* The type of fields that may be absent, as in this one. */
static const struct type *type_of_preset(struct arena *arena, struct value preset,
                                         bool is_field)
{
    bool is_number = preset.kind == VALUE_INT || (preset.kind == VALUE_DOUBLE && !is_field);
    if (is_number || preset.kind == VALUE_LIST)
        return type_simple(TYPE_DYN); /* a double that is a field arrives as one */
    if (preset.kind != VALUE_MAP)
        return type_of_value(arena, preset);
    struct type_field *fields = arena_new_array(arena, preset.count, struct type_field);
    for (uint32_t i = 0; i < preset.count; i++)
        fields[i] = (struct type_field){value_span(preset.entries[i].key),
                                        type_of_preset(arena, preset.entries[i].value, false)};
    return type_record(arena, fields, preset.count, true);
}

/* A schema that cannot be compiled tells nothing here. */
static const struct type *type_of_schema(const struct derivation_reader *reader,
                                         const struct node *record)
{
    struct diagnostics unheard;
    const struct node *node = node_find(record, SPAN("schema"));
    diagnostics_init(&unheard, reader->arena);
    const struct schema *schema =
        node == NULL ? NULL : schema_compile(node, reader->arena, &unheard);
    return schema == NULL ? type_simple(TYPE_DYN) : schema_type(schema, reader->arena);
}

/* The fields of the schema, and the defaults of others. */
void derivation_read_types(struct derivation_reader *reader, const struct node *record)
{
    const struct type *known = type_of_schema(reader, record);
    uint32_t known_count = known->kind == TYPE_RECORD ? known->count : 0;
    bool is_open = known->kind != TYPE_RECORD || known->is_open;
    struct type_field *fields =
        arena_new_array(reader->arena, known_count + reader->field_count, struct type_field);
    uint32_t count = 0;
    for (uint32_t i = 0; i < known_count; i++)
        fields[count++] = known->fields[i];
    for (uint32_t i = 0; i < reader->field_count; i++) {
        const struct derivation_field *field = &reader->fields[i];
        if (known_count > 0 && type_find_field(known, field->name) != NULL)
            continue;
        fields[count++] = (struct type_field){
            field->name, field->has_preset ? type_of_preset(reader->arena, field->preset, true)
                                           : type_simple(TYPE_DYN)};
    }
    reader->derivation.record_type = type_record(reader->arena, fields, count, is_open);
}

static void look(const struct derivation_validator *validator, const struct expr_scope *scope,
                 struct arena *arena, struct diagnostics *diagnostics)
{
    const struct type *type = expr_check(validator->written, scope, arena, diagnostics);
    if (type->kind != TYPE_DYN && type->kind != TYPE_BOOL)
        expr_object(validator->written, diagnostics, "a validator is a bool, not %.*s",
                    SPAN_ARGS(type_text(arena, type)));
}

void derivation_check_types(const struct derivation *derivation, struct arena *arena,
                            struct diagnostics *diagnostics)
{
    struct expr_scope scope;
    derivation_scope(derivation, &scope, arena);
    struct arena_mark mark = arena_mark(arena);
    for (uint32_t i = 0; i < derivation->validator_count; i++) {
        look(&derivation->validators[i], &scope, arena, diagnostics);
        arena_rewind(arena, mark);
    }
}
