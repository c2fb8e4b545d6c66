/*
 * test_column.c - columns give what the row VM gives, value for value.
 *
 * Random predicates over random columns of every kind, with and without nulls, offsets and
 * strides, at every level of instructions; each row's record is put together here again, by
 * other means, and run through expr_run().
 */
#include <math.h>

#include "base/random.h"
#include "expr_fixture.h"

enum { ROWS_MAX = 3 * COLUMN_BLOCK_ROWS, SPARE = 200, PREDICATES = 5, COLUMNS = 10 };

static const struct span variables[] = {{"o", 1}, {"n", 1}};
static const struct expr_scope scope = {.variables = variables, .variable_count = 2};

/* The columns, as large as any test needs them. */
struct table {
    struct column columns[COLUMNS];
    uint8_t bytes[ROWS_MAX + SPARE];
    uint8_t bits[(ROWS_MAX + SPARE) / 8 + 8];
    struct {
        int64_t integer;
        double real;
        uint32_t code;
        uint8_t byte;
    } records[ROWS_MAX + SPARE];
    int64_t ints[ROWS_MAX + SPARE];
    int64_t other_ints[ROWS_MAX + SPARE];
    double reals[ROWS_MAX + SPARE];
    uint32_t codes[ROWS_MAX + SPARE];
    int32_t offsets[ROWS_MAX + SPARE + 1];
    char texts[(ROWS_MAX + SPARE) * 4];
    struct value values[ROWS_MAX + SPARE];
    uint8_t valid[COLUMNS][(ROWS_MAX + SPARE) / 8 + 8];
    struct value dictionary[5];
};

static const char *const words[] = {"", "EUR", "USD", "GBP", "F"};

static void fill_rows(struct table *table, struct random *random)
{
    static const double reals[] = {-1, 0, 0.5, 1, 2.5, 3, 1e300, (double)NAN};
    int32_t end = 0;
    for (size_t i = 0; i < ROWS_MAX + SPARE; i++) {
        const char *word = words[random_up_to(random, 4)];
        table->bytes[i] = (uint8_t)(random_up_to(random, 2) * 127);
        table->ints[i] = (int64_t)random_up_to(random, 6) - 2;
        table->other_ints[i] = (int64_t)random_up_to(random, 3) - 1;
        table->reals[i] = reals[random_up_to(random, COUNT(reals) - 1)];
        table->codes[i] = (uint32_t)random_up_to(random, 5); /* 5 is a null */
        table->records[i].integer = (int64_t)random_up_to(random, 4);
        table->records[i].real = reals[random_up_to(random, 5)];
        table->records[i].code = (uint32_t)random_up_to(random, 4);
        table->records[i].byte = (uint8_t)random_up_to(random, 1);
        table->values[i] = random_up_to(random, 1) ? value_int(7) : value_string(SPAN("x"));
        table->offsets[i] = end;
        memcpy(table->texts + end, word, strlen(word));
        end += (int32_t)strlen(word);
    }
    table->offsets[ROWS_MAX + SPARE] = end;
    for (size_t i = 0; i < sizeof table->bits; i++)
        table->bits[i] = (uint8_t)random_next(random);
    for (size_t i = 0; i < COLUMNS * sizeof table->valid[0]; i++)
        table->valid[i % COLUMNS][i / COLUMNS] =
            (uint8_t)(random_next(random) | random_next(random));
    for (size_t i = 0; i < COUNT(words); i++)
        table->dictionary[i] = value_string(span_from_text(words[i]));
    table->dictionary[4] = value_int(3);
}

static struct value random_absent(struct random *random)
{
    switch (random_up_to(random, 3)) {
    case 0:
        return value_null();
    case 1:
        return value_bool(false);
    default:
        return value_error(SPAN(""));
    }
}

/* The same columns each time, but for nulls, what they stand for, offsets and strides. */
static void set_columns(struct table *table, struct random *random)
{
    static const struct value constant = {.kind = VALUE_INT, .integer = 2};
    struct column columns[COLUMNS] = {
        {.path = SPAN("o.a"), .kind = COLUMN_BYTES, .data = table->bytes},
        {.path = SPAN("o.b"), .kind = COLUMN_BITS, .data = table->bits},
        {.path = SPAN("o.i"), .kind = COLUMN_INTS, .data = table->ints},
        {.path = SPAN("o.m.j"), .kind = COLUMN_INTS, .data = table->other_ints},
        {.path = SPAN("o.r"), .kind = COLUMN_REALS, .data = table->reals},
        {.path = SPAN("o.c"),
         .kind = COLUMN_CODES,
         .data = table->codes,
         .dictionary = table->dictionary,
         .dictionary_count = COUNT(table->dictionary)},
        {.path = SPAN("o.m.t"),
         .kind = COLUMN_TEXTS,
         .data = table->offsets,
         .bytes = table->texts},
        {.path = SPAN("o.v"), .kind = COLUMN_VALUES, .data = table->values},
        {.path = SPAN("n"), .kind = COLUMN_CONSTANT, .data = &constant},
        {.path = SPAN("o.d"),
         .kind = COLUMN_BYTES,
         .data = &table->records[0].byte,
         .stride = sizeof table->records[0]},
    };
    if (random_up_to(random, 2) == 0) {
        columns[2].data = &table->records[0].integer;
        columns[4].data = &table->records[0].real;
        columns[5].data = &table->records[0].code;
        columns[2].stride = columns[4].stride = columns[5].stride = sizeof table->records[0];
    }
    for (size_t i = 0; i < COLUMNS; i++) {
        columns[i].absent = random_absent(random);
        columns[i].valid = random_up_to(random, 1) ? table->valid[i] : NULL;
        columns[i].offset = random_up_to(random, 1) ? random_up_to(random, 70) : 0;
    }
    columns[8].valid = NULL;
    memcpy(table->columns, columns, sizeof columns);
}

/* The value by the letter of the contract. */
static struct value cell(const struct table *table, size_t index, size_t row)
{
    const struct column *column = &table->columns[index];
    size_t at = column->offset + row;
    if (column->valid != NULL && !(column->valid[at / 8] & 1 << at % 8))
        return column->absent;
    switch (index) {
    case 0:
        return value_bool(table->bytes[at] != 0);
    case 1:
        return value_bool((table->bits[at / 8] & 1 << at % 8) != 0);
    case 2:
        return value_int(column->stride ? table->records[at].integer : table->ints[at]);
    case 3:
        return value_int(table->other_ints[at]);
    case 4:
        return value_double(column->stride ? table->records[at].real : table->reals[at]);
    case 5: {
        uint32_t code = column->stride ? table->records[at].code : table->codes[at];
        return code < 5 ? table->dictionary[code] : column->absent;
    }
    case 6:
        return value_string(span_of(table->texts + table->offsets[at],
                                    (size_t)(table->offsets[at + 1] - table->offsets[at])));
    case 7:
        return table->values[at];
    case 8:
        return value_int(2);
    default:
        return value_bool(table->records[at].byte);
    }
}

static void add_entry(struct value_entry *entries, uint32_t *count, struct span name,
                      struct value value)
{
    if (value.kind != VALUE_ERROR)
        entries[(*count)++] = (struct value_entry){value_string(name), value};
}

static uint8_t row_outcome(const struct table *table, const struct expr_program *program,
                           size_t row, struct arena *arena)
{
    struct value_entry inner[2];
    struct value_entry outer[8];
    struct value slots[2];
    uint32_t inner_count = 0;
    uint32_t outer_count = 0;
    add_entry(inner, &inner_count, SPAN("j"), cell(table, 3, row));
    add_entry(inner, &inner_count, SPAN("t"), cell(table, 6, row));
    for (size_t i = 0; i < 6; i++) {
        static const size_t at[] = {0, 1, 2, 0, 4, 5};
        static const char letters[] = "abi rc";
        if (i != 3)
            add_entry(outer, &outer_count, span_of(letters + i, 1), cell(table, at[i], row));
    }
    add_entry(outer, &outer_count, SPAN("v"), cell(table, 7, row));
    add_entry(outer, &outer_count, SPAN("d"), cell(table, 9, row));
    add_entry(outer, &outer_count, SPAN("m"), value_map(inner, inner_count));
    slots[0] = value_map(outer, outer_count);
    slots[1] = cell(table, 8, row);
    struct expr_frame frame = {.slots = slots, .slot_count = 2};
    struct value result = expr_run(program, &frame, arena);
    return result.kind != VALUE_BOOL ? 2 : result.boolean;
}

static const char *const atoms[] = {"o.a",
                                    "o.b",
                                    "o.d",
                                    "o.a == true",
                                    "o.b != false",
                                    "has(o.a)",
                                    "o.b == null",
                                    "o.i > 0",
                                    "o.i <= 1",
                                    "o.i == 2",
                                    "o.i != 2.0",
                                    "o.i > 0.5",
                                    "2 > o.i",
                                    "o.i in [0, 3]",
                                    "o.i in ['x', 1.0, 2.5]",
                                    "o.i == 'x'",
                                    "o.i < 'x'",
                                    "o.i == null",
                                    "o.i > 1e300",
                                    "o.r < 1",
                                    "o.r >= 0.5",
                                    "o.r == 3",
                                    "o.r != 3",
                                    "o.r in [1, 2.5]",
                                    "o.r > 0u",
                                    "o.c == 'EUR'",
                                    "o.c in ['EUR', 'USD']",
                                    "o.c != 'GBP'",
                                    "o.c > 'EU'",
                                    "o.c == 3",
                                    "o.c.startsWith('E')",
                                    "has(o.c)",
                                    "o.m.t == 'USD'",
                                    "o.m.t in ['EUR', 'F', 3]",
                                    "o.m.t != ''",
                                    "o.m.t < 'F'",
                                    "size(o.m.t) == 3",
                                    "o.m.t == 4",
                                    "o.i < o.m.j",
                                    "o.i >= o.m.j",
                                    "o.m.j == o.i",
                                    "o.m.j != o.i",
                                    "o.i > o.m.j",
                                    "o.i < o.r",
                                    "o.i + 1 > 2",
                                    "o.v == 7",
                                    "o.v > 5",
                                    "n > 1",
                                    "n == o.i",
                                    "o.zzz",
                                    "has(o.zzz)",
                                    "has(o.m.zzz)",
                                    "o.x.y",
                                    "has(o.x.y)",
                                    "has(o.a.y)",
                                    "o.i.y == 3",
                                    "o.?i.orValue(1) == 1",
                                    "o.?c.orValue('') == ''",
                                    "o.?m.?j.orValue(0) > 0",
                                    "o.i",
                                    "o.m",
                                    "o",
                                    "size(o.m) == 2",
                                    "o == null",
                                    "true",
                                    "1 / 0 == 1",
                                    "o.m.j / o.i > 0",
                                    "o.i > 9223372036854775807",
                                    "o.i > -9223372036854775808",
                                    "o.i >= -1e300"};

static void add_predicate(struct text *text, struct random *random, int depth)
{
    uint64_t form = depth == 0 ? 0 : random_up_to(random, 5);
    if (form == 0) {
        text_add(text, span_from_text(atoms[random_up_to(random, COUNT(atoms) - 1)]));
        return;
    }
    text_add(text, form == 1 ? SPAN("!(") : SPAN("("));
    add_predicate(text, random, depth - 1);
    if (form > 1) {
        text_add(text, form == 5 ? SPAN(" ? ") : form % 2 ? SPAN(" && ") : SPAN(" || "));
        add_predicate(text, random, depth - 1);
    }
    if (form == 5) {
        text_add(text, SPAN(" : "));
        add_predicate(text, random, depth - 1);
    }
    text_add_byte(text, ')');
}

static const struct expr_program *compile(struct fixture *fixture, struct span text)
{
    const struct expr_program *program =
        expr_compile(text, (struct place){SPAN("file"), 1, 1}, &scope, &fixture->arena,
                     &fixture->diagnostics);
    if (program == NULL)
        print_error("%.*s: %s\n", SPAN_ARGS(text), fixture_diagnostic_text(fixture));
    assert_non_null(program);
    return program;
}

struct bitmaps {
    uint64_t words[2 * PREDICATES][ROWS_MAX / 64];
    uint64_t *truths[PREDICATES];
    uint64_t *errors[PREDICATES];
};

static struct bitmaps *get_bitmaps(void)
{
    static struct bitmaps bitmaps;
    memset(bitmaps.words, 0xa5, sizeof bitmaps.words);
    for (size_t i = 0; i < PREDICATES; i++) {
        bitmaps.truths[i] = bitmaps.words[2 * i];
        bitmaps.errors[i] = bitmaps.words[2 * i + 1];
    }
    return &bitmaps;
}

static unsigned bit(const uint64_t *words_, size_t at)
{
    return (unsigned)(words_[at / 64] >> at % 64 & 1);
}

static void check_rows(struct fixture *fixture, const struct table *table,
                       const struct expr_program *program, struct span text,
                       const uint64_t *truth, const uint64_t *error, size_t first, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct arena_mark mark = arena_mark(&fixture->arena);
        uint8_t wanted = row_outcome(table, program, first + i, &fixture->arena);
        arena_rewind(&fixture->arena, mark);
        if (bit(truth, i) == (wanted == 1) && bit(error, i) == (wanted == 2))
            continue;
        fail_msg("%.*s: row %zu + %zu of %zu gives %u, error %u; wanted %u", SPAN_ARGS(text),
                 first, i, count, bit(truth, i), bit(error, i), wanted);
    }
    for (size_t i = count; i % 64 != 0; i++)
        assert_int_equal(bit(truth, i) | bit(error, i), 0);
}

static void random_predicates_over_random_columns(void **state)
{
    enum { ROUNDS = 300 };
    static struct table table;
    unsigned slow = 0;
    (void)state;
    for (uint64_t seed = 0; seed < ROUNDS; seed++) {
        struct fixture *fixture = fixture_get();
        struct random random = {seed};
        const struct expr_program *programs[PREDICATES];
        struct text texts[PREDICATES];
        if (seed % 50 == 0)
            fill_rows(&table, &random);
        set_columns(&table, &random);
        for (size_t i = 0; i < PREDICATES; i++) {
            text_init(&texts[i], &fixture->arena);
            add_predicate(&texts[i], &random, 3);
            programs[i] = compile(fixture, text_span(&texts[i]));
        }
        struct column_set *set =
            column_open(programs, PREDICATES, &scope, table.columns, COLUMNS, &fixture->arena);
        enum column_level level = (enum column_level)random_up_to(&random, column_best_level());
        column_use_level(set, level);
        slow += column_slow_atoms(set);
        size_t first = random_up_to(&random, 1) ? random_up_to(&random, 99) : 0;
        size_t count =
            seed % 60 == 0 ? 2 * COLUMN_BLOCK_ROWS + 100 : random_up_to(&random, 300);
        struct bitmaps *bitmaps = get_bitmaps();
        column_run(set, first, count, bitmaps->truths, bitmaps->errors, &fixture->arena);
        for (size_t i = 0; i < PREDICATES; i++)
            check_rows(fixture, &table, programs[i], text_span(&texts[i]), bitmaps->truths[i],
                       bitmaps->errors[i], first, count);
    }
    print_message("# %u atoms row by row\n", slow);
}

/* Each atom alone, over several blocks and at each level: every kernel, and its end. */
static void every_atom_at_every_level(void **state)
{
    static struct table table;
    struct random random = {99};
    (void)state;
    fill_rows(&table, &random);
    for (size_t i = 0; i < COUNT(atoms); i++) {
        for (int level = COLUMN_PORTABLE; level <= (int)column_best_level(); level++) {
            struct fixture *fixture = fixture_get();
            const struct expr_program *program = compile(fixture, span_from_text(atoms[i]));
            set_columns(&table, &random);
            struct column_set *set =
                column_open(&program, 1, &scope, table.columns, COLUMNS, &fixture->arena);
            struct bitmaps *bitmaps = get_bitmaps();
            column_use_level(set, (enum column_level)level);
            column_run(set, 0, COLUMN_BLOCK_ROWS + 77, bitmaps->truths, bitmaps->errors,
                       &fixture->arena);
            check_rows(fixture, &table, program, span_from_text(atoms[i]), bitmaps->truths[0],
                       bitmaps->errors[0], 0, COLUMN_BLOCK_ROWS + 77);
        }
    }
}

/* The validators of an order: nothing is run row by row, and each column is read once. */
static void plain_validators_have_kernels(void **state)
{
    static const char *const texts[] = {"!o.a", "o.a && !o.b", "o.b && !o.d", "o.d",
                                        "o.i > 0 && o.c in ['USD', 'EUR'] && !o.b"};
    static struct table table;
    struct random random = {7};
    struct fixture *fixture = fixture_get();
    const struct expr_program *programs[PREDICATES];
    (void)state;
    fill_rows(&table, &random);
    set_columns(&table, &random);
    for (size_t i = 0; i < PREDICATES; i++)
        programs[i] = compile(fixture, span_from_text(texts[i]));
    struct column_set *set =
        column_open(programs, PREDICATES, &scope, table.columns, COLUMNS, &fixture->arena);
    assert_int_equal(column_slow_atoms(set), 0);
}

static void a_dictionary_may_grow_between_runs(void **state)
{
    static uint32_t codes[ROWS_MAX];
    static struct value dictionary[1000];
    struct fixture *fixture = fixture_get();
    const struct expr_program *program = compile(fixture, SPAN("n == 'w77' || n > 'w9'"));
    struct column column = {.path = SPAN("n"),
                            .kind = COLUMN_CODES,
                            .data = codes,
                            .absent = value_null(),
                            .dictionary = dictionary};
    struct column_set *set = column_open(&program, 1, &scope, &column, 1, &fixture->arena);
    struct bitmaps *bitmaps = get_bitmaps();
    (void)state;
    for (uint32_t i = 0; i < 1000; i++) {
        dictionary[i] = value_string(text_print(&fixture->arena, "w%u", i));
        codes[i] = i;
    }
    for (uint32_t known = 0; known <= 1000; known += 125) {
        column.dictionary_count = known;
        column_run(set, 0, 1000, bitmaps->truths, bitmaps->errors, &fixture->arena);
        for (uint32_t i = 0; i < 1000; i++) {
            bool wanted = i < known &&
                          (i == 77 || span_compare(value_span(dictionary[i]), SPAN("w9")) > 0);
            assert_int_equal(bit(bitmaps->truths[0], i), wanted);
            assert_int_equal(bit(bitmaps->errors[0], i), i >= known);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_atom_at_every_level),
        cmocka_unit_test(random_predicates_over_random_columns),
        cmocka_unit_test(plain_validators_have_kernels),
        cmocka_unit_test(a_dictionary_may_grow_between_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
