/*
 * expr_bench.c - what an expression costs to compile, to check and to evaluate.
 *
 * Prints the median of many rounds for each expression, beside the first of them written by
 * hand in C; bench/peers/expr_peer.mjs adds the same in Node. Rounds are short and the time is
 * the processor's, so that a busy machine disturbs few of them. It asserts nothing: numbers
 * belong to the machine they were measured on.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "expr/expr.h"
#include "rounds.h"

enum { ROUNDS = 101, ROWS = 64, EVALUATIONS = 6400, ARENA_BYTES = 1 << 20 };

static const struct span names[] = {
    {"amount", 6}, {"currency", 8}, {"blocked", 7}, {"context", 7}};
enum { NAME_COUNT = sizeof names / sizeof names[0] };

struct row {
    struct value slots[NAME_COUNT];
};

/* Rows of mixed answers, so that no branch is always the same. */
static void make_rows(struct arena *arena, struct row *rows)
{
    static const struct span currencies[] = {{"USD", 3}, {"EUR", 3}, {"GBP", 3}};
    struct json_error error;
    struct value context;
    if (json_read(SPAN("{\"id\":\"o-1\",\"customer\":{\"tier\":\"gold\"},"
                       "\"order\":{\"items\":[1,2,3],\"currency\":\"EUR\",\"total\":1250}}"),
                  arena, &context, &error) != STATUS_OK)
        abort();
    for (int i = 0; i < ROWS; i++) {
        rows[i].slots[0] = value_int(i % 7 - 1);
        rows[i].slots[1] = value_string(currencies[i * 5 % 3]);
        rows[i].slots[2] = value_bool(i % 11 == 0);
        rows[i].slots[3] = context;
    }
}

static double measure_run(const struct expr_program *program, const struct row *rows,
                          struct arena *arena)
{
    double rounds[ROUNDS];
    volatile unsigned kinds = 0; /* the results are used */
    struct arena_mark mark = arena_mark(arena);
    for (int round = 0; round < ROUNDS; round++) {
        double start = rounds_now_ns(CLOCK_THREAD_CPUTIME_ID);
        for (int i = 0; i < EVALUATIONS; i++) {
            struct expr_frame frame = {.slots = rows[i % ROWS].slots, .slot_count = NAME_COUNT};
            kinds = kinds + expr_run(program, &frame, arena).kind;
            arena_rewind(arena, mark);
        }
        rounds[round] = (rounds_now_ns(CLOCK_THREAD_CPUTIME_ID) - start) / EVALUATIONS;
    }
    return rounds_median(rounds, ROUNDS);
}

static const struct expr_scope *get_scope(void)
{
    static const struct type *types[NAME_COUNT];
    static const struct expr_scope scope = {
        .variables = names, .variable_count = NAME_COUNT, .types = types};
    types[0] = type_simple(TYPE_INT);
    types[1] = type_simple(TYPE_STRING);
    types[2] = type_simple(TYPE_BOOL);
    return &scope;
}

static const struct expr_program *compile(struct span text, struct arena *arena)
{
    struct diagnostics diagnostics;
    diagnostics_init(&diagnostics, arena);
    return expr_compile(text, (struct place){0}, get_scope(), arena, &diagnostics);
}

/* Parsing and compiling, with or without checking. */
static double measure_compile(struct span text, bool is_checked, struct arena *arena)
{
    enum { COMPILATIONS = 100 };
    double rounds[ROUNDS];
    struct arena_mark mark = arena_mark(arena);
    for (int round = 0; round < ROUNDS; round++) {
        double start = rounds_now_ns(CLOCK_THREAD_CPUTIME_ID);
        for (int i = 0; i < COMPILATIONS; i++) {
            const struct expr_program *program = compile(text, arena);
            struct diagnostics diagnostics;
            diagnostics_init(&diagnostics, arena);
            if (program == NULL)
                abort();
            if (is_checked)
                expr_check(program, get_scope(), arena, &diagnostics);
            arena_rewind(arena, mark);
        }
        rounds[round] = (rounds_now_ns(CLOCK_THREAD_CPUTIME_ID) - start) / COMPILATIONS;
    }
    return rounds_median(rounds, ROUNDS);
}

__attribute__((noinline)) static bool by_hand(const struct value *slots)
{
    struct span currency = value_span(slots[1]);
    return slots[0].integer > 0 &&
           (span_equal(currency, SPAN("USD")) || span_equal(currency, SPAN("EUR"))) &&
           !slots[2].boolean;
}

static double measure_by_hand(const struct row *rows)
{
    double rounds[ROUNDS];
    volatile unsigned holds = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double start = rounds_now_ns(CLOCK_THREAD_CPUTIME_ID);
        for (int i = 0; i < EVALUATIONS; i++)
            holds = holds + by_hand(rows[i % ROWS].slots);
        rounds[round] = (rounds_now_ns(CLOCK_THREAD_CPUTIME_ID) - start) / EVALUATIONS;
    }
    return rounds_median(rounds, ROUNDS);
}

int main(void)
{
    static const char *const expressions[] = {
        "amount > 0 && currency in ['USD', 'EUR'] && !blocked",
        "amount > 0",
        "context.order.total > 1000 && context.customer.tier == 'gold'",
        "has(context.order.total) && size(context.order.items) > 0",
        "context.order.items.all(item, item < 100)",
        "'order ' + context.id + ': ' + string(context.order.total)",
        "context.missing > 3",
    };
    static struct row rows[ROWS];
    static char memory[ARENA_BYTES];
    struct arena arena;
    arena_init(&arena, memory, sizeof memory);
    make_rows(&arena, rows);
    printf("expression, ns: compile, with check, run\n");
    for (size_t i = 0; i < sizeof expressions / sizeof expressions[0]; i++) {
        struct span text = span_from_text(expressions[i]);
        double compile_ns = measure_compile(text, false, &arena);
        double check_ns = measure_compile(text, true, &arena);
        const struct expr_program *program = compile(text, &arena);
        printf("%8.0f %8.0f %8.1f  %s\n", compile_ns, check_ns,
               measure_run(program, rows, &arena), expressions[i]);
    }
    printf("%8s %8s %8.1f  the first of these by hand in C\n", "", "", measure_by_hand(rows));
    return 0;
}
