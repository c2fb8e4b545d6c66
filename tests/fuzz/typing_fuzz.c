/*
 * typing_fuzz.c - any bytes as a schema, a value and an expression: what the checker says,
 * the run keeps.
 *
 * The first line is the expression, the second a value, the rest a schema. A value that fits
 * its schema fits it again, unchanged, and is of the schema's type. An expression over it
 * that has a type gives a value of that type, or an error.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/ensure.h"
#include "base/json.h"
#include "base/limits.h"
#include "expr/expr.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { ARENA_BYTES = 16 << 20 };

static bool is_of(struct value value, const struct type *type);

static bool is_list_of(struct value value, const struct type *element)
{
    for (uint32_t i = 0; value.kind == VALUE_LIST && i < value.count; i++) {
        if (!is_of(value.items[i], element))
            return false;
    }
    return value.kind == VALUE_LIST;
}

static bool is_map_of(struct value value, const struct type *type)
{
    for (uint32_t i = 0; value.kind == VALUE_MAP && i < value.count; i++) {
        if (!is_of(value.entries[i].key, type->parameters[0]) ||
            !is_of(value.entries[i].value, type->parameters[1]))
            return false;
    }
    return value.kind == VALUE_MAP;
}

static bool is_record(struct value value, const struct type *type)
{
    for (uint32_t i = 0; value.kind == VALUE_MAP && i < type->count; i++) {
        const struct value *member = value_find(value, type->fields[i].name);
        if (member != NULL && !is_of(*member, type->fields[i].type))
            return false;
    }
    return value.kind == VALUE_MAP;
}

/* Whether the value is what the type says; null may stand anywhere. */
static bool is_of(struct value value, const struct type *type)
{
    if (value.kind == VALUE_NULL || type->kind == TYPE_DYN)
        return true;
    if (type->kind == TYPE_LIST)
        return is_list_of(value, type->parameters[0]);
    if (type->kind == TYPE_MAP)
        return is_map_of(value, type);
    if (type->kind == TYPE_RECORD)
        return is_record(value, type);
    if (type->kind == TYPE_OPTIONAL)
        return value.kind == VALUE_OPTIONAL &&
               (value.items == NULL || is_of(*value.items, type->parameters[0]));
    if (type->kind == TYPE_TIMESTAMP || type->kind == TYPE_DURATION)
        return value.kind == (type->kind == TYPE_TIMESTAMP ? VALUE_TIMESTAMP : VALUE_DURATION);
    return span_is(type->name, value_kind_name(value.kind));
}

static struct span take_line(struct span *text)
{
    size_t end = span_find(*text, SPAN("\n"), 0);
    struct span line = span_slice(*text, 0, end == SIZE_MAX ? text->size : end);
    *text = span_slice(*text, end == SIZE_MAX ? text->size : end + 1, text->size);
    return line;
}

static void run_expression(struct span text, struct value value, const struct type *type,
                           struct arena *arena)
{
    static const struct span names[] = {{"a", 1}, {"n", 1}, {"d", 1}};
    struct value slots[] = {value, value_int(3), value};
    const struct type *types[] = {type, type_simple(TYPE_INT), NULL};
    struct diagnostics diagnostics;
    diagnostics_init(&diagnostics, arena);
    struct expr_scope scope = {.variables = names, .variable_count = 3, .types = types};
    struct expr_frame frame = {.slots = slots, .slot_count = 3};
    const struct expr_program *program =
        expr_compile(text, (struct place){SPAN("fuzz"), 1, 1}, &scope, arena, &diagnostics);
    if (program == NULL)
        return;
    const struct type *found = expr_check(program, &scope, arena, &diagnostics);
    for (const struct diagnostic *one = diagnostics.first; one != NULL; one = one->next)
        ensure(one->place.line > 0 && one->place.column > 0 && one->message.size > 0);
    struct value result = expr_run(program, &frame, arena);
    ensure(value_is_error(result) || diagnostics.errors > 0 || is_of(result, found));
}

static void run(struct span text, struct arena *arena)
{
    struct span expression = take_line(&text);
    struct span json = take_line(&text);
    struct json_error error;
    struct diagnostics diagnostics;
    struct schema_problem problem;
    struct value value;
    struct value again;
    diagnostics_init(&diagnostics, arena);
    const struct node *node = json_read_tree(text, SPAN("fuzz"), arena, &diagnostics);
    const struct schema *schema =
        node == NULL ? NULL : schema_compile(node, arena, &diagnostics);
    ensure((schema == NULL) == (diagnostics.errors > 0));
    if (schema == NULL || json_read(json, arena, &value, &error) != STATUS_OK)
        return;
    const struct type *type = schema_type(schema, arena);
    if (!schema_accept(schema, value, arena, &value, &problem)) {
        ensure(problem.message.size > 0);
        return;
    }
    /* Where properties are listed and no type, the checker takes an object for granted. */
    bool has_properties = span_find(text, SPAN("roperties"), 0) != SIZE_MAX;
    ensure(is_of(value, type) || has_properties);
    if (!is_of(value, type))
        return;
    ensure(schema_accept(schema, value, arena, &again, &problem));
    run_expression(expression, value, type, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct arena arena;
    struct arena_guard guard;
    arena_open(&arena, ARENA_BYTES);
    if (!arena_is_spent(&arena, &guard)) {
        run(span_of((const char *)bytes, size), &arena);
        arena_release_guard(&arena, &guard);
    }
    arena_close(&arena);
    return 0;
}
