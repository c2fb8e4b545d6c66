/*
 * column.c - running predicates over columns, a block of rows at a time.
 *
 * A block is so small that all of its registers stay in the nearest cache, and so large that
 * choosing what to do next costs nothing beside doing it. Bits of a column are used where they
 * lie, and the last join of a predicate writes straight into the caller's bitmap.
 */
#include "expr/column.h"

#include "base/ensure.h"
#include "expr/column_plan.h"
#include "expr/column_row.h"
#include "expr/reason_read.h"

/* Opening */

static void add_registers(struct column_set *set)
{
    char *memory = arena_get(set->arena, (set->register_count + 1) * sizeof *set->words);
    set->words = (void *)(memory + (64 - (uintptr_t)memory % 64) % 64);
    memset(set->words, 0, set->register_count * sizeof *set->words);
    set->at = arena_new_array(set->arena, set->register_count, const uint64_t *);
    set->home = arena_new_array(set->arena, set->register_count, uint64_t *);
    for (uint32_t i = 0; i < set->column_count; i++) {
        if (set->columns[i].stride != 0 && set->dense == NULL)
            set->dense = arena_get_array(set->arena, 2, sizeof *set->dense);
    }
}

struct column_set *column_open(const struct expr_program *const *predicates, size_t count,
                               const struct expr_scope *scope, const struct column *columns,
                               size_t column_count, struct arena *arena)
{
    struct column_set *set = arena_new(arena, struct column_set);
    struct reason *reason = arena_new(arena, struct reason);
    struct reason_world *world = arena_new(arena, struct reason_world);
    ensure(count < UINT32_MAX && column_count < UINT32_MAX);
    ensure(scope->function_count == 0);
    world->scope = scope;
    *reason = (struct reason){
        .world = world, .predicates = predicates, .predicate_count = (uint32_t)count};
    reason_read(reason, arena);
    *set = (struct column_set){.reason = reason,
                               .programs = predicates,
                               .program_count = (uint32_t)count,
                               .columns = columns,
                               .column_count = (uint32_t)column_count,
                               .arena = arena};
    column_use_level(set, column_best_level());
    column_row_prepare(set, scope);
    column_plan_make(set);
    add_registers(set);
    return set;
}

uint32_t column_slow_atoms(const struct column_set *set)
{
    return set->slow_count;
}

void column_use_level(struct column_set *set, enum column_level level)
{
    set->kernels = column_kernels_of(level);
}

/* Dictionaries */

static uint8_t rails_of(uint8_t outcome)
{
    return (uint8_t)((outcome == REASON_TRUE ? 1 : 0) | (outcome != REASON_FALSE ? 2 : 0));
}

/* Learns what the atom comes to for the entries that are new. */
static void fill_table(struct column_set *set, struct column_table *table, struct arena *arena)
{
    enum { GATHERED = 4 }; /* bytes that are read at once */
    const struct column *column = &set->columns[table->column];
    uint32_t count = column->dictionary_count;
    ensure(count >= table->count && count < INT32_MAX);
    if (count == table->count && table->outcomes != NULL)
        return;
    if (table->outcomes == NULL || count >= table->capacity) {
        table->capacity = count < 64 ? 128 : count * 2;
        uint8_t *larger = arena_get_zeroed(set->arena, (size_t)table->capacity + GATHERED);
        if (table->outcomes != NULL)
            memcpy(larger, table->outcomes, table->count);
        table->outcomes = larger;
    }
    for (uint32_t i = table->count; i < count; i++)
        table->outcomes[i] =
            rails_of(column_plan_outcome(set, table->atom, column->dictionary[i], arena));
    table->outcomes[count] =
        rails_of(column_plan_outcome(set, table->atom, column->absent, arena));
    table->count = count;
}

/* Steps */

/* Bits [at, at + count) from the beginning of words; reads no byte without one of them. */
static void copy_bits(const uint8_t *data, size_t at, size_t count, uint64_t *bits)
{
    size_t end = (at + count + 7) / 8;
    for (size_t i = 0; i * 64 < count; i++) {
        size_t byte = at / 8 + i * 8;
        uint64_t low = 0;
        uint64_t high = byte + 8 < end ? data[byte + 8] : 0;
        memcpy(&low, data + byte, end - byte < 8 ? end - byte : 8);
        bits[i] = at % 8 == 0 ? low : low >> at % 8 | high << (64 - at % 8);
    }
}

static const uint64_t *read_bits(const uint8_t *data, size_t at, size_t count, uint64_t *bits)
{
    const void *direct = data + at / 8;
    if (count == COLUMN_BLOCK_ROWS && at % 8 == 0 && (uintptr_t)direct % 8 == 0)
        return direct;
    copy_bits(data, at, count, bits);
    return bits;
}

/* The column's rows, one behind the other. */
static const void *dense_rows(struct column_set *set, uint32_t index, unsigned buffer,
                              size_t first, size_t count, size_t size)
{
    const struct column *column = &set->columns[index];
    if (column->stride == 0 || column->stride == size)
        return column_row_at(column, first, size);
    char *dense = (char *)set->dense[buffer];
    for (size_t i = 0; i < count; i++)
        memcpy(dense + i * size, column_row_at(column, first + i, size), size);
    return dense;
}

static void find_texts(const struct column *column, const struct column_step *step,
                       size_t first, size_t count, uint64_t *bits)
{
    const int32_t *offsets = column_row_at(column, first, sizeof *offsets);
    memset(bits, 0, COLUMN_WORDS * sizeof *bits);
    for (size_t i = 0; i < count; i++) {
        struct span text =
            span_of(column->bytes + offsets[i], (size_t)(offsets[i + 1] - offsets[i]));
        for (uint32_t k = 0; k < step->constant_count; k++) {
            if (step->constants[k].kind == VALUE_STRING &&
                span_equal(text, value_span(step->constants[k])))
                bits[i / 64] |= (uint64_t)1 << i % 64;
        }
    }
}

static void run_step(struct column_set *set, const struct column_step *step, size_t first,
                     size_t count)
{
    const struct column_kernels *kernels = set->kernels;
    const struct column *column = &set->columns[step->column];
    uint64_t *bits = set->words[step->target];
    set->at[step->target] = bits;
    switch (step->kind) {
    case STEP_VALID:
        set->at[step->target] = read_bits(column->valid, column->offset + first, count, bits);
        return;
    case STEP_BITS:
        set->at[step->target] = read_bits(column->data, column->offset + first, count, bits);
        return;
    case STEP_BYTES:
        return; /* run_bytes() */
    case STEP_INTS:
        kernels->ints(dense_rows(set, step->column, 0, first, count, sizeof(int64_t)), count,
                      step->low, step->high, bits);
        return;
    case STEP_REALS:
        kernels->reals(dense_rows(set, step->column, 0, first, count, sizeof(double)), count,
                       step->real_low, step->real_high, bits);
        return;
    case STEP_INT_PAIRS:
        kernels->int_pairs(dense_rows(set, step->column, 0, first, count, sizeof(int64_t)),
                           dense_rows(set, step->other, 1, first, count, sizeof(int64_t)),
                           count, step->comparison, bits);
        return;
    case STEP_REAL_PAIRS:
        kernels->real_pairs(dense_rows(set, step->column, 0, first, count, sizeof(double)),
                            dense_rows(set, step->other, 1, first, count, sizeof(double)),
                            count, step->comparison, bits);
        return;
    case STEP_CODES:
        kernels->codes(dense_rows(set, step->column, 0, first, count, sizeof(uint32_t)), count,
                       set->tables[step->table].outcomes, set->tables[step->table].count,
                       step->bit, bits);
        return;
    case STEP_TEXTS:
        find_texts(column, step, first, count, bits);
        return;
    }
    never();
}

/* All columns of bytes together, as many at a time as there are streams of memory. */
static void run_bytes(struct column_set *set, size_t first, size_t count)
{
    enum { TOGETHER = 8 };
    const uint8_t *data[TOGETHER];
    uint64_t *bits[TOGETHER];
    size_t columns = 0;
    for (uint32_t i = 0; i < set->step_count; i++) {
        const struct column_step *step = &set->steps[i];
        if (step->kind != STEP_BYTES)
            continue;
        bool is_dense = set->columns[step->column].stride <= 1;
        bits[columns] = set->words[step->target];
        data[columns++] = dense_rows(set, step->column, 0, first, count, 1);
        if (columns < TOGETHER && is_dense)
            continue;
        set->kernels->bytes(data, bits, columns, count);
        columns = 0;
    }
    set->kernels->bytes(data, bits, columns, count);
}

/* Atoms without a kernel: one row after the other. */
static void run_slow(struct column_set *set, size_t first, size_t count, struct arena *arena)
{
    struct expr_frame frame = {.slots = set->slots,
                               .slot_count = set->reason->world->scope->variable_count};
    for (uint32_t k = 0; k < set->slow_count; k++) {
        memset(set->words[set->slow[k].truth], 0, sizeof *set->words);
        memset(set->words[set->slow[k].doubt], 0, sizeof *set->words);
    }
    for (size_t i = 0; i < count; i++) {
        struct arena_mark mark = arena_mark(arena);
        column_row_read(set, first + i);
        for (uint32_t k = 0; k < set->slow_count; k++) {
            const struct column_slow *slow = &set->slow[k];
            uint8_t rails = rails_of(reason_outcome_of(expr_run(slow->program, &frame, arena)));
            set->words[slow->truth][i / 64] |= (uint64_t)(rails & 1) << i % 64;
            set->words[slow->doubt][i / 64] |= (uint64_t)(rails >> 1) << i % 64;
            arena_rewind(arena, mark);
        }
    }
}

/* Joins and results */

static void run_join(struct column_set *set, const struct column_join *join)
{
    const uint64_t *left = set->at[join->left];
    const uint64_t *right = set->at[join->right];
    uint64_t *result = set->home[join->target];
    set->at[join->target] = result;
    switch (join->kind) {
    case JOIN_AND:
        set->kernels->and (left, right, result);
        return;
    case JOIN_OR:
        set->kernels->or (left, right, result);
        return;
    case JOIN_AND_NOT:
        set->kernels->and_not(left, right, result);
        return;
    }
    never();
}

/* Lets joins write into the bitmaps of whole blocks. */
static void choose_homes(struct column_set *set, size_t done, size_t count,
                         uint64_t *const *truths)
{
    for (uint32_t i = 0; i < set->join_count; i++)
        set->home[set->joins[i].target] = set->words[set->joins[i].target];
    for (uint32_t i = 0; i < set->program_count && count == COLUMN_BLOCK_ROWS; i++) {
        if (set->rails[i].truth % 2 == 0)
            set->home[set->rails[i].truth / 2] = truths[i] + done / 64;
    }
}

/* a && !b of two wires. */
static void write_words(const struct column_set *set, column_wire a, column_wire b,
                        size_t count, uint64_t *result)
{
    const uint64_t *left = set->at[a / 2];
    const uint64_t *right = set->at[b / 2];
    uint64_t left_flip = a % 2 == 1 ? UINT64_MAX : 0;
    uint64_t right_flip = b % 2 == 1 ? UINT64_MAX : 0;
    size_t words = (count + 63) / 64;
    for (size_t i = 0; i < words; i++)
        result[i] = (left[i] ^ left_flip) & ~(right[i] ^ right_flip);
    if (count % 64 != 0)
        result[words - 1] &= ((uint64_t)1 << count % 64) - 1;
}

static void write_results(struct column_set *set, size_t done, size_t count,
                          uint64_t *const *truths, uint64_t *const *errors)
{
    for (uint32_t i = 0; i < set->program_count; i++) {
        struct column_rails rails = set->rails[i];
        uint64_t *truth = truths[i] + done / 64;
        if (rails.truth % 2 == 1 || set->at[rails.truth / 2] != truth)
            write_words(set, rails.truth, COLUMN_WIRE_FALSE, count, truth);
        if (errors == NULL || errors[i] == NULL)
            continue;
        if (rails.truth == rails.doubt)
            memset(errors[i] + done / 64, 0, (count + 63) / 64 * sizeof(uint64_t));
        else
            write_words(set, rails.doubt, rails.truth, count, errors[i] + done / 64);
    }
}

static void run_block(struct column_set *set, size_t first, size_t done, size_t count,
                      uint64_t *const *truths, uint64_t *const *errors, struct arena *arena)
{
    choose_homes(set, done, count, truths);
    run_bytes(set, first, count);
    for (uint32_t i = 0; i < set->step_count; i++)
        run_step(set, &set->steps[i], first, count);
    if (set->slow_count > 0)
        run_slow(set, first, count, arena);
    for (uint32_t i = 0; i < set->join_count; i++)
        run_join(set, &set->joins[i]);
    write_results(set, done, count, truths, errors);
}

void column_run(struct column_set *set, size_t first, size_t count, uint64_t *const *truths,
                uint64_t *const *errors, struct arena *arena)
{
    for (uint32_t i = 0; i < set->table_count; i++)
        fill_table(set, &set->tables[i], arena);
    for (uint32_t i = 0; i < set->register_count; i++)
        set->at[i] = set->words[i];
    for (size_t done = 0; done < count; done += COLUMN_BLOCK_ROWS) {
        size_t left = count - done;
        run_block(set, first + done, done, left < COLUMN_BLOCK_ROWS ? left : COLUMN_BLOCK_ROWS,
                  truths, errors, arena);
    }
}
