/*
 * derivation_columns.c - any columns, row by row, with a table of what was seen.
 */
#include "chart/derivation_columns.h"

#include "base/ensure.h"

enum { SCRATCH_BYTES = 64 << 10 };

struct batch_answer {
    uint16_t state;
    uint8_t holds;
    uint32_t errors;
};

struct derivation_batch {
    const struct derivation *derivation;
    struct derivation_table *table;
    const struct derivation_classes *classes;
    struct value *slots;
    struct value_entry *entries; /* of the record, where validators read it */
    struct batch_answer *answers;
    struct arena scratch; /* of one row's expressions */
};

size_t derivation_column_size(enum derivation_column_kind kind)
{
    switch (kind) {
    case DERIVATION_COLUMN_NONE:
    case DERIVATION_COLUMN_BITS:
    case DERIVATION_COLUMN_TEXT:
        return 0;
    case DERIVATION_COLUMN_BOOL:
    case DERIVATION_COLUMN_INT8:
    case DERIVATION_COLUMN_UINT8:
        return 1;
    case DERIVATION_COLUMN_INT16:
    case DERIVATION_COLUMN_UINT16:
        return 2;
    case DERIVATION_COLUMN_INT32:
    case DERIVATION_COLUMN_UINT32:
    case DERIVATION_COLUMN_FLOAT:
        return 4;
    case DERIVATION_COLUMN_INT64:
    case DERIVATION_COLUMN_DOUBLE:
        return 8;
    case DERIVATION_COLUMN_SPANS:
        return sizeof(struct span);
    case DERIVATION_COLUMN_VALUES:
        return sizeof(struct value);
    }
    never();
}

static bool bit_at(const void *bits, size_t index)
{
    return ((const uint8_t *)bits)[index / 8] >> index % 8 & 1;
}

static struct value missing(void)
{
    return value_error(SPAN("no such key"));
}

/* Values may lie anywhere in a caller's struct. */
#define READ_AS(type, at, make)             \
    do {                                    \
        type read_;                         \
        memcpy(&read_, (at), sizeof read_); \
        return make;                        \
    } while (0)

static struct value value_at(const struct derivation_column *column, size_t index)
{
    if (column->kind == DERIVATION_COLUMN_NONE)
        return missing();
    const char *at = (const char *)column->data + index * column->stride;
    switch (column->kind) {
    case DERIVATION_COLUMN_NONE:
        break;
    case DERIVATION_COLUMN_BOOL:
        return value_bool(*at != 0);
    case DERIVATION_COLUMN_BITS:
        return value_bool(bit_at(column->data, index));
    case DERIVATION_COLUMN_INT8:
        READ_AS(int8_t, at, value_int(read_));
    case DERIVATION_COLUMN_INT16:
        READ_AS(int16_t, at, value_int(read_));
    case DERIVATION_COLUMN_INT32:
        READ_AS(int32_t, at, value_int(read_));
    case DERIVATION_COLUMN_INT64:
        READ_AS(int64_t, at, value_int(read_));
    case DERIVATION_COLUMN_UINT8:
        READ_AS(uint8_t, at, value_int(read_));
    case DERIVATION_COLUMN_UINT16:
        READ_AS(uint16_t, at, value_int(read_));
    case DERIVATION_COLUMN_UINT32:
        READ_AS(uint32_t, at, value_int(read_));
    case DERIVATION_COLUMN_FLOAT:
        READ_AS(float, at, value_double((double)read_));
    case DERIVATION_COLUMN_DOUBLE:
        READ_AS(double, at, value_double(read_));
    case DERIVATION_COLUMN_TEXT:
        return value_string(
            span_of((const char *)column->data + column->offsets[index],
                    (size_t)(column->offsets[index + 1] - column->offsets[index])));
    case DERIVATION_COLUMN_SPANS:
        READ_AS(struct span, at, value_string(read_));
    case DERIVATION_COLUMN_VALUES:
        READ_AS(struct value, at, read_);
    }
    never();
}

struct value derivation_column_value(const struct derivation_column *column, size_t row)
{
    size_t index = column->first + row;
    if (column->valid != NULL && !bit_at(column->valid, index))
        return missing();
    return value_at(column, index);
}

static uint32_t bits_of(uint32_t count)
{
    return 32 - (uint32_t)__builtin_clz(count);
}

struct derivation_batch *derivation_batch_open(const struct derivation *derivation,
                                               struct arena *arena)
{
    struct derivation_table *table =
        derivation_table_open(derivation, bits_of(derivation->leaf_count), arena);
    if (table == NULL)
        return NULL;
    struct derivation_batch *batch = arena_new(arena, struct derivation_batch);
    batch->derivation = derivation;
    batch->table = table;
    batch->classes = derivation_table_classes(table);
    batch->slots = arena_new_array(arena, derivation_slot_count(derivation), struct value);
    batch->entries = arena_new_array(arena, derivation->read_count, struct value_entry);
    batch->answers = arena_get_array(arena, DERIVATION_ANSWERS_MAX, sizeof *batch->answers);
    arena_init(&batch->scratch, arena_get(arena, SCRATCH_BYTES), SCRATCH_BYTES);
    return batch;
}

/* The slots of a row, as derivation_bind() has them for a record. */
static void bind(struct derivation_batch *batch, const struct derivation_column *columns,
                 size_t row)
{
    const struct derivation *derivation = batch->derivation;
    uint32_t count = 0;
    for (uint32_t i = 0; i < derivation->read_count; i++) {
        struct value value = derivation_column_value(&columns[i], row);
        if (!value_is_error(value))
            batch->entries[count++] =
                (struct value_entry){value_string(derivation->fields[i].name), value};
    }
    derivation_bind(derivation, value_map(batch->entries, count), batch->slots,
                    &batch->scratch);
}

static struct batch_answer derive(struct derivation_batch *batch,
                                  const struct derivation_column *columns, size_t row,
                                  uint32_t start)
{
    arena_clear(&batch->scratch);
    bind(batch, columns, row);
    struct derived derived =
        derivation_run(batch->derivation, start, batch->slots, &batch->scratch);
    return (struct batch_answer){(uint16_t)derived.state, derived.holds, derived.errors};
}

/* False: a value has no class. */
static bool key_of(const struct derivation_batch *batch,
                   const struct derivation_column *columns, size_t row, uint64_t *key)
{
    for (uint32_t i = 0; i < batch->derivation->read_count; i++) {
        const struct derivation_classes *classes = &batch->classes[i];
        struct value value = derivation_column_value(&columns[i], row);
        uint16_t class = value_is_error(value) ? classes->of_member[MEMBER_MISSING]
                                               : derivation_table_class(classes, value);
        if (class == DERIVATION_CLASS_NONE)
            return false;
        *key |= (uint64_t) class << classes->shift;
    }
    return true;
}

static struct batch_answer answer_of(struct derivation_batch *batch,
                                     const struct derivation_column *columns, size_t row,
                                     uint32_t start)
{
    uint64_t key = (uint64_t)start << derivation_table_shift(batch->table);
    if (!key_of(batch, columns, row, &key))
        return derive(batch, columns, row, start);
    uint32_t number = derivation_table_find(batch->table, key);
    if (number != NO_INDEX)
        return batch->answers[number];
    struct batch_answer answer = derive(batch, columns, row, start);
    number = derivation_table_add(batch->table, key);
    if (number != NO_INDEX)
        batch->answers[number] = answer;
    return answer;
}

uint64_t derivation_batch_run(struct derivation_batch *batch,
                              const struct derivation_column *columns, size_t count,
                              const uint32_t *starts, uint16_t *states, uint8_t *holds)
{
    uint64_t errors = 0;
    uint32_t initial = batch->derivation->regions[0].initial;
    for (size_t row = 0; row < count; row++) {
        uint32_t start = starts == NULL ? initial : starts[row];
        struct batch_answer answer = answer_of(batch, columns, row, start);
        states[row] = answer.state;
        errors += answer.errors;
        if (holds != NULL)
            holds[row] = answer.holds;
    }
    return errors;
}
