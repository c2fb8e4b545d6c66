/*
 * derivation_columns.h - the states of many records that lie side by side.
 *
 * Two ways. Any columns, with nulls and strides: each row's values make a key, and the answer
 * is looked up (derivation_table.h). And columns that are nothing but booleans, without nulls:
 * then a record is a number of a few bits, all answers fit in a table, and the table is applied
 * to many records at once: bytes by shuffles, bits by the boolean functions that the table
 * says.
 *
 * Both give what derivation_run() gives (I13).
 */
#pragma once

#include "chart/derivation_table.h"

enum derivation_column_kind {
    DERIVATION_COLUMN_NONE, /* missing in every row */
    DERIVATION_COLUMN_BOOL, /* a byte each, 0 is false */
    DERIVATION_COLUMN_BITS, /* a bit each, the lowest of a byte first */
    DERIVATION_COLUMN_INT8,
    DERIVATION_COLUMN_INT16,
    DERIVATION_COLUMN_INT32,
    DERIVATION_COLUMN_INT64,
    DERIVATION_COLUMN_UINT8,
    DERIVATION_COLUMN_UINT16,
    DERIVATION_COLUMN_UINT32,
    DERIVATION_COLUMN_FLOAT,
    DERIVATION_COLUMN_DOUBLE,
    DERIVATION_COLUMN_TEXT,  /* data from offsets[i] to offsets[i + 1] */
    DERIVATION_COLUMN_SPANS, /* a struct span each */
    DERIVATION_COLUMN_VALUES /* a struct value each; an error is missing */
};

/* Row i is at data + (first + i) * stride, its bits and offsets at first + i. A row whose bit
 * in `valid` is 0 has no value: its member is missing. */
struct derivation_column {
    enum derivation_column_kind kind;
    const void *data;
    size_t stride;          /* bytes from one to the next; of BITS and TEXT unused */
    const int32_t *offsets; /* of TEXT */
    const uint8_t *valid;   /* a bit each; NULL: all have a value */
    size_t first;
};

/* The bytes of one value of a kind, 0 for BITS, TEXT and NONE: the stride of what lies packed.
 */
size_t derivation_column_size(enum derivation_column_kind kind);

/* The value of a row; an error when it is missing. */
struct value derivation_column_value(const struct derivation_column *column, size_t row);

/* What columns are derived with. */
struct derivation_batch;

/* For machines with one region whose validators read fields only; else NULL. In the arena, of
 * which it takes what `scratch_bytes` says for expressions. */
struct derivation_batch *derivation_batch_open(const struct derivation *derivation,
                                               struct arena *arena);

/* Derives rows [0, count) of columns, one for each field that validators read, in their order.
 * `starts` (NULL: the initial state) has a leaf for each row, `states` gets the leaf, and holds
 * (may be NULL) a byte, 1 where it holds. Takes no memory. Returns how many validators gave no
 * answer where it could have mattered. */
uint64_t derivation_batch_run(struct derivation_batch *batch,
                              const struct derivation_column *columns, size_t count,
                              const uint32_t *starts, uint16_t *states, uint8_t *holds);

/* Booleans only: tables of at most 8 fields. */

enum { DERIVATION_FLAGS_MAX = 8 };

struct derivation_flags; /* the answers from one start */

/* NULL where there are too many fields or leaves, or more than one region. In the arena. */
const struct derivation_flags *derivation_flags_open(const struct derivation *derivation,
                                                     uint32_t start, struct arena *arena);

/* A byte for each record and field, 0 or 1: states gets the leaf, with 0x80 where it does not
 * hold. */
void derivation_flags_bytes(const struct derivation_flags *flags, const uint8_t *const *fields,
                            size_t count, uint8_t *states);

/* How many bit planes a leaf's number has. */
uint32_t derivation_flags_planes(const struct derivation_flags *flags);

/* 64 records in a word: plane p gets bit p of the leaf, and `holds` (may be NULL) whether it
 * holds. */
void derivation_flags_bits(const struct derivation_flags *flags, const uint64_t *const *fields,
                           size_t words, uint64_t *const *planes, uint64_t *holds);
