/*
 * column_fuzz.c - any predicates over any columns: each level of instructions gives what the
 * others give, and each row what the VM gives for its record.
 *
 * Eight bytes are the seed of the columns: what is in them, nulls, offsets, strides, how many
 * rows. The rest are predicates, one a line, or (after an odd byte) bytes that a predicate
 * grows from, which reaches deeper than what a text survives of being changed. The records
 * are put together here, by the letter of the columns' contract.
 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ensure.h"
#include "base/random.h"
#include "base/text.h"
#include "expr/expr.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum {
    ARENA_BYTES = 32 << 20,
    PREDICATES_MAX = 3,
    ROWS_MAX = COLUMN_BLOCK_ROWS + 200,
    SPARE = 70, /* rows before the first one */
    ALL = ROWS_MAX + SPARE,
    WORDS = ROWS_MAX / 64 + 1,
    COLUMNS = 11,
    LEVELS = 3,
    TEXT_MAX = 600
};

static const struct span variables[] = {{"o", 1}, {"n", 1}};
static const struct expr_scope scope = {.variables = variables, .variable_count = 2};

struct record {
    uint8_t byte;
    double real;
    int64_t integer;
    uint32_t code;
};

struct table {
    struct column columns[COLUMNS];
    uint8_t bytes[ALL];
    uint8_t bits[ALL / 8 + 1];
    int64_t ints[2][ALL];
    double reals[2][ALL];
    uint32_t codes[ALL];
    int32_t offsets[ALL + 1];
    char texts[ALL * 4];
    struct value values[ALL];
    struct record records[ALL];
    uint8_t valid[COLUMNS][ALL / 8 + 1];
    struct value dictionary[6];
    struct value constant;
    size_t count;
};

static const int64_t ints[] = {0,
                               1,
                               2,
                               -1,
                               3,
                               INT64_MAX,
                               INT64_MIN,
                               INT64_MAX - 1,
                               (int64_t)1 << 53,
                               ((int64_t)1 << 53) + 1};
static const double reals[] = {0,
                               -0.0,
                               0.5,
                               1,
                               2,
                               -1,
                               3,
                               1e300,
                               -1e300,
                               5e-324,
                               (double)INFINITY,
                               -(double)INFINITY,
                               (double)NAN,
                               9007199254740993.0,
                               9223372036854775808.0,
                               -9223372036854775808.0};
static const char *const words[] = {"", "a", "ab", "EUR", "é"};

static struct value any_value(struct random *random)
{
    switch (random_up_to(random, 7)) {
    case 0:
        return value_null();
    case 1:
        return value_bool(random_up_to(random, 1));
    case 2:
        return value_int(ints[random_up_to(random, COUNT(ints) - 1)]);
    case 3:
        return value_double(reals[random_up_to(random, COUNT(reals) - 1)]);
    case 4:
        return value_list(NULL, 0);
    case 5:
        return value_error(SPAN(""));
    default:
        return value_string(span_from_text(words[random_up_to(random, COUNT(words) - 1)]));
    }
}

static struct value any_present(struct random *random)
{
    struct value value = any_value(random);
    return value.kind == VALUE_ERROR ? value_null() : value;
}

static void fill_rows(struct table *table, struct random *random)
{
    int32_t end = 0;
    for (size_t i = 0; i < SPARE + table->count; i++) {
        const char *word = words[random_up_to(random, COUNT(words) - 1)];
        table->bytes[i] = (uint8_t)(random_next(random) & random_next(random));
        for (size_t k = 0; k < 2; k++) {
            table->ints[k][i] = ints[random_up_to(random, COUNT(ints) - 1)];
            table->reals[k][i] = reals[random_up_to(random, COUNT(reals) - 1)];
        }
        table->codes[i] = (uint32_t)random_up_to(random, COUNT(table->dictionary));
        table->values[i] = any_value(random);
        table->records[i] =
            (struct record){table->bytes[i] & 1, reals[random_up_to(random, COUNT(reals) - 1)],
                            ints[random_up_to(random, COUNT(ints) - 1)],
                            (uint32_t)random_up_to(random, COUNT(table->dictionary) + 1)};
        table->offsets[i] = end;
        memcpy(table->texts + end, word, strlen(word));
        end += (int32_t)strlen(word);
    }
    table->offsets[SPARE + table->count] = end;
    for (size_t i = 0; i < (SPARE + table->count) / 8 + 1; i++) {
        table->bits[i] = (uint8_t)random_next(random);
        for (size_t k = 0; k < COLUMNS; k++)
            table->valid[k][i] = (uint8_t)(random_next(random) | random_next(random));
    }
    for (size_t i = 0; i < COUNT(table->dictionary); i++)
        table->dictionary[i] = any_present(random);
    table->constant = any_present(random);
}

/* Numbers and codes lie in arrays of their own, or in records. */
static void set_columns(struct table *table, struct random *random)
{
    struct column columns[COLUMNS] = {
        {.path = SPAN("o.a"), .kind = COLUMN_BYTES, .data = table->bytes},
        {.path = SPAN("o.b"), .kind = COLUMN_BITS, .data = table->bits},
        {.path = SPAN("o.i"), .kind = COLUMN_INTS, .data = table->ints[0]},
        {.path = SPAN("o.m.j"), .kind = COLUMN_INTS, .data = table->ints[1]},
        {.path = SPAN("o.r"), .kind = COLUMN_REALS, .data = table->reals[0]},
        {.path = SPAN("o.m.q"), .kind = COLUMN_REALS, .data = table->reals[1]},
        {.path = SPAN("o.c"), .kind = COLUMN_CODES, .data = table->codes},
        {.path = SPAN("o.t"),
         .kind = COLUMN_TEXTS,
         .data = table->offsets,
         .bytes = table->texts},
        {.path = SPAN("o.v"), .kind = COLUMN_VALUES, .data = table->values},
        {.path = SPAN("n"), .kind = COLUMN_CONSTANT, .data = &table->constant},
        {.path = SPAN("o.d"), .kind = COLUMN_BYTES, .data = table->bytes},
    };
    const struct record *record = table->records;
    const void *strided[COLUMNS] = {
        [2] = &record->integer, [4] = &record->real, [6] = &record->code, [10] = &record->byte};
    for (size_t i = 0; i < COLUMNS; i++) {
        columns[i].absent = any_value(random);
        columns[i].valid = random_up_to(random, 1) ? table->valid[i] : NULL;
        columns[i].offset = random_up_to(random, 1) ? random_up_to(random, SPARE) : 0;
        if (strided[i] != NULL && random_up_to(random, 2) == 0) {
            columns[i].data = strided[i];
            columns[i].stride = sizeof *record;
        }
    }
    columns[9].valid = NULL;
    columns[6].dictionary = table->dictionary;
    columns[6].dictionary_count = COUNT(table->dictionary);
    memcpy(table->columns, columns, sizeof columns);
}

/* What a column has in a row, an error where there is nothing. */
static struct value cell(const struct table *table, size_t index, size_t row)
{
    const struct column *column = &table->columns[index];
    size_t at = column->offset + row;
    const struct record *record = column->stride == 0 ? NULL : &table->records[at];
    if (column->valid != NULL && (column->valid[at / 8] >> at % 8 & 1) == 0)
        return column->absent;
    switch (column->kind) {
    case COLUMN_BYTES:
        return value_bool((record == NULL ? table->bytes[at] : record->byte) != 0);
    case COLUMN_BITS:
        return value_bool((table->bits[at / 8] >> at % 8 & 1) != 0);
    case COLUMN_INTS:
        return value_int(record == NULL ? table->ints[index == 3][at] : record->integer);
    case COLUMN_REALS:
        return value_double(record == NULL ? table->reals[index == 5][at] : record->real);
    case COLUMN_CODES: {
        uint32_t code = record == NULL ? table->codes[at] : record->code;
        return code < COUNT(table->dictionary) ? table->dictionary[code] : column->absent;
    }
    case COLUMN_TEXTS:
        return value_string(span_of(table->texts + table->offsets[at],
                                    (size_t)(table->offsets[at + 1] - table->offsets[at])));
    case COLUMN_VALUES:
        return table->values[at];
    case COLUMN_CONSTANT:
        return table->constant;
    }
    never();
}

static uint32_t add_entry(struct value_entry *entries, uint32_t count, struct span name,
                          struct value value)
{
    if (value.kind == VALUE_ERROR)
        return count;
    entries[count] = (struct value_entry){value_string(name), value};
    return count + 1;
}

static void read_record(const struct table *table, size_t row, struct value *slots,
                        struct arena *arena)
{
    struct value_entry *inner = arena_new_array(arena, 2, struct value_entry);
    struct value_entry *outer = arena_new_array(arena, COLUMNS, struct value_entry);
    uint32_t inner_count = 0;
    uint32_t outer_count = 0;
    for (size_t i = 0; i < COLUMNS; i++) {
        struct span path = table->columns[i].path;
        struct span name = span_slice(path, path.size - 1, path.size);
        if (path.size == 5)
            inner_count = add_entry(inner, inner_count, name, cell(table, i, row));
        else if (path.size == 3)
            outer_count = add_entry(outer, outer_count, name, cell(table, i, row));
    }
    outer_count = add_entry(outer, outer_count, SPAN("m"), value_map(inner, inner_count));
    slots[0] = value_map(outer, outer_count);
    slots[1] = table->constant;
}

/* Predicates */

struct stem {
    const uint8_t *bytes; /* that the predicate grows from */
    size_t size;
    size_t at;
    struct text *text;
};

static unsigned choose(struct stem *stem, unsigned count)
{
    return stem->at < stem->size ? stem->bytes[stem->at++] % count : 0;
}

static void pick(struct stem *stem, const char *const *choices, size_t count)
{
    text_add(stem->text, span_from_text(choices[choose(stem, (unsigned)count)]));
}

#define PICK(stem, ...)                              \
    pick((stem), (const char *const[]){__VA_ARGS__}, \
         COUNT(((const char *const[]){__VA_ARGS__})))

static void grow_path(struct stem *stem)
{
    PICK(stem, "o.i", "o.r", "o.c", "o.t", "o.a", "o.b", "o.m.j", "o.m.q", "o.v", "n", "o.d",
         "o.x", "o.m", "o.m.x", "o.i.x", "o", "o['c']", "o.?i", "o.?c.orValue('')",
         "o.?m.?j.orValue(0)", "o.m.?q.orValue(1.5)", "size(o.t)", "size(o.m)");
}

static void grow_constant(struct stem *stem)
{
    PICK(stem, "0", "1", "-1", "2", "0.5", "1.0", "-0.0", "1u", "'a'", "''", "'EUR'", "'é'",
         "null", "true", "false", "9223372036854775807", "-9223372036854775808",
         "9007199254740993", "9007199254740992.0", "18446744073709551615u", "1e300", "-1e300",
         "double('NaN')", "double('Infinity')", "[]", "{}", "timestamp(0)", "5e-324",
         "9223372036854775808.0", "b'a'");
}

static void grow_operand(struct stem *stem)
{
    switch (choose(stem, 8)) {
    case 0:
    case 1:
        grow_constant(stem);
        return;
    case 2:
        grow_path(stem);
        PICK(stem, " + ", " - ", " * ", " / ", " % ");
        grow_constant(stem);
        return;
    case 3:
        PICK(stem, "int(", "double(", "string(", "-(", "type(", "dyn(");
        grow_path(stem);
        text_add_byte(stem->text, ')');
        return;
    default:
        grow_path(stem);
        return;
    }
}

static void grow_list(struct stem *stem)
{
    text_add_byte(stem->text, '[');
    for (unsigned count = choose(stem, 5); count > 0; count--) {
        grow_constant(stem);
        text_add(stem->text, count > 1 ? SPAN(", ") : SPAN(""));
    }
    text_add_byte(stem->text, ']');
}

static void grow_atom(struct stem *stem)
{
    switch (choose(stem, 8)) {
    case 0:
        grow_path(stem);
        text_add(stem->text, SPAN(" in "));
        grow_list(stem);
        return;
    case 1:
        text_add(stem->text, SPAN("has("));
        PICK(stem, "o.i", "o.c", "o.m.j", "o.x", "o.m.x", "o.a", "o.t", "o.m", "o.v.x");
        text_add_byte(stem->text, ')');
        return;
    case 2:
        grow_path(stem);
        return;
    case 3:
        grow_path(stem);
        PICK(stem, ".startsWith('a')", ".contains('U')", ".matches('^a?b*$')", " == null",
             " != null", ".size() > 1", ".hasValue()");
        return;
    default:
        grow_operand(stem);
        PICK(stem, " == ", " != ", " < ", " <= ", " > ", " >= ");
        grow_operand(stem);
        return;
    }
}

static void grow(struct stem *stem, int depth)
{
    unsigned form = depth == 0 || stem->at >= stem->size ? 0 : choose(stem, 6);
    text_add(stem->text, form == 1 ? SPAN("!(") : SPAN("("));
    if (form == 0)
        grow_atom(stem);
    else
        grow(stem, depth - 1);
    if (form > 1) {
        text_add(stem->text, form == 5 ? SPAN(" ? ") : form == 4 ? SPAN(" || ") : SPAN(" && "));
        grow(stem, depth - 1);
    }
    if (form == 5) {
        text_add(stem->text, SPAN(" : "));
        grow(stem, depth - 1);
    }
    text_add_byte(stem->text, ')');
}

/* Lines, each a predicate. */
static struct span read_lines(const uint8_t *bytes, size_t size, struct arena *arena)
{
    struct text text;
    struct stem stem = {bytes, size, 1, &text};
    if (size == 0 || bytes[0] % 2 == 0)
        return size == 0 ? SPAN("") : span_of((const char *)bytes + 1, size - 1);
    text_init(&text, arena);
    for (int i = 0; i < PREDICATES_MAX && stem.at < size; i++) {
        grow(&stem, 5);
        text_add_byte(&text, '\n');
    }
    return text_span(&text);
}

static size_t compile(struct span text, const struct expr_program **programs,
                      struct arena *arena)
{
    struct diagnostics diagnostics;
    size_t count = 0;
    diagnostics_init(&diagnostics, arena);
    while (text.size > 0 && count < PREDICATES_MAX) {
        size_t end = span_find(text, SPAN("\n"), 0);
        end = end == SIZE_MAX ? text.size : end;
        programs[count] =
            expr_compile(span_slice(text, 0, end), (struct place){SPAN("fuzz"), 1, 1}, &scope,
                         arena, &diagnostics);
        count += programs[count] != NULL;
        text = span_slice(text, end < text.size ? end + 1 : end, text.size);
    }
    return count;
}

/* Both ways */

struct bitmaps {
    uint64_t truths[PREDICATES_MAX][WORDS];
    uint64_t errors[PREDICATES_MAX][WORDS];
};

static void run_columns(struct column_set *set, enum column_level level, size_t count,
                        struct bitmaps *bitmaps, struct arena *arena)
{
    uint64_t *truths[PREDICATES_MAX];
    uint64_t *errors[PREDICATES_MAX];
    for (size_t i = 0; i < PREDICATES_MAX; i++) {
        truths[i] = bitmaps->truths[i];
        errors[i] = bitmaps->errors[i];
    }
    memset(bitmaps, 0, sizeof *bitmaps);
    column_use_level(set, level);
    column_run(set, 0, count, truths, errors, arena);
    column_run(set, 0, count, truths, NULL, arena);
}

/* The budget is the one thing that a row alone has for itself, and no part of it. */
static bool is_over_a_limit(struct value value)
{
    return value.kind == VALUE_ERROR &&
           (span_find(value_span(value), SPAN("than it may"), 0) != SIZE_MAX ||
            span_find(value_span(value), SPAN("than a value may"), 0) != SIZE_MAX);
}

static void expect_rows(const struct table *table, const struct expr_program *program,
                        const uint64_t *truths, const uint64_t *errors, struct arena *arena)
{
    for (size_t row = 0; row < table->count; row++) {
        struct arena_mark mark = arena_mark(arena);
        struct value slots[2];
        struct expr_frame frame = {.slots = slots, .slot_count = 2};
        read_record(table, row, slots, arena);
        struct value value = expr_run(program, &frame, arena);
        bool is_true = value.kind == VALUE_BOOL && value.boolean;
        ensure(is_over_a_limit(value) || (truths[row / 64] >> row % 64 & 1) == is_true);
        ensure(is_over_a_limit(value) ||
               (errors[row / 64] >> row % 64 & 1) == (value.kind != VALUE_BOOL));
        arena_rewind(arena, mark);
    }
}

static void check(uint64_t seed, const uint8_t *bytes, size_t size, struct arena *arena)
{
    static struct table table;
    static struct bitmaps bitmaps[LEVELS];
    const struct expr_program *programs[PREDICATES_MAX];
    struct random random = {seed};
    size_t count = compile(read_lines(bytes, size, arena), programs, arena);
    if (count == 0)
        return;
    table.count = random_up_to(&random, 60);
    if (random_up_to(&random, 7) == 0)
        table.count += random_up_to(&random, 200);
    if (random_up_to(&random, 99) == 0)
        table.count = ROWS_MAX - random_up_to(&random, 199);
    fill_rows(&table, &random);
    set_columns(&table, &random);
    struct column_set *set =
        column_open(programs, count, &scope, table.columns, COLUMNS, arena);
    for (int level = COLUMN_PORTABLE; level <= (int)column_best_level(); level++) {
        run_columns(set, (enum column_level)level, table.count, &bitmaps[level], arena);
        ensure(memcmp(&bitmaps[level], &bitmaps[0], sizeof bitmaps[0]) == 0);
    }
    for (size_t i = 0; i < count; i++)
        expect_rows(&table, programs[i], bitmaps[0].truths[i], bitmaps[0].errors[i], arena);
}

static void check_within(uint64_t seed, const uint8_t *bytes, size_t size, size_t arena_bytes)
{
    static char memory[ARENA_BYTES];
    struct arena arena;
    struct arena_guard guard;
    arena_init(&arena, memory, arena_bytes);
    if (arena_is_spent(&arena, &guard))
        return;
    check(seed, bytes, size, &arena);
    arena_release_guard(&arena, &guard);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    uint64_t seed;
    if (size < sizeof seed || size > TEXT_MAX)
        return 0;
    memcpy(&seed, bytes, sizeof seed);
    check_within(seed, bytes + sizeof seed, size - sizeof seed, ARENA_BYTES);
    check_within(seed, bytes + sizeof seed, size - sizeof seed, 16384 + size * 64);
    return 0;
}
