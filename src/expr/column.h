/*
 * column.h - predicates over columns: many rows at once, 64 to a machine word.
 *
 * A set of predicates is taken apart into atoms (reason_model.h). Each atom is evaluated once
 * for a block of rows, whatever number of predicates it is in, into a bit for each row; the
 * predicates are then joined from these by whole words. What has no kernel (a function of a
 * text, a sum of two members) is run row by row in the VM within the same call, so the results
 * are always those that expr_run() gives for each row's record.
 *
 * A row's record: a column "o.customer.tier" is the member tier of the member customer of the
 * variable o; a column "blocked" is the variable itself. The maps on the way are always there;
 * what has no column is missing.
 *
 * The layout is Arrow's: a null bitmap has a 1 for what is there, in bits from the lowest, and
 * `offset` skips rows. Words are little-endian, as on every machine this is built for.
 */
#pragma once

#include "expr/program.h"

enum column_kind {
    COLUMN_BYTES,   /* uint8_t: a bool, true unless 0 */
    COLUMN_BITS,    /* a bool in a bit */
    COLUMN_INTS,    /* int64_t */
    COLUMN_REALS,   /* double */
    COLUMN_CODES,   /* uint32_t: an entry of the dictionary */
    COLUMN_TEXTS,   /* int32_t: where a string begins in `bytes`; the next one's is its end */
    COLUMN_VALUES,  /* struct value */
    COLUMN_CONSTANT /* one struct value for all rows */
};

struct column {
    struct span path;
    enum column_kind kind;
    const void *data;
    const uint8_t *valid; /* NULL: there are no nulls */
    size_t offset;        /* of the first row, in data and valid */
    size_t stride;        /* bytes from one row to the next; 0: one behind the other.
                             BITS and TEXTS have none */
    struct value absent;  /* what a null stands for: an ERROR for "missing", null, a default */
    const char *bytes;    /* TEXTS */
    const struct value *dictionary; /* CODES. It may grow between runs; what is in it stays */
    uint32_t dictionary_count;      /* a code beyond it is a null */
};

enum { COLUMN_BLOCK_ROWS = 4096 };

struct column_set; /* in the arena it was made in; used by one thread at a time */

/* Prepares predicates, compiled with the scope, for columns; all of them outlive the set, and
 * so does the arena, which grows with the dictionaries. The columns' data, bitmaps, offsets
 * and dictionaries are looked at anew in each run, and may be replaced between runs (a bitmap
 * not by NULL, nor NULL by a bitmap); kinds, paths, strides and absent stay. Jumps to the
 * arena's guard. */
struct column_set *column_open(const struct expr_program *const *predicates, size_t count,
                               const struct expr_scope *scope, const struct column *columns,
                               size_t column_count, struct arena *arena);

/* Evaluates all predicates for `count` rows from row `first` on (after each column's offset).
 * Bit i of truths[p] is row first + i; each has room for count bits in whole words, and bits
 * beyond are 0. errors may be NULL, or any of them: a 1 for an error, or what is no bool.
 * Results of COLUMN_BLOCK_ROWS rows or fewer stay in the nearest cache. Scratch memory comes
 * from the arena, is given back, and must suffice for one row; jumps to its guard. */
void column_run(struct column_set *set, size_t first, size_t count, uint64_t *const *truths,
                uint64_t *const *errors, struct arena *arena);

/* How many atoms of the set are run row by row. */
uint32_t column_slow_atoms(const struct column_set *set);

/* The instructions to use: by default the best the machine has. */
enum column_level { COLUMN_PORTABLE, COLUMN_AVX2, COLUMN_AVX512 };
enum column_level column_best_level(void);
void column_use_level(struct column_set *set, enum column_level level);
