/*
 * derivation_validators.c - the record, and the conditions on it, compiled.
 *
 * A field that a validator reads becomes a variable of its own, `o.paid`, so a record need not
 * be a map to be looked at: a program reads slots. Where the record is read in another way
 * (`has(o.paid)`, `o["paid"]`) the whole of it is a variable too.
 */
#include "base/ensure.h"
#include "chart/derivation_reader.h"

/* Fields */

static struct derivation_field *find_field(const struct derivation_reader *reader,
                                           struct span name)
{
    for (uint32_t i = 0; i < reader->field_count; i++) {
        if (span_equal(reader->fields[i].name, name))
            return &reader->fields[i];
    }
    return NULL;
}

static struct derivation_field *get_field(struct derivation_reader *reader, struct span name)
{
    struct derivation_field *field = find_field(reader, name);
    if (field != NULL)
        return field;
    derivation_reserve(reader, reader->fields, reader->field_count, reader->field_capacity);
    field = &reader->fields[reader->field_count++];
    struct span message = text_print(reader->arena, "no such key: %.*s", SPAN_ARGS(name));
    *field = (struct derivation_field){
        .name = name, .missing = value_error(message), .kind = VALUE_NULL};
    return field;
}

static bool is_scalar_kind(enum value_kind kind)
{
    return kind == VALUE_BOOL || kind == VALUE_INT || kind == VALUE_DOUBLE ||
           kind == VALUE_STRING;
}

static void read_presets(struct derivation_reader *reader, const struct node *record)
{
    const struct node *presets = derivation_map(reader, record, "defaults");
    for (uint32_t i = 0; presets != NULL && i < presets->count; i++) {
        const struct node_entry *entry = &presets->entries[i];
        struct derivation_field *field = get_field(reader, entry->key);
        field->preset = node_value(entry->value, reader->arena);
        field->has_preset = field->preset.kind != VALUE_NULL;
        if (is_scalar_kind(field->preset.kind) && field->kind == VALUE_NULL)
            field->kind = field->preset.kind;
    }
}

static enum value_kind kind_of_type(struct span type)
{
    static const struct {
        struct span name;
        enum value_kind kind;
    } types[] = {
        {SPAN_INIT("boolean"), VALUE_BOOL},
        {SPAN_INIT("integer"), VALUE_INT},
        {SPAN_INIT("number"), VALUE_DOUBLE},
        {SPAN_INIT("string"), VALUE_STRING},
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (span_equal(types[i].name, type))
            return types[i].kind;
    }
    return VALUE_NULL;
}

/* `type: boolean`, or a list of types: the first that is not null. */
static enum value_kind kind_of_schema(const struct node *schema)
{
    const struct node *type = node_find(schema, SPAN("type"));
    enum value_kind kind = VALUE_NULL;
    if (type != NULL && node_is_string(type))
        return kind_of_type(node_text(type));
    for (uint32_t i = 0; type != NULL && type->kind == NODE_LIST && i < type->count; i++) {
        if (kind == VALUE_NULL && node_is_string(type->items[i]))
            kind = kind_of_type(node_text(type->items[i]));
    }
    return kind;
}

static void read_schema(struct derivation_reader *reader, const struct node *record)
{
    const struct node *schema = derivation_map(reader, record, "schema");
    const struct node *properties =
        schema == NULL ? NULL : derivation_map(reader, schema, "properties");
    for (uint32_t i = 0; properties != NULL && i < properties->count; i++) {
        enum value_kind kind = kind_of_schema(properties->entries[i].value);
        if (kind != VALUE_NULL)
            get_field(reader, properties->entries[i].key)->kind = kind;
    }
}

static bool is_name(struct span text)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.text[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!is_letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return text.size > 0;
}

static void read_name(struct derivation_reader *reader, const struct node *record)
{
    const struct node *as = node_find(record, SPAN("as"));
    reader->derivation.record = SPAN("record");
    if (as == NULL)
        return;
    if (!node_is_string(as) || !is_name(node_text(as)))
        derivation_error(reader, "IL0104", as->place,
                         "`as` must be a name that expressions can use");
    else
        reader->derivation.record = node_text(as);
}

void derivation_read_record(struct derivation_reader *reader)
{
    static const struct span keys[] = {SPAN_INIT("as"), SPAN_INIT("defaults"),
                                       SPAN_INIT("schema")};
    const struct node *record = derivation_map(reader, reader->root, "record");
    read_name(reader, record);
    for (uint32_t i = 0; record != NULL && i < record->count; i++) {
        const struct node_entry *entry = &record->entries[i];
        if (span_equal(entry->key, keys[0]) || span_equal(entry->key, keys[1]) ||
            span_equal(entry->key, keys[2]))
            continue;
        struct diagnostic *error =
            derivation_error(reader, "IL0102", entry->place, "unknown key `%.*s` in `record`",
                             SPAN_ARGS(entry->key));
        diagnostic_suggest(reader->diagnostics, error, entry->key, keys, 3);
    }
    if (record == NULL)
        return;
    read_schema(reader, record);
    read_presets(reader, record);
    derivation_read_types(reader, record);
}

/* Validators */

enum { NAME_RECORD, NAME_NOW, NAME_COUNT };

void derivation_scope(const struct derivation *derivation, struct expr_scope *scope,
                      struct arena *arena)
{
    struct span *names = arena_new_array(arena, NAME_COUNT, struct span);
    const struct type **types = arena_new_array(arena, NAME_COUNT, const struct type *);
    names[NAME_RECORD] = derivation->record;
    names[NAME_NOW] = SPAN("now");
    types[NAME_RECORD] = derivation->record_type;
    types[NAME_NOW] = type_simple(TYPE_TIMESTAMP);
    *scope =
        (struct expr_scope){.variables = names, .variable_count = NAME_COUNT, .types = types};
}

/* Compiles once against the record alone, to learn which of its fields are read, and once
 * against the slots. The texts of both times are the same, so only the first can fail. */
static const struct expr_program *compile_alone(struct derivation_reader *reader,
                                                const struct node *node)
{
    struct expr_scope scope;
    derivation_scope(&reader->derivation, &scope, reader->arena);
    if (!node_is_string(node) &&
        !(node->kind == NODE_SCALAR && node->scalar.kind == VALUE_BOOL)) {
        derivation_error(reader, "IL0104", node->place, "a validator is an expression, not %s",
                         node_kind_name(node));
        return NULL;
    }
    if (!node_is_string(node))
        return expr_compile(node->scalar.boolean ? SPAN("true") : SPAN("false"), node->place,
                            &scope, reader->arena, reader->diagnostics);
    size_t size = node_text(node).size;
    if (span_find(node_text(node), SPAN("${"), 0) != SIZE_MAX) {
        struct diagnostic *error = derivation_error(
            reader, "IL0105", node->place, "a validator is a bare expression, without `${`");
        diagnostic_help(reader->diagnostics, error, "write what stands between `${` and `}`");
        return NULL;
    }
    const struct expr_program *program =
        expr_compile_part(node, 0, size, &scope, reader->arena, reader->diagnostics);
    if (program == NULL || !expr_uses(program, NAME_NOW))
        return program;
    derivation_error(
        reader, "IL0105", node->place,
        "`now` may not be read in a validator: nothing derives again when it passes");
    return NULL;
}

static void read_validator(struct derivation_reader *reader, uint32_t state,
                           const struct node *node)
{
    if (reader->states[state].validator != NO_INDEX) {
        derivation_error(reader, "IL0109", node->place,
                         "the validator of `%.*s` is written twice",
                         SPAN_ARGS(reader->states[state].path));
        return;
    }
    const struct expr_program *program = compile_alone(reader, node);
    if (program == NULL)
        return;
    derivation_reserve(reader, reader->validators, reader->validator_count,
                       reader->validator_capacity);
    reader->states[state].validator = reader->validator_count;
    reader->validators[reader->validator_count++] = (struct derivation_validator){
        .state = state,
        .text = node_is_string(node) ? node_text(node)
                                     : (node->scalar.boolean ? SPAN("true") : SPAN("false")),
        .written = program,
        .program = program,
        .place = node->place,
    };
}

/* Moves the fields that are read to the front: they have slots. */
static void find_read_fields(struct derivation_reader *reader)
{
    struct derivation *derivation = &reader->derivation;
    for (uint32_t i = 0; i < reader->validator_count; i++) {
        const struct footprint *use =
            footprint_read(reader->validators[i].program, derivation->record, reader->arena);
        for (; use != NULL; use = use->next) {
            if (use->kind == FOOTPRINT_WHOLE)
                continue;
            struct derivation_field *field = get_field(reader, use->field);
            struct derivation_field *first = &reader->fields[derivation->read_count];
            if (field < first)
                continue;
            struct derivation_field moved = *field;
            *field = *first;
            *first = moved;
            derivation->read_count++;
        }
    }
}

static void make_scope(struct derivation_reader *reader, struct expr_scope *scope)
{
    const struct derivation *derivation = &reader->derivation;
    uint32_t count = derivation_slot_count(derivation);
    struct span *names = arena_new_array(reader->arena, count, struct span);
    names[0] = derivation->record;
    for (uint32_t i = 1; i < count; i++)
        names[i] = text_print(reader->arena, "%.*s.%.*s", SPAN_ARGS(derivation->record),
                              SPAN_ARGS(reader->fields[i - 1].name));
    *scope = (struct expr_scope){.variables = names, .variable_count = count};
}

static const struct expr_program *compile_again(struct derivation_reader *reader,
                                                struct span text, struct place place,
                                                const struct expr_scope *scope)
{
    const struct expr_program *program =
        expr_compile(text, place, scope, reader->arena, reader->diagnostics);
    ensure(program != NULL);
    return program;
}

static void compile(struct derivation_reader *reader, struct derivation_validator *validator,
                    const struct expr_scope *scope)
{
    const struct span *texts =
        footprint_conjuncts(validator->program, reader->arena, &validator->conjunct_count);
    struct derivation_conjunct *conjuncts =
        arena_new_array(reader->arena, validator->conjunct_count, struct derivation_conjunct);
    for (uint32_t i = 0; i < validator->conjunct_count; i++)
        conjuncts[i] = (struct derivation_conjunct){
            texts[i], compile_again(reader, texts[i], validator->place, scope)};
    validator->conjuncts = conjuncts;
    validator->program = compile_again(reader, validator->text, validator->place, scope);
    if (expr_uses(validator->program, 0))
        reader->derivation.needs_record = true;
}

void derivation_read_validators(struct derivation_reader *reader)
{
    const struct node *validators = derivation_map(reader, reader->root, "validators");
    struct expr_scope scope;
    for (uint32_t i = 0; i < reader->state_count; i++) {
        const struct node *node = node_find(reader->nodes[i], SPAN("validator"));
        if (node != NULL)
            read_validator(reader, i, node);
    }
    for (uint32_t i = 0; validators != NULL && reader->state_count > 0 && i < validators->count;
         i++) {
        const struct node_entry *entry = &validators->entries[i];
        uint32_t state = derivation_resolve(reader, NO_STATE, entry->key, entry->place);
        if (state != NO_STATE)
            read_validator(reader, state, entry->value);
    }
    find_read_fields(reader);
    make_scope(reader, &scope);
    for (uint32_t i = 0; i < reader->validator_count; i++)
        compile(reader, &reader->validators[i], &scope);
}
