/*
 * il_expr.c - CEL for programs outside.
 *
 * An expression is compiled once and never changes. A row holds the values of its names and
 * one result, in one piece of memory:
 *
 *     il_expr_row | slots | values: what the slots point to | result: one evaluation
 *                                    half                            half
 *
 * Always: a slot points into `values` or nowhere; the last result is in `result`.
 */
#include <interlock.h>

#include "base/ensure.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/time.h"
#include "embed/il_diagnose.h"
#include "expr/expr.h"

enum { ALIGNMENT = 16, REGION_BYTES_MIN = 256 };

static const struct span names_file = SPAN_INIT("names");

struct il_expr {
    struct arena arena;
    const struct expr_program *program;
    struct span *names;
    const struct schema **schemas; /* one for each name; NULL: anything */
    const struct type **types;
    size_t count;
    uint64_t names_hash;
    const char *type;
};

struct il_expr_row {
    const struct il_expr *expression; /* whose names it has */
    void *owned;                      /* NULL: the memory is the caller's */
    struct value *slots;
    struct arena values;
    struct arena result;
    const char *problem;
};

/* Compiling */

/* What the member of a name says: null nothing, text a type, anything else a schema. */
static void read_name(struct il_expr *expression, const struct node_entry *entry,
                      struct diagnostics *diagnostics)
{
    const struct node *node = entry->value;
    size_t i = expression->count++;
    expression->names[i] = entry->key;
    if (node->kind == NODE_SCALAR && node->scalar.kind == VALUE_NULL)
        return;
    if (!node_is_string(node)) {
        expression->schemas[i] = schema_compile(node, &expression->arena, diagnostics);
        if (expression->schemas[i] != NULL)
            expression->types[i] = schema_type(expression->schemas[i], &expression->arena);
        return;
    }
    expression->types[i] = type_read(&expression->arena, node_text(node));
    if (expression->types[i] == NULL)
        diagnostics_add(diagnostics, SEVERITY_ERROR, "IL0104", node->place, "`%.*s` is no type",
                        SPAN_ARGS(node_text(node)));
}

static void read_names(struct il_expr *expression, const char *json,
                       struct diagnostics *diagnostics)
{
    struct arena *arena = &expression->arena;
    struct span text = arena_copy(arena, span_from_text(json == NULL ? "{}" : json));
    const struct node *node = json_read_tree(text, names_file, arena, diagnostics);
    if (node == NULL)
        return;
    if (node->kind != NODE_MAP || node->count >= UINT16_MAX) {
        diagnostics_add(diagnostics, SEVERITY_ERROR, "IL0104", node->place,
                        "the names are a map, not %s", node_kind_name(node));
        return;
    }
    expression->names = arena_new_array(arena, node->count, struct span);
    expression->schemas = arena_get_zeroed(arena, node->count * sizeof *expression->schemas);
    expression->types = arena_get_zeroed(arena, node->count * sizeof *expression->types);
    for (uint32_t i = 0; i < node->count; i++) {
        read_name(expression, &node->entries[i], diagnostics);
        expression->names_hash =
            expression->names_hash * 31 + hash_text(node->entries[i].key) + 1;
    }
}

static void compile(struct il_expr *expression, struct span text, const char *names_json,
                    struct diagnostics *diagnostics)
{
    struct arena *arena = &expression->arena;
    struct place place = {SPAN("expression"), 1, 1};
    read_names(expression, names_json, diagnostics);
    struct expr_scope scope = {
        .variables = expression->names,
        .variable_count = expression->count,
        .types = expression->types,
    };
    if (diagnostics->errors > 0)
        return;
    expression->program =
        expr_compile(arena_copy(arena, text), place, &scope, arena, diagnostics);
    if (expression->program == NULL)
        return;
    struct text type;
    text_init(&type, arena);
    type_write(&type, expr_check(expression->program, &scope, arena, diagnostics));
    expression->type = text_span(&type).text;
}

static il_status compile_guarded(struct il_expr *expression, struct span text,
                                 const char *names_json, il_diagnose *diagnose, void *context)
{
    struct arena_guard guard;
    struct diagnostics diagnostics;
    diagnostics_init(&diagnostics, &expression->arena);
    if (arena_is_spent(&expression->arena, &guard))
        return IL_NO_SPACE;
    compile(expression, text, names_json, &diagnostics);
    il_diagnose_all(&diagnostics, diagnose, context);
    arena_release_guard(&expression->arena, &guard);
    return diagnostics.errors > 0 ? IL_INVALID : IL_OK;
}

il_status il_expr_compile(const char *text, size_t size, const char *names_json,
                          il_diagnose *diagnose, void *context, il_expr **compiled)
{
    if (text == NULL || compiled == NULL)
        return IL_MISUSE;
    struct il_expr *expression = memory_get(sizeof *expression);
    arena_open(&expression->arena, DEFINITION_ARENA_BYTES);
    il_status status =
        compile_guarded(expression, span_of(text, size), names_json, diagnose, context);
    if (status == IL_OK)
        *compiled = expression;
    else
        il_expr_close(expression);
    return status;
}

const char *il_expr_type(const il_expr *expression)
{
    return expression == NULL ? NULL : expression->type;
}

size_t il_expr_name_count(const il_expr *expression)
{
    return expression == NULL ? 0 : expression->count;
}

bool il_expr_uses(const il_expr *expression, size_t name)
{
    return expression != NULL && name < expression->count &&
           expr_uses(expression->program, (uint32_t)name);
}

void il_expr_close(il_expr *expression)
{
    if (expression == NULL)
        return;
    arena_close(&expression->arena);
    memory_release(expression);
}

/* Rows */

static size_t round_up(size_t size)
{
    return (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

void il_expr_row_clear(il_expr_row *row)
{
    if (row == NULL)
        return;
    arena_clear(&row->values);
    arena_clear(&row->result);
    row->problem = "";
    for (size_t i = 0; i < row->expression->count; i++)
        row->slots[i] = (struct value){.kind = VALUE_ERROR};
}

il_status il_expr_row_open(const il_expr *expression, void *memory, size_t bytes,
                           il_expr_row **opened)
{
    if (expression == NULL || opened == NULL)
        return IL_MISUSE;
    size_t head = round_up(sizeof(struct il_expr_row)) +
                  round_up(expression->count * sizeof(struct value)) + ALIGNMENT;
    bytes = memory == NULL && bytes == 0 ? IL_EXPR_ROW_BYTES + head : bytes;
    if (bytes < head + 2 * (size_t)REGION_BYTES_MIN)
        return IL_NO_SPACE;
    void *owned = memory == NULL ? memory_get(bytes) : NULL;
    char *start = memory == NULL ? owned : memory;
    start += (ALIGNMENT - (uintptr_t)start % ALIGNMENT) % ALIGNMENT;
    struct il_expr_row *row = (struct il_expr_row *)(void *)start;
    char *slots = start + round_up(sizeof *row);
    size_t half = (bytes - head) / 2 & ~(size_t)(ALIGNMENT - 1);
    *row = (struct il_expr_row){
        .expression = expression, .owned = owned, .slots = (struct value *)(void *)slots};
    char *regions = slots + round_up(expression->count * sizeof(struct value));
    arena_init(&row->values, regions, half);
    arena_init(&row->result, regions + half, half);
    il_expr_row_clear(row);
    *opened = row;
    return IL_OK;
}

void il_expr_row_close(il_expr_row *row)
{
    if (row != NULL)
        memory_release(row->owned);
}

const char *il_expr_row_problem(const il_expr_row *row)
{
    return row == NULL ? "" : row->problem;
}

/* Says what is wrong, where there is room left to. */
__attribute__((format(printf, 3, 4))) static il_status
fail(struct il_expr_row *row, il_status status, const char *format, ...)
{
    struct arena_guard guard;
    row->problem = il_status_text(status);
    arena_clear(&row->result);
    if (arena_is_spent(&row->result, &guard))
        return status;
    struct text text;
    va_list arguments;
    text_init(&text, &row->result);
    va_start(arguments, format);
    text_format_list(&text, format, arguments);
    va_end(arguments);
    row->problem = text.bytes;
    arena_release_guard(&row->result, &guard);
    return status;
}

/* A number becomes what its type says, where that is exact; time is text in JSON. */
static struct value coerce(const struct type *type, struct value value)
{
    int64_t seconds;
    int32_t nanoseconds;
    if (type == NULL)
        return value;
    if (type->kind == TYPE_DOUBLE && value.kind == VALUE_INT)
        return value_double((double)value.integer);
    if (type->kind == TYPE_UINT && value.kind == VALUE_INT && value.integer >= 0)
        return value_uint((uint64_t)value.integer);
    if (type->kind == TYPE_TIMESTAMP && value.kind == VALUE_STRING &&
        time_read_rfc3339(value_span(value), &seconds, &nanoseconds))
        return (struct value){
            .kind = VALUE_TIMESTAMP, .count = (uint32_t)nanoseconds, .integer = seconds};
    return value;
}

/* Puts a value in its slot when it fits the name's schema. Jumps to the guard of `values`. */
static il_status put(struct il_expr_row *row, size_t name, struct value value)
{
    const struct schema *schema = row->expression->schemas[name];
    struct schema_problem problem;
    if (schema == NULL) {
        row->slots[name] = coerce(row->expression->types[name], value);
        return IL_OK;
    }
    if (schema_accept(schema, value, &row->values, &row->slots[name], &problem))
        return IL_OK;
    return fail(row, IL_INVALID, "%.*s%.*s %.*s", SPAN_ARGS(row->expression->names[name]),
                SPAN_ARGS(problem.path), SPAN_ARGS(problem.message));
}

static il_status put_guarded(struct il_expr_row *row, size_t name, struct value value)
{
    struct arena_guard guard;
    if (row == NULL || name >= row->expression->count)
        return IL_MISUSE;
    if (arena_is_spent(&row->values, &guard))
        return fail(row, IL_NO_SPACE, "the row has no memory left");
    il_status status = put(row, name, value);
    arena_release_guard(&row->values, &guard);
    return status;
}

/* The copy of the text that the value points into is the row's own. */
static il_status read_json(struct il_expr_row *row, const char *json, struct value *value)
{
    struct json_error error;
    struct span text = span_from_text(json);
    if (text.size > VALUE_BYTES_MAX)
        return fail(row, IL_NO_SPACE, "a value has at most %d bytes", VALUE_BYTES_MAX);
    text = arena_copy(&row->values, text);
    if (json_read(text, &row->values, value, &error) == STATUS_OK)
        return IL_OK;
    return fail(row, IL_INVALID, "not JSON: %s at column %u", error.message,
                json_place(text, error.offset, SPAN("")).column);
}

static il_status put_members(struct il_expr_row *row, struct value map)
{
    const struct il_expr *expression = row->expression;
    if (map.kind != VALUE_MAP)
        return fail(row, IL_INVALID, "the values are an object with a member for each name");
    for (size_t i = 0; i < expression->count; i++) {
        const struct value *member = value_find(map, expression->names[i]);
        il_status status = member == NULL ? IL_OK : put(row, i, *member);
        if (status != IL_OK)
            return status;
    }
    return IL_OK;
}

il_status il_expr_row_set(il_expr_row *row, const char *values_json)
{
    struct arena_guard guard;
    struct value map = value_null();
    if (row == NULL || values_json == NULL)
        return IL_MISUSE;
    il_expr_row_clear(row);
    if (arena_is_spent(&row->values, &guard))
        return fail(row, IL_NO_SPACE, "the row has no memory left");
    il_status status = read_json(row, values_json, &map);
    if (status == IL_OK)
        status = put_members(row, map);
    arena_release_guard(&row->values, &guard);
    return status;
}

il_status il_expr_row_set_json(il_expr_row *row, size_t name, const char *json)
{
    struct arena_guard guard;
    struct value value = value_null();
    if (row == NULL || json == NULL || name >= row->expression->count)
        return IL_MISUSE;
    if (arena_is_spent(&row->values, &guard))
        return fail(row, IL_NO_SPACE, "the row has no memory left");
    il_status status = read_json(row, json, &value);
    if (status == IL_OK)
        status = put(row, name, value);
    arena_release_guard(&row->values, &guard);
    return status;
}

il_status il_expr_row_set_null(il_expr_row *row, size_t name)
{
    return put_guarded(row, name, value_null());
}

il_status il_expr_row_set_bool(il_expr_row *row, size_t name, bool value)
{
    return put_guarded(row, name, value_bool(value));
}

il_status il_expr_row_set_int(il_expr_row *row, size_t name, int64_t value)
{
    return put_guarded(row, name, value_int(value));
}

il_status il_expr_row_set_double(il_expr_row *row, size_t name, double value)
{
    return put_guarded(row, name, value_double(value));
}

il_status il_expr_row_set_text(il_expr_row *row, size_t name, const char *text, size_t size)
{
    if (text == NULL || size > VALUE_BYTES_MAX)
        return IL_MISUSE;
    if (!span_is_utf8(span_of(text, size)))
        return row == NULL ? IL_MISUSE : fail(row, IL_INVALID, "text is UTF-8");
    return put_guarded(row, name, value_string(span_of(text, size)));
}

/* Evaluating */

static bool has_names(const struct il_expr_row *row, const struct il_expr *expression)
{
    return row->expression == expression ||
           (row->expression->count == expression->count &&
            row->expression->names_hash == expression->names_hash);
}

static struct value run(const struct il_expr *expression, struct il_expr_row *row)
{
    struct expr_frame frame = {.slots = row->slots, .slot_count = expression->count};
    arena_clear(&row->result);
    row->problem = "";
    return expr_run(expression->program, &frame, &row->result);
}

static il_status fail_value(struct il_expr_row *row, struct value error)
{
    enum { BYTES_MAX = 512 }; /* the message may lie where ours is to be written */
    char message[BYTES_MAX];
    size_t size = error.count < BYTES_MAX ? error.count : BYTES_MAX;
    while (size > 0 && size < error.count && ((unsigned char)error.text[size] & 0xc0) == 0x80)
        size--; /* not in the middle of a character */
    if (size > 0)
        memcpy(message, error.text, size);
    return fail(row, IL_INVALID, "%.*s", (int)size, message);
}

il_status il_expr_eval(const il_expr *expression, il_expr_row *row, const char **result_json)
{
    struct arena_guard guard;
    if (expression == NULL || row == NULL || result_json == NULL)
        return IL_MISUSE;
    if (!has_names(row, expression))
        return fail(row, IL_CONFLICT, "the row was opened for other names");
    struct value value = run(expression, row);
    if (value_is_error(value))
        return fail_value(row, value);
    if (arena_is_spent(&row->result, &guard))
        return fail(row, IL_NO_SPACE, "the row has no memory left for the result");
    struct text text;
    text_init(&text, &row->result);
    json_write(&text, value);
    arena_release_guard(&row->result, &guard);
    *result_json = text.bytes;
    return IL_OK;
}

il_status il_expr_holds(const il_expr *expression, il_expr_row *row, bool *holds)
{
    if (expression == NULL || row == NULL || holds == NULL)
        return IL_MISUSE;
    if (!has_names(row, expression))
        return fail(row, IL_CONFLICT, "the row was opened for other names");
    struct value value = run(expression, row);
    *holds = value_is_true(value);
    if (value_is_error(value))
        return fail_value(row, value);
    if (value.kind == VALUE_BOOL)
        return IL_OK;
    return fail(row, IL_INVALID, "the value is no bool, but of the type %s",
                value_kind_name(value.kind));
}
