/*
 * il_derive_columns.c - states of records side by side: columns, structs, Arrow's arrays.
 */
#include "base/memory.h"
#include "embed/il_derive.h"

enum { BATCH_BYTES = 32 << 20 };

/* The two structures of the Arrow C data interface, as its specification lays them out. */
struct arrow_schema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t child_count;
    struct arrow_schema **children;
    struct arrow_schema *dictionary;
    void (*release)(struct arrow_schema *);
    void *private_data;
};

struct arrow_array {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t buffer_count;
    int64_t child_count;
    const void **buffers;
    struct arrow_array **children;
    struct arrow_array *dictionary;
    void (*release)(struct arrow_array *);
    void *private_data;
};

static il_status run_batch(const struct il_derivation *derivation,
                           const struct derivation_column *columns, size_t count,
                           const uint32_t *starts, uint16_t *states, uint8_t *holds,
                           uint64_t *errors)
{
    struct arena arena;
    struct arena_guard guard;
    arena_open(&arena, BATCH_BYTES);
    if (arena_is_spent(&arena, &guard)) {
        arena_close(&arena);
        return IL_NO_SPACE;
    }
    struct derivation_batch *batch = derivation_batch_open(derivation->derivation, &arena);
    arena_release_guard(&arena, &guard);
    if (batch != NULL) {
        uint64_t found = derivation_batch_run(batch, columns, count, starts, states, holds);
        if (errors != NULL)
            *errors = found;
    }
    arena_close(&arena);
    return batch == NULL ? IL_INVALID : IL_OK;
}

/* Columns */

static bool read_kind(il_column_kind kind, enum derivation_column_kind *read)
{
    static const enum derivation_column_kind kinds[] = {
        [IL_COLUMN_MISSING] = DERIVATION_COLUMN_NONE,
        [IL_COLUMN_BOOL] = DERIVATION_COLUMN_BOOL,
        [IL_COLUMN_BITS] = DERIVATION_COLUMN_BITS,
        [IL_COLUMN_INT8] = DERIVATION_COLUMN_INT8,
        [IL_COLUMN_INT16] = DERIVATION_COLUMN_INT16,
        [IL_COLUMN_INT32] = DERIVATION_COLUMN_INT32,
        [IL_COLUMN_INT64] = DERIVATION_COLUMN_INT64,
        [IL_COLUMN_FLOAT] = DERIVATION_COLUMN_FLOAT,
        [IL_COLUMN_DOUBLE] = DERIVATION_COLUMN_DOUBLE,
        [IL_COLUMN_TEXT] = DERIVATION_COLUMN_TEXT,
    };
    if ((unsigned)kind >= sizeof kinds / sizeof kinds[0])
        return false;
    *read = kinds[kind];
    return true;
}

static bool read_column(const il_column *given, struct derivation_column *column)
{
    *column = (struct derivation_column){.data = given->data,
                                         .stride = given->stride,
                                         .offsets = given->offsets,
                                         .valid = given->valid,
                                         .first = given->first};
    if (!read_kind(given->kind, &column->kind))
        return false;
    if (column->stride == 0)
        column->stride = derivation_column_size(column->kind);
    bool has_data = given->data != NULL || column->kind == DERIVATION_COLUMN_NONE;
    return has_data && (column->kind != DERIVATION_COLUMN_TEXT || given->offsets != NULL);
}

/* NULL: all begin initially. False: one begins in no state. */
static bool read_starts(const struct il_derivation *derivation, const uint32_t *from,
                        size_t count, uint32_t *starts)
{
    for (size_t i = 0; i < count; i++) {
        starts[i] =
            from[i] == IL_NO_STATE ? derivation->derivation->regions[0].initial : from[i];
        if (starts[i] >= derivation->derivation->leaf_count)
            return false;
    }
    return true;
}

il_status il_derive_columns(const il_derivation *derivation, const il_column *columns,
                            size_t count, const uint32_t *from, uint16_t *states,
                            uint8_t *holds, uint64_t *errors)
{
    if (derivation == NULL || columns == NULL || states == NULL)
        return IL_MISUSE;
    uint32_t fields = derivation->derivation->read_count;
    struct derivation_column *read = memory_get((fields + 1) * sizeof *read);
    uint32_t *starts = from == NULL ? NULL : memory_get((count + 1) * sizeof *starts);
    il_status status = IL_OK;
    for (uint32_t i = 0; i < fields; i++) {
        if (!read_column(&columns[i], &read[i]))
            status = IL_MISUSE;
    }
    if (from != NULL && !read_starts(derivation, from, count, starts))
        status = IL_MISUSE;
    if (status == IL_OK)
        status = run_batch(derivation, read, count, starts, states, holds, errors);
    memory_release(starts);
    memory_release(read);
    return status;
}

/* Arrow */

static bool read_format(const char *format, enum derivation_column_kind *kind)
{
    static const struct {
        char letter;
        enum derivation_column_kind kind;
    } formats[] = {
        {'n', DERIVATION_COLUMN_NONE},   {'b', DERIVATION_COLUMN_BITS},
        {'c', DERIVATION_COLUMN_INT8},   {'s', DERIVATION_COLUMN_INT16},
        {'i', DERIVATION_COLUMN_INT32},  {'l', DERIVATION_COLUMN_INT64},
        {'C', DERIVATION_COLUMN_UINT8},  {'S', DERIVATION_COLUMN_UINT16},
        {'I', DERIVATION_COLUMN_UINT32}, {'f', DERIVATION_COLUMN_FLOAT},
        {'g', DERIVATION_COLUMN_DOUBLE}, {'u', DERIVATION_COLUMN_TEXT},
    };
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (format[0] == formats[i].letter && format[1] == '\0') {
            *kind = formats[i].kind;
            return true;
        }
    }
    return false;
}

/* Where the struct array has a window of its own, its children begin there. */
static bool read_child(const struct arrow_schema *schema, const struct arrow_array *array,
                       int64_t window, struct derivation_column *column)
{
    *column = (struct derivation_column){.first = (size_t)(array->offset + window)};
    if (schema->dictionary != NULL || !read_format(schema->format, &column->kind))
        return false;
    column->stride = derivation_column_size(column->kind);
    if (column->kind == DERIVATION_COLUMN_NONE)
        return true;
    column->valid = array->null_count == 0 ? NULL : array->buffers[0];
    bool is_text = column->kind == DERIVATION_COLUMN_TEXT;
    column->offsets = is_text ? array->buffers[1] : NULL;
    column->data = is_text ? array->buffers[2] : array->buffers[1];
    return true;
}

/* The child of a field's name. A field without one is missing everywhere. */
static bool read_field(const struct arrow_schema *schema, const struct arrow_array *array,
                       const char *field, struct derivation_column *column)
{
    *column = (struct derivation_column){.kind = DERIVATION_COLUMN_NONE};
    for (int64_t i = 0; i < schema->child_count; i++) {
        const struct arrow_schema *child = schema->children[i];
        if (child->name != NULL && strcmp(child->name, field) == 0)
            return read_child(child, array->children[i], array->offset, column);
    }
    return true;
}

il_status il_derive_arrow(const il_derivation *derivation, const void *schema,
                          const void *array, uint16_t *states, uint8_t *holds, uint64_t *errors)
{
    const struct arrow_schema *about = schema;
    const struct arrow_array *rows = array;
    if (derivation == NULL || about == NULL || rows == NULL || states == NULL)
        return IL_MISUSE;
    if (strcmp(about->format, "+s") != 0 || about->child_count != rows->child_count)
        return IL_INVALID;
    uint32_t fields = derivation->derivation->read_count;
    struct derivation_column *columns = memory_get((fields + 1) * sizeof *columns);
    il_status status = IL_OK;
    for (uint32_t i = 0; i < fields; i++) {
        if (!read_field(about, rows, derivation->fields[i], &columns[i]))
            status = IL_INVALID;
    }
    if (status == IL_OK)
        status =
            run_batch(derivation, columns, (size_t)rows->length, NULL, states, holds, errors);
    memory_release(columns);
    return status;
}

/* Flags */

il_status il_derive_flags(const il_derivation *derivation, const uint8_t *const *fields,
                          size_t count, uint8_t *states)
{
    if (derivation == NULL || fields == NULL || states == NULL)
        return IL_MISUSE;
    if (derivation->flags == NULL)
        return IL_INVALID;
    derivation_flags_bytes(derivation->flags, fields, count, states);
    return IL_OK;
}

il_status il_derive_bits(const il_derivation *derivation, const uint64_t *const *fields,
                         size_t words, uint64_t *const *planes, uint64_t *holds)
{
    if (derivation == NULL || fields == NULL || planes == NULL)
        return IL_MISUSE;
    if (derivation->flags == NULL)
        return IL_INVALID;
    derivation_flags_bits(derivation->flags, fields, words, planes, holds);
    return IL_OK;
}

uint32_t il_derive_planes(const il_derivation *derivation)
{
    return derivation == NULL || derivation->flags == NULL
               ? 0
               : derivation_flags_planes(derivation->flags);
}
