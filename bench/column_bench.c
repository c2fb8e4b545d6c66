/*
 * column_bench.c - predicates over columns, beside the same by hand and the memory itself.
 *
 * The six validators of an order with five booleans, over byte columns and over bits, and the
 * guard of expr_bench over an int, a dictionary and a byte column. Results are counted block by
 * block, as a derivation does, and the counts of all ways are compared. Once over rows that
 * stay in the second cache, once over rows that come from memory; the ceiling there is one
 * pass of loads over the same bytes. Medians; it asserts nothing but the counts.
 */
#include <stdio.h>
#include <stdlib.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "base/random.h"
#include "expr/expr.h"
#include "rounds.h"

enum { ROUNDS = 15, FIELDS = 5, STATES = 6, NEAR_ROWS = 1 << 18, FAR_ROWS = 1 << 26 };

static const char *const validators[STATES] = {
    "!o.itemsAdded",
    "o.itemsAdded && !o.paymentReceived",
    "o.paymentReceived && !o.approved",
    "o.approved && !o.shipped",
    "o.shipped && !o.delivered",
    "o.delivered",
};

static const char *const paths[FIELDS] = {"o.itemsAdded", "o.paymentReceived", "o.approved",
                                          "o.shipped", "o.delivered"};

#if defined(__x86_64__)
#define COUNTING __attribute__((target("popcnt")))
#else
#define COUNTING
#endif

COUNTING static uint64_t count_bits(const uint64_t *words, size_t count)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < count; i++)
        bits += (uint64_t)__builtin_popcountll(words[i]);
    return bits;
}

/* Ours */

static struct column_set *open_set(const char *const *texts, size_t count,
                                   const struct column *columns, size_t column_count,
                                   struct arena *arena)
{
    static const struct span names[] = {
        {"o", 1}, {"amount", 6}, {"currency", 8}, {"blocked", 7}};
    static const struct expr_scope scope = {.variables = names, .variable_count = 4};
    const struct expr_program **programs =
        arena_new_array(arena, count, const struct expr_program *);
    struct diagnostics diagnostics;
    diagnostics_init(&diagnostics, arena);
    for (size_t i = 0; i < count; i++) {
        programs[i] = expr_compile(span_from_text(texts[i]), (struct place){0}, &scope, arena,
                                   &diagnostics);
        if (programs[i] == NULL)
            abort();
    }
    return column_open(programs, count, &scope, columns, column_count, arena);
}

static void run_set(struct column_set *set, size_t predicates, size_t rows, uint64_t *counts,
                    struct arena *arena)
{
    static uint64_t words[STATES][COLUMN_BLOCK_ROWS / 64];
    uint64_t *truths[STATES];
    for (size_t i = 0; i < STATES; i++) {
        truths[i] = words[i];
        counts[i] = 0;
    }
    for (size_t first = 0; first < rows; first += COLUMN_BLOCK_ROWS) {
        column_run(set, first, COLUMN_BLOCK_ROWS, truths, NULL, arena);
        for (size_t i = 0; i < predicates; i++)
            counts[i] += count_bits(words[i], COLUMN_BLOCK_ROWS / 64);
    }
}

static double measure_set(const char *const *texts, size_t count, const struct column *columns,
                          size_t column_count, size_t rows, uint64_t *counts)
{
    static char memory[4 << 20];
    double rounds[ROUNDS];
    struct arena arena;
    arena_init(&arena, memory, sizeof memory);
    struct column_set *set = open_set(texts, count, columns, column_count, &arena);
    size_t repeats = rows < FAR_ROWS ? 32 : 1;
    if (column_slow_atoms(set) > 0)
        printf("(row by row) ");
    for (int round = 0; round < ROUNDS; round++) {
        double start = rounds_now_ns(CLOCK_THREAD_CPUTIME_ID);
        for (size_t i = 0; i < repeats; i++)
            run_set(set, count, rows, counts, &arena);
        rounds[round] = (rounds_now_ns(CLOCK_THREAD_CPUTIME_ID) - start) / (double)repeats;
    }
    return rounds_median(rounds, ROUNDS);
}

/* By hand */

COUNTING static inline void count_word(const uint64_t bits[FIELDS], uint64_t *counts)
{
    counts[0] += (uint64_t)__builtin_popcountll(~bits[0]);
    for (int i = 1; i < FIELDS; i++)
        counts[i] += (uint64_t)__builtin_popcountll(bits[i - 1] & ~bits[i]);
    counts[FIELDS] += (uint64_t)__builtin_popcountll(bits[FIELDS - 1]);
}

COUNTING static void bits_by_hand(const void *const *data, size_t rows, uint64_t *counts)
{
    for (size_t word = 0; word < rows / 64; word++) {
        uint64_t bits[FIELDS];
        for (int i = 0; i < FIELDS; i++)
            bits[i] = ((const uint64_t *)data[i])[word];
        count_word(bits, counts);
    }
}

static void bytes_in_plain_c(const void *const *data, size_t rows, uint64_t *counts)
{
    for (size_t row = 0; row < rows; row++) {
        bool before = true;
        for (int i = 0; i < FIELDS; i++) {
            bool now = ((const uint8_t *)data[i])[row] != 0;
            counts[i] += i == 0 ? !now : before && !now;
            before = now;
        }
        counts[FIELDS] += before;
    }
}

#if defined(__x86_64__)
__attribute__((target("avx2,popcnt"))) static void bytes_by_hand(const void *const *data,
                                                                 size_t rows, uint64_t *counts)
{
    const __m256i zero = _mm256_setzero_si256();
    for (size_t row = 0; row < rows; row += 64) {
        uint64_t bits[FIELDS];
        for (int i = 0; i < FIELDS; i++) {
            const char *at = (const char *)data[i] + row;
            __m256i low = _mm256_loadu_si256((const void *)at);
            __m256i high = _mm256_loadu_si256((const void *)(at + 32));
            uint32_t low_zeros = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, zero));
            uint32_t high_zeros = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, zero));
            bits[i] = ~((uint64_t)high_zeros << 32 | low_zeros);
        }
        counts[0] += (uint64_t)_mm_popcnt_u64(~bits[0]);
        for (int i = 1; i < FIELDS; i++)
            counts[i] += (uint64_t)_mm_popcnt_u64(bits[i - 1] & ~bits[i]);
        counts[FIELDS] += (uint64_t)_mm_popcnt_u64(bits[FIELDS - 1]);
    }
}
#else
#define bytes_by_hand bytes_in_plain_c
#endif

typedef void by_hand(const void *const *data, size_t rows, uint64_t *counts);

static double measure_by_hand(by_hand *run, const void *const *data, size_t rows,
                              const uint64_t *expected)
{
    double rounds[ROUNDS];
    size_t repeats = rows < FAR_ROWS ? 32 : 1;
    for (int round = 0; round < ROUNDS; round++) {
        double start = rounds_now_ns(CLOCK_THREAD_CPUTIME_ID);
        for (size_t i = 0; i < repeats; i++) {
            uint64_t counts[STATES] = {0};
            run(data, rows, counts);
            if (memcmp(counts, expected, sizeof counts) != 0)
                abort();
        }
        rounds[round] = (rounds_now_ns(CLOCK_THREAD_CPUTIME_ID) - start) / (double)repeats;
    }
    return rounds_median(rounds, ROUNDS);
}

/* Bytes a nanosecond of one pass of loads. */
static double measure_memory(const void *const *data, size_t bytes)
{
    double rounds[ROUNDS];
    size_t repeats = bytes < FAR_ROWS / 8 ? 32 : 1;
    volatile uint64_t kept = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double start = rounds_now_ns(CLOCK_THREAD_CPUTIME_ID);
        for (size_t repeat = 0; repeat < repeats; repeat++) {
            uint64_t sums[8] = {0};
            for (int field = 0; field < FIELDS; field++) {
                const uint64_t *words = data[field];
                for (size_t i = 0; i < bytes / 8; i += 8) {
                    for (size_t k = 0; k < 8; k++)
                        sums[k] ^= words[i + k];
                }
            }
            kept = kept + sums[0] + sums[1] + sums[2] + sums[3] + sums[4] + sums[5] + sums[6] +
                   sums[7];
        }
        rounds[round] = (rounds_now_ns(CLOCK_THREAD_CPUTIME_ID) - start) / (double)repeats;
    }
    return (double)bytes * FIELDS / rounds_median(rounds, ROUNDS);
}

/* What is measured */

static void print_row(const char *what, size_t rows, double ns, double bytes_a_row,
                      double memory)
{
    double speed = (double)rows / ns;
    printf("  %-34s %7.2f G rows/s", what, speed);
    if (memory > 0)
        printf("  %5.1f GB/s, %3.0f %% of reading", speed * bytes_a_row,
               100 * speed * bytes_a_row / memory);
    printf("\n");
}

static void measure_validators(const void *const *bytes, const void *const *bits, size_t rows)
{
    struct column columns[FIELDS];
    uint64_t counts[STATES];
    double byte_memory = measure_memory(bytes, rows);
    double bit_memory = measure_memory(bits, rows / 8);
    printf("five booleans, six validators, %zu rows\n", rows);
    for (int i = 0; i < FIELDS; i++)
        columns[i] = (struct column){
            .path = span_from_text(paths[i]), .kind = COLUMN_BYTES, .data = bytes[i]};
    double ours = measure_set(validators, STATES, columns, FIELDS, rows, counts);
    print_row("bytes", rows, ours, FIELDS, byte_memory);
    double hand = measure_by_hand(bytes_by_hand, bytes, rows, counts);
    print_row("bytes, by hand with AVX2", rows, hand, FIELDS, byte_memory);
    if (rows < FAR_ROWS)
        print_row("bytes, by hand in plain C", rows,
                  measure_by_hand(bytes_in_plain_c, bytes, rows, counts), FIELDS, byte_memory);
    for (int i = 0; i < FIELDS; i++)
        columns[i] = (struct column){
            .path = span_from_text(paths[i]), .kind = COLUMN_BITS, .data = bits[i]};
    ours = measure_set(validators, STATES, columns, FIELDS, rows, counts);
    print_row("bits", rows, ours, FIELDS / 8.0, bit_memory);
    hand = measure_by_hand(bits_by_hand, bits, rows, counts);
    print_row("bits, by hand in plain C", rows, hand, FIELDS / 8.0, bit_memory);
}

static uint64_t guard_by_hand(const int64_t *amounts, const uint32_t *currencies,
                              const uint8_t *blocked, size_t rows)
{
    uint64_t count = 0;
    for (size_t i = 0; i < rows; i++)
        count += (amounts[i] > 0) & (currencies[i] < 2) & (blocked[i] == 0);
    return count;
}

static void measure_guard(struct random *random)
{
    static const char *const guard[] = {"amount > 0 && currency in ['USD', 'EUR'] && !blocked"};
    static const struct value currencies[] = {
        {.kind = VALUE_STRING, .count = 3, .text = "USD"},
        {.kind = VALUE_STRING, .count = 3, .text = "EUR"},
        {.kind = VALUE_STRING, .count = 3, .text = "GBP"}};
    enum { ROWS = 1 << 20 };
    static int64_t amounts[ROWS];
    static uint32_t codes[ROWS];
    static uint8_t blocked[ROWS];
    for (size_t i = 0; i < ROWS; i++) {
        amounts[i] = (int64_t)random_up_to(random, 6) - 1;
        codes[i] = (uint32_t)random_up_to(random, 2);
        blocked[i] = random_up_to(random, 9) == 0;
    }
    struct column columns[] = {
        {.path = SPAN("amount"), .kind = COLUMN_INTS, .data = amounts},
        {.path = SPAN("currency"),
         .kind = COLUMN_CODES,
         .data = codes,
         .dictionary = currencies,
         .dictionary_count = 3},
        {.path = SPAN("blocked"), .kind = COLUMN_BYTES, .data = blocked},
    };
    uint64_t counts[STATES];
    double rounds[ROUNDS];
    printf("%s, %d rows\n", guard[0], ROWS);
    print_row("columns", ROWS, measure_set(guard, 1, columns, 3, ROWS, counts), 13, 0);
    for (int round = 0; round < ROUNDS; round++) {
        double start = rounds_now_ns(CLOCK_THREAD_CPUTIME_ID);
        for (int i = 0; i < 32; i++) {
            if (guard_by_hand(amounts, codes, blocked, ROWS) != counts[0])
                abort();
        }
        rounds[round] = (rounds_now_ns(CLOCK_THREAD_CPUTIME_ID) - start) / 32;
    }
    print_row("by hand in C, codes known", ROWS, rounds_median(rounds, ROUNDS), 13, 0);
}

int main(void)
{
    static const char *const levels[] = {"plain C", "AVX2", "AVX-512"};
    struct random random = {1};
    void *bytes[FIELDS];
    void *bits[FIELDS];
    for (int i = 0; i < FIELDS; i++) {
        uint8_t *column = aligned_alloc(64, FAR_ROWS);
        uint64_t *packed = aligned_alloc(64, FAR_ROWS / 8);
        if (column == NULL || packed == NULL)
            return 1;
        for (size_t word = 0; word < FAR_ROWS / 64; word++) {
            packed[word] = random_next(&random);
            for (size_t bit = 0; bit < 64; bit++)
                column[word * 64 + bit] = packed[word] >> bit & 1;
        }
        bytes[i] = column;
        bits[i] = packed;
    }
    printf("columns, with %s\n", levels[column_best_level()]);
    measure_validators((const void *const *)bytes, (const void *const *)bits, NEAR_ROWS);
    measure_validators((const void *const *)bytes, (const void *const *)bits, FAR_ROWS);
    measure_guard(&random);
    for (int i = 0; i < FIELDS; i++) {
        free(bytes[i]);
        free(bits[i]);
    }
    return 0;
}
