/*
 * predicate_fuzz.c - any lines as predicates: what is said about them before there is a record,
 * and what they come to over columns, agrees with the VM on a row of records.
 *
 * A "no" of the reasoner must hold for every record at hand; a "yes" comes with a record for
 * which the VM says so. Small arenas make both jump out of the middle.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/ensure.h"
#include "base/random.h"
#include "expr/expr.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { PREDICATES_MAX = 3, ROWS = 70, QUESTIONS = 8, ARENA_BYTES = 16 << 20 };

static const struct span names[] = {{"a", 1}, {"b", 1}, {"c", 1}};
static const struct expr_scope scope = {.variables = names, .variable_count = 3};

struct rows {
    int64_t a[ROWS];
    uint32_t b[ROWS];
    uint8_t t[ROWS];
    double u[ROWS];
    uint8_t valid[ROWS / 8 + 1];
    struct value dictionary[3];
    struct column columns[4];
    struct value slots[ROWS][3];
};

static void make_rows(struct rows *rows, struct arena *arena)
{
    rows->dictionary[0] = value_string(SPAN("x"));
    rows->dictionary[1] = value_string(SPAN("text"));
    rows->dictionary[2] = value_int(3);
    for (size_t i = 0; i < ROWS; i++) {
        struct value_entry *entries = arena_new_array(arena, 2, struct value_entry);
        rows->a[i] = (int64_t)(i % 7) - 2;
        rows->b[i] = (uint32_t)(i % 3);
        rows->t[i] = i % 5 < 2;
        rows->u[i] = (double)(i % 11) / 4;
        if (i % 8 == 0)
            rows->valid[i / 8] = 0;
        rows->valid[i / 8] |= (uint8_t)((i % 13 != 0) << i % 8);
        entries[0] = (struct value_entry){value_string(SPAN("t")), value_bool(rows->t[i])};
        entries[1] = (struct value_entry){value_string(SPAN("u")), value_double(rows->u[i])};
        rows->slots[i][0] = i % 13 != 0 ? value_int(rows->a[i]) : value_error(SPAN(""));
        rows->slots[i][1] = rows->dictionary[rows->b[i]];
        rows->slots[i][2] = value_map(entries, 2);
    }
    struct column columns[] = {
        {.path = SPAN("a"),
         .kind = COLUMN_INTS,
         .data = rows->a,
         .valid = rows->valid,
         .absent = value_error(SPAN(""))},
        {.path = SPAN("b"),
         .kind = COLUMN_CODES,
         .data = rows->b,
         .dictionary = rows->dictionary,
         .dictionary_count = 3},
        {.path = SPAN("c.t"), .kind = COLUMN_BYTES, .data = rows->t},
        {.path = SPAN("c.u"), .kind = COLUMN_REALS, .data = rows->u},
    };
    memcpy(rows->columns, columns, sizeof columns);
}

static uint32_t outcome_of(const struct expr_program *program, const struct value *slots,
                           struct arena *arena)
{
    struct arena_mark mark = arena_mark(arena);
    struct expr_frame frame = {.slots = slots, .slot_count = 3};
    struct value result = expr_run(program, &frame, arena);
    arena_rewind(arena, mark);
    if (result.kind != VALUE_BOOL)
        return REASON_ERROR;
    return result.boolean ? REASON_TRUE : REASON_FALSE;
}

static bool is_granted(const struct expr_program *const *programs,
                       const struct reason_wish *wishes, size_t count,
                       const struct value *slots, struct arena *arena)
{
    for (size_t i = 0; i < count; i++) {
        if (!(outcome_of(programs[i], slots, arena) & wishes[i].outcomes))
            return false;
    }
    return true;
}

static void reason_about(const struct expr_program *const *programs, size_t count,
                         const struct rows *rows, uint64_t seed, struct arena *arena)
{
    struct reason_world world = {.scope = &scope, .unknown = REASON_ANYTHING};
    const struct reason *reason = reason_open(programs, count, &world, arena);
    struct random random = {seed};
    for (int question = 0; question < QUESTIONS; question++) {
        struct reason_wish wishes[PREDICATES_MAX];
        for (uint32_t i = 0; i < count; i++)
            wishes[i] = (struct reason_wish){i, 1 + (uint32_t)random_up_to(&random, 5)};
        struct reason_answer answer = reason_ask(reason, wishes, count, arena);
        if (answer.verdict == REASON_YES)
            ensure(is_granted(programs, wishes, count, answer.slots, arena));
        for (size_t i = 0; answer.verdict == REASON_NO && i < ROWS; i++)
            ensure(!is_granted(programs, wishes, count, rows->slots[i], arena));
    }
}

static void run_columns(const struct expr_program *const *programs, size_t count,
                        const struct rows *rows, struct arena *arena)
{
    uint64_t words[2 * PREDICATES_MAX][2];
    uint64_t *truths[PREDICATES_MAX] = {words[0], words[1], words[2]};
    uint64_t *errors[PREDICATES_MAX] = {words[3], words[4], words[5]};
    struct column_set *set = column_open(programs, count, &scope, rows->columns, 4, arena);
    column_run(set, 0, ROWS, truths, errors, arena);
    for (size_t k = 0; k < count; k++) {
        for (size_t i = 0; i < ROWS; i++) {
            uint32_t outcome = outcome_of(programs[k], rows->slots[i], arena);
            ensure((truths[k][i / 64] >> i % 64 & 1) == (outcome == REASON_TRUE));
            ensure((errors[k][i / 64] >> i % 64 & 1) == (outcome == REASON_ERROR));
        }
    }
}

static void try_all(struct span text, struct arena *arena)
{
    const struct expr_program *programs[PREDICATES_MAX];
    struct diagnostics diagnostics;
    struct rows *rows = arena_new(arena, struct rows);
    size_t count = 0;
    uint64_t seed = text.size;
    diagnostics_init(&diagnostics, arena);
    while (count < PREDICATES_MAX) {
        size_t end = span_find(text, SPAN("\n"), 0);
        programs[count] =
            expr_compile(span_slice(text, 0, end == SIZE_MAX ? text.size : end),
                         (struct place){SPAN("fuzz"), 1, 1}, &scope, arena, &diagnostics);
        count += programs[count] != NULL;
        if (end == SIZE_MAX)
            break;
        text = span_slice(text, end + 1, text.size);
    }
    if (count == 0)
        return;
    make_rows(rows, arena);
    reason_about(programs, count, rows, seed, arena);
    run_columns(programs, count, rows, arena);
}

static void try_within(struct span text, size_t arena_bytes)
{
    static char memory[ARENA_BYTES];
    struct arena arena;
    struct arena_guard guard;
    arena_init(&arena, memory, arena_bytes);
    if (arena_is_spent(&arena, &guard))
        return;
    try_all(text, &arena);
    arena_release_guard(&arena, &guard);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    enum { TEXT_MAX = 400 }; /* the answers take long enough */
    if (size > TEXT_MAX)
        return 0;
    try_within(span_of((const char *)bytes, size), ARENA_BYTES);
    try_within(span_of((const char *)bytes, size), 4096 + size * 64);
    return 0;
}
